//! Locked inputs: where they are is known, and they are looked for when they are read for the first time.
//! What is missing is brought by the program `nix`, all with one call.

use std::io;
use std::rc::Rc;

use super::error::{FlakeError, Result};
use super::find::{Finder, check_hash, flag, hash, text};
use super::git::Repository;
use super::io::Mount;
use super::reference::{input_text, shown};
use super::repository::local_repository;
use super::tree::Tree;
use super::{exists, fetch};
use crate::eval::io::reason;
use crate::eval::references::{Input, InputAttr, Scheme};
use crate::eval::text::path;
use crate::store::StorePath;

/// A locked input that nobody has looked for yet.
pub(super) struct Wanted {
    name: String,
    input: Input,
}

impl Finder {
    /// Has a locked input looked for as soon as it is read for the first time.
    pub(super) fn want(self: &Rc<Self>, path: &StorePath, name: &str, input: &Input) {
        // Of inputs with the same content, one is enough.
        if self.mounts.tree(path).is_some() || self.wanted.borrow().contains_key(path) {
            return;
        }
        let wanted = Wanted { name: name.to_owned(), input: input.clone() };
        self.wanted.borrow_mut().insert(path.clone(), wanted);
        // `fetchTree` takes git trees without their history, which is seen in the name.
        let mut shown_input = input.clone();
        if input.scheme == Some(Scheme::Git) {
            shown_input.attrs.entry(b"shallow".to_vec()).or_insert(InputAttr::Bool(true));
        }
        self.mounts.name(path, format!("«{}»", input_text(&shown_input)).into_bytes());
        let (finder, path) = (Rc::downgrade(self), path.clone());
        let wanted = path.clone();
        self.mounts.want(
            &path,
            Rc::new(move || match finder.upgrade() {
                Some(finder) => finder.bring(&wanted).map_err(told),
                None => Ok(None),
            }),
        );
    }

    /// Looks for a locked input, and has it brought with all others that are missing.
    fn bring(&self, path: &StorePath) -> Result<Option<Rc<Mount>>> {
        if self.is_in_store(path) {
            self.wanted.borrow_mut().remove(path);
            return Ok(None);
        }
        let input = self.wanted.borrow().get(path).map(|wanted| wanted.input.clone());
        let Some(input) = input else { return Ok(None) };
        if let Some(mount) = self.local(&input)? {
            self.wanted.borrow_mut().remove(path);
            return Ok(Some(mount));
        }
        self.fetch(path)?;
        Ok(None)
    }

    /// The tree of a locked input that is on this machine outside of the store.
    fn local(&self, input: &Input) -> Result<Option<Rc<Mount>>> {
        let expected = input.nar_hash().ok().flatten();
        let tree = match input.scheme {
            Some(Scheme::Path) => {
                let folder = path::canonical(text(input, "path").unwrap_or_default());
                if !exists(&folder) {
                    return Ok(None);
                }
                let (tree, _) =
                    Tree::of_folder(&folder).map_err(|error| FlakeError::Io(reason(&error)))?;
                tree
            }
            Some(Scheme::Git) if !flag(input, "submodules") && !flag(input, "exportIgnore") => {
                let (Some(folder), Some(rev)) = (local_repository(input), text(input, "rev"))
                else {
                    return Ok(None);
                };
                let repository = Repository { run: &*self.run, folder: &folder };
                if !exists(&folder) || repository.resolve(&shown(rev))?.is_none() {
                    return Ok(None);
                }
                self.commit_tree(&repository, &shown(rev))?
            }
            _ => return Ok(None),
        };
        let actual = hash(&tree)?;
        if expected != Some(actual) {
            check_hash(input, actual)?;
        }
        Ok(Some(Rc::new(Mount { tree, is_work_tree: false })))
    }

    /// Has all missing inputs fetched at once.
    fn fetch(&self, first: &StorePath) -> Result<()> {
        let wanted = self.wanted.borrow();
        let missing = |path: &StorePath| !self.is_in_store(path);
        let others = wanted.iter().filter(|(path, _)| *path != first && missing(path));
        let all: Vec<&Wanted> =
            wanted.get(first).into_iter().chain(others.map(|(_, wanted)| wanted)).collect();
        let inputs: Vec<&Input> = all.iter().map(|wanted| &wanted.input).collect();
        let fetched = fetch::fetch_all(&*self.run, &inputs);
        if self.is_in_store(first) {
            return Ok(());
        }
        let reason = match fetched {
            Ok(()) => "nix fetched it, but it has another hash than was locked".to_owned(),
            Err(error) => error.to_string(),
        };
        let (name, url) = match all.first() {
            Some(wanted) => (wanted.name.clone(), input_text(&wanted.input)),
            None => (first.to_string(), String::new()),
        };
        Err(FlakeError::Missing { input: name, url, reason })
    }
}

/// A failure as one of reading, with what to do.
#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn told(error: FlakeError) -> io::Error {
    let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    let kind = match &error {
        FlakeError::Process(crate::process::Error::Cancelled { .. }) => io::ErrorKind::Interrupted,
        _ => io::ErrorKind::NotFound,
    };
    io::Error::new(kind, format!("{error}{hint}"))
}
