//! Ctrl-C and SIGTERM: the first stops the work in order, the second ends the process at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::error::CliError;
use crate::install::private;
use crate::ui::terminal::{give_back, say};

/// The exit code of what the user has stopped.
const STOPPED: i32 = 3;

/// What is said at the first signal and at the second one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    pub(super) stopping: &'static str,
    pub(super) stopped: &'static str,
}

const OF_A_RUN: Words = Words {
    stopping: "stopping: programs here and on the target are told to end (again to stop at once)",
    stopped: "stopped at once; the next run of the same command cleans up and goes on",
};

const OF_READING: Words =
    Words { stopping: "stopping (again to stop at once)", stopped: "stopped at once" };

/// A token that fires on the first SIGINT, SIGTERM or SIGHUP, for a command that changes nothing.
pub(super) fn cancel_reading_on_signals() -> Result<CancellationToken, CliError> {
    cancel_saying(OF_READING)
}

/// The same for one that has programs change something, here or on a target.
pub(super) fn cancel_on_signals() -> Result<CancellationToken, CliError> {
    cancel_saying(OF_A_RUN)
}

/// The same with words of its own.
pub(super) fn cancel_saying(words: Words) -> Result<CancellationToken, CliError> {
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
    tokio::spawn(watch(signals, token.clone(), words));
    Ok(token)
}

async fn watch(
    [mut interrupt, mut terminate, mut hangup]: [Signal; 3],
    token: CancellationToken,
    words: Words,
) {
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
    say(words.stopping);
    next().await;
    private::remove_all();
    give_back();
    say(words.stopped);
    std::process::exit(STOPPED);
}
