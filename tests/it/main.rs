//! The integration tests, one binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod cli;
mod copy;
mod facts;
mod known_hosts;
mod machine;
mod probe;
mod ssh;
mod sshd;
mod tidy;
