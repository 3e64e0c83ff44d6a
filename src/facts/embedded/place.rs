//! The outside as one thread of an evaluation sees it, with the flake in it.

use std::cell::Cell;
use std::rc::Rc;

use super::Setup;
use super::watch::Watched;
use crate::facts::evaluator::{EvalError, Override};
use crate::flake::{FlakeError, Flakes, OpenOptions, Opened, Surroundings};
use crate::process;

/// The outside of one thread.
pub(super) struct Place {
    pub(super) flakes: Flakes,
    /// Has something been built or fetched that is not told by the flake's fingerprint?
    pub(super) beyond: Rc<Cell<bool>>,
    /// Are remarks left to another thread?
    pub(super) quiet: Rc<Cell<bool>>,
}

impl Place {
    pub(super) fn new(setup: &Setup, voice: Voice) -> Self {
        let (beyond, quiet) = (Rc::default(), Rc::new(Cell::new(voice == Voice::Quiet)));
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

    /// Opens a flake by a reference that a person gave.
    pub(super) fn open(&self, replaced: &[Override], flake: &str) -> Result<Opened, EvalError> {
        let pairs = replaced.iter();
        let pairs = pairs.map(|(name, reference)| (name.clone().into(), reference.clone().into()));
        let options = OpenOptions { override_inputs: pairs.collect() };
        let opened = self.flakes.open(flake.as_bytes(), &options);
        let (opened, fragment) = opened.map_err(|error| no_flake(flake, error))?;
        if fragment.is_empty() {
            return Ok(opened);
        }
        let message = format!("unexpected fragment '{}'", String::from_utf8_lossy(&fragment));
        Err(EvalError::NoFlake { flake: flake.to_owned(), message })
    }
}

/// Does a thread make remarks, or is that left to another one?
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    Loud,
    Quiet,
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
