//! `eval`: the embedded evaluator by itself, in the words of `nix eval` and `nix-instantiate --eval`.

mod fetch;
mod job;
mod nix_conf;
mod options;
mod source;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::error::{CliError, exit_code};
use super::output::Output;
use crate::eval::io::RealIo;
use crate::eval::settings::Settings;
use crate::eval::thread::spawn;
use crate::install::context::FailureKind;
use crate::instantiate::RealStore;
use crate::process::{RealRunner, Runner};
use crate::ui::terminal::say;
pub(super) use fetch::programs;
use job::{Ended, Job};

/// Evaluate a Nix expression with the evaluator inside this program
///
/// Prints what nix-instantiate --eval prints for the same words: without --strict only what is evaluated
/// anyway. An expression or a file is evaluated impurely unless --pure is given. Of a flake it prints what
/// nix eval prints; no lock file is written.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  nixos-bootstrap eval --expr '{ a = 1 + 1; }' --strict\n  \
                        nixos-bootstrap eval -f ./default.nix -A hello.meta --json --strict\n  \
                        nixos-bootstrap eval --expr '{ x }: x * 2' --arg x 21\n  \
                        nixos-bootstrap eval .#nixosConfigurations.web.config.networking.hostName\n  \
                        nixos-bootstrap eval --instantiate -f ./default.nix -A hello")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct Args {
    /// An attribute path below --expr or --file; without these, a file, `<name>`, - for standard input,
    /// or an attribute of a flake as .#a.b
    #[arg(value_name = "ATTR|FILE|FLAKE")]
    words: Vec<OsString>,
    /// Evaluate this expression (repeatable)
    #[arg(long, short = 'E', value_name = "EXPR", allow_hyphen_values = true)]
    expr: Vec<OsString>,
    /// Evaluate this file; - is standard input, `<name>` is looked up in the search path
    #[arg(long, short, value_name = "FILE", conflicts_with = "expr")]
    file: Option<OsString>,
    /// Select this attribute, as a.b."c.d".0 (repeatable)
    #[arg(long, short = 'A', value_name = "ATTR")]
    attr: Vec<OsString>,
    /// Call the result with this function
    #[arg(long, value_name = "FUNCTION", allow_hyphen_values = true)]
    apply: Option<OsString>,
    /// Evaluate what is inside of sets and lists, too
    #[arg(long)]
    strict: bool,
    /// Print JSON
    #[arg(long, group = "form")]
    json: bool,
    /// Print a string without quotes and newline
    #[arg(long, group = "form")]
    raw: bool,
    /// Print XML
    #[arg(long, group = "form")]
    xml: bool,
    /// Write the derivations that the result is, and all that they need, into the store, and print
    /// their paths, as nix-instantiate does
    #[arg(long, group = "form", conflicts_with = "strict")]
    instantiate: bool,
    /// Leave the places of attributes and functions out of the XML
    #[arg(long)]
    no_location: bool,
    #[command(flatten)]
    options: options::Options,
}

/// How long an interrupted evaluation has to say so; it has nothing to clean up.
const PATIENCE: Duration = Duration::from_millis(500);

/// Evaluates and prints.
pub(super) async fn run(args: Args, output: &Output) -> Result<ExitCode, CliError> {
    let stop = Stop::on_signals()?;
    let runner = Arc::new(RealRunner::new(stop.programs.clone()));
    let job = Job::new(args, output, stop.evaluation.clone(), runner)?;
    let (sender, mut ended) = oneshot::channel();
    let work = move || {
        // Nobody listens any more if the user did not want to wait.
        let _ = sender.send(job.run());
    };
    spawn(work)
        .map_err(|error| CliError::failed(format!("could not start the evaluator: {error}")))?;
    let ended = tokio::select! {
        ended = &mut ended => ended,
        () = stop.programs.cancelled() => {
            match tokio::time::timeout(PATIENCE, ended).await {
                Ok(ended) => ended,
                Err(_) => Ok(Ended::Interrupted),
            }
        }
    };
    match ended.unwrap_or_else(|_| Ended::Failed("error: the evaluator has ended early".into())) {
        Ended::Printed => Ok(ExitCode::SUCCESS),
        // A program that was stopped is a failure for the evaluator.
        Ended::Failed(report) if !stop.programs.is_cancelled() => {
            say(&report);
            Ok(exit_code(FailureKind::Failed))
        }
        Ended::Wrong(error) if !stop.programs.is_cancelled() => Err(error),
        Ended::Failed(_) | Ended::Wrong(_) | Ended::Interrupted => {
            say("error: interrupted by the user");
            Ok(exit_code(FailureKind::Stopped))
        }
    }
}

/// The settings that the machine and the user have for Nix, for a flake.
pub(super) fn pure_settings() -> Result<Settings, CliError> {
    let mut settings = options::Options::pure().choose()?.settings;
    settings.features.flakes = true;
    settings.features.fetch_tree = true;
    Ok(settings)
}

/// This machine as an evaluation sees it that has programs run by `runner`. To be called within the runtime.
pub(super) fn real_io(runner: Arc<dyn Runner>, store: Arc<RealStore>) -> RealIo {
    RealIo::new()
        .with_colour(console::colors_enabled_stderr())
        .fetching_with(fetch::hook(runner))
        .with_store(store)
}

/// What a signal stops.
struct Stop {
    evaluation: Arc<AtomicBool>,
    programs: CancellationToken,
}

impl Stop {
    fn on_signals() -> Result<Self, CliError> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| CliError::failed(format!("could not listen to signals: {error}")))
        };
        let mut interrupt = listen(SignalKind::interrupt())?;
        let mut terminate = listen(SignalKind::terminate())?;
        let mut hangup = listen(SignalKind::hangup())?;
        let stop = Self { evaluation: Arc::default(), programs: CancellationToken::new() };
        let (evaluation, programs) = (stop.evaluation.clone(), stop.programs.clone());
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {},
                _ = terminate.recv() => {},
                _ = hangup.recv() => {},
            }
            evaluation.store(true, Ordering::Relaxed);
            programs.cancel();
        });
        Ok(stop)
    }
}
