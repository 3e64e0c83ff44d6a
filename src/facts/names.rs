//! Names of hosts: those that a flake has, and the one that was meant.

use super::decode::{DecodeError, attribute, expected};
use super::evaluator::EvalError;
use crate::validated::{HostName, Invalid};

/// How many edits away a name may be to be offered as what was meant, for each four letters.
const EDITS_PER_FOUR: usize = 1;

/// An attribute name of `nixosConfigurations` as a host's name.
pub(super) fn host_name(name: &str) -> Result<HostName, DecodeError> {
    name.parse().map_err(|invalid: Invalid| DecodeError {
        option: format!("the name of nixosConfigurations.{}", attribute(name)),
        expected: expected(&invalid),
        found: format!("{name:?}"),
    })
}

/// The error that a flake with these hosts has no such one.
pub(super) fn unknown_host(host: &HostName, known: Vec<String>) -> EvalError {
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(host.as_str(), name), name))
        .filter(|(edits, name)| *edits <= 1 + EDITS_PER_FOUR * name.chars().count() / 4)
        .min()
        .map(|(_, name)| name.clone());
    EvalError::UnknownHost { host: host.clone(), known, nearest }
}
