//! Fetching: `fetchurl`, `fetchTarball`, `fetchMercurial`, `fetchClosure`, and URLs in the search path.
//! What is in the store already is found there by its hash; all else is left to the real `nix`.

use std::rc::Rc;

use super::PrimOp;
use super::derivation::hash_or_zeros;
use super::inputs::{InputAttr, InputAttrs, is_commit, require};
use super::json::from_text;
use crate::eval::Eval;
use crate::eval::coerce::Coercion;
use crate::eval::error::{Error, ErrorKind, Result};
use crate::eval::io::{Fetch, Level, reason};
use crate::eval::position::Pos;
use crate::eval::store_state::unreadable;
use crate::eval::text::path::base_name;
use crate::eval::text::print::{write_attr_name, write_string};
use crate::eval::text::shown;
use crate::eval::value::{Attrs, AttrsBuilder, Value};
use crate::store::{CaMethod, ContentAddress, Hash, HashAlgo, References, StorePath, check_name};

#[cfg(test)]
mod tests;

/// The builtins of this file.
pub(super) const PRIMOPS: &[PrimOp] = &[
    PrimOp { name: "fetchClosure", arity: 1, strict: 1, run: fetch_closure },
    PrimOp { name: "fetchMercurial", arity: 1, strict: 1, run: fetch_mercurial },
    PrimOp { name: "fetchTarball", arity: 1, strict: 1, run: fetch_tarball },
    PrimOp { name: "fetchurl", arity: 1, strict: 1, run: fetchurl },
    PrimOp { name: "getFlake", arity: 1, strict: 0, run: get_flake },
];

fn fetchurl<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    fetch_url(eval, args[0], "fetchurl", pos)
}

fn fetch_tarball<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    fetch_url(eval, args[0], "fetchTarball", pos)
}

/// What `fetchurl` and `fetchTarball` are given.
#[derive(Default)]
struct UrlArguments<'a> {
    url: Option<&'a [u8]>,
    name: Option<&'a [u8]>,
    hash: Option<Hash>,
    /// The hash as it was written.
    sha256: Option<&'a [u8]>,
    is_set: bool,
}

impl<'a> UrlArguments<'a> {
    fn read(eval: &mut Eval<'a>, value: Value<'a>, builtin: &str, pos: Pos) -> Result<Self> {
        let mut found = Self::default();
        let what = "while evaluating the url we should fetch";
        let value = eval.force(value, pos)?;
        let Value::Attrs(set) = value else {
            let url = eval.force_string_no_context(value, Pos::NONE, what)?;
            return Ok(Self { url: Some(url.items()), ..found });
        };
        found.is_set = true;
        for attr in set.iter(eval.arena) {
            let value = Value::Ref(attr.slot);
            if eval.symbols.name(attr.name) == b"url" {
                found.url = Some(eval.force_string_no_context(value, attr.pos, what)?.items());
            } else if eval.symbols.name(attr.name) == b"sha256" {
                let what = "while evaluating the sha256 of the content we should fetch";
                let text = eval.force_string_no_context(value, attr.pos, what)?.items();
                found.hash = Some(hash_or_zeros(eval, text, Some(HashAlgo::Sha256), attr.pos)?);
                found.sha256 = Some(text);
            } else if attr.name == eval.known.name {
                let what = "while evaluating the name of the content we should fetch";
                found.name = Some(eval.force_string_no_context(value, attr.pos, what)?.items());
            } else {
                let name = eval.symbols.quoted(attr.name);
                let message = format!("unsupported argument '{name}' to '{builtin}'");
                return Err(Error::evaluation(pos, message));
            }
        }
        Ok(found)
    }

