//! Flakes: references, `flake.nix`, lock files, inputs, and the value that they make together. Knows nothing
//! of hosts. (Nix manual, `nix flake`.)
//!
//! [`Flakes`] opens them: [`Flakes::open`] reads `flake.nix` and `flake.lock` and finds the trees, without
//! evaluating anything; [`Opened::call`] makes the value. Trees are not copied to the store: [`Flakes`] is the
//! [`EvalIo`] that an evaluation sees them through, as if they were there. Inputs that are missing are fetched
//! by the program `nix` when they are read for the first time, all with one call. No lock file is written.

mod bring;
mod cache;
mod call;
mod definition;
mod error;
mod fetch;
mod find;
mod fingerprint;
mod git;
pub(crate) mod installable;
mod io;
mod links;
mod lock;
mod opener;
mod reference;
mod registry;
mod repository;
mod resolve;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

pub use error::FlakeError;
pub use git::Run;
pub use reference::folder_of;

use crate::eval::error::Error;
use crate::eval::io::{EvalIo, Fetch, FileType, Level, Wanted};
use crate::eval::position::Pos;
use crate::eval::value::Value;
use crate::eval::{Eval, GetFlake};
use crate::store::{StoreDir, StorePath};
use cache::Cache;
use error::Result;
use find::Finder;
use io::FlakeIo;
use links::Links;
use lock::InputPath;
use opener::{Opener, ReadFlake};
use reference::{FlakeRef, Meant, shown};
use registry::Use;
use resolve::{Place, Resolved};

/// What opens flakes, and the outside as evaluations of them see it.
pub struct Flakes {
    io: FlakeIo,
    finder: Rc<Finder>,
    /// Where relative paths of references start.
    base: Vec<u8>,
}

/// What [`Flakes`] needs to know of the machine.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// Where relative paths of references start.
    pub base: Vec<u8>,
    /// The store's folder.
    pub store_dir: Vec<u8>,
    /// Where to remember what is known of commits; nowhere without it.
    pub cache: Option<PathBuf>,
}

/// How a flake is opened.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// What stands for which input: `--override-input a/b REFERENCE`.
    pub override_inputs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// A flake whose inputs are known. Nothing of it is evaluated yet.
pub struct Opened {
    finder: Rc<Finder>,
    /// The reference, as it is shown.
    name: String,
    locked: FlakeRef,
    resolved: Resolved,
}

impl Flakes {
    /// What opens flakes. `inner` is the real outside, `run` runs programs.
    #[must_use]
    pub fn new(inner: Rc<dyn EvalIo>, run: Arc<Run>, around: Surroundings) -> Self {
        let store = StoreDir::new(&around.store_dir).unwrap_or_default();
        let cache = Cache::new(around.cache);
        let finder = Finder::new(inner.clone(), run, store.clone(), cache);
        let finder = Rc::new(finder);
        let io = FlakeIo { inner, store, mounts: finder.mounts.clone(), links: Links::default() };
        Self { io, finder, base: around.base }
    }

    /// Opens the flake of a reference as a person gives it. Returns the fragment behind it as well.
    ///
    /// # Errors
    ///
    /// If there is no flake, or its `flake.nix`, its lock file or one of its inputs is not as it must be.
    pub fn open(&self, reference: &[u8], options: &OpenOptions) -> Result<(Opened, Vec<u8>)> {
        let say = |text: &str| self.finder.warn(text);
        let (reference, fragment) =
            FlakeRef::parse_given(reference, &self.base, Meant::Flake, &say)?;
        let overrides = options
            .override_inputs
            .iter()
            .map(|(path, reference)| {
                let wrong = |reason| FlakeError::Content { reason };
                let path = definition::input_path(path).map_err(wrong)?;
                if path.is_empty() {
                    let reason = "an override names the flake itself, and no input of it";
                    return Err(wrong(reason.to_owned()));
                }
                let (reference, fragment) =
                    FlakeRef::parse_given(reference, &self.base, Meant::Input, &say)?;
                if fragment.is_empty() {
                    return Ok((path, reference));
                }
                let reason = format!("unexpected fragment '{}'", shown(&fragment));
                Err(FlakeError::Reference { reference: reference.to_string(), reason })
            })
            .collect::<Result<Vec<(InputPath, FlakeRef)>>>()?;
        Ok((self.open_reference(&reference, &overrides, Use::All)?, fragment))
    }

    fn open_reference(
        &self,
        reference: &FlakeRef,
        overrides: &[(InputPath, FlakeRef)],
        which: Use,
    ) -> Result<Opened> {
        let opener = self.opener();
        let flake = opener.flake(reference, which, &[])?;
        let place = self.place(&flake)?;
        let name = reference.to_string();
        if flake.definition.has_config {
            self.finder.warn(&format!("the nixConfig of flake '{name}' is ignored"));
        }
        let resolved = opener.resolve(&flake, &name, overrides, place, which)?;
        Ok(Opened { finder: self.finder.clone(), name, locked: flake.locked, resolved })
    }

    fn place(&self, flake: &ReadFlake) -> Result<Place> {
        let store = &self.finder.store;
        let (path, rest) = store.split(&flake.folder).map_err(|error| FlakeError::NoFlake {
            flake: shown(&flake.folder),
            reason: error.to_string(),
        })?;
        let folder = rest.strip_prefix(b"/").unwrap_or(rest).to_vec();
        Ok(Place { path, folder, input: flake.locked.input.clone() })
    }

