//! The machine as these tests use it: one ssh connection for all commands, terminals, sticks seen from both sides.

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::super::scene::{Scene, checked, text, wait_for};
use crate::iso::picture::noise;

/// The tool in the machine, and the images.
pub(super) const TOOL: &str = "/usr/bin/nixos-bootstrap";
pub(super) const PLAIN: &str = "/home/plain.iso";
pub(super) const PARTED: &str = "/home/parted.img";

/// Has the kernel look for sticks.
pub(super) const SCAN: &str =
    "for scan in /sys/class/scsi_host/*/scan; do echo '- - -' >$scan; done";

/// MiB of the two sticks.
const SIZES: [usize; 2] = [32, 24];

/// An installer with two sticks in it.
pub(super) struct Guest {
    pub(super) scene: Scene,
    config: PathBuf,
    master: Child,
}

/// How a program ended in the machine.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) code: Option<i32>,
    pub(super) out: String,
    pub(super) err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

impl Ran {
    /// The events of a run with `--json`.
    pub(super) fn events(&self) -> Vec<Value> {
        let lines = self.out.lines().filter(|line| line.starts_with('{'));
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// How it ended for `device`.
    pub(super) fn ended(&self, device: &str) -> Value {
        let events = self.events();
        let ended = |event: &&Value| event["event"] == "ended" && event["target"] == *device;
        let mut found = events.iter().filter(ended);
        let one = found.next().unwrap_or_else(|| panic!("{device} did not end: {self:?}"));
        assert!(found.next().is_none(), "{self:?}");
        one.clone()
    }

    /// Fails unless it ended like this and said all of these.
    pub(super) fn assert(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        for word in words {
            assert!(self.out.contains(word) || self.err.contains(word), "no {word:?}: {self:?}");
        }
    }
}

impl Guest {
    /// Boots with sticks that have noise on them.
    pub(super) fn boot() -> Self {
        let scene = Scene::without_machine();
        fs::create_dir(scene.machine_dir()).unwrap();
        for (number, size) in SIZES.iter().enumerate() {
            let file = scene.machine_dir().join(format!("stick{}.img", number + 1));
            fs::write(file, noise(size << 20, 900 + number as u64)).unwrap();
        }
        let sizes = SIZES.map(|size| format!("{size}M"));
        scene.boot(&["--stick", &sizes[0], "--stick", &sizes[1]]);
        let dir = scene.dir.path();
        let config = dir.join("ssh_config");
        let socket = dir.join("root.ctl");
        let lines = [
            "Host root ann".to_owned(),
            "HostName 127.0.0.1".to_owned(),
            format!("Port {}", scene.port),
            "BatchMode yes".to_owned(),
            "LogLevel ERROR".to_owned(),
            "StrictHostKeyChecking yes".to_owned(),
            format!("UserKnownHostsFile {}", scene.machine_dir().join("known_hosts").display()),
            format!("IdentityFile {}", scene.key().display()),
            format!("ControlPath {}", dir.join("%n.ctl").display()),
        ];
        fs::write(&config, lines.join("\n") + "\n").unwrap();
        let mut master = Command::new("ssh");
        master.arg("-F").arg(&config).args(["-M", "-N", "-l", "root", "root"]);
        master.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let master = master.spawn().unwrap();
        wait_for("an ssh connection", Duration::from_secs(240), || socket.exists());
        Self { scene, config, master }
    }

    /// A program in the machine, by ssh, as `root` or `ann`.
    pub(super) fn ssh(&self, user: &str, script: &str) -> Command {
        let mut command = Command::new("ssh");
        command.arg("-F").arg(&self.config).args(["-l", user, user, script]);
        command.stdin(Stdio::null());
        command
    }

    /// Runs a script, however it ends.
    pub(super) fn run(&self, script: &str) -> Ran {
        self.ssh("root", script).output().unwrap().into()
    }

    /// Runs a script that must end well; what it said.
    pub(super) fn sh(&self, script: &str) -> String {
        text(&checked(&mut self.ssh("root", &format!("set -e\n{script}"))))
    }

    /// Runs `iso` with these words, confirmed.
    pub(super) fn iso(&self, words: &str) -> Ran {
        self.run(&format!("{TOOL} iso --yes {words}"))
    }

    /// Makes a file of the machine out of `bytes`, which are packed on their way.
    pub(super) fn put(&self, bytes: &[u8], path: &str) {
        let here = self.scene.dir.path().join("sent");
        fs::write(&here, bytes).unwrap();
        checked(Command::new("zstd").args(["-q", "-1", "-f", "--rm"]).arg(&here));
        let mut command = self.ssh("root", &format!("zstd -q -d -c >{path}"));
        let sent = fs::File::open(here.with_extension("zst")).unwrap();
        let done = command.stdin(sent).status().unwrap();
        assert!(done.success(), "{path}: {done}");
    }

