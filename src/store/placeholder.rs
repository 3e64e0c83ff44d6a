//! Texts that stand for output paths which are not known yet.
//!
//! Nix manual, "builtins.placeholder" and "Derivation", "Placeholder".

use super::base32;
use super::content_address::output_path_name;
use super::hash::{Sha256Digest, compress, sha256};
use super::path::{DRV_EXTENSION, StorePath};

/// What stands for a derivation's own output, inside of the derivation (`builtins.placeholder`).
#[must_use]
pub fn hash_placeholder(output: &[u8]) -> String {
    render(sha256(&[b"nix-output:", output].concat()))
}

/// What stands for an output of another derivation whose path only its build will tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DownstreamPlaceholder(Sha256Digest);

impl DownstreamPlaceholder {
    /// For an output of a content-addressed (floating, deferred or impure) derivation.
    #[must_use]
    pub fn unknown_ca_output(derivation: &StorePath, output: &[u8]) -> Self {
        let name = derivation.name();
        let name = name.strip_suffix(DRV_EXTENSION).unwrap_or(name);
        let name = output_path_name(name.as_bytes(), output);
        let hash = derivation.hash_part().as_bytes();
        Self(sha256(&[b"nix-upstream-output:", hash, b":", &name].concat()))
    }

    /// For an output of a derivation that is itself an output which is not there yet.
    #[must_use]
    pub fn unknown_derivation(derivation: &Self, output: &[u8]) -> Self {
        let hash = base32::encode(&compress(&derivation.0));
        Self(sha256(&[b"nix-computed-output:", hash.as_bytes(), b":", output].concat()))
    }

    /// The text to put where the path would stand.
    #[must_use]
    pub fn render(&self) -> String {
        render(self.0)
    }
}

fn render(digest: Sha256Digest) -> String {
    format!("/{}", base32::encode(&digest))
}
