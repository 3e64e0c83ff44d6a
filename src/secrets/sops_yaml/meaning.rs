//! What a document means, without how it is written: what an edit must have changed, and nothing else.

use super::model::{Group, Model, Named, Rule};
use super::tree::{Node, Value};

/// A named key: section, name, recipient.
type Key = (String, String, String);

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Meaning {
    pub(super) keys: Vec<Key>,
    pub(super) rules: Vec<RuleMeaning>,
    rest: Plain,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct RuleMeaning {
    pub(super) groups: Vec<GroupMeaning>,
    /// Everything but the keys.
    rest: Plain,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct GroupMeaning {
    pub(super) age: Vec<String>,
    rest: Plain,
}

/// A value with its aliases replaced by what they stand for.
#[derive(Debug, Clone, PartialEq)]
enum Plain {
    Text(String),
    List(Vec<Plain>),
    Map(Vec<(Plain, Plain)>),
}

impl Meaning {
    pub(super) fn of(model: &Model<'_>, root: Option<&Node>, text: &str) -> Self {
        let mut keys = Vec::new();
        if let Some(node) = model.keys {
            key_texts(node, "", &mut keys);
        }
        keys.sort();
        let rules = model.rules.iter().map(|rule| rule_meaning(model, rule, text)).collect();
        let rest = root.map(|root| without(model, root, &["keys", "creation_rules"]));
        Self { keys, rules, rest: rest.unwrap_or(Plain::Map(Vec::new())) }
    }

    /// The key `name` with this recipient, in the place of what it was, or new in `section`.
    pub(super) fn set_key(&mut self, section: &str, name: &str, recipient: &str) {
        match self.keys.iter_mut().find(|(_, other, _)| other == name) {
            Some(key) => recipient.clone_into(&mut key.2),
            None => self.keys.push((section.to_owned(), name.to_owned(), recipient.to_owned())),
        }
        self.keys.sort();
    }

    /// How this differs from what was intended, in words; `None` where it does not.
    pub(super) fn differs_from(&self, intended: &Self) -> Option<String> {
        if self.keys != intended.keys {
            return Some("the keys would be others".to_owned());
        }
        if self.rest != intended.rest {
            return Some("other settings would change".to_owned());
        }
        if self.rules.len() != intended.rules.len() {
            return Some("there would be another number of rules".to_owned());
        }
        let pairs = self.rules.iter().zip(&intended.rules);
        let different = pairs.into_iter().position(|(rule, intended)| rule != intended);
        different.map(|index| format!("rule {} would be another one", index + 1))
    }
}

impl RuleMeaning {
    /// A new rule with one group of recipients.
    pub(super) fn new(path_regex: &str, age: Vec<String>) -> Self {
        let text = |text: &str| Plain::Text(text.to_owned());
        let rest = Plain::Map(vec![(text("path_regex"), text(path_regex))]);
        Self { groups: vec![GroupMeaning { age, rest: Plain::Map(Vec::new()) }], rest }
    }
}

fn rule_meaning(model: &Model<'_>, rule: &Rule<'_>, text: &str) -> RuleMeaning {
    let group = |group: &Group<'_>| {
        let age =
            model.recipients(group, text).into_iter().map(|Named { recipient, .. }| recipient);
        let rest =
            if rule.flat { Plain::Map(Vec::new()) } else { without(model, group.node, &["age"]) };
        GroupMeaning { age: age.collect(), rest }
    };
    let groups = rule.groups.iter().map(group).collect();
    let left_out = if rule.flat { "age" } else { "key_groups" };
    RuleMeaning { groups, rest: without(model, rule.node, &[left_out]) }
}

/// Every scalar below `keys`, with the names of the maps that it is in.
fn key_texts(node: &Node, section: &str, found: &mut Vec<Key>) {
    match &node.value {
        Value::Scalar { text, .. } if text.is_empty() && node.anchor.is_none() => {}
        Value::Scalar { text, .. } => {
            let name = node.anchor.clone().unwrap_or_default();
            found.push((section.to_owned(), name, text.clone()));
        }
        Value::Alias(name) => {
            found.push((section.to_owned(), format!("*{name}"), String::new()));
        }
        Value::List { items, .. } => {
            let section = node.anchor.as_deref().unwrap_or(section);
            for item in items {
                key_texts(item, section, found);
            }
        }
        Value::Map { entries, .. } => {
            for (key, value) in entries {
                let name = key.text().filter(|text| !text.is_empty());
                let name = name.or(key.anchor.as_deref()).unwrap_or_default();
                key_texts(value, &format!("{section}{name}"), found);
            }
        }
    }
}

/// A map without these keys.
fn without(model: &Model<'_>, node: &Node, left_out: &[&str]) -> Plain {
    let entries = node.entries().iter();
    let kept = entries.filter(|(key, _)| !key.text().is_some_and(|key| left_out.contains(&key)));
    Plain::Map(kept.map(|(key, value)| (plain(model, key, 0), plain(model, value, 0))).collect())
}

fn plain(model: &Model<'_>, node: &Node, depth: usize) -> Plain {
    // Deeper than any real file, and an alias may stand for what holds it.
    if depth > 200 {
        return Plain::Text("…".to_owned());
    }
    let below = |node: &Node| plain(model, node, depth + 1);
    match &node.value {
        Value::Scalar { text, .. } => Plain::Text(text.clone()),
        Value::Alias(name) => match model.anchored(name) {
            Some(target) => plain(model, target, depth + 20),
            None => Plain::Text(format!("*{name}")),
        },
        Value::List { items, .. } => Plain::List(items.iter().map(below).collect()),
        Value::Map { entries, .. } => {
            Plain::Map(entries.iter().map(|(key, value)| (below(key), below(value))).collect())
        }
    }
}
