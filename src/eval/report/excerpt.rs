//! The lines of a source around a place.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Origin, Snippet, Title};

use crate::eval::position::Place;

/// Of a line longer than this, in bytes, only the surroundings of the place are looked at.
const LONG_LINE: usize = 2000;

/// A place, with the lines before and behind it.
#[derive(Debug)]
pub(super) struct Excerpt {
    path: String,
    line: usize,
    column: usize,
    /// The lines' text, joined by newlines.
    text: String,
    /// The number of the first line in `text`.
    first: usize,
    /// What is marked in `text`.
    marked: Range<usize>,
    /// Is the beginning of the line missing? Then its column is not that in `text`.
    cut: bool,
}

impl Excerpt {
    pub(super) fn new(place: &Place<'_>) -> Self {
        let text: &[u8] = &place.source.text;
        let offset = (place.offset as usize).min(text.len());
        let column = place.at.column as usize;
        let line = place.at.line as usize;
        let start = offset.saturating_sub(column.saturating_sub(1));
        let end = end_of_line(text, offset);
        let from = start.max(offset.saturating_sub(LONG_LINE));
        let to = end.min(offset + LONG_LINE);
        let mut excerpt = Self {
            path: place.source.shown.clone(),
            line,
            column,
            text: String::new(),
            first: line,
            marked: 0..0,
            cut: from > start,
        };
        if let Some(before) = line_before(text, start) {
            excerpt.first = line.saturating_sub(1);
            excerpt.text = format!("{before}\n");
        }
        excerpt.text.push_str(&String::from_utf8_lossy(&text[from..offset]));
        let mark = excerpt.text.len();
        let rest = String::from_utf8_lossy(&text[offset..to]);
        excerpt.marked = mark..mark + word(&rest);
        excerpt.text.push_str(&rest);
        if let Some(behind) = line_behind(text, end) {
            excerpt.text.push('\n');
            excerpt.text.push_str(&behind);
        }
        excerpt
    }

    /// The excerpt below a title.
    pub(super) fn below<'e>(&'e self, title: Title<'e>) -> Group<'e> {
        let snippet = Snippet::source(&self.text)
            .line_start(self.first)
            .fold(false)
            .annotation(AnnotationKind::Primary.span(self.marked.clone()));
        if self.cut {
            let origin = Origin::path(&self.path).line(self.line).char_column(self.column);
            return title.element(origin).element(snippet);
        }
        title.element(snippet.path(&self.path))
    }
}

fn is_line_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

/// Where the line ends that `offset` is in.
fn end_of_line(text: &[u8], offset: usize) -> usize {
    text.iter().skip(offset).position(|&byte| is_line_end(byte)).map_or(text.len(), |n| offset + n)
}

/// The line that ends before `start`, unless there is nothing in it.
fn line_before(text: &[u8], start: usize) -> Option<String> {
    let end = start - break_before(text, start)?;
    let from = text[..end].iter().rposition(|&byte| is_line_end(byte)).map_or(0, |at| at + 1);
    shown(&text[from..end])
}

/// The line that begins behind the line end at `end`, unless there is nothing in it.
fn line_behind(text: &[u8], end: usize) -> Option<String> {
    let from = end + if text.get(end..end + 2) == Some(b"\r\n") { 2 } else { 1 };
    let line = text.get(from..)?;
    shown(&line[..end_of_line(line, 0)])
}

/// How many bytes the line end takes that stands before `start`.
fn break_before(text: &[u8], start: usize) -> Option<usize> {
    let before = text.get(..start)?;
    if before.ends_with(b"\r\n") { Some(2) } else { before.last().map(|_| 1) }
}

fn shown(line: &[u8]) -> Option<String> {
    let line = &line[..line.len().min(LONG_LINE)];
    let text = String::from_utf8_lossy(line);
    (!text.trim().is_empty()).then(|| text.into_owned())
}

/// How many bytes the name or the sign takes that `text` begins with.
fn word(text: &str) -> usize {
    let in_name = |c: &char| c.is_ascii_alphanumeric() || "_'-".contains(*c);
    let name: usize = text.chars().take_while(in_name).map(char::len_utf8).sum();
    if name > 0 { name } else { text.chars().next().map_or(0, char::len_utf8) }
}
