//! The [`Evaluator`]: whoever can turn a flake and a host name into [`HostFacts`], and why it
//! could not. Implemented with the `nix` program by [`NixEvaluator`](super::NixEvaluator).

use async_trait::async_trait;

use super::decode::DecodeError;
use super::host::HostSummary;
use super::model::{HostFacts, Outputs};
use crate::flake::FlakeError;
use crate::instantiate::InstantiateError;
use crate::process;
use crate::validated::HostName;

/// The Nix function that turns `nixosConfigurations` into values that
/// [`decode_host`](super::decode_host) and [`decode_summary`](super::decode_summary) read. It is
/// called with `{ host = null or a name; scope = "summary", "options" or "outputs"; }` first; see the file's head.
pub const FACTS_NIX: &str = include_str!("facts.nix");

/// The name of an input, and the reference of what stands in for it.
pub type Override = (String, String);

/// Reads hosts from flakes. `flake` is a flake reference as `nix` takes it, without a fragment.
#[async_trait]
pub trait Evaluator: Send + Sync {
    /// The hosts of a flake, by name.
    async fn hosts(&self, flake: &str) -> Result<EachHost<HostSummary>, EvalError>;

    /// Everything about one host, in one evaluation.
    async fn facts(
        &self,
        flake: &str,
        host: &HostName,
        scope: Scope,
    ) -> Result<HostFacts, EvalError>;

    /// Everything about every host of a flake, in one evaluation.
    async fn facts_of_all(
        &self,
        flake: &str,
        scope: Scope,
    ) -> Result<EachHost<HostFacts>, EvalError>;

    /// What can be built of a host, as the flake is now, with the derivations in the store: `nix build` of their
    /// paths evaluates nothing. `replaced` are inputs that others stand in for, besides those that the user has said.
    /// `None` from an evaluator that leaves that to the build.
    async fn instantiate(
        &self,
        flake: &str,
        host: &HostName,
        replaced: &[Override],
    ) -> Result<Option<Outputs>, EvalError> {
        let _ = (flake, host, replaced);
        Ok(None)
    }
}

/// How much of a host is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// What its options say; [`HostFacts::outputs`] stays `None`.
    Options,
    /// That, and the derivations that are built of it. The whole system is evaluated for them, which takes many
    /// times as long, and which a failed assertion of the configuration makes fail.
    Outputs,
}

impl Scope {
    /// As [`FACTS_NIX`] calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Options => "options",
            Self::Outputs => "outputs",
        }
    }
}

/// What the hosts of a flake gave: one that fails need not keep the others from being told.
#[derive(Debug)]
pub struct EachHost<T> {
    /// What was read, in the order of the hosts' names.
    pub found: Vec<T>,
    /// The hosts that could not be read, in the same order.
    pub failed: Vec<FailedHost>,
}

/// A host that could not be read.
#[derive(Debug)]
pub struct FailedHost {
    /// Attribute name in `nixosConfigurations`.
    pub name: String,
    /// Why.
    pub error: EvalError,
}

impl<T> EachHost<T> {
    /// Takes up what a host gave.
    pub(super) fn add(&mut self, name: &str, read: Result<T, EvalError>) {
        match read {
            Ok(read) => self.found.push(read),
            Err(error) => self.failed.push(FailedHost { name: name.to_owned(), error }),
        }
    }
}

impl<T> From<Vec<T>> for EachHost<T> {
    fn from(found: Vec<T>) -> Self {
        Self { found, failed: Vec::new() }
    }
}

