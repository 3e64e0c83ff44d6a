//! How far the store is while an evaluation writes to it or waits for a build: a bar on a terminal, once it
//! takes more than a moment; what builders say, as lines.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use console::style;
use indicatif::{ProgressBar, ProgressDrawTarget};

use super::clean::{clean, clean_lines};
use super::live::{target, template};
use super::terminal::say;
use crate::instantiate::Watcher;
use crate::process::nix_log::Update;

/// What takes no longer has no bar.
const MOMENT: Duration = Duration::from_secs(2);

/// Shows it on standard error.
#[derive(Debug)]
pub struct StoreBar {
    /// May bars move?
    live: bool,
    work: Mutex<Option<Work>>,
}

/// Something that goes on.
#[derive(Debug)]
struct Work {
    what: String,
    since: Instant,
    bar: ProgressBar,
    shown: bool,
}

impl StoreBar {
    /// Bars only where `live` says that they may move.
    #[must_use]
    pub fn new(live: bool) -> Self {
        Self { live, work: Mutex::default() }
    }

    fn progress(&self, what: &str, done: u64, total: Option<u64>, in_bytes: bool) {
        if !self.live {
            return;
        }
        let mut state = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        if state.as_ref().is_some_and(|work| work.what != what) {
            end(state.take());
        }
        let work = state.get_or_insert_with(|| Work::start(what, total.is_some(), in_bytes));
        if let Some(total) = total {
            work.bar.set_length(total);
        }
        work.bar.set_position(done);
        if !work.shown && work.since.elapsed() > MOMENT {
            work.shown = true;
            work.bar.set_draw_target(target());
        }
    }

    fn line(&self, text: &str) {
        let state = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            Some(work) if work.shown => work.bar.suspend(|| say(text)),
            _ => say(text),
        }
    }
}

impl Work {
    fn start(what: &str, is_counted: bool, in_bytes: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        bar.set_style(template(match (is_counted, in_bytes) {
            (true, true) => "{prefix} {wide_bar:.cyan/dim} {binary_bytes}/{binary_total_bytes}",
            (true, false) => "{prefix} {wide_bar:.cyan/dim} {pos}/{len}",
            (false, true) => "{prefix} {binary_bytes}",
            (false, false) => "{prefix} {pos}",
        }));
        bar.set_prefix(clean(what));
        Self { what: what.to_owned(), since: Instant::now(), bar, shown: false }
    }
}

fn end(work: Option<Work>) {
    if let Some(work) = work {
        work.bar.finish_and_clear();
    }
}

impl Watcher for StoreBar {
    fn written(&self, done: u64, total: u64) {
        self.progress("writing to the store", done, Some(total), false);
    }

    fn building(&self, update: Update) {
        match update {
            Update::Progress { what, done, total } => {
                self.progress(what.verb(), done, total, what.in_bytes());
            }
            Update::Text(text) | Update::Error(text) => self.line(&clean_lines(&text)),
        }
    }

    fn done(&self) {
        end(self.work.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    fn remark(&self, text: &str) {
        let text = text.strip_prefix("warning:").unwrap_or(text).trim();
        let warning = style("warning:").for_stderr().magenta().bold();
        self.line(&format!("{warning} {}", clean_lines(text)));
    }
}
