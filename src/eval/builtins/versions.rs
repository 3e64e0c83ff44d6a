//! Versions and the names of derivations: `compareVersions`, `splitVersion`, `parseDrvName`.

use super::PrimOp;
use crate::eval::Eval;
use crate::eval::error::Result;
use crate::eval::position::Pos;
use crate::eval::text::version;
use crate::eval::value::{AttrsBuilder, Value};

/// The builtins of this file.
pub(super) const PRIMOPS: &[PrimOp] = &[
    PrimOp { name: "compareVersions", arity: 2, strict: 0b11, run: compare_versions },
    PrimOp { name: "parseDrvName", arity: 1, strict: 1, run: parse_drv_name },
    PrimOp { name: "splitVersion", arity: 1, strict: 1, run: split_version },
];

/// -1, 0 or 1.
fn compare_versions<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    let &[left, right] = args else { return Ok(Value::Null) };
    let what = "while evaluating the first argument passed to builtins.compareVersions";
    let left = eval.force_string_no_context(left, Pos::NONE, what)?;
    let what = "while evaluating the second argument passed to builtins.compareVersions";
    let right = eval.force_string_no_context(right, Pos::NONE, what)?;
    Ok(Value::Int(version::compare(left.items(), right.items()) as i64))
}

fn split_version<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    let &[whole] = args else { return Ok(Value::Null) };
    let what = "while evaluating the first argument passed to builtins.splitVersion";
    let whole = eval.force_string_no_context(whole, Pos::NONE, what)?;
    let components: Vec<Value<'a>> =
        version::components(whole.items()).map(|component| eval.string(component)).collect();
    Ok(eval.list(&components))
}

fn parse_drv_name<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    let &[whole] = args else { return Ok(Value::Null) };
    let what = "while evaluating the first argument passed to builtins.parseDrvName";
    let whole = eval.force_string_no_context(whole, Pos::NONE, what)?;
    let (name, version) = version::parse_drv_name(whole.items());
    let mut attrs = AttrsBuilder::with_capacity(2);
    attrs.add(eval.known.name, eval.string(name));
    attrs.add(eval.symbols.intern(b"version"), eval.string(version));
    Ok(Value::Attrs(attrs.build(eval.arena)))
}
