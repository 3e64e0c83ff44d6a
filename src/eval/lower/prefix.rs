//! `substring 0 (stringLength prefix) text == prefix`: how nixpkgs asks whether a text begins with another, often enough
//! that it pays to see that before it is evaluated.

use super::{Lowerer, number};
use crate::eval::code::{Node, NodeId, PrefixTest};
use crate::eval::position::Pos;
use crate::eval::value::Value;
use crate::syntax::BinOp;

impl Lowerer<'_, '_, '_> {
    /// The node for `left == right` at `pos`, if it is of this form and consists of variables.
    pub(super) fn prefix_test(&mut self, pos: Pos, left: NodeId, right: NodeId) -> Option<Node> {
        let Node::Call { function: substring, args, count: 3, .. } = self.code.node(left) else {
            return None;
        };
        let &[start, len, text, ..] = self.code.ids.get(args as usize..)? else { return None };
        let Node::Call1 { function: string_length, arg: prefix, .. } = self.code.node(len) else {
            return None;
        };
        let Node::Const(start) = self.code.node(start) else { return None };
        let begins = matches!(self.code.constants.get(start as usize), Some(Value::Int(0)));
        let variables = [substring, string_length, prefix, text];
        let simple = variables.iter().all(|&id| self.variable_of(id).is_some());
        if !begins || !simple || self.variable_of(prefix) != self.variable_of(right) {
            return None;
        }
        let whole = self.add(pos, Node::Binary { op: BinOp::Equal, left, right });
        let asked = PrefixTest { substring, string_length, prefix, text, whole };
        self.code.prefix_tests.push(asked);
        Some(Node::PrefixTest(number(self.code.prefix_tests.len() - 1)))
    }

    /// What tells a variable from all others of its expression, if the node is one or a constant. Evaluating it again
    /// gives the same, also the same failure.
    fn variable_of(&self, id: NodeId) -> Option<(u8, u32, u32)> {
        match self.code.node(id) {
            Node::Const(number) | Node::LateConst(number) => Some((0, 0, number)),
            Node::Local { slot } => Some((1, 0, slot)),
            Node::Outer { level, slot } => Some((1, level, slot)),
            Node::RecAttr { level, index } => Some((2, level, index)),
            _ => None,
        }
    }
}
