//! The image's SHA-256, known up to the end of each chunk: the first chunk at which two of them differ is where
//! the contents do.

use sha2::{Digest, Sha256};

/// SHA-256 of all that came so far.
pub(super) type Sum = [u8; 32];

/// Takes bytes in and gives the sum up to any point.
#[derive(Debug, Clone, Default)]
pub(super) struct Running(Sha256);

impl Running {
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The sum of what came so far; more may come.
    pub(super) fn sum(&self) -> Sum {
        self.0.clone().finalize().into()
    }
}

/// The sum in hexadecimal digits.
pub(super) fn hex(sum: &Sum) -> String {
    data_encoding::HEXLOWER.encode(sum)
}
