//! What is remembered of commits between runs, which never changes, and of the work tree above one. Files that
//! cannot be read or mean nothing are passed over.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

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
            let text = fs::read(self.file(rev, how)?).ok()?;
            serde_json::from_slice(&text).ok()
        };
        read().unwrap_or_default()
    }

    /// Remembers. What can't be written is found out again the next time.
    pub(super) fn remember(&self, rev: &str, how: &str, commit: &Commit) {
        let write = || {
            let file = self.file(rev, how)?;
            let folder = file.parent()?;
            fs::create_dir_all(folder).ok()?;
            let mut new = tempfile::NamedTempFile::new_in(folder).ok()?;
            new.write_all(&serde_json::to_vec(commit).ok()?).ok()?;
            new.persist(&file).ok()
        };
        let _ = write();
    }

    fn file(&self, rev: &str, how: &str) -> Option<PathBuf> {
        let plain = rev.bytes().all(|byte| byte.is_ascii_hexdigit());
        plain.then_some(())?;
        Some(self.folder.as_ref()?.join(format!("{rev}{how}.json")))
    }
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
}
