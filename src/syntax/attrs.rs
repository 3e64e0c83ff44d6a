//! Bindings: `a.b = x;` and `inherit`, nested sets merged as they are read.

use rustc_hash::FxHashMap;

use super::ast::{
    Ast, AttrDef, AttrKind, AttrName, AttrsId, DynamicAttr, Expr, ExprId, Range, Set, index,
};
use super::chain::{Chain, Chains};
use super::error::ParseError;
use super::lexer::Kind;
use super::parser::{Parsed, Parser};
use super::symbol::Symbol;

/// From this many attributes on a set is looked up through a map while it is read.
const MAPPED_FROM: u32 = 16;

/// What an attribute name begins with, for messages.
const ATTR_NAME: &str = "identifier or 'or' or '${' or '\"'";

/// The attribute sets of a source while it is read: any of them may still grow.
#[derive(Debug)]
pub(super) struct OpenSets {
    sets: Vec<OpenSet>,
    attrs: Chains<AttrDef>,
    dynamic: Chains<DynamicAttr>,
    inherit_from: Chains<ExprId>,
    /// Where the attributes of big sets are.
    map: FxHashMap<(u32, Symbol), u32>,
}

#[derive(Debug)]
struct OpenSet {
    recursive: bool,
    attrs: Chain,
    dynamic: Chain,
    inherit_from: Chain,
    /// A bit for each name that the set has, many names to a bit: most names are new to their set,
    /// and this tells so at once.
    seen: u64,
}

impl OpenSets {
    /// No sets yet, but room for those of a source of this length.
    pub(super) fn for_source_of(length: usize) -> Self {
        Self {
            sets: Vec::with_capacity(length / 96),
            attrs: Chains::with_capacity(length / 48),
            dynamic: Chains::with_capacity(0),
            inherit_from: Chains::with_capacity(0),
            map: FxHashMap::default(),
        }
    }

    pub(super) fn open(&mut self, recursive: bool) -> AttrsId {
        let id = AttrsId(index(self.sets.len()));
        let (attrs, dynamic, inherit_from) = (Chain::EMPTY, Chain::EMPTY, Chain::EMPTY);
        self.sets.push(OpenSet { recursive, attrs, dynamic, inherit_from, seen: 0 });
        id
    }

    pub(super) fn has_dynamic(&self, set: AttrsId) -> bool {
        self.sets[set.0 as usize].dynamic.len() > 0
    }

    /// The attribute `name`, if the set has it already.
    #[inline]
    fn find(&self, set: AttrsId, name: Symbol) -> Option<AttrDef> {
        if self.sets[set.0 as usize].seen & bit(name) == 0 { None } else { self.seen(set, name) }
    }

    fn seen(&self, set: AttrsId, name: Symbol) -> Option<AttrDef> {
        let attrs = self.sets[set.0 as usize].attrs;
        if attrs.len() >= MAPPED_FROM {
            return self.map.get(&(set.0, name)).map(|place| self.attrs.get(*place));
        }
        self.attrs.iter(attrs).map(|(_, def)| def).find(|def| def.name == name)
    }

    /// Adds an attribute that the set does not have.
    #[inline]
    fn push(&mut self, set: AttrsId, def: AttrDef) {
        let open = &mut self.sets[set.0 as usize];
        open.seen |= bit(def.name);
        let place = self.attrs.push(&mut open.attrs, def);
        if open.attrs.len() >= MAPPED_FROM {
            self.map_attr(set, def.name, place);
        }
    }

    fn map_attr(&mut self, set: AttrsId, name: Symbol, place: u32) {
        let attrs = self.sets[set.0 as usize].attrs;
        if attrs.len() == MAPPED_FROM {
            self.map.extend(self.attrs.iter(attrs).map(|(place, def)| ((set.0, def.name), place)));
        } else {
            self.map.insert((set.0, name), place);
        }
    }

