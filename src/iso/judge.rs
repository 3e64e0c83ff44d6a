//! Decides what may be erased. Pure: parsed data in, a decision with its reasons out.

use super::device::{Disk, Medium};
use crate::install::size::human;
use crate::remote::LiveNode;

/// Decides whether `disk` may be erased. Every reason against it is given, not the first one only.
pub fn judge(disk: Disk, wishes: &Wishes) -> Result<Target, Refused> {
    let mut reasons = Vec::new();
    if let Some(reason) = not_whole(&disk) {
        // What else could be said is about something that is not meant.
        return Err(Refused::new(&disk, vec![reason]));
    }
    reasons.extend(medium_missing(&disk));
    reasons.extend(fixed(&disk, wishes));
    reasons.extend(read_only(&disk));
    reasons.extend(stacked(&disk));
    let unmount = match mounts(&disk, wishes) {
        Ok(unmount) => unmount,
        Err(more) => {
            reasons.extend(more);
            Vec::new()
        }
    };
    reasons.extend(too_small(&disk, wishes));
    if reasons.is_empty() {
        Ok(Target { disk, unmount })
    } else {
        Err(Refused::new(&disk, reasons))
    }
}

/// What the user has allowed, and what has to fit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wishes {
    /// `--allow-fixed-disk`
    pub allow_fixed: bool,
    /// `--unmount`
    pub unmount: bool,
    /// The image's size, where it is known already.
    pub image_size: Option<u64>,
}

/// A disk that may be erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The disk.
    pub disk: Disk,
    /// Devices whose file systems have to be unmounted first, the innermost first.
    pub unmount: Vec<String>,
}

/// A disk that may not be erased, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{device} is not written to: {}", reasons.iter().map(|reason| reason.text.as_str()).collect::<Vec<_>>().join("; "))]
pub struct Refused {
    /// Its path.
    pub device: String,
    /// At least one.
    pub reasons: Vec<Reason>,
}

/// One reason, as a clause about the device, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The reason.
    pub text: String,
    /// What to do.
    pub hint: Option<String>,
    /// Is the command line wrong, rather than the machine's state?
    pub usage: bool,
}

impl Refused {
    fn new(disk: &Disk, reasons: Vec<Reason>) -> Self {
        Self { device: disk.live.path.clone(), reasons }
    }
}

impl Reason {
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), hint: None, usage: false }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// Where a running system keeps itself. What is mounted at one of these, or below one with a `/` at its end, is
/// never unmounted.
const SYSTEM: [&str; 21] = [
    "/",
    "/bin/",
    "/boot/",
    "/boot",
    "/efi",
    "/etc/",
    "/home",
    "/iso",
    "/lib/",
    "/nix/",
    "/nix",
    "/persist",
    "/root",
    "/run/archiso/",
    "/run/initramfs/",
    "/run/live/",
    "/sbin/",
    "/srv",
    "/usr/",
    "/usr",
    "/var/",
];

const SWAP: &str = "[SWAP]";

fn not_whole(disk: &Disk) -> Option<Reason> {
    match disk.kind.as_str() {
        "disk" | "loop" => None,
        "part" => {
            let reason = Reason::new("it is a partition, and an image needs the whole disk");
            let reason = match &disk.parent {
                Some(parent) => reason.hint(format!("the whole disk is {parent}")),
                None => reason,
            };
            Some(Reason { usage: true, ..reason })
        }
        "rom" => Some(Reason {
            usage: true,
            ..Reason::new("it is an optical drive").hint("burn the image with a program for that")
        }),
        kind => {
            let what = match kind {
                "crypt" => "an opened encrypted device".to_owned(),
                "lvm" => "a logical volume".to_owned(),
                raid if raid.starts_with("raid") || raid == "linear" => "a RAID array".to_owned(),
                other => format!("a device of the kind {other}"),
            };
            let reason = Reason::new(format!("it is {what}, not a disk"));
            Some(Reason { usage: true, ..reason })
        }
    }
}

