//! Inputs of fetchers: which attributes each kind has, and how one is written as a URL. Nothing is
//! fetched here. (Nix manual: `builtins.fetchTree`, and "Flake references" of `nix flake`.)

use std::collections::BTreeMap;

use crate::eval::settings::ExperimentalFeatures;
use crate::eval::text::json::write_string;
use crate::eval::text::url::{BadUrl, Query, Url, split_scheme};
use crate::store::{Hash, HashAlgo, HashFormat, StoreError};

/// The attributes of an input, by name.
pub(super) type InputAttrs = BTreeMap<Vec<u8>, InputAttr>;

/// An attribute of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum InputAttr {
    Text(Vec<u8>),
    Number(u64),
    Bool(bool),
}

/// What is wrong with an input.
#[derive(Debug, thiserror::Error)]
pub(super) enum InputError {
    /// It may still be something else than a URL.
    #[error(transparent)]
    BadUrl(#[from] BadUrl),
    #[error(transparent)]
    Hash(#[from] StoreError),
    #[error("{0}")]
    Other(String),
}

type Result<T> = std::result::Result<T, InputError>;

/// The kinds of inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    File,
    Git,
    /// Archives of repositories on `github`, `gitlab` and `sourcehut`.
    Forge,
    Mercurial,
    Indirect,
    Path,
    Tarball,
}

impl Scheme {
    fn of(kind: &[u8]) -> Option<Self> {
        Some(match kind {
            b"file" => Self::File,
            b"git" => Self::Git,
            b"github" | b"gitlab" | b"sourcehut" => Self::Forge,
            b"hg" => Self::Mercurial,
            b"indirect" => Self::Indirect,
            b"path" => Self::Path,
            b"tarball" => Self::Tarball,
            _ => return None,
        })
    }

    fn attributes(self) -> &'static [&'static str] {
        match self {
            Self::File | Self::Tarball => CURL_ATTRIBUTES,
            Self::Git => &[
                "url",
                "ref",
                "rev",
                "shallow",
                "submodules",
                "lfs",
                "exportIgnore",
                "lastModified",
                "revCount",
                "narHash",
                "allRefs",
                "name",
                "dirtyRev",
                "dirtyShortRev",
                "verifyCommit",
                "keytype",
                "publicKey",
                "publicKeys",
            ],
            Self::Forge => {
                &["owner", "repo", "ref", "rev", "narHash", "lastModified", "host", "treeHash"]
            }
            Self::Mercurial => &["url", "ref", "rev", "revCount", "narHash", "name"],
            Self::Indirect => &["id", "ref", "rev", "narHash"],
            Self::Path => &["path", "rev", "revCount", "lastModified", "narHash"],
        }
    }
}

const CURL_ATTRIBUTES: &[&str] =
    &["url", "narHash", "name", "unpack", "rev", "revCount", "lastModified"];
const GIT_TEXTS: [&[u8]; 5] = [b"rev", b"ref", b"keytype", b"publicKey", b"publicKeys"];
const GIT_FLAGS: [&[u8]; 6] =
    [b"shallow", b"submodules", b"lfs", b"exportIgnore", b"allRefs", b"verifyCommit"];

/// Something that can be fetched.
#[derive(Debug, Clone)]
pub(super) struct Input {
    pub(super) attrs: InputAttrs,
    /// None for a `type` that nobody knows.
    pub(super) scheme: Option<Scheme>,
}

impl Input {
    /// Reads a URL.
    pub(super) fn from_url(url: &Url, features: &ExperimentalFeatures) -> Result<Self> {
        let (application, transport) = split_scheme(&url.scheme);
        let is_web = matches!(transport, b"file" | b"http" | b"https");
        match (application, &url.scheme[..]) {
            (_, b"git") | (Some(b"git"), _) => git_from_url(url, features),
            (_, b"github" | b"gitlab" | b"sourcehut") => forge_from_url(url, features),
            (Some(b"hg"), _) if is_web || transport == b"ssh" => mercurial_from_url(url, features),
            (_, b"flake") => indirect_from_url(url, features),
            (_, b"path") => path_from_url(url, features),
            (None | Some(b"tarball" | b"file"), _) if is_web => {
                Self::from_attrs(curl_from_url(url, application == Some(b"file")), features)
            }
            (Some(b"file"), _) if transport == b"git" => Err(InputError::Other(format!(
                "input '{url}' is unsupported; did you mean 'git+file' instead of 'file+git'?"
            ))),
            _ => Err(InputError::Other(format!("input '{url}' is unsupported"))),
        }
    }

