//! Bytes into tokens, by hand. Strings and paths are only begun here; the parser reads their inside
//! (`strings.rs`), since expressions may stand in them.
//!
//! As in C++ Nix's lexer the longest match wins, so that `a.b/c` is a path and `a:b` is a URL.

use super::error::ParseError;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Id,
    Int,
    Float,
    /// The first piece of a path.
    Path,
    /// The first piece of a path that begins with `~/`.
    HomePath,
    /// `<x>`, whole.
    SearchPath,
    /// A URL literal, whole.
    Uri,
    Quote,
    IndentedOpen,
    DollarCurly,
    If,
    Then,
    Else,
    Assert,
    With,
    Let,
    In,
    Rec,
    Inherit,
    Or,
    Ellipsis,
    Equal,
    NotEqual,
    LessEqual,
    GreaterEqual,
    AndAnd,
    OrOr,
    Arrow,
    Update,
    Append,
    PipeFrom,
    PipeInto,
    /// A byte that stands for itself: punctuation, or something that no expression has.
    Byte(u8),
    End,
}

/// A token and where it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

const ID_START: u8 = 1;
const ID: u8 = 2;
const PATH: u8 = 4;
const URI: u8 = 8;
const SCHEME: u8 = 16;
const DIGIT: u8 = 32;

/// What each byte may be part of.
static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0u8; 256];
    let mut c = 0u8;
    loop {
        let letter = c.is_ascii_alphabetic();
        let digit = c.is_ascii_digit();
        let mut class = 0;
        if letter || c == b'_' {
            class |= ID_START;
        }
        if letter || digit || matches!(c, b'_' | b'\'' | b'-') {
            class |= ID;
        }
        if letter || digit || matches!(c, b'.' | b'_' | b'-' | b'+') {
            class |= PATH;
        }
        if letter || digit || matches!(c, b'+' | b'-' | b'.') {
            class |= SCHEME;
        }
        let uri_mark = matches!(
            c,
            b'%' | b'/'
                | b'?'
                | b':'
                | b'@'
                | b'&'
                | b'='
                | b'+'
                | b'$'
                | b','
                | b'-'
                | b'_'
                | b'.'
                | b'!'
                | b'~'
                | b'*'
                | b'\''
        );
        if letter || digit || uri_mark {
            class |= URI;
        }
        if digit {
            class |= DIGIT;
        }
        table[c as usize] = class;
        if c == u8::MAX {
            return table;
        }
        c += 1;
    }
}

