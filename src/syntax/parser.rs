//! Recursive descent, straight into the tree. Operators are in `operators.rs`, bindings in
//! `attrs.rs`, the inside of strings in `strings.rs`.

use rustc_hash::FxHashMap;

use super::ast::{Ast, AttrName, AttrSet, Expr, ExprId, Formal, Formals, Lambda};
use super::error::ParseError;
use super::lexer::{Kind, Lexer, Token};
use super::symbol::{Symbol, Symbols};

/// How deep expressions may be nested: as deep as C++ Nix's parser goes.
const MAX_DEPTH: u32 = 10_000;
/// Stack that one level of nesting may take, and how much is added when it runs out.
const RED_ZONE: usize = 64 * 1024;
const STACK: usize = 2 * 1024 * 1024;

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
    let mut parser = Parser {
        lexer: Lexer::new(source),
        token: Token { kind: Kind::End, start: 0, end: 0 },
        ast: Ast::default(),
        symbols,
        features,
        depth: 0,
        maps: FxHashMap::default(),
        known: None,
    };
    parser.reserve(source.len());
    parser.advance()?;
    let root = parser.expression()?;
    if parser.token.kind != Kind::End {
        return Err(parser.unexpected("end of file"));
    }
    parser.ast.root = Some(root);
    parser.sort_sets();
    Ok(parser.ast)
}

/// Symbols of the functions that operators call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) sub: Symbol,
    pub(super) mul: Symbol,
    pub(super) div: Symbol,
    pub(super) less_than: Symbol,
    find_file: Symbol,
    nix_path: Symbol,
    body: Symbol,
    or: Symbol,
    cur_pos: Symbol,
}

/// The parser's state.
pub(super) struct Parser<'a> {
    pub(super) lexer: Lexer<'a>,
    /// The token that is looked at; what stands before it is parsed.
    pub(super) token: Token,
    pub(super) ast: Ast,
    pub(super) symbols: &'a mut Symbols,
    pub(super) features: Features,
    depth: u32,
    /// Where the attributes of big sets are, while they are read.
    pub(super) maps: FxHashMap<u32, FxHashMap<Symbol, u32>>,
    known: Option<Known>,
}

