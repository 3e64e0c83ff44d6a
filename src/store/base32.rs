//! Nix' own base 32: least significant bits last, an alphabet without e, o, u and t.
//!
//! Nix manual, "Store Path", "Nix32".

use super::error::StoreError;

/// The 32 characters, by value. Their order is ASCII's.
pub const ALPHABET: &[u8; 32] = b"0123456789abcdfghijklmnpqrsvwxyz";

/// Marks a byte that is no digit.
const NO_DIGIT: u8 = 0xff;

const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 32_u8 {
        digits[ALPHABET[value as usize] as usize] = value;
        value += 1;
    }
    digits
};

/// Five bytes are eight characters.
const BYTES: usize = 5;
const CHARS: usize = 8;

/// How many characters `len` bytes take.
#[must_use]
pub const fn encoded_len(len: usize) -> usize {
    (len * 8).div_ceil(5)
}

/// The digit that a character stands for.
#[must_use]
pub fn digit(character: u8) -> Option<u8> {
    Some(DIGITS[usize::from(character)]).filter(|digit| *digit != NO_DIGIT)
}

/// Appends `bytes` in base 32.
pub fn encode_into(bytes: &[u8], out: &mut Vec<u8>) {
    // The text runs backwards: the last bytes' bits stand first.
    for chunk in bytes.chunks(BYTES).rev() {
        let value = chunk.iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        for place in (0..encoded_len(chunk.len())).rev() {
            out.push(ALPHABET[(value >> (5 * place) & 31) as usize]);
        }
    }
}

/// `bytes` in base 32.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(encoded_len(bytes.len()));
    encode_into(bytes, &mut text);
    text.into_iter().map(char::from).collect()
}

/// The bytes that a base 32 text stands for.
///
/// Bits beyond the last whole byte are dropped if they are zero and make one more byte if not,
/// as in Nix; a caller that knows the length must compare it.
///
/// # Errors
///
/// [`StoreError::Base32Character`] for a character outside of the alphabet.
pub fn decode(text: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::with_capacity(text.len() * BYTES / CHARS + 1);
    for chunk in text.rchunks(CHARS) {
        let mut value = 0_u64;
        for character in chunk {
            let digit = digit(*character).ok_or(StoreError::Base32Character(*character))?;
            value = value << 5 | u64::from(digit);
        }
        let whole = (chunk.len() - 1) * 5 / 8 + 1;
        let spilled = usize::from(value >> (8 * whole) != 0);
        bytes.extend(value.to_le_bytes().iter().take(whole + spilled));
    }
    Ok(bytes)
}
