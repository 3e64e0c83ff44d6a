//! Arguments that several subcommands share, and how they become validated [`Options`].

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use tokio_util::sync::CancellationToken;

use super::embedded::{Goal, Memory, setup};
use super::error::CliError;
use crate::facts::{EmbeddedEvaluator, Evaluator, Images, NixEvaluator};
use crate::install::options::{Engine, InvalidTrustedKey, Options, RebuildOn, TrustedKey, Via};
use crate::install::phase::{Phase, Selection};
use crate::process::Runner;
use crate::process::nix::Nix;
use crate::remote::Destination;
use crate::validated::HostName;

/// Which flake, and who evaluates it.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct FlakeArgs {
    /// The flake with the hosts
    #[arg(long, value_name = "REF", default_value = ".", help_heading = "Flake")]
    pub(super) flake: String,
    /// Use another flake in place of an input, as in nix (repeatable)
    #[arg(
        long,
        value_names = ["NAME", "REF"],
        num_args = 2,
        action = clap::ArgAction::Append,
        help_heading = "Flake"
    )]
    override_input: Vec<String>,
    /// Who evaluates the configuration
    #[arg(long, value_enum, default_value_t = EvaluatorName::Embedded, help_heading = "Flake")]
    evaluator: EvaluatorName,
    /// Evaluate anew, and remember nothing of it
    #[arg(long, help_heading = "Flake")]
    no_cache: bool,
}

/// Who evaluates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EvaluatorName {
    /// The evaluator inside this program
    Embedded,
    /// The program `nix`
    Nix,
}

impl FlakeArgs {
    /// The `--override-input` pairs.
    pub(super) fn overrides(&self) -> Vec<(String, String)> {
        let pair = |words: &[String]| match words {
            [name, reference] => Some((name.clone(), absolute_override(reference))),
            _ => None,
        };
        self.override_input.chunks(2).filter_map(pair).collect()
    }

    /// The evaluator that was chosen.
    pub(super) fn evaluator(
        &self,
        goal: Goal,
        runner: Arc<dyn Runner>,
        cancel: &CancellationToken,
    ) -> Result<Arc<dyn Evaluator>, CliError> {
        match self.evaluator {
            EvaluatorName::Nix => {
                let nix = Nix { override_inputs: self.overrides(), ..Nix::default() };
                Ok(Arc::new(NixEvaluator::new(runner, nix)))
            }
            EvaluatorName::Embedded => {
                let memory = if self.no_cache { Memory::None } else { Memory::Cache };
                let setup = setup(self.overrides(), memory, goal, runner, cancel.clone())?;
                Ok(Arc::new(EmbeddedEvaluator::new(setup)))
            }
        }
    }

    /// Whoever was chosen to evaluate, to find an installer image; with the program `nix` for the same inputs.
    pub(super) fn images(
        &self,
        runner: Arc<dyn Runner>,
        cancel: &CancellationToken,
    ) -> Result<(Arc<dyn Images>, Nix), CliError> {
        let nix = Nix { override_inputs: self.overrides(), ..Nix::default() };
        let images: Arc<dyn Images> = match self.evaluator {
            EvaluatorName::Nix => Arc::new(NixEvaluator::new(runner, nix.clone())),
            EvaluatorName::Embedded => {
                let goal = Goal::Building;
                let setup = setup(self.overrides(), Memory::None, goal, runner, cancel.clone())?;
                Arc::new(EmbeddedEvaluator::new(setup))
            }
        };
        Ok((images, nix))
    }

    /// The folder of the flake, where the reference is a folder on this machine.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        let plain =
            self.flake.strip_prefix("path:").or_else(|| self.flake.strip_prefix("git+file:"));
        let path = plain.unwrap_or(&self.flake).split('?').next().unwrap_or_default();
        let path = path.strip_prefix("//").unwrap_or(path);
        let path = Path::new(path);
        path.join("flake.nix").is_file().then(|| path.canonicalize().ok()).flatten()
    }
}

/// nix resolves a relative override against the flake, a person means the current folder.
fn absolute_override(reference: &str) -> String {
    let relative = reference.starts_with("./") || reference.starts_with("../") || reference == ".";
    match std::path::absolute(reference) {
        Ok(path) if relative => path.to_string_lossy().into_owned(),
        _ => reference.to_owned(),
    }
}

