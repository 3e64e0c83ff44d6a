//! Running one command in a channel of the master, and what its end means.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use openssh::{Session, Stdio};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

use super::master::Master;
use super::shell::{self, Become};
use crate::process::{Error, Line, Output, Stream, collect, lines};
use crate::remote::command::RemoteCommand;

/// A machine that answered this lately need not be asked again.
const ANSWERED_LATELY: Duration = Duration::from_secs(3);

/// How long the master has to go away after its last channel broke with the connection.
const SETTLE: Duration = Duration::from_millis(500);

/// A line that a command has written.
pub(super) type Written = (Stream, String);

/// The master and how it is used. The master ends with the last one who holds this.
pub(super) struct Link {
    master: Master,
    session: Session,
    become_root: Become,
    /// When a command last ended there.
    answered: Mutex<Instant>,
}

impl Link {
    pub(super) fn new(master: Master, root_login: bool) -> Self {
        let session = Session::resume_mux(master.socket().into(), None);
        let become_root = if root_login { Become::Login } else { Become::Sudo };
        Self { master, session, become_root, answered: Mutex::new(Instant::now()) }
    }

    pub(super) fn master(&self) -> &Master {
        &self.master
    }

    /// How a command of this login gets to be root.
    pub(super) fn become_root(&self) -> Become {
        self.become_root
    }

    /// Runs a command to its end. Tells its process group as soon as it is known.
    pub(super) async fn exchange(
        &self,
        command: &RemoteCommand,
        become_: Become,
        group: &watch::Sender<Option<u32>>,
        written: &UnboundedSender<Written>,
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
            .map_err(|error| self.broken(command, &error))?;
        let stdin = child.stdin().take();
        let (stdout, stderr) = (lines(child.stdout().take()), lines(child.stderr().take()));
        let mut sort = |line: Line<'_>| match group_told(line, &mark) {
            Some(told) => {
                group.send_replace(Some(told));
            }
            // Fails where nobody waits for the command any more.
            None => drop(written.send((line.stream, line.text.to_owned()))),
        };
        let read = collect(stdout, stderr, &mut sort);
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
            Ok(status) => {
                *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
                Ok(status.code())
            }
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
            Err(error) => Err(self.broken(command, &error)),
        }
    }

    /// Has a command come to its end there a moment ago?
    pub(super) fn answered_lately(&self) -> bool {
        let answered = *self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        answered.elapsed() < ANSWERED_LATELY
    }

    fn broken(&self, command: &RemoteCommand, error: &openssh::Error) -> Error {
        if self.master.is_gone() || matches!(error, openssh::Error::Disconnected) {
            return Error::Lost { command: command.to_string() };
        }
        Error::Io { command: command.to_string(), source: io::Error::other(with_causes(error)) }
    }

    /// Runs a line whose output nobody wants. Did it end with 0?
    pub(super) async fn run_quietly(&self, line: &str) -> bool {
        let mut command = self.session.raw_command(line);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        matches!(command.status().await, Ok(status) if status.success())
    }
}

/// The process group that the wrapper's own line tells.
fn group_told(line: Line<'_>, mark: &str) -> Option<u32> {
    if line.stream == Stream::Stdout {
        return None;
    }
    line.text.strip_prefix(mark)?.trim().parse().ok()
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
