//! Indented strings: read in pieces, whose common indentation is then taken off.

use super::ast::{Expr, ExprId, Text, index};
use super::parser::{Parsed, Parser};
use super::scan;
use super::strings::unescaped;

/// What may stand in an indented string, for messages.
const INSIDE: &str = "indented string or '${' or end of an indented string";

/// A piece of an indented string, before its indentation is taken off.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece {
    /// Text of the source from the piece's offset to this one, whose indentation counts.
    Written(u32),
    /// An escape, which has no indentation.
    Escaped(&'static [u8]),
    /// An escape of a byte that stands for itself.
    EscapedByte(u8),
    /// `${…}`
    Expr(ExprId),
}

impl Parser<'_> {
    /// The rest of an indented string whose opening quotes are the current token.
    pub(super) fn indented_string(&mut self) -> Parsed<ExprId> {
        let start = self.offset();
        let base = self.pieces.len();
        let src = self.lexer.src;
        let mut at = self.lexer.pos;
        loop {
            let (piece, end) = match src[at.min(src.len())..] {
                [] => return Err(self.unexpected_end(INSIDE).into()),
                [b'\'', b'\'', b'$', ..] => (Piece::Escaped(b"$"), at + 3),
                [b'\'', b'\'', b'\'', ..] => (Piece::Escaped(b"''"), at + 3),
                [b'\'', b'\'', b'\\', escaped, ..] => {
                    (Piece::EscapedByte(unescaped(escaped)), at + 4)
                }
                [b'\'', b'\'', ..] => {
                    self.lexer.pos = at + 2;
                    self.advance();
                    return Ok(self.unindented(start, base));
                }
                [b'$', b'{', ..] => {
                    let expr = self.interpolation(at)?;
                    (Piece::Expr(expr), self.lexer.pos)
                }
                [byte, ..] => match self.written(at)? {
                    // A lone `$` or `'` before what it does not belong to.
                    end if end == at => (Piece::EscapedByte(byte), at + 1),
                    end => (Piece::Written(index(end)), end),
                },
            };
            self.pieces.push((index(at), piece));
            at = end;
        }
    }

    /// Where the plain text ends that stands at `at` of an indented string: `$` counts with a byte
    /// after it that is neither `{` nor `'`, and `'` with one that is neither `'` nor `$`.
    fn written(&self, start: usize) -> Parsed<usize> {
        let src = self.lexer.src;
        let mut at = start;
        let mut null = false;
        loop {
            at = scan::indented_mark(src, at);
            match src[at..] {
                [0, ..] => at += 1,
                [b'$', next, ..] if next != b'{' && next != b'\'' => at += 2,
                [b'\'', next, ..] if next != b'\'' && next != b'$' => at += 2,
                _ => break,
            }
            null |= src.get(at - 1) == Some(&0);
        }
        if null { Err(self.null_byte(start, &src[start..at]).into()) } else { Ok(at) }
    }

    /// The node of the pieces from `base`, without their common indentation.
    fn unindented(&mut self, start: u32, base: usize) -> ExprId {
        let src = self.lexer.src;
        let mut stripper =
            Stripper { indent: self.common_indent(base), dropped: 0, at_start: true };
        let first = self.parts.len();
        for at in base..self.pieces.len() {
            let (offset, piece) = self.pieces[at];
            let before = self.ast.text.len();
            let out = &mut self.ast.text;
            match piece {
                Piece::Expr(id) => {
                    stripper.at_start = false;
                    stripper.dropped = 0;
                    self.parts.push((offset, id));
                    continue;
                }
                Piece::Written(end) => stripper.strip(&src[offset as usize..end as usize], out),
                Piece::Escaped(bytes) => stripper.strip(bytes, out),
                Piece::EscapedByte(byte) => stripper.strip(&[byte], out),
            }
            if at + 1 == self.pieces.len() {
                drop_blank_last_line(out, before);
            }
            let text = self.ast.text_from(before);
            if text.len > 0 {
                let id = self.ast.add(offset, Expr::Str(text));
                self.parts.push((offset, id));
            }
        }
        self.pieces.truncate(base);
        match self.parts[first..] {
            [] => self.ast.add(start, Expr::Str(Text::default())),
            [(_, only)] if matches!(self.ast.expr(only), Expr::Str(_)) => {
                self.parts.truncate(first);
                only
            }
            _ => self.concat(start, first, true),
        }
    }

    /// The least indentation of all lines that hold anything. Only spaces count, and a last line
    /// that holds nothing else does not.
    fn common_indent(&self, base: usize) -> usize {
        let src = self.lexer.src;
        let mut smallest = usize::MAX;
        let mut current = 0;
        let mut at_start = true;
        for (offset, piece) in &self.pieces[base..] {
            let Piece::Written(end) = *piece else {
                // What is not plain text ends the blank start of a line.
                if at_start {
                    at_start = false;
                    smallest = smallest.min(current);
                }
                continue;
            };
            let mut text = &src[*offset as usize..end as usize];
            while !text.is_empty() {
                if at_start {
                    let spaces = leading_spaces(text);
                    current += spaces;
                    text = &text[spaces..];
                    match text.first() {
                        None => break,
                        Some(b'\n') => {}
                        Some(_) => {
                            at_start = false;
                            smallest = smallest.min(current);
                        }
                    }
                }
                let Some(length) = memchr::memchr(b'\n', text) else { break };
                text = &text[length + 1..];
                at_start = true;
                current = 0;
            }
        }
        smallest
    }
}

/// Takes the indentation off text that comes in pieces.
struct Stripper {
    indent: usize,
    /// How many spaces of this line have been seen.
    dropped: usize,
    /// Has the line held nothing but spaces so far?
    at_start: bool,
}

impl Stripper {
    fn strip(&mut self, mut text: &[u8], out: &mut Vec<u8>) {
        while !text.is_empty() {
            if self.at_start {
                let spaces = leading_spaces(text);
                let cut = spaces.min(self.indent.saturating_sub(self.dropped));
                self.dropped += spaces;
                if spaces == text.len() {
                    out.extend_from_slice(&text[cut..]);
                    return;
                }
                text = &text[cut..];
                self.dropped = 0;
            }
            let newline = memchr::memchr(b'\n', text);
            let (line, rest) = text.split_at(newline.map_or(text.len(), |at| at + 1));
            self.at_start = newline.is_some();
            out.extend_from_slice(line);
            text = rest;
        }
    }
}

fn leading_spaces(text: &[u8]) -> usize {
    text.iter().take_while(|byte| **byte == b' ').count()
}

/// Takes the last line off the text from `start` if it holds nothing but spaces.
fn drop_blank_last_line(text: &mut Vec<u8>, start: usize) {
    let spaces = text[start..].iter().rev().take_while(|byte| **byte == b' ').count();
    let end = text.len() - spaces;
    if end > start && text[end - 1] == b'\n' {
        text.truncate(end);
    }
}
