//! Tokens, the content of strings and numbers, and the words and positions of errors.

use super::{ReadError, invalid_byte};

/// A token. What a string or number holds is asked of the lexer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Null,
    True,
    False,
    Number,
    String,
    ListStart,
    ListEnd,
    ObjectStart,
    ObjectEnd,
    Colon,
    Comma,
    End,
    /// No token; [`Lexer::unexpected`] says why.
    Bad,
}

/// A number as Nix has it.
pub(super) enum Number {
    Int(i64),
    Float(f64),
}

pub(super) struct Lexer<'t> {
    text: &'t [u8],
    /// Where the token began.
    start: usize,
    /// Where the last string or number began; errors quote from there on, as nlohmann's do.
    quoted_from: usize,
    /// What has been read; one more than the text's length after a look past its end.
    at: usize,
    /// The last string's content, if it is not simply a part of the text.
    unescaped: Vec<u8>,
    /// Where the last string's content is in the text; none if it is in `unescaped`.
    plain: Option<(usize, usize)>,
    /// If the number is only digits and a sign.
    integer: bool,
    /// Why the token is bad.
    problem: String,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        let (unescaped, problem) = (Vec::new(), String::new());
        Self {
            text,
            start: 0,
            quoted_from: 0,
            at: 0,
            unescaped,
            plain: None,
            integer: false,
            problem,
        }
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Token {
        if self.at == 0 && self.text.first() == Some(&0xEF) && !self.byte_order_mark() {
            return Token::Bad;
        }
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.start = self.at;
        self.at += 1;
        match self.text.get(self.start) {
            None | Some(0) => Token::End,
            Some(b'[') => Token::ListStart,
            Some(b']') => Token::ListEnd,
            Some(b'{') => Token::ObjectStart,
            Some(b'}') => Token::ObjectEnd,
            Some(b':') => Token::Colon,
            Some(b',') => Token::Comma,
            Some(b't') => self.word(b"rue", Token::True),
            Some(b'f') => self.word(b"alse", Token::False),
            Some(b'n') => self.word(b"ull", Token::Null),
            Some(b'"') => self.scan_string(),
            Some(&first @ (b'-' | b'0'..=b'9')) => self.scan_number(first),
            Some(_) => self.bad("invalid literal"),
        }
    }

    /// What the last string holds.
    pub(super) fn string(&self) -> Result<&[u8], ReadError> {
        let text = match self.plain {
            Some((start, end)) => self.text.get(start..end).unwrap_or_default(),
            None => &self.unescaped,
        };
        // In the text itself a NUL is a control character and has already been refused.
        if self.plain.is_none() && text.contains(&0) {
            return Err(ReadError::NullByte(String::from_utf8_lossy(text).replace('\0', "␀")));
        }
        Ok(text)
    }

    /// The last number.
    pub(super) fn number(&self) -> Result<Number, ReadError> {
        let text = self.token();
        if self.integer {
            if let Ok(value) = text.parse() {
                return Ok(Number::Int(value));
            }
            if let Ok(value) = text.parse() {
                return Err(ReadError::IntegerRange(value));
            }
        }
        match text.parse() {
            Ok(value) if f64::is_finite(value) => Ok(Number::Float(value)),
            _ => Err(ReadError::Syntax(format!(
                "[json.exception.out_of_range.406] number overflow parsing '{text}'"
            ))),
        }
    }

    /// The error for a token where another was expected.
    pub(super) fn unexpected(&self, token: Token, context: &str, expected: &str) -> ReadError {
        let what = self.what(token);
        self.error(&format!("syntax error while parsing {context} - {what}; expected {expected}"))
    }

    /// The error for a token that starts no value.
    pub(super) fn not_a_value(&self, token: Token) -> ReadError {
        let what = self.what(token);
        match token {
            Token::Bad => self.error(&format!("syntax error while parsing value - {what}")),
            Token::End if self.at == 1 => self.error(
                "attempting to parse an empty input; check that your input string or stream contains \
                 the expected JSON",
            ),
            _ => self.unexpected(token, "value", "'[', '{', or a literal"),
        }
    }

    /// What was found, in an error's words.
    fn what(&self, token: Token) -> String {
        let name = match token {
            Token::Null => "null literal",
            Token::True => "true literal",
            Token::False => "false literal",
            Token::Number => "number literal",
            Token::String => "string literal",
            Token::ListStart => "'['",
            Token::ListEnd => "']'",
            Token::ObjectStart => "'{'",
            Token::ObjectEnd => "'}'",
            Token::Colon => "':'",
            Token::Comma => "','",
            Token::End => "end of input",
            Token::Bad => return format!("{}; last read: '{}'", self.problem, self.last_read()),
        };
        format!("unexpected {name}")
    }

    /// An error at the place up to which the text was read: lines from 1, columns in bytes.
    fn error(&self, what: &str) -> ReadError {
        let before = self.text.get(..self.at).unwrap_or(self.text);
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        // A number ends where the next byte is no part of it; nlohmann has read that byte and takes it
        // back, but forgets the column if it was a newline.
        let number = self.text.get(self.start).is_some_and(|b| matches!(b, b'-' | b'0'..=b'9'));
        let taken_back =
            number && self.text.get(self.at) == Some(&b'\n') && self.problem.is_empty();
        let column = if taken_back { 0 } else { self.at - line_start };
        ReadError::Syntax(format!(
            "[json.exception.parse_error.101] parse error at line {line}, column {column}: {what}"
        ))
    }

    /// What was read of late, control characters shown by number.
    fn last_read(&self) -> String {
        let text = self.text.get(..self.at).unwrap_or(self.text);
        let text = text.get(self.quoted_from..).unwrap_or_default();
        let mut shown = Vec::new();
        for &byte in text {
            if byte < b' ' {
                shown.extend_from_slice(format!("<U+{byte:04X}>").as_bytes());
            } else {
                shown.push(byte);
            }
        }
        String::from_utf8_lossy(&shown).into_owned()
    }

    fn bad(&mut self, problem: impl Into<String>) -> Token {
        self.problem = problem.into();
        Token::Bad
    }

    /// The token's text, which is ASCII where this is asked.
    fn token(&self) -> &str {
        let text = self.text.get(self.start..self.at).unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default()
    }

    /// Reads a byte; none at the end, which counts as read too.
    fn get(&mut self) -> Option<u8> {
        let byte = self.text.get(self.at).copied();
        self.at = self.text.len().min(self.at) + 1;
        byte
    }

    /// Skips a byte order mark; false if it is not one.
    fn byte_order_mark(&mut self) -> bool {
        self.get();
        if self.get() == Some(0xBB) && self.get() == Some(0xBF) {
            return true;
        }
        self.problem = "invalid BOM; must be 0xEF 0xBB 0xBF if given".into();
        false
    }

    /// The rest of `true`, `false` or `null`.
    fn word(&mut self, rest: &[u8], token: Token) -> Token {
        for &byte in rest {
            if self.get() != Some(byte) {
                return self.bad("invalid literal");
            }
        }
        token
    }

    /// A number from its second byte on.
    fn scan_number(&mut self, first: u8) -> Token {
        self.quoted_from = self.start;
        self.integer = true;
        let mut lead = Some(first);
        if first == b'-' {
            lead = self.get();
        }
        match lead {
            Some(b'0') => {}
            Some(b'1'..=b'9') => self.digits(),
            _ => return self.bad("invalid number; expected digit after '-'"),
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.integer = false;
            if !self.get().is_some_and(|byte| byte.is_ascii_digit()) {
                return self.bad("invalid number; expected digit after '.'");
            }
            self.digits();
        }
        if matches!(self.text.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            self.integer = false;
            match self.get() {
                Some(b'0'..=b'9') => {}
                Some(b'+' | b'-') => {
                    if !self.get().is_some_and(|byte| byte.is_ascii_digit()) {
                        return self.bad("invalid number; expected digit after exponent sign");
                    }
                }
                _ => {
                    return self.bad("invalid number; expected '+', '-', or digit after exponent");
                }
            }
            self.digits();
        }
        Token::Number
    }

    fn digits(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
    }

    /// A string after its opening quote.
    fn scan_string(&mut self) -> Token {
        self.quoted_from = self.start;
        self.unescaped.clear();
        self.plain = None;
        let content = self.at;
        loop {
            let piece = self.at;
            let rest = self.text.get(piece..).unwrap_or_default();
            let length = rest.iter().position(|&b| b < b' ' || b == b'"' || b == b'\\');
            let text = &rest[..length.unwrap_or(rest.len())];
            if let Err(error) = std::str::from_utf8(text) {
                let wrong = invalid_byte(text, error).unwrap_or(text.len());
                self.at = piece + wrong + 1;
                return self.bad("invalid string: ill-formed UTF-8 byte");
            }
            self.at = piece + text.len();
            let end = self.at;
            match self.get() {
                Some(b'"') if piece == content => {
                    self.plain = Some((content, end));
                    return Token::String;
                }
                Some(b'"') => {
                    self.unescaped.extend_from_slice(text);
                    return Token::String;
                }
                Some(b'\\') => {
                    self.unescaped.extend_from_slice(text);
                    if let Err(problem) = self.escape() {
                        return self.bad(problem);
                    }
                }
                Some(control) => return self.bad(control_problem(control)),
                None => return self.bad("invalid string: missing closing quote"),
            }
        }
    }

    /// An escape after its backslash.
    fn escape(&mut self) -> Result<(), &'static str> {
        let byte = match self.get() {
            Some(byte @ (b'"' | b'\\' | b'/')) => byte,
            Some(b'b') => 0x08,
            Some(b'f') => 0x0C,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                let character = self.unicode_escape()?;
                let mut buffer = [0; 4];
                self.unescaped.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
                return Ok(());
            }
            _ => return Err("invalid string: forbidden character after backslash"),
        };
        self.unescaped.push(byte);
        Ok(())
    }

    /// The character of `\u`, from two escapes if the first is half of a pair.
    fn unicode_escape(&mut self) -> Result<char, &'static str> {
        const HALF: &str =
            "invalid string: surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF";
        let first = self.hex4()?;
        let code = match first {
            0xDC00..=0xDFFF => {
                return Err("invalid string: surrogate U+DC00..U+DFFF must follow U+D800..U+DBFF");
            }
            0xD800..=0xDBFF => {
                if self.get() != Some(b'\\') || self.get() != Some(b'u') {
                    return Err(HALF);
                }
                let second = self.hex4()?;
                if !(0xDC00..=0xDFFF).contains(&second) {
                    return Err(HALF);
                }
                0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            }
            code => code,
        };
        char::from_u32(code).ok_or(HALF)
    }

    fn hex4(&mut self) -> Result<u32, &'static str> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.get().and_then(|byte| char::from(byte).to_digit(16));
            code = code * 16
                + digit.ok_or("invalid string: '\\u' must be followed by 4 hex digits")?;
        }
        Ok(code)
    }
}

/// What is said of a control character in a string.
fn control_problem(byte: u8) -> String {
    const NAMES: [&str; 32] = [
        "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "HT", "LF", "VT", "FF", "CR",
        "SO", "SI", "DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB",
        "ESC", "FS", "GS", "RS", "US",
    ];
    let name = NAMES.get(usize::from(byte)).copied().unwrap_or_default();
    let short = match byte {
        0x08 => " or \\b",
        b'\t' => " or \\t",
        b'\n' => " or \\n",
        0x0C => " or \\f",
        b'\r' => " or \\r",
        _ => "",
    };
    format!(
        "invalid string: control character U+{byte:04X} ({name}) must be escaped to \\u{byte:04X}{short}"
    )
}
