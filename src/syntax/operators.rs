//! Operators by precedence climbing, and the two pipes between whole operator expressions.

use super::ast::{BinOp, Expr, ExprId};
use super::error::ParseError;
use super::lexer::Kind;
use super::parser::Parser;
use super::symbol::Symbol;

/// How strongly an operator binds on its left and right; the higher, the stronger.
#[derive(Clone, Copy)]
struct Binding {
    left: u8,
    right: u8,
    /// May it not stand beside one of its own strength?
    alone: bool,
}

const fn left(strength: u8) -> Binding {
    Binding { left: strength, right: strength + 1, alone: false }
}

const fn right(strength: u8) -> Binding {
    Binding { left: strength, right: strength, alone: false }
}

const fn alone(strength: u8) -> Binding {
    Binding { left: strength, right: strength + 1, alone: true }
}

// Strengths, from the manual's table of operators.
const NOT: u8 = 14;
const NEGATE: u8 = 24;

fn binding(kind: Kind) -> Option<Binding> {
    Some(match kind {
        Kind::Arrow => right(2),
        Kind::OrOr => left(4),
        Kind::AndAnd => left(6),
        Kind::Equal | Kind::NotEqual => alone(8),
        Kind::Byte(b'<' | b'>') | Kind::LessEqual | Kind::GreaterEqual => alone(10),
        Kind::Update => right(12),
        Kind::Byte(b'+' | b'-') => left(16),
        Kind::Byte(b'*' | b'/') => left(18),
        Kind::Append => right(20),
        Kind::Byte(b'?') => left(22),
        _ => return None,
    })
}

impl Parser<'_> {
    /// Operators, and `|>` and `<|` between them; the two don't mix.
    pub(super) fn pipes(&mut self) -> Result<ExprId, ParseError> {
        let first = self.operators(0)?;
        match self.token.kind {
            Kind::PipeInto => {
                let mut argument = first;
                while self.token.kind == Kind::PipeInto {
                    let offset = self.pipe_operator()?;
                    let function = self.operators(0)?;
                    argument = self.call(offset, function, &[argument]);
                }
                Ok(argument)
            }
            Kind::PipeFrom => {
                // To the right: collected, then joined from the end.
                let mut functions = vec![first];
                let mut offsets = Vec::new();
                while self.token.kind == Kind::PipeFrom {
                    offsets.push(self.pipe_operator()?);
                    functions.push(self.operators(0)?);
                }
                let mut argument = functions.pop().unwrap_or(first);
                for (function, offset) in functions.into_iter().zip(offsets).rev() {
                    argument = self.call(offset, function, &[argument]);
                }
                Ok(argument)
            }
            _ => Ok(first),
        }
    }

    fn pipe_operator(&mut self) -> Result<u32, ParseError> {
        let offset = self.offset(self.token.start);
        if !self.features.pipe_operators {
            return Err(ParseError::new(
                offset,
                "experimental Nix feature 'pipe-operators' is disabled; add \
                 '--extra-experimental-features pipe-operators' to enable it",
            ));
        }
        self.advance()?;
        Ok(offset)
    }

    /// Operators that bind at least as strongly as `strength`.
    fn operators(&mut self, strength: u8) -> Result<ExprId, ParseError> {
        let start = self.token.start;
        let mut result = match self.token.kind {
            Kind::Byte(b'!') => {
                self.advance()?;
                let operand = self.nested_in(|parser| parser.operators(NOT))?;
                self.ast.add(self.offset(start), Expr::Not(operand))
            }
            Kind::Byte(b'-') => {
                self.advance()?;
                let operand = self.nested_in(|parser| parser.operators(NEGATE))?;
                let offset = self.offset(start);
                let zero = self.ast.add(offset, Expr::Int(0));
                let sub = self.known().sub;
                self.call_known(offset, sub, &[zero, operand])
            }
            _ => self.application()?,
        };
        // An operator to the left of the whole, such as the `!` above, may bind stronger than what
        // comes now, and still all of it belongs to the same level.
        let mut last_alone = None;
        while let Some(bound) = binding(self.token.kind) {
            if bound.left < strength {
                break;
            }
            if bound.alone && last_alone == Some(bound.left) {
                return Err(self.unexpected("an operand, since this operator does not associate"));
            }
            last_alone = bound.alone.then_some(bound.left);
            result = self.operator(start, result, bound)?;
        }
        Ok(result)
    }

    /// One operator, which is the current token, and its right operand.
    fn operator(
        &mut self,
        start: usize,
        left: ExprId,
        bound: Binding,
    ) -> Result<ExprId, ParseError> {
        let kind = self.token.kind;
        let offset = self.offset(self.token.start);
        self.advance()?;
        if kind == Kind::Byte(b'?') {
            let names = self.attr_path_names()?;
            let path = self.ast.add_path(&names);
            return Ok(self.ast.add(self.ast.offset(left), Expr::HasAttr { base: left, path }));
        }
        let right_start = self.offset(self.token.start);
        let right = self.nested_in(|parser| parser.operators(bound.right))?;
        let op = match kind {
            Kind::Equal => BinOp::Equal,
            Kind::NotEqual => BinOp::NotEqual,
            Kind::AndAnd => BinOp::And,
            Kind::OrOr => BinOp::Or,
            Kind::Arrow => BinOp::Implies,
            Kind::Update => BinOp::Update,
            Kind::Append => BinOp::Append,
            Kind::Byte(b'+') => {
                let parts = [(self.offset(start), left), (right_start, right)];
                let parts = self.ast.add_parts(&parts);
                return Ok(self.ast.add(offset, Expr::Concat { parts, force_string: false }));
            }
            _ => return Ok(self.called_operator(kind, offset, left, right)),
        };
        let operands = self.ast.add_ids(&[left, right]);
        Ok(self.ast.add(offset, Expr::Binary { op, operands }))
    }

    /// The operators that are calls of a variable.
    fn called_operator(&mut self, kind: Kind, offset: u32, left: ExprId, right: ExprId) -> ExprId {
        let known = self.known();
        let (function, swap, not) = match kind {
            Kind::Byte(b'-') => (known.sub, false, false),
            Kind::Byte(b'*') => (known.mul, false, false),
            Kind::Byte(b'/') => (known.div, false, false),
            Kind::Byte(b'<') => (known.less_than, false, false),
            Kind::LessEqual => (known.less_than, true, true),
            Kind::Byte(b'>') => (known.less_than, true, false),
            _ => (known.less_than, false, true),
        };
        let args = if swap { [right, left] } else { [left, right] };
        let call = self.call_known(offset, function, &args);
        if not { self.ast.add(offset, Expr::Not(call)) } else { call }
    }

    pub(super) fn call_known(&mut self, offset: u32, function: Symbol, args: &[ExprId]) -> ExprId {
        let function = self.ast.add(offset, Expr::Var(function));
        self.call(offset, function, args)
    }

    pub(super) fn call(&mut self, offset: u32, function: ExprId, args: &[ExprId]) -> ExprId {
        let args = self.ast.add_ids(args);
        self.ast.add(offset, Expr::Call { function, args })
    }
}
