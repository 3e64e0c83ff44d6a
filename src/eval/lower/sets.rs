//! Bindings: attribute sets and `let`.
//!
//! All expressions of a set see one environment, so the levels of an inherited variable are counted from
//! the inside although it is looked up outside.

use super::scope::Bound;
use super::{Lowered, Lowerer, number};
use crate::eval::code::{Dynamic, LetCode, Node, NodeId, Range, SetCode};
use crate::eval::value::Shape;
use crate::syntax::{AttrDef, AttrKind, AttrsId, DynamicAttr, Expr, ExprId};

/// What the values of one set need to know of it.
#[derive(Clone, Copy)]
struct Around<'s> {
    /// Where the scope of a recursive set begins.
    scope: Option<usize>,
    /// The sets of its `inherit (set)`s.
    from: &'s [ExprId],
    /// Where in [`super::Lowering::sources`] their nodes begin.
    sources: usize,
}

impl<'a> Lowerer<'_, '_, 'a> {
    /// A set literal.
    pub(super) fn set(&mut self, id: AttrsId) -> Lowered<Node> {
        let ast = self.ast;
        let set = ast.attrs(id);
        if set.attrs.is_empty() && set.dynamic.is_empty() && set.inherit_from.is_empty() {
            return Ok(self.empty_set());
        }
        let hidden = self.count_hidden(set.inherit_from);
        let recursive = set.recursive;
        let frame = recursive || hidden > 0;
        self.depth += u32::from(frame);
        let mark = self.tables.scopes.mark();
        if recursive {
            for (def, index) in set.attrs.iter().zip(0..) {
                self.tables.scopes.bind(def.name, Bound::attr(self.depth, index));
            }
        }
        let inherit_from = self.reserve_ids(hidden);
        let sources = self.tables.sources.len();
        self.sources(set.inherit_from, u32::from(recursive), inherit_from)?;
        let scope = recursive.then_some(mark);
        let around = Around { scope, from: set.inherit_from, sources };
        let values = self.reserve_ids(set.attrs.len());
        self.values(set.attrs, values, around)?;
        self.tables.sources.truncate(sources);
        let dynamics = self.dynamics(set.dynamic)?;
        self.tables.scopes.leave(mark);
        self.depth -= u32::from(frame);
        let shape = self.shape(set.attrs);
        let overrides = self.tables.known.overrides;
        let overrides = if recursive { shape.find(overrides).map(number) } else { None };
        let code = SetCode { shape, values, dynamics, inherit_from, recursive, frame, overrides };
        self.code.sets.push(code);
        Ok(Node::Attrs(number(self.code.sets.len() - 1)))
    }

    fn shape(&mut self, defs: &[AttrDef]) -> &'a Shape<'a> {
        let tables = &mut *self.tables;
        tables.names.clear();
        tables.names.extend(defs.iter().map(|def| def.name));
        tables.positions.clear();
        tables.positions.extend(defs.iter().map(|def| self.unit.base.at(def.offset)));
        Shape::common(self.arena, &tables.names, &tables.positions)
    }

    /// How many sets of `inherit (set)` need a slot: those that are more than a variable.
    fn count_hidden(&self, from: &[ExprId]) -> usize {
        from.iter().filter(|&&set| !self.is_variable(set)).count()
    }

    fn is_variable(&self, id: ExprId) -> bool {
        matches!(self.ast.expr(id), Expr::Var(_))
    }

    /// The sets of `inherit (set)`. Those that need one get a slot each from `slot` on, and their code is
    /// put into `room`.
    fn sources(&mut self, from: &[ExprId], slot: u32, room: Range) -> Lowered<()> {
        let mut hidden = 0;
        for &set in from {
            let code = self.expr(set)?;
            let source = if self.is_variable(set) {
                code
            } else {
                self.set_id(room, hidden, code);
                let slot = slot + number(hidden);
                hidden += 1;
                self.add(self.pos(set), Node::Local { slot })
            };
            self.tables.sources.push(source);
        }
        Ok(())
    }

    fn values(&mut self, defs: &[AttrDef], room: Range, around: Around<'_>) -> Lowered<()> {
        for (at, def) in defs.iter().enumerate() {
            let value = match def.kind {
                AttrKind::Plain => self.named(def.value, def.name)?,
                AttrKind::Inherited => self.inherited(def, at, around)?,
                AttrKind::InheritedFrom => self.inherited_from(def, around)?,
            };
            self.set_id(room, at, value);
        }
        Ok(())
    }

