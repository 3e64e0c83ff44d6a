//! Errors as the user sees them: what was wrong, what to do, and the exit code.

use std::process::ExitCode;

use super::output::print;
use crate::facts::EvalError;
use crate::flake::FlakeError;
use crate::install::context::{Failure, FailureKind};
use crate::install::preflight::eval_failure;
use crate::ui::clean::clean_lines;
use crate::ui::terminal::say;
use crate::validated::Invalid;

/// An error for the user.
#[derive(Debug)]
pub(super) struct CliError {
    error: String,
    hints: Vec<String>,
    kind: FailureKind,
    /// Has the user been told already?
    told: bool,
}

impl CliError {
    /// Something broke: exit code 1.
    pub(super) fn failed(error: impl Into<String>) -> Self {
        Self { error: error.into(), hints: Vec::new(), kind: FailureKind::Failed, told: false }
    }

    /// Wrong usage: exit code 2.
    pub(super) fn usage(error: impl Into<String>) -> Self {
        Self { kind: FailureKind::Usage, ..Self::failed(error) }
    }

    /// Adds what to do.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// A failure that the reporter has shown.
    pub(super) fn told(failure: Failure) -> Self {
        Self::from(failure).shown()
    }

    /// The same error, which a person has been shown already: only its exit code (and JSON) is left to give.
    pub(super) fn shown(self) -> Self {
        Self { told: true, ..self }
    }

    /// Prints the error to standard error (and as JSON to standard output where that was asked
    /// for) and gives its exit code.
    pub(super) fn report(&self, json: bool) -> ExitCode {
        if !self.told {
            self.show();
        }
        if json {
            // What cannot be written has nobody to read it; the exit code tells all the same.
            let _ = print(&format!("{}\n", self.json()));
        }
        exit_code(self.kind)
    }

    /// The same error of a part of the work.
    pub(super) fn of(self, part: &str) -> Self {
        Self { error: format!("{part}: {}", self.error), ..self }
    }

    /// Prints the error to standard error.
    pub(super) fn show(&self) {
        let red = console::style("error:").for_stderr().red().bold();
        say(&format!("{red} {}", clean_lines(&self.error)));
        for hint in &self.hints {
            let cyan = console::style("hint:").for_stderr().cyan();
            say(&format!("  {cyan} {}", clean_lines(hint)));
        }
    }

    /// What went wrong and what to do, each a text.
    pub(super) fn parts(&self) -> (&str, &[String]) {
        (&self.error, &self.hints)
    }

    fn json(&self) -> serde_json::Value {
        let kind = match self.kind {
            FailureKind::Failed => "failed",
            FailureKind::Usage => "usage",
            FailureKind::Stopped => "stopped",
            FailureKind::Changed => "changed",
        };
        serde_json::json!({
            "event": "error",
            "kind": kind,
            "error": self.error,
            "hints": self.hints,
        })
    }
}

/// The exit code of a kind of failure.
pub(super) fn exit_code(kind: FailureKind) -> ExitCode {
    ExitCode::from(match kind {
        FailureKind::Failed => 1,
        FailureKind::Usage => 2,
        FailureKind::Stopped => 3,
        FailureKind::Changed => 4,
    })
}

impl From<Failure> for CliError {
    fn from(failure: Failure) -> Self {
        Self { error: failure.error, hints: failure.hints, kind: failure.kind, told: false }
    }
}

impl From<Invalid> for CliError {
    fn from(error: Invalid) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<FlakeError> for CliError {
    fn from(error: FlakeError) -> Self {
        let hint = error.hint();
        let usage = matches!(error, FlakeError::NoFlake { .. } | FlakeError::Reference { .. });
        let text = error.to_string();
        let made = if usage { Self::usage(text) } else { Self::failed(text) };
        match hint {
            Some(hint) => made.hint(hint),
            None => made,
        }
    }
}

impl From<EvalError> for CliError {
    fn from(error: EvalError) -> Self {
        eval_failure(&error).into()
    }
}
