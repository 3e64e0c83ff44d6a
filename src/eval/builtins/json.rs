//! JSON: `fromJSON` and `toJSON`.

use super::PrimOp;
use crate::eval::Eval;
use crate::eval::digests::Growing;
use crate::eval::error::{Error, Result};
use crate::eval::position::Pos;
use crate::eval::print;
use crate::eval::text::json;
use crate::eval::value::{AttrsBuilder, Context, Value};
use crate::syntax::Symbol;

/// The builtins of this file.
pub(super) const PRIMOPS: &[PrimOp] = &[
    PrimOp { name: "fromJSON", arity: 1, strict: 1, run: from_json },
    PrimOp { name: "toJSON", arity: 1, strict: 1, run: to_json },
];

/// The text refers to all that the strings in the value refer to.
fn to_json<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    let &[value] = args else { return Ok(Value::Null) };
    let mut text = Vec::new();
    let mut context = Context::NONE;
    let mut hash = Growing::for_text_in(eval.arena);
    print::json::to_hashed_json(eval, value, &mut text, &mut context, &mut hash)?;
    Ok(eval.hashed_string(&text, context, hash))
}

fn from_json<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    let &[text] = args else { return Ok(Value::Null) };
    let what = "while evaluating the first argument passed to builtins.fromJSON";
    let text = eval.force_string_no_context(text, Pos::NONE, what)?;
    match from_text(eval, text.items()) {
        Ok(value) => Ok(value),
        Err(error @ json::ReadError::Syntax(_)) => {
            let error = Error::evaluation(Pos::NONE, error.to_string());
            Err(error.while_(Pos::NONE, "while decoding a JSON string"))
        }
        Err(error) => Err(Error::evaluation(Pos::NONE, error.to_string())),
    }
}

/// The value of a JSON document.
pub(super) fn from_text<'a>(
    eval: &mut Eval<'a>,
    text: &[u8],
) -> std::result::Result<Value<'a>, json::ReadError> {
    let mut values = Document { eval, values: Vec::new(), names: Vec::new(), open: Vec::new() };
    json::read(text, &mut values)?;
    Ok(values.values.pop().unwrap_or(Value::Null))
}

/// Makes values of a JSON document: what is complete but not yet part of a list or an object stands on
/// stacks.
struct Document<'e, 'a> {
    eval: &'e mut Eval<'a>,
    values: Vec<Value<'a>>,
    /// The names of the values in open objects.
    names: Vec<Symbol>,
    /// How many values and names there were when each open list or object began.
    open: Vec<(usize, usize)>,
}

impl Document<'_, '_> {
    fn start(&mut self) {
        self.open.push((self.values.len(), self.names.len()));
    }
}

impl json::Sink for Document<'_, '_> {
    fn null(&mut self) {
        self.values.push(Value::Null);
    }

    fn bool(&mut self, value: bool) {
        self.values.push(Value::Bool(value));
    }

    fn int(&mut self, value: i64) {
        self.values.push(Value::Int(value));
    }

    fn float(&mut self, value: f64) {
        self.values.push(Value::Float(value));
    }

    fn string(&mut self, text: &[u8]) {
        self.values.push(self.eval.string(text));
    }

    fn key(&mut self, name: &[u8]) {
        self.names.push(self.eval.symbols.intern(name));
    }

    fn start_list(&mut self) {
        self.start();
    }

    fn end_list(&mut self) {
        let Some((start, _)) = self.open.pop() else { return };
        let list = self.eval.list(self.values.get(start..).unwrap_or_default());
        self.values.truncate(start);
        self.values.push(list);
    }

    fn start_object(&mut self) {
        self.start();
    }

    fn end_object(&mut self) {
        let Some((values, names)) = self.open.pop() else { return };
        let mut attrs = AttrsBuilder::with_capacity(self.names.len() - names);
        // Of a name that comes twice the last value counts, and of the builder's the first.
        for (name, value) in self.names.drain(names..).zip(self.values.drain(values..)).rev() {
            attrs.add(name, value);
        }
        self.values.push(Value::Attrs(attrs.build(self.eval.arena)));
    }
}
