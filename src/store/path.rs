//! Store paths as names: what is one, and where it lies.
//!
//! Nix manual, "Store Path". How paths are computed is in `content_address`.

use std::fmt;
use std::hash::{Hash as StdHash, Hasher};
use std::sync::Arc;

use super::base32;
use super::error::{StoreError, shown};

/// The ending of a derivation's name.
pub const DRV_EXTENSION: &str = ".drv";

/// Checks a name by the rules for names of store objects and gives it back as text, since only
/// ASCII letters, digits and `+-._?=` are allowed.
///
/// # Errors
///
/// [`StoreError::Name`] with the rule that is broken.
pub fn check_name(name: &[u8]) -> Result<&str, StoreError> {
    match (broken_rule(name), str::from_utf8(name)) {
        (None, Ok(text)) => Ok(text),
        (rule, _) => Err(StoreError::Name(rule.unwrap_or_default())),
    }
}

fn broken_rule(name: &[u8]) -> Option<String> {
    if name.is_empty() {
        return Some("name must not be empty".to_owned());
    }
    if name.len() > StorePath::MAX_NAME_LEN {
        let (name, most) = (shown(name), StorePath::MAX_NAME_LEN);
        return Some(format!("name '{name}' must be no longer than {most} characters"));
    }
    for dots in [".", ".."] {
        match name.strip_prefix(dots.as_bytes()) {
            Some([]) => return Some(format!("name '{dots}' is not valid")),
            Some([b'-', ..]) => {
                return Some(format!(
                    "name '{}' is not valid: first dash-separated component must not be '{dots}'",
                    shown(name)
                ));
            }
            _ => {}
        }
    }
    let allowed = |c: &u8| c.is_ascii_alphanumeric() || b"+-._?=".contains(c);
    let illegal = name.iter().find(|c| !allowed(c))?;
    let illegal = shown(&[*illegal]);
    Some(format!("name '{}' contains illegal character '{illegal}'", shown(name)))
}

/// A store path without its folder: `hash-name`. Cheap to clone; ordered as C++ Nix orders them.
#[derive(Clone, Eq, PartialOrd, Ord)]
pub struct StorePath(Arc<str>);

impl StorePath {
    /// How many base 32 characters the hash part has.
    pub const HASH_LEN: usize = 32;
    /// How long a name may be.
    pub const MAX_NAME_LEN: usize = 211;

    /// Reads `hash-name`.
    ///
    /// # Errors
    ///
    /// The `Path…` cases of [`StoreError`].
    pub fn from_base_name(base_name: &[u8]) -> Result<Self, StoreError> {
        let (hash, rest) = base_name
            .split_at_checked(Self::HASH_LEN)
            .filter(|(_, rest)| !rest.is_empty())
            .ok_or_else(|| StoreError::PathTooShort(shown(base_name)))?;
        let Some(name) = rest.strip_prefix(b"-") else {
            return Err(StoreError::PathWithoutDash(shown(base_name)));
        };
        if let Some(illegal) = hash.iter().find(|c| base32::digit(**c).is_none()) {
            return Err(StoreError::PathCharacter {
                base_name: shown(base_name),
                character: char::from(*illegal),
            });
        }
        Self::checked(base_name, name)
    }

    /// The path with this (compressed) digest and name.
    ///
    /// # Errors
    ///
    /// [`StoreError::PathName`] if the name breaks a rule.
    pub fn from_digest(digest: [u8; 20], name: &[u8]) -> Result<Self, StoreError> {
        let mut base_name = Vec::with_capacity(Self::HASH_LEN + 1 + name.len());
        base32::encode_into(&digest, &mut base_name);
        base_name.push(b'-');
        base_name.extend_from_slice(name);
        Self::checked(&base_name, name)
    }

    fn checked(base_name: &[u8], name: &[u8]) -> Result<Self, StoreError> {
        let rule = match (broken_rule(name), str::from_utf8(base_name)) {
            (None, Ok(text)) => return Ok(Self(text.into())),
            (rule, _) => rule.unwrap_or_default(),
        };
        Err(StoreError::PathName { base_name: shown(base_name), rule })
    }

    /// `hash-name`.
    #[must_use]
    pub fn base_name(&self) -> &str {
        &self.0
    }

    /// The 32 characters of the hash.
    #[must_use]
    pub fn hash_part(&self) -> &str {
        self.0.get(..Self::HASH_LEN).unwrap_or_default()
    }

