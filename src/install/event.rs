//! What happens during a run, as data, and the two traits by which a run talks to a person:
//! [`Reporter`] (told) and [`Prompter`] (asked).

use serde::{Deserialize, Serialize};

use super::phase::Phase;
use super::plan::Plan;
use super::report::Report;

/// Something that happened. With `--json` each is one line on standard output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Event {
    /// The plan is made; nothing has changed yet.
    Planned {
        /// The plan.
        plan: Box<Plan>,
    },
    /// A phase begins.
    PhaseStarted {
        /// Which.
        phase: Phase,
    },
    /// A phase is not carried out.
    PhaseSkipped {
        /// Which.
        phase: Phase,
        /// Why, as a clause ("done by the run of …", "not wanted", "not configured").
        reason: String,
    },
    /// A step within a phase begins, in a few words ("copy the system").
    Step {
        /// Its phase.
        phase: Phase,
        /// The words.
        text: String,
    },
    /// How far a step is. Comes often; a line-wise reporter leaves it out.
    Progress {
        /// Its phase.
        phase: Phase,
        /// What is counted ("copying", "building").
        what: String,
        /// Done so far.
        done: u64,
        /// Out of, where known.
        total: Option<u64>,
        /// `bytes` or `items`.
        unit: Unit,
    },
    /// A line that a program wrote (nix's build log, disko's output); shown with `--debug`, and the
    /// last ones when a phase fails.
    Output {
        /// Its phase.
        phase: Phase,
        /// The text.
        line: String,
    },
    /// Something the user should know, though the run goes on.
    Warning {
        /// Its phase, if it belongs to one.
        phase: Option<Phase>,
        /// The text.
        text: String,
    },
    /// A phase ended well.
    PhaseFinished {
        /// Which.
        phase: Phase,
        /// How long it took, in milliseconds.
        millis: u64,
        /// What it did, in a few words.
        summary: String,
    },
    /// A phase failed; the run ends.
    PhaseFailed {
        /// Which.
        phase: Phase,
        /// How long it took, in milliseconds.
        millis: u64,
        /// What went wrong.
        error: String,
        /// What to do, one entry a line.
        hints: Vec<String>,
    },
    /// The run is over, well or not.
    Finished {
        /// The closing report.
        report: Box<Report>,
    },
}

/// What a [`Event::Progress`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Whole things: paths, derivations.
    Items,
}

/// Is told what happens. Called from several tasks; must not block for long.
pub trait Reporter: Send + Sync {
    /// Takes note of one event.
    fn event(&self, event: &Event);
}

/// Why an answer is missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    /// There is no terminal to ask on.
    #[error("there is no terminal to ask on")]
    NoTerminal,
    /// The user pressed Ctrl-C or Escape.
    #[error("the question was not answered")]
    Interrupted,
    /// The terminal failed.
    #[error("the question could not be asked: {0}")]
    Failed(String),
}

/// Asks a person. Every question of a run is asked before its first change.
pub trait Prompter: Send + Sync {
    /// Shows the plan's dangers and asks to type `word` out; true if exactly that was typed.
    fn confirm_word(&self, question: &str, word: &str) -> Result<bool, PromptError>;
    /// A yes/no question whose default is no.
    fn confirm(&self, question: &str) -> Result<bool, PromptError>;
    /// A line of text.
    fn text(&self, question: &str, default: Option<&str>) -> Result<String, PromptError>;
    /// One of several; gives its index.
    fn choose(&self, question: &str, choices: &[String]) -> Result<usize, PromptError> {
        let lines = choices.iter().enumerate().map(|(n, choice)| format!("{}) {choice}\n", n + 1));
        let text = self.text(&format!("{question}\n{}Number", lines.collect::<String>()), None)?;
        let number = text.trim().parse::<usize>().ok();
        let index = number.and_then(|number| number.checked_sub(1));
        let index = index.filter(|index| *index < choices.len());
        index
            .ok_or_else(|| PromptError::Failed(format!("{:?} is none of the numbers", text.trim())))
    }
    /// A passphrase that is not shown; `twice` asks again until both agree.
    fn passphrase(
        &self,
        question: &str,
        twice: bool,
    ) -> Result<crate::secrets::Secret, PromptError>;
    /// Leaves the terminal to a program that may ask on it itself, until what this gives is dropped.
    fn lend(&self) -> Box<dyn Send> {
        Box::new(())
    }
    /// Shows a secret to the person at the terminal, and to nobody else: no log, event or file gets
    /// it.
    fn show_secret(&self, title: &str, secret: &crate::secrets::Secret) -> Result<(), PromptError> {
        let _ = (title, secret);
        Err(PromptError::NoTerminal)
    }
}
