//! Literals of lists and attribute sets.

use std::cell::Cell;

use super::Eval;
use super::code::{NodeId, Range, SetCode};
use super::error::{Error, Result};
use super::position::Pos;
use super::value::{Attrs, AttrsBuilder, Env, Value, share};
use crate::syntax::Symbol;

impl<'a> Eval<'a> {
    #[inline(never)]
    pub(super) fn list_literal(&mut self, items: Range, env: Env<'a>) -> Value<'a> {
        let start = items.start as usize;
        let item = |at| Cell::new(self.delay(self.code.ids[start + at], env));
        Value::List(self.arena.block((), items.len as usize, item))
    }

    /// A set literal, by its number.
    #[inline(never)]
    pub(super) fn attrs(&mut self, number: u32, env: Env<'a>) -> Result<Value<'a>> {
        let set = &self.code.sets[number as usize];
        let start = set.values.start as usize;
        if !set.frame && set.dynamics.len == 0 {
            let value = |at| self.delay(self.code.ids[start + at], env);
            return Ok(Value::Attrs(Attrs::new(self.arena, set.shape, value)));
        }
        let set = *set;
        let mut inner = env;
        if set.frame {
            let own = usize::from(set.recursive);
            let slots = own + set.inherit_from.len as usize;
            inner = self.arena.frame(Some(env), slots, |_| Cell::new(Value::Blackhole));
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
            let node = self.code.ids[at];
            // Nothing may be taken from a variable before `__overrides` has had its way.
            slot.set(match set.overrides {
                Some(_) => Value::Thunk(node, inner),
                None => self.delay(node, inner),
            });
        }
        let mut whole = attrs;
        if let Some(index) = set.overrides {
            whole = self.overridden(attrs, index)?;
        }
        if set.dynamics.len > 0 {
            whole = self.with_dynamics(whole, set, inner)?;
        }
        Ok(Value::Attrs(whole))
    }

    /// Applies the ancient `__overrides` of a recursive set, which its own variables see as well.
    pub(super) fn overridden(&mut self, attrs: Attrs<'a>, index: u32) -> Result<Attrs<'a>> {
        let Some(slot) = attrs.own_slots().get(index as usize) else { return Ok(attrs) };
        let what = "while evaluating the `__overrides` attribute";
        let overrides = self.force_attrs(Value::Ref(slot), Pos::NONE, what)?;
        for attr in overrides.iter(self.arena) {
            if let Some(own) = attrs.get(attr.name) {
                own.set(share(attr.slot));
            }
        }
        Ok(attrs.update(self.arena, overrides))
    }

    /// Adds the attributes whose names are computed.
    pub(super) fn with_dynamics(
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
            let Some(name) = self.attribute_name(dynamic.name, env, dynamic.pos)? else { continue };
            let before = match attrs.get_attr(name) {
                Some(attr) => Some(attr.pos),
                None => added.iter().find(|(other, _)| *other == name).map(|(_, pos)| *pos),
            };
            if let Some(before) = before {
                let message =
                    format!("dynamic attribute '{}' already defined", self.symbols.text(name));
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
    fn attribute_name(&mut self, node: NodeId, env: Env<'a>, pos: Pos) -> Result<Option<Symbol>> {
        let what = "while evaluating the name of a dynamic attribute";
        match self.eval(node, env).map_err(|error| error.while_(pos, what))? {
            Value::Null => Ok(None),
            value => {
                let name = self.force_string_no_context(value, pos, what)?;
                Ok(Some(self.symbols.intern(name.items())))
            }
        }
    }
}
