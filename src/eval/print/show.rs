//! The text of `nix eval`, of `builtins.trace` and of messages: like Nix source, with `«…»` around what
//! is none.

use rustc_hash::FxHashSet;

use super::{check_depth, has_failed, is_unevaluated, known, type_name};
use crate::eval::error::{Error, ErrorKind, Result};
use crate::eval::position::Pos;
use crate::eval::text::{number, print as text};
use crate::eval::value::{Attr, Attrs, List, Slot, Value};
use crate::eval::{Coercion, Eval};
use crate::store::StorePath;

/// What happens with errors of what is evaluated to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errors {
    /// They are shown in the place of the value: `«error: …»`.
    Show,
    /// Only those inside of the value are shown; one of the value itself is returned.
    Throw,
}

/// How values are shown.
#[derive(Debug, Clone, Copy)]
pub struct ShowOptions {
    /// Is what is inside evaluated?
    pub force: bool,
    /// Where `force` is set: is a derivation shown as `«derivation /nix/store/….drv»`?
    pub derivation_paths: bool,
    /// How deeply.
    pub max_depth: usize,
    /// How many attributes of all sets together.
    pub max_attrs: usize,
    /// How many elements of all lists together.
    pub max_items: usize,
    /// How many bytes of a string.
    pub max_string: usize,
    /// What about errors.
    pub errors: Errors,
}

impl ShowOptions {
    /// As `builtins.trace` prints values: all that is evaluated already.
    pub const TRACE: Self = Self {
        force: false,
        derivation_paths: false,
        max_depth: usize::MAX,
        max_attrs: usize::MAX,
        max_items: usize::MAX,
        max_string: usize::MAX,
        errors: Errors::Show,
    };

    /// As `nix eval` prints its result.
    pub const EVAL: Self =
        Self { force: true, derivation_paths: true, errors: Errors::Throw, ..Self::TRACE };

    /// As messages show values: shortened.
    pub const MESSAGE: Self =
        Self { max_depth: 10, max_attrs: 10, max_items: 10, max_string: 1024, ..Self::TRACE };
}

/// Appends `value` to `out`.
///
/// # Errors
///
/// As `options` say; an overflow of the stack and an interruption always.
pub fn show<'a>(
    eval: &mut Eval<'a>,
    value: Value<'a>,
    options: ShowOptions,
    out: &mut Vec<u8>,
) -> Result<()> {
    let seen = FxHashSet::default();
    Shower { eval, options, seen, attrs: 0, items: 0, out }.value(value, Pos::NONE, 0)
}

/// The type of a value and the value itself, shortened, as messages show it: `an integer: 3`.
#[must_use]
pub fn brief<'a>(eval: &mut Eval<'a>, value: Value<'a>) -> String {
    let shown = shortened(eval, value);
    format!("{}: {shown}", type_name(eval, value))
}

