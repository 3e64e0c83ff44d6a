//! What the threads of an evaluation do: one opens the flake, looks for remembered answers and tells which hosts
//! there are; it and its helpers then read one host after the other.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;

use super::Setup;
use super::answers::Answers;
use super::place::{Place, Voice};
use super::session::Session;
use super::written::{Writing, are_there};
use crate::eval::Eval;
use crate::eval::arena::Arena;
use crate::eval::settings::Settings;
use crate::eval::thread::spawn;
use crate::facts::evaluator::{EvalError, Override, Scope};
use crate::facts::names::unknown_host;
use crate::flake::Opened;
use crate::validated::HostName;

/// What is asked of a flake.
#[derive(Debug, Clone)]
pub(super) enum Asked {
    /// The facts of one host.
    Host(HostName, Scope),
    /// Those with its outputs where inputs are replaced; their derivations are in the store then.
    Written(HostName, Vec<Override>),
    /// Something of every host.
    Each(Kind),
}

/// What is asked of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Facts(Scope),
    Summary,
}

/// What the threads tell.
pub(super) enum Message {
    /// What a host gave.
    Host(String, Result<Value, EvalError>),
    /// All hosts that were asked for are told.
    Done,
    /// Nothing can be read at all.
    Failed(EvalError),
}

/// Memory that one evaluation of hosts should have for itself. One that has grown larger begins anew for the next
/// host: what hosts share saves a third of the time of each, what they don't share stays until the end.
const ROOM: usize = 2 << 30;

/// What takes longer to look at (a large tree that stands in for an input and has to be hashed) is not looked at
/// a second time, which remembering answers and helpers would need.
const LONGEST_LOOK: Duration = Duration::from_secs(5);

impl Kind {
    /// What the facts expression calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Facts(scope) => scope.name(),
            Self::Summary => "summary",
        }
    }
}

impl Asked {
    fn kind(&self) -> Kind {
        match self {
            Self::Host(_, scope) => Kind::Facts(*scope),
            Self::Written(..) => Kind::Facts(Scope::Outputs),
            Self::Each(kind) => *kind,
        }
    }

    /// How many threads are of use: a list of hosts is made faster than it is shared out.
    fn threads(&self, setup: &Setup) -> usize {
        let most = match self {
            Self::Each(Kind::Facts(_)) => setup.threads,
            Self::Each(Kind::Summary) | Self::Host(..) | Self::Written(..) => 1,
        };
        most.min(setup.settings.max_memory / ROOM).max(1)
    }

    /// Which of the flake's hosts.
    fn wanted(&self, known: Vec<String>) -> Result<VecDeque<String>, EvalError> {
        match self {
            Self::Each(_) => Ok(known.into()),
            Self::Host(host, _) | Self::Written(host, _)
                if known.iter().any(|name| name == host.as_str()) =>
            {
                Ok([host.to_string()].into())
            }
            Self::Host(host, _) | Self::Written(host, _) => Err(unknown_host(host, known)),
        }
    }

    /// The user's own overrides, and those of this question.
    fn replaced(&self, setup: &Setup) -> Vec<Override> {
        let besides = match self {
            Self::Written(_, besides) => besides.as_slice(),
            Self::Host(..) | Self::Each(_) => &[],
        };
        setup.override_inputs.iter().chain(besides).cloned().collect()
    }

    fn writing(&self, setup: &Setup) -> Writing {
        match self {
            Self::Written(..) => Writing::Before,
            Self::Host(_, Scope::Outputs) if setup.builds => Writing::Behind,
            Self::Host(..) | Self::Each(_) => Writing::Never,
        }
    }
}

/// Reads what is asked for, and tells it to `sender`.
pub(super) fn lead(
    setup: &Arc<Setup>,
    flake: &str,
    asked: &Asked,
    sender: &UnboundedSender<Message>,
) {
    let place = Place::new(setup, Voice::Loud);
    let started = Instant::now();
    let replaced = asked.replaced(setup);
    let led = place.open(&replaced, flake).and_then(|opened| {
        let fingerprint = opened.fingerprint();
        let quick = started.elapsed() < LONGEST_LOOK;
        let task = Task {
            setup: setup.clone(),
            flake: flake.to_owned(),
            replaced: replaced.clone(),
            fingerprint: fingerprint.filter(|_| quick),
            kind: asked.kind(),
            writing: asked.writing(setup),
            threads: asked.threads(setup),
            left: Mutex::default(),
            unread: AtomicUsize::new(0),
            fresh: Mutex::default(),
        };
        let work = Work { task: Arc::new(task), sender: sender.clone() };
        work.lead(&place, &opened, asked)
    });
    if let Err(error) = led {
        // Nobody listens any more if the user did not want to wait.
        let _ = sender.send(Message::Failed(error));
    }
}

