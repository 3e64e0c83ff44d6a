//! The integration tests, one binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod cli;
mod known_hosts;
mod machine;
mod ssh;
mod sshd;
mod tidy;
