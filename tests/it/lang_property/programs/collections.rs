//! Expressions that give a list, a set or a function.

use super::Kind::{Bool, Float, Function, Int, List, Set, Text};
use super::{Kind, NAMES, Programs};
use crate::lang_property::tree::{Part, Tree, tree};

impl Programs {
    pub(super) fn list(&mut self, inner: &Kind, depth: usize) -> Tree {
        let same = List(Box::new(inner.clone()));
        match self.random.below(13) {
            0..=3 => {
                let mut parts: Vec<Part> = vec!["[ ".into()];
                for _ in 0..self.random.below(5) {
                    parts.extend([self.operand(inner, depth).into(), " ".into()]);
                }
                parts.push("]".into());
                Tree(parts)
            }
            4 => tree!["(", self.expr(&same, depth), " ++ ", self.expr(&same, depth), ")"],
            5 | 6 => {
                let from = self.kind(1);
                let function = Function(Box::new(from.clone()), Box::new(inner.clone()));
                let list = List(Box::new(from));
                tree!["(map ", self.operand(&function, depth), " ", self.operand(&list, depth), ")"]
            }
            7 => {
                let test = Function(Box::new(inner.clone()), Box::new(Bool));
                tree![
                    "(builtins.filter ",
                    self.operand(&test, depth),
                    " ",
                    self.operand(&same, depth),
                    ")"
                ]
            }
            8 => {
                let function = Function(Box::new(Int), Box::new(inner.clone()));
                tree![
                    "(builtins.genList ",
                    self.operand(&function, depth),
                    format!(" {})", self.random.below(5))
                ]
            }
            9 if matches!(inner, Int | Text | Float) => {
                let order = self.random.one_of(&[
                    "builtins.lessThan",
                    "(a: b: a > b)",
                    "(a: b: a <= b)",
                    "(a: b: false)",
                ]);
                tree![format!("(builtins.sort {order} "), self.operand(&same, depth), ")"]
            }
            9 => tree!["(builtins.sort (a: b: false) ", self.operand(&same, depth), ")"],
            10 => {
                let nested = List(Box::new(same));
                tree!["(builtins.concatLists ", self.operand(&nested, depth), ")"]
            }
            11 => {
                let kind = Set(vec![("a", inner.clone()), ("b", inner.clone())]);
                tree!["(builtins.catAttrs \"a\" [ ", self.operand(&kind, depth), " { } ])"]
            }
            _ => {
                let test = Function(Box::new(inner.clone()), Box::new(Bool));
                let part = self.random.one_of(&["right", "wrong"]);
                tree![
                    "(builtins.partition ",
                    self.operand(&test, depth),
                    " ",
                    self.operand(&same, depth),
                    format!(").{part}")
                ]
            }
        }
    }

    pub(super) fn set(&mut self, attributes: &[(&'static str, Kind)], depth: usize) -> Tree {
        let whole = Set(attributes.to_vec());
        match self.random.below(12) {
            0..=4 => self.set_literal(attributes, depth),
            5 | 6 => {
                let other = self.set_kind(1);
                tree!["(", self.expr(&other, depth), " // ", self.expr(&whole, depth), ")"]
            }
            7 if attributes.is_empty() => {
                let kind = self.set_kind(2);
                tree!["(builtins.mapAttrs (n: v: n) ", self.operand(&kind, depth), ")"]
            }
            7 => tree!["(builtins.mapAttrs (n: v: v) ", self.operand(&whole, depth), ")"],
            8 => {
                let (name, other) = (self.name(), self.kind(1));
                let more =
                    tree!["{ name = \"z-", name, "\"; value = ", self.expr(&other, depth), "; }"];
                tree!["(builtins.listToAttrs [ ", more, " ] // ", self.operand(&whole, depth), ")"]
            }
            9 => tree![
                "(removeAttrs ",
                self.operand(&whole, depth),
                " [ \"q\" ",
                self.removable(attributes),
                "])"
            ],
            10 if attributes.is_empty() => {
                let list = List(Box::new(Text));
                tree![
                    "(builtins.groupBy (x: builtins.substring 0 1 x) ",
                    self.operand(&list, depth),
                    ")"
                ]
            }
            10 => tree![
                "(builtins.intersectAttrs ",
                self.operand(&whole, depth),
                " ",
                self.operand(&whole, depth),
                ")"
            ],
            _ if attributes.is_empty() => {
                let (left, right) = (self.set_kind(1), self.set_kind(1));
                tree![
                    "(builtins.zipAttrsWith (n: vs: vs) [ ",
                    self.operand(&left, depth),
                    " ",
                    self.operand(&right, depth),
                    " ])"
                ]
            }
            _ => self.set_literal(attributes, depth),
        }
    }

    /// Names that may be taken away from a set without harm.
    fn removable(&mut self, attributes: &[(&'static str, Kind)]) -> String {
        let name = self.name();
        if attributes.iter().any(|(needed, _)| *needed == name) {
            String::new()
        } else {
            format!("\"{name}\" ")
        }
    }

    pub(super) fn set_literal(
        &mut self,
        attributes: &[(&'static str, Kind)],
        depth: usize,
    ) -> Tree {
        let recursive = self.random.once_in(4);
        let mut parts: Vec<Part> = vec![if recursive { "(rec { ".into() } else { "({ ".into() }];
        let mut all = attributes.to_vec();
        for name in NAMES {
            if self.random.once_in(7) && all.iter().all(|(other, _)| other != name) {
                all.push((name, self.kind(1)));
            }
        }
        for (at, (name, kind)) in all.iter().enumerate() {
            let scope = if recursive { &all[..at] } else { &[] };
            let scope =
                scope.iter().map(|(name, kind)| ((*name).to_owned(), kind.clone())).collect();
            let value = self.in_scope(scope, kind, depth);
            match self.random.below(8) {
                0 if !recursive => parts.push(format!("${{\"{name}\" + \"\"}} = ").into()),
                1 => parts.push(format!("\"{name}\" = ").into()),
                _ => parts.push(format!("{name} = ").into()),
            }
            parts.extend([value.into(), "; ".into()]);
        }
        if self.random.once_in(5) {
            let kind = self.kind(1);
            let value = self.expr(&kind, depth);
            parts.extend(["deep.er.one = ".into(), value.into(), "; deep.er.two = 2; ".into()]);
        }
        if self.random.once_in(9) {
            parts.push("${null} = 1; ".into());
        }
        if self.random.once_in(6) {
            parts.push("inherit (builtins) langVersion; ".into());
        }
        parts.push("})".into());
        Tree(parts)
    }

    pub(super) fn function(&mut self, from: &Kind, to: &Kind, depth: usize) -> Tree {
        let name = self.fresh();
        match self.random.below(8) {
            0 => {
                let unused = format!("({{ __functor = self: {name}: ");
                let body = self.in_scope(vec![(name, from.clone())], to, depth);
                tree![unused, body, "; })"]
            }
            1 => {
                let second = self.fresh();
                let scope = vec![(name.clone(), Int), (second.clone(), from.clone())];
                let body = self.in_scope(scope, to, depth);
                let first = self.operand(&Int, depth);
                tree![format!("(({name}: {second}: "), body, ") ", first, ")"]
            }
            _ => {
                let body = self.in_scope(vec![(name.clone(), from.clone())], to, depth);
                tree![format!("({name}: "), body, ")"]
            }
        }
    }
}
