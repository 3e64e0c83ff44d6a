//! Events on a terminal: finished phases as lines, the running one with its step, its time and a
//! bar for what is copied or built.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use console::style;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::clean::{clean, clean_lines};
use super::lines::{line_of, seconds};
use super::marks::drawn;
use super::terminal::{give_back, say};
use crate::install::Phase;
use crate::install::event::{Event, Reporter, Unit};
use crate::install::stopwatch::millis;

/// How many lines of a program's output are shown when its phase fails.
const KEPT_LINES: usize = 15;

/// Draws a run on standard error, which must be a terminal.
pub struct LiveReporter {
    bars: MultiProgress,
    debug: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    phase: Option<ProgressBar>,
    progress: Option<(String, ProgressBar)>,
    recent: VecDeque<String>,
}

impl LiveReporter {
    /// A reporter for the terminal at standard error.
    #[must_use]
    pub fn new(debug: bool) -> Self {
        let bars = MultiProgress::with_draw_target(target());
        Self { bars, debug, state: Mutex::default() }
    }

    /// Takes the bars away while `work` uses the terminal.
    pub fn suspend<R>(&self, work: impl FnOnce() -> R) -> R {
        self.hide();
        let done = work();
        self.show();
        done
    }

    /// Takes the bars away until [`LiveReporter::show`].
    pub(super) fn hide(&self) {
        // `MultiProgress::suspend` would let every event wait for the answer to a question, and
        // so the end of a run that is stopped meanwhile.
        let _ = self.bars.clear();
        self.bars.set_draw_target(ProgressDrawTarget::hidden());
    }

    /// Shows the bars again.
    pub(super) fn show(&self) {
        self.bars.set_draw_target(target());
    }

    // `MultiProgress::println` prints nothing when the target is hidden; this always prints.
    fn print(&self, text: &str) {
        // A question that stands now is not answered any more: only the end of a run comes then.
        give_back();
        self.bars.suspend(|| say(text));
    }

    fn start(&self, state: &mut State, phase: Phase) {
        Self::clear(state);
        state.recent.clear();
        let bar = self.bars.add(ProgressBar::new_spinner());
        bar.set_style(template("{spinner:.cyan} {prefix:10.bold} {time:>10}  {wide_msg}"));
        bar.set_prefix(phase.name());
        bar.enable_steady_tick(Duration::from_millis(120));
        state.phase = Some(bar);
    }

    fn progress(&self, state: &mut State, what: &str, done: u64, total: Option<u64>, unit: Unit) {
        let known = matches!(&state.progress, Some((shown, _)) if shown == what);
        if !known {
            if let Some((_, old)) = state.progress.take() {
                old.finish_and_clear();
            }
            let bar = self.bars.add(ProgressBar::new(total.unwrap_or(0)));
            bar.set_prefix(clean(what));
            bar.set_style(template(match (unit, total) {
                (Unit::Bytes, Some(_)) => {
                    "    {prefix} {wide_bar:.cyan/dim} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}"
                }
                (Unit::Bytes, None) => "    {prefix} {binary_bytes} {binary_bytes_per_sec}",
                (Unit::Items, Some(_)) => "    {prefix} {wide_bar:.cyan/dim} {pos}/{len}",
                (Unit::Items, None) => "    {prefix} {pos}",
            }));
            state.progress = Some((what.to_owned(), bar));
        }
        if let Some((_, bar)) = &state.progress {
            if let Some(total) = total {
                bar.set_length(total);
            }
            bar.set_position(done);
        }
    }

    fn clear(state: &mut State) {
        if let Some((_, bar)) = state.progress.take() {
            bar.finish_and_clear();
        }
        if let Some(bar) = state.phase.take() {
            bar.finish_and_clear();
        }
    }