    /// What follows the hash and the dash.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.get(Self::HASH_LEN + 1..).unwrap_or_default()
    }

    /// Does the name end in `.drv`?
    #[must_use]
    pub fn is_derivation(&self) -> bool {
        self.name().ends_with(DRV_EXTENSION)
    }

    /// The name without `.drv`.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotADerivation`] if it does not end so.
    pub fn derivation_name(&self) -> Result<&str, StoreError> {
        self.name()
            .strip_suffix(DRV_EXTENSION)
            .ok_or_else(|| StoreError::NotADerivation(self.0.to_string()))
    }
}

impl PartialEq for StorePath {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl StdHash for StorePath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Eighty bits of a cryptographic hash tell paths apart well enough for a table.
        let mut words = self.0.as_bytes().chunks_exact(8);
        for word in words.by_ref().take(2) {
            state.write_u64(word.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)));
        }
    }
}

impl fmt::Display for StorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StorePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The folder that store paths lie in, `/nix/store` unless told otherwise. It is part of what
/// paths are computed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreDir(Arc<[u8]>);

impl Default for StoreDir {
    fn default() -> Self {
        Self(b"/nix/store".as_slice().into())
    }
}

impl StoreDir {
    /// The store at that folder.
    ///
    /// # Errors
    ///
    /// [`StoreError::StoreDir`] if `dir` is not absolute or not canonical.
    pub fn new(dir: &[u8]) -> Result<Self, StoreError> {
        if dir.len() < 2 || canonical(dir).as_deref() != Some(dir) {
            return Err(StoreError::StoreDir(shown(dir)));
        }
        Ok(Self(dir.into()))
    }

    /// The folder, without a slash at its end.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The absolute path of a store path.
    #[must_use]
    pub fn to_absolute(&self, path: &StorePath) -> Vec<u8> {
        let mut absolute = Vec::with_capacity(self.0.len() + 1 + path.base_name().len());
        self.push_absolute(path, &mut absolute);
        absolute
    }

    /// Appends the absolute path of a store path.
    pub fn push_absolute(&self, path: &StorePath, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
        out.push(b'/');
        out.extend_from_slice(path.base_name().as_bytes());
    }

    /// Reads an absolute path that is a store path itself, not something inside of one. As in Nix,
    /// `//`, `/./` and `/../` are resolved first, without a look at the file system.
    ///
    /// # Errors
    ///
    /// [`StoreError::EmptyPath`], [`StoreError::NotInStore`], or what
    /// [`StorePath::from_base_name`] gives.
    pub fn parse(&self, path: &[u8]) -> Result<StorePath, StoreError> {
        if path.is_empty() {
            return Err(StoreError::EmptyPath);
        }
        if let Ok(store_path) = self.parse_canonical(path) {
            return Ok(store_path);
        }
        let canonical = canonical(path).ok_or_else(|| StoreError::NotInStore(shown(path)))?;
        self.parse_canonical(&canonical)
    }

    /// Reads an absolute path that must be written exactly as [`StoreDir::to_absolute`] does.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotInStore`], or what [`StorePath::from_base_name`] gives.
    pub fn parse_canonical(&self, path: &[u8]) -> Result<StorePath, StoreError> {
        match self.inside(path) {
            Some(base_name) if !base_name.contains(&b'/') => StorePath::from_base_name(base_name),
            _ => Err(StoreError::NotInStore(shown(path))),
        }
    }

    /// Splits a path in the store into the store path and the rest, which is empty or begins with
    /// a slash: `/nix/store/hash-name/bin/sh` gives `hash-name` and `/bin/sh`.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotInStore`], or what [`StorePath::from_base_name`] gives.
    pub fn split<'a>(&self, path: &'a [u8]) -> Result<(StorePath, &'a [u8]), StoreError> {
        let inside = self.inside(path).ok_or_else(|| StoreError::NotInStore(shown(path)))?;
        let end = inside.iter().position(|byte| *byte == b'/').unwrap_or(inside.len());
        let (base_name, rest) = inside.split_at_checked(end).unwrap_or((inside, &[]));
        Ok((StorePath::from_base_name(base_name)?, rest))
    }

    /// What follows the store's folder and a slash, if the path lies in it.
    #[must_use]
    pub fn inside<'a>(&self, path: &'a [u8]) -> Option<&'a [u8]> {
        path.strip_prefix(&*self.0)?.strip_prefix(b"/").filter(|inside| !inside.is_empty())
    }
}

/// An absolute path with `//`, `/./` and `/../` resolved, and no slash at its end; `None` for a
/// relative one.
fn canonical(path: &[u8]) -> Option<Vec<u8>> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.strip_prefix(b"/")?.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => _ = parts.pop(),
            _ => parts.push(part),
        }
    }
    Some(parts.iter().flat_map(|part| [b"/".as_slice(), part]).collect::<Vec<_>>().concat())
}
