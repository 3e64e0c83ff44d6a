//! Sources: which file a path means, parsing and lowering it, once for each file.

use std::cell::Cell;

use rustc_hash::FxHashMap;

use super::Eval;
use super::ahead::Ahead;
use super::builtins;
use super::code::NodeId;
use super::error::{Error, ErrorKind, Result};
use super::io::FileType;
use super::lower::{self, Unit};
use super::position::{Origin, Pos};
use super::text::path;
use super::text::shown;
use super::value::{Attrs, Env, Slot, Value, share};
use crate::syntax::{Ast, Features, Leads, ParseError, Symbol, parse};

/// What was imported already.
#[derive(Debug, Default)]
pub(super) struct Imports<'a> {
    /// The value of each file, by its path after links and `default.nix`.
    files: FxHashMap<Box<[u8]>, &'a Slot<'a>>,
    /// The file that a path means.
    resolved: FxHashMap<Box<[u8]>, Box<[u8]>>,
}

impl<'a> Eval<'a> {
    /// The value of a file, or of the `default.nix` of a folder. Each file is evaluated once.
    pub fn import_file(&mut self, path: &[u8], pos: Pos) -> Result<Value<'a>> {
        let file = self.resolve(path, pos)?;
        let known = self.imports.files.get(&file).copied();
        let slot = if let Some(slot) = known {
            slot
        } else {
            let root = self.parse_file(&file, None, pos)?;
            let thunk = Value::Thunk(root, self.no_variables);
            let slot = self.arena.keeping(|| self.arena.alloc(Cell::new(thunk)));
            self.imports.files.insert(file.clone(), slot);
            slot
        };
        self.force_slot(slot, pos).map_err(|error| {
            error.while_(pos, format!("while evaluating the file '{}'", shown(&file)))
        })
    }

    /// The value of a file with `scope` instead of the usual variables: `builtins.scopedImport`.
    pub fn scoped_import(&mut self, scope: Attrs<'a>, path: &[u8], pos: Pos) -> Result<Value<'a>> {
        let file = self.resolve(path, pos)?;
        let scope = scope.flat(self.arena);
        let root = self.parse_file(&file, Some(scope.own_shape().names()), pos)?;
        let slots = scope.own_slots();
        let up = Some(self.no_variables);
        let frame: Env<'a> = self.arena.frame(up, slots.len(), |at| Cell::new(share(&slots[at])));
        self.eval(root, frame)
    }

    /// Evaluates a text that is no file. Relative paths in it start from `dir`.
    pub fn eval_string(&mut self, text: &[u8], dir: &[u8], origin: Origin) -> Result<Value<'a>> {
        let root = self.parse_text(text.to_vec(), dir, origin, None)?;
        self.eval(root, self.no_variables)
    }

    /// Follows links, and takes `default.nix` of a folder.
    fn resolve(&mut self, path: &[u8], pos: Pos) -> Result<Box<[u8]>> {
        if let Some(file) = self.imports.resolved.get(path) {
            return Ok(file.clone());
        }
        self.check_readable(path, pos)?;
        let (mut file, kind) = self.follow(path, pos)?;
        if kind == Some(FileType::Directory) {
            file = path::join(&file, b"default.nix");
        }
        let file = file.into_boxed_slice();
        self.imports.resolved.insert(path.into(), file.clone());
        Ok(file)
    }

    /// The code of a file.
    fn parse_file(&mut self, file: &[u8], scope: Option<&[Symbol]>, pos: Pos) -> Result<NodeId> {
        self.check_readable(file, pos)?;
        let (dir, origin) = (path::dir_name(file), Origin::File(file.into()));
        let may_parse_ahead = self.settings.parse_ahead;
        let is_large = self.ahead.get().is_some()
            || may_parse_ahead.is_some_and(|from| self.sources.size() >= from);
        let place = if is_large { self.disk_path(file) } else { None };
        if let Some(ready) = place.as_ref().and_then(|place| self.ahead()?.take(place)) {
            let ast = ready.parsed.join(&mut self.symbols);
            return self.lower_source(ready.text, Ok(ast), dir, origin, scope);
        }
        let text = self.read_file(file, pos)?;
        let features = self.parser_features();
        let parsed = parse(&text, &mut self.symbols, features);
        if let Ok(ast) = &parsed
            && (is_large || may_parse_ahead.is_some() && ast.lists_many_files())
        {
            self.follow_ahead(ast, file, place);
        }
        self.lower_source(text.into(), parsed, dir, origin, scope)
    }

    /// Has the files parsed that `file` names. `place` is where it stands on the disk, if that is known already.
    fn follow_ahead(&self, ast: &Ast, file: &[u8], place: Option<Vec<u8>>) {
        if let Some(place) = place.or_else(|| self.disk_path(file))
            && let Some(ahead) = self.ahead()
        {
            ahead.tell(&place, Leads::of(ast, &self.symbols));
        }
    }

    /// Who parses files before they are imported.
    fn ahead(&self) -> Option<&Ahead> {
        // Where addresses are few, those that a thread takes are wanted for values.
        let is_allowed = self.arena.is_unlimited();
        let start = || is_allowed.then(|| Ahead::start(self.parser_features())).flatten();
        self.ahead.get_or_init(start).as_ref()
    }

    fn parser_features(&self) -> Features {
        Features { pipe_operators: self.settings.features.pipe_operators }
    }

    /// The code of a text.
    pub(super) fn parse_text(
        &mut self,
        text: Vec<u8>,
        dir: &[u8],
        origin: Origin,
        scope: Option<&[Symbol]>,
    ) -> Result<NodeId> {
        let features = self.parser_features();
        let parsed = parse(&text, &mut self.symbols, features);
        self.lower_source(text.into(), parsed, dir, origin, scope)
    }

    /// The code of what a text was parsed to.
    fn lower_source(
        &mut self,
        text: Box<[u8]>,
        parsed: std::result::Result<Ast, ParseError>,
        dir: &[u8],
        origin: Origin,
        scope: Option<&[Symbol]>,
    ) -> Result<NodeId> {
        let Some(base) = self.sources.add(origin, dir, text) else {
            let message = "the sources of this evaluation are longer than 4 GiB together";
            return Err(Error::evaluation(Pos::NONE, message));
        };
        let ast = parsed.map_err(|error| {
            let other = error.other.and_then(|offset| self.sources.describe(base.at(offset)));
            let message = match other {
                Some(other) => format!("{} at {other}", error.message),
                None => error.message,
            };
            Error::new(ErrorKind::Parse, base.at(error.offset), message)
        })?;
        if !ast.remarks().is_empty() {
            self.tell_remarks(ast.remarks(), base)?;
        }
        let unit = Unit {
            ast: &ast,
            base,
            dir,
            globals: &self.globals,
            builtins: self.builtins,
            settings: &self.settings,
            scope,
        };
        let (lowering, code, arena) = (&mut self.lowering, &mut self.code, self.arena);
        let lowered = arena.keeping(|| lower::lower(lowering, &unit, &self.symbols, arena, code));
        lowered.map_err(|error| {
            let pos = base.at(error.offset);
            Error::new(ErrorKind::Parse, pos, error.message).suggesting(error.suggestions)
        })
    }

    /// Fails where pure evaluation forbids to read `path`.
    pub(super) fn check_readable(&self, path: &[u8], pos: Pos) -> Result<()> {
        // What the evaluator brings along itself, such as `<nix/fetchurl.nix>`, is not outside.
        if !self.settings.pure || builtins::file(path).is_some() {
            return Ok(());
        }
        let allowed = self.settings.allowed_paths.iter().any(|root| is_below(path, root));
        if allowed {
            return Ok(());
        }
        let message = format!(
            "access to absolute path '{}' is forbidden in pure evaluation mode (use '--impure' to override)",
            shown(path)
        );
        Err(Error::new(ErrorKind::Restricted, pos, message))
    }
}

/// Is `path` the folder `root`, or something in it?
fn is_below(path: &[u8], root: &[u8]) -> bool {
    let root = root.strip_suffix(b"/").unwrap_or(root);
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
}
