//! `iso --pin-host-key`: images of a real xorriso get a host key on their way, and what the installer does with it.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::evaluators::is_there;
use crate::instantiate::{OURS, done, text};
use crate::iso::loops::{Loop, missing};

struct Scene(TempDir);

impl Scene {
    /// A folder with an image `plain.iso` that holds these files besides a large one; `None` without xorriso.
    fn new(files: &[(&str, &str)]) -> Option<Self> {
        if !is_there("xorriso") {
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir(at("tree")).unwrap();
        std::fs::write(at("tree/nix-store.squashfs"), vec![7; 3 << 20]).unwrap();
        for (name, content) in files {
            std::fs::write(at("tree").join(name), content).unwrap();
        }
        // The words of nixpkgs' make-iso9660-image.sh, without its boot loaders.
        let mut xorriso = Command::new("xorriso");
        xorriso.args(["-as", "mkisofs", "-quiet", "-iso-level", "3", "-volid", "nixos"]);
        xorriso.args(["-graft-points", "-full-iso9660-filenames", "-joliet", "-r"]);
        done(xorriso.arg("-o").arg(at("plain.iso")).arg(at("tree")));
        Some(Self(dir))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn iso(&self, words: &[&str]) -> Output {
        let mut command = Command::new(OURS);
        command.arg("iso").args(words).current_dir(self.0.path());
        command.env("HOME", self.path("home")).env_remove("XDG_STATE_HOME").output().unwrap()
    }

    /// What the installer makes of the image: the public key of its ssh server.
    fn public_key(&self, image: &str) -> String {
        let slot = self.path("slot");
        let _ = std::fs::remove_file(&slot);
        let mut extract = Command::new("xorriso");
        extract.args(["-osirrox", "on", "-indev"]).arg(self.path(image));
        done(extract.args(["-extract", "/host_key.slt"]).arg(&slot));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("modules/iso/host-key.sh");
        let mut install = Command::new("bash");
        done(install.arg("-e").arg(script).env("SLOT", &slot).env("KEY", self.path("key")));
        std::fs::read_to_string(self.path("key.pub")).unwrap_or_default()
    }

    fn remembered(&self) -> String {
        let file = self.path("home/.local/state/nixos-bootstrap/installer-keys");
        std::fs::read_to_string(file).unwrap_or_default()
    }
}

/// What `modules/iso/host-key.nix` makes.
fn slot() -> String {
    format!("{:\n<4096}", "nixos-bootstrap: a place for the SSH host key\n")
}

#[test]
fn the_key_is_in_what_is_written_and_its_public_half_is_known() {
    let Some(scene) = Scene::new(&[("host_key.slt", &slot()), ("README", "hello")]) else { return };
    let before = std::fs::read(scene.path("plain.iso")).unwrap();
    let output = scene.iso(&["--image", "plain.iso", "--pin-host-key", "--output", "a.iso"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("the installer's host key is SHA256:"), "{said}");
    assert!(!said.contains("PRIVATE KEY") && !text(&output.stdout).contains("PRIVATE KEY"));
    assert_eq!(scene.public_key("a.iso"), scene.remembered());
    assert!(scene.remembered().starts_with("ssh-ed25519 "));

    // Nothing else is changed, and nobody else may read it.
    let after = std::fs::read(scene.path("a.iso")).unwrap();
    let differing = |a: &[u8], b: &[u8]| a.iter().zip(b).filter(|(a, b)| a != b).count();
    assert_eq!(after.len(), before.len());
    assert!((1..4096).contains(&differing(&before, &after)));
    assert_eq!(std::fs::read(scene.path("plain.iso")).unwrap(), before);
    let mode = scene.path("a.iso").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    // Each image has a key of its own, made from one that has a key already, too.
    let output = scene.iso(&["--image", "a.iso", "--pin-host-key", "--output", "b.iso"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let (first, second) = (scene.public_key("a.iso"), scene.public_key("b.iso"));
    assert_ne!(first, second);
    assert_eq!(scene.remembered(), first + &second);
}

#[test]
fn a_packed_image_gets_its_key_while_it_is_unpacked() {
    let Some(scene) = Scene::new(&[("host_key.slt", &slot())]) else { return };
    if !is_there("xz") {
        return;
    }
    done(Command::new("xz").args(["-k", "-1"]).arg(scene.path("plain.iso")));
    let output = scene.iso(&["--image", "plain.iso.xz", "--pin-host-key", "--output", "a.iso"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(scene.public_key("a.iso"), scene.remembered());
    let size = |name: &str| scene.path(name).metadata().unwrap().len();
    assert_eq!(size("a.iso"), size("plain.iso"));
}

#[test]
fn an_image_without_a_place_for_it_gets_no_key() {
    let other = slot().replace("nixos-bootstrap:", "something else: ");
    for (files, reason) in [
        (&[("README", "hello")][..], "was not made with the module iso"),
        (&[("host_key.slt", "short")], "not where and as large as"),
        (&[("host_key.slt", other.as_str())], "something else has its name"),
    ] {
        let Some(scene) = Scene::new(files) else { return };
        let output = scene.iso(&["--image", "plain.iso", "--pin-host-key", "--output", "a.iso"]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(reason) && said.contains("lib.mkIso"), "{said}");
        assert!(!scene.path("a.iso").exists());
        assert_eq!(scene.remembered(), "");
    }
}

#[test]
fn a_key_that_would_be_written_nowhere_is_not_made() {
    let Some(scene) = Scene::new(&[("host_key.slt", &slot())]) else { return };
    let output = scene.iso(&["--pin-host-key"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("nothing is to be written") && said.contains("--output"), "{said}");
    assert_eq!(scene.remembered(), "");
}

/// A user who is not root, and a `sudo` that makes root of everybody.
struct Other {
    scene: Scene,
    /// Where programs are that others may run.
    bin: TempDir,
}

const USER: [&str; 5] = ["setpriv", "--reuid=4242", "--regid=4242", "--clear-groups", "--"];

/// A copy of setpriv that is set-user-ID; root's home is not the user's.
const SUDO: &str = r#"#!/bin/sh
[ "$1" = -- ] || exit 9
shift
for word; do case $word in *"PRIVATE KEY"*) exit 9 ;; esac; done
exec DIR/become --reuid 0 --regid 0 --clear-groups -- env HOME=DIR/root "$@"
"#;

impl Other {
    fn new() -> Option<Self> {
        let scene = Scene::new(&[("host_key.slt", &slot())])?;
        let bin = tempfile::tempdir().unwrap();
        let here = bin.path();
        std::fs::write(here.join("sudo"), SUDO.replace("DIR", here.to_str().unwrap())).unwrap();
        std::fs::copy("/usr/bin/setpriv", here.join("become")).unwrap();
        std::fs::copy(OURS, here.join("tool")).unwrap();
        std::fs::create_dir(scene.path("home")).unwrap();
        std::os::unix::fs::chown(scene.path("home"), Some(4242), Some(4242)).unwrap();
        let programs = [("sudo", 0o755), ("become", 0o4755), ("tool", 0o755), ("", 0o755)];
        let modes = programs.map(|(name, mode)| (here.join(name), mode));
        for (path, mode) in modes.into_iter().chain([(scene.path(""), 0o755)]) {
            std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
        }
        Some(Self { scene, bin })
    }

    /// Runs the tool for this user.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(USER[0]);
        command.args(&USER[1..]).arg(self.bin.path().join("tool")).arg("iso").args(words);
        self.at_home(&mut command);
        command
    }

    fn at_home(&self, command: &mut Command) {
        let path = format!("{}:{}", self.bin.path().display(), std::env::var("PATH").unwrap());
        command.current_dir(self.scene.path("")).env("PATH", path).env("TERM", "xterm");
        command.env("HOME", self.scene.path("home")).env_remove("XDG_STATE_HOME");
    }

    /// Runs it at a terminal, and answers when it asks whether `sudo` may be run: what was shown, and the exit code.
    fn answering(&self, words: &[&str], answer: &str) -> (String, Option<i32>) {
        let tool = self.bin.path().join("tool");
        let line = [&USER[..], &[tool.to_str().unwrap(), "iso"], words].concat().join(" ");
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        self.at_home(&mut script);
        let mut script = script.spawn().unwrap();
        let (mut input, mut output) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
        let (mut shown, mut asked, mut piece) = (Vec::new(), false, [0; 4096]);
        loop {
            let read = output.read(&mut piece).unwrap();
            if read == 0 {
                break;
            }
            shown.extend_from_slice(&piece[..read]);
            if !asked && String::from_utf8_lossy(&shown).contains("Writing needs root") {
                input.write_all(answer.as_bytes()).unwrap();
                asked = true;
            }
        }
        let shown = String::from_utf8_lossy(&shown).into_owned();
        assert!(asked, "{shown}");
        (shown, script.wait().unwrap().code())
    }
}

#[test]
fn sudo_writes_the_key_that_the_user_knows() {
    if missing() {
        return;
    }
    let Some(other) = Other::new() else { return };
    let stick = Loop::new(8);
    let before = stick.content(8 << 20);
    let words = ["--image", "plain.iso", "--pin-host-key", "--yes", "--allow-fixed-disk"];
    let words = [&words[..], &[&stick.device]].concat();

    let (shown, code) = other.answering(&words, "n\r");
    assert_eq!(code, Some(3), "{shown}");
    assert!(shown.contains("nothing was written"), "{shown}");
    assert!(stick.content(8 << 20) == before);
    assert_eq!(other.scene.remembered(), "");

    // Nobody can be asked: it says how it is done in two steps.
    let output = other.command(&words).output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("--pin-host-key --output") && said.contains(&stick.device), "{said}");
    assert_eq!(other.scene.remembered(), "");

    let (shown, code) = other.answering(&words, "y\r");
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("safe to remove") && !shown.contains("PRIVATE KEY"), "{shown}");
    let size = other.scene.path("plain.iso").metadata().unwrap().len();
    std::fs::write(other.scene.path("stick.iso"), stick.content(size.try_into().unwrap())).unwrap();
    assert!(other.scene.remembered().starts_with("ssh-ed25519 "));
    assert_eq!(other.scene.public_key("stick.iso"), other.scene.remembered());
    assert!(!other.bin.path().join("root").exists(), "root keeps nothing of it");
}

#[test]
fn what_is_handed_over_must_be_a_key() {
    let Some(scene) = Scene::new(&[("host_key.slt", &slot())]) else { return };
    if missing() {
        return;
    }
    let stick = Loop::new(8);
    let before = stick.content(8 << 20);
    let mut command = Command::new(OURS);
    command.args(["iso", "--image", "plain.iso", "--host-key-from-stdin"]).args(stick.words());
    command.current_dir(scene.path("")).stdin(Stdio::null());
    let output = command.output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("--host-key-from-stdin: "), "{said}");
    assert!(stick.content(8 << 20) == before);
}
