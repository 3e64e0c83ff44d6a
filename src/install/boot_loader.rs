//! The boot loader in the plan: can it be installed on this machine's disks, and can the firmware start it?
//! `nixos-install` does it last, when the disks are erased already.

use super::decide::{Inputs, live, runs};
use super::phase::Phase;
use super::plan::{Plan, Refusal};
use super::refuse::refusal;
use crate::facts::{Boot, Content, GrubPlace, Partition, Signing};
use crate::remote::Firmware;
use crate::validated::DevicePath;

/// Why the boot loader could not be installed or started.
pub(super) fn refusals(inputs: &Inputs<'_>, plan: &Plan) -> Vec<Refusal> {
    let mut found = Vec::new();
    found.extend(firmware(inputs));
    for device in grub_devices(inputs) {
        found.extend(no_such_disk(inputs, device));
        if runs(plan, Phase::Disko) {
            found.extend(no_place_for_grub(inputs, device));
        }
    }
    found
}

/// What the user should know of it.
pub(super) fn warnings(inputs: &Inputs<'_>, plan: &Plan) -> Vec<String> {
    let unsigned = inputs.installed.boot.signing == Signing::KeysOnDisk && runs(plan, Phase::Disko);
    let found = (unsigned && runs(plan, Phase::Install)).then(|| {
        "lanzaboote signs with keys below boot.lanzaboote.pkiBundle, and an erased disk has none: \
         nixos-install fails unless a hook of disko puts them there. Set \
         boot.lanzaboote.autoGenerateKeys.enable, or install a minimal configuration with \
         systemd-boot first (nixos-installer)"
            .to_owned()
    });
    found.into_iter().collect()
}

fn firmware(inputs: &Inputs<'_>) -> Option<Refusal> {
    let boots = [&inputs.installed.boot, &inputs.facts.boot];
    let boot = boots.into_iter().find(|boot| boot.efi_only())?;
    (inputs.probe.firmware == Firmware::Bios).then(|| {
        refusal(
            "bios-firmware",
            format!("the machine was started by BIOS firmware, but {} needs UEFI", called(boot)),
            "start the installer in UEFI mode (a setting of the firmware), or configure \
             boot.loader.grub.devices",
        )
    })
}

fn called(boot: &Boot) -> &str {
    if boot.systemd_boot {
        "systemd-boot"
    } else if boot.grub {
        "GRUB with efiSupport"
    } else {
        boot.other
            .iter()
            .find(|name| Boot::EFI_LOADERS.contains(&name.as_str()))
            .map_or("it", |n| n)
    }
}

/// The devices that get GRUB's first stage, with both configurations.
fn grub_devices<'a>(inputs: &Inputs<'a>) -> Vec<&'a str> {
    let mut devices: Vec<&str> = Vec::new();
    for facts in [inputs.installed, inputs.facts] {
        for device in &facts.boot.grub_devices {
            if !devices.contains(&device.as_str()) {
                devices.push(device);
            }
        }
    }
    devices
}

fn no_such_disk(inputs: &Inputs<'_>, device: &str) -> Option<Refusal> {
    let there = device.parse().is_ok_and(|path: DevicePath| live(inputs.probe, &path).is_some());
    (names_a_disk(device) && !there).then(|| {
        refusal(
            "missing-grub-device",
            format!("GRUB is to be written to {device}, which the machine does not have"),
            "set boot.loader.grub.devices to disks that it has (disko's module does so for disks \
             with a partition of the type EF02)",
        )
    })
}

/// Is this the name of a whole disk, and of none that is made on the way (an array, a volume)?
fn names_a_disk(device: &str) -> bool {
    let Some(name) = device.strip_prefix("/dev/") else { return false };
    if let Some(("disk", link)) = name.split_once('/') {
        let made = ["by-id/md-", "by-id/dm-", "by-id/lvm-"];
        let hardware = link.starts_with("by-id/") || link.starts_with("by-path/");
        return hardware
            && !link.contains("-part")
            && !made.iter().any(|start| link.starts_with(start));
    }
    let letters =
        |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_lowercase());
    ["sd", "hd", "vd", "xvd"].iter().any(|kind| name.strip_prefix(kind).is_some_and(letters))
        || ["nvme", "mmcblk"]
            .iter()
            .any(|kind| name.strip_prefix(kind).is_some_and(|rest| !rest.contains('p')))
}

/// With a GPT, GRUB's core is in a partition of its own; the gap behind an MBR is not there.
fn no_place_for_grub(inputs: &Inputs<'_>, device: &str) -> Option<Refusal> {
    let disk = live(inputs.probe, &device.parse().ok()?)?;
    let same =
        |other: &DevicePath| live(inputs.probe, other).is_some_and(|live| live.path == disk.path);
    let planned = inputs.installed.disko.disks.iter().find(|planned| same(&planned.device))?;
    let Some(Content::Gpt { partitions }) = &planned.content else { return None };
    let forced = inputs.installed.boot.grub_place == GrubPlace::Anywhere;
    (!forced && !partitions.iter().any(is_bios_boot)).then(|| {
        refusal(
            "no-bios-partition",
            format!(
                "GRUB is to be written to {device}, but its layout (a GPT) has no BIOS boot partition for it"
            ),
            format!(
                "add to disko.devices.disk.{}.content.partitions: bios = {{ size = \"1M\"; type = \
                 \"EF02\"; }}; or set boot.loader.grub.devices = [ \"nodev\" ] if it starts by UEFI alone",
                planned.name
            ),
        )
    })
}

/// By sgdisk's code, or by the type that it stands for.
fn is_bios_boot(partition: &Partition) -> bool {
    let types = ["EF02", "21686148-6449-6E6F-744E-656564454649"];
    let is = |code: &String| types.iter().any(|known| known.eq_ignore_ascii_case(code));
    partition.type_code.as_ref().is_some_and(is)
}

#[cfg(test)]
mod tests;
