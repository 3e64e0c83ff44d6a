//! Recursive descent, straight into the tree. Operators are in `operators.rs`, functions in
//! `functions.rs`, bindings in `attrs.rs`, the inside of strings in `strings.rs`.

use super::ast::{Ast, AttrName, Expr, ExprId, Formal, Remark, RemarkKind, index};
use super::attrs::OpenSets;
use super::error::ParseError;
use super::indented::Piece;
use super::lexer::{Kind, Lexer};
use super::symbol::{Symbol, Symbols};

/// How deep expressions may be nested: as deep as C++ Nix's parser goes.
const MAX_DEPTH: u32 = 10_000;
/// The stack is looked at on every so manieth level of nesting.
const LOOK_EVERY: u32 = 16;
/// Stack that so many levels may take, and how much is added when it runs out.
const RED_ZONE: usize = 256 * 1024;
const STACK: usize = 2 * 1024 * 1024;

/// What a part of the parser gives. The error is boxed so that the common result is small.
pub(super) type Parsed<T> = Result<T, Box<ParseError>>;

/// Language features that are off unless asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Features {
    /// `|>` and `<|` (`pipe-operators`).
    pub pipe_operators: bool,
}

/// Parses a whole source. The error of a source that is too long (4 GiB) or nested too deeply is
/// an error like any other.
pub fn parse(source: &[u8], symbols: &mut Symbols, features: Features) -> Result<Ast, ParseError> {
    if u32::try_from(source.len()).is_err() {
        return Err(ParseError::new(0, "the source is longer than 4 GiB"));
    }
    let mut parser = Parser::new(source, symbols, features);
    match parser.source() {
        Ok(root) => Ok(parser.finished(root)),
        Err(error) => Err(*error),
    }
}

/// The parser's state.
pub(super) struct Parser<'a> {
    pub(super) lexer: Lexer<'a>,
    pub(super) ast: Ast,
    pub(super) features: Features,
    depth: u32,
    /// The sets whose attributes are still being gathered.
    pub(super) sets: OpenSets,
    // What is still incomplete on each level, as stacks: who pushes takes off again.
    pub(super) ids: Vec<ExprId>,
    pub(super) parts: Vec<(u32, ExprId)>,
    pub(super) names: Vec<AttrName>,
    pub(super) formals: Vec<Formal>,
    pub(super) pieces: Vec<(u32, Piece)>,
}

impl<'a> Parser<'a> {
    fn new(source: &'a [u8], symbols: &'a mut Symbols, features: Features) -> Self {
        let length = source.len();
        Self {
            lexer: Lexer::new(source, symbols),
            ast: Ast::for_source_of(length),
            features,
            depth: 0,
            sets: OpenSets::for_source_of(length),
            ids: Vec::with_capacity(16),
            parts: Vec::with_capacity(16),
            names: Vec::with_capacity(16),
            formals: Vec::with_capacity(16),
            pieces: Vec::new(),
        }
    }

    fn source(&mut self) -> Parsed<ExprId> {
        self.advance();
        let root = self.expression()?;
        if self.kind() == Kind::End { Ok(root) } else { Err(self.unexpected("end of file").into()) }
    }

    fn finished(self, root: ExprId) -> Ast {
        let mut ast = self.ast;
        self.sets.write(&mut ast);
        ast.root = Some(root);
        ast
    }

    /// What the current token is.
    #[inline]
    pub(super) fn kind(&self) -> Kind {
        self.lexer.token.kind
    }

    /// Where the current token begins.
    #[inline]
    pub(super) fn offset(&self) -> u32 {
        self.lexer.token.start
    }

    /// The name of the current token, which is an identifier.
    #[inline]
    pub(super) fn symbol(&self) -> Symbol {
        self.lexer.token.symbol
    }

    #[inline]
    pub(super) fn advance(&mut self) {
        self.lexer.advance();
    }

    #[inline]
    pub(super) fn expect(&mut self, kind: Kind, shown: &str) -> Parsed<()> {
        if self.kind() != kind {
            return Err(self.unexpected(shown).into());
        }
        self.advance();
        Ok(())
    }