    /// Takes attributes for what their `type` says, and checks them.
    pub(super) fn from_attrs(attrs: InputAttrs, features: &ExperimentalFeatures) -> Result<Self> {
        let Some(kind) = text(&attrs, "type")? else {
            let message = "'type' attribute to specify input scheme is required but not provided";
            return Err(InputError::Other(message.to_owned()));
        };
        let scheme = Scheme::of(kind);
        let mut input = Self { scheme, attrs };
        if let Some(scheme) = scheme {
            if matches!(scheme, Scheme::Indirect | Scheme::Path) {
                require(features.flakes, "flakes")?;
            }
            input.check_names(scheme)?;
            input.check(scheme)?;
        }
        text(&input.attrs, "ref")?;
        number(&input.attrs, "revCount")?;
        number(&input.attrs, "lastModified")?;
        Ok(input)
    }

    fn check_names(&self, scheme: Scheme) -> Result<()> {
        let known = |name: &[u8]| {
            matches!(name, b"type" | b"__final")
                || scheme.attributes().iter().any(|known| known.as_bytes() == name)
        };
        match self.attrs.keys().find(|name| !known(name)) {
            None => Ok(()),
            Some(name) => Err(InputError::Other(format!(
                "input attribute '{}' not supported by scheme '{}'",
                shown(name),
                shown(self.kind())
            ))),
        }
    }

    fn check(&mut self, scheme: Scheme) -> Result<()> {
        match scheme {
            Scheme::File | Scheme::Tarball => {}
            Scheme::Git => self.check_git()?,
            Scheme::Forge => self.check_forge()?,
            Scheme::Mercurial => {
                Url::parse(needed(&self.attrs, "url")?, false)?;
                if let Some(name) = text(&self.attrs, "ref")?
                    && !is_ref_like(name)
                {
                    let message = format!("invalid Mercurial branch/tag name '{}'", shown(name));
                    return Err(BadUrl(message).into());
                }
            }
            Scheme::Indirect => check_flake_id(needed(&self.attrs, "id")?)?,
            Scheme::Path => drop(needed(&self.attrs, "path")?),
        }
        Ok(())
    }

    fn check_git(&mut self) -> Result<()> {
        for name in ["verifyCommit", "keytype", "publicKey", "publicKeys"] {
            require(!self.attrs.contains_key(name.as_bytes()), "verified-fetches")?;
        }
        if let Some(name) = text(&self.attrs, "ref")?
            && !is_legal_ref(name)
        {
            return Err(BadUrl(format!("invalid Git branch/tag name '{}'", shown(name))).into());
        }
        let url = git_url(needed(&self.attrs, "url")?)?.to_bytes();
        self.attrs.insert(b"url".to_vec(), InputAttr::Text(url));
        for name in ["shallow", "submodules", "allRefs"] {
            flag(&self.attrs, name)?;
        }
        Ok(())
    }

    fn check_forge(&self) -> Result<()> {
        needed(&self.attrs, "owner")?;
        needed(&self.attrs, "repo")?;
        let (name, rev) = (text(&self.attrs, "ref")?, text(&self.attrs, "rev")?);
        if let (Some(name), Some(rev)) = (name, rev) {
            let message = format!(
                "input {} contains both a commit hash ('{}') and a branch/tag name ('{}')",
                json(&self.attrs),
                shown(rev),
                shown(name)
            );
            return Err(BadUrl(message).into());
        }
        if let Some(rev) = rev {
            Hash::parse(rev, Some(HashAlgo::Sha1))?;
        }
        if name.is_some_and(|name| !is_legal_ref(name)) {
            let message =
                format!("input {} contains an invalid branch/tag name", json(&self.attrs));
            return Err(BadUrl(message).into());
        }
        let in_host = |byte: &u8| byte.is_ascii_alphanumeric() || b".-".contains(byte);
        if text(&self.attrs, "host")?.is_some_and(|host| !host.iter().all(in_host)) {
            let message = format!("input {} contains an invalid instance host", json(&self.attrs));
            return Err(BadUrl(message).into());
        }
        Ok(())
    }

