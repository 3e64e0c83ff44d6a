//! The size of an .xz file unpacked, and whether it is whole, from the indexes at the ends of its streams
//! (The .xz File Format, version 1.2.0): nothing is unpacked for it.

use std::fs::File;

use super::{Flaw, read_up_to};

/// Stream header and footer.
const EDGE: u64 = 12;
/// No index of an image is larger: it has a few bytes for each block.
const LARGEST_INDEX: u64 = 64 << 20;

/// The sum over all streams.
pub(super) fn unpacked_size(file: &File) -> Result<u64, Flaw> {
    let mut end = file.metadata()?.len();
    let mut sum = 0_u64;
    while end > 0 {
        // Section 2.2: streams may be padded with zeros, four at a time.
        let padding: [u8; 4] = bytes(file, end.checked_sub(4).ok_or_else(early)?)?;
        if padding == [0; 4] {
            end -= 4;
            continue;
        }
        let (size, start) = stream(file, end)?;
        sum = sum.checked_add(size).ok_or_else(damaged)?;
        end = start;
    }
    Ok(sum)
}

/// The unpacked size of the stream that ends at `end`, and where it starts.
fn stream(file: &File, end: u64) -> Result<(u64, u64), Flaw> {
    let footer_at = end.checked_sub(EDGE).ok_or_else(early)?;
    let footer: [u8; 12] = bytes(file, footer_at)?;
    let [_, _, _, _, a, b, c, d, _, _, b'Y', b'Z'] = footer else { return Err(early()) };
    let length = (u64::from(u32::from_le_bytes([a, b, c, d])) + 1) * 4;
    let index_at = footer_at.checked_sub(length).ok_or_else(damaged)?;
    if length > LARGEST_INDEX {
        return Err(damaged());
    }
    let mut index = vec![0; usize::try_from(length).map_err(|_| damaged())?];
    if read_up_to(file, &mut index, index_at)? < index.len() {
        return Err(early());
    }
    let (packed, size) = totals(&index).ok_or_else(damaged)?;
    let start = index_at.checked_sub(packed).and_then(|at| at.checked_sub(EDGE));
    let start = start.ok_or_else(early)?;
    let header: [u8; 6] = bytes(file, start)?;
    if header != [0xfd, b'7', b'z', b'X', b'Z', 0] {
        return Err(damaged());
    }
    Ok((size, start))
}

/// Bytes of all blocks, packed and unpacked. Section 4.
fn totals(index: &[u8]) -> Option<(u64, u64)> {
    let (indicator, mut rest) = index.split_first()?;
    if *indicator != 0 {
        return None;
    }
    let records = number(&mut rest)?;
    let (mut packed, mut size) = (0_u64, 0_u64);
    for _ in 0..records {
        let unpadded = number(&mut rest)?;
        packed = packed.checked_add(unpadded.checked_next_multiple_of(4)?)?;
        size = size.checked_add(number(&mut rest)?)?;
    }
    Some((packed, size))
}

/// Section 1.2: seven bits a byte, the lowest first.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..63).step_by(7) {
        let (byte, more) = rest.split_first()?;
        *rest = more;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn bytes<const N: usize>(file: &File, at: u64) -> Result<[u8; N], Flaw> {
    let mut bytes = [0; N];
    if read_up_to(file, &mut bytes, at)? < N { Err(early()) } else { Ok(bytes) }
}

fn early() -> Flaw {
    Flaw::Truncated("its packed data ends too early".into())
}

fn damaged() -> Flaw {
    Flaw::NoImage("its packed data is damaged".into())
}
