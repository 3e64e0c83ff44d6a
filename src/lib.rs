//! Turns a machine that has booted an installer into a fully configured NixOS host.
//!
//! The rooms, in layer order; a room imports only from rooms above it in this list
//! (`tests/it/tidy.rs` holds that, `ARCHITECTURE.md` says why).

pub mod validated;

pub mod files;

pub mod process;
pub mod store;
pub mod syntax;

pub mod eval;

pub mod flake;
pub mod instantiate;

pub mod facts;
pub mod remote;
pub mod secrets;

pub mod install;
pub mod iso;

pub mod ui;

pub mod cli;
