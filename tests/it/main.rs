//! The integration tests, one binary.

mod copy;
mod engine;
mod facts;
mod known_hosts;
mod probe;
mod ssh;
mod sshd;
