//! Lists: their elements, and functions that go through all of them.

use std::cell::Cell;

use super::PrimOp;
use super::chosen::Chosen;
use crate::eval::Eval;
use crate::eval::error::{Error, Result};
use crate::eval::position::Pos;
use crate::eval::value::{List, Mapping, Over, Slot, Value, share};

/// The builtins of this file. What Nix only evaluates for a list with elements, or behind another
/// argument, is not marked as strict.
pub(super) const PRIMOPS: &[PrimOp] = &[
    PrimOp { name: "all", arity: 2, strict: 0b11, run: all },
    PrimOp { name: "any", arity: 2, strict: 0b11, run: any },
    PrimOp { name: "concatLists", arity: 1, strict: 0b1, run: concat_lists },
    PrimOp { name: "concatMap", arity: 2, strict: 0b11, run: concat_map },
    PrimOp { name: "elem", arity: 2, strict: 0b10, run: elem },
    PrimOp { name: "elemAt", arity: 2, strict: 0b10, run: elem_at },
    PrimOp { name: "filter", arity: 2, strict: 0b10, run: filter },
    PrimOp { name: "foldl'", arity: 3, strict: 0b101, run: fold },
    PrimOp { name: "genList", arity: 2, strict: 0b10, run: gen_list },
    PrimOp { name: "head", arity: 1, strict: 0b1, run: head },
    PrimOp { name: "length", arity: 1, strict: 0b1, run: length },
    PrimOp { name: "map", arity: 2, strict: 0b10, run: map },
    PrimOp { name: "tail", arity: 1, strict: 0b1, run: tail },
];

/// `genList` makes no longer lists: this one takes 4 GiB.
const LONGEST: i64 = 1 << 28;

/// Of longer lists, the rest is not copied.
const SHARED: usize = 2;

fn length<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.length";
    let list = eval.force_list(args[0], pos, what)?;
    Ok(Value::Int(i64::try_from(list.len()).unwrap_or(i64::MAX)))
}

fn head<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to 'builtins.head'";
    let list = eval.force_list(args[0], pos, what)?;
    match list.items().first() {
        Some(first) => eval.force_slot(first, pos),
        None => Err(Error::evaluation(pos, "'builtins.head' called on an empty list")),
    }
}

fn tail<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to 'builtins.tail'";
    let list = eval.force_list(args[0], pos, what)?;
    match list.items() {
        [] => Err(Error::evaluation(pos, "'builtins.tail' called on an empty list")),
        [_, rest @ ..] if rest.len() > SHARED => Ok(Value::List(eval.arena.rest(list, 1))),
        [_, rest @ ..] => Ok(shared(eval, rest.len(), rest.iter())),
    }
}

/// Nix looks at the index before it looks at the list.
fn elem_at<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the second argument passed to 'builtins.elemAt'";
    let index = eval.force_int(args[1], pos, what)?;
    let what = "while evaluating the first argument passed to 'builtins.elemAt'";
    let list = eval.force_list(args[0], pos, what)?;
    if let Some(slot) = usize::try_from(index).ok().and_then(|index| list.items().get(index)) {
        return eval.force_slot(slot, pos);
    }
    let size = list.len();
    let message = format!("'builtins.elemAt' called with index {index} on a list of size {size}");
    Err(Error::evaluation(pos, message))
}

fn map<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the second argument passed to builtins.map";
    let list = eval.force_list(args[1], pos, what)?;
    if list.is_empty() {
        return Ok(Value::List(list));
    }
    let what = "while evaluating the first argument passed to builtins.map";
    let function = eval.force_function(args[0], pos, what)?;
    Ok(applied(eval, list.len(), Mapping { function, over: Over::List(list) }))
}

fn gen_list<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the second argument passed to builtins.genList";
    let wanted = eval.force_int(args[1], pos, what)?;
    let len = usize::try_from(wanted).ok().filter(|_| wanted <= LONGEST);
    let Some(len) = len else {
        return Err(Error::evaluation(pos, format!("cannot create list of size {wanted}")));
    };
    let what = "while evaluating the first argument passed to builtins.genList";
    let function = eval.force_function(args[0], pos, what)?;
    if len == 0 {
        return Ok(Value::List(eval.empty_list()));
    }
    eval.check_memory(len * size_of::<Value<'_>>())?;
    Ok(applied(eval, len, Mapping { function, over: Over::Indices }))
}

/// A list of what `mapping` gives for each index.
fn applied<'a>(eval: &Eval<'a>, len: usize, mapping: Mapping<'a>) -> Value<'a> {
    let mapping = eval.arena.alloc(mapping);
    let mut next = 0u32;
    Value::List(eval.arena.block((), len, |_| {
        let element = Value::Element(next, mapping);
        next = next.wrapping_add(1);
        Cell::new(element)
    }))
}

