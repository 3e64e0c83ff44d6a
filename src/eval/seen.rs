//! What an evaluation sees below a path: what the outside has, and what it has only imagined in the store:
//! texts, derivations, copies of sources.

use std::borrow::Cow;
use std::io::{self, Cursor, Read};
use std::sync::Arc;

use super::Eval;
use super::io::{EvalIo, FileType};
use super::store_state::{Source, StoreState};
use super::text::path;

/// Where that is what stands at a path.
#[derive(Debug)]
pub(super) enum Seen<'p> {
    /// The outside has it, there.
    Outside(Cow<'p, [u8]>),
    /// A file of this evaluation's own.
    Text(Arc<[u8]>),
    /// Nowhere: the filter of a copy has left it out, or it would stand below a file.
    Nowhere,
}

impl StoreState {
    /// Where that is what stands at `path`.
    pub(super) fn see<'p>(&self, path: &'p [u8]) -> Seen<'p> {
        // Nearly all paths end here.
        if !path.starts_with(self.dir().as_bytes()) {
            return Seen::Outside(Cow::Borrowed(path));
        }
        let Ok((store_path, rest)) = self.dir().split(path) else {
            return Seen::Outside(Cow::Borrowed(path));
        };
        let inside = rest.strip_prefix(b"/").unwrap_or(rest);
        if let Some(source) = self.source(&store_path) {
            return seen_in(source, inside);
        }
        let text = match self.text(&store_path) {
            Some(text) => text.contents.clone(),
            None => match self.derivation(&store_path) {
                // It has a path, so it was written before.
                Some(drv) => drv.text(self.dir()).unwrap_or_default().into(),
                None => return Seen::Outside(Cow::Borrowed(path)),
            },
        };
        if inside.is_empty() { Seen::Text(text) } else { Seen::Nowhere }
    }
}

fn seen_in<'p>(source: &Source, inside: &[u8]) -> Seen<'p> {
    source.outside(inside).map_or(Seen::Nowhere, |path| Seen::Outside(Cow::Owned(path)))
}

/// The outside together with what an evaluation has imagined.
#[derive(Clone, Copy)]
pub(super) struct View<'v> {
    pub(super) store: &'v StoreState,
    pub(super) io: &'v dyn EvalIo,
}

impl<'v> View<'v> {
    /// What stands at a path, without following a link at its end.
    pub(super) fn file_type(self, path: &[u8]) -> io::Result<Option<FileType>> {
        match self.store.see(path) {
            Seen::Outside(path) => self.io.file_type(&path),
            Seen::Text(_) => Ok(Some(FileType::Regular)),
            Seen::Nowhere => Ok(None),
        }
    }

    /// The contents of a file.
    pub(super) fn read_file(self, path: &[u8]) -> io::Result<Vec<u8>> {
        match self.store.see(path) {
            Seen::Outside(path) => self.io.read_file(&path),
            Seen::Text(text) => Ok(text.to_vec()),
            Seen::Nowhere => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Where on the disk a file is read, if it is read there.
    pub(super) fn disk_path(self, path: &[u8]) -> Option<Vec<u8>> {
        match self.store.see(path) {
            Seen::Outside(path) => self.io.disk_path(&path),
            Seen::Text(_) | Seen::Nowhere => None,
        }
    }

    /// The length of a file and its contents, to be read piece by piece.
    pub(super) fn open_file(self, path: &[u8]) -> io::Result<(u64, Box<dyn Read + 'v>)> {
        match self.store.see(path) {
            Seen::Outside(path) => self.io.open_file(&path),
            Seen::Text(text) => Ok((text.len() as u64, Box::new(Cursor::new(text)))),
            Seen::Nowhere => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// The target of a link.
    pub(super) fn read_link(self, path: &[u8]) -> io::Result<Vec<u8>> {
        match self.store.see(path) {
            Seen::Outside(path) => self.io.read_link(&path),
            Seen::Text(_) => Err(io::ErrorKind::InvalidInput.into()),
            Seen::Nowhere => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// The entries of a folder.
    pub(super) fn read_dir(self, folder: &[u8]) -> io::Result<Vec<(Vec<u8>, FileType)>> {
        let outside = match self.store.see(folder) {
            Seen::Outside(outside) => outside,
            Seen::Text(_) => return Err(io::ErrorKind::NotADirectory.into()),
            Seen::Nowhere => return Err(io::ErrorKind::NotFound.into()),
        };
        let mut entries = self.io.read_dir(&outside)?;
        if matches!(outside, Cow::Owned(_)) {
            entries.retain(|(name, _)| {
                !matches!(self.store.see(&path::join(folder, name)), Seen::Nowhere)
            });
        }
        Ok(entries)
    }
}

impl Eval<'_> {
    /// What this evaluation sees.
    pub(super) fn view(&self) -> View<'_> {
        View { store: &self.store, io: self.io }
    }
}
