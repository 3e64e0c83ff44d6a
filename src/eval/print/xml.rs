//! Values as XML, for `--xml` and `builtins.toXML` (Nix manual, `builtins.toXML`).

use rustc_hash::FxHashSet;

use super::{check_depth, is_unevaluated, known};
use crate::eval::Eval;
use crate::eval::code::LambdaId;
use crate::eval::digests::Growing;
use crate::eval::error::Result;
use crate::eval::position::Pos;
use crate::eval::text::number;
use crate::eval::text::xml::XmlWriter;
use crate::eval::value::{Attr, Attrs, Context, Slot, Value};

/// How values are written.
#[derive(Debug, Clone, Copy)]
pub struct XmlOptions {
    /// Is what is inside evaluated? Otherwise it is `<unevaluated />`.
    pub strict: bool,
    /// Do attributes and functions say where they were defined?
    pub location: bool,
}

/// `value` as an XML document. What its strings refer to is added to `context`.
///
/// # Errors
///
/// What evaluating fails with, and values that are nested more deeply than calls may be.
pub fn to_xml<'a>(
    eval: &mut Eval<'a>,
    value: Value<'a>,
    pos: Pos,
    options: XmlOptions,
    context: &mut Context,
) -> Result<Vec<u8>> {
    write(eval, value, pos, options, context, None)
}

/// As [`to_xml`] for `toXML`; `hash` becomes that of the text.
pub(in crate::eval) fn to_hashed_xml<'a>(
    eval: &mut Eval<'a>,
    value: Value<'a>,
    context: &mut Context,
    hash: &mut Growing,
) -> Result<Vec<u8>> {
    let options = XmlOptions { strict: true, location: false };
    write(eval, value, Pos::NONE, options, context, Some(hash))
}

fn write<'a>(
    eval: &mut Eval<'a>,
    value: Value<'a>,
    pos: Pos,
    options: XmlOptions,
    context: &mut Context,
    hash: Option<&mut Growing>,
) -> Result<Vec<u8>> {
    let depth = eval.calls.len();
    let seen = FxHashSet::default();
    let mut writer = Writer { eval, options, context, seen, xml: XmlWriter::new(), hash };
    writer.xml.open("expr", &[]);
    writer.value(value, pos, depth)?;
    Ok(writer.xml.finish())
}

struct Writer<'w, 'a> {
    eval: &'w mut Eval<'a>,
    options: XmlOptions,
    context: &'w mut Context,
    /// The paths of the derivations so far.
    seen: FxHashSet<Vec<u8>>,
    xml: XmlWriter,
    hash: Option<&'w mut Growing>,
}

