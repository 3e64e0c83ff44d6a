//! Text for the terminal: the [`Style`], lines of inked words, wrapping by columns. Whatever a
//! flake or a machine says passes [`clean`], so that it can't steer the terminal.

use super::clean::clean;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

pub use crate::install::size::human;

/// How to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal.
    pub width: usize,
    /// Use colours?
    pub colour: bool,
    /// Use box characters beyond ASCII?
    pub unicode: bool,
}

impl Style {
    /// `beyond` where the terminal shows more than ASCII, else `ascii`.
    pub(super) fn pick(self, beyond: &'static str, ascii: &'static str) -> &'static str {
        if self.unicode { beyond } else { ascii }
    }

    /// The columns that are used: within reason, so that a picture is neither cut nor torn.
    pub(super) fn columns(self) -> usize {
        self.width.clamp(40, 160)
    }
}

/// The colour of a word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Ink {
    /// As the terminal has it.
    #[default]
    Plain,
    /// A heading.
    Bold,
    /// Of less weight.
    Dim,
    /// Danger.
    Red,
    /// Danger in a heading.
    Alarm,
    /// Care.
    Yellow,
    /// One of the kinds of content.
    Kind(Kind),
    /// The inside of a bar, by kind.
    Fill(Kind),
}

/// What a partition is for, as far as colours go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// vfat: what firmware reads.
    Boot,
    /// Any other file system.
    Files,
    /// Encrypted.
    Secret,
    /// Swap.
    Swap,
    /// A member of something larger: LVM, RAID, ZFS.
    Member,
    /// Unknown or without content.
    Other,
    /// Not in a partition.
    Free,
}

impl Ink {
    /// The parameters of the escape sequence, by ECMA-48, 8.3.117.
    fn code(self) -> &'static str {
        match self {
            Self::Plain | Self::Kind(Kind::Other) => "",
            Self::Bold => "1",
            Self::Dim | Self::Kind(Kind::Free) | Self::Fill(Kind::Free) => "2",
            Self::Red => "31",
            Self::Alarm => "1;31",
            Self::Yellow | Self::Kind(Kind::Swap) => "33",
            Self::Kind(Kind::Boot) => "36",
            Self::Kind(Kind::Files) => "32",
            Self::Kind(Kind::Secret) => "35",
            Self::Kind(Kind::Member) => "34",
            Self::Fill(Kind::Boot) => "30;46",
            Self::Fill(Kind::Files) => "30;42",
            Self::Fill(Kind::Secret) => "30;45",
            Self::Fill(Kind::Swap) => "30;43",
            Self::Fill(Kind::Member) => "30;44",
            Self::Fill(Kind::Other) => "30;47",
        }
    }
}

/// A line of inked words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line(Vec<(String, Ink)>);

impl Line {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds text; control characters are taken out.
    pub(super) fn with(mut self, text: &str, ink: Ink) -> Self {
        self.0.push((clean(text), ink));
        self
    }

    /// Adds another line at the end.
    pub(super) fn join(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Columns.
    pub(super) fn width(&self) -> usize {
        self.0.iter().map(|(text, _)| text.width()).sum()
    }

    /// Fills up with spaces to `width` columns.
    pub(super) fn pad(self, width: usize) -> Self {
        let gap = width.saturating_sub(self.width());
        self.with(&" ".repeat(gap), Ink::Plain)
    }

    /// The line for the terminal, without spaces at its end.
    pub(super) fn show(&self, style: Style) -> String {
        let mut shown = String::new();
        for (text, ink) in &self.0 {
            let text = if style.unicode { text.clone() } else { ascii(text) };
            let code = ink.code();
            if style.colour && !code.is_empty() && !text.is_empty() {
                shown.extend(["\x1b[", code, "m", &text, "\x1b[0m"]);
            } else {
                shown.push_str(&text);
            }
        }
        shown.trim_end().to_owned()
    }
}

/// All lines for the terminal, with a newline after each.
pub(super) fn show(lines: &[Line], style: Style) -> String {
    lines.iter().map(|line| line.show(style) + "\n").collect()
}

fn ascii(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect()
}

/// A human size without what goes without saying: `19.5G` for `19.5 GiB`.
pub(super) fn short(size: &str) -> String {
    size.strip_suffix("iB").map_or_else(|| size.to_owned(), |size| size.replace(' ', ""))
}

/// At most `width` columns of `text`; a cut is marked.
pub(super) fn cut(text: &str, width: usize, style: Style) -> String {
    let text = clean(text);
    if text.width() <= width {
        return text;
    }
    let mark = style.pick("…", "~");
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        let columns = c.width().unwrap_or(0);
        if used + columns + 1 > width {
            break;
        }
        used += columns;
        kept.push(c);
    }
    if width > 0 {
        kept.push_str(mark);
    }
    kept
}

