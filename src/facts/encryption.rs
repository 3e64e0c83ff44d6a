//! Every LUKS container below `config.disko.devices`, wherever it is, and where disko takes its
//! key from while it installs.

use super::decode::{Decoded, Decoder};
use super::disks::{partitions, volumes};
use super::model::{Encryption, KeySource};
use crate::validated::AbsolutePath;

/// Finds the containers of `disko.devices`, in the order in which disko makes them.
pub(super) fn encryption(devices: &Decoder<'_>) -> Decoded<Vec<Encryption>> {
    let mut found = Vec::new();
    // Containers on whole disks come before those on what the disks are put together to.
    for kind in ["disk", "mdadm", "lvm_vg", "zpool"] {
        let Some(set) = devices.get(kind)? else { continue };
        for (_, device) in set.entries()? {
            search(&device, &mut found)?;
        }
    }
    Ok(found)
}

/// Looks into a device, a partition or a volume.
fn search(holder: &Decoder<'_>, found: &mut Vec<Encryption>) -> Decoded<()> {
    for (_, volume) in volumes(holder)? {
        search(&volume, found)?;
    }
    if let Some(datasets) = holder.get("datasets")? {
        for (_, dataset) in datasets.entries()? {
            search(&dataset, found)?;
        }
    }
    let Some(content) = holder.get("content")? else { return Ok(()) };
    if content.require("type", "a string")?.str()? == "luks" {
        found.push(Encryption {
            name: content.require("name", "a string")?.text()?,
            option: content.option().to_owned(),
            key: key_source(&content)?,
            additional_key_files: additional_key_files(&content)?,
        });
    }
    for (_, partition) in partitions(&content)? {
        search(&partition, found)?;
    }
    search(&content, found)
}

/// In the order of precedence that disko's `luks` type has.
fn key_source(luks: &Decoder<'_>) -> Decoded<KeySource> {
    if let Some(path) = luks.read_at(&["settings", "keyFile"], Decoder::parse)? {
        return Ok(KeySource::KeyFile { path });
    }
    if luks.read_at(&["askPassword"], Decoder::bool)? == Some(true) {
        return Ok(KeySource::Ask);
    }
    if let Some(path) = luks.read_at(&["passwordFile"], Decoder::parse)? {
        return Ok(KeySource::PasswordFile { path });
    }
    match luks.read_at(&["keyFile"], Decoder::parse)? {
        Some(path) => Ok(KeySource::KeyFile { path }),
        None => Ok(KeySource::Unset),
    }
}

fn additional_key_files(luks: &Decoder<'_>) -> Decoded<Vec<AbsolutePath>> {
    match luks.get("additionalKeyFiles")? {
        Some(files) => files.items()?.iter().map(Decoder::parse).collect(),
        None => Ok(Vec::new()),
    }
}
