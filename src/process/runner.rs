//! Running a [`Command`] for real: output captured or streamed, cancelled as a whole group.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin};
use tokio_util::sync::CancellationToken;

use super::command::{Command, Stdin};
use super::dialogue::Dialogue;

/// How long a cancelled program has between `SIGTERM` and `SIGKILL`.
const GRACE: Duration = Duration::from_secs(5);

/// How many bytes of a failed program's standard error are kept for its error message.
const STDERR_TAIL: usize = 4000;

/// Why a command did not do its work. Messages hold the command line, never its input.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program is not in `PATH`.
    #[error("the program {program:?} was not found in PATH")]
    NotFound {
        /// The name that was looked up.
        program: String,
    },
    /// The program could not be started, or its pipes broke.
    #[error("could not run `{command}`: {source}")]
    Io {
        /// The command as typed.
        command: String,
        /// What the system said.
        source: io::Error,
    },
    /// The program ended with another status than 0.
    #[error("`{command}` {}{}", ended(*.code), tail(.stderr))]
    Failed {
        /// The command as typed.
        command: String,
        /// Exit code, or `None` after a signal.
        code: Option<i32>,
        /// The end of what it wrote to standard error.
        stderr: String,
    },
    /// The run was cancelled (Ctrl-C); the program and its children were stopped.
    #[error("`{command}` was stopped")]
    Cancelled {
        /// The command as typed.
        command: String,
    },
    /// The connection to the machine that ran it broke, so how it ended is not known.
    #[error(
        "the connection was lost while `{command}` ran; is the machine still on and reachable?"
    )]
    Lost {
        /// The command as typed.
        command: String,
    },
    /// The program did not end within its limit and was stopped.
    #[error("`{command}` did not finish within {} s", .limit.as_secs())]
    TimedOut {
        /// The command as typed.
        command: String,
        /// The limit.
        limit: Duration,
    },
}

fn ended(code: Option<i32>) -> String {
    code.map_or_else(
        || "was killed by a signal".to_owned(),
        |code| format!("failed with exit code {code}"),
    )
}

fn tail(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!(":\n{stderr}") }
}

/// What a program that has ended left behind.
#[derive(Debug, Clone, Default)]
pub struct Output {
    /// Exit code, or `None` after a signal.
    pub code: Option<i32>,
    /// Everything it wrote to standard output.
    pub stdout: Vec<u8>,
    /// Everything it wrote to standard error.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Did it end with 0?
    #[must_use]
    pub fn ok(&self) -> bool {
        self.code == Some(0)
    }

    /// Standard output as text, without the final newline; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end_matches('\n').to_owned()
    }

    /// Standard error as text, at most its last few thousand bytes.
    #[must_use]
    pub fn error_text(&self) -> String {
        let from = self.stderr.len().saturating_sub(STDERR_TAIL);
        String::from_utf8_lossy(&self.stderr[from..]).trim().to_owned()
    }

    /// The output itself where the program ended with 0, else an error that shows what it said.
    /// `command` is the command as typed.
    pub fn success(self, command: &impl std::fmt::Display) -> Result<Self, Error> {
        if self.ok() {
            return Ok(self);
        }
        Err(Error::Failed {
            command: command.to_string(),
            code: self.code,
            stderr: self.error_text(),
        })
    }
}

/// Which of a program's outputs a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One line that a running program has written, without its newline.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// Where it was written.
    pub stream: Stream,
    /// The text; bytes that are no UTF-8 are replaced.
    pub text: &'a str,
}

/// Takes the lines of a running program, in order within one stream.
pub type LineSink<'a> = dyn FnMut(Line<'_>) + Send + 'a;

