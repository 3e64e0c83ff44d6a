//! The integration tests, one binary.

mod cli;
mod copy;
mod engine;
mod facts;
mod known_hosts;
mod machine;
mod phases;
mod probe;
mod ssh;
mod sshd;
mod tidy;