impl Parser<'_> {
    /// Makes room for what a source of this length usually needs, so that arrays seldom move.
    fn reserve(&mut self, length: usize) {
        self.ast.exprs.reserve(length / 14);
        self.ast.offsets.reserve(length / 14);
        self.ast.ids.reserve(length / 24);
        self.ast.part_offsets.reserve(length / 24);
        self.ast.text.reserve(length / 3);
    }

    pub(super) fn advance(&mut self) -> Result<(), ParseError> {
        self.token = self.lexer.next()?;
        Ok(())
    }

    pub(super) fn expect(&mut self, kind: Kind, shown: &str) -> Result<(), ParseError> {
        if self.token.kind != kind {
            return Err(self.unexpected(shown));
        }
        self.advance()
    }

    /// A place in the source as a node has it.
    #[expect(clippy::cast_possible_truncation, reason = "longer sources are refused at the start")]
    #[expect(clippy::unused_self, reason = "reads as a question to the parser")]
    pub(super) fn offset(&self, at: usize) -> u32 {
        at as u32
    }

    pub(super) fn token_symbol(&mut self) -> Symbol {
        self.symbols.intern(&self.lexer.src[self.token.start..self.token.end])
    }

    /// The error that the current token is not what had to come.
    pub(super) fn unexpected(&self, expected: &str) -> ParseError {
        let Token { kind, start, end } = self.token;
        let shown = match kind {
            Kind::End => "end of file".to_owned(),
            Kind::Quote => "'\"'".to_owned(),
            Kind::IndentedOpen => "start of an indented string".to_owned(),
            _ => format!("'{}'", String::from_utf8_lossy(&self.lexer.src[start..end])),
        };
        let message = format!("syntax error, unexpected {shown}, expecting {expected}");
        ParseError::new(self.offset(start), message)
    }

    pub(super) fn unexpected_end(&self, at: usize, expected: &str) -> ParseError {
        let message = format!("syntax error, unexpected end of file, expecting {expected}");
        ParseError::new(self.offset(at.min(self.lexer.src.len())), message)
    }

    /// Any expression.
    pub(super) fn expression(&mut self) -> Result<ExprId, ParseError> {
        self.nested_in(Self::function)
    }

    /// Parses one level deeper, on more stack where that is needed.
    pub(super) fn nested_in(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<ExprId, ParseError>,
    ) -> Result<ExprId, ParseError> {
        if self.depth == MAX_DEPTH {
            let offset = self.offset(self.token.start);
            return Err(ParseError::new(offset, "the expression is nested too deeply"));
        }
        self.depth += 1;
        let result = stacker::maybe_grow(RED_ZONE, STACK, || parse(self));
        self.depth -= 1;
        result
    }

    /// Functions, `let`, `with`, `assert`, `if`, and all that binds stronger.
    fn function(&mut self) -> Result<ExprId, ParseError> {
        match self.token.kind {
            Kind::Id => self.identifier_or_function(),
            Kind::Byte(b'{') if self.is_pattern() => {
                let start = self.token.start;
                let formals = self.formals()?;
                self.pattern_function(start, None, formals)
            }
            Kind::Let => self.let_in(),
            Kind::With => {
                let (offset, scope, body) = self.head_and_body()?;
                Ok(self.ast.add(offset, Expr::With { scope, body }))
            }
            Kind::Assert => {
                let (offset, condition, body) = self.head_and_body()?;
                Ok(self.ast.add(offset, Expr::Assert { condition, body }))
            }
            Kind::If => self.if_else(),
            _ => self.pipes(),
        }
    }

    fn identifier_or_function(&mut self) -> Result<ExprId, ParseError> {
        let next = self.lexer.skip_blank(self.token.end);
        let start = self.token.start;
        match self.lexer.at(next) {
            b':' => {
                let arg = Some(self.token_symbol());
                self.advance()?;
                self.advance()?;
                let body = self.expression()?;
                let lambda = self.ast.add_lambda(Lambda { arg, formals: None, body });
                Ok(self.ast.add(self.offset(start), Expr::Lambda(lambda)))
            }
            b'@' => {
                let arg = Some(self.token_symbol());
                self.advance()?;
                self.advance()?;
                if self.token.kind != Kind::Byte(b'{') {
                    return Err(self.unexpected("'{'"));
                }
                let formals = self.formals()?;
                self.pattern_function(start, arg, formals)
            }
            _ => self.pipes(),
        }
    }

    /// Does the brace that is the current token begin a pattern? Nothing is read for the answer but
    /// the next word and what follows it.
    fn is_pattern(&self) -> bool {
        let src = self.lexer.src;
        let first = self.lexer.skip_blank(self.token.end);
        match self.lexer.at(first) {
            b'}' => {
                let after = self.lexer.skip_blank(first + 1);
                matches!(self.lexer.at(after), b':' | b'@')
            }
            b'.' => src[first..].starts_with(b"..."),
            byte if byte.is_ascii_alphabetic() || byte == b'_' => {
                let word = src[first..]
                    .iter()
                    .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'\'' | b'-'));
                let after = self.lexer.skip_blank(first + word.count());
                matches!(self.lexer.at(after), b',' | b'?' | b'}')
            }
            _ => false,
        }
    }

    /// `{ a, b ? c, ... }`, whose brace is the current token.
    fn formals(&mut self) -> Result<Formals, ParseError> {
        self.advance()?;
        let mut formals = Formals::default();
        loop {
            match self.token.kind {
                Kind::Byte(b'}') => break,
                Kind::Ellipsis => {
                    formals.ellipsis = true;
                    self.advance()?;
                    break;
                }
                Kind::Id => {
                    let offset = self.offset(self.token.start);
                    let name = self.token_symbol();
                    self.advance()?;
                    let default = if self.token.kind == Kind::Byte(b'?') {
                        self.advance()?;
                        Some(self.expression()?)
                    } else {
                        None
                    };
                    formals.formals.push(Formal { name, default, offset });
                }
                _ => return Err(self.unexpected("identifier, '...' or '}'")),
            }
            match self.token.kind {
                Kind::Byte(b',') => self.advance()?,
                Kind::Byte(b'}') => break,
                _ => return Err(self.unexpected("',' or '}'")),
            }
        }
        self.expect(Kind::Byte(b'}'), "'}'")?;
        formals.formals.sort_by_key(|formal| formal.name);
        let twice = formals.formals.windows(2).filter(|pair| pair[0].name == pair[1].name);
        if let Some(pair) = twice.min_by_key(|pair| pair[1].offset) {
            return Err(self.duplicate_formal(pair[1].name, pair[1].offset));
        }
        Ok(formals)
    }

    fn duplicate_formal(&self, name: Symbol, offset: u32) -> ParseError {
        let name = self.symbols.text(name);
        ParseError::new(offset, format!("duplicate formal function argument '{name}'"))
    }

    fn pattern_function(
        &mut self,
        start: usize,
        mut arg: Option<Symbol>,
        formals: Formals,
    ) -> Result<ExprId, ParseError> {
        let offset = self.offset(start);
        if self.token.kind == Kind::Byte(b'@') && arg.is_none() {
            self.advance()?;
            if self.token.kind != Kind::Id {
                return Err(self.unexpected("identifier"));
            }
            arg = Some(self.token_symbol());
            self.advance()?;
        }
        if let Some(arg) = arg
            && formals.formals.binary_search_by_key(&arg, |formal| formal.name).is_ok()
        {
            return Err(self.duplicate_formal(arg, offset));
        }
        self.expect(Kind::Byte(b':'), "':'")?;
        let body = self.expression()?;
        let lambda = self.ast.add_lambda(Lambda { arg, formals: Some(formals), body });
        Ok(self.ast.add(offset, Expr::Lambda(lambda)))
    }

    /// `let … in …`, or the ancient `let { … }`.
    fn let_in(&mut self) -> Result<ExprId, ParseError> {
        let brace = self.lexer.skip_blank(self.token.end);
        if self.lexer.at(brace) == b'{' {
            return self.pipes();
        }
        let start = self.token.start;
        self.advance()?;
        let bindings = self.bindings(Kind::In, true)?;
        if !self.ast.attrs(bindings).dynamic.is_empty() {
            let offset = self.offset(start);
            return Err(ParseError::new(offset, "dynamic attributes not allowed in let"));
        }
        self.advance()?;
        let body = self.expression()?;
        Ok(self.ast.add(self.offset(start), Expr::Let { bindings, body }))
    }

    /// `word head; body`
    fn head_and_body(&mut self) -> Result<(u32, ExprId, ExprId), ParseError> {
        let offset = self.offset(self.token.start);
        self.advance()?;
        let head = self.expression()?;
        self.expect(Kind::Byte(b';'), "';'")?;
        Ok((offset, head, self.expression()?))
    }

    fn if_else(&mut self) -> Result<ExprId, ParseError> {
        let offset = self.offset(self.token.start);
        self.advance()?;
        let condition = self.expression()?;
        self.expect(Kind::Then, "'then'")?;
        let then = self.expression()?;
        self.expect(Kind::Else, "'else'")?;
        let other = self.expression()?;
        let branches = self.ast.add_ids(&[then, other]);
        Ok(self.ast.add(offset, Expr::If { condition, branches }))
    }

    /// `f a b c`: one node with all arguments.
    pub(super) fn application(&mut self) -> Result<ExprId, ParseError> {
        let offset = self.offset(self.token.start);
        let function = self.select()?;
        if !starts_operand(self.token.kind) {
            return Ok(function);
        }
        let mut args = Vec::with_capacity(4);
        while starts_operand(self.token.kind) {
            args.push(self.select()?);
        }
        Ok(self.call(offset, function, &args))
    }

    /// `a.b.c or d`, and the call `a or` of a function named so.
    fn select(&mut self) -> Result<ExprId, ParseError> {
        let offset = self.offset(self.token.start);
        let base = self.simple()?;
        match self.token.kind {
            Kind::Byte(b'.') => {
                self.advance()?;
                let names = self.attr_path_names()?;
                let path = self.ast.add_path(&names);
                let select = self.ast.add(offset, Expr::Select { base, path });
                if self.token.kind != Kind::Or {
                    return Ok(select);
                }
                self.advance()?;
                let default = self.nested_in(Self::select)?;
                Ok(self.ast.add(offset, Expr::SelectOr { select, default }))
            }
            Kind::Or => {
                let at = self.offset(self.token.start);
                self.advance()?;
                let or = self.known().or;
                let argument = self.ast.add(at, Expr::Var(or));
                Ok(self.call(offset, base, &[argument]))
            }
            _ => Ok(base),
        }
    }

    fn simple(&mut self) -> Result<ExprId, ParseError> {
        let Token { kind, start, end } = self.token;
        let offset = self.offset(start);
        let expr = match kind {
            Kind::Id => {
                let name = self.token_symbol();
                if name == self.known().cur_pos { Expr::CurPos } else { Expr::Var(name) }
            }
            Kind::Int => Expr::Int(self.integer()?),
            Kind::Float => Expr::Float(self.float()?),
            Kind::Quote => return self.string(),
            Kind::IndentedOpen => return self.indented_string(),
            Kind::Path | Kind::HomePath => return self.path(),
            Kind::SearchPath => {
                let known = self.known();
                let path = self.ast.add(offset, Expr::Var(known.nix_path));
                let text = self.ast.add_text(&self.lexer.src[start + 1..end - 1]);
                let name = self.ast.add(offset, Expr::Str(text));
                self.advance()?;
                return Ok(self.call_known(offset, known.find_file, &[path, name]));
            }
            Kind::Uri => Expr::Str(self.ast.add_text(&self.lexer.src[start..end])),
            Kind::Byte(b'(') => {
                self.advance()?;
                let inner = self.expression()?;
                self.expect(Kind::Byte(b')'), "')'")?;
                return Ok(inner);
            }
            Kind::Byte(b'[') => return self.list(),
            Kind::Byte(b'{') => return self.set(offset, false),
            Kind::Rec => {
                self.advance()?;
                return self.set(offset, true);
            }
            Kind::Let => {
                // `let { …; body = x; }` is `rec { …; body = x; }.body`.
                self.advance()?;
                let base = self.set(offset, true)?;
                let body = AttrName::Static(self.known().body);
                let path = self.ast.add_path(&[body]);
                return Ok(self.ast.add(offset, Expr::Select { base, path }));
            }
            _ => return Err(self.unexpected("an expression")),
        };
        self.advance()?;
        Ok(self.ast.add(offset, expr))
    }

    fn set(&mut self, offset: u32, recursive: bool) -> Result<ExprId, ParseError> {
        self.expect(Kind::Byte(b'{'), "'{'")?;
        let set = if self.token.kind == Kind::Byte(b'}') {
            self.ast.add_set(AttrSet { recursive, ..AttrSet::default() })
        } else {
            self.bindings(Kind::Byte(b'}'), recursive)?
        };
        self.advance()?;
        Ok(self.ast.add(offset, Expr::Attrs(set)))
    }

    fn list(&mut self) -> Result<ExprId, ParseError> {
        let offset = self.offset(self.token.start);
        self.advance()?;
        let mut items = Vec::new();
        while self.token.kind != Kind::Byte(b']') {
            items.push(self.nested_in(Self::select)?);
        }
        self.advance()?;
        let items = self.ast.add_ids(&items);
        Ok(self.ast.add(offset, Expr::List(items)))
    }

    fn token_text(&self) -> &str {
        let bytes = &self.lexer.src[self.token.start..self.token.end];
        // Only called for numbers, which are ASCII.
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    fn integer(&self) -> Result<i64, ParseError> {
        let text = self.token_text();
        let offset = self.offset(self.token.start);
        text.parse().map_err(|_| ParseError::new(offset, format!("invalid integer '{text}'")))
    }

    /// C++ Nix refuses what overflows to infinity or underflows, as strtod(3) reports both.
    fn float(&self) -> Result<f64, ParseError> {
        let text = self.token_text();
        let offset = self.offset(self.token.start);
        let invalid = || ParseError::new(offset, format!("invalid float '{text}'"));
        let value: f64 = text.parse().map_err(|_| invalid())?;
        let digits = text.split(['e', 'E']).next().unwrap_or_default();
        let is_zero = digits.bytes().all(|b| matches!(b, b'0' | b'.'));
        if value.is_finite() && (value.is_normal() || is_zero) { Ok(value) } else { Err(invalid()) }
    }

    pub(super) fn known(&mut self) -> Known {
        if let Some(known) = self.known {
            return known;
        }
        let mut intern = |name: &str| self.symbols.intern(name.as_bytes());
        let known = Known {
            sub: intern("__sub"),
            mul: intern("__mul"),
            div: intern("__div"),
            less_than: intern("__lessThan"),
            find_file: intern("__findFile"),
            nix_path: intern("__nixPath"),
            body: intern("body"),
            or: intern("or"),
            cur_pos: intern("__curPos"),
        };
        self.known = Some(known);
        known
    }
}

/// May a function's argument begin with this token?
fn starts_operand(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Id
            | Kind::Int
            | Kind::Float
            | Kind::Quote
            | Kind::IndentedOpen
            | Kind::Path
            | Kind::HomePath
            | Kind::SearchPath
            | Kind::Uri
            | Kind::Byte(b'(' | b'[' | b'{')
            | Kind::Rec
            | Kind::Let
    )
}
