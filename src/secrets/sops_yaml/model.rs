//! What a `.sops.yaml` says: the named keys with their sections, and for each rule its groups of
//! recipients. Borrowed from the tree, so that each part can be found in the text again.

use std::collections::HashMap;
use std::ops::Range;

use super::tree::{Node, Style, Value};

/// The parts of a document that are about recipients.
pub(super) struct Model<'a> {
    pub(super) keys: Option<&'a Node>,
    pub(super) entries: Vec<Entry<'a>>,
    pub(super) sections: Vec<Section<'a>>,
    pub(super) rules: Vec<Rule<'a>>,
    pub(super) rules_node: Option<&'a Node>,
    anchors: HashMap<&'a str, &'a Node>,
}

/// A named key: an anchored scalar below `keys`.
pub(super) struct Entry<'a> {
    pub(super) name: &'a str,
    pub(super) recipient: &'a str,
    pub(super) node: &'a Node,
    /// The name of the section that it is in.
    pub(super) section: Option<&'a str>,
}

/// A named list of keys: `- &hosts:` and its items, or `hosts:` below `keys`.
pub(super) struct Section<'a> {
    pub(super) name: &'a str,
    /// The list, or nothing where it is still empty.
    pub(super) list: &'a Node,
    /// What the list belongs to, for its indentation.
    pub(super) key: Option<&'a Node>,
}

/// One of `creation_rules`.
pub(super) struct Rule<'a> {
    pub(super) node: &'a Node,
    pub(super) path_regex: Option<&'a str>,
    pub(super) groups: Vec<Group<'a>>,
    /// Are its keys its own attributes, rather than in `key_groups`?
    pub(super) flat: bool,
    /// How many groups are needed to decrypt (`shamir_threshold`, by default all).
    pub(super) needed: usize,
}

/// A group of keys any of which is enough: a map with lists of keys by kind.
pub(super) struct Group<'a> {
    pub(super) node: &'a Node,
    pub(super) age: Option<&'a Node>,
    /// Do its keys stand elsewhere, too, behind an alias or a merge key?
    pub(super) shared: bool,
}

/// A recipient of a group, and the text that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) recipient: String,
    /// The name, where it is named by an alias.
    pub(super) alias: Option<String>,
    /// The place of the alias, the item, or the part of a comma-joined string.
    pub(super) span: Range<usize>,
}

impl<'a> Model<'a> {
    pub(super) fn new(root: Option<&'a Node>) -> Self {
        let mut model = Self {
            keys: None,
            entries: Vec::new(),
            sections: Vec::new(),
            rules: Vec::new(),
            rules_node: None,
            anchors: HashMap::new(),
        };
        let Some(root) = root else { return model };
        anchors(root, &mut model.anchors);
        model.keys = root.get("keys");
        if let Some(keys) = model.keys {
            model.read_keys(keys, None);
        }
        model.rules_node = root.get("creation_rules");
        let rules = model.rules_node.map(Node::items).unwrap_or_default();
        model.rules = rules.iter().map(|node| model.rule(node)).collect();
        model
    }

    fn read_keys(&mut self, node: &'a Node, section: Option<&'a str>) {
        match &node.value {
            Value::Scalar { text, .. } => {
                if let (Some(name), false) = (&node.anchor, text.is_empty()) {
                    self.entries.push(Entry { name, recipient: text, node, section });
                }
            }
            Value::Alias(_) => {}
            Value::List { items, .. } => {
                let section = match &node.anchor {
                    // `- &hosts` before a list, without the colon.
                    Some(name) if section.is_none() => {
                        self.sections.push(Section { name, list: node, key: None });
                        Some(name.as_str())
                    }
                    _ => section,
                };
                for item in items {
                    self.read_keys(item, section);
                }
            }
            Value::Map { entries, .. } => {
                for (key, value) in entries {
                    // `- &hosts:` is a null key with an anchor to libyaml.
                    let name = match key.text() {
                        Some("") => key.anchor.as_deref(),
                        other => other,
                    };
                    if let Some(name) = name
                        && section.is_none()
                        && (value.is_null() || matches!(value.value, Value::List { .. }))
                    {
                        self.sections.push(Section { name, list: value, key: Some(key) });
                    }
                    self.read_keys(value, section.or(name));
                }
            }
        }
    }

