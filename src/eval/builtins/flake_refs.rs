//! Flake references as text and as attributes: `parseFlakeRef` and `flakeRefToString`. (Nix manual,
//! `nix flake`, "Flake references".)

use super::PrimOp;
use super::inputs::{
    Input, InputAttr, InputAttrs, InputError, is_flake_id, is_ref_like, require, text,
};
use crate::eval::Eval;
use crate::eval::error::{Error, Result};
use crate::eval::position::Pos;
use crate::eval::print::type_name;
use crate::eval::settings::ExperimentalFeatures;
use crate::eval::text::url::{
    Authority, BadUrl, Query, Url, decoded, is_encoded, is_pchar, parse_query,
};
use crate::eval::value::{AttrsBuilder, Value};

/// The builtins of this file.
pub(super) const PRIMOPS: &[PrimOp] = &[
    PrimOp { name: "flakeRefToString", arity: 1, strict: 0, run: flake_ref_to_string },
    PrimOp { name: "parseFlakeRef", arity: 1, strict: 0, run: parse_flake_ref },
];

fn parse_flake_ref<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    require(eval.settings.features.flakes, "flakes").map_err(at(pos))?;
    let what = "while evaluating the argument passed to builtins.parseFlakeRef";
    let reference = eval.force_string_no_context(args[0], Pos::NONE, what)?;
    let attrs = parse(reference.items(), &eval.settings.features).map_err(at(pos))?;
    let mut set = AttrsBuilder::with_capacity(attrs.len());
    for (name, value) in &attrs {
        set.add(eval.symbols.intern(name), input_value(eval, value));
    }
    Ok(Value::Attrs(set.build(eval.arena)))
}

fn flake_ref_to_string<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    require(eval.settings.features.flakes, "flakes").map_err(at(pos))?;
    let what = "while evaluating the argument passed to builtins.flakeRefToString";
    let set = eval.force_attrs(args[0], Pos::NONE, what)?;
    let mut attrs = InputAttrs::new();
    for attr in set.iter(eval.arena) {
        let name = eval.symbols.name(attr.name).to_vec();
        let shown = String::from_utf8_lossy(&name);
        let value = match eval.force(Value::Ref(attr.slot), attr.pos)? {
            Value::Int(number) => InputAttr::Number(u64::try_from(number).map_err(|_| {
                let message = format!("negative value given for flake ref attr {shown}: {number}");
                Error::evaluation(pos, message)
            })?),
            Value::Bool(value) => InputAttr::Bool(value),
            Value::Str(_, text) => InputAttr::Text(text.items().to_vec()),
            other => {
                let message = format!(
                    "flake reference attribute sets may only contain integers, Booleans, and strings, but attribute '{shown}' is {}",
                    type_name(eval, other)
                );
                return Err(Error::evaluation(pos, message));
            }
        };
        attrs.insert(name, value);
    }
    let text = to_text(attrs, &eval.settings.features).map_err(at(pos))?;
    Ok(eval.string(&text))
}

/// An error at a place.
pub(super) fn at(pos: Pos) -> impl Fn(InputError) -> Error {
    move |error| Error::evaluation(pos, error.to_string())
}

/// An attribute of an input as a value. Numbers that are too big become negative, as in Nix.
pub(super) fn input_value<'a>(eval: &Eval<'a>, value: &InputAttr) -> Value<'a> {
    match value {
        InputAttr::Text(text) => eval.string(text),
        InputAttr::Number(number) => Value::Int(number.cast_signed()),
        InputAttr::Bool(value) => Value::Bool(*value),
    }
}

/// A reference as text.
pub(crate) fn to_text(
    mut attrs: InputAttrs,
    features: &ExperimentalFeatures,
) -> std::result::Result<Vec<u8>, InputError> {
    let folder = text(&attrs, "dir")?.unwrap_or_default().to_vec();
    attrs.remove(&b"dir"[..]);
    let mut url = Input::from_attrs(attrs, features)?.to_url()?;
    if !folder.is_empty() {
        url.query.entry(b"dir".to_vec()).or_insert(folder);
    }
    Ok(url.to_bytes())
}

/// The attributes of a reference without a fragment.
fn parse(
    reference: &[u8],
    features: &ExperimentalFeatures,
) -> std::result::Result<InputAttrs, InputError> {
    let (parts, fragment) = take_apart(reference, None, features)?;
    let attrs = match parts {
        Reference::Attrs(attrs) => attrs,
        Reference::Path(url) if url.authority.is_none() => {
            let reference = String::from_utf8_lossy(reference);
            let message = format!("flake reference '{reference}' is not an absolute path");
            return Err(BadUrl(message).into());
        }
        Reference::Path(url) => from_url(url, features)?,
    };
    refuse_fragment(&fragment, reference)?;
    Ok(attrs)
}

