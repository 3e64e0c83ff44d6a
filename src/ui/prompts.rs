//! Questions on the terminal.

use std::io::{IsTerminal, Write};
use std::sync::Arc;

use inquire::{Confirm, InquireError, Password, PasswordDisplayMode, Select, Text};

use zeroize::Zeroizing;

use super::clean::clean;
use super::live::LiveReporter;
use crate::install::event::{PromptError, Prompter};
use crate::secrets::Secret;

/// Asks on the terminal; without one, every question is [`PromptError::NoTerminal`].
#[derive(Clone, Default)]
pub struct TerminalPrompter {
    /// The bars that make way while a question stands.
    live: Option<Arc<LiveReporter>>,
}

impl TerminalPrompter {
    /// A prompter beside the bars of `live`, where there are any.
    #[must_use]
    pub fn new(live: Option<Arc<LiveReporter>>) -> Self {
        Self { live }
    }

    /// Uses the terminal, with the bars out of the way.
    fn aside<R>(&self, work: impl FnOnce() -> Result<R, PromptError>) -> Result<R, PromptError> {
        terminal()?;
        match &self.live {
            Some(live) => live.suspend(work),
            None => work(),
        }
    }

    /// Can questions be asked here?
    #[must_use]
    pub fn available() -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Asks to pick one of `choices`; gives its index.
    pub fn pick(question: &str, choices: &[String]) -> Result<usize, PromptError> {
        let shown: Vec<_> = choices.iter().map(|choice| clean(choice)).collect();
        terminal()?;
        let picked = Select::new(question, shown).raw_prompt().map_err(from_inquire)?;
        Ok(picked.index)
    }
}

fn terminal() -> Result<(), PromptError> {
    if TerminalPrompter::available() { Ok(()) } else { Err(PromptError::NoTerminal) }
}

fn from_inquire(error: InquireError) -> PromptError {
    match error {
        InquireError::NotTTY => PromptError::NoTerminal,
        InquireError::OperationCanceled | InquireError::OperationInterrupted => {
            PromptError::Interrupted
        }
        other => PromptError::Failed(other.to_string()),
    }
}

impl Prompter for TerminalPrompter {
    fn confirm_word(&self, question: &str, word: &str) -> Result<bool, PromptError> {
        let (question, help) =
            (clean(question), format!("type {word} to go on, anything else stops"));
        self.aside(|| {
            let typed = Text::new(&question).with_help_message(&help).prompt();
            Ok(typed.map_err(from_inquire)?.trim() == word)
        })
    }

    fn confirm(&self, question: &str) -> Result<bool, PromptError> {
        let question = clean(question);
        self.aside(|| Confirm::new(&question).with_default(false).prompt().map_err(from_inquire))
    }

    fn text(&self, question: &str, default: Option<&str>) -> Result<String, PromptError> {
        let question = clean(question);
        self.aside(|| {
            let mut text = Text::new(&question);
            if let Some(default) = default {
                text = text.with_default(default);
            }
            text.prompt().map_err(from_inquire)
        })
    }

    fn passphrase(&self, question: &str, twice: bool) -> Result<Secret, PromptError> {
        let question = clean(question);
        self.aside(|| {
            let mut password =
                Password::new(&question).with_display_mode(PasswordDisplayMode::Hidden);
            if !twice {
                password = password.without_confirmation();
            }
            password.prompt().map(String::into_bytes).map(Secret::new).map_err(from_inquire)
        })
    }

    /// Goes to the terminal itself, so that no redirection catches it.
    fn show_secret(&self, title: &str, secret: &Secret) -> Result<(), PromptError> {
        let failed = |error: std::io::Error| PromptError::Failed(error.to_string());
        let write = || -> Result<(), PromptError> {
            let terminal = std::fs::OpenOptions::new().write(true).open("/dev/tty");
            let mut terminal = terminal.map_err(|_| PromptError::NoTerminal)?;
            let shown = [clean(title).as_bytes(), b"\n\n    ", secret.expose(), b"\n\n"].concat();
            let shown = Zeroizing::new(shown);
            terminal.write_all(&shown).and_then(|()| terminal.flush()).map_err(failed)
        };
        match &self.live {
            Some(live) => live.suspend(write),
            None => write(),
        }
    }
}
