//! `flake.nix` as it is read without evaluating it: a literal set whose inputs are literals. (Nix manual,
//! `nix flake`, "Flake format".)

use std::collections::BTreeMap;

use super::error::{FlakeError, Result};
use super::lock::InputPath;
use super::reference::{FlakeRef, shown};
use crate::eval::references::{InputAttr, InputAttrs, is_flake_id};
use crate::syntax::{
    Ast, AttrDef, AttrKind, AttrSet, Expr, ExprId, Features, Symbol, Symbols, line_column, parse,
};

/// What a `flake.nix` says before anything is evaluated.
#[derive(Debug, Default)]
pub(super) struct Definition {
    /// The inputs by name: those that are declared, and those that only `outputs` asks for.
    pub(super) inputs: BTreeMap<Vec<u8>, InputDef>,
    /// `inputs.self`: how the flake wants to be fetched itself.
    pub(super) self_attrs: InputAttrs,
    /// Has it a `nixConfig`?
    pub(super) has_config: bool,
}

/// An input as it is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InputDef {
    /// Where it is.
    pub(super) reference: Option<FlakeRef>,
    /// Which other input stands for it, from the root of all.
    pub(super) follows: Option<InputPath>,
    /// Has it a `flake.nix`, and is that wanted?
    pub(super) is_flake: bool,
    /// What it changes in its own inputs.
    pub(super) overrides: BTreeMap<Vec<u8>, InputDef>,
}

impl Default for InputDef {
    fn default() -> Self {
        Self { reference: None, follows: None, is_flake: true, overrides: BTreeMap::new() }
    }
}

/// Whose `flake.nix` it is.
pub(super) struct Whose<'w> {
    /// The flake's reference.
    pub(super) flake: &'w str,
    /// The file, as it is shown.
    pub(super) file: &'w str,
    /// The way to the flake from the root of all.
    pub(super) path: &'w [Vec<u8>],
    /// The flake's folder in its tree, as `/a/b`.
    pub(super) folder: &'w [u8],
}

impl Definition {
    /// Reads the text of a `flake.nix`.
    pub(super) fn read(text: &[u8], whose: &Whose<'_>) -> Result<Self> {
        let mut symbols = Symbols::new();
        let parsed = parse(text, &mut symbols, Features::default());
        let place = |offset| {
            let at = line_column(text, offset);
            format!("{}:{}:{}", whose.file, at.line, at.column)
        };
        let ast = parsed.map_err(|error| FlakeError::Syntax {
            message: error.message,
            place: place(error.offset),
        })?;
        Reader { ast: &ast, symbols: &symbols, whose, place: &place }.definition()
    }
}

/// The names of a path of inputs: `a/b`.
pub(super) fn input_path(text: &[u8]) -> std::result::Result<InputPath, String> {
    let names = text.split(|byte| *byte == b'/').filter(|name| !name.is_empty());
    names
        .map(|name| {
            let fine = is_flake_id(name);
            fine.then(|| name.to_vec()).ok_or_else(|| {
                format!("invalid flake input attribute path element '{}'", shown(name))
            })
        })
        .collect()
}

struct Reader<'r> {
    ast: &'r Ast,
    symbols: &'r Symbols,
    whose: &'r Whose<'r>,
    place: &'r dyn Fn(u32) -> String,
}

