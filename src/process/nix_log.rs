//! The log that nix writes to standard error with `--log-format internal-json`: read line by line
//! into what a person wants to know. Pure; what nix itself shows of it is not copied here.
//!
//! The numbers are those of Nix 2.34, `src/libutil/include/nix/util/logging.hh`; they have been
//! the same since Nix 2.0. What this reader does not know it passes over.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

/// What one line of the log said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Update {
    /// How far nix is with one kind of work.
    Progress {
        /// The kind of work.
        what: Work,
        /// Bytes or items done.
        done: u64,
        /// Out of; grows while nix finds more work. `None` while it knows nothing.
        total: Option<u64>,
    },
    /// A message, or a line that a builder wrote; without colours, may have several lines.
    Text(String),
    /// An error message, without colours, as nix words it ("error: …").
    Error(String),
}

/// A kind of work that nix counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Work {
    /// Derivations built, in items.
    Build,
    /// Store paths copied from or to another store, in bytes.
    Copy,
    /// Files fetched, such as a flake's inputs, in bytes.
    Download,
}

impl Work {
    /// The word for people.
    #[must_use]
    pub fn verb(self) -> &'static str {
        match self {
            Self::Build => "building",
            Self::Copy => "copying",
            Self::Download => "downloading",
        }
    }

    /// Is it counted in bytes?
    #[must_use]
    pub fn in_bytes(self) -> bool {
        self != Self::Build
    }

    fn of_activity(kind: u64) -> Option<Self> {
        match kind {
            COPY_PATH => Some(Self::Copy),
            FILE_TRANSFER => Some(Self::Download),
            BUILDS => Some(Self::Build),
            _ => None,
        }
    }
}

// Activity types.
const COPY_PATH: u64 = 100;
const FILE_TRANSFER: u64 = 101;
const BUILDS: u64 = 104;
const BUILD: u64 = 105;
const SUBSTITUTE: u64 = 108;
const QUERY_PATH_INFO: u64 = 109;

// Result types.
const BUILD_LOG_LINE: u64 = 101;
const PROGRESS: u64 = 105;
const SET_EXPECTED: u64 = 106;
const POST_BUILD_LOG_LINE: u64 = 107;

/// `lvlInfo`: what nix shows without `-v`.
const INFO: u64 = 3;

/// A bar of more than this many steps moves no more smoothly.
const STEPS: u64 = 500;

/// Reads the log of one nix process.
#[derive(Debug, Default)]
pub struct Log {
    running: HashMap<u64, Activity>,
    ended: HashMap<Work, Ended>,
    told: HashMap<Work, (u64, u64)>,
}

/// An activity that has begun and not ended.
#[derive(Debug, Default)]
struct Activity {
    kind: u64,
    parent: u64,
    name: String,
    done: u64,
    expected: u64,
    /// What this activity expects of other kinds of work.
    expects: HashMap<Work, u64>,
}

/// What activities that have ended leave in the sum of their kind.
#[derive(Debug, Default)]
struct Ended {
    done: u64,
}

/// One line after `@nix `.
#[derive(Deserialize)]
struct Entry {
    action: String,
    #[serde(default)]
    id: u64,
    #[serde(default)]
    level: u64,
    #[serde(default, rename = "type")]
    kind: u64,
    #[serde(default)]
    parent: u64,
    #[serde(default)]
    text: String,
    #[serde(default)]
    msg: String,
    /// Only errors and warnings that nix raised have it.
    raw_msg: Option<String>,
    #[serde(default)]
    fields: Vec<Value>,
}

impl Entry {
    fn number(&self, index: usize) -> Option<u64> {
        self.fields.get(index).and_then(Value::as_u64)
    }

    fn string(&self, index: usize) -> Option<&str> {
        self.fields.get(index).and_then(Value::as_str)
    }
}

