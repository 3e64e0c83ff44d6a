//! Setting a key: the recipient of an existing name is replaced where it stands, a new name is added to
//! its section, and the chosen rules get it.

use super::error::EditError;
use super::meaning::{Meaning, RuleMeaning};
use super::model::{Group, Model, Named, Rule, Section, content};
use super::span::Edits;
use super::tree::{Node, Style, Value};
use super::{Edited, Kind, SopsYaml, Wish};

/// Carries a wish out on a document.
pub(super) fn set(document: &SopsYaml, wish: &Wish) -> Result<Edited, EditError> {
    let root = document.root.as_ref();
    let model = Model::new(root);
    let mut job = Job {
        root,
        text: &document.text,
        wish,
        edits: Edits::new(&document.text),
        intended: Meaning::of(&model, root, &document.text),
        model: &model,
        said: Vec::new(),
        named: true,
        chosen: wish.rules.clone(),
        inserted: Vec::new(),
    };
    let old = job.key()?;
    job.replace_in_rules(&old);
    job.own_rules(document)?;
    job.chosen_rules(&old)?;
    let Job { edits, mut intended, said, mut inserted, .. } = job;
    // From the last to the first, so that the numbers stay what they were.
    inserted.sort_by_key(|(index, _)| std::cmp::Reverse(*index));
    for (index, rule) in inserted {
        intended.rules.insert(index, rule);
    }
    super::finish(edits, &intended, said)
}

/// What the name stood for before.
struct Old {
    /// The recipient of the anchor, or of items that a comment names.
    recipients: Vec<String>,
}

struct Job<'a> {
    root: Option<&'a Node>,
    text: &'a str,
    wish: &'a Wish,
    model: &'a Model<'a>,
    edits: Edits<'a>,
    intended: Meaning,
    said: Vec<String>,
    /// Is there an anchor, so that rules can name it by an alias?
    named: bool,
    /// Numbers of rules, from 1.
    chosen: Vec<usize>,
    inserted: Vec<(usize, RuleMeaning)>,
}

