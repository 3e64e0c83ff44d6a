//! The loop that walks the code. What is in tail position is not a call of Rust's but the next round.

use std::cell::Cell;

use super::Eval;
use super::call::{Applied, MOST_ARGUMENTS};
use super::code::{Node, NodeId, Range};
use super::error::{Error, ErrorKind, Result};
use super::position::Pos;
use super::value::{Env, Slot, Value, share};

/// The frame `level` frames outside of `env`.
#[inline]
pub(super) fn outer(mut env: Env<'_>, level: u32) -> Env<'_> {
    for _ in 0..level {
        // The resolver counts no further than frames go.
        let Some(up) = env.up() else { break };
        env = up;
    }
    env
}

impl<'a> Eval<'a> {
    /// Evaluates a node to weak head normal form.
    #[inline]
    pub(super) fn eval(&mut self, node: NodeId, env: Env<'a>) -> Result<Value<'a>> {
        if node.has_body() {
            return self.eval_body(node, env);
        }
        if node.is_late() {
            return self.eval_compound(node, env);
        }
        match self.code.node(node) {
            Node::Const(number) => Ok(self.constant(number)),
            Node::Local { slot } => self.variable(node, &env.items()[slot as usize]),
            Node::Outer { level, slot } => {
                self.variable(node, &outer(env, level).items()[slot as usize])
            }
            _ => self.eval_compound(node, env),
        }
    }

    /// All that is not found at once. Each kind has a function of its own that is not part of this one, so that
    /// coming here costs nothing but a jump, and a level of recursion takes little stack.
    #[inline(never)]
    fn eval_compound(&mut self, node: NodeId, env: Env<'a>) -> Result<Value<'a>> {
        match self.code.node(node) {
            Node::Const(number) | Node::LateConst(number) => Ok(self.constant(number)),
            Node::Local { slot } => self.variable(node, &env.items()[slot as usize]),
            Node::Outer { level, slot } => {
                self.variable(node, &outer(env, level).items()[slot as usize])
            }
            Node::RecAttr { level, index } => match rec_slot(outer(env, level), index) {
                Some(slot) => self.variable(node, slot),
                None => self.not_there_yet(node),
            },
            Node::WithVar { level, found, .. } => {
                let frame = outer(env, level);
                match frame.items()[usize::from(found)].get() {
                    Value::Found(Some(slot)) => self.variable(node, slot),
                    _ => self.with_variable(node, frame),
                }
            }
            Node::Select { .. } => self.select(node, env),
            Node::SelectPath { base, path } => self.select_path(node, base, path, env),
            Node::HasAttr { base, path } => self.has_attr(base, path, env),
            Node::Attrs(number) => self.attrs(number, env),
            Node::List(items) => Ok(self.list_literal(items, env)),
            Node::Lambda(id) => Ok(Value::Lambda(id, env)),
            Node::Arithmetic { .. } => self.arithmetic_node(node, env),
            Node::Not(operand) => self.not(operand, env),
            Node::Binary { .. } => self.binary(node, env),
            Node::PrefixTest(number) => self.prefix_test(number, env),
            Node::Plus(parts) => self.plus(node, parts, env),
            Node::Interpolation(parts) => self.interpolation(parts, env),
            Node::CurPos => Ok(self.position_set(self.code.pos(node))),
            Node::Call1 { .. }
            | Node::Call { .. }
            | Node::SelectOr { .. }
            | Node::Let { .. }
            | Node::LetHere { .. }
            | Node::With { .. }
            | Node::If { .. }
            | Node::Assert { .. } => self.eval_body(node, env),
        }
    }

    /// The error of an attribute of a recursive set that is still being made.
    #[cold]
    fn not_there_yet(&self, node: NodeId) -> Result<Value<'a>> {
        let message = "infinite recursion encountered";
        Err(Error::new(ErrorKind::InfiniteRecursion, self.code.pos(node), message))
    }

    /// Nodes with a body in tail position, and the end of the calls that they make.
    #[inline(never)]
    fn eval_body(&mut self, node: NodeId, env: Env<'a>) -> Result<Value<'a>> {
        let depth = self.calls.len();
        let mark = self.arena.mark();
        let result = self.walk(node, env);
        let result = self.leave(depth, result);
        self.reclaim(&mark, result)
    }

    /// What a slot is given for an expression whose value is not wanted yet.
    #[inline]
    pub(super) fn delay(&self, node: NodeId, env: Env<'a>) -> Value<'a> {
        if node.is_late() {
            return Value::Thunk(node, env);
        }
        match self.code.node(node) {
            Node::Const(number) => self.code.constants[number as usize],
            Node::Local { slot } => share(&env.items()[slot as usize]),
            Node::Outer { level, slot } => share(&outer(env, level).items()[slot as usize]),
            Node::RecAttr { level, index } => match rec_slot(outer(env, level), index) {
                Some(slot) => share(slot),
                None => Value::Thunk(node, env),
            },
            Node::Lambda(id) => Value::Lambda(id, env),
            _ => Value::Thunk(node, env),
        }
    }

    /// A constant; those that are functions have a home, which is their identity.
    #[inline]
    fn constant(&self, number: u32) -> Value<'a> {
        match self.code.constants[number as usize] {
            Value::Ref(home) => home.get(),
            value => value,
        }
    }

    /// Goes from body to body: what is in tail position takes no stack.
    fn walk(&mut self, mut node: NodeId, mut env: Env<'a>) -> Result<Value<'a>> {
        self.check_stack()?;
        loop {
            match self.code.node(node) {
                Node::SelectOr { base, path, default } => {
                    match self.select_or(node, base, self.code.ranges[path as usize], env)? {
                        Some(value) => return Ok(value),
                        None => node = default,
                    }
                }
                Node::Call1 { function, arg, pos } => {
                    let callee = self.eval(function, env)?;
                    match self.call_node(pos, callee, arg, env)? {
                        Applied::Value(value) => return Ok(value),
                        Applied::Body(body, frame) => (node, env) = (body, frame),
                    }
                }
                Node::Call { function, args, count, pos } => {
                    let callee = self.eval(function, env)?;
                    let args = Range { start: args, len: u32::from(count) };
                    match self.call_nodes(pos, callee, args, env)? {
                        Applied::Value(value) => return Ok(value),
                        Applied::Body(body, frame) => (node, env) = (body, frame),
                    }
                }
                Node::Let { bindings, body } => {
                    let bindings = self.code.lets[bindings as usize];
                    let slots = bindings.slots as usize;
                    env = self.arena.frame(Some(env), slots, |_| Cell::new(Value::Blackhole));
                    self.bind(bindings.first_slot, bindings.values, env);
                    node = body;
                }
                Node::LetHere { bindings, body } => {
                    let bindings = self.code.lets[bindings as usize];
                    self.bind(bindings.first_slot, bindings.values, env);
                    node = body;
                }
                Node::With { slots, scope, body } => {
                    let scope = self.delay(scope, env);
                    env = self.arena.frame(Some(env), usize::from(slots), |slot| {
                        Cell::new(if slot == 0 { scope } else { Value::Found(None) })
                    });
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
                _ => return self.eval(node, env),
            }
        }
    }

    #[inline]
    pub(super) fn variable(&mut self, node: NodeId, slot: &'a Slot<'a>) -> Result<Value<'a>> {
        // Only the kind of the value is read before it is known to be one.
        if slot.get().is_forced() { Ok(slot.get()) } else { self.forced_variable(node, slot) }
    }

    #[inline(never)]
    fn forced_variable(&mut self, node: NodeId, slot: &'a Slot<'a>) -> Result<Value<'a>> {
        self.value_of(slot).map_err(|error| error.or_at(self.code.pos(node)))
    }

    /// Sets the slots of a `let`.
    #[inline]
    pub(super) fn bind(&self, first_slot: u32, values: Range, env: Env<'a>) {
        let slots = &env.items()[first_slot as usize..];
        for (slot, at) in slots.iter().zip(values.indices()) {
            slot.set(self.delay(self.code.ids[at], env));
        }
    }

    /// Calls an evaluated function with argument nodes; the last call's body is left to the caller.
    #[inline]
    fn call_node(
        &mut self,
        pos: Pos,
        callee: Value<'a>,
        arg: NodeId,
        env: Env<'a>,
    ) -> Result<Applied<'a>> {
        match callee {
            Value::Lambda(id, closure) => {
                let value = self.argument(id, arg, env)?;
                let (body, frame) = self.enter(id, closure, value, pos)?;
                Ok(Applied::Body(body, frame))
            }
            Value::PrimOp(id) if self.primop(id).arity == 1 => {
                let arg = if self.primop(id).strict & 1 == 1 {
                    match self.eval(arg, env) {
                        Ok(arg) => arg,
                        Err(error) => {
                            let mut args = [Value::Null];
                            let value = self.run_with_failed(id, &mut args, 0, error, pos)?;
                            return Ok(Applied::Value(value));
                        }
                    }
                } else {
                    self.lazy_argument(arg, env)
                };
                Ok(Applied::Value(self.run_primop(id, &[arg], pos)?))
            }
            _ => self.call_any(callee, &[self.lazy_argument(arg, env)], pos),
        }
    }

    fn call_nodes(
        &mut self,
        pos: Pos,
        mut callee: Value<'a>,
        args: Range,
        env: Env<'a>,
    ) -> Result<Applied<'a>> {
        let mut at = args.start as usize;
        let end = at + args.len as usize;
        loop {
            match callee {
                Value::Lambda(id, closure) => {
                    let (last, count) = self.saturated(id, end - at);
                    let (body, frame) = if count == 1 {
                        let arg = self.argument(id, self.code.ids[at], env)?;
                        self.enter(id, closure, arg, pos)?
                    } else {
                        let arg = |eval: &Self, number| eval.delay(eval.code.ids[at + number], env);
                        self.enter_many(id, last, count, closure, pos, arg)?
                    };
                    at += count;
                    if at == end {
                        return Ok(Applied::Body(body, frame));
                    }
                    callee = self.finish(body, frame)?;
                }
                Value::PrimOp(id) if usize::from(self.primop(id).arity) <= end - at => {
                    let arity = usize::from(self.primop(id).arity);
                    let strict = self.primop(id).strict;
                    let mut values = [Value::Null; MOST_ARGUMENTS];
                    let mut failed = None;
                    for (number, value) in values.iter_mut().enumerate().take(arity) {
                        let arg = self.code.ids[at + number];
                        if strict >> number & 1 == 0 || failed.is_some() {
                            *value = self.lazy_argument(arg, env);
                            continue;
                        }
                        match self.eval(arg, env) {
                            Ok(arg) => *value = arg,
                            Err(error) => failed = Some((number, error)),
                        }
                    }
                    at += arity;
                    callee = match failed {
                        None => self.run_primop(id, &values[..arity], pos)?,
                        Some((number, error)) => {
                            self.run_with_failed(id, &mut values[..arity], number, error, pos)?
                        }
                    };
                    if at == end {
                        return Ok(Applied::Value(callee));
                    }
                    if at + 1 == end
                        && self.memo.is_for(id)
                        && let Value::Lambda(function, closure) = callee
                    {
                        let arg = self.argument(function, self.code.ids[at], env)?;
                        return self.call_file(function, closure, arg, pos).map(Applied::Value);
                    }
                }
                _ => {
                    let rest = &self.code.ids[at..end];
                    let mut few = [Value::Null; MOST_ARGUMENTS];
                    let Some(few) = few.get_mut(..rest.len()) else {
                        let values = rest.iter().map(|&arg| self.lazy_argument(arg, env));
                        let values: Vec<Value<'a>> = values.collect();
                        return self.call_any(callee, &values, pos);
                    };
                    for (value, &arg) in few.iter_mut().zip(rest) {
                        *value = self.lazy_argument(arg, env);
                    }
                    return self.call_any(callee, few, pos);
                }
            }
        }
    }

    /// The argument of a function: evaluated at once where its pattern needs it anyway.
    #[inline]
    fn argument(
        &mut self,
        id: super::code::LambdaId,
        arg: NodeId,
        env: Env<'a>,
    ) -> Result<Value<'a>> {
        if self.code.lambda(id).pattern.is_some() {
            return self.eval(arg, env);
        }
        Ok(self.delay(arg, env))
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
        mut rest: &[Value<'a>],
        pos: Pos,
    ) -> Result<Applied<'a>> {
        loop {
            let (applied, used) = self.apply(callee, rest, pos)?;
            rest = &rest[used..];
            callee = match applied {
                applied if rest.is_empty() => return Ok(applied),
                Applied::Value(value) => value,
                Applied::Body(body, frame) => self.finish(body, frame)?,
            };
        }
    }
}

/// The attribute at `index` of the recursive set whose frame is `frame`.
#[inline]
fn rec_slot(frame: Env<'_>, index: u32) -> Option<&Slot<'_>> {
    match frame.items().first()?.get() {
        Value::Attrs(attrs) => attrs.own_slots().get(index as usize),
        _ => None,
    }
}
