//! Writes an image to disks and reads it back. One thread reads and unpacks the image, once for all disks; each
//! disk has a thread of its own, and one that fails leaves the others going on.
//!
//! The image's first chunk is written last, after all else is on the medium: what is interrupted is no disk that
//! starts half a system. Old partition tables at both ends of the disk are cleared before.

mod buffer;
mod device;
mod feed;
mod verify;
mod write;

use std::sync::mpsc::sync_channel;
use std::thread;

use tokio_util::sync::CancellationToken;

use super::digest::Algorithm;
use super::event::{Event, Outcome, Reporter, State};
use super::image::Image;
use super::judge::Target;

pub use device::{Device, OpenError};

/// Bytes that are read, handed on and written at once.
const CHUNK: usize = 4 << 20;
/// Chunks that wait for a disk.
const WAITING: usize = 1;

/// What to do.
pub struct Job<'a> {
    /// The image.
    pub image: &'a Image,
    /// The disks, open.
    pub devices: Vec<Device>,
    /// Read back what was written?
    pub verify: Verify,
    /// Stops it.
    pub cancel: CancellationToken,
    /// Who is told.
    pub reporter: &'a dyn Reporter,
}

/// Is what was written read back?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verify {
    /// It is, and compared by such a digest.
    By(Algorithm),
    /// It is not.
    No,
}

/// Opens a disk that may be erased, for nobody else beside us.
pub fn open(target: &Target) -> Result<Device, OpenError> {
    Device::open(&target.disk)
}

/// Does it, and tells how it ended for each disk, in their order. Blocks.
#[must_use]
pub fn run(job: Job<'_>) -> Vec<Outcome> {
    let Job { image, devices, verify, cancel, reporter } = job;
    let (mut feeds, mut works) = (Vec::new(), Vec::new());
    for device in devices {
        let (feed, chunks) = sync_channel(WAITING);
        feeds.push(feed);
        works.push((device, chunks));
    }
    thread::scope(|scope| {
        let reader = scope.spawn(|| feed::feed(image, feeds, verify, &cancel));
        let writers: Vec<_> = works
            .into_iter()
            .map(|(device, chunks)| {
                let work = write::Work { size: image.size, verify, cancel: &cancel, reporter };
                let name = device.path.clone();
                (name, scope.spawn(move || work.run(device, &chunks)))
            })
            .collect();
        let ends: Vec<_> = writers.into_iter().map(|(name, end)| (name, end.join())).collect();
        // Its error has reached the writers; what is left is that it did not panic, and nothing does.
        let _ = reader.join();
        ends.into_iter().map(|(name, end)| end.unwrap_or_else(|_| lost(name, reporter))).collect()
    })
}

/// The outcome of a thread that ended without one.
fn lost(target: String, reporter: &dyn Reporter) -> Outcome {
    let outcome = Outcome {
        target,
        state: State::Incomplete,
        written: 0,
        writing_millis: 0,
        verifying_millis: None,
        digest: None,
        error: Some("the thread that wrote to it ended".to_owned()),
        stopped: false,
    };
    reporter.event(&Event::Ended(outcome.clone()));
    outcome
}

#[cfg(test)]
mod tests;
