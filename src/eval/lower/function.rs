//! Functions: a frame with the argument or the pattern's variables, and those of the body's `let`s.

use super::scope::Bound;
use super::{Lowered, Lowerer, number};
use crate::eval::code::{Formal, Lambda, LambdaId, Node, NodeId, Pattern, Range};
use crate::syntax::{self, Expr, ExprId, Symbol};

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
        let lambda = self.ast.lambda(function);
        let mark = self.tables.scopes.mark();
        self.depth += 1;
        let slots_around = std::mem::replace(&mut self.slots, 0);
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
        let body = match name {
            Some(name) if matches!(self.ast.expr(lambda.body), Expr::Lambda(_)) => {
                self.named(lambda.body, name)?
            }
            _ => self.tail(lambda.body)?,
        };
        self.tables.scopes.leave(mark);
        self.depth -= 1;
        let slots = std::mem::replace(&mut self.slots, slots_around);
        let pos = self.pos(id);
        self.code.lambdas.push(Lambda { body, slots, pattern, arg: lambda.arg, name, pos });
        Ok(Node::Lambda(LambdaId(number(self.code.lambdas.len() - 1))))
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
