//! Writing while the evaluation goes on: a thread gives the store what has been made so far, a batch at a time. What
//! it can't write, and what the evaluation makes last, is left to [`RealStore::write`], which also tells what is
//! wrong. As Nix does it, derivations are written as well that the result does not need.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

use super::error::InstantiateError;
use super::object::View;
use super::real_store::RealStore;
use super::write::{New, add};
use crate::eval::closure::Object;
use crate::eval::io::{EvalIo, RealIo};
use crate::eval::store_state::{Listener, Source, StoreState, Text};
use crate::store::{Derivation, StorePath};

/// How many objects are written at a time. An evaluation that makes fewer is written at its end.
const BATCH: usize = 128;

/// The thread, until it is waited for.
#[derive(Debug)]
pub struct EarlyWriter {
    thread: JoinHandle<()>,
}

/// An object on its way to the thread.
enum Made {
    Derivation(Arc<Derivation>),
    Text(Text),
    Source(Source),
}

impl EarlyWriter {
    /// Has what `state` gets from now on written into `store`. `io` is the outside that the evaluation sees.
    /// Nothing if no thread can be started.
    pub fn start(
        store: Arc<RealStore>,
        state: &mut StoreState,
        io: &'static dyn EvalIo,
    ) -> Option<Self> {
        let (sender, made) = channel();
        let work = move || write_all(&store, &made);
        let thread = Builder::new().name("store".to_owned()).spawn(work).ok()?;
        state.set_listener(Some(listener(sender, io)));
        Some(Self { thread })
    }

    /// Waits until the thread has written what it can.
    pub fn finish(self, state: &mut StoreState) {
        state.set_listener(None);
        // What it has not done is done by whoever waits.
        let _ = self.thread.join();
    }
}

/// Sends each object to the thread.
fn listener(sender: Sender<(StorePath, Made)>, io: &'static dyn EvalIo) -> Listener {
    Listener(Box::new(move |path, object| {
        let made = match object {
            Object::Derivation(drv) => Made::Derivation(drv.clone()),
            Object::Text(text) => Made::Text(text.clone()),
            // The thread reads it where it is on the disk. What is not there is left out.
            Object::Source(source) => match io.disk_path(&source.origin) {
                Some(place) => Made::Source(Source { origin: place.into(), ..source.clone() }),
                None => return,
            },
        };
        // The thread may have given up.
        let _ = sender.send((path.clone(), made));
    }))
}

impl Made {
    fn object(&self) -> Object<'_> {
        match self {
            Self::Derivation(drv) => Object::Derivation(drv),
            Self::Text(text) => Object::Text(text),
            Self::Source(source) => Object::Source(source),
        }
    }
}

/// Writes one full batch after the other, until there are no more or the store refuses something.
fn write_all(store: &RealStore, made: &Receiver<(StorePath, Made)>) {
    let mut written = BTreeSet::new();
    loop {
        let batch: Vec<_> = made.iter().take(BATCH).collect();
        if batch.len() < BATCH || write_batch(store, &batch, &mut written).is_err() {
            return;
        }
    }
}

/// Writes those objects of a batch that refer to nothing but what the store has, or has got before.
fn write_batch(
    store: &RealStore,
    batch: &[(StorePath, Made)],
    written: &mut BTreeSet<StorePath>,
) -> Result<(), InstantiateError> {
    let of_objects = batch.iter().map(|(path, _)| path);
    let of_others = batch.iter().flat_map(|(_, made)| made.object().references());
    let asked: BTreeSet<&StorePath> =
        of_objects.chain(of_others).filter(|path| !written.contains(*path)).collect();
    let (state, io) = (StoreState::new(store.dir().clone()), RealIo::new());
    let view = View { state: &state, io: &io };
    let written_now = store.with(|worker| {
        let valid = worker.valid_paths(asked)?;
        let mut new = Vec::new();
        let mut there = valid.clone();
        for (path, made) in batch.iter().filter(|(path, _)| !valid.contains(path)) {
            let object = made.object();
            let has = |path: &&StorePath| there.contains(*path) || written.contains(*path);
            if object.references().iter().all(has) && there.insert(path.clone()) {
                new.push((path, New::Made(object)));
            }
        }
        if !new.is_empty() {
            add(worker, view, &new, |_| Ok(()))?;
        }
        Ok(there)
    })?;
    written.extend(written_now);
    Ok(())
}