/// Reads tokens from a source.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    pub(super) src: &'a [u8],
    /// Where the next token is looked for.
    pub(super) pos: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(src: &'a [u8]) -> Self {
        Self { src, pos: 0 }
    }

    /// The byte at `at`; 0 past the end, which no rule takes.
    pub(super) fn at(&self, at: usize) -> u8 {
        self.src.get(at).copied().unwrap_or(0)
    }

    fn is(&self, at: usize, class: u8) -> bool {
        CLASS[usize::from(self.at(at))] & class != 0
    }

    fn run(&self, mut at: usize, class: u8) -> usize {
        while self.is(at, class) {
            at += 1;
        }
        at
    }

    /// Where the next token starts: past white space and comments.
    pub(super) fn skip_blank(&self, mut at: usize) -> usize {
        loop {
            match self.at(at) {
                b' ' | b'\t' | b'\r' | b'\n' => at += 1,
                b'#' => {
                    while at < self.src.len() && !matches!(self.src[at], b'\n' | b'\r') {
                        at += 1;
                    }
                }
                b'/' if self.at(at + 1) == b'*' => match find(&self.src[at + 2..], b"*/") {
                    Some(length) => at += length + 4,
                    // Without an end it is no comment; the parser stumbles over the slash.
                    None => return at,
                },
                _ => return at,
            }
        }
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Result<Token, ParseError> {
        let start = self.skip_blank(self.pos);
        let (kind, end) = self.token(start)?;
        self.pos = end;
        Ok(Token { kind, start, end })
    }

    fn token(&self, start: usize) -> Result<(Kind, usize), ParseError> {
        if start >= self.src.len() {
            return Ok((Kind::End, start));
        }
        let byte = self.src[start];
        let class = CLASS[usize::from(byte)];
        if class & ID_START != 0 {
            return Ok(self.word(start));
        }
        if class & PATH != 0 || byte == b'/' {
            if let Some(end) = self.path(start) {
                return Ok((Kind::Path, end));
            }
            if class & DIGIT != 0 || (byte == b'.' && self.is(start + 1, DIGIT)) {
                return Ok(self.number(start));
            }
        }
        self.mark(start, byte)
    }

    /// An identifier, a keyword, a URL or a path that begins with a letter.
    fn word(&self, start: usize) -> (Kind, usize) {
        let end = self.run(start + 1, ID);
        match self.at(end) {
            b'/' | b'.' | b'+' => {
                if let Some(end) = self.path(start) {
                    return (Kind::Path, end);
                }
                if let Some(end) = self.uri(start) {
                    return (Kind::Uri, end);
                }
            }
            b':' => {
                if let Some(end) = self.uri(start) {
                    return (Kind::Uri, end);
                }
            }
            _ => {}
        }
        (keyword(&self.src[start..end]), end)
    }

    fn uri(&self, start: usize) -> Option<usize> {
        if !self.src[start].is_ascii_alphabetic() {
            return None;
        }
        let colon = self.run(start, SCHEME);
        let end = self.run(colon + 1, URI);
        (self.at(colon) == b':' && end > colon + 1).then_some(end)
    }

    /// The end of the first piece of a path that starts here, if one does.
    fn path(&self, start: usize) -> Option<usize> {
        let slash = self.run(start, PATH);
        if self.at(slash) != b'/' {
            return None;
        }
        if self.is(slash + 1, PATH) {
            return Some(self.segments(slash));
        }
        // `./${…}`: the interpolation itself is read by the parser.
        (self.at(slash + 1) == b'$' && self.at(slash + 2) == b'{').then_some(slash + 1)
    }

    /// Past `/x/y/`: as many segments as there are, and one slash more.
    fn segments(&self, mut slash: usize) -> usize {
        while self.at(slash) == b'/' && self.is(slash + 1, PATH) {
            slash = self.run(slash + 1, PATH);
        }
        if self.at(slash) == b'/' { slash + 1 } else { slash }
    }

    /// The end of the next literal piece of a path that has begun; the same place if there is none.
    pub(super) fn path_piece(&self, start: usize) -> usize {
        let end = self.run(start, PATH);
        if self.at(end) != b'/' {
            return end;
        }
        if self.is(end + 1, PATH) { self.segments(end) } else { end + 1 }
    }

    /// An integer or a floating-point number.
    fn number(&self, start: usize) -> (Kind, usize) {
        let whole = self.run(start, DIGIT);
        let digits = &self.src[start..whole];
        // A fraction may follow a number that starts with 1 to 9, or nothing, or a lone 0.
        let dotted = self.at(whole) == b'.';
        let fraction = self.run(whole + 1, DIGIT);
        let float = match digits {
            [] | [b'0'] => dotted && fraction > whole + 1,
            [first, ..] => dotted && *first != b'0',
        };
        if !float {
            return (Kind::Int, whole);
        }
        let mut end = fraction;
        if matches!(self.at(end), b'e' | b'E') {
            let sign = usize::from(matches!(self.at(end + 1), b'+' | b'-'));
            let exponent = self.run(end + 1 + sign, DIGIT);
            if exponent > end + 1 + sign {
                end = exponent;
            }
        }
        (Kind::Float, end)
    }

    /// Punctuation and operators.
    fn mark(&self, start: usize, byte: u8) -> Result<(Kind, usize), ParseError> {
        let next = self.at(start + 1);
        let two = |kind| Ok((kind, start + 2));
        match (byte, next) {
            (b'.', b'.') if self.at(start + 2) == b'.' => Ok((Kind::Ellipsis, start + 3)),
            (b'=', b'=') => two(Kind::Equal),
            (b'!', b'=') => two(Kind::NotEqual),
            (b'<', b'=') => two(Kind::LessEqual),
            (b'>', b'=') => two(Kind::GreaterEqual),
            (b'&', b'&') => two(Kind::AndAnd),
            (b'|', b'|') => two(Kind::OrOr),
            (b'-', b'>') => two(Kind::Arrow),
            (b'/', b'/') => two(Kind::Update),
            (b'+', b'+') => two(Kind::Append),
            (b'<', b'|') => two(Kind::PipeFrom),
            (b'|', b'>') => two(Kind::PipeInto),
            (b'$', b'{') => two(Kind::DollarCurly),
            (b'"', _) => Ok((Kind::Quote, start + 1)),
            (b'\'', b'\'') => Ok((Kind::IndentedOpen, self.indented_start(start + 2))),
            (b'~', b'/') => Ok(self.home_path(start)),
            (b'<', _) => Ok(self
                .search_path(start)
                .map_or((Kind::Byte(b'<'), start + 1), |end| (Kind::SearchPath, end))),
            _ => Ok((Kind::Byte(byte), start + 1)),
        }
    }

    /// The rest of the line that opens an indented string belongs to it only if it is not blank.
    fn indented_start(&self, at: usize) -> usize {
        let mut end = at;
        while self.at(end) == b' ' {
            end += 1;
        }
        if self.at(end) == b'\n' { end + 1 } else { at }
    }

    fn home_path(&self, start: usize) -> (Kind, usize) {
        let slash = start + 1;
        if self.is(slash + 1, PATH) {
            return (Kind::HomePath, self.segments(slash));
        }
        if self.at(slash + 1) == b'$' && self.at(slash + 2) == b'{' {
            return (Kind::HomePath, slash + 1);
        }
        (Kind::Byte(b'~'), start + 1)
    }

    fn search_path(&self, start: usize) -> Option<usize> {
        let mut end = start;
        loop {
            let segment = self.run(end + 1, PATH);
            if segment == end + 1 {
                return None;
            }
            match self.at(segment) {
                b'/' => end = segment,
                b'>' => return Some(segment + 1),
                _ => return None,
            }
        }
    }
}

