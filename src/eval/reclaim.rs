//! Taking back what an evaluation made on the way to a number, a Boolean or a short string: the frames and
//! thunks of most small functions. Beside `arena`, the only other file with `unsafe`.
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
