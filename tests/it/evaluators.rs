//! Runs our evaluator and the real one under the same conditions, for the tests that compare them.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Whose evaluator is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evaluator {
    /// `nixos-bootstrap eval`
    Ours,
    /// `nix-instantiate --eval`
    Real,
}

/// What is evaluated.
#[derive(Clone, Debug)]
pub(crate) enum What {
    File(OsString),
    Expr(OsString),
}

/// How a process ended and what it printed.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    /// None for a signal.
    pub(crate) code: Option<i32>,
}

impl Outcome {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Replaces a folder in all that was printed, so that texts hold on every machine.
    pub(crate) fn with_folder_as(mut self, folder: &Path, name: &str) -> Self {
        let folder = folder.to_str().unwrap();
        self.stdout = replace(&self.stdout, folder.as_bytes(), name.as_bytes());
        self.stderr = self.stderr.replace(folder, name);
        self
    }
}

fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// One evaluation: folder, variables, options and limits are the same for both evaluators.
#[derive(Clone, Debug)]
pub(crate) struct Evaluation<'a> {
    pub(crate) folder: &'a Path,
    /// Variables beside the fixed ones.
    pub(crate) variables: &'a [(&'a str, &'a str)],
    /// Words that both understand.
    pub(crate) options: Vec<OsString>,
    pub(crate) what: What,
    /// Does the real one need a store that takes what is written?
    pub(crate) writable: bool,
}

/// Longer than any case takes, and less memory than a shared machine can spare.
const SECONDS: &str = "60";
const LIMIT: &str = "ulimit -v 3000000; exec timeout \"$@\"";

impl Evaluation<'_> {
    pub(crate) fn run(&self, evaluator: Evaluator) -> Outcome {
        let mut words: Vec<OsString> = Vec::new();
        match evaluator {
            Evaluator::Ours => {
                words.extend([env!("CARGO_BIN_EXE_nixos-bootstrap"), "eval"].map(OsString::from));
            }
            Evaluator::Real => words.extend(["nix-instantiate", "--eval"].map(OsString::from)),
        }
        // On for both, whatever the settings of this machine are.
        words.extend(["--extra-experimental-features", "flakes"].map(OsString::from));
        for option in &self.options {
            match (evaluator, option.to_str()) {
                // The real one has no word for it.
                (Evaluator::Real, Some("--pure")) => {
                    words.extend(["--option", "pure-eval", "true"].map(OsString::from));
                }
                _ => words.push(option.clone()),
            }
        }
        match (evaluator, &self.what) {
            (Evaluator::Ours, What::File(file)) => words.extend(["--file".into(), file.clone()]),
            (Evaluator::Real, What::File(file)) => words.push(file.clone()),
            (_, What::Expr(text)) => words.extend(["--expr".into(), text.clone()]),
        }
        if evaluator == Evaluator::Real && self.writable {
            words.push("--read-write-mode".into());
        }
        self.spawn(&words)
    }

    fn spawn(&self, words: &[OsString]) -> Outcome {
        // The dummy store that takes what is written forgets what derivations refer to.
        let written = self.writable.then(|| tempfile::tempdir().unwrap());
        let store = written.as_ref().map_or_else(
            || "dummy://".to_owned(),
            |folder| format!("local?root={}", folder.path().display()),
        );
        let output = Command::new("sh")
            .args(["-c", LIMIT, "sh", SECONDS])
            .args(words)
            .current_dir(self.folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", "/fake-home")
            .env("NIX_REMOTE", store)
            .env("NIX_STORE_DIR", "/nix/store")
            .envs(self.variables.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        output.into()
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
        }
    }
}

/// Is a program of Nix there? Without it the tests fail, unless they were told to skip what is missing.
pub(crate) fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|dir| dir.join(program).is_file()) {
        return true;
    }
    let skip = std::env::var("NIXOS_BOOTSTRAP_TEST_SKIP_MISSING").is_ok_and(|value| value == "1");
    assert!(skip, "this test needs the program `{program}` in PATH");
    eprintln!("skipped: there is no `{program}` in PATH");
    false
}

/// The template as a person would have it, in git, its address of our flake filled in.
pub(crate) fn nix_config(folder: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vm/nix-config");
    let output = Command::new(script).arg(folder).arg("/dev/null").output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Does the work for each item on all cores; what it returns comes in the items' order.
pub(crate) fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(items.len()));
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(number) else { break };
                    let result = work(item);
                    results.lock().unwrap().push((number, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

/// The first place where two texts differ, with what is around it on both sides.
pub(crate) fn difference(expected: &[u8], got: &[u8]) -> String {
    let same = expected.iter().zip(got).take_while(|(a, b)| a == b).count();
    let around = |text: &[u8]| {
        let start = same.saturating_sub(60);
        let end = text.len().min(same + 140);
        let before = if start > 0 { "…" } else { "" };
        let after = if end < text.len() { "…" } else { "" };
        format!("{before}{}{after}", String::from_utf8_lossy(&text[start..end]).trim_end())
    };
    format!("  expected: {}\n  got:      {}", around(expected), around(got))
}

/// The words of a `.flags` file: blanks between them, `#` begins a comment.
pub(crate) fn words(text: &str) -> Vec<OsString> {
    text.lines()
        .flat_map(|line| line.split('#').next().unwrap_or_default().split_whitespace())
        .map(|word| OsStr::new(word).to_owned())
        .collect()
}
