//! One object on its way into the store: what is registered of it, and its archive.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};

use super::error::InstantiateError;
use crate::eval::closure::{SourceError, SourceTree};
use crate::eval::io::{EvalIo, reason};
use crate::eval::store_state::{Source, StoreState};
use crate::store::worker::{Adding, NewObject, WorkerError};
use crate::store::{
    CaMethod, ContentAddress, Hash, HashAlgo, Hasher, NarNode, NarSource, References, Sha256Digest,
    StoreError, StorePath, around_file, hash_nar, sha256, write_nar,
};

/// An evaluation and its outside.
#[derive(Clone, Copy)]
pub(super) struct View<'v> {
    pub(super) state: &'v StoreState,
    pub(super) io: &'v dyn EvalIo,
}

/// The hash and the length of an archive.
type Archive = (Sha256Digest, u64);

impl View<'_> {
    /// Copies a file or a folder, and looks whether it still is what it was.
    pub(super) fn write_source(
        self,
        path: &StorePath,
        source: &Source,
        adding: &mut Adding<'_, impl Write>,
    ) -> Result<(), InstantiateError> {
        let mut tree = SourceTree::new(self.state, self.io, source);
        let written = write_tree(&mut tree, path, source, adding);
        written.map_err(|error| {
            let changed = |file: &[u8]| InstantiateError::Changed {
                origin: shown(file),
                path: shown(&self.state.dir().to_absolute(path)),
            };
            let gone =
                |file: &[u8], reason| InstantiateError::Source { origin: shown(file), reason };
            match error {
                CopyError::Changed => changed(&source.origin),
                CopyError::Tree(SourceError::Store(StoreError::FileSize(_))) => {
                    changed(tree.opened())
                }
                CopyError::Tree(SourceError::Store(error)) => {
                    gone(tree.opened(), error.to_string())
                }
                CopyError::Tree(SourceError::File { path, error }) => gone(&path, reason(&error)),
            }
        })
    }

    /// The tree that the outside shows at a store path, and which store path it belongs to.
    pub(super) fn hash_mounted(self, path: &StorePath) -> Option<(StorePath, Source)> {
        let origin = self.state.dir().to_absolute(path).into();
        let hash = Hash::zero(HashAlgo::Sha256);
        let address = ContentAddress { method: CaMethod::Nar, hash };
        let references = BTreeSet::new();
        let mut source = Source { origin, address, size: 0, kept: None, references };
        let mut tree = SourceTree::new(self.state, self.io, &source);
        let (hash, size) = hash_nar(&mut tree, &Vec::new(), HashAlgo::Sha256).ok()?;
        (source.address.hash, source.size) = (hash, size);
        let name = path.name().as_bytes();
        let found = self.state.dir().ca_path(name, &source.address, References::NONE).ok()?;
        Some((found, source))
    }
}

/// Writes a derivation, or another text.
pub(super) fn write_text(
    path: &StorePath,
    references: Vec<&StorePath>,
    text: &[u8],
    adding: &mut Adding<'_, impl Write>,
) -> Result<(), InstantiateError> {
    let (before, behind) = around_file(text.len() as u64);
    let parts = [&before, text, &behind];
    let mut hasher = Hasher::new(HashAlgo::Sha256);
    for part in parts {
        hasher.update(part);
    }
    let (nar_size, nar_hash) = (hasher.written(), digest(&hasher.finish()));
    let address = ContentAddress { method: CaMethod::Text, hash: sha256(text).into() };
    let object = NewObject { path, address: &address, references, nar_hash, nar_size };
    adding.object(&object).map_err(WorkerError::from)?;
    let written = parts.iter().try_for_each(|part| adding.write_all(part));
    Ok(written.map_err(WorkerError::from)?)
}

/// Why a copy was not made.
enum CopyError {
    /// It does not hash to what it did.
    Changed,
    /// The tree can't be read.
    Tree(SourceError),
}

impl From<SourceError> for CopyError {
    fn from(error: SourceError) -> Self {
        Self::Tree(error)
    }
}

fn write_tree(
    tree: &mut SourceTree<'_>,
    path: &StorePath,
    source: &Source,
    adding: &mut Adding<'_, impl Write>,
) -> Result<(), CopyError> {
    let (nar_hash, nar_size) = match source.address.method {
        CaMethod::Flat => hash_file(tree, &source.address.hash)?,
        _ => (digest(&source.address.hash), source.size),
    };
    let (address, references) = (&source.address, source.references.iter().collect());
    let object = NewObject { path, address, references, nar_hash, nar_size };
    adding.object(&object).map_err(|error| SourceError::from(StoreError::from(error)))?;
    let mut hasher = Hasher::new(HashAlgo::Sha256);
    write_nar(tree, &Vec::new(), Both(adding, &mut hasher))?;
    if hasher.written() == nar_size && digest(&hasher.finish()) == nar_hash {
        return Ok(());
    }
    Err(CopyError::Changed)
}

/// The archive of a file whose contents have that hash.
fn hash_file(tree: &mut SourceTree<'_>, expected: &Hash) -> Result<Archive, CopyError> {
    let NarNode::File { size, contents, .. } = tree.open(&Vec::new())? else {
        return Err(CopyError::Changed);
    };
    let (before, behind) = around_file(size);
    let (mut archive, mut file) = (Hasher::new(HashAlgo::Sha256), Hasher::new(expected.algo()));
    archive.update(&before);
    io::copy(&mut contents.take(size), &mut Both(&mut archive, &mut file))
        .map_err(|error| SourceError::from(StoreError::from(error)))?;
    archive.update(&behind);
    if file.finish() != *expected {
        return Err(CopyError::Changed);
    }
    let size = archive.written();
    Ok((digest(&archive.finish()), size))
}

/// Writes to both.
struct Both<A, B>(A, B);

impl<A: Write, B: Write> Write for Both<A, B> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(bytes)?;
        self.1.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()?;
        self.1.flush()
    }
}

/// The digest of a SHA-256.
fn digest(hash: &Hash) -> Sha256Digest {
    Sha256Digest::try_from(hash.digest()).unwrap_or_default()
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}
