//! Coercion of values to strings and paths, and short descriptions of values for messages.

use super::Eval;
use super::error::{Error, Result};
use super::position::Pos;
use super::print::{shortened, type_name};
use super::value::{Attrs, Bytes, Context, Value};

/// What may become a string, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coercion {
    /// Null, Booleans, numbers and lists as well, as `toString` and derivations do.
    pub more: bool,
    /// A path becomes the path of its copy in the store, instead of its own text.
    pub copy_to_store: bool,
}

impl Coercion {
    /// `"${…}"`
    pub const INTERPOLATION: Self = Self { more: false, copy_to_store: true };
    /// `toString`
    pub const TO_STRING: Self = Self { more: true, copy_to_store: false };
    /// The attributes of a derivation.
    pub const DERIVATION: Self = Self { more: true, copy_to_store: true };
    /// Strings, paths and sets that stand for them, as they are.
    pub const PLAIN: Self = Self { more: false, copy_to_store: false };
}

impl<'a> Eval<'a> {
    /// `value` as a string. `what` is the step of the trace in a failure.
    pub fn coerce(
        &mut self,
        value: Value<'a>,
        pos: Pos,
        how: Coercion,
        what: &'static str,
    ) -> Result<(Bytes<'a>, Context)> {
        self.check_stack()?;
        let value = self.force(value, pos)?;
        match value {
            Value::Str(context, bytes) => Ok((bytes, context)),
            Value::Path(path) if how.copy_to_store => {
                self.copy_path_to_store(path, pos).map_err(|error| error.while_(pos, what))
            }
            Value::Path(path) => Ok((path, Context::NONE)),
            Value::Attrs(attrs) => self.coerce_attrs(attrs, pos, how, what),
            Value::Bool(true) if how.more => Ok((self.arena.copy((), b"1"), Context::NONE)),
            Value::Bool(false) | Value::Null if how.more => Ok((self.empty_string, Context::NONE)),
            Value::Int(number) if how.more => {
                let text = super::text::number::IntText::new(number);
                Ok((self.arena.copy((), text.as_bytes()), Context::NONE))
            }
            Value::Float(number) if how.more => {
                let mut text = Vec::with_capacity(32);
                super::text::number::write_float_decimals(&mut text, number);
                Ok((self.arena.copy((), &text), Context::NONE))
            }
            Value::List(list) if how.more => {
                let mut pieces = Vec::with_capacity(list.len() * 2);
                let mut context = Context::NONE;
                let space = self.arena.copy((), b" ");
                for (at, slot) in list.items().iter().enumerate() {
                    let inner = "while evaluating one element of the list";
                    let (piece, names) = self
                        .coerce(Value::Ref(slot), pos, how, inner)
                        .map_err(|error| error.while_(pos, what))?;
                    context = self.contexts.union(context, names);
                    pieces.push(piece);
                    let element = self.force_slot(slot, pos)?;
                    let is_empty_list = matches!(element, Value::List(list) if list.is_empty());
                    if at + 1 < list.len() && !is_empty_list {
                        pieces.push(space);
                    }
                }
                Ok((self.join(&pieces)?, context))
            }
            other => Err(self.not_coercible(other, pos).while_(pos, what)),
        }
    }

    fn coerce_attrs(
        &mut self,
        attrs: Attrs<'a>,
        pos: Pos,
        how: Coercion,
        what: &'static str,
    ) -> Result<(Bytes<'a>, Context)> {
        if let Some(to_string) = attrs.get(self.known.to_string) {
            let text = self.call(Value::Ref(to_string), &[Value::Attrs(attrs)], pos)?;
            let inner = "while evaluating the result of the `__toString` attribute";
            return self.coerce(text, pos, how, inner).map_err(|error| error.while_(pos, what));
        }
        let Some(out_path) = attrs.get(self.known.out_path) else {
            return Err(self.not_coercible(Value::Attrs(attrs), pos).while_(pos, what));
        };
        self.coerce(Value::Ref(out_path), pos, how, what)
    }

    #[cold]
    fn not_coercible(&mut self, value: Value<'a>, pos: Pos) -> Error {
        let kind = type_name(self, value);
        let shown = shortened(self, value);
        Error::type_error(pos, format!("cannot coerce {kind} to a string: {shown}"))
    }

    /// `value` as an absolute path, with the context of the string that it came from.
    pub fn coerce_to_path(
        &mut self,
        value: Value<'a>,
        pos: Pos,
        what: &'static str,
    ) -> Result<(Bytes<'a>, Context)> {
        let value = self.force(value, pos).map_err(|error| error.while_(pos, what))?;
        if let Value::Path(path) = value {
            return Ok((path, Context::NONE));
        }
        if let Value::Attrs(attrs) = value
            && let Some(to_string) = attrs.get(self.known.to_string)
        {
            let text = self.call(Value::Ref(to_string), &[value], pos)?;
            return self.coerce_to_path(text, pos, what);
        }
        let (text, context) = self.coerce(value, pos, Coercion::PLAIN, what)?;
        if text.items().first() != Some(&b'/') {
            let shown = String::from_utf8_lossy(text.items());
            let message = format!("string '{shown}' doesn't represent an absolute path");
            return Err(Error::evaluation(pos, message).while_(pos, what));
        }
        let path = super::text::path::canonical(text.items());
        let path = if path == text.items() { text } else { self.arena.copy((), &path) };
        Ok((path, context))
    }

    /// A path value of this text, which is made canonical.
    pub(super) fn path_value(&mut self, text: &[u8], pos: Pos) -> Result<Value<'a>> {
        if text.contains(&0) {
            let message = "a path must not contain a NUL byte";
            return Err(Error::evaluation(pos, message));
        }
        Ok(Value::Path(self.arena.copy((), &super::text::path::canonical(text))))
    }

    /// The kind of a value and the value itself, as messages show it: `an integer: 3`.
    #[must_use]
    pub fn describe(&mut self, value: Value<'a>) -> String {
        super::print::brief(self, value)
    }
}
