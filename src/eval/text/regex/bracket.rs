//! Bracket expressions: `[a-z]`, `[^]-]`, `[[:alpha:]_]`.

use super::RegexError;
use super::byte_set::ByteSet;

/// Parses what follows a `[` and takes it off `rest`.
pub(super) fn parse(rest: &mut &[u8]) -> Result<ByteSet, RegexError> {
    let negated = rest.first() == Some(&b'^');
    if negated {
        *rest = &rest[1..];
    }
    let mut set = ByteSet::default();
    let mut last = Last::Nothing;
    let mut token = next(rest, true)?;
    if token == Token::Dash {
        // At the beginning it stands for itself.
        token = Token::Byte(b'-');
    }
    loop {
        match token {
            Token::Close => break,
            Token::Byte(byte) => {
                set.insert(byte);
                last = Last::Byte(byte);
            }
            Token::Class(name) => {
                set = set.union(class(name).ok_or(RegexError::Invalid)?);
                last = Last::Class;
            }
            Token::Equivalent(name) => {
                let byte = collating_element(name).ok_or(RegexError::Invalid)?;
                set = set.union(ByteSet::from_fn(|b| b.eq_ignore_ascii_case(&byte)));
                last = Last::Class;
            }
            Token::Collating(name) => {
                let byte = collating_element(name).ok_or(RegexError::Invalid)?;
                set.insert(byte);
                last = Last::Byte(byte);
            }
            Token::Dash => {
                let end = next(rest, false)?;
                if end == Token::Close {
                    // At the end it stands for itself.
                    set.insert(b'-');
                    break;
                }
                set = set.union(range(last, end)?);
                last = Last::Nothing;
            }
        }
        token = next(rest, false)?;
    }
    Ok(if negated { set.complement() } else { set })
}

/// What a dash has before it.
#[derive(Clone, Copy)]
enum Last {
    /// The bracket's beginning or a whole range.
    Nothing,
    Byte(u8),
    Class,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token<'p> {
    /// `]`
    Close,
    Dash,
    Byte(u8),
    /// `[:name:]`
    Class(&'p [u8]),
    /// `[=name=]`
    Equivalent(&'p [u8]),
    /// `[.name.]`
    Collating(&'p [u8]),
}

/// The next token. A `]` right at the start stands for itself, a backslash always.
fn next<'p>(rest: &mut &'p [u8], at_start: bool) -> Result<Token<'p>, RegexError> {
    let (&byte, after) = rest.split_first().ok_or(RegexError::Invalid)?;
    *rest = after;
    match (byte, after.first()) {
        (b'-', _) => Ok(Token::Dash),
        (b']', _) if !at_start => Ok(Token::Close),
        (b'[', None) => Err(RegexError::Invalid),
        (b'[', Some(&kind @ (b'.' | b':' | b'='))) => {
            let text = &after[1..];
            let end = text.iter().position(|&b| b == kind).ok_or(RegexError::Invalid)?;
            let (name, close) = text.split_at(end);
            *rest = close.get(1..).and_then(|c| c.strip_prefix(b"]")).ok_or(RegexError::Invalid)?;
            Ok(match kind {
                b'.' => Token::Collating(name),
                b':' => Token::Class(name),
                _ => Token::Equivalent(name),
            })
        }
        _ => Ok(Token::Byte(byte)),
    }
}

/// The bytes of a range. They are ordered as C's `char`, which has a sign on x86.
fn range(first: Last, last: Token<'_>) -> Result<ByteSet, RegexError> {
    let last = match last {
        Token::Byte(byte) => byte,
        Token::Dash => b'-',
        _ => return Err(RegexError::Invalid),
    };
    let Last::Byte(first) = first else { return Err(RegexError::Invalid) };
    let (first, last) = (first.cast_signed(), last.cast_signed());
    if first > last {
        return Err(RegexError::Invalid);
    }
    Ok(ByteSet::from_fn(|byte| (first..=last).contains(&byte.cast_signed())))
}

/// The bytes of a class in the C locale. libstdc++ takes `d`, `s` and `w` too, and any case.
fn class(name: &[u8]) -> Option<ByteSet> {
    let is_in: fn(u8) -> bool = match name.to_ascii_lowercase().as_slice() {
        b"alnum" => |b| b.is_ascii_alphanumeric(),
        b"alpha" => |b| b.is_ascii_alphabetic(),
        b"blank" => |b| matches!(b, b' ' | b'\t'),
        b"cntrl" => |b| b.is_ascii_control(),
        b"d" | b"digit" => |b| b.is_ascii_digit(),
        b"graph" => |b| b.is_ascii_graphic(),
        b"lower" => |b| b.is_ascii_lowercase(),
        b"print" => |b| b.is_ascii_graphic() || b == b' ',
        b"punct" => |b| b.is_ascii_punctuation(),
        b"s" | b"space" => |b| matches!(b, b' ' | b'\t'..=b'\r'),
        b"upper" => |b| b.is_ascii_uppercase(),
        b"w" => |b| b.is_ascii_alphanumeric() || b == b'_',
        b"xdigit" => |b| b.is_ascii_hexdigit(),
        _ => return None,
    };
    Some(ByteSet::from_fn(is_in))
}

/// The byte with this name in the POSIX locale (POSIX 2017, Base Definitions 6.1).
fn collating_element(name: &[u8]) -> Option<u8> {
    let index = NAMES.iter().position(|known| known.as_bytes() == name)?;
    u8::try_from(index).ok()
}

/// The names of the bytes 0 to 127.
#[rustfmt::skip]
const NAMES: [&str; 128] = [
    "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "alert", "backspace", "tab", "newline",
    "vertical-tab", "form-feed", "carriage-return", "SO", "SI", "DLE", "DC1", "DC2", "DC3", "DC4",
    "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "IS4", "IS3", "IS2", "IS1", "space",
    "exclamation-mark", "quotation-mark", "number-sign", "dollar-sign", "percent-sign", "ampersand",
    "apostrophe", "left-parenthesis", "right-parenthesis", "asterisk", "plus-sign", "comma",
    "hyphen", "period", "slash", "zero", "one", "two", "three", "four", "five", "six", "seven",
    "eight", "nine", "colon", "semicolon", "less-than-sign", "equals-sign", "greater-than-sign",
    "question-mark", "commercial-at", "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L",
    "M", "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z", "left-square-bracket",
    "backslash", "right-square-bracket", "circumflex", "underscore", "grave-accent", "a", "b", "c",
    "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u", "v",
    "w", "x", "y", "z", "left-curly-bracket", "vertical-line", "right-curly-bracket", "tilde",
    "DEL",
];
