//! What is evaluated: nodes of 16 bytes in one array for all sources, with variables resolved to
//! places in environments. Made by `lower` from a parsed tree, never changed afterwards but for the hints.

use std::cell::Cell;

use super::position::Pos;
use super::value::{Hint, Shape, Value};
use crate::syntax::{BinOp, Symbol};

/// A node of [`Code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeId(u32);

impl NodeId {
    /// How many nodes there may be.
    pub const MOST: usize = 1 << 30;
    /// The bit that says [`NodeId::is_late`].
    const LATE: u32 = 1 << 31;
    /// The bit that says [`NodeId::has_body`].
    const BODY: u32 = 1 << 30;

    /// The id of the node at `index`, which is less than [`NodeId::MOST`].
    #[inline]
    #[must_use]
    pub fn new(index: u32, node: &Node) -> Self {
        Self(match node {
            Node::Const(_)
            | Node::Local { .. }
            | Node::Outer { .. }
            | Node::RecAttr { .. }
            | Node::Lambda(_) => index,
            Node::Call1 { .. }
            | Node::Call { .. }
            | Node::SelectOr { .. }
            | Node::Let { .. }
            | Node::LetHere { .. }
            | Node::With { .. }
            | Node::If { .. }
            | Node::Assert { .. } => index | Self::LATE | Self::BODY,
            _ => index | Self::LATE,
        })
    }

    /// Does the node have to be evaluated to get its value, or the slot that will have it? The id tells that, so
    /// that making a thunk of the node needs no look at it.
    #[inline]
    #[must_use]
    pub fn is_late(self) -> bool {
        self.0 & Self::LATE != 0
    }

    /// Does the node have something in tail position, or is it a call? The id tells that as well.
    #[inline]
    #[must_use]
    pub fn has_body(self) -> bool {
        self.0 & Self::BODY != 0
    }

    #[inline]
    fn index(self) -> usize {
        (self.0 & !(Self::LATE | Self::BODY)) as usize
    }
}

/// A place for an id that is not known yet.
impl Default for NodeId {
    fn default() -> Self {
        Self(Self::LATE)
    }
}

/// A function of [`Code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LambdaId(pub u32);

/// A run of entries of one of the side arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first entry.
    pub start: u32,
    /// How many there are.
    pub len: u32,
}

impl Range {
    /// As indices of the array.
    #[inline]
    #[must_use]
    pub fn indices(self) -> std::ops::Range<usize> {
        self.start as usize..(self.start + self.len) as usize
    }
}

/// One expression. An environment is a chain of frames; `level` counts frames outwards from 0.
#[derive(Debug, Clone, Copy)]
pub enum Node {
    /// A value that needs no evaluation, by its number in [`Code::constants`].
    Const(u32),
    /// The same for a value that Nix computes when it is wanted, which printing shows: `{ }`, and
    /// `builtins.name`.
    LateConst(u32),
    /// A variable of the innermost frame.
    Local {
        /// Its slot.
        slot: u32,
    },
    /// A variable of a frame further out.
    Outer {
        /// How many frames out; at least 1.
        level: u32,
        /// Its slot.
        slot: u32,
    },
    /// An attribute of the recursive set whose frame is `level` frames out: slot 0 of that frame holds the
    /// set, and the attribute stands at `index` of the set's own shape.
    RecAttr {
        /// How many frames out.
        level: u32,
        /// Index in the shape.
        index: u32,
    },
    /// A variable that no scope defines, to be looked up in the sets of `with`.
    WithVar {
        /// Its name.
        name: Symbol,
        /// The frame of the innermost `with`; its slot 0 holds the set.
        level: u32,
        /// Number in [`Code::withs`].
        with: u32,
        /// The slot of that frame which remembers where the variable was found; none if 0.
        found: u8,
    },
    /// `base.name`
    Select {
        /// What is selected from.
        base: NodeId,
        /// The attribute.
        name: Symbol,
        /// Number in [`Code::hints`].
        hint: u32,
    },
    /// `base.a.b`, with more than one name or computed ones.
    SelectPath {
        /// What is selected from.
        base: NodeId,
        /// The names: a run of [`Code::paths`].
        path: Range,
    },
    /// `base.path or default`
    SelectOr {
        /// What is selected from.
        base: NodeId,
        /// Number in [`Code::ranges`], which is a run of [`Code::paths`].
        path: u32,
        /// What counts where the path is missing.
        default: NodeId,
    },
    /// `base ? path`
    HasAttr {
        /// What is looked into.
        base: NodeId,
        /// The names: a run of [`Code::paths`].
        path: Range,
    },
    /// `{ … }` with some attribute: a number of [`Code::sets`].
    Attrs(u32),
    /// `[ … ]` with some element: a run of [`Code::ids`].
    List(Range),
    /// A function. It is a closure over the whole environment.
    Lambda(LambdaId),
    /// A call with one argument.
    Call1 {
        /// The function.
        function: NodeId,
        /// The argument.
        arg: NodeId,
        /// The place of the node, which every call wants.
        pos: Pos,
    },
    /// A call with several arguments.
    Call {
        /// How many arguments there are. A call with more is one of what a call with the first ones gives.
        count: u16,
        /// The function.
        function: NodeId,
        /// The first argument: an index of [`Code::ids`].
        args: u32,
        /// The place of the node.
        pos: Pos,
    },
    /// `left - right` and so on, where nothing rebinds the builtin that Nix calls for it.
    Arithmetic {
        /// Which.
        op: Arithmetic,
        /// The first operand.
        left: NodeId,
        /// The second.
        right: NodeId,
    },
    /// `let … in body` in a frame of its own: a number of [`Code::lets`].
    Let {
        /// The bindings.
        bindings: u32,
        /// The body, which sees the new frame.
        body: NodeId,
    },
    /// `let … in body` whose variables are slots of the function's frame around it.
    LetHere {
        /// The bindings.
        bindings: u32,
        /// The body, which sees the same frame.
        body: NodeId,
    },
    /// `with scope; body`: a frame with the set, not evaluated yet, in its first slot. The others remember where
    /// variables were found: a frame's sets do not change.
    With {
        /// Slots of the frame.
        slots: u8,
        /// The set; sees the frames without the new one.
        scope: NodeId,
        /// The body, which sees the new frame.
        body: NodeId,
    },
    /// `if condition then … else …`
    If {
        /// The condition.
        condition: NodeId,
        /// One branch.
        then: NodeId,
        /// The other.
        otherwise: NodeId,
    },
    /// `assert condition; body`
    Assert {
        /// The condition.
        condition: NodeId,
        /// The body.
        body: NodeId,
    },
    /// `!operand`
    Not(NodeId),
    /// Operators of two operands that are no calls.
    Binary {
        /// Which.
        op: BinOp,
        /// The first operand.
        left: NodeId,
        /// The second.
        right: NodeId,
    },
    /// `substring 0 (stringLength prefix) text == prefix`, as libraries ask whether a text begins so: a number of
    /// [`Code::prefix_tests`].
    PrefixTest(u32),
    /// `a + b`: its parts, a run of [`Code::ids`], whose first decides what it means.
    Plus(Range),
    /// `"…${…}…"`: its parts, a run of [`Code::ids`].
    Interpolation(Range),
    /// `__curPos`
    CurPos,
}

