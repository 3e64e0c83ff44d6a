//! Attribute sets: their names and values, parts of them, and where their attributes come from.

use std::cell::Cell;

use super::PrimOp;
use super::chosen::Chosen;
use crate::eval::Eval;
use crate::eval::error::{Error, Result};
use crate::eval::position::Pos;
use crate::eval::value::{Attr, Attrs, Mapping, Over, Shape, Value};
use crate::syntax::Symbol;

/// The builtins of this file.
pub(super) const PRIMOPS: &[PrimOp] = &[
    PrimOp { name: "attrNames", arity: 1, strict: 0b1, run: attr_names },
    PrimOp { name: "attrValues", arity: 1, strict: 0b1, run: attr_values },
    PrimOp { name: "functionArgs", arity: 1, strict: 0b1, run: function_args },
    PrimOp { name: "getAttr", arity: 2, strict: 0b11, run: get_attr },
    PrimOp { name: "hasAttr", arity: 2, strict: 0b11, run: has_attr },
    PrimOp { name: "intersectAttrs", arity: 2, strict: 0b11, run: intersect_attrs },
    PrimOp { name: "mapAttrs", arity: 2, strict: 0b10, run: map_attrs },
    PrimOp { name: "removeAttrs", arity: 2, strict: 0b11, run: remove_attrs },
    PrimOp { name: "unsafeGetAttrPos", arity: 2, strict: 0b11, run: unsafe_get_attr_pos },
];

fn attr_names<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the argument passed to builtins.attrNames";
    let attrs = eval.force_attrs(args[0], pos, what)?;
    if attrs.is_empty() {
        return Ok(Value::List(eval.empty_list()));
    }
    let arena = eval.arena;
    let mut sorted = attrs.sorted(arena, &eval.symbols);
    let name = |_| {
        let name = sorted.next().map_or(Value::Null, |attr| eval.symbol_string(attr.name));
        Cell::new(name)
    };
    Ok(Value::List(arena.block((), attrs.len(), name)))
}

fn attr_values<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the argument passed to builtins.attrValues";
    let attrs = eval.force_attrs(args[0], pos, what)?;
    let sorted = attrs.sorted(eval.arena, &eval.symbols);
    Ok(super::lists::shared(eval, attrs.len(), sorted.map(|attr| attr.slot)))
}

/// The symbol of an argument that names an attribute.
fn name_of<'a>(
    eval: &mut Eval<'a>,
    value: Value<'a>,
    pos: Pos,
    what: &'static str,
) -> Result<Symbol> {
    let name = eval.force_string_no_context(value, pos, what)?;
    Ok(eval.symbols.intern(name.items()))
}

fn get_attr<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.getAttr";
    let name = name_of(eval, args[0], pos, what)?;
    let what = "while evaluating the second argument passed to builtins.getAttr";
    let attrs = eval.force_attrs(args[1], pos, what)?;
    if let Some(slot) = attrs.get(name) {
        return eval.force_slot(slot, pos);
    }
    let error = Error::missing_attribute(pos, &eval.symbols.quoted(name));
    let near = eval.near_attributes(attrs, name);
    Err(error.suggesting(near).while_(pos, "in the attribute set under consideration"))
}

fn has_attr<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.hasAttr";
    let name = name_of(eval, args[0], pos, what)?;
    let what = "while evaluating the second argument passed to builtins.hasAttr";
    let attrs = eval.force_attrs(args[1], pos, what)?;
    Ok(Value::Bool(attrs.get(name).is_some()))
}

/// Null also where the attribute is missing, or was defined in a text that is no file.
fn unsafe_get_attr_pos<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.unsafeGetAttrPos";
    let name = name_of(eval, args[0], pos, what)?;
    let what = "while evaluating the second argument passed to builtins.unsafeGetAttrPos";
    let attrs = eval.force_attrs(args[1], pos, what)?;
    Ok(match attrs.get_attr(name) {
        Some(attr) => eval.position_set(attr.pos),
        None => Value::Null,
    })
}

/// The attributes that stay keep their places.
fn remove_attrs<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.removeAttrs";
    let attrs = eval.force_attrs(args[0], pos, what)?;
    let what = "while evaluating the second argument passed to builtins.removeAttrs";
    let names = eval.force_list(args[1], pos, what)?;
    let attrs = attrs.flat(eval.arena);
    let what = "while evaluating the values of the second argument passed to builtins.removeAttrs";
    let mut removed = Chosen::default();
    for slot in names.items() {
        let name = name_of(eval, Value::Ref(slot), pos, what)?;
        if let Some(index) = attrs.own_shape().find(name) {
            removed.add(index);
        }
    }
    if removed.len() == 0 {
        return Ok(Value::Attrs(attrs));
    }
    let all = attrs.iter(eval.arena).enumerate();
    let rest: Vec<Attr<'a>> =
        all.filter(|(at, _)| !removed.has(*at)).map(|(_, attr)| attr).collect();
    Ok(Value::Attrs(Attrs::sharing(eval.arena, &rest)))
}

/// The attributes of the second set that the first one has too, with their places. Only the smaller set
/// is gone through: the other one may be all of nixpkgs.
fn intersect_attrs<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.intersectAttrs";
    let left = eval.force_attrs(args[0], pos, what)?;
    let what = "while evaluating the second argument passed to builtins.intersectAttrs";
    let right = eval.force_attrs(args[1], pos, what)?;
    let mut common = Vec::with_capacity(left.len().min(right.len()));
    if left.len() < right.len() {
        let right = right.settled(eval.arena);
        common.extend(left.iter(eval.arena).filter_map(|attr| right.get_attr(attr.name)));
    } else {
        common.extend(right.iter(eval.arena).filter(|attr| left.get(attr.name).is_some()));
    }
    Ok(Value::Attrs(Attrs::sharing(eval.arena, &common)))
}

/// The function isn't called, nor evaluated, before a value is wanted; the attributes have no places.
fn map_attrs<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the second argument passed to builtins.mapAttrs";
    let attrs = eval.force_attrs(args[1], pos, what)?;
    if attrs.is_empty() {
        return Ok(Value::Attrs(attrs));
    }
    let attrs = attrs.flat(eval.arena);
    let mapping = eval.arena.alloc(Mapping { function: args[0], over: Over::Attrs(attrs) });
    let shape = attrs.own_shape().without_positions(eval.arena);
    let mut next = 0u32;
    Ok(Value::Attrs(Attrs::new(eval.arena, shape, |_| {
        let element = Value::Element(next, mapping);
        next = next.wrapping_add(1);
        element
    })))
}

fn function_args<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let lambda = match args[0] {
        Value::Lambda(lambda, _) => lambda,
        Value::PrimOp(_) | Value::PrimOpApp(..) => return Ok(Value::Attrs(eval.empty_attrs())),
        _ => return Err(Error::type_error(pos, "'functionArgs' requires a function")),
    };
    let formals = eval.formals(lambda);
    if formals.is_empty() {
        return Ok(Value::Attrs(eval.empty_attrs()));
    }
    let names: Vec<Symbol> = formals.iter().map(|formal| formal.name).collect();
    let places: Vec<Pos> = formals.iter().map(|formal| formal.pos).collect();
    let shape = Shape::new(eval.arena, &names, &places);
    let has_default = |index: usize| Value::Bool(formals[index].default.is_some());
    Ok(Value::Attrs(Attrs::new(eval.arena, shape, has_default)))
}
