//! Running a `nix` command that logs in its JSON format: what it says on the way, and why it failed.

use std::time::Duration;

use super::nix::clean_error;
use super::nix_log::{Log, Update};
use super::{Command, Error, Line, Output, Runner, Stream};

/// Why a `nix` command did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum NixError {
    /// It could not be run, was stopped, or failed without a word of its own.
    #[error(transparent)]
    Process(#[from] Error),
    /// What nix said, without traces and colours.
    #[error("{0}")]
    Said(String),
}

/// Runs a `nix` command that logs in nix's JSON format to standard error, and tells its progress, texts and errors.
///
/// # Errors
///
/// See [`NixError`].
pub async fn run(
    runner: &dyn Runner,
    command: &Command,
    limit: Option<Duration>,
    mut tell: impl FnMut(&Update) + Send,
) -> Result<Output, NixError> {
    let mut log = Log::new();
    let mut errors: Vec<String> = Vec::new();
    let mut sink = |line: Line<'_>| {
        // Results come back in the output; only the log is for people.
        if line.stream != Stream::Stderr {
            return;
        }
        let Some(update) = log.line(line.text) else { return };
        tell(&update);
        if let Update::Error(error) = update {
            errors.push(error);
        }
    };
    let run = runner.stream(command, &mut sink);
    let output = match limit {
        None => run.await?,
        Some(limit) => tokio::time::timeout(limit, run)
            .await
            .map_err(|_| Error::TimedOut { command: command.to_string(), limit })??,
    };
    if output.ok() {
        return Ok(output);
    }
    if errors.is_empty() {
        // It said nothing in its own words (a signal, a missing library): what there is.
        output.success(command)?;
    }
    Err(NixError::Said(clean_error(&errors.join("\n"))))
}
