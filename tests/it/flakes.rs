//! The stand-ins for nixpkgs and disko, and the template on top of them, evaluated by the real nix:
//! `tests/flakes/expect/NAME.nix` must give `NAME.json`, or fail with every line of `NAME.err`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

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

fn evaluate(expected: &Path) -> Output {
    Command::new("nix-instantiate")
        .args(["--eval", "--strict", "--json"])
        .arg(expected.with_extension("nix"))
        .output()
        .expect("these tests need the real nix: scripts/test puts it on PATH")
}

#[test]
fn values_are_as_expected() {
    let cases = cases("json");
    assert!(cases.len() >= 12, "only {} cases", cases.len());
    for case in cases {
        let output = evaluate(&case);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {error}", case.display());
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = std::fs::read_to_string(&case).unwrap();
        let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value, expected, "{}", case.display());
    }
}

#[test]
fn failures_say_what_is_wrong() {
    let cases = cases("err");
    assert!(cases.len() >= 7, "only {} cases", cases.len());
    for case in cases {
        let output = evaluate(&case);
        assert!(!output.status.success(), "{} did not fail", case.display());
        let error = String::from_utf8_lossy(&output.stderr);
        for line in std::fs::read_to_string(&case).unwrap().lines() {
            assert!(error.contains(line), "{}: no {line:?} in:\n{error}", case.display());
        }
    }
}
