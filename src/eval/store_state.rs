//! What this evaluation has put into the store, or would have: derivations, texts and copies of sources.
//! Nothing is written here; whoever builds gets it from [`StoreState`].

use std::collections::BTreeSet;
use std::io::Cursor;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::error::{Error, ErrorKind, Result};
use super::io::{FileType, reason};
use super::position::Pos;
use super::text::shown;
use super::value::{Bytes, Context, ContextElement, Value};
use super::{Eval, text::path};
use crate::store::{
    CaMethod, ContentAddress, Derivation, DrvHashes, HashAlgo, NarNode, NarSource, References,
    StoreDir, StoreError, StorePath, hash_nar,
};

/// What this evaluation has put into the store, or would have.
#[derive(Debug)]
pub struct StoreState {
    /// Hashes of derivations, and the store's folder.
    pub(super) hashes: DrvHashes,
    /// The derivations that were evaluated.
    derivations: FxHashMap<StorePath, Rc<Derivation>>,
    /// What `toFile` made: contents and references.
    texts: FxHashMap<StorePath, Text>,
    /// Files and folders that are copied as they are: where each goes.
    copies: FxHashMap<Box<[u8]>, StorePath>,
    /// The other way round: what each of these store paths is a copy of.
    origins: FxHashMap<StorePath, Box<[u8]>>,
}

/// A file that `toFile` made.
#[derive(Debug, Clone)]
pub struct Text {
    /// Its contents.
    pub contents: Rc<[u8]>,
    /// The store paths that it refers to.
    pub references: BTreeSet<StorePath>,
}

impl StoreState {
    /// A store in `dir`, of which nothing is known.
    pub(super) fn new(dir: StoreDir) -> Self {
        Self {
            hashes: DrvHashes::new(dir),
            derivations: FxHashMap::default(),
            texts: FxHashMap::default(),
            copies: FxHashMap::default(),
            origins: FxHashMap::default(),
        }
    }

    /// The store's folder.
    #[must_use]
    pub fn dir(&self) -> &StoreDir {
        self.hashes.store()
    }

    /// A derivation that was evaluated.
    #[must_use]
    pub fn derivation(&self, path: &StorePath) -> Option<&Rc<Derivation>> {
        self.derivations.get(path)
    }

    /// A file that `toFile` made.
    #[must_use]
    pub fn text(&self, path: &StorePath) -> Option<&Text> {
        self.texts.get(path)
    }

    /// Files and folders outside of the store with the store path of the copy of each.
    pub fn copies(&self) -> impl Iterator<Item = (&[u8], &StorePath)> {
        self.copies.iter().map(|(source, copy)| (&**source, copy))
    }

    /// What `copy` is a copy of, if it is one without a filter.
    #[must_use]
    pub fn origin(&self, copy: &StorePath) -> Option<&[u8]> {
        self.origins.get(copy).map(|source| &**source)
    }

    pub(super) fn add_copy(&mut self, source: &[u8], copy: &StorePath) {
        self.copies.insert(source.into(), copy.clone());
        self.origins.insert(copy.clone(), source.into());
    }

    pub(super) fn add_derivation(&mut self, path: StorePath, derivation: Derivation) {
        self.derivations.insert(path, Rc::new(derivation));
    }

    pub(super) fn add_text(&mut self, path: StorePath, text: Text) {
        self.texts.insert(path, text);
    }
}

impl<'a> Eval<'a> {
    /// The store path of the copy of a file or folder under its own name, and the context of a string that
    /// holds it. Each is hashed once.
    pub(super) fn copy_path_to_store(
        &mut self,
        source: Bytes<'a>,
        pos: Pos,
    ) -> Result<(Bytes<'a>, Context)> {
        let known = self.store.copies.get(source.items()).cloned();
        let copy = if let Some(copy) = known {
            copy
        } else {
            let name = path::base_name(source.items());
            if name.ends_with(b".drv") {
                let message = "file names are not allowed to end in '.drv'";
                return Err(Error::evaluation(pos, message));
            }
            let copy = self.hash_source(source.items(), name, None, pos)?;
            self.store.add_copy(source.items(), &copy);
            copy
        };
        Ok(self.store_string(&copy))
    }

    /// The store path that the tree at `source` gets under `name`; with a filter, without what that says
    /// no to.
    pub(super) fn hash_source(
        &mut self,
        source: &[u8],
        name: &[u8],
        filter: Option<Value<'a>>,
        pos: Pos,
    ) -> Result<StorePath> {
        self.check_readable(source, pos)?;
        let root = source.to_vec();
        let (hash, _) = hash_nar(&mut Tree { eval: self, filter, pos }, &root, HashAlgo::Sha256)?;
        let address = ContentAddress { method: CaMethod::Nar, hash };
        let path = self.store.dir().ca_path(name, &address, References::NONE);
        path.map_err(|error| Error::evaluation(pos, error.to_string()))
    }

