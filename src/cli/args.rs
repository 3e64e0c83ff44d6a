//! Arguments that several subcommands share, and how they become validated [`Options`].

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use tokio_util::sync::CancellationToken;

use super::embedded::{Goal, Memory, setup};
use super::error::CliError;
use crate::facts::{EmbeddedEvaluator, Evaluator, Images, NixEvaluator};
use crate::flake::folder_of;
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
    #[arg(
        long,
        value_name = "REF",
        default_value = ".",
        value_parser = flake_reference,
        help_heading = "Flake"
    )]
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

    /// The other flags that say how to evaluate, as typed.
    fn evaluation(&self) -> Vec<String> {
        let nix = [(self.evaluator == EvaluatorName::Nix, "--evaluator=nix")];
        let flags = nix.into_iter().chain([(self.no_cache, "--no-cache")]);
        flags.filter(|(given, _)| *given).map(|(_, flag)| flag.to_owned()).collect()
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

    /// The folder that holds `flake.nix`, where the flake is on this machine.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        folder_of(&self.flake, &std::env::current_dir().ok()?)
    }
}

/// A flake reference without an attribute. A path below the flake's folder, where `nix` looks upwards, becomes that
/// of the folder: what is beside `flake.nix` is looked for there, too.
fn flake_reference(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("it is empty; give the folder that holds flake.nix".to_owned());
    }
    if let Some((flake, attribute)) = text.split_once('#') {
        let flake = if flake.is_empty() { "." } else { flake };
        return Err(format!(
            "#{attribute} is too much: give the flake alone (--flake {flake}), and a host by its name"
        ));
    }
    if is_url(text) {
        return Ok(escaped(text));
    }
    let (path, query) =
        text.split_once('?').map_or((text, None), |(path, rest)| (path, Some(rest)));
    if !path.starts_with(['.', '/']) || Path::new(path).join("flake.nix").is_file() {
        return Ok(text.to_owned());
    }
    let found = std::env::current_dir().ok().and_then(|base| folder_of(text, &base));
    let found = found.and_then(|folder| folder.into_os_string().into_string().ok());
    Ok(match (found.filter(|folder| !folder.contains(['?', '#', '%'])), query) {
        (Some(folder), Some(query)) => format!("{folder}?{query}"),
        (Some(folder), None) => folder,
        // What is not found is told by whoever opens it.
        (None, _) => text.to_owned(),
    })
}

/// Does it begin with a scheme, as RFC 3986 has it?
fn is_url(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(plain)
    })
}

/// A URL as a person types it: blanks and letters beyond ASCII are escaped.
fn escaped(url: &str) -> String {
    let mut text = String::new();
    for c in url.chars() {
        if c.is_ascii_graphic() {
            text.push(c);
        } else {
            let mut bytes = [0; 4];
            text.extend(c.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")));
        }
    }
    text
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
    fn a_flake_is_found_from_below_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("a b/hosts/grief")).unwrap();
        std::fs::write(root.join("a b/flake.nix"), "{ }").unwrap();
        let (root, flake) = (root.to_str().unwrap(), root.join("a b"));
        let find = |reference: &str| {
            let args = parse(&["--flake", reference]).flake;
            (args.flake.clone(), args.folder())
        };
        for (below, reference) in [
            ("a b", format!("{root}/a b")),
            ("a b/hosts/grief", format!("{root}/a b")),
            ("a b/flake.nix", format!("{root}/a b")),
            ("a b/hosts?lastModified=1", format!("{root}/a b?lastModified=1")),
        ] {
            let found = find(&format!("{root}/{below}"));
            assert_eq!(found, (reference, Some(flake.clone())), "{below}");
        }
        for url in ["path:@/a%20b", "path:@?dir=a%20b", "path:@/a%20b?lastModified=1"] {
            let url = url.replace('@', root);
            assert_eq!(find(&url), (url.clone(), Some(flake.clone())));
        }
        let typed = format!("path:{root}/a b");
        assert_eq!(find(&typed), (format!("path:{root}/a%20b"), Some(flake)));
        assert_eq!(find("git+file:///ä?ref=x").0, "git+file:///%C3%A4?ref=x");
        for elsewhere in [root, "github:o/r", "nixpkgs", "/no/such/folder"] {
            assert_eq!(find(elsewhere), (elsewhere.to_owned(), None));
        }
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
    fn a_flake_reference_names_no_attribute() {
        let said = |reference: &str| {
            Line::try_parse_from(["x", "--flake", reference]).unwrap_err().to_string()
        };
        let error = said(".#grief");
        assert!(error.contains("--flake <REF>") && error.contains("#grief is too much"), "{error}");
        assert!(said(" ").contains("it is empty"));
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
