//! What a phase is given to work with, and what it gives back.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::event::{Event, Prompter, Reporter, Unit};
use super::options::Options;
use super::phase::Phase;
use super::plan::Plan;
use super::private::{HostKeys, Passphrases, PrivateDir};
use super::record::Record;
use super::stopwatch::Stopwatch;
use crate::facts::{Evaluator, HostFacts};
use crate::process::{self, Command, Line, Output, Runner};
use crate::remote::forges::Forge;
use crate::remote::{
    ConnectError, Connection, Connector, Finder, HostPublicKey, Login, RemoteCommand, known_hosts,
    may_ask,
};
use crate::validated::{Address, UserName};

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
    /// Looks for installers.
    pub finder: Arc<dyn Finder>,
    /// Asks the user.
    pub prompter: Arc<dyn Prompter>,
    /// Fires on Ctrl-C and SIGTERM.
    pub cancel: CancellationToken,
    /// Where journals and locks live (`$XDG_STATE_HOME/nixos-bootstrap`).
    pub state_dir: PathBuf,
    /// The user's own `known_hosts` file.
    pub user_known_hosts: PathBuf,
    /// The forges whose published keys the phase `sync` places.
    pub forges: Vec<Forge>,
    /// Folders to try for the private directory, best first ([`super::private::bases`]).
    pub private_bases: Vec<PathBuf>,
    /// Time limits of waits.
    pub limits: Limits,
}

/// How long each kind of wait may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For installers on the local network to answer.
    pub search: Duration,
    /// One attempt to connect.
    pub connect: Duration,
    /// From `reboot` until the new system answers.
    pub reboot: Duration,
    /// Until the new system has started all its units.
    pub startup: Duration,
    /// A short command on the target, or here.
    pub command: Duration,
    /// A long one: formatting disks, copying a system, evaluating, building, pushing.
    pub long: Duration,
    /// From Ctrl-C until a phase that does not stop by itself is left.
    pub stop: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            search: Duration::from_millis(2500),
            connect: Duration::from_secs(15),
            reboot: Duration::from_secs(600),
            startup: Duration::from_secs(300),
            command: Duration::from_secs(60),
            long: Duration::from_secs(6 * 3600),
            stop: Duration::from_secs(20),
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

    /// Ctrl-C, or the user said no.
    #[must_use]
    pub fn stopped() -> Self {
        Self::new("stopped by the user").kind(FailureKind::Stopped)
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

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        let kind = match error {
            ConnectError::Cancelled { .. } => FailureKind::Stopped,
            ConnectError::HostKeyMismatch { .. } => FailureKind::Changed,
            ConnectError::Identity { .. } => FailureKind::Usage,
            _ => FailureKind::Failed,
        };
        Self { error: error.to_string(), hints: Vec::new(), kind }
    }
}

impl From<crate::validated::Invalid> for Failure {
    fn from(error: crate::validated::Invalid) -> Self {
        Self::new(error.to_string())
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

/// Which system of the target answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The installer, before `reboot`.
    Installer,
    /// The installed host, after it.
    Installed,
}

/// How the target is reached, settled by preflight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Access {
    /// Address, the same for both sides.
    pub address: Address,
    /// Port and login of the installer.
    pub installer: Door,
    /// Port and login of the installed host.
    pub installed: Door,
    /// ssh identity, `~` already replaced.
    pub identity: Option<PathBuf>,
}

/// Port and login of one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Door {
    /// ssh port.
    pub port: u16,
    /// Login.
    pub user: UserName,
}

impl Access {
    /// The port and login of `side`.
    #[must_use]
    pub fn door(&self, side: Side) -> &Door {
        match side {
            Side::Installer => &self.installer,
            Side::Installed => &self.installed,
        }
    }
}