impl Job<'_> {
    /// The key itself: replaced, added, or nothing to do.
    fn key(&mut self) -> Result<Old, EditError> {
        let (name, new) = (self.wish.name.as_str(), self.wish.recipient.as_str());
        let model = self.model;
        if let Some(entry) = model.entry(name) {
            if entry.recipient == new {
                return Ok(Old { recipients: Vec::new() });
            }
            if matches!(&entry.node.value, Value::Scalar { style: Style::Block, .. }) {
                let line = self.edits.line(entry.node.span.start);
                return Err(EditError::Unclear { line });
            }
            self.edits.replace(content(entry.node, self.text), new);
            self.intended.set_key("", name, new);
            self.said.push(format!("the recipient of {name} is replaced"));
            return Ok(Old { recipients: vec![entry.recipient.to_owned()] });
        }
        if is_inline(model, self.text) {
            self.named = false;
            let recipients = self.named_by_comment();
            if !recipients.is_empty() {
                self.said.push(format!("the recipient of {name} is replaced"));
            }
            return Ok(Old { recipients });
        }
        self.add_key()?;
        Ok(Old { recipients: Vec::new() })
    }

    /// Without anchors a name can only stand in a comment behind its recipient.
    fn named_by_comment(&self) -> Vec<String> {
        let mut found = Vec::new();
        for group in self.model.rules.iter().flat_map(|rule| &rule.groups) {
            let in_list = group.age.is_some_and(|age| matches!(age.value, Value::List { .. }));
            for named in self.model.recipients(group, self.text) {
                let comment = self.edits.comment_word(named.span.end);
                let ours = comment == Some(self.wish.name.as_str()) && in_list;
                let new = named.recipient != self.wish.recipient.as_str();
                if ours && new && !found.contains(&named.recipient) {
                    found.push(named.recipient);
                }
            }
        }
        found
    }

    fn add_key(&mut self) -> Result<(), EditError> {
        let (name, new) = (self.wish.name.as_str(), self.wish.recipient.as_str());
        let item = format!("&{name} {new}");
        let model = self.model;
        let section = model.sections.iter().find(|section| self.wish.kind.is(section.name));
        let place = if let Some(section) = section {
            self.add_to_section(section, &item)?;
            section.name.to_owned()
        } else if let Some(keys) = model.keys {
            self.add_without_section(keys, &item)?
        } else {
            self.add_keys(&item);
            String::new()
        };
        self.intended.set_key(&place, name, new);
        let place = if place.is_empty() { "keys".to_owned() } else { place };
        self.said.push(format!("{name} is added to {place}"));
        Ok(())
    }

    fn add_to_section(&mut self, section: &Section<'_>, item: &str) -> Result<(), EditError> {
        if !section.list.is_null() {
            return self.edits.append(section.list, item, None);
        }
        let unclear = EditError::Unclear { line: self.edits.line(section.list.span.start) };
        let key = section.key.ok_or_else(|| unclear.clone())?;
        if self.in_flow(key) {
            return Err(unclear);
        }
        let column = self.edits.column(key.span.start) + self.section_offset();
        let line = format!("{}- {item}", " ".repeat(column));
        self.edits.lines_after(key.span.end, &[line]);
        Ok(())
    }

    /// How far the lists of sections stand right of their names.
    fn section_offset(&self) -> usize {
        let filled = |section: &&Section<'_>| section.key.is_some() && !section.list.is_null();
        let section = self.model.sections.iter().find(filled);
        let seen = section.and_then(|section| {
            let first = section.list.items().first()?;
            let dash = self.edits.dash_column(first).ok()?;
            dash.checked_sub(self.edits.column(section.key?.span.start))
        });
        seen.unwrap_or_else(|| self.edits.list_offset(self.model.keys, self.root))
    }

    /// Is a key part of a `{…}`? Then there is no line of its own to go on from.
    fn in_flow(&self, key: &Node) -> bool {
        let keys = self.model.keys;
        let flow = |node: &Node| {
            matches!(node.value, Value::Map { flow: true, .. } | Value::List { flow: true, .. })
        };
        keys.is_some_and(|keys| {
            flow(keys)
                || keys.items().iter().any(|item| flow(item) && item.span.contains(&key.span.start))
        })
    }

    /// The name of the section that was made, or nothing.
    fn add_without_section(&mut self, keys: &Node, item: &str) -> Result<String, EditError> {
        let section = self.wish.kind.section();
        let unclear = EditError::Unclear { line: self.edits.line(keys.span.start) };
        match &keys.value {
            Value::List { flow, items } if !items.is_empty() || *flow => {
                let headed = self.model.sections.iter().find_map(|section| section.key);
                let (Some(head), false) = (headed, *flow) else {
                    self.edits.append(keys, item, None)?;
                    return Ok(String::new());
                };
                let last = items.last().ok_or(unclear)?;
                let indent = " ".repeat(self.edits.dash_column(last)?);
                let heading = format!("{indent}-{}&{section}:", self.edits.spacing(last)?);
                let column = self.edits.column(head.span.start) + self.section_offset();
                let line = format!("{}- {item}", " ".repeat(column));
                self.edits.lines_after(keys.span.end, &[heading, line]);
                Ok(section.to_owned())
            }
            Value::Map { flow: false, entries } => {
                let (first, _) = entries.first().ok_or(unclear)?;
                let column = self.edits.column(first.span.start);
                let heading = format!("{}{section}:", " ".repeat(column));
                let column = column + self.section_offset();
                let line = format!("{}- {item}", " ".repeat(column));
                self.edits.lines_after(keys.span.end, &[heading, line]);
                Ok(section.to_owned())
            }
            _ if keys.is_null() => {
                let key = self.root.and_then(|root| root.entry("keys")).ok_or(unclear)?;
                let column =
                    self.edits.column(key.0.span.start) + self.edits.list_offset(None, self.root);
                let line = format!("{}- {item}", " ".repeat(column));
                self.edits.lines_after(key.0.span.end, &[line]);
                Ok(String::new())
            }
            _ => Err(unclear),
        }
    }

    /// A document without `keys` gets them before everything else.
    fn add_keys(&mut self, item: &str) {
        let offset = " ".repeat(self.edits.list_offset(None, self.root));
        let first = self.root.and_then(|root| root.entries().first());
        if let Some((first, _)) = first {
            let at = self.edits.line_start(first.span.start);
            let newline = self.edits.newline(first.span.end);
            return self.edits.insert(at, format!("keys:{newline}{offset}- {item}{newline}"));
        }
        let end = self.text.len();
        let newline = self.edits.newline(end);
        let before = if self.text.is_empty() || self.text.ends_with('\n') { "" } else { newline };
        self.edits.insert(end, format!("{before}keys:{newline}{offset}- {item}{newline}"));
    }

    /// Is this one of the places where the old recipient stands?
    fn is_old(&self, named: &Named, old: &Old) -> bool {
        match &named.alias {
            Some(alias) => *alias == self.wish.name,
            None => old.recipients.contains(&named.recipient),
        }
    }

    fn replace_in_rules(&mut self, old: &Old) {
        let new = self.wish.recipient.as_str();
        for (rule_index, rule) in self.model.rules.iter().enumerate() {
            for (group_index, group) in rule.groups.iter().enumerate() {
                let recipients = self.model.recipients(group, self.text);
                for (index, named) in recipients.iter().enumerate() {
                    if !self.is_old(named, old) {
                        continue;
                    }
                    if named.alias.is_none() {
                        self.edits.replace(named.span.clone(), new);
                    }
                    let group = &mut self.intended.rules[rule_index].groups[group_index];
                    new.clone_into(&mut group.age[index]);
                }
            }
        }
    }

    fn chosen_rules(&mut self, old: &Old) -> Result<(), EditError> {
        let mut chosen = std::mem::take(&mut self.chosen);
        chosen.sort_unstable();
        chosen.dedup();
        for number in chosen {
            let model = self.model;
            let index = number.wrapping_sub(1);
            let Some(rule) = model.rules.get(index) else {
                let known = (1..=model.rules.len()).map(|n| n.to_string()).collect::<Vec<_>>();
                return Err(EditError::NoRule {
                    rule: number.to_string(),
                    known: known.join(", "),
                });
            };
            if self.covered(rule, old) {
                continue;
            }
            if rule.needed > 1 {
                let (groups, needed) = (rule.groups.len(), rule.needed);
                return Err(EditError::Shamir { rule: number, groups, needed });
            }
            let with_age = rule.groups.iter().position(|group| group.age.is_some()).unwrap_or(0);
            let group = rule.groups.get(with_age).ok_or_else(|| EditError::Shape {
                what: format!("key_groups of rule {number}"),
                expected: "a list with at least one group",
            })?;
            if group.shared {
                return Err(EditError::Shared { rule: number });
            }
            self.add_to_group(group, rule.flat)?;
            let new = self.wish.recipient.to_string();
            self.intended.rules[index].groups[with_age].age.push(new);
            self.said.push(format!("rule {number} gets {}", self.wish.name));
        }
        Ok(())
    }

    /// Can the new recipient decrypt already what the rule covers?
    fn covered(&self, rule: &Rule<'_>, old: &Old) -> bool {
        let within = |group: &&Group<'_>| {
            self.model.recipients(group, self.text).iter().any(|named| {
                self.is_old(named, old) || named.recipient == self.wish.recipient.as_str()
            })
        };
        rule.groups.iter().filter(within).count() >= rule.needed.max(1)
    }

    fn add_to_group(&mut self, group: &Group<'_>, flat: bool) -> Result<(), EditError> {
        let new = self.wish.recipient.as_str();
        let word = if self.named { format!("*{}", self.wish.name) } else { new.to_owned() };
        let comment = (!self.named).then_some(self.wish.name.as_str());
        let Some(age) = group.age else { return self.add_age(group.node, &word, flat) };
        match &age.value {
            Value::List { .. }
                if age.items().is_empty()
                    && !matches!(age.value, Value::List { flow: true, .. }) =>
            {
                Err(EditError::Unclear { line: self.edits.line(age.span.start) })
            }
            Value::List { .. } => self.edits.append(age, &word, comment),
            Value::Scalar { .. } => {
                self.edits.append_part(age, new);
                Ok(())
            }
            Value::Alias(alias) => {
                self.edits.replace(age.span.clone(), format!("[*{alias}, {word}]"));
                Ok(())
            }
            Value::Map { .. } => Err(EditError::Unclear { line: self.edits.line(age.span.start) }),
        }
    }

    /// A group that has no age recipients yet.
    fn add_age(&mut self, map: &Node, word: &str, flat: bool) -> Result<(), EditError> {
        let unclear = EditError::Unclear { line: self.edits.line(map.span.start) };
        let Value::Map { flow, entries } = &map.value else { return Err(unclear) };
        let (Some((first, _)), Some((_, last))) = (entries.first(), entries.last()) else {
            return Err(unclear);
        };
        let empty = map.entry("age");
        if *flow {
            if empty.is_some() {
                return Err(unclear);
            }
            let value = if flat { word.to_owned() } else { format!("[{word}]") };
            self.edits.insert(last.span.end, format!(", age: {value}"));
            return Ok(());
        }
        let column = self.edits.column(first.span.start);
        let offset = self.edits.list_offset(self.model.rules_node, self.root);
        let item = format!("{}- {word}", " ".repeat(column + offset));
        match empty {
            Some((key, _)) => self.edits.lines_after(key.span.end, &[item]),
            None if flat => {
                let line = format!("{}age: {word}", " ".repeat(column));
                self.edits.lines_after(map.span.end, &[line]);
            }
            None => {
                let line = format!("{}age:", " ".repeat(column));
                self.edits.lines_after(map.span.end, &[line, item]);
            }
        }
        Ok(())
    }

    /// New rules for files of this host alone, before the rules that would shadow them.
    fn own_rules(&mut self, document: &SopsYaml) -> Result<(), EditError> {
        let mut lines_at: Vec<(usize, Vec<String>, bool)> = Vec::new();
        for path in &self.wish.own {
            let regex = format!("^{}$", regex::escape(path));
            let model = self.model;
            if let Some(index) = model.rules.iter().position(|rule| rule.path_regex == Some(&regex))
            {
                self.chosen.push(index + 1);
                continue;
            }
            let covering = document.covering(path)?;
            let rule = covering.and_then(|number| model.rules.get(number - 1));
            if let (Some(number), Some(rule)) = (covering, rule)
                && (rule.groups.len() != 1 || has_other_kinds(rule))
            {
                // Its other keys can't be copied faithfully: the host joins them.
                self.chosen.push(number);
                continue;
            }
            let mut words = self.companions(rule);
            if words.is_empty() {
                return Err(EditError::NobodyElse { path: path.clone() });
            }
            let new = self.wish.recipient.to_string();
            let word = if self.named { format!("*{}", self.wish.name) } else { new.clone() };
            words.push((word, new));
            let at = covering.map_or(model.rules.len(), |number| number - 1);
            let lines = self.rule_lines(&regex, &words)?;
            let recipients = words.into_iter().map(|(_, recipient)| recipient).collect();
            self.inserted.push((at, RuleMeaning::new(&regex, recipients)));
            self.said.push(format!("a new rule covers {path}"));
            lines_at.push((at, lines, self.model.rules_node.is_none_or(Node::is_null)));
        }
        for (at, lines, first) in lines_at {
            self.insert_rule(at, lines, first)?;
        }
        Ok(())
    }

    /// Who opens the file besides the host: the recipients of the rule that covers it so far, without
    /// other hosts; else all users. Each as a word of the text and as a recipient.
    fn companions(&self, rule: Option<&Rule<'_>>) -> Vec<(String, String)> {
        let host = |name: &str| {
            let section = self.model.entry(name).and_then(|entry| entry.section);
            name == self.wish.name || section.is_some_and(|section| Kind::Host.is(section))
        };
        let mut words: Vec<(String, String)> = Vec::new();
        if let Some(rule) = rule {
            for named in
                rule.groups.iter().flat_map(|group| self.model.recipients(group, self.text))
            {
                let word = match named.alias {
                    Some(alias) if host(&alias) => continue,
                    Some(alias) => format!("*{alias}"),
                    None => named.recipient.clone(),
                };
                words.push((word, named.recipient));
            }
        } else {
            let users = self.model.entries.iter();
            let users = users.filter(|entry| entry.section.is_some_and(|s| Kind::User.is(s)));
            words.extend(users.map(|e| (format!("*{}", e.name), e.recipient.to_owned())));
        }
        words.retain(|(_, recipient)| recipient != self.wish.recipient.as_str());
        words.dedup();
        words
    }

    fn rule_lines(
        &self,
        regex: &str,
        words: &[(String, String)],
    ) -> Result<Vec<String>, EditError> {
        let offset = self.edits.list_offset(self.model.rules_node, self.root);
        let (dash, spacing) = match self.model.rules_node.and_then(|rules| rules.items().first()) {
            Some(first) => (self.edits.dash_column(first)?, self.edits.spacing(first)?),
            None => (offset, " "),
        };
        let key = dash + 1 + spacing.len();
        let plain = |c: char| c.is_ascii_alphanumeric() || "^$\\/._-+".contains(c);
        let shown = if regex.chars().all(plain) {
            regex.to_owned()
        } else {
            format!("'{}'", regex.replace('\'', "''"))
        };
        let (group, item) = (key + offset, key + offset + 2 + offset);
        let at = |column: usize, text: &str| format!("{}{text}", " ".repeat(column));
        let mut lines = vec![
            at(dash, &format!("-{spacing}path_regex: {shown}")),
            at(key, "key_groups:"),
            at(group, "- age:"),
        ];
        lines.extend(words.iter().map(|(word, _)| at(item, &format!("- {word}"))));
        Ok(lines)
    }

    fn insert_rule(&mut self, at: usize, lines: Vec<String>, first: bool) -> Result<(), EditError> {
        let rules = self.model.rules_node;
        if first {
            let mut all = vec!["creation_rules:".to_owned()];
            all.extend(lines);
            let end = self.text.len();
            let newline = self.edits.newline(end);
            let before =
                if self.text.is_empty() || self.text.ends_with('\n') { "" } else { newline };
            let text = all.join(newline);
            self.edits.insert(end, format!("{before}{text}{newline}"));
            return Ok(());
        }
        let Some(rules) =
            rules.filter(|rules| matches!(rules.value, Value::List { flow: false, .. }))
        else {
            let line = rules.map_or(1, |rules| self.edits.line(rules.span.start));
            return Err(EditError::Unclear { line });
        };
        if let Some(next) = rules.items().get(at) {
            let place = self.edits.with_comments_above(self.edits.dash_at(next)?);
            let newline = self.edits.newline(place);
            self.edits.insert(place, lines.join(newline) + newline);
        } else {
            self.edits.lines_after(rules.span.end, &lines);
        }
        Ok(())
    }
}

/// Do the recipients stand in the rules themselves, with no names for them?
pub(super) fn is_inline(model: &Model<'_>, text: &str) -> bool {
    let groups = model.rules.iter().flat_map(|rule| &rule.groups);
    model.keys.is_none()
        && groups
            .into_iter()
            .any(|group| model.recipients(group, text).iter().any(|named| named.alias.is_none()))
}

/// Does the rule have keys of other kinds than age?
pub(super) fn has_other_kinds(rule: &Rule<'_>) -> bool {
    const OTHERS: &[&str] = &[
        "pgp",
        "kms",
        "gcp_kms",
        "hckms",
        "azure_keyvault",
        "azure_keyvaults",
        "gcp_kms_keys",
        "hc_vault",
        "hc_vault_transit_uri",
        "hc_vault_uris",
        "aws_profile",
        "merge",
    ];
    let has = |node: &Node| OTHERS.iter().any(|kind| node.get(kind).is_some_and(|n| !n.is_null()));
    rule.groups.iter().any(|group| has(group.node))
}
