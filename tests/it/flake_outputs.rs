//! What our flake gives to others, by the real nix: its outputs, the small flake of the installer,
//! the template, and a foreign flake that takes ours as an input. The stand-ins replace what would
//! come from the network.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::evaluators::{Evaluation, Evaluator, What, difference, is_there};

/// Where the program runs.
const SYSTEMS: [&str; 4] = ["aarch64-darwin", "aarch64-linux", "x86_64-darwin", "x86_64-linux"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder with a copy of our flake, `own`, and room for others.
struct Scene(TempDir);

impl Scene {
    /// `None` without nix. `whole`: with what the package is made of.
    fn new(whole: bool) -> Option<Self> {
        if !is_there("nix") {
            return None;
        }
        let dir = tempfile::Builder::new().prefix("flake").tempdir().unwrap();
        let mut command = Command::new(root().join("tests/flakes/own"));
        command.args(whole.then_some("--all")).arg(dir.path().join("own"));
        text(&checked(&mut command));
        Some(Self(dir))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn own(&self) -> String {
        format!("path:{}", self.path("own").display())
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// `nix` with the stand-ins in place of these inputs.
    fn nix(&self, words: &[&str], inputs: &[&str]) -> Command {
        let mut command = Command::new("nix");
        command.args(words).arg("--no-write-lock-file").args(overrides(inputs));
        command.current_dir(self.0.path());
        command
    }

    /// The value of an attribute of our flake after a function.
    fn own_value(&self, attribute: &str, apply: &str) -> Value {
        let installable = format!("{}#{attribute}", self.own());
        let words = ["eval", "--json", &installable, "--apply", apply];
        serde_json::from_slice(&checked(&mut self.nix(&words, &OWN_INPUTS)).stdout).unwrap()
    }
}

/// The inputs of our flake.
const OWN_INPUTS: [&str; 3] = ["nixpkgs", "disko", "nixos-anywhere"];

fn overrides(inputs: &[&str]) -> Vec<String> {
    let stand_in = |input: &&str| {
        let name = input.rsplit('/').next().unwrap();
        let path = root().join("tests/flakes").join(format!("mini-{name}"));
        ["--override-input".to_owned(), (*input).to_owned(), format!("path:{}", path.display())]
    };
    inputs.iter().flat_map(stand_in).collect()
}

/// Fails with what a program said when it did not end well.
fn checked(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {}\n{error}", output.status);
    output
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_flake_shows_what_it_gives() {
    let Some(scene) = Scene::new(true) else { return };
    let mut show =
        scene.nix(&["flake", "show", "--json", "--all-systems", &scene.own()], &OWN_INPUTS);
    let shown: Value = serde_json::from_slice(&checked(&mut show).stdout).unwrap();
    // Newer versions of nix put a layer around it.
    let shown = shown.get("inventory").unwrap_or(&shown);
    assert_eq!(
        names(shown),
        [
            "apps",
            "checks",
            "devShells",
            "formatter",
            "lib",
            "nixosModules",
            "overlays",
            "packages",
            "templates"
        ]
    );
    for kind in ["apps", "devShells", "formatter", "packages"] {
        assert_eq!(names(&shown[kind]), SYSTEMS, "{kind}");
    }
    assert_eq!(names(&shown["checks"]), ["aarch64-linux", "x86_64-linux"]);
    assert_eq!(names(&shown["apps"]["x86_64-linux"]), ["bootstrap", "default", "iso"]);
    assert_eq!(names(&shown["packages"]["aarch64-linux"]), ["default", "nixos-bootstrap"]);
    assert_eq!(
        names(&shown["checks"]["x86_64-linux"]),
        ["bootstrap", "clippy", "modules", "options-doc", "package", "tests"]
    );
    assert_eq!(
        names(&shown["nixosModules"]),
        ["bootstrap", "default", "disks-btrfs", "disks-btrfs-luks", "iso", "minimal", "user"]
    );
    let package = &shown["packages"]["x86_64-linux"]["default"];
    assert_eq!(package["name"], format!("nixos-bootstrap-{}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn every_output_evaluates_and_the_small_checks_build() {
    let Some(scene) = Scene::new(true) else { return };
    let own = scene.own();
    checked(&mut scene.nix(&["flake", "check", "--no-build", "--all-systems", &own], &OWN_INPUTS));
    // Those that need no compiler are built for real.
    for check in ["modules", "options-doc"] {
        let installable = format!("{own}#checks.x86_64-linux.{check}");
        checked(&mut scene.nix(&["build", "--no-link", &installable], &OWN_INPUTS));
    }
}

#[test]
fn both_evaluators_make_the_same_of_every_output() {
    if !is_there("nix-instantiate") {
        return;
    }
    let folder = root().join("tests/flakes");
    let evaluation = Evaluation {
        folder: &folder,
        variables: &[],
        options: ["--strict", "--json"].map(Into::into).to_vec(),
        what: What::File("./outputs.nix".into()),
        writable: true,
    };
    let [real, ours] = [Evaluator::Real, Evaluator::Ours].map(|who| evaluation.run(who));
    assert_eq!(real.code, Some(0), "{}", real.stderr);
    assert_eq!(ours.code, Some(0), "{}", ours.stderr);
    assert!(real.stdout == ours.stdout, "{}", difference(&real.stdout, &ours.stdout));
}

#[test]
fn installables_are_the_same_in_both_evaluators() {
    let Some(scene) = Scene::new(true) else { return };
    let foreign = foreign(&scene, EVERY_OPTION);
    let installer = format!("{}?dir=nixos-installer", scene.own());
    let per_system = "builtins.mapAttrs (_: set: builtins.mapAttrs (_: d: d.drvPath) set)";
    let toplevels = "builtins.mapAttrs (_: h: h.config.system.build.toplevel.drvPath)";
    let own = scene.own();
    for (flake, inputs, attribute, apply) in [
        (&own, &OWN_INPUTS[..], "packages", per_system),
        (&own, &OWN_INPUTS, "checks", per_system),
        (&own, &OWN_INPUTS, "devShells", per_system),
        (&own, &OWN_INPUTS, "formatter", "builtins.mapAttrs (_: f: f.drvPath)"),
        (&own, &OWN_INPUTS, "apps", "apps: apps"),
        (&own, &OWN_INPUTS, "nixosModules", "builtins.mapAttrs (_: toString)"),
        (&own, &OWN_INPUTS, "templates", "builtins.mapAttrs (_: t: toString t.path)"),
        (&own, &OWN_INPUTS, "lib", "builtins.attrNames"),
        (&own, &OWN_INPUTS, "overlays", "builtins.mapAttrs (_: builtins.isFunction)"),
        (
            &installer,
            &["nixos-bootstrap/nixpkgs", "nixos-bootstrap/disko"],
            "nixosConfigurations",
            toplevels,
        ),
        (&foreign, &FOREIGN_INPUTS, "nixosConfigurations", toplevels),
        (&foreign, &FOREIGN_INPUTS, "apps", "apps: apps"),
    ] {
        let installable = format!("{flake}#{attribute}");
        let words = ["eval", "--json", &installable, "--apply", apply];
        let real = text(&checked(&mut scene.nix(&words, inputs)));
        let mut ours = Command::new(env!("CARGO_BIN_EXE_nixos-bootstrap"));
        let ours = text(&checked(ours.args(words).args(overrides(inputs))));
        assert!(real == ours, "{installable}: {}", difference(real.as_bytes(), ours.as_bytes()));
    }
}

#[test]
fn the_locks_are_whole_and_agree() {
    let Some(scene) = Scene::new(false) else { return };
    // Without the stand-ins, and without a network: nothing may be missing in the locks.
    for (reference, lock) in [
        (scene.own(), "own/flake.lock"),
        (format!("{}?dir=nixos-installer", scene.own()), "own/nixos-installer/flake.lock"),
    ] {
        let before = std::fs::read_to_string(scene.path(lock)).unwrap();
        checked(Command::new("nix").args(["flake", "lock", &reference]));
        assert_eq!(std::fs::read_to_string(scene.path(lock)).unwrap(), before, "{lock}");
    }
    let lock: Value =
        serde_json::from_slice(&std::fs::read(scene.path("own/flake.lock")).unwrap()).unwrap();
    for input in OWN_INPUTS {
        let locked = &lock["nodes"][input]["locked"];
        let is_text = |name: &str, length| locked[name].as_str().unwrap().len() == length;
        assert!(is_text("rev", 40) && is_text("narHash", "sha256-".len() + 44), "{locked}");
        // The first second of 2026.
        assert!(locked["lastModified"].as_u64().unwrap() >= 1_767_225_600, "{locked}");
    }
}

/// A flake of somebody else's that takes ours as an input, with one host.
fn foreign(scene: &Scene, host: &str) -> String {
    scene.write(
        "foreign/flake.nix",
        &format!(
            r#"{{
              inputs = {{
                nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
                disko.url = "github:nix-community/disko";
                disko.inputs.nixpkgs.follows = "nixpkgs";
                nixos-bootstrap.url = "{own}";
                nixos-bootstrap.inputs.nixpkgs.follows = "nixpkgs";
                nixos-bootstrap.inputs.disko.follows = "disko";
              }};
              outputs = {{ nixpkgs, disko, nixos-bootstrap, ... }}: {{
                apps = nixos-bootstrap.lib.mkApps {{ systems = [ "x86_64-linux" ]; }};
                nixosConfigurations.grief = nixpkgs.lib.nixosSystem {{
                  modules = [
                    disko.nixosModules.disko
                    nixos-bootstrap.nixosModules.disks-btrfs
                    nixos-bootstrap.nixosModules.user
                    {{
                      nixpkgs.hostPlatform = "x86_64-linux";
                      boot.loader.systemd-boot.enable = true;
                    }}
                    ./host.nix
                  ];
                }};
              }};
            }}
            "#,
            own = scene.own()
        ),
    );
    scene.write("foreign/host.nix", host);
    format!("path:{}", scene.path("foreign").display())
}

const FOREIGN_INPUTS: [&str; 3] = ["nixpkgs", "disko", "nixos-bootstrap/nixos-anywhere"];

const EVERY_OPTION: &str = r#"{
  bootstrap = {
    target = {
      host = "192.0.2.10";
      port = 2222;
      user = "nixos";
      identityFile = "~/.ssh/id_install";
    };
    isMinimal = true;
    persistDir = "/persist";
    user = "ta";
    nixConfig.path = "~/src/nix-config";
    secrets = {
      repo = "../my-secrets";
      file = "secrets.yaml";
      ageKeyPath = "/home/ta/.config/sops/age/keys.txt"; hostKeyPath = "hosts/grief/ssh";
    };
    hardware = {
      generator = "nixos-facter";
      file = ./facter.json;
    };
    rebuild.command = "just rebuild";
    account.keys = [ "ssh-ed25519 AAAA ta" ];
    disk = {
      device = "/dev/disk/by-id/ata-X_1";
      swapSize = 8;
    };
  };
}
"#;

#[test]
fn every_option_of_a_foreign_host_is_a_fact() {
    let Some(scene) = Scene::new(false) else { return };
    let flake = foreign(&scene, EVERY_OPTION);
    let [facts, by_nix] = ["embedded", "nix"].map(|evaluator| -> Value {
        let words = ["facts", "grief", "--json", "--no-cache", "--evaluator", evaluator, "--flake"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_nixos-bootstrap"));
        let command = command.args(words).arg(&flake).args(overrides(&FOREIGN_INPUTS));
        serde_json::from_slice(&checked(command).stdout).unwrap()
    });
    assert_eq!(facts, by_nix);
    let file = facts["bootstrap"]["hardwareFile"].as_str().unwrap();
    assert!(file.ends_with("-source/facter.json"), "{file}");
    for (fact, value) in [
        (
            "target",
            json!({ "host": "192.0.2.10", "port": 2222, "user": "nixos", "identityFile": "~/.ssh/id_install" }),
        ),
        ("isMinimal", json!(true)),
        ("persistDir", json!("/persist")),
        ("primaryUser", json!("ta")),
        (
            "bootstrap",
            json!({
                "nixConfigPath": "~/src/nix-config",
                "secretsRepo": "../my-secrets",
                "secretsFile": "secrets.yaml",
                "secretsAgeKeyPath": "/home/ta/.config/sops/age/keys.txt",
                "secretsHostKeyPath": "hosts/grief/ssh",
                "hardwareGenerator": "nixos-facter",
                "hardwareFile": file,
                "rebuildCommand": "just rebuild",
            }),
        ),
    ] {
        assert_eq!(facts[fact], value, "{fact}");
    }
    assert_eq!(facts["disko"]["disks"][0]["device"], "/dev/disk/by-id/ata-X_1");
    let swap = facts["swap"]["devices"][0]["device"].as_str();
    assert_eq!(swap, Some("/.swapvol/swapfile"));
    // The facts have nothing else of `bootstrap.*`: a new option must be added above.
    let page = std::fs::read_to_string(root().join("docs/options.md")).unwrap();
    let section = page.split("\n## ").find(|s| s.starts_with("The module `bootstrap`")).unwrap();
    assert_eq!(section.matches("\n### ").count(), 15, "options of the module bootstrap");
}

#[test]
fn a_foreign_flake_has_our_apps() {
    let Some(scene) = Scene::new(true) else { return };
    let flake = foreign(&scene, "{ bootstrap.user = \"ta\"; }");
    let words = ["eval", "--json", &format!("{flake}#apps")];
    let theirs: Value =
        serde_json::from_slice(&checked(&mut scene.nix(&words, &FOREIGN_INPUTS)).stdout).unwrap();
    assert_eq!(names(&theirs), ["x86_64-linux"]);
    let ours = scene.own_value("apps", "apps: { inherit (apps) x86_64-linux; }");
    assert_eq!(theirs, ours);
}

#[test]
fn the_template_and_its_small_flake_pass_their_check() {
    let Some(scene) = Scene::new(true) else { return };
    let folder = scene.path("nix-config");
    std::fs::create_dir(&folder).unwrap();
    // Our own outputs need no input to be there for this.
    checked(Command::new("nix").args(["flake", "init", "-t", &scene.own()]).current_dir(&folder));
    checked(Command::new("git").args(["init", "-q"]).current_dir(&folder));
    for file in ["flake.nix", "nixos-installer/flake.nix"] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        assert!(text.contains("github:FILL_IN/nixos-bootstrap"), "{file}");
        let filled = text.replace("github:FILL_IN/nixos-bootstrap", &scene.own());
        std::fs::write(folder.join(file), filled).unwrap();
    }
    checked(Command::new("git").args(["add", "-A"]).current_dir(&folder));
    for reference in [".", "./nixos-installer"] {
        let words = ["flake", "check", "--no-build", reference];
        checked(scene.nix(&words, &FOREIGN_INPUTS).current_dir(&folder));
    }
}

#[test]
fn the_small_flake_makes_an_image_and_whatever_hosts_there_are() {
    let Some(scene) = Scene::new(false) else { return };
    let inputs = ["nixos-bootstrap/nixpkgs", "nixos-bootstrap/disko"];
    let hosts = |reference: &str, inputs: &[&str]| -> Value {
        let installable = format!("{reference}#nixosConfigurations");
        let apply = "builtins.mapAttrs (_: host: host.config.networking.hostName)";
        let words = ["eval", "--json", &installable, "--apply", apply];
        serde_json::from_slice(&checked(&mut scene.nix(&words, inputs)).stdout).unwrap()
    };
    // Here it stands in a flake that has no hosts.
    let here = format!("{}?dir=nixos-installer", scene.own());
    assert_eq!(hosts(&here, &inputs), json!({ "iso": "nixos-installer" }));

    // Copied into somebody's repository, which has some.
    foreign(
        &scene,
        "{ bootstrap.user = \"ta\"; networking.hostName = \"g\"; bootstrap.disk.device = \"/dev/vda\"; }",
    );
    checked(
        Command::new("cp")
            .arg("-r")
            .arg(scene.path("own/nixos-installer"))
            .arg(scene.path("foreign")),
    );
    std::fs::remove_file(scene.path("foreign/nixos-installer/flake.lock")).unwrap();
    let flake = scene.path("foreign/nixos-installer/flake.nix");
    let copied = std::fs::read_to_string(&flake).unwrap();
    let filled = copied.replacen(
        "nixos-bootstrap.url = \"path:..\"",
        &format!("nixos-bootstrap.url = \"{}\"", scene.own()),
        1,
    );
    assert_ne!(copied, filled);
    std::fs::write(&flake, filled).unwrap();
    let there = format!("path:{}?dir=nixos-installer", scene.path("foreign").display());
    let inputs = [&inputs[..], &["nix-config/nixpkgs", "nix-config/disko"]].concat();
    assert_eq!(hosts(&there, &inputs), json!({ "grief": "g", "iso": "nixos-installer" }));
}

#[test]
fn the_template_s_small_flake_is_the_one_that_others_copy() {
    let read = |folder: &str, file: &str| {
        std::fs::read_to_string(root().join(folder).join("nixos-installer").join(file)).unwrap()
    };
    for file in ["minimal-configuration.nix", "iso/default.nix"] {
        assert_eq!(read("", file), read("templates/default", file), "{file}");
    }
    let outputs =
        |folder| read(folder, "flake.nix").split_once("  outputs =").unwrap().1.to_owned();
    assert_eq!(outputs(""), outputs("templates/default"));
}

#[test]
fn a_flake_without_hosts_is_said_to_be_one() {
    let Some(scene) = Scene::new(false) else { return };
    let output = Command::new(env!("CARGO_BIN_EXE_nixos-bootstrap"))
        .args(["hosts", "--flake", &scene.own()])
        .args(overrides(&OWN_INPUTS))
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("has no nixosConfigurations"), "{error}");
}

#[test]
fn the_page_of_options_is_made_from_the_modules() {
    if !is_there("nix-instantiate") {
        return;
    }
    let page = std::fs::read_to_string(root().join("docs/options.md")).unwrap();
    let made = |who| {
        let expression =
            "import ./nix/options-doc.nix { lib = import ./tests/flakes/mini-nixpkgs/lib; }";
        let evaluation = Evaluation {
            folder: root(),
            variables: &[],
            options: vec!["--raw".into()],
            what: What::Expr(expression.into()),
            writable: false,
        };
        let outcome = evaluation.run(who);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        outcome.text()
    };
    let real = made(Evaluator::Real);
    assert!(
        real == page,
        "run scripts/options-doc:\n{}",
        difference(page.as_bytes(), real.as_bytes())
    );
    assert!(made(Evaluator::Ours) == page);
}

#[test]
fn the_package_has_the_programs_that_it_calls() {
    // Where the sources name a program that runs here, not on the target, and the package it is in.
    let packages = [
        ("age", "age"),
        ("age-keygen", "age"),
        ("blockdev", "util-linux"),
        ("git", "git"),
        ("lsblk", "util-linux"),
        ("nix", "nix"),
        ("nix-instantiate", "nix"),
        ("nixos-anywhere", "nixos-anywhere"),
        ("rsync", "rsync"),
        ("sops", "sops"),
        ("ssh", "openssh"),
        ("ssh-add", "openssh"),
        ("ssh-keygen", "openssh"),
        ("ssh-keyscan", "openssh"),
        ("umount", "util-linux"),
    ];
    // Only the system's own can give root.
    let of_the_system = ["sudo"];
    // In commands that the user is told, and that are never run here.
    let told = ["puttygen"];
    let on_the_target = [
        "cat",
        "nixos-facter",
        "nixos-generate-config",
        "nixos-install",
        "rm",
        "sh",
        "systemctl",
        "tar",
        "test",
    ];
    let nix = std::fs::read_to_string(root().join("nix/package.nix")).unwrap();
    let list = nix.split_once("runtimeInputs = [").unwrap().1.split_once(']').unwrap().0;
    let inputs: BTreeSet<_> = list.split_whitespace().collect();
    let mut seen = 0;
    for program in programs_in(&root().join("src")) {
        // The program's own name is clap's.
        let elsewhere = [&on_the_target[..], &of_the_system, &told].concat();
        if elsewhere.contains(&program.as_str()) || program == "nixos-bootstrap" {
            continue;
        }
        let package = packages.iter().find(|(name, _)| *name == program);
        let (_, package) = package.unwrap_or_else(|| panic!("what package has {program}?"));
        assert!(inputs.contains(package), "nix/package.nix lacks {package} for {program}");
        seen += 1;
    }
    assert!(seen >= 5, "only {seen} programs were found");
}

/// The names in `Command::new("…")` outside of tests.
fn programs_in(folder: &Path) -> BTreeSet<String> {
    let mut programs = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        if ["tests", "testing", "samples", "scripted"].contains(&stem.as_str())
            || stem.ends_with("_tests")
        {
            continue;
        }
        if path.is_dir() {
            programs.extend(programs_in(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            let whole = std::fs::read_to_string(&path).unwrap();
            let code = whole.split("\n#[cfg(test)]").next().unwrap();
            let named = code.split("Command::new(\"").skip(1);
            programs.extend(named.map(|rest| rest.split('"').next().unwrap().to_owned()));
        }
    }
    programs
}

#[test]
fn every_function_is_documented() {
    let page = std::fs::read_to_string(root().join("docs/library.md")).unwrap();
    let listed: BTreeSet<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split([' ', '`']).next())
        .map(str::to_owned)
        .collect();
    let mut documented = BTreeSet::new();
    for file in ["apps", "hosts", "minimal", "paths", "vars"] {
        let text = std::fs::read_to_string(root().join(format!("lib/{file}.nix"))).unwrap();
        for comment in text.split("\n  /**\n").skip(1) {
            let (comment, code) = comment.split_once("  */\n").unwrap();
            for part in ["# Example", "# Type"] {
                assert!(comment.contains(part), "lib/{file}.nix: no {part} in:\n{comment}");
            }
            documented.insert(code.trim_start().split(' ').next().unwrap().to_owned());
        }
    }
    assert_eq!(listed, documented, "docs/library.md and the comments in lib/");
    let Some(scene) = Scene::new(false) else { return };
    let given = scene.own_value("lib", "builtins.attrNames");
    assert_eq!(json!(documented), given);
}

#[test]
fn links_of_the_pages_lead_somewhere() {
    let mut links = 0;
    for page in [
        "README.md",
        "ARCHITECTURE.md",
        "docs/adopting.md",
        "docs/evaluator.md",
        "docs/index.md",
        "docs/json.md",
        "docs/library.md",
        "docs/options.md",
    ] {
        let text = std::fs::read_to_string(root().join(page)).unwrap();
        for rest in text.split("](").skip(1) {
            let link = rest.split([')', '#']).next().unwrap();
            if link.is_empty() || link.contains("://") {
                continue;
            }
            let target = root().join(page).parent().unwrap().join(link);
            assert!(target.exists(), "{page}: {link}");
            links += 1;
        }
    }
    assert!(links > 10, "only {links} links");
}
