//! Inputs of fetchers as URLs, both ways. (Nix manual, `nix flake`, "Flake references".)

use super::inputs::{
    CURL_ATTRIBUTES, Input, InputAttr, InputAttrs, InputError, Result, Scheme, flag, is_commit,
    is_legal_ref, json, needed, shown, text,
};
use crate::eval::settings::ExperimentalFeatures;
use crate::eval::text::url::{BadUrl, Query, Url, split_scheme};
use crate::store::HashFormat;

const GIT_TEXTS: [&[u8]; 5] = [b"rev", b"ref", b"keytype", b"publicKey", b"publicKeys"];
const GIT_FLAGS: [&[u8]; 6] =
    [b"shallow", b"submodules", b"lfs", b"exportIgnore", b"allRefs", b"verifyCommit"];

impl Input {
    /// Reads a URL.
    pub(crate) fn from_url(url: &Url, features: &ExperimentalFeatures) -> Result<Self> {
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

    /// It as a URL.
    pub(crate) fn to_url(&self) -> Result<Url> {
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
