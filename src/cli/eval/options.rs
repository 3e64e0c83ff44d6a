//! The flags that become settings of the evaluation, and the part of the environment that does.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::cli::error::CliError;
use crate::eval::io::RealIo;
use crate::eval::settings::{Lint, SearchPath, Settings};
use crate::ui::terminal::say;

/// Flags as in nix-instantiate(1) and nix.conf(5).
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Evaluation")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct Options {
    /// Pass the expression as this argument to functions (repeatable)
    #[arg(long, value_names = ["NAME", "EXPR"], num_args = 2, allow_hyphen_values = true)]
    arg: Vec<OsString>,
    /// Pass the string as this argument to functions (repeatable)
    #[arg(long, value_names = ["NAME", "STRING"], num_args = 2, allow_hyphen_values = true)]
    argstr: Vec<OsString>,
    /// Look <NAME> up here: a folder, or NAME=PATH (repeatable)
    #[arg(long, short = 'I', value_name = "PATH")]
    include: Vec<OsString>,
    /// Take the flake REF for this input, a/b for an input of an input (repeatable)
    #[arg(long, value_names = ["INPUT", "REF"], num_args = 2)]
    override_input: Vec<OsString>,
    /// Leave flake.lock as it is, which is always done
    #[arg(long)]
    no_write_lock_file: bool,
    /// See nothing but what the expression pins, which is the default for flakes
    #[arg(long, alias = "pure-eval", overrides_with = "impure")]
    pure: bool,
    /// See files, the environment and the time, which is the default for all else
    #[arg(long, overrides_with = "pure")]
    impure: bool,
    /// How deeply calls may be nested
    #[arg(long, value_name = "N")]
    max_call_depth: Option<usize>,
    /// Turn on these experimental features of Nix (repeatable)
    #[arg(long, value_name = "FEATURES")]
    extra_experimental_features: Vec<String>,
    /// Build what the evaluation wants to read of derivations, which is the default
    #[arg(long, overrides_with = "no_allow_import_from_derivation", hide_short_help = true)]
    allow_import_from_derivation: bool,
    /// Build nothing during the evaluation
    #[arg(long, overrides_with = "allow_import_from_derivation")]
    no_allow_import_from_derivation: bool,
    /// Set a setting of nix.conf(5) that evaluation knows (repeatable)
    #[arg(long, value_names = ["NAME", "VALUE"], num_args = 2, allow_hyphen_values = true)]
    option: Vec<String>,
    /// What is done about URLs without quotes: ignore, warn or fatal
    #[arg(long, value_name = "LINT", hide_short_help = true)]
    lint_url_literals: Option<String>,
    /// What is done about paths such as a/b, without a dot: ignore, warn or fatal
    #[arg(long, value_name = "LINT", hide_short_help = true)]
    lint_short_path_literals: Option<String>,
    /// What is done about paths such as /a and ~/a: ignore, warn or fatal
    #[arg(long, value_name = "LINT", hide_short_help = true)]
    lint_absolute_path_literals: Option<String>,
    /// Show all steps on the way to an error
    #[arg(long, overrides_with = "no_show_trace")]
    show_trace: bool,
    /// Show the most important steps on the way to an error, which is the default
    #[arg(long, overrides_with = "show_trace")]
    no_show_trace: bool,
    /// Print what builtins.traceVerbose says
    #[arg(long)]
    trace_verbose: bool,
}

/// What the flags and the environment say.
pub(super) struct Chosen {
    pub(super) settings: Settings,
    pub(super) show_trace: bool,
    /// Was impure evaluation asked for?
    pub(super) impure: bool,
    /// Names and what they are bound to.
    pub(super) arguments: Vec<(Vec<u8>, Argument)>,
    /// Inputs of flakes, and what stands for them.
    pub(super) override_inputs: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What `--arg` or `--argstr` gave.
pub(super) enum Argument {
    Expression(Vec<u8>),
    String(Vec<u8>),
}

impl Options {
    /// No flag but `--pure`.
    pub(super) fn pure() -> Self {
        Self { pure: true, ..Self::default() }
    }

    /// Are there arguments for functions?
    pub(super) fn has_arguments(&self) -> bool {
        !self.arg.is_empty() || !self.argstr.is_empty()
    }

