//! Facts by the evaluator inside the program: the same as through the real nix, on every flake that is here.

mod bad;
mod cache;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::evaluators::{Outcome, is_there, nix_config};

/// A home with a cache of its own, and flakes below it.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(place.path("home")).unwrap();
        place
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(path)
    }

    /// Writes a file of the flake `flake`.
    pub(crate) fn write(&self, path: &str, text: &str) -> &Self {
        let file = self.path("flake").join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
        self
    }

    /// Commits all of the flake's files.
    pub(crate) fn commit(&self) -> &Self {
        if !self.path("flake/.git").exists() {
            self.git(&["init", "-q"]);
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "x"])
    }

    pub(crate) fn git(&self, words: &[&str]) -> &Self {
        let output = Command::new("git")
            .args(["-c", "user.name=n", "-c", "user.email=a@b"])
            .args(words)
            .current_dir(self.path("flake"))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(output.status.success(), "git {words:?}: {output:?}");
        self
    }

    /// The command with these words, on the flake `flake`.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nixos-bootstrap"));
        command
            .args(words)
            .env_remove("XDG_STATE_HOME")
            .env("HOME", self.path("home"))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .stdin(Stdio::null());
        if !words.contains(&"--flake") {
            command.args(["--flake", self.path("flake").to_str().unwrap()]);
        }
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Outcome {
        self.command(words).output().unwrap().into()
    }

    pub(crate) fn start(&self, words: &[&str]) -> Child {
        let mut command = self.command(words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The files of the cache with answers.
    pub(crate) fn entries(&self) -> Vec<PathBuf> {
        let Ok(folder) = fs::read_dir(self.path("cache/nixos-bootstrap/facts")) else {
            return Vec::new();
        };
        let mut files: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// What both evaluators say with these words, which must be the same.
fn agree(place: &Place, words: &[&str]) -> Value {
    let ours = place.run(&[words, &["--no-cache"]].concat());
    let real = place.run(&[words, &["--evaluator", "nix"]].concat());
    assert_eq!(ours.code, real.code, "{words:?}:\n{}\n{}", ours.stderr, real.stderr);
    let value: Value = serde_json::from_slice(&ours.stdout).unwrap();
    assert_eq!(value, serde_json::from_slice::<Value>(&real.stdout).unwrap(), "{words:?}");
    value
}

#[test]
fn fixture_hosts_have_the_same_facts() {
    if !is_there("nix") {
        return;
    }
    let place = Place::new();
    copy_folder(&root().join("tests/flakes/facts"), &place.path("flake"));
    place.commit();
    let all = agree(&place, &["facts", "--all", "--outputs", "--json"]);
    assert_eq!(all.as_array().unwrap().len(), 7);
    agree(&place, &["hosts", "--json"]);
    let mut one = agree(&place, &["facts", "storage", "--outputs", "--json"]);
    assert_eq!(one, all[6]);
    one.as_object_mut().unwrap().remove("outputs").unwrap();
    assert_eq!(agree(&place, &["facts", "storage", "--json"]), one);
    // A work tree that is not committed, too.
    place.write("hosts/new.nix", "{ }").git(&["add", "-A"]);
    agree(&place, &["facts", "--all", "--json"]);
}

/// A system that can't be evaluated is no hindrance to what its options say.
#[test]
fn options_are_read_without_the_system() {
    let place = Place::new();
    place.write(
        "flake.nix",
        r#"{
  outputs = { self }: {
    nixosConfigurations.a = {
      config = {
        nixpkgs.hostPlatform = "x86_64-linux";
        system.build.toplevel = throw "an assertion";
      };
      options = { };
    };
  };
}
"#,
    );
    for evaluator in ["embedded", "nix"] {
        if evaluator == "nix" && !is_there("nix") {
            continue;
        }
        let outcome = place.run(&["facts", "a", "--evaluator", evaluator]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let outcome = place.run(&["facts", "a", "--outputs", "--evaluator", evaluator]);
        assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("an assertion"), "{}", outcome.stderr);
    }
}

/// The template, with the small stand-ins for its inputs.
#[test]
fn hosts_of_the_template_have_the_same_facts() {
    if !is_there("nix") {
        return;
    }
    let place = Place::new();
    nix_config(&place.path("flake"));
    let stand_in = |name: &str| format!("path:{}/tests/flakes/mini-{name}", root().display());
    let (nixpkgs, disko) = (stand_in("nixpkgs"), stand_in("disko"));
    let overrides = ["--override-input", "nixpkgs", &nixpkgs, "--override-input", "disko", &disko];
    let with = |words: &[&'static str]| agree(&place, &[words, &overrides[..]].concat());
    with(&["facts", "--all", "--json"]);
    let all = with(&["facts", "--all", "--outputs", "--json"]);
    let names: Vec<&str> =
        all.as_array().unwrap().iter().map(|host| host["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["grief", "guppy", "gusto"]);
    assert!(all[0]["outputs"]["toplevel"]["drvPath"].is_string());
    with(&["hosts", "--json"]);
    let installer = format!("{}?dir=nixos-installer", place.path("flake").display());
    let small = agree(
        &place,
        &[&["facts", "--all", "--outputs", "--json", "--flake", &installer][..], &overrides]
            .concat(),
    );
    assert!(small.as_array().unwrap().iter().any(|host| host["outputs"]["isoImage"].is_object()));
}

#[test]
fn flakes_without_hosts_are_refused_alike() {
    if !is_there("nix") {
        return;
    }
    for flake in ["mini-nixpkgs", "mini-disko"] {
        let place = Place::new();
        copy_folder(&root().join("tests/flakes").join(flake), &place.path("flake"));
        let ours = place.run(&["facts", "--all"]);
        let real = place.run(&["facts", "--all", "--evaluator", "nix"]);
        assert_eq!((ours.code, &ours.stderr), (Some(2), &real.stderr), "{flake}");
    }
}

/// Nothing of the secrets that a host knows or names is among its facts, nor remembered.
#[test]
fn secrets_are_no_facts() {
    let place = Place::new();
    place.write(
        "flake.nix",
        r#"{
  outputs = { self }: {
    nixosConfigurations.a = {
      config = {
        networking.hostName = "a";
        nixpkgs.hostPlatform = "x86_64-linux";
        users.users.ta = { isNormalUser = true; hashedPassword = "HIDDEN"; initialPassword = "HIDDEN"; };
        sops.defaultSopsFile = ./secrets.yaml;
        sops.secrets.token = { sopsFile = ./secrets.yaml; value = "HIDDEN"; };
        sops.age.keyFile = "/k";
        environment.variables.TOKEN = "HIDDEN";
        disko.devices.disk.main = { device = "/dev/vda"; content = { type = "luks"; name = "x"; password = "HIDDEN"; passwordFile = "/p"; }; };
      };
      options = { };
    };
  };
}
"#,
    );
    place.write("secrets.yaml", "token: HIDDEN\n");
    let outcome = place.run(&["facts", "a", "--json"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.text().contains("secrets.yaml") && !outcome.text().contains("HIDDEN"));
    assert_eq!(place.entries().len(), 2);
    for entry in place.entries() {
        assert!(!fs::read_to_string(entry).unwrap().contains("HIDDEN"));
    }
}
