//! Disks as pictures: the layout that is to come, and what is there now.

use super::bar::{self, Piece};
use super::text::{Ink, Kind, Line, Style, hanging, human, short};
use super::tree::{self, Node};
use crate::facts::{Content, Disk, Disko, Partition, Swapfile};
use crate::install::layout::asked_size;
use crate::install::plan::{Plan, PlannedDisk, PlannedPart, Stacked};
use crate::install::size::shown;
use crate::remote::{LiveDisk, LiveNode};

/// From this width on the two pictures of a disk stand side by side.
const WIDE: usize = 100;
/// Columns between them.
const GAP: usize = 4;

/// What becomes of the disks' content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It will be erased.
    Erased,
    /// It would be, if the plan were not refused.
    Refused,
    /// An interrupted run has made the layout already.
    Made,
    /// It stays.
    Kept,
}

/// The block of one disk.
pub(super) fn disk(disk: &PlannedDisk, fate: Fate, style: Style) -> Vec<Line> {
    let mut lines = title(disk, style);
    let Some(live) = &disk.live else {
        lines.push(Line::new().with("  the machine has no such disk; not to scale", Ink::Alarm));
        lines.extend(indented(planned(disk, style.columns() - 2, style)));
        return lines;
    };
    let warning = match fate {
        Fate::Erased => ("EVERYTHING ON IT WILL BE ERASED", Ink::Alarm),
        Fate::Refused => ("this plan would erase everything on it", Ink::Red),
        Fate::Made => ("formatted by the interrupted run", Ink::Dim),
        Fate::Kept => ("not formatted in this run", Ink::Dim),
    };
    lines.extend(hanging(
        &Line::new().with("  ", Ink::Plain),
        &about(live),
        Ink::Plain,
        style.columns(),
    ));
    lines.push(Line::new().with("  ", Ink::Plain).with(warning.0, warning.1));
    let columns = style.columns() - 2;
    if columns + 2 < WIDE {
        lines.extend(indented(panel("new layout", planned(disk, columns, style))));
        lines.extend(indented(panel("on it now", current(live, columns, style))));
        return lines;
    }
    let half = (columns - GAP) / 2;
    let left = panel("new layout", planned(disk, half, style));
    let right = panel("on it now", current(live, half, style));
    lines.extend(indented(beside(left, right, half)));
    lines
}

fn title(disk: &PlannedDisk, style: Style) -> Vec<Line> {
    let link = disk.live.as_ref().filter(|live| live.path != disk.device.as_str());
    let link = link.map(|live| format!(" = {}", live.path)).unwrap_or_default();
    let heading = Line::new().with(&disk.name, Ink::Bold).with("  ", Ink::Plain);
    hanging(&heading, &format!("{}{link}", disk.device), Ink::Bold, style.columns())
}

/// What a disk is, in words.
pub(super) fn about(live: &LiveDisk) -> String {
    let mut words = vec![human(live.size)];
    words.extend(live.model.clone());
    words.extend(live.serial.as_ref().map(|serial| format!("serial {serial}")));
    words.extend(live.transport.clone());
    let flags = [
        (live.removable, "removable"),
        (live.read_only, "write-protected"),
        (live.boot_medium, "holds the running system"),
    ];
    words.extend(flags.into_iter().filter(|(is, _)| *is).map(|(_, word)| word.to_owned()));
    words.join(", ")
}

fn panel(heading: &str, picture: Vec<Line>) -> Vec<Line> {
    let mut lines = vec![Line::new().with(heading, Ink::Dim)];
    lines.extend(picture);
    lines
}

pub(super) fn indented(lines: Vec<Line>) -> impl Iterator<Item = Line> {
    lines.into_iter().map(|line| Line::new().with("  ", Ink::Plain).join(line))
}

fn beside(left: Vec<Line>, right: Vec<Line>, half: usize) -> Vec<Line> {
    let count = left.len().max(right.len());
    let mut right = right.into_iter();
    let mut left = left.into_iter();
    let rows = (0..count).map(|_| {
        let one = left.next().unwrap_or_default().pad(half + GAP);
        one.join(right.next().unwrap_or_default())
    });
    rows.collect()
}