/// What all threads of an evaluation know.
struct Task {
    setup: Arc<Setup>,
    /// As the user calls it.
    flake: String,
    /// Inputs that others stand in for.
    replaced: Vec<Override>,
    /// What answers are remembered under; none where they can't be.
    fingerprint: Option<String>,
    kind: Kind,
    writing: Writing,
    /// So many threads may evaluate at once.
    threads: usize,
    /// The hosts that nobody has begun with.
    left: Mutex<VecDeque<String>>,
    /// How many hosts are not read yet.
    unread: AtomicUsize,
    /// Answers to be remembered.
    fresh: Mutex<Fresh>,
}

/// Answers that were made in this run.
#[derive(Default)]
struct Fresh {
    names: Option<Vec<String>>,
    /// Names and JSON.
    hosts: Vec<(String, String)>,
}

/// Are there more hosts?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    More,
    Over,
}

/// One thread's part in it.
#[derive(Clone)]
struct Work {
    task: Arc<Task>,
    sender: UnboundedSender<Message>,
}

impl Task {
    fn answers(&self) -> Answers<'_> {
        let fingerprint = self.fingerprint.as_deref();
        Answers::new(self.setup.cache.as_ref(), fingerprint, &self.setup.settings)
    }

    /// Opens the flake once more; nothing if it is another one by now.
    fn open_again(&self) -> Option<(Place, Opened)> {
        let place = Place::new(&self.setup, Voice::Quiet);
        let opened = place.open(&self.replaced, &self.flake).ok()?;
        (self.fingerprint.is_some() && opened.fingerprint() == self.fingerprint)
            .then_some((place, opened))
    }

    /// The value of a host whose derivations this process has written. Waits until that is done.
    fn written_before(&self, host: &HostName) -> Option<Value> {
        self.setup.written().get(self.fingerprint.as_deref()?, host.as_str())
    }

    /// Is a remembered value all that is wanted? If that can't be said, it is made anew, which tells why.
    fn is_enough(&self, value: &Value) -> bool {
        self.writing != Writing::Before || are_there(&self.setup.store, value).unwrap_or(false)
    }

    fn next(&self) -> Option<String> {
        locked(&self.left).pop_front()
    }

    fn hosts_left(&self) -> usize {
        locked(&self.left).len()
    }

    /// Remembers the answers, if files were not changed while they were read: the answers may be those of neither
    /// flake then.
    fn remember(&self) {
        let fresh = std::mem::take(&mut *locked(&self.fresh));
        let worth = fresh.names.is_some() || !fresh.hosts.is_empty();
        if !worth || self.setup.cache.is_none() || self.open_again().is_none() {
            return;
        }
        let answers = self.answers();
        if let Some(names) = &fresh.names {
            answers.put_names(names);
        }
        for (name, json) in &fresh.hosts {
            answers.put_host(self.kind, name, json);
        }
        answers.tidy();
    }
}

impl Work {
    fn lead(&self, place: &Place, opened: &Opened, asked: &Asked) -> Result<(), EvalError> {
        let task = &*self.task;
        if let Asked::Written(host, _) = asked
            && let Some(value) = task.written_before(host)
        {
            self.tell(Message::Host(host.to_string(), Ok(value)));
            self.tell(Message::Done);
            return Ok(());
        }
        if let Some(names) = task.answers().names() {
            self.share_out(asked.wanted(names)?);
        } else {
            self.evaluate(place, opened, |session| {
                let names = session.names();
                if !place.beyond.get() {
                    locked(&task.fresh).names = Some(names.clone());
                }
                self.share_out(asked.wanted(names)?);
                self.read(session, place);
                Ok(())
            })?;
        }
        self.serve(place, opened)
    }