impl Log {
    /// A log of which nothing has been read.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads one line, without its newline. Lines that are not nix's (ssh's, a hook's) and lines
    /// that it can't have meant come back as text, so that nothing is lost.
    pub fn line(&mut self, line: &str) -> Option<Update> {
        let Some(json) = line.strip_prefix("@nix ") else { return text(line) };
        let Ok(entry) = serde_json::from_str::<Entry>(json) else { return text(line) };
        match entry.action.as_str() {
            "msg" => message(&entry),
            "start" => self.start(&entry),
            "stop" => self.stop(entry.id),
            "result" => self.result(&entry),
            _ => None,
        }
    }

    fn start(&mut self, entry: &Entry) -> Option<Update> {
        // A download that is part of copying a path is counted there.
        let inner = entry.kind == FILE_TRANSFER
            && [COPY_PATH, SUBSTITUTE, QUERY_PATH_INFO]
                .iter()
                .any(|kind| self.is_within(*kind, entry.parent));
        let activity = Activity {
            kind: if inner { 0 } else { entry.kind },
            parent: entry.parent,
            name: entry.string(0).map(short_name).unwrap_or_default(),
            ..Activity::default()
        };
        self.running.insert(entry.id, activity);
        if entry.level <= INFO && !entry.text.is_empty() { text(&entry.text) } else { None }
    }

    fn is_within(&self, kind: u64, mut id: u64) -> bool {
        // A parent is older than its child; the count guards against a log that says otherwise.
        for _ in 0..16 {
            let Some(activity) = self.running.get(&id) else { return false };
            if activity.kind == kind {
                return true;
            }
            id = activity.parent;
        }
        false
    }

    fn stop(&mut self, id: u64) -> Option<Update> {
        let activity = self.running.remove(&id)?;
        let work = Work::of_activity(activity.kind)?;
        let ended = self.ended.entry(work).or_default();
        ended.done = ended.done.saturating_add(activity.done);
        None
    }

    fn result(&mut self, entry: &Entry) -> Option<Update> {
        match entry.kind {
            BUILD_LOG_LINE | POST_BUILD_LOG_LINE => self.builder_line(entry),
            PROGRESS => {
                let (done, expected) = (entry.number(0)?, entry.number(1)?);
                let activity = self.running.get_mut(&entry.id)?;
                (activity.done, activity.expected) = (done, expected);
                let work = Work::of_activity(activity.kind)?;
                self.progress(work)
            }
            SET_EXPECTED => {
                let work = Work::of_activity(entry.number(0)?)?;
                let expected = entry.number(1)?;
                self.running.get_mut(&entry.id)?.expects.insert(work, expected);
                None
            }
            _ => None,
        }
    }

    fn builder_line(&self, entry: &Entry) -> Option<Update> {
        let line = entry.string(0)?.trim_end();
        match self.running.get(&entry.id) {
            Some(activity) if activity.kind == BUILD && !activity.name.is_empty() => {
                text(&format!("{}> {line}", activity.name))
            }
            _ => text(line),
        }
    }

    /// The sum over all activities of this kind, where it has moved by a visible step.
    fn progress(&mut self, work: Work) -> Option<Update> {
        let mut done = self.ended.get(&work).map_or(0, |ended| ended.done);
        let mut total = done;
        let mut announced: u64 = 0;
        for activity in self.running.values() {
            if Work::of_activity(activity.kind) == Some(work) {
                done = done.saturating_add(activity.done);
                total = total.saturating_add(activity.expected);
            }
            announced = announced.saturating_add(activity.expects.get(&work).copied().unwrap_or(0));
        }
        let total = total.max(announced);
        let (told_done, told_total) = self.told.get(&work).copied().unwrap_or_default();
        let step = (total / STEPS).max(1);
        if told_total == total && done.abs_diff(told_done) < step && done != total {
            return None;
        }
        if (told_done, told_total) == (done, total) {
            return None;
        }
        self.told.insert(work, (done, total));
        Some(Update::Progress { what: work, done, total: (total > 0).then_some(total) })
    }
}