/// A value as messages show it: as far as it is evaluated, and shortened.
#[must_use]
pub fn shortened<'a>(eval: &mut Eval<'a>, value: Value<'a>) -> String {
    let mut out = Vec::new();
    // Only an overflow of the stack fails here, and the message is for another failure.
    let _ = show(eval, value, ShowOptions::MESSAGE, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

struct Shower<'s, 'a> {
    eval: &'s mut Eval<'a>,
    options: ShowOptions,
    /// Addresses of sets, and of the homes of lists.
    seen: FxHashSet<usize>,
    /// How many attributes and elements were shown.
    attrs: usize,
    items: usize,
    out: &'s mut Vec<u8>,
}

impl<'a> Shower<'_, 'a> {
    fn value(&mut self, value: Value<'a>, pos: Pos, depth: usize) -> Result<()> {
        check_depth(self.eval, depth, pos)?;
        match self.try_value(value, pos, depth) {
            Err(error) if self.is_shown(&error, depth) => {
                let message = error.data().message.clone();
                self.word(&format!("«error: {message}»"));
                Ok(())
            }
            result => result,
        }
    }

    fn is_shown(&self, error: &Error, depth: usize) -> bool {
        let grave = matches!(error.kind(), ErrorKind::StackOverflow | ErrorKind::Interrupted);
        !grave && (self.options.errors == Errors::Show || depth > 0)
    }

    fn try_value(&mut self, value: Value<'a>, pos: Pos, depth: usize) -> Result<()> {
        // The home is that from before forcing, which may put a copy into the slot.
        let home = known(value).1;
        let value = if self.options.force { self.eval.force(value, pos)? } else { known(value).0 };
        if !self.options.force && value.is_forced() && is_unevaluated(value, home) {
            self.word("«thunk»");
            return Ok(());
        }
        match value {
            Value::Null => self.word("null"),
            Value::Bool(value) => self.word(if value { "true" } else { "false" }),
            Value::Int(value) => number::write_int(self.out, value),
            Value::Float(value) => number::write_float(self.out, value),
            Value::Str(_, bytes) => self.string(bytes.items()),
            Value::Path(path) => {
                self.out.extend_from_slice(&self.eval.sources.shown(path.items()));
            }
            Value::Attrs(attrs) => return self.set(attrs, pos, depth),
            Value::List(list) => return self.list(list, home, pos, depth),
            Value::Lambda(id, _) => {
                let lambda = self.eval.lambda(id);
                let name = lambda.name.map(|name| self.eval.symbols.text(name));
                let name = name.map(|name| format!(" {name}")).unwrap_or_default();
                let place = self.eval.sources.describe(lambda.pos);
                let place = place.as_deref().unwrap_or("«none»").to_owned();
                self.word(&format!("«lambda{name} @ {place}»"));
            }
            Value::PrimOp(id) => {
                self.word(&format!("«primop {}»", self.eval.primop(id).name));
            }
            Value::PrimOpApp(id, _) => {
                self.word(&format!("«partially applied primop {}»", self.eval.primop(id).name));
            }
            Value::Blackhole if !has_failed(self.eval, home) => {
                self.word("«potential infinite recursion»");
            }
            Value::Thunk(..)
            | Value::App(_)
            | Value::Element(..)
            | Value::Ref(_)
            | Value::Found(_)
            | Value::Blackhole => {
                self.word("«thunk»");
            }
        }
        Ok(())
    }

    fn word(&mut self, word: &str) {
        self.out.extend_from_slice(word.as_bytes());
    }

    fn string(&mut self, bytes: &[u8]) {
        let max = self.options.max_string;
        text::write_string(self.out, &bytes[..bytes.len().min(max)]);
        if bytes.len() > max {
            self.word(" ");
            self.elided(bytes.len() - max, "byte");
        }
    }

    fn elided(&mut self, count: usize, what: &str) {
        let plural = if count == 1 { "" } else { "s" };
        self.word(&format!("«{count} {what}{plural} elided»"));
    }

    fn set(&mut self, attrs: Attrs<'a>, pos: Pos, depth: usize) -> Result<()> {
        // C++ Nix has one empty set for all.
        let address = if attrs.is_empty() { 0 } else { attrs.address() };
        if !self.seen.insert(address) {
            self.word("«repeated»");
            return Ok(());
        }
        let options = self.options;
        if options.force && options.derivation_paths && self.eval.is_derivation(attrs, pos)? {
            return self.derivation(attrs);
        }
        if depth >= options.max_depth {
            self.word("{ ... }");
            return Ok(());
        }
        self.word("{");
        let mut sorted: Vec<Attr<'a>> = attrs.sorted(self.eval.arena, &self.eval.symbols).collect();
        if options.max_attrs != usize::MAX {
            let symbols = &self.eval.symbols;
            let important = |attr: &Attr<'_>| matches!(symbols.name(attr.name), b"type" | b"_type");
            sorted.sort_by_key(|attr| !important(attr));
        }
        for (done, attr) in sorted.iter().enumerate() {
            self.word(" ");
            if self.attrs >= options.max_attrs {
                self.elided(sorted.len() - done, "attribute");
                break;
            }
            text::write_attr_name(self.out, self.eval.symbols.name(attr.name));
            self.word(" = ");
            self.value(Value::Ref(attr.slot), attr.pos, depth + 1)?;
            self.word(";");
            self.attrs += 1;
        }
        self.word(" }");
        Ok(())
    }

    fn derivation(&mut self, attrs: Attrs<'a>) -> Result<()> {
        let Some(attr) = attrs.get_attr(self.eval.known.drv_path) else {
            self.word("«derivation»");
            return Ok(());
        };
        let what = "while evaluating the drvPath of a derivation";
        let value = Value::Ref(attr.slot);
        let (path, _) = self.eval.coerce(value, attr.pos, Coercion::PLAIN, what)?;
        let path = String::from_utf8_lossy(path.items()).into_owned();
        if !is_store_path(path.as_bytes(), &self.eval.settings.store_dir) {
            let message = format!("path '{path}' is not in the Nix store");
            return Err(Error::evaluation(attr.pos, message));
        }
        self.word(&format!("«derivation {path}»"));
        Ok(())
    }

    fn list(
        &mut self,
        list: List<'a>,
        home: Option<&'a Slot<'a>>,
        pos: Pos,
        depth: usize,
    ) -> Result<()> {
        let home = home.map(|home| std::ptr::from_ref(home).addr());
        if !list.is_empty() && home.is_some_and(|home| !self.seen.insert(home)) {
            self.word("«repeated»");
            return Ok(());
        }
        if depth >= self.options.max_depth {
            self.word("[ ... ]");
            return Ok(());
        }
        self.word("[");
        for (done, slot) in list.items().iter().enumerate() {
            self.word(" ");
            if self.items >= self.options.max_items {
                self.elided(list.len() - done, "item");
                break;
            }
            self.value(Value::Ref(slot), pos, depth + 1)?;
            self.items += 1;
        }
        self.word(" ]");
        Ok(())
    }
}

/// Is it `/nix/store/<hash>-<name>`, with nothing below?
fn is_store_path(path: &[u8], store_dir: &[u8]) -> bool {
    let base = path.strip_prefix(store_dir).and_then(|rest| rest.strip_prefix(b"/"));
    base.is_some_and(|base| StorePath::from_base_name(base).is_ok())
}
