//! What a message of the program looks like on standard error: the words in front of it, and what a
//! terminal is spared. As C++ Nix 2.34 does it (`filterANSIEscapes` and `showErrorInfo`).

use unicode_width::UnicodeWidthChar;

use super::Level;

/// A message as it is written, with the newline behind it. With `colour`, escape sequences that
/// set colours stay and the words in front have one; all other sequences always go.
pub(super) fn render(level: Level, text: &[u8], colour: bool) -> Vec<u8> {
    let mut line = match level {
        Level::Trace => filter(&[b"trace: ", text].concat(), colour),
        Level::Warning => filter(&warning(text), colour),
        Level::Remark => filter(&[YELLOW, b"warning:", NORMAL, b" ", text].concat(), colour),
    };
    line.push(b'\n');
    line
}

/// The words in front of a warning, and the colour they have.
const WARNING: &[u8] = b"evaluation warning:";
const YELLOW: &[u8] = b"\x1b[35;1m";
const NORMAL: &[u8] = b"\x1b[0m";

/// A warning's lines: those behind the first are indented to stand below it. Of a text without
/// any character Nix prints an empty line.
fn warning(text: &[u8]) -> Vec<u8> {
    let text = text.trim_ascii_end();
    let mut all = Vec::with_capacity(text.len() + 40);
    for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
        if text.is_empty() {
            break;
        }
        let mut shown = if index == 0 {
            [YELLOW, WARNING, NORMAL, b" "].concat()
        } else {
            all.push(b'\n');
            vec![b' '; WARNING.len() + 1]
        };
        shown.extend_from_slice(line);
        all.extend_from_slice(shown.trim_ascii_end());
    }
    all
}

/// `text` without escape sequences, carriage returns, bells and tabs, for a place where none is wanted.
pub(in crate::eval) fn without_escapes(text: &[u8]) -> Vec<u8> {
    filter(text, false)
}

/// `text` without escape sequences (but those of colours, if they are wanted), carriage returns and
/// bells; tabs become spaces up to the next column that is a multiple of 8, where columns are
/// counted through line ends, as C++ Nix does.
fn filter(text: &[u8], colours: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut column = 0;
    let mut rest = text;
    while let Some(&byte) = rest.first() {
        let taken = match byte {
            0x1b => {
                let (len, is_colour) = escape(rest);
                if is_colour && colours {
                    out.extend_from_slice(&rest[..len]);
                }
                len
            }
            b'\t' => {
                let next = (column / 8 + 1) * 8;
                out.resize(out.len() + next - column, b' ');
                column = next;
                1
            }
            b'\r' | 0x07 => 1,
            _ => {
                let (len, width) = character(rest);
                out.extend_from_slice(&rest[..len]);
                column += width;
                len
            }
        };
        rest = &rest[taken..];
    }
    out
}

/// How many bytes the escape sequence takes that `text` begins with, and whether it sets a colour
/// (ECMA-48: `ESC [ parameters intermediates final`, `ESC ] … BEL` and `ESC letter`).
fn escape(text: &[u8]) -> (usize, bool) {
    let run = |from: usize, is: fn(&u8) -> bool| {
        from + text.iter().skip(from).take_while(|byte| is(byte)).count()
    };
    match text.get(1) {
        Some(b'[') => {
            let parameters = run(2, |byte| (0x30..=0x3f).contains(byte));
            let end = run(parameters, |byte| (0x20..=0x2f).contains(byte));
            match text.get(end) {
                Some(&last @ 0x40..=0x7e) => (end + 1, last == b'm'),
                _ => (end, false),
            }
        }
        Some(b']') => {
            let end = run(2, |&byte| byte != 0x1b && byte != 0x07);
            match (text.get(end), text.get(end + 1)) {
                (Some(0x1b), Some(b'\\')) => (end + 2, false),
                (Some(_), _) => (end + 1, false),
                (None, _) => (end, false),
            }
        }
        Some(0x40..=0x5f) => (2, false),
        _ => (1, false),
    }
}

/// How many bytes and columns the character takes that `text` begins with. What is no UTF-8 takes a
/// column for each byte.
fn character(text: &[u8]) -> (usize, usize) {
    let head = &text[..text.len().min(4)];
    let valid = match std::str::from_utf8(head) {
        Ok(valid) => valid,
        Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default(),
    };
    match valid.chars().next() {
        Some(first) => (first.len_utf8(), first.width().unwrap_or(0)),
        None => (1, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What C++ Nix 2.34.8 printed for the same messages into a pipe.
    #[test]
    fn messages_look_as_nix_prints_them() {
        let plain = |level, text: &[u8]| {
            String::from_utf8(render(level, text, false)).unwrap().replace(' ', "·")
        };
        let trace = |text| plain(Level::Trace, text);
        let warning = |text| plain(Level::Warning, text);
        assert_eq!(trace(b""), "trace:·\n");
        assert_eq!(trace(b"a\n\nb  \n"), "trace:·a\n\nb··\n\n");
        assert_eq!(trace("é\t|".as_bytes()), "trace:·é········|\n");
        assert_eq!(trace(b"\t|"), "trace:··|\n");
        assert_eq!(trace(b"a\tb\n\tc"), "trace:·a········b\n·······c\n");
        assert_eq!(trace(b"a\rb\x07"), "trace:·ab\n");
        assert_eq!(warning(b""), "\n");
        let indent = "·".repeat(20);
        assert_eq!(warning(b"a\n\nb  \n"), format!("evaluation·warning:·a\n\n{indent}b\n"));
        assert_eq!(warning(b"\nfoo"), format!("evaluation·warning:\n{indent}foo\n"));
        assert_eq!(warning(b"  x"), "evaluation·warning:···x\n");
        assert_eq!(warning(b"\t|"), "evaluation·warning:·····|\n");
    }

    #[test]
    fn only_colours_reach_a_terminal() {
        let text =
            b"\x1b[31mred\x1b[0m \x1b[2J\x1b]8;;http://x\x07link\x1b]0;t\x1b\\\xff\xfe\t|\x1bM\x1b";
        let line = |colour| render(Level::Trace, text, colour);
        assert_eq!(line(true), b"trace: \x1b[31mred\x1b[0m link\xff\xfe       |\n");
        assert_eq!(line(false), b"trace: red link\xff\xfe       |\n");
        let warning = render(Level::Warning, b"a", true);
        assert_eq!(warning, b"\x1b[35;1mevaluation warning:\x1b[0m a\n");
        assert_eq!(render(Level::Remark, b"a\nb", true), b"\x1b[35;1mwarning:\x1b[0m a\nb\n");
        assert_eq!(render(Level::Remark, b"a\nb", false), b"warning: a\nb\n");
        for cut in 0..text.len() {
            assert!(render(Level::Trace, &text[..cut], false).ends_with(b"\n"));
        }
    }
}