    /// Its `type`.
    pub(super) fn kind(&self) -> &[u8] {
        match self.attrs.get(&b"type"[..]) {
            Some(InputAttr::Text(kind)) => kind,
            _ => b"",
        }
    }

    /// The hash that what is fetched must have.
    pub(super) fn nar_hash(&self) -> Result<Option<Hash>> {
        let Some(hash) = text(&self.attrs, "narHash")? else { return Ok(None) };
        if hash.is_empty() {
            return Ok(Hash::from_digest(HashAlgo::Sha256, &[0; 32]));
        }
        let hash = Hash::parse_sri(hash)?;
        if hash.algo() != HashAlgo::Sha256 {
            return Err(InputError::Other("narHash must use SHA-256".to_owned()));
        }
        Ok(Some(hash))
    }

    /// The commit, in base 16.
    pub(super) fn rev(&self) -> Result<Option<String>> {
        let Some(rev) = text(&self.attrs, "rev")? else { return Ok(None) };
        let hash = Hash::parse_prefixed(rev).or_else(|_| Hash::parse(rev, Some(HashAlgo::Sha1)))?;
        Ok(Some(hash.to_text(HashFormat::Base16, false)))
    }

    /// Is it certain what will be fetched? (Nix manual, `pure-eval`.)
    pub(super) fn is_locked(&self) -> Result<bool> {
        Ok(match self.scheme {
            None | Some(Scheme::Indirect) => false,
            Some(Scheme::Git | Scheme::Forge | Scheme::Mercurial) => self.rev()?.is_some(),
            Some(Scheme::File | Scheme::Path | Scheme::Tarball) => self.nar_hash()?.is_some(),
        })
    }

    /// It as a URL.
    pub(super) fn to_url(&self) -> Result<Url> {
        let attrs = &self.attrs;
        let Some(scheme) = self.scheme else {
            let message = format!("cannot show unsupported input '{}'", json(attrs));
            return Err(InputError::Other(message));
        };
        match scheme {
            Scheme::File | Scheme::Tarball => {
                let mut url = Url::parse(needed(attrs, "url")?, false)?;
                self.add_nar_hash(&mut url.query)?;
                Ok(url)
            }
            Scheme::Git => self.git_to_url(),
            Scheme::Mercurial => {
                let mut url = Url::parse(needed(attrs, "url")?, false)?;
                url.scheme.splice(..0, *b"hg+");
                self.add_commit(&mut url.query)?;
                Ok(url)
            }
            Scheme::Forge => {
                let mut path =
                    vec![needed(attrs, "owner")?.to_vec(), needed(attrs, "repo")?.to_vec()];
                self.push_commit(&mut path)?;
                let mut query = Query::new();
                self.add_nar_hash(&mut query)?;
                if let Some(host) = text(attrs, "host")? {
                    query.insert(b"host".to_vec(), host.to_vec());
                }
                Ok(plain_url(self.kind(), path, query))
            }
            Scheme::Indirect => {
                let mut path = vec![needed(attrs, "id")?.to_vec()];
                self.push_commit(&mut path)?;
                Ok(plain_url(b"flake", path, Query::new()))
            }
            Scheme::Path => {
                let hidden = |name: &[u8]| matches!(name, b"path" | b"type" | b"__final");
                let query = attrs.iter().filter(|(name, _)| !hidden(name));
                let query = query.map(|(name, value)| (name.clone(), value.in_query())).collect();
                let path = needed(attrs, "path")?.split(|byte| *byte == b'/');
                Ok(plain_url(b"path", path.map(<[u8]>::to_vec).collect(), query))
            }
        }
    }

    fn git_to_url(&self) -> Result<Url> {
        let mut url = Url::parse(needed(&self.attrs, "url")?, false)?;
        if url.scheme != b"git" {
            url.scheme.splice(..0, *b"git+");
        }
        self.add_commit(&mut url.query)?;
        for name in ["shallow", "lfs", "submodules", "exportIgnore"] {
            if flag(&self.attrs, name)? == Some(true) {
                url.query.insert(name.into(), b"1".to_vec());
            }
        }
        Ok(url)
    }

    fn add_commit(&self, query: &mut Query) -> Result<()> {
        if let Some(rev) = self.rev()? {
            query.insert(b"rev".to_vec(), rev.into_bytes());
        }
        if let Some(name) = text(&self.attrs, "ref")? {
            query.insert(b"ref".to_vec(), name.to_vec());
        }
        Ok(())
    }