/// What stands in the place of a value.
enum Literal<'r> {
    Text(&'r [u8]),
    Path(&'r [u8]),
    Bool(bool),
    Int(i64),
    Set(AttrSet<'r>),
    Other,
}

impl<'r> Reader<'r> {
    fn definition(&self) -> Result<Definition> {
        let root = self.ast.root().map(|root| (root, self.ast.expr(root)));
        let Some((_, Expr::Attrs(id))) = root else {
            let reason = format!("file '{}' must be an attribute set", self.whose.file);
            return Err(FlakeError::Content { reason });
        };
        let set = self.ast.attrs(id);
        self.no_dynamic(set)?;
        let mut definition = Definition::default();
        let mut outputs = None;
        for attr in set.attrs {
            match self.name(attr.name) {
                b"description" => drop(self.text(attr)?),
                b"inputs" => self.inputs(attr, &mut definition)?,
                b"outputs" => outputs = Some(attr),
                b"nixConfig" => {
                    self.set(attr)?;
                    definition.has_config = true;
                }
                name => {
                    let (flake, name) = (self.whose.flake, shown(name));
                    let at = (self.place)(attr.offset);
                    return Err(content(format!(
                        "flake '{flake}' has an unsupported attribute '{name}', at {at}"
                    )));
                }
            }
        }
        let Some(outputs) = outputs else {
            let flake = self.whose.flake;
            return Err(content(format!("flake '{flake}' lacks attribute 'outputs'")));
        };
        self.arguments(outputs, &mut definition)?;
        Ok(definition)
    }

    /// Adds what `outputs` asks for by name.
    fn arguments(&self, outputs: &AttrDef, definition: &mut Definition) -> Result<()> {
        let Expr::Lambda(id) = self.ast.expr(outputs.value) else {
            return Err(self.unexpected("a function", self.kind(outputs.value), outputs.offset));
        };
        let Some(formals) = self.ast.lambda(id).formals else { return Ok(()) };
        for formal in formals.formals {
            let name = self.name(formal.name);
            if name == b"self" || definition.inputs.contains_key(name) {
                continue;
            }
            let input = InputDef { reference: Some(FlakeRef::parse(name)?), ..InputDef::default() };
            definition.inputs.insert(name.to_vec(), input);
        }
        Ok(())
    }

    fn inputs(&self, attr: &AttrDef, definition: &mut Definition) -> Result<()> {
        for input in self.set(attr)?.attrs {
            let name = self.name(input.name);
            if name != b"self" {
                definition.inputs.insert(name.to_vec(), self.input(input)?);
                continue;
            }
            for own in self.set(input)?.attrs {
                let name = self.name(own.name);
                if !matches!(name, b"submodules" | b"lfs") {
                    let name = shown(name);
                    return Err(content(format!(
                        "flake 'self' attribute '{name}' is not supported"
                    )));
                }
                definition.self_attrs.insert(name.to_vec(), self.input_attr(own)?);
            }
        }
        Ok(())
    }

    fn input(&self, attr: &AttrDef) -> Result<InputDef> {
        let mut input = InputDef::default();
        let mut attrs = InputAttrs::new();
        let mut url = None;
        for part in self.set(attr)?.attrs {
            match self.name(part.name) {
                b"url" => {
                    let text = self.url(part)?;
                    attrs.insert(b"url".to_vec(), InputAttr::Text(text.clone()));
                    url = Some(text);
                }
                b"flake" => match self.literal(part) {
                    Literal::Bool(value) => input.is_flake = value,
                    _ => {
                        return Err(self.unexpected(
                            "a Boolean",
                            self.kind(part.value),
                            part.offset,
                        ));
                    }
                },
                b"inputs" => {
                    for inner in self.set(part)?.attrs {
                        let name = self.name(inner.name);
                        if name == b"self" {
                            let at = (self.place)(inner.offset);
                            return Err(content(format!(
                                "'self' input attribute not allowed at {at}"
                            )));
                        }
                        input.overrides.insert(name.to_vec(), self.input(inner)?);
                    }
                }
                b"follows" => {
                    let names = input_path(self.text(part)?).map_err(|reason| {
                        content(format!("{reason}, at {}", (self.place)(part.offset)))
                    })?;
                    input.follows = Some([self.whose.path, &names].concat());
                }
                name => {
                    attrs.insert(name.to_vec(), self.input_attr(part)?);
                }
            }
        }
        let at = || (self.place)(attr.offset);
        if attrs.contains_key(&b"type"[..]) {
            let reference = FlakeRef::from_attrs(attrs)
                .map_err(|error| content(format!("{error}, in the flake input at {}", at())))?;
            input.reference = Some(reference);
        } else {
            attrs.remove(&b"url"[..]);
            if let Some(name) = attrs.keys().next() {
                let name = shown(name);
                return Err(content(format!(
                    "unexpected flake input attribute '{name}', at {}",
                    at()
                )));
            }
            if let Some(url) = url {
                input.reference = Some(FlakeRef::parse(&url).map_err(|error| {
                    content(format!("{error}, in the flake input at {}", at()))
                })?);
            }
        }
        if input.reference.is_some() && input.follows.is_some() {
            return Err(content(format!(
                "flake input has both a flake reference and a follows attribute, at {}",
                at()
            )));
        }
        Ok(input)
    }

    /// The URL of an input. A path literal stands for a folder of the same tree.
    fn url(&self, attr: &AttrDef) -> Result<Vec<u8>> {
        match self.literal(attr) {
            Literal::Text(text) => Ok(text.to_vec()),
            Literal::Path(path) if !path.starts_with(b"/") => {
                let target = crate::eval::text::path::join(self.whose.folder, path);
                Ok([b"path:", &relative(self.whose.folder, &target)[..]].concat())
            }
            Literal::Path(path) => Err(content(format!(
                "input attribute path '{}' at {} must be in the same source tree as '{}'",
                shown(path),
                (self.place)(attr.offset),
                self.whose.flake
            ))),
            _ => Err(self.unexpected("a string or a path", self.kind(attr.value), attr.offset)),
        }
    }

    fn input_attr(&self, attr: &AttrDef) -> Result<InputAttr> {
        let name = || shown(self.name(attr.name));
        match self.literal(attr) {
            Literal::Text(text) => Ok(InputAttr::Text(text.to_vec())),
            Literal::Bool(value) => Ok(InputAttr::Bool(value)),
            Literal::Int(number) => u64::try_from(number).map(InputAttr::Number).map_err(|_| {
                content(format!(
                    "negative value given for flake input attribute {}: {number}",
                    name()
                ))
            }),
            _ => Err(content(format!(
                "flake input attribute '{}' is {} while a string, Boolean, or integer is expected, at {}",
                name(),
                self.kind(attr.value),
                (self.place)(attr.offset)
            ))),
        }
    }

    fn text(&self, attr: &AttrDef) -> Result<&'r [u8]> {
        match self.literal(attr) {
            Literal::Text(text) => Ok(text),
            _ => Err(self.unexpected("a string", self.kind(attr.value), attr.offset)),
        }
    }

    fn set(&self, attr: &AttrDef) -> Result<AttrSet<'r>> {
        match self.literal(attr) {
            Literal::Set(set) => {
                self.no_dynamic(set)?;
                Ok(set)
            }
            _ => Err(self.unexpected("a set", self.kind(attr.value), attr.offset)),
        }
    }

    fn no_dynamic(&self, set: AttrSet<'_>) -> Result<()> {
        match set.dynamic.first() {
            None => Ok(()),
            Some(attr) => Err(content(format!(
                "a flake's attributes must not have computed names, as at {}",
                (self.place)(attr.offset)
            ))),
        }
    }

    fn literal(&self, attr: &AttrDef) -> Literal<'r> {
        if attr.kind == AttrKind::InheritedFrom {
            return Literal::Other;
        }
        match self.ast.expr(attr.value) {
            Expr::Str(text) => Literal::Text(self.ast.text(text)),
            Expr::Path(text) => Literal::Path(self.ast.text(text)),
            Expr::Int(number) => Literal::Int(number),
            Expr::Attrs(id) => Literal::Set(self.ast.attrs(id)),
            Expr::Var(name) => match self.name(name) {
                b"true" => Literal::Bool(true),
                b"false" => Literal::Bool(false),
                _ => Literal::Other,
            },
            _ => Literal::Other,
        }
    }

    /// What an expression is called that is not evaluated.
    fn kind(&self, id: ExprId) -> &'static str {
        match self.ast.expr(id) {
            Expr::Str(_) => "a string",
            Expr::Path(_) | Expr::HomePath(_) => "a path",
            Expr::Int(_) => "an integer",
            Expr::Float(_) => "a float",
            Expr::Attrs(_) => "a set",
            Expr::List(_) => "a list",
            Expr::Lambda(_) => "a function",
            Expr::Var(name) if matches!(self.name(name), b"true" | b"false") => "a Boolean",
            Expr::Var(name) if self.name(name) == b"null" => "null",
            _ => "a thunk",
        }
    }

    fn name(&self, name: Symbol) -> &'r [u8] {
        self.symbols.name(name)
    }

    fn unexpected(&self, wanted: &str, found: &str, offset: u32) -> FlakeError {
        content(format!("expected {wanted} but got {found} at {}", (self.place)(offset)))
    }
}

fn content(reason: String) -> FlakeError {
    FlakeError::Content { reason }
}

/// The way from one folder to another.
fn relative(from: &[u8], to: &[u8]) -> Vec<u8> {
    let parts = |path: &'_ [u8]| -> Vec<Vec<u8>> {
        path.split(|byte| *byte == b'/').filter(|p| !p.is_empty()).map(<[u8]>::to_vec).collect()
    };
    let (from, to) = (parts(from), parts(to));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from.iter().skip(common).map(|_| b"..".to_vec());
    let way: Vec<Vec<u8>> = up.chain(to.iter().skip(common).cloned()).collect();
    if way.is_empty() { b".".to_vec() } else { way.join(&b'/') }
}
