//! Builds the world of a run from the process's surroundings.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::embedded::Goal;
use super::error::CliError;
use super::flake_args::FlakeArgs;
use super::output::Output;
use crate::install::context::{Limits, World};
use crate::install::event::Reporter;
use crate::install::private;
use crate::process::RealRunner;
use crate::remote::{Mdns, SshConnector, forges};
use crate::ui::lines::LineReporter;
use crate::ui::live::LiveReporter;
use crate::ui::prompts::TerminalPrompter;

/// Who is told what happens, and the bars that have to make way for a question.
pub(super) struct Told {
    pub(super) reporter: Arc<dyn Reporter>,
    live: Option<Arc<LiveReporter>>,
}

impl Told {
    /// Events go to `reporter`, and nothing moves on the terminal.
    pub(super) fn still(reporter: impl Reporter + 'static) -> Self {
        Self { reporter: Arc::new(reporter), live: None }
    }
}

/// Events for a person: bars on a terminal, lines elsewhere.
pub(super) fn told(output: &Output, debug: bool) -> Told {
    if !output.live {
        return Told::still(LineReporter::new(std::io::stderr(), debug));
    }
    let live = Arc::new(LiveReporter::new(debug));
    Told { reporter: live.clone(), live: Some(live) }
}

/// The real world: programs, ssh, the terminal, the user's folders.
pub(super) fn world(
    flake: &FlakeArgs,
    goal: Goal,
    told: &Told,
    cancel: CancellationToken,
) -> Result<World, CliError> {
    let runner = Arc::new(RealRunner::new(cancel.clone()));
    Ok(World {
        evaluator: flake.evaluator(goal, runner.clone(), &cancel)?,
        connector: Arc::new(SshConnector::new(runner.clone(), cancel.clone())),
        runner,
        reporter: told.reporter.clone(),
        finder: Arc::new(Mdns),
        prompter: Arc::new(TerminalPrompter::new(told.live.clone())),
        cancel,
        state_dir: state_dir()?,
        user_known_hosts: home()?.join(".ssh/known_hosts"),
        forges: forges::all(),
        private_bases: private::bases(),
        limits: Limits::default(),
    })
}

/// `$XDG_STATE_HOME/nixos-bootstrap`, by the XDG Base Directory Specification: a relative path in
/// the variable counts as unset.
pub(super) fn state_dir() -> Result<PathBuf, CliError> {
    own_dir("XDG_STATE_HOME", ".local/state")
}

/// `$XDG_CACHE_HOME/nixos-bootstrap`, in the same way.
pub(super) fn cache_dir() -> Result<PathBuf, CliError> {
    own_dir("XDG_CACHE_HOME", ".cache")
}

fn own_dir(variable: &str, below_home: &str) -> Result<PathBuf, CliError> {
    let set = std::env::var_os(variable).map(PathBuf::from);
    let base = match set.filter(|path| path.is_absolute()) {
        Some(base) => base,
        None => home()?.join(below_home),
    };
    Ok(base.join("nixos-bootstrap"))
}

/// The user's home directory.
pub(super) fn home() -> Result<PathBuf, CliError> {
    let home = std::env::home_dir().filter(|home| home.is_absolute());
    home.ok_or_else(|| {
        CliError::failed("there is no home directory").hint("set HOME to an absolute path")
    })
}
