//! Numbers: arithmetic, bits, rounding and order.

use super::PrimOp;
use crate::eval::Eval;
use crate::eval::code::Arithmetic;
use crate::eval::error::{Error, Result};
use crate::eval::position::Pos;
use crate::eval::text::number::write_float;
use crate::eval::value::Value;

/// The builtins of this file.
pub(super) const PRIMOPS: &[PrimOp] = &[
    PrimOp { name: "add", arity: 2, strict: 0b11, run: add },
    PrimOp { name: "bitAnd", arity: 2, strict: 0b11, run: bit_and },
    PrimOp { name: "bitOr", arity: 2, strict: 0b11, run: bit_or },
    PrimOp { name: "bitXor", arity: 2, strict: 0b11, run: bit_xor },
    PrimOp { name: "ceil", arity: 1, strict: 0b1, run: ceil },
    PrimOp { name: "div", arity: 2, strict: 0b11, run: div },
    PrimOp { name: "floor", arity: 1, strict: 0b1, run: floor },
    PrimOp { name: "lessThan", arity: 2, strict: 0b11, run: less_than },
    PrimOp { name: "mul", arity: 2, strict: 0b11, run: mul },
    PrimOp { name: "sub", arity: 2, strict: 0b11, run: sub },
];

/// Both operands. As in Nix, a failure to evaluate one says nothing of the operation.
#[inline]
fn operands<'a>(
    eval: &mut Eval<'a>,
    args: &[Value<'a>],
    pos: Pos,
) -> Result<(Value<'a>, Value<'a>)> {
    Ok((eval.force(args[0], pos)?, eval.force(args[1], pos)?))
}

fn add<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let (a, b) = operands(eval, args, pos)?;
    let first = "while evaluating the first argument of the addition";
    let second = "while evaluating the second argument of the addition";
    if matches!(a, Value::Float(_)) || matches!(b, Value::Float(_)) {
        let a = eval.force_float(a, pos, first)?;
        let b = eval.force_float(b, pos, second)?;
        return Ok(Value::Float(a + b));
    }
    let a = eval.force_int(a, pos, first)?;
    let b = eval.force_int(b, pos, second)?;
    a.checked_add(b)
        .map(Value::Int)
        .ok_or_else(|| Error::evaluation(pos, format!("integer overflow in adding {a} + {b}")))
}

fn sub<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let (a, b) = operands(eval, args, pos)?;
    eval.arithmetic(Arithmetic::Sub, a, b, pos)
}

fn mul<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let (a, b) = operands(eval, args, pos)?;
    eval.arithmetic(Arithmetic::Mul, a, b, pos)
}

fn div<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let (a, b) = operands(eval, args, pos)?;
    eval.arithmetic(Arithmetic::Div, a, b, pos)
}

fn less_than<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let (a, b) = operands(eval, args, pos)?;
    Ok(Value::Bool(eval.less(a, b, pos)?))
}

fn bit_and<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.bitAnd";
    let a = eval.force_int(args[0], pos, what)?;
    let what = "while evaluating the second argument passed to builtins.bitAnd";
    Ok(Value::Int(a & eval.force_int(args[1], pos, what)?))
}

fn bit_or<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.bitOr";
    let a = eval.force_int(args[0], pos, what)?;
    let what = "while evaluating the second argument passed to builtins.bitOr";
    Ok(Value::Int(a | eval.force_int(args[1], pos, what)?))
}

fn bit_xor<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.bitXor";
    let a = eval.force_int(args[0], pos, what)?;
    let what = "while evaluating the second argument passed to builtins.bitXor";
    Ok(Value::Int(a ^ eval.force_int(args[1], pos, what)?))
}

fn ceil<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.ceil";
    let number = eval.force_float(args[0], pos, what)?;
    rounded(args[0], number.ceil(), pos)
}

fn floor<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.floor";
    let number = eval.force_float(args[0], pos, what)?;
    rounded(args[0], number.floor(), pos)
}

/// `result` as an integer. An integer that a float can't hold exactly is refused, as Nix has done since
/// it found that it used to give wrong results for it.
fn rounded(argument: Value<'_>, result: f64, pos: Pos) -> Result<Value<'_>> {
    const BUG: &str = "Due to a bug (see https://github.com/NixOS/nix/issues/12899)";
    const FUTURE: &str = "Future Nix versions might implement the correct behavior.";
    /// 2^63, the first integer above all.
    const END: f64 = 9_223_372_036_854_775_808.0;
    let in_range = (-END..END).contains(&result);
    #[expect(clippy::cast_possible_truncation, reason = "whole, and in range where it is used")]
    let whole = result as i64;
    let message = match argument {
        Value::Int(given) if !in_range => format!(
            "{BUG} the NixInt argument {given} caused undefined behavior in previous Nix versions.\n\t{FUTURE}"
        ),
        Value::Int(given) if given != whole => format!(
            "{BUG} a loss of precision occurred in previous Nix versions because the NixInt argument {given} was rounded to {whole}.\n\t{FUTURE}"
        ),
        Value::Float(given) if !in_range => {
            let mut shown = Vec::new();
            write_float(&mut shown, given);
            let shown = String::from_utf8_lossy(&shown);
            format!("NixFloat argument {shown} is not in the range of NixInt")
        }
        _ => return Ok(Value::Int(whole)),
    };
    Err(Error::evaluation(pos, message))
}