    /// Fails for a name that nothing in the store can have.
    fn check_name(&self, name: &[u8], builtin: &str, pos: Pos) -> Result<()> {
        let Err(error) = check_name(name) else { return Ok(()) };
        let advice = if self.name.is_some() {
            format!(
                "Please change the value for the 'name' attribute passed to '{builtin}', so that it can create a valid store path."
            )
        } else if self.is_set {
            format!(
                "Please add a valid 'name' attribute to the argument for '{builtin}', so that it can create a valid store path."
            )
        } else {
            // The two spaces are Nix'.
            format!(
                "Please pass an attribute set with 'url' and 'name' attributes to '{builtin}',  so that it can create a valid store path."
            )
        };
        let url = shown(self.url.unwrap_or_default());
        let message =
            format!("invalid store path name when fetching URL '{url}': {error}. {advice}");
        Err(Error::evaluation(pos, message))
    }
}

fn fetch_url<'a>(
    eval: &mut Eval<'a>,
    value: Value<'a>,
    builtin: &'static str,
    pos: Pos,
) -> Result<Value<'a>> {
    let mut given = UrlArguments::read(eval, value, builtin, pos)?;
    let Some(url) = given.url else {
        return Err(Error::evaluation(pos, "'url' argument required"));
    };
    let unpack = builtin == "fetchTarball";
    let resolved = if unpack { channel_url(url) } else { url.to_vec() };
    given.url = Some(eval.arena.copy((), &resolved).items());
    let usual: &[u8] = if unpack { b"source" } else { b"" };
    let name = given.name.unwrap_or(usual);
    let name = if name.is_empty() { base_name(&resolved) } else { name };
    given.check_name(name, builtin, pos)?;
    if eval.settings.pure && given.hash.is_none() {
        let message = format!("in pure evaluation mode, '{builtin}' requires a 'sha256' argument");
        return Err(Error::new(ErrorKind::Restricted, pos, message));
    }
    if let Some(hash) = given.hash {
        let method = if unpack { CaMethod::Nar } else { CaMethod::Flat };
        if let Some(path) = eval.find_in_store(name, ContentAddress { method, hash }, pos)? {
            return Ok(eval.fetched_path(&path));
        }
    }
    let mut argument = Vec::new();
    if given.is_set {
        let mut attrs = InputAttrs::new();
        for (name, value) in [("url", given.url), ("name", given.name), ("sha256", given.sha256)] {
            attrs.extend(value.map(|value| (name.into(), InputAttr::Text(value.to_vec()))));
        }
        write_set(&attrs, &mut argument);
    } else {
        write_string(&mut argument, &resolved);
    }
    eval.fetch(Fetch { builtin, argument }, pos)
}

/// `channel:nixos-24.05` as a URL; others as they are.
fn channel_url(url: &[u8]) -> Vec<u8> {
    match url.strip_prefix(b"channel:") {
        Some(name) => [b"https://channels.nixos.org/", name, b"/nixexprs.tar.xz"].concat(),
        None => url.to_vec(),
    }
}

fn fetch_mercurial<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let builtin = "fetchMercurial";
    let mut attrs = InputAttrs::new();
    if let Value::Attrs(set) = args[0] {
        for attr in set.iter(eval.arena) {
            let value = Value::Ref(attr.slot);
            let name = eval.symbols.name(attr.name).to_vec();
            let text = match &name[..] {
                b"url" => {
                    let what =
                        "while evaluating the `url` attribute passed to builtins.fetchMercurial";
                    eval.coerce(value, attr.pos, Coercion::PLAIN, what)?.0
                }
                b"rev" => {
                    let what =
                        "while evaluating the `rev` attribute passed to builtins.fetchMercurial";
                    eval.force_string_no_context(value, attr.pos, what)?
                }
                b"name" => {
                    let what =
                        "while evaluating the `name` attribute passed to builtins.fetchMercurial";
                    eval.force_string_no_context(value, attr.pos, what)?
                }
                _ => {
                    let message =
                        format!("unsupported argument '{}' to 'fetchMercurial'", shown(&name));
                    return Err(Error::evaluation(attr.pos, message));
                }
            };
            attrs.insert(name, InputAttr::Text(text.items().to_vec()));
        }
    } else {
        let what = "while evaluating the first argument passed to builtins.fetchMercurial";
        let (url, _) = eval.coerce(args[0], Pos::NONE, Coercion::PLAIN, what)?;
        attrs.insert(b"url".to_vec(), InputAttr::Text(url.items().to_vec()));
    }
    if !matches!(attrs.get(&b"url"[..]), Some(InputAttr::Text(url)) if !url.is_empty()) {
        return Err(Error::evaluation(pos, "'url' argument required"));
    }
    let locked = matches!(attrs.get(&b"rev"[..]), Some(InputAttr::Text(rev)) if is_commit(rev));
    if eval.settings.pure && !locked {
        let message = "in pure evaluation mode, 'fetchMercurial' requires a Mercurial revision";
        return Err(Error::new(ErrorKind::Restricted, pos, message));
    }
    let mut argument = Vec::new();
    write_set(&attrs, &mut argument);
    eval.fetch(Fetch { builtin, argument }, pos)
}

