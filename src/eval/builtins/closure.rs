//! `genericClosure`: everything that can be reached from a start, each key once.

use std::cmp::Ordering;

use rustc_hash::FxHashSet;

use super::PrimOp;
use super::lists::shared;
use crate::eval::Eval;
use crate::eval::error::{Error, Result};
use crate::eval::position::Pos;
use crate::eval::print::shortened;
use crate::eval::value::{Attrs, Slot, Value, share};
use crate::syntax::Symbol;

/// The builtin of this file.
pub(super) const PRIMOPS: &[PrimOp] =
    &[PrimOp { name: "genericClosure", arity: 1, strict: 0b1, run: generic_closure }];

fn generic_closure<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.genericClosure";
    let attrs = eval.force_attrs(args[0], pos, what)?;
    let start = argument(eval, attrs, eval.known.start_set, pos)?;
    let what =
        "while evaluating the 'startSet' attribute passed as argument to builtins.genericClosure";
    let start = eval.force_list(start, pos, what)?;
    if start.is_empty() {
        return Ok(Value::List(start));
    }
    let operator = argument(eval, attrs, eval.known.operator, pos)?;
    let what =
        "while evaluating the 'operator' attribute passed as argument to builtins.genericClosure";
    let operator = eval.force_function(operator, pos, what)?;

    // The front of `elements`, up to `found`, is the result; what waits begins at `next`.
    let mut elements: Vec<&'a Slot<'a>> = start.items().iter().collect();
    let (mut found, mut next) = (0, 0);
    let mut keys = Keys::None;
    while let Some(&element) = elements.get(next) {
        next += 1;
        let key = key_of(eval, element, pos)?;
        match keys.insert(eval, key, pos) {
            Ok(true) => {}
            Ok(false) => continue,
            Err(error) => return Err(incomparable(eval, error, element, key, &elements[..found])),
        }
        elements[found] = element;
        found += 1;
        if let Err(error) = operate(eval, operator, element, &mut elements, pos) {
            let shown = shortened(eval, Value::Ref(element));
            let message = format!("while calling operator on genericClosure element {shown}");
            return Err(error.while_(Pos::NONE, message));
        }
    }
    Ok(shared(eval, found, elements.into_iter()))
}

/// A needed attribute of the argument.
fn argument<'a>(eval: &Eval<'a>, attrs: Attrs<'a>, name: Symbol, pos: Pos) -> Result<Value<'a>> {
    attrs.get(name).map(Value::Ref).ok_or_else(|| {
        let what = "in the attrset passed as argument to builtins.genericClosure";
        missing(eval, name, pos).while_(pos, what)
    })
}

#[cold]
fn missing(eval: &Eval<'_>, name: Symbol, pos: Pos) -> Error {
    Error::missing_attribute(pos, &eval.symbols.text(name))
}

/// The evaluated key of an element.
fn key_of<'a>(eval: &mut Eval<'a>, element: &'a Slot<'a>, pos: Pos) -> Result<Value<'a>> {
    let key = match eval.force_slot(element, pos) {
        Ok(Value::Attrs(attrs)) => {
            attrs.get(eval.known.key).ok_or_else(|| missing(eval, eval.known.key, pos))
        }
        Ok(other) => Err(eval.wrong_type("a set", other, pos)),
        Err(error) => Err(error),
    };
    match key {
        Ok(key) => eval.force_slot(key, pos),
        Err(error) => {
            let message =
                format!("in genericClosure element {}", shortened(eval, Value::Ref(element)));
            Err(error.while_(Pos::NONE, message))
        }
    }
}

/// Calls the operator on an element, and adds what it returns to the elements that wait.
fn operate<'a>(
    eval: &mut Eval<'a>,
    operator: Value<'a>,
    element: &'a Slot<'a>,
    elements: &mut Vec<&'a Slot<'a>>,
    pos: Pos,
) -> Result<()> {
    let what =
        "while evaluating the return value of the `operator` passed to builtins.genericClosure";
    let fresh = eval.call(operator, &[share(element)], Pos::NONE)?;
    let fresh = eval.force_list(fresh, pos, what)?;
    for slot in fresh.items() {
        eval.force_slot(slot, pos)?;
        elements.push(slot);
    }
    Ok(())
}

