//! The integration tests, one binary.

mod known_hosts;
mod probe;
mod ssh;
mod sshd;
