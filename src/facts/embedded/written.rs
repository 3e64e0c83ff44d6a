//! Whose derivations are in the store already, written by this process: the build of a host then evaluates nothing.

use std::collections::HashMap;

use serde_json::Value;

use super::session::Session;
use crate::facts::evaluator::EvalError;
use crate::instantiate::RealStore;
use crate::store::{StoreDir, StorePath};

/// What was written, by the flake's fingerprint and the host's name: the value of the host.
#[derive(Debug, Default)]
pub(super) struct Written(HashMap<(String, String), Value>);

/// When the derivations of a host are written into the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writing {
    /// Not at all.
    Never,
    /// Behind the answer, so that nobody waits for it.
    Behind,
    /// Before the answer, which is of use only then.
    Before,
}

impl Written {
    pub(super) fn get(&self, flake: &str, host: &str) -> Option<Value> {
        self.0.get(&(flake.to_owned(), host.to_owned())).cloned()
    }

    pub(super) fn put(&mut self, flake: &str, host: String, value: Value) {
        self.0.insert((flake.to_owned(), host), value);
    }
}

/// The derivations that a host's value names.
fn derivations(value: &Value, dir: &StoreDir) -> Vec<StorePath> {
    let outputs = value.get("outputs").and_then(Value::as_object);
    let paths = outputs.into_iter().flatten().filter_map(|(_, output)| output.get("drv")?.as_str());
    paths.filter_map(|path| dir.parse(path.as_bytes()).ok()).collect()
}

/// Are all derivations of a remembered value in the store still?
pub(super) fn are_there(store: &RealStore, value: &Value) -> Result<bool, EvalError> {
    Ok(store.keep_all(&derivations(value, store.dir()))?)
}

impl Session<'_, '_> {
    /// Writes the derivations of a host that was evaluated.
    pub(super) fn write(&self, store: &RealStore, value: &Value) -> Result<(), EvalError> {
        let (state, io) = self.made();
        store.write(state, io, &derivations(value, store.dir()))?;
        Ok(())
    }
}
