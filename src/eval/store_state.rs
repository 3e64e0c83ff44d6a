//! What this evaluation has put into the store, or would have: derivations, texts and copies of sources.
//! Nothing is written here; whoever builds gets it from [`StoreState`].

use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::closure::Object;
use super::error::{Error, ErrorKind, Result};
use super::io::{FileType, reason};
use super::position::Pos;
use super::text::shown;
use super::value::{Bytes, Context, ContextElement, Value};
use super::{Eval, text::path};
use crate::store::{
    CaMethod, ContentAddress, Derivation, DrvHashes, HashAlgo, Hasher, NarNode, NarSource,
    References, StoreDir, StoreError, StorePath, hash_nar,
};

/// What this evaluation has put into the store, or would have.
#[derive(Debug)]
pub struct StoreState {
    /// Hashes of derivations, and the store's folder.
    pub(super) hashes: DrvHashes,
    /// The derivations that were evaluated.
    derivations: FxHashMap<StorePath, Arc<Derivation>>,
    /// What `toFile` made: contents and references.
    texts: FxHashMap<StorePath, Text>,
    /// Files and folders that are copied as they are, under their own names: where each goes.
    copies: FxHashMap<Box<[u8]>, StorePath>,
    /// What was copied, in any way.
    sources: FxHashMap<StorePath, Source>,
    /// Outputs that were there, or were built, when this evaluation wanted to read them.
    realised: FxHashSet<(StorePath, Box<[u8]>)>,
    /// Who is told of each object when it is made.
    listener: Option<Listener>,
}

/// What [`Listener`] holds.
type Told = dyn Fn(&StorePath, Object<'_>);

/// A function that is told of each object that an evaluation makes, behind those that it refers to.
pub struct Listener(pub Box<Told>);

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Listener").finish_non_exhaustive()
    }
}

/// A file that `toFile` made.
#[derive(Debug, Clone)]
pub struct Text {
    /// Its contents.
    pub contents: Arc<[u8]>,
    /// The store paths that it refers to.
    pub references: BTreeSet<StorePath>,
}

/// A file or a folder that was copied.
#[derive(Debug, Clone)]
pub struct Source {
    /// What it is a copy of.
    pub origin: Box<[u8]>,
    /// What it hashed to.
    pub address: ContentAddress,
    /// How much was hashed: the length of the archive, or of the file.
    pub size: u64,
    /// With a filter: what that left in, as paths from the origin on, sorted.
    pub kept: Option<Box<[Box<[u8]>]>>,
    /// What it refers to: what the object refers to that it is a part of, if it is.
    pub references: BTreeSet<StorePath>,
}

/// What the store path of a copy follows from besides its contents.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'n> {
    pub(super) name: &'n [u8],
    pub(super) references: &'n BTreeSet<StorePath>,
}

impl<'n> Named<'n> {
    /// A name, and no references.
    pub(super) fn new(name: &'n [u8]) -> Self {
        Self { name, references: References::NONE.others }
    }
}

impl Source {
    /// Where the outside has what stands at `inside` in the copy; `None` if the filter has left that out.
    #[must_use]
    pub fn outside(&self, inside: &[u8]) -> Option<Vec<u8>> {
        let left_out = |kept: &[Box<[u8]>]| {
            !inside.is_empty() && kept.binary_search_by(|known| (**known).cmp(inside)).is_err()
        };
        if self.kept.as_deref().is_some_and(left_out) {
            return None;
        }
        Some(path::join(&self.origin, inside))
    }
}

impl StoreState {
    /// A store in `dir`, of which nothing is known.
    #[must_use]
    pub fn new(dir: StoreDir) -> Self {
        Self {
            hashes: DrvHashes::new(dir),
            derivations: FxHashMap::default(),
            texts: FxHashMap::default(),
            copies: FxHashMap::default(),
            sources: FxHashMap::default(),
            realised: FxHashSet::default(),
            listener: None,
        }
    }

    /// The store's folder.
    #[must_use]
    pub fn dir(&self) -> &StoreDir {
        self.hashes.store()
    }

    /// A derivation that was evaluated.
    #[must_use]
    pub fn derivation(&self, path: &StorePath) -> Option<&Arc<Derivation>> {
        self.derivations.get(path)
    }

    /// A file that `toFile` made.
    #[must_use]
    pub fn text(&self, path: &StorePath) -> Option<&Text> {
        self.texts.get(path)
    }

    /// A file or a folder that was copied.
    #[must_use]
    pub fn source(&self, path: &StorePath) -> Option<&Source> {
        self.sources.get(path)
    }

    /// From now on, `listener` is told of each object that is made.
    pub fn set_listener(&mut self, listener: Option<Listener>) {
        self.listener = listener;
    }

    fn tell(&self, path: &StorePath, object: Object<'_>) {
        if let Some(Listener(listener)) = &self.listener {
            listener(path, object);
        }
    }

    pub(super) fn add_source(&mut self, path: StorePath, source: Source) {
        self.tell(&path, Object::Source(&source));
        self.sources.insert(path, source);
    }

    /// Was this output there already when it was last asked for?
    pub(super) fn is_realised(&self, output: &(StorePath, Box<[u8]>)) -> bool {
        self.realised.contains(output)
    }

    pub(super) fn add_realised(&mut self, outputs: Vec<(StorePath, Box<[u8]>)>) {
        self.realised.extend(outputs);
    }

    pub(super) fn add_derivation(&mut self, path: StorePath, derivation: Derivation) {
        let derivation = Arc::new(derivation);
        self.tell(&path, Object::Derivation(&derivation));
        self.derivations.insert(path, derivation);
    }

