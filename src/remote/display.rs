//! Text from a machine, made fit to be shown.

/// The text without control characters (escape sequences could redraw the terminal) and without
/// characters that turn the direction of writing; blanks at its ends are dropped.
#[must_use]
pub fn printable(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let kept: String = text.chars().map(|c| if hidden(c) { ' ' } else { c }).collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_move_the_cursor_is_dropped() {
        assert_eq!(printable("  WD\u{1b}[2J\u{7}  Red\n\u{202e}x "), "WD [2J Red x");
        assert_eq!(printable("Größe 5 µm"), "Größe 5 µm");
    }
}
