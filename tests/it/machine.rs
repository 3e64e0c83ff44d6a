//! The emulated machine: an installer, an empty disk, and the whole tool against it. Each test takes
//! minutes, so they are ignored by a plain `cargo test`; `scripts/test` prepares what they need
//! (`tests/vm/payload --flake`, `tests/vm/image`) and runs them one at a time.

use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cache() -> PathBuf {
    let set = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let base =
        set.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"));
    base.join("nixos-bootstrap")
}

/// Fails with what a program said when it did not end well.
fn checked(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} ended with {}\n{out}\n{err}", output.status);
    output
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A person with a home, an ssh key and a nix-config, and a machine that has booted the installer.
struct Scene {
    dir: TempDir,
    port: u16,
}

impl Scene {
    fn new(machine_options: &[&str]) -> Self {
        let dir = tempfile::Builder::new().prefix("machine").tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let scene = Self { dir, port };
        std::fs::create_dir_all(scene.home().join(".ssh")).unwrap();
        checked(
            Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(scene.key()),
        );
        let public = scene.key().with_extension("pub");
        checked(Command::new(root().join("tests/vm/nix-config")).arg(scene.config()).arg(&public));
        scene.start(&[&["--authorized-key", public.to_str().unwrap()], machine_options].concat());
        scene.wait_ssh();
        scene
    }

    fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    fn key(&self) -> PathBuf {
        self.home().join(".ssh/id_test")
    }

    fn config(&self) -> PathBuf {
        self.dir.path().join("nix-config")
    }

    fn machine_dir(&self) -> PathBuf {
        self.dir.path().join("machine")
    }

    fn machine(&self, command: &str, options: &[&str]) -> Output {
        checked(
            Command::new(root().join("tests/vm/machine"))
                .arg(command)
                .arg("--dir")
                .arg(self.machine_dir())
                .args(options),
        )
    }

    fn start(&self, options: &[&str]) {
        let (port, pid) = (self.port.to_string(), std::process::id().to_string());
        self.machine("start", &[&["--port", &port, "--die-with", &pid], options].concat());
    }

    fn wait_ssh(&self) {
        let key = self.key();
        self.machine("wait-ssh", &["--identity", key.to_str().unwrap()]);
    }

    /// The tool with a target, the stand-ins for the inputs and this person's home. It trusts the
    /// installer's own key.
    fn tool(&self, subcommand: &str, host: &str, options: &[&str]) -> Command {
        let key = self.machine_dir().join("host_key.pub");
        self.tool_that_trusts(key.to_str().unwrap(), subcommand, host, options)
    }

    fn tool_that_trusts(
        &self,
        key: &str,
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
            .env("XDG_STATE_HOME", self.home().join("state"))
            .args([subcommand, host, "-d", "root@127.0.0.1", "-p"])
            .arg(self.port.to_string())
            .arg("-k")
            .arg(self.key())
            .args(["--host-key", key])
            .args(mini("nixpkgs", cache().join("mini-nixpkgs")))
            .args(mini("disko", root().join("tests/flakes/mini-disko")))
            .args(options)
            .stdin(Stdio::null());
        command
    }

