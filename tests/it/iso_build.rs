//! `iso` without a device: the image is found in a flake, built by the real nix unless it is there, and named.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::instantiate::{OURS, Store, text};

/// A flake whose images are made by shell commands.
const FLAKE: &str = r#"{
  outputs = { self }: let
    make = name: script: derivation {
      inherit name;
      system = "x86_64-linux";
      builder = "/bin/sh";
      PATH = "/usr/bin:/bin";
      args = [ "-euc" script ];
    };
    system = image: { config.system.build.isoImage = image; };
  in {
    nixosConfigurations.iso = system (make "image" ''
      mkdir -p $out/iso $out/nix-support
      echo content > $out/iso/installer.iso
      echo "file iso" > $out/nix-support/products
    '');
    nixosConfigurations.host.config = { };
    packages.x86_64-linux = {
      packed = make "packed" "mkdir -p $out/iso; echo x > $out/iso/installer.iso.zst";
      several = make "several" "mkdir -p $out/iso; echo > $out/iso/b.iso; echo > $out/iso/a.iso";
      none = make "none" "mkdir -p $out/bin; echo > $out/bin/tool";
      broken = make "broken" "echo no space for it >&2; exit 7";
      number = 42;
    };
    throwing = throw "this image is not for you";
  };
}
"#;

struct Scene {
    store: Store,
}

impl Scene {
    /// `None` without the real Nix.
    fn new() -> Option<Self> {
        let scene = Self { store: Store::new()? };
        scene.write("flake/flake.nix", FLAKE);
        Some(scene)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.store.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn iso(&self, evaluator: &str, flake: &str, words: &[&str]) -> Output {
        let mut command = self.store.here(OURS);
        command.args(["iso", "--evaluator", evaluator, "--flake", flake]).args(words);
        command.current_dir(self.path("flake")).output().unwrap()
    }

    /// The path that is printed, and what is said besides.
    fn built(&self, evaluator: &str, flake: &str, words: &[&str]) -> (PathBuf, String) {
        let output = self.iso(evaluator, flake, words);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}");
        (text(&output.stdout).trim_end().into(), said)
    }

    fn refused(&self, evaluator: &str, words: &[&str]) -> (Option<i32>, String) {
        let output = self.iso(evaluator, ".", words);
        assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
        (output.status.code(), text(&output.stderr))
    }
}

fn ends_with(path: &Path, end: &str) -> bool {
    path.to_string_lossy().ends_with(end)
}

const BOTH: [&str; 2] = ["embedded", "nix"];

#[test]
fn an_image_is_built_once() {
    for evaluator in BOTH {
        let Some(scene) = Scene::new() else { return };
        let (image, said) = scene.built(evaluator, ".", &[]);
        assert!(ends_with(&image, "-image/iso/installer.iso"), "{}", image.display());
        assert_eq!(std::fs::read_to_string(&image).unwrap(), "content\n");
        assert!(!said.contains("already"), "{said}");
        assert!(!scene.path("flake/result").exists());

        let (again, said) = scene.built(evaluator, ".", &[]);
        assert_eq!(again, image);
        assert!(said.contains("the image is built already"), "{said}");
        assert!(!said.contains("building"), "{said}");
    }
}

#[test]
fn both_evaluators_find_the_same_image() {
    let Some(scene) = Scene::new() else { return };
    let image = |evaluator| scene.built(evaluator, ".", &[]).0;
    assert_eq!(image("embedded"), image("nix"));
}

#[test]
fn an_attribute_is_an_image_or_a_configuration() {
    for evaluator in BOTH {
        let Some(scene) = Scene::new() else { return };
        let (packed, _) = scene.built(evaluator, ".", &["--attr", "packed"]);
        assert!(ends_with(&packed, "-packed/iso/installer.iso.zst"), "{}", packed.display());
        let (image, _) = scene.built(evaluator, ".", &["--attr", "nixosConfigurations.iso"]);
        assert!(ends_with(&image, "-image/iso/installer.iso"), "{}", image.display());
        let output = scene.iso(evaluator, ".", &["--attr", "packed", "--json"]);
        let event: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(event["event"], "image");
        assert_eq!(event["path"], packed.to_string_lossy().as_ref());
        assert_eq!(event["built"], false);
    }
}

#[test]
fn the_small_flake_is_asked_where_the_flake_has_no_image() {
    for evaluator in BOTH {
        let Some(scene) = Scene::new() else { return };
        scene.write("outer/flake.nix", "{ outputs = { self }: { nixosConfigurations = { }; }; }");
        scene.write("outer/nixos-installer/flake.nix", FLAKE);
        let outer = scene.path("outer");
        let (image, _) = scene.built(evaluator, outer.to_str().unwrap(), &[]);
        assert!(ends_with(&image, "-image/iso/installer.iso"), "{}", image.display());

        std::fs::write(outer.join("nixos-installer/flake.nix"), "{ outputs = _: { }; }").unwrap();
        let output = scene.iso(evaluator, outer.to_str().unwrap(), &[]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.contains(
                "has no installer image: there is no nixosConfigurations.iso, and none in"
            ),
            "{said}"
        );
        assert!(said.contains("lib.mkIso"), "{said}");
    }
}

#[test]
fn what_is_no_image_is_told() {
    let Some(scene) = Scene::new() else { return };
    for evaluator in BOTH {
        for (attr, code, parts) in [
            ("several", 2, &["several images: iso/a.iso, iso/b.iso", "--image"][..]),
            ("none", 1, &["holds no image", "but bin"]),
            ("broken", 1, &["no space for it", "exit code 7"]),
            ("number", 2, &["number of the flake . is no installer image", "lib.mkIso"]),
            ("nixosConfigurations.host", 2, &["is no installer image"]),
            (
                "packet",
                2,
                &["does not provide attribute", "packages.x86_64-linux.packet", "packed"],
            ),
            ("throwing", 1, &["this image is not for you"]),
        ] {
            let (exit, said) = scene.refused(evaluator, &["--attr", attr]);
            assert_eq!(exit, Some(code), "{evaluator} {attr}: {said}");
            for part in parts {
                assert!(said.contains(part), "{evaluator} {attr}: no {part:?} in\n{said}");
            }
        }
        let output = scene.iso(evaluator, "/nonexistent", &[]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("there is no flake at /nonexistent"), "{said}");
    }
}
