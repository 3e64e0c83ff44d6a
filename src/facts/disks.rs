//! `config.disko.devices`: disks, volume groups, arrays, pools and mounts with what is on them.
//!
//! Follows disko's own types (its `lib/types/*.nix`), also the older `table`.

use super::decode::{Decoded, Decoder};
use super::model::{
    Btrfs, Content, Dataset, Disk, Disko, Filesystem, LogicalVolume, NodevMount, Partition, Pool,
    Raid, Subvolume, Swapfile, VolumeGroup,
};

/// disko's priority of a partition that says nothing about it.
const DEFAULT_PRIORITY: i64 = 1000;

/// Reads `disko.devices`.
pub(super) fn disko(devices: &Decoder<'_>) -> Decoded<Disko> {
    Ok(Disko {
        disks: each(devices, "disk", disk)?,
        volume_groups: each(devices, "lvm_vg", volume_group)?,
        raids: each(devices, "mdadm", raid)?,
        pools: each(devices, "zpool", pool)?,
        nodev: each(devices, "nodev", nodev)?,
    })
}

/// The partitions of a `gpt` or `table` in the order in which disko makes them, with their names.
pub(super) fn partitions<'a>(table: &Decoder<'a>) -> Decoded<Vec<(String, Decoder<'a>)>> {
    let Some(partitions) = table.get("partitions")? else { return Ok(Vec::new()) };
    if partitions.is_list() {
        // The old table makes them as they are written.
        let named = |(index, partition): (usize, Decoder<'a>)| {
            let name = partition.read_at(&["name"], Decoder::text)?;
            Ok((name.unwrap_or_else(|| (index + 1).to_string()), partition))
        };
        return partitions.items()?.into_iter().enumerate().map(named).collect();
    }
    in_order(&partitions, partition_priority)
}

/// The logical volumes of a group in the order in which disko makes them.
pub(super) fn volumes<'a>(group: &Decoder<'a>) -> Decoded<Vec<(String, Decoder<'a>)>> {
    match group.get("lvs")? {
        Some(volumes) => in_order(&volumes, volume_priority),
        None => Ok(Vec::new()),
    }
}

/// By priority, then by name, as Nix's stable sort over sorted names does it.
fn in_order<'a>(
    set: &Decoder<'a>,
    priority: impl Fn(&Decoder<'a>) -> Decoded<i64>,
) -> Decoded<Vec<(String, Decoder<'a>)>> {
    let mut entries = Vec::new();
    for (name, entry) in set.entries()? {
        entries.push((priority(&entry)?, name.to_owned(), entry));
    }
    entries.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    Ok(entries.into_iter().map(|(_, name, entry)| (name, entry)).collect())
}

fn partition_priority(partition: &Decoder<'_>) -> Decoded<i64> {
    if let Some(priority) = partition.read_at(&["priority"], Decoder::integer)? {
        return Ok(priority);
    }
    if partition.read_at(&["size"], Decoder::size)?.as_deref() == Some("100%") {
        return Ok(9001);
    }
    // Some BIOSes want their boot partition to be the first one.
    let type_code = partition.read_at(&["type"], Decoder::text)?;
    Ok(if type_code.as_deref() == Some("EF02") { 100 } else { DEFAULT_PRIORITY })
}

fn volume_priority(volume: &Decoder<'_>) -> Decoded<i64> {
    if let Some(priority) = volume.read_at(&["priority"], Decoder::integer)? {
        return Ok(priority);
    }
    let size = volume.read_at(&["size"], Decoder::size)?.unwrap_or_default();
    Ok(if size.contains("100%") { DEFAULT_PRIORITY + 251 } else { DEFAULT_PRIORITY })
}