    /// Checks the flags. Settings that are not known are warned of, as Nix does.
    pub(super) fn choose(self) -> Result<Chosen, CliError> {
        let cannot = |error| CliError::failed(format!("could not see the current folder: {error}"));
        let mut chosen = Chosen {
            settings: Settings {
                pure: self.pure,
                working_dir: RealIo::current_dir().map_err(cannot)?,
                current_system: RealIo::system(),
                home: std::env::home_dir().map(|home| home.into_os_string().into_vec()),
                trace_verbose: self.trace_verbose,
                store_dir: store_dir(),
                abort_on_warn: matches!(
                    std::env::var("NIX_ABORT_ON_WARN").as_deref(),
                    Ok("1" | "yes" | "true")
                ),
                max_memory: most_memory(),
                ..Settings::default()
            },
            show_trace: self.show_trace,
            impure: self.impure,
            arguments: arguments(self.arg, self.argstr),
            override_inputs: pairs(self.override_input),
        };
        for (name, value) in super::nix_conf::settings() {
            set(&mut chosen, &name, &value);
        }
        if let Some(entries) = std::env::var_os("NIX_PATH") {
            let entries = split(entries.as_bytes()).into_iter();
            chosen.settings.search_path = entries.map(search_path).collect();
        } else if chosen.settings.search_path.is_empty() {
            chosen.settings.search_path = channels(&chosen.settings);
        }
        for pair in self.option.chunks_exact(2) {
            if !set(&mut chosen, &pair[0], &pair[1]) {
                warn(&format!("unknown setting '{}'", pair[0]));
            }
        }
        let lints = [
            ("lint-url-literals", &self.lint_url_literals),
            ("lint-short-path-literals", &self.lint_short_path_literals),
            ("lint-absolute-path-literals", &self.lint_absolute_path_literals),
        ];
        for (name, value) in lints {
            if let Some(value) = value {
                set(&mut chosen, name, value);
            }
        }
        for features in &self.extra_experimental_features {
            turn_on(&mut chosen.settings, features);
        }
        let settings = &mut chosen.settings;
        if self.allow_import_from_derivation || self.no_allow_import_from_derivation {
            settings.allow_import_from_derivation = self.allow_import_from_derivation;
        }
        if let Some(depth) = self.max_call_depth {
            settings.max_call_depth = depth;
        }
        if settings.pure {
            settings.search_path.clear();
        } else {
            let given = self.include.iter().map(|entry| search_path(entry.as_bytes()));
            settings.search_path = given.chain(settings.search_path.clone()).collect();
        }
        Ok(chosen)
    }
}

/// Where the store is (nix(1), environment).
fn store_dir() -> Vec<u8> {
    let set = ["NIX_STORE_DIR", "NIX_STORE"].iter().find_map(std::env::var_os);
    set.map_or_else(|| Settings::default().store_dir, OsStringExt::into_vec)
}

impl Chosen {
    /// Evaluates purely unless that was not wanted, as flakes are.
    pub(super) fn for_flakes(&mut self) {
        self.settings.features.flakes = true;
        self.settings.features.fetch_tree = true;
        if !self.impure {
            self.settings.pure = true;
            self.settings.search_path.clear();
        }
    }
}

/// Words two by two.
fn pairs(words: Vec<OsString>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut words = words.into_iter().map(OsStringExt::into_vec);
    std::iter::from_fn(|| Some((words.next()?, words.next()?))).collect()
}

/// `--argstr` wins over `--arg` of the same name.
fn arguments(expressions: Vec<OsString>, strings: Vec<OsString>) -> Vec<(Vec<u8>, Argument)> {
    // Of equal names the last counts, and the evaluator takes the first.
    let named = |words, make: fn(Vec<u8>) -> Argument| {
        pairs(words).into_iter().rev().map(move |(name, value)| (name, make(value)))
    };
    named(strings, Argument::String).chain(named(expressions, Argument::Expression)).collect()
}

/// Sets a setting of nix.conf(5). Is it one that evaluation knows?
fn set(chosen: &mut Chosen, name: &str, value: &str) -> bool {
    let settings = &mut chosen.settings;
    let flag = match name {
        "pure-eval" => Some(&mut settings.pure),
        "trace-verbose" => Some(&mut settings.trace_verbose),
        "abort-on-warn" => Some(&mut settings.abort_on_warn),
        "allow-import-from-derivation" => Some(&mut settings.allow_import_from_derivation),
        "show-trace" => Some(&mut chosen.show_trace),
        _ => None,
    };
    if let Some(flag) = flag {
        match value {
            "true" | "yes" | "1" => *flag = true,
            "false" | "no" | "0" => *flag = false,
            _ => warn(&format!("Boolean setting '{name}' has invalid value '{value}'")),
        }
        return true;
    }
    match name {
        "max-call-depth" => match value.parse() {
            Ok(depth) => settings.max_call_depth = depth,
            Err(_) => warn(&format!("setting '{name}' has invalid value '{value}'")),
        },
        "lint-url-literals" => lint(name, value, &mut settings.lints.url_literals),
        "lint-short-path-literals" => lint(name, value, &mut settings.lints.short_path_literals),
        "lint-absolute-path-literals" => {
            lint(name, value, &mut settings.lints.absolute_path_literals);
        }
        "system" | "eval-system" if !value.is_empty() => {
            settings.current_system = value.as_bytes().to_vec();
        }
        "eval-system" => {}
        "nix-path" => {
            let entries = value.split_ascii_whitespace();
            settings.search_path = entries.map(|entry| search_path(entry.as_bytes())).collect();
        }
        "experimental-features" => {
            settings.features = crate::eval::settings::ExperimentalFeatures::default();
            turn_on(settings, value);
        }
        "extra-experimental-features" => turn_on(settings, value),
        _ => return false,
    }
    true
}

/// Experimental features of Nix 2.34 that change nothing for an evaluation.
const WITHOUT_MEANING: &[&str] = &[
    "auto-allocate-uids",
    "build-time-fetch-tree",
    "cgroups",
    "configurable-impure-env",
    "daemon-trust-override",
    "external-builders",
    "git-hashing",
    "local-overlay-store",
    "mounted-ssh-store",
    "nix-command",
    "no-url-literals",
    "read-only-local-store",
    "recursive-nix",
    "verified-fetches",
];

fn turn_on(settings: &mut Settings, features: &str) {
    let known = &mut settings.features;
    for name in features.split_ascii_whitespace() {
        match name {
            "pipe-operators" => known.pipe_operators = true,
            "ca-derivations" => known.ca_derivations = true,
            "impure-derivations" => known.impure_derivations = true,
            "dynamic-derivations" => known.dynamic_derivations = true,
            "fetch-tree" => known.fetch_tree = true,
            "flakes" => (known.flakes, known.fetch_tree) = (true, true),
            "fetch-closure" => known.fetch_closure = true,
            "parse-toml-timestamps" => known.parse_toml_timestamps = true,
            "blake3-hashes" => known.blake3_hashes = true,
            name if WITHOUT_MEANING.contains(&name) => {}
            _ => warn(&format!("unknown experimental feature '{name}'")),
        }
    }
}

fn warn(text: &str) {
    let yellow = console::style("warning:").for_stderr().magenta().bold();
    say(&format!("{yellow} {}", crate::ui::clean::clean(text)));
}

/// An entry of the search path: `name=path`, or a path.
fn search_path(entry: &[u8]) -> SearchPath {
    match entry.iter().position(|&byte| byte == b'=') {
        Some(at) => SearchPath { prefix: entry[..at].to_vec(), path: entry[at + 1..].to_vec() },
        None => SearchPath { prefix: Vec::new(), path: entry.to_vec() },
    }
}

/// The search path where nothing is set: the channels of the user and of root.
fn channels(settings: &Settings) -> Vec<SearchPath> {
    let root: &[u8] = b"/nix/var/nix/profiles/per-user/root/channels";
    let own = settings.home.as_ref().map(|home| [home, &b"/.nix-defexpr/channels"[..]].concat());
    let entry = |prefix: &[u8], path: Vec<u8>| SearchPath { prefix: prefix.to_vec(), path };
    let all = own
        .map(|own| entry(b"", own))
        .into_iter()
        .chain([entry(b"nixpkgs", [root, b"/nixpkgs"].concat()), entry(b"", root.to_vec())]);
    all.filter(|entry| std::path::Path::new(OsStr::from_bytes(&entry.path)).exists()).collect()
}

/// The entries of `NIX_PATH`: separated by colons, but for those in `https:` and its like.
fn split(text: &[u8]) -> Vec<&[u8]> {
    let mut entries = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut end = rest.iter().position(|&byte| byte == b':').unwrap_or(rest.len());
        let path = rest[..end].iter().rposition(|&byte| byte == b'=').map_or(0, |at| at + 1);
        if is_url(&rest[path..]) {
            let behind = rest[(end + 1).min(rest.len())..].iter().position(|&byte| byte == b':');
            end = behind.map_or(rest.len(), |at| end + 1 + at);
        }
        entries.push(&rest[..end]);
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    entries
}

/// Does it begin as a URL that Nix takes for a place to look in?
pub(super) fn is_url(text: &[u8]) -> bool {
    let schemes: [&[u8]; 9] = [
        b"http://",
        b"https://",
        b"file://",
        b"channel://",
        b"git://",
        b"s3://",
        b"ssh://",
        b"channel:",
        b"flake:",
    ];
    schemes.iter().any(|scheme| text.starts_with(scheme))
}

/// Sets one of the settings `lint-…`.
fn lint(name: &str, value: &str, place: &mut Lint) {
    *place = match value {
        "ignore" => Lint::Ignore,
        "warn" => Lint::Warn,
        "fatal" => Lint::Fatal,
        _ => return warn(&format!("setting '{name}' has invalid value '{value}'")),
    };
}

/// What values may take of this machine's memory, or of what a limit (`ulimit -v`) leaves: three quarters.
fn most_memory() -> usize {
    let machine = machine_memory();
    let limit = rustix::process::getrlimit(rustix::process::Resource::As).current;
    let most = machine.min(limit.unwrap_or(u64::MAX)) / 4 * 3;
    usize::try_from(most).unwrap_or(usize::MAX / 4)
}

/// Bytes of memory.
#[cfg(target_os = "linux")]
fn machine_memory() -> u64 {
    let info = rustix::system::sysinfo();
    (info.totalram as u64).saturating_mul(u64::from(info.mem_unit.max(1)))
}

/// Other systems are not asked.
#[cfg(not(target_os = "linux"))]
fn machine_memory() -> u64 {
    u64::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(set_options: &[(&str, &str)]) -> Chosen {
        let mut chosen = Chosen {
            settings: Settings::default(),
            show_trace: false,
            impure: false,
            arguments: Vec::new(),
            override_inputs: Vec::new(),
        };
        for (name, value) in set_options {
            assert!(set(&mut chosen, name, value), "{name}");
        }
        assert!(!set(&mut chosen, "no-such", "x"));
        chosen
    }

    #[test]
    fn settings_are_set_by_their_names() {
        let chosen = chosen(&[
            ("max-call-depth", "7"),
            ("max-call-depth", "many"),
            ("pure-eval", "true"),
            ("show-trace", "1"),
            ("allow-import-from-derivation", "no"),
            ("abort-on-warn", "perhaps"),
            ("lint-url-literals", "fatal"),
            ("lint-url-literals", "perhaps"),
            ("system", "aarch64-linux"),
            ("eval-system", ""),
            ("experimental-features", "flakes pipe-operators nix-command"),
        ]);
        let settings = &chosen.settings;
        assert_eq!((settings.max_call_depth, settings.pure, chosen.show_trace), (7, true, true));
        assert!(!settings.allow_import_from_derivation && !settings.abort_on_warn);
        assert_eq!(settings.lints.url_literals, Lint::Fatal);
        assert_eq!(settings.current_system, b"aarch64-linux");
        let features = settings.features;
        assert!(features.flakes && features.fetch_tree && features.pipe_operators);
        assert!(!features.ca_derivations);
    }

    #[test]
    fn urls_in_the_search_path_keep_their_colons() {
        let entries = |text: &str| {
            let entries = split(text.as_bytes()).into_iter();
            entries.map(|entry| String::from_utf8_lossy(entry).into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(entries(""), Vec::<String>::new());
        assert_eq!(entries("/a:b=/c::x=channel:nixos"), ["/a", "b=/c", "", "x=channel:nixos"]);
        assert_eq!(
            entries("nixpkgs=https://h/x.tar.gz:/b:flake:nixpkgs:http://x"),
            ["nixpkgs=https://h/x.tar.gz", "/b", "flake:nixpkgs", "http://x"]
        );
        let entry = search_path(b"a=b=c");
        assert_eq!((entry.prefix, entry.path), (b"a".to_vec(), b"b=c".to_vec()));
    }

    #[test]
    fn of_arguments_with_one_name_the_last_counts() {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        let all = arguments(words(&["a", "1", "b", "2", "a", "3"]), words(&["b", "4"]));
        let first = |wanted: &[u8]| all.iter().find(|(name, _)| name == wanted).unwrap();
        assert!(matches!(&first(b"a").1, Argument::Expression(text) if text == b"3"));
        assert!(matches!(&first(b"b").1, Argument::String(text) if text == b"4"));
    }
}