    fn push_commit(&self, path: &mut Vec<Vec<u8>>) -> Result<()> {
        path.extend(text(&self.attrs, "ref")?.map(<[u8]>::to_vec));
        path.extend(self.rev()?.map(String::into_bytes));
        Ok(())
    }

    fn add_nar_hash(&self, query: &mut Query) -> Result<()> {
        if let Some(hash) = self.nar_hash()? {
            query.insert(b"narHash".to_vec(), hash.to_text(HashFormat::Sri, true).into_bytes());
        }
        Ok(())
    }
}

impl InputAttr {
    fn in_query(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string().into_bytes(),
            Self::Bool(value) => if *value { b"1" } else { b"0" }.to_vec(),
        }
    }
}

fn git_from_url(url: &Url, features: &ExperimentalFeatures) -> Result<Input> {
    let mut attrs = of_type("git");
    let mut plain = Url { query: Query::new(), ..url.clone() };
    for (name, value) in &url.query {
        if GIT_TEXTS.contains(&&name[..]) {
            attrs.insert(name.clone(), InputAttr::Text(value.clone()));
        } else if GIT_FLAGS.contains(&&name[..]) {
            attrs.insert(name.clone(), InputAttr::Bool(value == b"1"));
        } else {
            plain.query.insert(name.clone(), value.clone());
        }
    }
    attrs.insert(b"url".to_vec(), InputAttr::Text(plain.to_bytes()));
    Input::from_attrs(attrs, features)
}

fn mercurial_from_url(url: &Url, features: &ExperimentalFeatures) -> Result<Input> {
    let mut attrs = of_type("hg");
    let scheme = split_scheme(&url.scheme).1.to_vec();
    let mut plain = Url { scheme, query: Query::new(), ..url.clone() };
    for (name, value) in &url.query {
        if matches!(&name[..], b"rev" | b"ref") {
            attrs.insert(name.clone(), InputAttr::Text(value.clone()));
        } else {
            plain.query.insert(name.clone(), value.clone());
        }
    }
    attrs.insert(b"url".to_vec(), InputAttr::Text(plain.to_bytes()));
    Input::from_attrs(attrs, features)
}

fn curl_from_url(url: &Url, is_file: bool) -> InputAttrs {
    let mut attrs = of_type(if is_file { "file" } else { "tarball" });
    let scheme = split_scheme(&url.scheme).1.to_vec();
    let mut plain = Url { scheme, ..url.clone() };
    for name in CURL_ATTRIBUTES {
        let Some(value) = plain.query.remove(name.as_bytes()) else { continue };
        let value = match *name {
            "narHash" | "rev" => Some(InputAttr::Text(value)),
            "revCount" | "lastModified" => parse_number(&value),
            _ => None,
        };
        attrs.extend(value.map(|value| (name.as_bytes().to_vec(), value)));
    }
    attrs.insert(b"url".to_vec(), InputAttr::Text(plain.to_bytes()));
    attrs
}

fn forge_from_url(url: &Url, features: &ExperimentalFeatures) -> Result<Input> {
    let mut names = url.names();
    let (Some(owner), Some(repo)) = (names.next(), names.next()) else {
        return Err(BadUrl(format!("URL '{url}' is invalid")).into());
    };
    let mut attrs = InputAttrs::new();
    let commit: Vec<&[u8]> = names.collect();
    match &commit[..] {
        [] => {}
        [rev] if is_commit(rev) => set(&mut attrs, "rev", rev),
        names => set(&mut attrs, "ref", &names.join(&b'/')),
    }
    for (name, what) in [("rev", "commit hashes"), ("ref", "branch/tag names")] {
        let Some(value) = url.query.get(name.as_bytes()) else { continue };
        if attrs.contains_key(name.as_bytes()) {
            return Err(BadUrl(format!("URL '{url}' contains multiple {what}")).into());
        }
        set(&mut attrs, name, value);
    }
    for name in ["host", "narHash"] {
        if let Some(value) = url.query.get(name.as_bytes()) {
            set(&mut attrs, name, value);
        }
    }
    set(&mut attrs, "type", &url.scheme);
    set(&mut attrs, "owner", owner);
    set(&mut attrs, "repo", repo);
    Input::from_attrs(attrs, features)
}

