//! The terminal itself: lines on standard error that cannot fail, and its settings, which a
//! question changes and which are given back however the question ends.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use super::marks::marked;

/// The settings from before the question that stands now.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// Writes a line to standard error. Where nobody can read it any more (the terminal is closed, the
/// pipe is broken) it is lost: that must not end an installation half-way.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", marked(text));
}

/// Runs `question`, which may change the terminal's settings and puts them back when it is answered.
pub(super) fn asking<R>(question: impl FnOnce() -> R) -> R {
    remember(tcgetattr(std::io::stdin()).ok());
    let answer = question();
    remember(None);
    answer
}

/// Gives the terminal back where a question still stands, because the run ends without its answer.
/// The question's line ends here, so that what follows is not written into it.
pub fn give_back() {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(before) = before else { return };
    let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &before);
    // The cursor may be hidden.
    let _ = write!(std::io::stderr().lock(), "\u{1b}[?25h\r\n");
}

fn remember(settings: Option<Termios>) {
    *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = settings;
}
