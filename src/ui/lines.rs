//! Events as plain lines on standard error: for pipes, logs and `--debug`.

use std::io::Write;
use std::sync::Mutex;

use super::marks::marked;
use crate::install::Phase;
use crate::install::event::{Event, Reporter};

/// Writes a line an event. Progress is left out; program output only comes with `debug`.
pub struct LineReporter<W> {
    out: Mutex<W>,
    debug: bool,
}

impl<W: Write + Send> LineReporter<W> {
    /// A reporter that writes to `out`.
    pub fn new(out: W, debug: bool) -> Self {
        Self { out: Mutex::new(out), debug }
    }

    fn line(&self, text: &str) {
        let mut out = self.out.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // A log that can't be written must not end an installation half-way.
        let _ = writeln!(out, "{}", marked(text)).and_then(|()| out.flush());
    }
}

impl<W: Write + Send> Reporter for LineReporter<W> {
    fn event(&self, event: &Event) {
        if let Some(text) = line_of(event, self.debug) {
            self.line(&text);
        }
    }
}

/// The line for `event`, if it gets one.
#[must_use]
pub fn line_of(event: &Event, debug: bool) -> Option<String> {
    let tagged = |phase: Phase, text: &str| format!("[{phase}] {}", super::clean::clean(text));
    Some(match event {
        Event::PhaseStarted { phase } => tagged(*phase, "…"),
        Event::PhaseSkipped { phase, reason } => tagged(*phase, &format!("skipped: {reason}")),
        Event::Step { phase, text } => tagged(*phase, text),
        Event::Output { phase, line } if debug => tagged(*phase, &format!("| {line}")),
        Event::Warning { phase: Some(phase), text } => tagged(*phase, &format!("warning: {text}")),
        Event::Warning { phase: None, text } => format!("warning: {}", super::clean::clean(text)),
        Event::PhaseFinished { phase, millis, summary } => {
            let mut lines = summary.lines();
            let first = lines.next().unwrap_or_default();
            let mut text = tagged(*phase, &format!("done in {}: {first}", seconds(*millis)));
            for line in lines {
                text.push_str("\n  ");
                text.push_str(&super::clean::clean(line));
            }
            text
        }
        Event::PhaseFailed { phase, millis, error, hints } => {
            let mut text = format!("[{phase}] FAILED after {}: ", seconds(*millis));
            text.push_str(&super::clean::clean_lines(error));
            for hint in hints {
                text.push_str("\n  hint: ");
                text.push_str(&super::clean::clean_lines(hint));
            }
            text
        }
        Event::Planned { .. }
        | Event::Progress { .. }
        | Event::Output { .. }
        | Event::Finished { .. } => {
            return None;
        }
    })
}

/// A duration for people: `0.4 s`, `12.3 s`, `3 min 07 s`.
#[must_use]
pub fn seconds(millis: u64) -> String {
    if millis < 100_000 {
        return format!("{}.{} s", millis / 1000, millis % 1000 / 100);
    }
    let whole = millis / 1000;
    format!("{} min {:02} s", whole / 60, whole % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short_and_exact() {
        let shown: Vec<_> = [0, 449, 12_345, 99_999, 187_000].map(seconds).into();
        assert_eq!(shown, ["0.0 s", "0.4 s", "12.3 s", "99.9 s", "3 min 07 s"]);
    }

    #[test]
    fn a_failure_shows_error_and_hints_and_no_control_characters() {
        let event = Event::PhaseFailed {
            phase: Phase::Disko,
            millis: 1500,
            error: "sgdisk said\n\u{1b}[31mno".into(),
            hints: vec!["look at /dev".into()],
        };
        let text = line_of(&event, false).unwrap();
        assert!(text.starts_with("[disko] FAILED after 1.5 s: sgdisk said\n"), "{text}");
        assert!(text.ends_with("\n  hint: look at /dev"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }

    #[test]
    fn program_output_only_comes_with_debug() {
        let event = Event::Output { phase: Phase::Install, line: "copying".into() };
        assert_eq!(line_of(&event, false), None);
        assert_eq!(line_of(&event, true).as_deref(), Some("[install] | copying"));
    }
}