    /// `inherit name`: what the name means outside of the set.
    fn inherited(&mut self, def: &AttrDef, at: usize, around: Around<'_>) -> Lowered<NodeId> {
        // The set's names have been bound in the order of its attributes.
        let outside = around.scope.and_then(|scope| self.tables.scopes.before(scope, at));
        let bound = outside.unwrap_or_else(|| self.tables.scopes.get(def.name));
        let node = self.bound_variable(def.name, bound, self.ast.offset(def.value))?;
        Ok(self.add(self.pos(def.value), node))
    }

    /// `inherit (set) name`
    fn inherited_from(&mut self, def: &AttrDef, around: Around<'_>) -> Lowered<NodeId> {
        // The parser makes them all of this form.
        let number = match self.ast.expr(def.value) {
            Expr::Select { base, .. } => match self.ast.expr(base) {
                Expr::InheritFrom(number) => number as usize,
                _ => return self.expr(def.value),
            },
            _ => return self.expr(def.value),
        };
        let from = around.from.get(number).copied();
        let source = self.tables.sources.get(around.sources + number).copied();
        let (Some(from), Some(base)) = (from, source) else { return self.expr(def.value) };
        let known = if self.is_builtins(from) { self.builtin(def.name) } else { None };
        let node = known.unwrap_or_else(|| self.select_node(base, def.name));
        Ok(self.add(self.pos(def.value), node))
    }

    fn dynamics(&mut self, attrs: &[DynamicAttr]) -> Lowered<Range> {
        let start = self.code.dynamics.len();
        if attrs.is_empty() {
            return Ok(Range { start: number(start), len: 0 });
        }
        let base = self.unit.base;
        self.code.dynamics.extend(attrs.iter().map(|attr| Dynamic {
            name: NodeId::default(),
            value: NodeId::default(),
            pos: base.at(attr.offset),
        }));
        for (at, attr) in attrs.iter().enumerate() {
            let name = self.expr(attr.name)?;
            let value = self.expr(attr.value)?;
            let dynamic = &mut self.code.dynamics[start + at];
            (dynamic.name, dynamic.value) = (name, value);
        }
        Ok(Range { start: number(start), len: number(attrs.len()) })
    }

    /// A `let` whose variables are slots of the frame around it.
    pub(super) fn let_here(&mut self, bindings: AttrsId, body: ExprId) -> Lowered<Node> {
        let (bindings, body) = self.bindings(bindings, body)?;
        Ok(Node::LetHere { bindings, body })
    }

    /// A `let` with a frame of its own.
    pub(super) fn let_own(&mut self, bindings: AttrsId, body: ExprId) -> Lowered<Node> {
        let slots_around = std::mem::replace(&mut self.slots, 0);
        self.depth += 1;
        let (bindings, body) = self.bindings(bindings, body)?;
        self.depth -= 1;
        let slots = std::mem::replace(&mut self.slots, slots_around);
        self.code.lets[bindings as usize].slots = slots;
        Ok(Node::Let { bindings, body })
    }

    /// Bindings in the next slots of the innermost frame, and the body that sees them.
    fn bindings(&mut self, id: AttrsId, body: ExprId) -> Lowered<(u32, NodeId)> {
        let ast = self.ast;
        let set = ast.attrs(id);
        let mark = self.tables.scopes.mark();
        let first_slot = self.slots;
        for (def, slot) in set.attrs.iter().zip(first_slot..) {
            self.tables.scopes.bind(def.name, Bound::slot(self.depth, slot));
        }
        let named = number(set.attrs.len());
        let first_hidden = first_slot + named;
        let hidden = self.count_hidden(set.inherit_from);
        let values = self.reserve_ids(set.attrs.len() + hidden);
        self.slots += values.len;
        let room = Range { start: values.start + named, len: values.len - named };
        let sources = self.tables.sources.len();
        self.sources(set.inherit_from, first_hidden, room)?;
        let around = Around { scope: Some(mark), from: set.inherit_from, sources };
        self.values(set.attrs, values, around)?;
        self.tables.sources.truncate(sources);
        self.code.lets.push(LetCode { first_slot, slots: 0, values });
        let bindings = number(self.code.lets.len() - 1);
        let body = self.tail(body)?;
        self.tables.scopes.leave(mark);
        Ok((bindings, body))
    }
}
