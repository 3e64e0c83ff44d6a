//! Expressions that are values as they stand: literals, paths, globals.

use std::cell::Cell;

use super::{LowerError, Lowered, Lowerer, number};
use crate::eval::code::Node;
use crate::eval::value::{Attrs, AttrsBuilder, Context, Value};
use crate::syntax::{Symbol, Text};

/// Integers up to this one share a constant each.
const SMALL_INTEGERS: usize = 32;

/// The constants that many sources have in common, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Constants {
    integers: [Option<u32>; SMALL_INTEGERS],
    empty_string: Option<u32>,
    empty_list: Option<u32>,
    empty_set: Option<u32>,
}

impl<'a> Lowerer<'_, '_, 'a> {
    /// Adds a constant.
    pub(super) fn constant(&mut self, value: Value<'a>) -> u32 {
        self.code.constants.push(value);
        number(self.code.constants.len() - 1)
    }

    pub(super) fn integer(&mut self, value: i64) -> Node {
        let small = usize::try_from(value).ok().filter(|&value| value < SMALL_INTEGERS);
        let Some(small) = small else { return Node::Const(self.constant(Value::Int(value))) };
        let known = self.tables.constants.integers[small];
        let constant = known.unwrap_or_else(|| self.constant(Value::Int(value)));
        self.tables.constants.integers[small] = Some(constant);
        Node::Const(constant)
    }

    pub(super) fn string(&mut self, text: Text) -> Node {
        let text = self.ast.text(text);
        if !text.is_empty() {
            let bytes = self.arena.copy((), text);
            return Node::Const(self.constant(Value::Str(Context::NONE, bytes)));
        }
        let known = self.tables.constants.empty_string;
        let constant = known.unwrap_or_else(|| {
            let bytes = self.arena.copy((), text);
            self.constant(Value::Str(Context::NONE, bytes))
        });
        self.tables.constants.empty_string = Some(constant);
        Node::Const(constant)
    }

    pub(super) fn empty_list(&mut self) -> Node {
        let known = self.tables.constants.empty_list;
        let constant = known.unwrap_or_else(|| {
            let list = self.arena.block((), 0, |_| Cell::new(Value::Null));
            self.constant(Value::List(list))
        });
        self.tables.constants.empty_list = Some(constant);
        Node::Const(constant)
    }

    pub(super) fn empty_set(&mut self) -> Node {
        let known = self.tables.constants.empty_set;
        let constant = known.unwrap_or_else(|| {
            let set = AttrsBuilder::default().build(self.arena);
            self.constant(Value::Attrs(set))
        });
        self.tables.constants.empty_set = Some(constant);
        Node::Const(constant)
    }

    /// The value of `builtins.name` where it is known beforehand, as a constant.
    pub(super) fn builtin(&mut self, name: Symbol) -> Option<Node> {
        let builtins: Attrs<'a> = self.unit.builtins;
        let value = builtins.get(name)?.get();
        value.is_forced().then(|| Node::Const(self.constant(value)))
    }

    /// A path literal. A slash at its end stays, as C++ Nix has it: only the first part of an
    /// interpolated path can have one.
    pub(super) fn path(&mut self, text: Text) -> Node {
        let text = self.ast.text(text);
        let mut path = Vec::with_capacity(self.unit.dir.len() + text.len() + 1);
        if text.first() != Some(&b'/') {
            append_canonical(&mut path, self.unit.dir);
        }
        append_canonical(&mut path, text);
        if path.is_empty() || (text.len() > 1 && text.ends_with(b"/")) {
            path.push(b'/');
        }
        let bytes = self.arena.copy((), &path);
        Node::Const(self.constant(Value::Path(bytes)))
    }

    /// `~/…`, which C++ Nix does not make canonical.
    pub(super) fn home_path(&mut self, text: Text, offset: u32) -> Lowered<Node> {
        let text = self.ast.text(text);
        let error = |message: String| {
            Err(Box::new(LowerError { offset, message, suggestions: Vec::new() }))
        };
        if self.unit.settings.pure {
            let text = String::from_utf8_lossy(text);
            return error(format!("the path '{text}' can not be resolved in pure mode"));
        }
        let Some(home) = &self.unit.settings.home else {
            return error("cannot determine the home directory".to_owned());
        };
        let below = text.strip_prefix(b"~").unwrap_or(text);
        let bytes = self.arena.concat((), &[home.as_slice(), below]);
        Ok(Node::Const(self.constant(Value::Path(bytes))))
    }
}

/// Appends the components of `text` to `path`, which is canonical but for the root being empty.
fn append_canonical(path: &mut Vec<u8>, text: &[u8]) {
    for component in text.split(|&byte| byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." => path.truncate(path.iter().rposition(|&byte| byte == b'/').unwrap_or(0)),
            _ => {
                path.push(b'/');
                path.extend_from_slice(component);
            }
        }
    }
}
