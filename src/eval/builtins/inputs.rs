//! Inputs of fetchers: which attributes each kind has. Nothing is fetched here. (Nix manual,
//! `builtins.fetchTree`.)

use std::collections::BTreeMap;

use super::input_urls::git_url;
use crate::eval::settings::ExperimentalFeatures;
use crate::eval::text::json::write_string;
use crate::eval::text::url::{BadUrl, Url};
use crate::store::{Hash, HashAlgo, HashFormat, StoreError};

/// The attributes of an input, by name.
pub(crate) type InputAttrs = BTreeMap<Vec<u8>, InputAttr>;

/// An attribute of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum InputAttr {
    Text(Vec<u8>),
    Number(u64),
    Bool(bool),
}

/// What is wrong with an input.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    /// It may still be something else than a URL.
    #[error(transparent)]
    BadUrl(#[from] BadUrl),
    #[error(transparent)]
    Hash(#[from] StoreError),
    #[error("{0}")]
    Other(String),
}

/// The result of looking at an input.
pub(crate) type Result<T> = std::result::Result<T, InputError>;

/// The kinds of inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
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

/// What files and archives from the web have.
pub(crate) const CURL_ATTRIBUTES: &[&str] =
    &["url", "narHash", "name", "unpack", "rev", "revCount", "lastModified"];
/// Something that can be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    pub(crate) attrs: InputAttrs,
    /// None for a `type` that nobody knows.
    pub(crate) scheme: Option<Scheme>,
}

impl Input {
    /// Takes attributes for what their `type` says, and checks them.
    pub(crate) fn from_attrs(attrs: InputAttrs, features: &ExperimentalFeatures) -> Result<Self> {
        let Some(kind) = text(&attrs, "type")? else {
            let message = "'type' attribute to specify input scheme is required but not provided";
            return Err(InputError::Other(message.to_owned()));
        };
        let scheme = Scheme::of(kind);
        let mut input = Self { attrs, scheme };
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
    pub(crate) fn kind(&self) -> &[u8] {
        match self.attrs.get(&b"type"[..]) {
            Some(InputAttr::Text(kind)) => kind,
            _ => b"",
        }
    }

    /// The hash that what is fetched must have.
    pub(crate) fn nar_hash(&self) -> Result<Option<Hash>> {
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
    pub(crate) fn rev(&self) -> Result<Option<String>> {
        let Some(rev) = text(&self.attrs, "rev")? else { return Ok(None) };
        let hash = Hash::parse_prefixed(rev).or_else(|_| Hash::parse(rev, Some(HashAlgo::Sha1)))?;
        Ok(Some(hash.to_text(HashFormat::Base16, false)))
    }

    /// Is it certain what will be fetched? (Nix manual, `pure-eval`.)
    pub(crate) fn is_locked(&self) -> Result<bool> {
        Ok(match self.scheme {
            None | Some(Scheme::Indirect) => false,
            Some(Scheme::Git | Scheme::Forge | Scheme::Mercurial) => self.rev()?.is_some(),
            Some(Scheme::File | Scheme::Path | Scheme::Tarball) => self.nar_hash()?.is_some(),
        })
    }
}

/// Can Git have a branch, a tag or another reference of this name? (git-check-ref-format(1).)
pub(crate) fn is_legal_ref(name: &[u8]) -> bool {
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
pub(crate) fn is_ref_like(name: &[u8]) -> bool {
    name.first().is_some_and(|first| first.is_ascii_alphanumeric() || *first == b'@')
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_./@+-".contains(byte))
}

/// A name in a registry of flakes.
pub(crate) fn is_flake_id(id: &[u8]) -> bool {
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
pub(crate) fn is_commit(text: &[u8]) -> bool {
    text.len() == 40 && text.iter().all(u8::is_ascii_hexdigit)
}

/// An attribute that is a string.
pub(crate) fn text<'i>(attrs: &'i InputAttrs, name: &str) -> Result<Option<&'i [u8]>> {
    match attrs.get(name.as_bytes()) {
        None => Ok(None),
        Some(InputAttr::Text(text)) => Ok(Some(text)),
        Some(_) => {
            let message = format!("input attribute '{name}' is not a string {}", json(attrs));
            Err(InputError::Other(message))
        }
    }
}

/// An attribute that must be there, and be a string.
pub(crate) fn needed<'i>(attrs: &'i InputAttrs, name: &str) -> Result<&'i [u8]> {
    text(attrs, name)?
        .ok_or_else(|| InputError::Other(format!("input attribute '{name}' is missing")))
}

/// An attribute that is a number.
pub(crate) fn number(attrs: &InputAttrs, name: &str) -> Result<Option<u64>> {
    match attrs.get(name.as_bytes()) {
        None => Ok(None),
        Some(InputAttr::Number(number)) => Ok(Some(*number)),
        Some(_) => Err(InputError::Other(format!("input attribute '{name}' is not an integer"))),
    }
}

/// An attribute that is a Boolean.
pub(crate) fn flag(attrs: &InputAttrs, name: &str) -> Result<Option<bool>> {
    match attrs.get(name.as_bytes()) {
        None => Ok(None),
        Some(InputAttr::Bool(value)) => Ok(Some(*value)),
        Some(_) => Err(InputError::Other(format!("input attribute '{name}' is not a Boolean"))),
    }
}

/// Fails if a feature is needed that is not enabled.
pub(crate) fn require(enabled: bool, name: &str) -> Result<()> {
    if enabled {
        return Ok(());
    }
    Err(InputError::Other(format!(
        "experimental Nix feature '{name}' is disabled; add '--extra-experimental-features {name}' to enable it"
    )))
}

/// Attributes as messages show them.
pub(crate) fn json(attrs: &InputAttrs) -> String {
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

/// Bytes as messages show them.
pub(crate) fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