fn message(entry: &Entry) -> Option<Update> {
    let plain = without_escapes(&entry.msg);
    let said = plain.trim();
    if said.is_empty() || entry.level > INFO {
        return None;
    }
    // `builtins.trace` logs at level 0, too, but raises nothing.
    if entry.level == 0 && (entry.raw_msg.is_some() || said.starts_with("error:")) {
        return Some(Update::Error(said.to_owned()));
    }
    Some(Update::Text(plain.trim_end().to_owned()))
}

fn text(line: &str) -> Option<Update> {
    let plain = without_escapes(line);
    let plain = plain.trim_end();
    (!plain.is_empty()).then(|| Update::Text(plain.to_owned()))
}

/// `alpha` of `/nix/store/HASH-alpha.drv`; the text itself where it is no such path.
fn short_name(path: &str) -> String {
    let base = path.rsplit('/').next().unwrap_or(path);
    let name = base.split_once('-').map_or(base, |(_, name)| name);
    name.strip_suffix(".drv").unwrap_or(name).to_owned()
}

/// `text` without terminal escapes and control characters other than newline and tab.
#[must_use]
pub fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => skip_escape(&mut rest),
            '\n' | '\t' => plain.push(c),
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    plain
}

/// Skips what follows an escape character: a CSI or OSC sequence, or one character.
fn skip_escape(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match rest.next() {
        Some('[') => {
            for c in rest.by_ref() {
                if ('\u{40}'..='\u{7e}').contains(&c) {
                    break;
                }
            }
        }
        Some(']') => {
            while let Some(c) = rest.next() {
                if c == '\u{7}' || (c == '\u{1b}' && rest.next_if_eq(&'\\').is_some()) {
                    break;
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from Nix 2.34.8. Of the runs of progress lines every 60th (400th) is kept.
    const BUILD_LOG: &str = include_str!("testdata/nix-build.log");
    const BROKEN_LOG: &str = include_str!("testdata/nix-build-broken.log");
    const COPY_LOG: &str = include_str!("testdata/nix-copy.log");
    const SUBSTITUTE_LOG: &str = include_str!("testdata/nix-substitute.log");
    const EVAL_ERROR_LOG: &str = include_str!("testdata/nix-eval-error.log");

    fn read(log: &str) -> Vec<Update> {
        let mut reader = Log::new();
        log.lines().filter_map(|line| reader.line(line)).collect()
    }

    fn texts(updates: &[Update]) -> Vec<&str> {
        fn text(update: &Update) -> Option<&str> {
            match update {
                Update::Text(text) => Some(text),
                _ => None,
            }
        }
        updates.iter().filter_map(text).collect()
    }

    fn progress(updates: &[Update], work: Work) -> Vec<(u64, Option<u64>)> {
        let of = |update: &Update| match update {
            Update::Progress { what, done, total } if *what == work => Some((*done, *total)),
            _ => None,
        };
        updates.iter().filter_map(of).collect()
    }

    #[test]
    fn a_build_counts_its_derivations_and_passes_on_what_builders_say() {
        let updates = read(BUILD_LOG);
        let builds = progress(&updates, Work::Build);
        assert_eq!(builds.first(), Some(&(0, Some(1))));
        assert_eq!(builds.last(), Some(&(2, Some(3))), "the log's own last figures");
        let texts = texts(&updates);
        assert!(texts.contains(&"these 2 derivations will be built:"), "{texts:?}");
        assert!(texts.contains(&"alpha> line one of alpha"), "{texts:?}");
        assert!(texts.iter().any(|text| text.starts_with("building '/nix/store/")), "{texts:?}");
        assert!(!updates.iter().any(|update| matches!(update, Update::Error(_))));
    }

    #[test]
    fn a_failed_build_is_an_error_without_colours() {
        let updates = read(BROKEN_LOG);
        assert!(texts(&updates).contains(&"broken> to stderr"));
        let Some(Update::Error(error)) = updates.last() else { panic!("{updates:?}") };
        assert!(error.starts_with("error: Cannot build '/nix/store/"), "{error}");
        assert!(error.contains("Reason: builder failed with exit code 3."), "{error}");
    }

    #[test]
    fn a_copy_counts_bytes_to_its_end_and_never_backwards() {
        let updates = read(COPY_LOG);
        let copied = progress(&updates, Work::Copy);
        assert!(copied.len() > 5, "{copied:?}");
        assert!(copied.is_sorted(), "{copied:?}");
        assert_eq!(copied.last(), Some(&(31_457_728, Some(31_457_728))));
        assert!(copied.iter().all(|(_, total)| *total == Some(31_457_728)), "{copied:?}");
    }

    #[test]
    fn fetching_from_a_cache_is_copying_and_is_counted_once() {
        let updates = read(SUBSTITUTE_LOG);
        assert_eq!(progress(&updates, Work::Download), []);
        let copied = progress(&updates, Work::Copy);
        assert_eq!(copied.last(), Some(&(31_457_728, Some(31_457_728))), "{copied:?}");
    }

    #[test]
    fn a_trace_is_text_and_the_error_after_it_names_file_and_line() {
        let updates = read(EVAL_ERROR_LOG);
        assert!(texts(&updates).contains(&"trace: traced"), "{updates:?}");
        let Some(Update::Error(error)) = updates.last() else { panic!("{updates:?}") };
        assert!(error.contains("attribute 'missing' missing"), "{error}");
        assert!(error.contains("flake.nix:2:3"), "{error}");
    }

    #[test]
    fn garbage_is_text_and_never_a_crash() {
        let mut log = Log::new();
        for line in [
            "@nix",
            "@nix {",
            "@nix []",
            "@nix {\"action\":7}",
            "@nix {\"action\":\"result\",\"id\":-1,\"type\":105}",
            "ssh: connect to host x port 22: Connection refused",
            "\u{1b}[31",
            "\u{1b}]0;title",
        ] {
            let update = log.line(line);
            assert!(!matches!(update, Some(Update::Progress { .. })), "{line}: {update:?}");
        }
        let plain = log.line("ssh: \u{1b}[1mlost\u{1b}[0m\r");
        assert_eq!(plain, Some(Update::Text("ssh: lost".into())));
        for line in [
            r#"@nix {"action":"stop","id":99}"#,
            r#"@nix {"action":"result","id":99,"type":105,"fields":[1,2,0,0]}"#,
            r#"@nix {"action":"result","id":99,"type":106,"fields":["x"]}"#,
            r#"@nix {"action":"start","id":5,"parent":5,"type":101,"text":"","level":0}"#,
            r#"@nix {"action":"start","id":6,"parent":5,"type":101,"text":"","level":0}"#,
            r#"@nix {"action":"result","id":6,"type":106,"fields":[101,18446744073709551615]}"#,
            r#"@nix {"action":"result","id":6,"type":109}"#,
            r#"@nix {"action":"new-in-nix-3"}"#,
        ] {
            assert_eq!(log.line(line), None, "{line}");
        }
        let huge = r#"@nix {"action":"result","id":6,"type":105,"fields":[18446744073709551615,18446744073709551615,0,0]}"#;
        assert!(log.line(huge).is_some());
        assert_eq!(log.line(huge), None, "told once");
    }

    #[test]
    fn every_prefix_of_a_real_log_can_be_cut_anywhere() {
        for log in [COPY_LOG, BROKEN_LOG] {
            for line in log.lines() {
                for end in (0..line.len()).filter(|end| line.is_char_boundary(*end)).step_by(7) {
                    let _ = Log::new().line(&line[..end]);
                }
            }
        }
    }
}