    fn failed(&self, state: &mut State, phase: Phase, millis: u64, error: &str, hints: &[String]) {
        Self::clear(state);
        for line in state.recent.drain(..) {
            self.print(&format!("    {}", style(line).for_stderr().dim()));
        }
        let mark = style("✗").for_stderr().red().bold();
        self.print(&format!("{mark} {phase:10} {:>10}  {}", seconds(millis), clean_lines(error)));
        for hint in hints {
            self.print(&format!("  {} {}", style("hint:").for_stderr().cyan(), clean_lines(hint)));
        }
    }
}

impl Reporter for LiveReporter {
    fn event(&self, event: &Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::PhaseStarted { phase } => self.start(&mut state, *phase),
            Event::Step { text, .. } => {
                if let Some((_, bar)) = state.progress.take() {
                    bar.finish_and_clear();
                }
                if let Some(bar) = &state.phase {
                    bar.set_message(clean(text));
                }
                if self.debug {
                    self.print(&format!("    {}", clean(text)));
                }
            }
            Event::Progress { what, done, total, unit, .. } => {
                self.progress(&mut state, what, *done, *total, *unit);
            }
            Event::Output { line, .. } => {
                if self.debug {
                    self.print(&format!("    {}", style(clean(line)).for_stderr().dim()));
                } else {
                    if state.recent.len() == KEPT_LINES {
                        state.recent.pop_front();
                    }
                    state.recent.push_back(clean(line));
                }
            }
            Event::PhaseFinished { phase, millis, summary } => {
                Self::clear(&mut state);
                let mark = style("✓").for_stderr().green().bold();
                let mut lines = summary.lines();
                let first = clean(lines.next().unwrap_or_default());
                self.print(&format!("{mark} {phase:10} {:>10}  {first}", seconds(*millis)));
                for line in lines {
                    self.print(&format!("{:25}{}", "", clean(line)));
                }
            }
            Event::PhaseSkipped { phase, reason } => {
                let text = format!("- {phase:10} {:>10}  {}", "", clean(reason));
                self.print(&style(text).for_stderr().dim().to_string());
            }
            Event::PhaseFailed { phase, millis, error, hints } => {
                self.failed(&mut state, *phase, *millis, error, hints);
            }
            Event::Warning { .. } => {
                if let Some(text) = line_of(event, false) {
                    self.print(&style(text).for_stderr().yellow().to_string());
                }
            }
            Event::Finished { .. } => Self::clear(&mut state),
            Event::Planned { .. } => {}
        }
    }
}

pub(super) fn target() -> ProgressDrawTarget {
    ProgressDrawTarget::stderr_with_hz(10)
}

/// A style from a template of this file; a template that indicatif refuses falls back to its own.
pub(super) fn template(text: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(text);
    drawn(style.unwrap_or_else(|_| ProgressStyle::default_spinner()).with_key("time", time))
}

/// The time since the bar began, as the lines of finished phases show it.
fn time(state: &ProgressState, to: &mut dyn std::fmt::Write) {
    let millis = millis(state.elapsed());
    // The line is a moving one; a time that cannot be shown is shown with the next.
    let _ = to.write_str(&seconds(millis));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_events_can_be_drawn_without_a_terminal() {
        let reporter = LiveReporter::new(false);
        let phase = Phase::Install;
        reporter.event(&Event::PhaseStarted { phase });
        reporter.event(&Event::Step { phase, text: "copy".into() });
        for (done, total) in [(0, Some(10)), (5, Some(10)), (7, None)] {
            let what = "copying".to_owned();
            reporter.event(&Event::Progress { phase, what, done, total, unit: Unit::Bytes });
        }
        for n in 0..100 {
            reporter.event(&Event::Output { phase, line: n.to_string() });
        }
        assert_eq!(reporter.state.lock().unwrap().recent.len(), KEPT_LINES);
        reporter.event(&Event::PhaseFinished { phase, millis: 1, summary: "done".into() });
        assert!(reporter.state.lock().unwrap().phase.is_none());
    }
}