fn planned(disk: &PlannedDisk, columns: usize, style: Style) -> Vec<Line> {
    let size = disk.live.as_ref().map(|live| live.size);
    let (pieces, nodes) = match &disk.whole {
        Some(content) => {
            let node = content_node(&disk.name, &size.map(human).unwrap_or_default(), content);
            let (name, size) = (node.words.clone(), short(&node.size));
            (vec![Piece { name, size, weight: 1, kind: node.kind }], vec![node])
        }
        None => (planned_pieces(&disk.layout, size), disk.layout.iter().map(part_node).collect()),
    };
    let mut lines = bar::draw(&pieces, columns, style);
    lines.extend(tree::draw(&nodes, columns, style));
    lines
}

fn planned_pieces(parts: &[PlannedPart], size: Option<u64>) -> Vec<Piece> {
    let placed: Option<Vec<(u64, u64)>> =
        parts.iter().map(|part| Some((part.start?, part.size?))).collect();
    let piece = |part: &PlannedPart, weight| Piece {
        name: part.name.clone(),
        size: short(&part_size(part)),
        weight,
        kind: kind(part.content.as_ref()),
    };
    let (Some(placed), Some(size)) = (placed, size) else {
        // Whatever takes the rest is taken to be much larger than all others.
        let known: u64 = parts.iter().filter_map(|part| part.size).sum();
        let rest = known.saturating_mul(4).max(1);
        return parts.iter().map(|part| piece(part, part.size.unwrap_or(rest))).collect();
    };
    let mut extents: Vec<(u64, u64, Piece)> = parts
        .iter()
        .zip(placed)
        .map(|(part, (start, length))| (start, length, piece(part, length)))
        .collect();
    extents.sort_by_key(|(start, ..)| *start);
    with_gaps(extents, size)
}

/// The pieces in order, with the free space between them where it can be seen.
fn with_gaps(extents: Vec<(u64, u64, Piece)>, size: u64) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut end = 0;
    let gap = |from: u64, to: u64| {
        let free = to.saturating_sub(from);
        (free > size / 100).then(|| Piece {
            name: "free".to_owned(),
            size: short(&human(free)),
            weight: free,
            kind: Kind::Free,
        })
    };
    for (start, length, piece) in extents {
        pieces.extend(gap(end, start));
        pieces.push(piece);
        end = end.max(start.saturating_add(length));
    }
    pieces.extend(gap(end, size));
    pieces
}

fn part_size(part: &PlannedPart) -> String {
    part.size.map_or_else(
        || if part.asked == "100%" { "the rest".to_owned() } else { shown(&part.asked) },
        human,
    )
}

fn part_node(part: &PlannedPart) -> Node {
    match &part.content {
        Some(content) => content_node(&part.name, &part_size(part), content),
        None => Node {
            name: part.name.clone(),
            size: part_size(part),
            words: "without content".to_owned(),
            kind: Kind::Other,
            children: Vec::new(),
        },
    }
}

fn content_node(name: &str, size: &str, content: &Content) -> Node {
    Node {
        name: name.to_owned(),
        size: size.to_owned(),
        words: words(content),
        kind: kind(Some(content)),
        children: inside(content),
    }
}

fn words(content: &Content) -> String {
    match content {
        Content::Gpt { .. } => "GPT".to_owned(),
        Content::Filesystem(fs) => with_mount(&fs.format, fs.mountpoint.as_deref()),
        Content::Btrfs(btrfs) => with_mount("btrfs", btrfs.mountpoint.as_deref()),
        Content::Luks { name, .. } => format!("LUKS, opened as {name}"),
        Content::LvmPv { vg } => format!("LVM, part of {vg}"),
        Content::Mdraid { name } => format!("RAID, part of {name}"),
        Content::Zfs { pool } => format!("ZFS, part of {pool}"),
        Content::Swap { random_encryption, resume_device, .. } => {
            let random = if *random_encryption { ", a new key at each boot" } else { "" };
            let resume = if *resume_device { ", for hibernation" } else { "" };
            format!("swap{random}{resume}")
        }
        Content::Other { kind } => format!("{kind} (not known to this version)"),
    }
}

fn with_mount(what: &str, mount: Option<&str>) -> String {
    mount.map_or_else(|| what.to_owned(), |mount| format!("{what}  {mount}"))
}

