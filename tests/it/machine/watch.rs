//! What every process looks like from outside while a run lasts, and what is in its private folder.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::scene::Scene;

/// Arguments and environment of all processes of a machine, looked at again and again.
const LOOK: &str = "while cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' ' '; do sleep 1; done";

/// Those of this machine, of the installer or of the installed host, in files of the scene.
pub(super) struct Arguments {
    dir: PathBuf,
    watchers: Vec<Child>,
}

impl Arguments {
    /// Of this machine (`here`) and of the installer.
    pub(super) fn of_installer(scene: &Scene) -> Self {
        let mut here = Command::new("sh");
        here.args(["-c", LOOK]);
        Self::start(scene, vec![("here", here), ("installer", scene.ssh_to_installer(LOOK))])
    }

    /// Of the installed host, once its key is in the person's list.
    pub(super) fn of_host(scene: &Scene) -> Self {
        Self::start(scene, vec![("host", scene.ssh(LOOK))])
    }

    fn start(scene: &Scene, commands: Vec<(&str, Command)>) -> Self {
        let dir = scene.dir.path().to_owned();
        let watchers = commands.into_iter().map(|(name, mut command)| {
            let file = std::fs::File::create(dir.join(name)).unwrap();
            command.stdin(Stdio::null()).stdout(file).stderr(Stdio::null()).spawn().unwrap()
        });
        Self { watchers: watchers.collect(), dir }
    }

    /// The watch has seen work that the secrets are near to.
    pub(super) fn assert_seen(&self, name: &str, words: &str) {
        let seen = std::fs::read(self.dir.join(name)).unwrap();
        assert!(String::from_utf8_lossy(&seen).contains(words), "{words} was not seen: {name}");
    }
}

impl Drop for Arguments {
    fn drop(&mut self) {
        for watcher in &mut self.watchers {
            // The one on the installer has ended with it.
            let _ = watcher.kill().and_then(|()| watcher.wait());
        }
    }
}

/// The tool in a session of its own, where it has no terminal to show a passphrase on, with every
/// program that it or a child of it starts written down: all arguments and the whole environment.
pub(super) fn every_program_of(tool: &Command, scene: &Scene) -> Command {
    let mut command = Command::new("setsid");
    command.args(["--wait", "strace", "-f", "--seccomp-bpf", "-qq", "-v", "-s", "131072"]);
    command.args(["-e", "trace=execve,execveat", "-e", "signal=none", "-o"]);
    command.arg(scene.dir.path().join("programs"));
    command.arg(tool.get_program()).args(tool.get_args()).stdin(Stdio::null());
    command.current_dir(tool.get_current_dir().unwrap());
    for (name, value) in tool.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// These programs were among those that were written down.
pub(super) fn assert_programs_seen(scene: &Scene, names: &[&str]) {
    let seen = std::fs::read_to_string(scene.dir.path().join("programs")).unwrap();
    for name in names {
        let started = format!("/{name}\", [\"");
        let started = seen.lines().any(|line| line.contains(&started) && line.contains("HOME="));
        assert!(started, "{name} was not seen");
    }
}

/// Looks again and again at what is in the tool's private folders.
pub(super) struct Modes {
    stop: Arc<AtomicBool>,
    watcher: Option<std::thread::JoinHandle<BTreeSet<String>>>,
}

impl Modes {
    pub(super) fn watch(scene: &Scene) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (dir, stopped) = (scene.runtime().to_owned(), Arc::clone(&stop));
        let watcher = std::thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while !stopped.load(Ordering::Relaxed) {
                look(&dir, &mut seen);
                std::thread::sleep(Duration::from_millis(20));
            }
            seen
        });
        Self { stop, watcher: Some(watcher) }
    }

    /// Folders were their owner's alone, and so were all files in them; and `file` was there.
    pub(super) fn assert_private(mut self, file: &str) {
        self.stop.store(true, Ordering::Relaxed);
        let seen = self.watcher.take().unwrap().join().unwrap();
        assert!(seen.iter().any(|line| line.contains(file)), "{file} was not seen: {seen:?}");
        let wide =
            seen.iter().filter(|line| !line.starts_with("700 d") && !line.starts_with("600 "));
        assert_eq!(wide.collect::<Vec<_>>(), Vec::<&String>::new());
    }
}

impl Drop for Modes {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Adds `MODE KIND PATH` of all that is below a folder now.
fn look(dir: &Path, seen: &mut BTreeSet<String>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.filter_map(Result::ok) {
        // It may be gone again.
        let Ok(meta) = entry.path().symlink_metadata() else { continue };
        let kind = if meta.is_dir() { 'd' } else { 'f' };
        seen.insert(format!("{:o} {kind} {}", meta.mode() & 0o777, entry.path().display()));
        if meta.is_dir() {
            look(&entry.path(), seen);
        }
    }
}

/// No core of the process or of its children would be dumped.
pub(super) fn assert_no_core_dumps(pid: u32) {
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    for child in children.unwrap_or_default().split_whitespace() {
        let Ok(limits) = std::fs::read_to_string(format!("/proc/{child}/limits")) else { continue };
        let core = limits.lines().find(|line| line.starts_with("Max core file size"));
        assert!(core.is_none_or(|core| core.split_whitespace().nth(4) == Some("0")), "{core:?}");
    }
}
