//! An outside that exists only in memory, for tests and fuzzing: files, an environment, a clock that
//! stands still, and a record of what the program wanted printed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;

use super::{EvalIo, Fetch, FileType, Level, nothing_is_fetched};

/// More symbolic links than this in one path are taken for a circle, as Linux does.
const MOST_LINKS: usize = 40;

/// A file, a folder or a link.
#[derive(Debug, Clone)]
enum Entry {
    File { contents: Vec<u8>, executable: bool },
    Folder,
    Link(Vec<u8>),
}

/// An outside in memory. Nothing is built, and fetching gives only what was put in before.
#[derive(Debug)]
pub struct MemoryIo {
    /// By canonical path; the folders above an entry are entries, too.
    entries: BTreeMap<Vec<u8>, Entry>,
    env: BTreeMap<Vec<u8>, Vec<u8>>,
    now: i64,
    messages: RefCell<Vec<(Level, Vec<u8>)>>,
    fetched: Vec<(Fetch, Vec<u8>)>,
}

impl Default for MemoryIo {
    fn default() -> Self {
        Self {
            entries: BTreeMap::from([(b"/".to_vec(), Entry::Folder)]),
            env: BTreeMap::new(),
            now: 0,
            messages: RefCell::default(),
            fetched: Vec::new(),
        }
    }
}

impl MemoryIo {
    /// An outside with nothing in it but `/`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With a file; folders above it are made.
    #[must_use]
    pub fn file(self, path: impl AsRef<[u8]>, contents: impl Into<Vec<u8>>) -> Self {
        self.entry(path.as_ref(), Entry::File { contents: contents.into(), executable: false })
    }

    /// With a file that may be executed.
    #[must_use]
    pub fn executable(self, path: impl AsRef<[u8]>, contents: impl Into<Vec<u8>>) -> Self {
        self.entry(path.as_ref(), Entry::File { contents: contents.into(), executable: true })
    }

    /// With a folder.
    #[must_use]
    pub fn folder(self, path: impl AsRef<[u8]>) -> Self {
        self.entry(path.as_ref(), Entry::Folder)
    }

    /// With a symbolic link to `target`.
    #[must_use]
    pub fn link(self, path: impl AsRef<[u8]>, target: impl Into<Vec<u8>>) -> Self {
        self.entry(path.as_ref(), Entry::Link(target.into()))
    }

    /// With an environment variable.
    #[must_use]
    pub fn var(mut self, name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// With the answer, in JSON, to one fetch.
    #[must_use]
    pub fn fetched(mut self, fetch: Fetch, answer: impl Into<Vec<u8>>) -> Self {
        self.fetched.push((fetch, answer.into()));
        self
    }

    /// At this time, in seconds since 1970.
    #[must_use]
    pub fn at(self, now: i64) -> Self {
        Self { now, ..self }
    }

    /// What the program wanted printed so far.
    #[must_use]
    pub fn messages(&self) -> Vec<(Level, Vec<u8>)> {
        self.messages.borrow().clone()
    }

    fn entry(mut self, path: &[u8], entry: Entry) -> Self {
        let mut above = Vec::new();
        for name in names(path) {
            if !above.is_empty() {
                self.entries.entry(above.clone()).or_insert(Entry::Folder);
            }
            above.push(b'/');
            above.extend_from_slice(name);
        }
        if !above.is_empty() {
            self.entries.insert(above, entry);
        }
        self
    }

    /// The entry at `path` and its canonical path, where links on the way are followed, and one at the
    /// end if `follow` says so.
    fn find(&self, path: &[u8], follow: bool) -> io::Result<(Vec<u8>, &Entry)> {
        let mut todo: Vec<Vec<u8>> = names(path).rev().map(<[u8]>::to_vec).collect();
        let mut at: Vec<Vec<u8>> = Vec::new();
        let mut links = 0;
        loop {
            let here = joined(&at);
            let entry = self.entries.get(&here).ok_or(io::ErrorKind::NotFound)?;
            match (entry, todo.is_empty()) {
                (Entry::Link(target), ended) if follow || !ended => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(io::Error::other("Too many levels of symbolic links"));
                    }
                    at.pop();
                    if target.starts_with(b"/") {
                        at.clear();
                    }
                    todo.extend(names(target).rev().map(<[u8]>::to_vec));
                }
                (Entry::File { .. }, false) => return Err(io::ErrorKind::NotADirectory.into()),
                (_, true) => return Ok((here, entry)),
                _ => {}
            }
            match todo.pop() {
                Some(name) if name == b".." => drop(at.pop()),
                Some(name) => at.push(name),
                None => {}
            }
        }
    }
}

/// The names in a path, without those that mean the same folder.
fn names(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    path.split(|&byte| byte == b'/').filter(|name| !name.is_empty() && name != b".")
}

fn joined(names: &[Vec<u8>]) -> Vec<u8> {
    if names.is_empty() {
        return b"/".to_vec();
    }
    names.iter().flat_map(|name| std::iter::once(b'/').chain(name.iter().copied())).collect()
}

