//! A folder with flakes, and both evaluators that run in it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::evaluators::{Outcome, is_there};

/// A folder for flakes, with a home and a store of its own.
pub(super) struct World {
    folder: tempfile::TempDir,
    /// Programs that are taken out of reach.
    without: std::cell::RefCell<Vec<&'static str>>,
}

/// A program that goes wild must not take the machine with it.
const LIMITED: &str = "ulimit -v 4000000; exec timeout 60 \"$@\"";

impl World {
    /// An empty folder; none where the real nix is missing.
    pub(super) fn new() -> Option<Self> {
        is_there("nix").then(Self::without_nix)
    }

    /// An empty folder for tests of our evaluator alone.
    pub(super) fn without_nix() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap(), without: Vec::new().into() };
        fs::create_dir(world.path("home")).unwrap();
        world
    }

    /// From now on, these programs are not found.
    pub(super) fn without(&self, programs: &[&'static str]) -> &Self {
        self.without.borrow_mut().extend(programs);
        self
    }

    /// The folders of programs: those with the ones that are needed, without those that are not wanted.
    fn programs(&self) -> std::ffi::OsString {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let without = self.without.borrow();
        if without.is_empty() {
            return path;
        }
        let bin = self.path("bin");
        fs::create_dir_all(&bin).unwrap();
        for program in ["sh", "git", "nix", "timeout"] {
            let _ = fs::remove_file(bin.join(program));
            let found =
                std::env::split_paths(&path).map(|dir| dir.join(program)).find(|p| p.exists());
            if let Some(found) = found.filter(|_| !without.contains(&program)) {
                std::os::unix::fs::symlink(found, bin.join(program)).unwrap();
            }
        }
        bin.into_os_string()
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        // Where temporary folders are behind a link, messages name what it leads to.
        self.folder.path().canonicalize().unwrap().join(path)
    }

    /// Writes a file; `@@` in it stands for this folder.
    pub(super) fn write(&self, path: &str, text: &str) -> &Self {
        let file = self.path(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text.replace("@@", self.path("").to_str().unwrap().trim_end_matches('/')))
            .unwrap();
        self
    }

    /// Runs `git` in a folder, always at the same time and by the same author.
    pub(super) fn git(&self, folder: &str, words: &[&str]) -> String {
        let output = self
            .command("git")
            .args(["-c", "user.name=n", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"])
            .args(["-c", "protocol.file.allow=always"])
            .args(words)
            .current_dir(self.path(folder))
            .env("GIT_AUTHOR_DATE", "2024-02-03T04:05:06Z")
            .env("GIT_COMMITTER_DATE", "2024-02-03T04:05:06Z")
            .output()
            .unwrap();
        assert!(output.status.success(), "git {words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Makes a folder a repository with all its files committed.
    pub(super) fn repository(&self, folder: &str) -> &Self {
        self.git(folder, &["init", "-q"]);
        self.commit(folder)
    }

    pub(super) fn commit(&self, folder: &str) -> &Self {
        self.git(folder, &["add", "-A"]);
        self.git(folder, &["commit", "-q", "--allow-empty", "-m", "x"]);
        self
    }

    /// Writes a flake's lock file with the real nix.
    pub(super) fn lock(&self, folder: &str) -> &Self {
        let outcome = self.nix(folder, &["flake", "lock"]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        self
    }

    pub(super) fn nix(&self, folder: &str, words: &[&str]) -> Outcome {
        let features = ["--extra-experimental-features", "nix-command flakes"];
        self.run("nix", folder, &[&features[..], words].concat())
    }

    /// `nix eval` with its own store.
    pub(super) fn real(&self, folder: &str, words: &[&str]) -> Outcome {
        let mut outcome = self.nix(folder, &[&["eval", "--no-write-lock-file"], words].concat());
        // Where its store really is shows in some texts.
        let store = self.path("root/nix/store");
        let text = String::from_utf8_lossy(&outcome.stdout).into_owned();
        outcome.stdout = text.replace(store.to_str().unwrap(), "/nix/store").into_bytes();
        outcome.stderr = outcome.stderr.replace(store.to_str().unwrap(), "/nix/store");
        outcome
    }

    /// `nixos-bootstrap eval`.
    pub(super) fn ours(&self, folder: &str, words: &[&str]) -> Outcome {
        self.run(env!("CARGO_BIN_EXE_nixos-bootstrap"), folder, &[&["eval"], words].concat())
    }

    /// Our evaluator fails with 1 or 2, and says all of this.
    pub(super) fn fails(&self, folder: &str, words: &[&str], parts: &[&str]) {
        let ours = self.ours(folder, words);
        assert!(matches!(ours.code, Some(1 | 2)), "{words:?}: {ours:?}");
        for part in parts {
            let part = part.replace("@@", self.path("").to_str().unwrap().trim_end_matches('/'));
            assert!(ours.stderr.contains(&part), "{words:?}: no {part:?} in\n{}", ours.stderr);
        }
    }

    /// Both print the same, or fail with the same message.
    pub(super) fn same(&self, folder: &str, words: &[&str]) -> Result<(), String> {
        let (ours, real) = (self.ours(folder, words), self.real(folder, words));
        let equal = match (ours.code, real.code) {
            (Some(0), Some(0)) => ours.stdout == real.stdout,
            (Some(1 | 2), Some(1)) => message(&ours.stderr) == message(&real.stderr),
            _ => false,
        };
        if equal {
            return Ok(());
        }
        let shown = |it: &Outcome| format!("{:?}\n{}{}", it.code, it.text(), it.stderr);
        Err(format!("{folder} {words:?}\n-- ours: {}\n-- real: {}\n", shown(&ours), shown(&real)))
    }

    /// Both say the same of these attributes of the flake in `folder`.
    pub(super) fn all_same(&self, folder: &str, options: &[&str], attributes: &[&str]) {
        let wrong: Vec<String> = attributes
            .iter()
            .filter_map(|attribute| {
                let installable = format!(".#{attribute}");
                self.same(folder, &[options, &[&installable]].concat()).err()
            })
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    fn run(&self, program: &str, folder: &str, words: &[&str]) -> Outcome {
        let output: Output = self
            .command("sh")
            .args(["-c", LIMITED, "sh", program])
            .args(words)
            .current_dir(self.path(folder))
            .output()
            .unwrap();
        output.into()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env(
                "PATH",
                if program == "git" {
                    std::env::var_os("PATH").unwrap_or_default()
                } else {
                    self.programs()
                },
            )
            .env("HOME", self.path("home"))
            .env("NIX_REMOTE", format!("local?root={}", self.path("root").display()))
            .env("NIX_CONF_DIR", self.path("conf"))
            // No registry is downloaded.
            .env("NIX_CONFIG", "flake-registry =");
        command
    }
}

/// The message of a failure: of the real one, what stands behind the last `error:`.
fn message(stderr: &str) -> String {
    let lines: Vec<&str> = stderr.lines().map(str::trim).collect();
    let said = |line: &&str| line.strip_prefix("error:").is_some_and(|rest| !rest.is_empty());
    let last = if stderr.contains("\nerror:\n") || stderr.starts_with("error:\n") {
        lines.iter().rfind(|line| said(line))
    } else {
        lines.iter().find(|line| said(line))
    };
    last.map_or(stderr, |line| line.trim_start_matches("error:").trim()).to_owned()
}