    /// The error that the current token is not what had to come, in C++ Nix's words: `expected` is
    /// what it lists, which is nothing where more than four kinds of token may come.
    #[cold]
    pub(super) fn unexpected(&self, expected: &str) -> ParseError {
        let shown = match self.kind() {
            Kind::End => "end of file",
            Kind::Id => "identifier",
            Kind::Int => "integer",
            Kind::Float => "floating-point literal",
            Kind::Path => "path",
            Kind::HomePath => "'~/…' path",
            Kind::SearchPath => "'<…>' path",
            Kind::Uri => "URI",
            Kind::IndentedOpen => "start of an indented string",
            Kind::Other => "invalid token",
            _ => &format!("'{}'", String::from_utf8_lossy(self.lexer.token_bytes())),
        };
        self.unexpected_here(self.offset(), shown, expected)
    }

    /// The same where the source ends within a token.
    #[cold]
    pub(super) fn unexpected_end(&self, expected: &str) -> ParseError {
        self.unexpected_here(index(self.lexer.src.len()), "end of file", expected)
    }

    pub(super) fn unexpected_here(&self, offset: u32, shown: &str, expected: &str) -> ParseError {
        let expecting = if expected.is_empty() { "" } else { ", expecting " };
        self.error(offset, &format!("syntax error, unexpected {shown}{expecting}{expected}"))
    }

    #[cold]
    #[expect(clippy::unused_self, reason = "reads as what the parser does")]
    pub(super) fn error(&self, offset: u32, message: &str) -> ParseError {
        ParseError::new(offset, message)
    }

    /// Any expression.
    pub(super) fn expression(&mut self) -> Parsed<ExprId> {
        self.deeper(Self::any)
    }

