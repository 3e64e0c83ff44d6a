//! What the user asked for, validated: the input of the plan besides facts and probe.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::phase::Selection;
use crate::remote::Target;
use crate::validated::{AbsolutePath, HostName, UserName};

/// The validated wishes of one run. What is `None` is taken from the facts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Options {
    /// The host to install.
    pub host: HostName,
    /// The flake's reference as typed.
    pub flake: String,
    /// The flake's folder on this machine, where it is one: needed to write the hardware file and
    /// to commit.
    pub flake_dir: Option<PathBuf>,
    /// Where the target is.
    pub target: Option<Target>,
    /// ssh port.
    pub port: Option<u16>,
    /// ssh identity.
    pub identity: Option<PathBuf>,
    /// The user on the *installed* host who gets the repos.
    pub user: Option<UserName>,
    /// Directory that survives reboots.
    pub persist_dir: Option<AbsolutePath>,
    /// Which phases.
    pub phases: Selection,
    /// Install the minimal configuration first, or the full one at once; `None` lets the flake
    /// decide.
    pub via: Option<Via>,
    /// Who carries out kexec, disko, install and reboot.
    pub engine: Engine,
    /// Where the full configuration is built in the phase `rebuild`; `None` lets the
    /// configuration decide (`bootstrap.rebuild.command`).
    pub rebuild_on: Option<RebuildOn>,
    /// `--override-input NAME REF`, as given to nix.
    pub override_inputs: Vec<(String, String)>,
    /// Push after the phase `commit`?
    pub push: bool,
    /// Can questions be asked (a terminal, and no `--yes`)?
    pub interactive: bool,
    /// Was `--yes` given?
    pub yes: bool,
    /// Forget the journal and start anew?
    pub restart: bool,
}

/// Which configuration the phase `install` installs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// The flake's minimal configuration of the host; `rebuild` brings the full one.
    Minimal,
    /// The full configuration at once.
    Full,
}

/// Who carries out kexec, disko, install and reboot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// This program.
    #[default]
    Native,
    /// The program nixos-anywhere.
    NixosAnywhere,
}

/// Where the full configuration is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RebuildOn {
    /// Here; the closure is copied.
    Here,
    /// On the target, from the synced repo.
    Target,
}
