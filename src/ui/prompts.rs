//! Questions on the terminal.

use std::io::{IsTerminal, Write};
use std::sync::Arc;

use inquire::{Confirm, InquireError, Password, PasswordDisplayMode, Select, Text};

use zeroize::Zeroizing;

use super::clean::{clean, clean_lines};
use super::live::LiveReporter;
use super::terminal::{asking, say};
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
            Some(live) => live.suspend(|| asking(work)),
            None => asking(work),
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
        let picked = asking(|| Select::new(question, shown).raw_prompt()).map_err(from_inquire)?;
        Ok(picked.index)
    }
}

fn terminal() -> Result<(), PromptError> {
    if TerminalPrompter::available() { Ok(()) } else { Err(PromptError::NoTerminal) }
}

/// Says all lines of `text` but the last, which is left as the question: a question is one line.
fn introduced(text: &str) -> String {
    let (lines, question) = split(text);
    if let Some(lines) = lines {
        say(&lines);
    }
    question
}

fn split(text: &str) -> (Option<String>, String) {
    match text.rsplit_once('\n') {
        Some((lines, question)) => (Some(clean_lines(lines)), clean(question)),
        None => (None, clean(text)),
    }
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

/// The terminal in the hands of another program; dropping it brings the bars back.
struct Lent(Arc<LiveReporter>);

impl Drop for Lent {
    fn drop(&mut self) {
        self.0.show();
    }
}

impl Prompter for TerminalPrompter {
    fn lend(&self) -> Box<dyn Send> {
        match &self.live {
            Some(live) => {
                live.hide();
                Box::new(Lent(Arc::clone(live)))
            }
            None => Box::new(()),
        }
    }

    fn confirm_word(&self, question: &str, word: &str) -> Result<bool, PromptError> {
        let help = format!("type {word} to go on, anything else stops");
        self.aside(|| {
            let question = introduced(question);
            let typed = Text::new(&question).with_help_message(&help).prompt();
            Ok(typed.map_err(from_inquire)?.trim() == word)
        })
    }

    fn confirm(&self, question: &str) -> Result<bool, PromptError> {
        self.aside(|| {
            let question = introduced(question);
            Confirm::new(&question).with_default(false).prompt().map_err(from_inquire)
        })
    }

    fn text(&self, question: &str, default: Option<&str>) -> Result<String, PromptError> {
        self.aside(|| {
            let question = introduced(question);
            let mut text = Text::new(&question);
            if let Some(default) = default {
                text = text.with_default(default);
            }
            text.prompt().map_err(from_inquire)
        })
    }

    fn choose(&self, question: &str, choices: &[String]) -> Result<usize, PromptError> {
        let shown: Vec<_> = choices.iter().map(|choice| clean(choice)).collect();
        self.aside(|| {
            let question = introduced(question);
            let picked = Select::new(&question, shown).raw_prompt().map_err(from_inquire)?;
            Ok(picked.index)
        })
    }

    fn passphrase(&self, question: &str, twice: bool) -> Result<Secret, PromptError> {
        self.aside(|| {
            let question = introduced(question);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_line_is_the_question() {
        assert_eq!(split("Go on?"), (None, "Go on?".to_owned()));
        let (lines, question) = split("It shows\n  SHA256:\u{1b}[2Jx\nIs it?");
        assert_eq!(lines.as_deref(), Some("It shows\n  SHA256:x"));
        assert_eq!(question, "Is it?");
    }
}
