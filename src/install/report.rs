//! The closing report of a run, as data.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::options::{Engine, Options};
use super::phase::Phase;
use crate::process::this_program;
use crate::remote::Destination;

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The host.
    pub host: String,
    /// Did the run reach its end?
    pub ok: bool,
    /// Whole time in milliseconds.
    pub millis: u64,
    /// Time of ours in milliseconds: the whole less remote commands, nix, git, waits and questions.
    pub own_millis: u64,
    /// One entry a phase of the plan, in order.
    pub phases: Vec<PhaseReport>,
    /// What changed where ("this machine: hosts/grief/hardware-configuration.nix written").
    pub changes: Vec<String>,
    /// What is left for the user to do.
    pub next: Vec<String>,
    /// The command that goes on from here, after a failure.
    pub resume: Option<String>,
}

/// How a phase went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PhaseReport {
    /// Which.
    pub phase: Phase,
    /// Done, skipped, failed or not reached.
    pub outcome: Outcome,
    /// Milliseconds, of phases that ran.
    pub millis: Option<u64>,
    /// What it did, why it was skipped, or how it failed.
    pub summary: String,
}

/// How a phase ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Carried out.
    Done,
    /// Left out.
    Skipped,
    /// Failed.
    Failed,
    /// The run ended before it.
    NotReached,
}

/// The command that goes on with an interrupted run: the same wishes, without `--restart`.
#[must_use]
pub fn resume_command(options: &Options) -> String {
    let mut command = this_program().arg("bootstrap").arg(options.host.as_str());
    let mut add = |flag: &str, value: Option<String>| {
        if let Some(value) = value {
            command = command.clone().arg(flag).arg(value);
        }
    };
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    add("--flake", Some(options.flake.clone()).filter(|flake| flake != "."));
    let target = options.target.clone().map(|target| Destination { port: options.port, ..target });
    add("--port", options.port.filter(|_| target.is_none()).map(|port| port.to_string()));
    add("--target", target.map(|target| target.to_string()));
    add("--identity", path(&options.identity));
    add("--user", options.user.as_ref().map(ToString::to_string));
    add("--host-key", options.host_key.as_ref().map(ToString::to_string));
    add("--via", options.via.map(|via| word(&via)));
    add("--engine", Some(word(&options.engine)).filter(|_| options.engine != Engine::Native));
    add("--rebuild-on", options.rebuild_on.map(|place| word(&place)));
    add("--only", phases(&options.phases.only));
    add("--skip", phases(&options.phases.skip));
    if let Some(dir) = &options.persist_dir {
        command = command.arg(format!("--impermanence={dir}"));
    }
    if let Some(from) = &options.reuse_host_key {
        command = command.arg(format!("--reuse-host-key={from}"));
    }
    for (name, reference) in &options.override_inputs {
        command = command.args(["--override-input", name, reference]);
    }
    command = command.args(&options.evaluation);
    let given = [
        (options.luks_recovery, "--luks-recovery"),
        (options.push, "--push"),
        (options.yes, "--yes"),
    ];
    for (given, flag) in given {
        if given {
            command = command.arg(flag);
        }
    }
    command.to_string()
}

/// The word of an enum on the command line, which is its name in JSON.
fn word(value: &impl Serialize) -> String {
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}

fn phases(phases: &BTreeSet<Phase>) -> Option<String> {
    let names: Vec<&str> = phases.iter().map(|phase| phase.name()).collect();
    (!names.is_empty()).then(|| names.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_that_goes_on_says_the_same_but_restart() {
        let mut options = Options::new("grief".parse().unwrap(), "./my flake");
        options.target = Some("root@10.0.0.1".parse().unwrap());
        options.phases.skip = [Phase::Sync, Phase::Commit].into();
        options.restart = true;
        options.luks_recovery = true;
        options.yes = true;
        assert_eq!(
            resume_command(&options),
            "nixos-bootstrap bootstrap grief --flake './my flake' --target root@10.0.0.1 --skip \
             sync,commit --luks-recovery --yes"
        );
        options = Options::new("grief".parse().unwrap(), ".");
        options.port = Some(2222);
        assert_eq!(resume_command(&options), "nixos-bootstrap bootstrap grief --port 2222");
        options.target = Some("root@::1".parse().unwrap());
        assert_eq!(
            resume_command(&options),
            "nixos-bootstrap bootstrap grief --target 'root@[::1]:2222'"
        );
    }
}
