//! The recipes of the template's justfile, run by the real `just`. Programs that they call are
//! stood in for by one that writes down how it was called.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::evaluators::is_there;

/// A nix-config with the recipes, and programs that only take notes.
struct Scene(tempfile::TempDir);

impl Scene {
    fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("just").tempdir().unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        std::fs::create_dir_all(dir.path().join("nix config")).unwrap();
        std::fs::create_dir_all(dir.path().join("nix-secrets")).unwrap();
        std::fs::create_dir_all(dir.path().join("bin")).unwrap();
        std::fs::copy(
            root.join("templates/default/justfile"),
            dir.path().join("nix config/justfile"),
        )
        .unwrap();
        for program in ["age-keygen", "git", "nix", "nixos-bootstrap", "rsync", "sudo"] {
            let path = dir.path().join("bin").join(program);
            // `nix build` is asked for a path.
            let script = "#!/bin/sh\nprintf '%s' \"${0##*/}\" >&3\nprintf ' [%s]' \"$@\" >&3\n\
                          echo >&3\n[ \"$1\" != build ] || echo /built\n";
            std::fs::write(&path, script).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self(dir)
    }

    /// What a recipe calls, in order.
    fn calls(&self, words: &[&str]) -> String {
        let log = self.0.path().join("log");
        let bin = self.0.path().join("bin");
        let path = std::env::var("PATH").unwrap();
        let output = Command::new("sh")
            .args(["-c", "exec just --yes \"$@\" 3>\"$LOG\"", "sh"])
            .args(words)
            .current_dir(self.0.path().join("nix config"))
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("LOG", &log)
            .env("NIXOS_BOOTSTRAP", "nixos-bootstrap")
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {error}");
        std::fs::read_to_string(log).unwrap()
    }
}

#[test]
fn recipes_call_what_they_say() {
    if !is_there("just") {
        return;
    }
    let scene = Scene::new();
    let host = text(Command::new("uname").arg("-n"));
    for (words, calls) in [
        (
            vec!["bootstrap", "grief", "-d", "192.0.2.1"],
            "nixos-bootstrap [bootstrap] [grief] [-d] [192.0.2.1]\n",
        ),
        // A word with a blank stays one, and nothing of it reaches the shell.
        (vec!["plan", "a b; id"], "nixos-bootstrap [plan] [a b; id]\n"),
        (vec!["iso"], "nixos-bootstrap [iso]\n"),
        (vec!["iso-install", "/dev/sdX", "--yes"], "nixos-bootstrap [iso] [/dev/sdX] [--yes]\n"),
        (
            vec!["disko", "grief"],
            "nix [build] [--no-link] [--print-out-paths] \
             [.#nixosConfigurations.grief.config.system.build.diskoScript]\nsudo [/built]\n",
        ),
        (
            vec!["sync", "ta", "192.0.2.1"],
            "rsync [-av] [--filter=:- .gitignore] [./] [ta@192.0.2.1:nix-config/]\n\
             rsync [-av] [--filter=:- .gitignore] [../nix-secrets/] [ta@192.0.2.1:nix-secrets/]\n",
        ),
        (
            vec!["rebuild", "--show-trace"],
            "git [add] [--intent-to-add] [.]\n\
             sudo [nixos-rebuild] [switch] [--flake] [.#HOST] [--show-trace]\n",
        ),
        (
            vec!["rebuild-full"],
            "git [-C] [../nix-secrets] [pull] [--rebase]\nnix [flake] [update] [nix-secrets]\n\
             nix [flake] [check] [--no-build]\ngit [add] [--intent-to-add] [.]\n\
             sudo [nixos-rebuild] [switch] [--flake] [.#HOST]\n\
             nixos-bootstrap [secrets] [check] [HOST]\n",
        ),
        (vec!["diff", "--stat"], "git [diff] [--stat] [:!*flake.lock]\n"),
        (vec!["age-key"], "age-keygen []\n"),
        (vec!["rekey"], "nixos-bootstrap [secrets] [rekey]\n"),
        (vec!["check-sops", "grief"], "nixos-bootstrap [secrets] [check] [grief]\n"),
        (
            vec!["update-nix-secrets"],
            "git [-C] [../nix-secrets] [pull] [--rebase]\nnix [flake] [update] [nix-secrets]\n",
        ),
    ] {
        assert_eq!(scene.calls(&words), calls.replace("HOST", &host), "{words:?}");
    }
}

#[test]
fn the_repository_has_the_same_recipes_and_its_own() {
    if !is_there("just") {
        return;
    }
    let recipes = |folder: &str| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let list = text(Command::new("just").arg("--summary").current_dir(root.join(folder)));
        list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let here = recipes(".");
    for recipe in recipes("templates/default") {
        assert!(here.contains(&recipe), "{recipe}");
    }
    for recipe in ["demo", "options-doc", "test"] {
        assert!(here.iter().any(|name| name == recipe), "{recipe}");
    }
}

fn text(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
