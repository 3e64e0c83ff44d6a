//! Why a flake could not be opened: what is wrong, where, and what to do about it.

use crate::process;

/// Why a flake could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum FlakeError {
    /// The reference is none.
    #[error("'{reference}' is no flake reference: {reason}")]
    Reference {
        /// As it was given.
        reference: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no flake where the reference leads to.
    #[error("{reason}")]
    NoFlake {
        /// The reference.
        flake: String,
        /// What is missing, with the place.
        reason: String,
    },
    /// A `flake.nix` that is none.
    #[error("{reason}")]
    Content {
        /// What is wrong, with the place.
        reason: String,
    },
    /// A `flake.nix` that is no Nix expression.
    #[error("{message}, at {place}")]
    Syntax {
        /// What is wrong.
        message: String,
        /// File, line and column.
        place: String,
    },
    /// A lock file that is none.
    #[error("lock file '{file}': {reason}")]
    Lock {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An input that the lock file does not have, or has as something else.
    #[error("the lock file of flake '{flake}' does not fit its flake.nix: {what}")]
    Stale {
        /// The flake.
        flake: String,
        /// Which input, and how the two differ.
        what: String,
    },
    /// A flake that locks nothing, and has an input that must be locked.
    #[error(
        "the flake '{flake}' has no lock file, which must say where its input '{input}' ('{reference}') is"
    )]
    Unlocked {
        /// The flake.
        flake: String,
        /// The input's path.
        input: String,
        /// Where it comes from.
        reference: String,
    },
    /// An input that follows another, which is not there or leads back to itself.
    #[error("{reason}")]
    Follows {
        /// Which, and what.
        reason: String,
    },
    /// A tree whose hash is another than was said.
    #[error("NAR hash mismatch in input '{input}', expected '{expected}' but got '{actual}'")]
    Hash {
        /// The input's reference.
        input: String,
        /// What the lock file says.
        expected: String,
        /// What the tree has.
        actual: String,
    },
    /// An input that is not on this machine and could not be brought here.
    #[error("{} is not in the store and could not be fetched: {reason}", named(.input, .url))]
    Missing {
        /// Its name, or its reference once more.
        input: String,
        /// Where it comes from.
        url: String,
        /// Why it could not be fetched.
        reason: String,
    },
    /// A repository that `git` cannot read.
    #[error("the git repository '{repository}' could not be read: {reason}")]
    Git {
        /// Its folder.
        repository: String,
        /// What git says.
        reason: String,
    },
    /// A program that could not be run.
    #[error(transparent)]
    Process(#[from] process::Error),
    /// A file that could not be read.
    #[error("{0}")]
    Io(String),
    /// Something on the way to an input.
    #[error("{source}\nwhile looking for the flake input '{input}'")]
    Input {
        /// Its path from the flake.
        input: String,
        /// What went wrong.
        source: Box<FlakeError>,
    },
}

fn named(input: &str, url: &str) -> String {
    if input == url { format!("'{url}'") } else { format!("the input '{input}' ({url})") }
}

/// The result of opening a flake.
pub(super) type Result<T> = std::result::Result<T, FlakeError>;

impl FlakeError {
    /// What the user can do about it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoFlake { reason, .. } if reason.contains("not tracked by Git") => {
                "a flake in a git repository only sees files that git knows: \
                 `git add --intent-to-add FILE` is enough"
                    .to_owned()
            }
            Self::NoFlake { .. } => "give the folder that holds flake.nix; \
                 inside a git repository flake.nix must be known to git (`git add flake.nix`)"
                .to_owned(),
            Self::Stale { flake, .. } => {
                format!("`nix flake lock {flake}` brings the two together")
            }
            Self::Unlocked { flake, .. } => {
                format!("`nix flake lock {flake}` makes it; in a git repository, `git add` it then")
            }
            Self::Lock { .. } => {
                "put back a lock file that is whole (`git checkout flake.lock`), or remove it and \
                 make it anew with `nix flake lock`"
                    .to_owned()
            }
            Self::Hash { .. } => "what was locked has changed since: `nix flake update INPUT` \
                 locks it as it is now"
                .to_owned(),
            Self::Missing { reason, .. } if reason.contains("was not found in PATH") => {
                "what is not on this machine is fetched by the program nix: install it \
                 (https://nixos.org/download), or put it into PATH"
                    .to_owned()
            }
            Self::Missing { url, .. } => {
                format!("`nix flake prefetch '{url}'` brings it into the store")
            }
            Self::Process(process::Error::NotFound { program }) => {
                format!("install {program}, or put it into PATH")
            }
            Self::Input { source, .. } => return source.hint(),
            _ => return None,
        })
    }

    /// With the name of the input that was looked for.
    pub(super) fn of_input(self, path: &[Vec<u8>]) -> Self {
        Self::Input { input: super::lock::shown_path(path), source: Box::new(self) }
    }
}
