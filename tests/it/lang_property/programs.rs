//! Generated programs: well-typed ones, which mostly have a value, derivations, ill-typed ones and
//! damaged ones.

use super::tree::{Part, Random, Tree, tree};

/// What an expression gives.
#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Int,
    Float,
    Bool,
    Text,
    Null,
    List(Box<Kind>),
    /// With at least these attributes.
    Set(Vec<(&'static str, Kind)>),
    Function(Box<Kind>, Box<Kind>),
}

use Kind::{Bool, Float, Function, Int, List, Null, Set, Text};

const NAMES: &[&str] = &["a", "b", "c", "d", "name", "value", "x'", "y-z"];

/// Texts as they stand in a program, between double quotes.
const TEXTS: &[&str] = &[
    "", "a", "b", "ab", "hello", "ä€", "\\n", "a\\tb", "\\\"", "\\\\", "\\${x}", "$", "$$", "x y",
    "1", "1.2", "a-1.0", "/a/b", "true", "<&>", "'", "''", "{}", "foo\\r", "1.0pre2", "zzz", "🙂",
];

/// Generates programs. `variables` are those in scope, with what they are.
pub(super) struct Programs {
    random: Random,
    variables: Vec<(String, Kind)>,
    made: usize,
}

impl Programs {
    pub(super) fn new(random: Random) -> Self {
        Self { random, variables: Vec::new(), made: 0 }
    }

    fn fresh(&mut self) -> String {
        self.made += 1;
        format!("v{}", self.made)
    }

    fn name(&mut self) -> &'static str {
        self.random.one_of(NAMES)
    }

    fn kind(&mut self, depth: usize) -> Kind {
        match self.random.below(if depth == 0 { 7 } else { 11 }) {
            0..=2 => Int,
            3 | 4 => Text,
            5 => Bool,
            6 => [Float, Null][self.random.below(2)].clone(),
            7 | 8 => List(Box::new(self.kind(depth - 1))),
            9 => self.set_kind(depth),
            _ => Function(Box::new(self.kind(depth - 1)), Box::new(self.kind(depth - 1))),
        }
    }

    fn set_kind(&mut self, depth: usize) -> Kind {
        let mut attributes: Vec<(&'static str, Kind)> = Vec::new();
        for _ in 0..self.random.below(4) {
            let name = self.name();
            if attributes.iter().all(|(other, _)| *other != name) {
                attributes.push((name, self.kind(depth.saturating_sub(1))));
            }
        }
        Set(attributes)
    }

    /// A kind without functions, whose values may be compared, ordered by JSON and so on.
    fn plain_kind(&mut self, depth: usize) -> Kind {
        match self.kind(depth) {
            Function(..) => Int,
            List(inner) if !is_plain(&inner) => List(Box::new(Text)),
            Set(attributes) if attributes.iter().any(|(_, kind)| !is_plain(kind)) => {
                Set(Vec::new())
            }
            kind => kind,
        }
    }

    /// A program without free variables.
    pub(super) fn typed(&mut self) -> Tree {
        self.variables.clear();
        let kind = self.kind(2);
        self.expr(&kind, 5)
    }

    fn in_scope(&mut self, variables: Vec<(String, Kind)>, kind: &Kind, depth: usize) -> Tree {
        let before = self.variables.len();
        self.variables.extend(variables);
        let tree = self.expr(kind, depth);
        self.variables.truncate(before);
        tree
    }

    fn variable(&mut self, kind: &Kind) -> Option<Tree> {
        let fitting: Vec<_> = self
            .variables
            .iter()
            .filter(|(_, other)| other == kind)
            .map(|(name, _)| name.clone())
            .collect();
        if fitting.is_empty() {
            return None;
        }
        Some(tree![fitting[self.random.below(fitting.len())].clone()])
    }

    /// An expression of a kind, put so that it can stand anywhere.
    fn expr(&mut self, kind: &Kind, depth: usize) -> Tree {
        if self.random.once_in(3)
            && let Some(variable) = self.variable(kind)
        {
            return variable;
        }
        if depth == 0 {
            return self.literal(kind);
        }
        if self.random.once_in(4) {
            return self.around(kind, depth - 1);
        }
        let depth = depth - 1;
        match kind {
            Int => self.int(depth),
            Float => self.float(depth),
            Bool => self.bool(depth),
            Text => self.text(depth),
            Null => tree!["null"],
            List(inner) => self.list(inner, depth),
            Set(attributes) => self.set(attributes, depth),
            Function(from, to) => self.function(from, to, depth),
        }
    }

    fn literal(&mut self, kind: &Kind) -> Tree {
        match kind {
            Int => {
                let value = self
                    .random
                    .one_of(&["0", "1", "2", "3", "7", "10", "(-1)", "(-5)", "42", "1000"]);
                tree![value]
            }
            Float => {
                tree![self.random.one_of(&[
                    "0.5", "1.0", "2.25", "(-1.5)", ".1", "1.0e10", "3.0e-3", "100000.0"
                ])]
            }
            Bool => tree![self.random.one_of(&["true", "false"])],
            Text => tree![format!("\"{}\"", self.random.one_of(TEXTS))],
            Null => tree!["null"],
            List(_) => tree!["[ ]"],
            Set(attributes) => {
                let mut parts: Vec<Part> = vec!["{ ".into()];
                for (name, kind) in attributes {
                    parts.extend([
                        format!("{name} = ").into(),
                        self.literal(kind).into(),
                        "; ".into(),
                    ]);
                }
                parts.push("}".into());
                Tree(parts)
            }
            Function(_, to) => tree!["(_: ", self.literal(to), ")"],
        }
    }

    /// What can be put around an expression of any kind.
    fn around(&mut self, kind: &Kind, depth: usize) -> Tree {
        match self.random.below(16) {
            0 | 1 => {
                let condition = self.expr(&Bool, depth);
                let (yes, no) = (self.expr(kind, depth), self.expr(kind, depth));
                tree!["(if ", condition, " then ", yes, " else ", no, ")"]
            }
            2..=4 => self.let_in(kind, depth),
            5 => {
                let from = self.kind(1);
                let name = self.fresh();
                let argument = self.expr(&from, depth);
                let body = self.in_scope(vec![(name.clone(), from)], kind, depth);
                tree![format!("(({name}: "), body, ") ", argument, ")"]
            }
            6 => self.formals_call(kind, depth),
            7 => {
                let name = self.name();
                let inside = Set(vec![(name, kind.clone())]);
                tree![self.expr(&inside, depth), format!(".{name}")]
            }
            8 => {
                let name = self.name();
                let base = self.expr(&Set(Vec::new()), depth);
                if matches!(kind, Function(..) | Set(_) | List(_)) {
                    // The attribute may be there with another kind.
                    return tree![
                        "({ } // ",
                        base,
                        format!(").missing or "),
                        self.operand(kind, depth)
                    ];
                }
                tree![format!("{{ }}.{name} or "), self.operand(kind, depth)]
            }
            9 => {
                let name = self.fresh();
                let value = self.kind(1);
                let scope = self.expr(&value, depth);
                let body = self.in_scope(vec![(name.clone(), value)], kind, depth);
                tree![format!("(with {{ {name} = "), scope, "; }; ", body, ")"]
            }
            10 => tree!["(assert ", self.expr(&Bool, depth), "; ", self.expr(kind, depth), ")"],
            11 => {
                let unused = self.kind(1);
                tree![
                    "(builtins.seq ",
                    self.operand(&unused, depth),
                    " ",
                    self.operand(kind, depth),
                    ")"
                ]
            }
            12 if self.random.once_in(4) => tree!["(throw ", self.operand(&Text, depth), ")"],
            13 => {
                let list = tree!["[ ", self.operand(kind, depth), " ]"];
                tree!["(builtins.head ", list, ")"]
            }
            14 => {
                let (value, other) = (self.operand(kind, depth), self.operand(kind, depth));
                tree![
                    "(let t = builtins.tryEval ",
                    value,
                    "; in if t.success then t.value else ",
                    other,
                    ")"
                ]
            }
            _ => {
                let function = Function(Box::new(Int), Box::new(kind.clone()));
                tree!["(", self.operand(&function, depth), " ", self.operand(&Int, depth), ")"]
            }
        }
    }

    /// An expression that can be an argument or an element of a list.
    fn operand(&mut self, kind: &Kind, depth: usize) -> Tree {
        tree!["(", self.expr(kind, depth), ")"]
    }

    fn let_in(&mut self, kind: &Kind, depth: usize) -> Tree {
        let bound: Vec<_> =
            (0..=self.random.below(3)).map(|_| (self.fresh(), self.kind(2))).collect();
        let mut parts: Vec<Part> = vec!["(let ".into()];
        for (at, (name, value)) in bound.iter().enumerate() {
            // Those before and, by no name that could loop, none after.
            let tree = self.in_scope(bound[..at].to_vec(), value, depth);
            parts.extend([format!("{name} = ").into(), tree.into(), "; ".into()]);
        }
        parts.extend(["in ".into(), self.in_scope(bound, kind, depth).into(), ")".into()]);
        Tree(parts)
    }

    fn formals_call(&mut self, kind: &Kind, depth: usize) -> Tree {
        let (first, second, all) = (self.fresh(), self.fresh(), self.fresh());
        let default = self.expr(&Int, depth);
        let scope = vec![(first.clone(), Text), (second.clone(), Int)];
        let body = self.in_scope(scope, kind, depth);
        let given = self.expr(&Text, depth);
        let more = match self.random.below(3) {
            0 => tree![format!("{second} = "), self.expr(&Int, depth), "; "],
            _ => tree![""],
        };
        let pattern = match self.random.below(3) {
            0 => format!("@ {all}: "),
            _ => ": ".to_owned(),
        };
        tree![
            format!("(({{ {first}, {second} ? "),
            default,
            format!(", ... }} {pattern}"),
            body,
            format!(") {{ {first} = "),
            given,
            "; ",
            more,
            "})"
        ]
    }

    fn int(&mut self, depth: usize) -> Tree {
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
        let text: String = (0..count)
            .map(|_| {
                format!("{}{}", self.random.one_of(&part), self.random.one_of(&[".", "-", "", "."]))
            })
            .collect();
        tree![format!("\"{text}\"")]
    }

    fn float(&mut self, depth: usize) -> Tree {
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

    fn bool(&mut self, depth: usize) -> Tree {
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

    fn text(&mut self, depth: usize) -> Tree {
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

    fn list(&mut self, inner: &Kind, depth: usize) -> Tree {
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

    fn set(&mut self, attributes: &[(&'static str, Kind)], depth: usize) -> Tree {
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

    fn set_literal(&mut self, attributes: &[(&'static str, Kind)], depth: usize) -> Tree {
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

    fn function(&mut self, from: &Kind, to: &Kind, depth: usize) -> Tree {
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

    /// The paths of a derivation with generated attributes.
    pub(super) fn derivation(&mut self) -> Tree {
        self.variables.clear();
        let mut parts: Vec<Part> = vec!["(let d = derivation { ".into()];
        let name = self.random.one_of(&["a", "x-1.0", "lib+2", "name_?=."]);
        parts.push(format!("name = \"{name}\"; system = \"s\"; builder = \"/\" + ").into());
        parts.extend([self.operand(&Text, 1).into(), "; ".into()]);
        if self.random.once_in(2) {
            let list = List(Box::new([Text, Int, Bool][self.random.below(3)].clone()));
            parts.extend(["args = ".into(), self.expr(&list, 2).into(), "; ".into()]);
        }
        let structured = self.random.once_in(3);
        if structured {
            parts.push("__structuredAttrs = true; ".into());
        }
        if self.random.once_in(4) {
            parts.push("__ignoreNulls = true; ".into());
        }
        match self.random.below(4) {
            0 => parts.push("outputs = [ \"out\" \"dev\" ]; ".into()),
            1 => parts.push("outputs = [ \"lib\" \"out\" \"bin\" ]; ".into()),
            2 => parts.push(self.fixed().into()),
            _ => {}
        }
        for at in 0..self.random.below(6) {
            let kind = match self.plain_kind(if structured { 2 } else { 1 }) {
                Set(_) if !structured => Null,
                List(inner) if !structured && matches!(*inner, Set(_)) => List(Box::new(Text)),
                kind => kind,
            };
            let name = ["v", "A_B", "with-dash", "x'"][self.random.below(4)];
            parts.extend([
                format!("{name}{at} = ").into(),
                self.expr(&kind, 3).into(),
                "; ".into(),
            ]);
        }
        parts.push("}; in [ d.drvPath d.outPath ])".into());
        Tree(parts)
    }

    fn fixed(&mut self) -> String {
        let algorithm = self.random.one_of(&["md5", "sha1", "sha256", "sha512"]);
        let mode = self.random.one_of(&["flat", "recursive", "nar"]);
        let text = self.random.next();
        format!(
            "outputHashAlgo = \"{algorithm}\"; outputHashMode = \"{mode}\"; \
             outputHash = builtins.hashString \"{algorithm}\" \"{text}\"; "
        )
    }

    /// A program in which some expressions are not of the kind that belongs there.
    pub(super) fn odd(&mut self) -> Tree {
        let program = self.typed();
        let (old, new) = (self.kind(1), self.kind(1));
        let stranger = self.literal(&new);
        let spots = count(&program);
        if spots < 2 {
            return tree!["(", program, " + ", self.literal(&old), ")"];
        }
        let spot = 1 + self.random.below(spots - 1);
        replaced(&program, spot, &stranger)
    }

    /// A program with a word or two missing, doubled or out of place.
    pub(super) fn damaged(&mut self) -> Tree {
        let text = self.typed().to_string();
        let mut words: Vec<&str> = split_words(&text);
        for _ in 0..=self.random.below(2) {
            if words.is_empty() {
                break;
            }
            let at = self.random.below(words.len());
            match self.random.below(4) {
                0 => _ = words.remove(at),
                1 => words.insert(at, words[at]),
                2 => {
                    let other = self.random.below(words.len());
                    words.swap(at, other);
                }
                _ => {
                    let extra = [
                        "(", ")", "{", "}", "[", "]", ";", ":", "=", "\"", "''", "${", "or", "rec",
                        "let", "in", ".", "?", "@", "...", "/*", "//", "-", "!",
                    ];
                    words.insert(at, extra[self.random.below(extra.len())]);
                }
            }
        }
        tree![words.concat()]
    }
}

fn is_plain(kind: &Kind) -> bool {
    match kind {
        Function(..) => false,
        List(inner) => is_plain(inner),
        Set(attributes) => attributes.iter().all(|(_, kind)| is_plain(kind)),
        _ => true,
    }
}

/// The number of expressions in a program.
fn count(tree: &Tree) -> usize {
    let below = tree.0.iter().map(|part| match part {
        Part::Tree(tree) => count(tree),
        Part::Text(_) => 0,
    });
    1 + below.sum::<usize>()
}

/// The program with its expression of that number replaced.
fn replaced(tree: &Tree, mut number: usize, new: &Tree) -> Tree {
    if number == 0 {
        return new.clone();
    }
    number -= 1;
    let mut copy = tree.clone();
    for part in &mut copy.0 {
        let Part::Tree(inner) = part else { continue };
        let inside = count(inner);
        if number < inside {
            *inner = replaced(inner, number, new);
            break;
        }
        number -= inside;
    }
    copy
}

/// Words, blanks and single signs, which together are the text.
fn split_words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_ascii_alphanumeric();
        let end = if word(first) {
            rest.find(|c| !word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        words.push(&rest[..end]);
        rest = &rest[end..];
    }
    words
}

/// A float in all the ways of printing one.
pub(super) fn printed_float(random: &mut Random) -> Tree {
    let digits = |random: &mut Random, most: usize| -> String {
        (0..random.below(most)).map(|_| random.one_of(&["0", "1", "3", "5", "9", "7"])).collect()
    };
    // What begins with a zero has no more digits before the point.
    let whole = format!("{}{}", random.below(9) + 1, digits(random, 9));
    let whole = if random.once_in(3) { "0".to_owned() } else { whole };
    let mut text = format!("{whole}.{}{}", random.below(10), digits(random, 10));
    if random.once_in(2) {
        text.push_str(&format!("e{}{}", random.one_of(&["", "-", "+"]), random.below(40)));
    }
    let sign = if random.once_in(3) { "-" } else { "" };
    tree![format!(
        "(let f = {sign}{text}; in [ f (toString f) (builtins.toJSON f) (builtins.toXML f) (f * 3) (f / 7) ])"
    )]
}
