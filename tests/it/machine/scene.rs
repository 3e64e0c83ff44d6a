//! A person with a home, an ssh key and a nix-config, and a machine that has booted the installer; and
//! the tool, run against it.

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::tools::path_with;

pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(super) fn cache() -> PathBuf {
    let set = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let base =
        set.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"));
    base.join("nixos-bootstrap")
}

/// Fails with what a program said when it did not end well.
pub(super) fn checked(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} ended with {}\n{out}\n{err}", output.status);
    output
}

pub(super) fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A person with a home, an ssh key and a nix-config, and a machine that has booted the installer.
pub(super) struct Scene {
    pub(super) dir: TempDir,
    /// Where the tool has its private folder: in memory, and for this user alone.
    runtime: TempDir,
    pub(super) port: u16,
}

impl Scene {
    pub(super) fn new(machine_options: &[&str]) -> Self {
        let scene = Self::without_machine();
        scene.boot(machine_options);
        scene
    }

    pub(super) fn without_machine() -> Self {
        let dir = tempfile::Builder::new().prefix("machine").tempdir().unwrap();
        let runtime = tempfile::Builder::new().prefix("m-").tempdir_in("/dev/shm").unwrap();
        std::fs::set_permissions(runtime.path(), PermissionsExt::from_mode(0o700)).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let scene = Self { dir, runtime, port };
        std::fs::create_dir_all(scene.home().join(".ssh")).unwrap();
        checked(
            Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(scene.key()),
        );
        let public = scene.key().with_extension("pub");
        checked(Command::new(root().join("tests/vm/nix-config")).arg(scene.config()).arg(&public));
        scene
    }

    pub(super) fn boot(&self, machine_options: &[&str]) {
        self.start(machine_options);
        self.wait_ssh();
    }

    /// Starts a machine whose installer has a host key of its own.
    pub(super) fn boot_knowing(&self, host_key: &Path, machine_options: &[&str]) {
        self.start(machine_options);
        let (key, host_key) = (self.key(), host_key.to_str().unwrap());
        let words = ["--identity", key.to_str().unwrap(), "--known-host", host_key];
        self.machine("wait-ssh", &words);
    }

    /// The folders in which the tool has its private ones.
    pub(super) fn runtime(&self) -> &Path {
        self.runtime.path()
    }

    /// Nothing private is left of any run.
    pub(super) fn assert_nothing_private(&self) {
        let left = std::fs::read_dir(self.runtime()).unwrap().map(|entry| entry.unwrap().path());
        assert_eq!(left.collect::<Vec<_>>(), Vec::<PathBuf>::new());
    }

    /// Where the tool keeps its state.
    pub(super) fn state(&self) -> PathBuf {
        self.home().join("state")
    }

    pub(super) fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    pub(super) fn key(&self) -> PathBuf {
        self.home().join(".ssh/id_test")
    }

    pub(super) fn config(&self) -> PathBuf {
        self.dir.path().join("nix-config")
    }

    pub(super) fn machine_dir(&self) -> PathBuf {
        self.dir.path().join("machine")
    }

    pub(super) fn machine(&self, command: &str, options: &[&str]) -> Output {
        checked(
            Command::new(root().join("tests/vm/machine"))
                .arg(command)
                .arg("--dir")
                .arg(self.machine_dir())
                .args(options),
        )
    }

    pub(super) fn start(&self, options: &[&str]) {
        let (port, pid) = (self.port.to_string(), std::process::id().to_string());
        let public = self.key().with_extension("pub");
        let public = public.to_str().unwrap();
        let words = ["--port", &port, "--die-with", &pid, "--authorized-key", public];
        self.machine("start", &[&words, options].concat());
    }

    pub(super) fn wait_ssh(&self) {
        let key = self.key();
        self.machine("wait-ssh", &["--identity", key.to_str().unwrap()]);
    }

    /// The tool with a target, the stand-ins for the inputs and this person's home. It trusts the
    /// installer's own key.
    pub(super) fn tool(&self, subcommand: &str, host: &str, options: &[&str]) -> Command {
        let key = self.machine_dir().join("host_key.pub");
        self.tool_that_trusts(key.to_str().unwrap(), subcommand, host, options)
    }

    /// The same, with this key for the installer's.
    pub(super) fn tool_that_trusts(
        &self,
        key: &str,
        subcommand: &str,
        host: &str,
        options: &[&str],
    ) -> Command {
        let options = [&["--host-key", key], options].concat();
        self.tool_that_knows(subcommand, host, &options)
    }