    pub(super) fn add_text(&mut self, path: StorePath, text: Text) {
        self.tell(&path, Object::Text(&text));
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
            let copy = self.hash_source(source.items(), Named::new(name), None, pos)?;
            self.store.copies.insert(source.items().into(), copy.clone());
            copy
        };
        Ok(self.store_string(&copy))
    }

    /// The store path that the tree at `source` gets; with a filter, without what that says
    /// no to.
    pub(super) fn hash_source(
        &mut self,
        source: &[u8],
        named: Named<'_>,
        filter: Option<Value<'a>>,
        pos: Pos,
    ) -> Result<StorePath> {
        self.check_readable(source, pos)?;
        self.hash_tree(source, named, filter, pos)
    }

    /// The same for a tree that may be read in any case.
    pub(super) fn hash_tree(
        &mut self,
        source: &[u8],
        named: Named<'_>,
        filter: Option<Value<'a>>,
        pos: Pos,
    ) -> Result<StorePath> {
        let mut tree = Tree { eval: self, filter, kept: Vec::new(), root: source, pos };
        let (hash, size) = hash_nar(&mut tree, &source.to_vec(), HashAlgo::Sha256)?;
        let mut kept = tree.kept;
        kept.sort_unstable();
        let kept = filter.map(|_| kept.into());
        let address = ContentAddress { method: CaMethod::Nar, hash };
        let references = named.references.clone();
        let source = Source { origin: source.into(), address, size, kept, references };
        self.copied(source, named.name, pos)
    }

    /// The store path that a file gets if its contents alone count.
    pub(super) fn hash_file(
        &mut self,
        source: &[u8],
        named: Named<'_>,
        pos: Pos,
    ) -> Result<StorePath> {
        let failed = |error: std::io::Error| unreadable(source, &error, pos);
        let mut hasher = Hasher::new(HashAlgo::Sha256);
        let (size, contents) = self.view().open_file(source).map_err(failed)?;
        std::io::copy(&mut contents.take(size), &mut hasher).map_err(failed)?;
        let size = hasher.written();
        let address = ContentAddress { method: CaMethod::Flat, hash: hasher.finish() };
        let references = named.references.clone();
        let source = Source { origin: source.into(), address, size, kept: None, references };
        self.copied(source, named.name, pos)
    }

    /// Remembers a copy. Its store path follows from what it is.
    fn copied(&mut self, source: Source, name: &[u8], pos: Pos) -> Result<StorePath> {
        let references = References { others: &source.references, to_itself: false };
        let path = self.store.dir().ca_path(name, &source.address, references);
        let path = path.map_err(|error| Error::evaluation(pos, error.to_string()))?;
        self.store.add_source(path.clone(), source);
        Ok(path)
    }

    /// A derivation that was evaluated, or else is read from the store.
    pub(super) fn derivation(&self, path: &StorePath, pos: Pos) -> Result<Arc<Derivation>> {
        if let Some(known) = self.store.derivation(path) {
            return Ok(known.clone());
        }
        let file = self.store.dir().to_absolute(path);
        let text = self.io.read_file(&file).map_err(|error| unreadable(&file, &error, pos))?;
        let name = path.derivation_name()?;
        Ok(Arc::new(Derivation::parse(self.store.dir(), name, &text)?))
    }

    /// A store path as the bytes and the context of a string.
    pub(super) fn store_string(&mut self, path: &StorePath) -> (Bytes<'a>, Context) {
        let mut text = Vec::with_capacity(96);
        self.store.dir().push_absolute(path, &mut text);
        let context = self.contexts.intern([ContextElement::Opaque(path.clone())]);
        (self.arena.copy((), &text), context)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::new(ErrorKind::Evaluation, Pos::NONE, error.to_string())
    }
}

/// A tree of the outside, as an archive is made of it.
struct Tree<'e, 'a> {
    eval: &'e mut Eval<'a>,
    /// A function of path and type that says what is left out.
    filter: Option<Value<'a>>,
    /// What it has not left out, from `root` on.
    kept: Vec<Box<[u8]>>,
    root: &'e [u8],
    pos: Pos,
}

impl NarSource for Tree<'_, '_> {
    type Handle = Vec<u8>;
    type Contents<'c>
        = Box<dyn Read + 'c>
    where
        Self: 'c;
    type Error = Error;

    fn open(&mut self, path: &Vec<u8>) -> Result<NarNode<Vec<u8>, Self::Contents<'_>>> {
        let failed = |error: std::io::Error| unreadable(path, &error, self.pos);
        let kind = self.eval.view().file_type(path).map_err(failed)?;
        match kind {
            Some(FileType::Regular | FileType::Executable) => {
                let (size, contents) = self.eval.view().open_file(path).map_err(failed)?;
                let executable = kind == Some(FileType::Executable);
                Ok(NarNode::File { executable, size, contents })
            }
            Some(FileType::Symlink) => {
                Ok(NarNode::Symlink { target: self.eval.view().read_link(path).map_err(failed)? })
            }
            Some(FileType::Directory) => {
                let mut names: Vec<_> = self.eval.view().read_dir(path).map_err(failed)?;
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
            None => Err(failed(self.eval.io.missing(path))),
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
        let wanted = self.eval.force_bool(answer, self.pos, what)?;
        if wanted {
            let inside = path.strip_prefix(self.root).unwrap_or(path);
            self.kept.push(inside.strip_prefix(b"/").unwrap_or(inside).into());
        }
        Ok(wanted)
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
