//! Functions: a frame with the argument or the pattern's variables, and those of the body's `let`s.

use super::scope::Bound;
use super::{Lowered, Lowerer, number};
use crate::eval::code::{Formal, Lambda, LambdaId, Node, NodeId, Pattern, Range};
use crate::syntax::{self, Expr, ExprId, Symbol};

/// The most arguments that a function takes from the frame of those around it.
const MOST_TAKEN: u32 = 8;

impl Lowerer<'_, '_, '_> {
    /// The value of a binding: a function there, and those that are its body, get the binding's name.
    pub(super) fn named(&mut self, id: ExprId, name: Symbol) -> Lowered<NodeId> {
        let Expr::Lambda(function) = self.ast.expr(id) else { return self.expr(id) };
        let node = self.deeper(|lowerer| lowerer.lambda(id, function, Some(name)))?;
        Ok(self.add(self.pos(id), node))
    }

    pub(super) fn lambda(
        &mut self,
        id: ExprId,
        function: syntax::LambdaId,
        name: Option<Symbol>,
    ) -> Lowered<Node> {
        let mark = self.tables.scopes.mark();
        self.depth += 1;
        let slots_around = std::mem::replace(&mut self.slots, 0);
        let node = self.lambda_here(id, function, name)?;
        self.tables.scopes.leave(mark);
        self.depth -= 1;
        self.slots = slots_around;
        Ok(node)
    }

    /// A function whose variables are the next slots of the innermost frame.
    fn lambda_here(
        &mut self,
        id: ExprId,
        function: syntax::LambdaId,
        name: Option<Symbol>,
    ) -> Lowered<Node> {
        let lambda = self.ast.lambda(function);
        let taken = self.slots;
        let formals = lambda.formals.map_or(&[][..], |formals| formals.formals);
        for name in formals.iter().map(|formal| formal.name).chain(lambda.arg) {
            self.tables.scopes.bind(name, Bound::slot(self.depth, self.slots));
            self.slots += 1;
        }
        let pattern = match lambda.formals {
            None => None,
            Some(formals) => {
                let ellipsis = formals.ellipsis;
                Some(Pattern { formals: self.formals(formals.formals)?, ellipsis })
            }
        };
        let mut slots = self.slots;
        let body = match (self.ast.expr(lambda.body), name) {
            (Expr::Lambda(inner), _) if pattern.is_none() && self.shares_frame(inner) => {
                let node = self.deeper(|lowerer| lowerer.lambda_here(lambda.body, inner, name))?;
                self.add(self.pos(lambda.body), node)
            }
            (Expr::Lambda(_), Some(name)) => self.named(lambda.body, name)?,
            _ => {
                let body = self.tail(lambda.body)?;
                slots = self.slots;
                body
            }
        };
        let (arg, pos) = (lambda.arg, self.pos(id));
        self.code.lambdas.push(Lambda { body, slots, taken, pattern, arg, name, pos });
        Ok(Node::Lambda(LambdaId(number(self.code.lambdas.len() - 1))))
    }

    /// Has a function one frame with that around it, which has no pattern? A call with only some of the
    /// arguments costs a copy of them, so there must not be too many.
    fn shares_frame(&self, function: syntax::LambdaId) -> bool {
        self.slots < MOST_TAKEN && self.ast.lambda(function).formals.is_none()
    }

    /// The formals with their defaults, which see the function's frame.
    fn formals(&mut self, formals: &[syntax::Formal]) -> Lowered<Range> {
        let start = self.code.formals.len();
        let base = self.unit.base;
        self.code.formals.extend(formals.iter().map(|formal| Formal {
            name: formal.name,
            default: None,
            pos: base.at(formal.offset),
        }));
        for (at, formal) in formals.iter().enumerate() {
            if let Some(default) = formal.default {
                let default = self.expr(default)?;
                self.code.formals[start + at].default = Some(default);
            }
        }
        Ok(Range { start: number(start), len: number(formals.len()) })
    }
}
