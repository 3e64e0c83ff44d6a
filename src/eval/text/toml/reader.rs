//! Lines, names, arrays and inline tables.

use std::collections::BTreeMap;

use super::document::{Origin, Table};
use super::{Toml, TomlError, scalar};

/// How deep arrays and inline tables may be nested.
const MAX_DEPTH: u32 = 250;

/// Reads a document.
///
/// # Errors
///
/// What [`TomlError`] lists.
pub fn read(text: &[u8]) -> Result<BTreeMap<String, Toml>, TomlError> {
    let mut reader = match std::str::from_utf8(text) {
        Ok(text) => Reader { text, at: 0, depth: 0 },
        Err(error) => {
            let valid = text.get(..error.valid_up_to()).unwrap_or_default();
            let text = std::str::from_utf8(valid).unwrap_or_default();
            return Err(Reader { text, at: text.len(), depth: 0 }.error("invalid UTF-8"));
        }
    };
    reader.eat("\u{feff}");
    reader.document()
}

pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    depth: u32,
}

impl Reader<'_> {
    fn document(&mut self) -> Result<BTreeMap<String, Toml>, TomlError> {
        let mut root = Table::new(Origin::Header);
        let mut current = &mut root;
        while !self.is_at_end() {
            self.blanks();
            let start = self.at;
            match self.peek() {
                Some(b'[') => {
                    let (path, repeated) = self.header()?;
                    let opened = root.open(path, repeated);
                    current = opened.map_err(|what| self.error_at(start, what))?;
                }
                Some(b'#' | b'\n' | b'\r') | None => {}
                Some(_) => {
                    let (path, value) = self.assignment()?;
                    current.set(path, value).map_err(|what| self.error_at(start, what))?;
                }
            }
            self.line_end()?;
        }
        Ok(root.finish())
    }

    /// `[path]` or `[[path]]`
    fn header(&mut self) -> Result<(Vec<String>, bool), TomlError> {
        let repeated = self.eat("[[");
        if !repeated {
            self.eat("[");
        }
        self.blanks();
        let path = self.path()?;
        if self.eat(if repeated { "]]" } else { "]" }) {
            Ok((path, repeated))
        } else {
            Err(self.error("expected the end of the table's name"))
        }
    }

    /// `path = value`
    fn assignment(&mut self) -> Result<(Vec<String>, Toml), TomlError> {
        let path = self.path()?;
        if !self.eat("=") {
            return Err(self.error("expected '='"));
        }
        self.blanks();
        Ok((path, self.value()?))
    }

    /// Names with dots between them, and the blanks after.
    fn path(&mut self) -> Result<Vec<String>, TomlError> {
        let mut path = Vec::new();
        loop {
            path.push(self.name()?);
            self.blanks();
            if !self.eat(".") {
                return Ok(path);
            }
            self.blanks();
        }
    }

    fn name(&mut self) -> Result<String, TomlError> {
        match self.peek() {
            Some(b'"') => self.basic_string(),
            Some(b'\'') => self.literal_string(),
            _ => {
                let is_bare = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
                let length = self.rest().bytes().take_while(|byte| is_bare(byte)).count();
                if length == 0 {
                    return Err(self.error("expected a name"));
                }
                Ok(self.take(length).to_owned())
            }
        }
    }

    fn value(&mut self) -> Result<Toml, TomlError> {
        match self.peek() {
            Some(b'"') if self.rest().starts_with("\"\"\"") => {
                self.multiline_basic_string().map(Toml::String)
            }
            Some(b'"') => self.basic_string().map(Toml::String),
            Some(b'\'') if self.rest().starts_with("'''") => {
                self.multiline_literal_string().map(Toml::String)
            }
            Some(b'\'') => self.literal_string().map(Toml::String),
            Some(open @ (b'[' | b'{')) => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err(self.error("nested too deeply"));
                }
                self.at += 1;
                let value = if open == b'[' { self.array() } else { self.inline_table() };
                self.depth -= 1;
                value
            }
            _ => self.scalar(),
        }
    }

    fn scalar(&mut self) -> Result<Toml, TomlError> {
        let length = scalar::length(self.rest());
        let text = self.rest().get(..length).unwrap_or_default();
        let value = scalar::parse(text).map_err(|what| self.error(what))?;
        self.at += length;
        Ok(value)
    }

    /// An array after its bracket.
    fn array(&mut self) -> Result<Toml, TomlError> {
        let mut values = Vec::new();
        loop {
            self.space()?;
            if self.eat("]") {
                return Ok(Toml::List(values));
            }
            values.push(self.value()?);
            self.space()?;
            if !self.eat(",") {
                break;
            }
        }
        if self.eat("]") { Ok(Toml::List(values)) } else { Err(self.error("expected ',' or ']'")) }
    }

    /// A table on one line, after its brace.
    fn inline_table(&mut self) -> Result<Toml, TomlError> {
        let mut table = Table::new(Origin::Header);
        self.blanks();
        if self.eat("}") {
            return Ok(Toml::Table(BTreeMap::new()));
        }
        loop {
            self.blanks();
            let start = self.at;
            let (path, value) = self.assignment()?;
            table.set(path, value).map_err(|what| self.error_at(start, what))?;
            self.blanks();
            if !self.eat(",") {
                break;
            }
        }
        if self.eat("}") {
            Ok(Toml::Table(table.finish()))
        } else {
            Err(self.error("expected ',' or '}'"))
        }
    }

    /// Skips spaces and tabs.
    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    /// Skips blanks, line ends and comments.
    fn space(&mut self) -> Result<(), TomlError> {
        loop {
            self.blanks();
            self.comment()?;
            if !self.newline() {
                return Ok(());
            }
        }
    }

    /// The rest of a line: blanks and a comment at most.
    fn line_end(&mut self) -> Result<(), TomlError> {
        self.blanks();
        self.comment()?;
        if self.newline() || self.is_at_end() {
            Ok(())
        } else {
            Err(self.error("expected the end of the line"))
        }
    }

    fn comment(&mut self) -> Result<(), TomlError> {
        if self.peek() != Some(b'#') {
            return Ok(());
        }
        let rest = self.rest();
        let line =
            rest.split_once('\n').map_or(rest, |(line, _)| line.strip_suffix('\r').unwrap_or(line));
        let length = line.len();
        if let Some(offset) = line.bytes().position(is_forbidden) {
            return Err(self.error_at(self.at + offset, "control character in a comment"));
        }
        self.at += length;
        Ok(())
    }

    /// Takes a line end, if there is one.
    pub(super) fn newline(&mut self) -> bool {
        self.eat("\n") || self.eat("\r\n")
    }

    pub(super) fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    pub(super) fn eat(&mut self, what: &str) -> bool {
        let found =
            self.text.as_bytes().get(self.at..).is_some_and(|r| r.starts_with(what.as_bytes()));
        if found {
            self.at += what.len();
        }
        found
    }

    pub(super) fn take(&mut self, length: usize) -> &str {
        let start = self.at;
        self.at += length;
        self.text.get(start..self.at).unwrap_or_default()
    }

    pub(super) fn error(&self, what: &'static str) -> TomlError {
        self.error_at(self.at, what)
    }

    fn error_at(&self, at: usize, what: &'static str) -> TomlError {
        let before = self.text.as_bytes().get(..at).unwrap_or_default();
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        TomlError::Syntax { what, line, column: at - line_start + 1 }
    }
}

/// Control characters, which nothing but an escape may hold.
pub(super) fn is_forbidden(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
}
