//! A program that is talked with: its input and output as streams, for as long as the talk goes on.

use std::io::{self, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::command::Command;
use super::runner::{Error, cannot_start};

/// How long a program has to end by itself, once its input has ended.
const GRACE: Duration = Duration::from_secs(2);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(2);
/// How many bytes of its standard error are kept: the last ones.
const KEPT: usize = 1 << 16;

/// A running program. Dropped, its input ends, and so does the program, if need be by force.
#[derive(Debug)]
pub struct Dialogue {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    said: Arc<Mutex<Vec<u8>>>,
    listening: Option<JoinHandle<()>>,
    stopper: Stopper,
}

/// Stops a program from another thread. Once the program has been waited for, its number is nobody's, or another
/// program's: then there is none here any more.
#[derive(Debug, Clone)]
pub(super) struct Stopper(Arc<Mutex<Option<Pid>>>);

impl Dialogue {
    /// Starts a program, in a process group of its own. What `command` says of standard input is not looked at.
    pub(super) fn start(command: &Command) -> Result<Self, Error> {
        use std::os::unix::process::CommandExt;
        let mut process = std::process::Command::new(&command.program);
        process.args(&command.args).process_group(0);
        for (name, value) in &command.env {
            match value {
                Some(value) => process.env(name, value),
                None => process.env_remove(name),
            };
        }
        if let Some(dir) = &command.dir {
            process.current_dir(dir);
        }
        process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = process.spawn().map_err(|source| cannot_start(command, source))?;
        let said = Arc::default();
        let listening = child.stderr.take().and_then(|stderr| listen(stderr, Arc::clone(&said)));
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let stopper = Stopper(Arc::new(Mutex::new(group)));
        Ok(Self { child, stdin, stdout, said, listening, stopper })
    }

    /// What the program reads and what it writes, once.
    pub fn streams(&mut self) -> Option<(impl Write + Send + use<>, impl Read + Send + use<>)> {
        Some((self.stdin.take()?, self.stdout.take()?))
    }

    /// What the program has written to standard error; all of it, if it ends about now.
    #[must_use]
    pub fn said(&self) -> String {
        let patience = Instant::now() + GRACE;
        while self.listening.as_ref().is_some_and(|thread| !thread.is_finished())
            && Instant::now() < patience
        {
            std::thread::sleep(LOOK);
        }
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&said).trim().to_owned()
    }

    pub(super) fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Has it ended?
    fn has_ended(&mut self) -> bool {
        let mut group = self.stopper.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = !matches!(self.child.try_wait(), Ok(None));
        if ended {
            *group = None;
        }
        ended
    }
}

impl Stopper {
    pub(super) fn stop(&self) {
        if let Some(group) = *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            // It may have ended by itself in between, which is just as well.
            let _ = kill_process_group(group, Signal::TERM);
        }
    }
}

impl Drop for Dialogue {
    fn drop(&mut self) {
        drop((self.stdin.take(), self.stdout.take()));
        let patience = Instant::now() + GRACE;
        while !self.has_ended() {
            if Instant::now() > patience {
                // A program that does not listen to this either is left to the system.
                self.stopper.stop();
                return;
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// Collects what a program writes to standard error, on a thread of its own.
fn listen(
    mut stderr: impl Read + Send + 'static,
    said: Arc<Mutex<Vec<u8>>>,
) -> Option<JoinHandle<()>> {
    let work = move || {
        let mut bytes = [0; 4096];
        loop {
            let got = match stderr.read(&mut bytes) {
                Ok(0) => return,
                Ok(got) => got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return,
            };
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            said.extend_from_slice(bytes.get(..got).unwrap_or_default());
            let much = said.len().saturating_sub(KEPT);
            said.drain(..much);
        }
    };
    std::thread::Builder::new().name("stderr".to_owned()).spawn(work).ok()
}
