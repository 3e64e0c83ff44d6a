//! Paths that a program reads: from a value to a place where the outside has it. What the path's string
//! refers to is built before (import from derivation), and what this evaluation has only
//! imagined in the store is found where it came from.

use std::collections::BTreeSet;
use std::io;

use super::Eval;
use super::builtins;
use super::error::{Error, ErrorKind, Result};
use super::io::{FileType, Wanted, reason};
use super::position::Pos;
use super::store_state::unreadable;
use super::text::{path, shown};
use super::value::{Bytes, Context, ContextElement, Value};
use crate::store::StorePath;

/// More symbolic links than this on the way to a file are taken for a circle.
const MOST_LINKS: usize = 1000;

impl<'a> Eval<'a> {
    /// A value as a path that may be read now.
    pub(super) fn realise_path(&mut self, value: Value<'a>, pos: Pos) -> Result<Bytes<'a>> {
        let what = "while realising the context of a path";
        let (path, context) = self.coerce_to_path(value, pos, what)?;
        self.realise_context(context, pos).map_err(|error| {
            let path = shown(path.items());
            error.while_(Pos::NONE, format!("while realising the context of path '{path}'"))
        })?;
        self.check_readable(path.items(), pos)?;
        Ok(path)
    }

    /// Sees to it that what a context refers to is there: outputs of derivations are built (import from
    /// derivation).
    pub(super) fn realise_context(&mut self, context: Context, pos: Pos) -> Result<()> {
        if context.is_none() {
            return Ok(());
        }
        let mut outputs = Vec::new();
        for element in self.contexts.elements(context) {
            if let ContextElement::Built(drv, output) = element {
                outputs.push((drv.clone(), output.clone()));
            }
            self.check_valid(element.path(), pos)?;
        }
        let Some((first, output)) = outputs.first() else { return Ok(()) };
        if !self.settings.allow_import_from_derivation {
            let message = format!(
                "cannot build '{}^{}' during evaluation because the option 'allow-import-from-derivation' is disabled",
                shown(&self.store.dir().to_absolute(first)),
                shown(output)
            );
            return Err(Error::new(ErrorKind::Io, pos, message));
        }
        outputs.retain(|output| !self.store.is_realised(output));
        if !outputs.is_empty() {
            self.realise_outputs(&outputs, pos)?;
            self.store.add_realised(outputs);
        }
        Ok(())
    }

    /// Fails unless a store path is there, or will be when this evaluation is written to the store.
    fn check_valid(&self, path: &StorePath, pos: Pos) -> Result<()> {
        if self.store.object(path).is_some() {
            return Ok(());
        }
        let path = self.store.dir().to_absolute(path);
        if self.io.store_path_exists(&path).map_err(|error| unreadable(&path, &error, pos))? {
            return Ok(());
        }
        let message = format!("path '{}' is not valid", shown(&path));
        Err(Error::new(ErrorKind::Io, pos, message))
    }

    /// What a store path refers to. Where nobody knows it, nothing.
    pub(super) fn references(&self, path: &StorePath) -> BTreeSet<StorePath> {
        match self.store.object(path) {
            Some(object) => object.references().into_iter().cloned().collect(),
            None => self.io.references(path).unwrap_or_default(),
        }
    }

    fn realise_outputs(&mut self, outputs: &[(StorePath, Box<[u8]>)], pos: Pos) -> Result<()> {
        let (state, io, with_closure) = (&self.store, self.io, self.settings.pure);
        let readable = match io.realise(&Wanted { state, io, outputs, with_closure }) {
            Ok(readable) => readable,
            // Where nothing can be built, what is there must do.
            Err(error) if cannot_build(&error) && self.are_there(outputs, pos)? => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                let message = "interrupted by the user";
                return Err(Error::new(ErrorKind::Interrupted, pos, message));
            }
            Err(error) => {
                let first = outputs.first().map(|(drv, _)| self.store.dir().to_absolute(drv));
                let drv = first.unwrap_or_default();
                let step = format!("while building '{}' during evaluation", shown(&drv));
                return Err(Error::new(ErrorKind::Io, pos, reason(&error)).while_(pos, step));
            }
        };
        if self.settings.pure {
            let paths = readable.iter().map(|path| self.store.dir().to_absolute(path));
            self.settings.allowed_paths.extend(paths.collect::<Vec<_>>());
        }
        Ok(())
    }

    fn are_there(&self, outputs: &[(StorePath, Box<[u8]>)], pos: Pos) -> Result<bool> {
        for (drv, output) in outputs {
            if !self.is_built(drv, output, pos)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn is_built(&self, drv: &StorePath, output: &[u8], pos: Pos) -> Result<bool> {
        let derivation = self.derivation(drv, pos)?;
        let Some(kind) = derivation.outputs.get(output) else { return Ok(false) };
        let Some(path) = kind.path(self.store.dir(), &derivation.name, output)? else {
            return Ok(false);
        };
        let path = self.store.dir().to_absolute(&path);
        self.io.store_path_exists(&path).map_err(|error| unreadable(&path, &error, pos))
    }

    /// The contents of a file.
    pub(super) fn read_file(&mut self, path: &[u8], pos: Pos) -> Result<Vec<u8>> {
        if let Some(text) = builtins::file(path) {
            return Ok(text.to_vec());
        }
        self.view().read_file(path).map_err(|error| self.unreadable_target(path, &error, pos))
    }

    /// Where on the disk a file is read, if it is read there.
    pub(super) fn disk_path(&self, path: &[u8]) -> Option<Vec<u8>> {
        if builtins::file(path).is_some() {
            return None;
        }
        self.view().disk_path(path)
    }

    /// The error that a file can't be read. As in Nix, a link that leads nowhere is told by its target.
    #[cold]
    pub(super) fn unreadable_target(&self, path: &[u8], error: &io::Error, pos: Pos) -> Error {
        if error.kind() == io::ErrorKind::NotFound
            && let Ok((target, None)) = self.follow(path, pos)
            && target != path
        {
            return unreadable(&target, &io::ErrorKind::NotFound.into(), pos);
        }
        unreadable(path, error, pos)
    }

    /// What stands at a path; links at its end are not followed.
    pub(super) fn file_type(&self, path: &[u8], pos: Pos) -> Result<Option<FileType>> {
        if builtins::file(path).is_some() {
            return Ok(Some(FileType::Regular));
        }
        self.view().file_type(path).map_err(|error| unreadable(path, &error, pos))
    }

    /// What stands at a path in the end, and at which path that is: links at its end are followed.
    pub(super) fn follow(&self, path: &[u8], pos: Pos) -> Result<(Vec<u8>, Option<FileType>)> {
        let mut file = path.to_vec();
        for _ in 0..MOST_LINKS {
            let kind = self.file_type(&file, pos)?;
            if kind != Some(FileType::Symlink) {
                return Ok((file, kind));
            }
            let target =
                self.view().read_link(&file).map_err(|error| unreadable(&file, &error, pos))?;
            file = path::join(path::dir_name(&file), &target);
        }
        let shown = String::from_utf8_lossy(path);
        let message = format!("too many symbolic links at '{shown}'");
        Err(Error::new(ErrorKind::Io, pos, message))
    }
}

/// Is there nobody who could build?
fn cannot_build(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
}
