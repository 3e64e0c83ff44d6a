//! The store's arithmetic: hashes, store paths, archives (NAR) and derivations.
//!
//! Pure: streams over `Read` and `Write`, no file system and no processes. Texts are bytes. The
//! reference is the Nix manual, "Nix Store", and the behaviour of C++ Nix 2.34.

mod aterm;
mod aterm_parse;
pub mod base32;
mod content_address;
mod derivation;
mod error;
mod hash;
mod hash_text;
mod modulo;
mod nar;
mod nar_read;
mod output_names;
mod path;
mod placeholder;
mod variables;
mod wire;
pub mod worker;

pub use content_address::{CaMethod, ContentAddress, References, output_path_name};
pub use derivation::{Bytes, Derivation, DerivationKind, InputOutputs, Inputs, Output, OutputName};
pub use error::StoreError;
pub(crate) use hash::Sha256;
pub use hash::{Hash, HashAlgo, HashFormat, Hasher, Sha256Digest, compress, sha256};
pub use modulo::{DrvHash, DrvHashes, ReadDrv};
pub use nar::{NarNode, NarSource, around_file, hash_nar, write_nar};
pub use nar_read::{NarEvent, NarReader};
pub use output_names::OutputNames;
pub use path::{DRV_EXTENSION, StoreDir, StorePath, check_name};
pub use placeholder::{DownstreamPlaceholder, hash_placeholder};
pub use variables::{VariableName, Variables};

#[cfg(test)]
mod tests;