/// Operators that Nix has as calls of builtins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// `a - b`, and `-b` with 0 for `a`: `__sub`
    Sub,
    /// `a * b`: `__mul`
    Mul,
    /// `a / b`: `__div`
    Div,
    /// `a < b`, and `b > a`: `__lessThan`
    Less,
    /// `a >= b`, and `b <= a`, which are `!(a < b)`.
    GreaterEqual,
}

/// A name in an attribute path.
#[derive(Debug, Clone, Copy)]
pub enum Name {
    /// Known beforehand.
    Static(Symbol),
    /// `${…}`
    Dynamic(NodeId),
}

/// A set literal with some attribute.
///
/// All its expressions see one environment. It is the environment around the set, with one new frame
/// inside if `frame` says so: slot 0 of that frame holds the set (`recursive` only), the slots behind are
/// those of `inherit_from`.
#[derive(Debug, Clone, Copy)]
pub struct SetCode<'a> {
    /// The names that are known beforehand.
    pub shape: &'a Shape<'a>,
    /// Their values, in the shape's order: a run of [`Code::ids`].
    pub values: Range,
    /// The attributes with computed names: a run of [`Code::dynamics`].
    pub dynamics: Range,
    /// The sets of `inherit (set) …` that need a slot (those that are more than a variable): a run of
    /// [`Code::ids`].
    pub inherit_from: Range,
    /// Is it `rec`?
    pub recursive: bool,
    /// Does it make a frame: is it `rec`, or is there an `inherit_from`?
    pub frame: bool,
    /// The index of `__overrides` in a recursive set.
    pub overrides: Option<u32>,
}

/// An attribute with a computed name.
#[derive(Debug, Clone, Copy)]
pub struct Dynamic {
    /// Its name.
    pub name: NodeId,
    /// Its value.
    pub value: NodeId,
    /// Where it is defined.
    pub pos: Pos,
}

/// The variables of a [`Node::PrefixTest`], which may mean anything: what they are is seen when they are evaluated.
#[derive(Debug, Clone, Copy)]
pub struct PrefixTest {
    /// `substring`, if it is that builtin.
    pub substring: NodeId,
    /// `stringLength`, if it is that builtin.
    pub string_length: NodeId,
    /// What the text may begin with.
    pub prefix: NodeId,
    /// The text.
    pub text: NodeId,
    /// The whole equality as it was written.
    pub whole: NodeId,
}

/// The bindings of a `let`: the values of slots that follow one another, all of which see the frame that
/// they are in.
#[derive(Debug, Clone, Copy)]
pub struct LetCode {
    /// The first slot; 0 for a frame of its own.
    pub first_slot: u32,
    /// Slots of the frame, if it is one of its own; bodies that are `LetHere`s use slots behind the values.
    pub slots: u32,
    /// The values, those of `inherit (set)` last: a run of [`Code::ids`].
    pub values: Range,
}

