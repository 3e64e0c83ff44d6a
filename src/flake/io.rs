//! The outside as an evaluation of flakes sees it: trees stand in the store as if they had been copied
//! there, and inputs are brought when they are read for the first time.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::io::{self, Read};
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::links::Links;
use super::os_str;
use super::reference::shown;
use super::tree::{Tree, Way};
use crate::eval::io::{EvalIo, Fetch, FileType, Level, Wanted};
use crate::store::{StoreDir, StorePath};

/// Trees by the store paths that they stand at, and inputs that are not known to be there yet.
#[derive(Default)]
pub(super) struct Mounts {
    at: RefCell<FxHashMap<Box<str>, Place>>,
    /// What people know trees as.
    names: RefCell<FxHashMap<StorePath, Vec<u8>>>,
    /// Is nothing to be read but trees and the store?
    pub(super) pure: Cell<bool>,
}

/// What is at a store path.
#[derive(Clone)]
enum Place {
    /// This tree.
    Tree(Rc<Mount>),
    /// An input that somebody has to look for.
    Wanted(Rc<Bring>),
}

/// A tree that is seen at a store path.
pub(super) struct Mount {
    /// The tree.
    pub(super) tree: Tree,
    /// Is it the work tree of a git repository?
    pub(super) is_work_tree: bool,
}

/// Looks for an input: gives its tree, or nothing if it is in the store.
pub(super) type Bring = dyn Fn() -> io::Result<Option<Rc<Mount>>>;

impl Mounts {
    pub(super) fn add(&self, path: &StorePath, mount: Rc<Mount>) {
        self.at.borrow_mut().insert(path.base_name().into(), Place::Tree(mount));
    }

    /// Has `bring` called when `path` is read for the first time, unless something stands there already.
    pub(super) fn want(&self, path: &StorePath, bring: Rc<Bring>) {
        self.at.borrow_mut().entry(path.base_name().into()).or_insert(Place::Wanted(bring));
    }

    /// Says how files of a tree are shown to people: with `name` in the place of the store path.
    pub(super) fn name(&self, path: &StorePath, name: Vec<u8>) {
        self.names.borrow_mut().insert(path.clone(), name);
    }

    /// All trees that people know by another name.
    pub(super) fn names(&self) -> Vec<(StorePath, Vec<u8>)> {
        let names = self.names.borrow();
        names.iter().map(|(path, name)| (path.clone(), name.clone())).collect()
    }

    /// The trees that are folders, by the store paths that they are seen at.
    pub(super) fn folders(&self) -> Vec<(StorePath, Vec<u8>)> {
        let names = self.names();
        let folder = |path: StorePath| {
            let mount = self.tree(&path)?;
            Some((path, mount.tree.folder()?.to_vec()))
        };
        names.into_iter().filter_map(|(path, _)| folder(path)).collect()
    }

    /// Where a path in the store is on the disk, as far as that can be told; else as [`Self::shown`].
    pub(super) fn on_disk(&self, store: &StoreDir, path: &[u8]) -> Vec<u8> {
        let Ok((store_path, rest)) = store.split(path) else { return path.to_vec() };
        match self.tree(&store_path).as_deref().and_then(|mount| mount.tree.folder()) {
            Some(folder) => [folder, rest].concat(),
            None => self.shown(store, path),
        }
    }

    /// A path in the store as people know it.
    pub(super) fn shown(&self, store: &StoreDir, path: &[u8]) -> Vec<u8> {
        let Ok((store_path, rest)) = store.split(path) else { return path.to_vec() };
        match self.names.borrow().get(&store_path) {
            Some(name) => [name, rest].concat(),
            None => path.to_vec(),
        }
    }

    /// The tree that is seen at a store path.
    pub(super) fn tree(&self, path: &StorePath) -> Option<Rc<Mount>> {
        match self.at.borrow().get(path.base_name()) {
            Some(Place::Tree(mount)) => Some(mount.clone()),
            _ => None,
        }
    }

