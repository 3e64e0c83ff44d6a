//! Ctrl-C and SIGTERM: the first stops the work in order, the second ends the process at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::error::CliError;
use crate::install::private;
use crate::ui::terminal::{give_back, say};

/// The exit code of what the user has stopped.
const STOPPED: i32 = 3;

/// A token that fires on the first SIGINT, SIGTERM or SIGHUP.
pub(super) fn cancel_on_signals() -> Result<CancellationToken, CliError> {
    let listen = |kind| {
        signal(kind)
            .map_err(|error| CliError::failed(format!("could not listen to signals: {error}")))
    };
    let signals = [
        listen(SignalKind::interrupt())?,
        listen(SignalKind::terminate())?,
        listen(SignalKind::hangup())?,
    ];
    let token = CancellationToken::new();
    tokio::spawn(watch(signals, token.clone()));
    Ok(token)
}

async fn watch([mut interrupt, mut terminate, mut hangup]: [Signal; 3], token: CancellationToken) {
    let mut next = async || {
        tokio::select! {
            _ = interrupt.recv() => {},
            _ = terminate.recv() => {},
            _ = hangup.recv() => {},
        }
    };
    next().await;
    token.cancel();
    give_back();
    say("stopping: programs here and on the target are told to end (again to stop at once)");
    next().await;
    private::remove_all();
    give_back();
    say("stopped at once; the next run of the same command cleans up and goes on");
    std::process::exit(STOPPED);
}
