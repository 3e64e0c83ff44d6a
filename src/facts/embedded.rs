//! The [`Evaluator`] inside this program: a flake is opened and evaluated in this process, on threads of its own.
//!
//! Each host is read by itself, so that one that fails leaves the others told. All hosts that one thread reads
//! share its evaluation: parsed files, the flake's inputs, and whatever of values they have in
//! common. Answers are remembered in a [`Cache`].

mod answers;
mod image;
mod message;
mod place;
mod session;
mod watch;
mod work;
mod written;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;

use super::cache::Cache;
use super::evaluator::{EachHost, EvalError, Evaluator, Override, Scope};
use super::host::{HostSummary, decode_host, decode_summary};
use super::model::{HostFacts, Outputs};
use super::names::host_name;
use crate::eval::io::RealIo;
use crate::eval::settings::Settings;
use crate::eval::thread::spawn;
use crate::flake;
use crate::instantiate::RealStore;
use crate::validated::HostName;
use work::{Asked, Kind, Message};
use written::Written;

/// How long an interrupted evaluation has to say so; it has nothing to clean up.
const PATIENCE: Duration = Duration::from_millis(500);

/// Evaluates in this process.
#[derive(Clone)]
pub struct EmbeddedEvaluator {
    setup: Arc<Setup>,
}

/// What an evaluation in this process needs to know of the machine and of the user's wishes.
pub struct Setup {
    /// How to evaluate: purely, as flakes are.
    pub settings: Settings,
    /// `--override-input NAME REF`, in order.
    pub override_inputs: Vec<Override>,
    /// Makes the outside of one evaluation.
    pub outside: Box<dyn Fn() -> RealIo + Send + Sync>,
    /// Runs programs that look for flakes and inputs; called on threads that may wait.
    pub run: Arc<flake::Run>,
    /// Where relative flake references start.
    pub base: Vec<u8>,
    /// Where to remember what is known of commits.
    pub commits: Option<PathBuf>,
    /// Where answers are remembered, unless each is to be made anew.
    pub cache: Option<Cache>,
    /// Ends evaluations.
    pub cancel: CancellationToken,
    /// As many hosts are evaluated at once at most.
    pub threads: usize,
    /// The store that is built in.
    pub store: Arc<RealStore>,
    /// Will the host be built whose facts are asked for? Then its derivations are written behind the answer.
    pub builds: bool,
    /// What was written so far.
    pub written: WrittenSoFar,
}

/// Whose derivations this process has written into the store.
#[derive(Debug, Default)]
pub struct WrittenSoFar(Mutex<Written>);

impl Setup {
    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EmbeddedEvaluator {
    /// An evaluator with this setup.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        Self { setup: Arc::new(setup) }
    }

    /// The values that the facts expression gives for each host that is asked for.
    async fn ask(&self, flake: &str, asked: Asked) -> Result<Gathered, EvalError> {
        let (sender, receiver) = unbounded_channel();
        let (setup, flake) = (self.setup.clone(), flake.to_owned());
        spawn(move || work::lead(&setup, &flake, &asked, &sender))
            .map_err(|error| EvalError::NoThread { reason: error.to_string() })?;
        let gathered = self.wait_for(gather(receiver)).await?;
        if gathered.values().any(Result::is_err) {
            self.not_stopped()?;
        }
        Ok(gathered)
    }

    /// Waits for what an evaluation answers. One that is cancelled has [`PATIENCE`] to say so.
    async fn wait_for<T>(
        &self,
        answer: impl Future<Output = Result<T, EvalError>>,
    ) -> Result<T, EvalError> {
        tokio::pin!(answer);
        let ended = tokio::select! {
            answer = &mut answer => answer,
            () = self.setup.cancel.cancelled() => {
                let ended = tokio::time::timeout(PATIENCE, answer).await;
                ended.unwrap_or(Err(EvalError::Interrupted))
            }
        };
        if ended.is_err() {
            self.not_stopped()?;
        }
        ended
    }

    /// Behind a failure: a program that was stopped is one for whoever waited for it.
    fn not_stopped(&self) -> Result<(), EvalError> {
        if self.setup.cancel.is_cancelled() { Err(EvalError::Interrupted) } else { Ok(()) }
    }

    async fn each<T>(
        &self,
        flake: &str,
        kind: Kind,
        decode: impl Fn(&str, &Value) -> Result<T, EvalError>,
    ) -> Result<EachHost<T>, EvalError> {
        let mut each = EachHost::from(Vec::new());
        for (name, value) in self.ask(flake, Asked::Each(kind)).await? {
            each.add(&name, value.and_then(|value| decode(&name, &value)));
        }
        Ok(each)
    }
}

#[async_trait]
impl Evaluator for EmbeddedEvaluator {
    async fn hosts(&self, flake: &str) -> Result<EachHost<HostSummary>, EvalError> {
        self.each(flake, Kind::Summary, |name, value| Ok(decode_summary(name, value)?)).await
    }

    async fn facts(
        &self,
        flake: &str,
        host: &HostName,
        scope: Scope,
    ) -> Result<HostFacts, EvalError> {
        let mut gathered = self.ask(flake, Asked::Host(host.clone(), scope)).await?;
        let value = gathered.remove(host.as_str()).ok_or_else(ended_early)??;
        Ok(decode_host(host, &value)?)
    }

    async fn instantiate(
        &self,
        flake: &str,
        host: &HostName,
        replaced: &[Override],
    ) -> Result<Option<Outputs>, EvalError> {
        let asked = Asked::Written(host.clone(), replaced.to_vec());
        let mut gathered = self.ask(flake, asked).await?;
        let value = gathered.remove(host.as_str()).ok_or_else(ended_early)??;
        Ok(decode_host(host, &value)?.outputs)
    }

    async fn facts_of_all(
        &self,
        flake: &str,
        scope: Scope,
    ) -> Result<EachHost<HostFacts>, EvalError> {
        let decode = |name: &str, value: &Value| Ok(decode_host(&host_name(name)?, value)?);
        self.each(flake, Kind::Facts(scope), decode).await
    }
}

/// The value of each host, or why it has none.
type Gathered = BTreeMap<String, Result<Value, EvalError>>;

/// Waits for all that is to be told.
async fn gather(mut told: UnboundedReceiver<Message>) -> Result<Gathered, EvalError> {
    let mut hosts = BTreeMap::new();
    loop {
        match told.recv().await {
            Some(Message::Host(name, value)) => {
                hosts.insert(name, value);
            }
            Some(Message::Done) => return Ok(hosts),
            Some(Message::Failed(error)) => return Err(error),
            None => return Err(ended_early()),
        }
    }
}

fn ended_early() -> EvalError {
    EvalError::NoThread { reason: "it has ended early".to_owned() }
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setup")
            .field("override_inputs", &self.override_inputs)
            .field("cache", &self.cache)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}
