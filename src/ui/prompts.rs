//! Questions on the terminal.

use std::io::IsTerminal;

use inquire::{InquireError, Password, PasswordDisplayMode, Select, Text};

use super::clean::clean;
use crate::install::event::{PromptError, Prompter};
use crate::secrets::Secret;

/// Asks on the terminal; without one, every question is [`PromptError::NoTerminal`].
#[derive(Debug, Clone, Copy, Default)]
pub struct TerminalPrompter;

impl TerminalPrompter {
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
        terminal()?;
        let help = format!("type {word} to go on, anything else to stop");
        let typed = Text::new(question).with_help_message(&help).prompt().map_err(from_inquire)?;
        Ok(typed.trim() == word)
    }

    fn confirm(&self, question: &str) -> Result<bool, PromptError> {
        terminal()?;
        inquire::Confirm::new(question).with_default(false).prompt().map_err(from_inquire)
    }

    fn text(&self, question: &str, default: Option<&str>) -> Result<String, PromptError> {
        terminal()?;
        let mut text = Text::new(question);
        if let Some(default) = default {
            text = text.with_default(default);
        }
        text.prompt().map_err(from_inquire)
    }

    fn passphrase(&self, question: &str, twice: bool) -> Result<Secret, PromptError> {
        terminal()?;
        let mut password = Password::new(question).with_display_mode(PasswordDisplayMode::Hidden);
        if !twice {
            password = password.without_confirmation();
        }
        password.prompt().map(String::into_bytes).map(Secret::new).map_err(from_inquire)
    }
}
