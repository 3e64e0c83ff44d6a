//! Secrets and keys: the [`Secret`] wrapper and the host's ssh key pair.

pub mod host_key;
pub mod secret;

pub use secret::Secret;