    fn push_dynamic(&mut self, set: AttrsId, attr: DynamicAttr) {
        self.dynamic.push(&mut self.sets[set.0 as usize].dynamic, attr);
    }

    /// Adds the set of an `inherit (set)`, and gives its number.
    fn push_inherit_from(&mut self, set: AttrsId, from: ExprId) -> u32 {
        let chain = &mut self.sets[set.0 as usize].inherit_from;
        let number = chain.len();
        self.inherit_from.push(chain, from);
        number
    }

    /// Takes all attributes out of a set, the oldest first.
    fn take_attrs(&mut self, set: AttrsId) -> Vec<AttrDef> {
        let chain = std::mem::replace(&mut self.sets[set.0 as usize].attrs, Chain::EMPTY);
        let mut attrs = Vec::new();
        self.attrs.write(chain, &mut attrs);
        attrs
    }

    /// Moves all that has no known name from one set to the end of another.
    fn move_rest(&mut self, from: AttrsId, into: AttrsId) {
        let moved = &mut self.sets[from.0 as usize];
        let dynamic = std::mem::replace(&mut moved.dynamic, Chain::EMPTY);
        let inherit_from = std::mem::replace(&mut moved.inherit_from, Chain::EMPTY);
        let into = &mut self.sets[into.0 as usize];
        self.dynamic.append(&mut into.dynamic, dynamic);
        self.inherit_from.append(&mut into.inherit_from, inherit_from);
    }

    /// Puts all sets into the tree, when nothing can be added to them any more.
    pub(super) fn write(&self, ast: &mut Ast) {
        ast.sets.reserve_exact(self.sets.len());
        ast.attrs.reserve_exact(self.attrs.len());
        for set in &self.sets {
            let attrs = self.attrs.write(set.attrs, &mut ast.attrs);
            sort(&mut ast.attrs, attrs);
            ast.sets.push(Set {
                recursive: set.recursive,
                attrs,
                dynamic: self.dynamic.write(set.dynamic, &mut ast.dynamic),
                inherit_from: self.inherit_from.write(set.inherit_from, &mut ast.inherit_from),
            });
        }
    }
}

fn bit(name: Symbol) -> u64 {
    1 << (name.index() % 64)
}

/// Sorts a set by symbol. New names have ascending symbols, so that many sets are sorted already.
fn sort(attrs: &mut [AttrDef], range: Range) {
    let attrs = &mut attrs[range.start as usize..];
    if !attrs.is_sorted_by_key(|def| def.name) {
        attrs.sort_unstable_by_key(|def| def.name);
    }
}

