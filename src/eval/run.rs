//! The loop that walks the code. What is in tail position is not a call of Rust's but the next round.

use std::cell::Cell;

use super::Eval;
use super::call::{Applied, MOST_ARGUMENTS};
use super::code::{Arithmetic, Binary, Name, Node, NodeId, Range, SetCode};
use super::coerce::Coercion;
use super::error::{Error, ErrorKind, Result};
use super::position::Pos;
use super::value::{Attrs, AttrsBuilder, Env, Slot, Up, Value, share};
use crate::syntax::Symbol;

/// The frame `level` frames outside of `env`.
#[inline]
fn outer<'a>(mut env: Env<'a>, level: u32) -> Env<'a> {
    for _ in 0..level {
        // The resolver counts no further than frames go.
        let Some(Up(up)) = *env.header() else { break };
        env = up;
    }
    env
}

impl<'a> Eval<'a> {
    /// Evaluates a node to weak head normal form.
    #[inline]
    pub(super) fn eval(&mut self, node: NodeId, env: Env<'a>) -> Result<Value<'a>> {
        match self.code.node(node) {
            Node::Const(number) => Ok(self.code.constants[number as usize]),
            Node::Local { slot } => {
                let slot = &env.items()[slot as usize];
                self.value_of(slot).map_err(|error| error.or_at(self.code.pos(node)))
            }
            _ => {
                let depth = self.calls.len();
                let result = self.run(node, env);
                self.leave(depth, result)
            }
        }
    }

    /// What a slot is given for an expression whose value is not wanted yet.
    #[inline]
    pub(super) fn delay(&self, node: NodeId, env: Env<'a>) -> Value<'a> {
        match self.code.node(node) {
            Node::Const(number) => self.code.constants[number as usize],
            Node::Local { slot } => share(&env.items()[slot as usize]),
            Node::Outer { level, slot } => share(&outer(env, level).items()[slot as usize]),
            Node::RecAttr { level, index } => match self.rec_slot(outer(env, level), index) {
                Some(slot) => share(slot),
                None => Value::Thunk(node, env),
            },
            Node::Lambda(id) => Value::Lambda(id, env),
            _ => Value::Thunk(node, env),
        }
    }

    /// The attribute at `index` of the recursive set whose frame is `frame`.
    #[inline]
    fn rec_slot(&self, frame: Env<'a>, index: u32) -> Option<&'a Slot<'a>> {
        match frame.items().first()?.get() {
            Value::Attrs(attrs) => attrs.own_slots().get(index as usize),
            _ => None,
        }
    }

    /// As [`Eval::eval`], with a place in the error, and the check of the stack.
    fn run(&mut self, mut node: NodeId, mut env: Env<'a>) -> Result<Value<'a>> {
        self.check_stack()?;
        loop {
            match self.code.node(node) {
                Node::Const(number) => return Ok(self.code.constants[number as usize]),
                Node::Local { slot } => {
                    return self.variable(node, &env.items()[slot as usize]);
                }
                Node::Outer { level, slot } => {
                    return self.variable(node, &outer(env, level).items()[slot as usize]);
                }
                Node::RecAttr { level, index } => {
                    return match self.rec_slot(outer(env, level), index) {
                        Some(slot) => self.variable(node, slot),
                        None => Err(Error::new(
                            ErrorKind::InfiniteRecursion,
                            self.code.pos(node),
                            "infinite recursion encountered",
                        )),
                    };
                }
                Node::WithVar { name, level, with } => {
                    return self.with_variable(node, name, outer(env, level), with);
                }
                Node::Select { base, name } => return self.select(node, base, name, env),
                Node::SelectPath { base, path } => return self.select_path(node, base, path, env),
                Node::SelectOr { base, path, default } => {
                    match self.select_or(node, base, self.code.ranges[path as usize], env)? {
                        Some(value) => return Ok(value),
                        None => node = default,
                    }
                }
                Node::HasAttr { base, path } => return self.has_attr(base, path, env),
                Node::Attrs(number) => return self.attrs(self.code.sets[number as usize], env),
                Node::List(items) => return Ok(self.list_literal(items, env)),
                Node::Lambda(id) => return Ok(Value::Lambda(id, env)),
                Node::Call1 { function, arg } => {
                    let callee = self.eval(function, env)?;
                    match self.call_node(node, callee, &[arg], env)? {
                        Applied::Value(value) => return Ok(value),
                        Applied::Body(body, frame) => (node, env) = (body, frame),
                    }
                }
                Node::Call { function, args } => {
                    let callee = self.eval(function, env)?;
                    match self.call_nodes(node, callee, args, env)? {
                        Applied::Value(value) => return Ok(value),
                        Applied::Body(body, frame) => (node, env) = (body, frame),
                    }
                }
                Node::Arithmetic { op, left, right } => {
                    return self.arithmetic_node(node, op, left, right, env);
                }
                Node::Let { bindings, body } => {
                    let bindings = self.code.lets[bindings as usize];
                    let slots = bindings.slots as usize;
                    env = self.arena.block(Some(Up(env)), slots, |_| Cell::new(Value::Blackhole));
                    self.bind(bindings.first_slot, bindings.values, env);
                    node = body;
                }
                Node::LetHere { bindings, body } => {
                    let bindings = self.code.lets[bindings as usize];
                    self.bind(bindings.first_slot, bindings.values, env);
                    node = body;
                }
                Node::With { scope, body } => {
                    let scope = self.delay(scope, env);
                    env = self.arena.block(Some(Up(env)), 1, |_| Cell::new(scope));
                    node = body;
                }
                Node::If { condition, then, otherwise } => {
                    let what = "while evaluating a branch condition";
                    let holds = self.eval_bool(condition, env, node, what)?;
                    node = if holds { then } else { otherwise };
                }
                Node::Assert { condition, body } => {
                    let what = "in the condition of the assert statement";
                    if !self.eval_bool(condition, env, node, what)? {
                        return Err(self.assertion_failed(node, condition, env));
                    }
                    node = body;
                }
                Node::Not(operand) => {
                    let what = "in the argument of the not operator";
                    return Ok(Value::Bool(!self.eval_bool(operand, env, node, what)?));
                }
                Node::Binary { op, left, right } => {
                    return self.binary(node, op, left, right, env);
                }
                Node::Plus(parts) => return self.plus(node, parts, env),
                Node::Interpolation(parts) => return self.interpolation(parts, env),
                Node::CurPos => return Ok(self.position_set(self.code.pos(node))),
            }
        }
    }

    #[inline]
    fn variable(&mut self, node: NodeId, slot: &'a Slot<'a>) -> Result<Value<'a>> {
        self.value_of(slot).map_err(|error| error.or_at(self.code.pos(node)))
    }

    /// Sets the slots of a `let`.
    #[inline]
    fn bind(&self, first_slot: u32, values: Range, env: Env<'a>) {
        let slots = &env.items()[first_slot as usize..];
        for (slot, at) in slots.iter().zip(values.indices()) {
            slot.set(self.delay(self.code.ids[at], env));
        }
    }

    #[inline]
    fn eval_bool(
        &mut self,
        node: NodeId,
        env: Env<'a>,
        whole: NodeId,
        what: &'static str,
    ) -> Result<bool> {
        match self.eval(node, env) {
            Ok(Value::Bool(value)) => Ok(value),
            Ok(other) => Err(self.operand_error("a Boolean", other, node, whole, what)),
            Err(error) => Err(error.while_(self.code.pos(whole), what)),
        }
    }

    #[cold]
    fn operand_error(
        &mut self,
        wanted: &str,
        value: Value<'a>,
        node: NodeId,
        whole: NodeId,
        what: &'static str,
    ) -> Error {
        let pos = self.code.pos(node);
        self.wrong_type(wanted, value, pos).while_(self.code.pos(whole), what)
    }

    #[cold]
    fn assertion_failed(&mut self, node: NodeId, condition: NodeId, env: Env<'a>) -> Error {
        let (start, end) = (self.code.pos(node), self.code.pos(condition));
        let _ = (end, env);
        let shown = self.sources.assertion(start).unwrap_or_default();
        let message = if shown.is_empty() {
            "assertion failed".to_owned()
        } else {
            format!("assertion '{shown}' failed")
        };
        Error::new(ErrorKind::Assertion, start, message)
    }

    /// Calls an evaluated function with argument nodes; the last call's body is left to the caller.
    #[inline]
    fn call_node(
        &mut self,
        node: NodeId,
        callee: Value<'a>,
        args: &[NodeId; 1],
        env: Env<'a>,
    ) -> Result<Applied<'a>> {
        let pos = self.code.pos(node);
        match callee {
            Value::Lambda(id, closure) => {
                let arg = self.argument(id, args[0], env)?;
                let (body, frame) = self.enter(id, closure, arg, pos)?;
                Ok(Applied::Body(body, frame))
            }
            Value::PrimOp(id) if self.primop(id).arity == 1 => {
                let arg = if self.primop(id).strict & 1 == 1 {
                    self.eval_argument(id, args[0], env, pos)?
                } else {
                    self.lazy_argument(args[0], env)
                };
                Ok(Applied::Value(self.run_primop(id, &[arg], pos)?))
            }
            _ => self.call_any(callee, args, env, pos),
        }
    }

    fn call_nodes(
        &mut self,
        node: NodeId,
        mut callee: Value<'a>,
        args: Range,
        env: Env<'a>,
    ) -> Result<Applied<'a>> {
        let pos = self.code.pos(node);
        let mut at = args.start as usize;
        let end = at + args.len as usize;
        loop {
            match callee {
                Value::Lambda(id, closure) => {
                    let arg = self.argument(id, self.code.ids[at], env)?;
                    at += 1;
                    let (body, frame) = self.enter(id, closure, arg, pos)?;
                    if at == end {
                        return Ok(Applied::Body(body, frame));
                    }
                    callee = match self.code.node(body) {
                        Node::Lambda(inner) => Value::Lambda(inner, frame),
                        _ => self.eval(body, frame)?,
                    };
                }
                Value::PrimOp(id) if usize::from(self.primop(id).arity) <= end - at => {
                    let arity = usize::from(self.primop(id).arity);
                    let strict = self.primop(id).strict;
                    let mut values = [Value::Null; MOST_ARGUMENTS];
                    for (number, value) in values.iter_mut().enumerate().take(arity) {
                        let arg = self.code.ids[at + number];
                        *value = if strict >> number & 1 == 1 {
                            self.eval_argument(id, arg, env, pos)?
                        } else {
                            self.lazy_argument(arg, env)
                        };
                    }
                    at += arity;
                    callee = self.run_primop(id, &values[..arity], pos)?;
                    if at == end {
                        return Ok(Applied::Value(callee));
                    }
                }
                _ => {
                    let rest: Vec<NodeId> = self.code.ids[at..end].to_vec();
                    return self.call_any(callee, &rest, env, pos);
                }
            }
        }
    }

