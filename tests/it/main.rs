//! The integration tests, one binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod copy;
mod engine;
mod facts;
mod known_hosts;
mod probe;
mod ssh;
mod sshd;
