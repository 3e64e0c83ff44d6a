//! What can go wrong between a client and a store.

use std::io;

/// Why a store did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// Something answers that is no store.
    #[error("what answers does not speak the protocol of Nix' stores")]
    Foreign,
    /// A version of the protocol that this client does not know.
    #[error(
        "the store speaks version {major}.{minor} of Nix' protocol; this program knows version 1 from 1.32 on (Nix 2.4)"
    )]
    Version {
        /// The part before the dot.
        major: u64,
        /// The part behind it.
        minor: u64,
    },
    /// The other end is gone.
    #[error("the connection to the store ended in the middle")]
    Ended,
    /// The store's own error, in Nix' words.
    #[error("{0}")]
    Store(String),
    /// An answer that the protocol does not have.
    #[error("the store has answered something that makes no sense: {0}")]
    Odd(String),
    /// Reading or writing failed.
    #[error("the connection to the store is broken: {0}")]
    Io(#[source] io::Error),
}

impl From<io::Error> for WorkerError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset => Self::Ended,
            _ => Self::Io(error),
        }
    }
}
