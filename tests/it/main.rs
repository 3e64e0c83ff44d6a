//! The integration tests, one binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod builtins_text;
mod cli;
mod copy;
mod embedded;
mod engine;
mod eval_cli;
mod evaluators;
mod facts;
mod flake_eval;
mod flake_outputs;
mod flakes;
mod installer;
mod instantiate;
mod iso;
mod iso_build;
mod iso_key;
mod justfile;
mod known_hosts;
mod lang;
mod lang_bad_input;
mod lang_property;
mod machine;
mod phases;
mod probe;
mod refused;
mod reused_key;
mod secrets;
mod secrets_commit;
mod secrets_phase;
mod secrets_safety;
mod secrets_scene;
mod ssh;
mod sshd;
mod store;
mod syntax;
mod tidy;
mod tools;
