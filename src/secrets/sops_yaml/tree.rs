//! A YAML document as a tree that knows where in the text each node stands. Read with libyaml's own
//! grammar, since that is how sops reads it; what YAML forbids beyond the grammar (two anchors or keys
//! of one name, an alias without anchor) is an error here.

use std::collections::HashMap;
use std::ops::Range;

use libyaml_safer::{Event, EventData, Parser, ScalarStyle, SequenceStyle};

/// No real file is nested as deeply; the stack must not end before the memory does.
const DEEPEST: usize = 100;

/// Why a text is no document, with the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct YamlError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

/// One node, from its anchor to its end. The end of block lists and maps is that of their last part:
/// comments behind it are not theirs.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) anchor: Option<String>,
    pub(super) value: Value,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Scalar { text: String, style: Style },
    Alias(String),
    List { flow: bool, items: Vec<Node> },
    Map { flow: bool, entries: Vec<(Node, Node)> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Quoted,
    /// `|` and `>`.
    Block,
}

impl Node {
    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Is nothing written here?
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, style: Style::Plain } if text.is_empty() || text == "~" || text == "null")
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> &[Node] {
        match &self.value {
            Value::List { items, .. } => items,
            _ => &[],
        }
    }

    /// The entries of a map; none of anything else.
    pub(super) fn entries(&self) -> &[(Node, Node)] {
        match &self.value {
            Value::Map { entries, .. } => entries,
            _ => &[],
        }
    }

    /// The value of `key` in a map.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, value)| value)
    }

    pub(super) fn entry(&self, key: &str) -> Option<&(Node, Node)> {
        self.entries().iter().find(|(name, _)| name.text() == Some(key))
    }
}

/// Reads a text. `None` where it holds no document, or an empty one.
pub(super) fn parse(text: &str) -> Result<Option<Node>, YamlError> {
    // libyaml skips a byte order mark and does not count it.
    let skipped = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut bytes = &text.as_bytes()[skipped..];
    let mut parser = Parser::new();
    parser.set_input_string(&mut bytes);
    let mut reader = Reader { text, skipped, ..Reader::default() };
    loop {
        let event = parser.parse().map_err(|error| {
            let mark = error.problem_mark().or_else(|| error.context_mark()).unwrap_or_default();
            let line = usize::try_from(mark.line).unwrap_or_default() + 1;
            YamlError { line, reason: reason(error.problem(), text, line) }
        })?;
        if matches!(event.data, EventData::StreamEnd) {
            return Ok(reader.root.filter(|root| !root.is_null()));
        }
        reader.event(event)?;
    }
}

/// What libyaml says, and what it means where that is not obvious.
fn reason(problem: &str, text: &str, line: usize) -> String {
    let indent = text.lines().nth(line - 1).unwrap_or_default();
    let indent = &indent[..indent.len() - indent.trim_start().len()];
    if indent.contains('\t') {
        return format!("{problem} (the line is indented with a tab; YAML wants spaces)");
    }
    problem.to_owned()
}

#[derive(Default)]
struct Reader<'a> {
    text: &'a str,
    skipped: usize,
    root: Option<Node>,
    documents: usize,
    open: Vec<Open>,
    /// The line of each anchor.
    anchors: HashMap<String, usize>,
}

/// A list or a map that has not ended yet.
struct Open {
    start: usize,
    anchor: Option<String>,
    kind: Kind,
}

enum Kind {
    List { flow: bool, items: Vec<Node> },
    Map { flow: bool, entries: Vec<(Node, Node)>, key: Option<Node> },
}

