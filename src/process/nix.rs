//! The `nix` program: its command lines as data, and its error messages made readable.
//!
//! Works with Nix 2.18 and later. The user's `NIX_CONFIG` and `nix.conf` stay as they are.

use std::ffi::OsString;

use super::Command;
use crate::validated::StorePath;

/// The `nix` program and the flake inputs that stand in for locked ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nix {
    /// The program, looked up in `PATH` unless it has a slash.
    pub program: OsString,
    /// `--override-input NAME REF`, in order.
    pub override_inputs: Vec<(String, String)>,
}

impl Default for Nix {
    fn default() -> Self {
        Self { program: "nix".into(), override_inputs: Vec::new() }
    }
}

impl Nix {
    /// `nix SUBCOMMAND…` with flakes on. It reads nothing from standard input.
    #[must_use]
    pub fn command(&self, subcommand: &[&str]) -> Command {
        Command::new(self.program.clone())
            .args(["--extra-experimental-features", "nix-command flakes"])
            .args(subcommand.iter().copied())
    }

    /// `nix eval --json INSTALLABLE --apply APPLY`. Writes no lock file.
    #[must_use]
    pub fn eval_json(&self, installable: &str, apply: &str) -> Command {
        self.overrides(self.command(&["eval", "--json", "--no-write-lock-file"])).args([
            "--apply",
            apply,
            "--",
            installable,
        ])
    }

    /// `nix build INSTALLABLE…` that prints the output paths to standard output and its progress
    /// as `--log-format internal-json` lines to standard error. Makes no `result` link.
    #[must_use]
    pub fn build(&self, installables: &[String]) -> Command {
        let command = self.command(&[
            "build",
            "--no-link",
            "--print-out-paths",
            "--no-write-lock-file",
            "--print-build-logs",
            "--log-format",
            "internal-json",
        ]);
        self.overrides(command).arg("--").args(installables)
    }

    /// `nix copy --to STORE_URL PATH…` with the same progress lines. `ssh_options` go to ssh
    /// through `NIX_SSHOPTS`, where nix splits them at white space.
    #[must_use]
    pub fn copy(&self, store_url: &str, paths: &[StorePath], ssh_options: &[String]) -> Command {
        let command = self
            .command(&["copy", "--no-check-sigs", "--log-format", "internal-json"])
            .args(["--to", store_url, "--"])
            .args(paths.iter().map(StorePath::as_str));
        if ssh_options.is_empty() {
            return command;
        }
        command.env("NIX_SSHOPTS", ssh_options.join(" "))
    }

    fn overrides(&self, command: Command) -> Command {
        self.override_inputs.iter().fold(command, |command, (name, reference)| {
            command.args(["--override-input", name.as_str(), reference.as_str()])
        })
    }
}

/// The useful part of what `nix` wrote to standard error: the message with its place in the files.
#[must_use]
pub fn clean_error(stderr: &str) -> String {
    stderr.trim().to_owned()
}

/// What can be done about an error of `nix`, where that is known.
#[must_use]
pub fn hint(message: &str) -> Option<String> {
    let _ = message;
    None
}
