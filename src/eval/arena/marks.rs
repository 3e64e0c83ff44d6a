//! The parts of an arena: what is kept, and the rest, which can be brought back to an earlier state.

use std::fmt;
use std::ptr;

use super::{Arena, KEPT_PART, LARGEST_RANGE};

/// A state of an arena to which it can be brought back.
#[derive(Debug)]
pub struct Mark {
    pub(super) next: *mut u8,
    /// What [`Arena::written`] was.
    pub(super) written: usize,
}

impl Arena {
    /// Bytes in use.
    #[must_use]
    pub fn used(&self) -> usize {
        let (one, other) = (self.next.get().addr(), self.other.get().0.addr());
        let start = self.range.addr().get();
        let kept = self.len / KEPT_PART;
        one.min(other) - start + (one.max(other) - start - kept)
    }

    /// Are there as many addresses as anybody could want? A limit (`ulimit -v`) may have left fewer.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        self.len == LARGEST_RANGE
    }

    /// What `make` allocates is never taken back by [`Arena::release`]: for what is remembered outside of
    /// values.
    pub fn keeping<R>(&self, make: impl FnOnce() -> R) -> R {
        // Kept objects come first in the range, which tells whether they are in use already.
        if self.next.get() < self.other.get().0 {
            return make();
        }
        let swap = || {
            let (next, end) = self.other.replace((self.next.get(), self.end.get()));
            self.next.set(next);
            self.end.set(end);
        };
        swap();
        let result = make();
        swap();
        result
    }

    /// Remembers the state of now, for [`Arena::release`].
    #[inline]
    pub fn mark(&self) -> Mark {
        Mark { next: self.next.get(), written: self.written.replace(usize::MAX) }
    }

    /// Says that `object` was made to refer to what may be newer than it is.
    #[inline]
    pub fn note_write<T>(&self, object: &T) {
        let address = ptr::from_ref(object).addr();
        if address < self.written.get() {
            self.written.set(address);
        }
    }

    /// Says that something outside of values refers to any of them: nothing that is there now is taken back.
    #[cold]
    pub fn hold(&self) {
        self.written.set(0);
    }

    /// Ends what began with `mark`, and keeps all that was allocated.
    #[inline]
    pub fn retain(&self, mark: &Mark) {
        if mark.written < self.written.get() {
            self.written.set(mark.written);
        }
    }
}

impl Default for Arena {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arena").field("used", &self.used()).finish_non_exhaustive()
    }
}
