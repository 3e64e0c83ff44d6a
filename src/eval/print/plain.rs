//! The text of `nix-instantiate --eval`: sets and lists with what is evaluated of them, `<CODE>` for the
//! rest.

use rustc_hash::FxHashSet;

use super::{check_depth, has_failed, is_unevaluated, known};
use crate::eval::Eval;
use crate::eval::error::Result;
use crate::eval::position::Pos;
use crate::eval::text::{number, print as text};
use crate::eval::value::Value;

/// Appends `value` to `out` as `nix-instantiate --eval` prints it. Without `strict` nothing inside of it
/// is evaluated.
///
/// # Errors
///
/// What evaluating fails with, and values that are nested more deeply than `max-call-depth`.
pub fn print<'a>(
    eval: &mut Eval<'a>,
    value: Value<'a>,
    strict: bool,
    out: &mut Vec<u8>,
) -> Result<()> {
    if strict {
        eval.force_deep(value, Pos::NONE)?;
    }
    Printer { eval, strict, seen: FxHashSet::default(), out }.value(value, 0)
}

struct Printer<'p, 'a> {
    eval: &'p Eval<'a>,
    strict: bool,
    /// Addresses of sets, and of the homes of lists.
    seen: FxHashSet<usize>,
    out: &'p mut Vec<u8>,
}

impl<'a> Printer<'_, 'a> {
    fn value(&mut self, value: Value<'a>, depth: usize) -> Result<()> {
        check_depth(self.eval, depth, Pos::NONE)?;
        let (value, home) = known(value);
        if !self.strict && value.is_forced() && is_unevaluated(value, home) {
            self.out.extend_from_slice(b"<CODE>");
            return Ok(());
        }
        let word: &[u8] = match value {
            Value::Null => b"null",
            Value::Bool(true) => b"true",
            Value::Bool(false) => b"false",
            Value::Int(value) => {
                number::write_int(self.out, value);
                b""
            }
            Value::Float(value) => {
                number::write_float(self.out, value);
                b""
            }
            Value::Str(_, bytes) => {
                text::write_string(self.out, bytes.items());
                b""
            }
            Value::Path(path) => {
                self.out.extend_from_slice(&self.eval.sources.shown(path.items()));
                b""
            }
            Value::Attrs(attrs) => {
                if !attrs.is_empty() && !self.seen.insert(attrs.address()) {
                    self.out.extend_from_slice("«repeated»".as_bytes());
                    return Ok(());
                }
                self.out.extend_from_slice(b"{ ");
                for attr in attrs.sorted(self.eval.arena, &self.eval.symbols) {
                    text::write_attr_name(self.out, self.eval.symbols.name(attr.name));
                    self.out.extend_from_slice(b" = ");
                    self.value(Value::Ref(attr.slot), depth + 1)?;
                    self.out.extend_from_slice(b"; ");
                }
                b"}"
            }
            Value::List(list) => {
                let home = home.map(|home| std::ptr::from_ref(home).addr());
                if !list.is_empty() && home.is_some_and(|home| !self.seen.insert(home)) {
                    self.out.extend_from_slice("«repeated»".as_bytes());
                    return Ok(());
                }
                self.out.extend_from_slice(b"[ ");
                for slot in list.items() {
                    self.value(Value::Ref(slot), depth + 1)?;
                    self.out.push(b' ');
                }
                b"]"
            }
            Value::Lambda(..) => b"<LAMBDA>",
            Value::PrimOp(_) => b"<PRIMOP>",
            Value::PrimOpApp(..) => b"<PRIMOP-APP>",
            Value::Blackhole if !has_failed(self.eval, home) => {
                "«potential infinite recursion»".as_bytes()
            }
            Value::Thunk(..)
            | Value::App(_)
            | Value::Element(..)
            | Value::Ref(_)
            | Value::Found(_)
            | Value::Blackhole => b"<CODE>",
        };
        self.out.extend_from_slice(word);
        Ok(())
    }
}
