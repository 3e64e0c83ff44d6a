//! Values as JSON, for `--json`, `builtins.toJSON` and structured attributes.

use super::{check_depth, is_unevaluated, known, place_of, type_name};
use crate::eval::digests::Growing;
use crate::eval::error::{Error, Result};
use crate::eval::position::Pos;
use crate::eval::text::{json, number};
use crate::eval::value::{Attrs, Context, Value};
use crate::eval::{Coercion, Eval};

/// Appends `value` to `out` as JSON, and adds what its strings refer to to `context`. Paths are copied to
/// the store, a set with `__toString` or `outPath` stands for that string (Nix manual,
/// `builtins.toJSON`). Without `strict`, what is not evaluated yet is an error.
///
/// # Errors
///
/// What evaluating fails with, functions, and strings that are no UTF-8.
pub fn to_json<'a>(
    eval: &mut Eval<'a>,
    value: Value<'a>,
    pos: Pos,
    strict: bool,
    out: &mut Vec<u8>,
    context: &mut Context,
) -> Result<()> {
    let depth = eval.calls.len();
    Writer { eval, strict, out, context, hash: None }.value(value, pos, depth)
}

/// As [`to_json`] for `toJSON`; `hash` becomes that of the text.
pub(in crate::eval) fn to_hashed_json<'a>(
    eval: &mut Eval<'a>,
    value: Value<'a>,
    out: &mut Vec<u8>,
    context: &mut Context,
    hash: &mut Growing,
) -> Result<()> {
    let depth = eval.calls.len();
    let mut writer = Writer { eval, strict: true, out, context, hash: Some(hash) };
    writer.value(value, Pos::NONE, depth)
}

struct Writer<'w, 'a> {
    eval: &'w mut Eval<'a>,
    strict: bool,
    out: &'w mut Vec<u8>,
    context: &'w mut Context,
    hash: Option<&'w mut Growing>,
}

impl<'a> Writer<'_, 'a> {
    fn value(&mut self, value: Value<'a>, pos: Pos, depth: usize) -> Result<()> {
        check_depth(self.eval, depth, pos)?;
        let value = if self.strict {
            self.eval.force(value, pos)?
        } else {
            let (value, home) = known(value);
            if is_unevaluated(value, home) {
                let place = place_of(self.eval, value, pos);
                return Err(Error::type_error(place, "cannot convert a thunk to JSON"));
            }
            value
        };
        match value {
            Value::Null => self.word("null"),
            Value::Bool(value) => self.word(if value { "true" } else { "false" }),
            Value::Int(value) => number::write_int(self.out, value),
            Value::Float(value) => number::write_float_json(self.out, value),
            Value::Str(context, bytes) => {
                self.refers_to(context);
                self.string(bytes.items())?;
            }
            Value::Path(path) => {
                let (copy, context) = self.eval.copy_path_to_store(path, pos)?;
                self.refers_to(context);
                self.string(copy.items())?;
            }
            Value::Attrs(attrs) => self.set(attrs, pos, depth)?,
            Value::List(list) => {
                self.word("[");
                for (at, slot) in list.items().iter().enumerate() {
                    if at > 0 {
                        self.word(",");
                    }
                    self.value(Value::Ref(slot), pos, depth + 1).map_err(|error| {
                        let step = format!("while evaluating list element at index {at}");
                        error.while_(pos, step)
                    })?;
                }
                self.word("]");
            }
            other => {
                let place = place_of(self.eval, other, pos);
                let name = type_name(self.eval, other);
                return Err(Error::type_error(place, format!("cannot convert {name} to JSON")));
            }
        }
        Ok(())
    }

    fn set(&mut self, attrs: Attrs<'a>, pos: Pos, depth: usize) -> Result<()> {
        let known = self.eval.known;
        if let Some(to_string) = attrs.get(known.to_string) {
            let text = self.eval.call(Value::Ref(to_string), &[Value::Attrs(attrs)], pos)?;
            let what = "while evaluating the result of the `__toString` attribute";
            let (text, context) = self.eval.coerce(text, pos, Coercion::PLAIN, what)?;
            self.refers_to(context);
            return self.string(text.items());
        }
        if let Some(out_path) = attrs.get_attr(known.out_path) {
            return self.value(Value::Ref(out_path.slot), out_path.pos, depth + 1);
        }
        self.word("{");
        for (at, attr) in attrs.sorted(self.eval.arena, &self.eval.symbols).enumerate() {
            if at > 0 {
                self.word(",");
            }
            let name = self.eval.symbol_bytes(attr.name);
            self.string(name.items())?;
            self.word(":");
            self.value(Value::Ref(attr.slot), attr.pos, depth + 1).map_err(|error| {
                let name = self.eval.symbols.quoted(attr.name);
                error.while_(attr.pos, format!("while evaluating attribute '{name}'"))
            })?;
            if let Some(hash) = &mut self.hash {
                hash.grown(self.out);
            }
        }
        self.word("}");
        Ok(())
    }

    fn word(&mut self, word: &str) {
        self.out.extend_from_slice(word.as_bytes());
    }

    fn string(&mut self, text: &[u8]) -> Result<()> {
        json::write_string(self.out, text).map_err(|error| {
            Error::evaluation(Pos::NONE, format!("JSON serialization error: {error}"))
        })
    }

    fn refers_to(&mut self, context: Context) {
        *self.context = self.eval.contexts.union(*self.context, context);
    }
}
