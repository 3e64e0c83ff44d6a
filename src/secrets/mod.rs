//! Secrets and keys: the [`Secret`] wrapper and the host's ssh key pair.

pub mod host_key;
pub mod secret;
pub mod sops_rules;

pub use host_key::{HostKeyError, HostKeyPair};
pub use secret::Secret;
