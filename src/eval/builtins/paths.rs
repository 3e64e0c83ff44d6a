//! Files into the store and out of it: `path`, `filterSource`, `toFile`, `storePath`, and reading:
//! `readFile`, `readDir`, `readFileType`, `pathExists`, `findFile`.

use std::collections::BTreeSet;
use std::io;

use super::PrimOp;
use super::derivation::hash_or_zeros;
use crate::eval::Eval;
use crate::eval::coerce::Coercion;
use crate::eval::error::{Error, ErrorKind, Result};
use crate::eval::io::FileType;
use crate::eval::position::Pos;
use crate::eval::store_state::{Named, Text, type_name, unreadable};
use crate::eval::text::path as text_path;
use crate::eval::text::shown;
use crate::eval::value::{AttrsBuilder, Bytes, Context, ContextElement, Value};
use crate::store::{CaMethod, ContentAddress, Hash, HashAlgo, References, StorePath};

/// The builtins of this file.
pub(super) const PRIMOPS: &[PrimOp] = &[
    PrimOp { name: "filterSource", arity: 2, strict: 0, run: filter_source },
    PrimOp { name: "findFile", arity: 2, strict: 0b11, run: find_file },
    PrimOp { name: "path", arity: 1, strict: 1, run: path },
    PrimOp { name: "pathExists", arity: 1, strict: 1, run: path_exists },
    PrimOp { name: "readDir", arity: 1, strict: 1, run: read_dir },
    PrimOp { name: "readFile", arity: 1, strict: 1, run: read_file },
    PrimOp { name: "readFileType", arity: 1, strict: 1, run: read_file_type },
    PrimOp { name: "storePath", arity: 1, strict: 1, run: store_path },
    PrimOp { name: "toFile", arity: 2, strict: 0b11, run: to_file },
];

fn path_exists<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let value = eval.force(args[0], pos)?;
    let folder = match value {
        Value::Str(_, text) => text.items().ends_with(b"/") || text.items().ends_with(b"/."),
        _ => false,
    };
    let path = match eval.realise_path(value, pos) {
        Err(error) if error.kind() == ErrorKind::Restricted => return Ok(Value::Bool(false)),
        other => other?,
    };
    let exists = if folder {
        eval.follow(path.items(), pos)?.1 == Some(FileType::Directory)
    } else {
        eval.file_type(path.items(), pos)?.is_some()
    };
    Ok(Value::Bool(exists))
}

fn read_file<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let path = eval.realise_path(args[0], pos)?;
    let contents = eval.read_file(path.items(), pos)?;
    if memchr::memchr(0, &contents).is_some() {
        let message = format!(
            "the contents of the file '{}' cannot be represented as a Nix string",
            shown(path.items())
        );
        return Err(Error::evaluation(pos, message));
    }
    Ok(eval.string(&contents))
}

fn read_dir<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let path = eval.realise_path(args[0], pos)?;
    let entries = eval.view().read_dir(path.items());
    let mut entries =
        entries.map_err(|error| unreadable_folder(eval, path.items(), &error, pos))?;
    entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let mut set = AttrsBuilder::with_capacity(entries.len());
    for (name, kind) in entries {
        let name = eval.symbols.intern(&name);
        set.add(name, eval.string(type_name(kind)));
    }
    Ok(Value::Attrs(set.build(eval.arena)))
}

/// The error of a folder that can't be read.
#[cold]
fn unreadable_folder(eval: &Eval<'_>, path: &[u8], error: &io::Error, pos: Pos) -> Error {
    if error.kind() == io::ErrorKind::NotADirectory
        && let Ok((target, Some(_))) = eval.follow(path, pos)
    {
        let message = format!("cannot read directory \"{}\": Not a directory", shown(&target));
        return Error::new(ErrorKind::Io, pos, message);
    }
    eval.unreadable_target(path, error, pos)
}

fn read_file_type<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let path = eval.realise_path(args[0], pos)?;
    match eval.file_type(path.items(), pos)? {
        Some(kind) => Ok(eval.string(type_name(kind))),
        None => Err(unreadable(path.items(), &eval.io.missing(path.items()), pos)),
    }
}

