//! What a store must get for derivations of an evaluation: these, and all that this evaluation has made for them.
//! Whoever writes to a store asks here; nothing is written.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::io::{EvalIo, FileType, reason};
use super::seen::View;
use super::store_state::{Source, StoreState, Text};
use super::text::{path, shown};
use crate::store::{CaMethod, Derivation, NarNode, NarSource, StoreError, StorePath};

/// Some objects and all that this evaluation has made for them.
#[derive(Debug)]
pub struct Closure<'s> {
    /// Each stands behind those that it refers to.
    pub objects: Vec<(&'s StorePath, Object<'s>)>,
    /// What they refer to that this evaluation has not made: it must be in the store.
    pub others: BTreeSet<&'s StorePath>,
}

/// Something that this evaluation has made.
#[derive(Debug, Clone, Copy)]
pub enum Object<'s> {
    /// A derivation.
    Derivation(&'s Arc<Derivation>),
    /// A file of `toFile`.
    Text(&'s Text),
    /// A copy.
    Source(&'s Source),
}

impl<'s> Object<'s> {
    /// The paths that it refers to, in order.
    #[must_use]
    pub fn references(self) -> Vec<&'s StorePath> {
        match self {
            Self::Derivation(drv) => drv.inputs.paths().collect(),
            Self::Text(text) => text.references.iter().collect(),
            Self::Source(source) => source.references.iter().collect(),
        }
    }
}

impl StoreState {
    /// What this evaluation has made at `path`.
    #[must_use]
    pub fn object(&self, path: &StorePath) -> Option<Object<'_>> {
        let derivation = || self.derivation(path).map(Object::Derivation);
        let text = || self.text(path).map(Object::Text);
        derivation().or_else(text).or_else(|| self.source(path).map(Object::Source))
    }

    /// These objects and all that this evaluation has made for them.
    #[must_use]
    pub fn closure<'s>(&'s self, roots: impl IntoIterator<Item = &'s StorePath>) -> Closure<'s> {
        let mut closure = Closure { objects: Vec::new(), others: BTreeSet::new() };
        let mut met = FxHashSet::default();
        // A list instead of recursion: how deep derivations depend on each other has no limit.
        let mut open = vec![(None, roots.into_iter().collect::<Vec<_>>().into_iter())];
        while let Some((object, references)) = open.last_mut() {
            if let Some(path) = references.next() {
                if !met.insert(path) {
                    continue;
                }
                match self.object(path) {
                    Some(object) => {
                        open.push((Some((path, object)), object.references().into_iter()));
                    }
                    None => _ = closure.others.insert(path),
                }
            } else {
                closure.objects.extend(*object);
                open.pop();
            }
        }
        closure
    }
}

/// The tree that a copy is made of, as it is now.
pub struct SourceTree<'v> {
    view: View<'v>,
    source: &'v Source,
    opened: Vec<u8>,
}

impl<'v> SourceTree<'v> {
    /// The tree of a copy, which the outside `io` has.
    #[must_use]
    pub fn new(store: &'v StoreState, io: &'v dyn EvalIo, source: &'v Source) -> Self {
        Self { view: View { store, io }, source, opened: Vec::new() }
    }

    /// The file that was opened last.
    #[must_use]
    pub fn opened(&self) -> &[u8] {
        &self.opened
    }

    fn at(&self, inside: &[u8]) -> Result<Vec<u8>, SourceError> {
        let outside = self.source.outside(inside);
        outside.ok_or_else(|| SourceError::gone(path::join(&self.source.origin, inside)))
    }
}

/// Why a copy can't be made (any more).
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A file that can't be read.
    #[error("cannot read '{}': {}", shown(.path), reason(.error))]
    File {
        /// The file.
        path: Vec<u8>,
        /// Why.
        error: io::Error,
    },
    /// What no archive can hold, or reading in the middle of a file.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SourceError {
    fn gone(path: Vec<u8>) -> Self {
        Self::File { path, error: io::ErrorKind::NotFound.into() }
    }
}

impl NarSource for SourceTree<'_> {
    /// The path from the origin on.
    type Handle = Vec<u8>;
    type Contents<'c>
        = Box<dyn Read + 'c>
    where
        Self: 'c;
    type Error = SourceError;

    fn open(
        &mut self,
        inside: &Vec<u8>,
    ) -> Result<NarNode<Vec<u8>, Box<dyn Read + '_>>, SourceError> {
        let path = self.at(inside)?;
        let failed = |error| SourceError::File { path: path.clone(), error };
        let kind = self.view.file_type(&path).map_err(failed)?;
        match kind {
            Some(FileType::Regular | FileType::Executable) => {
                let (size, contents) = self.view.open_file(&path).map_err(failed)?;
                // Where the contents alone count, nothing can be executed.
                let executable = kind == Some(FileType::Executable)
                    && self.source.address.method == CaMethod::Nar;
                self.opened = path;
                Ok(NarNode::File { executable, size, contents })
            }
            Some(FileType::Symlink) => {
                Ok(NarNode::Symlink { target: self.view.read_link(&path).map_err(failed)? })
            }
            Some(FileType::Directory) => {
                let entries = self.view.read_dir(&path).map_err(failed)?.into_iter();
                let entries = entries.filter_map(|(name, _)| {
                    let slash: &[u8] = if inside.is_empty() { b"" } else { b"/" };
                    let child = [inside, slash, &name].concat();
                    self.source.outside(&child).map(|_| (name, child))
                });
                Ok(NarNode::Directory { entries: entries.collect() })
            }
            Some(FileType::Unknown) => {
                let kind = io::Error::new(io::ErrorKind::InvalidInput, "unsupported type of file");
                Err(failed(kind))
            }
            None => Err(SourceError::gone(path)),
        }
    }
}
