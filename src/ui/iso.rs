//! What a person sees while an image is copied and written: the disks that are erased, a bar for each, how it ended.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};

use super::clean::clean;
use super::disks::{about, current, indented};
use super::lines::seconds;
use super::live::{target, template};
use super::terminal::say;
use super::text::{Ink, Line, Style, hanging, human, show};
use crate::iso::device::Disk;
use crate::iso::digest::Algorithm;
use crate::iso::event::{Event, Outcome, Reporter, Stage, State};

/// The disks that will be erased, with what is on them.
#[must_use]
pub fn render_targets(disks: &[&Disk], style: &Style) -> String {
    let mut lines = Vec::new();
    for disk in disks {
        lines.push(Line::new().with(&title(disk), Ink::Bold));
        let indent = Line::new().with("  ", Ink::Plain);
        lines.extend(hanging(&indent, &about(&disk.live), Ink::Plain, style.columns()));
        lines.push(indent.with("EVERYTHING ON IT WILL BE ERASED", Ink::Alarm));
        lines.extend(indented(current(&disk.live, style.columns() - 2, *style)));
        lines.push(Line::new());
    }
    show(&lines, *style)
}

/// A disk in one line, to be picked.
#[must_use]
pub fn in_one_line(disk: &Disk) -> String {
    let labels = disk.live.children.iter().filter_map(|part| part.label.as_deref());
    let labels: Vec<&str> = labels.collect();
    let holds = match labels.as_slice() {
        [] => String::new(),
        labels => format!("; on it: {}", labels.join(", ")),
    };
    format!("{}  {}{holds}", title(disk), about(&disk.live))
}

fn title(disk: &Disk) -> String {
    match &disk.named {
        Some(named) => format!("{} = {}", named.display(), disk.live.path),
        None => disk.live.path.clone(),
    }
}

/// How it ended, one target after the other.
#[must_use]
pub fn render_outcomes(outcomes: &[Outcome], style: &Style) -> String {
    let mut lines = Vec::new();
    for outcome in outcomes {
        let good = outcome.error.is_none();
        let (mark, ink) = if good { ("✓", Ink::Plain) } else { ("✗", Ink::Alarm) };
        let mark = match style.unicode {
            true => mark,
            false if good => "ok",
            false => "FAILED",
        };
        let heading = Line::new().with(mark, ink).with(" ", Ink::Plain);
        let heading = heading.with(&outcome.target, Ink::Bold).with("  ", Ink::Plain);
        lines.push(heading.with(&sentence(outcome), Ink::Plain));
        if !good {
            lines.push(Line::new().with("  ", Ink::Plain).with(remains(outcome.state), Ink::Plain));
        }
        // No image is published with its BLAKE3; its SHA-256 was asked for.
        if let Some(digest) =
            outcome.digest.filter(|digest| good && digest.algorithm() == Algorithm::Sha256)
        {
            lines.push(Line::new().with("  ", Ink::Plain).with(&digest.to_string(), Ink::Plain));
        }
    }
    show(&lines, *style)
}

fn sentence(outcome: &Outcome) -> String {
    if let Some(error) = &outcome.error {
        let total = human(outcome.written);
        return format!("{error} ({total} were written)");
    }
    let millis = outcome.writing_millis.max(1);
    let speed = human(outcome.written.saturating_mul(1000) / millis);
    let size = human(outcome.written);
    let written = format!("{size} written in {} ({speed}/s)", seconds(outcome.writing_millis));
    match (outcome.verifying_millis, outcome.state) {
        (Some(millis), _) => {
            format!("{written}, read back and compared in {}; safe to remove", seconds(millis))
        }
        (None, State::Unverified) => format!("{written}, not read back; safe to remove"),
        _ => written,
    }
}

/// What a target is good for after a failure.
fn remains(state: State) -> &'static str {
    match state {
        State::Untouched => "Nothing on it was changed.",
        State::Incomplete => {
            "It holds neither what it had nor the image, and starts no machine: write it again."
        }
        State::Unverified => "All of the image was written; not all of it was read back.",
        State::Wrong => "It does not hold the image; do not rely on it.",
        State::Good => "It holds the image.",
    }
}

