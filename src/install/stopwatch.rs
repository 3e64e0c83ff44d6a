//! How much of a run is our own time: the whole, less every moment in which at least one program,
//! the target or a person is waited for. Waits that overlap count once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::context::World;
use super::event::{PromptError, Prompter};
use crate::facts::model::Outputs;
use crate::facts::{EachHost, EvalError, Evaluator, HostFacts, HostSummary, Override, Scope};
use crate::process::{self, Command, LineSink, Output, Runner};
use crate::remote::{
    ConnectError, Connection, Connector, DiscoverError, Finder, HostPublicKey, Installer, Login,
    ProvenKey, Remote, RemoteCommand,
};
use crate::secrets::Secret;
use crate::validated::{Address, HostName};

/// Counts waits from its making on.
#[derive(Debug)]
pub struct Stopwatch {
    started: Instant,
    waits: Mutex<Waits>,
}

#[derive(Debug)]
struct Waits {
    /// How many things are waited for now.
    active: usize,
    /// Since when `active` is above 0.
    since: Instant,
    /// The sum of the waits that are over.
    sum: Duration,
}

impl Stopwatch {
    /// Starts.
    #[must_use]
    pub fn start() -> Arc<Self> {
        let now = Instant::now();
        let waits = Waits { active: 0, since: now, sum: Duration::ZERO };
        Arc::new(Self { started: now, waits: Mutex::new(waits) })
    }

    /// A wait, until the guard is dropped.
    #[must_use]
    pub fn waiting(self: &Arc<Self>) -> Waiting {
        let mut waits = self.waits();
        if waits.active == 0 {
            waits.since = Instant::now();
        }
        waits.active += 1;
        Waiting(Arc::clone(self))
    }

    /// The whole time.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The whole time less the waits.
    #[must_use]
    pub fn own(&self) -> Duration {
        let waits = self.waits();
        let running = if waits.active > 0 { waits.since.elapsed() } else { Duration::ZERO };
        self.elapsed().saturating_sub(waits.sum + running)
    }

    /// The same world, in which every wait is counted.
    #[must_use]
    pub fn watch(self: &Arc<Self>, world: &World) -> World {
        World {
            runner: Arc::new(Watched(Arc::clone(&world.runner), Arc::clone(self))),
            connector: Arc::new(Watched(Arc::clone(&world.connector), Arc::clone(self))),
            evaluator: Arc::new(Watched(Arc::clone(&world.evaluator), Arc::clone(self))),
            finder: Arc::new(Watched(Arc::clone(&world.finder), Arc::clone(self))),
            prompter: Arc::new(Watched(Arc::clone(&world.prompter), Arc::clone(self))),
            ..world.clone()
        }
    }

    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A wait that lasts until this is dropped.
#[derive(Debug)]
pub struct Waiting(Arc<Stopwatch>);

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut waits = self.0.waits();
        waits.active -= 1;
        if waits.active == 0 {
            let over = waits.since.elapsed();
            waits.sum += over;
        }
    }
}

/// Something that is waited for, and the watch that counts it.
struct Watched<T: ?Sized>(Arc<T>, Arc<Stopwatch>);

#[async_trait]
impl Runner for Watched<dyn Runner> {
    async fn stream(
        &self,
        command: &Command,
        sink: &mut LineSink<'_>,
    ) -> Result<Output, process::Error> {
        let _wait = self.1.waiting();
        self.0.stream(command, sink).await
    }
}

#[async_trait]
impl Connector for Watched<dyn Connector> {
    async fn connect(&self, login: &Login) -> Result<Arc<dyn Connection>, ConnectError> {
        let _wait = self.1.waiting();
        let connection = self.0.connect(login).await?;
        Ok(Arc::new(Watched(connection, Arc::clone(&self.1))))
    }

    async fn scan(
        &self,
        address: &Address,
        port: u16,
        timeout: Duration,
    ) -> Result<Vec<HostPublicKey>, ConnectError> {
        let _wait = self.1.waiting();
        self.0.scan(address, port, timeout).await
    }
}