/// What a phase works with.
pub struct Context<'a> {
    /// The world. Its runner and connector count the time that is spent waiting on them.
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
    /// How the target is reached.
    pub access: &'a Access,
    /// Which system of the target answers now; `reboot` sets it to [`Side::Installed`]. A resumed
    /// run may find [`Side::Installed`] before `reboot` has run: the machine restarted while the
    /// run before was killed.
    pub side: Side,
    /// What earlier phases learned, of this run or of an interrupted one; written to the journal
    /// after each phase. Nothing secret.
    pub record: Record,
    /// The private directory of this run: 0700, on tmpfs where there is one, gone at exit.
    pub private: &'a PrivateDir,
    /// The host's key pairs, in memory. Empty in a resumed run whose `install` is done.
    pub host_keys: HostKeys,
    /// Passphrases of encrypted containers, in memory.
    pub passphrases: Passphrases,
    /// The open connection, if any; see [`Context::remote`].
    pub connection: Option<Arc<dyn Connection>>,
    /// Counts the time that is spent waiting.
    pub clock: Arc<Stopwatch>,
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

    /// Runs a program here within `limits.long`, its lines passed on as output; a status other
    /// than 0 is a failure.
    pub async fn local(&self, command: &Command) -> Result<Output, Failure> {
        let (reporter, phase) = (&self.world.reporter, self.phase);
        let mut sink = |line: Line<'_>| {
            reporter.event(&Event::Output { phase, line: line.text.to_owned() });
        };
        let limit = self.world.limits.long;
        match tokio::time::timeout(limit, self.world.runner.stream(command, &mut sink)).await {
            Ok(output) => Ok(output?.success(command)?),
            Err(_) => Err(process::Error::TimedOut { command: command.to_string(), limit }.into()),
        }
    }

    /// Runs a command on the target, its lines passed on as output; a status other than 0 is a
    /// failure. It must end within its own limit, else within `limits.command`.
    pub async fn on_target(&mut self, command: &RemoteCommand) -> Result<Output, Failure> {
        let remote = self.remote().await?;
        let limit = command.time_limit().unwrap_or(self.world.limits.command);
        let command = command.clone().limit(limit);
        let (reporter, phase) = (&self.world.reporter, self.phase);
        let mut sink = |line: Line<'_>| {
            reporter.event(&Event::Output { phase, line: line.text.to_owned() });
        };
        Ok(remote.stream(&command, &mut sink).await?.success(&command)?)
    }

    /// The connection to the side that answers now; opened if there is none, or if it broke.
    pub async fn remote(&mut self) -> Result<Arc<dyn Connection>, Failure> {
        if let Some(connection) = &self.connection {
            if connection.is_alive().await {
                return Ok(Arc::clone(connection));
            }
            self.disconnect().await;
        }
        let login = self.login(self.side)?;
        let connection = connect(self.world, &login).await?;
        self.connection = Some(Arc::clone(&connection));
        Ok(connection)
    }

    /// Closes the connection, if there is one.
    pub async fn disconnect(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.close().await;
        }
    }

    /// How to log in to `side`, trusting exactly the keys that the record has for it.
    pub fn login(&self, side: Side) -> Result<Login, Failure> {
        login(self.world, self.options, self.access, self.private, &self.record, side)
    }

    /// Waits, but not beyond Ctrl-C.
    pub async fn pause(&self, time: Duration) -> Result<(), Failure> {
        let _wait = self.clock.waiting();
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            () = self.world.cancel.cancelled() => Err(Failure::stopped()),
        }
    }
}

/// Connects; bars make way where ssh may ask for a passphrase.
pub(super) async fn connect(
    world: &World,
    login: &Login,
) -> Result<Arc<dyn Connection>, ConnectError> {
    let _lent = may_ask(login).then(|| world.prompter.lend());
    world.connector.connect(login).await
}

/// How to log in to `side`. The `known_hosts` file that ssh gets is the run's own and holds only the
/// keys that the record has for that side, under the names of exactly this address and port.
pub(super) fn login(
    world: &World,
    options: &Options,
    access: &Access,
    private: &PrivateDir,
    record: &Record,
    side: Side,
) -> Result<Login, Failure> {
    let (lines, name) = match side {
        Side::Installer => (&record.installer_keys, "known_hosts.installer"),
        Side::Installed => (&record.host_keys, "known_hosts.installed"),
    };
    let keys = lines.iter().map(|line| line.parse());
    let keys: Vec<HostPublicKey> = keys.collect::<Result<_, _>>().map_err(|error| {
        Failure::new(format!("the journal holds a public key that cannot be read: {error}"))
            .hint("start anew with --restart")
    })?;
    let door = access.door(side);
    let names = known_hosts::names(&access.address, door.port);
    let content = known_hosts::edit(b"", &names, &keys);
    let known_hosts = private.replace(name, &content).map_err(|error| {
        let place = private.path().display();
        Failure::new(format!("could not write {name} into {place}: {error}"))
    })?;
    Ok(Login {
        address: access.address.clone(),
        port: door.port,
        user: door.user.clone(),
        identity: access.identity.clone(),
        known_hosts,
        control_dir: private.path().to_owned(),
        timeout: world.limits.connect,
        interactive: options.interactive,
    })
}