    /// Runs a script on the installed host, whose key must be the one in the person's list.
    fn on_host(&self, script: &str) -> String {
        let output = checked(
            Command::new("ssh")
                .args(["-F", "none", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"])
                .args(["-o", "StrictHostKeyChecking=yes", "-p", &self.port.to_string(), "-i"])
                .arg(self.key())
                .arg("-o")
                .arg(format!(
                    "UserKnownHostsFile={}",
                    self.home().join(".ssh/known_hosts").display()
                ))
                .args(["root@127.0.0.1", script]),
        );
        text(&output)
    }

    /// Types at the machine's console.
    fn type_at_console(&self, text: &str) {
        let mut typing = Command::new(root().join("tests/vm/machine"))
            .args(["type", "--dir"])
            .arg(self.machine_dir())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        typing.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(typing.wait().unwrap().success());
    }

    fn git(&self, args: &[&str]) -> String {
        text(&checked(Command::new("git").arg("-C").arg(self.config()).args(args)))
    }

    fn serial(&self) -> String {
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
fn events(output: &Output) -> Vec<Value> {
    let out = String::from_utf8_lossy(&output.stdout);
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn report(events: &[Value]) -> &Value {
    &events.iter().rfind(|event| event["event"] == "finished").expect("no report")["report"]
}

fn finished_phases(events: &[Value]) -> Vec<String> {
    let finished = events.iter().filter(|event| event["event"] == "phase-finished");
    finished.map(|event| event["phase"].as_str().unwrap().to_owned()).collect()
}

/// Runs the tool to its end, which must be good, and gives its events.
fn good(command: &mut Command) -> Vec<Value> {
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
fn wait_for(what: &str, limit: Duration, mut there: impl FnMut() -> bool) {
    let start = Instant::now();
    while !there() {
        assert!(start.elapsed() < limit, "{what} did not happen within {} s", limit.as_secs());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Starts the tool and gives it back once `phase` has begun.
fn until_phase(command: &mut Command, log: &Path, phase: &str) -> Child {
    let file = std::fs::File::create(log).unwrap();
    let told = std::fs::File::create(log.with_extension("err")).unwrap();
    let child = command.stdout(file).stderr(told).spawn().unwrap();
    let wanted = format!("{{\"event\":\"phase-started\",\"phase\":\"{phase}\"}}");
    wait_for(&wanted, Duration::from_secs(900), || {
        std::fs::read_to_string(log).unwrap_or_default().contains(&wanted)
    });
    child
}

#[test]
#[ignore = "takes minutes; scripts/test runs it"]
fn an_empty_disk_becomes_grief_minimal_first() {
    let scene = Scene::new(&[]);
    let plan = checked(&mut scene.tool("plan", "grief", &["--json"]));
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    assert_eq!(plan["disks"][0]["live"]["serial"], "GRIEF0001");
    assert_eq!(plan["refusals"], serde_json::json!([]));

    let ran = good(&mut scene.tool("bootstrap", "grief", &["--yes", "--json"]));
    let expected = "preflight hostkey hardware disko install reboot verify sync rebuild commit";
    assert_eq!(finished_phases(&ran).join(" "), expected);

    assert_eq!(scene.on_host("cat /proc/sys/kernel/hostname"), "grief");
    assert!(scene.on_host("findmnt -no SOURCE,FSTYPE /").ends_with("[/@root] btrfs"));
    assert_eq!(scene.on_host("awk 'NR > 1' /proc/swaps | wc -l"), "1");
    assert_eq!(scene.on_host("systemctl --failed --no-legend | wc -l"), "0");
    assert_eq!(
        scene.on_host("test -f /home/ta/nix-config/flake.nix && stat -c %U /home/ta/nix-config"),
        "ta"
    );
    // The full system runs, not the minimal one: rebuild brought another store path.
    let full = plan["system"]["full"]["outPath"].as_str().unwrap().to_owned();
    let minimal = plan["system"]["install"]["outPath"].as_str().unwrap();
    assert_ne!(full, minimal);
    let running = scene.on_host("readlink -f /run/current-system");
    assert_ne!(running, minimal);
    assert!(running.starts_with("/nix/store/"), "{running}");
    // The commit holds the hardware file and nothing else, and the tree is clean.
    assert_eq!(scene.git(&["status", "--porcelain"]), "");
    let files = scene.git(&["show", "--name-only", "--format=", "HEAD"]);
    assert_eq!(files, "hosts/grief/hardware-configuration.nix");

    // Once more, nothing is left to do to the disk: the run is a new one and must say no by itself,
    // because the machine is no installer any more.
    let again = scene.tool("bootstrap", "grief", &["--yes", "--json"]).output().unwrap();
    assert_ne!(again.status.code(), Some(0));
    assert_eq!(scene.on_host("cat /proc/sys/kernel/hostname"), "grief");
}

#[test]
#[ignore = "takes minutes; scripts/test runs it"]
fn a_run_that_is_killed_or_loses_the_machine_goes_on() {
    let scene = Scene::new(&[]);
    let arguments = ["--yes", "--json", "--via", "full"];
    let log = scene.dir.path().join("first.jsonl");

    // Killed while disko runs: nothing of it may be taken for done.
    let mut child = until_phase(&mut scene.tool("bootstrap", "guppy", &arguments), &log, "disko");
    child.kill().unwrap();
    child.wait().unwrap();

    // Ctrl-C while the system is copied: the exit code says so, no private file is left.
    let log = scene.dir.path().join("second.jsonl");
    let mut child = until_phase(&mut scene.tool("bootstrap", "guppy", &arguments), &log, "install");
    checked(Command::new("kill").args(["-INT", &child.id().to_string()]));
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(3));
    let ran = std::fs::read_to_string(&log).unwrap();
    assert!(ran.contains(r#"{"event":"phase-finished","phase":"disko""#), "{ran}");

    // The machine loses its power in between; then the mounts are gone, the disk is not.
    scene.machine("power-off", &[]);
    scene.start(&["--authorized-key", scene.key().with_extension("pub").to_str().unwrap()]);
    scene.wait_ssh();
    let ran = good(&mut scene.tool("bootstrap", "guppy", &arguments));
    let finished = finished_phases(&ran);
    assert!(!finished.contains(&"disko".to_owned()), "the disk was erased again: {finished:?}");
    assert!(finished.contains(&"verify".to_owned()), "{finished:?}");
    assert_eq!(scene.on_host("cat /proc/sys/kernel/hostname"), "guppy");
    assert_eq!(scene.on_host("awk 'NR > 1' /proc/swaps | wc -l"), "0");
}

/// The arguments of all processes, of this machine and of the installer, looked at again and again.
struct Arguments {
    dir: PathBuf,
    watchers: Vec<Child>,
}

impl Arguments {
    fn watch(scene: &Scene) -> Self {
        const LOOK: &str =
            "while cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '; do sleep 1; done";
        let dir = scene.dir.path().to_owned();
        let mut here = Command::new("sh");
        here.args(["-c", LOOK]);
        let mut there = Command::new("ssh");
        there
            .args(["-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o"])
            .arg(format!(
                "UserKnownHostsFile={}",
                scene.machine_dir().join("known_hosts").display()
            ))
            .arg("-i")
            .arg(scene.key())
            .args(["-p", &scene.port.to_string(), "root@127.0.0.1", LOOK]);
        let watchers = [("here", here), ("there", there)].map(|(name, mut command)| {
            let file = std::fs::File::create(dir.join(name)).unwrap();
            command.stdin(Stdio::null()).stdout(file).stderr(Stdio::null()).spawn().unwrap()
        });
        Self { dir, watchers: watchers.into() }
    }

    /// What was seen here and there.
    fn seen(&self) -> [String; 2] {
        let read = |name| std::fs::read(self.dir.join(name)).unwrap();
        ["here", "there"].map(|name| String::from_utf8_lossy(&read(name)).into_owned())
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

/// Where the warning says that the passphrase is.
fn told_file(log: &Path) -> Option<PathBuf> {
    let log = std::fs::read_to_string(log).unwrap();
    let warnings = log.lines().filter(|line| line.contains(r#""event":"warning""#));
    let start = "the one-time passphrase of encrypted-root is in ";
    let mut told = warnings.filter_map(|line| Some(line.split_once(start)?.1.split_once(' ')?.0));
    told.next_back().map(PathBuf::from)
}

#[test]
#[ignore = "takes minutes; scripts/test runs it"]
fn gusto_is_unlocked_by_its_one_time_passphrase() {
    use std::os::unix::fs::MetadataExt;

    const PROMPT: &str = "Enter passphrase for ";
    let scene = Scene::new(&["--disk", "sata"]);
    let arguments = Arguments::watch(&scene);
    let log = scene.dir.path().join("run.jsonl");
    let tool = scene.tool("bootstrap", "gusto", &["--yes", "--json", "--debug"]);
    // In a session of its own it has no terminal to show the passphrase on.
    let mut command = Command::new("setsid");
    command.arg("--wait").arg(tool.get_program()).args(tool.get_args()).stdin(Stdio::null());
    command.current_dir(tool.get_current_dir().unwrap());
    command.envs(tool.get_envs().filter_map(|(name, value)| Some((name, value?))));

    let mut run = until_phase(&mut command, &log, "reboot");
    wait_for("a prompt at the console", Duration::from_secs(300), || {
        let ended = run.try_wait().unwrap();
        assert_eq!(ended, None, "{}", std::fs::read_to_string(&log).unwrap());
        scene.serial().contains(PROMPT)
    });
    let file = told_file(&log).expect("nothing says where the passphrase is");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    let passphrase = std::fs::read_to_string(&file).unwrap();
    assert_eq!(passphrase.split(' ').count(), 8);

    // A slip of the finger does no harm.
    scene.type_at_console("wrong\n");
    wait_for("another prompt", Duration::from_secs(120), || {
        scene.serial().matches(PROMPT).count() == 2
    });
    scene.type_at_console(&format!("{passphrase}\n"));
    let status = run.wait().unwrap();
    let told = std::fs::read_to_string(&log).unwrap();
    assert!(status.success(), "{status}\n{told}");
    let events: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(finished_phases(&events)[5..], ["reboot", "verify", "sync", "rebuild", "commit"]);
    let next = report(&events)["next"].to_string();
    assert!(next.contains("cryptsetup luksChangeKey"), "{next}");

    // The root file system is in the container, which this passphrase alone opens.
    assert_eq!(scene.on_host("findmnt -no SOURCE /"), "/dev/mapper/encrypted-root[/@root]");
    assert_eq!(scene.on_host("awk 'NR > 1' /proc/swaps | wc -l"), "1");
    let status = scene.on_host("cryptsetup status encrypted-root");
    assert!(status.contains("type:    LUKS2"), "{status}");
    let slots = "cryptsetup luksDump /dev/disk/by-partlabel/disk-disk0-luks | grep -c ': luks2$'";
    assert_eq!(scene.on_host(slots), "1");

    // It was nowhere else, and is gone.
    assert!(!file.parent().unwrap().exists());
    let [here, there] = arguments.seen();
    assert!(here.contains("bootstrap gusto"), "the tool was not seen at work");
    assert!(there.contains("cryptsetup --batch-mode luksFormat"), "disko was not seen at work");
    // It must not see what looks for the passphrase.
    drop(arguments);
    let found = Command::new("grep")
        .args(["-rlF", "--exclude=disk.img", "--", &passphrase])
        .arg(scene.dir.path())
        .output()
        .unwrap();
    assert_eq!((found.status.code(), text(&found).as_str()), (Some(1), ""));
}

#[test]
#[ignore = "takes minutes; scripts/test runs it"]
fn machines_that_must_be_refused_are_left_alone() {
    let scene = Scene::new(&["--bios", "--extra-disk", "64M"]);
    // guppy boots by UEFI only, this machine has BIOS firmware.
    let output = scene.tool("bootstrap", "guppy", &["--yes", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("UEFI"));
    // gusto wants /dev/sda, this machine has none.
    let output = scene.tool("plan", "gusto", &["--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    let codes: Vec<_> =
        plan["refusals"].as_array().unwrap().iter().map(|r| r["code"].clone()).collect();
    assert!(codes.contains(&"missing-device".into()), "{codes:?}");
    assert!(plan["untouched"].as_array().unwrap().iter().any(|disk| disk["serial"] == "EXTRA0001"));
    // Another machine's key is no machine of ours.
    let other = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
    let output = scene.tool_that_trusts(other, "plan", "guppy", &[]).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("is not the machine that --host-key names"), "{told}");
    // Nothing was written to any disk.
    let key = scene.key();
    let mut ssh = Command::new("ssh");
    ssh.args(["-F", "none", "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-i"])
        .arg(&key);
    ssh.arg("-o")
        .arg(format!("UserKnownHostsFile={}", scene.machine_dir().join("known_hosts").display()));
    ssh.args(["-p", &scene.port.to_string(), "root@127.0.0.1", "wipefs -n /dev/vda | wc -l"]);
    assert_eq!(text(&checked(&mut ssh)), "0");
    std::io::stdout().flush().unwrap();
}
