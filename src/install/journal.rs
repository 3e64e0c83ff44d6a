//! The journal of a run: one JSON line a finished phase, so that an interrupted run can go on.
//!
//! A line counts once it ends with a newline; a torn last line is what a kill leaves, and is
//! dropped. Nothing secret is ever written.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::context::Access;
use super::phase::Phase;
use super::record::Record;
use super::state_file;
use crate::validated::HostName;

/// The format of the lines.
const VERSION: u32 = 1;

/// What a run is called in the state directory: the host and a hash of the flake's place.
#[must_use]
pub fn run_name(host: &HostName, flake: &str, flake_dir: Option<&Path>) -> String {
    let place = flake_dir.map(|dir| fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned()));
    let place = place
        .as_deref()
        .map_or(flake.as_bytes(), |dir| std::os::unix::ffi::OsStrExt::as_bytes(dir.as_os_str()));
    format!("{host}-{}", &HEXLOWER.encode(&Sha256::digest(place))[..12])
}

/// Seconds since 1970.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// Why the journal is of no use.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It cannot be read or written.
    #[error("the journal {file}: {source}")]
    Io {
        /// Its file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// A line other than the last cannot be read.
    #[error("the journal {file} is damaged in line {line}: {reason}")]
    Damaged {
        /// Its file.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A newer version of this program has written it.
    #[error("the journal {file} was written by a newer version of this program")]
    Newer {
        /// Its file.
        file: String,
    },
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "kebab-case", rename_all_fields = "camelCase")]
enum Entry {
    /// A run begins or goes on.
    Started {
        version: u32,
        host: HostName,
        flake: String,
        digest: String,
        access: Box<Access>,
        record: Box<Record>,
        /// Phases that were finished but have to be done again.
        again: Vec<Phase>,
        time: u64,
        pid: u32,
    },
    /// A phase ended well.
    Finished { phase: Phase, millis: u64, summary: String, record: Box<Record>, time: u64 },
    /// The run ended before its end, but not by a kill.
    Ended { phase: Phase, error: String, time: u64 },
}

/// What the journal says of an interrupted run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Digest of its plan; `None` if no run has been interrupted.
    pub digest: Option<String>,
    /// How its target was reached.
    pub access: Option<Access>,
    /// What it has learned.
    pub record: Record,
    /// The phases that it has finished, in order.
    pub finished: Vec<FinishedPhase>,
    /// When it began, in seconds since 1970.
    pub since: u64,
}

/// A phase that an interrupted run has finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedPhase {
    /// Which.
    pub phase: Phase,
    /// How long it took.
    pub millis: u64,
    /// What it did.
    pub summary: String,
}

impl State {
    /// Is `phase` finished?
    #[must_use]
    pub fn has(&self, phase: Phase) -> bool {
        self.finished.iter().any(|finished| finished.phase == phase)
    }

    fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Started { digest, access, record, again, time, .. } => {
                if self.digest.is_none() {
                    self.since = time;
                }
                self.digest = Some(digest);
                self.access = Some(*access);
                self.record = *record;
                self.finished.retain(|finished| !again.contains(&finished.phase));
            }
            Entry::Finished { phase, millis, summary, record, .. } => {
                self.record = *record;
                self.finished.retain(|finished| finished.phase != phase);
                self.finished.push(FinishedPhase { phase, millis, summary });
            }
            Entry::Ended { .. } => {}
        }
    }
}

/// The journal of a run that goes on now. Needs the run's lock to be held.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
}

/// Reads what the journal of the run `name` says. Changes nothing.
pub fn read(dir: &Path, name: &str) -> Result<State, JournalError> {
    let path = path(dir, name);
    match fs::read(&path) {
        Ok(content) => parse(&path, &content).map(|(state, _)| state),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(State::default()),
        Err(source) => Err(JournalError::Io { file: path.display().to_string(), source }),
    }
}

/// Puts the journal of the run `name` aside as `.old`, for a run that starts anew.
pub fn set_aside(dir: &Path, name: &str) -> Result<(), JournalError> {
    let path = path(dir, name);
    match fs::rename(&path, path.with_extension("jsonl.old")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(JournalError::Io { file: path.display().to_string(), source: error })
        }
        _ => Ok(()),
    }
}

impl Journal {
    /// Opens the journal of the run `name` and cuts off a torn last line.
    pub fn open(dir: &Path, name: &str) -> Result<(Self, State), JournalError> {
        let path = path(dir, name);
        let broken = |source| JournalError::Io { file: path.display().to_string(), source };
        let mut file = state_file::open(dir, &path).map_err(broken)?;
        let mut content = Vec::new();
        file.read_to_end(&mut content).map_err(broken)?;
        let (state, whole) = parse(&path, &content)?;
        file.set_len(whole).and_then(|()| file.seek(SeekFrom::End(0))).map_err(broken)?;
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(broken)?;
        Ok((Self { path, file }, state))
    }

    /// A run begins or goes on; `again` are finished phases that have to be done again.
    pub fn started(
        &mut self,
        host: &HostName,
        flake: &str,
        digest: &str,
        access: &Access,
        record: &Record,
        again: &[Phase],
    ) -> Result<(), JournalError> {
        self.append(&Entry::Started {
            version: VERSION,
            host: host.clone(),
            flake: flake.to_owned(),
            digest: digest.to_owned(),
            access: Box::new(access.clone()),
            record: Box::new(record.clone()),
            again: again.to_owned(),
            time: now(),
            pid: std::process::id(),
        })
    }

    /// A phase ended well.
    pub fn finished(
        &mut self,
        phase: Phase,
        millis: u64,
        summary: &str,
        record: &Record,
    ) -> Result<(), JournalError> {
        let (summary, record) = (summary.to_owned(), Box::new(record.clone()));
        self.append(&Entry::Finished { phase, millis, summary, record, time: now() })
    }