/// A `with` that surrounds another expression.
#[derive(Debug, Clone, Copy)]
pub struct WithCode {
    /// The `with` around it: how many frames further out its frame is, and its number.
    pub parent: Option<(u32, u32)>,
    /// Where it stands.
    pub pos: Pos,
}

/// A function of one argument. Its frame: the argument in slot 0, or the pattern's variables in the
/// order of [`Code::formals`] (by symbol) with the whole argument behind them if it has a name; then
/// the variables of the body's `let`s. A function that is the body of another, `a: b: …`, has one frame
/// with it: the arguments of those around it come first.
#[derive(Debug, Clone, Copy)]
pub struct Lambda {
    /// The body.
    pub body: NodeId,
    /// Slots of its frame.
    pub slots: u32,
    /// How many of these it takes from its closure's frame, which then is no frame around its own.
    pub taken: u32,
    /// The pattern, if it has one.
    pub pattern: Option<Pattern>,
    /// The name of the whole argument.
    pub arg: Option<Symbol>,
    /// What it is bound to, for messages.
    pub name: Option<Symbol>,
    /// Where it is defined.
    pub pos: Pos,
}

/// The pattern of a function's argument.
#[derive(Debug, Clone, Copy)]
pub struct Pattern {
    /// A run of [`Code::formals`].
    pub formals: Range,
    /// Are other attributes allowed?
    pub ellipsis: bool,
}

/// A variable of a pattern.
#[derive(Debug, Clone, Copy)]
pub struct Formal {
    /// Its name.
    pub name: Symbol,
    /// Its default, which sees the function's frame.
    pub default: Option<NodeId>,
    /// Where it is defined.
    pub pos: Pos,
}

/// The code of all sources of one evaluation.
#[derive(Debug, Default)]
pub struct Code<'a> {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// The place of each node, beside `nodes`.
    pub positions: Vec<Pos>,
    /// Children of nodes.
    pub ids: Vec<NodeId>,
    /// The places of those parts of [`Node::Plus`] and [`Node::Interpolation`] that have others than their
    /// nodes: the index in `ids`, and the place, in the order of the indices.
    pub part_positions: Vec<(u32, Pos)>,
    /// Where each [`Node::Select`] has found its attribute the last time.
    pub hints: Vec<Cell<Hint>>,
    /// Names of attribute paths.
    pub paths: Vec<Name>,
    /// Runs of `paths` for nodes that have no room for them.
    pub ranges: Vec<Range>,
    /// Values that are the same wherever they are.
    pub constants: Vec<Value<'a>>,
    /// Set literals.
    pub sets: Vec<SetCode<'a>>,
    /// Attributes with computed names.
    pub dynamics: Vec<Dynamic>,
    /// What asks whether a text begins with another.
    pub prefix_tests: Vec<PrefixTest>,
    /// `let`s.
    pub lets: Vec<LetCode>,
    /// `with`s.
    pub withs: Vec<WithCode>,
    /// Functions.
    pub lambdas: Vec<Lambda>,
    /// Their formals.
    pub formals: Vec<Formal>,
}

impl Code<'_> {
    /// The node of `id`.
    #[inline]
    #[must_use]
    pub fn node(&self, id: NodeId) -> Node {
        self.nodes[id.index()]
    }

    /// The node of `id` without what lowering has seen in it.
    #[must_use]
    pub fn as_written(&self, id: NodeId) -> Node {
        match self.node(id) {
            Node::PrefixTest(number) => self.node(self.prefix_tests[number as usize].whole),
            node => node,
        }
    }

    /// The place of the node of `id`.
    #[inline]
    #[must_use]
    pub fn pos(&self, id: NodeId) -> Pos {
        self.positions[id.index()]
    }

    /// The place that messages name for part number `at` of `parts`: of `${` in a string, or of the
    /// operand's first byte.
    #[must_use]
    pub fn part_pos(&self, parts: Range, at: u32) -> Pos {
        let index = parts.start + at;
        let found = self.part_positions.binary_search_by_key(&index, |(index, _)| *index);
        match found.ok().and_then(|found| self.part_positions.get(found)) {
            Some((_, pos)) => *pos,
            None => self.ids.get(index as usize).map_or(Pos::NONE, |&id| self.pos(id)),
        }
    }

    /// The function that the node of `id` is, if it is one: mostly the id says that it is not.
    #[inline]
    #[must_use]
    pub fn function(&self, id: NodeId) -> Option<LambdaId> {
        if id.is_late() {
            return None;
        }
        match self.node(id) {
            Node::Lambda(function) => Some(function),
            _ => None,
        }
    }

    /// The function of `id`.
    #[inline]
    #[must_use]
    pub fn lambda(&self, id: LambdaId) -> &Lambda {
        &self.lambdas[id.0 as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_small() {
        assert_eq!(size_of::<Node>(), 16);
    }
}