fn medium_missing(disk: &Disk) -> Option<Reason> {
    (disk.live.size == 0).then(|| {
        Reason::new("it has no medium: its size is 0").hint("put the card or the stick in again")
    })
}

fn fixed(disk: &Disk, wishes: &Wishes) -> Option<Reason> {
    let what = match disk.medium {
        _ if wishes.allow_fixed => return None,
        Medium::Removable => return None,
        Medium::Fixed => "it is not a removable disk",
        Medium::Loop => "it is a loop device: a file of this machine's",
    };
    Some(Reason::new(what).hint("--allow-fixed-disk allows it; look twice at the name"))
}

fn read_only(disk: &Disk) -> Option<Reason> {
    disk.live.read_only.then(|| {
        Reason::new("it is write-protected").hint("cards and some sticks have a switch for that")
    })
}

fn too_small(disk: &Disk, wishes: &Wishes) -> Option<Reason> {
    let (image, has) = (wishes.image_size?, disk.live.size);
    (has > 0 && has < image).then(|| {
        let (needs, has) = (shown(image), shown(has));
        Reason::new(format!("it has {has}, and the image needs {needs}"))
    })
}

/// A size for people, exact where two sizes could look alike.
fn shown(bytes: u64) -> String {
    format!("{} ({bytes} bytes)", human(bytes))
}

/// What is stacked on the disk and open: it would go on writing to where the image is.
fn stacked(disk: &Disk) -> Vec<Reason> {
    fn look(node: &LiveNode, found: &mut Vec<Reason>) {
        let name = &node.name;
        let (text, hint) = match node.kind.as_str() {
            "part" => (None, ""),
            "crypt" => (
                Some(format!("its encrypted container is open as {name}")),
                "close it with `cryptsetup close`",
            ),
            "lvm" => (
                Some(format!("it is part of LVM: the volume {name} is active")),
                "deactivate the volume group with `vgchange --activate n`",
            ),
            raid if raid.starts_with("raid") || raid == "linear" => (
                Some(format!("it is part of the RAID array {name}")),
                "stop the array with `mdadm --stop`",
            ),
            other => (Some(format!("it is in use by {name} ({other})")), "close that first"),
        };
        if let Some(text) = text {
            let reason = Reason::new(text).hint(hint);
            if !found.contains(&reason) {
                found.push(reason);
            }
        }
        node.children.iter().for_each(|child| look(child, found));
    }
    let mut found = Vec::new();
    disk.live.children.iter().for_each(|child| look(child, &mut found));
    found
}

/// What has to be unmounted, or why that will not be done.
fn mounts(disk: &Disk, wishes: &Wishes) -> Result<Vec<String>, Vec<Reason>> {
    let mut unmount = Vec::new();
    let mut reasons = Vec::new();
    for (path, places) in disk.nodes() {
        let system: Vec<&str> =
            places.iter().map(String::as_str).filter(|place| is_system(place)).collect();
        for place in &system {
            reasons.push(match *place {
                SWAP => Reason::new(format!("{path} is used as swap"))
                    .hint(format!("`swapoff {path}` ends that")),
                place => Reason::new(format!("it holds {place} of the running system ({path})")),
            });
        }
        if places.is_empty() || !system.is_empty() {
            continue;
        }
        let reason = Reason::new(format!("{path} is mounted at {}", places.join(", ")));
        match disk.medium {
            Medium::Fixed => reasons.push(reason.hint(format!("unmount it: `umount {path}`"))),
            _ if wishes.unmount => unmount.push(path.to_owned()),
            _ => reasons.push(reason.hint("--unmount unmounts it")),
        }
    }
    // What is mounted inside of another mount comes later in the tree.
    unmount.reverse();
    if reasons.is_empty() { Ok(unmount) } else { Err(reasons) }
}

fn is_system(place: &str) -> bool {
    place == SWAP
        || SYSTEM.iter().any(|system| {
            let below = *system != "/" && system.ends_with('/');
            place == *system || (below && place.starts_with(system))
        })
}

#[cfg(test)]
mod tests;
