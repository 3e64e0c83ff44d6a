//! Operators and interpolation.

use std::cell::Cell;

use super::Eval;
use super::call::primop_trace;
use super::code::{Arithmetic, Node, NodeId, Range};
use super::coerce::Coercion;
use super::error::{Error, Result};
use super::value::{Attrs, Bytes, Context, Env, List, Value, share};
use crate::syntax::BinOp;

/// As many parts of a string take no memory of their own.
const FEW_PARTS: usize = 8;

impl<'a> Eval<'a> {
    /// A condition or an operand of `whole`, where a failure has its place. `what` is the step of the
    /// trace.
    #[inline]
    pub(super) fn eval_bool(
        &mut self,
        node: NodeId,
        env: Env<'a>,
        whole: NodeId,
        what: &'static str,
    ) -> Result<bool> {
        match self.eval(node, env) {
            Ok(Value::Bool(value)) => Ok(value),
            Ok(value) => Err(self.operand_error("a Boolean", value, whole, whole, what)),
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

    /// `!operand`
    #[inline(never)]
    pub(super) fn not(&mut self, operand: NodeId, env: Env<'a>) -> Result<Value<'a>> {
        let what = "in the argument of the not operator";
        Ok(Value::Bool(!self.eval_bool(operand, env, operand, what)?))
    }

    /// An operator that Nix has as a call of a builtin.
    #[inline(never)]
    pub(super) fn arithmetic_node(&mut self, node: NodeId, env: Env<'a>) -> Result<Value<'a>> {
        let Node::Arithmetic { op, left, right } = self.code.node(node) else {
            return Ok(Value::Null);
        };
        self.arithmetic_value(node, op, left, right, env).map_err(|error| {
            let name = match op {
                Arithmetic::Sub => "sub",
                Arithmetic::Mul => "mul",
                Arithmetic::Div => "div",
                _ => "lessThan",
            };
            primop_trace(name, error, self.code.pos(node))
        })
    }

    #[inline]
    fn arithmetic_value(
        &mut self,
        node: NodeId,
        op: Arithmetic,
        left: NodeId,
        right: NodeId,
        env: Env<'a>,
    ) -> Result<Value<'a>> {
        let a = self.eval(left, env)?;
        let b = self.eval(right, env)?;
        if let (Value::Int(a), Value::Int(b)) = (a, b) {
            let exact = match op {
                Arithmetic::Sub => a.checked_sub(b).map(Value::Int),
                Arithmetic::Mul => a.checked_mul(b).map(Value::Int),
                Arithmetic::Div => a.checked_div(b).map(Value::Int),
                Arithmetic::Less => Some(Value::Bool(a < b)),
                Arithmetic::GreaterEqual => Some(Value::Bool(a >= b)),
            };
            if let Some(value) = exact {
                return Ok(value);
            }
        }
        let pos = self.code.pos(node);
        self.arithmetic(op, a, b, pos)
    }

    /// All other operators of two operands.
    #[inline(never)]
    pub(super) fn binary(&mut self, node: NodeId, env: Env<'a>) -> Result<Value<'a>> {
        let Node::Binary { op, left, right } = self.code.node(node) else {
            return Ok(Value::Null);
        };
        match op {
            BinOp::Equal | BinOp::NotEqual => {
                let a = self.eval(left, env)?;
                let b = self.eval(right, env)?;
                let equal = match Self::plainly_equal(a, b) {
                    Some(equal) => equal,
                    None => self.equal(a, b, self.code.pos(node))?,
                };
                Ok(Value::Bool(equal == (op == BinOp::Equal)))
            }
            BinOp::And | BinOp::Or | BinOp::Implies => {
                let [first, second] = match op {
                    BinOp::And => [
                        "in the left operand of the AND (&&) operator",
                        "in the right operand of the AND (&&) operator",
                    ],
                    BinOp::Or => [
                        "in the left operand of the OR (||) operator",
                        "in the right operand of the OR (||) operator",
                    ],
                    _ => [
                        "in the left operand of the IMPL (->) operator",
                        "in the right operand of the IMPL (->) operator",
                    ],
                };
                let holds = self.eval_bool(left, env, node, first)?;
                // The operand that decides by itself: true for `||`, false for the others.
                if holds == (op == BinOp::Or) {
                    return Ok(Value::Bool(op != BinOp::And));
                }
                Ok(Value::Bool(self.eval_bool(right, env, node, second)?))
            }
            BinOp::Update => {
                // As in Nix, the right side is evaluated first.
                let what = "in the right operand of the update (//) operator";
                let b = self.eval_attrs(right, env, node, what)?;
                let what = "in the left operand of the update (//) operator";
                let a = self.eval_attrs(left, env, node, what)?;
                Ok(Value::Attrs(a.update(self.arena, b)))
            }
            BinOp::Append => {
                // Both are evaluated before either has to be a list.
                let (a, b) = (self.eval(left, env)?, self.eval(right, env)?);
                let (a, b) = (self.as_list(a, left, node)?, self.as_list(b, right, node)?);
                self.check_memory((a.len() + b.len()) * size_of::<Value<'_>>())?;
                if a.is_empty() || b.is_empty() {
                    return Ok(Value::List(if a.is_empty() { b } else { a }));
                }
                Ok(Value::List(self.arena.join(a, b.items(), share)))
            }
        }
    }

    /// Whether a text begins with another. All is evaluated in the order in which the expression would; what is not as it
    /// looks, or fails, is left to that.
    #[inline(never)]
    pub(super) fn prefix_test(&mut self, number: u32, env: Env<'a>) -> Result<Value<'a>> {
        let test = self.code.prefix_tests[number as usize];
        if self.calls.len() + 1 < self.settings.max_call_depth
            && self.is_builtin(test.substring, "substring", env)
            && self.is_builtin(test.string_length, "stringLength", env)
            && let Ok(Value::Str(_, prefix)) = self.eval(test.prefix, env)
            && let Ok(Value::Str(_, text)) = self.eval(test.text, env)
        {
            return Ok(Value::Bool(text.items().starts_with(prefix.items())));
        }
        self.eval(test.whole, env)
    }

    /// Is a variable the builtin of this name?
    #[inline]
    fn is_builtin(&mut self, variable: NodeId, name: &str, env: Env<'a>) -> bool {
        matches!(self.eval(variable, env), Ok(Value::PrimOp(id)) if self.primop(id).name == name)
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
            Ok(value) => Err(self.operand_error("a set", value, node, whole, what)),
            Err(error) => Err(error.while_(self.code.pos(whole), what)),
        }
    }

    /// The value of `node`, an operand of `whole`, as a list.
    fn as_list(&mut self, value: Value<'a>, node: NodeId, whole: NodeId) -> Result<List<'a>> {
        match value {
            Value::List(list) => Ok(list),
            value => {
                let what = "while evaluating one of the elements to concatenate";
                Err(self.operand_error("a list", value, node, whole, what))
            }
        }
    }

    /// A list with the elements of all of `lists`; one of them itself where the others are empty.
    pub(super) fn append(&self, lists: &[List<'a>]) -> List<'a> {
        let mut filled = lists.iter().filter(|list| !list.is_empty());
        let Some(&first) = filled.next() else { return self.empty_list };
        if filled.next().is_none() {
            return first;
        }
        let len = lists.iter().map(|list| list.len()).sum();
        let mut rest = lists.iter();
        let mut current = [].iter();
        self.arena.block((), len, |_| {
            loop {
                match (current.next(), &mut rest) {
                    (Some(slot), _) => break Cell::new(share(slot)),
                    (None, rest) => match rest.next() {
                        Some(list) => current = list.items().iter(),
                        None => break Cell::new(Value::Null),
                    },
                }
            }
        })
    }

    /// The text of a part of a string or of a sum, and its context.
    #[inline]
    fn part_text(
        &mut self,
        value: Value<'a>,
        parts: Range,
        number: u32,
        how: Coercion,
    ) -> Result<(Bytes<'a>, Context)> {
        match value {
            Value::Str(names, piece) => Ok((piece, names)),
            other => {
                let pos = self.code.part_pos(parts, number);
                self.coerce(other, pos, how, "while evaluating a path segment")
            }
        }
    }

    /// `"…${…}…"`
    #[inline(never)]
    pub(super) fn interpolation(&mut self, parts: Range, env: Env<'a>) -> Result<Value<'a>> {
        let mut context = Context::NONE;
        let mut few = [self.empty_string; FEW_PARTS];
        let mut many = Vec::new();
        let count = parts.len as usize;
        let pieces = if let Some(few) = few.get_mut(..count) {
            few
        } else {
            many.resize(count, self.empty_string);
            &mut many[..]
        };
        for ((number, at), place) in (0..).zip(parts.indices()).zip(&mut *pieces) {
            let value = self.eval(self.code.ids[at], env)?;
            let (piece, names) = self.part_text(value, parts, number, Coercion::INTERPOLATION)?;
            context = self.contexts.union(context, names);
            *place = piece;
        }
        Ok(Value::Str(context, self.join(pieces)?))
    }

    /// The concatenation of pieces; a single one is not copied.
    pub(super) fn join(&self, pieces: &[Bytes<'a>]) -> Result<Bytes<'a>> {
        match pieces {
            [] => Ok(self.empty_string),
            [one] => Ok(*one),
            pieces => {
                self.check_memory(pieces.iter().map(|piece| piece.len()).sum())?;
                Ok(self.arena.concat((), pieces.iter().map(|piece| piece.items())))
            }
        }
    }

    /// The concatenation of pieces with something between them.
    pub(super) fn join_with(
        &self,
        separator: Bytes<'a>,
        pieces: &[Bytes<'a>],
    ) -> Result<Bytes<'a>> {
        let [first, rest @ ..] = pieces else { return Ok(self.empty_string) };
        if separator.is_empty() || rest.is_empty() {
            return self.join(pieces);
        }
        let between = separator.len().saturating_mul(rest.len());
        let own = pieces.iter().map(|piece| piece.len()).sum::<usize>();
        self.check_memory(own.saturating_add(between))?;
        let rest = rest.iter().flat_map(|piece| [separator.items(), piece.items()]);
        Ok(self.arena.concat((), std::iter::once(first.items()).chain(rest)))
    }

    /// `a + b + …`
    #[inline(never)]
    pub(super) fn plus(&mut self, node: NodeId, parts: Range, env: Env<'a>) -> Result<Value<'a>> {
        let mut ids = (0..).zip(parts.indices());
        let Some((_, first)) = ids.next() else { return Ok(Value::Null) };
        let mut sum = self.eval(self.code.ids[first], env)?;
        if !matches!(sum, Value::Int(_) | Value::Float(_)) {
            return self.plus_text(node, sum, parts, env);
        }
        for (number, at) in ids {
            let value = self.eval(self.code.ids[at], env)?;
            if let (Value::Int(a), Value::Int(b)) = (sum, value)
                && let Some(both) = a.checked_add(b)
            {
                sum = Value::Int(both);
                continue;
            }
            sum = match (sum, value) {
                (Value::Int(a), Value::Int(b)) => {
                    let message = format!("integer overflow in adding {a} + {b}");
                    let pos = self.code.part_pos(parts, number);
                    return Err(Error::evaluation(pos, message));
                }
                #[expect(clippy::cast_precision_loss, reason = "as Nix does it")]
                (Value::Int(a), Value::Float(b)) => Value::Float(a as f64 + b),
                #[expect(clippy::cast_precision_loss, reason = "as Nix does it")]
                (Value::Float(a), Value::Int(b)) => Value::Float(a + b as f64),
                (Value::Float(a), Value::Float(b)) => Value::Float(a + b),
                (sum, other) => {
                    let shown = super::print::type_name(self, other);
                    let kind = if matches!(sum, Value::Int(_)) { "an integer" } else { "a float" };
                    let message = format!("cannot add {shown} to {kind}");
                    let pos = self.code.part_pos(parts, number);
                    return Err(Error::type_error(pos, message));
                }
            };
        }
        Ok(sum)
    }

    /// `+` of strings, paths and what can be coerced to a string. The first operand decides: behind a path,
    /// strings are appended to it, and nothing is copied to the store.
    #[inline(never)]
    pub(super) fn plus_text(
        &mut self,
        node: NodeId,
        first: Value<'a>,
        parts: Range,
        env: Env<'a>,
    ) -> Result<Value<'a>> {
        let is_path = matches!(first, Value::Path(_));
        let coercion = Coercion { more: false, copy_to_store: matches!(first, Value::Str(..)) };
        let mut context = Context::NONE;
        let mut pieces: Vec<Bytes<'a>> = Vec::with_capacity(parts.len as usize);
        for (number, at) in (0..).zip(parts.indices()) {
            let value = if number == 0 { first } else { self.eval(self.code.ids[at], env)? };
            let (piece, names) = self.part_text(value, parts, number, coercion)?;
            context = self.contexts.union(context, names);
            pieces.push(piece);
        }
        let joined = self.join(&pieces)?;
        if !is_path {
            return Ok(Value::Str(context, joined));
        }
        if !context.is_none() {
            let message = "a string that refers to a store path cannot be appended to a path";
            return Err(Error::evaluation(self.code.pos(node), message));
        }
        self.path_value(joined.items(), self.code.pos(node))
    }
}
