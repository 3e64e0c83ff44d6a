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
    /// `nix SUBCOMMAND…` with flakes on. It reads nothing from standard input, and git and ssh
    /// below it don't ask on the terminal: the program runs in the background, where a question
    /// would stop it for ever.
    #[must_use]
    pub fn command(&self, subcommand: &[&str]) -> Command {
        Command::new(self.program.clone())
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("SSH_ASKPASS_REQUIRE", "force")
            .args(["--extra-experimental-features", "nix-command flakes"])
            .args(subcommand.iter().copied())
    }

    /// `nix eval --json INSTALLABLE --apply APPLY`. Writes no lock file. The trace that it asks
    /// for is what [`clean_error`] finds the place of an error in.
    #[must_use]
    pub fn eval_json(&self, installable: &str, apply: &str) -> Command {
        self.overrides(self.command(&["eval", "--json", "--no-write-lock-file", "--show-trace"]))
            .args(["--apply", apply, "--", installable])
    }

    /// `nix eval --raw INSTALLABLE`. Writes no lock file.
    #[must_use]
    pub fn eval_raw(&self, installable: &str) -> Command {
        self.overrides(self.command(&["eval", "--raw", "--no-write-lock-file"]))
            .args(["--", installable])
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

    /// `nix path-info PATH`, which fails where the store does not have that path.
    #[must_use]
    pub fn is_valid(&self, path: &str) -> Command {
        self.command(&["path-info", "--offline"]).args(["--", path])
    }

    /// `nix daemon --stdio`: the store, whether it is this user's own or a daemon's, to be talked with in Nix'
    /// worker protocol.
    #[must_use]
    pub fn store(&self) -> Command {
        self.command(&["daemon", "--stdio"])
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

/// The useful part of what `nix` wrote to standard error: the message, the place in the files that
/// it is about, and which options were being read. Warnings and the rest of the trace go.
#[must_use]
pub fn clean_error(stderr: &str) -> String {
    let stderr = console::strip_ansi_codes(stderr);
    let lines: Vec<&str> = stderr.lines().collect();
    let Some(start) = lines.iter().rposition(|line| line.starts_with("error:")) else {
        return stderr.trim().to_owned();
    };
    let head = lines[start].strip_prefix("error:").unwrap_or_default().trim();
    if !head.is_empty() {
        let rest = lines[start + 1..].iter().map(|line| dedent(line));
        return joined(std::iter::once(head).chain(rest));
    }
    let (frames, message) = trace(&lines[start + 1..]);
    let mut text = message;
    if !text.iter().any(|line| line.starts_with("at ")) {
        text.extend(nearest_place(&frames));
    }
    text.extend(options_being_read(&frames));
    joined(text.into_iter())
}

/// What can be done about an error of `nix`, where that is known.
#[must_use]
pub fn hint(message: &str) -> Option<String> {
    let says = |part: &str| message.contains(part);
    let missing = says("does not exist") || says("No such file or directory");
    let hint = if missing && (says("hardware-configuration.nix") || says("facter.json")) {
        "the file that describes the hardware is made by the run itself: import it with \
         `lib.optional (builtins.pathExists ./FILE) ./FILE`, or run the phase `hardware` first"
    } else if says("is not tracked by Git") {
        "a flake in a git repository only sees files that git knows: \
         `git add --intent-to-add FILE` is enough"
    } else if missing && says("-source/") && !says("The option `") {
        "if the file is there: a flake in a git repository only sees files that git knows, \
         `git add --intent-to-add FILE` is enough"
    } else if says("forbidden in pure evaluation mode") || says("forbidden in pure eval mode") {
        "a flake can't reach files outside of itself; put the whole folder into one git repository"
    } else if says("unable to download") || says("Could not resolve host") {
        "an input of the flake can't be fetched: check the network, or replace the input with \
         --override-input NAME REF"
    } else if says("while reading the facts of the host")
        && (message.starts_with("attribute 'config' missing")
            || message.starts_with("expected a set but found"))
    {
        "a host is what nixpkgs.lib.nixosSystem gives (or lib.mkHosts of nixos-bootstrap)"
    } else if says("used but not defined") || says("was accessed but has no value defined") {
        "set this option in the host's configuration"
    } else {
        return None;
    };
    Some(hint.to_owned())
}

/// Nix indents everything below `error:` by this much.
const INDENT: &str = "       ";

/// How many of the steps that say it in the user's words are told.
pub const STEPS_TOLD: usize = 3;

/// How the steps of a trace begin that say it in the user's words.
const USEFUL_STEPS: [&str; 6] = [
    "while evaluating the flake's attribute",
    "while evaluating the option",
    "while evaluating definitions from",
    "while reading the facts of",
    "while fetching the input",
    "while updating the flake input",
];

/// Does a step of a trace say it in the user's words?
#[must_use]
pub fn is_told(step: &str) -> bool {
    USEFUL_STEPS.iter().any(|useful| step.starts_with(useful))
}

/// One step of a trace.
struct Frame<'a> {
    /// What was being done.
    what: &'a str,
    /// `at FILE:LINE:COLUMN:` and the lines of the file that follow it.
    place: Vec<&'a str>,
}

/// Splits what follows a bare `error:` into its frames and the lines of the message.
fn trace<'a>(lines: &[&'a str]) -> (Vec<Frame<'a>>, Vec<&'a str>) {
    let frame = |line: &&str| line.strip_prefix(INDENT).is_some_and(|line| line.starts_with('…'));
    let after_frames = lines.iter().rposition(frame).map_or(0, |last| last + 1);
    let message = lines[after_frames..]
        .iter()
        .position(|line| dedent(line).starts_with("error:"))
        .map_or(lines.len(), |at| after_frames + at);
    let mut frames: Vec<Frame<'a>> = Vec::new();
    for line in &lines[..message] {
        let line = dedent(line);
        if let Some(what) = line.strip_prefix('…') {
            frames.push(Frame { what: what.trim(), place: Vec::new() });
        } else if let Some(frame) = frames.last_mut()
            && !line.trim().is_empty()
            && (!frame.place.is_empty() || line.trim_start().starts_with("at "))
        {
            frame.place.push(line.strip_prefix("  ").unwrap_or(line));
        }
    }
    let mut text: Vec<&str> = lines[message..].iter().map(|line| dedent(line)).collect();
    if let Some(first) = text.first_mut() {
        *first = first.strip_prefix("error:").unwrap_or(first).trim_start();
    }
    (frames, text)
}

