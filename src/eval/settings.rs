//! What an evaluation is told by its caller.

/// An evaluation with so many bytes of sources is a large one: a system has three times as many.
const LARGE: usize = 4 << 20;

/// One entry of the search path of `<name>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPath {
    /// The `name` of `name=path`; empty for a plain `path`, below which every name is looked for.
    pub prefix: Vec<u8>,
    /// A path or a URL, as it was given.
    pub path: Vec<u8>,
}

/// Experimental features that change what a program means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a feature of its own")]
pub struct ExperimentalFeatures {
    /// `pipe-operators`
    pub pipe_operators: bool,
    /// `ca-derivations`
    pub ca_derivations: bool,
    /// `impure-derivations`
    pub impure_derivations: bool,
    /// `dynamic-derivations`
    pub dynamic_derivations: bool,
    /// `fetch-tree`, which `flakes` brings along.
    pub fetch_tree: bool,
    /// `flakes`
    pub flakes: bool,
    /// `fetch-closure`
    pub fetch_closure: bool,
    /// `parse-toml-timestamps`
    pub parse_toml_timestamps: bool,
    /// `blake3-hashes`
    pub blake3_hashes: bool,
}

/// What is done about a source that is allowed and discouraged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lint {
    /// `ignore`: nothing.
    #[default]
    Ignore,
    /// `warn`: a warning is printed.
    Warn,
    /// `fatal`: it is an error.
    Fatal,
}

/// What is done about each of the ways of writing that are discouraged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lints {
    /// `lint-url-literals`
    pub url_literals: Lint,
    /// `lint-short-path-literals`
    pub short_path_literals: Lint,
    /// `lint-absolute-path-literals`, which counts for paths below the home directory as well.
    pub absolute_path_literals: Lint,
}

/// Settings of an evaluation, named as in nix.conf(5).
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "nix.conf(5) has as many")]
pub struct Settings {
    /// `pure-eval`: nothing but locked inputs is seen.
    pub pure: bool,
    /// `restrict-eval` is not offered; `allowed_paths` are what pure evaluation may read.
    pub allowed_paths: Vec<Vec<u8>>,
    /// The entries of `-I` and `NIX_PATH`, in that order.
    pub search_path: Vec<SearchPath>,
    /// Where relative entries of the search path start.
    pub working_dir: Vec<u8>,
    /// `max-call-depth`
    pub max_call_depth: usize,
    /// How many bytes all values may take; nix.conf(5) has no such thing.
    pub max_memory: usize,
    /// May package sets that are made from the same arguments become one? No value differs by it, but functions of
    /// the two are equal then.
    pub share_sets: bool,
    /// After how many bytes of sources, or once a file was read that lists many others, further files are read and
    /// parsed before they are imported, where there is a processor for that; never if `None`. No value differs by it, but it takes memory that a small evaluation does not
    /// regain in time.
    pub parse_ahead: Option<usize>,
    /// `eval-system` or `system`: what `builtins.currentSystem` says. [`super::io::RealIo::system`] tells
    /// what this machine is.
    pub current_system: Vec<u8>,
    /// Where `~` is, if anywhere.
    pub home: Option<Vec<u8>>,
    /// `store`'s folder.
    pub store_dir: Vec<u8>,
    /// `trace-verbose`
    pub trace_verbose: bool,
    /// `abort-on-warn`
    pub abort_on_warn: bool,
    /// The settings `lint-…`.
    pub lints: Lints,
    /// `allow-import-from-derivation`
    pub allow_import_from_derivation: bool,
    /// `experimental-features`
    pub features: ExperimentalFeatures,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pure: false,
            allowed_paths: Vec::new(),
            search_path: Vec::new(),
            working_dir: b"/".to_vec(),
            max_call_depth: 10_000,
            max_memory: usize::MAX / 4,
            share_sets: false,
            parse_ahead: Some(LARGE),
            current_system: b"x86_64-linux".to_vec(),
            home: None,
            store_dir: b"/nix/store".to_vec(),
            trace_verbose: false,
            abort_on_warn: false,
            lints: Lints::default(),
            allow_import_from_derivation: true,
            features: ExperimentalFeatures::default(),
        }
    }
}
