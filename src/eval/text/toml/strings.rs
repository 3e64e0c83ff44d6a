//! The four kinds of strings.

use super::TomlError;
use super::reader::{Reader, is_forbidden};

const UNFINISHED: &str = "expected the end of the string";
const CONTROL: &str = "control character in a string";

impl Reader<'_> {
    /// `"…"` with escapes.
    pub(super) fn basic_string(&mut self) -> Result<String, TomlError> {
        self.at += 1;
        let mut text = String::new();
        loop {
            self.plain(&mut text, b"\"\\");
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return without_nul(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(_) => return Err(self.error(CONTROL)),
                None => return Err(self.error(UNFINISHED)),
            }
        }
    }

    /// `'…'` as it is.
    pub(super) fn literal_string(&mut self) -> Result<String, TomlError> {
        self.at += 1;
        let mut text = String::new();
        self.plain(&mut text, b"'");
        match self.peek() {
            Some(b'\'') => {
                self.at += 1;
                Ok(text)
            }
            Some(_) => Err(self.error(CONTROL)),
            None => Err(self.error(UNFINISHED)),
        }
    }

    /// `"""…"""` with escapes; a backslash at a line's end takes the space up to the next word away.
    pub(super) fn multiline_basic_string(&mut self) -> Result<String, TomlError> {
        self.at += 3;
        self.newline();
        let mut text = String::new();
        loop {
            self.plain(&mut text, b"\"\\");
            match self.peek() {
                Some(b'"') => {
                    if self.closing_quotes("\"", &mut text) {
                        return without_nul(text);
                    }
                }
                Some(b'\\') => {
                    if !self.line_continuation() {
                        text.push(self.escape()?);
                    }
                }
                _ => self.line_break(&mut text)?,
            }
        }
    }

    /// `'''…'''` as it is.
    pub(super) fn multiline_literal_string(&mut self) -> Result<String, TomlError> {
        self.at += 3;
        self.newline();
        let mut text = String::new();
        loop {
            self.plain(&mut text, b"'");
            if self.peek() != Some(b'\'') {
                self.line_break(&mut text)?;
            } else if self.closing_quotes("'", &mut text) {
                return Ok(text);
            }
        }
    }

    /// Appends what stands up to a control character or one of `stops`.
    fn plain(&mut self, text: &mut String, stops: &[u8]) {
        let is_plain = |byte: &u8| !stops.contains(byte) && !is_forbidden(*byte);
        let length = self.rest().bytes().take_while(is_plain).count();
        text.push_str(self.take(length));
    }

    /// Takes quotes: the three that end the string, with up to two before them that belong to it.
    fn closing_quotes(&mut self, quote: &str, text: &mut String) -> bool {
        let rest = self.rest().as_bytes();
        let row = rest.iter().take(5).take_while(|byte| quote.as_bytes().contains(byte)).count();
        self.at += row;
        let inside = if row < 3 { row } else { row - 3 };
        text.push_str(&quote.repeat(inside));
        row >= 3
    }

    /// Appends a line end, the only control character that may stand here.
    fn line_break(&mut self, text: &mut String) -> Result<(), TomlError> {
        let start = self.at;
        if self.newline() {
            text.push_str(self.text.get(start..self.at).unwrap_or_default());
            Ok(())
        } else {
            Err(self.error(if self.is_at_end() { UNFINISHED } else { CONTROL }))
        }
    }

    /// Skips a backslash with nothing after it on its line, and all space that follows.
    fn line_continuation(&mut self) -> bool {
        let after = self.rest().get(1..).unwrap_or_default();
        let after = after.trim_start_matches([' ', '\t']);
        if !after.starts_with('\n') && !after.starts_with("\r\n") {
            return false;
        }
        let mut rest = after;
        loop {
            let line = rest.strip_prefix('\n').or_else(|| rest.strip_prefix("\r\n"));
            match line {
                Some(line) => rest = line.trim_start_matches([' ', '\t']),
                None => break,
            }
        }
        self.at = self.text.len() - rest.len();
        true
    }

    fn escape(&mut self) -> Result<char, TomlError> {
        let (length, character) = match self.text.as_bytes().get(self.at + 1) {
            Some(b'b') => (2, Some('\u{8}')),
            Some(b't') => (2, Some('\t')),
            Some(b'n') => (2, Some('\n')),
            Some(b'f') => (2, Some('\u{c}')),
            Some(b'r') => (2, Some('\r')),
            Some(b'"') => (2, Some('"')),
            Some(b'\\') => (2, Some('\\')),
            Some(b'u') => (6, self.code_point(4)),
            Some(b'U') => (10, self.code_point(8)),
            _ => (0, None),
        };
        let character = character.ok_or_else(|| self.error("invalid escape"))?;
        self.at += length;
        Ok(character)
    }

    /// The character of so many hexadecimal digits after `\u`.
    fn code_point(&self, digits: usize) -> Option<char> {
        let text = self.text.get(self.at + 2..self.at + 2 + digits)?;
        let all_digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        u32::from_str_radix(text, 16).ok().filter(|_| all_digits).and_then(char::from_u32)
    }
}

/// The text, unless it has what a string of Nix cannot hold.
fn without_nul(text: String) -> Result<String, TomlError> {
    if text.contains('\0') { Err(TomlError::NullByte(text.replace('\0', "␀"))) } else { Ok(text) }
}
