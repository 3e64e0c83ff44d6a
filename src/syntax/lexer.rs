//! Bytes into tokens, by hand. Strings and paths are only begun here; the parser reads their inside
//! (`strings.rs`), since expressions may stand in them.
//!
//! As in C++ Nix's lexer the longest match wins, so that `a.b/c` is a path and `a:b` is a URL. Every
//! word is interned while it is read.

use super::scan;
use super::symbol::{Symbol, Symbols};

/// What a token is. The order matters: operands begin with the first of them, then come the
/// operators of two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
    /// `"`
    Quote,
    /// `''` and the rest of its line, where that is blank.
    IndentedOpen,
    ParenOpen,
    BracketOpen,
    BraceOpen,
    Rec,
    Let,
    Arrow,
    OrOr,
    AndAnd,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Update,
    Plus,
    Minus,
    Star,
    Slash,
    Append,
    Question,
    PipeFrom,
    PipeInto,
    If,
    Then,
    Else,
    Assert,
    With,
    In,
    Inherit,
    Or,
    Not,
    Assign,
    Semicolon,
    Colon,
    Comma,
    Dot,
    At,
    ParenClose,
    BracketClose,
    BraceClose,
    DollarCurly,
    Ellipsis,
    /// A byte that no expression has.
    Other,
    /// The end of the source, or a NUL.
    End,
}

impl Kind {
    /// May a function's argument begin with this?
    #[inline]
    pub(super) fn starts_operand(self) -> bool {
        self <= Kind::Let
    }

    /// Is it an operator of two operands, or a pipe?
    #[inline]
    pub(super) fn is_operator(self) -> bool {
        self > Kind::Let && self <= Kind::PipeInto
    }
}

/// The kinds of the first symbols of every table.
const KEYWORDS: [Kind; 10] = [
    Kind::If,
    Kind::Then,
    Kind::Else,
    Kind::Assert,
    Kind::With,
    Kind::Let,
    Kind::In,
    Kind::Rec,
    Kind::Inherit,
    Kind::Or,
];

/// A token and where it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Byte offset.
    pub(super) start: u32,
    /// The name of an identifier or a keyword, and no other token's.
    pub(super) symbol: Symbol,
}

const ID_START: u8 = 1;
/// White space, and what a comment may begin with.
const BLANK: u8 = 2;
const PATH: u8 = 4;
const URI: u8 = 8;
const DIGIT: u8 = 16;
/// A word may be the beginning of something longer if one of these follows.
const LONGER: u8 = 32;

/// What each byte may be part of.
static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0u8; 256];
    let mut c = 0u8;
    loop {
        let alphanumeric = c.is_ascii_alphanumeric();
        let mut class = 0;
        if c.is_ascii_alphabetic() || c == b'_' {
            class |= ID_START;
        }
        if matches!(c, b' ' | b'\t' | b'\r' | b'\n' | b'#' | b'/') {
            class |= BLANK;
        }
        if alphanumeric || matches!(c, b'.' | b'_' | b'-' | b'+') {
            class |= PATH;
        }
        if alphanumeric || is_uri_mark(c) {
            class |= URI;
        }
        if c.is_ascii_digit() {
            class |= DIGIT;
        }
        if matches!(c, b'/' | b'.' | b'+' | b':') {
            class |= LONGER;
        }
        table[c as usize] = class;
        if c == u8::MAX {
            return table;
        }
        c += 1;
    }
}

const fn is_uri_mark(c: u8) -> bool {
    matches!(c, b'%' | b'/' | b'?' | b':' | b'@' | b'&' | b'=' | b'+' | b'$' | b',')
        || matches!(c, b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'')
}

/// The kinds of the bytes that are a token whatever follows; of all others [`Kind::Other`].
static SINGLE: [Kind; 256] = singles();

const fn singles() -> [Kind; 256] {
    let mut table = [Kind::Other; 256];
    let kinds = [
        (b'"', Kind::Quote),
        (b'(', Kind::ParenOpen),
        (b')', Kind::ParenClose),
        (b'[', Kind::BracketOpen),
        (b']', Kind::BracketClose),
        (b'{', Kind::BraceOpen),
        (b'}', Kind::BraceClose),
        (b'*', Kind::Star),
        (b'?', Kind::Question),
        (b';', Kind::Semicolon),
        (b':', Kind::Colon),
        (b',', Kind::Comma),
        (b'@', Kind::At),
    ];
    let mut at = 0;
    while at < kinds.len() {
        table[kinds[at].0 as usize] = kinds[at].1;
        at += 1;
    }
    table
}

