//! The store's arithmetic against real Nix: generated hashes, names, trees and derivations, for
//! which both must give the same texts, paths and bytes.

mod derivations;
mod hashes;
mod nars;
mod paths;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use nixos_bootstrap::store::StoreDir;
use serde_json::Value;

/// Every experimental feature that the store knows of.
const FEATURES: &str =
    "blake3-hashes ca-derivations dynamic-derivations git-hashing impure-derivations nix-command";

/// A store of real Nix, of its own.
struct RealStore {
    folder: tempfile::TempDir,
}

impl RealStore {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("store")
    }

    fn dir(&self) -> StoreDir {
        StoreDir::new(self.path().to_str().unwrap().as_bytes()).unwrap()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("NIX_STORE_DIR", self.path());
        for variable in ["NIX_STATE_DIR", "NIX_LOCALSTATE_DIR", "NIX_LOG_DIR"] {
            command.env(variable, self.folder.path().join("var"));
        }
        command.env("NIX_CONFIG", format!("extra-experimental-features = {FEATURES}"));
        command
    }

    fn run(&self, program: &str, args: &[&str]) -> Output {
        self.command(program)
            .args(args)
            .output()
            .expect("these tests need the real nix: scripts/test puts it on PATH")
    }

    /// The value of an expression, which is written to a file because it may be long and need
    /// not be UTF-8. What it instantiates is written to the store.
    fn eval(&self, expression: &[u8]) -> Result<Value, String> {
        let file = self.folder.path().join("expression.nix");
        std::fs::write(&file, expression).unwrap();
        let args = ["--eval", "--strict", "--json", "--read-write-mode", file.to_str().unwrap()];
        let output = self.run("nix-instantiate", &args);
        if output.status.success() {
            return Ok(serde_json::from_slice(&output.stdout).unwrap());
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 11).unwrap() % limit
    }

    fn is_one_in(&mut self, limit: usize) -> bool {
        self.below(limit) == 0
    }

    fn one_of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// The strings of a list of strings.
fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

/// The bytes of a file's path.
fn bytes(path: &Path) -> &[u8] {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes()
}