/// What `bootstrap` and `plan` have in common.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) flake: FlakeArgs,
    /// Where the machine is now: the installer's address
    #[arg(short = 'd', long, value_name = "[USER@]ADDR[:PORT]", help_heading = "Target")]
    target: Option<String>,
    /// The machine's ssh port [default: bootstrap.target.port, else 22]
    #[arg(short, long, help_heading = "Target")]
    port: Option<u16>,
    /// The ssh identity to log in with [default: bootstrap.target.identityFile, else ssh's own]
    #[arg(short = 'k', long, value_name = "FILE", help_heading = "Target")]
    identity: Option<PathBuf>,
    /// The installer's ssh host key: SHA256 fingerprint, public key line or .pub file
    ///
    /// Without it the fingerprint is shown and asked about once.
    #[arg(long, value_name = "KEY", help_heading = "Target")]
    host_key: Option<String>,
    /// The user on the new host who gets the repos [default: the host's primary user]
    #[arg(short, long, help_heading = "Target")]
    user: Option<String>,
    /// Put the host keys below this directory, too, as a host with impermanence needs
    /// [default: bootstrap.persistDir; with the bare flag /persist]
    #[arg(
        long,
        value_name = "DIR",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "/persist",
        help_heading = "System"
    )]
    impermanence: Option<String>,
    /// Keep the ssh host keys that the host has: from the system that runs on the target now, from their copy in the
    /// secrets file, or from another machine [with the bare flag: target]
    #[arg(
        long,
        value_name = "target|secrets|[USER@]ADDR[:PORT]",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "target",
        help_heading = "System"
    )]
    reuse_host_key: Option<String>,
    /// Install the minimal configuration first and rebuild, or the full one at once
    /// [default: minimal where the flake has nixos-installer/]
    #[arg(long, value_enum, help_heading = "System")]
    via: Option<ViaName>,
    /// Where the full configuration is built [default: target where bootstrap.rebuild.command is
    /// set, else here]
    #[arg(long, value_enum, value_name = "WHERE", help_heading = "System")]
    rebuild_on: Option<RebuildName>,
    /// Who erases, installs and reboots
    #[arg(long, value_enum, default_value_t = EngineName::Native, help_heading = "System")]
    engine: EngineName,
    /// Give each encrypted disk a recovery key, too, and keep it in the secrets file
    /// (bootstrap.secrets.file, else the host's own)
    #[arg(long, help_heading = "System")]
    luks_recovery: bool,
    /// Run only these phases (preflight always runs)
    #[arg(long, value_name = "PHASES", value_delimiter = ',', help_heading = "Phases")]
    only: Vec<String>,
    /// Leave these phases out
    #[arg(long, value_name = "PHASES", value_delimiter = ',', help_heading = "Phases")]
    skip: Vec<String>,
    /// Forget what an interrupted run has done, and begin anew
    #[arg(long, help_heading = "Phases")]
    restart: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ViaName {
    /// The minimal configuration first
    Minimal,
    /// The full configuration at once
    Full,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RebuildName {
    /// On this machine; the closure is copied
    Here,
    /// On the target, from the synced repo
    Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EngineName {
    /// This program
    Native,
    /// The program nixos-anywhere
    NixosAnywhere,
}

/// The wishes that only `bootstrap` has.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Consent {
    /// `--yes`
    pub(super) yes: bool,
    /// `--push`
    pub(super) push: bool,
    /// Can questions be asked?
    pub(super) interactive: bool,
}

impl RunArgs {
    /// The validated options for one host.
    pub(super) fn options(&self, host: HostName, consent: Consent) -> Result<Options, CliError> {
        let target = self.target.as_deref().map(str::parse::<Destination>).transpose()?;
        let port = port(target.as_ref(), self.port)?;
        Ok(Options {
            host,
            flake: self.flake.flake.clone(),
            flake_dir: self.flake.folder(),
            target,
            port,
            identity: self.identity.clone(),
            host_key: self.trusted_key()?,
            user: self.user.as_deref().map(str::parse).transpose()?,
            persist_dir: self.impermanence.as_deref().map(str::parse).transpose()?,
            reuse_host_key: self.reuse_host_key.as_deref().map(str::parse).transpose()?,
            phases: self.selection()?,
            via: self.via.map(|via| match via {
                ViaName::Minimal => Via::Minimal,
                ViaName::Full => Via::Full,
            }),
            engine: match self.engine {
                EngineName::Native => Engine::Native,
                EngineName::NixosAnywhere => Engine::NixosAnywhere,
            },
            rebuild_on: self.rebuild_on.map(|place| match place {
                RebuildName::Here => RebuildOn::Here,
                RebuildName::Target => RebuildOn::Target,
            }),
            luks_recovery: self.luks_recovery,
            override_inputs: self.flake.overrides(),
            push: consent.push,
            interactive: consent.interactive,
            yes: consent.yes,
            restart: self.restart,
        })
    }

    /// Is one target named for the whole command?
    pub(super) fn names_target(&self) -> bool {
        self.target.is_some() || self.port.is_some() || self.host_key.is_some()
    }

    fn trusted_key(&self) -> Result<Option<TrustedKey>, CliError> {
        let parse = |text: &str| {
            text.parse().map_err(|e: InvalidTrustedKey| CliError::usage(format!("--host-key: {e}")))
        };
        self.host_key.as_deref().map(parse).transpose()
    }

    fn selection(&self) -> Result<Selection, CliError> {
        Ok(Selection { only: phases("--only", &self.only)?, skip: phases("--skip", &self.skip)? })
    }
}

fn phases(flag: &str, names: &[String]) -> Result<BTreeSet<Phase>, CliError> {
    let parse = |name: &String| {
        name.trim().parse().map_err(|error| CliError::usage(format!("{flag}: {error}")))
    };
    names.iter().map(parse).collect()
}

/// The port of a machine, which `--port` may name, too.
pub(super) fn port(
    machine: Option<&Destination>,
    flag: Option<u16>,
) -> Result<Option<u16>, CliError> {
    if flag == Some(0) {
        return Err(CliError::usage("--port: port 0 can't be reached"));
    }
    match machine {
        Some(machine) => {
            machine.port_beside(flag).map_err(|error| CliError::usage(error.to_string()))
        }
        None => Ok(flag),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::options::ReuseHostKey;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        run: RunArgs,
    }

    fn parse(words: &[&str]) -> RunArgs {
        Line::try_parse_from([&["x"], words].concat()).unwrap().run
    }

    fn options(words: &[&str]) -> Result<Options, CliError> {
        parse(words).options("grief".parse().unwrap(), Consent::default())
    }

    #[test]
    fn the_bare_impermanence_flag_means_persist() {
        let dir = |words: &[&str]| options(words).unwrap().persist_dir.map(String::from);
        assert_eq!(dir(&[]), None);
        assert_eq!(dir(&["--impermanence"]), Some("/persist".to_owned()));
        assert_eq!(dir(&["--impermanence=/keep"]), Some("/keep".to_owned()));
        assert!(options(&["--impermanence=keep"]).is_err());
    }

    #[test]
    fn a_host_key_is_reused_from_one_of_three_places() {
        let reuse = |words: &[&str]| options(words).map(|options| options.reuse_host_key);
        assert_eq!(reuse(&[]).unwrap(), None);
        assert_eq!(reuse(&["--reuse-host-key"]).unwrap(), Some(ReuseHostKey::Target));
        assert_eq!(reuse(&["--reuse-host-key=secrets"]).unwrap(), Some(ReuseHostKey::Secrets));
        let machine = ReuseHostKey::Machine("ta@10.0.0.9".parse().unwrap());
        assert_eq!(reuse(&["--reuse-host-key=ta@10.0.0.9"]).unwrap(), Some(machine));
        let machine = ReuseHostKey::Machine("ta@[::1]:2222".parse().unwrap());
        assert_eq!(reuse(&["--reuse-host-key=ssh://ta@[::1]:2222"]).unwrap(), Some(machine));
        assert!(reuse(&["--reuse-host-key=a;b"]).is_err());
    }

    #[test]
    fn overrides_are_pairs_in_order() {
        let run =
            parse(&["--override-input", "a", "path:/x", "--override-input", "b/c", "github:o/r"]);
        let pairs = run.flake.overrides();
        assert_eq!(pairs, [("a".into(), "path:/x".into()), ("b/c".into(), "github:o/r".into())]);
    }

    #[test]
    fn relative_overrides_start_at_the_current_folder() {
        let run = parse(&["--override-input", "a", "./x"]);
        let expected = std::env::current_dir().unwrap().join("x");
        assert_eq!(run.flake.overrides()[0].1, expected.to_string_lossy());
    }

    #[test]
    fn phases_are_lists_and_unknown_ones_are_named() {
        let only = options(&["--only", "disko,install", "--skip=reboot"]).unwrap().phases;
        assert!(only.wants(Phase::Disko) && !only.wants(Phase::Reboot) && !only.wants(Phase::Sync));
        assert!(options(&["--only", "disk"]).is_err());
    }

    #[test]
    fn words_that_could_reach_a_shell_are_wrong_usage() {
        assert!(options(&["-d", "host;id"]).is_err());
        assert!(options(&["-d=-oProxyCommand=id"]).is_err());
        assert!(options(&["-u", "a b"]).is_err());
        assert!(options(&["-p", "0"]).is_err());
    }

    #[test]
    fn a_port_stands_behind_the_address_or_apart() {
        let port = |words: &[&str]| options(words).map(|options| options.port);
        assert_eq!(port(&["-d", "root@10.0.0.1:2222"]).unwrap(), Some(2222));
        assert_eq!(port(&["-d", "ssh://10.0.0.1:2222", "-p", "2222"]).unwrap(), Some(2222));
        assert_eq!(port(&["-p", "2222"]).unwrap(), Some(2222));
        assert_eq!(port(&["-d", "::1", "-p", "2222"]).unwrap(), Some(2222));
        assert_eq!(port(&["-d", "::1"]).unwrap(), None);
        assert!(port(&["-d", "10.0.0.1:2222", "-p", "22"]).is_err());
        assert!(port(&["-d", "10.0.0.1:0"]).is_err());
    }
}