    /// The tree at a store path of this name; nothing if the store itself has to be asked.
    fn get(&self, base_name: &str) -> io::Result<Option<Rc<Mount>>> {
        let place = self.at.borrow().get(base_name).cloned();
        match place {
            None => Ok(None),
            Some(Place::Tree(mount)) => Ok(Some(mount)),
            Some(Place::Wanted(bring)) => {
                let mount = bring()?;
                let mut at = self.at.borrow_mut();
                match &mount {
                    Some(mount) => at.insert(base_name.into(), Place::Tree(mount.clone())),
                    None => at.remove(base_name),
                };
                Ok(mount)
            }
        }
    }
}

/// The outside with the trees of flakes in it.
pub(super) struct FlakeIo {
    pub(super) inner: Rc<dyn EvalIo>,
    pub(super) store: StoreDir,
    pub(super) mounts: Rc<Mounts>,
    /// What is known of links in the real store.
    pub(super) links: Links,
}

/// Where a path leads.
enum Where<'p> {
    /// To a path of a tree.
    Tree { mount: Rc<Mount>, root: &'p [u8], path: Vec<u8> },
    /// To the real outside.
    Outside,
}

impl FlakeIo {
    fn find<'p>(&self, path: &'p [u8]) -> io::Result<Where<'p>> {
        let Some(inside) = self.store.inside(path) else { return Ok(Where::Outside) };
        let end = inside.iter().position(|byte| *byte == b'/').unwrap_or(inside.len());
        let (base_name, rest) = inside.split_at(end);
        let Ok(base_name) = str::from_utf8(base_name) else { return Ok(Where::Outside) };
        let Some(mount) = self.mounts.get(base_name)? else { return Ok(Where::Outside) };
        let root = path.get(..path.len() - rest.len()).unwrap_or(path);
        Ok(Where::Tree { mount, root, path: rest.strip_prefix(b"/").unwrap_or(rest).to_vec() })
    }

    /// Does `here` with what a path leads to in a tree, or `outside` with the path in the real outside.
    fn at<T>(
        &self,
        path: &[u8],
        last: bool,
        here: impl FnOnce(&Tree, &[u8], FileType) -> io::Result<T>,
        outside: impl FnOnce(&[u8]) -> io::Result<T>,
        nowhere: impl FnOnce(io::Error) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut path = path.to_vec();
        for _ in 0..MOST_TREES {
            let next = match self.find(&path)? {
                Where::Outside => match self.leads_on(&path, last)? {
                    None => return outside(&path),
                    Some(path) => {
                        self.check_pure(&path)?;
                        path
                    }
                },
                Where::Tree { mount, root, path: inside } => {
                    match mount.tree.walk(root, &inside, last)? {
                        Way::Here(inside, kind) => return here(&mount.tree, &inside, kind),
                        Way::Nowhere(inside) => {
                            return nowhere(mount.missing(&inside).unwrap_or_else(|| {
                                self.missing_at(&[root, b"/", &inside].concat())
                            }));
                        }
                        Way::Elsewhere(path) => {
                            self.check_pure(&path)?;
                            path
                        }
                    }
                }
            };
            path = next;
        }
        Err(io::Error::from_raw_os_error(40))
    }
}

impl FlakeIo {
    /// Where a link on the way to a path of the real store leads. Only pure evaluation needs to know.
    fn leads_on(&self, path: &[u8], last: bool) -> io::Result<Option<Vec<u8>>> {
        if !self.mounts.pure.get() || self.store.inside(path).is_none() {
            return Ok(None);
        }
        self.links.first(&*self.inner, self.store.as_bytes(), path, last)
    }

    /// Fails where pure evaluation forbids to follow a link.
    fn check_pure(&self, path: &[u8]) -> io::Result<()> {
        if !self.mounts.pure.get() || self.store.inside(path).is_some() {
            return Ok(());
        }
        let message = format!(
            "access to absolute path '{}' is forbidden in pure evaluation mode (use '--impure' to override)",
            shown(path)
        );
        Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
    }

    /// The error of a path where nothing stands, as people know it.
    fn missing_at(&self, path: &[u8]) -> io::Error {
        let path = shown(&self.mounts.shown(&self.store, path));
        io::Error::new(io::ErrorKind::NotFound, format!("path '{path}' does not exist"))
    }