    /// The argument of a function: evaluated at once where its pattern needs it anyway.
    #[inline]
    fn argument(&mut self, id: super::code::LambdaId, arg: NodeId, env: Env<'a>) -> Result<Value<'a>> {
        if self.code.lambda(id).pattern.is_some() {
            return self.eval(arg, env);
        }
        Ok(self.delay(arg, env))
    }

    #[inline]
    fn eval_argument(
        &mut self,
        id: super::value::PrimOpId,
        arg: NodeId,
        env: Env<'a>,
        pos: Pos,
    ) -> Result<Value<'a>> {
        self.eval(arg, env).map_err(|error| {
            error.while_(pos, format!("while calling the '{}' builtin", self.primop(id).name))
        })
    }

    /// A lazy argument of a builtin: in a home of its own, unless it is a value or has one.
    #[inline]
    fn lazy_argument(&self, node: NodeId, env: Env<'a>) -> Value<'a> {
        match self.delay(node, env) {
            thunk @ Value::Thunk(..) => Value::Ref(self.arena.alloc(Cell::new(thunk))),
            value => value,
        }
    }

    /// Functors, partly applied builtins, and what can't be called.
    fn call_any(
        &mut self,
        mut callee: Value<'a>,
        args: &[NodeId],
        env: Env<'a>,
        pos: Pos,
    ) -> Result<Applied<'a>> {
        let values: Vec<Value<'a>> =
            args.iter().map(|&arg| self.lazy_argument(arg, env)).collect();
        let mut rest = &values[..];
        loop {
            let (applied, used) = self.apply(callee, rest, pos)?;
            rest = &rest[used..];
            callee = match applied {
                applied if rest.is_empty() => return Ok(applied),
                Applied::Value(value) => value,
                Applied::Body(body, frame) => self.eval(body, frame)?,
            };
        }
    }

