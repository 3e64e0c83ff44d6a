//! Flake references: where a flake is, and which folder of it.

use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::error::{FlakeError, Result};
use super::os_str;
use super::repository::local_repository;
use crate::eval::references::{
    Input, InputAttr, InputAttrs, InputError, Reference, Scheme, take_apart, to_text, url_attrs,
};
use crate::eval::settings::ExperimentalFeatures;
use crate::eval::text::path;
use crate::eval::text::url::{Authority, Query, Url};

/// Who speaks of flakes has them turned on.
pub(super) const FEATURES: ExperimentalFeatures = ExperimentalFeatures {
    pipe_operators: false,
    ca_derivations: false,
    impure_derivations: false,
    dynamic_derivations: false,
    fetch_tree: true,
    flakes: true,
    fetch_closure: false,
    parse_toml_timestamps: false,
    blake3_hashes: false,
};

/// The folder of this machine that holds the `flake.nix` of a reference which a person gives in the folder `base`.
/// It may be one above the folder that is named. `None` where the flake is elsewhere, or not there.
#[must_use]
pub fn folder_of(reference: &str, base: &Path) -> Option<PathBuf> {
    let base = base.as_os_str().as_bytes();
    let (found, _) =
        FlakeRef::parse_given(reference.as_bytes(), base, Meant::Flake, &|_| ()).ok()?;
    let root = match (found.input.scheme, found.input.attrs.get(&b"path"[..])) {
        (Some(Scheme::Path), Some(InputAttr::Text(path))) => path::join(base, path),
        (Some(Scheme::Git), _) => local_repository(&found.input)?,
        _ => return None,
    };
    let folder = path::join(&root, &[b"./", &found.dir[..]].concat());
    exists(&folder, "flake.nix")
        .then(|| PathBuf::from(std::ffi::OsString::from_vec(folder)))
        .and_then(|folder| folder.canonicalize().ok())
}

/// What a person's reference is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meant {
    /// The flake that is asked for; a path may be one of a folder inside of it.
    Flake,
    /// What takes the place of an input, which need be no flake.
    Input,
}

/// Where a flake is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FlakeRef {
    /// The tree that it is in.
    pub(super) input: Input,
    /// The folder in the tree.
    pub(super) dir: Vec<u8>,
}

impl FlakeRef {
    /// Takes attributes as they stand in lock files and `flake.nix`.
    pub(super) fn from_attrs(mut attrs: InputAttrs) -> std::result::Result<Self, InputError> {
        let dir = match attrs.remove(&b"dir"[..]) {
            Some(InputAttr::Text(dir)) => dir,
            Some(_) => {
                let message = "input attribute 'dir' is not a string".to_owned();
                return Err(InputError::Other(message));
            }
            None => Vec::new(),
        };
        Ok(Self { input: Input::from_attrs(attrs, &FEATURES)?, dir })
    }

    /// Reads a reference in a `flake.nix`, where relative paths stay as they are.
    pub(super) fn parse(text: &[u8]) -> Result<Self> {
        let wrong = bad(text);
        let (reference, fragment) = take_apart(text, None, &FEATURES).map_err(&wrong)?;
        let attrs = match reference {
            Reference::Attrs(attrs) => attrs,
            Reference::Path(url) => url_attrs(url, &FEATURES).map_err(&wrong)?,
        };
        no_fragment(text, &fragment)?;
        Self::from_attrs(attrs).map_err(&wrong)
    }

    /// Reads a reference that a program gives, where paths are absolute.
    pub(super) fn parse_absolute(text: &[u8]) -> Result<Self> {
        let parsed = Self::parse(text)?;
        if parsed.relative_path().is_some() && !text.starts_with(b"path:") {
            let reason = format!("'{}' is not an absolute path", shown(text));
            return Err(FlakeError::Reference { reference: shown(text), reason });
        }
        Ok(parsed)
    }

    /// Reads a reference that a person gives, and the fragment behind it. A path is searched upwards for the git
    /// repository around it, and for the flake that is meant. What is said about that goes to `say`.
    pub(super) fn parse_given(
        text: &[u8],
        base: &[u8],
        meant: Meant,
        say: &dyn Fn(&str),
    ) -> Result<(Self, Vec<u8>)> {
        let wrong = bad(text);
        let (reference, fragment) = take_apart(text, Some(base), &FEATURES).map_err(&wrong)?;
        let attrs = match reference {
            Reference::Attrs(attrs) => attrs,
            Reference::Path(url) => {
                let url = local(url, text, base, meant, say)?;
                url_attrs(url, &FEATURES).map_err(&wrong)?
            }
        };
        Ok((Self::from_attrs(attrs).map_err(&wrong)?, fragment))
    }

    /// All attributes, the folder among them.
    pub(super) fn attrs(&self) -> InputAttrs {
        let mut attrs = self.input.attrs.clone();
        if !self.dir.is_empty() {
            attrs.insert(b"dir".to_vec(), InputAttr::Text(self.dir.clone()));
        }
        attrs
    }

    /// The path of a relative one.
    pub(super) fn relative_path(&self) -> Option<&[u8]> {
        match (self.input.scheme, self.input.attrs.get(&b"path"[..])) {
            (Some(Scheme::Path), Some(InputAttr::Text(path))) if !path.starts_with(b"/") => {
                Some(path)
            }
            _ => None,
        }
    }

    /// The same, without what older versions of Nix left in it: the folder in the URL as well.
    pub(super) fn canonical(&self) -> Self {
        let mut canonical = self.clone();
        if let Some(InputAttr::Text(url)) = self.input.attrs.get(&b"url"[..])
            && let Ok(mut url) = Url::parse(url, true)
        {
            if !self.dir.is_empty() && url.query.get(&b"dir"[..]) == Some(&self.dir) {
                url.query.remove(&b"dir"[..]);
            }
            canonical.input.attrs.insert(b"url".to_vec(), InputAttr::Text(url.to_bytes()));
        }
        canonical
    }
}

