//! What the terminal can show, and printing to standard output without a panic on a closed pipe.

use std::io::{IsTerminal, Write};

use super::error::CliError;
use crate::ui::Style;
use crate::ui::marks::utf8_locale;

/// How results are shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    /// Width, colours and characters of standard output.
    pub(super) style: Style,
    /// The same of standard error.
    pub(super) errors: Style,
    /// Is standard error a terminal on which bars may move?
    pub(super) live: bool,
}

impl Output {
    /// Looks at the environment: `NO_COLOR`, `TERM`, the locale, and whether a pipe is there.
    pub(super) fn detect() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let (stdout, stderr) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        console::set_colors_enabled(stdout && !plain);
        console::set_colors_enabled_stderr(stderr && !plain);
        let style = |terminal: &console::Term, colour| {
            let columns = terminal.size_checked().map(|(_, columns)| usize::from(columns));
            Style { width: columns.unwrap_or(100).max(40), colour, unicode: utf8_locale() }
        };
        Self {
            style: style(&console::Term::stdout(), stdout && !plain),
            errors: style(&console::Term::stderr(), stderr && !plain),
            live: stderr && !plain,
        }
    }
}

/// Prints `text` to standard output. A reader that has gone away (`| head`) is no error.
pub(super) fn print(text: &str) -> Result<(), CliError> {
    print_bytes(text.as_bytes())
}

/// Prints `text`, which need not be UTF-8, as [`print`] does.
pub(super) fn print_bytes(text: &[u8]) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(CliError::failed(format!("could not write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints `value` as indented JSON to standard output.
pub(super) fn print_json(value: &impl serde::Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| CliError::failed(format!("could not write JSON: {error}")))?;
    print(&format!("{text}\n"))
}
