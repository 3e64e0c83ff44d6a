//! What can be wrong with hashes, store paths, archives and derivations: one error type for the
//! room, in C++ Nix 2.34's words wherever it has some.

use std::io;

/// Why a text is no hash, no store path, no archive or no derivation.
///
/// Bytes that are no UTF-8 are shown with replacement characters.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A hash algorithm that Nix doesn't have.
    #[error("unknown hash algorithm '{0}', expect 'blake3', 'md5', 'sha1', 'sha256', or 'sha512'")]
    UnknownHashAlgo(String),
    /// A name of a hash format that Nix doesn't have.
    #[error("unknown hash format '{0}', expect 'base16', 'base32', 'base64', or 'sri'")]
    UnknownHashFormat(String),
    /// A hash without `algo:` where no other place says the algorithm.
    #[error("hash '{0}' does not include a type, nor is the type otherwise known from context")]
    HashWithoutAlgo(String),
    /// A hash without `algo:` where it must have one.
    #[error("hash '{0}' does not include a type")]
    HashNotPrefixed(String),
    /// A hash that is not `algo-base64`, where nothing else is allowed.
    #[error("hash '{0}' is not SRI")]
    HashNotSri(String),
    /// A hash of another algorithm than the expected one.
    #[error("hash '{hash}' should have type '{expected}'")]
    HashAlgoMismatch {
        /// The hash as it was written.
        hash: String,
        /// The name of the algorithm that was expected.
        expected: &'static str,
    },
    /// A text as long as no encoding of such a hash.
    #[error("hash '{hash}' has wrong length for hash algorithm '{algo}'")]
    HashLength {
        /// The hash as it was written, without its prefix.
        hash: String,
        /// The algorithm's name.
        algo: &'static str,
    },
    /// A text that decodes to too many or too few bytes (none, if it has a foreign character).
    #[error(
        "invalid {encoding} hash '{hash}', length {length} != expected length {expected}",
        expected = .algo_size
    )]
    HashDecoding {
        /// The encoding, as Nix names it here.
        encoding: &'static str,
        /// The hash as it was written, without its prefix.
        hash: String,
        /// How many bytes the text decodes to.
        length: usize,
        /// How many it should.
        algo_size: usize,
    },
    /// A character outside of nixbase32's alphabet.
    #[error("invalid character in Nix32 (Nix's Base32 variation) string: '{}'", char::from(*.0))]
    Base32Character(u8),

    /// A name that no store path can have: the rule that it breaks.
    #[error("{0}")]
    Name(String),
    /// A store path whose name part breaks a rule.
    #[error("path '{base_name}' is not a valid store path: {rule}")]
    PathName {
        /// The base name of the path.
        base_name: String,
        /// The rule that it breaks.
        rule: String,
    },
    /// A base name with less than 33 characters.
    #[error("'{0}' is too short to be a valid store path")]
    PathTooShort(String),
    /// A base name whose 33rd character is no dash.
    #[error("'{0}' can't name a store path because the hash part is not followed by a '-'")]
    PathWithoutDash(String),
    /// A base name whose hash part has a foreign character.
    #[error("store path '{base_name}' contains illegal base-32 character '{character}'")]
    PathCharacter {
        /// The base name.
        base_name: String,
        /// The character.
        character: char,
    },
    /// The empty path.
    #[error("empty path is not a valid store path")]
    EmptyPath,
    /// A path outside of the store.
    #[error("path '{0}' is not in the Nix store")]
    NotInStore(String),
    /// A store path whose name does not end in `.drv`.
    #[error("store path '{0}' is not a valid derivation path")]
    NotADerivation(String),
    /// A folder that cannot be the store: it is relative or not written canonically.
    #[error("store folder '{0}' is not a canonical absolute path")]
    StoreDir(String),

    /// References where only a recursive SHA-256 can have them.
    #[error(
        "fixed output derivation '{0}' is not allowed to refer to other store paths.\nYou may need to use the 'unsafeDiscardReferences' derivation attribute, see the manual for more details."
    )]
    FixedOutputReferences(String),
    /// A Git tree hash in an algorithm that Git doesn't have.
    #[error("Git file ingestion must use SHA-1 or SHA-256 hash, but instead using: {0}")]
    GitHashAlgo(&'static str),
    /// A text's hash in another algorithm than the only one that Nix has for it.
    #[error("text hashing must use SHA-256, but instead using: {0}")]
    TextHashAlgo(&'static str),
    /// A text that refers to itself.
    #[error("self-reference not allowed with text hashing")]
    TextSelfReference,
    /// A way of hashing files that Nix doesn't have.
    #[error("Unknown file ingestion method '{0}', expect `flat`, `nar`, or `git`")]
    UnknownMethod(String),

    /// Outputs that cannot be together in a derivation: the rule that is broken.
    #[error("{0}")]
    Outputs(&'static str),
    /// A derivation that is not written as one.
    #[error("{problem}, at byte {at}")]
    Aterm {
        /// Offset in the text.
        at: usize,
        /// What was expected there.
        problem: String,
    },
    /// The variable `__json` beside, or instead of, structured attributes.
    #[error(
        "Cannot have an environment variable named '__json'. This key is reserved for encoding structured attrs"
    )]
    JsonVariable,
    /// An input-addressed output with another path than the derivation gives it.
    #[error("derivation has incorrect output '{found}', should be '{expected}'")]
    OutputPath {
        /// The path that the derivation states.
        found: String,
        /// The path that it should state.
        expected: String,
    },
    /// An output with a path, although an input's paths are not known yet.
    #[error("derivation has incorrect output '{0}', should be deferred")]
    OutputNotDeferred(String),
    /// An output's variable with something else than the output's path.
    #[error(
        "derivation has incorrect environment variable '{name}', should be '{expected}' but is actually '{found}'"
    )]
    OutputVariable {
        /// The output.
        name: String,
        /// Its path.
        expected: String,
        /// The variable's value.
        found: String,
    },
    /// An input's output that the input doesn't have.
    #[error("no hash for output '{output}' of derivation '{derivation}'")]
    NoSuchOutput {
        /// The output.
        output: String,
        /// The name of the derivation that wants it.
        derivation: String,
    },
    /// A derivation that needs itself.
    #[error("derivation '{0}' depends on itself")]
    Cycle(String),
    /// A derivation that could not be read from the store, or is not written as one.
    #[error("error parsing derivation '{path}': {source}")]
    InputDerivation {
        /// Its path.
        path: String,
        /// Why not.
        source: Box<StoreError>,
    },

    /// An archive that breaks the format: the rule that it breaks.
    #[error("bad archive: {0}")]
    Archive(String),
    /// A word, name or link target in an archive that is longer than it may be.
    #[error("string is too long")]
    ArchiveString,
    /// Something else than zeros between the parts of an archive.
    #[error("non-zero padding")]
    ArchivePadding,
    /// The end of the input within an archive.
    #[error("unexpected end-of-file")]
    ArchiveEnd,
    /// Folders that lie deeper in each other than an archive may hold.
    #[error("path '{path}' exceeds maximum NAR directory depth of {most}")]
    ArchiveDepth {
        /// The node, from the archive's root on.
        path: String,
        /// How many folders may be around a node.
        most: usize,
    },
    /// A file that gave less bytes than its size says.
    #[error("file has not the {0} bytes that its size says")]
    FileSize(u64),
    /// Two entries of a folder with the same name, or a name that no file can have.
    #[error("file name '{0}' is invalid or there twice")]
    FileName(String),
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Bytes as a message shows them.
pub(super) fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
