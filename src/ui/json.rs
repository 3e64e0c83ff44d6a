//! Events as JSON lines on standard output, for programs.

use std::io::Write;
use std::sync::Mutex;

use crate::install::event::{Event, Reporter};

/// Writes each event as one line of JSON. Program output only comes with `debug`.
pub struct JsonReporter<W> {
    out: Mutex<W>,
    debug: bool,
}

impl<W: Write + Send> JsonReporter<W> {
    /// A reporter that writes to `out`.
    pub fn new(out: W, debug: bool) -> Self {
        Self { out: Mutex::new(out), debug }
    }
}

impl<W: Write + Send> Reporter for JsonReporter<W> {
    fn event(&self, event: &Event) {
        if matches!(event, Event::Output { .. }) && !self.debug {
            return;
        }
        let mut out = self.out.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Ok(line) = serde_json::to_string(event) else { return };
        // A reader that went away must not end an installation half-way.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::Phase;

    #[test]
    fn every_event_is_one_line_with_its_name() {
        let mut out = Vec::new();
        {
            let reporter = JsonReporter::new(&mut out, false);
            reporter.event(&Event::PhaseStarted { phase: Phase::Disko });
            reporter.event(&Event::Output { phase: Phase::Disko, line: "x".into() });
            reporter.event(&Event::Warning { phase: None, text: "two\nlines".into() });
        }
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0], serde_json::json!({"event": "phase-started", "phase": "disko"}));
        assert_eq!(lines[1]["text"], "two\nlines");
    }
}