impl Parser<'_> {
    /// Bindings up to the token `end`, which is left as the current one.
    pub(super) fn bindings(&mut self, set: AttrsId, end: Kind) -> Parsed<()> {
        loop {
            match self.kind() {
                Kind::Id => {
                    let (name, offset) = (self.symbol(), self.offset());
                    self.advance();
                    self.named_binding(set, name, offset)?;
                }
                kind if kind == end => return Ok(()),
                Kind::Inherit => self.inherit(set)?,
                Kind::Or | Kind::Quote | Kind::DollarCurly => {
                    let (base, offset) = (self.names.len(), self.offset());
                    self.attr_path()?;
                    self.path_binding(set, base, offset)?;
                }
                _ if end == Kind::In => return Err(self.unexpected("'in' or 'inherit'").into()),
                _ => return Err(self.unexpected("'inherit'").into()),
            }
        }
    }

    /// The rest of a binding that begins with the identifier `name`.
    pub(super) fn named_binding(&mut self, set: AttrsId, name: Symbol, offset: u32) -> Parsed<()> {
        if self.kind() != Kind::Assign {
            let base = self.names.len();
            self.names.push(AttrName::Static(name));
            self.more_names()?;
            return self.path_binding(set, base, offset);
        }
        self.advance();
        let value = self.expression()?;
        self.expect(Kind::Semicolon, "';'")?;
        let def = AttrDef { name, value, offset, kind: AttrKind::Plain };
        if self.sets.find(set, name).is_none() {
            self.sets.push(set, def);
            return Ok(());
        }
        self.merge(set, &mut vec![AttrName::Static(name)], def)
    }

    /// The rest of a binding whose path is read: the names from `base`.
    fn path_binding(&mut self, set: AttrsId, base: usize, offset: u32) -> Parsed<()> {
        self.expect(Kind::Assign, "'.' or '='")?;
        let value = self.expression()?;
        self.expect(Kind::Semicolon, "';'")?;
        self.define(set, base, value, offset)?;
        self.names.truncate(base);
        Ok(())
    }

    fn inherit(&mut self, set: AttrsId) -> Parsed<()> {
        self.advance();
        let mut from = None;
        if self.kind() == Kind::ParenOpen {
            self.advance();
            let offset = self.offset();
            let scope = self.expression()?;
            self.expect(Kind::ParenClose, "')'")?;
            let number = self.sets.push_inherit_from(set, scope);
            from = Some(self.ast.add(offset, Expr::InheritFrom(number)));
        }
        while self.kind() != Kind::Semicolon {
            let offset = self.offset();
            let AttrName::Static(name) = self.attr_name("")? else {
                return Err(self.error(offset, "dynamic attributes not allowed in inherit").into());
            };
            let (value, kind) = match from {
                None => (self.ast.add(offset, Expr::Var(name)), AttrKind::Inherited),
                Some(base) => {
                    let path = self.ast.add_path(&[AttrName::Static(name)]);
                    let value = self.ast.add(offset, Expr::Select { base, path });
                    (value, AttrKind::InheritedFrom)
                }
            };
            if let Some(earlier) = self.sets.find(set, name) {
                return Err(self
                    .duplicate(&[AttrName::Static(name)], offset, earlier.offset)
                    .into());
            }
            self.sets.push(set, AttrDef { name, value, offset, kind });
        }
        self.advance();
        Ok(())
    }

    /// Defines the path that is `names[base..]` in `set`, going into the sets on the way and making
    /// those that are not there.
    fn define(&mut self, mut set: AttrsId, base: usize, value: ExprId, offset: u32) -> Parsed<()> {
        let last = self.names.len() - 1;
        for at in base..last {
            set = match self.names[at] {
                AttrName::Static(name) => {
                    if let Some(def) = self.sets.find(set, name) {
                        let Expr::Attrs(nested) = self.ast.expr(def.value) else {
                            let path = &self.names[base..=at];
                            return Err(self.duplicate(path, offset, def.offset).into());
                        };
                        nested
                    } else {
                        let (nested, value) = self.nested(offset);
                        self.sets.push(set, AttrDef { name, value, offset, kind: AttrKind::Plain });
                        nested
                    }
                }
                AttrName::Dynamic(name) => {
                    let (nested, value) = self.nested(offset);
                    self.sets.push_dynamic(set, DynamicAttr { name, value, offset });
                    nested
                }
            };
        }
        match self.names[last] {
            AttrName::Static(name) => {
                let def = AttrDef { name, value, offset, kind: AttrKind::Plain };
                if self.sets.find(set, name).is_some() {
                    return self.merge(set, &mut self.names[base..].to_vec(), def);
                }
                self.sets.push(set, def);
            }
            AttrName::Dynamic(name) => {
                self.sets.push_dynamic(set, DynamicAttr { name, value, offset });
            }
        }
        Ok(())
    }

    fn nested(&mut self, offset: u32) -> (AttrsId, ExprId) {
        let set = self.sets.open(false);
        (set, self.ast.add(offset, Expr::Attrs(set)))
    }

    /// Defines one attribute, merging two literal sets into the first. A `rec` on the second is
    /// lost, as in C++ Nix.
    fn merge(&mut self, set: AttrsId, path: &mut Vec<AttrName>, def: AttrDef) -> Parsed<()> {
        let Some(earlier) = self.sets.find(set, def.name) else {
            self.sets.push(set, def);
            return Ok(());
        };
        let (Expr::Attrs(into), Expr::Attrs(from)) =
            (self.ast.expr(earlier.value), self.ast.expr(def.value))
        else {
            return Err(self.duplicate(path, def.offset, earlier.offset).into());
        };
        let moved = self.sets.take_attrs(from);
        self.shift_inherit_from(&moved, self.sets.sets[into.0 as usize].inherit_from.len());
        for def in moved {
            path.push(AttrName::Static(def.name));
            self.merge(into, path, def)?;
            path.pop();
        }
        self.sets.move_rest(from, into);
        Ok(())
    }

    /// Renumbers the `inherit (set)`s of a set that is appended to one that has `by` of them.
    fn shift_inherit_from(&mut self, moved: &[AttrDef], by: u32) {
        if by == 0 {
            return;
        }
        // All names of one `inherit (set)` share the node, and stand one after the other.
        let mut last = None;
        for def in moved.iter().filter(|def| def.kind == AttrKind::InheritedFrom) {
            let Expr::Select { base, .. } = self.ast.expr(def.value) else { continue };
            if last != Some(base)
                && let Expr::InheritFrom(number) = self.ast.expr(base)
            {
                self.ast.replace(base, Expr::InheritFrom(number + by));
                last = Some(base);
            }
        }
    }

    #[cold]
    fn duplicate(&self, path: &[AttrName], offset: u32, earlier: u32) -> ParseError {
        // What is below a computed name is new, and so never there twice.
        let names: Vec<_> = path
            .iter()
            .map(|name| match name {
                AttrName::Static(symbol) => self.lexer.symbols.quoted(*symbol),
                AttrName::Dynamic(_) => "${…}".to_owned(),
            })
            .collect();
        let message = format!("attribute '{}' already defined", names.join("."));
        ParseError { message, offset, other: Some(earlier) }
    }

    /// `a.b."c".${d}`, onto `names`.
    pub(super) fn attr_path(&mut self) -> Parsed<()> {
        let name = self.attr_name(ATTR_NAME)?;
        self.names.push(name);
        self.more_names()
    }

    /// `.b."c".${d}`, or nothing.
    fn more_names(&mut self) -> Parsed<()> {
        while self.kind() == Kind::Dot {
            self.advance();
            let name = self.attr_name(ATTR_NAME)?;
            self.names.push(name);
        }
        Ok(())
    }

    /// Puts `names[base..]` into the tree.
    pub(super) fn take_path(&mut self, base: usize) -> Range {
        let path = self.ast.add_path(&self.names[base..]);
        self.names.truncate(base);
        path
    }

    /// One name of a path. A string that is known while parsing is a static name.
    #[inline]
    fn attr_name(&mut self, expected: &str) -> Parsed<AttrName> {
        if self.kind() == Kind::Id {
            let name = self.symbol();
            self.advance();
            return Ok(AttrName::Static(name));
        }
        self.other_attr_name(expected)
    }

    fn other_attr_name(&mut self, expected: &str) -> Parsed<AttrName> {
        let expr = match self.kind() {
            Kind::Or => {
                self.advance();
                return Ok(AttrName::Static(Symbol::OR));
            }
            Kind::Quote => {
                if let Some(text) = self.plain_string() {
                    let name = self.lexer.symbols.intern(text);
                    self.advance();
                    return Ok(AttrName::Static(name));
                }
                self.string()?
            }
            Kind::DollarCurly => {
                self.advance();
                let expr = self.expression()?;
                self.expect(Kind::BraceClose, "'}'")?;
                expr
            }
            _ => return Err(self.unexpected(expected).into()),
        };
        Ok(match self.ast.expr(expr) {
            Expr::Str(text) => AttrName::Static(self.lexer.symbols.intern(self.ast.text(text))),
            _ => AttrName::Dynamic(expr),
        })
    }
}
