//! What happens while an image is copied and written, as data.

use serde::Serialize;

use super::digest::Digest;
use super::image::{Content, Packing};
use crate::remote::LiveDisk;

/// Something that happened. With `--json` each is one line on standard output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Event {
    /// The image was looked at, and can be written.
    Reading {
        /// Its file.
        path: String,
        /// Bytes, unpacked.
        size: u64,
        /// How it is packed.
        packing: Packing,
        /// What it is.
        content: Content,
    },
    /// A disk that will be written to.
    Target {
        /// Its path.
        target: String,
        /// What it is, and what is on it now.
        disk: Box<LiveDisk>,
    },
    /// Something the user should know, though it goes on.
    Warning {
        /// The text.
        text: String,
    },
    /// How far a stage is. Comes often.
    Progress {
        /// The device, or the file of `--output`.
        target: String,
        /// What goes on.
        stage: Stage,
        /// Bytes so far.
        done: u64,
        /// Out of.
        total: u64,
    },
    /// All was handed to the device; now its own memory is emptied, which may take a while.
    Flushing {
        /// The device.
        target: String,
    },
    /// A device, or the file, is done with.
    Ended(Outcome),
}

/// What goes on with a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Into the file of `--output`.
    Copying,
    /// To the device.
    Writing,
    /// Back from the device.
    Verifying,
}

/// How it ended for one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The device, or the file of `--output`.
    pub target: String,
    /// What is on it now.
    pub state: State,
    /// Bytes of the image that were written.
    pub written: u64,
    /// How long writing took, in milliseconds.
    pub writing_millis: u64,
    /// How long reading back took, where it was done to the end.
    pub verifying_millis: Option<u64>,
    /// Of the image, unpacked, where all of it was read to be verified.
    pub digest: Option<Digest>,
    /// What went wrong.
    pub error: Option<String>,
    /// Was it stopped by the user?
    pub stopped: bool,
}

impl Outcome {
    /// A file that was made.
    pub(super) fn copied(target: String, size: u64, millis: u64) -> Self {
        Self {
            target,
            state: State::Good,
            written: size,
            writing_millis: millis,
            verifying_millis: None,
            digest: None,
            error: None,
            stopped: false,
        }
    }
}

/// What is on a target at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// What was there before.
    Untouched,
    /// No longer what was there before, and not the image.
    Incomplete,
    /// All of the image was written, and not all was read back.
    Unverified,
    /// All of the image was written, and something else was read back.
    Wrong,
    /// The image.
    Good,
}

/// Is told what happens, from several threads; must not block for long.
pub trait Reporter: Send + Sync {
    /// Takes note of one event.
    fn event(&self, event: &Event);
}
