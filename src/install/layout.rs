//! Where disko's partitions will be on a disk, in bytes: the arithmetic of `sgdisk`, without a disk.
//! Also the sizes of what is inside them. Pure.
//!
//! disko makes a partition by `sgdisk --align-end --new=N:START:END`. By `sgdisk(8)`: a start of 0
//! is the start of the largest free block, an end of 0 is its end, `+` counts from the start and
//! `-` from the end of that block; starts and default ends are aligned.

use super::plan::PlannedPart;
use super::size::{LARGEST, bytes};
use crate::facts::{Content, Partition};

/// Bytes in a sector, as sgdisk counts on all but 4096-byte-only disks.
const SECTOR: u64 = 512;
/// Sectors to which partitions are aligned: 1 MiB.
const ALIGN: u64 = 2048;
/// Sectors of the partition table at the start (with the protective MBR), and at the end less one.
const TABLE: u64 = 34;
/// What cryptsetup takes off a LUKS2 device for its header by default: 16 MiB.
pub(super) const LUKS_HEADER: u64 = 16 << 20;

/// The partitions of one disk, laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    /// The partitions in the order in which they are made.
    pub(super) parts: Vec<PlannedPart>,
    /// Bytes that the disk must have at least.
    pub(super) needs: u64,
    /// What cannot be.
    pub(super) problems: Vec<Problem>,
}

/// Why a layout cannot be made on any disk, or not on this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// A size that sgdisk does not understand.
    BadSize {
        /// The partition's name.
        partition: String,
        /// `size`, `start` or `end`.
        field: &'static str,
        /// The text.
        text: String,
        /// What is wrong with it, as a clause.
        why: &'static str,
    },
    /// The disk is smaller than [`Layout::needs`].
    TooSmall,
    /// A partition that has no place between the others, though the disk is large enough.
    NoPlace {
        /// The partition's name.
        partition: String,
    },
}

/// Lays `partitions` out on a disk of `size` bytes, or on one whose size is not known.
pub(super) fn lay_out(partitions: &[Partition], size: Option<u64>) -> Layout {
    let mut problems = Vec::new();
    let mut order: Vec<&Partition> = partitions.iter().collect();
    order.sort_by_key(|partition| priority(partition));
    let asked: Vec<Span> =
        order.iter().map(|partition| span(partition, &mut problems).unwrap_or_default()).collect();
    let needs = needs(&asked);
    let placed = size.filter(|_| problems.is_empty()).and_then(|size| {
        place(&asked, size / SECTOR)
            .map_err(|index| {
                problems.push(match needs {
                    Some(needs) if size < needs => Problem::TooSmall,
                    _ => Problem::NoPlace { partition: order[index].name.clone() },
                });
            })
            .ok()
    });
    let parts = order
        .iter()
        .enumerate()
        .map(|(index, partition)| PlannedPart {
            name: partition.name.clone(),
            start: placed.as_ref().map(|placed| placed[index].first * SECTOR),
            size: match &placed {
                Some(placed) => Some(placed[index].len() * SECTOR),
                None => asked[index].fixed(),
            },
            asked: asked_size(partition),
            content: partition.content.clone(),
        })
        .collect();
    Layout { parts, needs: needs.unwrap_or_else(|| floor(&asked)), problems }
}

/// disko's default priorities: whatever takes the rest is made last.
fn priority(partition: &Partition) -> i64 {
    let rest = partition.size.as_deref() == Some("100%");
    partition.priority.unwrap_or(if rest { 9001 } else { 1000 })
}

/// Where a partition shall start and end, in sectors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Span {
    start: Place,
    end: Place,
}

/// One bound of a partition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    /// The start or the end of the largest free block.
    #[default]
    Default,
    /// This sector.
    At(u64),
    /// This many sectors after the start.
    Plus(u64),
    /// This many sectors before the end of the largest free block.
    Minus(u64),
}

