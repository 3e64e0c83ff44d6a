//! What a host's evaluated configuration says: [`HostFacts`], the decoders that read it from an
//! evaluated value, and the [`Evaluator`] that provides the value.
//!
//! Values in, structs out: nothing here looks at a machine, and nothing after it evaluates.

mod article;
mod boot;
mod bootstrap;
mod cache;
mod decode;
mod disks;
pub mod embedded;
mod encryption;
mod evaluator;
pub(crate) mod flake_ref;
mod host;
mod image;
pub mod model;
mod names;
mod nix_evaluator;
mod outputs;
mod sops;
mod ssh;
mod swap;
mod target;

pub use cache::Cache;
pub use decode::DecodeError;
pub use embedded::EmbeddedEvaluator;
pub use evaluator::{EachHost, EvalError, Evaluator, FACTS_NIX, FailedHost, Override, Scope};
pub use flake_ref::{InstallerFlake, installer_flake};
pub use host::{HostSummary, decode_host, decode_summary};
pub use image::{Image, Images};
pub use model::*;
pub use nix_evaluator::NixEvaluator;
