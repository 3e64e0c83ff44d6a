//! Generated programs: well-typed ones, which mostly have a value, derivations, ill-typed ones and
//! damaged ones.

mod collections;
mod damage;
mod derivations;
mod scalars;

use super::tree::{Part, Random, Tree, tree};
pub(super) use scalars::printed_float;

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

/// Texts that refer to the store: to a file, to outputs of derivations, to a derivation.
const REFERRING: &[&str] = &[
    "(builtins.toFile \"f\" \"x\")",
    "(toString (derivation { name = \"d\"; system = \"s\"; builder = \"b\"; }))",
    "(derivation { name = \"e\"; system = \"s\"; builder = \"b\"; outputs = [ \"out\" \"dev\" ]; }).dev.outPath",
    "(derivation { name = \"d\"; system = \"s\"; builder = \"b\"; }).drvPath",
    "(builtins.unsafeDiscardStringContext (builtins.toFile \"f\" \"y\"))",
];

/// Generates programs. `variables` are those in scope, with what they are.
pub(super) struct Programs {
    random: Random,
    variables: Vec<(String, Kind)>,
    made: usize,
    /// Do some texts refer to the store?
    contexts: bool,
}

impl Programs {
    pub(super) fn new(random: Random) -> Self {
        Self { random, variables: Vec::new(), made: 0, contexts: false }
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

    /// A text, and what it refers to.
    pub(super) fn context(&mut self) -> Tree {
        self.variables.clear();
        self.contexts = true;
        let text = self.expr(&Text, 5);
        self.contexts = false;
        tree!["(let s = ", text, "; in [ s (builtins.getContext s) ])"]
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
            Text if self.contexts && self.random.once_in(2) => tree![self.random.one_of(REFERRING)],
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
}

fn is_plain(kind: &Kind) -> bool {
    match kind {
        Function(..) => false,
        List(inner) => is_plain(inner),
        Set(attributes) => attributes.iter().all(|(_, kind)| is_plain(kind)),
        _ => true,
    }
}
