//! Expressions without bindings: variables, operators, calls, selections.

use std::cell::Cell;
use std::mem;

use super::scope::{Bound, Meaning};
use super::{Lowered, Lowerer, number};
use crate::eval::code::{Arithmetic, Name, Node, NodeId, Range, WithCode};
use crate::eval::position::Pos;
use crate::eval::value::Value;
use crate::syntax::{self, AttrName, BinOp, Expr, ExprId, Symbol};

impl<'u> Lowerer<'_, 'u, '_> {
    /// Any expression.
    pub(super) fn expr(&mut self, id: ExprId) -> Lowered<NodeId> {
        let expr = self.ast.expr(id);
        let node = match expr {
            // Most nodes are leaves: these two are worth a shorter way.
            Expr::Var(name) => self.variable(name, self.ast.offset(id))?,
            Expr::Str(text) => self.string(text),
            _ => self.deeper(|lowerer| lowerer.node(id, expr))?,
        };
        Ok(self.add(self.pos(id), node))
    }

    /// An expression that is evaluated at most once for each frame, when that has just been made: its
    /// variables may be slots of that frame.
    pub(super) fn tail(&mut self, id: ExprId) -> Lowered<NodeId> {
        let node = match self.ast.expr(id) {
            Expr::Let { bindings, body } => {
                self.deeper(|lowerer| lowerer.let_here(bindings, body))?
            }
            Expr::Assert { condition, body } => {
                let condition = self.expr(condition)?;
                let body = self.deeper(|lowerer| lowerer.tail(body))?;
                Node::Assert { condition, body }
            }
            _ => return self.expr(id),
        };
        Ok(self.add(self.pos(id), node))
    }

    fn node(&mut self, id: ExprId, expr: Expr) -> Lowered<Node> {
        Ok(match expr {
            Expr::Int(value) => self.integer(value),
            Expr::Float(value) => Node::Const(self.constant(Value::Float(value))),
            Expr::Str(text) => self.string(text),
            Expr::Path(text) => self.path(text),
            Expr::HomePath(text) => self.home_path(text, self.ast.offset(id))?,
            Expr::Var(name) => self.variable(name, self.ast.offset(id))?,
            Expr::CurPos => Node::CurPos,
            Expr::Select { base, path } => self.select(base, path)?,
            Expr::SelectOr { select, default } => self.select_or(select, default)?,
            Expr::HasAttr { base, path } => {
                let base = self.expr(base)?;
                Node::HasAttr { base, path: self.attr_path(path)? }
            }
            Expr::Attrs(set) => self.set(set)?,
            Expr::List(items) => match self.ast.ids(items) {
                [] => self.empty_list(),
                items => Node::List(self.exprs(items)?),
            },
            Expr::Lambda(function) => self.lambda(id, function, None)?,
            Expr::Call { function, args } => {
                self.call(self.pos(id), function, self.ast.ids(args))?
            }
            Expr::Let { bindings, body } => self.let_own(bindings, body)?,
            Expr::With { scope, body } => self.with(self.pos(id), scope, body)?,
            Expr::If { condition, branches } => self.branches(condition, branches)?,
            Expr::Assert { condition, body } => {
                let condition = self.expr(condition)?;
                Node::Assert { condition, body: self.expr(body)? }
            }
            Expr::Not(operand) => self.not(operand)?,
            Expr::Binary { op, operands } => self.binary(self.pos(id), op, operands)?,
            Expr::Concat { parts, force_string } => self.parts(parts, force_string)?,
            // The parser only makes these as the base of an inherited attribute, whose lowering
            // does not come here.
            Expr::InheritFrom(_) => self.empty_set(),
        })
    }

    /// Children in a row.
    fn exprs(&mut self, items: &[ExprId]) -> Lowered<Range> {
        let range = self.reserve_ids(items.len());
        for (at, &item) in items.iter().enumerate() {
            let id = self.expr(item)?;
            self.set_id(range, at, id);
        }
        Ok(range)
    }

    /// What a name means here.
    #[inline]
    fn meaning(&mut self, name: Symbol) -> Meaning {
        let bound = self.tables.scopes.get(name);
        self.known_meaning(name, bound)
    }

