//! The evaluator's one door to the outside. Nothing else in this room reads files, the environment or
//! the clock, starts programs or prints.

use std::collections::BTreeSet;
use std::io;

use super::store_state::StoreState;
use crate::store::StorePath;

mod line;
mod memory;
mod real;

pub(super) use line::without_escapes;
pub use memory::MemoryIo;
pub(super) use real::read_plain;
pub use real::{FetchHook, RealIo, StoreHook};

/// What a directory entry is, in the words of `builtins.readDir`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileType {
    /// A plain file.
    Regular,
    /// A plain file that may be executed.
    Executable,
    /// A folder.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A socket, a device …
    Unknown,
}

/// How important a line is that the program wants printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// `trace`: printed as it is, behind `trace: `.
    Trace,
    /// `warn`: behind `evaluation warning: `.
    Warning,
    /// A remark of the evaluator's own: behind `warning: `.
    Remark,
}

/// A fetch that is left to the real `nix`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fetch {
    /// The builtin: `fetchurl`, `fetchTarball`, `fetchGit`, `fetchTree`, `fetchMercurial`, `fetchClosure`.
    pub builtin: &'static str,
    /// Its argument as a Nix expression in text: strings, numbers and sets of them only.
    pub argument: Vec<u8>,
}

/// Outputs of derivations that an evaluation wants to read.
#[derive(Clone, Copy)]
pub struct Wanted<'w> {
    /// What the evaluation has made so far: these derivations, and what they are built from.
    pub state: &'w StoreState,
    /// Where the evaluation finds what it has copied.
    pub io: &'w dyn EvalIo,
    /// Derivations with the names of outputs.
    pub outputs: &'w [(StorePath, Box<[u8]>)],
    /// Is all that they refer to asked for as well?
    pub with_closure: bool,
}

/// The outside as the evaluator sees it. Paths are absolute and canonical, as bytes.
pub trait EvalIo {
    /// The whole contents of a file; symbolic links are followed.
    fn read_file(&self, path: &[u8]) -> io::Result<Vec<u8>>;

    /// Where on the disk [`EvalIo::read_file`] reads a file, if it does no more than that. Whoever can't tell
    /// says nothing.
    fn disk_path(&self, path: &[u8]) -> Option<Vec<u8>> {
        let _ = path;
        None
    }

    /// A file to be read piece by piece, and how many bytes it has.
    fn open_file<'f>(&'f self, path: &[u8]) -> io::Result<(u64, Box<dyn io::Read + 'f>)> {
        let contents = self.read_file(path)?;
        Ok((contents.len() as u64, Box::new(io::Cursor::new(contents))))
    }

    /// The entries of a folder with their types, in any order; symbolic links in `path` are followed, those
    /// among the entries are not.
    fn read_dir(&self, path: &[u8]) -> io::Result<Vec<(Vec<u8>, FileType)>>;

    /// What stands at `path`, without following a link at its end; `None` if nothing does.
    fn file_type(&self, path: &[u8]) -> io::Result<Option<FileType>>;

    /// Where a symbolic link points to.
    fn read_link(&self, path: &[u8]) -> io::Result<Vec<u8>>;

    /// The error of a path where nothing stands. What it says beyond its kind is the whole message.
    fn missing(&self, path: &[u8]) -> io::Error {
        let _ = path;
        io::ErrorKind::NotFound.into()
    }

    /// An environment variable.
    fn env(&self, name: &[u8]) -> Option<Vec<u8>>;

    /// Seconds since 1970.
    fn now(&self) -> i64;

    /// A line that the program wants printed. `text` has no prefix and no newline at its end.
    fn message(&self, level: Level, text: &[u8]);

    /// Is this store path (`/nix/store/…`, without anything behind its name) in the store?
    fn store_path_exists(&self, path: &[u8]) -> io::Result<bool> {
        Ok(self.file_type(path)?.is_some())
    }

    /// Builds outputs of derivations, if they are not there, so that their files can be read: import from
    /// derivation. Says what may be read now.
    fn realise(&self, wanted: &Wanted<'_>) -> io::Result<BTreeSet<StorePath>> {
        let _ = wanted;
        Err(nothing_is_built())
    }

    /// What a store path refers to that is in the store; nothing if that is not known.
    fn references(&self, path: &StorePath) -> io::Result<BTreeSet<StorePath>> {
        let _ = path;
        Ok(BTreeSet::new())
    }

    /// Has the real `nix` fetch something, and returns what its builtin returned, as JSON.
    fn fetch(&self, fetch: &Fetch) -> io::Result<Vec<u8>> {
        let _ = fetch;
        Err(nothing_is_fetched())
    }

    /// Has the user pressed Ctrl-C, or is a limit of the caller's reached? Asked now and then.
    fn interrupted(&self) -> bool {
        false
    }
}

/// What the system says of a failure, without the number that Rust puts behind it: `No such file or
/// directory`, as `strerror` has it.
#[must_use]
pub fn reason(error: &io::Error) -> String {
    let text = match error.kind() {
        // Made without the system's number, as `MemoryIo` does.
        io::ErrorKind::NotFound => "No such file or directory".to_owned(),
        io::ErrorKind::NotADirectory => "Not a directory".to_owned(),
        io::ErrorKind::IsADirectory => "Is a directory".to_owned(),
        _ => error.to_string(),
    };
    match (error.raw_os_error(), text.rfind(" (os error ")) {
        (Some(_), Some(end)) => text[..end].to_owned(),
        _ => text,
    }
}

fn nothing_is_built() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "the embedded evaluator builds nothing, `nix eval` does",
    )
}

fn nothing_is_fetched() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "nothing is fetched during this evaluation")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_the_system_s_words() {
        let said = |number| reason(&io::Error::from_raw_os_error(number));
        assert_eq!(said(13), "Permission denied");
        assert_eq!(said(40), "Too many levels of symbolic links");
        assert_eq!(reason(&io::ErrorKind::NotFound.into()), said(2));
        assert_eq!(reason(&io::ErrorKind::NotADirectory.into()), said(20));
        assert_eq!(reason(&io::ErrorKind::IsADirectory.into()), said(21));
        assert_eq!(reason(&io::Error::other("own words")), "own words");
    }
}
