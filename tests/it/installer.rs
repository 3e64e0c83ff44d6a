//! What the services of the installer image do: their scripts, run here by the same shell.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use crate::evaluators::is_there;

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("modules/iso").join(name)
}

/// A slot of the image with this content behind its header, and where the server's key is to be.
fn host_key(content: &str) -> (TempDir, Output) {
    let dir = tempfile::tempdir().unwrap();
    let mut slot = format!("nixos-bootstrap: a place for the SSH host key\n{content}");
    while slot.len() < 4096 {
        slot.push('\n');
    }
    std::fs::write(dir.path().join("slot"), slot).unwrap();
    let output = Command::new("bash")
        .arg("-e")
        .arg(script("host-key.sh"))
        .env("SLOT", dir.path().join("slot"))
        .env("KEY", dir.path().join("key"))
        .output()
        .unwrap();
    (dir, output)
}

#[test]
fn the_key_of_the_slot_becomes_the_server_s() {
    use std::os::unix::fs::PermissionsExt;
    let made = tempfile::tempdir().unwrap();
    let file = made.path().join("made");
    let keygen = ["-q", "-t", "ed25519", "-N", "", "-C", "installer", "-f"];
    assert!(Command::new("ssh-keygen").args(keygen).arg(&file).status().unwrap().success());
    let private = std::fs::read_to_string(&file).unwrap();

    let (dir, output) = host_key(&private);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    let rights =
        |name: &str| dir.path().join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(read("key"), private);
    assert_eq!(read("key.pub"), std::fs::read_to_string(made.path().join("made.pub")).unwrap());
    assert_eq!((rights("key"), rights("key.pub")), (0o600, 0o644));
}

#[test]
fn an_empty_slot_leaves_the_key_to_the_server_and_a_broken_one_is_told() {
    let left = |dir: &TempDir| std::fs::read_dir(dir.path()).unwrap().count();
    let (dir, output) = host_key("");
    assert!(output.status.success());
    assert_eq!(left(&dir), 1, "only the slot");

    let broken = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n";
    let (dir, output) = host_key(broken);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("holds something else"));
    assert_eq!(left(&dir), 1, "only the slot");
}

/// Two machines with a cable between them: `here`, and `there` the installer with the real Avahi.
struct Network {
    dir: TempDir,
    id: u32,
    programs: Vec<Child>,
}

/// How many networks this process has made.
static COUNT: AtomicU32 = AtomicU32::new(0);

const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=DIR/bus</listen>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
"#;

const AVAHI: &str = "[server]\nhost-name=nixos-installer\n\
                     [publish]\npublish-addresses=yes\ndisable-user-service-publishing=no\n";

/// A host of which nobody says where it is.
const FLAKE: &str = r#"{
  outputs = { self }: {
    nixosConfigurations.grief = {
      config = {
        networking.hostName = "grief";
        nixpkgs.hostPlatform = "x86_64-linux";
        system.build = { };
      };
      options = { };
    };
  };
}
"#;

impl Network {
    /// `None` where namespaces or programs are missing and that is allowed.
    fn new() -> Option<Self> {
        for program in ["ip", "unshare", "dbus-daemon", "avahi-daemon", "avahi-publish"] {
            if !is_there(program) {
                return None;
            }
        }
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: network namespaces need root");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let id = std::process::id() * 10 + COUNT.fetch_add(1, Ordering::Relaxed);
        let network = Self { dir, id, programs: Vec::new() };
        network.sh(&format!(
            "ip netns add here{id}; ip netns add there{id}
             ip link add here netns here{id} type veth peer name there netns there{id}
             ip -n here{id} addr add 10.77.0.1/24 dev here
             ip -n there{id} addr add 10.77.0.2/24 dev there
             for place in here there; do
               ip -n ${{place}}{id} link set lo up
               ip -n ${{place}}{id} link set $place up
             done
             ssh-keygen -q -t ed25519 -N '' -f key"
        ));
        network.write("bus.conf", &BUS.replace("DIR", &network.dir.path().to_string_lossy()));
        network.write("avahi.conf", AVAHI);
        network.write("flake/flake.nix", FLAKE);
        Some(network)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn sh(&self, script: &str) {
        let mut command = Command::new("sh");
        command.args(["-euc", script]).current_dir(self.dir.path());
        assert!(command.status().unwrap().success(), "{script}");
    }

    /// A command on one of the machines.
    fn on(&self, place: &str, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &format!("{place}{}", self.id), program]);
        let dir = self.dir.path();
        let bus = format!("unix:path={}", dir.join("bus").display());
        command.env("DBUS_SYSTEM_BUS_ADDRESS", bus).env("KEY", dir.join("key"));
        command.env("HOME", dir.join("home")).current_dir(dir);
        command
    }

    fn start(&mut self, command: &mut Command) {
        // What they start themselves is in the same group.
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.programs.push(command.process_group(0).spawn().unwrap());
    }

    /// Starts Avahi, and what announces the installer.
    fn announce(&mut self) {
        let mut bus = self.on("there", "dbus-daemon");
        self.start(bus.args(["--config-file=bus.conf", "--nofork"]));
        self.wait_for("bus");
        let mut avahi = self.on("there", "unshare");
        // Avahi's files in /run are those of the machine that this runs on.
        let run = "mount -t tmpfs tmpfs /run; mkdir /run/avahi-daemon; exec avahi-daemon \
                   --no-drop-root --no-rlimits --no-chroot --file avahi.conf";
        self.start(avahi.args(["-m", "sh", "-euc", run]));
        let mut announce = self.on("there", "bash");
        self.start(announce.arg("-e").arg(script("announce.sh")));
    }

    fn wait_for(&self, name: &str) {
        let path = self.dir.path().join(name);
        for _ in 0..200 {
            if path.exists() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{name} did not appear");
    }

    /// What `plan` says of the host that nobody knows where it is.
    fn plan(&self) -> String {
        let mut plan = self.on("here", env!("CARGO_BIN_EXE_nixos-bootstrap"));
        plan.args(["plan", "grief", "--flake"]).arg(self.dir.path().join("flake"));
        let output = plan.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("bootstrap.target.host") && said.contains("--target"), "{said}");
        said
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for program in self.programs.iter_mut().rev() {
            if let Some(group) = Pid::from_raw(program.id().try_into().unwrap_or(0)) {
                let _ = kill_process_group(group, Signal::KILL);
            }
            let _ = program.wait();
        }
        for place in ["here", "there"] {
            let name = format!("{place}{}", self.id);
            let _ = Command::new("ip").args(["netns", "del", &name]).status();
        }
    }
}

