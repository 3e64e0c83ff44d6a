//! Trees of named things with a size and words, in aligned columns.

use unicode_width::UnicodeWidthStr;

use super::text::{Ink, Kind, Line, Style, cut, wrap};

/// A node of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) size: String,
    pub(super) words: String,
    pub(super) kind: Kind,
    pub(super) children: Vec<Node>,
}

/// Words beside their node have at least these columns; else they stand below it.
const LEAST: usize = 12;

/// A node with its branches drawn.
struct Row<'a> {
    branch: String,
    /// Stands in front of further lines of the same node.
    below: String,
    node: &'a Node,
}

/// Draws `nodes` in at most `width` columns.
pub(super) fn draw(nodes: &[Node], width: usize, style: Style) -> Vec<Line> {
    let mut rows = Vec::new();
    flatten(nodes, "", style, &mut rows);
    let name = |row: &Row<'_>| row.branch.width() + row.node.name.width();
    let names = rows.iter().map(name).max().unwrap_or(0).min(width / 2);
    let sizes = rows.iter().map(|row| row.node.size.width()).max().unwrap_or(0);
    rows.iter().flat_map(|row| row_lines(row, names, sizes, width, style)).collect()
}

fn flatten<'a>(nodes: &'a [Node], indent: &str, style: Style, rows: &mut Vec<Row<'a>>) {
    for (index, node) in nodes.iter().enumerate() {
        let last = index + 1 == nodes.len();
        let (fork, line) = if last {
            (style.pick("└─ ", "`- "), "   ")
        } else {
            (style.pick("├─ ", "|- "), style.pick("│  ", "|  "))
        };
        let below = format!("{indent}{line}");
        let knot = if node.children.is_empty() { "" } else { style.pick("│", "|") };
        rows.push(Row { branch: format!("{indent}{fork}"), below: format!("{below}{knot}"), node });
        flatten(&node.children, &below, style, rows);
    }
}

fn row_lines(row: &Row<'_>, names: usize, sizes: usize, width: usize, style: Style) -> Vec<Line> {
    let node = row.node;
    let name = cut(&node.name, names.saturating_sub(row.branch.width()), style);
    let size = format!("{}{}", " ".repeat(sizes - node.size.width()), node.size);
    let gap = if sizes == 0 { "" } else { "  " };
    let start = Line::new()
        .with(&row.branch, Ink::Dim)
        .with(&name, Ink::Kind(node.kind))
        .pad(names)
        .with(gap, Ink::Plain)
        .with(&size, Ink::Plain)
        .with("  ", Ink::Plain);
    let indent = start.width();
    let room = width.saturating_sub(indent);
    if room < LEAST && node.words.width() > room {
        let below = Line::new().with(&row.below, Ink::Dim).with("  ", Ink::Plain);
        let words = wrap(&node.words, width.saturating_sub(below.width()));
        let words = words.iter().map(|words| below.clone().with(words, Ink::Plain));
        return std::iter::once(start).chain(words).collect();
    }
    let words = wrap(&node.words, room);
    let lines = words.iter().enumerate().map(|(index, words)| {
        let start = match index {
            0 => start.clone(),
            _ => Line::new().with(&row.below, Ink::Dim).pad(indent),
        };
        start.with(words, Ink::Plain)
    });
    lines.collect()
}
