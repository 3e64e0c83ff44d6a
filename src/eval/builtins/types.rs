//! What a value is: `typeOf` and the `is…` functions.
#![expect(clippy::unnecessary_wraps, reason = "all builtins have one signature")]

use super::PrimOp;
use crate::eval::Eval;
use crate::eval::error::Result;
use crate::eval::position::Pos;
use crate::eval::value::Value;

/// The builtins of this file.
pub(super) const PRIMOPS: &[PrimOp] = &[
    PrimOp { name: "isAttrs", arity: 1, strict: 1, run: is_attrs },
    PrimOp { name: "isBool", arity: 1, strict: 1, run: is_bool },
    PrimOp { name: "isFloat", arity: 1, strict: 1, run: is_float },
    PrimOp { name: "isFunction", arity: 1, strict: 1, run: is_function },
    PrimOp { name: "isInt", arity: 1, strict: 1, run: is_int },
    PrimOp { name: "isList", arity: 1, strict: 1, run: is_list },
    PrimOp { name: "isNull", arity: 1, strict: 1, run: is_null },
    PrimOp { name: "isPath", arity: 1, strict: 1, run: is_path },
    PrimOp { name: "isString", arity: 1, strict: 1, run: is_string },
    PrimOp { name: "typeOf", arity: 1, strict: 1, run: type_of },
];

fn is_attrs<'a>(_: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    Ok(Value::Bool(matches!(args, [Value::Attrs(_)])))
}

fn is_bool<'a>(_: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    Ok(Value::Bool(matches!(args, [Value::Bool(_)])))
}

fn is_float<'a>(_: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    Ok(Value::Bool(matches!(args, [Value::Float(_)])))
}

fn is_function<'a>(_: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    let function = matches!(args, [Value::Lambda(..) | Value::PrimOp(_) | Value::PrimOpApp(..)]);
    Ok(Value::Bool(function))
}

fn is_int<'a>(_: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    Ok(Value::Bool(matches!(args, [Value::Int(_)])))
}

fn is_list<'a>(_: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    Ok(Value::Bool(matches!(args, [Value::List(_)])))
}

fn is_null<'a>(_: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    Ok(Value::Bool(matches!(args, [Value::Null])))
}

fn is_path<'a>(_: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    Ok(Value::Bool(matches!(args, [Value::Path(_)])))
}

fn is_string<'a>(_: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    Ok(Value::Bool(matches!(args, [Value::Str(..)])))
}

fn type_of<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    let name: &[u8] = match args {
        [Value::Null] => b"null",
        [Value::Bool(_)] => b"bool",
        [Value::Int(_)] => b"int",
        [Value::Float(_)] => b"float",
        [Value::Str(..)] => b"string",
        [Value::Path(_)] => b"path",
        [Value::List(_)] => b"list",
        [Value::Attrs(_)] => b"set",
        _ => b"lambda",
    };
    Ok(eval.string(name))
}
