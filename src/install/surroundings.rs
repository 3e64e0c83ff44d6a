//! What the plan must know of this machine: what git tracks, which folders are there, which secrets
//! rules cover what. Only looks; every decision is the plan's.

use std::collections::BTreeSet;
use std::fs;
use std::io::{ErrorKind, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::options::Options;
use super::phase::Phase;
use super::secrets_around::{self, FoundSecrets};
use crate::facts::{HostFacts, installer_flake};
use crate::process::{Command, Runner};

/// How long git may take.
const GIT_LIMIT: Duration = Duration::from_secs(30);

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
    /// The host's secrets, where the configuration references some and their `.sops.yaml` is here.
    pub secrets: Option<FoundSecrets>,
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
/// without it. `done` is left empty: the journal's owner fills it in.
pub async fn look_around(
    runner: &dyn Runner,
    options: &Options,
    facts: &HostFacts,
) -> Surroundings {
    let mut around = Surroundings {
        terminal: options.interactive || std::io::stdin().is_terminal(),
        ..Surroundings::default()
    };
    if let Some(dir) = &options.flake_dir {
        match fs::canonicalize(dir) {
            Ok(dir) => in_flake(&mut around, runner, options, facts, &dir).await,
            Err(error) => around.notes.push(format!("{}: {error}", dir.display())),
        }
    }
    around.secrets_repo = secrets_repo(&mut around, facts);
    around.secrets = secrets_around::find(&around, facts);
    around
}

async fn in_flake(
    around: &mut Surroundings,
    runner: &dyn Runner,
    options: &Options,
    facts: &HostFacts,
    dir: &Path,
) {
    around.tracked = match tracked(runner, dir).await {
        Ok(tracked) => tracked,
        Err(note) => {
            around.notes.push(note);
            None
        }
    };
    let folder = format!("hosts/{}", options.host);
    around.has_host_dir = dir.join(&folder).is_dir();
    let mut candidates =
        vec![format!("{folder}/hardware-configuration.nix"), format!("{folder}/facter.json")];
    candidates.extend(facts.bootstrap.hardware_file.as_deref().map(inside_flake));
    around.hardware_files =
        candidates.into_iter().filter(|file| dir.join(file).is_file()).collect();
    let small = installer_flake(&options.flake);
    around.minimal_flake = small
        .filter(|_| dir.join("nixos-installer/flake.nix").is_file())
        .map(|small| small.reference(around.tracked.is_some()).to_owned());
    around.sops_yaml = sops_yaml(dir, &mut around.notes);
    around.flake_dir = Some(dir.to_owned());
}

/// A path of the configuration relative to the flake: an evaluated path has the flake's place in
/// the store in front.
pub(super) fn inside_flake(file: &str) -> String {
    let inside = file.strip_prefix("/nix/store/").and_then(|rest| rest.split_once('/'));
    let relative = inside.map_or(file, |(_, relative)| relative);
    relative.strip_prefix("./").unwrap_or(relative).to_owned()
}

/// What git knows below `dir`; `None` where that is no work tree.
async fn tracked(runner: &dyn Runner, dir: &Path) -> Result<Option<BTreeSet<String>>, String> {
    let command = Command::new("git")
        .arg("-C")
        .arg(dir)
        .args(["ls-files", "-z", "--cached"])
        // The message below is compared.
        .env("LC_ALL", "C");
    let output = match runner.run_within(&command, GIT_LIMIT).await {
        Ok(output) => output,
        Err(error) => return Err(format!("what git tracks is not known: {error}")),
    };
    if output.code == Some(128) && output.error_text().contains("not a git repository") {
        return Ok(None);
    }
    match output.success(&command) {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout);
            Ok(Some(text.split('\0').filter(|file| !file.is_empty()).map(str::to_owned).collect()))
        }
        Err(error) => Err(format!("what git tracks is not known: {error}")),
    }
}

/// The configured folder, or else `nix-secrets` beside the flake.
fn secrets_repo(around: &mut Surroundings, facts: &HostFacts) -> Option<SecretsRepo> {
    let flake = around.flake_dir.clone();
    let path = match &facts.bootstrap.secrets_repo {
        Some(configured) => {
            let path = expand(configured, flake.as_deref());
            if !path.is_dir() {
                let path = path.display();
                around.notes.push(format!("bootstrap.secrets.repo: there is no folder {path}"));
                return None;
            }
            path
        }
        None => flake?.parent()?.join("nix-secrets"),
    };
    let path = fs::canonicalize(path).ok().filter(|path| path.is_dir())?;
    let sops_yaml = sops_yaml(&path, &mut around.notes);
    Some(SecretsRepo { path, sops_yaml })
}

/// `~/` is the user's home, a relative path starts at the flake.
fn expand(path: &str, flake: Option<&Path>) -> PathBuf {
    if let Some(rest) = path.strip_prefix("~/")
        && let Some(home) = std::env::var_os("HOME")
    {
        return PathBuf::from(home).join(rest);
    }
    flake.unwrap_or(Path::new("")).join(path)
}

fn sops_yaml(dir: &Path, notes: &mut Vec<String>) -> Option<String> {
    let file = dir.join(".sops.yaml");
    match fs::read_to_string(&file) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => {
            notes.push(format!("{}: {error}", file.display()));
            None
        }
    }
}

#[cfg(test)]
mod tests;
