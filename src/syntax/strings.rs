//! The inside of strings, indented strings and paths: pieces of text between interpolations.

use super::ast::{Expr, ExprId};
use super::error::ParseError;
use super::lexer::Kind;
use super::parser::Parser;

/// A piece of an indented string, before its indentation is taken off.
enum Piece {
    /// Text as written, whose indentation counts.
    Written(Vec<u8>),
    /// An escape: text without indentation.
    Escaped(Vec<u8>),
    /// `${…}`
    Expr(ExprId),
}

impl Parser<'_> {
    /// The rest of a string whose opening quote is the current token.
    pub(super) fn string(&mut self) -> Result<ExprId, ParseError> {
        let start = self.token.start;
        let mut at = self.token.end;
        let mut parts: Vec<(u32, ExprId)> = Vec::new();
        let mut interpolated = false;
        loop {
            let (text, end) = self.string_text(at)?;
            if !text.is_empty() || (parts.is_empty() && self.lexer.at(end) == b'"') {
                let text = self.ast.add_text(&text);
                let id = self.ast.add(self.offset(at), Expr::Str(text));
                parts.push((self.offset(at), id));
            }
            if self.lexer.at(end) == b'"' {
                self.lexer.pos = end + 1;
                self.advance()?;
                // `"${"x"}"` stays an interpolation, which may not name an attribute of a `let`.
                return Ok(if interpolated {
                    let parts = self.ast.add_parts(&parts);
                    self.ast.add(self.offset(start), Expr::Concat { parts, force_string: true })
                } else {
                    self.joined(start, &parts)
                });
            }
            at = self.interpolation(end, &mut parts)?;
            interpolated = true;
        }
    }

    /// The text up to `"` or `${`, unescaped, and where it ends.
    fn string_text(&self, start: usize) -> Result<(Vec<u8>, usize), ParseError> {
        let src = self.lexer.src;
        let mut text = Vec::new();
        let mut at = start;
        loop {
            let Some(&byte) = src.get(at) else {
                return Err(self.unexpected_end(at, "'\"'"));
            };
            match (byte, src.get(at + 1)) {
                (b'"', _) | (b'$', Some(b'{')) => return Ok((text, at)),
                (b'\\', Some(&escaped)) => {
                    text.push(unescaped(escaped));
                    at += 2;
                }
                (b'\\', None) => return Err(self.unexpected_end(at + 1, "'\"'")),
                // `$$` is two dollars, so that `$${` interpolates nothing.
                (b'$', Some(b'$')) => {
                    text.extend_from_slice(b"$$");
                    at += 2;
                }
                // CR and CR LF count as LF.
                (b'\r', next) => {
                    text.push(b'\n');
                    at += 1 + usize::from(next == Some(&b'\n'));
                }
                (0, _) => return Err(self.null_byte(at)),
                _ => {
                    text.push(byte);
                    at += 1;
                }
            }
        }
    }

    /// `${ expression }` whose dollar is at `at`; gives where the text goes on.
    fn interpolation(
        &mut self,
        at: usize,
        parts: &mut Vec<(u32, ExprId)>,
    ) -> Result<usize, ParseError> {
        let offset = self.offset(at);
        self.lexer.pos = at + 2;
        self.advance()?;
        let expr = self.expression()?;
        parts.push((offset, expr));
        // The token after the brace is none of ours: it is text again.
        if self.token.kind != Kind::Byte(b'}') {
            return Err(self.unexpected("'}'"));
        }
        Ok(self.token.end)
    }

    /// One string, or all parts joined.
    fn joined(&mut self, start: usize, parts: &[(u32, ExprId)]) -> ExprId {
        if let [(_, only)] = *parts
            && matches!(self.ast.expr(only), Expr::Str(_))
        {
            return only;
        }
        let parts = self.ast.add_parts(parts);
        self.ast.add(self.offset(start), Expr::Concat { parts, force_string: true })
    }

    /// The rest of an indented string whose opening quotes are the current token.
    pub(super) fn indented_string(&mut self) -> Result<ExprId, ParseError> {
        let start = self.token.start;
        let mut at = self.token.end;
        let mut pieces: Vec<(u32, Piece)> = Vec::new();
        let src = self.lexer.src;
        loop {
            let rest = &src[at.min(src.len())..];
            let offset = self.offset(at);
            match rest {
                [] => return Err(self.unexpected_end(at, "end of an indented string")),
                [b'\'', b'\'', b'$', ..] => {
                    pieces.push((offset, Piece::Escaped(b"$".to_vec())));
                    at += 3;
                }
                [b'\'', b'\'', b'\'', ..] => {
                    pieces.push((offset, Piece::Escaped(b"''".to_vec())));
                    at += 3;
                }
                [b'\'', b'\'', b'\\', escaped, ..] => {
                    pieces.push((offset, Piece::Escaped(vec![unescaped(*escaped)])));
                    at += 4;
                }
                [b'\'', b'\'', ..] => {
                    self.lexer.pos = at + 2;
                    self.advance()?;
                    return Ok(self.unindented(start, pieces));
                }
                [b'$', b'{', ..] => {
                    let mut parts = Vec::new();
                    at = self.interpolation(at, &mut parts)?;
                    pieces.extend(parts.into_iter().map(|(at, id)| (at, Piece::Expr(id))));
                }
                _ => {
                    let length = self.written(at)?;
                    let piece = if length == 0 {
                        // A lone `$` or `'` before what it does not belong to.
                        Piece::Escaped(vec![rest[0]])
                    } else {
                        Piece::Written(rest[..length].to_vec())
                    };
                    pieces.push((offset, piece));
                    at += length.max(1);
                }
            }
        }
    }

    /// How many bytes of plain text stand at `at` of an indented string: `$` counts with a byte
    /// after it that is neither `{` nor `'`, and `'` with one that is neither `'` nor `$`.
    fn written(&self, at: usize) -> Result<usize, ParseError> {
        let rest = &self.lexer.src[at..];
        let mut length = 0;
        loop {
            match rest[length..] {
                [0, ..] | [b'$' | b'\'', 0, ..] => return Err(self.null_byte(at + length)),
                [b'$', next, ..] if next != b'{' && next != b'\'' => length += 2,
                [b'\'', next, ..] if next != b'\'' && next != b'$' => length += 2,
                [] | [b'$' | b'\'', ..] => return Ok(length),
                _ => length += 1,
            }
        }
    }

    /// Takes the common indentation off the lines. Only spaces count, and a last line that holds
    /// nothing else does not.
    fn unindented(&mut self, start: usize, pieces: Vec<(u32, Piece)>) -> ExprId {
        let indent = common_indent(&pieces);
        let last = pieces.len().wrapping_sub(1);
        let mut parts = Vec::new();
        let mut line_start = true;
        let mut dropped = 0;
        for (number, (offset, piece)) in pieces.into_iter().enumerate() {
            let bytes = match piece {
                Piece::Expr(id) => {
                    line_start = false;
                    dropped = 0;
                    parts.push((offset, id));
                    continue;
                }
                Piece::Written(bytes) | Piece::Escaped(bytes) => bytes,
            };
            let mut text = Vec::with_capacity(bytes.len());
            for byte in bytes {
                if line_start && byte == b' ' {
                    dropped += 1;
                    if dropped > indent {
                        text.push(byte);
                    }
                    continue;
                }
                if line_start {
                    dropped = 0;
                }
                line_start = byte == b'\n';
                text.push(byte);
            }
            if number == last {
                drop_blank_last_line(&mut text);
            }
            if !text.is_empty() {
                let text = self.ast.add_text(&text);
                parts.push((offset, self.ast.add(offset, Expr::Str(text))));
            }
        }
        if parts.is_empty() {
            return self.ast.add(self.offset(start), Expr::Str(super::ast::Text::default()));
        }
        self.joined(start, &parts)
    }

    /// A path whose first piece is the current token.
    pub(super) fn path(&mut self) -> Result<ExprId, ParseError> {
        let token = self.token;
        let offset = self.offset(token.start);
        let text = self.ast.add_text(&self.lexer.src[token.start..token.end]);
        let first = match token.kind {
            Kind::HomePath => Expr::HomePath(text),
            _ => Expr::Path(text),
        };
        let first = self.ast.add(offset, first);
        let mut parts = vec![(offset, first)];
        let mut at = token.end;
        let mut interpolated = false;
        loop {
            if self.lexer.at(at) == b'$' && self.lexer.at(at + 1) == b'{' {
                at = self.interpolation(at, &mut parts)?;
                interpolated = true;
                continue;
            }
            let end = self.lexer.path_piece(at);
            if end == at {
                break;
            }
            let text = self.ast.add_text(&self.lexer.src[at..end]);
            let piece = self.ast.add(self.offset(at), Expr::Str(text));
            parts.push((self.offset(at), piece));
            at = end;
            // C++ Nix's grammar has at most one piece between the first and an interpolation.
            let goes_on = self.lexer.at(at) == b'$' && self.lexer.at(at + 1) == b'{';
            if !interpolated && !goes_on {
                if self.lexer.src[at - 1] == b'/' {
                    break;
                }
                return Err(ParseError::new(
                    self.offset(at),
                    "syntax error, unexpected end of path, expecting '${'",
                ));
            }
        }
        if self.lexer.src[at - 1] == b'/' {
            return Err(ParseError::new(self.offset(at), "path has a trailing slash"));
        }
        self.lexer.pos = at;
        self.advance()?;
        if parts.len() == 1 {
            return Ok(first);
        }
        let parts = self.ast.add_parts(&parts);
        Ok(self.ast.add(offset, Expr::Concat { parts, force_string: false }))
    }

    fn null_byte(&self, at: usize) -> ParseError {
        ParseError::new(
            self.offset(at),
            "input string contains a null byte, which Nix strings can't hold",
        )
    }
}

fn unescaped(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        other => other,
    }
}

fn common_indent(pieces: &[(u32, Piece)]) -> usize {
    let mut smallest = usize::MAX;
    let mut current = 0;
    let mut line_start = true;
    for (_, piece) in pieces {
        let Piece::Written(bytes) = piece else {
            // What is not plain text ends the blank start of a line.
            if line_start {
                line_start = false;
                smallest = smallest.min(current);
            }
            continue;
        };
        for byte in bytes {
            match byte {
                b'\n' => {
                    line_start = true;
                    current = 0;
                }
                b' ' if line_start => current += 1,
                _ if line_start => {
                    line_start = false;
                    smallest = smallest.min(current);
                }
                _ => {}
            }
        }
    }
    smallest
}

fn drop_blank_last_line(text: &mut Vec<u8>) {
    if let Some(newline) = text.iter().rposition(|byte| *byte == b'\n')
        && text[newline + 1..].iter().all(|byte| *byte == b' ')
    {
        text.truncate(newline + 1);
    }
}
