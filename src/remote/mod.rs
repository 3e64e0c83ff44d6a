//! The machine at the other end: where it is ([`Target`]), how commands get there ([`Remote`]),
//! what is on it ([`Probe`]). Knows nothing of configurations or plans.

pub mod command;
pub mod model;
pub mod target;

pub use command::{Remote, RemoteCommand, quote};
pub use model::*;
pub use target::Target;
