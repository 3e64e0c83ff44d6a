//! Secrets of a person and of the hosts: a secrets repo, what is in it, and the proof that none of it is
//! anywhere in the clear.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use nixos_bootstrap::secrets::age::Identity;

use super::scene::{Scene, cache, checked, root, text};
use crate::tools::{path_with, tool};

/// What the secrets file holds.
pub(super) const TOKEN: &str = "hunter2-aequiveeRee7chohgh";
pub(super) const MAIL: &str = "person-Eiz5ahg3ohqu@example.org";

/// A secrets repo beside the nix-config, which takes all hosts' secrets from it.
pub(super) struct Secrets<'s> {
    scene: &'s Scene,
    /// Texts that must not be anywhere, each with what it is.
    hidden: Vec<(&'static str, String)>,
}

impl<'s> Secrets<'s> {
    pub(super) fn new(scene: &'s Scene) -> Self {
        let own = Identity::generate().unwrap();
        let own_text = String::from_utf8(own.secret().expose().to_vec()).unwrap();
        let mut secrets = Self { scene, hidden: Vec::new() };
        fs::create_dir_all(secrets.own_key().parent().unwrap()).unwrap();
        let mut file = fs::OpenOptions::new();
        let mut file =
            file.write(true).create_new(true).mode(0o600).open(secrets.own_key()).unwrap();
        writeln!(file, "{own_text}").unwrap();
        let mut make = Command::new(root().join("tests/vm/nix-secrets"));
        make.arg(scene.config()).arg(own.recipient().as_str()).arg(cache().join("mini-nixpkgs"));
        let content = format!("token: {TOKEN}\nta:\n  mail: {MAIL}\n");
        let done = fed(&mut make, &content);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        secrets.hide("the person's age key", own_text);
        secrets.hide("a secret", TOKEN.to_owned());
        secrets.hide("a secret", MAIL.to_owned());
        secrets
    }

    /// The file with the person's own age key.
    pub(super) fn own_key(&self) -> PathBuf {
        self.scene.home().join(".config/sops/age/keys.txt")
    }

    pub(super) fn repo(&self) -> PathBuf {
        self.scene.dir.path().join("nix-secrets")
    }

    /// `.sops.yaml` and the secrets file as they are now.
    pub(super) fn files(&self) -> [String; 2] {
        [".sops.yaml", "secrets.yaml"]
            .map(|name| fs::read_to_string(self.repo().join(name)).unwrap())
    }

    /// A value of the secrets file, by its place in it, opened with the person's own key.
    pub(super) fn value(&self, place: &[&str]) -> String {
        let index = format!("[\"{}\"]", place.join("\"][\""));
        text(&checked(
            Command::new(tool("sops"))
                .args(["decrypt", "--extract", &index, "secrets.yaml"])
                .current_dir(self.repo())
                .env("SOPS_AGE_KEY_FILE", self.own_key())
                .env("SOPS_DISABLE_VERSION_CHECK", "1"),
        ))
    }

    pub(super) fn git(&self, args: &[&str]) -> String {
        text(&checked(Command::new("git").arg("-C").arg(self.repo()).args(args)))
    }

    pub(super) fn hide(&mut self, what: &'static str, secret: String) {
        assert!(secret.len() >= 16, "{what} is too short to be looked for: {secret:?}");
        self.hidden.push((what, secret));
    }

    /// The host's private key in both its forms, and the person's age key on it.
    pub(super) fn hide_those_of(&mut self, host: &str) {
        let key = self.scene.on_host("cat /etc/ssh/ssh_host_ed25519_key");
        let converted =
            fed(Command::new(tool("ssh-to-age")).arg("-private-key"), &format!("{key}\n"));
        self.hide("the host's age key", text(&converted));
        // The first line of all such keys is the same, the last may be short.
        let body: Vec<&str> = key.lines().filter(|line| !line.starts_with("-----")).collect();
        assert!(body.len() >= 4, "{} lines", body.len());
        for line in &body[1..body.len() - 1] {
            self.hide("the host's private key", (*line).to_owned());
        }
        let of_person = self.value(&["user_age_keys", &format!("ta_{host}")]);
        assert!(of_person.starts_with("AGE-SECRET-KEY-1"), "{of_person}");
        self.hide("the person's age key on the host", of_person);
    }

    /// None of it is in any file of the scene: the tool's events with `--debug`, what it and its programs
    /// wrote, journal and plan, what every process looked like, all commits.
    pub(super) fn assert_hidden(&self) {
        let dir = self.scene.dir.path();
        for repo in [self.repo(), self.scene.config()] {
            let log = checked(
                Command::new("git")
                    .arg("-C")
                    .arg(&repo)
                    .args(["log", "--all", "--patch", "--text"]),
            );
            fs::write(repo.with_extension("commits"), log.stdout).unwrap();
        }
        let state = dir.join("home/state/nixos-bootstrap");
        assert!(fs::read_dir(&state).is_ok_and(|files| files.count() > 0), "no journal was found");
        for (what, secret) in &self.hidden {
            // That the search finds what is there is seen by a file that has it.
            let planted = dir.join("planted");
            fs::write(&planted, format!("\0{secret}\0")).unwrap();
            let mut grep = Command::new("grep");
            // The machine's disks have what was written to them; the person's own key is where it belongs.
            grep.args(["-rlaF", "--exclude=*.img", "--exclude=keys.txt", "-f", "-"]).arg(dir);
            let found = text(&fed(&mut grep, secret));
            assert_eq!(found, planted.to_str().unwrap(), "{what} is in the clear");
            fs::remove_file(planted).unwrap();
        }
    }
}

/// Runs a program with this input.
pub(super) fn fed(command: &mut Command, input: &str) -> Output {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// `PATH` with a sops in front that does `script` first and then what the real one does.
pub(super) fn path_with_sops(scene: &Scene, script: &str) -> std::ffi::OsString {
    let dir = scene.dir.path().join("bin");
    fs::create_dir_all(&dir).unwrap();
    let text = format!("#!/bin/sh\n{script}\nexec {} \"$@\"\n", tool("sops").display());
    fs::write(dir.join("sops"), text).unwrap();
    fs::set_permissions(dir.join("sops"), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    let path = path_with(&["sops", "nix"]);
    std::env::join_paths([dir].into_iter().chain(std::env::split_paths(&path))).unwrap()
}
