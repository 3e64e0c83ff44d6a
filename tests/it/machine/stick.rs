//! A stick with the installer on it, written by the tool: a loop device, whose file the machine gets.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::scene::{Scene, checked, root, text};

/// Room after the image, as on a real stick.
const MORE: u64 = 64 << 20;

/// Writes the installer image; the file that is the stick.
pub(super) fn with_installer(scene: &Scene) -> PathBuf {
    let image = PathBuf::from(text(&checked(&mut Command::new(root().join("tests/vm/image")))));
    let size = image.metadata().unwrap().len();
    let stick = scene.dir.path().join("stick.img");
    File::create_new(&stick).unwrap().set_len(size + MORE).unwrap();
    {
        let device = Loop::of(&stick);
        let mut iso = Command::new(assert_cmd::cargo::cargo_bin("nixos-bootstrap"));
        iso.args(["iso", "--image"]).arg(&image).args(["--yes", "--allow-fixed-disk"]);
        checked(iso.arg(&device.path).env("HOME", scene.home()));
    }
    checked(Command::new("cmp").args(["-n", &size.to_string()]).args([&image, &stick]));
    stick
}

/// A file as a block device, for as long as this lives.
struct Loop {
    path: String,
}

impl Loop {
    fn of(file: &Path) -> Self {
        let made = checked(Command::new("losetup").args(["--find", "--show"]).arg(file));
        Self { path: text(&made) }
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let detached =
            Command::new("losetup").args(["--detach", &self.path]).stdin(Stdio::null()).status();
        assert!(detached.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}