/// Where the innermost frame with a file is; an expression from the command line has none.
fn nearest_place<'a>(frames: &[Frame<'a>]) -> Vec<&'a str> {
    let in_file = |frame: &&Frame<'_>| {
        frame.place.first().is_some_and(|at| !at.contains("«string»") && !at.contains("«none»"))
    };
    frames.iter().rev().find(in_file).map(|frame| frame.place.clone()).unwrap_or_default()
}

/// The frames that say it in the user's words, innermost first.
fn options_being_read<'a>(frames: &[Frame<'a>]) -> Vec<&'a str> {
    let steps = frames.iter().rev().map(|frame| frame.what);
    steps.filter(|what| is_told(what)).take(STEPS_TOLD).collect()
}

fn dedent(line: &str) -> &str {
    line.strip_prefix(INDENT).unwrap_or(line)
}

fn joined<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(command: &Command) -> String {
        command.to_string()
    }

    fn nix() -> Nix {
        Nix { override_inputs: vec![("nixpkgs".into(), "path:/x y".into())], ..Nix::default() }
    }

    const START: &str = "nix --extra-experimental-features 'nix-command flakes'";

    #[test]
    fn command_lines_have_the_overrides_before_what_they_are_for() {
        assert_eq!(
            shown(&nix().eval_json(".#x", "f: f")),
            format!(
                "{START} eval --json --no-write-lock-file --show-trace --override-input nixpkgs \
                 'path:/x y' --apply 'f: f' -- .#x"
            )
        );
        assert_eq!(
            shown(&nix().build(&[".#a".to_owned(), ".#b".to_owned()])),
            format!(
                "{START} build --no-link --print-out-paths --no-write-lock-file \
                 --print-build-logs --log-format internal-json --override-input nixpkgs \
                 'path:/x y' -- .#a .#b"
            )
        );
    }

    #[test]
    fn copies_hand_the_ssh_options_on_by_the_environment() {
        let path = "/nix/store/zr2knphxg8yyy2mkq8akf2hfknjvdiz7-x".parse().unwrap();
        let options = ["-o".to_owned(), "ControlPath=/x".to_owned()];
        let command = nix().copy("ssh-ng://root@h", &[path], &options);
        assert_eq!(
            shown(&command),
            format!(
                "{START} copy --no-check-sigs --log-format internal-json --to ssh-ng://root@h -- \
                 /nix/store/zr2knphxg8yyy2mkq8akf2hfknjvdiz7-x"
            )
        );
        let options = command.env.iter().find(|(name, _)| name == "NIX_SSHOPTS").unwrap();
        assert_eq!(options.1.as_deref(), Some("-o ControlPath=/x".as_ref()));
    }

    #[test]
    fn the_users_configuration_of_nix_stays() {
        let env = nix().command(&["eval"]).env;
        assert!(env.iter().all(|(name, _)| name != "NIX_CONFIG"), "{env:?}");
    }

    #[test]
    fn an_error_with_its_own_place_keeps_it() {
        let stderr = "warning: Git tree '/x' is dirty\n\
            error: attribute 'b' missing\n       \
            at /x/flake.nix:14:29:\n           \
            13|     a\n           \
            14|     g = { a = 1; }.b;\n             \
            |         ^\n       \
            Did you mean a?\n";
        assert_eq!(
            clean_error(stderr),
            "attribute 'b' missing\nat /x/flake.nix:14:29:\n    13|     a\n    \
             14|     g = { a = 1; }.b;\n      |         ^\nDid you mean a?"
        );
    }

    #[test]
    fn a_trace_gives_the_nearest_place_and_the_options() {
        let stderr = "trace: noise\nevaluation warning: noise\nerror:\n       \
            … while evaluating the attribute 'hosts'\n         \
            at «string»:405:3:\n          \
            404|   known\n\n       \
            … while evaluating the option `a.b':\n\n       \
            … while calling the 'throw' builtin\n         \
            at /x/flake.nix:5:31:\n            \
            4|       config = {\n            \
            5|         b = throw \"error: why\";\n\n       \
            … while calling 'f'\n         \
            at «string»:1:1:\n            \
            1| f\n\n       \
            error: error: why\n       \
            error: second line\n";
        assert_eq!(
            clean_error(stderr),
            "error: why\nerror: second line\nat /x/flake.nix:5:31:\n   4|       config = {\n   \
             5|         b = throw \"error: why\";\nwhile evaluating the option `a.b':"
        );
    }

    #[test]
    fn what_is_no_error_of_nix_stays_as_it_is() {
        assert_eq!(clean_error("  something else\n"), "something else");
        assert_eq!(clean_error(""), "");
        assert_eq!(clean_error("error:\n"), "");
        assert_eq!(clean_error("\u{1b}[31;1merror:\u{1b}[0m red"), "red");
    }

    #[test]
    fn hints_fit_the_message() {
        let cases = [
            ("Path 'new.nix' in the repository \"/x\" is not tracked by Git.", "--intent-to-add"),
            ("path '/nix/store/aa-source/hosts/x.nix' does not exist", "--intent-to-add"),
            ("path '/nix/store/aa-source/hardware-configuration.nix' does not exist", "hardware"),
            ("access to absolute path '/x' is forbidden in pure evaluation mode", "git repository"),
            ("unable to download 'https://x'", "--override-input"),
            ("The option `a' was accessed but has no value defined.", "set this option"),
            (
                "attribute 'config' missing\nwhile reading the facts of the host x",
                "nixpkgs.lib.nixosSystem",
            ),
        ];
        for (message, part) in cases {
            let hint = hint(message).unwrap_or_else(|| panic!("no hint for {message}"));
            assert!(hint.contains(part), "{message}: {hint}");
        }
        assert_eq!(hint("attribute 'x' missing"), None);
        let option = "The option `a' does not exist. Definition values:\n\
                      - In `/nix/store/aa-source/hosts/x'";
        assert_eq!(hint(option), None);
    }
}
