//! What the threads of an evaluation do: one opens the flake, looks for remembered answers and tells which hosts
//! there are; it and its helpers then read one host after the other.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;

use super::Setup;
use super::answers::Answers;
use super::session::Session;
use super::watch::Watched;
use crate::eval::Eval;
use crate::eval::arena::Arena;
use crate::eval::settings::Settings;
use crate::eval::thread::spawn;
use crate::facts::evaluator::EvalError;
use crate::facts::names::unknown_host;
use crate::flake::{FlakeError, Flakes, OpenOptions, Opened, Surroundings};
use crate::process;
use crate::validated::HostName;

/// What is asked of a flake.
#[derive(Debug, Clone)]
pub(super) enum Asked {
    /// All facts of one host.
    Host(HostName),
    /// The same of every host.
    Each(Kind),
}

/// What is asked of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Facts,
    Summary,
}

/// What the threads tell.
pub(super) enum Message {
    /// So many hosts are read.
    Wanted(usize),
    /// What a host gave.
    Host(String, Result<Value, EvalError>),
    /// Nothing can be read at all.
    Failed(EvalError),
}

/// Memory that one evaluation of hosts should have for itself.
const ROOM: usize = 2 << 30;

impl Kind {
    pub(super) fn name(self) -> &'static [u8] {
        match self {
            Self::Facts => b"facts",
            Self::Summary => b"summary",
        }
    }
}

impl Asked {
    fn kind(&self) -> Kind {
        match self {
            Self::Host(_) => Kind::Facts,
            Self::Each(kind) => *kind,
        }
    }

    /// Which of the flake's hosts.
    fn wanted(&self, known: Vec<String>) -> Result<VecDeque<String>, EvalError> {
        match self {
            Self::Each(_) => Ok(known.into()),
            Self::Host(host) if known.iter().any(|name| name == host.as_str()) => {
                Ok([host.to_string()].into())
            }
            Self::Host(host) => Err(unknown_host(host, known)),
        }
    }
}

/// Reads what is asked for, and tells it to `sender`.
pub(super) fn lead(
    setup: &Arc<Setup>,
    flake: &str,
    asked: &Asked,
    sender: UnboundedSender<Message>,
) {
    let place = Place::new(setup);
    let work = Work {
        setup: setup.clone(),
        flake: flake.to_owned(),
        kind: asked.kind(),
        sender,
        left: Arc::default(),
    };
    if let Err(error) = work.lead(&place, asked) {
        work.tell(Message::Failed(error));
    }
}

/// What all threads of an evaluation know.
#[derive(Clone)]
struct Work {
    setup: Arc<Setup>,
    flake: String,
    kind: Kind,
    sender: UnboundedSender<Message>,
    /// The hosts that nobody has begun with.
    left: Arc<Mutex<VecDeque<String>>>,
}

/// The outside of one thread.
struct Place {
    flakes: Flakes,
    beyond: Rc<Cell<bool>>,
    quiet: Rc<Cell<bool>>,
}

impl Place {
    fn new(setup: &Setup) -> Self {
        let (beyond, quiet) = (Rc::default(), Rc::default());
        let io = Watched {
            inner: (setup.outside)(),
            cancel: setup.cancel.clone(),
            beyond: Rc::clone(&beyond),
            quiet: Rc::clone(&quiet),
        };
        let around = Surroundings {
            base: setup.base.clone(),
            store_dir: setup.settings.store_dir.clone(),
            cache: setup.commits.clone(),
        };
        Self { flakes: Flakes::new(Rc::new(io), setup.run.clone(), around), beyond, quiet }
    }

    fn open(&self, work: &Work) -> Result<Opened, EvalError> {
        let pairs = work.setup.override_inputs.iter();
        let pairs = pairs.map(|(name, reference)| (name.clone().into(), reference.clone().into()));
        let options = OpenOptions { override_inputs: pairs.collect() };
        let opened = self.flakes.open(work.flake.as_bytes(), &options);
        let (opened, fragment) = opened.map_err(|error| no_flake(&work.flake, error))?;
        if fragment.is_empty() {
            return Ok(opened);
        }
        let message = format!("unexpected fragment '{}'", String::from_utf8_lossy(&fragment));
        Err(EvalError::NoFlake { flake: work.flake.clone(), message })
    }
}

