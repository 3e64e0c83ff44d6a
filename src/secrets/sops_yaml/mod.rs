//! Editing `.sops.yaml` so that every byte stays that need not change: comments, anchors, blank lines,
//! quoting, indentation, line endings. The tree knows where each node stands in the text; edits are spans
//! of that text; the result is read again, and unless it means exactly what was intended, there is none.

mod check;
mod error;
mod meaning;
mod model;
mod remove;
mod set;
mod span;
mod tree;

#[cfg(test)]
mod tests;

pub use check::{Finding, Weight};
pub use error::EditError;
pub use tree::YamlError;

use meaning::Meaning;
use model::Model;
use span::Edits;
use tree::{Node, Value};

use super::age::Recipient;
use super::sops_rules::Rules;

/// Whose key it is, which says the section that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A machine.
    Host,
    /// A person.
    User,
}

impl Kind {
    /// The name of the section that is made where there is none.
    fn section(self) -> &'static str {
        match self {
            Self::Host => "hosts",
            Self::User => "users",
        }
    }

    /// Is a section of this name for such keys?
    fn is(self, section: &str) -> bool {
        let names: &[&str] = match self {
            Self::Host => &["hosts", "host", "machines", "servers", "systems"],
            Self::User => &["users", "user", "people", "admins"],
        };
        names.iter().any(|name| section.eq_ignore_ascii_case(name))
    }
}

/// A key that a document is to have, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The anchor.
    pub name: String,
    /// Its recipient.
    pub recipient: Recipient,
    /// Whose it is.
    pub kind: Kind,
    /// The rules that are to have it, by number from 1.
    pub rules: Vec<usize>,
    /// Files of this host alone, relative to the folder of the document: each gets a rule of its own.
    pub own: Vec<String>,
}

/// An edited document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The new text; the old one where there was nothing to do.
    pub text: String,
    /// What has changed, in words.
    pub said: Vec<String>,
}

/// A `.sops.yaml` that has been read.
#[derive(Debug, Clone)]
pub struct SopsYaml {
    text: String,
    root: Option<Node>,
}

impl SopsYaml {
    /// Reads a text.
    pub fn parse(text: &str) -> Result<Self, EditError> {
        let root = tree::parse(text)?;
        let shape = |what: &str, expected| EditError::Shape { what: what.to_owned(), expected };
        if let Some(root) = &root {
            if !matches!(root.value, Value::Map { .. }) {
                return Err(shape("the file", "a map with keys and creation_rules"));
            }
            if let Some(rules) = root.get("creation_rules").filter(|rules| !rules.is_null()) {
                if !matches!(rules.value, Value::List { .. }) {
                    return Err(shape("creation_rules", "a list of rules"));
                }
                let model = Model::new(Some(root));
                for (index, rule) in rules.items().iter().enumerate() {
                    if !matches!(model.resolved(rule).value, Value::Map { .. }) {
                        return Err(shape(&format!("rule {}", index + 1), "a map"));
                    }
                }
            }
        }
        Ok(Self { text: text.to_owned(), root })
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The recipient of a named key.
    #[must_use]
    pub fn recipient(&self, name: &str) -> Option<String> {
        Model::new(self.root.as_ref()).entry(name).map(|entry| entry.recipient.to_owned())
    }

    /// The names of all keys, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let model = Model::new(self.root.as_ref());
        model.entries.iter().map(|entry| entry.name.to_owned()).collect()
    }

    /// How many rules there are.
    #[must_use]
    pub fn rules(&self) -> usize {
        Model::new(self.root.as_ref()).rules.len()
    }

    /// The number, from 1, of the rule that covers `path`, relative to the document's folder.
    pub fn covering(&self, path: &str) -> Result<Option<usize>, EditError> {
        let rules = Rules::parse(&self.text).map_err(|error| EditError::Shape {
            what: format!("creation_rules ({error})"),
            expected: "rules as sops reads them",
        })?;
        Ok(rules.covering(path))
    }

    /// The `path_regex` of a rule.
    #[must_use]
    pub fn path_regex(&self, number: usize) -> Option<String> {
        let model = Model::new(self.root.as_ref());
        let rule = model.rules.get(number.checked_sub(1)?)?;
        rule.path_regex.map(str::to_owned)
    }

    /// The rule that is meant by a word: its `path_regex` as written, or its number from 1.
    pub fn rule(&self, word: &str) -> Result<usize, EditError> {
        let model = Model::new(self.root.as_ref());
        let named = model.rules.iter().position(|rule| rule.path_regex == Some(word));
        if let Some(index) = named {
            return Ok(index + 1);
        }
        match word.parse::<usize>() {
            Ok(number) if (1..=model.rules.len()).contains(&number) => Ok(number),
            _ => {
                let known = model.rules.iter().enumerate().map(|(index, rule)| {
                    format!("{} ({})", index + 1, rule.path_regex.unwrap_or("every file"))
                });
                let known: Vec<_> = known.collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                Err(EditError::NoRule { rule: word.to_owned(), known })
            }
        }
    }

    /// The age recipients of a rule.
    #[must_use]
    pub fn recipients(&self, number: usize) -> Vec<String> {
        let model = Model::new(self.root.as_ref());
        let Some(rule) = number.checked_sub(1).and_then(|at| model.rules.get(at)) else {
            return Vec::new();
        };
        let groups = rule.groups.iter();
        groups.flat_map(|g| model.recipients(g, &self.text)).map(|named| named.recipient).collect()
    }

    /// The document with a key as wished.
    pub fn set(&self, wish: &Wish) -> Result<Edited, EditError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if wish.name.is_empty() || !wish.name.chars().all(plain) {
            return Err(EditError::Name(wish.name.clone()));
        }
        set::set(self, wish)
    }

    /// The document without these names (or recipients).
    pub fn remove(&self, names: &[String]) -> Result<Edited, EditError> {
        let mut document = self.clone();
        let mut said = Vec::new();
        for name in names {
            let edited = remove::remove(&document, name)?;
            said.extend(edited.said);
            document = Self::parse(&edited.text)?;
        }
        Ok(Edited { text: document.text, said })
    }

    /// What is wrong or odd in it.
    #[must_use]
    pub fn check(&self) -> Vec<Finding> {
        check::check(self)
    }
}

/// Applies the edits, and holds the result against what was intended.
fn finish(edits: Edits<'_>, intended: &Meaning, said: Vec<String>) -> Result<Edited, EditError> {
    let text = edits.applied()?;
    let root = tree::parse(&text)?;
    let model = Model::new(root.as_ref());
    let meaning = Meaning::of(&model, root.as_ref(), &text);
    match meaning.differs_from(intended) {
        Some(difference) => Err(EditError::Meaning(difference)),
        None => Ok(Edited { text, said }),
    }
}
