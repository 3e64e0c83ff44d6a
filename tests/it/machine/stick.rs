//! A stick with the installer on it and a host key that is known, written by the tool: a loop device, whose file
//! the machine gets.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::scene::{Scene, checked, root, text};

/// Room after the image, as on a real stick.
const MORE: u64 = 64 << 20;

/// The stick's file, and what is known of the host key on it.
pub(super) struct Stick {
    pub(super) file: PathBuf,
    /// The list of all keys that images were given; it has one.
    pub(super) host_key: PathBuf,
}

/// Writes the installer image.
pub(super) fn with_installer(scene: &Scene) -> Stick {
    let image = PathBuf::from(text(&checked(&mut Command::new(root().join("tests/vm/image")))));
    let size = image.metadata().unwrap().len();
    let file = scene.dir.path().join("stick.img");
    File::create_new(&file).unwrap().set_len(size + MORE).unwrap();
    {
        let device = Loop::of(&file);
        let mut iso = Command::new(assert_cmd::cargo::cargo_bin("nixos-bootstrap"));
        iso.args(["iso", "--image"]).arg(&image).args(["--yes", "--allow-fixed-disk"]);
        iso.args(["--pin-host-key", &device.path]).env("HOME", scene.home());
        checked(iso.env("XDG_STATE_HOME", scene.state()));
    }
    // The image but for the slot, of which the image has the first line.
    let mut compare = Command::new("cmp");
    compare.args(["-l", "-n", &size.to_string()]).args([&image, &file]);
    let differences = compare.stdin(Stdio::null()).output().unwrap();
    assert!((64..4096).contains(&text(&differences).lines().count()));
    Stick { file, host_key: scene.state().join("nixos-bootstrap/installer-keys") }
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