    fn rule(&self, node: &'a Node) -> Rule<'a> {
        let aliased = matches!(node.value, Value::Alias(_));
        let node = self.resolved(node);
        let merged = aliased || node.get("<<").is_some();
        let path_regex = node.get("path_regex").map(|n| self.resolved(n)).and_then(Node::text);
        let own = node.get("key_groups").filter(|groups| !groups.is_null());
        let Some(key_groups) = own else {
            let group = self.group(node, merged);
            return Rule { node, path_regex, groups: vec![group], flat: true, needed: 1 };
        };
        let list = self.resolved(key_groups);
        let shared = merged || matches!(key_groups.value, Value::Alias(_));
        let groups: Vec<_> = list.items().iter().map(|item| self.group(item, shared)).collect();
        let threshold = node.get("shamir_threshold").and_then(Node::text);
        let threshold = threshold.and_then(|text| text.parse().ok()).filter(|needed| *needed > 0);
        let needed = threshold.unwrap_or(groups.len());
        Rule { node, path_regex, groups, flat: false, needed }
    }

    fn group(&self, node: &'a Node, shared: bool) -> Group<'a> {
        let aliased = matches!(node.value, Value::Alias(_));
        let node = self.resolved(node);
        let age = node.get("age").filter(|age| !age.is_null());
        let list_elsewhere = age.is_some_and(|age| {
            matches!(age.value, Value::Alias(_)) && self.resolved(age).text().is_none()
        });
        let shared = shared || aliased || list_elsewhere || node.get("<<").is_some();
        Group { node, age, shared }
    }

    /// The node itself, or what its alias stands for.
    pub(super) fn resolved(&self, node: &'a Node) -> &'a Node {
        match &node.value {
            Value::Alias(name) => self.anchors.get(name.as_str()).copied().unwrap_or(node),
            _ => node,
        }
    }

    /// What an alias stands for.
    pub(super) fn anchored(&self, name: &str) -> Option<&'a Node> {
        self.anchors.get(name).copied()
    }

    pub(super) fn entry(&self, name: &str) -> Option<&Entry<'a>> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// The age recipients of a group, in order.
    pub(super) fn recipients(&self, group: &Group<'a>, text: &str) -> Vec<Named> {
        let mut found = Vec::new();
        if let Some(age) = group.age {
            self.collect(age, text, 0, &mut found);
        }
        found
    }

    fn collect(&self, node: &'a Node, text: &str, depth: usize, found: &mut Vec<Named>) {
        match &node.value {
            Value::Scalar { .. } => parts(node, text, found),
            Value::Alias(name) => {
                let target = self.resolved(node);
                let mut inner = Vec::new();
                // An alias may stand for a list that holds itself.
                if depth < 4 {
                    self.collect(target, text, depth + 1, &mut inner);
                }
                let span = node.span.clone();
                found.extend(inner.into_iter().map(|named| Named {
                    alias: named.alias.or_else(|| Some(name.clone())),
                    span: span.clone(),
                    ..named
                }));
            }
            Value::List { items, .. } => {
                for item in items {
                    self.collect(item, text, depth, found);
                }
            }
            Value::Map { .. } => {}
        }
    }
}

/// The comma-joined recipients of a scalar, each with its place.
fn parts(node: &Node, text: &str, found: &mut Vec<Named>) {
    let content = content(node, text);
    let raw = text.get(content.clone()).unwrap_or_default();
    let mut at = content.start;
    for part in raw.split(',') {
        let word = part.trim();
        let start = at + (part.len() - part.trim_start().len());
        if !word.is_empty() {
            let span = start..start + word.len();
            found.push(Named { recipient: word.to_owned(), alias: None, span });
        }
        at += part.len() + 1;
    }
}

/// Where the content of a scalar stands: without its anchor, its quotes and its block indicator.
pub(super) fn content(node: &Node, text: &str) -> Range<usize> {
    let mut start = node.span.start;
    let mut end = node.span.end;
    let raw = text.get(start..end).unwrap_or_default();
    if raw.starts_with('&') {
        let anchor = raw.find(|c: char| c.is_ascii_whitespace()).unwrap_or(raw.len());
        start += anchor;
        start += raw[anchor..].len() - raw[anchor..].trim_start().len();
    }
    if let Value::Scalar { style, .. } = &node.value {
        match style {
            Style::Plain => {}
            Style::Quoted => {
                start += 1;
                end = end.saturating_sub(1).max(start);
            }
            Style::Block => {
                let rest = text.get(start..end).unwrap_or_default();
                start += rest.find('\n').map_or(rest.len(), |newline| newline + 1);
                let rest = text.get(start..end).unwrap_or_default();
                end -= rest.len() - rest.trim_end().len();
                start += rest.len().min(rest.len() - rest.trim_start().len());
                start = start.min(end);
            }
        }
    }
    start..end
}

fn anchors<'a>(node: &'a Node, found: &mut HashMap<&'a str, &'a Node>) {
    if let Some(name) = &node.anchor {
        found.insert(name, node);
    }
    for item in node.items() {
        anchors(item, found);
    }
    for (key, value) in node.entries() {
        anchors(key, found);
        anchors(value, found);
    }
}
