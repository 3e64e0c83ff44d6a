//! From lists to sets and back: elements gathered by a name or by a condition.

use super::PrimOp;
use super::chosen::Chosen;
use super::lists::{holds, shared};
use crate::eval::Eval;
use crate::eval::error::{Error, Result};
use crate::eval::position::Pos;
use crate::eval::value::{Attr, Attrs, AttrsBuilder, Shape, Slot, Value, share};
use crate::syntax::Symbol;

/// The builtins of this file.
pub(super) const PRIMOPS: &[PrimOp] = &[
    PrimOp { name: "catAttrs", arity: 2, strict: 0b11, run: cat_attrs },
    PrimOp { name: "groupBy", arity: 2, strict: 0b11, run: group_by },
    PrimOp { name: "listToAttrs", arity: 1, strict: 0b1, run: list_to_attrs },
    PrimOp { name: "partition", arity: 2, strict: 0b11, run: partition },
    PrimOp { name: "zipAttrsWith", arity: 2, strict: 0b11, run: zip_attrs_with },
];

fn cat_attrs<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.catAttrs";
    let name = eval.force_string_no_context(args[0], pos, what)?;
    let name = eval.symbols.intern(name.items());
    let what = "while evaluating the second argument passed to builtins.catAttrs";
    let list = eval.force_list(args[1], pos, what)?;
    let what =
        "while evaluating an element in the list passed as second argument to builtins.catAttrs";
    let mut found = Vec::with_capacity(list.len());
    for slot in list.items() {
        let attrs = eval.force_attrs(Value::Ref(slot), pos, what)?;
        found.extend(attrs.get(name));
    }
    Ok(shared(eval, found.len(), found.into_iter()))
}

fn partition<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.partition";
    let function = eval.force_function(args[0], pos, what)?;
    let what = "while evaluating the second argument passed to builtins.partition";
    let list = eval.force_list(args[1], pos, what)?;
    let what =
        "while evaluating the return value of the partition function passed to builtins.partition";
    let mut right = Chosen::default();
    for (at, slot) in list.items().iter().enumerate() {
        eval.force_slot(slot, pos)?;
        if holds(eval, function, slot, pos, what)? {
            right.add(at);
        }
    }
    let wrong = list.len() - right.len();
    let mut result = AttrsBuilder::with_capacity(2);
    result.add(eval.known.right, shared(eval, right.len(), right.of(list.items(), true)));
    result.add(eval.known.wrong, shared(eval, wrong, right.of(list.items(), false)));
    Ok(Value::Attrs(result.build(eval.arena)))
}

fn group_by<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.groupBy";
    let function = eval.force_function(args[0], pos, what)?;
    let what = "while evaluating the second argument passed to builtins.groupBy";
    let list = eval.force_list(args[1], pos, what)?;
    let what =
        "while evaluating the return value of the grouping function passed to builtins.groupBy";
    let mut named = Vec::with_capacity(list.len());
    for slot in list.items() {
        let name = eval.call(function, &[share(slot)], Pos::NONE)?;
        let name = eval.force_string_no_context(name, pos, what)?;
        named.push((eval.symbols.intern(name.items()), slot));
    }
    Ok(Value::Attrs(grouped(eval, named, |_, _, list| list)))
}

fn zip_attrs_with<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.zipAttrsWith";
    let function = eval.force_function(args[0], pos, what)?;
    let what = "while evaluating the second argument passed to builtins.zipAttrsWith";
    let list = eval.force_list(args[1], pos, what)?;
    let what =
        "while evaluating a value of the list passed as second argument to builtins.zipAttrsWith";
    let mut named = Vec::new();
    for slot in list.items() {
        let attrs = eval.force_attrs(Value::Ref(slot), pos, what)?;
        named.extend(attrs.iter(eval.arena).map(|attr| (attr.name, attr.slot)));
    }
    Ok(Value::Attrs(grouped(eval, named, |eval, name, list| {
        let name = eval.symbol_string(name);
        eval.lazy_call(function, &[name, list])
    })))
}

/// A set of what `value` makes of the list of all slots with the same name, in their order.
fn grouped<'a>(
    eval: &mut Eval<'a>,
    mut named: Vec<(Symbol, &'a Slot<'a>)>,
    mut value: impl FnMut(&mut Eval<'a>, Symbol, Value<'a>) -> Value<'a>,
) -> Attrs<'a> {
    // Stable, and quick where it finds runs that are sorted already, as the attributes of a set are.
    named.sort_by_key(|(name, _)| *name);
    let mut keys = Vec::new();
    let mut values = Vec::new();
    for group in named.chunk_by(|(one, _), (other, _)| one == other) {
        let Some(&(name, _)) = group.first() else { continue };
        let list = shared(eval, group.len(), group.iter().map(|(_, slot)| *slot));
        keys.push(name);
        values.push(value(eval, name, list));
    }
    if keys.is_empty() {
        return eval.empty_attrs();
    }
    let shape = Shape::new(eval.arena, &keys, &[]);
    Attrs::new(eval.arena, shape, |index| values[index])
}

/// Of equal names the first counts, and no other one needs a value. The places are those of the
/// values' definitions.
fn list_to_attrs<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the argument passed to builtins.listToAttrs";
    let list = eval.force_list(args[0], pos, what)?;
    let mut named = Vec::with_capacity(list.len());
    for slot in list.items() {
        let what = "while evaluating an element of the list passed to builtins.listToAttrs";
        let pair = eval.force_attrs(Value::Ref(slot), pos, what)?;
        let name = pair_attr(pair, eval.known.name, "name", pos)?;
        let what = "while evaluating the `name` attribute of an element of the list passed to builtins.listToAttrs";
        let name = eval.force_string_no_context(Value::Ref(name.slot), name.pos, what)?;
        named.push((eval.symbols.intern(name.items()), pair));
    }
    named.sort_by_key(|(name, _)| *name);
    named.dedup_by_key(|(name, _)| *name);
    let mut attrs = Vec::with_capacity(named.len());
    for (name, pair) in named {
        let value = pair_attr(pair, eval.known.value, "value", pos)?;
        attrs.push(Attr { name, ..value });
    }
    Ok(Value::Attrs(Attrs::sharing(eval.arena, &attrs)))
}

/// An attribute of a `{ name, value }` pair.
fn pair_attr<'a>(pair: Attrs<'a>, name: Symbol, shown: &str, pos: Pos) -> Result<Attr<'a>> {
    pair.get_attr(name).ok_or_else(|| {
        let error = Error::missing_attribute(pos, shown);
        error.while_(pos, "in a {name=...; value=...;} pair")
    })
}
