//! Makes text from machines and flakes safe to print: no control characters reach the terminal.

/// `text` as one line: control characters and newlines become spaces.
#[must_use]
pub fn clean(text: &str) -> String {
    strip(text).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// `text` with its newlines and tabs; other control characters become spaces.
#[must_use]
pub fn clean_lines(text: &str) -> String {
    let keep = |c: char| c == '\n' || c == '\t' || !c.is_control();
    strip(text).chars().map(|c| if keep(c) { c } else { ' ' }).collect()
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
        assert_eq!(clean("a\u{1b}[31mb\u{1b}[0m\tc\r\nd\u{7}"), "ab c  d ");
        assert_eq!(clean_lines("a\n\tb\u{8}c"), "a\n\tb c");
        assert!(!clean("\u{1b}]0;title\u{7}x").contains(char::is_control));
        assert!(!clean("\u{9b}31m").contains('\u{9b}'));
    }
}
