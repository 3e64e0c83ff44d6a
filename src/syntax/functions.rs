//! Functions: `x: …`, `{ a, b ? c, ... }: …`, and both names at once.

use super::ast::{Expr, ExprId, Formal, Function, Pattern};
use super::error::ParseError;
use super::lexer::Kind;
use super::parser::{Parsed, Parser};
use super::symbol::Symbol;

impl Parser<'_> {
    /// `x: body`, whose colon is the current token.
    pub(super) fn function(&mut self, offset: u32, arg: Symbol) -> Parsed<ExprId> {
        let (arg, body) = self.before(arg, offset, |parser| {
            parser.advance();
            parser.expression()
        })?;
        Ok(self.add_function(offset, Function { arg: Some(arg), pattern: None, body }))
    }

    /// `x @ { … }: body`, whose `@` is the current token.
    pub(super) fn named_pattern(&mut self, offset: u32, arg: Symbol) -> Parsed<ExprId> {
        let (arg, (pattern, body)) = self.before(arg, offset, |parser| {
            parser.advance();
            parser.expect(Kind::BraceOpen, "'{'")?;
            let pattern = parser.pattern(parser.formals.len())?;
            Ok((pattern, parser.body()?))
        })?;
        self.pattern_function(offset, Some(arg), pattern, body)
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
        let mut formal = Formal { name, default: None, offset };
        if self.kind() == Kind::Question {
            let (name, default) = self.before(name, offset, |parser| {
                parser.advance();
                parser.expression()
            })?;
            formal = Formal { name, default: Some(default), offset };
        }
        self.formals.push(formal);
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
        if self.kind() == Kind::At {
            self.advance();
            let (arg, place) = (self.symbol(), self.offset());
            self.expect(Kind::Id, "identifier")?;
            let (arg, body) = self.before(arg, place, Self::body)?;
            return self.pattern_function(offset, Some(arg), pattern, body);
        }
        if self.kind() != Kind::Colon {
            return Err(self.unexpected("':' or '@'").into());
        }
        let body = self.body()?;
        self.pattern_function(offset, None, pattern, body)
    }

    /// What follows a pattern: the colon that is the current token, and the body.
    fn body(&mut self) -> Parsed<ExprId> {
        self.expect(Kind::Colon, "':'")?;
        self.expression()
    }

    /// Reads what follows a name, `offset` its place and the current token the one behind it. C++ Nix
    /// makes the symbol of such a name afterwards, and the order of symbols can be seen.
    fn before<T>(
        &mut self,
        name: Symbol,
        offset: u32,
        rest: impl FnOnce(&mut Self) -> Parsed<T>,
    ) -> Parsed<(Symbol, T)> {
        let Some(text) = self.lexer.forget(name, offset) else { return Ok((name, rest(self)?)) };
        let rest = rest(self)?;
        Ok((self.lexer.symbols.intern(&text), rest))
    }

    fn pattern_function(
        &mut self,
        offset: u32,
        arg: Option<Symbol>,
        pattern: Pattern,
        body: ExprId,
    ) -> Parsed<ExprId> {
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
