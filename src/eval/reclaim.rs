//! Taking back what an evaluation made on the way to a number, a Boolean or a short string: the frames and
//! thunks of most small functions. Beside the arena's own files, the only one with `unsafe`.
//!
//! What is newer than the mark can be referred to by the result, by older objects, and by Rust's own
//! variables. The result is one that refers to nothing, or is moved. Older objects change in these
//! places only, each of which tells the arena: a slot that gets its value (`force`), a shape that
//! remembers its order, a layer that remembers its flat copy (`value::attrs`). What the evaluator keeps
//! outside of values (names, code, the slots of imported files) is made within
//! [`Arena::keeping`](super::arena::Arena::keeping). Rust's variables between the mark and here are gone but for the result.
#![expect(
    unsafe_code,
    reason = "the invariants of `Arena::release` are held by the whole evaluator"
)]

use super::Eval;
use super::arena::Mark;
use super::error::Result;
use super::value::{Bytes, Value};

/// Longer strings are not moved: they are what most of the memory went to.
const MOVED: usize = 256;

impl<'a> Eval<'a> {
    /// Ends what began with `mark` and led to `result`.
    #[inline]
    pub(super) fn reclaim(&self, mark: &Mark, result: Result<Value<'a>>) -> Result<Value<'a>> {
        match result {
            Ok(value) if value.is_scalar() => {
                // SAFETY: see above; the value refers to nothing.
                unsafe { self.arena.release(mark) };
                Ok(value)
            }
            Ok(Value::Str(context, bytes)) if bytes.len() <= MOVED => {
                Ok(Value::Str(context, self.moved(mark, bytes)))
            }
            other => {
                self.arena.retain(mark);
                other
            }
        }
    }

    #[inline]
    fn moved(&self, mark: &Mark, bytes: Bytes<'a>) -> Bytes<'a> {
        // SAFETY: see above; the only reference left is to the bytes, which are moved.
        unsafe { self.arena.release_but(mark, bytes) }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use crate::eval::arena::{Arena, Block};

    #[test]
    fn what_was_made_on_the_way_is_taken_back_unless_something_older_refers_to_it() {
        let arena = Arena::new();
        let old = arena.alloc(Cell::new(None::<&u64>));
        let before = arena.used();
        let mark = arena.mark();
        arena.alloc(7u64);
        // SAFETY: nobody has kept the number.
        assert!(unsafe { arena.release(&mark) });
        assert_eq!(arena.used(), before);

        let outer = arena.mark();
        let middle = arena.alloc(Cell::new(None::<&u64>));
        let inner = arena.mark();
        middle.set(Some(arena.alloc(8u64)));
        arena.note_write(middle);
        // SAFETY: what `middle` refers to was told.
        assert!(!unsafe { arena.release(&inner) });
        assert_eq!(middle.get(), Some(&8));
        // SAFETY: `middle` is not used again.
        assert!(unsafe { arena.release(&outer) });
        assert_eq!(arena.used(), before);

        let mark = arena.mark();
        let kept = arena.keeping(|| arena.alloc(9u64));
        old.set(Some(kept));
        arena.alloc([0u64; 100]);
        let text: Block<'_, (), u8> = arena.copy((), b"result");
        // SAFETY: only the copy of the text is used again, and what was kept.
        let text = unsafe { arena.release_but(&mark, text) };
        assert_eq!((text.items(), old.get()), (&b"result"[..], Some(&9)));
        assert!(arena.used() < before + 64);
        let next: Block<'_, (), u8> = arena.copy((), b"another");
        assert_eq!((text.items(), next.items()), (&b"result"[..], &b"another"[..]));
    }
}
