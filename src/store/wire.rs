//! Numbers and strings as Nix puts them on the wire: in archives (NAR) and in the daemon's protocol. A number
//! has eight bytes, the lowest first; a string has its length before it and zeros behind it, up to the next
//! multiple of eight.

use std::io::{self, Read};

/// Appends a number.
pub(super) fn push_number(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&number.to_le_bytes());
}

/// Appends a string.
pub(super) fn push_string(text: &[u8], out: &mut Vec<u8>) {
    push_number(text.len() as u64, out);
    out.extend_from_slice(text);
    pad(text.len() as u64, out);
}

/// Appends the zeros that follow `written` bytes.
pub(super) fn pad(written: u64, out: &mut Vec<u8>) {
    for _ in written..written.next_multiple_of(8) {
        out.push(0);
    }
}

/// Reads a number.
pub(super) fn read_number(input: &mut impl Read) -> io::Result<u64> {
    let mut bytes = [0; 8];
    input.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}