#[test]
fn an_installer_is_found_on_the_local_network() {
    let Some(mut network) = Network::new() else { return };
    let said = network.plan();
    assert!(said.contains("no installer answers on the local network"), "{said}");
    network.announce();
    let mac = Command::new("ip")
        .args([
            "netns",
            "exec",
            &format!("there{}", network.id),
            "cat",
            "/sys/class/net/there/address",
        ])
        .output()
        .unwrap();
    let mac = String::from_utf8(mac.stdout).unwrap();
    // It takes a moment until Avahi is up.
    let said = (0..10)
        .map(|_| network.plan())
        .find(|said| said.contains("answers on the local network: "));
    let said = said.expect("the installer was not found");
    assert!(said.contains(&format!("{} at 10.77.0.2", mac.trim())), "{said}");
    assert!(!said.contains("with a host key from here"), "{said}");

    // Its key was put into an image here.
    let public = std::fs::read_to_string(network.dir.path().join("key.pub")).unwrap();
    network.write("home/.local/state/nixos-bootstrap/installer-keys", &public);
    let mut plan = network.on("here", env!("CARGO_BIN_EXE_nixos-bootstrap"));
    plan.args(["plan", "grief", "--flake"]).arg(network.dir.path().join("flake"));
    let output = plan.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("at 10.77.0.2") && said.contains("with a host key from here"), "{said}");
    // Nobody listens there.
    assert!(said.contains("connect to 10.77.0.2") && output.status.code() == Some(1), "{said}");
}

#[test]
fn without_a_network_the_flag_and_the_option_are_named() {
    let Some(network) = Network::new() else { return };
    network.sh(&format!("ip -n here{0} link del here; ip -n here{0} link set lo down", network.id));
    assert!(network.plan().contains("no installer answers on the local network"));
}

#[test]
fn the_consoles_show_how_the_machine_is_reached() {
    let Some(mut network) = Network::new() else { return };
    if !is_there("qrencode") {
        return;
    }
    network.write("console", "");
    let console = network.dir.path().join("console");
    let mut show = network.on("there", "bash");
    // The name of a console is one below /dev.
    show.arg("-e").arg(script("console.sh")).env("CONSOLES", format!("..{}", console.display()));
    network.start(&mut show);
    let shown = |part: &str| {
        for _ in 0..200 {
            let text = std::fs::read_to_string(&console).unwrap();
            if text.contains(part) {
                return text;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("no {part:?} in {}", std::fs::read_to_string(&console).unwrap());
    };
    let text = shown("Its host key is SHA256:");
    assert!(text.contains("    ssh root@10.77.0.2\n"), "{text}");
    let code = Command::new("qrencode")
        .args(["-t", "UTF8", "-m", "1", "-o", "-", "ssh root@10.77.0.2"])
        .output()
        .unwrap();
    shown(String::from_utf8(code.stdout).unwrap().trim_end());
    network.sh(&format!("ip -n there{} addr add 10.77.0.3/24 dev there", network.id));
    let text = shown("ssh root@10.77.0.3");
    assert!(text.lines().filter(|line| !line.is_empty()).count() <= 25, "{text}");
}