fn keyword(word: &[u8]) -> Kind {
    // All keywords have two to seven letters; most names are longer or begin otherwise.
    match word {
        b"if" => Kind::If,
        b"in" => Kind::In,
        b"or" => Kind::Or,
        b"let" => Kind::Let,
        b"rec" => Kind::Rec,
        b"then" => Kind::Then,
        b"else" => Kind::Else,
        b"with" => Kind::With,
        b"assert" => Kind::Assert,
        b"inherit" => Kind::Inherit,
        _ => Kind::Id,
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &str) -> Vec<(Kind, &str)> {
        let mut lexer = Lexer::new(source.as_bytes());
        let mut found = Vec::new();
        loop {
            let token = lexer.next().unwrap();
            if token.kind == Kind::End {
                return found;
            }
            found.push((token.kind, &source[token.start..token.end]));
        }
    }

    #[test]
    fn the_longest_match_wins() {
        let one = |source| kinds(source)[0];
        assert_eq!(one("a.b/c d"), (Kind::Path, "a.b/c"));
        assert_eq!(one("a.b.c d"), (Kind::Id, "a"));
        assert_eq!(one("a:b/c"), (Kind::Uri, "a:b/c"));
        assert_eq!(one("a+b:c"), (Kind::Uri, "a+b:c"));
        assert_eq!(one("a: b"), (Kind::Id, "a"));
        assert_eq!(one("_a:b"), (Kind::Id, "_a"));
        assert_eq!(one("7/2"), (Kind::Path, "7/2"));
        assert_eq!(one("a'b/c"), (Kind::Id, "a'b"));
        assert_eq!(one("-/x"), (Kind::Path, "-/x"));
        assert_eq!(one("a//b"), (Kind::Id, "a"));
        assert_eq!(one("a/b//c"), (Kind::Path, "a/b/"));
        assert_eq!(one("./${x}"), (Kind::Path, "./"));
        assert_eq!(one("<a/b>"), (Kind::SearchPath, "<a/b>"));
        assert_eq!(one("<a"), (Kind::Byte(b'<'), "<"));
        assert_eq!(one("~/x"), (Kind::HomePath, "~/x"));
        assert_eq!(one("letter"), (Kind::Id, "letter"));
    }

    #[test]
    fn numbers_are_nix_s() {
        let one = |source| kinds(source)[0];
        assert_eq!(one("1e20"), (Kind::Int, "1"));
        assert_eq!(one("1.e2"), (Kind::Float, "1.e2"));
        assert_eq!(one(".5e-3"), (Kind::Float, ".5e-3"));
        assert_eq!(one("0.5"), (Kind::Float, "0.5"));
        assert_eq!(one("0."), (Kind::Int, "0"));
        assert_eq!(one("00.5"), (Kind::Int, "00"));
        assert_eq!(kinds("1.2.3").len(), 2);
    }

    #[test]
    fn comments_and_blanks_are_nothing() {
        assert_eq!(kinds("/* a * / */ # b\n\t/**/ x").len(), 1);
        assert_eq!(kinds("/*/ x */").len(), 0);
        assert_eq!(kinds("/* x")[0].0, Kind::Byte(b'/'));
    }
}
