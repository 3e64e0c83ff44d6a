//! `secrets rekey`

use std::path::PathBuf;
use std::process::ExitCode;

use super::repo::Repo;
use crate::cli::error::CliError;
use crate::cli::output::print;
use crate::cli::signals::cancel_on_signals;
use crate::install::workshop;
use crate::ui::terminal::say;

/// Encrypt secrets files for the recipients that .sops.yaml has now: exactly those that have others
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  nixos-bootstrap secrets rekey --file ../nix-secrets/.sops.yaml\n\n\
                        A file that loses a recipient gets a new data key, too."
)]
pub(super) struct Args {
    /// Only these files
    files: Vec<String>,
    /// The file with the rules
    #[arg(long, value_name = "FILE", default_value = ".sops.yaml")]
    file: PathBuf,
}

/// Changes the files, all or none.
pub(super) async fn run(args: &Args) -> Result<ExitCode, CliError> {
    let repo = Repo::open(&args.file, cancel_on_signals()?).await?;
    let mut files = repo.files().await?;
    if !args.files.is_empty() {
        let wanted: Vec<String> =
            args.files.iter().map(|name| repo.relative(name)).collect::<Result<_, _>>()?;
        if let Some(other) = wanted.iter().find(|name| !files.iter().any(|(f, _)| f == *name)) {
            return Err(CliError::failed(format!(
                "{other} is no file that sops has encrypted, or no rule covers it"
            )));
        }
        files.retain(|(name, _)| wanted.contains(name));
    }
    let outdated = workshop::outdated(&files, &repo.document);
    repo.workshop.update(&outdated).await?;
    let names: Vec<String> = outdated.iter().map(|file| file.name.clone()).collect();
    let changed = repo.workshop.put_back(&names)?;
    for file in outdated.iter().filter(|file| changed.contains(&file.name)) {
        let how = if file.loses { "new recipients, new data key" } else { "new recipients" };
        print(&format!("{}: {how}\n", file.name))?;
    }
    if changed.is_empty() {
        say("every file has the recipients that its rule wants");
    }
    Ok(ExitCode::SUCCESS)
}