fn indirect_from_url(url: &Url, features: &ExperimentalFeatures) -> Result<Input> {
    let names: Vec<&[u8]> = url.names().collect();
    let wrong = |name: &[u8], what: &str| {
        InputError::from(BadUrl(format!("in flake URL '{url}', '{}' is not a {what}", shown(name))))
    };
    let mut attrs = of_type("indirect");
    let id = match names[..] {
        [id] => id,
        [id, rev] if is_commit(rev) => {
            set(&mut attrs, "rev", &rev.to_ascii_lowercase());
            id
        }
        [id, name] if is_legal_ref(name) => {
            set(&mut attrs, "ref", name);
            id
        }
        [_, name] => return Err(wrong(name, "commit hash or branch/tag name")),
        [_, name, _] if !is_legal_ref(name) => return Err(wrong(name, "branch/tag name")),
        [id, name, rev] if is_commit(rev) => {
            set(&mut attrs, "ref", name);
            set(&mut attrs, "rev", &rev.to_ascii_lowercase());
            id
        }
        [_, _, rev] => return Err(wrong(rev, "commit hash")),
        _ => return Err(BadUrl(format!("GitHub URL '{url}' is invalid")).into()),
    };
    set(&mut attrs, "id", id);
    Input::from_attrs(attrs, features)
}

fn path_from_url(url: &Url, features: &ExperimentalFeatures) -> Result<Input> {
    if let Some(authority) = url.authority.as_ref().filter(|authority| !authority.is_local()) {
        let message = format!(
            "path URL '{url}' should not have an authority ('{}')",
            shown(&authority.to_bytes())
        );
        return Err(InputError::Other(message));
    }
    let mut attrs = of_type("path");
    set(&mut attrs, "path", &url.file_path()?);
    for (name, value) in &url.query {
        let wrong = |what| {
            let name = shown(name);
            InputError::Other(format!("path URL '{url}' has {what} parameter '{name}'"))
        };
        let value = match &name[..] {
            b"rev" | b"narHash" => InputAttr::Text(value.clone()),
            b"revCount" | b"lastModified" => parse_number(value).ok_or_else(|| wrong("invalid"))?,
            _ => return Err(wrong("unsupported")),
        };
        attrs.insert(name.clone(), value);
    }
    Input::from_attrs(attrs, features)
}

/// What Git takes as a URL: also `user@host:path` and plain paths.
pub(super) fn git_url(text: &[u8]) -> Result<Url> {
    let text = scp_url(text).unwrap_or_else(|| text.to_vec());
    let is_url = text.starts_with(b"file:")
        || text.starts_with(b"git+file:")
        || text.windows(3).any(|three| three == b"://");
    if !is_url {
        let absolute = text.starts_with(b"/");
        if !absolute && text.contains(&b':') {
            let message = format!(
                "SCP-like URL '{}' is not supported; use SSH URL syntax instead (ssh://...)",
                shown(&text)
            );
            return Err(BadUrl(message).into());
        }
        let path = text.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect();
        let authority = absolute.then(Default::default);
        return Ok(Url { authority, ..plain_url(b"file", path, Query::new()) });
    }
    let mut url = Url::parse(&text, false)?;
    if let (Some(b"git"), transport) = split_scheme(&url.scheme) {
        url.scheme = transport.to_vec();
    }
    Ok(url)
}

/// `user@host:path` as a URL.
fn scp_url(text: &[u8]) -> Option<Vec<u8>> {
    let at = text.iter().position(|byte| *byte == b'@')?;
    let colon = text.iter().rposition(|byte| *byte == b':').filter(|colon| *colon > at)?;
    let (user, host, path) = (text.get(..at)?, text.get(at + 1..colon)?, text.get(colon + 1..)?);
    (!user.contains(&b'/')).then(|| [b"ssh://", user, b"@", host, b"/", path].concat())
}

fn plain_url(scheme: &[u8], path: Vec<Vec<u8>>, query: Query) -> Url {
    Url { scheme: scheme.to_vec(), authority: None, path, query, fragment: Vec::new() }
}

fn of_type(kind: &str) -> InputAttrs {
    InputAttrs::from([(b"type".to_vec(), InputAttr::Text(kind.into()))])
}

fn set(attrs: &mut InputAttrs, name: &str, value: &[u8]) {
    attrs.insert(name.into(), InputAttr::Text(value.to_vec()));
}

