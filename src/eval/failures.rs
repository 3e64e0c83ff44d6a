//! What can't be evaluated, and why. A slot whose evaluation has failed is a black hole that is known here.

use rustc_hash::FxHashMap;

use super::arena::Arena;
use super::error::Error;
use super::value::Slot;

/// The failures so far, by the addresses of their slots.
#[derive(Debug, Default)]
pub(super) struct Failures(FxHashMap<usize, Error>);

impl Failures {
    /// Remembers why `slot` of `arena` has no value.
    pub(super) fn remember<'a>(&mut self, arena: &Arena, slot: &'a Slot<'a>, error: &Error) {
        // No other slot may come to stand at its address.
        arena.hold();
        self.0.insert(address(slot), error.clone());
    }

    /// Why `slot`, a black hole, has no value; nothing if it is being evaluated.
    pub(super) fn of(&self, slot: &Slot<'_>) -> Option<Error> {
        self.0.get(&address(slot)).cloned()
    }
}

fn address(slot: &Slot<'_>) -> usize {
    std::ptr::from_ref(slot).addr()
}
