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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_texts() {
        // Nix' own test of nix-hash: the SHA-1 of "abc".
        let sha1 =
            b"\xa9\x99\x3e\x36\x47\x06\x81\x6a\xba\x3e\x25\x71\x78\x50\xc2\x6c\x9c\xd0\xd8\x9d";
        assert_eq!(encode(sha1), "kpcd173cq987hw957sx6m0868wv3x6d9");
        assert_eq!(decode(b"kpcd173cq987hw957sx6m0868wv3x6d9").unwrap(), sha1);
        assert_eq!(encode(b""), "");
        assert_eq!(encode(b"\xff"), "7z");
    }

    #[test]
    fn every_length_comes_back() {
        let bytes: Vec<u8> = (0..80).map(|n: u8| n.wrapping_mul(167) ^ 0x5a | 1).collect();
        for len in 0..bytes.len() {
            let text = encode(&bytes[..len]);
            assert_eq!(text.len(), encoded_len(len));
            assert_eq!(decode(text.as_bytes()).unwrap(), &bytes[..len]);
        }
    }

    #[test]
    fn foreign_characters_and_surplus_bits() {
        for character in b"eoutEZ-=" {
            let error = decode(&[b'0', *character]).unwrap_err();
            assert!(matches!(error, StoreError::Base32Character(c) if c == *character));
        }
        assert_eq!(decode(b"z0").unwrap(), [0xe0, 0x03]);
        assert_eq!(decode(b"7z").unwrap(), [0xff]);
    }
}