/// A reference, taken apart.
#[derive(Debug, Clone)]
pub(crate) enum Reference {
    /// A name in a registry, or a URL.
    Attrs(InputAttrs),
    /// A path as it was written, with parameters. Only an absolute one has an authority, an empty one.
    Path(Url),
}

/// A reference, and the fragment behind it. What it is taken for, in this order: a name in a registry, a URL, a
/// path. Relative paths in URLs start from `base`, where there is one.
pub(crate) fn take_apart(
    reference: &[u8],
    base: Option<&[u8]>,
    features: &ExperimentalFeatures,
) -> std::result::Result<(Reference, Vec<u8>), InputError> {
    if let Some((url, fragment)) = registry_name(reference) {
        return Ok((Reference::Attrs(from_url(url, features)?), fragment));
    }
    match Url::parse(reference, true).map_err(InputError::from).and_then(|mut url| {
        let fragment = std::mem::take(&mut url.fragment);
        if let Some(base) = base
            && matches!(&url.scheme[..], b"path" | b"git+file")
        {
            let path = url.file_path()?;
            if !path.starts_with(b"/") {
                let path = crate::eval::text::path::join(base, &path);
                url.path = path.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect();
            }
        }
        Ok((from_url(url, features)?, fragment))
    }) {
        Err(InputError::BadUrl(_)) => {}
        Err(other) => return Err(other),
        Ok((attrs, fragment)) => return Ok((Reference::Attrs(attrs), fragment)),
    }
    let (url, fragment) = path(reference)?;
    Ok((Reference::Path(url), fragment))
}

/// The attributes that a URL stands for.
pub(crate) fn url_attrs(
    url: Url,
    features: &ExperimentalFeatures,
) -> std::result::Result<InputAttrs, InputError> {
    from_url(url, features)
}

fn from_url(
    mut url: Url,
    features: &ExperimentalFeatures,
) -> std::result::Result<InputAttrs, InputError> {
    let folder = url.query.remove(&b"dir"[..]).filter(|folder| !folder.is_empty());
    let mut attrs = Input::from_url(&url, features)?.attrs;
    attrs.extend(folder.map(|folder| (b"dir".to_vec(), InputAttr::Text(folder))));
    Ok(attrs)
}

fn refuse_fragment(fragment: &[u8], reference: &[u8]) -> std::result::Result<(), InputError> {
    if fragment.is_empty() {
        return Ok(());
    }
    Err(InputError::Other(format!(
        "unexpected fragment '{}' in flake reference '{}'",
        String::from_utf8_lossy(fragment),
        String::from_utf8_lossy(reference)
    )))
}

/// `nixpkgs`, `nixpkgs/branch`, `nixpkgs/branch/commit` as a URL, and the fragment behind it.
fn registry_name(reference: &[u8]) -> Option<(Url, Vec<u8>)> {
    let (name, fragment) = split(reference, b'#');
    let in_fragment = |byte| is_pchar(byte) || b"/? \"^".contains(&byte);
    let (id, commit) = split(name, b'/');
    let fine = is_flake_id(id)
        && commit.is_none_or(is_ref_like)
        && is_encoded(fragment.unwrap_or_default(), in_fragment);
    if !fine {
        return None;
    }
    let path = name.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect();
    let url = Url {
        scheme: b"flake".to_vec(),
        authority: None,
        path,
        query: Query::new(),
        fragment: Vec::new(),
    };
    Some((url, decoded(fragment.unwrap_or_default())))
}

/// A path, which is not decoded, with parameters.
fn path(reference: &[u8]) -> std::result::Result<(Url, Vec<u8>), InputError> {
    let (rest, fragment) = split(reference, b'#');
    let (path, query) = split(rest, b'?');
    let query = parse_query(query.unwrap_or_default(), true)?;
    let fragment = fragment.unwrap_or_default();
    if !is_encoded(fragment, |byte| byte != b'%') {
        let message = format!(
            "invalid URI parameter '{}': bad hexdig in pct-encoding",
            String::from_utf8_lossy(fragment)
        );
        return Err(InputError::Other(message));
    }
    let url = Url {
        scheme: b"path".to_vec(),
        authority: path.starts_with(b"/").then(Authority::default),
        path: path.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect(),
        query,
        fragment: Vec::new(),
    };
    Ok((url, decoded(fragment)))
}

/// What stands before the first `mark`, and what behind it.
fn split(text: &[u8], mark: u8) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(mark, text) {
        Some(at) => (&text[..at], text.get(at + 1..)),
        None => (text, None),
    }
}
