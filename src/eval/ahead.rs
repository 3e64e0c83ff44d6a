//! Files that are read and parsed before they are imported, by a thread of its own on another processor.
//!
//! It guesses: a file that was imported leads to its path literals, and to the packages that its functions
//! want as arguments. What it has wrong costs a little memory; no value and no symbol depends on what it does,
//! or when. What is wanted before it was begun is parsed by whoever wants it.

mod queue;
mod work;

use std::sync::Arc;
use std::thread::{Builder, available_parallelism};

use crate::syntax::{Apart, Features, Leads};
use queue::{Shared, Taken};

/// A file that is ready.
#[derive(Debug)]
pub(super) struct Ready {
    /// Its text.
    pub(super) text: Box<[u8]>,
    /// Its tree.
    pub(super) parsed: Apart,
    /// Names of packages that it will ask for.
    wanted: Vec<Box<[u8]>>,
}

/// The way to the thread. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Ahead {
    shared: Arc<Shared>,
}

impl Ahead {
    /// Starts the thread, unless there is nothing for it to run on.
    pub(super) fn start(features: Features) -> Option<Self> {
        if available_parallelism().map_or(1, usize::from) < 2 {
            return None;
        }
        let shared = Arc::<Shared>::default();
        let thread = shared.clone();
        let work = move || work::run(&thread, features);
        // Detached: it refers to nothing of the evaluation, and may be in the middle of a file.
        Builder::new().name("parse".to_owned()).spawn(work).ok()?;
        Some(Self { shared })
    }

    /// Takes the file at this place of the disk, if it is ready or nearly so.
    pub(super) fn take(&self, path: &[u8]) -> Option<Ready> {
        match self.shared.take(path) {
            Taken::Ready(ready) => Some(*ready),
            Taken::Nothing => None,
        }
    }

    /// Tells what a file leads to that was parsed elsewhere.
    pub(super) fn tell(&self, path: &[u8], leads: Leads) {
        self.shared.tell(path, leads);
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

#[cfg(test)]
mod tests;