/// Says which elements had keys that can't be compared.
#[cold]
fn incomparable<'a>(
    eval: &mut Eval<'a>,
    error: Error,
    element: &'a Slot<'a>,
    key: Value<'a>,
    found: &[&'a Slot<'a>],
) -> Error {
    // As Nix does it: of all elements that can't be compared with it, that with the smallest key.
    let mut other: Option<(Value<'a>, &'a Slot<'a>)> = None;
    for &slot in found {
        let Ok(known) = key_of(eval, slot, Pos::NONE) else { continue };
        if eval.compare(key, known, Pos::NONE).is_ok() {
            continue;
        }
        let smaller = match other {
            Some((least, _)) => eval.less(known, least, Pos::NONE).unwrap_or(false),
            None => true,
        };
        if smaller {
            other = Some((known, slot));
        }
    }
    let this = shortened(eval, Value::Ref(element));
    match other {
        Some((_, other)) => {
            let other = shortened(eval, Value::Ref(other));
            error
                .while_(Pos::NONE, format!("with element {other}"))
                .while_(Pos::NONE, format!("while comparing element {this}"))
        }
        None => error.while_(Pos::NONE, format!("while checking key of element {this}")),
    }
}

/// The keys seen so far. They need an order only where hashing doesn't say what is equal.
enum Keys<'a> {
    None,
    Integers(FxHashSet<i64>),
    Strings(FxHashSet<&'a [u8]>),
    Ordered(Ordered<'a>),
}

impl<'a> Keys<'a> {
    /// Adds an evaluated key, and says whether it is new.
    fn insert(&mut self, eval: &mut Eval<'a>, key: Value<'a>, pos: Pos) -> Result<bool> {
        match (&mut *self, key) {
            (Self::Integers(seen), Value::Int(number)) => return Ok(seen.insert(number)),
            (Self::Strings(seen), Value::Str(_, text)) => return Ok(seen.insert(text.items())),
            (Self::None, Value::Int(number)) => {
                *self = Self::Integers(FxHashSet::from_iter([number]));
                return Ok(true);
            }
            (Self::None, Value::Str(_, text)) => {
                *self = Self::Strings(FxHashSet::from_iter([text.items()]));
                return Ok(true);
            }
            (Self::Ordered(seen), key) => return seen.insert(eval, key, pos),
            _ => {}
        }
        // The keys are of more than one type, or of one that isn't hashed.
        let mut ordered = Ordered::default();
        match self {
            Self::Integers(seen) => {
                for &number in seen.iter() {
                    ordered.insert(eval, Value::Int(number), pos)?;
                }
            }
            Self::Strings(seen) => {
                for text in seen.iter() {
                    let text = eval.string(text);
                    ordered.insert(eval, text, pos)?;
                }
            }
            Self::None | Self::Ordered(_) => {}
        }
        let new = ordered.insert(eval, key, pos)?;
        *self = Self::Ordered(ordered);
        Ok(new)
    }
}

/// Values in ascending order, in chunks, so that adding one moves few others.
#[derive(Default)]
struct Ordered<'a> {
    /// None is empty.
    chunks: Vec<Vec<Value<'a>>>,
}

impl<'a> Ordered<'a> {
    /// A chunk of more values is divided.
    const CHUNK: usize = 512;

    /// Adds a value, and says whether it is new. Fails where values can't be compared.
    fn insert(&mut self, eval: &mut Eval<'a>, value: Value<'a>, pos: Pos) -> Result<bool> {
        let chunks = &mut self.chunks;
        if chunks.is_empty() {
            chunks.push(vec![value]);
            return Ok(true);
        }
        let Some(after) = place(eval, value, chunks.len(), |at| chunks[at][0], pos)? else {
            return Ok(false);
        };
        let number = after.saturating_sub(1);
        let chunk = &mut chunks[number];
        let Some(at) = place(eval, value, chunk.len(), |at| chunk[at], pos)? else {
            return Ok(false);
        };
        chunk.insert(at, value);
        if chunk.len() > Self::CHUNK {
            let upper = chunk.split_off(Self::CHUNK / 2);
            chunks.insert(number + 1, upper);
        }
        Ok(true)
    }
}

/// How many of `len` ascending values are smaller than `value`; `None` if one is equal.
fn place<'a>(
    eval: &mut Eval<'a>,
    value: Value<'a>,
    len: usize,
    item: impl Fn(usize) -> Value<'a>,
    pos: Pos,
) -> Result<Option<usize>> {
    let (mut low, mut high) = (0, len);
    while low < high {
        let middle = low.midpoint(high);
        match eval.compare(value, item(middle), pos)? {
            Some(Ordering::Less) => high = middle,
            Some(Ordering::Greater) => low = middle + 1,
            Some(Ordering::Equal) | None => return Ok(None),
        }
    }
    Ok(Some(low))
}
