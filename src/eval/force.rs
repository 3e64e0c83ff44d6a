//! Forcing: from a slot or a lazy argument to a value in weak head normal form, and the checks of
//! what kind of value it is.

use super::error::{Error, ErrorKind, Result};
use super::position::Pos;
use super::value::{Attrs, Bytes, Context, List, Mapping, Over, Slot, Value, share};
use super::{Eval, STACK_RESERVE};

impl<'a> Eval<'a> {
    /// The value of `value`, a value or a share of a slot.
    #[inline]
    pub fn force(&mut self, value: Value<'a>, pos: Pos) -> Result<Value<'a>> {
        match value {
            Value::Ref(slot) => self.force_slot(slot, pos),
            value => Ok(value),
        }
    }

    /// The value of a slot, which stays there.
    #[inline]
    pub fn force_slot(&mut self, slot: &'a Slot<'a>, pos: Pos) -> Result<Value<'a>> {
        self.value_of(slot).map_err(|error| error.or_at(pos))
    }

    /// As [`Eval::force_slot`], for callers that know the place only when it is wanted.
    #[inline]
    pub(super) fn value_of(&mut self, slot: &'a Slot<'a>) -> Result<Value<'a>> {
        if slot.get().is_forced() {
            return Ok(slot.get());
        }
        if let Value::Ref(home) = slot.get()
            && home.get().is_forced()
        {
            return Ok(home.get());
        }
        self.compute(slot, slot.get())
    }

    /// Evaluates what stands in `slot`, and puts its value there. A failure is remembered, so that the next one who
    /// wants it gets the same at once: a chain of `tryEval`s would evaluate its innermost value exponentially often.
    fn compute(&mut self, slot: &'a Slot<'a>, content: Value<'a>) -> Result<Value<'a>> {
        self.check_stack()?;
        // As in Nix, a call that waits may be begun again within itself: that ends at the calls' depth.
        if !matches!(content, Value::App(_) | Value::Element(..)) {
            slot.set(Value::Blackhole);
        }
        let result = match content {
            Value::Thunk(node, env) => self.eval(node, env),
            Value::Ref(home) => self.value_of(home),
            Value::App(args) => {
                let [function, args @ ..] = args.items() else { return Ok(Value::Null) };
                self.call(*function, args, Pos::NONE)
            }
            Value::Element(index, mapping) => self.element(index, mapping),
            Value::Blackhole => Err(self.black_hole(slot)),
            value => Ok(value),
        };
        match result {
            Ok(value) => {
                // A function or a list keeps its home, which is its identity.
                slot.set(match (content, value) {
                    (
                        Value::Ref(home),
                        Value::Lambda(..)
                        | Value::PrimOp(_)
                        | Value::PrimOpApp(..)
                        | Value::List(_),
                    ) => match home.get() {
                        further @ Value::Ref(_) => further,
                        _ => content,
                    },
                    _ => value,
                });
                if !value.is_scalar() {
                    self.arena.note_write(slot);
                }
                Ok(value)
            }
            Err(error) => {
                self.fail(slot, content, &error);
                Err(error)
            }
        }
    }

    /// Remembers that `slot` can't be evaluated. One that was only stopped is as before.
    #[cold]
    fn fail(&mut self, slot: &'a Slot<'a>, content: Value<'a>, error: &Error) {
        // What another slot stands for is known there.
        if error.is_passing() || matches!(content, Value::Ref(_)) {
            return slot.set(content);
        }
        slot.set(Value::Blackhole);
        self.failures.remember(self.arena, slot, error);
    }

    /// The error of a slot whose value needs itself, or is known to fail.
    #[cold]
    fn black_hole(&mut self, slot: &'a Slot<'a>) -> Error {
        if let Some((_, error)) = self.failed.take_if(|(failed, _)| std::ptr::eq(*failed, slot)) {
            return error;
        }
        self.failures.of(slot).unwrap_or_else(|| {
            let message = "infinite recursion encountered";
            Error::new(ErrorKind::InfiniteRecursion, Pos::NONE, message)
        })
    }

    /// One element of what `map` and its like have made.
    fn element(&mut self, index: u32, mapping: &'a Mapping<'a>) -> Result<Value<'a>> {
        let at = index as usize;
        match mapping.over {
            Over::Indices => {
                self.call(mapping.function, &[Value::Int(i64::from(index))], Pos::NONE)
            }
            Over::List(list) => self.call(mapping.function, &[share(&list.items()[at])], Pos::NONE),
            Over::Attrs(attrs) => {
                let name = self.symbol_string(attrs.own_shape().names()[at]);
                self.call(mapping.function, &[name, share(&attrs.own_slots()[at])], Pos::NONE)
            }
        }
    }

    /// Fails if the stack is nearly used up.
    #[inline]
    pub(super) fn check_stack(&self) -> Result<()> {
        let here = 0u8;
        if (&raw const here).addr() < self.stack_end { Err(stack_overflow()) } else { Ok(()) }
    }

    /// Forces a value and all that it contains.
    pub fn force_deep(&mut self, value: Value<'a>, pos: Pos) -> Result<Value<'a>> {
        let mut seen = rustc_hash::FxHashSet::default();
        self.force_all(value, pos, self.calls.len(), &mut seen)
    }

    fn force_all(
        &mut self,
        value: Value<'a>,
        pos: Pos,
        depth: usize,
        seen: &mut rustc_hash::FxHashSet<usize>,
    ) -> Result<Value<'a>> {
        super::print::check_depth(self, depth, pos)?;
        let value = self.force(value, pos)?;
        match value {
            Value::List(list) if !list.is_empty() && seen.insert(list.address()) => {
                for (at, slot) in list.items().iter().enumerate() {
                    if let Err(error) = self.force_all(Value::Ref(slot), pos, depth + 1, seen) {
                        let message = format!("while evaluating list element at index {at}");
                        return Err(error.while_(pos, message));
                    }
                }
            }
            Value::Attrs(attrs) if seen.insert(attrs.address()) => {
                // By symbols, not by names, as in Nix: of two failures, it is the first one that counts.
                for attr in attrs.iter(self.arena) {
                    let inner = Value::Ref(attr.slot);
                    if let Err(error) = self.force_all(inner, attr.pos, depth + 1, seen) {
                        let name = self.symbols.quoted(attr.name);
                        let message = format!("while evaluating the attribute '{name}'");
                        return Err(error.while_(attr.pos, message));
                    }
                }
            }
            _ => {}
        }
        Ok(value)
    }

    /// An integer.
    pub fn force_int(&mut self, v: Value<'a>, pos: Pos, context: &'static str) -> Result<i64> {
        match self.force(v, pos).map_err(|e| e.while_(pos, context))? {
            Value::Int(value) => Ok(value),
            other => Err(self.wrong_type("an integer", other, pos).while_(pos, context)),
        }
    }

    /// A floating-point number, from an integer as well.
    pub fn force_float(&mut self, v: Value<'a>, pos: Pos, context: &'static str) -> Result<f64> {
        match self.force(v, pos).map_err(|e| e.while_(pos, context))? {
            #[expect(clippy::cast_precision_loss, reason = "as Nix does it")]
            Value::Int(value) => Ok(value as f64),
            Value::Float(value) => Ok(value),
            other => Err(self.wrong_type("a float", other, pos).while_(pos, context)),
        }
    }

    /// A Boolean.
    pub fn force_bool(&mut self, v: Value<'a>, pos: Pos, context: &'static str) -> Result<bool> {
        match self.force(v, pos).map_err(|e| e.while_(pos, context))? {
            Value::Bool(value) => Ok(value),
            other => Err(self.wrong_type("a Boolean", other, pos).while_(pos, context)),
        }
    }

    /// An attribute set.
    pub fn force_attrs(
        &mut self,
        v: Value<'a>,
        pos: Pos,
        context: &'static str,
    ) -> Result<Attrs<'a>> {
        match self.force(v, pos)? {
            Value::Attrs(attrs) => Ok(attrs),
            other => Err(self.wrong_type("a set", other, pos).while_(pos, context)),
        }
    }

    /// A list.
    pub fn force_list(
        &mut self,
        v: Value<'a>,
        pos: Pos,
        context: &'static str,
    ) -> Result<List<'a>> {
        match self.force(v, pos)? {
            Value::List(list) => Ok(list),
            other => Err(self.wrong_type("a list", other, pos).while_(pos, context)),
        }
    }

    /// Something that can be called.
    pub fn force_function(
        &mut self,
        v: Value<'a>,
        pos: Pos,
        context: &'static str,
    ) -> Result<Value<'a>> {
        let value = self.force(v, pos).map_err(|e| e.while_(pos, context))?;
        let callable = match value {
            Value::Lambda(..) | Value::PrimOp(_) | Value::PrimOpApp(..) => true,
            Value::Attrs(attrs) => attrs.get(self.known.functor).is_some(),
            _ => false,
        };
        if callable {
            Ok(value)
        } else {
            Err(self.wrong_type("a function", value, pos).while_(pos, context))
        }
    }

    /// A string with its context.
    pub fn force_string(
        &mut self,
        v: Value<'a>,
        pos: Pos,
        context: &'static str,
    ) -> Result<(Bytes<'a>, Context)> {
        match self.force(v, pos).map_err(|e| e.while_(pos, context))? {
            Value::Str(names, bytes) => Ok((bytes, names)),
            other => Err(self.wrong_type("a string", other, pos).while_(pos, context)),
        }
    }

    /// A string that refers to no store object.
    pub fn force_string_no_context(
        &mut self,
        v: Value<'a>,
        pos: Pos,
        context: &'static str,
    ) -> Result<Bytes<'a>> {
        let (bytes, names) = self.force_string(v, pos, context)?;
        if names.is_none() {
            return Ok(bytes);
        }
        let text = String::from_utf8_lossy(bytes.items());
        let store = self.store.dir();
        let elements = self.contexts.elements(names);
        let refers = elements.first().map(|element| store.to_absolute(element.path()));
        let refers = String::from_utf8_lossy(refers.as_deref().unwrap_or_default()).into_owned();
        let message = format!(
            "the string '{text}' is not allowed to refer to a store path (such as '{refers}')"
        );
        Err(Error::evaluation(pos, message).while_(pos, context))
    }

    /// The error that `value` is not `wanted`.
    #[cold]
    pub fn wrong_type(&mut self, wanted: &str, value: Value<'a>, pos: Pos) -> Error {
        let shown = self.describe(value);
        Error::type_error(pos, format!("expected {wanted} but found {shown}"))
    }
}

/// The error of a program that is nested too deeply for the stack.
#[cold]
fn stack_overflow() -> Error {
    const { assert!(STACK_RESERVE > 0) }
    let message = "stack overflow; max-call-depth exceeded";
    Error::new(ErrorKind::StackOverflow, Pos::NONE, message)
}
