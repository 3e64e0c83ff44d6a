//! What is wanted of the thread that parses ahead, and what it has ready.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use super::Ready;
use crate::eval::text::path;
use crate::syntax::Leads;

/// How much text may be ready and not taken, in bytes: some files ahead are enough, and if it is more, the guesses
/// are wrong.
const MOST_READY: usize = 256 * 1024;

/// How long a file may be that is parsed ahead, in bytes; one that is longer may be so long if so many bytes were
/// taken for each of its own: it is a small part of the evaluation then.
const LONGEST: usize = 1 << 20;
const LONG_PART: usize = 2;

/// How much was taken before packages are guessed from the names that files ask for: guessing takes memory, which
/// a small evaluation would not regain in time.
const GUESSED_FROM: usize = 4 << 20;

/// How often a file that is nearly ready is looked for before waiting for it: waking up takes longer than most
/// files take.
const LOOKS: u32 = 400;

/// What both threads see.
#[derive(Debug, Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// There is something to do.
    wanted: Condvar,
    /// A file is ready.
    ready: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// All files that were ever thought of.
    files: FxHashMap<Box<[u8]>, Stage>,
    /// Files that are likely to be wanted, the most likely first.
    queue: VecDeque<Box<[u8]>>,
    /// Files that say where packages are. They are read once more when that is wanted: a small evaluation is
    /// spared the memory.
    collections: Vec<Box<[u8]>>,
    /// Where packages are, by their names.
    packages: FxHashMap<Box<[u8]>, Box<[u8]>>,
    /// The length of all texts that are ready, and of those that were taken.
    unused: usize,
    taken: usize,
    is_idle: bool,
    is_over: bool,
}

#[derive(Debug)]
enum Stage {
    Queued,
    InWork,
    Ready(Box<Ready>),
    /// It was taken, or it can't be parsed ahead.
    Done,
}

/// Something to do for the thread.
pub(super) enum Task {
    /// Parse the file, if it is no longer than this.
    Parse(Box<[u8]>, usize),
    /// Look what packages the file leads to.
    Collect(Box<[u8]>),
}

/// What a file turned out to be.
pub(super) enum Taken {
    Ready(Box<Ready>),
    /// It has to be read.
    Nothing,
}

impl Shared {
    /// The next task; nothing at the end.
    pub(super) fn next(&self) -> Option<Task> {
        let mut state = self.lock();
        loop {
            if state.is_over {
                return None;
            }
            if let Some(task) = state.next() {
                return Some(task);
            }
            state.is_idle = true;
            state = self.wanted.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.is_idle = false;
        }
    }

    /// Takes up what became of a file, and what it leads to.
    pub(super) fn finished(&self, path: &[u8], file: Option<(Box<Ready>, Leads)>) {
        let mut state = self.lock();
        let becomes = match file {
            Some((ready, leads)) => {
                state.unused += ready.text.len();
                state.add_files(path, leads);
                Stage::Ready(ready)
            }
            None => Stage::Done,
        };
        state.files.insert(path.into(), becomes);
        drop(state);
        self.ready.notify_all();
    }

    /// Takes up which packages a file leads to.
    pub(super) fn collected(&self, path: &[u8], leads: Leads) {
        let dir = path::dir_name(path);
        let packages = leads.collected.into_iter();
        let packages = packages.map(|[name, literal]| (name, file_of(dir, &literal)));
        self.lock().packages.extend(packages);
    }

    /// See [`super::Ahead::take`].
    pub(super) fn take(&self, path: &[u8]) -> Taken {
        let mut state = self.lock();
        let mut looks = 0;
        while let Some(Stage::InWork) = state.files.get(path) {
            if looks == LOOKS {
                state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            looks += 1;
            drop(state);
            (0..64).for_each(|_| std::hint::spin_loop());
            state = self.lock();
        }
        let Some(Stage::Ready(ready)) = state.files.insert(path.into(), Stage::Done) else {
            return Taken::Nothing;
        };
        state.unused -= ready.text.len();
        state.taken += ready.text.len();
        state.want(&ready.wanted);
        self.wake(state);
        Taken::Ready(ready)
    }

    /// See [`super::Ahead::tell`].
    pub(super) fn tell(&self, path: &[u8], mut leads: Leads) {
        let wanted = std::mem::take(&mut leads.wanted);
        let mut state = self.lock();
        state.add_files(path, leads);
        state.want(&wanted);
        self.wake(state);
    }

    /// Waits until there is nothing to do.
    #[cfg(test)]
    pub(super) fn settle(&self) {
        while !self.lock().is_idle {
            std::thread::yield_now();
        }
    }

    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.is_over = true;
        self.wake(state);
    }

    /// Wakes the thread up if it waits.
    fn wake(&self, state: MutexGuard<'_, State>) {
        let is_idle = state.is_idle;
        drop(state);
        if is_idle {
            self.wanted.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next(&mut self) -> Option<Task> {
        if self.taken >= GUESSED_FROM
            && let Some(path) = self.collections.pop()
        {
            return Some(Task::Collect(path));
        }
        while self.unused < MOST_READY
            && let Some(path) = self.queue.pop_front()
        {
            // It may have been taken in the meantime, or stand in the queue twice.
            if let Some(stage @ Stage::Queued) = self.files.get_mut(&path) {
                *stage = Stage::InWork;
                return Some(Task::Parse(path, LONGEST.max(self.taken / LONG_PART)));
            }
        }
        None
    }

    /// Takes up the files that a file leads to.
    fn add_files(&mut self, from: &[u8], leads: Leads) {
        let dir = path::dir_name(from);
        for literal in leads.files {
            let file = file_of(dir, &literal);
            if !self.files.contains_key(&file) {
                self.files.insert(file.clone(), Stage::Queued);
                self.queue.push_back(file);
            }
        }
        if !leads.collected.is_empty() {
            self.collections.push(from.into());
        }
    }

    /// Takes up that these packages are asked for: now, so they come first.
    fn want(&mut self, names: &[Box<[u8]>]) {
        for name in names.iter().rev() {
            let Some(file) = self.packages.get(name) else { continue };
            match self.files.get(file) {
                None => _ = self.files.insert(file.clone(), Stage::Queued),
                Some(Stage::Queued) => {}
                Some(_) => continue,
            }
            self.queue.push_front(file.clone());
        }
    }
}

/// The file that a path literal most likely means.
fn file_of(dir: &[u8], literal: &[u8]) -> Box<[u8]> {
    let mut file = path::join(dir, literal);
    if !file.ends_with(b".nix") {
        file = path::join(&file, b"default.nix");
    }
    file.into()
}
