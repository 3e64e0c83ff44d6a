//! The image's SHA-256, known up to the end of each chunk: the first chunk at which two of them differ is where
//! the contents do.

use ring::digest::{Context, Digest, SHA256};

/// SHA-256 of all that came so far.
pub(super) type Sum = [u8; 32];

/// Takes bytes in and gives the sum up to any point.
#[derive(Clone)]
pub(super) struct Running(Context);

impl Running {
    /// Of nothing yet.
    pub(super) fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The sum of what came so far; more may come.
    pub(super) fn sum(&self) -> Sum {
        let digest: Digest = self.0.clone().finish();
        // A SHA-256 has as many bytes.
        digest.as_ref().try_into().unwrap_or_default()
    }
}

/// The sum in hexadecimal digits.
pub(super) fn hex(sum: &Sum) -> String {
    data_encoding::HEXLOWER.encode(sum)
}
