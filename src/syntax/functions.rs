//! Functions: `x: …`, `{ a, b ? c, ... }: …`, and both names at once.

use super::ast::{Expr, ExprId, Formal, Function, Pattern};
use super::error::ParseError;
use super::lexer::Kind;
use super::parser::{Parsed, Parser};
use super::symbol::Symbol;

impl Parser<'_> {
    /// `x: body`, whose colon is the current token.
    pub(super) fn function(&mut self, offset: u32, arg: Symbol) -> Parsed<ExprId> {
        self.advance();
        let body = self.expression()?;
        Ok(self.add_function(offset, Function { arg: Some(arg), pattern: None, body }))
    }

    /// `x @ { … }: body`, whose `@` is the current token.
    pub(super) fn named_pattern(&mut self, offset: u32, arg: Symbol) -> Parsed<ExprId> {
        self.advance();
        self.expect(Kind::BraceOpen, "'{'")?;
        let pattern = self.pattern(self.formals.len())?;
        self.pattern_function(offset, Some(arg), pattern)
    }

    /// What begins with the brace that is the current token; true where it is a whole function, and
    /// not an attribute set, which may be a part of something larger.
    pub(super) fn pattern_or_set(&mut self, offset: u32) -> Parsed<(ExprId, bool)> {
        self.advance();
        let first = self.offset();
        match self.kind() {
            Kind::BraceClose => {
                self.advance();
                if matches!(self.kind(), Kind::Colon | Kind::At) {
                    let formals = self.ast.add_formals(&[]);
                    let pattern = Pattern { formals, ellipsis: false };
                    return Ok((self.pattern_at_end(offset, pattern)?, true));
                }
                let set = self.sets.open(false);
                Ok((self.ast.add(offset, Expr::Attrs(set)), false))
            }
            Kind::Ellipsis => {
                let pattern = self.pattern(self.formals.len())?;
                Ok((self.pattern_at_end(offset, pattern)?, true))
            }
            Kind::Id => {
                let name = self.symbol();
                self.advance();
                if matches!(self.kind(), Kind::Comma | Kind::Question | Kind::BraceClose) {
                    let base = self.formals.len();
                    self.formal(name, first)?;
                    let pattern = self.pattern(base)?;
                    return Ok((self.pattern_at_end(offset, pattern)?, true));
                }
                let set = self.sets.open(false);
                self.named_binding(set, name, first)?;
                self.bindings(set, Kind::BraceClose)?;
                self.advance();
                Ok((self.ast.add(offset, Expr::Attrs(set)), false))
            }
            _ => {
                let set = self.sets.open(false);
                self.bindings(set, Kind::BraceClose)?;
                self.advance();
                Ok((self.ast.add(offset, Expr::Attrs(set)), false))
            }
        }
    }

    /// The rest of a pattern, whose brace and perhaps first names are read: the names from `base`.
    fn pattern(&mut self, base: usize) -> Parsed<Pattern> {
        let mut ellipsis = false;
        loop {
            match self.kind() {
                Kind::BraceClose => break,
                Kind::Ellipsis => {
                    ellipsis = true;
                    self.advance();
                    break;
                }
                Kind::Id => {
                    let (name, offset) = (self.symbol(), self.offset());
                    self.advance();
                    self.formal(name, offset)?;
                }
                _ => return Err(self.unexpected("identifier or '...' or '}'").into()),
            }
        }
        self.expect(Kind::BraceClose, "'}'")?;
        let names = &mut self.formals[base..];
        if !names.is_sorted_by(|a, b| a.name < b.name) {
            names.sort_unstable_by_key(|formal| (formal.name, formal.offset));
            let twice = names.windows(2).find(|pair| pair[0].name == pair[1].name);
            if let Some(&[_, Formal { name, offset, .. }]) = twice {
                return Err(self.duplicate_formal(name, offset).into());
            }
        }
        let formals = self.ast.add_formals(&self.formals[base..]);
        self.formals.truncate(base);
        Ok(Pattern { formals, ellipsis })
    }

    /// What follows a name of a pattern: a default, a comma.
    fn formal(&mut self, name: Symbol, offset: u32) -> Parsed<()> {
        let mut default = None;
        if self.kind() == Kind::Question {
            self.advance();
            default = Some(self.expression()?);
        }
        self.formals.push(Formal { name, default, offset });
        match self.kind() {
            Kind::Comma => self.advance(),
            Kind::BraceClose => {}
            _ => return Err(self.unexpected("'}' or ','").into()),
        }
        Ok(())
    }

    #[cold]
    fn duplicate_formal(&self, name: Symbol, offset: u32) -> ParseError {
        let name = self.lexer.symbols.text(name);
        self.error(offset, &format!("duplicate formal function argument '{name}'"))
    }

    /// A function whose pattern is read, but not a name after it.
    fn pattern_at_end(&mut self, offset: u32, pattern: Pattern) -> Parsed<ExprId> {
        let mut arg = None;
        if self.kind() == Kind::At {
            self.advance();
            arg = Some(self.symbol());
            self.expect(Kind::Id, "identifier")?;
        }
        if arg.is_none() && self.kind() != Kind::Colon {
            return Err(self.unexpected("':' or '@'").into());
        }
        self.pattern_function(offset, arg, pattern)
    }

    fn pattern_function(
        &mut self,
        offset: u32,
        arg: Option<Symbol>,
        pattern: Pattern,
    ) -> Parsed<ExprId> {
        self.expect(Kind::Colon, "':'")?;
        let body = self.expression()?;
        let names = self.ast.formals(pattern.formals);
        if let Some(arg) = arg
            && names.binary_search_by_key(&arg, |formal| formal.name).is_ok()
        {
            return Err(self.duplicate_formal(arg, offset).into());
        }
        Ok(self.add_function(offset, Function { arg, pattern: Some(pattern), body }))
    }

    fn add_function(&mut self, offset: u32, function: Function) -> ExprId {
        let function = self.ast.add_function(function);
        self.ast.add(offset, function)
    }
}
