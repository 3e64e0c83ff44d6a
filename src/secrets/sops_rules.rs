//! Which rule of a `.sops.yaml` covers a file. Only reads; the rules of sops itself:
//! the first of `creation_rules` whose `path_regex` is found in the path, relative to the folder
//! of `.sops.yaml`; a rule without one covers every file.

use regex::Regex;
use serde::Deserialize;

/// Why a `.sops.yaml` is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// It is no YAML, or has another shape.
    #[error("it is not understood: {0}")]
    Yaml(String),
    /// A `path_regex` is no regular expression.
    #[error("path_regex {regex:?} of rule {rule} is no regular expression: {reason}")]
    Regex {
        /// Counted from 1.
        rule: usize,
        /// The text.
        regex: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// The creation rules of a `.sops.yaml`.
#[derive(Debug, Clone)]
pub struct Rules(Vec<Option<Regex>>);

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    creation_rules: Option<Vec<Rule>>,
}

#[derive(Deserialize)]
struct Rule {
    path_regex: Option<String>,
}

impl Rules {
    /// Reads the text of a `.sops.yaml`.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        let file: File =
            serde_yaml_ng::from_str(text).map_err(|error| RulesError::Yaml(error.to_string()))?;
        let rules = file.creation_rules.unwrap_or_default();
        rules
            .into_iter()
            .enumerate()
            .map(|(index, rule)| compile(index + 1, rule))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The number, counted from 1, of the rule that covers `path`, which is relative to the folder
    /// of the `.sops.yaml`.
    #[must_use]
    pub fn covering(&self, path: &str) -> Option<usize> {
        let covers = |rule: &Option<Regex>| rule.as_ref().is_none_or(|regex| regex.is_match(path));
        self.0.iter().position(covers).map(|index| index + 1)
    }
}

/// sops takes an empty `path_regex` like a missing one.
fn compile(number: usize, rule: Rule) -> Result<Option<Regex>, RulesError> {
    let Some(text) = rule.path_regex.filter(|text| !text.is_empty()) else { return Ok(None) };
    match Regex::new(&text) {
        Ok(regex) => Ok(Some(regex)),
        Err(error) => {
            let reason = error.to_string();
            Err(RulesError::Regex { rule: number, regex: text, reason })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPICAL: &str = r"
keys:
  - &hosts:
    - &grief age1grief
    - &guppy age1guppy
creation_rules:
  - path_regex: hosts/grief/[^/]+\.yaml$
    key_groups:
      - age: [*grief]
  - path_regex: secrets.yaml$
    key_groups:
      - age:
          - *grief
          - *guppy
";

    #[test]
    fn the_first_rule_that_is_found_in_the_path_wins() {
        let rules = Rules::parse(TYPICAL).unwrap();
        assert_eq!(rules.covering("hosts/grief/secrets.yaml"), Some(1));
        assert_eq!(rules.covering("secrets.yaml"), Some(2));
        // Not anchored: sops searches.
        assert_eq!(rules.covering("old/hosts/grief/x.yaml"), Some(1));
        assert_eq!(rules.covering("hosts/guppy/x.yaml"), None);
        assert_eq!(rules.covering("secrets.yaml.bak"), None);
    }

    #[test]
    fn a_rule_without_path_regex_covers_everything() {
        let rules = Rules::parse("creation_rules:\n  - path_regex: ^a$\n  - age: x\n").unwrap();
        assert_eq!(rules.covering("a"), Some(1));
        assert_eq!(rules.covering("b/c"), Some(2));
        assert_eq!(
            Rules::parse("creation_rules: [{path_regex: ''}]").unwrap().covering("b"),
            Some(1)
        );
    }

    #[test]
    fn a_file_without_rules_covers_nothing() {
        for text in ["keys: []", "creation_rules:", "creation_rules: []", "{}"] {
            assert_eq!(Rules::parse(text).unwrap().covering("secrets.yaml"), None, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for text in ["creation_rules: 3", "a: [", "- 1"] {
            let error = Rules::parse(text).unwrap_err();
            assert!(matches!(error, RulesError::Yaml(_)), "{text}: {error}");
        }
        let error = Rules::parse("creation_rules: [{age: x}, {path_regex: '(a'}]").unwrap_err();
        assert!(error.to_string().starts_with("path_regex \"(a\" of rule 2 is no"), "{error}");
    }
}
