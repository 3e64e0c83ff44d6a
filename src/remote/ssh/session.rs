//! An open connection: commands run in channels of the one master, and are stopped over there when
//! the run is cancelled, over its limit, or dropped.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::channel::{Link, Written};
use super::master::Master;
use super::shell::{self, Become};
use crate::process::{Error, Line, LineSink, Output};
use crate::remote::command::{Remote, RemoteCommand};
use crate::remote::connect::{Connection, ProvenKey};

/// How long a stopped command has there until it is given up; longer than the stopping script's own
/// grace.
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// How long a machine that is asked for a sign of life has.
const ALIVE_LIMIT: Duration = Duration::from_secs(20);

/// A connection through a master. Cheap to share; the master ends with the last one who holds it.
pub(super) struct SshConnection {
    link: Arc<Link>,
    host_key: Option<ProvenKey>,
    cancel: CancellationToken,
}

impl SshConnection {
    pub(super) fn new(
        master: Master,
        root_login: bool,
        host_key: Option<ProvenKey>,
        cancel: CancellationToken,
    ) -> Self {
        Self { link: Arc::new(Link::new(master, root_login)), host_key, cancel }
    }
}

#[async_trait]
impl Remote for SshConnection {
    async fn stream(
        &self,
        command: &RemoteCommand,
        sink: &mut LineSink<'_>,
    ) -> Result<Output, Error> {
        if self.cancel.is_cancelled() {
            return Err(Error::Cancelled { command: command.to_string() });
        }
        let become_ = if command.needs_root() { self.link.become_root() } else { Become::Login };
        let (told, group) = watch::channel(None);
        let (written, mut lines) = mpsc::unbounded_channel();
        let mut running = Running { link: self.link.clone(), become_, group, over: false };
        // A task of its own: it goes on when this future is dropped, so that the command can still
        // be stopped.
        let link = self.link.clone();
        let own = command.clone();
        let task = tokio::spawn(async move { link.exchange(&own, become_, &told, &written).await });
        let why = tokio::select! {
            () = pass_on(&mut lines, sink) => {
                let done = task.await;
                running.over = true;
                return done.unwrap_or_else(|error| Err(broken(command, &error)));
            }
            () = self.cancel.cancelled() => Error::Cancelled { command: command.to_string() },
            limit = after(command.time_limit()) => {
                Error::TimedOut { command: command.to_string(), limit }
            }
        };
        // The command's last lines still come while it is being stopped.
        let end = async { tokio::join!(running.stop(), pass_on(&mut lines, sink)) };
        // Where this does not come to its end the connection is dead, and so soon the command.
        let _ = tokio::time::timeout(STOP_LIMIT, end).await;
        running.over = true;
        Err(why)
    }

    fn ssh_options(&self) -> Vec<String> {
        self.link.master().ssh_options()
    }
}

#[async_trait]
impl Connection for SshConnection {
    async fn close(&self) {
        self.link.master().end().await;
    }

    async fn is_alive(&self) -> bool {
        if self.link.master().is_gone() {
            return false;
        }
        if self.link.answered_lately() {
            return true;
        }
        let sign = self.link.run_quietly("exit 0");
        matches!(tokio::time::timeout(ALIVE_LIMIT, sign).await, Ok(true))
    }

    fn host_key(&self) -> Option<&ProvenKey> {
        self.host_key.as_ref()
    }
}

/// Waits for the limit, or for ever where there is none.
async fn after(limit: Option<Duration>) -> Duration {
    match limit {
        Some(limit) => {
            tokio::time::sleep(limit).await;
            limit
        }
        None => std::future::pending().await,
    }
}

/// A command that runs there, and is stopped there when it is dropped before its end.
struct Running {
    link: Arc<Link>,
    become_: Become,
    /// The process group, once the wrapper has told it.
    group: watch::Receiver<Option<u32>>,
    over: bool,
}

impl Running {
    fn stop(&self) -> impl Future<Output = ()> + Send + 'static {
        let (link, mut group, become_) = (self.link.clone(), self.group.clone(), self.become_);
        async move {
            // Fails where the command ended, and its sender went, before its group was told.
            let Ok(known) = group.wait_for(Option::is_some).await.map(|group| *group) else {
                return;
            };
            if let Some(group) = known {
                link.run_quietly(&shell::stop_line(group, become_)).await;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        // Without a runtime the whole process is ending, and the master with it: the wrapper there
        // notices that.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            // Over its limit the connection is dead, which ends the command, too.
            runtime.spawn(tokio::time::timeout(STOP_LIMIT, self.stop()));
        }
    }
}

/// Hands lines on until the command has ended.
async fn pass_on(lines: &mut UnboundedReceiver<Written>, sink: &mut LineSink<'_>) {
    while let Some((stream, text)) = lines.recv().await {
        sink(Line { stream, text: &text });
    }
}

fn broken(command: &RemoteCommand, error: &tokio::task::JoinError) -> Error {
    Error::Io { command: command.to_string(), source: io::Error::other(error.to_string()) }
}