fn parse_number(digits: &[u8]) -> Option<InputAttr> {
    Some(InputAttr::Number(str::from_utf8(digits).ok()?.parse().ok()?))
}

/// Can Git have a branch, a tag or another reference of this name? (git-check-ref-format(1).)
fn is_legal_ref(name: &[u8]) -> bool {
    let bad = |byte: &u8| *byte <= b' ' || b"~^:\\?[*\x7f".contains(byte);
    let well_formed = name != b"@"
        && !name.ends_with(b".")
        && !name.iter().any(bad)
        && !name.windows(2).any(|two| two == b".." || two == b"@{")
        && name
            .split(|byte| *byte == b'/')
            .all(|part| !part.is_empty() && !part.starts_with(b".") && !part.ends_with(b".lock"));
    well_formed && (!name.starts_with(b"-") || name.contains(&b'/'))
}

/// What may stand for a branch in a flake reference, and in Mercurial.
pub(super) fn is_ref_like(name: &[u8]) -> bool {
    name.first().is_some_and(|first| first.is_ascii_alphanumeric() || *first == b'@')
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_./@+-".contains(byte))
}

/// A name in a registry of flakes.
pub(super) fn is_flake_id(id: &[u8]) -> bool {
    id.first().is_some_and(u8::is_ascii_alphabetic)
        && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte))
}

fn check_flake_id(id: &[u8]) -> Result<()> {
    if is_flake_id(id) {
        return Ok(());
    }
    Err(BadUrl(format!("'{}' is not a valid flake ID", shown(id))).into())
}

/// A commit's hash in full.
pub(super) fn is_commit(text: &[u8]) -> bool {
    text.len() == 40 && text.iter().all(u8::is_ascii_hexdigit)
}

/// An attribute that is a string.
pub(super) fn text<'i>(attrs: &'i InputAttrs, name: &str) -> Result<Option<&'i [u8]>> {
    match attrs.get(name.as_bytes()) {
        None => Ok(None),
        Some(InputAttr::Text(text)) => Ok(Some(text)),
        Some(_) => {
            let message = format!("input attribute '{name}' is not a string {}", json(attrs));
            Err(InputError::Other(message))
        }
    }
}

fn needed<'i>(attrs: &'i InputAttrs, name: &str) -> Result<&'i [u8]> {
    text(attrs, name)?
        .ok_or_else(|| InputError::Other(format!("input attribute '{name}' is missing")))
}

/// An attribute that is a number.
pub(super) fn number(attrs: &InputAttrs, name: &str) -> Result<Option<u64>> {
    match attrs.get(name.as_bytes()) {
        None => Ok(None),
        Some(InputAttr::Number(number)) => Ok(Some(*number)),
        Some(_) => Err(InputError::Other(format!("input attribute '{name}' is not an integer"))),
    }
}

/// An attribute that is a Boolean.
pub(super) fn flag(attrs: &InputAttrs, name: &str) -> Result<Option<bool>> {
    match attrs.get(name.as_bytes()) {
        None => Ok(None),
        Some(InputAttr::Bool(value)) => Ok(Some(*value)),
        Some(_) => Err(InputError::Other(format!("input attribute '{name}' is not a Boolean"))),
    }
}

/// Fails if a feature is needed that is not enabled.
pub(super) fn require(enabled: bool, name: &str) -> Result<()> {
    if enabled {
        return Ok(());
    }
    Err(InputError::Other(format!(
        "experimental Nix feature '{name}' is disabled; add '--extra-experimental-features {name}' to enable it"
    )))
}

/// Attributes as messages show them.
fn json(attrs: &InputAttrs) -> String {
    let mut out = b"{".to_vec();
    for (name, value) in attrs {
        if out.len() > 1 {
            out.push(b',');
        }
        push_json(&mut out, name);
        out.push(b':');
        match value {
            InputAttr::Text(text) => push_json(&mut out, text),
            InputAttr::Number(number) => out.extend(number.to_string().into_bytes()),
            InputAttr::Bool(value) => out.extend(value.to_string().into_bytes()),
        }
    }
    out.push(b'}');
    shown(&out)
}

fn push_json(out: &mut Vec<u8>, text: &[u8]) {
    let mut quoted = Vec::new();
    // What is not UTF-8 is only shown here.
    if write_string(&mut quoted, shown(text).as_bytes()).is_ok() {
        out.extend(quoted);
    }
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
