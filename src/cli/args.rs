//! Arguments that several subcommands share, and how they become validated [`Options`].

use std::path::PathBuf;

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::error::CliError;
use super::flake_args::FlakeArgs;
use crate::install::options::{Engine, InvalidTrustedKey, Options, RebuildOn, TrustedKey, Via};
use crate::install::phase::{Phase, Selection};
use crate::remote::Destination;
use crate::validated::HostName;

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
    /// Run only these phases, separated by commas (preflight always runs)
    #[arg(
        long,
        value_name = "PHASES",
        value_delimiter = ',',
        value_parser = phase_names(),
        help_heading = "Phases"
    )]
    only: Vec<Phase>,
    /// Leave these phases out
    #[arg(
        long,
        value_name = "PHASES",
        value_delimiter = ',',
        value_parser = phase_names(),
        help_heading = "Phases"
    )]
    skip: Vec<Phase>,
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
            phases: Selection {
                only: self.only.iter().copied().collect(),
                skip: self.skip.iter().copied().collect(),
            },
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
            evaluation: self.flake.evaluation(),
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
}

/// The phases by their names, which help and completions list and slips are held against.
fn phase_names() -> impl TypedValueParser<Value = Phase> {
    PossibleValuesParser::new(Phase::ALL.map(Phase::name)).try_map(|name| name.parse::<Phase>())
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
    use crate::install::report::resume_command;
    use clap::Parser;

    #[derive(Debug, Parser)]
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
    fn who_evaluated_does_so_when_a_run_goes_on() {
        let resume = |words: &[&str]| resume_command(&options(words).unwrap());
        assert!(
            resume(&["--evaluator", "nix", "--no-cache"]).ends_with(" --evaluator=nix --no-cache")
        );
        assert_eq!(resume(&[]), "nixos-bootstrap bootstrap grief");
    }

    #[test]
    fn phases_are_lists_and_unknown_ones_are_named() {
        let only = options(&["--only", "disko,install", "--skip=reboot"]).unwrap().phases;
        assert!(only.wants(Phase::Disko) && !only.wants(Phase::Reboot) && !only.wants(Phase::Sync));
        let error = Line::try_parse_from(["x", "--only", "disco"]).unwrap_err().to_string();
        assert!(error.contains("'disko'") && error.contains("hostkey"), "{error}");
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