    /// Where stick 1 or 2 is: the kernel may have given the names in any order.
    pub(super) fn stick(&self, number: usize) -> String {
        let found = self.sh(&format!(
            "udevadm settle; lsblk -dno PATH,SERIAL | sed -n 's/ *STICK000{number}$//p'"
        ));
        assert!(found.starts_with("/dev/sd"), "stick {number}: {found:?}");
        found
    }

    /// What is on a stick, seen from outside.
    pub(super) fn content(&self, number: usize) -> Vec<u8> {
        fs::read(self.scene.machine_dir().join(format!("stick{number}.img"))).unwrap()
    }

    /// A stick begins with `image`.
    pub(super) fn assert_holds(&self, number: usize, image: &[u8]) {
        let content = self.content(number);
        assert_eq!(content.len(), SIZES[number - 1] << 20);
        assert!(content[..image.len()] == *image, "stick {number} holds something else");
    }

    /// The kernel lets go of a stick and finds it again; it may have another name then.
    pub(super) fn put_in_again(&self, device: &str) {
        let name = device.trim_start_matches("/dev/");
        self.sh(&format!("echo 1 >/sys/block/{name}/device/delete\n{SCAN}\nudevadm settle"));
    }

    /// The same while udev stands still, so that its links lead to what is there now. Then `words` are run.
    pub(super) fn put_in_again_unseen(&self, device: &str, words: &str) -> Ran {
        let name = device.trim_start_matches("/dev/");
        let ran = self.run(&format!(
            "udevadm settle; kill -STOP $(pidof systemd-udevd)
            echo 1 >/sys/block/{name}/device/delete; sleep 1\n{SCAN}
            for _ in $(seq 50); do [ -b {device} ] && break; sleep 0.1; done
            {words}"
        ));
        self.sh("kill -CONT $(pidof systemd-udevd); udevadm settle");
        ran
    }

    /// The sizes of a disk's partitions, as the kernel has them.
    pub(super) fn partitions(&self, device: &str) -> Vec<String> {
        let name = device.trim_start_matches("/dev/");
        let told = self.sh(&format!("cat /sys/block/{name}/{name}*/size 2>/dev/null || true"));
        told.lines().map(ToOwned::to_owned).collect()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.master.kill().and_then(|()| self.master.wait());
    }
}

/// A program on a terminal of the machine.
pub(super) struct Terminal {
    child: Child,
    input: ChildStdin,
    seen: Arc<Mutex<Vec<u8>>>,
    /// How much of it was looked at.
    at: usize,
}

impl Terminal {
    /// Starts `script` on a terminal of its own.
    pub(super) fn open(guest: &Guest, user: &str, script: &str) -> Self {
        let mut command = Command::new("ssh");
        command.arg("-F").arg(&guest.config).args(["-tt", "-l", user, user]);
        command.arg(format!("stty rows 40 cols 150; {script}"));
        command.env("TERM", "xterm").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let (input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                sink.lock().unwrap().extend_from_slice(&bytes[..read]);
            }
        });
        Self { child, input, seen, at: 0 }
    }

    /// All that was shown so far, without colours and movements.
    fn shown(&self) -> String {
        plain(&String::from_utf8_lossy(&self.seen.lock().unwrap()))
    }

    /// Waits until this is shown, after what was waited for before; gives what was shown in between.
    pub(super) fn until(&mut self, words: &str) -> String {
        let start = Instant::now();
        loop {
            let shown = self.shown();
            let rest = shown.get(self.at..).unwrap_or_default();
            if let Some(place) = rest.find(words) {
                let between = rest[..place].to_owned();
                self.at += place + words.len();
                return between;
            }
            assert!(start.elapsed() < Duration::from_secs(240), "no {words:?} in {shown}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Types.
    pub(super) fn keys(&mut self, keys: &str) {
        self.input.write_all(keys.as_bytes()).unwrap();
        self.input.flush().unwrap();
    }

    /// How it ended, and all that was shown.
    pub(super) fn end(mut self) -> (Option<i32>, String) {
        let mut code = None;
        wait_for("an end", Duration::from_secs(240), || {
            code = self.child.try_wait().unwrap();
            code.is_some()
        });
        // The last words may still be on their way to the reader.
        std::thread::sleep(Duration::from_millis(200));
        (code.and_then(|status| status.code()), self.shown())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// Text without control sequences (ECMA-48).
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\u{1b}' {
            plain.push(letter);
        } else if letters.next() == Some('[') {
            letters.find(|end| ('@'..='~').contains(end));
        }
    }
    plain
}
