//! Eight bytes at a time: how far a name, blanks or plain text go, without a branch for each byte.
//!
//! A word holds bytes `at..at + 8` of a text, the first of them lowest, with zeros past the end. A
//! *lane* is one byte of it; a test answers with the top bit of the lanes.

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;

/// The eight bytes at `at`; zeros past the end.
#[inline]
pub(super) fn word(text: &[u8], at: usize) -> u64 {
    match text.get(at..).and_then(<[u8]>::first_chunk) {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => last_word(text, at),
    }
}

#[cold]
fn last_word(text: &[u8], at: usize) -> u64 {
    let rest = text.get(at..).unwrap_or_default();
    rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// The first `len` ≤ 8 bytes of a word.
#[inline]
pub(super) fn low_bytes(word: u64, len: usize) -> u64 {
    if len >= 8 { word } else { word & ((1 << (len * 8)) - 1) }
}

/// The lanes that equal `byte`, of which only the first is certain.
#[inline]
fn equal(word: u64, byte: u8) -> u64 {
    let different = word ^ (ONES * u64::from(byte));
    different.wrapping_sub(ONES) & !different & TOPS
}

/// The lanes from `from` to `to`, both below 128; only for lanes below 128.
#[inline]
fn between(word: u64, from: u8, to: u8) -> u64 {
    let at_least = word.wrapping_add(ONES * u64::from(0x80 - from));
    let above = word.wrapping_add(ONES * u64::from(0x7f - to));
    at_least & !above
}

/// How many lanes stand before the first of `lanes`.
#[inline]
fn before(lanes: u64) -> usize {
    lanes.trailing_zeros() as usize / 8
}

/// How many bytes at the start of a word may be part of a name: letters, digits, `_`, `'`, `-`.
#[inline]
pub(super) fn name_bytes(word: u64) -> usize {
    let low = word & !TOPS;
    let letters = between(low | (ONES * 0x20), b'a', b'z');
    let digits = between(low, b'0', b'9');
    let one = |byte| TOPS.wrapping_sub(low ^ (ONES * byte));
    let marks = one(u64::from(b'_')) | one(u64::from(b'-')) | one(u64::from(b'\''));
    before(!(letters | digits | marks) & TOPS | word & TOPS)
}

/// Where the run of spaces and line feeds that begins at `at` ends.
#[inline]
pub(super) fn blanks(text: &[u8], mut at: usize) -> usize {
    loop {
        let word = word(text, at);
        // Exact in every lane, since here the first lane that does *not* match counts.
        let zero = |lanes: u64| !(((lanes & !TOPS) + !TOPS) | lanes | !TOPS);
        let blank = zero(word ^ (ONES * 0x20)) | zero(word ^ (ONES * 0x0a));
        let length = before(!blank & TOPS);
        at += length;
        if length < 8 {
            return at;
        }
    }
}

/// Where the next `"`, `\`, `$`, CR or NUL is; the end of the text if there is none.
#[inline]
pub(super) fn string_mark(text: &[u8], mut at: usize) -> usize {
    while at < text.len() {
        let word = word(text, at);
        let marks = equal(word, b'"')
            | equal(word, b'\\')
            | equal(word, b'$')
            | equal(word, b'\r')
            | equal(word, 0);
        if marks != 0 {
            return text.len().min(at + before(marks));
        }
        at += 8;
    }
    text.len()
}

/// Where the next `'`, `$` or NUL is; the end of the text if there is none.
#[inline]
pub(super) fn indented_mark(text: &[u8], mut at: usize) -> usize {
    while at < text.len() {
        let word = word(text, at);
        let marks = equal(word, b'\'') | equal(word, b'$') | equal(word, 0);
        if marks != 0 {
            return text.len().min(at + before(marks));
        }
        at += 8;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each function must find, byte by byte.
    fn first(text: &[u8], at: usize, stops: impl Fn(u8) -> bool) -> usize {
        text[at..].iter().position(|byte| stops(*byte)).map_or(text.len(), |length| at + length)
    }

    #[test]
    fn every_byte_in_every_lane_is_told_right() {
        for byte in 0..=u8::MAX {
            for lane in 0..11 {
                for filler in [b'a', b'Z', b'_', 0x80] {
                    let mut text = [filler; 11];
                    text[lane] = byte;
                    let mark = |b| matches!(b, b'"' | b'\\' | b'$' | b'\r' | 0);
                    assert_eq!(string_mark(&text, 0), first(&text, 0, mark));
                    let mark = |b| matches!(b, b'\'' | b'$' | 0);
                    assert_eq!(indented_mark(&text, 1), first(&text, 1, mark));
                    let name = |b: u8| b.is_ascii_alphanumeric() || b"_'-".contains(&b);
                    let length = first(&text[..8], 0, |b| !name(b));
                    assert_eq!(name_bytes(word(&text, 0)), length, "{text:?}");
                }
                for filler in *b" \n" {
                    let mut text = [filler; 11];
                    text[lane] = byte;
                    assert_eq!(blanks(&text, 0), first(&text, 0, |b| !b" \n".contains(&b)));
                }
            }
        }
    }

    #[test]
    fn words_end_with_zeros() {
        assert_eq!(word(b"ab", 0), 0x6261);
        assert_eq!(word(b"ab", 2), 0);
        assert_eq!(word(b"ab", 9), 0);
        assert_eq!(word(b"123456789", 1), u64::from_le_bytes(*b"23456789"));
        assert_eq!(low_bytes(0x0102_0304, 2), 0x0304);
        assert_eq!(low_bytes(u64::MAX, 8), u64::MAX);
    }
}