impl Reader<'_> {
    fn event(&mut self, event: Event) -> Result<(), YamlError> {
        let line = usize::try_from(event.start_mark.line).unwrap_or_default() + 1;
        let at = |index: u64| usize::try_from(index).unwrap_or(usize::MAX);
        let start = at(event.start_mark.index).saturating_add(self.skipped).min(self.text.len());
        let end = at(event.end_mark.index).saturating_add(self.skipped).min(self.text.len());
        match event.data {
            EventData::DocumentStart { .. } => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(wrong(line, "a second document begins; sops reads only the first"));
                }
            }
            EventData::Alias { anchor } => {
                if !self.anchors.contains_key(&anchor) {
                    return Err(wrong(
                        line,
                        format!("the alias *{anchor} has no anchor &{anchor}"),
                    ));
                }
                self.add(
                    Node { span: start..end, anchor: None, value: Value::Alias(anchor) },
                    line,
                )?;
            }
            EventData::Scalar { anchor, value, style, .. } => {
                self.note(anchor.as_ref(), line)?;
                let style = match style {
                    ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                    _ => Style::Plain,
                };
                let value = Value::Scalar { text: value, style };
                self.add(Node { span: start..end, anchor, value }, line)?;
            }
            EventData::SequenceStart { anchor, style, .. } => {
                let flow = style == SequenceStyle::Flow;
                self.begin(start, anchor, Kind::List { flow, items: Vec::new() }, line)?;
            }
            EventData::MappingStart { anchor, style, .. } => {
                let flow = style == libyaml_safer::MappingStyle::Flow;
                let kind = Kind::Map { flow, entries: Vec::new(), key: None };
                self.begin(start, anchor, kind, line)?;
            }
            EventData::SequenceEnd | EventData::MappingEnd => self.end(end, line)?,
            _ => {}
        }
        Ok(())
    }

    fn note(&mut self, anchor: Option<&String>, line: usize) -> Result<(), YamlError> {
        let Some(anchor) = anchor else { return Ok(()) };
        match self.anchors.insert(anchor.clone(), line) {
            Some(first) => {
                Err(wrong(line, format!("the anchor &{anchor} stands in line {first} already")))
            }
            None => Ok(()),
        }
    }

    fn begin(
        &mut self,
        start: usize,
        anchor: Option<String>,
        kind: Kind,
        line: usize,
    ) -> Result<(), YamlError> {
        self.note(anchor.as_ref(), line)?;
        if self.open.len() >= DEEPEST {
            return Err(wrong(line, "it is nested too deeply"));
        }
        self.open.push(Open { start, anchor, kind });
        Ok(())
    }

    fn end(&mut self, end: usize, line: usize) -> Result<(), YamlError> {
        let Some(Open { start, anchor, kind }) = self.open.pop() else { return Ok(()) };
        let (flow, last, value) = match kind {
            Kind::List { flow, items } => {
                let last = items.last().map(|item| item.span.end);
                (flow, last, Value::List { flow, items })
            }
            Kind::Map { flow, entries, .. } => {
                let last = entries.last().map(|(_, value)| value.span.end);
                (flow, last, Value::Map { flow, entries })
            }
        };
        let end = if flow { end } else { last.unwrap_or(start) };
        self.add(Node { span: start..end, anchor, value }, line)
    }

    /// Puts a finished node where it belongs.
    fn add(&mut self, node: Node, line: usize) -> Result<(), YamlError> {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open { kind: Kind::List { items, .. }, .. }) => items.push(node),
            Some(Open { kind: Kind::Map { entries, key, .. }, .. }) => match key.take() {
                None => {
                    let text = node.text().filter(|text| !text.is_empty());
                    let twice = text.is_some_and(|text| {
                        entries.iter().any(|(other, _)| other.text() == Some(text))
                    });
                    if twice {
                        let text = text.unwrap_or_default();
                        return Err(wrong(line, format!("the key {text:?} stands here twice")));
                    }
                    *key = Some(node);
                }
                Some(name) => entries.push((name, node)),
            },
        }
        Ok(())
    }
}

fn wrong(line: usize, reason: impl Into<String>) -> YamlError {
    YamlError { line, reason: reason.into() }
}
