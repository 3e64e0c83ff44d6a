//! The room's tests that need no other program. Those against real Nix are in `tests/it/store.rs`.

mod derivation;
mod hash;
mod modulo;
mod nar;
mod path;
mod worker;
