//! Edits as spans of the old text, and the pieces they are made of: where a line begins and ends, how a
//! list is indented, how an item goes into it or out of it.

use std::ops::Range;

use super::error::EditError;
use super::model::content;
use super::tree::{Node, Style, Value};

/// Replacements of spans of a text, which must not overlap.
pub(super) struct Edits<'a> {
    text: &'a str,
    edits: Vec<(Range<usize>, String)>,
}

impl<'a> Edits<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, edits: Vec::new() }
    }

    pub(super) fn replace(&mut self, span: Range<usize>, with: impl Into<String>) {
        let edit = (span, with.into());
        // The same literal may be named twice, as by an alias and by what it stands for.
        if !self.edits.contains(&edit) || edit.0.is_empty() {
            self.edits.push(edit);
        }
    }

    pub(super) fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.replace(at..at, text);
    }

    pub(super) fn applied(mut self) -> Result<String, EditError> {
        self.edits.sort_by_key(|(span, _)| span.start);
        let mut result = String::with_capacity(self.text.len() + 200);
        let mut done = 0;
        for (span, with) in self.edits {
            let kept = self.text.get(done..span.start).ok_or(EditError::Overlap)?;
            result.push_str(kept);
            result.push_str(&with);
            done = span.end;
        }
        result.push_str(self.text.get(done..).ok_or(EditError::Overlap)?);
        Ok(result)
    }

    /// The line ending of the text around `at`.
    pub(super) fn newline(&self, at: usize) -> &'static str {
        let before = self.text.get(..at).unwrap_or_default().rfind('\n');
        let newline = before.or_else(|| self.text.find('\n'));
        let carriage = newline.is_some_and(|at| self.text[..at].ends_with('\r'));
        if carriage { "\r\n" } else { "\n" }
    }

    /// Where the line of `at` begins.
    pub(super) fn line_start(&self, at: usize) -> usize {
        self.text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1)
    }

    /// Where the line of `at` ends, before its line ending.
    pub(super) fn line_end(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        let end = at + rest.find('\n').unwrap_or(rest.len());
        if self.text[..end].ends_with('\r') && end > at { end - 1 } else { end }
    }

    /// The column of `at`, in characters from 0.
    pub(super) fn column(&self, at: usize) -> usize {
        self.text.get(self.line_start(at)..at).map_or(0, |before| before.chars().count())
    }

    /// The line from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        line_of(self.text, at)
    }

    /// Puts whole lines behind the line in which `end` stands. Each of `lines` is without its ending.
    pub(super) fn lines_after(&mut self, end: usize, lines: &[String]) {
        let newline = self.newline(end);
        if end > 0 && self.text[..end].ends_with('\n') {
            return self.insert(end, lines.join(newline) + newline);
        }
        self.insert(self.line_end(end), format!("{newline}{}", lines.join(newline)));
    }

    /// The dash of an item of a block list, and what stands between the two.
    fn dash(&self, item: &Node) -> Result<(usize, &'a str), EditError> {
        let before = self.text.get(..item.span.start).unwrap_or_default();
        let trimmed = before.trim_end_matches(' ');
        let unclear = || EditError::Unclear { line: self.line(item.span.start) };
        if !trimmed.ends_with('-') {
            return Err(unclear());
        }
        let dash = trimmed.len() - 1;
        let spacing = before.get(trimmed.len()..).filter(|spacing| !spacing.is_empty());
        Ok((dash, spacing.unwrap_or(" ")))
    }

    /// Puts an item at the end of a list. `comment` only where a line of its own is made.
    pub(super) fn append(
        &mut self,
        list: &Node,
        item: &str,
        comment: Option<&str>,
    ) -> Result<(), EditError> {
        let Value::List { flow, items } = &list.value else {
            return Err(EditError::Unclear { line: self.line(list.span.start) });
        };
        if *flow {
            self.append_flow(list, items, item);
            return Ok(());
        }
        let previous =
            items.last().ok_or(EditError::Unclear { line: self.line(list.span.start) })?;
        let (dash, spacing) = self.dash(previous)?;
        let indent = " ".repeat(self.column(dash));
        let comment = comment.map(|comment| format!(" # {comment}")).unwrap_or_default();
        let end = previous.span.end;
        self.lines_after(end, &[format!("{indent}-{spacing}{item}{comment}")]);
        Ok(())
    }

    fn append_flow(&mut self, list: &Node, items: &[Node], item: &str) {
        let close = list.span.end.saturating_sub(1);
        let Some(previous) = items.last() else {
            let open = close - (self.text[..close].len() - self.text[..close].trim_end().len());
            return self.replace(open..close, item);
        };
        let behind = self.text.get(previous.span.end..close).unwrap_or_default();
        let trailing_comma = behind.split('#').next().unwrap_or_default().contains(',');
        let before = self.text.get(list.span.start..previous.span.start).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        let own_line = before.contains('\n') && line.trim().is_empty();
        if !own_line {
            let comma = if trailing_comma { " " } else { ", " };
            let tail = if trailing_comma { "," } else { "" };
            let comma_at = behind.find(',').filter(|_| trailing_comma).map_or(0, |at| at + 1);
            return self.insert(previous.span.end + comma_at, format!("{comma}{item}{tail}"));
        }
        let tail = if trailing_comma { "," } else { "" };
        if !trailing_comma {
            self.insert(previous.span.end, ",");
        }
        let end = self.line_end(previous.span.end).min(close.max(previous.span.end));
        let newline = self.newline(end);
        self.insert(end, format!("{newline}{line}{item}{tail}"));
    }

    /// Adds a recipient to a comma-joined scalar.
    pub(super) fn append_part(&mut self, node: &Node, recipient: &str) {
        let content = content(node, self.text);
        let raw = self.text.get(content.clone()).unwrap_or_default();
        let comma = if raw.trim_end().ends_with(',') || raw.trim().is_empty() { "" } else { "," };
        let tail = if raw.trim_end().ends_with(',') { "," } else { "" };
        let several = raw.contains('\n');
        let block = matches!(&node.value, Value::Scalar { style: Style::Block, .. });
        let between = if block || several {
            let line = self.line_start(content.end);
            let indent = self.text.get(line..content.end).unwrap_or_default();
            let indent = &indent[..indent.len() - indent.trim_start().len()];
            format!("{}{indent}", self.newline(content.end))
        } else if raw.contains(", ") {
            " ".to_owned()
        } else {
            String::new()
        };
        self.insert(content.end, format!("{comma}{between}{recipient}{tail}"));
    }

    /// Takes an item out of a list that has others.
    pub(super) fn take_out(&mut self, list: &Node, item: &Node) -> Result<(), EditError> {
        let unclear = EditError::Unclear { line: self.line(item.span.start) };
        let Value::List { flow, items } = &list.value else { return Err(unclear) };
        let Some(index) = items.iter().position(|other| other.span == item.span) else {
            return Err(unclear);
        };
        if *flow {
            match (items.get(index + 1), index.checked_sub(1).and_then(|at| items.get(at))) {
                (Some(next), _) => self.replace(item.span.start..next.span.start, ""),
                (None, Some(previous)) => self.replace(previous.span.end..item.span.end, ""),
                (None, None) => self.replace(item.span.clone(), ""),
            }
            return Ok(());
        }
        let (dash, _) = self.dash(item)?;
        let start = self.line_start(dash);
        if !self.text[start..dash].trim().is_empty() {
            // `- - a`: the line is another list's, too.
            return Err(unclear);
        }
        self.take_out_lines(start, item.span.end);
        Ok(())
    }

    /// Takes out the lines from that of `start` to that of `end`.
    pub(super) fn take_out_lines(&mut self, start: usize, end: usize) {
        let newline = self.text[..end].ends_with('\n') && end > start;
        let line_end = if newline { end } else { self.line_end(end) };
        let rest = self.text.get(line_end..).unwrap_or_default();
        let ending = ["\r\n", "\n"].into_iter().find(|ending| !newline && rest.starts_with(ending));
        match ending {
            Some(ending) => self.replace(start..line_end + ending.len(), ""),
            None if newline => self.replace(start..line_end, ""),
            // The last line has no ending: then the one before it has to go.
            None => {
                let before = self.text[..start].strip_suffix('\n').unwrap_or(&self.text[..start]);
                let before = before.strip_suffix('\r').unwrap_or(before);
                self.replace(before.len()..line_end, "");
            }
        }
    }

    /// Takes one part out of a comma-joined scalar that has others.
    pub(super) fn take_out_part(&mut self, node: &Node, part: &Range<usize>) {
        let content = content(node, self.text);
        let before = self.text.get(content.start..part.start).unwrap_or_default();
        let after = self.text.get(part.end..content.end).unwrap_or_default();
        match (before.rfind(','), after.find(',')) {
            (_, Some(comma)) => {
                let rest = &after[comma + 1..];
                let blank = rest.len() - rest.trim_start().len();
                self.replace(part.start..part.end + comma + 1 + blank, "");
            }
            (Some(comma), None) => self.replace(content.start + comma..part.end, ""),
            (None, None) => self.replace(part.clone(), ""),
        }
    }

    /// How far a list that is the value of a map's key stands right of that key: in `nearest`, else in
    /// `root`, else 2.
    pub(super) fn list_offset(&self, nearest: Option<&Node>, root: Option<&Node>) -> usize {
        let seen = |node: Option<&Node>| node.and_then(|node| self.offset_in(node));
        seen(nearest).or_else(|| seen(root)).unwrap_or(2)
    }

    fn offset_in(&self, node: &Node) -> Option<usize> {
        for (key, value) in node.entries() {
            if let Value::List { flow: false, items } = &value.value
                && let Some(first) = items.first()
                && let Ok((dash, _)) = self.dash(first)
            {
                let (key, dash) = (self.column(key.span.start), self.column(dash));
                if let Some(offset) = dash.checked_sub(key) {
                    return Some(offset);
                }
            }
        }
        let below = node.items().iter().chain(node.entries().iter().map(|(_, value)| value));
        below.into_iter().find_map(|node| self.offset_in(node))
    }

    /// Where the lines of comments begin that stand right above the line of `at`.
    pub(super) fn with_comments_above(&self, at: usize) -> usize {
        let mut start = self.line_start(at);
        while start > 0 {
            let above = self.line_start(start - 1);
            if !self.text[above..start].trim_start().starts_with('#') {
                break;
            }
            start = above;
        }
        start
    }

    /// The first word of the comment behind `end`, on the same line.
    pub(super) fn comment_word(&self, end: usize) -> Option<&'a str> {
        let rest = self.text.get(end..self.line_end(end))?;
        let comment = rest.trim_start().strip_prefix('#')?;
        comment.split_whitespace().next()
    }

    /// The column at which an item of a block list has its dash.
    pub(super) fn dash_column(&self, item: &Node) -> Result<usize, EditError> {
        self.dash(item).map(|(dash, _)| self.column(dash))
    }

    /// Where the dash of an item is.
    pub(super) fn dash_at(&self, item: &Node) -> Result<usize, EditError> {
        self.dash(item).map(|(dash, _)| dash)
    }

    /// What stands between a dash and its item.
    pub(super) fn spacing(&self, item: &Node) -> Result<&'a str, EditError> {
        self.dash(item).map(|(_, spacing)| spacing)
    }
}

/// The line of `at`, from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or(text).matches('\n').count() + 1
}
