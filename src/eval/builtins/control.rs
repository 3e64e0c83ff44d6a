//! Order of evaluation, failures and messages, and the import of other files.

use super::PrimOp;
use crate::eval::error::{Error, ErrorKind, Result};
use crate::eval::io::Level;
use crate::eval::position::Pos;
use crate::eval::print::{ShowOptions, show};
use crate::eval::value::{AttrsBuilder, Value, share};
use crate::eval::{Coercion, Eval};

/// The builtins of this file.
pub(super) const PRIMOPS: &[PrimOp] = &[
    PrimOp { name: "abort", arity: 1, strict: 0, run: abort },
    PrimOp { name: "addErrorContext", arity: 2, strict: 0, run: add_error_context },
    PrimOp { name: "break", arity: 1, strict: 0b1, run: last },
    PrimOp { name: "deepSeq", arity: 2, strict: 0, run: deep_seq },
    PrimOp { name: "import", arity: 1, strict: 0, run: import },
    PrimOp { name: "scopedImport", arity: 2, strict: 0, run: scoped_import },
    PrimOp { name: "seq", arity: 2, strict: 0b11, run: last },
    PrimOp { name: "throw", arity: 1, strict: 0, run: throw },
    PrimOp { name: "trace", arity: 2, strict: 0, run: trace },
    PrimOp { name: "traceVerbose", arity: 2, strict: 0, run: trace_verbose },
    PrimOp { name: "tryEval", arity: 1, strict: 0, run: try_eval },
    PrimOp { name: "warn", arity: 2, strict: 0, run: warn },
];

fn abort<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the error message passed to builtins.abort";
    let (text, _) = eval.coerce(args[0], pos, Coercion::INTERPOLATION, what)?;
    let text = String::from_utf8_lossy(text.items());
    let message = format!("evaluation aborted with the following error message: '{text}'");
    Err(Error::new(ErrorKind::Abort, pos, message))
}

fn throw<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the error message passed to builtin.throw";
    let (text, _) = eval.coerce(args[0], pos, Coercion::INTERPOLATION, what)?;
    Err(Error::new(ErrorKind::Throw, pos, String::from_utf8_lossy(text.items())))
}

/// The context is only looked at after a failure.
fn add_error_context<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    match eval.force(args[1], pos) {
        Ok(value) => Ok(value),
        Err(error) => {
            let what = "while evaluating the error message passed to builtins.addErrorContext";
            let (text, _) = eval.coerce(args[0], pos, Coercion::PLAIN, what)?;
            let text = String::from_utf8_lossy(text.items()).into_owned();
            Err(error.with_context(Pos::NONE, text))
        }
    }
}

fn try_eval<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let (value, success) = match eval.force(args[0], pos) {
        Ok(value) => (kept(args[0], value), true),
        Err(error) if error.kind().is_catchable() => (Value::Bool(false), false),
        Err(error) => return Err(error),
    };
    let mut result = AttrsBuilder::with_capacity(2);
    result.add(eval.known.value, value);
    result.add(eval.symbols.intern(b"success"), Value::Bool(success));
    Ok(Value::Attrs(result.build(eval.arena)))
}

/// What a slot is given for an argument that was evaluated to `value`.
fn kept<'a>(argument: Value<'a>, value: Value<'a>) -> Value<'a> {
    match argument {
        Value::Ref(slot) => share(slot),
        _ => value,
    }
}

/// `seq`, after both arguments were evaluated, and `break`, since there is no debugger to break into.
#[expect(clippy::unnecessary_wraps, reason = "as all builtins")]
fn last<'a>(_: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    Ok(args[args.len() - 1])
}

fn deep_seq<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    eval.force_deep(args[0], pos)?;
    eval.force(args[1], pos)
}

fn trace<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    match eval.force(args[0], pos)? {
        Value::Str(_, text) => eval.io.message(Level::Trace, text.items()),
        value => {
            let mut text = Vec::new();
            show(eval, value, ShowOptions::TRACE, &mut text)?;
            eval.io.message(Level::Trace, &text);
        }
    }
    eval.force(args[1], pos)
}

fn trace_verbose<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    if eval.settings.trace_verbose {
        return trace(eval, args, pos);
    }
    eval.force(args[1], pos)
}

fn warn<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument; the message passed to builtins.warn";
    let (text, _) = eval.force_string(args[0], pos, what)?;
    eval.io.message(Level::Warning, text.items());
    if eval.settings.abort_on_warn {
        let message = "aborting to reveal stack trace of warning, as abort-on-warn is set";
        return Err(Error::new(ErrorKind::Abort, pos, message));
    }
    eval.force(args[1], pos)
}

fn import<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let path = eval.realise_path(args[0], pos)?;
    if let Some(derivation) = super::derivation::imported(eval, path.items(), pos)? {
        return Ok(derivation);
    }
    eval.import_file(path.items(), pos)
}

/// The path is looked at before the scope.
fn scoped_import<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let path = eval.realise_path(args[1], pos)?;
    if let Some(derivation) = super::derivation::imported(eval, path.items(), pos)? {
        return Ok(derivation);
    }
    let what = "while evaluating the first argument passed to builtins.scopedImport";
    let scope = eval.force_attrs(args[0], pos, what)?;
    eval.scoped_import(scope, path.items(), pos)
}
