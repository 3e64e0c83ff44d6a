//! Reading what flakes have on disk: `flake.nix` and `flake.lock` of a tree that was found.

use std::rc::Rc;

use super::definition::{Definition, Whose};
use super::error::{FlakeError, Result};
use super::find::{Finder, Found};
use super::io::FlakeIo;
use super::lock::Graph;
use super::reference::{FlakeRef, shown};
use super::registry::Use;
use crate::eval::io::EvalIo;
use crate::eval::text::path;

/// What opens flakes.
#[derive(Clone, Copy)]
pub(super) struct Opener<'o> {
    pub(super) finder: &'o Rc<Finder>,
    pub(super) io: &'o FlakeIo,
}

/// A flake whose `flake.nix` was read.
#[derive(Debug)]
pub(super) struct ReadFlake {
    pub(super) definition: Definition,
    /// Its tree, locked.
    pub(super) locked: FlakeRef,
    /// Its folder, as it is seen in the store.
    pub(super) folder: Vec<u8>,
}

impl Opener<'_> {
    /// Finds a flake and reads its `flake.nix`.
    pub(super) fn flake(
        &self,
        reference: &FlakeRef,
        which: Use,
        at: &[Vec<u8>],
    ) -> Result<ReadFlake> {
        let mut found = self.finder.get(&reference.input, which)?;
        let dir = found.dir.clone().unwrap_or_else(|| reference.dir.clone());
        let mut flake = self.read(reference, &found, &dir, at)?;
        let wanted = &flake.definition.self_attrs;
        if wanted.iter().any(|(name, value)| found.input.attrs.get(name) != Some(value)) {
            let mut input = found.resolved.clone();
            input.attrs.extend(wanted.clone());
            input.attrs.remove(&b"narHash"[..]);
            found = self.finder.get(&input, Use::None)?;
            flake = self.read(reference, &found, &dir, at)?;
        }
        Ok(flake)
    }

    fn read(
        &self,
        reference: &FlakeRef,
        found: &Found,
        dir: &[u8],
        at: &[Vec<u8>],
    ) -> Result<ReadFlake> {
        let root = self.finder.store.to_absolute(&found.path);
        let locked = FlakeRef { input: found.input.clone(), dir: dir.to_vec() };
        self.read_in(reference, locked, &root, at)
    }

    /// Reads the `flake.nix` of a flake in the tree at `root`.
    pub(super) fn read_in(
        &self,
        reference: &FlakeRef,
        locked: FlakeRef,
        root: &[u8],
        at: &[Vec<u8>],
    ) -> Result<ReadFlake> {
        let folder = path::join(root, &[b"./", &locked.dir[..]].concat());
        let file = [&folder[..], b"/flake.nix"].concat();
        let shown_file = self.shown(&file);
        let flake = reference.to_string();
        let text = self.io.read_file(&file).map_err(|error| {
            let reason = match error.get_ref() {
                Some(own) => own.to_string(),
                None if error.kind() == std::io::ErrorKind::NotFound => {
                    format!("path '{shown_file}' does not exist")
                }
                None => format!("'{shown_file}': {}", crate::eval::io::reason(&error)),
            };
            FlakeError::NoFlake { flake: flake.clone(), reason }
        })?;
        let in_tree = self.finder.store.split(&folder).map_or(&b"/"[..], |(_, rest)| rest);
        let whose = Whose {
            flake: &flake,
            file: &shown_file,
            path: at,
            folder: if in_tree.is_empty() { b"/" } else { in_tree },
        };
        Ok(ReadFlake { definition: Definition::read(&text, &whose)?, locked, folder })
    }

    /// The lock file of a flake's folder; an empty one where there is none.
    pub(super) fn lock_file(&self, folder: &[u8]) -> Result<Graph> {
        let file = [folder, b"/flake.lock"].concat();
        match self.io.file_type(&file) {
            Ok(Some(_)) => {}
            _ => return Ok(Graph::new()),
        }
        let shown_file = self.shown(&file);
        let text = self.io.read_file(&file).map_err(|error| FlakeError::Lock {
            file: shown_file.clone(),
            reason: crate::eval::io::reason(&error),
        })?;
        Graph::read(&text, &shown_file)
    }

    /// A path of a tree, where people find it.
    pub(super) fn shown(&self, file: &[u8]) -> String {
        shown(&self.finder.mounts.on_disk(&self.finder.store, file))
    }
}
