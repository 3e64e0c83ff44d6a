//! An open connection: every command is a channel of the one master.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use openssh::{Session, Stdio};
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::master::Master;
use super::shell::{self, Become};
use crate::process::{Error, Line, LineSink, Output, Stream, collect, lines};
use crate::remote::command::{Remote, RemoteCommand};
use crate::remote::connect::Connection;

/// How long a stopped command has there until it is given up; longer than the stopping script's own
/// grace.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// How long a machine that is asked for a sign of life has.
const ALIVE_LIMIT: Duration = Duration::from_secs(20);

/// How long the master has to go away after its last channel broke with the connection.
const SETTLE: Duration = Duration::from_millis(500);

/// A connection through a master. Cheap to share; the master ends with the last one who holds it.
pub(super) struct SshConnection {
    inner: Arc<Inner>,
    cancel: CancellationToken,
}

struct Inner {
    master: Master,
    session: Session,
    become_root: Become,
}

impl SshConnection {
    pub(super) fn new(master: Master, root_login: bool, cancel: CancellationToken) -> Self {
        let session = Session::resume_mux(master.socket().into(), None);
        let become_root = if root_login { Become::Login } else { Become::Sudo };
        Self { inner: Arc::new(Inner { master, session, become_root }), cancel }
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
        let become_ = if command.needs_root() { self.inner.become_root } else { Become::Login };
        let (told, group) = watch::channel(None);
        let mut running = Running { inner: self.inner.clone(), become_, group, over: false };
        let work = self.inner.exchange(command, become_, sink, told);
        tokio::pin!(work);
        let limit = command.time_limit();
        let why = tokio::select! {
            done = &mut work => {
                running.over = true;
                return done;
            }
            () = self.cancel.cancelled() => Error::Cancelled { command: command.to_string() },
            limit = after(limit) => Error::TimedOut { command: command.to_string(), limit },
        };
        // The command's last lines still come while it is being stopped.
        let stopped =
            tokio::time::timeout(STOP_LIMIT, stop(&self.inner, running.group.clone(), become_));
        let ended = tokio::time::timeout(STOP_LIMIT, work);
        // Where neither comes to its end the connection is dead, and so soon the command.
        let _ = tokio::join!(stopped, ended);
        running.over = true;
        Err(why)
    }

    fn ssh_options(&self) -> Vec<String> {
        self.inner.master.ssh_options()
    }
}

#[async_trait]
impl Connection for SshConnection {
    async fn close(&self) {
        self.inner.master.end().await;
    }

    async fn is_alive(&self) -> bool {
        if self.inner.master.is_gone() {
            return false;
        }
        let sign = self.inner.run_quietly("exit 0");
        matches!(tokio::time::timeout(ALIVE_LIMIT, sign).await, Ok(true))
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
    inner: Arc<Inner>,
    become_: Become,
    /// The process group, once the wrapper has told it.
    group: watch::Receiver<Option<u32>>,
    over: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        // Without a runtime the whole process is ending, and the master with it: the wrapper there
        // notices that.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (inner, group, become_) = (self.inner.clone(), self.group.clone(), self.become_);
        runtime.spawn(async move {
            // A failure means that the connection is gone, which stops the command, too.
            let _ = tokio::time::timeout(STOP_LIMIT, stop(&inner, group, become_)).await;
        });
    }
}

async fn stop(inner: &Inner, mut group: watch::Receiver<Option<u32>>, become_: Become) {
    // Fails where the command ended (and its sender went) before it told its group: then there is nothing to stop.
    let Ok(known) = group.wait_for(Option::is_some).await.map(|group| *group) else { return };
    if let Some(group) = known {
        inner.run_quietly(&shell::stop_line(group, become_)).await;
    }
}

