//! Where the trees of inputs are: in the store, in a folder, in a git repository; else the program `nix`
//! has to bring them.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::bring::Wanted;
use super::cache::Cache;
use super::error::{FlakeError, Result};
use super::exists;
use super::fetch;
use super::git::Run;
use super::io::{Mount, Mounts};
use super::reference::{input_text, shown};
use super::registry::{Registries, Use};
use super::repository::local_repository;
use super::tree::Tree;
use crate::eval::io::{EvalIo, Level, reason};
use crate::eval::references::{Input, InputAttr, InputAttrs, Scheme};
use crate::eval::text::path;
use crate::store::{CaMethod, ContentAddress, Hash, HashFormat, References, StoreDir, StorePath};

/// Finds trees, and remembers what it has found.
pub(super) struct Finder {
    pub(super) inner: Rc<dyn EvalIo>,
    pub(super) run: Arc<Run>,
    pub(super) store: StoreDir,
    pub(super) mounts: Rc<Mounts>,
    pub(super) cache: Cache,
    registries: OnceCell<Registries>,
    /// Trees by what was asked for.
    found: RefCell<Vec<(InputAttrs, Found)>>,
    /// Locked inputs that nobody has looked for yet.
    pub(super) wanted: RefCell<BTreeMap<StorePath, Wanted>>,
}

/// A tree that was found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Where it is seen in the store.
    pub(super) path: StorePath,
    /// What it was found as, with its hash.
    pub(super) input: Input,
    /// What was asked for, after the registries.
    pub(super) resolved: Input,
    /// The folder in it that the registry names.
    pub(super) dir: Option<Vec<u8>>,
}

impl Finder {
    pub(super) fn new(inner: Rc<dyn EvalIo>, run: Arc<Run>, store: StoreDir, cache: Cache) -> Self {
        Self {
            inner,
            run,
            store,
            mounts: Rc::new(Mounts::default()),
            cache,
            registries: OnceCell::new(),
            found: RefCell::default(),
            wanted: RefCell::default(),
        }
    }

    /// Tells a warning.
    pub(super) fn warn(&self, text: &str) {
        self.inner.message(Level::Remark, text.as_bytes());
    }

    /// The registries of this machine. Few flakes need them.
    pub(super) fn registries(&self) -> &Registries {
        self.registries.get_or_init(|| Registries::read(&|text| self.warn(text)))
    }

    /// Finds the tree of an input that need not be locked. Everything is looked at once.
    pub(super) fn get(&self, input: &Input, which: Use) -> Result<Found> {
        let known = self.found.borrow().iter().find(|(asked, _)| *asked == input.attrs).cloned();
        if let Some((_, found)) = known {
            return Ok(found);
        }
        let found = self.look(input, which)?;
        self.found.borrow_mut().push((input.attrs.clone(), found.clone()));
        Ok(found)
    }

    fn look(&self, input: &Input, which: Use) -> Result<Found> {
        if input.scheme == Some(Scheme::Indirect) {
            if which == Use::None {
                let reference = input_text(input);
                let reason = format!(
                    "'{reference}' is an indirect flake reference, but registry lookups are not allowed"
                );
                return Err(FlakeError::Reference { reference, reason });
            }
            let Some(target) = self.registries().resolve(input, which)? else {
                return self.prefetch(input);
            };
            let dir = (!target.dir.is_empty()).then_some(target.dir);
            let found = self.get(&target.input, Use::None)?;
            return Ok(Found { resolved: target.input, dir, ..found });
        }
        match input.scheme {
            Some(Scheme::Path) => self.folder(input),
            Some(Scheme::Git) => match local_repository(input) {
                Some(folder) => self.repository(input, &folder),
                None => self.prefetch(input),
            },
            _ => self.prefetch(input),
        }
    }

    /// A tree that the program `nix` brings into the store.
    pub(super) fn prefetch(&self, input: &Input) -> Result<Found> {
        let locked = fetch::prefetch(&*self.run, input)?;
        let path = self.locked_path(&locked)?.ok_or_else(|| FlakeError::Missing {
            input: input_text(input),
            url: input_text(input),
            reason: "nix did not tell its hash".to_owned(),
        })?;
        self.mounts.name(&path, format!("«{}»", input_text(&locked)).into_bytes());
        Ok(Found { path, input: locked, resolved: input.clone(), dir: None })
    }