    /// The meaning of a binding of `name`; of a free name also whether it is a global.
    #[inline]
    fn known_meaning(&mut self, name: Symbol, bound: Bound) -> Meaning {
        match bound.meaning() {
            Meaning::Unknown => self.global(name),
            meaning => meaning,
        }
    }

    #[cold]
    fn global(&mut self, name: Symbol) -> Meaning {
        let value = self.unit.globals.get(&name).copied();
        let constant = value.map(|value| self.constant(value));
        self.tables.scopes.remember(name, Bound::global(constant));
        constant.map_or(Meaning::Nothing, Meaning::Global)
    }

    fn variable(&mut self, name: Symbol, offset: u32) -> Lowered<Node> {
        let bound = self.tables.scopes.get(name);
        self.bound_variable(name, bound, offset)
    }

    /// The variable `name`, which is bound so.
    #[inline]
    pub(super) fn bound_variable(
        &mut self,
        name: Symbol,
        bound: Bound,
        offset: u32,
    ) -> Lowered<Node> {
        Ok(match self.known_meaning(name, bound) {
            Meaning::Slot { depth, slot } if depth == self.depth => Node::Local { slot },
            Meaning::Slot { depth, slot } => Node::Outer { level: self.depth - depth, slot },
            Meaning::Attr { depth, index } => Node::RecAttr { level: self.depth - depth, index },
            Meaning::Global(constant) => Node::Const(constant),
            Meaning::Nothing | Meaning::Unknown => {
                let Some((depth, with)) = self.with else {
                    return Err(self.undefined(name, offset));
                };
                let level = self.depth - depth;
                let found = self.with_variables.slot_of(name, level > 0);
                Node::WithVar { name, level, with, found }
            }
        })
    }

    fn select(&mut self, base: ExprId, path: syntax::Range) -> Lowered<Node> {
        let &[AttrName::Static(name)] = self.ast.attr_path(path) else {
            let base = self.expr(base)?;
            return Ok(Node::SelectPath { base, path: self.attr_path(path)? });
        };
        if self.is_builtins(base)
            && let Some(node) = self.builtin(name)
        {
            return Ok(node);
        }
        let base = self.expr(base)?;
        Ok(self.select_node(base, name))
    }

    /// `base.name`, which has not found anything yet.
    pub(super) fn select_node(&mut self, base: NodeId, name: Symbol) -> Node {
        let hint = number(self.code.hints.len());
        self.code.hints.push(Cell::default());
        Node::Select { base, name, hint }
    }

    /// Is it the variable `builtins`, and bound by nobody?
    pub(super) fn is_builtins(&mut self, id: ExprId) -> bool {
        let name = self.tables.known.builtins;
        self.ast.expr(id) == Expr::Var(name) && matches!(self.meaning(name), Meaning::Global(_))
    }

    fn select_or(&mut self, select: ExprId, default: ExprId) -> Lowered<Node> {
        let selected = self.ast.expr(select);
        let Expr::Select { base, path } = selected else { return self.node(select, selected) };
        let base = self.expr(base)?;
        let default = self.expr(default)?;
        let path = self.attr_path(path)?;
        self.code.ranges.push(path);
        Ok(Node::SelectOr { base, path: number(self.code.ranges.len() - 1), default })
    }

    fn attr_path(&mut self, path: syntax::Range) -> Lowered<Range> {
        let names = self.ast.attr_path(path);
        let start = self.code.paths.len();
        // Names within names get behind these.
        self.code.paths.extend(names.iter().map(|name| match *name {
            AttrName::Static(name) => Name::Static(name),
            AttrName::Dynamic(_) => Name::Dynamic(NodeId::default()),
        }));
        for (at, name) in names.iter().enumerate() {
            if let AttrName::Dynamic(expr) = *name {
                self.code.paths[start + at] = Name::Dynamic(self.expr(expr)?);
            }
        }
        Ok(Range { start: number(start), len: number(names.len()) })
    }

    fn call(&mut self, pos: Pos, function: ExprId, args: &[ExprId]) -> Lowered<Node> {
        if let &[left, right] = args
            && let Some(op) = self.arithmetic(function)
        {
            return Ok(Node::Arithmetic { op, left: self.expr(left)?, right: self.expr(right)? });
        }
        let function = self.expr(function)?;
        if let &[arg] = args {
            return Ok(Node::Call1 { function, arg: self.expr(arg)?, pos });
        }
        let args = self.exprs(args)?;
        Ok(self.call_in_parts(pos, function, args))
    }

