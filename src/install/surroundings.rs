//! What the plan must know of this machine: what git tracks, which folders are there, which secrets
//! rules cover what. Only looks; every decision is the plan's.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::options::Options;
use super::phase::Phase;
use crate::facts::HostFacts;
use crate::process::Runner;

/// What is around a run on this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Is there a terminal on which disko's or our questions can be asked?
    pub terminal: bool,
    /// Files below the flake's folder that git knows, relative to it; `None` where the folder is no
    /// git work tree, or there is no folder.
    pub tracked: Option<BTreeSet<String>>,
    /// Does the flake's folder hold `hosts/HOST/`?
    pub has_host_dir: bool,
    /// The hardware files that are there, relative to the flake's folder.
    pub hardware_files: BTreeSet<String>,
    /// The flake's folder, absolute and without symbolic links.
    pub flake_dir: Option<PathBuf>,
    /// The reference of the small flake with the minimal configurations, where there is one.
    pub minimal_flake: Option<String>,
    /// The secrets repo, where there is one.
    pub secrets_repo: Option<SecretsRepo>,
    /// The text of the flake's own `.sops.yaml`, where there is one.
    pub sops_yaml: Option<String>,
    /// Phases that an interrupted run of this very host has finished, from the journal. Filled in
    /// by the caller, who holds the journal.
    pub done: BTreeSet<Phase>,
    /// What could not be looked at, and why; the plan passes it on as warnings.
    pub notes: Vec<String>,
}

/// A secrets repo on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretsRepo {
    /// Its folder, absolute.
    pub path: PathBuf,
    /// The text of its `.sops.yaml`, where there is one.
    pub sops_yaml: Option<String>,
}

/// Looks around. What cannot be looked at becomes a note, never an error: the plan can be shown
/// without it.
pub async fn look_around(
    _runner: &dyn Runner,
    _options: &Options,
    _facts: &HostFacts,
) -> Surroundings {
    Surroundings::default()
}

/// The reference of the small flake in `nixos-installer/`, where the flake's folder has one.
#[must_use]
pub fn minimal_flake(options: &Options) -> Option<String> {
    let dir = options.flake_dir.as_ref()?;
    dir.join("nixos-installer/flake.nix").is_file().then(|| minimal_reference(&options.flake))
}

/// `reference` with the folder `nixos-installer` below its own.
pub(super) fn minimal_reference(reference: &str) -> String {
    let (path, query) = match reference.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (reference, None),
    };
    // Only plain paths may be extended: in `path:…` the folder would lose its parent.
    if query.is_none() && !reference.contains(':') {
        return format!("{}/nixos-installer", path.trim_end_matches('/'));
    }
    let mut dir = String::from("nixos-installer");
    let mut rest = Vec::new();
    for word in query.unwrap_or_default().split('&').filter(|word| !word.is_empty()) {
        match word.strip_prefix("dir=") {
            Some(outer) => dir = format!("{}/nixos-installer", outer.trim_end_matches('/')),
            None => rest.push(word.to_owned()),
        }
    }
    rest.push(format!("dir={dir}"));
    format!("{path}?{}", rest.join("&"))
}
