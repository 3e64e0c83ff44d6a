//! Builds the world of a run from the process's surroundings.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::args::FlakeArgs;
use super::error::CliError;
use crate::install::context::{Limits, World};
use crate::install::event::Reporter;
use crate::install::private::PrivateDir;
use crate::process::RealRunner;
use crate::remote::SshConnector;
use crate::ui::prompts::TerminalPrompter;

/// The real world: programs, ssh, the terminal, the user's folders.
pub(super) fn world(
    flake: &FlakeArgs,
    reporter: Arc<dyn Reporter>,
    cancel: CancellationToken,
) -> Result<World, CliError> {
    let runner = Arc::new(RealRunner::new(cancel.clone()));
    Ok(World {
        evaluator: flake.evaluator(runner.clone())?,
        connector: Arc::new(SshConnector::new(runner.clone(), cancel.clone())),
        runner,
        reporter,
        prompter: Arc::new(TerminalPrompter),
        cancel,
        state_dir: state_dir()?,
        user_known_hosts: home()?.join(".ssh/known_hosts"),
        private_bases: PrivateDir::bases(),
        limits: Limits::default(),
    })
}

/// `$XDG_STATE_HOME/nixos-bootstrap`, by the XDG Base Directory Specification: a relative path in
/// the variable counts as unset.
fn state_dir() -> Result<PathBuf, CliError> {
    let set = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let base = match set.filter(|path| path.is_absolute()) {
        Some(base) => base,
        None => home()?.join(".local/state"),
    };
    Ok(base.join("nixos-bootstrap"))
}

fn home() -> Result<PathBuf, CliError> {
    let home = std::env::home_dir().filter(|home| home.is_absolute());
    home.ok_or_else(|| {
        CliError::failed("there is no home directory").hint("set HOME to an absolute path")
    })
}
