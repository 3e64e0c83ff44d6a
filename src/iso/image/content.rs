//! What an image is, and whether its file holds all of it, from its first blocks.

use serde::Serialize;

use super::Flaw;
use crate::install::size::human;
use crate::remote::display::printable;

/// What an image is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Content {
    /// ISO 9660.
    Iso {
        /// Its volume's name.
        label: String,
        /// Has it a partition table as well? Without one, hardly any machine starts from a stick with it.
        hybrid: bool,
    },
    /// A disk image with a GUID partition table.
    Gpt,
    /// A disk image with a boot sector.
    Mbr,
}

/// Unit of partition tables.
const SECTOR: u64 = 512;
/// Where the primary volume descriptor is (ECMA-119, 6.2.1 and 8.4).
const DESCRIPTOR: usize = 16 * 2048;

/// Looks at the first bytes of an image of `size` bytes.
pub(super) fn of(head: &[u8], size: u64) -> Result<Content, Flaw> {
    let signature = bytes::<2>(head, 510) == Some([0x55, 0xaa]);
    if let Some((label, volume)) = iso(head) {
        whole("its volume", volume, size)?;
        return Ok(Content::Iso { label, hybrid: signature });
    }
    if bytes::<8>(head, 512) == Some(*b"EFI PART") {
        // UEFI Specification, 5.3.2: the other copy of the table is in the last sector.
        let last = bytes(head, 512 + 32).map(u64::from_le_bytes).unwrap_or_default();
        let disk = last.saturating_add(1).saturating_mul(SECTOR);
        whole("its partition table", disk, size)?;
        return Ok(Content::Gpt);
    }
    if signature {
        if let Some(end) = last_partition(head) {
            whole("its last partition", end, size)?;
        }
        return Ok(Content::Mbr);
    }
    if size < DESCRIPTOR as u64 + 2048 {
        return Err(Flaw::NoImage(format!("it has only {}", human(size))));
    }
    Err(Flaw::NoImage("it has neither an ISO 9660 volume nor a partition table".into()))
}

/// Name and size of the volume.
fn iso(head: &[u8]) -> Option<(String, u64)> {
    let volume = head.get(DESCRIPTOR..DESCRIPTOR + 2048)?;
    // A primary descriptor, version 1.
    if volume.get(..7)? != b"\x01CD001\x01" {
        return None;
    }
    let label = printable(&String::from_utf8_lossy(volume.get(40..72)?));
    let blocks = u32::from_le_bytes(bytes(volume, 80)?);
    let block = u16::from_le_bytes(bytes(volume, 128)?);
    Some((label, u64::from(blocks) * u64::from(block)))
}

/// Where the last partition of a master boot record ends; nothing where there is boot code in its place.
fn last_partition(head: &[u8]) -> Option<u64> {
    let fat = head.get(54..57) == Some(b"FAT") || head.get(82..85) == Some(b"FAT");
    let table = head.get(446..510)?;
    let active = |entry: &[u8]| matches!(entry.first(), Some(0 | 0x80));
    if fat || !table.chunks(16).all(active) {
        return None;
    }
    let ends = table.chunks(16).filter_map(|entry| {
        let kind = *entry.get(4)?;
        let start = u32::from_le_bytes(bytes(entry, 8)?);
        let count = u32::from_le_bytes(bytes(entry, 12)?);
        (kind != 0).then(|| (u64::from(start) + u64::from(count)) * SECTOR)
    });
    ends.max()
}

fn whole(what: &str, needs: u64, has: u64) -> Result<(), Flaw> {
    if needs <= has {
        return Ok(());
    }
    Err(Flaw::Truncated(format!("{what} needs {needs} bytes, and there are {has}")))
}

fn bytes<const N: usize>(data: &[u8], at: usize) -> Option<[u8; N]> {
    data.get(at..at.checked_add(N)?)?.try_into().ok()
}
