//! The lock of a secrets folder, within a run: it is waited for, since the run must not end because of a command
//! that takes a moment.

use std::path::Path;
use std::time::Duration;

use super::context::{Context, Failure};
use super::lock::{LockError, SecretsLock};

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(200);

/// Takes the lock; waits for as long as a short command may take.
pub(super) async fn wait(cx: &Context<'_>, folder: &Path) -> Result<SecretsLock, Failure> {
    let deadline = tokio::time::Instant::now() + cx.world.limits.command;
    let mut told = false;
    loop {
        match SecretsLock::take(&cx.world.state_dir, folder) {
            Err(error @ LockError::SecretsHeld { .. })
                if tokio::time::Instant::now() < deadline =>
            {
                if !told {
                    cx.step(format!("wait: {error}"));
                    told = true;
                }
                cx.pause(PAUSE).await?;
            }
            other => return other.map_err(|error| failure(&error)),
        }
    }
}

/// Why there is no lock, for the user.
pub(crate) fn failure(error: &LockError) -> Failure {
    let failure = Failure::new(error.to_string());
    match error {
        LockError::Io { .. } => {
            failure.hint("set XDG_STATE_HOME to a folder that you may write to")
        }
        LockError::Held { .. } | LockError::SecretsHeld { .. } => {
            failure.hint("wait for it to end, or stop it with Ctrl-C in its terminal")
        }
    }
}