/// Why a flake did not give facts.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// There is no flake at this reference.
    #[error("there is no flake at {flake}: {message}")]
    NoFlake {
        /// The reference as it was given.
        flake: String,
        /// What is missing.
        message: String,
    },
    /// The flake has no `nixosConfigurations`.
    #[error("the flake {flake} has no nixosConfigurations")]
    NoHosts {
        /// The reference as it was given.
        flake: String,
    },
    /// The flake has no such host.
    #[error("the flake has no host {host}{}", known_hosts(.known, .nearest.as_deref()))]
    UnknownHost {
        /// The name that was looked for.
        host: HostName,
        /// The names that are there.
        known: Vec<String>,
        /// The one that is most like it, where one is near enough to be a slip.
        nearest: Option<String>,
    },
    /// The flake has none of the attributes that an image was looked for under.
    #[error("{message}")]
    NoSuchOutput {
        /// What was looked for, and what it may have meant.
        message: String,
    },
    /// What was named is nothing that makes an image.
    #[error("{attr} of the flake {flake} is no installer image")]
    NoImage {
        /// The reference as it was given.
        flake: String,
        /// The attribute.
        attr: String,
    },
    /// The configuration does not evaluate.
    #[error("the flake could not be evaluated:\n{message}")]
    Evaluation {
        /// The evaluator's message with its `at file:line:column`.
        message: String,
    },
    /// The flake, its lock file or one of its inputs is not as it must be.
    #[error(transparent)]
    Flake(FlakeError),
    /// The configuration needs something that the embedded evaluator can't do.
    #[error("the flake could not be evaluated:\n{message}")]
    Unsupported {
        /// What, and where.
        message: String,
    },
    /// The user has stopped the evaluation.
    #[error("interrupted by the user")]
    Interrupted,
    /// The evaluation has no thread, or has lost it.
    #[error("the embedded evaluator could not run: {reason}")]
    NoThread {
        /// What the system said.
        reason: String,
    },
    /// An option has a value of the wrong shape.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The evaluator's program could not be run.
    #[error(transparent)]
    Process(process::Error),
    /// The derivations did not come into the store.
    #[error("the derivations could not be written to the store: {0}")]
    Store(InstantiateError),
    /// The evaluator succeeded but printed something else than JSON.
    #[error("the evaluation gave no JSON ({reason})")]
    NotJson {
        /// What the JSON parser said.
        reason: String,
    },
}

fn known_hosts(known: &[String], nearest: Option<&str>) -> String {
    let mut text = String::new();
    if let Some(nearest) = nearest {
        text.push_str("; did you mean ");
        text.push_str(nearest);
        text.push('?');
    }
    if known.is_empty() {
        text.push_str(" (it has none at all)");
    } else {
        text.push_str(" (it has ");
        text.push_str(&known.join(", "));
        text.push(')');
    }
    text
}

impl From<process::Error> for EvalError {
    fn from(error: process::Error) -> Self {
        match error {
            // Which program was stopped means nothing to who has stopped it.
            process::Error::Cancelled { .. } => Self::Interrupted,
            other => Self::Process(other),
        }
    }
}

impl From<InstantiateError> for EvalError {
    fn from(error: InstantiateError) -> Self {
        if error.is_cancelled() { Self::Interrupted } else { Self::Store(error) }
    }
}

impl EvalError {
    /// Is something asked for that is not there, or no flake?
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::NoFlake { .. }
                | Self::Flake(FlakeError::Reference { .. })
                | Self::NoHosts { .. }
                | Self::NoSuchOutput { .. }
                | Self::NoImage { .. }
                | Self::UnknownHost { .. }
        )
    }

    /// What the user can do about it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoFlake { .. } => Some(
                "give the folder that holds flake.nix with --flake; inside a git repository \
                 flake.nix must be known to git (`git add flake.nix`)"
                    .to_owned(),
            ),
            Self::NoHosts { .. } => Some(
                "the flake must have nixosConfigurations.HOST; `nix flake show` lists what it has"
                    .to_owned(),
            ),
            Self::NoImage { .. } => Some(
                "it must be a derivation, or a NixOS configuration with config.system.build.isoImage: \
                 one of lib.mkIso, or one that imports the module iso"
                    .to_owned(),
            ),
            Self::Evaluation { message } => process::nix::hint(message),
            Self::Process(process::Error::NotFound { program }) => Some(format!(
                "install Nix (https://nixos.org/download), or put {program} into PATH"
            )),
            Self::Flake(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Unsupported { .. } | Self::NoThread { .. } => {
                Some("--evaluator nix reads the configuration with the program nix".to_owned())
            }
            Self::UnknownHost { .. }
            | Self::NoSuchOutput { .. }
            | Self::Decode(_)
            | Self::Interrupted
            | Self::Process(_)
            | Self::NotJson { .. } => None,
        }
    }
}