fn fetch_closure<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the argument passed to builtins.fetchClosure";
    let set = eval.force_attrs(args[0], Pos::NONE, what)?;
    let mut attrs = InputAttrs::new();
    for attr in set.iter(eval.arena) {
        let value = Value::Ref(attr.slot);
        let name = eval.symbols.name(attr.name).to_vec();
        let what = "while evaluating an attribute passed to builtins.fetchClosure";
        let given = match &name[..] {
            b"fromPath" | b"toPath" => {
                let (path, _) = eval.coerce(value, attr.pos, Coercion::PLAIN, what)?;
                if eval.store.dir().parse(path.items()).is_err() {
                    let path = shown(path.items());
                    let message = format!("path '{path}' is not in the Nix store");
                    return Err(Error::evaluation(attr.pos, message).while_(attr.pos, what));
                }
                InputAttr::Text(path.items().to_vec())
            }
            b"fromStore" => {
                let store = eval.force_string_no_context(value, attr.pos, what)?;
                InputAttr::Text(store.items().to_vec())
            }
            b"inputAddressed" => InputAttr::Bool(eval.force_bool(value, attr.pos, what)?),
            _ => {
                let name = shown(&name);
                let message =
                    format!("attribute '{name}' isn't supported in call to 'fetchClosure'");
                return Err(Error::evaluation(pos, message));
            }
        };
        attrs.insert(name, given);
    }
    for name in ["fromPath", "fromStore"] {
        if !attrs.contains_key(name.as_bytes()) {
            let message = format!("attribute '{name}' is missing in call to 'fetchClosure'");
            return Err(Error::evaluation(pos, message));
        }
    }
    let mut argument = Vec::new();
    write_set(&attrs, &mut argument);
    eval.fetch(Fetch { builtin: "fetchClosure", argument }, pos)
}

/// Opens flakes for `builtins.getFlake`.
pub trait GetFlake {
    /// The flake of a reference: its outputs with what is known of its source.
    fn get_flake<'a>(&self, eval: &mut Eval<'a>, reference: &[u8], pos: Pos) -> Result<Value<'a>>;
}

fn get_flake<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    require(eval.settings.features.flakes, "flakes")
        .map_err(|error| Error::evaluation(pos, error.to_string()))?;
    let what = "while evaluating the argument passed to builtins.getFlake";
    let reference = eval.force_string_no_context(args[0], Pos::NONE, what)?;
    match eval.flakes {
        Some(flakes) => flakes.get_flake(eval, reference.items(), pos),
        None => Err(Error::new(
            ErrorKind::Restricted,
            pos,
            "'builtins.getFlake' is not supported in this evaluation",
        )),
    }
}

