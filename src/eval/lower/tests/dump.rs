//! Lowered code as text, so that a test can say what it expects. Variables are written as places: `%0` is a
//! slot of the innermost frame, `%2.0` one of the frame two further out, `@1.3` the attribute at index 3 of
//! the recursive set one frame out, `?x.1#0` a variable of the `with` number 0 one frame out.

use std::fmt::Write as _;

use crate::eval::code::{Arithmetic, Code, LetCode, Name, Node, NodeId, Range, SetCode};
use crate::eval::value::Value;
use crate::syntax::{BinOp, Symbol, Symbols};

pub(super) struct Dump<'d, 'a> {
    pub(super) code: &'d Code<'a>,
    pub(super) symbols: &'d Symbols,
    pub(super) primops: &'d [&'d str],
}

impl Dump<'_, '_> {
    pub(super) fn node(&self, id: NodeId) -> String {
        match self.code.node(id) {
            Node::Const(number) | Node::LateConst(number) => {
                self.value(self.code.constants[number as usize])
            }
            Node::Local { slot } => format!("%{slot}"),
            Node::Outer { level, slot } => format!("%{level}.{slot}"),
            Node::RecAttr { level, index } => format!("@{level}.{index}"),
            Node::WithVar { name, level, with, .. } => {
                format!("?{}.{level}#{with}", self.name(name))
            }
            Node::Select { base, name, .. } => format!("{}.{}", self.node(base), self.name(name)),
            Node::SelectPath { base, path } => format!("{}{}", self.node(base), self.path(path)),
            Node::SelectOr { base, path, default } => {
                let path = self.path(self.code.ranges[path as usize]);
                format!("({}{path} or {})", self.node(base), self.node(default))
            }
            Node::HasAttr { base, path } => {
                format!("({} ? {})", self.node(base), &self.path(path)[1..])
            }
            Node::Attrs(number) => self.set(&self.code.sets[number as usize]),
            Node::List(items) => format!("[{}]", self.nodes(items, " ")),
            Node::Lambda(_) => self.lambda(id),
            Node::Call1 { function, arg, .. } => {
                format!("{}({})", self.node(function), self.node(arg))
            }
            Node::Call { function, args, count, .. } => {
                let args = Range { start: args, len: u32::from(count) };
                format!("{}({})", self.node(function), self.nodes(args, ", "))
            }
            Node::Arithmetic { op, left, right } => {
                let op = match op {
                    Arithmetic::Sub => "-",
                    Arithmetic::Mul => "*",
                    Arithmetic::Div => "/",
                    Arithmetic::Less => "<",
                    Arithmetic::GreaterEqual => ">=",
                };
                format!("({} {op} {})", self.node(left), self.node(right))
            }
            Node::Let { bindings, body } => {
                let code = self.code.lets[bindings as usize];
                format!("let/{}{}", code.slots, self.bindings(code, body))
            }
            Node::LetHere { bindings, body } => {
                let code = self.code.lets[bindings as usize];
                format!("here{}", self.bindings(code, body))
            }
            Node::With { scope, body, .. } => {
                format!("with {}; {}", self.node(scope), self.node(body))
            }
            Node::If { condition, then, otherwise } => format!(
                "if {} then {} else {}",
                self.node(condition),
                self.node(then),
                self.node(otherwise)
            ),
            Node::Assert { condition, body } => {
                format!("assert {}; {}", self.node(condition), self.node(body))
            }
            Node::Not(operand) => format!("!{}", self.node(operand)),
            Node::Binary { op, left, right } => {
                let op = match op {
                    BinOp::Equal => "==",
                    BinOp::NotEqual => "!=",
                    BinOp::And => "&&",
                    BinOp::Or => "||",
                    BinOp::Implies => "->",
                    BinOp::Update => "//",
                    BinOp::Append => "++",
                };
                format!("({} {op} {})", self.node(left), self.node(right))
            }
            Node::PrefixTest(number) => {
                let test = self.code.prefix_tests[number as usize];
                format!("prefix({}, {})", self.node(test.text), self.node(test.prefix))
            }
            Node::Plus(parts) => format!("({})", self.nodes(parts, " + ")),
            Node::Interpolation(parts) => format!("string({})", self.nodes(parts, ", ")),
            Node::CurPos => "__curPos".to_owned(),
        }
    }

