//! Operators by precedence climbing, and the two pipes between whole operator expressions.

use super::ast::{BinOp, Expr, ExprId};
use super::lexer::Kind;
use super::parser::{Parsed, Parser};
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
        Kind::Less | Kind::Greater | Kind::LessEqual | Kind::GreaterEqual => alone(10),
        Kind::Update => right(12),
        Kind::Plus | Kind::Minus => left(16),
        Kind::Star | Kind::Slash => left(18),
        Kind::Append => right(20),
        Kind::Question => left(22),
        _ => return None,
    })
}

impl Parser<'_> {
    /// What follows the first operand: operators, and `|>` and `<|` between them; the two don't mix.
    pub(super) fn operation(&mut self, start: u32, first: ExprId) -> Parsed<ExprId> {
        let first = self.operators(start, first, 0)?;
        match self.kind() {
            Kind::PipeInto => {
                let mut argument = first;
                while self.kind() == Kind::PipeInto {
                    let offset = self.pipe_operator()?;
                    let function = self.operand_of(0)?;
                    argument = self.piped(offset, function, argument);
                }
                Ok(argument)
            }
            Kind::PipeFrom => {
                // To the right: collected, then joined from the end.
                let base = self.parts.len();
                let mut last = first;
                while self.kind() == Kind::PipeFrom {
                    let offset = self.pipe_operator()?;
                    self.parts.push((offset, last));
                    last = self.operand_of(0)?;
                }
                while self.parts.len() > base {
                    let Some((offset, function)) = self.parts.pop() else { break };
                    last = self.piped(offset, function, last);
                }
                Ok(last)
            }
            _ => Ok(first),
        }
    }

    fn piped(&mut self, offset: u32, function: ExprId, argument: ExprId) -> ExprId {
        self.ids.push(argument);
        self.apply(offset, function, self.ids.len() - 1)
    }

    fn pipe_operator(&mut self) -> Parsed<u32> {
        let offset = self.offset();
        if !self.features.pipe_operators {
            return Err(self
                .error(
                    offset,
                    "experimental Nix feature 'pipe-operators' is disabled; add \
                 '--extra-experimental-features pipe-operators' to enable it",
                )
                .into());
        }
        self.advance();
        Ok(offset)
    }

    /// An operand with all the operators after it that bind at least as strongly as `strength`.
    fn operand_of(&mut self, strength: u8) -> Parsed<ExprId> {
        let start = self.offset();
        let operand = self.operand()?;
        if self.kind().is_operator() {
            self.operators(start, operand, strength)
        } else {
            Ok(operand)
        }
    }

    /// An operand, which may begin with `!` or `-`.
    pub(super) fn operand(&mut self) -> Parsed<ExprId> {
        let offset = self.offset();
        match self.kind() {
            Kind::Not => {
                self.advance();
                let operand = self.deeper(|parser| parser.operand_of(NOT))?;
                Ok(self.ast.add(offset, Expr::Not(operand)))
            }
            Kind::Minus => {
                self.advance();
                let operand = self.deeper(|parser| parser.operand_of(NEGATE))?;
                let zero = self.ast.add(offset, Expr::Int(0));
                Ok(self.call_known(offset, Symbol::SUB, &[zero, operand]))
            }
            _ => {
                let first = self.simple()?;
                self.applied(offset, first)
            }
        }
    }

    /// The operators after `first` that bind at least as strongly as `strength`.
    fn operators(&mut self, start: u32, first: ExprId, strength: u8) -> Parsed<ExprId> {
        let mut result = first;
        // An operator to the left of the whole, such as a `!`, may bind stronger than what comes
        // now, and still all of it belongs to the same level.
        let mut last_alone = None;
        while let Some(bound) = binding(self.kind()) {
            if bound.left < strength {
                break;
            }
            if bound.alone && last_alone == Some(bound.left) {
                return Err(self.unexpected("").into());
            }
            last_alone = bound.alone.then_some(bound.left);
            result = self.operator(start, result, bound)?;
        }
        Ok(result)
    }

    /// One operator, which is the current token, and its right operand.
    fn operator(&mut self, start: u32, left: ExprId, bound: Binding) -> Parsed<ExprId> {
        let kind = self.kind();
        let offset = self.offset();
        self.advance();
        if kind == Kind::Question {
            let names = self.names.len();
            self.attr_path()?;
            let path = self.take_path(names);
            return Ok(self.ast.add(self.ast.offset(left), Expr::HasAttr { base: left, path }));
        }
        let right_start = self.offset();
        let right = self.deeper(|parser| parser.operand_of(bound.right))?;
        let op = match kind {
            Kind::Equal => BinOp::Equal,
            Kind::NotEqual => BinOp::NotEqual,
            Kind::AndAnd => BinOp::And,
            Kind::OrOr => BinOp::Or,
            Kind::Arrow => BinOp::Implies,
            Kind::Update => BinOp::Update,
            Kind::Append => BinOp::Append,
            Kind::Plus => {
                let parts = self.ast.add_parts(&[(start, left), (right_start, right)]);
                return Ok(self.ast.add(offset, Expr::Concat { parts, force_string: false }));
            }
            _ => return Ok(self.called_operator(kind, offset, left, right)),
        };
        let operands = self.ast.add_ids(&[left, right]);
        Ok(self.ast.add(offset, Expr::Binary { op, operands }))
    }

    /// The operators that are calls of a variable.
    fn called_operator(&mut self, kind: Kind, offset: u32, left: ExprId, right: ExprId) -> ExprId {
        let (function, swap, not) = match kind {
            Kind::Minus => (Symbol::SUB, false, false),
            Kind::Star => (Symbol::MUL, false, false),
            Kind::Slash => (Symbol::DIV, false, false),
            Kind::Less => (Symbol::LESS_THAN, false, false),
            Kind::LessEqual => (Symbol::LESS_THAN, true, true),
            Kind::Greater => (Symbol::LESS_THAN, true, false),
            _ => (Symbol::LESS_THAN, false, true),
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
