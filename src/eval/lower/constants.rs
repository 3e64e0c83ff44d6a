//! Expressions that are values as they stand: literals, paths, globals.

use super::{Lowered, Lowerer, number};
use crate::eval::arena::Arena;
use crate::eval::code::Node;
use crate::eval::value::{Attrs, AttrsBuilder, Context, Value};
use crate::syntax::{Symbol, Text};

/// Integers from 0 up to this one, without it, share a constant each.
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

    /// A constant that is made only once, whose number is kept at `place`.
    fn common(
        &mut self,
        place: impl Fn(&mut Constants) -> &mut Option<u32>,
        value: impl FnOnce(&'a Arena) -> Value<'a>,
    ) -> Node {
        if let Some(constant) = *place(&mut self.tables.constants) {
            return Node::Const(constant);
        }
        let constant = self.constant(value(self.arena));
        *place(&mut self.tables.constants) = Some(constant);
        Node::Const(constant)
    }

    pub(super) fn integer(&mut self, value: i64) -> Node {
        match usize::try_from(value) {
            Ok(small) if small < SMALL_INTEGERS => {
                self.common(|constants| &mut constants.integers[small], |_| Value::Int(value))
            }
            _ => Node::Const(self.constant(Value::Int(value))),
        }
    }

    pub(super) fn string(&mut self, text: Text) -> Node {
        let text = self.ast.text(text);
        let value = |arena: &'a Arena| Value::Str(Context::NONE, arena.copy((), text));
        if text.is_empty() {
            return self.common(|constants| &mut constants.empty_string, value);
        }
        Node::Const(self.constant(value(self.arena)))
    }

    pub(super) fn empty_list(&mut self) -> Node {
        let value = |arena: &'a Arena| Value::List(arena.block((), 0, |_| Value::Null.into()));
        self.common(|constants| &mut constants.empty_list, value)
    }

    pub(super) fn empty_set(&mut self) -> Node {
        let value = |arena| Value::Attrs(AttrsBuilder::default().build(arena));
        match self.common(|constants| &mut constants.empty_set, value) {
            Node::Const(number) => Node::LateConst(number),
            node => node,
        }
    }

    /// The value of `builtins.name` where it is known beforehand, as a constant.
    pub(super) fn builtin(&mut self, name: Symbol) -> Option<Node> {
        let builtins: Attrs<'a> = self.unit.builtins;
        let value = match builtins.get(name)?.get() {
            Value::Ref(home) => home.get(),
            value => value,
        };
        value.is_forced().then(|| Node::LateConst(self.constant(value)))
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
        if self.unit.settings.pure {
            let text = String::from_utf8_lossy(text);
            let message = format!("the path '{text}' can not be resolved in pure mode");
            return Err(self.fail(offset, message, Vec::new()));
        }
        let Some(home) = &self.unit.settings.home else {
            let message = "cannot determine the home directory".to_owned();
            return Err(self.fail(offset, message, Vec::new()));
        };
        let below = text.strip_prefix(b"~").unwrap_or(text);
        let bytes = self.arena.concat((), [home.as_slice(), below]);
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