    /// The same, which is told no key: it has to know the installer's.
    pub(super) fn tool_that_knows(
        &self,
        subcommand: &str,
        host: &str,
        options: &[&str],
    ) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("nixos-bootstrap"));
        let mini = |name: &str, path: PathBuf| {
            ["--override-input".to_owned(), name.to_owned(), format!("path:{}", path.display())]
        };
        command
            .current_dir(self.config())
            .env("HOME", self.home())
            .env("XDG_STATE_HOME", self.state())
            .env("XDG_RUNTIME_DIR", self.runtime())
            .env("PATH", path_with(&["sops", "nix"]))
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_CACHE_HOME")
            .args([subcommand, host, "-d", "root@127.0.0.1", "-p"])
            .arg(self.port.to_string())
            .arg("-k")
            .arg(self.key())
            .args(mini("nixpkgs", cache().join("mini-nixpkgs")))
            .args(mini("disko", root().join("tests/flakes/mini-disko")))
            .args(options)
            .stdin(Stdio::null());
        command
    }

    /// ssh to the installed host, whose key must be the one in the person's list.
    pub(super) fn ssh(&self, script: &str) -> Command {
        let mut command = Command::new("ssh");
        command
            .args(["-F", "none", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"])
            .args(["-o", "StrictHostKeyChecking=yes", "-p", &self.port.to_string(), "-i"])
            .arg(self.key())
            .arg("-o")
            .arg(format!("UserKnownHostsFile={}", self.home().join(".ssh/known_hosts").display()))
            .args(["root@127.0.0.1", script]);
        command
    }

    /// ssh to the installer.
    pub(super) fn ssh_to_installer(&self, script: &str) -> Command {
        let mut command = Command::new("ssh");
        command
            .args(["-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o"])
            .arg(format!("UserKnownHostsFile={}", self.machine_dir().join("known_hosts").display()))
            .arg("-i")
            .arg(self.key())
            .args(["-p", &self.port.to_string(), "root@127.0.0.1", script]);
        command
    }

    /// Runs a script on the installed host.
    pub(super) fn on_host(&self, script: &str) -> String {
        text(&checked(&mut self.ssh(script)))
    }

    /// Types at the machine's console.
    pub(super) fn type_at_console(&self, text: &str) {
        let mut typing = Command::new(root().join("tests/vm/machine"))
            .args(["type", "--dir"])
            .arg(self.machine_dir())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        typing.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(typing.wait().unwrap().success());
    }

    pub(super) fn git(&self, args: &[&str]) -> String {
        text(&checked(Command::new("git").arg("-C").arg(self.config()).args(args)))
    }

    pub(super) fn serial(&self) -> String {
        let bytes = std::fs::read(self.machine_dir().join("serial.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let stopped = Command::new(root().join("tests/vm/machine"))
            .args(["stop", "--dir"])
            .arg(self.machine_dir())
            .stdin(Stdio::null())
            .output();
        if std::thread::panicking() {
            let serial = self.serial();
            let tail: Vec<_> = serial.lines().rev().take(40).collect();
            eprintln!("the machine's console ended with:");
            tail.iter().rev().for_each(|line| eprintln!("  {line}"));
        } else {
            assert!(stopped.unwrap().status.success(), "the machine did not stop");
        }
    }
}

/// The events of a run with `--json`.
pub(super) fn events(output: &Output) -> Vec<Value> {
    let out = String::from_utf8_lossy(&output.stdout);
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(super) fn report(events: &[Value]) -> &Value {
    &events.iter().rfind(|event| event["event"] == "finished").expect("no report")["report"]
}

pub(super) fn finished_phases(events: &[Value]) -> Vec<String> {
    let finished = events.iter().filter(|event| event["event"] == "phase-finished");
    finished.map(|event| event["phase"].as_str().unwrap().to_owned()).collect()
}

/// Runs the tool to its end, which must be good, and gives its events.
pub(super) fn good(command: &mut Command) -> Vec<Value> {
    let start = Instant::now();
    let output = command.output().unwrap();
    let events = events(&output);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{}\n{told}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout)
    );
    let report = report(&events);
    println!(
        "{} took {:.1} s, {} ms of them our own",
        report["host"],
        start.elapsed().as_secs_f64(),
        report["ownMillis"]
    );
    events
}

/// Waits for something, a minute at most unless `limit` says otherwise.
pub(super) fn wait_for(what: &str, limit: Duration, mut there: impl FnMut() -> bool) {
    let start = Instant::now();
    while !there() {
        assert!(start.elapsed() < limit, "{what} did not happen within {} s", limit.as_secs());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Starts the tool and gives it back once `phase` has begun.
pub(super) fn until_phase(command: &mut Command, log: &Path, phase: &str) -> Child {
    let file = std::fs::File::create(log).unwrap();
    let told = std::fs::File::create(log.with_extension("err")).unwrap();
    let child = command.stdout(file).stderr(told).spawn().unwrap();
    let wanted = format!("{{\"event\":\"phase-started\",\"phase\":\"{phase}\"}}");
    wait_for(&wanted, Duration::from_secs(1800), || {
        std::fs::read_to_string(log).unwrap_or_default().contains(&wanted)
    });
    child
}
