//! `secrets sops-yaml …`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::ValueEnum;
use similar::TextDiff;

use super::repo::locked;
use crate::cli::embedded::Goal;
use crate::cli::error::CliError;
use crate::cli::flake_args::FlakeArgs;
use crate::cli::output::{Output, print};
use crate::cli::signals::cancel_on_signals;
use crate::facts::{HostFacts, Scope};
use crate::files;
use crate::install::lock::SecretsLock;
use crate::install::secret_files::{self, SecretFile};
use crate::process::RealRunner;
use crate::secrets::age::Recipient;
use crate::secrets::sops_yaml::{Edited, Kind, SopsYaml, Weight, Wish};
use crate::ui::clean::clean_lines;
use crate::ui::terminal::say;
use crate::validated::HostName;

/// Edit .sops.yaml, keeping every byte that need not change
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  nixos-bootstrap secrets sops-yaml set grief age1… --for grief --diff\n  \
                        nixos-bootstrap secrets sops-yaml set ta_grief age1… --kind user --rule 1\n  \
                        nixos-bootstrap secrets sops-yaml remove grief ta_grief\n  \
                        nixos-bootstrap secrets sops-yaml check"
)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Give a key this recipient: in place where the name is there, else at the end of its section
    Set {
        /// The key's name (its anchor)
        name: String,
        /// Its recipient, age1…
        recipient: String,
        /// Whose key it is: the section that a new one goes to
        #[arg(long, value_enum, default_value_t = KindName::Host)]
        kind: KindName,
        /// A rule that is to have it: its `path_regex` as written, or its number from 1 (repeatable)
        #[arg(long, value_name = "RULE")]
        rule: Vec<String>,
        /// Take the rules that cover what this host's evaluated configuration references
        #[arg(long = "for", value_name = "HOST", conflicts_with = "rule")]
        host: Option<String>,
        #[command(flatten)]
        flake: FlakeArgs,
        #[command(flatten)]
        place: Place,
    },
    /// Take keys out of every rule, then out of the list of keys
    Remove {
        /// Their names, or recipients
        #[arg(required = true)]
        names: Vec<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Say what sops would stumble over; the exit code is 1 if there is anything
    Check {
        /// The file
        #[arg(long, value_name = "FILE", default_value = ".sops.yaml")]
        file: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct Place {
    /// The file
    #[arg(long, value_name = "FILE", default_value = ".sops.yaml")]
    file: PathBuf,
    /// Show the difference and write nothing
    #[arg(long)]
    diff: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KindName {
    /// A machine
    Host,
    /// A person
    User,
}

/// Carries the subcommand out.
pub(super) async fn run(args: Args, _: &Output) -> Result<ExitCode, CliError> {
    match args.command {
        Command::Set { name, recipient, kind, rule, host, flake, place } => {
            let _lock = place.lock()?;
            let document = read(&place.file)?;
            let recipient: Recipient =
                recipient.parse().map_err(|error| CliError::usage(format!("{error}")))?;
            let kind = match kind {
                KindName::Host => Kind::Host,
                KindName::User => Kind::User,
            };
            let mut wish = Wish { name, recipient, kind, rules: Vec::new(), own: Vec::new() };
            for word in &rule {
                wish.rules.push(document.rule(word).map_err(|error| failed(&place.file, &error))?);
            }
            if let Some(host) = &host {
                for_host(&mut wish, &document, host, &flake, &place.file).await?;
            } else if rule.is_empty() {
                say("neither --rule nor --for: only the key itself is set, in no further rule");
            }
            let edited = document.set(&wish).map_err(|error| failed(&place.file, &error))?;
            finish(&place, &document, &edited)
        }
        Command::Remove { names, place } => {
            let _lock = place.lock()?;
            let document = read(&place.file)?;
            let edited = document.remove(&names).map_err(|error| failed(&place.file, &error))?;
            finish(&place, &document, &edited)
        }
        Command::Check { file } => check(&file),
    }
}

pub(super) fn failed(file: &Path, error: &impl std::fmt::Display) -> CliError {
    CliError::failed(format!("{}: {error}", file.display()))
}

/// The file can't be opened.
pub(super) fn missing(file: &Path, error: &std::io::Error) -> CliError {
    let failure = failed(file, error);
    let missing = error.kind() == std::io::ErrorKind::NotFound;
    if missing { failure.hint("--file says where it is") } else { failure }
}

impl Place {
    /// Others have to wait, unless nothing is written.
    fn lock(&self) -> Result<Option<SecretsLock>, CliError> {
        if self.diff { Ok(None) } else { locked(&self.file).map(Some) }
    }
}

pub(super) fn read(file: &Path) -> Result<SopsYaml, CliError> {
    let text = std::fs::read_to_string(file).map_err(|error| missing(file, &error))?;
    SopsYaml::parse(&text).map_err(|error| failed(file, &error))
}

/// The rules for the files of a host, by its evaluated configuration.
async fn for_host(
    wish: &mut Wish,
    document: &SopsYaml,
    host: &str,
    flake: &FlakeArgs,
    file: &Path,
) -> Result<(), CliError> {
    let host: HostName = host.parse()?;
    let cancel = cancel_on_signals()?;
    let evaluator =
        flake.evaluator(Goal::Reading, Arc::new(RealRunner::new(cancel.clone())), &cancel)?;
    let facts: HostFacts = evaluator.facts(&flake.flake, &host, Scope::Options).await?;
    let folder = std::path::absolute(file).map_err(|error| failed(file, &error))?;
    let folder = folder.parent().unwrap_or(Path::new("/"));
    let files = secret_files::referenced(&facts);
    if files.is_empty() {
        return Err(CliError::failed(format!("the configuration of {host} references no secrets"))
            .hint("name the rules with --rule"));
    }
    for SecretFile { configured, .. } in &files {
        let Some(relative) = secret_files::locate(configured, folder) else {
            say(&format!("{configured} is not below {}; it is left out", folder.display()));
            continue;
        };
        secret_files::choose(wish, document, &host, &relative)
            .map_err(|error| failed(file, &error))?;
    }
    Ok(())
}

/// Writes the edited text, or shows how it differs.
fn finish(place: &Place, document: &SopsYaml, edited: &Edited) -> Result<ExitCode, CliError> {
    let file = place.file.display().to_string();
    if edited.text == document.text() {
        say(&format!("{file} is as it should be"));
        return Ok(ExitCode::SUCCESS);
    }
    if place.diff {
        let diff = TextDiff::from_lines(document.text(), &edited.text);
        let name = file.trim_start_matches("./");
        let header = (format!("a/{name}"), format!("b/{name}"));
        print(&diff.unified_diff().header(&header.0, &header.1).to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    files::replace(&place.file, document.text().as_bytes(), edited.text.as_bytes())
        .map_err(|error| failed(&place.file, &error))?;
    for line in &edited.said {
        print(&format!("{file}: {line}\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn check(file: &Path) -> Result<ExitCode, CliError> {
    let findings = read(file)?.check();
    for finding in &findings {
        let weight = match finding.weight {
            Weight::Wrong => "error",
            Weight::Odd => "note",
        };
        let text = clean_lines(&finding.text);
        print(&format!("{}:{}: {weight}: {text}\n", file.display(), finding.line))?;
    }
    let wrong = findings.iter().any(|finding| finding.weight == Weight::Wrong);
    Ok(if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
