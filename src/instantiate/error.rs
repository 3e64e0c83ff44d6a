//! Why something did not come into the store.

use crate::process;
use crate::process::nix_log::without_escapes;
use crate::store::StoreError;
use crate::store::worker::WorkerError;

/// Why something did not come into the store, or was not built.
#[derive(Debug, thiserror::Error)]
pub enum InstantiateError {
    /// The program `nix` could not be run.
    #[error("the store can't be reached without the program nix: {0}")]
    Process(#[from] process::Error),
    /// The store could not be opened.
    #[error("the store can't be opened: {}", told(.error, .said))]
    Open {
        /// What its side of the connection made of it.
        error: WorkerError,
        /// What the program that opens it wrote to standard error.
        said: String,
    },
    /// The store did not do it.
    #[error("{}", store_error(.error, .said))]
    Store {
        /// Its answer.
        error: WorkerError,
        /// What the program that opens it wrote to standard error.
        said: String,
    },
    /// A file is not there any more, or can't be read.
    #[error("{origin} can't be copied to the store: {reason}")]
    Source {
        /// What was to be copied.
        origin: String,
        /// What happened.
        reason: String,
    },
    /// A file has changed after it was hashed.
    #[error("{origin} has changed during the evaluation, so it can't be copied to {path} any more")]
    Changed {
        /// The file or the folder.
        origin: String,
        /// The copy.
        path: String,
    },
    /// Something that the evaluation has not made itself is not in the store.
    #[error("path '{path}' is not valid, and {user} refers to it")]
    Missing {
        /// The path.
        path: String,
        /// What needs it.
        user: String,
    },
    /// A path or a text that is none.
    #[error(transparent)]
    Data(#[from] StoreError),
    /// A build failed: in Nix' words.
    #[error("{0}")]
    Build(String),
}

impl InstantiateError {
    /// Was it the user who stopped it?
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Process(process::Error::Cancelled { .. }))
    }

    /// What the user can do about it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Process(process::Error::NotFound { program }) => Some(format!(
                "install Nix (https://nixos.org/download), or put {program} into PATH"
            )),
            Self::Changed { .. } => Some("run it again once the file stays as it is".to_owned()),
            Self::Store { error: WorkerError::Ended, .. } => Some(
                "what was written before is in the store; the same command goes on from there"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

/// The words of the program where it has some, else what was seen of it.
fn told(error: &WorkerError, said: &str) -> String {
    let said = plain(said);
    if said.is_empty() { store_error(error, "") } else { said }
}

fn store_error(error: &WorkerError, said: &str) -> String {
    let said = plain(said);
    match error {
        WorkerError::Store(message) => plain(message),
        _ if said.is_empty() => error.to_string(),
        _ => format!("{error}: {said}"),
    }
}

/// What Nix says when its client is gone. Whoever reads it here has interrupted nothing.
const HUNG_UP: &str = "interrupted by the user";

/// Nix' words without colours, and without the word before them.
fn plain(said: &str) -> String {
    let said = without_escapes(said);
    let said = said.strip_prefix("error:").unwrap_or(&said).trim();
    if said == HUNG_UP { String::new() } else { said.to_owned() }
}
