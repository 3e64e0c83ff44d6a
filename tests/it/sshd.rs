//! A real sshd on 127.0.0.1 with keys of its own, for one test; ended with the test.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nixos_bootstrap::process::RealRunner;
use nixos_bootstrap::remote::{
    ConnectError, Connection, Connector, Login, SshConnector, known_hosts,
};
use nixos_bootstrap::secrets::{HostKeyPair, Secret};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A running sshd.
pub(crate) struct Sshd {
    pub(crate) dir: TempDir,
    pub(crate) port: u16,
    pub(crate) host_key: HostKeyPair,
    pub(crate) cancel: CancellationToken,
    child: Child,
}

impl Sshd {
    /// Starts an sshd that lets `id` of its directory in.
    pub(crate) fn start() -> Self {
        Self::start_in(&[], "")
    }

    /// Starts it with `wrapper` before its command line, and with further lines of configuration.
    pub(crate) fn start_in(wrapper: &[&str], lines: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let host_key = HostKeyPair::generate("root@test").unwrap();
        write_key(&dir.path().join("host"), host_key.private());
        let id = HostKeyPair::generate("user@test").unwrap();
        write_key(&dir.path().join("id"), id.private());
        fs::write(dir.path().join("authorized"), format!("{}\n", id.public())).unwrap();
        let (child, port) = listen(dir.path(), wrapper, lines);
        let sshd = Self { dir, port, host_key, cancel: CancellationToken::new(), child };
        sshd.pin(sshd.host_key.public());
        sshd
    }

    /// Makes `public` the one key that the client accepts.
    pub(crate) fn pin(&self, public: &str) {
        let names = known_hosts::names(&"127.0.0.1".parse().unwrap(), self.port);
        let file = self.path("known_hosts");
        known_hosts::update_file(&file, &names, &[public.parse().unwrap()]).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn login(&self) -> Login {
        Login {
            address: "127.0.0.1".parse().unwrap(),
            port: self.port,
            user: user().parse().unwrap(),
            identity: Some(self.path("id")),
            known_hosts: self.path("known_hosts"),
            control_dir: self.path("control"),
            timeout: Duration::from_secs(5),
            interactive: false,
        }
    }

    pub(crate) fn connector(&self) -> SshConnector {
        // The runner's own token never fires: a cancelled run is to be seen at the remote end.
        SshConnector::new(Arc::new(RealRunner::default()), self.cancel.clone())
    }

    pub(crate) async fn connect(&self) -> Arc<dyn Connection> {
        self.connector().connect(&self.login()).await.unwrap()
    }

    pub(crate) async fn refusal(&self, login: &Login) -> ConnectError {
        match self.connector().connect(login).await {
            Ok(_) => panic!("it connected"),
            Err(error) => error,
        }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("sshd.log")).unwrap()
    }

    /// How many clients have logged in.
    pub(crate) fn logins(&self) -> usize {
        self.log().matches("Accepted publickey").count()
    }

    /// How many clients have come at all.
    pub(crate) fn connections(&self) -> usize {
        self.log().matches("Connection from").count()
    }

    /// Ends the processes that serve connections, and with them the connections.
    pub(crate) fn cut(&self) {
        let children = children(self.child.id());
        assert!(!children.is_empty(), "no connection to cut");
        for child in children {
            // With privilege separation the process that does the work is one further down.
            for pid in self::children(child).into_iter().chain([child]) {
                if is_sshd(pid) {
                    signal(pid, "KILL");
                }
            }
        }
    }

    /// Stops the processes that serve connections without ending them, as a dead network would.
    pub(crate) fn freeze(&self) -> Frozen {
        let mut all = Vec::new();
        for child in children(self.child.id()) {
            all.extend(self::children(child).into_iter().filter(|pid| is_sshd(*pid)));
            all.push(child);
        }
        for pid in &all {
            signal(*pid, "STOP");
        }
        Frozen(all)
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        for child in children(self.child.id()) {
            signal(child, "TERM");
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Stopped processes, which go on when this is dropped.
pub(crate) struct Frozen(Vec<u32>);

impl Drop for Frozen {
    fn drop(&mut self) {
        for pid in &self.0 {
            signal(*pid, "CONT");
        }
    }
}

/// Writes a private key, mode 0600.
pub(crate) fn write_key(path: &Path, key: &Secret) {
    fs::write(path, key.expose()).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Who runs the tests; sshd lets no one else in.
pub(crate) fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Waits until `done`, at most ten seconds.
pub(crate) async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(10);
    while !done() {
        assert!(Instant::now() < limit, "it did not happen: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Does this process run? (A zombie does not.)
pub(crate) fn runs(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z")
}

fn listen(dir: &Path, wrapper: &[&str], lines: &str) -> (Child, u16) {
    let sshd = ["/usr/sbin/sshd", "/run/current-system/sw/bin/sshd", "/usr/bin/sshd"];
    let sshd = sshd.iter().find(|path| Path::new(path).exists());
    let sshd = sshd.expect("this test needs sshd: install openssh-server");
    if user() == "root" {
        // Debian's sshd wants it, and it is gone after a reboot where no service made it.
        fs::create_dir_all("/run/sshd").unwrap();
    }
    for _ in 0..5 {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        write_config(dir, port, lines);
        let mut words = wrapper.iter().chain([sshd]);
        let mut command = Command::new(words.next().unwrap());
        command
            .args(words)
            .args(["-D", "-f"])
            .arg(dir.join("config"))
            .arg("-E")
            .arg(dir.join("sshd.log"));
        let mut child = command.stdin(Stdio::null()).spawn().unwrap();
        let limit = Instant::now() + Duration::from_secs(10);
        while child.try_wait().unwrap().is_none() {
            let log = fs::read_to_string(dir.join("sshd.log")).unwrap_or_default();
            if log.contains("Server listening") {
                return (child, port);
            }
            assert!(Instant::now() < limit, "sshd does not listen: {log}");
            std::thread::sleep(Duration::from_millis(10));
        }
        // Someone else took the port in between.
        fs::remove_file(dir.join("sshd.log")).unwrap();
    }
    panic!("sshd did not start");
}

fn write_config(dir: &Path, port: u16, lines: &str) {
    let dir = dir.display();
    let config = format!(
        "ListenAddress 127.0.0.1:{port}\nHostKey {dir}/host\nAuthorizedKeysFile {dir}/authorized\n\
         StrictModes no\nUsePAM no\nPidFile none\nLogLevel VERBOSE\nPasswordAuthentication no\n\
         KbdInteractiveAuthentication no\nPermitRootLogin yes\n{lines}"
    );
    fs::write(format!("{dir}/config"), config).unwrap();
}

fn children(pid: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

fn is_sshd(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.starts_with("sshd"))
}

fn signal(pid: u32, name: &str) {
    // It may have ended by itself in between.
    let _ = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).output();
}
