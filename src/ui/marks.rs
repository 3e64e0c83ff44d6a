//! Marks beyond ASCII, and what stands in for them where the locale has none. What names things (files, hosts) stays.

use std::borrow::Cow;
use std::sync::LazyLock;

use indicatif::ProgressStyle;

/// Does the locale say UTF-8? By the order of setlocale(3).
#[must_use]
pub fn utf8_locale() -> bool {
    static ANSWER: LazyLock<bool> = LazyLock::new(|| {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
        // Without any setting, UTF-8 is the likelier guess on today's systems.
        locale.is_none_or(|value| {
            let value = value.to_ascii_lowercase();
            value.contains("utf-8") || value.contains("utf8")
        })
    });
    *ANSWER
}

/// A line with the marks that the locale has.
pub(super) fn marked(text: &str) -> Cow<'_, str> {
    if utf8_locale() { text.into() } else { stand_ins(text).into() }
}

/// A bar, or a spinner, of the characters that the locale has.
pub(super) fn drawn(style: ProgressStyle) -> ProgressStyle {
    if utf8_locale() {
        style.progress_chars("━╸─")
    } else {
        style.progress_chars("#>-").tick_chars("|/-\\ ")
    }
}

fn stand_ins(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '…' => plain.push_str("..."),
            '→' => plain.push_str("->"),
            // One column each, as in the pictures.
            '✓' => plain.push('+'),
            '✗' => plain.push('x'),
            _ => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_give_way_and_names_stay() {
        assert_eq!(stand_ins("✓ a: é… → ✗"), "+ a: é... -> x");
    }
}