    /// A folder of this machine, all of it.
    fn folder(&self, input: &Input) -> Result<Found> {
        let text = text(input, "path").unwrap_or_default();
        if !text.starts_with(b"/") {
            let reference = input_text(input);
            let reason =
                format!("cannot fetch input '{reference}' because it uses a relative path");
            return Err(FlakeError::Reference { reference, reason });
        }
        let folder = path::canonical(text);
        let mut input = input.clone();
        if let Some(found) = self.seen(&folder, &mut input)? {
            return Ok(found);
        }
        let in_store = self.store.parse(&folder).is_ok_and(|path| path.name() == "source");
        let (tree, newest) = Tree::of_folder(&folder).map_err(|error| {
            let path = shown(&folder);
            let reason = if exists(&folder) {
                format!("the folder '{path}' cannot be read: {}", reason(&error))
            } else {
                format!("the path '{path}' does not exist")
            };
            FlakeError::NoFlake { flake: input_text(&input), reason }
        })?;
        let newest = if in_store { 0 } else { newest };
        input.attrs.entry(b"lastModified".to_vec()).or_insert(InputAttr::Number(newest));
        let hash = hash(&tree)?;
        let path = self.take(&mut input, hash)?;
        self.mounts.name(&path, self.store.to_absolute(&path));
        self.mounts.add(&path, Rc::new(Mount { tree, is_work_tree: false }));
        Ok(Found { path, resolved: input.clone(), input, dir: None })
    }

    /// A folder that is the root of a tree which is seen in the store already.
    fn seen(&self, folder: &[u8], input: &mut Input) -> Result<Option<Found>> {
        let Ok(path) = self.store.parse(folder) else { return Ok(None) };
        let Some(mount) = self.mounts.tree(&path) else { return Ok(None) };
        input.attrs.entry(b"lastModified".to_vec()).or_insert(InputAttr::Number(0));
        self.take(input, hash(&mount.tree)?)?;
        Ok(Some(Found { path, resolved: input.clone(), input: input.clone(), dir: None }))
    }

    /// Gives an input the hash that its tree has, and says where the tree is seen.
    pub(super) fn take(&self, input: &mut Input, hash: Hash) -> Result<StorePath> {
        check_hash(input, hash)?;
        let text = hash.to_text(HashFormat::Sri, true);
        set(input, "narHash", InputAttr::Text(text.into_bytes()));
        self.path_of(input, hash)
    }

    fn path_of(&self, input: &Input, hash: Hash) -> Result<StorePath> {
        let name = text(input, "name").unwrap_or(b"source");
        let address = ContentAddress { method: CaMethod::Nar, hash };
        self.store.ca_path(name, &address, References::NONE).map_err(|error| {
            FlakeError::Reference { reference: input_text(input), reason: error.to_string() }
        })
    }

    /// Where a locked input is in the store; `None` if its hash is not known.
    pub(super) fn locked_path(&self, input: &Input) -> Result<Option<StorePath>> {
        let hash = input.nar_hash().map_err(|error| FlakeError::Reference {
            reference: input_text(input),
            reason: error.to_string(),
        })?;
        hash.map(|hash| self.path_of(input, hash)).transpose()
    }

    pub(super) fn is_in_store(&self, path: &StorePath) -> bool {
        self.inner.store_path_exists(&self.store.to_absolute(path)).unwrap_or(false)
    }
}

pub(super) fn hash(tree: &Tree) -> Result<Hash> {
    tree.nar_hash().map_err(|error| {
        let reason = reason(&error);
        FlakeError::Io(format!("a file of the flake cannot be read: {reason}"))
    })
}

/// Fails if an input was said to have another hash.
pub(super) fn check_hash(input: &Input, actual: Hash) -> Result<()> {
    let expected = input.nar_hash().map_err(|error| FlakeError::Reference {
        reference: input_text(input),
        reason: error.to_string(),
    })?;
    match expected {
        Some(expected) if expected != actual => Err(FlakeError::Hash {
            input: input_text(input),
            expected: expected.to_text(HashFormat::Sri, true),
            actual: actual.to_text(HashFormat::Sri, true),
        }),
        _ => Ok(()),
    }
}

pub(super) fn set(input: &mut Input, name: &str, value: InputAttr) {
    set_attr(&mut input.attrs, name, value);
}

pub(super) fn set_attr(attrs: &mut InputAttrs, name: &str, value: InputAttr) {
    attrs.insert(name.into(), value);
}

pub(super) fn text<'i>(input: &'i Input, name: &str) -> Option<&'i [u8]> {
    match input.attrs.get(name.as_bytes()) {
        Some(InputAttr::Text(text)) => Some(text),
        _ => None,
    }
}

pub(super) fn flag(input: &Input, name: &str) -> bool {
    input.attrs.get(name.as_bytes()) == Some(&InputAttr::Bool(true))
}
