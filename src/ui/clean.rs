//! Makes text from machines and flakes safe to print: no control characters reach the terminal.

/// `text` as one line: escape sequences go, newlines and tabs become spaces, whatever else steers a
/// terminal becomes U+FFFD.
#[must_use]
pub fn clean(text: &str) -> String {
    harmless(text, |_| ' ')
}

/// Like [`clean`], with its newlines and tabs.
#[must_use]
pub fn clean_lines(text: &str) -> String {
    harmless(text, |blank| blank)
}

fn harmless(text: &str, blank: impl Fn(char) -> char) -> String {
    let harmless = |c: char| match c {
        '\n' | '\t' => blank(c),
        // Programs end lines of progress with it.
        '\r' => ' ',
        _ if steers(c) => '\u{fffd}',
        _ => c,
    };
    strip(text).chars().map(harmless).collect()
}

/// Control characters, and those that turn the direction of writing or are not seen.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}')
}

/// Takes whole escape sequences out, so that no `[31m` is left of a colour.
fn strip(text: &str) -> std::borrow::Cow<'_, str> {
    console::strip_ansi_codes(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_control_characters_are_gone() {
        assert_eq!(clean("a\u{1b}[31mb\u{1b}[0m\tc\r\nd\u{7}"), "ab c  d\u{fffd}");
        assert_eq!(clean("a\u{202e}b"), "a\u{fffd}b");
        assert_eq!(clean_lines("a\n\tb\u{8}c"), "a\n\tb\u{fffd}c");
        assert!(!clean("\u{1b}]0;title\u{7}x").contains(char::is_control));
        assert!(!clean("\u{9b}31m").contains('\u{9b}'));
    }
}
