//! What an evaluation has made, written into the real store, and outputs that it wants to read, built: through
//! the programs of Nix, so that it works with a store of this user's own as well as with a daemon's.
//!
//! What has to be written is known by `eval`, the protocol by `store::worker`; here they meet. Why the protocol
//! and not `nix-store --import` or `nix derivation add`: see docs/evaluator.md.

mod build;
mod early;
mod error;
mod object;
mod real_store;
mod write;

pub use early::EarlyWriter;
pub use error::InstantiateError;
pub use real_store::{RealStore, Watcher};
pub use write::Written;
