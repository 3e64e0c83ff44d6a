//! The disks of a live machine, and which of them it was started from.

use std::collections::BTreeMap;

use super::lsblk::{self, Device};
use super::sections::Sections;
use super::{ProbeError, wrong};
use crate::remote::model::LiveDisk;
use crate::validated::DevicePath;

/// Where live systems of NixOS and others mount what they were started from. The root itself is
/// among them: an installer whose root is on a disk runs from that disk.
const MEDIUM_MOUNTS: [&str; 7] = [
    "/",
    "/iso",
    "/nix/.ro-store",
    "/nix/store",
    "/run/initramfs/live",
    "/run/live/medium",
    "/run/archiso/bootmnt",
];

/// `bootloader_type` of a kernel that kexec has started: the upper digit is 13.
const KEXEC: u64 = 13;

/// Reads the disks that a system could be installed on, and the medium the installer runs from.
pub(super) fn read(
    answer: &str,
    sections: &Sections<'_>,
    installer: bool,
) -> Result<Vec<LiveDisk>, ProbeError> {
    let devices = lsblk::parse(answer).map_err(|error| wrong("lsblk", error.to_string()))?;
    let around = Around::new(&devices, sections, installer);
    let mut disks = Vec::new();
    for device in &devices {
        let boot_medium = around.is_boot_medium(device);
        if is_disk(device) || (device.kind == "rom" && boot_medium) {
            disks.push(around.disk(device, boot_medium)?);
        }
    }
    Ok(disks)
}

/// A disk that could be written to an installation. Memory (zram, ram), loop devices, optical
/// and floppy drives, network block devices and the boot areas of eMMC chips are none; a card
/// reader without a card has no size.
fn is_disk(device: &Device) -> bool {
    let name = device.kernel_name();
    let other = ["zram", "ram", "loop", "fd", "nbd", "mtdblock"];
    let boot_area = name.starts_with("mmcblk") && (name.contains("boot") || name.contains("rpmb"));
    let other = other.iter().any(|kind| {
        name.strip_prefix(kind).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    device.kind == "disk" && device.size > 0 && !other && !boot_area
}

/// What is known beside lsblk's answer.
struct Around<'a> {
    /// First sector of each partition.
    starts: BTreeMap<&'a str, u64>,
    /// Each link's target, then the link.
    links: Vec<(&'a str, &'a str)>,
    /// Where the medium's own file systems, and files behind loop devices, are mounted.
    medium_mounts: Vec<String>,
    /// Label of the medium on the kernel's command line.
    medium_label: Option<String>,
    /// `PARTUUID` that the boot manager was read from.
    loader_part: Option<String>,
    /// Was this kernel started by kexec? `None` where the machine cannot tell.
    kexec: Option<bool>,
    installer: bool,
}

impl<'a> Around<'a> {
    fn new(devices: &[Device], sections: &Sections<'a>, installer: bool) -> Self {
        let starts = sections.pairs("start").into_iter();
        let loader = sections.first("loader").and_then(|text| text.parse::<u64>().ok());
        Self {
            starts: starts.filter_map(|(name, start)| Some((name, start.parse().ok()?))).collect(),
            links: sections.lines("link").into_iter().filter_map(|l| l.split_once(' ')).collect(),
            medium_mounts: medium_mounts(devices, &sections.pairs("loop")),
            medium_label: sections.first("cmdline").and_then(medium_label),
            loader_part: sections.first("loaderpart").map(str::to_ascii_lowercase),
            kexec: loader.map(|loader| loader >> 4 == KEXEC),
            installer,
        }
    }

    /// Does the running installer come from this disk? Erasing it would pull the rug from under
    /// the run.
    fn is_boot_medium(&self, disk: &Device) -> bool {
        if !self.installer {
            return false;
        }
        disk.all().into_iter().any(|device| {
            let mounted = device.mounts().any(|at| self.medium_mounts.iter().any(|m| m == at));
            let labelled = device.label.is_some() && device.label == self.medium_label;
            mounted || labelled || (self.loaded_from(device) && self.loader_counts(disk))
        })
    }

    fn loaded_from(&self, device: &Device) -> bool {
        match (&self.loader_part, &device.partuuid) {
            (Some(part), Some(uuid)) => uuid.eq_ignore_ascii_case(part),
            _ => false,
        }
    }

    /// After a kexec the boot manager's word is about the system before, which is the one to be
    /// replaced.
    fn loader_counts(&self, disk: &Device) -> bool {
        self.kexec == Some(false) || disk.rm || disk.tran.as_deref() == Some("usb")
    }

    fn disk(&self, device: &Device, boot_medium: bool) -> Result<LiveDisk, ProbeError> {
        let path = device.path().unwrap_or_default();
        let mut links: Vec<String> = self
            .links
            .iter()
            .filter(|(target, _)| *target == path)
            .filter_map(|(_, link)| link.parse::<DevicePath>().ok().map(String::from))
            .collect();
        links.sort();
        links.dedup();
        let disk = device.disk(&self.starts, links, boot_medium);
        disk.ok_or_else(|| wrong("lsblk", "a disk has an impossible path"))
    }
}

/// The mount points that mean "this is the medium": the well-known ones, and those which hold the
/// file behind a loop device that is mounted at one of them.
fn medium_mounts(devices: &[Device], loops: &BTreeMap<&str, &str>) -> Vec<String> {
    let mut mounts: Vec<String> = MEDIUM_MOUNTS.map(ToOwned::to_owned).into();
    let all: Vec<&Device> = devices.iter().flat_map(Device::all).collect();
    let places: Vec<&str> = all.iter().flat_map(|device| device.mounts()).collect();
    for device in &all {
        let Some(file) = loops.get(device.kernel_name()) else { continue };
        if !device.mounts().any(|at| MEDIUM_MOUNTS.contains(&at)) {
            continue;
        }
        let under = |place: &&&str| file.strip_prefix(**place).is_some_and(|f| f.starts_with('/'));
        // The innermost mount is the one that the file is on.
        let holder = places.iter().filter(under).max_by_key(|place| place.len());
        mounts.extend(holder.map(|place| (*place).to_owned()));
    }
    mounts
}

/// `root=LABEL=…` (NixOS), `root=live:LABEL=…` and `root=live:CDLABEL=…` (dracut.cmdline(7)), or the
/// same as a path below /dev/disk/by-label.
fn medium_label(cmdline: &str) -> Option<String> {
    let root = cmdline.split_whitespace().find_map(|word| word.strip_prefix("root="))?;
    let live = root.strip_prefix("live:").unwrap_or(root);
    let label = ["LABEL=", "CDLABEL=", "/dev/disk/by-label/"]
        .iter()
        .find_map(|prefix| live.strip_prefix(prefix))?;
    (!label.is_empty()).then(|| label.replace("\\x20", " "))
}
