//! The integration tests, one binary.

mod copy;
mod facts;
mod known_hosts;
mod phases;
mod probe;
mod ssh;
mod sshd;