    fn opener(&self) -> Opener<'_> {
        Opener { finder: &self.finder, io: &self.io }
    }
}

impl Opened {
    /// The reference, as it is shown.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value of the flake: its outputs, what is known of its source, its `inputs` and `outputs`. `eval` must
    /// see the outside through the [`Flakes`] that have opened it.
    ///
    /// # Errors
    ///
    /// What evaluating fails with.
    pub fn call<'a>(&self, eval: &mut Eval<'a>) -> crate::eval::error::Result<Value<'a>> {
        call::call(self, eval)
    }

    /// The outputs of the flake alone.
    ///
    /// # Errors
    ///
    /// What evaluating fails with.
    pub fn outputs<'a>(&self, eval: &mut Eval<'a>) -> crate::eval::error::Result<Value<'a>> {
        let flake = self.call(eval)?;
        let outputs = match eval.force(flake, Pos::NONE)? {
            Value::Attrs(flake) => flake.get(eval.known.outputs),
            _ => None,
        };
        let outputs = outputs.ok_or_else(|| Error::missing_attribute(Pos::NONE, "outputs"))?;
        eval.force(Value::Ref(outputs), Pos::NONE)
    }

    /// Has reports say where the files of folders are. Nix says where in the store it has copied them to; here is no
    /// copy that one could look into.
    pub fn show_folders(&self, eval: &mut Eval<'_>) {
        for (path, folder) in self.finder.mounts.folders() {
            eval.sources.show_as(&self.finder.store.to_absolute(&path), &folder);
        }
    }

    /// What the outcome of an evaluation depends on, as a short text; `None` if that is not certain, since an
    /// input is not locked. Also depends on it: the evaluator itself, and what an impure one sees besides.
    #[must_use]
    pub fn fingerprint(&self) -> Option<String> {
        fingerprint::fingerprint(self)
    }

    /// How the way to a node is written.
    fn input_name(&self, node: usize) -> String {
        let all = self.resolved.graph.all_paths();
        all.get(&node).map_or_else(|| self.name.clone(), |path| lock::shown_path(path))
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("name", &self.name).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Flakes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flakes").field("base", &shown(&self.base)).finish_non_exhaustive()
    }
}

impl GetFlake for Flakes {
    fn get_flake<'a>(
        &self,
        eval: &mut Eval<'a>,
        reference: &[u8],
        pos: Pos,
    ) -> crate::eval::error::Result<Value<'a>> {
        let pure = eval.settings.pure;
        let which = if pure { Use::None } else { Use::All };
        let opened = FlakeRef::parse_absolute(reference).and_then(|parsed| {
            if pure && !parsed.input.is_locked().unwrap_or(false) {
                let reason = format!(
                    "cannot call 'getFlake' on unlocked flake reference '{}' (use --impure to override)",
                    shown(reference)
                );
                return Err(FlakeError::Content { reason });
            }
            self.open_reference(&parsed, &[], which)
        });
        let opened = opened.map_err(|error| call::failed(error).or_at(pos))?;
        opened.call(eval)
    }
}

impl EvalIo for Flakes {
    fn read_file(&self, path: &[u8]) -> std::io::Result<Vec<u8>> {
        self.io.read_file(path)
    }

    fn disk_path(&self, path: &[u8]) -> Option<Vec<u8>> {
        self.io.disk_path(path)
    }

    fn open_file<'f>(&'f self, path: &[u8]) -> std::io::Result<(u64, Box<dyn Read + 'f>)> {
        self.io.open_file(path)
    }

    fn read_dir(&self, path: &[u8]) -> std::io::Result<Vec<(Vec<u8>, FileType)>> {
        self.io.read_dir(path)
    }

    fn file_type(&self, path: &[u8]) -> std::io::Result<Option<FileType>> {
        self.io.file_type(path)
    }

    fn read_link(&self, path: &[u8]) -> std::io::Result<Vec<u8>> {
        self.io.read_link(path)
    }

    fn missing(&self, path: &[u8]) -> std::io::Error {
        self.io.missing(path)
    }

    fn env(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.io.env(name)
    }

    fn now(&self) -> i64 {
        self.io.now()
    }

    fn message(&self, level: Level, text: &[u8]) {
        self.io.message(level, text);
    }

    fn realise(&self, wanted: &Wanted<'_>) -> std::io::Result<BTreeSet<StorePath>> {
        self.io.realise(wanted)
    }

    fn references(&self, path: &StorePath) -> std::io::Result<BTreeSet<StorePath>> {
        self.io.references(path)
    }

    fn fetch(&self, fetch: &Fetch) -> std::io::Result<Vec<u8>> {
        self.io.fetch(fetch)
    }

    fn interrupted(&self) -> bool {
        self.io.interrupted()
    }
}

/// Bytes as the system takes them.
fn os_str(bytes: &[u8]) -> &OsStr {
    OsStr::from_bytes(bytes)
}

/// Is there something at a path?
fn exists(path: &[u8]) -> bool {
    std::path::Path::new(os_str(path)).symlink_metadata().is_ok()
}
