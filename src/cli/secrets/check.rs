//! `secrets check HOST`

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use super::repo::{Repo, sops_yaml_of};
use super::{input, sops_yaml};
use crate::cli::embedded::Goal;
use crate::cli::error::CliError;
use crate::cli::flake_args::FlakeArgs;
use crate::cli::output::print;
use crate::cli::signals::cancel_on_signals;
use crate::facts::Scope;
use crate::install::secret_files;
use crate::process::RealRunner;
use crate::secrets::sops::Opened;
use crate::secrets::sops_file::{FileError, SopsFile};
use crate::validated::HostName;

/// Say for every secret that a host's configuration references whether the host can read it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  nixos-bootstrap secrets check grief\n  \
                        nixos-bootstrap secrets check grief --key ./ssh_host_ed25519_key\n\n\
                        Without --key it is only looked whether the host is among the recipients. \
                        The exit code is 1 if anything can't be read.")]
pub(super) struct Args {
    /// The host
    host: String,
    /// The host's private ssh key, or an age identity: really opens the files, with it alone
    #[arg(long, value_name = "FILE|-")]
    key: Option<String>,
    /// The host's name in .sops.yaml [default: HOST]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    flake: FlakeArgs,
    /// The file with the rules [default: that of the secrets repo]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Prints a line for each file and each secret.
pub(super) async fn run(args: &Args) -> Result<ExitCode, CliError> {
    let host: HostName = args.host.parse()?;
    let cancel = cancel_on_signals()?;
    let identity = args.key.as_deref().map(input::identity).transpose()?;
    let evaluator =
        args.flake.evaluator(Goal::Reading, Arc::new(RealRunner::new(cancel.clone())), &cancel)?;
    let facts = evaluator.facts(&args.flake.flake, &host, Scope::Options).await?;
    let file = match &args.file {
        Some(file) => file.clone(),
        None => sops_yaml_of(&facts, args.flake.folder().as_deref())?,
    };
    let repo = Repo::look_at(&file, cancel).await?;
    let key_file = match &identity {
        Some(identity) => {
            let written = repo.private.write("identity", identity.secret().expose());
            Some(written.map_err(|error| sops_yaml::failed(repo.private.path(), &error))?)
        }
        None => None,
    };
    let name = args.name.clone().unwrap_or_else(|| host.to_string());
    let recipient = repo.document.recipient(&name);
    if identity.is_none() && recipient.is_none() {
        return Err(CliError::failed(format!("{} has no key named {name}", repo.file.display()))
            .hint("--name says what the host is called there, --key proves it by its key"));
    }
    let mut all = true;
    for wanted in secret_files::referenced(&facts) {
        let relative = secret_files::locate(&wanted.configured, &repo.folder);
        let shown = relative.clone().unwrap_or_else(|| wanted.configured.clone());
        let state = match (&relative, &key_file) {
            (None, _) => Opened::Missing,
            (Some(relative), Some(key)) => repo.workshop.open_alone(relative, key).await?,
            (Some(relative), None) => among(&repo, relative, recipient.as_deref()),
        };
        all &= state == Opened::Readable;
        print(&format!("{shown}: {}\n", words(&state)))?;
        let parsed = relative.and_then(|relative| {
            let content = std::fs::read(repo.folder.join(&relative)).ok()?;
            SopsFile::parse(&relative, &content).ok()
        });
        for (secret, key) in &wanted.secrets {
            let there = parsed.as_ref().is_some_and(|parsed| parsed.has(key));
            all &= there;
            let state = if there { words(&state) } else { "missing".to_owned() };
            print(&format!("  {secret} ({key}): {state}\n"))?;
        }
    }
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Is the host among those who can open the file, by its metadata?
fn among(repo: &Repo, relative: &str, recipient: Option<&str>) -> Opened {
    let content = match std::fs::read(repo.folder.join(relative)) {
        Ok(content) => content,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Opened::Missing,
        Err(error) => return Opened::Malformed(error.to_string()),
    };
    match SopsFile::parse(relative, &content) {
        Ok(file) if recipient.is_some_and(|r| file.recipients().contains(r)) => Opened::Readable,
        Ok(_) => Opened::NotARecipient,
        Err(FileError::Malformed(reason)) => Opened::Malformed(reason),
        Err(error) => Opened::Malformed(error.to_string()),
    }
}

fn words(state: &Opened) -> String {
    match state {
        Opened::Readable => "readable".to_owned(),
        Opened::NotARecipient => "not a recipient".to_owned(),
        Opened::Missing => "missing".to_owned(),
        Opened::Malformed(reason) => format!("malformed ({})", crate::ui::clean::clean(reason)),
    }
}
