//! A disk as far as writing an image to it goes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::remote::probe::lsblk::Device;
use crate::remote::{LiveDisk, LiveNode};

/// A block device that was named or found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// What it is and what is on it.
    pub live: LiveDisk,
    /// The path that the user gave, where it is another one (`/dev/disk/by-id/…`).
    pub named: Option<PathBuf>,
    /// `disk`, `part`, `loop`, `rom`, `crypt`, …, as lsblk has it.
    pub kind: String,
    /// The disk that it is a partition of.
    pub parent: Option<String>,
    /// What sort of medium.
    pub medium: Medium,
    /// Counts up with every medium that the kernel sees (`diskseq`, since Linux 5.15).
    pub sequence: Option<u64>,
}

/// Whether a disk is meant to be carried around.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// A stick, a card, anything at USB.
    Removable,
    /// Built in.
    Fixed,
    /// A file of this machine's as a device.
    Loop,
}

/// What sysfs knows of a disk and lsblk does not tell.
#[derive(Debug, Clone, Default)]
pub(super) struct Sysfs<'a> {
    /// First sectors of partitions, by kernel name.
    pub(super) starts: BTreeMap<&'a str, u64>,
    /// Is it an SD card?
    pub(super) sd_card: bool,
    /// See [`Disk::sequence`].
    pub(super) sequence: Option<u64>,
}

impl Medium {
    /// What `live` is, by the kernel's word, the way it is attached, and whether it is an SD card: card
    /// readers of laptops call their cards fixed.
    fn of(live: &LiveDisk, kind: &str, sd_card: bool) -> Self {
        match kind {
            "loop" => Self::Loop,
            _ if live.removable || sd_card || live.transport.as_deref() == Some("usb") => {
                Self::Removable
            }
            _ => Self::Fixed,
        }
    }
}

impl Disk {
    /// What lsblk and sysfs say of it.
    pub(super) fn of(device: &Device, sysfs: &Sysfs<'_>) -> Option<Self> {
        let live = device.disk(&sysfs.starts, Vec::new(), false)?;
        Some(Self {
            named: None,
            medium: Medium::of(&live, &device.kind, sysfs.sd_card),
            kind: device.kind.clone(),
            parent: device.pkname.as_ref().map(|parent| format!("/dev/{parent}")),
            sequence: sysfs.sequence,
            live,
        })
    }

    /// The name that the user types to have it erased: `sdb` of `/dev/sdb`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.live.path.strip_prefix("/dev/").unwrap_or(&self.live.path)
    }

    /// Is it the same medium, as far as can be told?
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let marks = |disk: &Self| {
            let live = &disk.live;
            (live.path.clone(), live.size, live.model.clone(), live.serial.clone(), disk.sequence)
        };
        marks(self) == marks(other)
    }

    /// Everything on it, and itself as the first.
    pub(super) fn nodes(&self) -> Vec<(&str, &[String])> {
        fn below<'a>(node: &'a LiveNode, all: &mut Vec<(&'a str, &'a [String])>) {
            all.push((&node.path, &node.mountpoints));
            node.children.iter().for_each(|child| below(child, all));
        }
        let mut all = vec![(self.live.path.as_str(), self.live.mountpoints.as_slice())];
        self.live.children.iter().for_each(|child| below(child, &mut all));
        all
    }
}