impl Inner {
    /// Runs a command to its end.
    async fn exchange(
        &self,
        command: &RemoteCommand,
        become_: Become,
        sink: &mut LineSink<'_>,
        group: watch::Sender<Option<u32>>,
    ) -> Result<Output, Error> {
        let mark =
            format!("nixos-bootstrap-{:016x}", rand_core::RngCore::next_u64(&mut rand_core::OsRng));
        let line = shell::run_line(command, &mark, become_);
        if line.len() > shell::LINE_LIMIT {
            let source =
                io::Error::new(io::ErrorKind::ArgumentListTooLong, "too long for one line");
            return Err(Error::Io { command: shortened(command), source });
        }
        let mut child = self
            .session
            .raw_command(&line)
            .stdin(if command.input().is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .await
            .map_err(|error| self.broken(command, error))?;
        let stdin = child.stdin().take();
        let (stdout, stderr) = (lines(child.stdout().take()), lines(child.stderr().take()));
        let mut marked = Marked { mark: &mark, group: &group, sink };
        let mut filtered = |line: Line<'_>| marked.line(line);
        let read = collect(stdout, stderr, &mut filtered);
        let (fed, read) = tokio::join!(feed(stdin, command.input()), read);
        let io = |source| Error::Io { command: command.to_string(), source };
        fed.map_err(io)?;
        let (stdout, stderr) = read.map_err(io)?;
        let code = self.ended(command, child.wait().await).await?;
        Ok(Output { code, stdout, stderr: without_mark(stderr, &mark) })
    }

    /// What the end of a channel means.
    async fn ended(
        &self,
        command: &RemoteCommand,
        status: Result<std::process::ExitStatus, openssh::Error>,
    ) -> Result<Option<i32>, Error> {
        match status {
            Ok(status) => Ok(status.code()),
            // The crate's word for exit code 127.
            Err(openssh::Error::Remote(error)) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Some(127))
            }
            // A signal ended the command, or the connection broke: the protocol of the master's
            // socket tells the two apart only by what becomes of the master.
            Err(openssh::Error::RemoteProcessTerminated) => {
                if self.master.gone_within(SETTLE).await || self.session.check().await.is_err() {
                    return Err(Error::Lost { command: command.to_string() });
                }
                Ok(None)
            }
            Err(error) => Err(self.broken(command, error)),
        }
    }

    fn broken(&self, command: &RemoteCommand, error: openssh::Error) -> Error {
        if self.master.is_gone() || matches!(error, openssh::Error::Disconnected) {
            return Error::Lost { command: command.to_string() };
        }
        Error::Io { command: command.to_string(), source: io::Error::other(with_causes(&error)) }
    }

    /// Runs a line whose output nobody wants. Did it end with 0?
    async fn run_quietly(&self, line: &str) -> bool {
        let mut command = self.session.raw_command(line);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        matches!(command.status().await, Ok(status) if status.success())
    }
}

/// Keeps the wrapper's first line back from the one who reads the command's output.
struct Marked<'a, 'b> {
    mark: &'a str,
    group: &'a watch::Sender<Option<u32>>,
    sink: &'a mut LineSink<'b>,
}

impl Marked<'_, '_> {
    fn line(&mut self, line: Line<'_>) {
        if line.stream == Stream::Stderr
            && let Some(group) = line.text.strip_prefix(self.mark)
        {
            // What is no number comes from no wrapper of ours: nothing is stopped by it.
            self.group.send_replace(group.trim().parse().ok());
            return;
        }
        (self.sink)(line);
    }
}

fn without_mark(stderr: Vec<u8>, mark: &str) -> Vec<u8> {
    let Some(at) = stderr.windows(mark.len()).position(|part| part == mark.as_bytes()) else {
        return stderr;
    };
    let end = stderr[at..]
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(stderr.len(), |end| at + end + 1);
    [&stderr[..at], &stderr[end..]].concat()
}

async fn feed(pipe: Option<openssh::ChildStdin>, input: Option<&[u8]>) -> io::Result<()> {
    let (Some(mut pipe), Some(input)) = (pipe, input) else { return Ok(()) };
    match pipe.write_all(input).await {
        // A command that ends without reading its input says so by its status.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// The start of a command that is too long to be shown.
fn shortened(command: &RemoteCommand) -> String {
    let text = command.to_string();
    let start: String = text.chars().take(60).collect();
    format!("{start}…")
}