impl<'a> Writer<'_, 'a> {
    fn value(&mut self, value: Value<'a>, pos: Pos, depth: usize) -> Result<()> {
        check_depth(self.eval, depth, pos)?;
        let Some(value) = self.looked_at(value, pos)? else {
            self.xml.empty("unevaluated", &[]);
            return Ok(());
        };
        match value {
            Value::Null => self.xml.empty("null", &[]),
            Value::Bool(true) => self.scalar("bool", b"true"),
            Value::Bool(false) => self.scalar("bool", b"false"),
            Value::Int(value) => {
                let mut text = Vec::new();
                number::write_int(&mut text, value);
                self.scalar("int", &text);
            }
            Value::Float(value) => {
                let mut text = Vec::new();
                number::write_float(&mut text, value);
                self.scalar("float", &text);
            }
            Value::Str(context, bytes) => {
                *self.context = self.eval.contexts.union(*self.context, context);
                self.scalar("string", bytes.items());
            }
            Value::Path(path) => self.scalar("path", path.items()),
            Value::Attrs(attrs) if self.eval.is_derivation(attrs, pos)? => {
                self.derivation(attrs, depth)?;
            }
            Value::Attrs(attrs) => {
                self.xml.open("attrs", &[]);
                self.attributes(attrs, depth)?;
                self.xml.close();
            }
            Value::List(list) => {
                self.xml.open("list", &[]);
                for slot in list.items() {
                    self.value(Value::Ref(slot), pos, depth + 1)?;
                }
                self.xml.close();
            }
            Value::Lambda(id, _) => self.function(id),
            _ => self.xml.empty("unevaluated", &[]),
        }
        Ok(())
    }

    /// The value, if it is evaluated, or may be.
    fn looked_at(&mut self, value: Value<'a>, pos: Pos) -> Result<Option<Value<'a>>> {
        if self.options.strict {
            return self.eval.force(value, pos).map(Some);
        }
        let (value, home) = known(value);
        Ok((!is_unevaluated(value, home)).then_some(value))
    }

    fn scalar(&mut self, name: &'static str, value: &[u8]) {
        self.xml.empty(name, &[("value", value)]);
    }

    fn attributes(&mut self, attrs: Attrs<'a>, depth: usize) -> Result<()> {
        for attr in attrs.sorted(self.eval.arena, &self.eval.symbols) {
            let name = self.eval.symbols.name(attr.name);
            if self.options.location {
                let place = Place::of(self.eval, attr.pos);
                self.xml.open("attr", &place.attributes(Some(name)));
            } else {
                self.xml.open("attr", &[("name", name)]);
            }
            self.value(Value::Ref(attr.slot), attr.pos, depth + 1)?;
            self.xml.close();
            if let Some(hash) = &mut self.hash {
                hash.grown(self.xml.written());
            }
        }
        Ok(())
    }

    fn derivation(&mut self, attrs: Attrs<'a>, depth: usize) -> Result<()> {
        let known = self.eval.known;
        let drv_path = self.string_of(attrs.get_attr(known.drv_path))?;
        let out_path = self.string_of(attrs.get_attr(known.out_path))?;
        let mut shown: Vec<(&str, &[u8])> = Vec::new();
        shown.extend(drv_path.map(|path| ("drvPath", path)));
        shown.extend(out_path.map(|path| ("outPath", path)));
        self.xml.open("derivation", &shown);
        let path = drv_path.unwrap_or_default();
        if !path.is_empty() && self.seen.insert(path.to_vec()) {
            self.attributes(attrs, depth)?;
        } else {
            self.xml.empty("repeated", &[]);
        }
        self.xml.close();
        Ok(())
    }

    /// The attribute's value, if it is a string.
    fn string_of(&mut self, attr: Option<Attr<'a>>) -> Result<Option<&'a [u8]>> {
        let Some(Attr { slot, pos, .. }) = attr else { return Ok(None) };
        let slot: &'a Slot<'a> = slot;
        Ok(match self.looked_at(Value::Ref(slot), pos)? {
            Some(Value::Str(_, bytes)) => Some(bytes.items()),
            _ => None,
        })
    }

    fn function(&mut self, id: LambdaId) {
        let lambda = *self.eval.lambda(id);
        let place = self.options.location.then(|| Place::of(self.eval, lambda.pos));
        self.xml.open("function", &place.unwrap_or_default().attributes(None));
        let symbols = &self.eval.symbols;
        let arg = lambda.arg.map(|name| ("name", symbols.name(name)));
        if let Some(pattern) = lambda.pattern {
            let ellipsis = pattern.ellipsis.then_some(("ellipsis", &b"1"[..]));
            let shown: Vec<_> = ellipsis.into_iter().chain(arg).collect();
            self.xml.open("attrspat", &shown);
            let formals = self.eval.formals(id).iter();
            let mut names: Vec<&[u8]> = formals.map(|formal| symbols.name(formal.name)).collect();
            names.sort_unstable();
            for name in names {
                self.xml.empty("attr", &[("name", name)]);
            }
            self.xml.close();
        } else {
            self.xml.empty("varpat", arg.as_slice());
        }
        self.xml.close();
    }
}

/// A place as the attributes of an element.
#[derive(Default)]
struct Place {
    column: String,
    line: String,
    path: Option<Vec<u8>>,
}

impl Place {
    fn of(eval: &Eval<'_>, pos: Pos) -> Self {
        let Some(place) = eval.sources.place(pos) else { return Self::default() };
        let path = eval.sources.file_line_column(pos).map(|(path, ..)| path.to_vec());
        Self { column: place.at.column.to_string(), line: place.at.line.to_string(), path }
    }

    /// By name, as C++ Nix orders them.
    fn attributes<'s>(&'s self, name: Option<&'s [u8]>) -> Vec<(&'static str, &'s [u8])> {
        let mut all = Vec::with_capacity(4);
        if !self.line.is_empty() {
            all.push(("column", self.column.as_bytes()));
            all.push(("line", self.line.as_bytes()));
        }
        all.extend(name.map(|name| ("name", name)));
        all.extend(self.path.as_deref().map(|path| ("path", path)));
        all
    }
}