    fn list_literal(&mut self, items: Range, env: Env<'a>) -> Value<'a> {
        let start = items.start as usize;
        let item = |at| Cell::new(self.delay(self.code.ids[start + at], env));
        Value::List(self.arena.block((), items.len as usize, item))
    }

    /// A set literal.
    fn attrs(&mut self, set: SetCode<'a>, env: Env<'a>) -> Result<Value<'a>> {
        let start = set.values.start as usize;
        if !set.frame && set.dynamics.len == 0 {
            let value = |at| self.delay(self.code.ids[start + at], env);
            return Ok(Value::Attrs(Attrs::new(self.arena, set.shape, value)));
        }
        let mut inner = env;
        if set.frame {
            let own = usize::from(set.recursive);
            let slots = own + set.inherit_from.len as usize;
            inner = self.arena.block(Some(Up(env)), slots, |_| Cell::new(Value::Blackhole));
        }
        let attrs = Attrs::unset(self.arena, set.shape);
        if set.recursive
            && let Some(slot) = inner.items().first()
        {
            slot.set(Value::Attrs(attrs));
        }
        if set.frame {
            self.bind(u32::from(set.recursive), set.inherit_from, inner);
        }
        for (slot, at) in attrs.own_slots().iter().zip(set.values.indices()) {
            slot.set(self.delay(self.code.ids[at], inner));
        }
        let mut whole = attrs;
        if let Some(index) = set.overrides {
            whole = self.overridden(attrs, index, inner)?;
        }
        if set.dynamics.len > 0 {
            whole = self.with_dynamics(whole, set, inner)?;
        }
        Ok(Value::Attrs(whole))
    }

