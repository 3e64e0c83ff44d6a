//! Writing archives (NAR): the one form of a file tree that hashes are computed from.
//!
//! Where the tree comes from is the caller's: it implements [`NarSource`]. Reading is in
//! `nar_read`. Nix manual, "Nix Archive (NAR) format".

use std::io::{Read, Write};

use super::error::{StoreError, shown};
use super::hash::{Hash, HashAlgo, Hasher};
use super::wire::{pad, push_number, push_string};

/// What an archive begins with.
pub(super) const MAGIC: &[u8] = b"nix-archive-1";

/// How deep folders may lie in each other, in C++ Nix 2.34.
pub(super) const MAX_DEPTH: usize = 64;

/// How much is collected before it is written.
const CHUNK: usize = 1 << 16;

/// A tree of files, folders and symbolic links: a file system, or a part of one.
pub trait NarSource {
    /// What stands for a node of the tree: a path, for example.
    type Handle;
    /// A file's content.
    type Contents<'a>: Read
    where
        Self: 'a;
    /// What can go wrong; [`StoreError`] will do where nothing of the source's own can.
    type Error: From<StoreError>;

    /// What a node is. What the archive shall not have, a folder just leaves out.
    ///
    /// # Errors
    ///
    /// The source's own, which end the archive.
    fn open(
        &mut self,
        handle: &Self::Handle,
    ) -> Result<NarNode<Self::Handle, Self::Contents<'_>>, Self::Error>;
}

/// A node of a tree.
#[derive(Debug)]
pub enum NarNode<H, R> {
    /// A regular file.
    File {
        /// May its owner execute it?
        executable: bool,
        /// How many bytes it has.
        size: u64,
        /// These bytes; what comes after them is not read.
        contents: R,
    },
    /// A symbolic link.
    Symlink {
        /// What it says, whether that is there or not.
        target: Vec<u8>,
    },
    /// A folder.
    Directory {
        /// Names and nodes, in any order.
        entries: Vec<(Vec<u8>, H)>,
    },
}

/// Writes the archive of a tree.
///
/// # Errors
///
/// The source's; [`StoreError::Io`] from writing or from reading a file's content,
/// [`StoreError::FileSize`], [`StoreError::FileName`], [`StoreError::ArchiveDepth`].
pub fn write_nar<S: NarSource>(
    source: &mut S,
    root: &S::Handle,
    out: impl Write,
) -> Result<(), S::Error> {
    let mut nar = Writer { out, buffer: Vec::with_capacity(2 * CHUNK) };
    let mut open: Vec<Folder<S::Handle>> = Vec::new();
    nar.string(MAGIC);
    open.extend(nar.node(source.open(root)?)?);
    while let Some(folder) = open.last_mut() {
        if let Some((name, handle)) = folder.entries.next() {
            for tag in ["entry", "(", "name"] {
                nar.string(tag.as_bytes());
            }
            nar.string(&name);
            nar.string(b"node");
            folder.name = name;
            if open.len() >= MAX_DEPTH {
                return Err(too_deep(&open).into());
            }
            let inner = nar.node(source.open(&handle)?)?;
            if inner.is_none() {
                nar.string(b")");
            }
            open.extend(inner);
        } else {
            open.pop();
            nar.string(b")");
            if !open.is_empty() {
                nar.string(b")");
            }
        }
    }
    Ok(nar.flush()?)
}

/// What stands before and behind the contents of a file of that size in its archive, if it is not executable.
#[must_use]
pub fn around_file(size: u64) -> (Vec<u8>, Vec<u8>) {
    let (mut before, mut behind) = (Vec::with_capacity(128), Vec::with_capacity(32));
    push_string(MAGIC, &mut before);
    for word in ["(", "type", "regular", "contents"] {
        push_string(word.as_bytes(), &mut before);
    }
    push_number(size, &mut before);
    pad(size, &mut behind);
    push_string(b")", &mut behind);
    (before, behind)
}

/// The hash and the size of a tree's archive.
///
/// # Errors
///
/// As [`write_nar`].
pub fn hash_nar<S: NarSource>(
    source: &mut S,
    root: &S::Handle,
    algo: HashAlgo,
) -> Result<(Hash, u64), S::Error> {
    let mut hasher = Hasher::new(algo);
    write_nar(source, root, &mut hasher)?;
    let size = hasher.written();
    Ok((hasher.finish(), size))
}

/// Can a folder of an archive have an entry of that name?
pub(super) fn is_file_name(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..") && !name.iter().any(|byte| matches!(byte, b'/' | 0))
}

/// A folder that is being written.
struct Folder<H> {
    /// What of it is still to come.
    entries: std::vec::IntoIter<(Vec<u8>, H)>,
    /// The entry that is being written.
    name: Vec<u8>,
}

fn too_deep<H>(open: &[Folder<H>]) -> StoreError {
    let names: Vec<_> = open.iter().flat_map(|folder| [b"/".as_slice(), &folder.name]).collect();
    StoreError::ArchiveDepth { path: shown(&names.concat()), most: MAX_DEPTH }
}

struct Writer<W> {
    out: W,
    buffer: Vec<u8>,
}

impl<W: Write> Writer<W> {
    fn string(&mut self, text: &[u8]) {
        push_string(text, &mut self.buffer);
    }

    /// Writes a file or a link; of a folder, only the start.
    fn node<H, R: Read>(&mut self, node: NarNode<H, R>) -> Result<Option<Folder<H>>, StoreError> {
        self.string(b"(");
        self.string(b"type");
        match node {
            NarNode::File { executable, size, contents } => {
                self.string(b"regular");
                if executable {
                    self.string(b"executable");
                    self.string(b"");
                }
                self.string(b"contents");
                self.contents(size, contents)?;
            }
            NarNode::Symlink { target } => {
                self.string(b"symlink");
                self.string(b"target");
                self.string(&target);
            }
            NarNode::Directory { mut entries } => {
                self.string(b"directory");
                entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
                let names = || entries.iter().map(|(name, _)| name);
                let same = names().zip(names().skip(1)).find(|(name, next)| name == next);
                let wrong = names().find(|name| !is_file_name(name));
                if let Some(name) = same.map(|(name, _)| name).or(wrong) {
                    return Err(StoreError::FileName(shown(name)));
                }
                return Ok(Some(Folder { entries: entries.into_iter(), name: Vec::new() }));
            }
        }
        self.string(b")");
        if self.buffer.len() >= CHUNK {
            self.flush()?;
        }
        Ok(None)
    }

    fn contents(&mut self, size: u64, mut contents: impl Read) -> Result<(), StoreError> {
        push_number(size, &mut self.buffer);
        let mut left = size;
        while left > 0 {
            let wanted = left.min(CHUNK as u64);
            let got = contents.by_ref().take(wanted).read_to_end(&mut self.buffer)?;
            if (got as u64) < wanted {
                return Err(StoreError::FileSize(size));
            }
            left -= wanted;
            if self.buffer.len() >= CHUNK {
                self.flush()?;
            }
        }
        pad(size, &mut self.buffer);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}
