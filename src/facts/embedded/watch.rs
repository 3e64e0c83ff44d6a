//! The outside, watched: whether an answer hangs on more than the flake, and whether the user wants an end.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::{self, Read};
use std::rc::Rc;

use tokio_util::sync::CancellationToken;

use crate::eval::io::{EvalIo, Fetch, FileType, Level, Wanted};
use crate::store::StorePath;

/// The outside as one thread sees it.
pub(super) struct Watched<Io> {
    pub(super) inner: Io,
    pub(super) cancel: CancellationToken,
    /// Has something been built or fetched that is not told by the flake's fingerprint?
    pub(super) beyond: Rc<Cell<bool>>,
    /// Are remarks left to another thread, which makes the same?
    pub(super) quiet: Rc<Cell<bool>>,
}

/// Attributes that say what is fetched to the last byte.
const PINS: [&[u8]; 4] = [b"narHash = ", b"sha256 = ", b"hash = ", b"rev = "];

impl<Io: EvalIo> EvalIo for Watched<Io> {
    fn read_file(&self, path: &[u8]) -> io::Result<Vec<u8>> {
        self.inner.read_file(path)
    }

    fn disk_path(&self, path: &[u8]) -> Option<Vec<u8>> {
        self.inner.disk_path(path)
    }

    fn open_file<'f>(&'f self, path: &[u8]) -> io::Result<(u64, Box<dyn Read + 'f>)> {
        self.inner.open_file(path)
    }

    fn read_dir(&self, path: &[u8]) -> io::Result<Vec<(Vec<u8>, FileType)>> {
        self.inner.read_dir(path)
    }

    fn file_type(&self, path: &[u8]) -> io::Result<Option<FileType>> {
        self.inner.file_type(path)
    }

    fn read_link(&self, path: &[u8]) -> io::Result<Vec<u8>> {
        self.inner.read_link(path)
    }

    fn missing(&self, path: &[u8]) -> io::Error {
        self.inner.missing(path)
    }

    fn env(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.beyond.set(true);
        self.inner.env(name)
    }

    fn now(&self) -> i64 {
        self.beyond.set(true);
        self.inner.now()
    }

    fn message(&self, level: Level, text: &[u8]) {
        if level != Level::Remark || !self.quiet.get() {
            self.inner.message(level, text);
        }
    }

    fn store_path_exists(&self, path: &[u8]) -> io::Result<bool> {
        self.inner.store_path_exists(path)
    }

    fn realise(&self, wanted: &Wanted<'_>) -> io::Result<BTreeSet<StorePath>> {
        self.beyond.set(true);
        self.inner.realise(wanted)
    }

    fn references(&self, path: &StorePath) -> io::Result<BTreeSet<StorePath>> {
        self.inner.references(path)
    }

    fn fetch(&self, fetch: &Fetch) -> io::Result<Vec<u8>> {
        let has = |pin: &&[u8]| memchr::memmem::find(&fetch.argument, pin).is_some();
        if !PINS.iter().any(has) {
            self.beyond.set(true);
        }
        self.inner.fetch(fetch)
    }

    fn interrupted(&self) -> bool {
        self.cancel.is_cancelled() || self.inner.interrupted()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::io::MemoryIo;
    use crate::eval::store_state::StoreState;
    use crate::store::StoreDir;

    #[test]
    fn what_hangs_on_more_than_the_flake_is_noticed() {
        let beyond = |look: &dyn Fn(&Watched<MemoryIo>)| {
            let io = Watched {
                inner: MemoryIo::default(),
                cancel: CancellationToken::new(),
                beyond: Rc::default(),
                quiet: Rc::default(),
            };
            look(&io);
            io.beyond.get()
        };
        let fetch = |argument: &[u8]| Fetch { builtin: "fetchTree", argument: argument.to_vec() };
        let state = StoreState::new(StoreDir::default());
        let wanted =
            Wanted { state: &state, io: &MemoryIo::default(), outputs: &[], with_closure: false };
        assert!(beyond(&|io| drop(io.realise(&wanted))));
        assert!(beyond(&|io| drop(io.fetch(&fetch(b"{ url = \"u\"; }")))));
        assert!(!beyond(&|io| drop(io.fetch(&fetch(b"{ sha256 = \"h\"; url = \"u\"; }")))));
        assert!(beyond(&|io| drop(io.env(b"HOME"))));
        assert!(!beyond(&|io| drop(io.read_file(b"/x"))));
    }
}
