//! What a phase is given to work with, and what it gives back.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::event::{Event, Prompter, Reporter, Unit};
use super::options::Options;
use super::phase::Phase;
use super::plan::Plan;
use super::private::{HostKeys, Passphrases, PrivateDir};
use super::record::Record;
use crate::facts::{Evaluator, HostFacts};
use crate::process::{self, Command, Line, Output, Runner};
use crate::remote::{Connection, Connector};

/// The world around a run: everything through which it reaches programs, machines and people.
/// Tests put scripted ones in.
#[derive(Clone)]
pub struct World {
    /// Runs programs on this machine.
    pub runner: Arc<dyn Runner>,
    /// Opens ssh connections.
    pub connector: Arc<dyn Connector>,
    /// Reads facts.
    pub evaluator: Arc<dyn Evaluator>,
    /// Is told what happens.
    pub reporter: Arc<dyn Reporter>,
    /// Asks the user.
    pub prompter: Arc<dyn Prompter>,
    /// Fires on Ctrl-C and SIGTERM.
    pub cancel: CancellationToken,
    /// Where journals and locks live (`$XDG_STATE_HOME/nixos-bootstrap`).
    pub state_dir: PathBuf,
    /// The user's own known_hosts file.
    pub user_known_hosts: PathBuf,
    /// Time limits of waits.
    pub limits: Limits,
}

/// How long each kind of wait may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// One attempt to connect.
    pub connect: Duration,
    /// From `reboot` until the new system answers.
    pub reboot: Duration,
    /// Until the new system has started all its units.
    pub startup: Duration,
    /// A short command on the target.
    pub command: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            reboot: Duration::from_secs(600),
            startup: Duration::from_secs(300),
            command: Duration::from_secs(60),
        }
    }
}

/// What went wrong in a phase, for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What was wrong and where.
    pub error: String,
    /// What to do.
    pub hints: Vec<String>,
    /// Which exit code it becomes.
    pub kind: FailureKind,
}

/// What a failure means for the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Something broke: exit code 1.
    Failed,
    /// Wrong usage: exit code 2.
    Usage,
    /// The user said no, or pressed Ctrl-C: exit code 3.
    Stopped,
    /// The machine or the repos are not as the plan saw them: exit code 4.
    Changed,
}

impl Failure {
    /// A plain failure.
    pub fn new(error: impl Into<String>) -> Self {
        Self { error: error.into(), hints: Vec::new(), kind: FailureKind::Failed }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Sets the kind.
    #[must_use]
    pub fn kind(mut self, kind: FailureKind) -> Self {
        self.kind = kind;
        self
    }
}

impl From<process::Error> for Failure {
    fn from(error: process::Error) -> Self {
        let kind = match error {
            process::Error::Cancelled { .. } => FailureKind::Stopped,
            _ => FailureKind::Failed,
        };
        Self { error: error.to_string(), hints: Vec::new(), kind }
    }
}

/// What a phase that ended well says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// What it did, in a few words.
    pub summary: String,
}

impl Done {
    /// A phase's summary.
    pub fn new(summary: impl Into<String>) -> Self {
        Self { summary: summary.into() }
    }
}

/// A phase that can be carried out. It is idempotent: carried out again after an interruption at
/// any point, it finishes the work.
#[async_trait]
pub trait PhaseRun: Send + Sync {
    /// Carries the phase out.
    async fn run(&self, cx: &mut Context<'_>) -> Result<Done, Failure>;
}

/// What a phase works with.
pub struct Context<'a> {
    /// The world.
    pub world: &'a World,
    /// The user's wishes.
    pub options: &'a Options,
    /// The facts of the full configuration.
    pub facts: &'a HostFacts,
    /// The facts of the minimal configuration, where the flake has one.
    pub minimal: Option<&'a HostFacts>,
    /// What was decided.
    pub plan: &'a Plan,
    /// Which phase runs.
    pub phase: Phase,
    /// What earlier phases learned, of this run or of an interrupted one; written to the journal
    /// after each phase. Nothing secret.
    pub record: Record,
    /// The private directory of this run: 0700, on tmpfs where there is one, gone at exit.
    pub private: PrivateDir,
    /// The host's key pairs, in memory.
    pub host_keys: HostKeys,
    /// Passphrases of encrypted containers, in memory.
    pub passphrases: Passphrases,
    /// The open connection, if any; see [`Context::remote`].
    pub connection: Option<Arc<dyn Connection>>,
    /// Lines for "what changed where" of the report.
    pub changes: Vec<String>,
    /// Lines for "what to do next" of the report.
    pub next: Vec<String>,
}

impl Context<'_> {
    /// Tells that a step of this phase begins.
    pub fn step(&self, text: impl Into<String>) {
        self.world.reporter.event(&Event::Step { phase: self.phase, text: text.into() });
    }

    /// Tells of something that the user should know.
    pub fn warn(&self, text: impl Into<String>) {
        let (phase, text) = (Some(self.phase), text.into());
        self.world.reporter.event(&Event::Warning { phase, text });
    }

    /// Tells how far a step is.
    pub fn progress(&self, what: &str, done: u64, total: Option<u64>, unit: Unit) {
        let (phase, what) = (self.phase, what.to_owned());
        self.world.reporter.event(&Event::Progress { phase, what, done, total, unit });
    }

    /// Passes on a line that a program wrote.
    pub fn output(&self, line: &str) {
        let (phase, line) = (self.phase, line.to_owned());
        self.world.reporter.event(&Event::Output { phase, line });
    }

    /// Runs a program here, its lines passed on as output; a status other than 0 is a failure.
    pub async fn local(&self, command: &Command) -> Result<Output, Failure> {
        let (reporter, phase) = (&self.world.reporter, self.phase);
        let mut sink = |line: Line<'_>| {
            reporter.event(&Event::Output { phase, line: line.text.to_owned() });
        };
        let output = self.world.runner.stream(command, &mut sink).await?;
        Ok(output.success(command)?)
    }
}
