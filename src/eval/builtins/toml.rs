//! TOML: `fromTOML`.

use std::collections::BTreeMap;

use super::PrimOp;
use crate::eval::Eval;
use crate::eval::error::{Error, Result};
use crate::eval::position::Pos;
use crate::eval::text::toml::{self, Toml};
use crate::eval::value::{AttrsBuilder, Value};

/// The builtins of this file.
pub(super) const PRIMOPS: &[PrimOp] =
    &[PrimOp { name: "fromTOML", arity: 1, strict: 1, run: from_toml }];

fn from_toml<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    let &[text] = args else { return Ok(Value::Null) };
    let what = "while evaluating the argument passed to builtins.fromTOML";
    let text = eval.force_string_no_context(text, Pos::NONE, what)?;
    match toml::read(text.items()) {
        Ok(document) => table(eval, &document),
        Err(error) => Err(failed(&error.to_string())),
    }
}

fn table<'a>(eval: &mut Eval<'a>, table: &BTreeMap<String, Toml>) -> Result<Value<'a>> {
    let mut attrs = AttrsBuilder::with_capacity(table.len());
    for (name, item) in table {
        let name = eval.symbols.intern(name.as_bytes());
        attrs.add(name, value(eval, item)?);
    }
    Ok(Value::Attrs(attrs.build(eval.arena)))
}

/// The reader limits how deeply values are nested.
fn value<'a>(eval: &mut Eval<'a>, item: &Toml) -> Result<Value<'a>> {
    Ok(match item {
        Toml::Bool(value) => Value::Bool(*value),
        Toml::Int(value) => Value::Int(*value),
        Toml::Float(value) => Value::Float(*value),
        Toml::String(text) => eval.string(text.as_bytes()),
        Toml::Timestamp(text) => return timestamp(eval, text),
        Toml::List(items) => {
            let items: Result<Vec<Value<'a>>> =
                items.iter().map(|item| value(eval, item)).collect();
            eval.list(&items?)
        }
        Toml::Table(inner) => return table(eval, inner),
    })
}

/// `{ _type = "timestamp"; value = …; }`, where the experimental feature is on.
fn timestamp<'a>(eval: &mut Eval<'a>, text: &str) -> Result<Value<'a>> {
    if !eval.settings.features.parse_toml_timestamps {
        return Err(failed("Dates and times are not supported"));
    }
    let kind = eval.symbols.intern(b"_type");
    let mut attrs = AttrsBuilder::with_capacity(2);
    attrs.add(kind, eval.string(b"timestamp"));
    attrs.add(eval.known.value, eval.string(text.as_bytes()));
    Ok(Value::Attrs(attrs.build(eval.arena)))
}

fn failed(why: &str) -> Error {
    Error::evaluation(Pos::NONE, format!("while parsing TOML: {why}"))
}
