//! Loop devices over files of a test's own folder.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::tools::output;

/// A loop device, gone at the end.
pub(crate) struct Loop {
    pub(crate) device: String,
    pub(crate) file: PathBuf,
    /// Goes after the device.
    folder: Option<TempDir>,
}

/// Why loop devices can't be made here, if so; a test that needs them is skipped then.
pub(crate) fn missing() -> bool {
    let root = rustix::process::geteuid().is_root();
    let reason = match (root, Path::new("/dev/loop-control").exists()) {
        (true, true) => return false,
        (false, _) => "loop devices need root",
        (true, false) => "the kernel has no loop devices",
    };
    eprintln!("skipped: {reason}");
    true
}

impl Loop {
    /// A device of `mib` MiB with noise on it.
    pub(crate) fn new(mib: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let noise = super::picture::noise(mib << 20, 77);
        let file = super::picture::file(folder.path(), "stick", &noise);
        let mut made = Self::over(&file, &["--partscan"]);
        made.folder = Some(folder);
        made
    }

    /// A device over a file that is there.
    pub(crate) fn over(file: &Path, options: &[&str]) -> Self {
        let mut command = Command::new("losetup");
        let command = command.args(["--find", "--show"]).args(options).arg(file);
        let device = output(command).trim().to_owned();
        let made = Self { device, file: file.to_owned(), folder: None };
        made.check();
        made
    }

    /// Nothing but a device that this test has made may ever be named.
    fn check(&self) {
        let name = self.device.strip_prefix("/dev/").unwrap();
        assert!(name.starts_with("loop"), "{name}");
        let backing = fs::read_to_string(format!("/sys/block/{name}/loop/backing_file")).unwrap();
        assert_eq!(Path::new(backing.trim()), self.file.canonicalize().unwrap());
    }

    /// What is on the device, as its file has it.
    pub(crate) fn content(&self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        fs::File::open(&self.file).unwrap().read_exact_at(&mut bytes, 0).unwrap();
        bytes
    }

    /// The words that write to this device.
    pub(crate) fn words(&self) -> [&str; 3] {
        self.check();
        ["--yes", "--allow-fixed-disk", &self.device]
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        // A failing test must not fail again here.
        let _ = Command::new("losetup").arg("--detach").arg(&self.device).status();
    }
}
