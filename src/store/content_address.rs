//! Store paths computed from what they hold: texts, sources, fixed outputs; and the paths of
//! input-addressed outputs.
//!
//! Nix manual, "Complete Store Path Calculation" and "Content-Addressing Store Objects".

use std::collections::BTreeSet;

use super::error::{StoreError, shown};
use super::hash::{Hash, HashAlgo, HashFormat, Sha256, Sha256Digest, compress, push_hex, sha256};
use super::path::{StoreDir, StorePath};

/// What of a store object is hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CaMethod {
    /// The bytes of a file.
    Flat,
    /// The archive (NAR) of a tree; `recursive` is its old name.
    Nar,
    /// The tree as Git hashes it; experimental in Nix (`git-hashing`).
    Git,
    /// The bytes of a file that may refer to store paths; for derivations and `toFile`, elsewhere
    /// experimental in Nix (`dynamic-derivations`).
    Text,
}

impl CaMethod {
    /// The method of that name: `flat`, `nar`, `git` or `text`.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownMethod`].
    pub fn parse(name: &[u8]) -> Result<Self, StoreError> {
        match name {
            b"flat" => Ok(Self::Flat),
            b"nar" => Ok(Self::Nar),
            b"git" => Ok(Self::Git),
            b"text" => Ok(Self::Text),
            _ => Err(StoreError::UnknownMethod(shown(name))),
        }
    }

    /// What stands before the algorithm in derivations: nothing, `r:`, `git:` or `text:`.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Flat => "",
            Self::Nar => "r:",
            Self::Git => "git:",
            Self::Text => "text:",
        }
    }

    /// The method whose prefix a text has, and the rest.
    #[must_use]
    pub fn strip_prefix(text: &[u8]) -> (Self, &[u8]) {
        [Self::Nar, Self::Git, Self::Text]
            .into_iter()
            .find_map(|method| Some((method, text.strip_prefix(method.prefix().as_bytes())?)))
            .unwrap_or((Self::Flat, text))
    }
}

/// What a store object must hash to, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentAddress {
    /// What is hashed.
    pub method: CaMethod,
    /// Its hash.
    pub hash: Hash,
}

impl ContentAddress {
    /// As the store registers it: `text:sha256:…`, `fixed:r:sha256:…`, with the hash in base 32.
    #[must_use]
    pub fn to_text(&self) -> String {
        let kind = match self.method {
            CaMethod::Text => "",
            CaMethod::Flat | CaMethod::Nar | CaMethod::Git => "fixed:",
        };
        format!("{kind}{}{}", self.method.prefix(), self.hash.to_text(HashFormat::Nix32, true))
    }
}

/// The store paths that a store object refers to.
#[derive(Debug, Clone, Copy)]
pub struct References<'a> {
    /// Other paths.
    pub others: &'a BTreeSet<StorePath>,
    /// Does it refer to itself?
    pub to_itself: bool,
}

impl References<'static> {
    /// None at all.
    pub const NONE: Self = Self { others: &BTreeSet::new(), to_itself: false };
}

impl StoreDir {
    /// The path whose fingerprint is `kind:hash:store folder:name`: what all others rest on.
    ///
    /// # Errors
    ///
    /// [`StoreError::PathName`] if the name breaks a rule; so in all functions here.
    pub fn make_store_path(
        &self,
        kind: &[u8],
        hash: &Hash,
        name: &[u8],
    ) -> Result<StorePath, StoreError> {
        let mut fingerprint = Fingerprint::new(self, kind);
        fingerprint.hash(hash);
        fingerprint.finish(name)
    }

