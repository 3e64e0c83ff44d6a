//! The stand-ins for nixpkgs and disko, and our modules, functions and template on top of them:
//! `tests/flakes/expect/NAME.nix` must give `NAME.json`, or fail with every line of `NAME.err`, by
//! the real nix and by our own evaluator.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::evaluators::{Evaluator, in_parallel};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/flakes/expect")
}

fn cases(ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|e| e == ending)).collect();
    found.sort();
    found
}

fn evaluate(evaluator: Evaluator, expected: &Path) -> Output {
    let mut command = match evaluator {
        Evaluator::Real => Command::new("nix-instantiate"),
        Evaluator::Ours => Command::new(env!("CARGO_BIN_EXE_nixos-bootstrap")),
    };
    command.arg(if evaluator == Evaluator::Real { "--eval" } else { "eval" });
    command
        .args(["--strict", "--json"])
        .arg(expected.with_extension("nix"))
        .output()
        .expect("these tests need the real nix: scripts/test puts it on PATH")
}

/// Every case by both evaluators, as many at once as there are cores.
fn all(cases: &[PathBuf], check: impl Fn(&Path, Output) + Sync) {
    let both = |case: &PathBuf| [Evaluator::Real, Evaluator::Ours].map(|who| (who, case.clone()));
    let runs: Vec<_> = cases.iter().flat_map(both).collect();
    in_parallel(&runs, |(who, case)| check(case, evaluate(*who, case)));
}

#[test]
fn values_are_as_expected() {
    let cases = cases("json");
    assert!(cases.len() >= 23, "only {} cases", cases.len());
    all(&cases, |case, output| {
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {error}", case.display());
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = std::fs::read_to_string(case).unwrap();
        let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value, expected, "{}", case.display());
    });
}

#[test]
fn failures_say_what_is_wrong() {
    let cases = cases("err");
    assert!(cases.len() >= 26, "only {} cases", cases.len());
    all(&cases, |case, output| {
        assert!(!output.status.success(), "{} did not fail", case.display());
        let error = String::from_utf8_lossy(&output.stderr);
        for line in std::fs::read_to_string(case).unwrap().lines() {
            assert!(error.contains(line), "{}: no {line:?} in:\n{error}", case.display());
        }
    });
}