/// `text` in lines of at most `width` columns, broken at spaces; a longer word is broken where it
/// must be, so that nothing is lost.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(8);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in clean(text).split(' ') {
        let mut word = word.to_owned();
        let gap = usize::from(!line.is_empty());
        if line.width() + gap + word.width() <= width {
            if gap == 1 {
                line.push(' ');
            }
            line.push_str(&word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        while word.width() > width {
            let at = split_at(&word, width);
            let rest = word.split_off(at);
            lines.push(std::mem::replace(&mut word, rest));
        }
        line = word;
    }
    lines.push(line);
    lines
}

/// Where to break a word that is too long: after a slash if there is one, else at the edge.
fn split_at(word: &str, width: usize) -> usize {
    let mut used = 0;
    let mut edge = word.len();
    for (at, c) in word.char_indices() {
        used += c.width().unwrap_or(0);
        if used > width {
            edge = at;
            break;
        }
    }
    let slash = word[..edge].rfind('/').map(|at| at + 1);
    slash.filter(|at| *at > edge / 2).unwrap_or(edge)
}

/// `text` wrapped behind a heading: the first line has the heading, the others are indented alike.
pub(super) fn hanging(heading: &Line, text: &str, ink: Ink, columns: usize) -> Vec<Line> {
    let indent = heading.width();
    let blank = Line::new().pad(indent);
    let parts = wrap(text, columns.saturating_sub(indent));
    let lines = parts.iter().enumerate().map(|(index, part)| {
        let start = if index == 0 { heading.clone() } else { blank.clone() };
        start.with(part, ink)
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_machine_says_cannot_steer_the_terminal() {
        let line = Line::new().with("a\x1b[2Jb\nc\u{9b}d\u{202e}e\r\u{7f}", Ink::Red);
        let style = Style { width: 80, colour: false, unicode: true };
        assert_eq!(line.show(style), "ab c\u{fffd}d\u{fffd}e \u{fffd}");
        assert_eq!(line.show(Style { unicode: false, ..style }), "ab c?d?e ?");
        let colour = line.show(Style { colour: true, ..style });
        assert_eq!(colour.matches('\x1b').count(), 2, "{colour:?}");
        assert!(colour.starts_with("\x1b[31m") && colour.ends_with("\x1b[0m"));
    }

    #[test]
    fn wrapping_loses_nothing_and_keeps_the_width() {
        let text = "a quick /dev/disk/by-id/nvme-Samsung_SSD_980_PRO_1TB_S5GXNX0R123456 end";
        for width in [8, 13, 20, 60] {
            let lines = wrap(text, width);
            assert!(lines.iter().all(|line| line.width() <= width), "{lines:?}");
            let joined: String = lines.concat();
            assert_eq!(joined.replace(' ', ""), text.replace(' ', ""));
        }
    }

    #[test]
    fn cuts_are_marked_and_wide_characters_counted() {
        let style = Style { width: 80, colour: false, unicode: true };
        assert_eq!(cut("partition", 9, style), "partition");
        assert_eq!(cut("partition", 5, style), "part…");
        assert_eq!(cut("日本語", 4, style), "日…");
        assert_eq!(cut("partition", 1, style), "…");
        assert_eq!(cut("partition", 0, style), "");
    }
}
