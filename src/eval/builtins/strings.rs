//! Strings and paths as text: `toString`, `substring`, `concatStringsSep`, `replaceStrings`,
//! `baseNameOf` and their like.

use super::PrimOp;
use crate::eval::Eval;
use crate::eval::coerce::Coercion;
use crate::eval::error::{Error, Result};
use crate::eval::position::Pos;
use crate::eval::text::number::IntText;
use crate::eval::text::path;
use crate::eval::text::replace::{Piece, Replacer};
use crate::eval::value::{Bytes, Context, List, Value, share};

/// The builtins of this file.
pub(super) const PRIMOPS: &[PrimOp] = &[
    PrimOp { name: "baseNameOf", arity: 1, strict: 1, run: base_name_of },
    PrimOp { name: "concatStringsSep", arity: 2, strict: 0b11, run: concat_strings_sep },
    PrimOp { name: "dirOf", arity: 1, strict: 1, run: dir_of },
    PrimOp { name: "replaceStrings", arity: 3, strict: 0b111, run: replace_strings },
    PrimOp { name: "stringLength", arity: 1, strict: 1, run: string_length },
    PrimOp { name: "substring", arity: 3, strict: 0b111, run: substring },
    PrimOp { name: "toPath", arity: 1, strict: 1, run: to_path },
    PrimOp { name: "toString", arity: 1, strict: 1, run: to_string },
];

fn to_string<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    let &[value] = args else { return Ok(Value::Null) };
    match value {
        Value::Str(..) => return Ok(value),
        Value::Int(number) => return Ok(eval.string(IntText::new(number).as_bytes())),
        _ => {}
    }
    let what = "while evaluating the first argument passed to builtins.toString";
    let (bytes, context) = eval.coerce(value, Pos::NONE, Coercion::TO_STRING, what)?;
    Ok(Value::Str(context, bytes))
}

/// A value as text, as in `"${…}"`. Nearly always it is a string already.
#[inline]
fn text_of<'a>(
    eval: &mut Eval<'a>,
    value: Value<'a>,
    what: &'static str,
) -> Result<(Bytes<'a>, Context)> {
    match value {
        Value::Str(context, bytes) => Ok((bytes, context)),
        other => eval.coerce(other, Pos::NONE, Coercion::INTERPOLATION, what),
    }
}

fn string_length<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    let &[value] = args else { return Ok(Value::Null) };
    let what = "while evaluating the argument passed to builtins.stringLength";
    let (bytes, _) = text_of(eval, value, what)?;
    Ok(Value::Int(i64::try_from(bytes.len()).unwrap_or(i64::MAX)))
}

/// A negative length means all that is left.
fn substring<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    let &[start, length, text] = args else { return Ok(Value::Null) };
    let what =
        "while evaluating the first argument (the start offset) passed to builtins.substring";
    let start = eval.force_int(start, Pos::NONE, what)?;
    let Ok(start) = usize::try_from(start) else {
        return Err(Error::evaluation(Pos::NONE, "negative start position in 'substring'"));
    };
    let what =
        "while evaluating the second argument (the substring length) passed to builtins.substring";
    let length = eval.force_int(length, Pos::NONE, what)?;
    let what = "while evaluating the third argument (the string) passed to builtins.substring";
    let (bytes, context) = text_of(eval, text, what)?;
    let rest = bytes.items().get(start..).unwrap_or_default();
    let part = usize::try_from(length).ok().and_then(|length| rest.get(..length)).unwrap_or(rest);
    if part.len() == bytes.len() {
        return Ok(Value::Str(context, bytes));
    }
    Ok(eval.string_with(part, context))
}

fn concat_strings_sep<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    let &[separator, list] = args else { return Ok(Value::Null) };
    let what = "while evaluating the first argument (the separator string) passed to builtins.concatStringsSep";
    let (separator, mut context) = eval.force_string(separator, Pos::NONE, what)?;
    let what = "while evaluating the second argument (the list of strings to concat) passed to builtins.concatStringsSep";
    let list = eval.force_list(list, Pos::NONE, what)?;
    let what = "while evaluating one element of the list of strings to concat passed to builtins.concatStringsSep";
    let mut pieces = Vec::with_capacity(list.len());
    for slot in list.items() {
        let (bytes, names) = text_of(eval, share(slot), what)?;
        context = eval.contexts.union(context, names);
        pieces.push(bytes);
    }
    Ok(Value::Str(context, eval.join_with(separator, &pieces)?))
}