fn inside(content: &Content) -> Vec<Node> {
    match content {
        Content::Gpt { partitions } => partitions
            .iter()
            .map(|part| {
                let size = asked(part);
                match &part.content {
                    Some(content) => content_node(&part.name, &size, content),
                    None => Node { size, ..plain(&part.name, "without content", Kind::Other) },
                }
            })
            .collect(),
        Content::Btrfs(btrfs) => {
            let files = btrfs.swapfiles.iter().map(swapfile);
            let volumes = btrfs.subvolumes.iter().map(|volume| Node {
                children: volume.swapfiles.iter().map(swapfile).collect(),
                ..plain(&volume.name, volume.mountpoint.as_deref().unwrap_or_default(), Kind::Files)
            });
            files.chain(volumes).collect()
        }
        Content::Luks { name, content: Some(inner) } => vec![content_node(name, "", inner)],
        _ => Vec::new(),
    }
}

/// The size of a partition as configured.
fn asked(part: &Partition) -> String {
    match asked_size(part).as_str() {
        "100%" => "the rest".to_owned(),
        text => shown(text),
    }
}

fn plain(name: &str, words: &str, kind: Kind) -> Node {
    Node {
        name: name.to_owned(),
        size: String::new(),
        words: words.to_owned(),
        kind,
        children: Vec::new(),
    }
}

fn swapfile(file: &Swapfile) -> Node {
    let size = shown(&file.size);
    Node { size, ..plain(&file.path, "swapfile", Kind::Swap) }
}

fn kind(content: Option<&Content>) -> Kind {
    match content {
        Some(Content::Filesystem(fs)) if fs.format == "vfat" => Kind::Boot,
        Some(Content::Filesystem(_) | Content::Btrfs(_)) => Kind::Files,
        Some(Content::Luks { .. }) => Kind::Secret,
        Some(Content::Swap { .. }) => Kind::Swap,
        Some(Content::LvmPv { .. } | Content::Mdraid { .. } | Content::Zfs { .. }) => Kind::Member,
        Some(Content::Gpt { .. } | Content::Other { .. }) | None => Kind::Other,
    }
}

/// A disk as it is configured, without a machine.
pub(super) fn configured(disk: &Disk) -> Node {
    match &disk.content {
        Some(content) => {
            let node = content_node(&disk.name, "", content);
            Node { words: format!("{}  {}", disk.device, node.words), ..node }
        }
        None => plain(&disk.name, &format!("{}  left alone", disk.device), Kind::Other),
    }
}

/// Like [`stacked`], as configured.
pub(super) fn stacked_of(disko: &Disko, style: Style) -> Vec<Line> {
    let groups = Stacked {
        volume_groups: disko.volume_groups.clone(),
        raids: disko.raids.clone(),
        pools: disko.pools.clone(),
        nodev: disko.nodev.clone(),
    };
    stacked(&groups, style)
}

/// Volume groups, arrays, pools and mounts without a device.
pub(super) fn stacked(stacked: &Stacked, style: Style) -> Vec<Line> {
    let mut nodes = Vec::new();
    for group in &stacked.volume_groups {
        let volumes = group.volumes.iter().map(|volume| {
            let size = shown(volume.size.as_deref().unwrap_or_default());
            match &volume.content {
                Some(content) => content_node(&volume.name, &size, content),
                None => Node { size, ..plain(&volume.name, "without content", Kind::Other) },
            }
        });
        let children = volumes.collect();
        nodes.push(Node { children, ..plain(&group.name, "LVM volume group", Kind::Member) });
    }
    for raid in &stacked.raids {
        let words = format!("RAID of level {}", raid.level);
        let children = raid.content.iter().map(|content| content_node("on it", "", content));
        nodes
            .push(Node { children: children.collect(), ..plain(&raid.name, &words, Kind::Member) });
    }
    for pool in &stacked.pools {
        let mode = if pool.mode.is_empty() { "" } else { ", " };
        let children = pool.datasets.iter().map(|dataset| Node {
            size: shown(dataset.size.as_deref().unwrap_or_default()),
            ..plain(&dataset.name, dataset.mountpoint.as_deref().unwrap_or_default(), Kind::Files)
        });
        let words = format!("ZFS pool{mode}{}", pool.mode);
        nodes
            .push(Node { children: children.collect(), ..plain(&pool.name, &words, Kind::Member) });
    }
    for mount in &stacked.nodev {
        nodes.push(plain(
            &mount.mountpoint,
            &format!("{}, without a disk", mount.fs_type),
            Kind::Other,
        ));
    }
    if nodes.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Line::new().with("on top of the disks", Ink::Bold)];
    lines.extend(indented(tree::draw(&nodes, style.columns() - 2, style)));
    lines
}