    /// The run ends in `phase`, before its end.
    pub fn ended(&mut self, phase: Phase, error: &str) -> Result<(), JournalError> {
        self.append(&Entry::Ended { phase, error: error.to_owned(), time: now() })
    }

    /// The run has reached its end: puts the journal away, so that the next run starts fresh.
    pub fn archive(self) -> Result<PathBuf, JournalError> {
        let place = self.path.with_extension(format!("{}.done", now()));
        fs::rename(&self.path, &place)
            .map_err(|source| JournalError::Io { file: self.path.display().to_string(), source })?;
        Ok(place)
    }

    fn append(&mut self, entry: &Entry) -> Result<(), JournalError> {
        let broken = |source| JournalError::Io { file: self.path.display().to_string(), source };
        let mut line = serde_json::to_vec(entry).map_err(|error| broken(error.into()))?;
        line.push(b'\n');
        // One write, so that a kill leaves at most one torn line.
        self.file.write_all(&line).map_err(broken)?;
        self.file.sync_all().map_err(broken)
    }
}

fn path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.jsonl"))
}

/// The state, and how many bytes are whole lines.
fn parse(path: &Path, content: &[u8]) -> Result<(State, u64), JournalError> {
    let file = || path.display().to_string();
    let end = content.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let mut state = State::default();
    for (index, line) in content[..end].split(|byte| *byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        let damaged =
            |reason: String| JournalError::Damaged { file: file(), line: index + 1, reason };
        let value: serde_json::Value =
            serde_json::from_slice(line).map_err(|error| damaged(error.to_string()))?;
        if value.get("version").and_then(serde_json::Value::as_u64) > Some(u64::from(VERSION)) {
            return Err(JournalError::Newer { file: file() });
        }
        let entry = serde_json::from_value(value).map_err(|error| damaged(error.to_string()))?;
        state.apply(entry);
    }
    Ok((state, end as u64))
}

#[cfg(test)]
mod tests {
    use super::super::context::Door;
    use super::*;

    fn access() -> Access {
        let door = Door { port: 22, user: "root".parse().unwrap() };
        let address = "10.0.0.1".parse().unwrap();
        Access { address, installer: door.clone(), installed: door, identity: None }
    }

    fn begin(dir: &Path) -> Journal {
        let (mut journal, _) = Journal::open(dir, "grief-1").unwrap();
        let host = "grief".parse().unwrap();
        journal.started(&host, ".", "digest", &access(), &Record::default(), &[]).unwrap();
        journal
    }

    #[test]
    fn what_was_finished_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = begin(dir.path());
        let record = Record { host_keys: vec!["key".to_owned()], ..Record::default() };
        journal.finished(Phase::Hostkey, 12, "made", &record).unwrap();
        let state = read(dir.path(), "grief-1").unwrap();
        assert_eq!(state.digest.as_deref(), Some("digest"));
        assert_eq!(state.record, record);
        assert!(state.has(Phase::Hostkey) && !state.has(Phase::Disko));
        journal.archive().unwrap();
        assert_eq!(read(dir.path(), "grief-1").unwrap(), State::default());
    }

    #[test]
    fn a_torn_last_line_is_dropped_at_every_length() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = begin(dir.path());
        journal.finished(Phase::Hostkey, 12, "made", &Record::default()).unwrap();
        let path = path(dir.path(), "grief-1");
        let whole = fs::read(&path).unwrap();
        let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for cut in first..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let (mut journal, state) = Journal::open(dir.path(), "grief-1").unwrap();
            assert!(!state.has(Phase::Hostkey), "cut at {cut}");
            journal.finished(Phase::Hardware, 1, "written", &Record::default()).unwrap();
            let state = read(dir.path(), "grief-1").unwrap();
            assert!(state.has(Phase::Hardware), "cut at {cut}");
        }
    }

    #[test]
    fn damage_elsewhere_is_named_by_its_line() {
        let dir = tempfile::tempdir().unwrap();
        drop(begin(dir.path()));
        let path = path(dir.path(), "grief-1");
        let mut content = fs::read(&path).unwrap();
        content.extend_from_slice(b"{\"entry\":\"fini\n");
        fs::write(&path, content).unwrap();
        let error = read(dir.path(), "grief-1").unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }

    #[test]
    fn phases_to_be_done_again_are_no_longer_finished() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = begin(dir.path());
        journal.finished(Phase::Hostkey, 1, "", &Record::default()).unwrap();
        journal.finished(Phase::Install, 1, "", &Record::default()).unwrap();
        let host = "grief".parse().unwrap();
        let again = [Phase::Install];
        journal.started(&host, ".", "digest", &access(), &Record::default(), &again).unwrap();
        let state = read(dir.path(), "grief-1").unwrap();
        assert!(state.has(Phase::Hostkey) && !state.has(Phase::Install));
    }

    #[test]
    fn starting_anew_keeps_the_old_journal() {
        let dir = tempfile::tempdir().unwrap();
        drop(begin(dir.path()));
        set_aside(dir.path(), "grief-1").unwrap();
        assert_eq!(read(dir.path(), "grief-1").unwrap(), State::default());
        assert!(dir.path().join("grief-1.jsonl.old").exists());
        set_aside(dir.path(), "grief-1").unwrap();
    }

    #[test]
    fn the_name_of_a_run_depends_on_host_and_flake() {
        let host: HostName = "grief".parse().unwrap();
        let name = |flake: &str| run_name(&host, flake, None);
        assert_ne!(name("github:a/b"), name("github:a/c"));
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(run_name(&host, ".", Some(dir.path())), run_name(&host, "x", Some(dir.path())));
    }
}