/// The folder of an entry of the search path that is a URL; `None`, and a warning, if there is no
/// getting it.
pub(super) fn search_path_entry(
    eval: &mut Eval<'_>,
    entry: &[u8],
    pos: Pos,
) -> Result<Option<Vec<u8>>> {
    let (builtin, reference) = match entry.strip_prefix(b"flake:") {
        Some(reference) => {
            require(eval.settings.features.flakes, "flakes")
                .map_err(|error| Error::evaluation(pos, error.to_string()))?;
            let plain = reference.contains(&b':');
            ("fetchTree", if plain { reference } else { entry }.to_vec())
        }
        None => ("fetchTarball", channel_url(entry)),
    };
    let mut argument = Vec::new();
    write_string(&mut argument, &reference);
    let fetched = match eval.fetch(Fetch { builtin, argument }, pos) {
        Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
        Err(error) => {
            let message = format!(
                "Nix search path entry '{}' cannot be downloaded, ignoring: {error}",
                shown(entry)
            );
            eval.io.message(Level::Remark, message.as_bytes());
            return Ok(None);
        }
        Ok(fetched) => fetched,
    };
    let (path, _) = eval.coerce_to_path(fetched, pos, "while evaluating what was fetched")?;
    Ok(Some(path.items().to_vec()))
}

impl<'a> Eval<'a> {
    /// Has the real `nix` fetch something, once in an evaluation.
    pub(super) fn fetch(&mut self, fetch: Fetch, pos: Pos) -> Result<Value<'a>> {
        let failed = |kind, message: String| {
            let builtin = fetch.builtin;
            let error = Error::new(kind, pos, message);
            error.while_(Pos::NONE, format!("while the real nix evaluates 'builtins.{builtin}'"))
        };
        let answer = match self.fetched.get(&fetch) {
            Some(known) => Rc::clone(known),
            None => self.io.fetch(&fetch).map(Rc::from).map_err(|error| {
                let interrupted = error.kind() == std::io::ErrorKind::Interrupted;
                let kind = if interrupted { ErrorKind::Interrupted } else { ErrorKind::Io };
                failed(kind, reason(&error))
            })?,
        };
        let value =
            from_text(self, &answer).map_err(|error| failed(ErrorKind::Io, error.to_string()))?;
        self.fetched.insert(fetch, answer);
        Ok(match value {
            Value::Attrs(set) => self.with_store_paths(set),
            other => self.as_store_path(other),
        })
    }

    fn with_store_paths(&mut self, set: Attrs<'a>) -> Value<'a> {
        let mut attrs = AttrsBuilder::with_capacity(set.len());
        for attr in set.iter(self.arena) {
            let value = self.as_store_path(attr.slot.get());
            attrs.add(attr.name, value);
        }
        Value::Attrs(attrs.build(self.arena))
    }

    /// A string that is a store path refers to it.
    fn as_store_path(&mut self, value: Value<'a>) -> Value<'a> {
        let Value::Str(_, text) = value else { return value };
        match self.store.dir().parse(text.items()) {
            Ok(path) => self.fetched_path(&path),
            Err(_) => value,
        }
    }

    /// A fetched store path as a string. From now on it may be read.
    pub(super) fn fetched_path(&mut self, path: &StorePath) -> Value<'a> {
        let (text, context) = self.store_string(path);
        if self.settings.pure {
            self.settings.allowed_paths.push(text.items().to_vec());
        }
        Value::Str(context, text)
    }

    /// The store path of something with this address, if it is there.
    pub(super) fn find_in_store(
        &self,
        name: &[u8],
        address: ContentAddress,
        pos: Pos,
    ) -> Result<Option<StorePath>> {
        let path = self.store.dir().ca_path(name, &address, References::NONE);
        let path = path.map_err(|error| Error::evaluation(pos, error.to_string()))?;
        let absolute = self.store.dir().to_absolute(&path);
        let exists = self.io.store_path_exists(&absolute);
        let exists = exists.map_err(|error| unreadable(&absolute, &error, pos))?;
        Ok(exists.then_some(path))
    }
}

/// Appends attributes as a set in Nix.
pub(crate) fn write_set(attrs: &InputAttrs, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{ ");
    for (name, value) in attrs {
        write_attr_name(out, name);
        out.extend_from_slice(b" = ");
        match value {
            InputAttr::Text(text) => write_string(out, text),
            InputAttr::Number(number) => out.extend(number.to_string().into_bytes()),
            InputAttr::Bool(value) => out.extend(value.to_string().into_bytes()),
        }
        out.extend_from_slice(b"; ");
    }
    out.push(b'}');
}