    fn name(&self, name: Symbol) -> String {
        self.symbols.text(name).into_owned()
    }

    fn nodes(&self, range: Range, between: &str) -> String {
        let nodes: Vec<_> =
            self.code.ids[range.indices()].iter().map(|&id| self.node(id)).collect();
        nodes.join(between)
    }

    fn path(&self, range: Range) -> String {
        let names = self.code.paths[range.indices()].iter().map(|name| match *name {
            Name::Static(name) => format!(".{}", self.name(name)),
            Name::Dynamic(node) => format!(".${{{}}}", self.node(node)),
        });
        names.collect()
    }

    fn value(&self, value: Value<'_>) -> String {
        match value {
            Value::Null => "null".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Int(value) => value.to_string(),
            Value::Float(value) => format!("{value:?}"),
            Value::Str(context, bytes) => {
                assert!(context.is_none());
                format!("{:?}", String::from_utf8_lossy(bytes.items()))
            }
            Value::Path(bytes) => String::from_utf8_lossy(bytes.items()).into_owned(),
            Value::List(list) if list.is_empty() => "[]".to_owned(),
            Value::Attrs(set) if set.is_empty() => "{}".to_owned(),
            Value::Attrs(_) => "<builtins>".to_owned(),
            Value::PrimOp(id) => format!("<{}>", self.primops[usize::from(id.0)]),
            other => format!("{other:?}"),
        }
    }

    fn set(&self, set: &SetCode<'_>) -> String {
        let mut text = String::new();
        if set.recursive {
            text += "rec ";
        }
        if set.frame && !set.recursive {
            text += "frame ";
        }
        if let Some(index) = set.overrides {
            write!(text, "overrides={index} ").unwrap();
        }
        if set.inherit_from.len > 0 {
            write!(text, "from ({}) ", self.nodes(set.inherit_from, ", ")).unwrap();
        }
        let mut attrs: Vec<String> = set
            .shape
            .names()
            .iter()
            .zip(&self.code.ids[set.values.indices()])
            .map(|(name, value)| format!("{} = {};", self.name(*name), self.node(*value)))
            .collect();
        let dynamics = &self.code.dynamics[set.dynamics.indices()];
        attrs.extend(dynamics.iter().map(|dynamic| {
            format!("${{{}}} = {};", self.node(dynamic.name), self.node(dynamic.value))
        }));
        format!("{text}{{ {} }}", attrs.join(" "))
    }

    fn bindings(&self, code: LetCode, body: NodeId) -> String {
        let values = self.nodes(code.values, ", ");
        format!(" %{}.. = ({values}); {}", code.first_slot, self.node(body))
    }

    fn lambda(&self, id: NodeId) -> String {
        let Node::Lambda(function) = self.code.node(id) else { return String::new() };
        let lambda = self.code.lambda(function);
        assert_eq!(lambda.pos, self.code.pos(id), "a function is where its node is");
        let mut text = format!("fn/{}", lambda.slots);
        if let Some(name) = lambda.name {
            write!(text, " {}", self.name(name)).unwrap();
        }
        text += "(";
        if let Some(pattern) = lambda.pattern {
            let formals = &self.code.formals[pattern.formals.indices()];
            let mut shown: Vec<_> = formals
                .iter()
                .map(|formal| match formal.default {
                    None => self.name(formal.name),
                    Some(default) => format!("{} ? {}", self.name(formal.name), self.node(default)),
                })
                .collect();
            if pattern.ellipsis {
                shown.push("...".to_owned());
            }
            write!(text, "{{{}}}", shown.join(", ")).unwrap();
        }
        if let Some(arg) = lambda.arg {
            write!(text, "@{}", self.name(arg)).unwrap();
        }
        format!("{text}): {}", self.node(lambda.body))
    }
}
