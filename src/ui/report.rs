//! The closing report of a run, as text.

use super::clean::{clean, clean_lines};
use super::lines::seconds;
use crate::install::report::{Outcome, Report};

/// The report for people. `colour` adds terminal colours.
#[must_use]
pub fn render(report: &Report, colour: bool) -> String {
    let paint = |text: &str, style: console::Style| {
        style.force_styling(colour).apply_to(text.to_owned()).to_string()
    };
    let mut out = String::new();
    let host = clean(&report.host);
    let headline = if report.ok {
        paint(
            &format!("{host} is done, in {}.", seconds(report.millis)),
            console::Style::new().green().bold(),
        )
    } else {
        paint(
            &format!("{host} is not done; stopped after {}.", seconds(report.millis)),
            console::Style::new().red().bold(),
        )
    };
    out.push_str(&headline);
    out.push_str("\n\n");
    for phase in &report.phases {
        let word = match phase.outcome {
            Outcome::Done => "done",
            Outcome::Skipped => "skipped",
            Outcome::Failed => "FAILED",
            Outcome::NotReached => "not reached",
        };
        let time = phase.millis.map(seconds).unwrap_or_default();
        let mut lines = phase.summary.lines().map(clean);
        let name = phase.phase.name();
        let first = lines.next().unwrap_or_default();
        let line = format!("  {name:10} {word:11} {time:>12}  {first}");
        out.extend([line.trim_end(), "\n"]);
        for line in lines {
            out.extend([&" ".repeat(40), line.as_str(), "\n"]);
        }
    }
    section(&mut out, "What changed", &report.changes);
    section(&mut out, "What to do next", &report.next);
    if let Some(resume) = &report.resume {
        section(&mut out, "Go on with", std::slice::from_ref(resume));
    }
    out
}

fn section(out: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    out.extend(["\n", title, "\n"]);
    for line in lines {
        out.extend(["  ", &clean_lines(line).replace('\n', "\n    "), "\n"]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::Phase;
    use crate::install::report::PhaseReport;

    fn report() -> Report {
        Report {
            host: "grief".into(),
            ok: false,
            millis: 61_500,
            own_millis: 300,
            phases: vec![
                PhaseReport {
                    phase: Phase::Disko,
                    outcome: Outcome::Failed,
                    millis: Some(1200),
                    summary: "no space\nleft".into(),
                },
                PhaseReport {
                    phase: Phase::Install,
                    outcome: Outcome::NotReached,
                    millis: None,
                    summary: String::new(),
                },
            ],
            changes: vec!["this machine: hosts/grief/hardware-configuration.nix written".into()],
            next: Vec::new(),
            resume: Some("nixos-bootstrap bootstrap grief".into()),
        }
    }

    #[test]
    fn the_report_says_how_far_it_came_and_how_to_go_on() {
        let text = render(&report(), false);
        let expected = "\
grief is not done; stopped after 61.5 s.

  disko      FAILED             1.2 s  no space
                                        left
  install    not reached
";
        assert!(text.starts_with(expected), "{text}");
        assert!(text.contains("\nWhat changed\n  this machine: hosts/grief/"), "{text}");
        assert!(text.ends_with("\nGo on with\n  nixos-bootstrap bootstrap grief\n"), "{text}");
        assert!(!text.contains("What to do next"), "{text}");
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn colour_comes_when_asked_for() {
        assert!(render(&report(), true).contains("\u{1b}["));
    }
}
