//! Writing what an evaluation has made: each object behind what it refers to, and only what the store does not
//! have.

use std::io::Write;

use super::error::InstantiateError;
use super::object::{View, write_text};
use super::real_store::{RealStore, Streams};
use crate::eval::closure::{Closure, Object};
use crate::eval::io::EvalIo;
use crate::eval::store_state::{Source, StoreState};
use crate::process;
use crate::store::worker::Adding;
use crate::store::{StoreDir, StorePath};

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// How many objects belong together.
    pub all: usize,
    /// How many of them the store did not have.
    pub new: usize,
}

/// An object that the store gets.
pub(super) enum New<'s> {
    /// One that the evaluation has made.
    Made(Object<'s>),
    /// A tree that the outside shows in the store already, as it does with the sources of flakes.
    Mounted(Source),
}

impl RealStore {
    /// Writes derivations (or other objects that the evaluation has made) and all that they need into the store.
    /// The garbage collector leaves them alone as long as this store is connected.
    ///
    /// # Errors
    ///
    /// Those of the store; files that are gone or have changed. What was whole before that is in the store, and
    /// the rest is not.
    pub fn write(
        &self,
        state: &StoreState,
        io: &dyn EvalIo,
        roots: &[StorePath],
    ) -> Result<Written, InstantiateError> {
        let closure = state.closure(roots);
        let view = View { state, io };
        let written = self.with(|store| {
            let objects = closure.objects.iter().map(|(path, _)| *path);
            let valid = store.valid_paths(objects.chain(closure.others.iter().copied()))?;
            let mut new = mounted(view, &closure, |path| valid.contains(path))?;
            let missing = closure.objects.iter().filter(|(path, _)| !valid.contains(*path));
            new.extend(missing.map(|(path, object)| (*path, New::Made(*object))));
            if !new.is_empty() {
                self.add_told(store, view, &new)?;
            }
            roots.iter().try_for_each(|root| store.keep(root))?;
            Ok(Written { all: closure.objects.len() + closure.others.len(), new: new.len() })
        });
        self.watcher.done();
        written
    }

    fn add_told(
        &self,
        store: &mut Streams,
        view: View<'_>,
        new: &[(&StorePath, New<'_>)],
    ) -> Result<(), InstantiateError> {
        let total = new.len() as u64;
        add(store, view, new, |done| {
            if view.io.interrupted() {
                let command = self.nix.store().to_string();
                return Err(process::Error::Cancelled { command }.into());
            }
            self.watcher.written(done, total);
            Ok(())
        })
    }
}

/// Adds objects to the store, in this order. `tell` is asked before each, and at the end, whether to go on.
pub(super) fn add(
    store: &mut Streams,
    view: View<'_>,
    new: &[(&StorePath, New<'_>)],
    tell: impl Fn(u64) -> Result<(), InstantiateError>,
) -> Result<(), InstantiateError> {
    let total = new.len() as u64;
    store.add(total, |adding| {
        let mut buffer = Vec::new();
        for (done, (path, object)) in (0..).zip(new) {
            tell(done)?;
            object.write(view, path, &mut buffer, adding)?;
        }
        tell(total)
    })
}

impl New<'_> {
    fn write(
        &self,
        view: View<'_>,
        path: &StorePath,
        buffer: &mut Vec<u8>,
        adding: &mut Adding<'_, impl Write>,
    ) -> Result<(), InstantiateError> {
        match self {
            Self::Mounted(source) => view.write_source(path, source, adding),
            Self::Made(Object::Source(source)) => view.write_source(path, source, adding),
            Self::Made(object @ Object::Text(text)) => {
                write_text(path, object.references(), &text.contents, adding)
            }
            Self::Made(object @ Object::Derivation(drv)) => {
                buffer.clear();
                drv.write(view.state.dir(), buffer)?;
                write_text(path, object.references(), buffer, adding)
            }
        }
    }
}

/// What others refer to and the store does not have: it must be seen there all the same.
fn mounted<'s>(
    view: View<'_>,
    closure: &Closure<'s>,
    is_valid: impl Fn(&StorePath) -> bool,
) -> Result<Vec<(&'s StorePath, New<'s>)>, InstantiateError> {
    let mut new = Vec::new();
    for path in closure.others.iter().copied().filter(|path| !is_valid(path)) {
        match view.hash_mounted(path) {
            Some((found, source)) if found == *path => new.push((path, New::Mounted(source))),
            _ => return Err(missing(view.state.dir(), closure, path)),
        }
    }
    Ok(new)
}

fn missing(dir: &StoreDir, closure: &Closure<'_>, path: &StorePath) -> InstantiateError {
    let user = closure.objects.iter().find(|(_, object)| object.references().contains(&path));
    let shown = |path| String::from_utf8_lossy(&dir.to_absolute(path)).into_owned();
    InstantiateError::Missing {
        path: shown(path),
        user: user.map_or_else(|| "the result".to_owned(), |(user, _)| shown(user)),
    }
}