fn filter<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the second argument passed to builtins.filter";
    let list = eval.force_list(args[1], pos, what)?;
    if list.is_empty() {
        return Ok(Value::List(list));
    }
    let what = "while evaluating the first argument passed to builtins.filter";
    let function = eval.force_function(args[0], pos, what)?;
    let what =
        "while evaluating the return value of the filtering function passed to builtins.filter";
    let mut kept = Chosen::default();
    for (at, slot) in list.items().iter().enumerate() {
        if holds(eval, function, slot, pos, what)? {
            kept.add(at);
        }
    }
    if kept.len() == list.len() {
        return Ok(Value::List(list));
    }
    Ok(shared(eval, kept.len(), kept.of(list.items(), true)))
}

/// A list of `len` elements that share these slots.
pub(super) fn shared<'a>(
    eval: &Eval<'a>,
    len: usize,
    mut slots: impl Iterator<Item = &'a Slot<'a>>,
) -> Value<'a> {
    if len == 0 {
        return Value::List(eval.empty_list());
    }
    let element = |_| Cell::new(slots.next().map_or(Value::Null, share));
    Value::List(eval.arena.block((), len, element))
}

/// What a predicate says about the value of a slot.
#[inline]
pub(super) fn holds<'a>(
    eval: &mut Eval<'a>,
    predicate: Value<'a>,
    slot: &'a Slot<'a>,
    pos: Pos,
    what: &'static str,
) -> Result<bool> {
    match eval.call(predicate, &[share(slot)], Pos::NONE)? {
        Value::Bool(holds) => Ok(holds),
        other => eval.force_bool(other, pos, what),
    }
}

fn any<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.any";
    let function = eval.force_function(args[0], pos, what)?;
    let what = "while evaluating the second argument passed to builtins.any";
    let list = eval.force_list(args[1], pos, what)?;
    let what = "while evaluating the return value of the function passed to builtins.any";
    for slot in list.items() {
        if holds(eval, function, slot, pos, what)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn all<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.all";
    let function = eval.force_function(args[0], pos, what)?;
    let what = "while evaluating the second argument passed to builtins.all";
    let list = eval.force_list(args[1], pos, what)?;
    let what = "while evaluating the return value of the function passed to builtins.all";
    for slot in list.items() {
        if !holds(eval, function, slot, pos, what)? {
            return Ok(Value::Bool(false));
        }
    }
    Ok(Value::Bool(true))
}

fn elem<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the second argument passed to builtins.elem";
    let list = eval.force_list(args[1], pos, what)?;
    if list.is_empty() {
        return Ok(Value::Bool(false));
    }
    let wanted = eval.force(args[0], pos)?;
    // Functions and NaN are equal to themselves only, and that by their place.
    let place = match (wanted, args[0]) {
        (
            Value::Lambda(..) | Value::PrimOp(_) | Value::PrimOpApp(..) | Value::Float(_),
            Value::Ref(slot),
        ) => Some(slot),
        _ => None,
    };
    let what = "while searching for the presence of the given element in the list";
    for slot in list.items() {
        let found = if let Some(place) = place {
            eval.equal_slots(place, slot, pos)
        } else {
            let value = eval.force_slot(slot, pos)?;
            eval.equal(wanted, value, pos)
        };
        if found.map_err(|error| error.while_(pos, what))? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn concat_lists<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.concatLists";
    let list = eval.force_list(args[0], pos, what)?;
    let what = "while evaluating a value of the list passed to builtins.concatLists";
    let mut filled = Vec::with_capacity(list.len());
    for slot in list.items() {
        let part = eval.force_list(Value::Ref(slot), pos, what)?;
        if !part.is_empty() {
            filled.push(part);
        }
    }
    Ok(Value::List(eval.append(&filled)))
}

fn concat_map<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.concatMap";
    let function = eval.force_function(args[0], pos, what)?;
    let what = "while evaluating the second argument passed to builtins.concatMap";
    let list = eval.force_list(args[1], pos, what)?;
    let what = "while evaluating the return value of the function passed to builtins.concatMap";
    let mut filled: Vec<List<'a>> = Vec::with_capacity(list.len());
    for slot in list.items() {
        let part = eval.call(function, &[share(slot)], Pos::NONE)?;
        let part = eval.force_list(part, pos, what)?;
        if !part.is_empty() {
            filled.push(part);
        }
    }
    Ok(Value::List(eval.append(&filled)))
}

/// `foldl'`: each result is evaluated, the start only if the function wants it.
fn fold<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.foldlStrict";
    let function = eval.force_function(args[0], pos, what)?;
    let what = "while evaluating the third argument passed to builtins.foldlStrict";
    let list = eval.force_list(args[2], pos, what)?;
    let mut result = args[1];
    for slot in list.items() {
        result = eval.call(function, &[result, share(slot)], Pos::NONE)?;
    }
    eval.force(result, pos)
}
