//! Hashes: algorithms, values, their printed forms, and computing them over a stream.
//!
//! Reading a hash from text is in `hash_text`. Nix manual, "nix hash convert".

use std::cmp::Ordering;
use std::fmt;
use std::io::{self, Write};

use data_encoding::{BASE64, HEXLOWER};
use md5::Md5;
use ring::digest::{Context, SHA256, digest};
use sha1::Sha1;
use sha2::{Digest, Sha512};

use super::base32;
use super::error::{StoreError, shown};

/// The longest digest's length in bytes.
const MAX_SIZE: usize = 64;

/// A SHA-256 digest, where no other algorithm is possible.
pub type Sha256Digest = [u8; 32];

/// The algorithms that Nix has. BLAKE3 is experimental there (`blake3-hashes`); whether it is
/// allowed is the caller's to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashAlgo {
    /// MD5, 16 bytes.
    Md5,
    /// SHA-1, 20 bytes.
    Sha1,
    /// SHA-256, 32 bytes.
    Sha256,
    /// SHA-512, 64 bytes.
    Sha512,
    /// BLAKE3, 32 bytes.
    Blake3,
}

impl HashAlgo {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Md5, Self::Sha1, Self::Sha256, Self::Sha512, Self::Blake3];

    /// The name as it stands before a hash.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
            Self::Blake3 => "blake3",
        }
    }

    /// The digest's length in bytes.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 | Self::Blake3 => 32,
            Self::Sha512 => MAX_SIZE,
        }
    }

    /// The algorithm of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|algo| algo.name().as_bytes() == name)
    }

    /// The algorithm of that name.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownHashAlgo`].
    pub fn parse(name: &[u8]) -> Result<Self, StoreError> {
        Self::from_name(name).ok_or_else(|| StoreError::UnknownHashAlgo(shown(name)))
    }
}

impl fmt::Display for HashAlgo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a hash is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashFormat {
    /// Hexadecimal, lower case.
    Base16,
    /// Nix' own base 32.
    Nix32,
    /// Base 64 with padding.
    Base64,
    /// `algo-base64`, always with the algorithm.
    Sri,
}

impl HashFormat {
    /// The format of that name; `base32` is Nix' deprecated name for `nix32`.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownHashFormat`].
    pub fn parse(name: &[u8]) -> Result<Self, StoreError> {
        match name {
            b"base16" => Ok(Self::Base16),
            b"nix32" | b"base32" => Ok(Self::Nix32),
            b"base64" => Ok(Self::Base64),
            b"sri" => Ok(Self::Sri),
            _ => Err(StoreError::UnknownHashFormat(shown(name))),
        }
    }
}

/// A hash: an algorithm and a digest of its length.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash {
    algo: HashAlgo,
    /// The digest, then zeros.
    bytes: [u8; MAX_SIZE],
}

impl Hash {
    /// The hash with this digest; `None` if the length is not the algorithm's.
    #[must_use]
    pub fn from_digest(algo: HashAlgo, digest: &[u8]) -> Option<Self> {
        let mut hash = Self::zero(algo);
        if digest.len() != algo.size() {
            return None;
        }
        hash.bytes.get_mut(..digest.len())?.copy_from_slice(digest);
        Some(hash)
    }

    /// The hash of zeros, which Nix takes for an empty text (`outputHash = ""`).
    #[must_use]
    pub const fn zero(algo: HashAlgo) -> Self {
        Self { algo, bytes: [0; MAX_SIZE] }
    }

    /// The hash of some bytes.
    #[must_use]
    pub fn of(algo: HashAlgo, bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new(algo);
        hasher.update(bytes);
        hasher.finish()
    }

    /// The algorithm.
    #[must_use]
    pub const fn algo(&self) -> HashAlgo {
        self.algo
    }

    /// The digest.
    #[must_use]
    pub fn digest(&self) -> &[u8] {
        self.bytes.get(..self.algo.size()).unwrap_or_default()
    }