    /// The path of a text (a `toFile` file or a derivation) with that SHA-256, whose references
    /// must come in order and once each.
    ///
    /// # Errors
    ///
    /// [`StoreError::PathName`].
    pub fn text_path<'a>(
        &self,
        name: &[u8],
        digest: Sha256Digest,
        references: impl IntoIterator<Item = &'a StorePath>,
    ) -> Result<StorePath, StoreError> {
        let mut fingerprint = Fingerprint::new(self, b"text");
        fingerprint.references(references);
        fingerprint.sha256(digest);
        fingerprint.finish(name)
    }

    /// The path of a source tree whose archive has that SHA-256: `builtins.path`, a flake's input.
    ///
    /// # Errors
    ///
    /// [`StoreError::PathName`].
    pub fn source_path(
        &self,
        name: &[u8],
        nar: Sha256Digest,
        references: References<'_>,
    ) -> Result<StorePath, StoreError> {
        let mut fingerprint = Fingerprint::new(self, b"source");
        fingerprint.references(references.others);
        if references.to_itself {
            fingerprint.bytes(b":self");
        }
        fingerprint.sha256(nar);
        fingerprint.finish(name)
    }

    /// The path of a store object with that content address.
    ///
    /// # Errors
    ///
    /// [`StoreError::PathName`]; [`StoreError::FixedOutputReferences`] for references that this
    /// kind cannot have; [`StoreError::GitHashAlgo`], [`StoreError::TextHashAlgo`],
    /// [`StoreError::TextSelfReference`].
    pub fn ca_path(
        &self,
        name: &[u8],
        address: &ContentAddress,
        references: References<'_>,
    ) -> Result<StorePath, StoreError> {
        let ContentAddress { method, hash } = address;
        let digest = Sha256Digest::try_from(hash.digest()).ok();
        let digest = digest.filter(|_| hash.algo() == HashAlgo::Sha256);
        match (method, digest) {
            (CaMethod::Text, None) => Err(StoreError::TextHashAlgo(hash.algo().name())),
            (CaMethod::Text, _) if references.to_itself => Err(StoreError::TextSelfReference),
            (CaMethod::Text, Some(digest)) => self.text_path(name, digest, references.others),
            (CaMethod::Nar, Some(digest)) => self.source_path(name, digest, references),
            (CaMethod::Git, None) if hash.algo() != HashAlgo::Sha1 => {
                Err(StoreError::GitHashAlgo(hash.algo().name()))
            }
            _ if references.to_itself || !references.others.is_empty() => {
                Err(StoreError::FixedOutputReferences(shown(name)))
            }
            _ => {
                let mut inner = fixed_out(address);
                inner.push(b':');
                self.output_path(b"out", sha256(&inner), name)
            }
        }
    }

    /// The path of an output of the derivation with that name (without `.drv`) and hash.
    ///
    /// # Errors
    ///
    /// [`StoreError::PathName`].
    pub fn output_path(
        &self,
        output: &[u8],
        derivation: Sha256Digest,
        derivation_name: &[u8],
    ) -> Result<StorePath, StoreError> {
        let mut fingerprint = Fingerprint::new(self, b"output:");
        fingerprint.bytes(output);
        fingerprint.sha256(derivation);
        fingerprint.finish(&output_path_name(derivation_name, output))
    }
}

/// The name of an output's path: `name` for `out`, else `name-output`.
#[must_use]
pub fn output_path_name(derivation_name: &[u8], output: &[u8]) -> Vec<u8> {
    let (dash, output): (&[u8], _) = if output == b"out" { (b"", &[][..]) } else { (b"-", output) };
    [derivation_name, dash, output].concat()
}

/// `fixed:out:<method><algo>:<base16>`, the start of what fixed outputs are hashed from.
pub(super) fn fixed_out(address: &ContentAddress) -> Vec<u8> {
    let ContentAddress { method, hash } = address;
    let mut text = Vec::with_capacity(160);
    for part in ["fixed:out:", method.prefix(), hash.algo().name(), ":"] {
        text.extend_from_slice(part.as_bytes());
    }
    push_hex(hash.digest(), &mut text);
    text
}

/// The text that a store path's digest is the hash of, hashed as it is put together.
struct Fingerprint<'a> {
    store: &'a StoreDir,
    hasher: Sha256,
}

impl<'a> Fingerprint<'a> {
    fn new(store: &'a StoreDir, kind: &[u8]) -> Self {
        Self { store, hasher: Sha256::new().and(kind) }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    fn references<'b>(&mut self, references: impl IntoIterator<Item = &'b StorePath>) {
        let mut text = Vec::new();
        for reference in references {
            text.push(b':');
            self.store.push_absolute(reference, &mut text);
        }
        self.bytes(&text);
    }

    fn hash(&mut self, hash: &Hash) {
        let mut text = vec![b':'];
        text.extend_from_slice(hash.algo().name().as_bytes());
        text.push(b':');
        push_hex(hash.digest(), &mut text);
        self.bytes(&text);
    }

    fn sha256(&mut self, digest: Sha256Digest) {
        self.hash(&digest.into());
    }

    fn finish(mut self, name: &[u8]) -> Result<StorePath, StoreError> {
        for part in [b":", self.store.as_bytes(), b":", name] {
            self.hasher.update(part);
        }
        StorePath::from_digest(compress(&self.hasher.finish()), name)
    }
}
