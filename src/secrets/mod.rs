//! Secrets and keys: the [`Secret`] wrapper, the host's ssh key pair, age keys, and editing `.sops.yaml`.

pub mod age;
pub mod host_key;
pub mod key_format;
pub mod secret;
pub mod sops;
pub mod sops_file;
pub mod sops_rules;
pub mod sops_yaml;

pub use host_key::{HostKeyError, HostKeyPair};
pub use secret::Secret;