    /// Parses one level deeper, on more stack where that is needed.
    #[inline]
    pub(super) fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == MAX_DEPTH {
            return Err(self.error(self.offset(), "the expression is nested too deeply").into());
        }
        let look = self.depth.is_multiple_of(LOOK_EVERY);
        self.depth += 1;
        let result =
            if look { stacker::maybe_grow(RED_ZONE, STACK, || parse(self)) } else { parse(self) };
        self.depth -= 1;
        result
    }

    /// Functions, `let`, `with`, `assert`, `if`, and all that binds stronger.
    fn any(&mut self) -> Parsed<ExprId> {
        let offset = self.offset();
        let first = match self.kind() {
            Kind::Id => {
                let name = self.symbol();
                self.advance();
                match self.kind() {
                    Kind::Colon => return self.function(offset, name),
                    Kind::At => return self.named_pattern(offset, name),
                    _ => self.variable(offset, name),
                }
            }
            Kind::BraceOpen => match self.pattern_or_set(offset)? {
                (id, true) => return Ok(id),
                (id, false) => id,
            },
            Kind::Let => {
                self.advance();
                if self.kind() != Kind::BraceOpen {
                    return self.let_in(offset);
                }
                self.ancient_let(offset)?
            }
            Kind::With => {
                let (scope, body) = self.head_and_body()?;
                return Ok(self.ast.add(offset, Expr::With { scope, body }));
            }
            Kind::Assert => {
                let (condition, body) = self.head_and_body()?;
                return Ok(self.ast.add(offset, Expr::Assert { condition, body }));
            }
            Kind::If => return self.if_else(offset),
            Kind::Not | Kind::Minus => {
                let operand = self.operand()?;
                return self.operation(offset, operand);
            }
            _ => self.simple()?,
        };
        let operand = self.applied(offset, first)?;
        if self.kind().is_operator() { self.operation(offset, operand) } else { Ok(operand) }
    }

    /// `let … in …`, whose first word is read.
    fn let_in(&mut self, offset: u32) -> Parsed<ExprId> {
        let set = self.sets.open(true);
        self.bindings(set, Kind::In)?;
        if self.sets.has_dynamic(set) {
            return Err(self.error(offset, "dynamic attributes not allowed in let").into());
        }
        self.advance();
        let body = self.expression()?;
        Ok(self.ast.add(offset, Expr::Let { bindings: set, body }))
    }

    /// `word head; body`
    fn head_and_body(&mut self) -> Parsed<(ExprId, ExprId)> {
        self.advance();
        let head = self.expression()?;
        self.expect(Kind::Semicolon, "';'")?;
        Ok((head, self.expression()?))
    }

    fn if_else(&mut self, offset: u32) -> Parsed<ExprId> {
        self.advance();
        let condition = self.expression()?;
        self.expect(Kind::Then, "'then'")?;
        let then = self.expression()?;
        self.expect(Kind::Else, "'else'")?;
        let other = self.expression()?;
        let branches = self.ast.add_ids(&[then, other]);
        Ok(self.ast.add(offset, Expr::If { condition, branches }))
    }

    /// All that binds stronger than any operator and begins with `first`: `first.a b c`, which is
    /// one node with all arguments.
    #[inline]
    pub(super) fn applied(&mut self, offset: u32, first: ExprId) -> Parsed<ExprId> {
        let function = self.selected(offset, first)?;
        if self.kind().starts_operand() { self.called(offset, function) } else { Ok(function) }
    }

    fn called(&mut self, offset: u32, function: ExprId) -> Parsed<ExprId> {
        let base = self.ids.len();
        while self.kind().starts_operand() {
            let argument = self.select()?;
            self.ids.push(argument);
        }
        Ok(self.apply(offset, function, base))
    }

    /// The call of `function` with the arguments `ids[base..]`. As in C++ Nix, a call that is
    /// called is one call with more arguments.
    pub(super) fn apply(&mut self, offset: u32, function: ExprId, base: usize) -> ExprId {
        let more = &self.ids[base..];
        let id = if let Expr::Call { function: callee, args } = self.ast.expr(function) {
            let args = self.ast.add_ids_after(args, more);
            self.ast.replace(function, Expr::Call { function: callee, args });
            function
        } else {
            let args = self.ast.add_ids(more);
            self.ast.add(offset, Expr::Call { function, args })
        };
        self.ids.truncate(base);
        id
    }

    /// `a.b.c or d`, as it stands in a list or as an argument.
    pub(super) fn select(&mut self) -> Parsed<ExprId> {
        let offset = self.offset();
        let base = self.simple()?;
        if self.kind() == Kind::Or {
            self.remark(RemarkKind::OrAsIdentifier, offset);
        }
        self.selected(offset, base)
    }

    /// Notes what stands between `start` and the end of the current token.
    #[cold]
    pub(super) fn remark(&mut self, kind: RemarkKind, start: u32) {
        let end = self.lexer.token_end();
        self.ast.remarks.push(Remark { kind, start, end });
    }

    /// What may follow a simple expression: `.b.c or d`, or the `or` of the call `a or` of a
    /// function on the variable named so.
    #[inline]
    fn selected(&mut self, offset: u32, base: ExprId) -> Parsed<ExprId> {
        match self.kind() {
            Kind::Dot => self.selected_path(offset, base),
            Kind::Or => {
                let or = self.ast.add(self.offset(), Expr::Var(Symbol::OR));
                self.advance();
                Ok(self.call(offset, base, &[or]))
            }
            _ => Ok(base),
        }
    }

    fn selected_path(&mut self, offset: u32, base: ExprId) -> Parsed<ExprId> {
        self.advance();
        let start = self.names.len();
        self.attr_path()?;
        let path = self.take_path(start);
        let select = self.ast.add(offset, Expr::Select { base, path });
        if self.kind() != Kind::Or {
            return Ok(select);
        }
        self.advance();
        let default = self.deeper(Self::select)?;
        Ok(self.ast.add(offset, Expr::SelectOr { select, default }))
    }

    #[inline]
    fn variable(&mut self, offset: u32, name: Symbol) -> ExprId {
        let expr = if name == Symbol::CUR_POS { Expr::CurPos } else { Expr::Var(name) };
        self.ast.add(offset, expr)
    }

    /// What needs no parentheses anywhere.
    pub(super) fn simple(&mut self) -> Parsed<ExprId> {
        let offset = self.offset();
        let expr = match self.kind() {
            Kind::Id => {
                let name = self.symbol();
                self.advance();
                return Ok(self.variable(offset, name));
            }
            Kind::Quote => return self.string(),
            Kind::ParenOpen => {
                self.advance();
                let inner = self.expression()?;
                self.expect(Kind::ParenClose, "')'")?;
                return Ok(inner);
            }
            Kind::BracketOpen => return self.deeper(Self::list),
            Kind::BraceOpen => return self.set(offset, false),
            Kind::IndentedOpen => return self.indented_string(),
            Kind::Path | Kind::HomePath => return self.path(),
            Kind::Rec => {
                self.advance();
                return self.set(offset, true);
            }
            Kind::Let => {
                self.advance();
                return self.ancient_let(offset);
            }
            Kind::SearchPath => return Ok(self.search_path(offset)),
            Kind::Int => Expr::Int(self.integer()?),
            Kind::Float => Expr::Float(self.float()?),
            Kind::Uri => {
                self.remark(RemarkKind::UrlLiteral, offset);
                Expr::Str(self.ast.add_text(self.lexer.token_bytes()))
            }
            _ => return Err(self.unexpected("").into()),
        };
        self.advance();
        Ok(self.ast.add(offset, expr))
    }

    /// `let { …; body = x; }`, whose first word is read: `rec { …; body = x; }.body`.
    fn ancient_let(&mut self, offset: u32) -> Parsed<ExprId> {
        let base = self.set(offset, true)?;
        let path = self.ast.add_path(&[AttrName::Static(Symbol::BODY)]);
        Ok(self.ast.add(offset, Expr::Select { base, path }))
    }

    /// `<x>`: the call `__findFile __nixPath "x"`.
    fn search_path(&mut self, offset: u32) -> ExprId {
        let path = self.ast.add(offset, Expr::Var(Symbol::NIX_PATH));
        let bytes = self.lexer.token_bytes();
        let text = self.ast.add_text(&bytes[1..bytes.len() - 1]);
        let name = self.ast.add(offset, Expr::Str(text));
        self.advance();
        self.call_known(offset, Symbol::FIND_FILE, &[path, name])
    }

    fn set(&mut self, offset: u32, recursive: bool) -> Parsed<ExprId> {
        self.expect(Kind::BraceOpen, "'{'")?;
        let set = self.sets.open(recursive);
        self.bindings(set, Kind::BraceClose)?;
        self.advance();
        Ok(self.ast.add(offset, Expr::Attrs(set)))
    }

    fn list(&mut self) -> Parsed<ExprId> {
        let offset = self.offset();
        self.advance();
        let base = self.ids.len();
        while self.kind() != Kind::BracketClose {
            let item = self.select()?;
            self.ids.push(item);
        }
        self.advance();
        let items = self.ast.add_ids(&self.ids[base..]);
        self.ids.truncate(base);
        Ok(self.ast.add(offset, Expr::List(items)))
    }

    fn token_text(&self) -> &'a str {
        // Only called for numbers, which are ASCII.
        std::str::from_utf8(self.lexer.token_bytes()).unwrap_or_default()
    }

    fn integer(&self) -> Parsed<i64> {
        let text = self.token_text();
        let invalid = |_| self.error(self.offset(), &format!("invalid integer '{text}'"));
        Ok(text.parse().map_err(invalid)?)
    }

    /// C++ Nix refuses what overflows to infinity or underflows, as strtod(3) reports both.
    fn float(&self) -> Parsed<f64> {
        let text = self.token_text();
        let digits = text.split(['e', 'E']).next().unwrap_or_default();
        let is_zero = digits.bytes().all(|b| matches!(b, b'0' | b'.'));
        let fits = |value: &f64| value.is_finite() && (value.is_normal() || is_zero);
        let invalid = || self.error(self.offset(), &format!("invalid float '{text}'"));
        Ok(text.parse().ok().filter(fits).ok_or_else(invalid)?)
    }
}
