//! Calls: binding arguments to the variables of a function, builtins, functors, and the record of the
//! calls that are going on, from which traces are made and `max-call-depth` is held.

use std::cell::Cell;

use super::Eval;
use super::code::{Lambda, LambdaId, NodeId, Pattern};
use super::error::{Error, ErrorKind, Result};
use super::position::Pos;
use super::value::{Args, Attr, Attrs, Env, PrimOpId, Value, share};

/// A call that is going on.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallFrame {
    callee: Callee,
    pos: Pos,
}

/// What is called.
#[derive(Debug, Clone, Copy)]
enum Callee {
    Lambda(LambdaId),
    PrimOp,
}

/// How many calls pass between two looks at the limits.
const TICKS: u32 = 1024;

/// The most arguments that a builtin takes.
pub(super) const MOST_ARGUMENTS: usize = 3;

/// What one argument makes of a function.
pub(super) enum Applied<'a> {
    /// A value: of a builtin, or a function that waits for more arguments.
    Value(Value<'a>),
    /// The body of a function is to be evaluated.
    Body(NodeId, Env<'a>),
}

impl<'a> Eval<'a> {
    /// Calls `function` with `args`, each a value or a share of a slot.
    pub fn call(&mut self, function: Value<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
        let depth = self.calls.len();
        let mark = self.arena.mark();
        let result = self.call_inner(function, args, pos);
        let result = self.leave(depth, result);
        self.reclaim(&mark, result)
    }

    fn call_inner(
        &mut self,
        function: Value<'a>,
        mut args: &[Value<'a>],
        pos: Pos,
    ) -> Result<Value<'a>> {
        let mut function = self.force(function, pos)?;
        while let [arg, rest @ ..] = args {
            if let Value::Lambda(id, env) = function {
                let (last, count) = self.saturated(id, args.len());
                let (body, frame) = if count == 1 {
                    self.enter(id, env, *arg, pos)?
                } else {
                    self.enter_many(id, last, count, env, pos, |_, at| args[at])?
                };
                args = if count == 1 { rest } else { &args[count..] };
                if args.is_empty() {
                    return self.eval(body, frame);
                }
                function = self.finish(body, frame)?;
                continue;
            }
            let (applied, used) = self.apply(function, args, pos)?;
            args = &args[used..];
            function = match applied {
                Applied::Value(value) => value,
                Applied::Body(body, env) => self.finish(body, env)?,
            };
        }
        Ok(function)
    }

    /// Evaluates the body of a function whose result is called with the arguments that are left. All
    /// arguments of one call count as one for `max-call-depth`, so this part of it is over.
    #[inline]
    pub(super) fn finish(&mut self, body: NodeId, env: Env<'a>) -> Result<Value<'a>> {
        let value = match self.code.function(body) {
            Some(inner) => Value::Lambda(inner, env),
            None => self.eval(body, env)?,
        };
        self.calls.pop();
        Ok(value)
    }

    /// A call that is carried out when its value is wanted.
    pub fn lazy_call(&mut self, function: Value<'a>, args: &[Value<'a>]) -> Value<'a> {
        Value::App(self.arena.concat((), [&[function], args]))
    }

    /// Applies a forced `function` to the first of `args`, or to as many as it takes at once. Also says
    /// how many it took.
    pub(super) fn apply(
        &mut self,
        function: Value<'a>,
        args: &[Value<'a>],
        pos: Pos,
    ) -> Result<(Applied<'a>, usize)> {
        match function {
            Value::Lambda(id, env) => {
                let (body, frame) = self.enter(id, env, args[0], pos)?;
                Ok((Applied::Body(body, frame), 1))
            }
            Value::PrimOp(id) => self.apply_primop(id, &[], args, pos),
            Value::PrimOpApp(id, first) => self.apply_primop(id, first.items(), args, pos),
            Value::Attrs(attrs) => match attrs.get(self.known.functor) {
                Some(functor) => {
                    let bound = self.call(Value::Ref(functor), &[function], pos).map_err(|e| {
                        e.while_(pos, "while calling a functor (an attribute set with a '__functor' attribute)")
                    })?;
                    Ok((Applied::Value(bound), 0))
                }
                None => Err(self.not_callable(function, pos)),
            },
            other => Err(self.not_callable(other, pos)),
        }
    }

    fn apply_primop(
        &mut self,
        id: PrimOpId,
        first: &[Value<'a>],
        args: &[Value<'a>],
        pos: Pos,
    ) -> Result<(Applied<'a>, usize)> {
        let op = self.primop(id);
        let wanted = usize::from(op.arity) - first.len();
        if args.len() < wanted {
            let all: Args<'a> = self.arena.concat((), [first, args]);
            return Ok((Applied::Value(Value::PrimOpApp(id, all)), args.len()));
        }
        let mut all = [Value::Null; MOST_ARGUMENTS];
        let given = first.iter().chain(&args[..wanted]);
        for (place, value) in all.iter_mut().zip(given) {
            *place = *value;
        }
        let arity = usize::from(op.arity);
        for at in 0..arity {
            if op.strict >> at & 1 == 1 {
                match self.force(all[at], pos) {
                    Ok(value) => all[at] = value,
                    Err(error) => {
                        let value = self.run_with_failed(id, &mut all[..arity], at, error, pos)?;
                        return Ok((Applied::Value(value), wanted));
                    }
                }
            }
        }
        let value = self.run_primop(id, &all[..arity], pos)?;
        Ok((Applied::Value(value), wanted))
    }

    /// Runs a builtin whose strict arguments are evaluated.
    #[inline]
    pub(super) fn run_primop(
        &mut self,
        id: PrimOpId,
        args: &[Value<'a>],
        pos: Pos,
    ) -> Result<Value<'a>> {
        let op = self.primop(id);
        self.push_call(Callee::PrimOp, pos)?;
        match (op.run)(self, args, pos) {
            Ok(value) => {
                self.calls.pop();
                Ok(value)
            }
            Err(error) => {
                self.calls.pop();
                Err(primop_trace(op.name, error.or_at(pos), pos))
            }
        }
    }

    /// Runs a builtin whose argument `at` could not be evaluated, and those behind it were not. It
    /// fails as soon as it wants that one, and says what for.
    #[cold]
    pub(super) fn run_with_failed(
        &mut self,
        id: PrimOpId,
        args: &mut [Value<'a>],
        at: usize,
        error: Error,
        pos: Pos,
    ) -> Result<Value<'a>> {
        let name = self.primop(id).name;
        if error.is_passing() {
            return Err(primop_trace(name, error, pos));
        }
        let slot = self.arena.alloc(Cell::new(Value::Blackhole));
        args[at] = Value::Ref(slot);
        let outer = self.failed.replace((slot, error));
        let result = self.run_primop(id, args, pos);
        match (std::mem::replace(&mut self.failed, outer), result) {
            // It was content with none of the arguments before.
            (Some(_), Err(earlier)) if at > 0 => Err(earlier),
            (Some((_, error)), _) => Err(primop_trace(name, error, pos)),
            (None, result) => result,
        }
    }

    #[inline]
    fn push_call(&mut self, callee: Callee, pos: Pos) -> Result<()> {
        if self.calls.len() >= self.settings.max_call_depth {
            return Err(too_deep(pos));
        }
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks.is_multiple_of(TICKS) {
            self.check_limits(pos)?;
        }
        self.calls.push(CallFrame { callee, pos });
        Ok(())
    }

    /// Fails if the caller wants an end, or the memory is used up.
    #[cold]
    fn check_limits(&self, pos: Pos) -> Result<()> {
        if self.io.interrupted() {
            return Err(Error::new(ErrorKind::Interrupted, pos, "interrupted"));
        }
        self.check_memory(0).map_err(|error| error.or_at(pos))
    }

    /// Fails if there is no room for so many bytes more.
    pub(super) fn check_memory(&self, more: usize) -> Result<()> {
        let most = self.settings.max_memory;
        if self.arena.used().saturating_add(more) <= most {
            return Ok(());
        }
        let message = format!("out of memory: the values need more than {} MiB", most >> 20);
        Err(Error::new(ErrorKind::OutOfMemory, Pos::NONE, message))
    }

    /// Ends all calls above `depth`, and tells a failure which they were.
    #[inline]
    pub(super) fn leave(&mut self, depth: usize, result: Result<Value<'a>>) -> Result<Value<'a>> {
        match result {
            Ok(value) => {
                self.calls.truncate(depth);
                Ok(value)
            }
            Err(error) => Err(self.leave_failed(depth, error)),
        }
    }

    #[cold]
    fn leave_failed(&mut self, depth: usize, mut error: Error) -> Error {
        while self.calls.len() > depth {
            let Some(call) = self.calls.pop() else { break };
            if let Callee::Lambda(id) = call.callee {
                let name = match self.code.lambda(id).name {
                    Some(name) => format!("while calling '{}'", self.symbols.text(name)),
                    None => "while calling anonymous lambda".to_owned(),
                };
                error = error.while_(self.code.lambda(id).pos, name);
                if !call.pos.is_none() {
                    error = error.while_(call.pos, "from call site");
                }
            }
        }
        error
    }

    /// Binds an argument to a function's variables. Gives the body and the environment that it sees.
    #[inline]
    pub(super) fn enter(
        &mut self,
        id: LambdaId,
        env: Env<'a>,
        arg: Value<'a>,
        pos: Pos,
    ) -> Result<(NodeId, Env<'a>)> {
        self.push_call(Callee::Lambda(id), pos)?;
        let &Lambda { body, slots, taken, pattern, .. } = self.code.lambda(id);
        if taken > 0 {
            return Ok((body, self.frame_behind(taken, slots, 1, env, |_| arg)));
        }
        let Some(pattern) = pattern else {
            let up = Some(env);
            let frame = if slots == 1 {
                self.arena.frame(up, 1, |_| Cell::new(arg))
            } else {
                let value = |slot| Cell::new(if slot == 0 { arg } else { Value::Blackhole });
                self.arena.frame(up, slots as usize, value)
            };
            return Ok((body, frame));
        };
        let frame = self.bind_pattern(id, pattern, slots, env, arg, pos)?;
        Ok((body, frame))
    }

    /// How many of so many arguments the frame of one function takes: of `id`, or of the last of the
    /// functions that are its body and share its frame. Also gives that function.
    #[inline]
    pub(super) fn saturated(&self, id: LambdaId, most: usize) -> (LambdaId, usize) {
        let (mut last, mut count) = (id, 1);
        while count < most
            && let Some(inner) = self.code.function(self.code.lambda(last).body)
            && self.code.lambda(inner).taken > 0
        {
            last = inner;
            count += 1;
        }
        (last, count)
    }

    /// Binds `count` arguments, all of the functions from `id` to `last` at once: see [`Eval::saturated`]. That is
    /// one call.
    #[inline]
    pub(super) fn enter_many(
        &mut self,
        id: LambdaId,
        last: LambdaId,
        count: usize,
        env: Env<'a>,
        pos: Pos,
        arg: impl Fn(&Self, usize) -> Value<'a>,
    ) -> Result<(NodeId, Env<'a>)> {
        self.push_call(Callee::Lambda(last), pos)?;
        let taken = self.code.lambda(id).taken;
        let &Lambda { body, slots, .. } = self.code.lambda(last);
        Ok((body, self.frame_behind(taken, slots, count, env, |at| arg(self, at))))
    }

    /// The frame of a function that takes some slots of its closure's frame, if any, in front of its
    /// `count` arguments. The slots of `let`s are not set yet.
    #[inline]
    fn frame_behind(
        &self,
        taken: u32,
        slots: u32,
        count: usize,
        env: Env<'a>,
        arg: impl Fn(usize) -> Value<'a>,
    ) -> Env<'a> {
        if taken == 0 && slots as usize == count {
            return self.arena.frame(Some(env), count, |slot| Cell::new(arg(slot)));
        }
        let (taken, up) = if taken == 0 { (&[][..], Some(env)) } else { (env.items(), env.up()) };
        self.arena.frame(up, slots as usize, |slot| {
            Cell::new(match taken.get(slot) {
                Some(known) => share(known),
                None if slot < taken.len() + count => arg(slot - taken.len()),
                None => Value::Blackhole,
            })
        })
    }

    /// The frame of a function with a pattern.
    fn bind_pattern(
        &mut self,
        id: LambdaId,
        pattern: Pattern,
        slots: u32,
        env: Env<'a>,
        arg: Value<'a>,
        pos: Pos,
    ) -> Result<Env<'a>> {
        let attrs = match self.force(arg, pos)? {
            Value::Attrs(attrs) => attrs,
            other => {
                let place = self.code.lambda(id).pos;
                let error = self.wrong_type("a set", other, place);
                let what = "while evaluating the value passed for the lambda argument";
                return Err(error.while_(pos, what));
            }
        };
        let formals = pattern.formals.indices();
        let count = formals.len();
        let at_arg = self.code.lambda(id).arg.is_some();
        let mut matched = 0;
        let mut missing = false;
        let code = &self.code;
        let mut given = attrs.in_order();
        let frame: Env<'a> = self.arena.frame(Some(env), slots as usize, |slot| {
            if slot < count {
                let formal = &code.formals[formals.start + slot];
                if let Some(found) = given(formal.name) {
                    matched += 1;
                    return Cell::new(share(found));
                }
                missing = missing || formal.default.is_none();
            } else if slot == count && at_arg {
                return Cell::new(Value::Attrs(attrs));
            }
            Cell::new(Value::Blackhole)
        });
        if missing || (!pattern.ellipsis && matched != attrs.len()) {
            return Err(self.wrong_arguments(id, pattern, attrs, pos));
        }
        if matched != count {
            for (slot, at) in formals.enumerate() {
                let formal = self.code.formals[at];
                let slot = &frame.items()[slot];
                // What was given is never a blackhole: see `share`.
                if let (Some(default), Value::Blackhole) = (formal.default, slot.get()) {
                    slot.set(self.delay(default, frame));
                }
            }
        }
        Ok(frame)
    }

    #[cold]
    fn wrong_arguments(
        &mut self,
        id: LambdaId,
        pattern: Pattern,
        attrs: Attrs<'a>,
        pos: Pos,
    ) -> Error {
        let lambda = *self.code.lambda(id);
        let function = match lambda.name {
            Some(name) => format!("function '{}'", self.symbols.text(name)),
            None => "function 'anonymous lambda'".to_owned(),
        };
        let formals = &self.code.formals[pattern.formals.indices()];
        // Of several, the first one by symbols, as in Nix. Formals and attributes are in that order.
        let mut wanted = formals.iter().filter(|formal| formal.default.is_none());
        let error = if let Some(formal) = wanted.find(|f| attrs.get(f.name).is_none()) {
            let name = self.symbols.text(formal.name);
            let message = format!("{function} called without required argument '{name}'");
            Error::type_error(lambda.pos, message)
        } else {
            let mut given = attrs.iter(self.arena);
            let unknown = given.find(|attr| formals.iter().all(|f| f.name != attr.name));
            let (name, near) = match unknown {
                Some(Attr { name, .. }) => {
                    let names = formals.iter().map(|formal| self.symbols.name(formal.name));
                    let near = super::text::near_names(self.symbols.name(name), names);
                    (self.symbols.quoted(name), near)
                }
                None => Default::default(),
            };
            let message = format!("{function} called with unexpected argument '{name}'");
            Error::type_error(lambda.pos, message).suggesting(near)
        };
        error.while_(pos, "from call site")
    }

    #[cold]
    fn not_callable(&mut self, value: Value<'a>, pos: Pos) -> Error {
        let shown = self.describe(value);
        let message = format!("attempt to call something which is not a function but {shown}");
        Error::type_error(pos, message)
    }
}

/// Tells a failure which builtin was called. Two are left out, as in Nix, since they say nothing.
#[cold]
pub(super) fn primop_trace(name: &str, error: Error, pos: Pos) -> Error {
    if matches!(name, "addErrorContext" | "break") {
        return error;
    }
    error.while_(pos, format!("while calling the '{name}' builtin"))
}

#[cold]
fn too_deep(pos: Pos) -> Error {
    Error::new(ErrorKind::StackOverflow, pos, "stack overflow; max-call-depth exceeded")
}
