//! `config.boot.loader` and the loaders that live elsewhere.

use super::decode::{Decoded, Decoder};
use super::model::{Boot, GrubPlace, Signing};

/// Loaders of `boot.loader` that have a decoder of their own, or are none.
const NOT_OTHER: [&str; 3] = ["systemd-boot", "grub", "efi"];

/// Reads them from `config`.
pub(super) fn boot(config: &Decoder<'_>) -> Decoded<Boot> {
    let Some(boot) = config.get("boot")? else { return Ok(Boot::default()) };
    let enabled = |path: &[&str]| Ok(boot.read_at(path, Decoder::bool)?.unwrap_or(false));
    let systemd_boot = enabled(&["loader", "systemd-boot", "enable"])?;
    let grub = enabled(&["loader", "grub", "enable"])?;
    let grub_efi = grub && enabled(&["loader", "grub", "efiSupport"])?;
    let signed = enabled(&["lanzaboote", "enable"])? && !enabled(&["lanzaboote", "allowUnsigned"])?;
    let other = other(&boot)?;
    // Every NixOS has a default for the mount point, but it means nothing without UEFI.
    let efi = systemd_boot || grub_efi || !other.is_empty();
    let esp_mountpoint = boot.read_at(&["loader", "efi", "efiSysMountPoint"], Decoder::text)?;
    Ok(Boot {
        systemd_boot,
        grub,
        grub_efi,
        grub_place: if grub && enabled(&["loader", "grub", "forceInstall"])? {
            GrubPlace::Anywhere
        } else {
            GrubPlace::Reserved
        },
        grub_devices: if grub { grub_devices(&boot)? } else { Vec::new() },
        esp_mountpoint: esp_mountpoint.filter(|_| efi),
        signing: if signed { Signing::KeysOnDisk } else { Signing::None },
        other,
    })
}

fn other(boot: &Decoder<'_>) -> Decoded<Vec<String>> {
    let mut loaders = match boot.get("loader")? {
        Some(loaders) => loaders.entries()?,
        None => Vec::new(),
    };
    loaders.retain(|(name, _)| !NOT_OTHER.contains(name));
    if let Some(lanzaboote) = boot.get("lanzaboote")? {
        loaders.push(("lanzaboote", lanzaboote));
    }
    let mut other = Vec::new();
    for (name, loader) in loaders {
        if loader.read_at(&["enable"], Decoder::bool)? == Some(true) {
            other.push(name.to_owned());
        }
    }
    Ok(other)
}

/// The devices that get GRUB's first stage; `nodev` is how one says "none".
fn grub_devices(boot: &Decoder<'_>) -> Decoded<Vec<String>> {
    let Some(grub) = boot.at(&["loader", "grub"])? else { return Ok(Vec::new()) };
    let mut devices = grub.read_at(&["devices"], Decoder::texts)?.unwrap_or_default();
    devices.extend(grub.read_at(&["device"], Decoder::text)?);
    if let Some(mirrors) = grub.get("mirroredBoots")? {
        for mirror in mirrors.items()? {
            devices.extend(mirror.read_at(&["devices"], Decoder::texts)?.unwrap_or_default());
        }
    }
    let mut wanted = Vec::new();
    for device in devices {
        if device != "nodev" && !device.is_empty() && !wanted.contains(&device) {
            wanted.push(device);
        }
    }
    Ok(wanted)
}
