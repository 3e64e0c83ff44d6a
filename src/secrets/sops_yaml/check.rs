//! What is wrong, or odd, in a `.sops.yaml`, by line.

use std::collections::HashMap;

use super::SopsYaml;
use super::model::{Model, Rule};
use super::set::has_other_kinds;
use super::span::line_of;
use crate::secrets::age::Recipient;
use crate::secrets::sops_rules::Rules;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// sops will fail, or do what nobody wants.
    Wrong,
    /// It works, but is hardly meant.
    Odd,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Line, from 1.
    pub line: usize,
    /// How bad it is.
    pub weight: Weight,
    /// What is the matter.
    pub text: String,
}

/// Looks a document over; findings come in the order of their lines.
pub(super) fn check(document: &SopsYaml) -> Vec<Finding> {
    let model = Model::new(document.root.as_ref());
    let mut findings = Findings { text: &document.text, found: Vec::new() };
    findings.keys(&model);
    findings.rules(&model);
    if let Err(error) = Rules::parse(&document.text) {
        findings.add(0, Weight::Wrong, error.to_string());
    }
    if model.rules.is_empty() {
        findings.add(0, Weight::Odd, "there are no creation_rules, so sops encrypts nothing by it");
    }
    let mut found = findings.found;
    found.sort_by_key(|finding| finding.line);
    found
}

struct Findings<'a> {
    text: &'a str,
    found: Vec<Finding>,
}

impl Findings<'_> {
    fn add(&mut self, at: usize, weight: Weight, text: impl Into<String>) {
        self.found.push(Finding { line: line_of(self.text, at), weight, text: text.into() });
    }

    fn keys(&mut self, model: &Model<'_>) {
        let mut names: HashMap<&str, &str> = HashMap::new();
        let used: Vec<String> = model
            .rules
            .iter()
            .flat_map(|rule| &rule.groups)
            .flat_map(|group| model.recipients(group, self.text))
            .filter_map(|named| named.alias)
            .collect();
        for entry in &model.entries {
            let at = entry.node.span.start;
            if entry.recipient.starts_with("age")
                && let Err(error) = entry.recipient.parse::<Recipient>()
            {
                self.add(at, Weight::Wrong, format!("{}: {error}", entry.name));
            }
            if let Some(first) = names.insert(entry.recipient, entry.name) {
                let text = format!("{} has the same recipient as {first}", entry.name);
                self.add(at, Weight::Odd, text);
            }
            let is_age = entry.recipient.starts_with("age1");
            if is_age && !used.iter().any(|alias| alias == entry.name) {
                self.add(at, Weight::Odd, format!("no rule uses {}", entry.name));
            }
        }
    }

    fn rules(&mut self, model: &Model<'_>) {
        let mut seen: Vec<Option<&str>> = Vec::new();
        for (index, rule) in model.rules.iter().enumerate() {
            let (at, number) = (rule.node.span.start, index + 1);
            self.recipients(model, rule, number);
            let regex = rule.path_regex.filter(|regex| !regex.is_empty());
            let before = seen.iter().position(|other| other.is_none() || *other == regex);
            if let Some(before) = before {
                let text = format!("rule {number} is never reached: rule {} covers it", before + 1);
                self.add(at, Weight::Wrong, text);
            }
            seen.push(regex);
            if rule.needed > rule.groups.len() {
                let text = format!(
                    "rule {number} needs {} groups of keys (shamir_threshold), but has {}",
                    rule.needed,
                    rule.groups.len()
                );
                self.add(at, Weight::Wrong, text);
            }
        }
    }

    fn recipients(&mut self, model: &Model<'_>, rule: &Rule<'_>, number: usize) {
        let mut any = has_other_kinds(rule);
        for group in &rule.groups {
            let mut seen: Vec<String> = Vec::new();
            for named in model.recipients(group, self.text) {
                any = true;
                let at = named.span.start;
                if named.alias.is_none()
                    && let Err(error) = named.recipient.parse::<Recipient>()
                {
                    self.add(at, Weight::Wrong, format!("rule {number}: {error}"));
                }
                if seen.contains(&named.recipient) {
                    let text = format!("rule {number} has {} twice", named.recipient);
                    self.add(at, Weight::Odd, text);
                }
                seen.push(named.recipient);
            }
        }
        if !any {
            let at = rule.node.span.start;
            self.add(at, Weight::Wrong, format!("rule {number} has no key to encrypt with"));
        }
    }
}
