//! Values as text: as `nix-instantiate --eval` prints them, as `nix eval` and messages show them, as JSON
//! and as XML.

pub mod expr;
pub mod json;
mod plain;
mod show;
#[cfg(test)]
mod tests;
pub mod xml;

use std::borrow::Cow;

pub use plain::print;
pub use show::{Errors, ShowOptions, brief, shortened, show};

use super::Eval;
use super::error::{Error, ErrorKind, Result};
use super::position::Pos;
use super::value::{Slot, Value};

/// What messages call the type of a value: `an integer`, `the built-in function 'map'`.
#[must_use]
pub fn type_name(eval: &Eval<'_>, value: Value<'_>) -> Cow<'static, str> {
    Cow::Borrowed(match value {
        Value::Null => "null",
        Value::Bool(_) => "a Boolean",
        Value::Int(_) => "an integer",
        Value::Float(_) => "a float",
        Value::Str(context, _) if context.is_none() => "a string",
        Value::Str(..) => "a string with context",
        Value::Path(_) => "a path",
        Value::List(_) => "a list",
        Value::Attrs(_) => "a set",
        Value::Lambda(..) => "a function",
        Value::PrimOp(id) => {
            return Cow::Owned(format!("the built-in function '{}'", eval.primop(id).name));
        }
        Value::PrimOpApp(id, _) => {
            let name = eval.primop(id).name;
            return Cow::Owned(format!("the partially applied built-in function '{name}'"));
        }
        Value::Ref(slot) => return type_name(eval, slot.get()),
        Value::Blackhole => "a black hole",
        Value::App(_) => "a function application",
        Value::Thunk(..) | Value::Element(..) | Value::Found(_) => "a thunk",
    })
}

/// The value that `value` stands for as far as it is known, and the slot it lives in, if any. Nothing is
/// evaluated.
fn known(value: Value<'_>) -> (Value<'_>, Option<&Slot<'_>>) {
    let (mut value, mut home) = (value, None);
    while let Value::Ref(slot) = value {
        (value, home) = (slot.get(), Some(slot));
    }
    (value, home)
}

/// Is `home` a black hole since its evaluation has failed? As in Nix, it is shown like one that nobody has begun.
fn has_failed(eval: &Eval<'_>, home: Option<&Slot<'_>>) -> bool {
    home.is_some_and(|slot| eval.failures.of(slot).is_some())
}

/// Counts as not evaluated where nothing is forced: what is no value, and a closure within another
/// value. C++ Nix makes a closure only when it is wanted, here it is made at once.
fn is_unevaluated(value: Value<'_>, home: Option<&Slot<'_>>) -> bool {
    match value {
        Value::Lambda(..) => home.is_some(),
        value => !value.is_forced(),
    }
}

/// Where a value comes from, if that can be told, else `pos`.
fn place_of(eval: &Eval<'_>, value: Value<'_>, pos: Pos) -> Pos {
    match value {
        Value::Lambda(id, _) => eval.lambda(id).pos,
        Value::Thunk(node, _) => eval.code.pos(node),
        _ => pos,
    }
}

/// Holds the nesting of a value to what calls are held to, as C++ Nix does: some values have no end.
pub(super) fn check_depth(eval: &Eval<'_>, depth: usize, pos: Pos) -> Result<()> {
    if depth > eval.settings.max_call_depth {
        let message = "stack overflow; max-call-depth exceeded";
        return Err(Error::new(ErrorKind::StackOverflow, pos, message));
    }
    eval.check_stack()
}