    /// The hash as text; `with_algo` puts `algo:` in front, SRI has `algo-` in any case.
    #[must_use]
    pub fn to_text(&self, format: HashFormat, with_algo: bool) -> String {
        let digest = match format {
            HashFormat::Base16 => HEXLOWER.encode(self.digest()),
            HashFormat::Nix32 => base32::encode(self.digest()),
            HashFormat::Base64 | HashFormat::Sri => BASE64.encode(self.digest()),
        };
        match format {
            HashFormat::Sri => format!("{}-{digest}", self.algo),
            _ if with_algo => format!("{}:{digest}", self.algo),
            _ => digest,
        }
    }
}

/// As C++ Nix orders hashes: by length, then digest, then algorithm.
impl Ord for Hash {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |hash: &Self| (hash.algo.size(), hash.bytes, hash.algo);
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Hash {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<Sha256Digest> for Hash {
    fn from(digest: Sha256Digest) -> Self {
        let mut hash = Self::zero(HashAlgo::Sha256);
        for (to, from) in hash.bytes.iter_mut().zip(digest) {
            *to = from;
        }
        hash
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text(HashFormat::Sri, true))
    }
}

/// The SHA-256 of some bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Sha256Digest {
    digest_of(digest(&SHA256, bytes))
}

fn digest_of(digest: ring::digest::Digest) -> Sha256Digest {
    let mut bytes = Sha256Digest::default();
    for (to, from) in bytes.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    bytes
}

/// SHA-256 of a text in pieces. Of the libraries that were tried, this one's is the quickest by far where the
/// processor has no instructions for it.
#[derive(Clone)]
pub(crate) struct Sha256(Context);

impl Sha256 {
    /// Has seen nothing.
    pub(crate) fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    /// Takes in more bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// With more bytes taken in.
    pub(crate) fn and(mut self, bytes: &[u8]) -> Self {
        self.update(bytes);
        self
    }

    /// The digest of all that was taken in.
    pub(crate) fn finish(self) -> Sha256Digest {
        digest_of(self.0.finish())
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sha256").finish_non_exhaustive()
    }
}

/// Folds a digest to 20 bytes by xor, as store paths do (Nix manual, "Store Path", "Digest").
#[must_use]
pub fn compress(digest: &[u8]) -> [u8; 20] {
    let mut folded = [0; 20];
    for chunk in digest.chunks(folded.len()) {
        for (to, from) in folded.iter_mut().zip(chunk) {
            *to ^= from;
        }
    }
    folded
}

/// Appends bytes in lower-case hexadecimal.
pub(super) fn push_hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// Computes a hash over what is written to it.
#[derive(Debug, Clone)]
pub struct Hasher {
    state: State,
    written: u64,
}

#[derive(Debug, Clone)]
enum State {
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
    Sha512(Sha512),
    Blake3(Box<blake3::Hasher>),
}

impl Hasher {
    /// A hasher that has seen nothing.
    #[must_use]
    pub fn new(algo: HashAlgo) -> Self {
        let state = match algo {
            HashAlgo::Md5 => State::Md5(Md5::new()),
            HashAlgo::Sha1 => State::Sha1(Sha1::new()),
            HashAlgo::Sha256 => State::Sha256(Sha256::new()),
            HashAlgo::Sha512 => State::Sha512(Sha512::new()),
            HashAlgo::Blake3 => State::Blake3(Box::default()),
        };
        Self { state, written: 0 }
    }

    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.written += bytes.len() as u64;
        match &mut self.state {
            State::Md5(state) => state.update(bytes),
            State::Sha1(state) => state.update(bytes),
            State::Sha256(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
            State::Blake3(state) => _ = state.update(bytes),
        }
    }

    /// How many bytes it has taken in.
    #[must_use]
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// The hash of all that was taken in.
    #[must_use]
    pub fn finish(self) -> Hash {
        fn hash(algo: HashAlgo, digest: &[u8]) -> Hash {
            Hash::from_digest(algo, digest).unwrap_or(Hash::zero(algo))
        }
        match self.state {
            State::Md5(state) => hash(HashAlgo::Md5, &state.finalize()),
            State::Sha1(state) => hash(HashAlgo::Sha1, &state.finalize()),
            State::Sha256(state) => state.finish().into(),
            State::Sha512(state) => hash(HashAlgo::Sha512, &state.finalize()),
            State::Blake3(state) => hash(HashAlgo::Blake3, state.finalize().as_bytes()),
        }
    }
}

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
