//! Failures as text for people: what is wrong, where, the lines of the source, the way there, and what may
//! have been meant.

mod excerpt;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use annotate_snippets::{Group, Level, Renderer, Title, normalize_untrusted_str};
use rustc_hash::FxHashSet;

use super::error::{ErrorData, Trace};
use super::io::without_escapes;
use super::position::{Pos, Sources};
use excerpt::Excerpt;

/// How a failure is told.
#[derive(Debug, Clone, Copy)]
pub struct ReportOptions {
    /// With colours?
    pub colour: bool,
    /// With every step of the way there?
    pub show_trace: bool,
    /// Columns of the terminal: longer lines of sources are cut.
    pub width: usize,
}

impl Default for ReportOptions {
    fn default() -> Self {
        Self { colour: false, show_trace: false, width: 100 }
    }
}

/// Without `show_trace`, this many of the innermost steps are told. The outermost one and those of
/// `addErrorContext` come on top.
const INNERMOST: usize = 3;

/// A run of steps that were all told before is left out if it is longer than this.
const LONGEST_REPETITION: usize = 5;

/// The text of a failure, without a newline at its end. The steps are told from the failure outwards.
#[must_use]
pub fn render(error: &ErrorData, sources: &Sources, options: ReportOptions) -> String {
    let traces = error.traces.innermost_first();
    let steps = chosen(&traces, sources, options.show_trace);
    let mut excerpts = Excerpts { sources, last: Pos::NONE, made: Vec::new() };
    let mut parts = vec![(Kind::Error, printable(&error.message), excerpts.at(error.pos))];
    for step in &steps {
        parts.push(match step {
            Step::Told(trace) => (Kind::Note, printable(&trace.message), excerpts.at(trace.pos)),
            Step::Repeated(count) => {
                (Kind::Note, format!("({count} duplicate frames omitted)"), None)
            }
            Step::LeftOut(1) => (Kind::Note, "(1 more step; '--show-trace' shows it)".into(), None),
            Step::LeftOut(count) => {
                (Kind::Note, format!("({count} more steps; '--show-trace' shows them)"), None)
            }
        });
    }
    let mut groups: Vec<Group<'_>> = parts
        .iter()
        .map(|(kind, text, excerpt)| match excerpt.and_then(|index| excerpts.made.get(index)) {
            Some(excerpt) => excerpt.below(kind.title(text)),
            None => Group::with_title(kind.title(text)),
        })
        .collect();
    if let Some(meant) = suggestion(&error.suggestions) {
        let failure = groups.remove(0);
        groups.insert(0, failure.element(Level::HELP.message(meant)));
    }
    let renderer = if options.colour { Renderer::styled() } else { Renderer::plain() };
    let text = renderer.term_width(options.width).render(&groups);
    // Lines without text end in the space that would stand before it.
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// What a part of the report is.
#[derive(Clone, Copy)]
enum Kind {
    Error,
    Note,
}

impl Kind {
    fn title(self, text: &str) -> Title<'_> {
        match self {
            Self::Error => Level::ERROR.primary_title(text),
            Self::Note => Level::NOTE.secondary_title(text),
        }
    }
}

/// The excerpts of a report. A place that was just shown is not shown again.
struct Excerpts<'s> {
    sources: &'s Sources,
    last: Pos,
    made: Vec<Excerpt>,
}

impl Excerpts<'_> {
    /// The number of the excerpt of `pos`.
    fn at(&mut self, pos: Pos) -> Option<usize> {
        if pos == self.last || self.sources.is_internal(pos) {
            return None;
        }
        self.last = pos;
        self.made.push(Excerpt::new(&self.sources.place(pos)?));
        Some(self.made.len() - 1)
    }
}

/// A step of the report.
enum Step<'t> {
    Told(&'t Trace),
    /// So many steps that were told before.
    Repeated(usize),
    /// So many steps that are only told on demand.
    LeftOut(usize),
}

/// The steps that are told.
fn chosen<'t>(traces: &[&'t Trace], sources: &Sources, all: bool) -> Vec<Step<'t>> {
    let is_told = |trace: &&Trace| !trace.message.is_empty() && !sources.is_internal(trace.pos);
    let told: Vec<&Trace> = traces.iter().copied().filter(is_told).collect();
    if all {
        return without_repetitions(&told);
    }
    let last = told.len().saturating_sub(1);
    let mut seen = FxHashSet::default();
    let mut steps = Vec::new();
    for (at, trace) in told.iter().enumerate() {
        // Of the turns of a recursion, one is enough.
        let fresh = seen.insert((trace.pos, trace.message.as_ref()));
        if fresh && (steps.len() < INNERMOST || at == last || trace.custom) {
            steps.push(Step::Told(trace));
        }
    }
    let left_out = told.len() - steps.len();
    if left_out > 0 {
        steps.push(Step::LeftOut(left_out));
    }
    steps
}

/// All steps, but for long runs of those that were told already: of a deep recursion.
fn without_repetitions<'t>(traces: &[&'t Trace]) -> Vec<Step<'t>> {
    let mut steps = Vec::new();
    let mut seen: FxHashSet<(Pos, &str)> = FxHashSet::default();
    let mut run: Vec<&'t Trace> = Vec::new();
    for trace in traces.iter().copied().map(Some).chain([None]) {
        match trace {
            Some(trace) if seen.contains(&(trace.pos, trace.message.as_ref())) => {
                run.push(trace);
                continue;
            }
            _ if run.len() > LONGEST_REPETITION => {
                steps.push(Step::Repeated(run.len()));
                // What comes again behind the run is told again, so that the order can be followed.
                seen.clear();
            }
            _ => steps.extend(run.iter().copied().map(Step::Told)),
        }
        run.clear();
        if let Some(trace) = trace {
            seen.insert((trace.pos, &trace.message));
            steps.push(Step::Told(trace));
        }
    }
    steps
}

/// `did you mean one of a, b or c?`
fn suggestion(names: &[String]) -> Option<String> {
    let (last, first) = names.split_last()?;
    let meant = if first.is_empty() {
        format!("did you mean {last}?")
    } else {
        format!("did you mean one of {} or {last}?", first.join(", "))
    };
    Some(printable(&meant))
}

/// `text` without what could steer a terminal, and without empty lines around it.
fn printable(text: &str) -> String {
    let text = without_escapes(text.as_bytes());
    let text = String::from_utf8_lossy(&text);
    let lines = text.trim_matches('\n').lines();
    let clean: Vec<Cow<'_, str>> = lines.map(|line| normalize_untrusted_str(line).into()).collect();
    clean.join("\n")
}