/// `findFile`: what `<name>` calls.
fn find_file<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.findFile";
    let entries = eval.force_list(args[0], pos, what)?;
    let mut search = Vec::with_capacity(entries.len());
    for slot in entries.items() {
        let what = "while evaluating an element of the list passed to builtins.findFile";
        let entry = eval.force_attrs(Value::Ref(slot), pos, what)?;
        let prefix = match entry.get(eval.known.prefix) {
            Some(prefix) => {
                let what = "while evaluating the `prefix` attribute of an element of the list passed to builtins.findFile";
                eval.force_string_no_context(Value::Ref(prefix), pos, what)?.items()
            }
            None => b"",
        };
        let Some(path) = entry.get(eval.known.path) else {
            let error = Error::missing_attribute(pos, "path");
            return Err(error.while_(pos, "in an element of the __nixPath"));
        };
        let what = "while evaluating the `path` attribute of an element of the list passed to builtins.findFile";
        let (path, context) = eval.coerce(Value::Ref(path), pos, Coercion::PLAIN, what)?;
        eval.realise_context(context, pos)?;
        search.push((prefix, path.items()));
    }
    let what = "while evaluating the second argument passed to builtins.findFile";
    let name = eval.force_string_no_context(args[1], pos, what)?.items();
    for (prefix, path) in search {
        let Some(suffix) = without_prefix(name, prefix) else { continue };
        let Some(root) = eval.search_root(path, pos)? else { continue };
        let found = text_path::join(&root, suffix);
        if eval.file_type(&found, pos)?.is_some() {
            return eval.path_value(&found, pos);
        }
    }
    if let Some(rest) = name.strip_prefix(b"nix/") {
        return eval.path_value(&[super::OWN_FILES, rest].concat(), pos);
    }
    let name = shown(name);
    let message = if eval.settings.pure {
        format!("cannot look up '<{name}>' in pure evaluation mode (use '--impure' to override)")
    } else {
        format!("file '{name}' was not found in the Nix search path (add it using $NIX_PATH or -I)")
    };
    Err(Error::new(ErrorKind::NotInSearchPath, pos, message))
}

/// What is left of `name` behind `prefix` and a slash.
fn without_prefix<'n>(name: &'n [u8], prefix: &[u8]) -> Option<&'n [u8]> {
    if prefix.is_empty() {
        return Some(name);
    }
    match name.strip_prefix(prefix)? {
        b"" => Some(b""),
        rest => rest.strip_prefix(b"/"),
    }
}

impl Eval<'_> {
    /// The folder of an entry of the search path; `None` if there is nothing.
    fn search_root(&mut self, entry: &[u8], pos: Pos) -> Result<Option<Vec<u8>>> {
        let is_url = entry.windows(3).any(|three| three == b"://")
            || entry.starts_with(b"channel:")
            || entry.starts_with(b"flake:");
        if is_url {
            return super::fetch::search_path_entry(self, entry, pos);
        }
        let path = text_path::join(&self.settings.working_dir, entry);
        if self.check_readable(&path, pos).is_err() {
            return Ok(None);
        }
        Ok(self.file_type(&path, pos)?.is_some().then_some(path))
    }
}

fn store_path<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    if eval.settings.pure {
        let message = "'builtins.storePath' is not allowed in pure evaluation mode";
        return Err(Error::new(ErrorKind::Restricted, pos, message));
    }
    let what = "while evaluating the first argument passed to 'builtins.storePath'";
    let (path, context) = eval.coerce_to_path(args[0], pos, what)?;
    let mut path = path.items().to_vec();
    if eval.store.dir().parse(&path).is_err() {
        path = eval.follow(&path, pos)?.0;
    }
    let Ok((store_path, _)) = eval.store.dir().split(&path) else {
        let message = format!("path '{}' is not in the Nix store", shown(&path));
        return Err(Error::evaluation(pos, message));
    };
    let whole = eval.store.dir().to_absolute(&store_path);
    if eval.file_type(&whole, pos)?.is_none() {
        let message = format!("path '{}' is not valid", shown(&whole));
        return Err(Error::new(ErrorKind::Io, pos, message));
    }
    let own = eval.contexts.intern([ContextElement::Opaque(store_path)]);
    let context = eval.contexts.union(context, own);
    Ok(eval.string_with(&path, context))
}

fn to_file<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.toFile";
    let name = eval.force_string_no_context(args[0], pos, what)?.items();
    let what = "while evaluating the second argument passed to builtins.toFile";
    let (contents, context) = eval.force_string(args[1], pos, what)?;
    let mut references = BTreeSet::new();
    for element in eval.contexts.elements(context) {
        let ContextElement::Opaque(path) = element else {
            let path = element.path();
            let what = match element {
                ContextElement::Built(_, output) => format!("!{}!{path}", shown(output)),
                _ => format!("={path}"),
            };
            let message = format!(
                "files created by builtins.toFile may not reference derivations, but {} references {what}",
                shown(name)
            );
            return Err(Error::evaluation(pos, message));
        };
        references.insert(path.clone());
    }
    let digest = eval.digest_of(contents);
    let contents = contents.items();
    let path = eval.store.dir().text_path(name, digest, &references);
    let path = path.map_err(|error| Error::evaluation(pos, error.to_string()))?;
    eval.store.add_text(path.clone(), Text { contents: contents.into(), references });
    let (text, context) = eval.store_string(&path);
    Ok(Value::Str(context, text))
}

fn filter_source<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the second argument (the path to filter) passed to 'builtins.filterSource'";
    let (source, context) = eval.coerce_to_path(args[1], pos, what)?;
    let what = "while evaluating the first argument passed to builtins.filterSource";
    let filter = eval.force_function(args[0], pos, what)?;
    let name = text_path::base_name(source.items());
    let import = Import { name, source, filter: Some(filter), method: CaMethod::Nar, hash: None };
    import.run(eval, context, pos)
}

