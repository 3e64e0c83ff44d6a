//! Bindings: `a.b = x;` and `inherit`, nested sets merged as they are read.

use super::ast::{AttrDef, AttrKind, AttrName, AttrSet, AttrsId, DynamicAttr, Expr, ExprId};
use super::error::ParseError;
use super::lexer::Kind;
use super::parser::Parser;
use super::symbol::Symbol;

/// From this many attributes on a set is looked up through a map while it is read.
const MAPPED_FROM: usize = 16;

impl Parser<'_> {
    /// Bindings up to the token `end`, which is left as the current one. The set is finished: its
    /// attributes are sorted.
    pub(super) fn bindings(&mut self, end: Kind, recursive: bool) -> Result<AttrsId, ParseError> {
        let set = self.ast.add_set(AttrSet { recursive, ..AttrSet::default() });
        while self.token.kind != end {
            match self.token.kind {
                Kind::Inherit => self.inherit(set)?,
                _ => self.binding(set)?,
            }
        }
        Ok(set)
    }

    fn binding(&mut self, set: AttrsId) -> Result<(), ParseError> {
        let offset = self.offset(self.token.start);
        let path = self.attr_path_names()?;
        self.expect(Kind::Byte(b'='), "'='")?;
        let value = self.expression()?;
        self.expect(Kind::Byte(b';'), "';'")?;
        self.define(set, &path, value, offset)
    }

    fn inherit(&mut self, set: AttrsId) -> Result<(), ParseError> {
        self.advance()?;
        let mut from = None;
        if self.token.kind == Kind::Byte(b'(') {
            self.advance()?;
            let offset = self.offset(self.token.start);
            let scope = self.expression()?;
            self.expect(Kind::Byte(b')'), "')'")?;
            let sets = &mut self.ast.sets[set.0 as usize].inherit_from;
            sets.push(scope);
            let number = u32::try_from(sets.len() - 1).unwrap_or(u32::MAX);
            from = Some(self.ast.add(offset, Expr::InheritFrom(number)));
        }
        while self.token.kind != Kind::Byte(b';') {
            let offset = self.offset(self.token.start);
            let AttrName::Static(name) = self.attr_name()? else {
                return Err(ParseError::new(offset, "dynamic attributes not allowed in inherit"));
            };
            let (value, kind) = match from {
                None => (self.ast.add(offset, Expr::Var(name)), AttrKind::Inherited),
                Some(base) => {
                    let path = self.ast.add_path(&[AttrName::Static(name)]);
                    let value = self.ast.add(offset, Expr::Select { base, path });
                    (value, AttrKind::InheritedFrom)
                }
            };
            if let Some(earlier) = self.find(set, name) {
                let earlier = self.ast.sets[set.0 as usize].attrs[earlier].offset;
                return Err(self.duplicate(&[AttrName::Static(name)], offset, earlier));
            }
            self.push(set, AttrDef { name, value, offset, kind });
        }
        self.advance()
    }

    /// Defines `path = value` in `set`, going into the sets on the way and making those that are
    /// not there.
    fn define(
        &mut self,
        mut set: AttrsId,
        path: &[AttrName],
        value: ExprId,
        offset: u32,
    ) -> Result<(), ParseError> {
        let Some((last, way)) = path.split_last() else { return Ok(()) };
        for (depth, name) in way.iter().enumerate() {
            set = match *name {
                AttrName::Static(name) => {
                    if let Some(at) = self.find(set, name) {
                        let def = self.ast.sets[set.0 as usize].attrs[at];
                        let Expr::Attrs(nested) = self.ast.expr(def.value) else {
                            return Err(self.duplicate(&path[..=depth], offset, def.offset));
                        };
                        nested
                    } else {
                        let (nested, value) = self.nested(offset);
                        self.push(set, AttrDef { name, value, offset, kind: AttrKind::Plain });
                        nested
                    }
                }
                AttrName::Dynamic(name) => {
                    let (nested, value) = self.nested(offset);
                    let dynamic = DynamicAttr { name, value, offset };
                    self.ast.sets[set.0 as usize].dynamic.push(dynamic);
                    nested
                }
            };
        }
        match *last {
            AttrName::Static(name) => {
                let def = AttrDef { name, value, offset, kind: AttrKind::Plain };
                self.define_one(set, &mut path.to_vec(), def)
            }
            AttrName::Dynamic(name) => {
                let dynamic = DynamicAttr { name, value, offset };
                self.ast.sets[set.0 as usize].dynamic.push(dynamic);
                Ok(())
            }
        }
    }

    fn nested(&mut self, offset: u32) -> (AttrsId, ExprId) {
        let set = self.ast.add_set(AttrSet::default());
        (set, self.ast.add(offset, Expr::Attrs(set)))
    }

    /// Defines one attribute, merging two literal sets into the first. A `rec` on the second is
    /// lost, as in C++ Nix.
    fn define_one(
        &mut self,
        set: AttrsId,
        path: &mut Vec<AttrName>,
        def: AttrDef,
    ) -> Result<(), ParseError> {
        let Some(at) = self.find(set, def.name) else {
            self.push(set, def);
            return Ok(());
        };
        let earlier = self.ast.sets[set.0 as usize].attrs[at];
        let (Expr::Attrs(into), Expr::Attrs(from)) =
            (self.ast.expr(earlier.value), self.ast.expr(def.value))
        else {
            return Err(self.duplicate(path, def.offset, earlier.offset));
        };
        let moved = std::mem::take(&mut self.ast.sets[from.0 as usize]);
        self.maps.remove(&from.0);
        let shift = self.ast.sets[into.0 as usize].inherit_from.len();
        self.shift_inherit_from(&moved, shift);
        for def in moved.attrs {
            path.push(AttrName::Static(def.name));
            self.define_one(into, path, def)?;
            path.pop();
        }
        let into = &mut self.ast.sets[into.0 as usize];
        into.dynamic.extend(moved.dynamic);
        into.inherit_from.extend(moved.inherit_from);
        Ok(())
    }

    /// Renumbers the `inherit (set)`s of a set that is appended to one that has `by` of them.
    fn shift_inherit_from(&mut self, moved: &AttrSet, by: usize) {
        if by == 0 || moved.inherit_from.is_empty() {
            return;
        }
        let by = u32::try_from(by).unwrap_or(u32::MAX);
        let mut seen: Vec<ExprId> = Vec::new();
        for def in moved.attrs.iter().filter(|def| def.kind == AttrKind::InheritedFrom) {
            let Expr::Select { base, .. } = self.ast.expr(def.value) else { continue };
            // All names of one `inherit (set)` share the node.
            if !seen.contains(&base)
                && let Expr::InheritFrom(number) = &mut self.ast.exprs[base.0 as usize]
            {
                *number += by;
                seen.push(base);
            }
        }
    }

    fn find(&self, set: AttrsId, name: Symbol) -> Option<usize> {
        if let Some(map) = self.maps.get(&set.0) {
            return map.get(&name).map(|at| *at as usize);
        }
        self.ast.sets[set.0 as usize].attrs.iter().position(|def| def.name == name)
    }

    fn push(&mut self, set: AttrsId, def: AttrDef) {
        let attrs = &mut self.ast.sets[set.0 as usize].attrs;
        let at = u32::try_from(attrs.len()).unwrap_or(u32::MAX);
        attrs.push(def);
        if let Some(map) = self.maps.get_mut(&set.0) {
            map.insert(def.name, at);
        } else if attrs.len() == MAPPED_FROM {
            let map = attrs.iter().zip(0..).map(|(def, at)| (def.name, at)).collect();
            self.maps.insert(set.0, map);
        }
    }

    /// Sorts all sets: only now does nothing look an attribute up by its place any more.
    pub(super) fn sort_sets(&mut self) {
        for set in &mut self.ast.sets {
            set.attrs.sort_unstable_by_key(|def| def.name);
            set.attrs.shrink_to_fit();
        }
    }

    fn duplicate(&self, path: &[AttrName], offset: u32, earlier: u32) -> ParseError {
        let names: Vec<_> = path
            .iter()
            .map(|name| match name {
                AttrName::Static(symbol) => self.symbols.text(*symbol).into_owned(),
                AttrName::Dynamic(_) => "${…}".to_owned(),
            })
            .collect();
        let message = format!("attribute '{}' already defined", names.join("."));
        ParseError { message, offset, other: Some(earlier) }
    }

    /// `a.b."c".${d}`
    pub(super) fn attr_path_names(&mut self) -> Result<Vec<AttrName>, ParseError> {
        let mut names = vec![self.attr_name()?];
        while self.token.kind == Kind::Byte(b'.') {
            self.advance()?;
            names.push(self.attr_name()?);
        }
        Ok(names)
    }

    /// One name of a path. A string that is known while parsing is a static name.
    fn attr_name(&mut self) -> Result<AttrName, ParseError> {
        let expr = match self.token.kind {
            Kind::Id | Kind::Or => {
                let name = self.token_symbol();
                self.advance()?;
                return Ok(AttrName::Static(name));
            }
            Kind::Quote => self.string()?,
            Kind::DollarCurly => {
                self.advance()?;
                let expr = self.expression()?;
                self.expect(Kind::Byte(b'}'), "'}'")?;
                expr
            }
            _ => return Err(self.unexpected("an attribute name")),
        };
        Ok(match self.ast.expr(expr) {
            Expr::Str(text) => AttrName::Static(self.symbols.intern(self.ast.text(text))),
            _ => AttrName::Dynamic(expr),
        })
    }
}