#[async_trait]
impl Remote for Watched<dyn Connection> {
    async fn stream(
        &self,
        command: &RemoteCommand,
        sink: &mut LineSink<'_>,
    ) -> Result<Output, process::Error> {
        let _wait = self.1.waiting();
        self.0.stream(command, sink).await
    }

    fn ssh_options(&self) -> Vec<String> {
        self.0.ssh_options()
    }
}

#[async_trait]
impl Connection for Watched<dyn Connection> {
    async fn close(&self) {
        let _wait = self.1.waiting();
        self.0.close().await;
    }

    async fn is_alive(&self) -> bool {
        let _wait = self.1.waiting();
        self.0.is_alive().await
    }

    fn host_key(&self) -> Option<&ProvenKey> {
        self.0.host_key()
    }
}

#[async_trait]
impl Evaluator for Watched<dyn Evaluator> {
    async fn hosts(&self, flake: &str) -> Result<EachHost<HostSummary>, EvalError> {
        let _wait = self.1.waiting();
        self.0.hosts(flake).await
    }

    async fn facts(
        &self,
        flake: &str,
        host: &HostName,
        scope: Scope,
    ) -> Result<HostFacts, EvalError> {
        let _wait = self.1.waiting();
        self.0.facts(flake, host, scope).await
    }

    async fn facts_of_all(
        &self,
        flake: &str,
        scope: Scope,
    ) -> Result<EachHost<HostFacts>, EvalError> {
        let _wait = self.1.waiting();
        self.0.facts_of_all(flake, scope).await
    }

    async fn instantiate(
        &self,
        flake: &str,
        host: &HostName,
        replaced: &[Override],
    ) -> Result<Option<Outputs>, EvalError> {
        let _wait = self.1.waiting();
        self.0.instantiate(flake, host, replaced).await
    }
}

#[async_trait]
impl Finder for Watched<dyn Finder> {
    async fn installers(&self, limit: Duration) -> Result<Vec<Installer>, DiscoverError> {
        let _wait = self.1.waiting();
        self.0.installers(limit).await
    }
}

impl Prompter for Watched<dyn Prompter> {
    fn confirm_word(&self, question: &str, word: &str) -> Result<bool, PromptError> {
        let _wait = self.1.waiting();
        self.0.confirm_word(question, word)
    }

    fn confirm(&self, question: &str) -> Result<bool, PromptError> {
        let _wait = self.1.waiting();
        self.0.confirm(question)
    }

    fn text(&self, question: &str, default: Option<&str>) -> Result<String, PromptError> {
        let _wait = self.1.waiting();
        self.0.text(question, default)
    }

    fn choose(&self, question: &str, choices: &[String]) -> Result<usize, PromptError> {
        let _wait = self.1.waiting();
        self.0.choose(question, choices)
    }

    fn passphrase(&self, question: &str, twice: bool) -> Result<Secret, PromptError> {
        let _wait = self.1.waiting();
        self.0.passphrase(question, twice)
    }

    fn lend(&self) -> Box<dyn Send> {
        // What the other program does there is waited for by whoever runs it.
        self.0.lend()
    }

    fn show_secret(&self, title: &str, secret: &Secret) -> Result<(), PromptError> {
        let _wait = self.1.waiting();
        self.0.show_secret(title, secret)
    }
}

/// A duration in milliseconds, as events and reports have it.
#[must_use]
pub fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_that_overlap_count_once() {
        let watch = Stopwatch::start();
        let nap = || std::thread::sleep(Duration::from_millis(30));
        let one = watch.waiting();
        nap();
        let two = watch.waiting();
        nap();
        drop(one);
        nap();
        drop(two);
        let waited = watch.elapsed().saturating_sub(watch.own());
        assert!(waited >= Duration::from_millis(90), "{waited:?}");
        assert!(waited <= watch.elapsed(), "overlapping waits were added up");
        nap();
        assert!(watch.own() >= Duration::from_millis(30), "{:?}", watch.own());
    }
}
