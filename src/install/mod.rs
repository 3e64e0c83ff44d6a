//! The install engine: options and facts become a [`plan`], the plan becomes phases that are
//! carried out one after the other, what happens becomes [`event`]s, what is done goes into the
//! journal.
//!
//! Data flows one way: options, facts and probe → plan → events → report. Nothing here draws,
//! asks or parses arguments: that is what [`event::Reporter`] and [`event::Prompter`] are for.

mod boot_loader;
mod building;
pub mod context;
mod copying;
mod decide;
mod disk_keys;
mod disks;
pub mod engine;
pub mod event;
mod flake_lock;
mod forge_keys;
mod git;
pub mod host_keys;
pub mod installers;
pub mod journal;
pub(crate) mod layout;
pub mod lock;
mod mounts;
mod nixos_anywhere;
mod old_system;
pub mod options;
pub mod phase;
pub mod phases;
mod pin;
pub mod plan;
pub mod preflight;
pub mod private;
pub mod record;
mod recovery;
mod refuse;
pub mod report;
mod resume;
pub(crate) mod reused_key;
#[cfg(test)]
pub(crate) mod samples;
pub mod secret_files;
pub mod secrets_around;
pub(crate) mod secrets_lock;
mod secrets_message;
pub mod size;
mod state_file;
mod steps;
pub mod stopwatch;
pub mod surroundings;
#[cfg(test)]
mod testing;
mod trust;
pub mod user_key;
mod warn;
mod whereabouts;
pub mod workshop;

pub use context::{Failure, FailureKind, Limits, World};
pub use options::Options;
pub use phase::Phase;
pub use plan::Plan;