fn replace_strings<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    let &[from, to, text] = args else { return Ok(Value::Null) };
    let what = "while evaluating the first argument passed to builtins.replaceStrings";
    let from = eval.force_list(from, Pos::NONE, what)?;
    let what = "while evaluating the second argument passed to builtins.replaceStrings";
    let to = eval.force_list(to, Pos::NONE, what)?;
    if from.len() != to.len() {
        let message =
            "'from' and 'to' arguments passed to builtins.replaceStrings have different lengths";
        return Err(Error::evaluation(Pos::NONE, message));
    }
    let mut patterns: Vec<&[u8]> = Vec::with_capacity(from.len());
    let what = "while evaluating one of the strings to replace passed to builtins.replaceStrings";
    for slot in from.items() {
        patterns.push(eval.force_string(Value::Ref(slot), Pos::NONE, what)?.0.items());
    }
    let what = "while evaluating the third argument passed to builtins.replaceStrings";
    let (bytes, context) = eval.force_string(text, Pos::NONE, what)?;
    let mut output = Replaced { eval, to, context, text: Vec::new(), changed: false };
    Replacer::new(&patterns).replace(bytes.items(), |piece| output.add(piece))?;
    let Replaced { context, text, changed, .. } = output;
    if !changed {
        return Ok(Value::Str(context, bytes));
    }
    Ok(eval.string_with(&text, context))
}

/// The result of `replaceStrings` so far.
struct Replaced<'e, 'a> {
    eval: &'e mut Eval<'a>,
    /// The replacements. Only those that are used are evaluated, and only their contexts are taken.
    to: List<'a>,
    context: Context,
    text: Vec<u8>,
    changed: bool,
}

impl Replaced<'_, '_> {
    fn add(&mut self, piece: Piece<'_>) -> Result<()> {
        let index = match piece {
            Piece::Kept(text) => {
                self.text.extend_from_slice(text);
                return Ok(());
            }
            Piece::Replaced(index) => index,
        };
        let Some(slot) = self.to.items().get(index) else { return Ok(()) };
        let what =
            "while evaluating one of the replacement strings passed to builtins.replaceStrings";
        let (bytes, names) = self.eval.force_string(Value::Ref(slot), Pos::NONE, what)?;
        self.context = self.eval.contexts.union(self.context, names);
        self.text.extend_from_slice(bytes.items());
        self.changed = true;
        Ok(())
    }
}

fn base_name_of<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    let &[value] = args else { return Ok(Value::Null) };
    let what = "while evaluating the first argument passed to builtins.baseNameOf";
    let (bytes, context) = eval.coerce(value, Pos::NONE, Coercion::PLAIN, what)?;
    let name = path::base_name(bytes.items());
    if name.len() == bytes.len() {
        return Ok(Value::Str(context, bytes));
    }
    Ok(eval.string_with(name, context))
}

/// The folder of a path is a path, that of a string a string.
fn dir_of<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    let &[value] = args else { return Ok(Value::Null) };
    if let Value::Path(bytes) = value {
        let folder = path::dir_name(bytes.items());
        return Ok(Value::Path(eval.arena.copy((), folder)));
    }
    let what = "while evaluating the first argument passed to 'builtins.dirOf'";
    let (bytes, context) = eval.coerce(value, Pos::NONE, Coercion::PLAIN, what)?;
    Ok(eval.string_with(path::dir_name(bytes.items()), context))
}

/// Deprecated in Nix: an absolute path in canonical form, as a string.
fn to_path<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    let &[value] = args else { return Ok(Value::Null) };
    let what = "while evaluating the first argument passed to builtins.toPath";
    let (bytes, context) = eval.coerce_to_path(value, Pos::NONE, what)?;
    Ok(Value::Str(context, bytes))
}