/// Runs commands. Implemented by [`RealRunner`] and, for tests, by
/// [`Scripted`](super::scripted::Scripted).
#[async_trait]
pub trait Runner: Send + Sync {
    /// Runs `command` to its end and hands every line to `sink` as it comes. A status other than
    /// 0 is no error here; see [`Output::success`].
    async fn stream(&self, command: &Command, sink: &mut LineSink<'_>) -> Result<Output, Error>;

    /// Runs `command` to its end and captures its output.
    async fn run(&self, command: &Command) -> Result<Output, Error> {
        self.stream(command, &mut |_| {}).await
    }

    /// Starts `command` to talk with it. A runner of prepared answers has nobody to talk with.
    async fn talk(&self, command: &Command) -> Result<Dialogue, Error> {
        Err(Error::NotFound { program: command.program.to_string_lossy().into_owned() })
    }

    /// Were the programs told to end?
    fn is_cancelled(&self) -> bool {
        false
    }

    /// Runs `command` like [`Runner::run`], stopping it after `limit`.
    async fn run_within(&self, command: &Command, limit: Duration) -> Result<Output, Error> {
        // Dropping the future stops the program: see `Guard`.
        match tokio::time::timeout(limit, self.run(command)).await {
            Ok(result) => result,
            Err(_) => Err(Error::TimedOut { command: command.to_string(), limit }),
        }
    }
}

/// Runs commands as children of this process, each in a process group of its own so that a
/// cancellation reaches its children too.
#[derive(Debug, Clone, Default)]
pub struct RealRunner {
    cancel: CancellationToken,
}

impl RealRunner {
    /// A runner whose commands are stopped when `cancel` fires.
    #[must_use]
    pub fn new(cancel: CancellationToken) -> Self {
        Self { cancel }
    }
}

#[async_trait]
impl Runner for RealRunner {
    async fn talk(&self, command: &Command) -> Result<Dialogue, Error> {
        if self.cancel.is_cancelled() {
            return Err(Error::Cancelled { command: command.to_string() });
        }
        let dialogue = Dialogue::start(command)?;
        let (cancel, stopper) = (self.cancel.clone(), dialogue.stopper());
        tokio::spawn(async move {
            cancel.cancelled().await;
            stopper.stop();
        });
        Ok(dialogue)
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    async fn stream(&self, command: &Command, sink: &mut LineSink<'_>) -> Result<Output, Error> {
        if self.cancel.is_cancelled() {
            return Err(Error::Cancelled { command: command.to_string() });
        }
        let broken = |source| Error::Io { command: command.to_string(), source };
        let mut child = spawn(command)?;
        let stdin = child.stdin.take();
        let stdout = lines(child.stdout.take());
        let stderr = lines(child.stderr.take());
        let mut guard = Guard { child, armed: true };
        let work = async {
            let (fed, read) =
                tokio::join!(feed(stdin, &command.stdin), collect(stdout, stderr, sink));
            fed?;
            let (stdout, stderr) = read?;
            let status = guard.child.wait().await?;
            Ok::<_, io::Error>((status, stdout, stderr))
        };
        let done = tokio::select! {
            done = work => done,
            () = self.cancel.cancelled() => {
                guard.stop().await;
                return Err(Error::Cancelled { command: command.to_string() });
            }
        };
        guard.armed = false;
        let (status, stdout, stderr): (ExitStatus, _, _) = done.map_err(broken)?;
        // A shell reports a signal as 128 + N; `None` is kept for the signal itself.
        Ok(Output {
            code: if status.signal().is_some() { None } else { status.code() },
            stdout,
            stderr,
        })
    }
}

fn spawn(command: &Command) -> Result<Child, Error> {
    let broken = |source| Error::Io { command: command.to_string(), source };
    let mut process = tokio::process::Command::new(&command.program);
    let output = || if command.discard_output { Stdio::null() } else { Stdio::piped() };
    process.args(&command.args).stdout(output()).stderr(output());
    if command.clear_env {
        process.env_clear();
    }
    if !command.takes_age_key {
        process.env_remove("SOPS_AGE_KEY");
    }
    for (name, value) in &command.env {
        match value {
            Some(value) => process.env(name, value),
            None => process.env_remove(name),
        };
    }
    if let Some(dir) = &command.dir {
        process.current_dir(dir);
    }
    match &command.stdin {
        Stdin::Null => process.stdin(Stdio::null()),
        Stdin::Inherit => process.stdin(Stdio::inherit()),
        Stdin::Bytes(_) => process.stdin(Stdio::piped()),
        Stdin::File(path) => process.stdin(std::fs::File::open(path).map_err(broken)?),
    };
    // A program that asks on the terminal must stay in its foreground group.
    if !matches!(command.stdin, Stdin::Inherit) {
        process.process_group(0);
    }
    process.spawn().map_err(|source| cannot_start(command, source))
}

/// The error of a program that could not be started.
pub(super) fn cannot_start(command: &Command, source: io::Error) -> Error {
    let dir_missing = command.dir.as_ref().is_some_and(|dir| !dir.is_dir());
    if source.kind() == io::ErrorKind::NotFound && !dir_missing {
        return Error::NotFound { program: command.program.to_string_lossy().into_owned() };
    }
    Error::Io { command: command.to_string(), source }
}

/// Stops the program and its group when a run is dropped half-way.
struct Guard {
    child: Child,
    armed: bool,
}

impl Guard {
    fn signal(&self, signal: rustix::process::Signal) {
        let Some(pid) = self.child.id().and_then(|id| i32::try_from(id).ok()) else { return };
        let Some(pid) = rustix::process::Pid::from_raw(pid) else { return };
        // The group is missing where the program shares ours; then only the program is meant.
        if rustix::process::kill_process_group(pid, signal).is_err() {
            // It may have ended by itself in between, which is just as well.
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    async fn stop(&mut self) {
        self.signal(rustix::process::Signal::TERM);
        if tokio::time::timeout(GRACE, self.child.wait()).await.is_err() {
            self.signal(rustix::process::Signal::KILL);
            // Nothing survives SIGKILL but a zombie, which this reaps.
            let _ = self.child.wait().await;
        }
        self.armed = false;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.armed {
            self.signal(rustix::process::Signal::TERM);
        }
    }
}

async fn feed(pipe: Option<ChildStdin>, stdin: &Stdin) -> io::Result<()> {
    let (Some(mut pipe), Stdin::Bytes(bytes)) = (pipe, stdin) else { return Ok(()) };
    match pipe.write_all(bytes).await {
        // A program that ends without reading its input says so by its status.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// One output of a program, as long as it lasts.
pub(crate) type Lines = Option<BufReader<Box<dyn AsyncRead + Send + Unpin>>>;

/// An output, ready for [`collect`].
pub(crate) fn lines<R: AsyncRead + Send + Unpin + 'static>(pipe: Option<R>) -> Lines {
    pipe.map(|pipe| BufReader::new(Box::new(pipe) as Box<dyn AsyncRead + Send + Unpin>))
}

/// Reads both outputs to their end, keeping all and handing on each line.
pub(crate) async fn collect(
    mut stdout: Lines,
    mut stderr: Lines,
    sink: &mut LineSink<'_>,
) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let (mut out_line, mut err_line) = (Vec::new(), Vec::new());
    while stdout.is_some() || stderr.is_some() {
        let (stream, read) = tokio::select! {
            read = next_line(&mut stdout, &mut out_line), if stdout.is_some() => (Stream::Stdout, read?),
            read = next_line(&mut stderr, &mut err_line), if stderr.is_some() => (Stream::Stderr, read?),
        };
        let (source, all, line) = match stream {
            Stream::Stdout => (&mut stdout, &mut out, &mut out_line),
            Stream::Stderr => (&mut stderr, &mut err, &mut err_line),
        };
        if read == 0 && line.is_empty() {
            *source = None;
            continue;
        }
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        sink(Line { stream, text: &String::from_utf8_lossy(text) });
        all.append(line);
    }
    Ok((out, err))
}

/// Appends to `line` up to the next newline. Safe to drop half-way: what was read stays in `line`.
async fn next_line(source: &mut Lines, line: &mut Vec<u8>) -> io::Result<usize> {
    match source {
        Some(reader) => reader.read_until(b'\n', line).await,
        None => Ok(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        Command::new("sh").arg("-c").arg(script)
    }

    #[tokio::test]
    async fn output_input_and_status_come_through() {
        let command = sh("cat; echo err >&2; exit 3").stdin_bytes("in\n");
        let output = RealRunner::default().run(&command).await.unwrap();
        assert_eq!((output.code, output.text().as_str()), (Some(3), "in"));
        let error = output.success(&command).unwrap_err().to_string();
        assert!(error.contains("exit code 3") && error.contains("err"), "{error}");
    }

    #[tokio::test]
    async fn lines_arrive_one_by_one_even_without_a_final_newline() {
        let mut seen = Vec::new();
        let command = sh("echo a; echo b >&2; printf c");
        let output = RealRunner::default()
            .stream(&command, &mut |line| seen.push((line.stream, line.text.to_owned())))
            .await
            .unwrap();
        assert_eq!(output.stdout, b"a\nc");
        let stdout: Vec<_> = seen.iter().filter(|(s, _)| *s == Stream::Stdout).collect();
        assert_eq!(stdout.len(), 2);
        assert!(seen.contains(&(Stream::Stderr, "b".to_owned())));
    }

    #[tokio::test]
    async fn a_missing_program_is_named() {
        let error =
            RealRunner::default().run(&Command::new("no-such-program-here")).await.unwrap_err();
        assert!(matches!(&error, Error::NotFound { program } if program == "no-such-program-here"));
    }

    #[tokio::test]
    async fn a_program_in_the_background_is_not_waited_for() {
        let command = sh("sleep 5 & exit 4").discard_output();
        let runner = RealRunner::default();
        let output = runner.run_within(&command, Duration::from_secs(3)).await.unwrap();
        assert_eq!(output.code, Some(4));
    }

    #[tokio::test]
    async fn cancelling_stops_the_children_too() {
        let cancel = CancellationToken::new();
        let runner = RealRunner::new(cancel.clone());
        let dir = tempfile::tempdir().unwrap();
        let pid_file = dir.path().join("pid");
        let command = sh(&format!("sleep 60 & echo $! > {}; wait", pid_file.display()));
        let task = tokio::spawn(async move { runner.run(&command).await });
        let pid = loop {
            match std::fs::read_to_string(&pid_file) {
                Ok(text) if text.ends_with('\n') => break text.trim().to_owned(),
                _ => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        };
        cancel.cancel();
        assert!(matches!(task.await.unwrap(), Err(Error::Cancelled { .. })));
        for _ in 0..100 {
            // A zombie that its new parent has not reaped yet counts as gone.
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            if stat.is_empty() || stat.contains(") Z") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the grandchild {pid} is still running");
    }

    #[tokio::test]
    async fn a_limit_stops_the_program_and_is_named() {
        let error = RealRunner::default()
            .run_within(&sh("sleep 60"), Duration::from_millis(50))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::TimedOut { .. }), "{error}");
    }
}
