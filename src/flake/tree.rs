//! A tree of files as a flake sees it: which files it has, and where their contents are.

use std::cell::OnceCell;
use std::fs;
use std::io::{self, Cursor, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustc_hash::FxHashMap;

use super::os_str;
use super::reference::shown;
use crate::eval::io::{FileType, reason};
use crate::store::{Hash, HashAlgo, HashFormat, NarNode, NarSource, StoreError, hash_nar};

/// A tree of files. Paths in it have no slash at their ends; the root is the empty path.
pub(super) struct Tree {
    nodes: FxHashMap<Box<[u8]>, Node>,
    contents: Contents,
}

/// What stands at a path.
enum Node {
    /// A folder and the names in it.
    Folder(Vec<Box<[u8]>>),
    /// A file or a link, of which the disk knows more.
    OnDisk,
    /// A file or a link of a commit.
    InCommit(FileType, Object),
}

/// The hash of an object of a repository.
type Object = Box<str>;

/// Loads objects of a repository.
pub(super) type Load = Box<dyn Fn(&[&str]) -> io::Result<Vec<Vec<u8>>>>;

/// Where contents are.
enum Contents {
    /// Below this folder.
    Disk(Vec<u8>),
    /// In a repository, from which all of them are taken when the first is wanted.
    Commit { load: Load, loaded: OnceCell<FxHashMap<Object, Vec<u8>>> },
}

/// Where the way through a tree ends.
pub(super) enum Way {
    /// At a path of the tree, with its type.
    Here(Vec<u8>, FileType),
    /// At a symbolic link that leads to this path elsewhere.
    Elsewhere(Vec<u8>),
    /// At a path of the tree where nothing is.
    Nowhere(Vec<u8>),
}

/// A file whose state is younger may change once more without a trace: the clocks of file systems are coarse.
const RACY: Duration = Duration::from_secs(2);

/// More symbolic links than this on a way are taken for a circle.
const MOST_LINKS: usize = 100;

impl Tree {
    /// All that is below a folder, and when something of it was changed last.
    pub(super) fn of_folder(root: &[u8]) -> io::Result<(Self, u64)> {
        let mut tree = Self { nodes: FxHashMap::default(), contents: Contents::Disk(root.into()) };
        let mut newest = 0;
        let mut todo: Vec<Vec<u8>> = vec![Vec::new()];
        while let Some(path) = todo.pop() {
            let full = disk_path(root, &path);
            let told = |error: io::Error| {
                io::Error::new(error.kind(), format!("'{}': {}", shown(&full), reason(&error)))
            };
            let meta = fs::symlink_metadata(os_str(&full)).map_err(told)?;
            newest = newest.max(u64::try_from(meta.mtime()).unwrap_or(0));
            let node = if meta.is_dir() {
                let mut names = Vec::new();
                for entry in fs::read_dir(os_str(&full)).map_err(told)? {
                    let name = entry.map_err(told)?.file_name().into_vec();
                    todo.push(below(&path, &name));
                    names.push(name.into_boxed_slice());
                }
                Node::Folder(names)
            } else {
                Node::OnDisk
            };
            tree.nodes.insert(path.into_boxed_slice(), node);
        }
        Ok((tree, newest))
    }

    /// Those files below a folder. Folders are there where files are in them.
    pub(super) fn of_files(root: &[u8], files: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut tree = Self { nodes: FxHashMap::default(), contents: Contents::Disk(root.into()) };
        tree.nodes.insert(Box::default(), Node::Folder(Vec::new()));
        for path in files {
            tree.add(path, Node::OnDisk);
        }
        tree
    }

    /// The files of a commit.
    pub(super) fn of_commit(
        files: impl IntoIterator<Item = (Vec<u8>, FileType, String)>,
        load: Load,
    ) -> Self {
        let contents = Contents::Commit { load, loaded: OnceCell::new() };
        let mut tree = Self { nodes: FxHashMap::default(), contents };
        tree.nodes.insert(Box::default(), Node::Folder(Vec::new()));
        for (path, kind, object) in files {
            tree.add(path, Node::InCommit(kind, object.into_boxed_str()));
        }
        tree
    }

    /// An empty folder, as it stands in the place of a submodule.
    pub(super) fn add_folder(&mut self, path: Vec<u8>) {
        self.add(path, Node::Folder(Vec::new()));
    }

    fn add(&mut self, path: Vec<u8>, node: Node) {
        let (mut path, mut node) = (path, node);
        loop {
            let known = self.nodes.contains_key(&path[..]);
            if known {
                return;
            }
            let (parent, name) = match path.iter().rposition(|byte| *byte == b'/') {
                Some(slash) => (&path[..slash], &path[slash + 1..]),
                None => (&b""[..], &path[..]),
            };
            let (parent, name) = (parent.to_vec(), Box::from(name));
            self.nodes.insert(path.into_boxed_slice(), node);
            if let Some(Node::Folder(names)) = self.nodes.get_mut(&parent[..]) {
                names.push(name);
                return;
            }
            (path, node) = (parent, Node::Folder(vec![name]));
        }
    }

    /// What stands at a path; links are not followed.
    pub(super) fn file_type(&self, path: &[u8]) -> io::Result<Option<FileType>> {
        match self.nodes.get(path) {
            None => Ok(None),
            Some(Node::Folder(_)) => Ok(Some(FileType::Directory)),
            Some(Node::InCommit(kind, _)) => Ok(Some(*kind)),
            Some(Node::OnDisk) => match fs::symlink_metadata(os_str(&self.on_disk(path))) {
                Ok(meta) => Ok(Some(kind_of(&meta))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            },
        }
    }

    /// The names in a folder with their types.
    pub(super) fn read_dir(&self, path: &[u8]) -> io::Result<Vec<(Vec<u8>, FileType)>> {
        let Some(Node::Folder(names)) = self.nodes.get(path) else {
            return Err(io::ErrorKind::NotADirectory.into());
        };
        let mut entries = Vec::with_capacity(names.len());
        for name in names {
            if let Some(kind) = self.file_type(&below(path, name))? {
                entries.push((name.to_vec(), kind));
            }
        }
        Ok(entries)
    }

    /// The contents of a file.
    pub(super) fn read_file(&self, path: &[u8]) -> io::Result<Vec<u8>> {
        match self.nodes.get(path) {
            None => Err(io::ErrorKind::NotFound.into()),
            Some(Node::Folder(_)) => Err(io::ErrorKind::IsADirectory.into()),
            Some(Node::OnDisk) => fs::read(os_str(&self.on_disk(path))),
            Some(Node::InCommit(_, object)) => self.object(object),
        }
    }

    /// A file to be read piece by piece, and how many bytes it has.
    pub(super) fn open_file(&self, path: &[u8]) -> io::Result<(u64, Box<dyn Read>)> {
        if matches!(self.nodes.get(path), Some(Node::OnDisk)) {
            let file = fs::File::open(os_str(&self.on_disk(path)))?;
            return Ok((file.metadata()?.len(), Box::new(file)));
        }
        let contents = self.read_file(path)?;
        Ok((contents.len() as u64, Box::new(io::Cursor::new(contents))))
    }

    /// Where a link points to.
    pub(super) fn read_link(&self, path: &[u8]) -> io::Result<Vec<u8>> {
        match self.nodes.get(path) {
            None => Err(io::ErrorKind::NotFound.into()),
            Some(Node::OnDisk) => {
                Ok(fs::read_link(os_str(&self.on_disk(path)))?.into_os_string().into_vec())
            }
            Some(Node::InCommit(FileType::Symlink, object)) => self.object(object),
            Some(_) => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    /// Goes to `path`, and follows the links on the way; with `last`, one at its end as well. `root` is where
    /// the tree stands.
    pub(super) fn walk(&self, root: &[u8], path: &[u8], last: bool) -> io::Result<Way> {
        // Most ways have no link on them.
        match self.file_type(path)? {
            Some(kind) if kind != FileType::Symlink || !last => {
                return Ok(Way::Here(path.to_vec(), kind));
            }
            _ => {}
        }
        let mut todo: Vec<Vec<u8>> = parts(path).map(<[u8]>::to_vec).rev().collect();
        let mut at: Vec<u8> = Vec::new();
        let mut links = 0;
        while let Some(name) = todo.pop() {
            let next = below(&at, &name);
            match self.file_type(&next)? {
                Some(FileType::Symlink) if last || !todo.is_empty() => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(io::Error::from_raw_os_error(40));
                    }
                    let target = self.read_link(&next)?;
                    let base = below(root, &at);
                    let target = crate::eval::text::path::join(&base, &target);
                    let rest: Vec<Vec<u8>> = todo.drain(..).rev().collect();
                    let whole = rest.iter().fold(target, |path, name| below(&path, name));
                    let whole = crate::eval::text::path::canonical(&whole);
                    match whole.strip_prefix(root) {
                        Some(inside) if inside.is_empty() || inside.starts_with(b"/") => {
                            todo = parts(inside).map(<[u8]>::to_vec).rev().collect();
                            at.clear();
                        }
                        _ => return Ok(Way::Elsewhere(whole)),
                    }
                }
                Some(_) => at = next,
                None => {
                    let whole = todo.iter().rev().fold(next, |path, name| below(&path, name));
                    return Ok(Way::Nowhere(whole));
                }
            }
        }
        Ok(match self.file_type(&at)? {
            Some(kind) => Way::Here(at, kind),
            None => Way::Nowhere(at),
        })
    }

    /// The hash of the archive of the whole tree.
    pub(super) fn nar_hash(&self) -> io::Result<Hash> {
        let hashed = hash_nar(&mut Archive(self), &Vec::new(), HashAlgo::Sha256);
        hashed.map(|(hash, _)| hash).map_err(|error| error.0)
    }

    /// What changes whenever a file of the disk changes, whatever git has been told of it: size, mode and the
    /// times of each. Nothing where a file was changed so lately that a further change might leave them as they
    /// are, or can't be looked at. (Git's documentation, "racy-git".)
    pub(super) fn stamp(&self) -> Option<String> {
        let mut paths: Vec<&[u8]> = self.nodes.keys().map(|path| &**path).collect();
        paths.sort_unstable();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        let latest = i64::try_from(now.saturating_sub(RACY).as_secs()).ok()?;
        let mut text = Vec::new();
        for path in paths {
            if !matches!(self.nodes.get(path), Some(Node::OnDisk)) {
                continue;
            }
            let meta = fs::symlink_metadata(os_str(&self.on_disk(path))).ok()?;
            if meta.ctime() >= latest {
                return None;
            }
            text.extend_from_slice(path);
            text.push(0);
            let numbers = [meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()];
            text.extend(numbers.into_iter().flat_map(i64::to_le_bytes));
            text.extend(
                [meta.ino(), meta.size(), meta.mode().into()].map(u64::to_le_bytes).concat(),
            );
        }
        Some(Hash::of(HashAlgo::Sha256, &text).to_text(HashFormat::Base16, false))
    }

    /// The folder on the disk that the tree is a part of.
    pub(super) fn folder(&self) -> Option<&[u8]> {
        match &self.contents {
            Contents::Disk(root) => Some(root),
            Contents::Commit { .. } => None,
        }
    }

    /// Where a file is on the disk, if it is one of the disk.
    pub(super) fn disk_path(&self, path: &[u8]) -> Option<Vec<u8>> {
        matches!(self.nodes.get(path), Some(Node::OnDisk)).then(|| self.on_disk(path))
    }

    fn on_disk(&self, path: &[u8]) -> Vec<u8> {
        disk_path(self.folder().unwrap_or_default(), path)
    }

    fn object(&self, object: &str) -> io::Result<Vec<u8>> {
        let Contents::Commit { load, loaded } = &self.contents else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let all = if let Some(all) = loaded.get() {
            all
        } else {
            let mut wanted: Vec<&str> = self.nodes.values().filter_map(object_of).collect();
            wanted.sort_unstable();
            wanted.dedup();
            let contents = load(&wanted)?;
            let all = wanted.into_iter().map(Box::from).zip(contents).collect();
            loaded.get_or_init(|| all)
        };
        all.get(object).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn object_of(node: &Node) -> Option<&str> {
    match node {
        Node::InCommit(_, object) => Some(object),
        Node::Folder(_) | Node::OnDisk => None,
    }
}

fn kind_of(meta: &fs::Metadata) -> FileType {
    if meta.is_symlink() {
        FileType::Symlink
    } else if meta.is_dir() {
        FileType::Directory
    } else if meta.is_file() {
        // An archive calls a file executable if its owner may execute it.
        let executable = meta.permissions().mode() & 0o100 != 0;
        if executable { FileType::Executable } else { FileType::Regular }
    } else {
        FileType::Unknown
    }
}

fn parts(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').filter(|name| !name.is_empty())
}

/// `path/name`, or `name` in the root.
fn below(path: &[u8], name: &[u8]) -> Vec<u8> {
    if path.is_empty() { name.to_vec() } else { [path, b"/", name].concat() }
}

fn disk_path(root: &[u8], path: &[u8]) -> Vec<u8> {
    Path::new(os_str(root)).join(os_str(path)).as_os_str().as_bytes().to_vec()
}

/// A tree on its way into an archive.
struct Archive<'t>(&'t Tree);

/// Why a tree has no archive.
struct ArchiveError(io::Error);

impl From<StoreError> for ArchiveError {
    fn from(error: StoreError) -> Self {
        Self(io::Error::other(error.to_string()))
    }
}

impl NarSource for Archive<'_> {
    type Handle = Vec<u8>;
    type Contents<'c>
        = Cursor<Vec<u8>>
    where
        Self: 'c;
    type Error = ArchiveError;

    fn open(&mut self, path: &Vec<u8>) -> Result<NarNode<Vec<u8>, Cursor<Vec<u8>>>, ArchiveError> {
        let failed = |error: io::Error| {
            let message = format!("'{}': {}", shown(&self.0.on_disk(path)), reason(&error));
            ArchiveError(io::Error::new(error.kind(), message))
        };
        match self.0.file_type(path).map_err(failed)? {
            Some(kind @ (FileType::Regular | FileType::Executable)) => {
                let contents = self.0.read_file(path).map_err(failed)?;
                Ok(NarNode::File {
                    executable: kind == FileType::Executable,
                    size: contents.len() as u64,
                    contents: Cursor::new(contents),
                })
            }
            Some(FileType::Symlink) => {
                Ok(NarNode::Symlink { target: self.0.read_link(path).map_err(failed)? })
            }
            Some(FileType::Directory) => {
                let entries = self.0.read_dir(path).map_err(failed)?.into_iter();
                let entries = entries.map(|(name, _)| {
                    let inner = below(path, &name);
                    (name, inner)
                });
                Ok(NarNode::Directory { entries: entries.collect() })
            }
            Some(FileType::Unknown) => {
                Err(failed(io::Error::other("it is neither a file, a folder nor a symbolic link")))
            }
            None => Err(failed(io::ErrorKind::NotFound.into())),
        }
    }
}
