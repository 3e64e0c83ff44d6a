//! Paths that a program reads: from a value to a place where the outside has it. What the path's string
//! refers to is built before (import from derivation), and what this evaluation has only
//! imagined in the store is found where it came from.

use std::borrow::Cow;
use std::io;

use super::Eval;
use super::builtins;
use super::error::{Error, ErrorKind, Result};
use super::io::{FileType, reason};
use super::position::Pos;
use super::store_state::unreadable;
use super::text::path;
use super::value::{Bytes, Context, ContextElement, Value};
use crate::store::StorePath;

/// More symbolic links than this on the way to a file are taken for a circle.
const MOST_LINKS: usize = 1000;

impl<'a> Eval<'a> {
    /// A value as a path that may be read now.
    pub(super) fn realise_path(&mut self, value: Value<'a>, pos: Pos) -> Result<Bytes<'a>> {
        let what = "while realising the context of a path";
        let (path, context) = self.coerce_to_path(value, pos, what)?;
        self.realise_context(context, pos)?;
        self.check_readable(path.items(), pos)?;
        Ok(path)
    }

    /// Builds the outputs of derivations in a context, where they are not there yet.
    pub(super) fn realise_context(&mut self, context: Context, pos: Pos) -> Result<()> {
        let mut missing: Vec<(Vec<u8>, Box<[u8]>)> = Vec::new();
        for element in self.contexts.elements(context).to_vec() {
            if let ContextElement::Built(drv, output) = element
                && !self.is_built(&drv, &output, pos)?
            {
                missing.push((self.store.dir().to_absolute(&drv), output));
            }
        }
        let Some((first, _)) = missing.first() else { return Ok(()) };
        if !self.settings.allow_import_from_derivation {
            let message = format!(
                "cannot build '{}' during evaluation because the option 'allow-import-from-derivation' is disabled",
                String::from_utf8_lossy(first)
            );
            return Err(Error::new(ErrorKind::Io, pos, message));
        }
        let outputs: Vec<(&[u8], &[u8])> =
            missing.iter().map(|(drv, output)| (&drv[..], &output[..])).collect();
        let store = &self.store;
        let mut text = |path: &[u8]| {
            let drv = store.derivation(&store.dir().parse(path).ok()?)?;
            let mut text = Vec::new();
            drv.write(store.dir(), &mut text).ok()?;
            Some(text)
        };
        self.io.realise(&outputs, &mut text).map_err(|error| {
            let drv = String::from_utf8_lossy(first);
            let message = format!("cannot build '{drv}' during evaluation: {}", reason(&error));
            Error::new(ErrorKind::Io, pos, message)
        })
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

    /// Where the outside has `path`: the origin of what was copied to the store by this evaluation, else
    /// the path itself.
    pub(super) fn outside<'p>(&self, path: &'p [u8]) -> Cow<'p, [u8]> {
        let dir = self.store.dir();
        if !path.starts_with(dir.as_bytes()) {
            return Cow::Borrowed(path);
        }
        let Ok((store_path, rest)) = dir.split(path) else { return Cow::Borrowed(path) };
        match self.store.origin(&store_path) {
            Some(origin) => Cow::Owned(path::join(origin, rest.strip_prefix(b"/").unwrap_or(rest))),
            None => Cow::Borrowed(path),
        }
    }

    /// The contents of a file.
    pub(super) fn read_file(&mut self, path: &[u8], pos: Pos) -> Result<Vec<u8>> {
        if let Some(text) = builtins::file(path) {
            return Ok(text.to_vec());
        }
        if let Ok(store_path) = self.store.dir().parse(path)
            && let Some(text) = self.store.text(&store_path)
        {
            return Ok(text.contents.to_vec());
        }
        let path = self.outside(path);
        self.io.read_file(&path).map_err(|error| self.unreadable_target(&path, &error, pos))
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
        if let Ok(store_path) = self.store.dir().parse(path)
            && self.store.text(&store_path).is_some()
        {
            return Ok(Some(FileType::Regular));
        }
        let path = self.outside(path);
        self.io.file_type(&path).map_err(|error| unreadable(&path, &error, pos))
    }

    /// What stands at a path in the end, and at which path that is: links at its end are followed.
    pub(super) fn follow(&self, path: &[u8], pos: Pos) -> Result<(Vec<u8>, Option<FileType>)> {
        let mut file = path.to_vec();
        for _ in 0..MOST_LINKS {
            let kind = self.file_type(&file, pos)?;
            if kind != Some(FileType::Symlink) {
                return Ok((file, kind));
            }
            let outside = self.outside(&file);
            let target = self.io.read_link(&outside);
            let target = target.map_err(|error| unreadable(&file, &error, pos))?;
            file = path::join(path::dir_name(&file), &target);
        }
        let shown = String::from_utf8_lossy(path);
        let message = format!("too many symbolic links at '{shown}'");
        Err(Error::new(ErrorKind::Io, pos, message))
    }
}