    /// A derivation that was evaluated, or else is read from the store.
    pub(super) fn derivation(&self, path: &StorePath, pos: Pos) -> Result<Rc<Derivation>> {
        if let Some(known) = self.store.derivation(path) {
            return Ok(known.clone());
        }
        let file = self.store.dir().to_absolute(path);
        let text = self.io.read_file(&file).map_err(|error| unreadable(&file, &error, pos))?;
        let name = path.derivation_name()?;
        Ok(Rc::new(Derivation::parse(self.store.dir(), name, &text)?))
    }

    /// A store path as the bytes and the context of a string.
    pub(super) fn store_string(&mut self, path: &StorePath) -> (Bytes<'a>, Context) {
        let mut text = Vec::with_capacity(96);
        self.store.dir().push_absolute(path, &mut text);
        let context = self.contexts.intern(vec![ContextElement::Opaque(path.clone())]);
        (self.arena.copy((), &text), context)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::new(ErrorKind::Evaluation, Pos::NONE, error.to_string())
    }
}

/// A tree of the outside, as an archive is made of it.
pub(super) struct Tree<'e, 'a> {
    pub(super) eval: &'e mut Eval<'a>,
    /// A function of path and type that says what is left out.
    pub(super) filter: Option<Value<'a>>,
    pub(super) pos: Pos,
}

impl NarSource for Tree<'_, '_> {
    type Handle = Vec<u8>;
    type Contents<'c>
        = Cursor<Vec<u8>>
    where
        Self: 'c;
    type Error = Error;

    fn open(&mut self, path: &Vec<u8>) -> Result<NarNode<Vec<u8>, Cursor<Vec<u8>>>> {
        let failed = |error: std::io::Error| unreadable(path, &error, self.pos);
        let io = self.eval.io;
        let kind = io.file_type(path).map_err(failed)?;
        match kind {
            Some(FileType::Regular | FileType::Executable) => {
                let contents = io.read_file(path).map_err(failed)?;
                Ok(NarNode::File {
                    executable: kind == Some(FileType::Executable),
                    size: contents.len() as u64,
                    contents: Cursor::new(contents),
                })
            }
            Some(FileType::Symlink) => {
                Ok(NarNode::Symlink { target: io.read_link(path).map_err(failed)? })
            }
            Some(FileType::Directory) => {
                let mut names: Vec<_> = io.read_dir(path).map_err(failed)?;
                names.sort_by(|(a, _), (b, _)| a.cmp(b));
                let mut entries = Vec::with_capacity(names.len());
                for (name, kind) in names {
                    let child = path::join(path, &name);
                    if self.wants(&child, kind)? {
                        entries.push((name, child));
                    }
                }
                Ok(NarNode::Directory { entries })
            }
            Some(FileType::Unknown) => {
                let message = format!("file '{}' has an unsupported type", shown(path));
                Err(Error::new(ErrorKind::Io, self.pos, message))
            }
            None => Err(failed(io.missing(path))),
        }
    }
}

impl Tree<'_, '_> {
    /// Asks the filter.
    fn wants(&mut self, path: &[u8], kind: FileType) -> Result<bool> {
        let Some(filter) = self.filter else { return Ok(true) };
        let args = [self.eval.string(path), self.eval.string(type_name(kind))];
        let answer = self.eval.call(filter, &args, self.pos)?;
        let what = "while evaluating the return value of the path filter function";
        self.eval.force_bool(answer, self.pos, what)
    }
}

/// What `readDir`, `readFileType` and path filters call a type.
pub(super) fn type_name(kind: FileType) -> &'static [u8] {
    match kind {
        FileType::Regular | FileType::Executable => b"regular",
        FileType::Directory => b"directory",
        FileType::Symlink => b"symlink",
        FileType::Unknown => b"unknown",
    }
}

/// The error of a path that can't be read.
pub(super) fn unreadable(path: &[u8], error: &std::io::Error, pos: Pos) -> Error {
    // What is below a file does not exist either.
    let gone = [std::io::ErrorKind::NotFound, std::io::ErrorKind::NotADirectory];
    if gone.contains(&error.kind()) {
        let message = match error.get_ref() {
            Some(own) => own.to_string(),
            None => format!("path '{}' does not exist", shown(path)),
        };
        return Error::new(ErrorKind::Io, pos, message);
    }
    if let (std::io::ErrorKind::PermissionDenied, Some(own)) = (error.kind(), error.get_ref()) {
        return Error::new(ErrorKind::Restricted, pos, own.to_string());
    }
    let message = format!("cannot read '{}': {}", shown(path), reason(error));
    Error::new(ErrorKind::Io, pos, message)
}
