//! The integration tests, one binary.

mod known_hosts;
mod ssh;
mod sshd;
