//! Attribute paths: selecting, asking whether there is something, and variables of `with`.

use super::Eval;
use super::code::{Name, Node, NodeId, Range};
use super::error::{Error, ErrorKind, Result};
use super::position::Pos;
use super::run::outer;
use super::value::{Attrs, AttrsBuilder, Context, Env, Value};
use crate::syntax::Symbol;

impl<'a> Eval<'a> {
    /// A name of an attribute path.
    pub(super) fn path_name(&mut self, name: Name, env: Env<'a>) -> Result<Symbol> {
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
    #[inline(never)]
    pub(super) fn select(&mut self, node: NodeId, env: Env<'a>) -> Result<Value<'a>> {
        let Node::Select { base, name, hint } = self.code.node(node) else {
            return Ok(Value::Null);
        };
        let attrs = match self.eval(base, env) {
            Ok(Value::Attrs(attrs)) => attrs,
            Ok(other) => return Err(self.select_failed(node, other, &[name])),
            Err(error) => return Err(self.while_selecting(error, node, &[name])),
        };
        let Some(slot) = attrs.get_hinted(name, &self.code.hints[hint as usize]) else {
            return Err(self.missing_attribute(node, attrs, name));
        };
        match self.value_of(slot) {
            Ok(value) => Ok(value),
            Err(error) => {
                let pos = attrs.position_of(name);
                // As in Nix, what needs itself is told at its definition.
                let error = error.or_at(pos).or_at(self.code.pos(node));
                Err(self.while_evaluating(error, pos, &[name]))
            }
        }
    }

    #[inline(never)]
    pub(super) fn select_path(
        &mut self,
        node: NodeId,
        base: NodeId,
        path: Range,
        env: Env<'a>,
    ) -> Result<Value<'a>> {
        let mut value = self.eval(base, env)?;
        // Those names that are computed. All that is only wanted for messages is looked up when there is one.
        let mut computed = Vec::new();
        for (number, at) in path.indices().enumerate() {
            let known = self.code.paths[at];
            let name = self.path_name(known, env)?;
            if let Name::Dynamic(_) = known {
                computed.push(name);
            }
            let Value::Attrs(attrs) = value else {
                let names = self.names_of(path, number + 1, &computed);
                return Err(self.select_failed(node, value, &names));
            };
            let Some(slot) = attrs.get(name) else {
                return Err(self.missing_attribute(node, attrs, name));
            };
            value = match self.value_of(slot) {
                Ok(value) => value,
                Err(mut error) => {
                    let pos = attrs.position_of(name);
                    let names = self.names_of(path, number + 1, &computed);
                    if names.len() == path.len as usize {
                        error = error.or_at(pos);
                    }
                    let error = error.or_at(self.code.pos(node));
                    return Err(self.while_evaluating(error, pos, &names));
                }
            };
        }
        Ok(value)
    }

    /// The first names of a path, of which some are computed.
    #[cold]
    fn names_of(&self, path: Range, count: usize, computed: &[Symbol]) -> Vec<Symbol> {
        let mut computed = computed.iter();
        let names = self.code.paths[path.indices()].iter().take(count);
        names
            .filter_map(|name| match name {
                Name::Static(name) => Some(*name),
                Name::Dynamic(_) => computed.next().copied(),
            })
            .collect()
    }

    #[inline(never)]
    pub(super) fn select_or(
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
            let Some(slot) = attrs.get(name) else { return Ok(None) };
            value = match self.value_of(slot) {
                Ok(value) => value,
                Err(error) => {
                    let error = error.or_at(self.code.pos(node));
                    return Err(self.while_evaluating(error, attrs.position_of(name), &[name]));
                }
            };
        }
        Ok(Some(value))
    }

    #[inline(never)]
    pub(super) fn has_attr(
        &mut self,
        base: NodeId,
        path: Range,
        env: Env<'a>,
    ) -> Result<Value<'a>> {
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
    pub(super) fn shown_path(&self, names: &[Symbol]) -> String {
        names.iter().map(|name| self.symbols.quoted(*name)).collect::<Vec<_>>().join(".")
    }

    #[cold]
    pub(super) fn while_evaluating(&self, error: Error, pos: Pos, names: &[Symbol]) -> Error {
        error.while_(pos, format!("while evaluating the attribute '{}'", self.shown_path(names)))
    }

    #[cold]
    pub(super) fn while_selecting(&self, error: Error, node: NodeId, names: &[Symbol]) -> Error {
        let what = format!("while selecting the attribute '{}'", self.shown_path(names));
        error.while_(self.code.pos(node), what)
    }

    #[cold]
    pub(super) fn select_failed(
        &mut self,
        node: NodeId,
        value: Value<'a>,
        names: &[Symbol],
    ) -> Error {
        let error = self.wrong_type("a set", value, self.code.pos(node));
        self.while_selecting(error, node, names)
    }

    #[cold]
    pub(super) fn missing_attribute(
        &mut self,
        node: NodeId,
        attrs: Attrs<'a>,
        name: Symbol,
    ) -> Error {
        let near = self.near_attributes(attrs, name);
        let pos = self.code.pos(node);
        Error::missing_attribute(pos, &self.symbols.quoted(name)).suggesting(near)
    }

    /// Names of a set that may have been meant.
    #[cold]
    pub(super) fn near_attributes(&self, attrs: Attrs<'a>, name: Symbol) -> Vec<String> {
        let names = attrs.iter(self.arena).map(|attr| self.symbols.name(attr.name));
        super::text::near_names(self.symbols.name(name), names)
    }

    #[inline(never)]
    pub(super) fn with_variable(&mut self, node: NodeId, innermost: Env<'a>) -> Result<Value<'a>> {
        let Node::WithVar { name, mut with, found, .. } = self.code.node(node) else {
            return Ok(Value::Null);
        };
        let mut frame = innermost;
        while let Some(slot) = frame.items().first() {
            let pos = self.code.pos(node);
            let attrs = match self.value_of(slot) {
                Ok(Value::Attrs(attrs)) => attrs,
                Ok(other) => {
                    let what = "while evaluating the first subexpression of a with expression";
                    let scope = self.code.withs[with as usize].pos;
                    return Err(self.wrong_type("a set", other, scope).while_(scope, what));
                }
                Err(error) => return Err(error.or_at(pos)),
            };
            if let Some(slot) = attrs.settled(self.arena).get(name) {
                // The frame refers to the slot's set as well, so the arena need not be told.
                if found > 0 {
                    innermost.items()[usize::from(found)].set(Value::Found(Some(slot)));
                }
                return self.variable(node, slot);
            }
            let Some((level, parent)) = self.code.withs[with as usize].parent else { break };
            (frame, with) = (outer(frame, level), parent);
        }
        let message = format!("undefined variable '{}'", self.symbols.text(name));
        Err(Error::new(ErrorKind::UndefinedVariable, self.code.pos(node), message))
    }

    /// `{ file, line, column }`, or null where there is no place.
    #[inline(never)]
    pub(super) fn position_set(&mut self, pos: Pos) -> Value<'a> {
        let Some((file, line, column)) = self.sources.file_line_column(pos) else {
            return Value::Null;
        };
        let file = self.arena.copy((), file);
        let mut builder = AttrsBuilder::with_capacity(3);
        builder.add(self.known.file, Value::Str(Context::NONE, file));
        builder.add(self.known.line, Value::Int(i64::from(line)));
        builder.add(self.known.column, Value::Int(i64::from(column)));
        Value::Attrs(builder.build(self.arena))
    }
}