impl Work {
    fn lead(&self, place: &Place, asked: &Asked) -> Result<(), EvalError> {
        let opened = place.open(self)?;
        let fingerprint = opened.fingerprint();
        let answers = self.answers(fingerprint.as_deref());
        if let Some(names) = answers.names() {
            self.remembered(&answers, asked.wanted(names)?);
            if self.hosts_left() == 0 {
                return Ok(());
            }
            self.help(fingerprint.as_deref());
            return self.serve(place, &opened, &answers);
        }
        self.evaluate(place, &opened, |session| {
            let names = session.names();
            if !place.beyond.get() {
                answers.put_names(&names);
            }
            self.remembered(&answers, asked.wanted(names)?);
            self.help(fingerprint.as_deref());
            self.read(session, place, &answers);
            Ok(())
        })?;
        self.serve(place, &opened, &answers)?;
        answers.tidy();
        Ok(())
    }

    fn answers(&self, fingerprint: Option<&str>) -> Answers<'_> {
        Answers::new(self.setup.cache.as_ref(), fingerprint, &self.setup.settings)
    }

    /// Tells what is remembered of the hosts, and leaves the others to be read.
    fn remembered(&self, answers: &Answers<'_>, wanted: VecDeque<String>) {
        self.tell(Message::Wanted(wanted.len()));
        let mut left = VecDeque::new();
        for name in wanted {
            match answers.host(self.kind, &name) {
                Some(value) => self.tell(Message::Host(name, Ok(value))),
                None => left.push_back(name),
            }
        }
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = left;
    }

    /// Starts helpers where that pays. They have to see the very same flake.
    fn help(&self, fingerprint: Option<&str>) {
        let Some(fingerprint) = fingerprint else { return };
        let helpers = self.threads().min(self.hosts_left()).saturating_sub(1);
        for _ in 0..helpers {
            let (work, fingerprint) = (self.clone(), fingerprint.to_owned());
            let helper = move || {
                let place = Place::new(&work.setup);
                place.quiet.set(true);
                let Ok(opened) = place.open(&work) else { return };
                place.quiet.set(false);
                if opened.fingerprint().as_deref() == Some(&fingerprint) {
                    let answers = work.answers(Some(&fingerprint));
                    // What fails before the first host fails for the leader as well, who tells it.
                    let _ = work.serve(&place, &opened, &answers);
                }
            };
            // Without a helper it takes longer.
            if spawn(helper).is_err() {
                return;
            }
        }
    }

    /// How many threads may evaluate: a list of hosts is made faster than it is shared out.
    fn threads(&self) -> usize {
        let most = match self.kind {
            Kind::Facts => self.setup.threads,
            Kind::Summary => 1,
        };
        most.min(self.setup.settings.max_memory / ROOM).max(1)
    }

    /// Reads hosts until none is left.
    fn serve(
        &self,
        place: &Place,
        opened: &Opened,
        answers: &Answers<'_>,
    ) -> Result<(), EvalError> {
        while self.hosts_left() > 0 {
            self.evaluate(place, opened, |session| {
                self.read(session, place, answers);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// One evaluation, with memory of its own that is given back behind it.
    fn evaluate(
        &self,
        place: &Place,
        opened: &Opened,
        read: impl FnOnce(&mut Session<'_, '_>) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        let settings = &self.setup.settings;
        let settings =
            Settings { max_memory: settings.max_memory / self.threads(), ..settings.clone() };
        let arena = Arena::new();
        let mut eval = Eval::new(&arena, &place.flakes, settings);
        eval.flakes = Some(&place.flakes);
        let mut session = Session::start(&mut eval, opened, &self.flake)?;
        read(&mut session)
    }

    /// Reads hosts until none is left, or the evaluation has become so large that a fresh one is better.
    fn read(&self, session: &mut Session<'_, '_>, place: &Place, answers: &Answers<'_>) {
        let enough = self.setup.settings.max_memory / self.threads() / 2;
        while let Some(name) = self.next() {
            let value = session.host(&name, self.kind).and_then(|json| {
                let value = serde_json::from_str(&json)
                    .map_err(|error| EvalError::NotJson { reason: error.to_string() })?;
                if !place.beyond.get() {
                    answers.put_host(self.kind, &name, &json);
                }
                Ok(value)
            });
            match value {
                Err(EvalError::Interrupted) => {
                    return self.tell(Message::Failed(EvalError::Interrupted));
                }
                value => self.tell(Message::Host(name, value)),
            }
            if session.used() > enough {
                return;
            }
        }
    }

    fn next(&self) -> Option<String> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn hosts_left(&self) -> usize {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn tell(&self, message: Message) {
        // Nobody listens any more if the user did not want to wait.
        let _ = self.sender.send(message);
    }
}

/// What it means that a flake can't be opened.
fn no_flake(flake: &str, error: FlakeError) -> EvalError {
    match error {
        FlakeError::NoFlake { reason, .. } => {
            EvalError::NoFlake { flake: flake.to_owned(), message: reason }
        }
        FlakeError::Process(process::Error::Cancelled { .. }) => EvalError::Interrupted,
        other => EvalError::Flake(other),
    }
}