/// What goes on, in a few words.
fn doing(stage: Stage) -> &'static str {
    match stage {
        Stage::Copying => "copying",
        Stage::Writing => "writing",
        Stage::Verifying => "reading back",
    }
}

/// A bar for each target, on a terminal at standard error.
#[derive(Default)]
pub struct Bars {
    bars: MultiProgress,
    shown: Mutex<BTreeMap<String, (Stage, ProgressBar)>>,
}

impl Bars {
    /// Bars on standard error.
    #[must_use]
    pub fn new() -> Self {
        Self { bars: MultiProgress::with_draw_target(target()), shown: Mutex::default() }
    }

    fn progress(&self, name: &str, stage: Stage, done: u64, total: u64) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let known = shown.get(name).is_some_and(|(at, _)| *at == stage);
        if !known {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
            let bar = self.bars.add(bar);
            bar.set_style(template(
                "{prefix} {msg:12} {wide_bar:.cyan/dim} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}",
            ));
            bar.set_prefix(clean(name));
            bar.set_message(doing(stage));
            if let Some((_, old)) = shown.insert(name.to_owned(), (stage, bar)) {
                old.finish_and_clear();
            }
        }
        if let Some((_, bar)) = shown.get(name) {
            bar.set_position(done);
        }
    }
}

impl Reporter for Bars {
    fn event(&self, event: &Event) {
        match event {
            Event::Progress { target, stage, done, total } => {
                self.progress(target, *stage, *done, *total);
            }
            Event::Flushing { target } => {
                let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((_, bar)) = shown.get(target) {
                    bar.set_message("flushing");
                    bar.enable_steady_tick(Duration::from_millis(200));
                }
            }
            Event::Ended(outcome) => {
                let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((_, bar)) = shown.remove(&outcome.target) {
                    bar.finish_and_clear();
                }
            }
            Event::Warning { text } => self.bars.suspend(|| warn(text)),
            Event::Reading { .. } | Event::Target { .. } => {}
        }
    }
}

/// A line for each stage of each target, on standard error.
#[derive(Default)]
pub struct Lines {
    shown: Mutex<BTreeMap<String, Stage>>,
}

impl Reporter for Lines {
    fn event(&self, event: &Event) {
        match event {
            Event::Progress { target, stage, total, .. } => {
                let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
                if shown.insert(target.clone(), *stage) != Some(*stage) {
                    let (name, size) = (clean(target), human(*total));
                    say(&format!("{name}: {} {size} …", doing(*stage)));
                }
            }
            Event::Flushing { target } => {
                say(&format!(
                    "{}: waiting for what the device still keeps in memory …",
                    clean(target)
                ));
            }
            Event::Warning { text } => warn(text),
            Event::Reading { .. } | Event::Target { .. } | Event::Ended(_) => {}
        }
    }
}

fn warn(text: &str) {
    let mark = console::style("warning:").for_stderr().yellow().bold();
    say(&format!("{mark} {}", clean(text)));
}

/// How often progress is told to programs.
const OFTEN: Duration = Duration::from_millis(250);

/// Events as JSON lines.
pub struct Json<W> {
    out: Mutex<(W, BTreeMap<String, Instant>)>,
}

impl<W: Write + Send> Json<W> {
    /// A reporter that writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out: Mutex::new((out, BTreeMap::new())) }
    }
}

impl<W: Write + Send> Reporter for Json<W> {
    fn event(&self, event: &Event) {
        let mut guard = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let (out, told) = &mut *guard;
        if let Event::Progress { target, done, total, .. } = event {
            let now = Instant::now();
            let soon = told.get(target).is_some_and(|last| now.duration_since(*last) < OFTEN);
            if soon && done < total {
                return;
            }
            told.insert(target.clone(), now);
        }
        let Ok(line) = serde_json::to_string(event) else { return };
        // A reader that went away must not leave a disk half-written.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}
