//! What is remembered of commits between runs, which never changes, and of the work tree above one. Files that
//! cannot be read or mean nothing are passed over; those that nobody has asked for in a month go away.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// What is known of a commit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Commit {
    /// The hash of its tree's archive, as `sha256-…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) nar_hash: Option<String>,
    /// The state of the work tree that the hash is of, where it is one's: see `Tree::stamp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stamp: Option<String>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) time: Option<u64>,
    /// How many commits led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) count: Option<u64>,
}

/// How the name of an entry ends.
const ENDING: &str = ".json";
/// After which time without use an entry goes.
const FORGOTTEN: Duration = Duration::from_secs(30 * DAY);
const DAY: u64 = 24 * 60 * 60;

/// The folder with what is remembered.
#[derive(Debug, Clone, Default)]
pub(super) struct Cache {
    folder: Option<PathBuf>,
}

impl Cache {
    /// A cache below `folder`; without one nothing is remembered.
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder: folder.map(|folder| folder.join("git")) }
    }

    /// What is known of a commit, whose tree was taken in the way that `how` says.
    pub(super) fn commit(&self, rev: &str, how: &str) -> Commit {
        let read = || {
            let text = read(&self.file(rev, how)?).ok()?;
            serde_json::from_slice(&text).ok()
        };
        read().unwrap_or_default()
    }

    /// Remembers, and forgets what was not used for long. What can't be written is found out again the next time.
    pub(super) fn remember(&self, rev: &str, how: &str, commit: &Commit) {
        let write = || {
            let file = self.file(rev, how)?;
            let folder = file.parent()?;
            fs::create_dir_all(folder).ok()?;
            let mut new = tempfile::NamedTempFile::new_in(folder).ok()?;
            new.write_all(&serde_json::to_vec(commit).ok()?).ok()?;
            new.persist(&file).ok()?;
            tidy(folder).ok()
        };
        let _ = write();
    }

    fn file(&self, rev: &str, how: &str) -> Option<PathBuf> {
        is_rev(rev).then_some(())?;
        Some(self.folder.as_ref()?.join(format!("{rev}{how}{ENDING}")))
    }
}

/// Reads an entry. The time of its last change is that of its last use, to the day: file systems need not keep a time of
/// access (mount(8), "noatime").
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    let now = SystemTime::now();
    if unused(&file.metadata()?, now) > Duration::from_secs(DAY) {
        // Another user's cache, or one that can't be written, is good to be read.
        let _ = file.set_modified(now);
    }
    Ok(text)
}

/// Removes the entries of `folder` that were not used for long.
fn tidy(folder: &Path) -> io::Result<()> {
    let now = SystemTime::now();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        if about.is_file() && is_entry(&entry.file_name()) && unused(&about, now) > FORGOTTEN {
            // Another run may have been faster.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// For how long a file was not used. A clock that was set back says: not at all.
fn unused(about: &fs::Metadata, now: SystemTime) -> Duration {
    let used = about.modified().unwrap_or(now);
    now.duration_since(used).unwrap_or_default()
}

/// Is it the name of an entry: a commit, and how its tree was taken?
fn is_entry(name: &OsStr) -> bool {
    let name = name.to_str().and_then(|name| name.strip_suffix(ENDING));
    name.is_some_and(|name| {
        let (rev, how) = name.split_at(name.find('-').unwrap_or(name.len()));
        is_rev(rev) && how.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase())
    })
}

fn is_rev(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_remembered_and_odd_files_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(Some(dir.path().to_owned()));
        let commit =
            Commit { nar_hash: Some("sha256-x".into()), time: Some(7), ..Commit::default() };
        assert_eq!(cache.commit("ab12", ""), Commit::default());
        cache.remember("ab12", "", &commit);
        assert_eq!(cache.commit("ab12", ""), commit);
        assert_eq!(cache.commit("ab12", "-s"), Commit::default());
        for odd in ["", "{", "[]", "{\"time\":\"x\"}", "\u{0}"] {
            fs::write(dir.path().join("git/ab12.json"), odd).unwrap();
            assert_eq!(cache.commit("ab12", ""), Commit::default(), "{odd:?}");
        }
        cache.remember("../x", "", &commit);
        assert!(!dir.path().join("x.json").exists());
        let none = Cache::new(None);
        none.remember("ab12", "", &commit);
        assert_eq!(none.commit("ab12", ""), Commit::default());
    }
    #[test]
    fn what_was_not_used_for_long_goes_when_something_new_comes() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(Some(dir.path().to_owned()));
        let (commit, path) = (Commit::default(), |name: &str| dir.path().join("git").join(name));
        let age = |name: &str, days: u64| {
            let file = File::options().append(true).create(true).open(path(name)).unwrap();
            let then = SystemTime::now() - Duration::from_secs(days * DAY);
            file.set_modified(then).unwrap();
        };
        for rev in ["a1", "a2", "a3"] {
            cache.remember(rev, "-work-s", &commit);
        }
        age("a1-work-s.json", 31);
        age("a2-work-s.json", 31);
        age("a3-work-s.json", 29);
        // Nobody else's files are touched, whatever they are called.
        let foreign = ["notes.json", "a4.txt", "-work.json", "a5-Mine.json"];
        for name in foreign {
            age(name, 400);
        }
        age("target", 400);
        std::os::unix::fs::symlink("target", path("a6.json")).unwrap();
        fs::create_dir(path("a7.json")).unwrap();

        assert_eq!(cache.commit("a2", "-work-s"), commit, "and so it is used");
        cache.remember("b1", "", &commit);
        assert!(!path("a1-work-s.json").exists());
        for kept in ["a2-work-s.json", "a3-work-s.json", "b1.json", "target", "a6.json", "a7.json"]
        {
            assert!(path(kept).exists(), "{kept}");
        }
        assert!(foreign.iter().all(|name| path(name).exists()));
    }
}
