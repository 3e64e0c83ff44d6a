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
    use crate::install::event::Unit;

    /// A section of the page.
    fn section(heading: &str) -> &'static str {
        let page = include_str!("../../docs/json.md");
        page.split("\n## ").find(|section| section.starts_with(heading)).unwrap()
    }

    /// The names of an object's fields are in this part of the page.
    fn documented(part: &str, value: &impl serde::Serialize) {
        let value = serde_json::to_value(value).unwrap();
        for field in value.as_object().unwrap().keys().filter(|field| *field != "event") {
            assert!(part.contains(&format!("`{field}`")), "docs/json.md: no {field} in {part}");
        }
    }

    /// The event is a row of this section with all its fields.
    fn documented_event(section: &str, event: &impl serde::Serialize) {
        let value = serde_json::to_value(event).unwrap();
        let start = format!("| `{}` |", value["event"].as_str().unwrap());
        let row = section.lines().find(|line| line.starts_with(&start));
        documented(row.unwrap_or_else(|| panic!("docs/json.md: no {start}")), &value);
    }

    #[test]
    fn the_page_has_every_event_of_a_run_with_its_fields() {
        let phase = Phase::Disko;
        let case = crate::install::samples::grief();
        documented(section("The plan"), &case.plan());
        documented(section("# Output"), &case.facts);
        let events = section("Events of `bootstrap`");
        let (text, what) = (String::new(), String::new());
        for event in [
            Event::Planned { plan: Box::new(case.plan()) },
            Event::PhaseStarted { phase },
            Event::PhaseSkipped { phase, reason: text.clone() },
            Event::Step { phase, text: text.clone() },
            Event::Progress { phase, what, done: 0, total: None, unit: Unit::Bytes },
            Event::Output { phase, line: text.clone() },
            Event::Warning { phase: None, text: text.clone() },
            Event::PhaseFinished { phase, millis: 0, summary: text.clone() },
            Event::PhaseFailed { phase, millis: 0, error: text, hints: Vec::new() },
            Event::Finished { report: Box::default() },
        ] {
            documented_event(events, &event);
            if let Event::Finished { report } = event {
                documented(events, &report);
            }
        }
    }

    #[test]
    fn the_page_has_every_event_of_an_image_with_its_fields() {
        use crate::iso::event::{Event, Outcome, Stage, State};
        use crate::iso::image::{Content, Packing};
        let target = "/dev/loop0".to_owned();
        let disk = Box::new(crate::install::samples::grief().disk().clone());
        let ended = Outcome {
            target: target.clone(),
            state: State::Good,
            written: 0,
            writing_millis: 0,
            verifying_millis: None,
            digest: None,
            error: None,
            stopped: false,
        };
        let (stage, path) = (Stage::Writing, target.clone());
        for event in [
            Event::Reading { path, size: 0, packing: Packing::None, content: Content::Gpt },
            Event::Target { target: target.clone(), disk },
            Event::Warning { text: String::new() },
            Event::Progress { target: target.clone(), stage, done: 0, total: 0 },
            Event::Flushing { target },
            Event::Ended(ended),
        ] {
            documented_event(section("Events of `iso`"), &event);
        }
    }

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
