//! Why a `.sops.yaml` is not edited.

use super::tree::YamlError;

/// Why nothing was edited. Names lines of the file, which the caller knows by name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// It is no YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// It is YAML of another shape.
    #[error("{what} must be {expected}")]
    Shape {
        /// Which part.
        what: String,
        /// What it would have to be.
        expected: &'static str,
    },
    /// The name cannot be an anchor.
    #[error("{0:?} can't name a key: only letters, digits, \"_\" and \"-\" can stand in an anchor")]
    Name(String),
    /// There is no key of this name.
    #[error("there is no key named {0:?}")]
    NoKey(String),
    /// There is no such rule.
    #[error("there is no rule {rule:?}; the rules are: {known}")]
    NoRule {
        /// What was asked for.
        rule: String,
        /// What there is.
        known: String,
    },
    /// The host would have to be in several groups.
    #[error(
        "rule {rule} splits the key among {groups} groups of which {needed} are needed (Shamir), so \
         one more recipient can't decrypt alone; put it into its groups by hand"
    )]
    Shamir {
        /// From 1.
        rule: usize,
        /// How many groups it has.
        groups: usize,
        /// How many of them are needed.
        needed: usize,
    },
    /// The recipients stand behind an alias that others use, too.
    #[error(
        "the recipients of rule {rule} stand behind an alias or a merge key that other rules may use, \
         too; edit them by hand"
    )]
    Shared {
        /// From 1.
        rule: usize,
    },
    /// A rule would be left without any key.
    #[error("rule {rule} would be left without a recipient; take the rule out first")]
    LastOne {
        /// From 1.
        rule: usize,
    },
    /// Someone has to be able to open the file besides the host.
    #[error(
        "no rule covers {path}, and no key of a user is known who could open it besides the host; \
         write a rule for it"
    )]
    NobodyElse {
        /// The file.
        path: String,
    },
    /// No rule is about a file.
    #[error("no rule covers {path}; write one, so that sops knows who may read it")]
    Uncovered {
        /// The file.
        path: String,
    },
    /// The text is written in a way that this program does not edit.
    #[error("line {line} is written in a way that can't be edited safely; edit it by hand")]
    Unclear {
        /// From 1.
        line: usize,
    },
    /// Two edits touch the same text.
    #[error("two changes would touch the same text; edit it by hand")]
    Overlap,
    /// The result would mean something else than intended.
    #[error("the result would not mean exactly what was intended ({0}), so nothing is written")]
    Meaning(String),
}