    /// With the name that people know a path by.
    fn told<T>(&self, path: &[u8], result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound if error.get_ref().is_none() => self.missing_at(path),
            _ => error,
        })
    }
}

/// More trees than this that lead into each other by links are a circle.
const MOST_TREES: usize = 40;

impl Mount {
    /// The error of a path of a work tree where nothing stands, in the words of Nix.
    fn missing(&self, path: &[u8]) -> Option<io::Error> {
        let folder = self.tree.folder().filter(|_| self.is_work_tree)?;
        let (path, repository) = (shown(path), shown(folder));
        let file = std::path::Path::new(os_str(folder)).join(&path);
        let message = if file.symlink_metadata().is_ok() {
            format!(
                "Path '{path}' in the repository \"{repository}\" is not tracked by Git.\n\n\
                 To make it visible to Nix, run:\n\n\
                 git -C \"{repository}\" add \"{path}\""
            )
        } else {
            format!("Path '{path}' does not exist in Git repository \"{repository}\".")
        };
        Some(io::Error::new(io::ErrorKind::NotFound, message))
    }
}

impl EvalIo for FlakeIo {
    fn read_file(&self, path: &[u8]) -> io::Result<Vec<u8>> {
        self.at(
            path,
            true,
            |tree, at, _| tree.read_file(at),
            |path| self.told(path, self.inner.read_file(path)),
            Err,
        )
    }

    fn disk_path(&self, path: &[u8]) -> Option<Vec<u8>> {
        let none = || io::Error::from(io::ErrorKind::NotFound);
        let in_tree = |tree: &Tree, at: &[u8], _| tree.disk_path(at).ok_or_else(none);
        self.at(path, true, in_tree, |path| self.inner.disk_path(path).ok_or_else(none), Err).ok()
    }

    fn open_file<'f>(&'f self, path: &[u8]) -> io::Result<(u64, Box<dyn Read + 'f>)> {
        self.at(
            path,
            true,
            |tree, at, _| tree.open_file(at),
            |path| self.told(path, self.inner.open_file(path)),
            Err,
        )
    }

    fn read_dir(&self, path: &[u8]) -> io::Result<Vec<(Vec<u8>, FileType)>> {
        let folder = |tree: &Tree, at: &[u8], _| {
            let mut entries = tree.read_dir(at)?;
            for (_, kind) in &mut entries {
                if *kind == FileType::Executable {
                    *kind = FileType::Regular;
                }
            }
            Ok(entries)
        };
        self.at(path, true, folder, |path| self.told(path, self.inner.read_dir(path)), Err)
    }

    fn file_type(&self, path: &[u8]) -> io::Result<Option<FileType>> {
        self.at(
            path,
            false,
            |_, _, kind| Ok(Some(kind)),
            |path| self.inner.file_type(path),
            |_| Ok(None),
        )
    }

    fn read_link(&self, path: &[u8]) -> io::Result<Vec<u8>> {
        self.at(
            path,
            false,
            |tree, at, _| tree.read_link(at),
            |path| self.inner.read_link(path),
            Err,
        )
    }

    fn missing(&self, path: &[u8]) -> io::Error {
        let none = || io::Error::from(io::ErrorKind::NotFound);
        let error = self.at(path, true, |_, _, _| Ok(none()), |path| Ok(self.missing_at(path)), Ok);
        error.unwrap_or_else(|error| error)
    }

    fn env(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.inner.env(name)
    }

    fn now(&self) -> i64 {
        self.inner.now()
    }

    fn message(&self, level: Level, text: &[u8]) {
        self.inner.message(level, text);
    }

    fn realise(&self, wanted: &Wanted<'_>) -> io::Result<BTreeSet<StorePath>> {
        self.inner.realise(wanted)
    }

    fn references(&self, path: &StorePath) -> io::Result<BTreeSet<StorePath>> {
        self.inner.references(path)
    }

    fn fetch(&self, fetch: &Fetch) -> io::Result<Vec<u8>> {
        self.inner.fetch(fetch)
    }

    fn interrupted(&self) -> bool {
        self.inner.interrupted()
    }
}