impl Span {
    /// Bytes, where they do not depend on the disk.
    fn fixed(&self) -> Option<u64> {
        match (self.start, self.end) {
            (_, Place::Plus(sectors)) => Some(sectors * SECTOR),
            (Place::At(start), Place::At(end)) => Some(end.saturating_sub(start) * SECTOR),
            _ => None,
        }
    }
}

/// The bounds of `partition`: disko's `end` wins over `size`, which is an end with a plus.
fn span(partition: &Partition, problems: &mut Vec<Problem>) -> Option<Span> {
    let mut read = |field: &'static str, text: Option<&str>| match place_of(text.unwrap_or("0")) {
        Ok(place) => Some(place),
        Err(why) => {
            let (partition, text) = (partition.name.clone(), text.unwrap_or_default().to_owned());
            problems.push(Problem::BadSize { partition, field, text, why });
            None
        }
    };
    let start = read("start", partition.start.as_deref())?;
    let end = match &partition.end {
        Some(end) => read("end", Some(end))?,
        None => match read("size", partition.size.as_deref())? {
            Place::At(sectors) => Place::Plus(sectors),
            other => other,
        },
    };
    Some(Span { start, end })
}

/// Reads a bound such as `0`, `1M`, `+512MiB`, `-8G`, `100%`.
fn place_of(text: &str) -> Result<Place, &'static str> {
    let text = text.trim();
    if text == "100%" {
        return Ok(Place::Default);
    }
    if text.ends_with('%') {
        return Err("of percentages, only 100% is known");
    }
    let (sign, amount) = match text.chars().next() {
        Some(sign @ ('+' | '-')) => (Some(sign), &text[1..]),
        _ => (None, text),
    };
    // sgdisk takes a number without a unit as sectors.
    let bare = amount.bytes().all(|byte| byte.is_ascii_digit());
    let sectors = if bare { bytes(amount)? } else { bytes(amount)?.div_ceil(SECTOR) };
    if sectors > LARGEST / SECTOR {
        return Err("it is too large");
    }
    Ok(match sign {
        _ if sectors == 0 => Place::Default,
        Some('+') => Place::Plus(sectors),
        Some(_) => Place::Minus(sectors),
        None => Place::At(sectors),
    })
}

/// The size as configured, for people.
pub(crate) fn asked_size(partition: &Partition) -> String {
    let rest = |text: &str| matches!(text, "100%" | "0" | "-0" | "+0" | "");
    let start = partition.start.as_deref().filter(|start| !rest(start));
    let end = partition.end.as_deref().or(partition.size.as_deref()).unwrap_or("100%");
    let end = if rest(end) { "100%" } else { end };
    match start {
        Some(start) => format!("{start} to {end}"),
        None if end.starts_with('-') => format!("all but {}", &end[1..]),
        None => end.trim_start_matches('+').to_owned(),
    }
}

/// Sectors from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Extent {
    first: u64,
    last: u64,
}

impl Extent {
    fn len(self) -> u64 {
        self.last - self.first + 1
    }

    fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// Places every span on a disk of `total` sectors, or gives the index of the first that has none.
fn place(spans: &[Span], total: u64) -> Result<Vec<Extent>, usize> {
    let mut taken: Vec<Extent> = Vec::new();
    let usable = Extent { first: TABLE, last: total.checked_sub(TABLE).ok_or(0_usize)? };
    for (index, span) in spans.iter().enumerate() {
        let extent = place_one(*span, usable, &taken).ok_or(index)?;
        let inside = extent.first >= usable.first && extent.last <= usable.last;
        if !inside || taken.iter().any(|other| other.overlaps(extent)) {
            return Err(index);
        }
        taken.push(extent);
    }
    Ok(taken)
}

fn place_one(span: Span, usable: Extent, taken: &[Extent]) -> Option<Extent> {
    let block = largest_free(usable, taken)?;
    let start = match span.start {
        Place::Default => block.first,
        Place::At(sector) => sector.max(ALIGN),
        Place::Plus(sectors) => block.first + sectors,
        Place::Minus(sectors) => block.last.checked_sub(sectors)?,
    };
    let first = align_down(start);
    let last = match span.end {
        Place::Default => block.last,
        // The end is where the next one may begin.
        Place::At(sector) => sector.checked_sub(1)?,
        // Counted from the start as it was asked for.
        Place::Plus(sectors) => start + sectors - 1,
        Place::Minus(sectors) => block.last.checked_sub(sectors)?,
    };
    (last >= first).then_some(Extent { first, last })
}

/// The largest free block with an aligned start and end; the first of equal ones.
fn largest_free(usable: Extent, taken: &[Extent]) -> Option<Extent> {
    let mut sorted = taken.to_vec();
    sorted.sort_by_key(|extent| extent.first);
    let mut best: Option<Extent> = None;
    let mut from = usable.first;
    let ends = sorted.iter().map(|extent| (extent.first, extent.last + 1));
    for (until, next) in ends.chain([(usable.last + 1, usable.last + 1)]) {
        let (first, end) = (align_up(from), align_down(until));
        if first < end && best.is_none_or(|best| end - first > best.len()) {
            best = Some(Extent { first, last: end - 1 });
        }
        from = from.max(next);
    }
    best
}

fn align_up(sector: u64) -> u64 {
    sector.div_ceil(ALIGN) * ALIGN
}

fn align_down(sector: u64) -> u64 {
    sector / ALIGN * ALIGN
}

/// The smallest disk in bytes on which all spans have a place; `None` where there is none at all.
fn needs(spans: &[Span]) -> Option<u64> {
    if spans.is_empty() {
        return Some(2 * TABLE * SECTOR);
    }
    let (mut low, mut high) = (0, floor(spans) / SECTOR * 2 + (spans.len() as u64 + 2) * 2 * ALIGN);
    place(spans, high).ok()?;
    while low < high {
        let middle = low + (high - low) / 2;
        if place(spans, middle).is_ok() {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(high * SECTOR)
}

/// Bytes of everything that is asked for, without alignment.
fn floor(spans: &[Span]) -> u64 {
    let amount = |place: Place| match place {
        Place::Default => 0,
        Place::At(n) | Place::Plus(n) | Place::Minus(n) => n,
    };
    let sectors = spans
        .iter()
        .map(|span| amount(span.start).saturating_add(amount(span.end)))
        .fold(2 * TABLE, u64::saturating_add);
    sectors.min(LARGEST / SECTOR) * SECTOR
}

/// A swapfile and the room that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SwapfileRoom {
    /// Where it is, for people: `@swap/swapfile`.
    pub(super) place: String,
    /// Its size as configured.
    pub(super) asked: String,
    /// Its size in bytes; an error names what is wrong with the text.
    pub(super) size: Result<u64, &'static str>,
    /// Bytes of the file system that it is in, where known.
    pub(super) room: Option<u64>,
    /// Bytes of all swapfiles in that file system.
    pub(super) together: u64,
}

/// The swapfiles in `content`, which has `room` bytes.
pub(super) fn swapfiles(content: &Content, room: Option<u64>) -> Vec<SwapfileRoom> {
    match content {
        Content::Btrfs(btrfs) => {
            let top = btrfs.swapfiles.iter().map(|file| (String::new(), file));
            let below = btrfs.subvolumes.iter().flat_map(|volume| {
                volume.swapfiles.iter().map(|file| (format!("{}/", volume.name), file))
            });
            let files: Vec<_> = top.chain(below).collect();
            let together = files.iter().filter_map(|(_, file)| bytes(&file.size).ok()).sum();
            let found = files.into_iter().map(|(place, file)| SwapfileRoom {
                place: format!("{place}{}", file.path.trim_start_matches('/')),
                asked: file.size.clone(),
                size: bytes(&file.size),
                room,
                together,
            });
            found.collect()
        }
        Content::Luks { content: Some(inner), .. } => {
            swapfiles(inner, room.map(|room| room.saturating_sub(LUKS_HEADER)))
        }
        Content::Gpt { partitions } => lay_out(partitions, room)
            .parts
            .iter()
            .filter_map(|part| part.content.as_ref().map(|inner| swapfiles(inner, part.size)))
            .flatten()
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