impl std::fmt::Display for FlakeRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match to_text(self.attrs(), &FEATURES) {
            Ok(text) => f.write_str(&shown(&text)),
            Err(error) => write!(f, "«{error}»"),
        }
    }
}

/// An input as messages show it.
pub(super) fn input_text(input: &Input) -> String {
    input.to_url().map_or_else(|error| format!("«{error}»"), |url| url.to_string())
}

/// Bytes as messages show them.
pub(super) fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// An error about a reference.
pub(super) fn bad(text: &[u8]) -> impl Fn(InputError) -> FlakeError {
    let reference = shown(text);
    move |error| FlakeError::Reference { reference: reference.clone(), reason: error.to_string() }
}

fn no_fragment(text: &[u8], fragment: &[u8]) -> Result<()> {
    if fragment.is_empty() {
        return Ok(());
    }
    let (reference, fragment) = (shown(text), shown(fragment));
    let reason = format!("unexpected fragment '{fragment}' in flake reference '{reference}'");
    Err(FlakeError::Reference { reference, reason })
}

/// The URL of a path: of the git repository that it is in, or of the folder itself. (Nix manual, `nix
/// flake`, "Path-like syntax".)
fn local(url: Url, text: &[u8], base: &[u8], meant: Meant, say: &dyn Fn(&str)) -> Result<Url> {
    let reference = || shown(text);
    let given = url.file_path().map_err(|error| bad(text)(error.into()))?;
    let absolute = path::join(base, &given);
    let absolute = std::fs::canonicalize(os_str(&absolute))
        .map(|path| std::os::unix::ffi::OsStringExt::into_vec(path.into_os_string()))
        .unwrap_or(absolute);
    let named = named_folder(absolute, &reference, say)?;
    let folder = match meant {
        Meant::Flake => flake_folder(named, &reference)?,
        Meant::Input => named,
    };
    let mut root = folder.clone();
    let mut subdir: Vec<u8> = Vec::new();
    while root != b"/" {
        if exists(&root, ".git") {
            let mut query = url.query;
            if !subdir.is_empty() {
                if query.contains_key(&b"dir"[..]) {
                    let reason =
                        format!("flake URL '{}' has an inconsistent 'dir' parameter", reference());
                    return Err(FlakeError::Reference { reference: reference(), reason });
                }
                query.insert(b"dir".to_vec(), subdir);
            }
            if exists(&root, ".git/shallow") {
                query.insert(b"shallow".to_vec(), b"1".to_vec());
            }
            return Ok(file_url(b"git+file", &root, query));
        }
        let name = path::base_name(&root);
        subdir = if subdir.is_empty() { name.to_vec() } else { [name, b"/", &subdir].concat() };
        root = path::dir_name(&root).to_vec();
    }
    Ok(file_url(b"path", &folder, url.query))
}

/// The folder that a path names, be it by its `flake.nix`.
fn named_folder(
    path: Vec<u8>,
    reference: &dyn Fn() -> String,
    say: &dyn Fn(&str),
) -> Result<Vec<u8>> {
    let none = |reason: String| Err(FlakeError::NoFlake { flake: reference(), reason });
    match std::fs::symlink_metadata(os_str(&path)) {
        Err(error) => {
            let reason = crate::eval::io::reason(&error);
            none(format!("the path '{}' cannot be read: {reason}", shown(&path)))
        }
        Ok(meta) if meta.is_dir() => Ok(path),
        Ok(_) if path::base_name(&path) == b"flake.nix" => {
            let parent = path::dir_name(&path).to_vec();
            say(&format!(
                "Path \"{}\" should point at the directory containing the 'flake.nix' file, not the file itself. Pretending that you meant \"{}\"",
                shown(&path),
                shown(&parent)
            ));
            Ok(parent)
        }
        Ok(_) => {
            let path = shown(&path);
            none(format!("path \"{path}\" is not a flake (because it's not a directory)"))
        }
    }
}

/// The nearest folder upwards that has a `flake.nix`.
fn flake_folder(mut folder: Vec<u8>, reference: &dyn Fn() -> String) -> Result<Vec<u8>> {
    let none = |reason: String| Err(FlakeError::NoFlake { flake: reference(), reason });
    let device = |folder: &[u8]| std::fs::symlink_metadata(os_str(folder)).map(|meta| meta.dev());
    let start = shown(&folder);
    let first = device(&folder).ok();
    while folder != b"/" {
        if exists(&folder, "flake.nix") {
            return Ok(folder);
        }
        if exists(&folder, ".git") {
            return none(format!(
                "path \"{}\" is not part of a flake (neither it nor its parent directories contain a 'flake.nix' file)",
                shown(&folder)
            ));
        }
        if device(&folder).ok() != first {
            return none(format!(
                "unable to find a flake before encountering filesystem boundary at \"{}\"",
                shown(&folder)
            ));
        }
        folder = path::dir_name(&folder).to_vec();
    }
    none(format!("could not find a flake.nix file in '{start}' or above it"))
}

fn exists(folder: &[u8], name: &str) -> bool {
    Path::new(os_str(folder)).join(name).exists()
}

fn file_url(scheme: &[u8], path: &[u8], query: Query) -> Url {
    Url {
        scheme: scheme.to_vec(),
        authority: Some(Authority::default()),
        path: path.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect(),
        query,
        fragment: Vec::new(),
    }
}