/// What is on a disk now, as a picture.
pub(super) fn current(live: &LiveDisk, columns: usize, style: Style) -> Vec<Line> {
    let mut lines = bar::draw(&live_pieces(live), columns, style);
    let nodes: Vec<Node> = live.children.iter().map(live_node).collect();
    lines.extend(tree::draw(&nodes, columns, style));
    let places = &live.mountpoints;
    if !places.is_empty() {
        let words = format!("the disk itself is in use: {}", places.join(", "));
        lines.extend(hanging(&Line::new(), &words, Ink::Red, columns));
    }
    lines
}

fn live_pieces(live: &LiveDisk) -> Vec<Piece> {
    if live.children.is_empty() {
        let name = match (&live.fs_type, &live.table) {
            (Some(fs), _) => fs.clone(),
            (None, Some(table)) => format!("{table} without partitions"),
            (None, None) => "empty".to_owned(),
        };
        let kind = live.fs_type.as_deref().map_or(Kind::Free, live_kind);
        return vec![Piece { name, size: short(&human(live.size)), weight: 1, kind }];
    }
    let mut end = 0;
    let mut extents = Vec::new();
    for node in &live.children {
        let start = node.start.unwrap_or(end);
        end = start.saturating_add(node.size);
        let kind = node.fs_type.as_deref().map_or(Kind::Other, live_kind);
        let piece = Piece {
            name: node.name.clone(),
            size: short(&human(node.size)),
            weight: node.size,
            kind,
        };
        extents.push((start, node.size, piece));
    }
    extents.sort_by_key(|(start, ..)| *start);
    with_gaps(extents, live.size)
}

fn live_node(node: &LiveNode) -> Node {
    let mut words = Vec::new();
    if node.kind != "part" {
        words.push(node.kind.clone());
    }
    words.extend(node.fs_type.clone());
    words.extend(node.label.as_ref().map(|label| format!("\"{label}\"")));
    let other = node.part_label.as_ref().filter(|label| Some(*label) != node.label.as_ref());
    words.extend(other.map(|label| format!("({label})")));
    let swap = |place: &&String| place.as_str() == "[SWAP]";
    let mounts: Vec<&str> =
        node.mountpoints.iter().filter(|place| !swap(place)).map(String::as_str).collect();
    if !mounts.is_empty() {
        words.push(format!("mounted at {}", mounts.join(", ")));
    }
    if mounts.len() < node.mountpoints.len() {
        words.push("active swap".to_owned());
    }
    if words.is_empty() {
        words.push("nothing known on it".to_owned());
    }
    Node {
        name: node.name.clone(),
        size: human(node.size),
        words: words.join(" "),
        kind: node.fs_type.as_deref().map_or(Kind::Other, live_kind),
        children: node.children.iter().map(live_node).collect(),
    }
}

/// The kinds of signatures as blkid names them.
fn live_kind(fs_type: &str) -> Kind {
    match fs_type {
        "vfat" => Kind::Boot,
        "crypto_LUKS" | "BitLocker" => Kind::Secret,
        "swap" => Kind::Swap,
        "LVM2_member" | "linux_raid_member" | "zfs_member" => Kind::Member,
        _ => Kind::Files,
    }
}

/// The disks that stay as they are, one line each.
pub(super) fn untouched(plan: &Plan, style: Style) -> Vec<Line> {
    let lines = plan.untouched.iter().flat_map(|live| {
        let heading = Line::new().with("  ", Ink::Plain).with(&live.path, Ink::Bold);
        hanging(&heading.with("  ", Ink::Plain), &about(live), Ink::Plain, style.columns())
    });
    lines.collect()
}