    /// A call whose arguments are lowered.
    fn call_in_parts(&mut self, pos: Pos, mut function: NodeId, args: Range) -> Node {
        let Range { mut start, mut len } = args;
        loop {
            let count = u16::try_from(len).unwrap_or(u16::MAX);
            let call = Node::Call { count, function, args: start, pos };
            (start, len) = (start + u32::from(count), len - u32::from(count));
            if len == 0 {
                return call;
            }
            function = self.add(pos, call);
        }
    }

    /// The operator that is a call of this function, if it is one that nothing rebinds. `a > b` is a call of
    /// `__lessThan` with `b` and `a`, and nothing tells the two apart.
    #[inline]
    fn arithmetic(&mut self, function: ExprId) -> Option<Arithmetic> {
        let Expr::Var(name) = self.ast.expr(function) else { return None };
        let op = match name {
            Symbol::SUB => Arithmetic::Sub,
            Symbol::MUL => Arithmetic::Mul,
            Symbol::DIV => Arithmetic::Div,
            Symbol::LESS_THAN => Arithmetic::Less,
            _ => return None,
        };
        matches!(self.meaning(name), Meaning::Global(_)).then_some(op)
    }

    /// `!operand`. Of a comparison it is the opposite comparison: `a >= b` is `!(a < b)`, and `a <= b` is
    /// `!(b < a)`, that is `b >= a`.
    fn not(&mut self, operand: ExprId) -> Lowered<Node> {
        if let Expr::Call { function, args } = self.ast.expr(operand)
            && let &[left, right] = self.ast.ids(args)
            && self.arithmetic(function) == Some(Arithmetic::Less)
        {
            let op = Arithmetic::GreaterEqual;
            return Ok(Node::Arithmetic { op, left: self.expr(left)?, right: self.expr(right)? });
        }
        Ok(Node::Not(self.expr(operand)?))
    }

    fn binary(&mut self, pos: Pos, op: BinOp, operands: syntax::Range) -> Lowered<Node> {
        let (left, right) = self.pair(operands)?;
        let node = Node::Binary { op, left, right };
        Ok(if op == BinOp::Equal {
            self.prefix_test(pos, left, right).unwrap_or(node)
        } else {
            node
        })
    }

    fn branches(&mut self, condition: ExprId, branches: syntax::Range) -> Lowered<Node> {
        let condition = self.expr(condition)?;
        let (then, otherwise) = self.pair(branches)?;
        Ok(Node::If { condition, then, otherwise })
    }

    fn pair(&mut self, range: syntax::Range) -> Lowered<(NodeId, NodeId)> {
        let ids = self.ast.ids(range);
        Ok((self.expr(ids[0])?, self.expr(ids[1])?))
    }

    fn parts(&mut self, parts: syntax::Range, force_string: bool) -> Lowered<Node> {
        let ids: &'u [ExprId] = self.ast.ids(parts);
        let first = self.code.ids.len();
        for (at, (&id, &offset)) in ids.iter().zip(self.ast.part_offset(parts)).enumerate() {
            if offset != self.ast.offset(id) {
                let pos = self.unit.base.at(offset);
                self.code.part_positions.push((number(first + at), pos));
            }
        }
        let range = self.exprs(ids)?;
        Ok(if force_string { Node::Interpolation(range) } else { Node::Plus(range) })
    }

    fn with(&mut self, pos: Pos, scope: ExprId, body: ExprId) -> Lowered<Node> {
        let scope = self.expr(scope)?;
        self.depth += 1;
        let parent = self.with.map(|(depth, with)| (self.depth - depth, with));
        self.code.withs.push(WithCode { parent, pos });
        let around = self.with.replace((self.depth, number(self.code.withs.len() - 1)));
        let variables_around = mem::take(&mut self.with_variables);
        let body = self.expr(body)?;
        let variables = mem::replace(&mut self.with_variables, variables_around);
        self.with = around;
        self.depth -= 1;
        Ok(Node::With { slots: variables.slots(), scope, body })
    }
}