fn kind_of(entry: &Entry) -> FileType {
    match entry {
        Entry::File { executable: true, .. } => FileType::Executable,
        Entry::File { .. } => FileType::Regular,
        Entry::Folder => FileType::Directory,
        Entry::Link(_) => FileType::Symlink,
    }
}

impl EvalIo for MemoryIo {
    fn read_file(&self, path: &[u8]) -> io::Result<Vec<u8>> {
        match self.find(path, true)?.1 {
            Entry::File { contents, .. } => Ok(contents.clone()),
            _ => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    fn read_dir(&self, path: &[u8]) -> io::Result<Vec<(Vec<u8>, FileType)>> {
        let (folder, entry) = self.find(path, true)?;
        if !matches!(entry, Entry::Folder) {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let inside = if folder == b"/" { folder } else { [&folder[..], b"/"].concat() };
        let below = self.entries.range(inside.clone()..);
        let below = below.take_while(|(path, _)| path.starts_with(&inside));
        let entries = below.filter_map(|(path, entry)| {
            let name = &path[inside.len()..];
            let direct = !name.is_empty() && !name.contains(&b'/');
            let kind = match kind_of(entry) {
                FileType::Executable => FileType::Regular,
                kind => kind,
            };
            direct.then(|| (name.to_vec(), kind))
        });
        Ok(entries.collect())
    }

    fn file_type(&self, path: &[u8]) -> io::Result<Option<FileType>> {
        match self.find(path, false) {
            Ok((_, entry)) => Ok(Some(kind_of(entry))),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
                _ => Err(error),
            },
        }
    }

    fn read_link(&self, path: &[u8]) -> io::Result<Vec<u8>> {
        match self.find(path, false)?.1 {
            Entry::Link(target) => Ok(target.clone()),
            _ => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    fn env(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.env.get(name).cloned()
    }

    fn now(&self) -> i64 {
        self.now
    }

    fn fetch(&self, fetch: &Fetch) -> io::Result<Vec<u8>> {
        let known = self.fetched.iter().find(|(known, _)| known == fetch);
        known.map(|(_, answer)| answer.clone()).ok_or_else(nothing_is_fetched)
    }

    fn message(&self, level: Level, text: &[u8]) {
        self.messages.borrow_mut().push((level, text.to_vec()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> MemoryIo {
        MemoryIo::new()
            .file("/a/b/file", "text")
            .executable("/a/tool", "")
            .folder("/a-empty/")
            .link("/a/up", "../a-empty")
            .link("/root", "/a/./b")
            .link("/round", "round")
            .link("/dangling", "nowhere")
    }

    #[test]
    fn links_are_followed_as_in_a_real_file_system() {
        let io = sample();
        assert_eq!(io.read_file(b"/root/file").unwrap(), b"text");
        assert_eq!(io.read_file(b"/a/up/../a/b/file").unwrap(), b"text");
        assert_eq!(io.file_type(b"/root").unwrap(), Some(FileType::Symlink));
        assert_eq!(io.file_type(b"/a/tool").unwrap(), Some(FileType::Executable));
        assert_eq!(io.file_type(b"/a/tool/x").unwrap(), None);
        assert_eq!(io.file_type(b"/").unwrap(), Some(FileType::Directory));
        assert_eq!(io.read_link(b"/a/up").unwrap(), b"../a-empty");
        assert!(io.read_file(b"/round").is_err());
        assert_eq!(io.read_file(b"/dangling").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(io.read_file(b"/a").unwrap_err().kind(), io::ErrorKind::IsADirectory);
    }

    #[test]
    fn folders_list_what_is_directly_in_them() {
        let io = sample();
        let list = |path: &[u8]| {
            let entries = io.read_dir(path).unwrap();
            let names = entries.into_iter().map(|(name, _)| String::from_utf8(name).unwrap());
            names.collect::<Vec<_>>()
        };
        assert_eq!(list(b"/"), ["a", "a-empty", "dangling", "root", "round"]);
        assert_eq!(list(b"/a"), ["b", "tool", "up"]);
        assert_eq!(list(b"/a/up"), Vec::<String>::new());
        assert_eq!(io.read_dir(b"/root").unwrap(), [(b"file".to_vec(), FileType::Regular)]);
        assert!(io.read_dir(b"/a/tool").is_err());
    }

    #[test]
    fn messages_are_recorded_and_time_stands_still() {
        let io = MemoryIo::new().var("HOME", "/h").at(7);
        io.message(Level::Trace, b"x");
        assert_eq!(io.messages(), [(Level::Trace, b"x".to_vec())]);
        assert_eq!((io.env(b"HOME"), io.env(b"X"), io.now()), (Some(b"/h".to_vec()), None, 7));
        assert!(io.fetch(&super::super::Fetch { builtin: "fetchurl", argument: vec![] }).is_err());
    }
}
