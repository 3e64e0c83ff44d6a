//! XML: `toXML`.

use super::PrimOp;
use crate::eval::Eval;
use crate::eval::digests::Growing;
use crate::eval::error::Result;
use crate::eval::position::Pos;
use crate::eval::print::xml::to_hashed_xml;
use crate::eval::value::{Context, Value};

/// The builtins of this file.
pub(super) const PRIMOPS: &[PrimOp] =
    &[PrimOp { name: "toXML", arity: 1, strict: 1, run: to_xml_text }];

/// The document says nothing of places, and refers to all that the strings in the value refer to.
fn to_xml_text<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    let &[value] = args else { return Ok(Value::Null) };
    let mut context = Context::NONE;
    let mut hash = Growing::for_text_in(eval.arena);
    let text = to_hashed_xml(eval, value, &mut context, &mut hash)?;
    Ok(eval.hashed_string(&text, context, hash))
}