fn each<T>(
    parent: &Decoder<'_>,
    attribute: &str,
    read: impl Fn(&str, &Decoder<'_>) -> Decoded<T>,
) -> Decoded<Vec<T>> {
    let Some(set) = parent.get(attribute)? else { return Ok(Vec::new()) };
    set.entries()?.iter().map(|(name, entry)| read(name, entry)).collect()
}

fn disk(name: &str, disk: &Decoder<'_>) -> Decoded<Disk> {
    Ok(Disk {
        name: name.to_owned(),
        device: disk.require("device", "a device path")?.parse()?,
        content: inner(disk)?,
    })
}

fn volume_group(name: &str, group: &Decoder<'_>) -> Decoded<VolumeGroup> {
    let volume = |(name, volume): (String, Decoder<'_>)| {
        Ok(LogicalVolume {
            name,
            size: volume.read_at(&["size"], Decoder::size)?,
            content: inner(&volume)?,
        })
    };
    Ok(VolumeGroup {
        name: name.to_owned(),
        volumes: volumes(group)?.into_iter().map(volume).collect::<Decoded<_>>()?,
    })
}

fn raid(name: &str, raid: &Decoder<'_>) -> Decoded<Raid> {
    Ok(Raid {
        name: name.to_owned(),
        // disko's own default.
        level: raid.read_at(&["level"], Decoder::size)?.unwrap_or_else(|| "1".to_owned()),
        content: inner(raid)?,
    })
}

fn pool(name: &str, pool: &Decoder<'_>) -> Decoded<Pool> {
    Ok(Pool {
        name: name.to_owned(),
        mode: pool.read_at(&["mode"], Decoder::text)?.unwrap_or_default(),
        key_location: key_location(pool, "rootFsOptions")?,
        datasets: each(pool, "datasets", dataset)?,
    })
}

fn dataset(name: &str, dataset: &Decoder<'_>) -> Decoded<Dataset> {
    Ok(Dataset {
        name: name.to_owned(),
        kind: dataset.require("type", "a string")?.text()?,
        mountpoint: dataset.read_at(&["mountpoint"], Decoder::text)?,
        size: dataset.read_at(&["size"], Decoder::size)?,
        key_location: key_location(dataset, "options")?,
    })
}

/// Where a key is wanted: what has none inherits it. "The default is `prompt`" (zfsprops(7)).
fn key_location(holder: &Decoder<'_>, options: &str) -> Decoded<Option<String>> {
    let option = |name| holder.read_at(&[options, name], Decoder::text);
    let location = option("keylocation")?.filter(|location| location != "none");
    let asked = option("keyformat")?.filter(|format| format != "none").map(|_| "prompt".to_owned());
    Ok(location.or(asked))
}

fn nodev(name: &str, mount: &Decoder<'_>) -> Decoded<NodevMount> {
    Ok(NodevMount {
        mountpoint: mount
            .read_at(&["mountpoint"], Decoder::text)?
            .unwrap_or_else(|| name.to_owned()),
        fs_type: mount.require("fsType", "a string")?.text()?,
        mount_options: mount_options(mount)?,
    })
}

/// The attribute `content`, which is null where nothing is put there.
fn inner(parent: &Decoder<'_>) -> Decoded<Option<Content>> {
    parent.read_at(&["content"], content)
}

fn content(content: &Decoder<'_>) -> Decoded<Content> {
    Ok(match content.require("type", "a string")?.str()? {
        "gpt" => gpt(content)?,
        "table" => match content.read_at(&["format"], Decoder::text)?.as_deref() {
            None | Some("gpt") => gpt(content)?,
            Some(other) => Content::Other { kind: format!("table, {other}") },
        },
        "filesystem" => Content::Filesystem(Filesystem {
            format: content.require("format", "a string")?.text()?,
            mountpoint: content.read_at(&["mountpoint"], Decoder::text)?,
            mount_options: mount_options(content)?,
        }),
        "btrfs" => btrfs(content)?,
        "luks" => Content::Luks {
            name: content.require("name", "a string")?.text()?,
            content: inner(content)?.map(Box::new),
        },
        "lvm_pv" => Content::LvmPv { vg: content.require("vg", "a string")?.text()? },
        "mdraid" => Content::Mdraid { name: content.require("name", "a string")?.text()? },
        "zfs" => Content::Zfs { pool: content.require("pool", "a string")?.text()? },
        "swap" => Content::Swap {
            random_encryption: flag(content, "randomEncryption")?,
            resume_device: flag(content, "resumeDevice")?,
            priority: content.read_at(&["priority"], Decoder::integer)?,
        },
        other => Content::Other { kind: other.to_owned() },
    })
}

fn gpt(table: &Decoder<'_>) -> Decoded<Content> {
    let partitions = partitions(table)?;
    let partitions = partitions.into_iter().map(|(name, entry)| partition(name, &entry));
    Ok(Content::Gpt { partitions: partitions.collect::<Decoded<_>>()? })
}

/// What disko only filled in (`start = "0"`, or "0%" in the old table; an `end` that repeats the size) is left out, so that
/// what is there was asked for.
fn partition(name: String, partition: &Decoder<'_>) -> Decoded<Partition> {
    let text = |attribute| partition.read_at(&[attribute], Decoder::size);
    let size = text("size")?.filter(|size| size != "0");
    let derived = match size.as_deref() {
        Some("100%") => "-0".to_owned(),
        size => format!("+{}", size.unwrap_or("0")),
    };
    Ok(Partition {
        name,
        label: partition.read_at(&["label"], Decoder::text)?,
        type_code: type_code(partition)?,
        priority: partition.read_at(&["priority"], Decoder::integer)?,
        size,
        start: text("start")?.filter(|start| start != "0" && start != "0%"),
        end: text("end")?.filter(|end| *end != derived),
        content: inner(partition)?,
    })
}

/// The old table says by flags of parted what the type code says now.
fn type_code(partition: &Decoder<'_>) -> Decoded<Option<String>> {
    if let Some(code) = partition.read_at(&["type"], Decoder::text)? {
        return Ok(Some(code));
    }
    let flags = partition.read_at(&["flags"], Decoder::texts)?.unwrap_or_default();
    let has = |flag: &str| flags.iter().any(|known| known == flag);
    Ok(if has("bios_grub") {
        Some("EF02".to_owned())
    } else if has("esp") || has("boot") || flag(partition, "bootable")? {
        Some("EF00".to_owned())
    } else {
        None
    })
}

fn btrfs(btrfs: &Decoder<'_>) -> Decoded<Content> {
    let subvolume = |attribute: &str, subvolume: &Decoder<'_>| {
        let name = subvolume.read_at(&["name"], Decoder::text)?;
        Ok(Subvolume {
            name: name.unwrap_or_else(|| attribute.to_owned()),
            mountpoint: subvolume.read_at(&["mountpoint"], Decoder::text)?,
            mount_options: mount_options(subvolume)?,
            swapfiles: each(subvolume, "swap", swapfile)?,
        })
    };
    Ok(Content::Btrfs(Btrfs {
        mountpoint: btrfs.read_at(&["mountpoint"], Decoder::text)?,
        mount_options: mount_options(btrfs)?,
        subvolumes: each(btrfs, "subvolumes", subvolume)?,
        swapfiles: each(btrfs, "swap", swapfile)?,
    }))
}

fn swapfile(name: &str, swapfile: &Decoder<'_>) -> Decoded<Swapfile> {
    Ok(Swapfile {
        name: name.to_owned(),
        size: swapfile.require("size", "a size (a string or a whole number)")?.size()?,
        path: swapfile.read_at(&["path"], Decoder::text)?.unwrap_or_else(|| name.to_owned()),
    })
}

fn mount_options(parent: &Decoder<'_>) -> Decoded<Vec<String>> {
    Ok(parent.read_at(&["mountOptions"], Decoder::texts)?.unwrap_or_default())
}

fn flag(parent: &Decoder<'_>, attribute: &str) -> Decoded<bool> {
    Ok(parent.read_at(&[attribute], Decoder::bool)?.unwrap_or(false))
}