/// Reads tokens from a source.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    pub(super) src: &'a [u8],
    pub(super) symbols: &'a mut Symbols,
    /// The token that is looked at; what stands before it is parsed.
    pub(super) token: Token,
    /// Where the next token is looked for: the end of the current one.
    pub(super) pos: usize,
    /// No path or URL begins before this: many tokens may lie in one run of bytes that could be
    /// part of a path, and the run need be looked at only once.
    plain_until: usize,
    /// Where the word stands for which a symbol was made last.
    newest: u32,
}

impl<'a> Lexer<'a> {
    /// A reader of `src`, which is at most 4 GiB long, that has not read anything yet.
    pub(super) fn new(src: &'a [u8], symbols: &'a mut Symbols) -> Self {
        let token = Token { kind: Kind::End, start: 0, symbol: Symbol::OR };
        Self { src, symbols, token, pos: 0, plain_until: 0, newest: u32::MAX }
    }

    /// The byte at `at`; 0 past the end, which no rule takes.
    #[inline]
    pub(super) fn at(&self, at: usize) -> u8 {
        self.src.get(at).copied().unwrap_or(0)
    }

    #[inline]
    fn is(&self, at: usize, class: u8) -> bool {
        CLASS[usize::from(self.at(at))] & class != 0
    }

    #[inline]
    fn run(&self, mut at: usize, class: u8) -> usize {
        while self.is(at, class) {
            at += 1;
        }
        at
    }

    /// Does `${` stand at `at`?
    pub(super) fn interpolates(&self, at: usize) -> bool {
        self.at(at) == b'$' && self.at(at + 1) == b'{'
    }

