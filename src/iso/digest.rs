//! The digest of an image, known up to the end of each chunk: the first chunk at which two of them differ is where
//! the contents do.

use std::fmt;

use ring::digest::{Context, SHA256};
use serde::{Serialize, Serializer};

/// How the digest is computed. Both have 32 bytes, and neither can be made to agree by accident or on purpose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// BLAKE3 keeps up with any disk on any processor.
    #[default]
    Blake3,
    /// SHA-256 (FIPS 180-4), which images are published with. Without instructions for it a processor does some
    /// 300 MB/s, less than fast disks.
    Sha256,
}

/// The digest of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    algorithm: Algorithm,
    bytes: [u8; 32],
}

impl Digest {
    /// How it was computed.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// `blake3:` or `sha256:`, and hexadecimal digits.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.algorithm {
            Algorithm::Blake3 => "blake3",
            Algorithm::Sha256 => "sha256",
        };
        write!(f, "{name}:{}", data_encoding::HEXLOWER.encode(&self.bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Takes bytes in and gives the digest up to any point.
pub(super) enum Running {
    Blake3(Box<blake3::Hasher>),
    Sha256(Box<Context>),
}

impl Running {
    /// Of nothing yet.
    pub(super) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Blake3 => Self::Blake3(Box::default()),
            Algorithm::Sha256 => Self::Sha256(Box::new(Context::new(&SHA256))),
        }
    }

    pub(super) fn take(&mut self, bytes: &[u8]) {
        match self {
            Self::Blake3(hasher) => {
                hasher.update(bytes);
            }
            Self::Sha256(context) => context.update(bytes),
        }
    }

    /// The digest of what came so far; more may come.
    pub(super) fn digest(&self) -> Digest {
        match self {
            Self::Blake3(hasher) => {
                Digest { algorithm: Algorithm::Blake3, bytes: hasher.finalize().into() }
            }
            Self::Sha256(context) => {
                let digest = Context::clone(context).finish();
                // A SHA-256 has as many bytes.
                let bytes = digest.as_ref().try_into().unwrap_or_default();
                Digest { algorithm: Algorithm::Sha256, bytes }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The empty string and `abc`: FIPS 180-4's example, and the test vectors of BLAKE3's own repository.
    #[test]
    fn digests_are_those_that_are_published() {
        let of = |algorithm, pieces: &[&str]| {
            let mut running = Running::new(algorithm);
            for piece in pieces {
                running.take(piece.as_bytes());
            }
            running.digest().to_string()
        };
        for (algorithm, pieces, expected) in [
            (
                Algorithm::Sha256,
                &[][..],
                "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
            (
                Algorithm::Sha256,
                &["a", "bc"],
                "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (
                Algorithm::Blake3,
                &[],
                "blake3:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
            ),
            (
                Algorithm::Blake3,
                &["a", "bc"],
                "blake3:6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85",
            ),
        ] {
            assert_eq!(of(algorithm, pieces), expected);
        }
    }
}
