//! Expressions that give a number, a truth value or a text.

use super::Kind::{Bool, Float, Function, Int, List, Null, Set, Text};
use super::{Programs, TEXTS};
use crate::lang_property::tree::{Part, Random, Tree, tree};

impl Programs {
    pub(super) fn int(&mut self, depth: usize) -> Tree {
        let binary = |sign: &str, a: Tree, b: Tree| tree!["(", a, format!(" {sign} "), b, ")"];
        match self.random.below(13) {
            0..=2 => {
                let sign = self.random.one_of(&["+", "-", "*", "+"]);
                binary(sign, self.expr(&Int, depth), self.expr(&Int, depth))
            }
            3 => tree![
                "(",
                self.expr(&Int, depth),
                " / ",
                self.random.one_of(&["2", "3", "(-4)", "7"]),
                ")"
            ],
            4 => tree!["(-", self.expr(&Int, depth), ")"],
            5 => {
                let kind = List(Box::new(self.kind(1)));
                tree!["(builtins.length ", self.operand(&kind, depth), ")"]
            }
            6 => tree!["(builtins.stringLength ", self.operand(&Text, depth), ")"],
            7 => {
                let list = List(Box::new(Int));
                let function = self.random.one_of(&[
                    "(a: b: a + b)",
                    "builtins.add",
                    "(a: b: a - b)",
                    "(a: b: b)",
                ]);
                tree![
                    format!("(builtins.foldl' {function} "),
                    self.operand(&Int, depth),
                    " ",
                    self.operand(&list, depth),
                    ")"
                ]
            }
            8 => {
                let function = self.random.one_of(&["bitAnd", "bitOr", "bitXor", "sub", "mul"]);
                tree![
                    format!("(builtins.{function} "),
                    self.operand(&Int, depth),
                    " ",
                    self.operand(&Int, depth),
                    ")"
                ]
            }
            9 => tree!["(builtins.compareVersions ", self.version(), " ", self.version(), ")"],
            10 => {
                let round = self.random.one_of(&["floor", "ceil"]);
                tree![format!("(builtins.{round} "), self.operand(&Float, depth.min(1)), ")"]
            }
            11 => {
                let kind = self.set_kind(1);
                tree!["(builtins.length (builtins.attrNames ", self.operand(&kind, depth), "))"]
            }
            _ => self.literal(&Int),
        }
    }

    fn version(&mut self) -> Tree {
        let part = ["1", "2", "10", "0", "pre", "a", "b", "rc", "01", ""];
        let count = self.random.below(5);
        let parts = (0..count).map(|_| {
            [self.random.one_of(&part), self.random.one_of(&[".", "-", "", "."])].concat()
        });
        let text = parts.collect::<Vec<_>>().concat();
        tree![format!("\"{text}\"")]
    }

    pub(super) fn float(&mut self, depth: usize) -> Tree {
        match self.random.below(5) {
            0 | 1 => {
                let sign = self.random.one_of(&["+", "-", "*"]);
                let other = [Int, Float][self.random.below(2)].clone();
                tree![
                    "(",
                    self.expr(&Float, depth),
                    format!(" {sign} "),
                    self.expr(&other, depth),
                    ")"
                ]
            }
            2 => tree![
                "(",
                self.expr(&Int, depth),
                " / ",
                self.random.one_of(&["2.0", "3.0", "(-0.7)"]),
                ")"
            ],
            3 => tree!["(builtins.fromJSON (builtins.toJSON ", self.operand(&Float, depth), "))"],
            _ => self.literal(&Float),
        }
    }

    pub(super) fn bool(&mut self, depth: usize) -> Tree {
        match self.random.below(14) {
            0..=2 => {
                let sign = self.random.one_of(&["==", "!="]);
                let kind = self.plain_kind(2);
                tree![
                    "(",
                    self.operand(&kind, depth),
                    format!(" {sign} "),
                    self.operand(&kind, depth),
                    ")"
                ]
            }
            3 | 4 => {
                let sign = self.random.one_of(&["<", "<=", ">", ">="]);
                let kind = [Int, Text, Float, List(Box::new(Int)), List(Box::new(Text))]
                    [self.random.below(5)]
                .clone();
                tree![
                    "(",
                    self.expr(&kind, depth),
                    format!(" {sign} "),
                    self.expr(&kind, depth),
                    ")"
                ]
            }
            5 | 6 => {
                let sign = self.random.one_of(&["&&", "||", "->"]);
                tree![
                    "(",
                    self.expr(&Bool, depth),
                    format!(" {sign} "),
                    self.expr(&Bool, depth),
                    ")"
                ]
            }
            7 => tree!["(!", self.expr(&Bool, depth), ")"],
            8 => {
                let kind = self.set_kind(1);
                let path = format!("{}.{}", self.name(), self.name());
                let path = if self.random.once_in(2) { path } else { self.name().to_owned() };
                tree!["(", self.expr(&kind, depth), format!(" ? {path})")]
            }
            9 => {
                let kind = self.plain_kind(1);
                let list = List(Box::new(kind.clone()));
                tree![
                    "(builtins.elem ",
                    self.operand(&kind, depth),
                    " ",
                    self.operand(&list, depth),
                    ")"
                ]
            }
            10 => {
                let function = self.random.one_of(&["any", "all"]);
                let test = Function(Box::new(Int), Box::new(Bool));
                let list = List(Box::new(Int));
                tree![
                    format!("(builtins.{function} "),
                    self.operand(&test, depth),
                    " ",
                    self.operand(&list, depth),
                    ")"
                ]
            }
            11 => {
                let function = self.random.one_of(&[
                    "isInt",
                    "isString",
                    "isList",
                    "isAttrs",
                    "isFunction",
                    "isFloat",
                    "isNull",
                    "isBool",
                ]);
                let kind = self.kind(1);
                tree![format!("(builtins.{function} "), self.operand(&kind, depth), ")"]
            }
            12 => {
                let kind = self.set_kind(1);
                tree![
                    format!("(builtins.hasAttr \"{}\" ", self.name()),
                    self.operand(&kind, depth),
                    ")"
                ]
            }
            _ => self.literal(&Bool),
        }
    }