    /// The bytes of the current token.
    pub(super) fn token_bytes(&self) -> &'a [u8] {
        self.src.get(self.token.start as usize..self.pos).unwrap_or_default()
    }

    /// Where the current token ends.
    pub(super) fn token_end(&self) -> u32 {
        u32::try_from(self.pos).unwrap_or(u32::MAX)
    }

    /// Goes on to the next token.
    #[inline]
    pub(super) fn advance(&mut self) {
        let mut start = self.pos;
        let mut byte = self.at(start);
        if byte == b' ' {
            start += 1;
            byte = self.at(start);
        }
        if CLASS[usize::from(byte)] & BLANK != 0 {
            start = self.skip_blank(start);
            byte = self.at(start);
        }
        self.read(start, byte);
    }

    /// Where the next token starts: past white space and comments.
    fn skip_blank(&self, mut at: usize) -> usize {
        loop {
            match self.at(at) {
                b' ' | b'\n' => at = scan::blanks(self.src, at),
                b'\t' | b'\r' => at += 1,
                b'#' => {
                    let rest = &self.src[at..];
                    at += memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                }
                b'/' if self.at(at + 1) == b'*' => match self.comment_end(at + 2) {
                    Some(end) => at = end,
                    // Without an end it is no comment; the parser stumbles over the slash.
                    None => return at,
                },
                _ => return at,
            }
        }
    }

    /// The end of a comment whose text begins at `start`.
    fn comment_end(&self, start: usize) -> Option<usize> {
        memchr::memchr_iter(b'/', &self.src[start..])
            .map(|length| start + length)
            .find(|slash| *slash > start && self.src[slash - 1] == b'*')
            .map(|slash| slash + 1)
    }

    /// Reads the token that begins at `start` with `byte`.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "longer sources are refused at the start")]
    fn read(&mut self, start: usize, byte: u8) {
        self.token.start = start as u32;
        if CLASS[usize::from(byte)] & ID_START != 0 {
            self.word(start);
            return;
        }
        let single = SINGLE[usize::from(byte)];
        if single == Kind::Other {
            self.mark(start, byte);
        } else {
            self.token.kind = single;
            self.pos = start + 1;
        }
    }

    /// An identifier, a keyword, a URL or a path that begins with a letter.
    #[inline]
    fn word(&mut self, start: usize) {
        let word = scan::word(self.src, start);
        let length = scan::name_bytes(word);
        if length == 8 {
            self.long_word(start);
            return;
        }
        let end = start + length;
        if self.is(end, LONGER) && self.longer(start) {
            return;
        }
        self.pos = end;
        let known = self.symbols.len();
        let symbol = self.symbols.intern_short(scan::low_bytes(word, length), length);
        if symbol.index() == known {
            self.newest = self.token.start;
        }
        self.token.symbol = symbol;
        self.token.kind = KEYWORDS.get(symbol.index()).copied().unwrap_or(Kind::Id);
    }

    /// A word of eight bytes or more; no keyword is so long.
    fn long_word(&mut self, start: usize) {
        let mut end = start + 8;
        loop {
            let length = scan::name_bytes(scan::word(self.src, end));
            end += length;
            if length < 8 {
                break;
            }
        }
        if self.is(end, LONGER) && self.longer(start) {
            return;
        }
        self.pos = end;
        let known = self.symbols.len();
        self.token.symbol = self.symbols.intern(&self.src[start..end]);
        if self.token.symbol.index() == known {
            self.newest = self.token.start;
        }
        self.token.kind = Kind::Id;
    }

    /// Forgets the symbol of the word at `offset`, and gives its text, if that word was the first of
    /// its name, and no other symbol was made since.
    pub(super) fn forget(&mut self, symbol: Symbol, offset: u32) -> Option<Box<[u8]>> {
        if self.newest != offset || symbol.index() + 1 != self.symbols.len() {
            return None;
        }
        self.newest = u32::MAX;
        self.symbols.forget_last()
    }

    /// Reads the path or the URL that begins at `start`, if one does.
    fn longer(&mut self, start: usize) -> bool {
        if start < self.plain_until {
            return false;
        }
        let end = self.run(start, PATH);
        if let Some(end) = self.path(end) {
            self.token.kind = Kind::Path;
            self.pos = end;
            return true;
        }
        if self.at(end) != b':' || !self.is(end + 1, URI) {
            self.plain_until = end;
            return false;
        }
        // What comes before the colon of a URL is as in a path, but without an underscore.
        let scheme = self.src[start..end].iter().rposition(|byte| *byte == b'_');
        self.plain_until = scheme.map_or(start, |at| start + at + 1);
        if self.plain_until > start || !self.at(start).is_ascii_alphabetic() {
            return false;
        }
        self.token.kind = Kind::Uri;
        self.pos = self.run(end + 1, URI);
        true
    }

    /// The end of the first piece of a path, whose first slash must be at `slash`.
    fn path(&self, slash: usize) -> Option<usize> {
        if self.at(slash) != b'/' {
            return None;
        }
        if self.is(slash + 1, PATH) {
            return Some(self.segments(slash));
        }
        // `./${…}`: the interpolation itself is read by the parser.
        self.interpolates(slash + 1).then_some(slash + 1)
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

    /// All that begins with neither a letter nor a byte that always stands for itself.
    fn mark(&mut self, start: usize, byte: u8) {
        let next = self.at(start + 1);
        let in_path = self.is(start + 1, PATH) || matches!(next, b'/' | b'$');
        let (kind, length) = match (byte, next) {
            (b'=', b'=') => (Kind::Equal, 2),
            (b'=', _) => (Kind::Assign, 1),
            (b'/', b'/') => (Kind::Update, 2),
            (b'.' | b'/' | b'-' | b'+' | b'0'..=b'9', _) if in_path && self.longer(start) => return,
            (b'0'..=b'9', _) | (b'.', b'0'..=b'9') => return self.number(start),
            (b'.', b'.') if self.at(start + 2) == b'.' => (Kind::Ellipsis, 3),
            (b'.', _) => (Kind::Dot, 1),
            (b'/', _) => (Kind::Slash, 1),
            (b'-', b'>') => (Kind::Arrow, 2),
            (b'-', _) => (Kind::Minus, 1),
            (b'+', b'+') => (Kind::Append, 2),
            (b'+', _) => (Kind::Plus, 1),
            (b'\'', b'\'') => (Kind::IndentedOpen, self.indented_start(start + 2) - start),
            (b'!', b'=') => (Kind::NotEqual, 2),
            (b'!', _) => (Kind::Not, 1),
            (b'<', b'=') => (Kind::LessEqual, 2),
            (b'<', b'|') => (Kind::PipeFrom, 2),
            (b'<', _) => self.search_path(start).unwrap_or((Kind::Less, 1)),
            (b'>', b'=') => (Kind::GreaterEqual, 2),
            (b'>', _) => (Kind::Greater, 1),
            (b'&', b'&') => (Kind::AndAnd, 2),
            (b'|', b'|') => (Kind::OrOr, 2),
            (b'|', b'>') => (Kind::PipeInto, 2),
            (b'$', b'{') => (Kind::DollarCurly, 2),
            (b'~', b'/') => self.home_path(start),
            // As in C++ Nix, a NUL ends the source, whatever comes after it.
            (0, _) => (Kind::End, 0),
            _ => (Kind::Other, 1),
        };
        self.token.kind = kind;
        self.pos = start + length;
    }

    /// An integer or a floating-point number.
    fn number(&mut self, start: usize) {
        let whole = self.run(start, DIGIT);
        // A fraction may follow a number that starts with 1 to 9, or nothing, or a lone 0.
        let dotted = self.at(whole) == b'.';
        let fraction = self.run(whole + 1, DIGIT);
        let float = match &self.src[start..whole] {
            [] | [b'0'] => dotted && fraction > whole + 1,
            [first, ..] => dotted && *first != b'0',
        };
        if !float {
            self.token.kind = Kind::Int;
            self.pos = whole;
            return;
        }
        let mut end = fraction;
        if matches!(self.at(end), b'e' | b'E') {
            let sign = usize::from(matches!(self.at(end + 1), b'+' | b'-'));
            let exponent = self.run(end + 1 + sign, DIGIT);
            if exponent > end + 1 + sign {
                end = exponent;
            }
        }
        self.token.kind = Kind::Float;
        self.pos = end;
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
        match self.path(start + 1) {
            Some(end) => (Kind::HomePath, end - start),
            None => (Kind::Other, 1),
        }
    }

    fn search_path(&self, start: usize) -> Option<(Kind, usize)> {
        let mut end = start;
        loop {
            let segment = self.run(end + 1, PATH);
            if segment == end + 1 {
                return None;
            }
            match self.at(segment) {
                b'/' => end = segment,
                b'>' => return Some((Kind::SearchPath, segment + 1 - start)),
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &str) -> Vec<(Kind, &str)> {
        let mut symbols = Symbols::new();
        let mut lexer = Lexer::new(source.as_bytes(), &mut symbols);
        let mut found = Vec::new();
        loop {
            lexer.advance();
            if lexer.token.kind == Kind::End {
                return found;
            }
            found.push((lexer.token.kind, &source[lexer.token.start as usize..lexer.pos]));
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
        assert_eq!(one(".../x"), (Kind::Path, ".../x"));
        assert_eq!(one("...x"), (Kind::Ellipsis, "..."));
        assert_eq!(one("a//b"), (Kind::Id, "a"));
        assert_eq!(one("a/b//c"), (Kind::Path, "a/b/"));
        assert_eq!(one("./${x}"), (Kind::Path, "./"));
        assert_eq!(one("/${x}"), (Kind::Path, "/"));
        assert_eq!(one("<a/b>"), (Kind::SearchPath, "<a/b>"));
        assert_eq!(one("<a"), (Kind::Less, "<"));
        assert_eq!(one("~/x"), (Kind::HomePath, "~/x"));
        assert_eq!(one("letter"), (Kind::Id, "letter"));
    }

    #[test]
    fn a_path_or_url_may_begin_within_a_run_of_plain_tokens() {
        let one = |source, number: usize| kinds(source)[number];
        assert_eq!(one("a.b.c a/b", 5), (Kind::Path, "a/b"));
        assert_eq!(one("a'b.c/d", 1), (Kind::Path, ".c/d"));
        assert_eq!(one("a_b.c:d", 2), (Kind::Uri, "c:d"));
        assert_eq!(one("a_b.c:d", 0), (Kind::Id, "a_b"));
        assert_eq!(one("1.5x:y", 1), (Kind::Uri, "x:y"));
        assert_eq!(one("a.b.c:d", 0), (Kind::Uri, "a.b.c:d"));
    }

    #[test]
    fn words_of_any_length_are_read_whole() {
        for length in 1..30 {
            let name = "abcdefghi_jklmnop-qrstuvwxyz'0123456789".get(..length).unwrap();
            assert_eq!(kinds(name), [(Kind::Id, name)]);
            assert_eq!(kinds(&format!("{name}.b")).len(), 3);
        }
    }

    #[test]
    fn keywords_are_told_by_their_symbols() {
        let mut symbols = Symbols::new();
        let words = "if then else assert with let in rec inherit or";
        for (word, kind) in words.split(' ').zip(KEYWORDS) {
            assert_eq!(kinds(word), [(kind, word)]);
        }
        assert_eq!(symbols.intern(b"outPath").index(), KEYWORDS.len());
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
        assert_eq!(kinds("/* x")[0].0, Kind::Slash);
        assert_eq!(kinds("1 # a\r2").len(), 2);
    }
}