    /// Tells what is remembered of the hosts, and has the others read.
    fn share_out(&self, wanted: VecDeque<String>) {
        let (task, answers) = (&*self.task, self.task.answers());
        let mut left = VecDeque::new();
        for name in wanted {
            match answers.host(task.kind, &name) {
                Some(value) if task.is_enough(&value) => {
                    self.tell(Message::Host(name, Ok(value)));
                }
                _ => left.push_back(name),
            }
        }
        let count = left.len();
        task.unread.store(count, Ordering::SeqCst);
        *locked(&task.left) = left;
        if count == 0 {
            return self.done();
        }
        for _ in 1..task.threads.min(count) {
            let work = self.clone();
            let help = move || {
                if let Some((place, opened)) = work.task.open_again() {
                    place.quiet.set(false);
                    // What fails before the first host fails for the leader as well, who tells it.
                    let _ = work.serve(&place, &opened);
                }
            };
            // Without a helper it takes longer.
            if spawn(help).is_err() {
                return;
            }
        }
    }

    /// Reads hosts until none is left.
    fn serve(&self, place: &Place, opened: &Opened) -> Result<(), EvalError> {
        while self.task.hosts_left() > 0 {
            self.evaluate(place, opened, |session| {
                self.read(session, place);
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
        let settings = &self.task.setup.settings;
        let max_memory = settings.max_memory / self.task.threads;
        // A processor that parses ahead for one thread would be taken from another.
        let parse_ahead = settings.parse_ahead.filter(|_| self.task.threads == 1);
        let settings = Settings { max_memory, share_sets: true, parse_ahead, ..settings.clone() };
        let arena = Arena::new();
        let mut eval = Eval::new(&arena, &place.flakes, settings);
        eval.flakes = Some(&place.flakes);
        let mut session = Session::start(&mut eval, opened, &self.task.flake)?;
        read(&mut session)
    }

    /// Reads hosts until none is left, or the evaluation has become so large that a fresh one is better.
    fn read(&self, session: &mut Session<'_, '_>, place: &Place) {
        let task = &*self.task;
        let enough = ROOM.min(task.setup.settings.max_memory / task.threads / 2);
        while let Some(name) = task.next() {
            let value = session.host(&name, task.kind).and_then(|json| {
                let value = serde_json::from_str(&json)
                    .map_err(|error| EvalError::NotJson { reason: error.to_string() })?;
                if !place.beyond.get() {
                    locked(&task.fresh).hosts.push((name.clone(), json));
                }
                Ok(value)
            });
            if let Err(EvalError::Interrupted) = value {
                return self.tell(Message::Failed(EvalError::Interrupted));
            }
            if self.tell_host(session, name, value) == Progress::Over {
                return;
            }
            if session.used() > enough {
                return;
            }
        }
    }

    /// Tells what a host gave, and has its derivations written, if that is wanted.
    fn tell_host(
        &self,
        session: &Session<'_, '_>,
        name: String,
        value: Result<Value, EvalError>,
    ) -> Progress {
        let task = &*self.task;
        let store = &task.setup.store;
        let value = match task.writing {
            Writing::Before => value.and_then(|value| session.write(store, &value).map(|()| value)),
            Writing::Behind | Writing::Never => value,
        };
        let behind = value.as_ref().ok().filter(|_| task.writing == Writing::Behind).cloned();
        // Whoever wants to build waits here until it is written.
        let written = behind.as_ref().map(|_| task.setup.written());
        self.tell(Message::Host(name.clone(), value));
        let progress = match task.unread.fetch_sub(1, Ordering::SeqCst) {
            1 => Progress::Over,
            _ => Progress::More,
        };
        if progress == Progress::Over {
            self.done();
        }
        if let (Some(value), Some(mut written)) = (behind, written)
            // A failure comes again, and is told, when somebody wants to build.
            && session.write(store, &value).is_ok()
            && let (Some(flake), Some(_)) = (&task.fingerprint, task.open_again())
        {
            written.put(flake, name, value);
        }
        progress
    }

    /// All hosts are told.
    fn done(&self) {
        self.task.remember();
        self.tell(Message::Done);
    }

    fn tell(&self, message: Message) {
        // Nobody listens any more if the user did not want to wait.
        let _ = self.sender.send(message);
    }
}

/// A thread that has panicked leaves nothing half done here.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