fn path<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the argument passed to 'builtins.path'";
    let attrs = eval.force_attrs(args[0], pos, what)?;
    let mut source = None;
    let mut context = Context::NONE;
    let mut name: &[u8] = b"";
    let (mut filter, mut method, mut hash) = (None, CaMethod::Nar, None);
    let known = eval.known;
    for attr in attrs.iter(eval.arena) {
        let value = Value::Ref(attr.slot);
        if attr.name == known.path {
            let what = "while evaluating the 'path' attribute passed to 'builtins.path'";
            let (path, names) = eval.coerce_to_path(value, attr.pos, what)?;
            source = Some(path);
            context = eval.contexts.union(context, names);
        } else if attr.name == known.name {
            let what = "while evaluating the `name` attribute passed to builtins.path";
            name = eval.force_string_no_context(value, attr.pos, what)?.items();
        } else if attr.name == known.filter {
            let what = "while evaluating the `filter` parameter passed to builtins.path";
            filter = Some(eval.force_function(value, attr.pos, what)?);
        } else if eval.symbols.name(attr.name) == b"recursive" {
            let what = "while evaluating the `recursive` attribute passed to builtins.path";
            let recursive = eval.force_bool(value, attr.pos, what)?;
            method = if recursive { CaMethod::Nar } else { CaMethod::Flat };
        } else if eval.symbols.name(attr.name) == b"sha256" {
            let what = "while evaluating the `sha256` attribute passed to builtins.path";
            let text = eval.force_string_no_context(value, attr.pos, what)?;
            hash = Some(hash_or_zeros(eval, text.items(), Some(HashAlgo::Sha256), attr.pos)?);
        } else {
            let name = eval.symbols.quoted(attr.name);
            let message = format!("unsupported argument '{name}' to 'builtins.path'");
            return Err(Error::evaluation(attr.pos, message));
        }
    }
    let Some(source) = source else {
        let message = "missing required 'path' attribute in the first argument to 'builtins.path'";
        return Err(Error::evaluation(pos, message));
    };
    if name.is_empty() {
        name = text_path::base_name(source.items());
    }
    Import { name, source, filter, method, hash }.run(eval, context, pos)
}

/// A file or folder on its way into the store.
struct Import<'a> {
    name: &'a [u8],
    source: Bytes<'a>,
    filter: Option<Value<'a>>,
    method: CaMethod,
    /// What it must hash to.
    hash: Option<Hash>,
}

impl<'a> Import<'a> {
    fn run(self, eval: &mut Eval<'a>, context: Context, pos: Pos) -> Result<Value<'a>> {
        let source = self.source.items();
        self.add(eval, context, pos)
            .map_err(|error| error.while_(pos, format!("while adding path '{}'", shown(source))))
    }

    fn add(self, eval: &mut Eval<'a>, context: Context, pos: Pos) -> Result<Value<'a>> {
        let failed = |error: crate::store::StoreError| Error::evaluation(pos, error.to_string());
        eval.realise_context(context, pos)?;
        let mut references = BTreeSet::new();
        if !context.is_none()
            && let Ok((store_path, _)) = eval.store.dir().split(self.source.items())
        {
            references = eval.references(&store_path);
        }
        let expected = match self.hash {
            Some(hash) => {
                let address = ContentAddress { method: self.method, hash };
                let references = References { others: &references, to_itself: false };
                let path = eval.store.dir().ca_path(self.name, &address, references);
                Some(path.map_err(failed)?)
            }
            None => None,
        };
        let named = Named { name: self.name, references: &references };
        let path = match expected {
            Some(path) if eval.is_in_store(&path, pos)? => path,
            expected => {
                let path = self.hashed(eval, named, pos)?;
                if expected.is_some_and(|expected| expected != path) {
                    let message = format!(
                        "store path mismatch in (possibly filtered) path added from '{}'",
                        shown(self.source.items())
                    );
                    return Err(Error::evaluation(pos, message));
                }
                path
            }
        };
        let (text, context) = eval.store_string(&path);
        Ok(Value::Str(context, text))
    }

    /// The store path that it gets.
    fn hashed(&self, eval: &mut Eval<'a>, named: Named<'_>, pos: Pos) -> Result<StorePath> {
        let (source, kind) = eval.follow(self.source.items(), pos)?;
        if self.method == CaMethod::Nar {
            return eval.hash_source(&source, named, self.filter, pos);
        }
        if kind == Some(FileType::Directory) {
            let message = format!(
                "path '{}' is a folder; `recursive = false` is only for files",
                shown(&source)
            );
            return Err(Error::evaluation(pos, message));
        }
        eval.hash_file(&source, named, pos)
    }
}

impl Eval<'_> {
    fn is_in_store(&self, path: &StorePath, pos: Pos) -> Result<bool> {
        let path = self.store.dir().to_absolute(path);
        self.io.store_path_exists(&path).map_err(|error| unreadable(&path, &error, pos))
    }
}
