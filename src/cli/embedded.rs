//! What the evaluator inside this program is told of the machine, for the facts of hosts.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::error::CliError;
use super::eval::{programs, pure_settings, real_io};
use super::world::cache_dir;
use crate::facts::Cache;
use crate::facts::embedded::{Setup, WrittenSoFar};
use crate::instantiate::RealStore;
use crate::process::Runner;
use crate::process::nix::Nix;
use crate::store::StoreDir;
use crate::ui::StoreBar;
use crate::ui::clean::clean;
use crate::ui::terminal::say;

/// What is remembered between runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    /// Answers, in the user's cache.
    Cache,
    /// Nothing.
    None,
}

/// What facts are read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// To be shown.
    Reading,
    /// To install the host, which has to be built then.
    Building,
}

/// The setup for flakes of this machine's user.
pub(super) fn setup(
    override_inputs: Vec<(String, String)>,
    memory: Memory,
    goal: Goal,
    runner: Arc<dyn Runner>,
    cancel: CancellationToken,
) -> Result<Setup, CliError> {
    let settings = pure_settings()?;
    let handle = Handle::current();
    let store_dir =
        StoreDir::new(&settings.store_dir).map_err(|error| CliError::usage(error.to_string()))?;
    // The bars of the run are drawn by others.
    let watcher = Box::new(StoreBar::new(false));
    let store = Arc::new(RealStore::new(runner.clone(), Nix::default(), store_dir, watcher));
    let in_store = store.clone();
    // Without a home there is nowhere to remember anything.
    let folder = cache_dir().ok().filter(|_| memory == Memory::Cache);
    Ok(Setup {
        base: settings.working_dir.clone(),
        settings,
        override_inputs,
        run: programs(runner.clone()),
        outside: Box::new(move || {
            let _runtime = handle.enter();
            real_io(runner.clone(), in_store.clone())
        }),
        commits: folder.clone(),
        cache: folder
            .and_then(|folder| Some(Cache::new(folder.join("facts"), identity()?, warn()))),
        cancel,
        store,
        builds: goal == Goal::Building,
        written: WrittenSoFar::default(),
        threads: std::thread::available_parallelism().map_or(1, usize::from),
    })
}

/// What tells this very program from all others, a build of another day too; `None` if that is not known.
fn identity() -> Option<Vec<u8>> {
    let program = std::env::current_exe().ok()?;
    let about = program.metadata().ok()?;
    let numbers = format!(
        "{} {} {} {} {} ",
        env!("CARGO_PKG_VERSION"),
        about.len(),
        about.mtime(),
        about.mtime_nsec(),
        about.ino()
    );
    Some([numbers.as_bytes(), program.as_os_str().as_bytes()].concat())
}

fn warn() -> Arc<dyn Fn(&str) + Send + Sync> {
    Arc::new(|text| {
        let yellow = console::style("warning:").for_stderr().yellow().bold();
        say(&format!("{yellow} {}", clean(text)));
    })
}