    /// Applies the ancient `__overrides` of a recursive set, which its own variables see as well.
    fn overridden(&mut self, attrs: Attrs<'a>, index: u32, env: Env<'a>) -> Result<Attrs<'a>> {
        let Some(slot) = attrs.own_slots().get(index as usize) else { return Ok(attrs) };
        let what = "while evaluating the `__overrides` attribute";
        let overrides = self.force_attrs(Value::Ref(slot), Pos::NONE, what)?;
        for attr in overrides.iter(self.arena) {
            if let Some(own) = attrs.get(attr.name) {
                own.set(share(attr.slot));
            }
        }
        let _ = env;
        Ok(attrs.update(self.arena, overrides))
    }

    /// Adds the attributes whose names are computed.
    fn with_dynamics(
        &mut self,
        attrs: Attrs<'a>,
        set: SetCode<'a>,
        env: Env<'a>,
    ) -> Result<Attrs<'a>> {
        let mut builder = AttrsBuilder::with_capacity(attrs.len() + set.dynamics.len as usize);
        for attr in attrs.iter(self.arena) {
            builder.add_attr(attr);
        }
        let mut added: Vec<(Symbol, Pos)> = Vec::new();
        for at in set.dynamics.indices() {
            let dynamic = self.code.dynamics[at];
            let Some(name) = self.attribute_name(dynamic.name, env)? else { continue };
            let before = match attrs.get_attr(name) {
                Some(attr) => Some(attr.pos),
                None => added.iter().find(|(other, _)| *other == name).map(|(_, pos)| *pos),
            };
            if let Some(before) = before {
                let message = format!("dynamic attribute '{}' already defined", self.symbols.text(name));
                let message = match self.sources.describe(before) {
                    Some(place) => format!("{message} at {place}"),
                    None => message,
                };
                return Err(Error::evaluation(dynamic.pos, message));
            }
            added.push((name, dynamic.pos));
            builder.add_at(name, dynamic.pos, self.delay(dynamic.value, env));
        }
        Ok(builder.build(self.arena))
    }

    /// The symbol of a computed name; `None` for null, which leaves the attribute out.
    fn attribute_name(&mut self, node: NodeId, env: Env<'a>) -> Result<Option<Symbol>> {
        let what = "while evaluating the name of a dynamic attribute";
        let pos = self.code.pos(node);
        match self.eval(node, env).map_err(|error| error.while_(pos, what))? {
            Value::Null => Ok(None),
            value => {
                let name = self.force_string_no_context(value, pos, what)?;
                Ok(Some(self.symbols.intern(name.items())))
            }
        }
    }

    /// A name of an attribute path.
    fn path_name(&mut self, name: Name, env: Env<'a>) -> Result<Symbol> {
        match name {
            Name::Static(symbol) => Ok(symbol),
            Name::Dynamic(node) => {
                let pos = self.code.pos(node);
                let value = self.eval(node, env)?;
                let what = "while evaluating an attribute name";
                let name = self.force_string_no_context(value, pos, what)?;
                Ok(self.symbols.intern(name.items()))
            }
        }
    }

    /// `base.name`
    fn select(
        &mut self,
        node: NodeId,
        base: NodeId,
        name: Symbol,
        env: Env<'a>,
    ) -> Result<Value<'a>> {
        let attrs = match self.eval(base, env) {
            Ok(Value::Attrs(attrs)) => attrs,
            Ok(other) => return Err(self.select_failed(node, other, &[name])),
            Err(error) => return Err(self.while_selecting(error, node, &[name])),
        };
        let Some(slot) = attrs.get(name) else {
            return Err(self.missing_attribute(node, attrs, name, &[name]));
        };
        match self.value_of(slot) {
            Ok(value) => Ok(value),
            Err(error) => {
                let pos = attrs.get_attr(name).map_or(Pos::NONE, |attr| attr.pos);
                let error = error.or_at(self.code.pos(node));
                Err(self.while_evaluating(error, pos, &[name]))
            }
        }
    }

    fn select_path(
        &mut self,
        node: NodeId,
        base: NodeId,
        path: Range,
        env: Env<'a>,
    ) -> Result<Value<'a>> {
        let mut value = self.eval(base, env)?;
        let mut names = Vec::with_capacity(path.len as usize);
        for at in path.indices() {
            let name = self.path_name(self.code.paths[at], env)?;
            names.push(name);
            let Value::Attrs(attrs) = value else {
                return Err(self.select_failed(node, value, &names));
            };
            let Some(attr) = attrs.get_attr(name) else {
                return Err(self.missing_attribute(node, attrs, name, &names));
            };
            value = match self.value_of(attr.slot) {
                Ok(value) => value,
                Err(error) => {
                    let error = error.or_at(self.code.pos(node));
                    return Err(self.while_evaluating(error, attr.pos, &names));
                }
            };
        }
        Ok(value)
    }

    fn select_or(
        &mut self,
        node: NodeId,
        base: NodeId,
        path: Range,
        env: Env<'a>,
    ) -> Result<Option<Value<'a>>> {
        let mut value = self.eval(base, env)?;
        for at in path.indices() {
            let name = self.path_name(self.code.paths[at], env)?;
            let Value::Attrs(attrs) = value else { return Ok(None) };
            let Some(attr) = attrs.get_attr(name) else { return Ok(None) };
            value = match self.value_of(attr.slot) {
                Ok(value) => value,
                Err(error) => {
                    let error = error.or_at(self.code.pos(node));
                    return Err(self.while_evaluating(error, attr.pos, &[name]));
                }
            };
        }
        Ok(Some(value))
    }

    fn has_attr(&mut self, base: NodeId, path: Range, env: Env<'a>) -> Result<Value<'a>> {
        let mut value = self.eval(base, env)?;
        let last = path.len as usize;
        for (number, at) in path.indices().enumerate() {
            let name = self.path_name(self.code.paths[at], env)?;
            let Value::Attrs(attrs) = value else { return Ok(Value::Bool(false)) };
            let Some(slot) = attrs.get(name) else { return Ok(Value::Bool(false)) };
            if number + 1 < last {
                value = self.value_of(slot)?;
            }
        }
        Ok(Value::Bool(true))
    }

    #[cold]
    fn shown_path(&self, names: &[Symbol]) -> String {
        names.iter().map(|name| self.symbols.text(*name)).collect::<Vec<_>>().join(".")
    }

    #[cold]
    fn while_evaluating(&self, error: Error, pos: Pos, names: &[Symbol]) -> Error {
        error.while_(pos, format!("while evaluating the attribute '{}'", self.shown_path(names)))
    }

    #[cold]
    fn while_selecting(&self, error: Error, node: NodeId, names: &[Symbol]) -> Error {
        let what = format!("while selecting the attribute '{}'", self.shown_path(names));
        error.while_(self.code.pos(node), what)
    }

    #[cold]
    fn select_failed(&mut self, node: NodeId, value: Value<'a>, names: &[Symbol]) -> Error {
        let error = self.wrong_type("a set", value, self.code.pos(node));
        self.while_selecting(error, node, names)
    }

    #[cold]
    fn missing_attribute(
        &mut self,
        node: NodeId,
        attrs: Attrs<'a>,
        name: Symbol,
        names: &[Symbol],
    ) -> Error {
        let near = self.near_attributes(attrs, name);
        let message = format!("attribute '{}' missing", self.symbols.text(name));
        let _ = names;
        let pos = self.code.pos(node);
        Error::new(ErrorKind::MissingAttribute, pos, message).suggesting(near)
    }

    /// Names of a set that may have been meant.
    #[cold]
    pub(super) fn near_attributes(&self, attrs: Attrs<'a>, name: Symbol) -> Vec<String> {
        let names = attrs.iter(self.arena).map(|attr| self.symbols.name(attr.name));
        super::text::near_names(self.symbols.name(name), names)
    }

    fn with_variable(
        &mut self,
        node: NodeId,
        name: Symbol,
        frame: Env<'a>,
        with: u32,
    ) -> Result<Value<'a>> {
        let (mut frame, mut with) = (frame, with);
        loop {
            let Some(slot) = frame.items().first() else { break };
            let pos = self.code.pos(node);
            let attrs = match self.value_of(slot) {
                Ok(Value::Attrs(attrs)) => attrs,
                Ok(other) => {
                    let what = "while evaluating the first subexpression of a with expression";
                    return Err(self.wrong_type("a set", other, pos).while_(pos, what));
                }
                Err(error) => return Err(error.or_at(pos)),
            };
            if let Some(slot) = attrs.get(name) {
                return self.variable(node, slot);
            }
            let Some((level, parent)) = self.code.withs[with as usize].parent else { break };
            (frame, with) = (outer(frame, level), parent);
        }
        let message = format!("undefined variable '{}'", self.symbols.text(name));
        Err(Error::new(ErrorKind::UndefinedVariable, self.code.pos(node), message))
    }

    fn arithmetic_node(
        &mut self,
        node: NodeId,
        op: Arithmetic,
        left: NodeId,
        right: NodeId,
        env: Env<'a>,
    ) -> Result<Value<'a>> {
        let (a, b) = match op {
            Arithmetic::Greater | Arithmetic::LessEqual => {
                let b = self.eval(right, env)?;
                (self.eval(left, env)?, b)
            }
            _ => {
                let a = self.eval(left, env)?;
                (a, self.eval(right, env)?)
            }
        };
        if let (Value::Int(a), Value::Int(b)) = (a, b) {
            let exact = match op {
                Arithmetic::Sub => a.checked_sub(b).map(Value::Int),
                Arithmetic::Mul => a.checked_mul(b).map(Value::Int),
                Arithmetic::Div => a.checked_div(b).map(Value::Int),
                Arithmetic::Less => Some(Value::Bool(a < b)),
                Arithmetic::Greater => Some(Value::Bool(a > b)),
                Arithmetic::LessEqual => Some(Value::Bool(a <= b)),
                Arithmetic::GreaterEqual => Some(Value::Bool(a >= b)),
            };
            if let Some(value) = exact {
                return Ok(value);
            }
        }
        let pos = self.code.pos(node);
        self.arithmetic(op, a, b, pos)
    }

    fn binary(
        &mut self,
        node: NodeId,
        op: Binary,
        left: NodeId,
        right: NodeId,
        env: Env<'a>,
    ) -> Result<Value<'a>> {
        match op {
            Binary::Equal | Binary::NotEqual => {
                let a = self.eval(left, env)?;
                let b = self.eval(right, env)?;
                let equal = self.equal(a, b, self.code.pos(node))?;
                Ok(Value::Bool(equal == (op == Binary::Equal)))
            }
            Binary::And => {
                let what = "in the left operand of the AND (&&) operator";
                if !self.eval_bool(left, env, node, what)? {
                    return Ok(Value::Bool(false));
                }
                let what = "in the right operand of the AND (&&) operator";
                Ok(Value::Bool(self.eval_bool(right, env, node, what)?))
            }
            Binary::Or => {
                let what = "in the left operand of the OR (||) operator";
                if self.eval_bool(left, env, node, what)? {
                    return Ok(Value::Bool(true));
                }
                let what = "in the right operand of the OR (||) operator";
                Ok(Value::Bool(self.eval_bool(right, env, node, what)?))
            }
            Binary::Implies => {
                let what = "in the left operand of the IMPL (->) operator";
                if !self.eval_bool(left, env, node, what)? {
                    return Ok(Value::Bool(true));
                }
                let what = "in the right operand of the IMPL (->) operator";
                Ok(Value::Bool(self.eval_bool(right, env, node, what)?))
            }
            Binary::Update => {
                let what = "in the left operand of the update (//) operator";
                let a = self.eval_attrs(left, env, node, what)?;
                let what = "in the right operand of the update (//) operator";
                let b = self.eval_attrs(right, env, node, what)?;
                Ok(Value::Attrs(a.update(self.arena, b)))
            }
            Binary::Append => {
                let what = "while evaluating one of the elements to concatenate";
                let a = self.eval_list(left, env, node, what)?;
                let b = self.eval_list(right, env, node, what)?;
                Ok(Value::List(self.append(&[a, b])))
            }
        }
    }

    fn eval_attrs(
        &mut self,
        node: NodeId,
        env: Env<'a>,
        whole: NodeId,
        what: &'static str,
    ) -> Result<Attrs<'a>> {
        match self.eval(node, env) {
            Ok(Value::Attrs(attrs)) => Ok(attrs),
            Ok(other) => Err(self.operand_error("a set", other, node, whole, what)),
            Err(error) => Err(error.while_(self.code.pos(whole), what)),
        }
    }

    fn eval_list(
        &mut self,
        node: NodeId,
        env: Env<'a>,
        whole: NodeId,
        what: &'static str,
    ) -> Result<super::value::List<'a>> {
        match self.eval(node, env) {
            Ok(Value::List(list)) => Ok(list),
            Ok(other) => Err(self.operand_error("a list", other, node, whole, what)),
            Err(error) => Err(error.while_(self.code.pos(whole), what)),
        }
    }

    /// A list with the elements of all of `lists`; one of them itself where the others are empty.
    pub(super) fn append(&self, lists: &[super::value::List<'a>]) -> super::value::List<'a> {
        let mut filled = lists.iter().filter(|list| !list.is_empty());
        let Some(&first) = filled.next() else { return self.empty_list };
        if filled.next().is_none() {
            return first;
        }
        let len = lists.iter().map(|list| list.len()).sum();
        let mut all = lists.iter().flat_map(|list| list.items());
        self.arena.block((), len, |_| Cell::new(all.next().map_or(Value::Null, share)))
    }

    /// `"…${…}…"`
    fn interpolation(&mut self, parts: Range, env: Env<'a>) -> Result<Value<'a>> {
        let mut context = super::value::Context::NONE;
        let mut bytes = super::value::Context::NONE;
        let _ = &mut bytes;
        let mut pieces: Vec<super::value::Bytes<'a>> = Vec::with_capacity(parts.len as usize);
        for at in parts.indices() {
            let part = self.code.ids[at];
            let value = self.eval(part, env)?;
            let (piece, names) = match value {
                Value::Str(names, piece) => (piece, names),
                other => {
                    let pos = self.code.pos(part);
                    self.coerce(other, pos, Coercion::INTERPOLATION, "while evaluating a path segment")?
                }
            };
            context = self.contexts.union(context, names);
            if !piece.is_empty() {
                pieces.push(piece);
            }
        }
        Ok(Value::Str(context, self.join(&pieces)))
    }

    /// The concatenation of pieces; a single one is not copied.
    pub(super) fn join(&self, pieces: &[super::value::Bytes<'a>]) -> super::value::Bytes<'a> {
        match pieces {
            [] => self.empty_string,
            [one] => *one,
            [a, b] => self.arena.concat((), &[a.items(), b.items()]),
            [a, b, c] => self.arena.concat((), &[a.items(), b.items(), c.items()]),
            _ => {
                let parts: Vec<&[u8]> = pieces.iter().map(|piece| piece.items()).collect();
                self.arena.concat((), &parts)
            }
        }
    }

    /// `a + b + …`
    fn plus(&mut self, node: NodeId, parts: Range, env: Env<'a>) -> Result<Value<'a>> {
        let mut ids = parts.indices();
        let Some(first) = ids.next() else { return Ok(Value::Null) };
        let mut sum = self.eval(self.code.ids[first], env)?;
        if !matches!(sum, Value::Int(_) | Value::Float(_)) {
            return self.plus_text(node, sum, parts, env);
        }
        for at in ids {
            let part = self.code.ids[at];
            let value = self.eval(part, env)?;
            sum = match (sum, value) {
                (Value::Int(a), Value::Int(b)) => match a.checked_add(b) {
                    Some(sum) => Value::Int(sum),
                    None => {
                        let message = format!("integer overflow in adding {a} + {b}");
                        return Err(Error::evaluation(self.code.pos(part), message));
                    }
                },
                #[expect(clippy::cast_precision_loss, reason = "as Nix does it")]
                (Value::Int(a), Value::Float(b)) => Value::Float(a as f64 + b),
                #[expect(clippy::cast_precision_loss, reason = "as Nix does it")]
                (Value::Float(a), Value::Int(b)) => Value::Float(a + b as f64),
                (Value::Float(a), Value::Float(b)) => Value::Float(a + b),
                (sum, other) => {
                    let shown = self.describe(other);
                    let kind = if matches!(sum, Value::Int(_)) { "an integer" } else { "a float" };
                    let message = format!("cannot add {shown} to {kind}");
                    return Err(Error::type_error(self.code.pos(part), message));
                }
            };
        }
        Ok(sum)
    }

    /// `+` of strings, paths and what can be coerced to a string. The first operand decides: behind a path,
    /// strings are appended to it, and nothing is copied to the store.
    fn plus_text(
        &mut self,
        node: NodeId,
        first: Value<'a>,
        parts: Range,
        env: Env<'a>,
    ) -> Result<Value<'a>> {
        let is_path = matches!(first, Value::Path(_));
        let coercion = Coercion {
            more: false,
            copy_to_store: matches!(first, Value::Str(..)),
        };
        let mut context = super::value::Context::NONE;
        let mut pieces: Vec<super::value::Bytes<'a>> = Vec::with_capacity(parts.len as usize);
        for (number, at) in parts.indices().enumerate() {
            let part = self.code.ids[at];
            let value = if number == 0 { first } else { self.eval(part, env)? };
            let (piece, names) = match value {
                Value::Str(names, piece) => (piece, names),
                other => {
                    let pos = self.code.pos(part);
                    self.coerce(other, pos, coercion, "while evaluating a path segment")?
                }
            };
            context = self.contexts.union(context, names);
            pieces.push(piece);
        }
        let joined = self.join(&pieces);
        if !is_path {
            return Ok(Value::Str(context, joined));
        }
        if !context.is_none() {
            let message = "a string that refers to a store path cannot be appended to a path";
            return Err(Error::evaluation(self.code.pos(node), message));
        }
        self.path_value(joined.items(), self.code.pos(node))
    }

    /// `{ file, line, column }`, or null where there is no place.
    pub(super) fn position_set(&mut self, pos: Pos) -> Value<'a> {
        let Some((file, line, column)) = self.sources.file_line_column(pos) else {
            return Value::Null;
        };
        let file = self.arena.copy((), file);
        let mut builder = AttrsBuilder::with_capacity(3);
        builder.add(self.known.file, Value::Str(super::value::Context::NONE, file));
        builder.add(self.known.line, Value::Int(i64::from(line)));
        builder.add(self.known.column, Value::Int(i64::from(column)));
        Value::Attrs(builder.build(self.arena))
    }
}
