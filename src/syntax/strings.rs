//! The inside of strings and paths: pieces of text between interpolations. Indented strings are in
//! `indented.rs`.

use super::ast::{Expr, ExprId, RemarkKind, Text, index};
use super::error::ParseError;
use super::lexer::Kind;
use super::parser::{Parsed, Parser};
use super::scan;

impl<'a> Parser<'a> {
    /// The rest of a string whose opening quote is the current token.
    pub(super) fn string(&mut self) -> Parsed<ExprId> {
        if let Some(text) = self.plain_string() {
            let offset = self.offset() + 1;
            let text = self.ast.add_text(text);
            self.advance();
            return Ok(self.ast.add(offset, Expr::Str(text)));
        }
        let start = self.offset();
        let base = self.parts.len();
        let mut at = self.lexer.pos;
        let mut interpolated = false;
        loop {
            let (text, end) = self.string_text(at)?;
            let ends = self.lexer.at(end) == b'"';
            if text.len > 0 || (ends && !interpolated) {
                let offset = index(at);
                let id = self.ast.add(offset, Expr::Str(text));
                if ends && !interpolated {
                    self.lexer.pos = end + 1;
                    self.advance();
                    return Ok(id);
                }
                self.parts.push((offset, id));
            }
            if ends {
                self.lexer.pos = end + 1;
                self.advance();
                // `"${"x"}"` stays an interpolation, which may not name an attribute of a `let`.
                return Ok(self.concat(start, base, true));
            }
            let part = (index(end), self.interpolation(end)?);
            self.parts.push(part);
            at = self.lexer.pos;
            interpolated = true;
        }
    }

    /// The text of the string whose opening quote is the current token, if it is read as it is
    /// written; the closing quote becomes the end of the current token.
    pub(super) fn plain_string(&mut self) -> Option<&'a [u8]> {
        let start = self.lexer.pos;
        let end = scan::string_mark(self.lexer.src, start);
        if self.lexer.at(end) != b'"' {
            return None;
        }
        self.lexer.pos = end + 1;
        Some(&self.lexer.src[start..end])
    }

    /// Puts the text up to `"` or `${` into the tree, unescaped, and gives where it ends.
    fn string_text(&mut self, start: usize) -> Parsed<(Text, usize)> {
        let src = self.lexer.src;
        let before = self.ast.text.len();
        let mut at = start;
        let mut null = false;
        loop {
            let mark = scan::string_mark(src, at);
            self.ast.text.extend_from_slice(&src[at..mark]);
            let (bytes, length): (&[u8], _) = match src[mark..] {
                [b'"', ..] | [b'$', b'{', ..] if null => {
                    return Err(self.null_byte(start, &self.ast.text[before..]).into());
                }
                [b'"', ..] | [b'$', b'{', ..] => return Ok((self.ast.text_from(before), mark)),
                [b'\\', escaped, ..] => (&[unescaped(escaped)], 2),
                // `$$` is two dollars, so that `$${` interpolates nothing.
                [b'$', b'$', ..] => (b"$$", 2),
                // CR and CR LF count as LF.
                [b'\r', b'\n', ..] => (b"\n", 2),
                [b'\r', ..] => (b"\n", 1),
                [] | [b'\\'] => return Err(self.unexpected_end("'\"'").into()),
                [byte, ..] => (&[byte], 1),
            };
            null |= bytes == [0];
            self.ast.text.extend_from_slice(bytes);
            at = mark + length;
        }
    }

    /// `${ expression }` whose dollar is at `at`; the text goes on where the current token ends.
    pub(super) fn interpolation(&mut self, at: usize) -> Parsed<ExprId> {
        self.lexer.pos = at + 2;
        self.advance();
        let expr = self.expression()?;
        // The token after the brace is none of ours: it is text again.
        if self.kind() == Kind::BraceClose { Ok(expr) } else { Err(self.unexpected("'}'").into()) }
    }

    /// One node of all parts from `base`.
    pub(super) fn concat(&mut self, offset: u32, base: usize, force_string: bool) -> ExprId {
        let parts = self.ast.add_parts(&self.parts[base..]);
        self.parts.truncate(base);
        self.ast.add(offset, Expr::Concat { parts, force_string })
    }

    /// A path whose first piece is the current token.
    pub(super) fn path(&mut self) -> Parsed<ExprId> {
        let offset = self.offset();
        let base = self.parts.len();
        let text = self.ast.add_text(self.lexer.token_bytes());
        let first = match self.kind() {
            Kind::HomePath => Expr::HomePath(text),
            _ => Expr::Path(text),
        };
        match self.lexer.token_bytes().first() {
            Some(b'.') => {}
            Some(b'/') => self.remark(RemarkKind::AbsolutePath, offset),
            Some(b'~') => self.remark(RemarkKind::HomePath, offset),
            _ => self.remark(RemarkKind::ShortPath, offset),
        }
        let first = self.ast.add(offset, first);
        self.parts.push((offset, first));
        let mut at = self.lexer.pos;
        let mut interpolated = false;
        loop {
            if self.lexer.interpolates(at) {
                let part = (index(at), self.interpolation(at)?);
                self.parts.push(part);
                at = self.lexer.pos;
                interpolated = true;
                continue;
            }
            let end = self.lexer.path_piece(at);
            if end == at {
                break;
            }
            let text = self.ast.add_text(&self.lexer.src[at..end]);
            let piece = self.ast.add(index(at), Expr::Str(text));
            self.parts.push((index(at), piece));
            at = end;
            // C++ Nix's grammar has at most one piece between the first and an interpolation.
            if !interpolated && !self.lexer.interpolates(at) {
                if self.lexer.at(at - 1) == b'/' {
                    break;
                }
                return Err(self.unexpected_here(index(at), "end of path", "'${'").into());
            }
        }
        if self.lexer.at(at - 1) == b'/' {
            return Err(self.error(index(at), "path has a trailing slash").into());
        }
        self.lexer.pos = at;
        self.advance();
        if self.parts.len() == base + 1 {
            self.parts.truncate(base);
            return Ok(first);
        }
        Ok(self.concat(offset, base, false))
    }

    /// The error that the text which begins at `at` holds a null byte.
    #[cold]
    pub(super) fn null_byte(&self, at: usize, text: &[u8]) -> ParseError {
        let shown = String::from_utf8_lossy(text).replace('\0', "␀");
        let why = "cannot be represented as Nix string because it contains null bytes";
        self.error(index(at), &format!("input string '{shown}' {why}"))
    }
}

/// What a byte after a backslash stands for.
pub(super) fn unescaped(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        other => other,
    }
}
