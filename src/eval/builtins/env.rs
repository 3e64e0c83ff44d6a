//! The environment: `getEnv`.

use super::PrimOp;
use crate::eval::Eval;
use crate::eval::error::Result;
use crate::eval::position::Pos;
use crate::eval::value::Value;

/// The builtins of this file.
pub(super) const PRIMOPS: &[PrimOp] =
    &[PrimOp { name: "getEnv", arity: 1, strict: 1, run: get_env }];

/// An environment variable; empty if it is not set, and always in pure mode.
fn get_env<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    let &[name] = args else { return Ok(Value::Null) };
    let what = "while evaluating the first argument passed to builtins.getEnv";
    let name = eval.force_string_no_context(name, Pos::NONE, what)?;
    let value = if eval.settings.pure { None } else { eval.io.env(name.items()) };
    Ok(eval.string(&value.unwrap_or_default()))
}
