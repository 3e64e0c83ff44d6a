//! Taking keys out: first from every rule, then the key itself.

use super::error::EditError;
use super::meaning::Meaning;
use super::model::{Group, Model, Named};
use super::span::Edits;
use super::tree::{Node, Value};
use super::{Edited, SopsYaml};

/// Takes one name, or one recipient, out of a document.
pub(super) fn remove(document: &SopsYaml, name: &str) -> Result<Edited, EditError> {
    let root = document.root.as_ref();
    let model = Model::new(root);
    let text = &document.text;
    let mut edits = Edits::new(text);
    let mut intended = Meaning::of(&model, root, text);
    let entry = model.entry(name);
    let recipient = entry.map(|entry| entry.recipient);
    let mut numbers = Vec::new();
    for (rule_index, rule) in model.rules.iter().enumerate() {
        for (group_index, group) in rule.groups.iter().enumerate() {
            let all = model.recipients(group, text);
            let gone: Vec<bool> =
                all.iter().map(|named| is_meant(named, name, recipient, &edits)).collect();
            if !gone.contains(&true) {
                continue;
            }
            if !gone.contains(&false) {
                return Err(EditError::LastOne { rule: rule_index + 1 });
            }
            for (named, _) in all.iter().zip(&gone).filter(|(_, gone)| **gone) {
                take_out(&model, group, named, &mut edits)?;
            }
            let age = &mut intended.rules[rule_index].groups[group_index].age;
            let mut gone = gone.iter();
            age.retain(|_| !gone.next().copied().unwrap_or(false));
            numbers.push(rule_index + 1);
        }
    }
    numbers.dedup();
    if entry.is_none() && numbers.is_empty() {
        return Err(EditError::NoKey(name.to_owned()));
    }
    let mut said: Vec<String> =
        numbers.iter().map(|number| format!("rule {number} loses {name}")).collect();
    if let (Some(entry), Some(keys)) = (entry, model.keys) {
        take_key_out(keys, entry.node, &mut edits)?;
        intended.keys.retain(|(_, other, _)| other != name);
        said.push(format!("{name} is gone from keys"));
    }
    super::finish(edits, &intended, said)
}

/// Is this the key of that name? By its alias, its own text, or the comment behind it.
fn is_meant(named: &Named, name: &str, recipient: Option<&str>, edits: &Edits<'_>) -> bool {
    match &named.alias {
        Some(alias) => alias == name,
        None => {
            named.recipient == name
                || recipient == Some(named.recipient.as_str())
                || (recipient.is_none() && edits.comment_word(named.span.end) == Some(name))
        }
    }
}

fn take_out(
    model: &Model<'_>,
    group: &Group<'_>,
    named: &Named,
    edits: &mut Edits<'_>,
) -> Result<(), EditError> {
    let unclear = EditError::Unclear { line: edits.line(named.span.start) };
    let age = group.age.ok_or_else(|| unclear.clone())?;
    let age = if age.text().is_some() { age } else { model.resolved(age) };
    if age.text().is_some() {
        edits.take_out_part(age, &named.span);
        return Ok(());
    }
    let holds =
        |item: &&Node| item.span.start <= named.span.start && named.span.end <= item.span.end;
    let item = age.items().iter().find(holds).ok_or(unclear)?;
    if item.text().is_some_and(|text| text.contains(',')) {
        edits.take_out_part(item, &named.span);
        return Ok(());
    }
    edits.take_out(age, item)
}

/// Takes the anchored scalar out of the list or the map that holds it.
fn take_key_out(keys: &Node, key: &Node, edits: &mut Edits<'_>) -> Result<(), EditError> {
    let holds = |node: &Node| node.span.start <= key.span.start && key.span.end <= node.span.end;
    let unclear = EditError::Unclear { line: edits.line(key.span.start) };
    match &keys.value {
        Value::List { items, .. } => match items.iter().find(|item| holds(item)) {
            Some(item) if item.span == key.span => edits.take_out(keys, item),
            Some(item) => take_key_out(item, key, edits),
            None => Err(unclear),
        },
        Value::Map { flow, entries } => match entries.iter().find(|(_, value)| holds(value)) {
            Some((name, value)) if value.span == key.span && !flow => {
                let start = edits.line_start(name.span.start);
                edits.take_out_lines(start, value.span.end);
                Ok(())
            }
            Some((_, value)) if value.span != key.span => take_key_out(value, key, edits),
            _ => Err(unclear),
        },
        _ => Err(unclear),
    }
}
