//! Reading a hash from text, in every form that C++ Nix 2.34 accepts and with its laxness: base 64
//! may lack its padding, and a text that has a foreign character counts as empty.

use data_encoding::HEXLOWER_PERMISSIVE;

use super::base32;
use super::error::{StoreError, shown};
use super::hash::{Hash, HashAlgo, HashFormat};

impl Hash {
    /// Reads `algo:base16`, `algo:nix32`, `algo:base64`, `algo-base64`, or one of the first three
    /// without `algo:` if the algorithm is known; the length says which. If the text names an
    /// algorithm too, it must be the same one.
    ///
    /// # Errors
    ///
    /// The `Hash…` cases of [`StoreError`].
    pub fn parse(text: &[u8], algo: Option<HashAlgo>) -> Result<Self, StoreError> {
        Self::parse_with_format(text, algo).map(|(hash, _)| hash)
    }

    /// As [`Hash::parse`], and says in which format the hash was written.
    ///
    /// # Errors
    ///
    /// The `Hash…` cases of [`StoreError`].
    pub fn parse_with_format(
        text: &[u8],
        algo: Option<HashAlgo>,
    ) -> Result<(Self, HashFormat), StoreError> {
        let (named, rest, is_sri) = split_algo(text)?;
        let algo = match (named, algo) {
            (None, None) => return Err(StoreError::HashWithoutAlgo(shown(text))),
            (Some(named), Some(expected)) if named != expected => {
                return Err(StoreError::HashAlgoMismatch {
                    hash: shown(text),
                    expected: expected.name(),
                });
            }
            (Some(algo), _) | (None, Some(algo)) => algo,
        };
        let format = if is_sri { HashFormat::Sri } else { format_by_length(rest, algo)? };
        Ok((decode(rest, algo, format)?, format))
    }

    /// Reads a hash that must name its algorithm, `algo:…` or `algo-…`.
    ///
    /// # Errors
    ///
    /// The `Hash…` cases of [`StoreError`].
    pub fn parse_prefixed(text: &[u8]) -> Result<Self, StoreError> {
        match split_algo(text)? {
            (None, ..) => Err(StoreError::HashNotPrefixed(shown(text))),
            _ => Self::parse(text, None),
        }
    }

    /// Reads `algo-base64` and nothing else (Subresource Integrity).
    ///
    /// # Errors
    ///
    /// The `Hash…` cases of [`StoreError`].
    pub fn parse_sri(text: &[u8]) -> Result<Self, StoreError> {
        let (algo, rest) =
            split_once(text, b'-').ok_or_else(|| StoreError::HashNotSri(shown(text)))?;
        decode(rest, HashAlgo::parse(algo)?, HashFormat::Sri)
    }

    /// Reads a hash that has no prefix, as it stands in derivations.
    ///
    /// # Errors
    ///
    /// The `Hash…` cases of [`StoreError`].
    pub fn parse_unprefixed(text: &[u8], algo: HashAlgo) -> Result<Self, StoreError> {
        decode(text, algo, format_by_length(text, algo)?)
    }
}

/// The algorithm that stands in front of a hash, the rest, and whether it is SRI.
fn split_algo(text: &[u8]) -> Result<(Option<HashAlgo>, &[u8], bool), StoreError> {
    if let Some((algo, rest)) = split_once(text, b':') {
        return Ok((Some(HashAlgo::parse(algo)?), rest, false));
    }
    match split_once(text, b'-') {
        Some((algo, rest)) => Ok((Some(HashAlgo::parse(algo)?), rest, true)),
        None => Ok((None, text, false)),
    }
}

/// The parts before and after the first `separator`.
fn split_once(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == separator)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

fn format_by_length(text: &[u8], algo: HashAlgo) -> Result<HashFormat, StoreError> {
    let size = algo.size();
    match text.len() {
        len if len == size * 2 => Ok(HashFormat::Base16),
        len if len == base32::encoded_len(size) => Ok(HashFormat::Nix32),
        len if len == size.div_ceil(3) * 4 => Ok(HashFormat::Base64),
        _ => Err(StoreError::HashLength { hash: shown(text), algo: algo.name() }),
    }
}

fn decode(text: &[u8], algo: HashAlgo, format: HashFormat) -> Result<Hash, StoreError> {
    let (encoding, bytes) = match format {
        HashFormat::Base16 => ("base16", HEXLOWER_PERMISSIVE.decode(text).ok()),
        HashFormat::Nix32 => ("nix32", base32::decode(text).ok()),
        HashFormat::Base64 => ("Base64", decode_base64(text)),
        HashFormat::Sri => ("SRI", decode_base64(text)),
    };
    let bytes = bytes.unwrap_or_default();
    Hash::from_digest(algo, &bytes).ok_or_else(|| StoreError::HashDecoding {
        encoding,
        hash: shown(text),
        length: bytes.len(),
        algo_size: algo.size(),
    })
}

/// Base 64 as Nix reads it: up to the first `=`, newlines skipped, left-over bits dropped.
fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut value, mut bits) = (0_u32, 0);
    for character in text.iter().take_while(|c| **c != b'=').filter(|c| **c != b'\n') {
        let digit = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        value = value << 6 | u32::from(digit);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.extend((value >> bits).to_le_bytes().first());
        }
    }
    Some(bytes)
}