    pub(super) fn text(&mut self, depth: usize) -> Tree {
        match self.random.below(22) {
            0 | 1 => tree!["(", self.expr(&Text, depth), " + ", self.expr(&Text, depth), ")"],
            2..=4 => {
                let (before, after) = (self.random.one_of(TEXTS), self.random.one_of(TEXTS));
                tree![format!("\"{before} ${{"), self.expr(&Text, depth), format!("}}{after}\"")]
            }
            5 => self.indented(depth),
            6 | 7 => {
                let kind = match self.plain_kind(1) {
                    Set(_) => Null,
                    List(inner) if matches!(*inner, Set(_)) => List(Box::new(Bool)),
                    kind => kind,
                };
                tree!["(toString ", self.operand(&kind, depth), ")"]
            }
            8 | 9 => {
                let kind = self.plain_kind(2);
                tree!["(builtins.toJSON ", self.operand(&kind, depth), ")"]
            }
            10 => {
                let kind = self.kind(2);
                tree!["(builtins.typeOf ", self.operand(&kind, depth), ")"]
            }
            11 => {
                let (start, count) =
                    (self.random.below(6), self.random.one_of(&["0", "1", "3", "(-1)", "100"]));
                tree![
                    format!("(builtins.substring {start} {count} "),
                    self.operand(&Text, depth),
                    ")"
                ]
            }
            12 => {
                let list = List(Box::new(Text));
                tree![
                    "(builtins.concatStringsSep ",
                    self.operand(&Text, depth),
                    " ",
                    self.operand(&list, depth),
                    ")"
                ]
            }
            13 => tree![
                "(builtins.replaceStrings [ \"a\" ",
                self.operand(&Text, 1),
                " ] [ ",
                self.operand(&Text, depth),
                " \"_\" ] ",
                self.operand(&Text, depth),
                ")"
            ],
            14 => {
                let algorithm = self.random.one_of(&["md5", "sha1", "sha256", "sha512"]);
                tree![
                    format!("(builtins.hashString \"{algorithm}\" "),
                    self.operand(&Text, depth),
                    ")"
                ]
            }
            15 => tree!["(baseNameOf ", self.operand(&Text, depth), ")"],
            16 => tree!["(dirOf ", self.operand(&Text, depth), ")"],
            17 => {
                let kind = self.plain_kind(2);
                tree!["(builtins.toXML ", self.operand(&kind, depth), ")"]
            }
            18 => tree![
                "(builtins.parseDrvName ",
                self.version(),
                ").",
                self.random.one_of(&["name", "version"])
            ],
            19 => tree!["\"${{ __toString = self: ", self.operand(&Text, depth), "; }}\""],
            20 => tree!["(\"\" + { outPath = ", self.expr(&Text, depth), "; })"],
            _ => self.literal(&Text),
        }
    }

    /// An indented string: lines with blanks before them, some with an expression.
    fn indented(&mut self, depth: usize) -> Tree {
        let mut parts: Vec<Part> = vec!["''".into()];
        if self.random.once_in(2) {
            parts.push("\n".into());
        }
        for _ in 0..self.random.below(5) {
            let blanks = " ".repeat(self.random.below(7));
            let words = self.random.one_of(&[
                "", "x", "a b", "''\\n", "$", "''$", "'''", "\\n", "\"", "''\\t y", "  ", "$$",
                "''${x}",
            ]);
            parts.push(format!("{blanks}{words}").into());
            if self.random.once_in(3) {
                parts.extend([" ${".into(), self.expr(&Text, depth).into(), "}".into()]);
            }
            parts.push("\n".into());
        }
        parts.push(" ".repeat(self.random.below(4)).into());
        parts.push("''".into());
        Tree(parts)
    }
}

/// A float in all the ways of printing one.
pub(in crate::lang_property) fn printed_float(random: &mut Random) -> Tree {
    let digits = |random: &mut Random, most: usize| -> String {
        (0..random.below(most)).map(|_| random.one_of(&["0", "1", "3", "5", "9", "7"])).collect()
    };
    // What begins with a zero has no more digits before the point.
    let whole = format!("{}{}", random.below(9) + 1, digits(random, 9));
    let whole = if random.once_in(3) { "0".to_owned() } else { whole };
    let mut text = format!("{whole}.{}{}", random.below(10), digits(random, 10));
    if random.once_in(2) {
        text = format!("{text}e{}{}", random.one_of(&["", "-", "+"]), random.below(40));
    }
    let sign = if random.once_in(3) { "-" } else { "" };
    tree![format!(
        "(let f = {sign}{text}; in [ f (toString f) (builtins.toJSON f) (builtins.toXML f) (f * 3) (f / 7) ])"
    )]
}
