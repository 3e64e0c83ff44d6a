//! `--reuse-host-key` over a real sshd: one machine gives its host keys, or is refused.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nixos_bootstrap::install::options::ReuseHostKey;
use nixos_bootstrap::install::record::Record;
use nixos_bootstrap::install::{Failure, FailureKind, Phase};
use nixos_bootstrap::secrets::{HostKeyPair, Secret};

use crate::secrets_scene::Scene;
use crate::sshd::{Sshd, user, write_key};
use crate::tools::output;

/// An sshd that sees `etc` as `/etc/ssh`, has a user `ta` who is not root, and finds `bin` before other programs.
struct Old {
    scene: Scene,
    dir: tempfile::TempDir,
}

const ED25519: &str = "etc/ssh_host_ed25519_key";

/// What `cat` looks like from outside while it reads the key, and whoever started it.
const CAT: &str = r#"#!/bin/sh
for pid in $$ $PPID; do tr '\0' '\n' </proc/$pid/cmdline; tr '\0' '\n' </proc/$pid/environ; done >>DIR/seen
exec /bin/cat "$@"
"#;

/// Root for whoever may have it, by a copy of setpriv that is set-user-ID; it asks for no password.
const SUDO: &str = r#"#!/bin/sh
[ "$1 $2" = "-n --" ] || exit 9
shift 2
exec DIR/bin/become --reuid 0 --regid 0 --clear-groups -- "$@"
"#;

impl Old {
    /// The machine, with its key in the usual place.
    fn new() -> Self {
        let old = Self::without_key("");
        let key = old.scene.sshd.host_key.private().clone();
        write_key(&old.path(ED25519), &key);
        old
    }

    fn without_key(lines: &str) -> Self {
        assert_eq!(user(), "root", "this test changes what /etc is: run it as root");
        let dir = tempfile::tempdir().unwrap();
        let wide = || fs::Permissions::from_mode(0o755);
        fs::set_permissions(dir.path(), wide()).unwrap();
        for folder in ["bin", "etc"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
        }
        let users = fs::read_to_string("/etc/passwd").unwrap();
        let users = format!("{users}\nta:*:4242:4242::/:/bin/sh\n");
        fs::write(dir.path().join("passwd"), users).unwrap();
        let here = dir.path().display().to_string();
        fs::write(dir.path().join("seen"), "").unwrap();
        fs::set_permissions(dir.path().join("seen"), fs::Permissions::from_mode(0o666)).unwrap();
        let program = |name: &str, text: &str| {
            let file = dir.path().join("bin").join(name);
            fs::write(&file, text.replace("DIR", &here)).unwrap();
            fs::set_permissions(file, wide()).unwrap();
        };
        program("cat", CAT);
        program("sudo", SUDO);
        let become_ = dir.path().join("bin/become");
        fs::copy("/usr/bin/setpriv", &become_)
            .expect("this test needs setpriv: install util-linux");
        fs::set_permissions(become_, fs::Permissions::from_mode(0o4755)).unwrap();
        let mount = format!(
            "mount --bind {here}/etc /etc/ssh && mount --bind {here}/passwd /etc/passwd && exec \"$@\""
        );
        let wrapper = ["unshare", "--mount", "--propagation", "private", "sh", "-c", &mount, "sh"];
        let lines =
            format!("SetEnv PATH={here}/bin:/usr/bin:/bin\n{}", lines.replace("DIR", &here));
        let mut scene = Scene::new();
        scene.sshd = Sshd::start_in(&wrapper, &lines);
        // ta's login looks into it.
        fs::set_permissions(scene.sshd.dir.path(), wide()).unwrap();
        let old = Self { scene, dir };
        old.knows(&format!("{} {}", old.name(), old.scene.sshd.host_key.public()));
        old
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Its name in `known_hosts` files.
    fn name(&self) -> String {
        format!("[127.0.0.1]:{}", self.scene.sshd.port)
    }

    /// Makes this the user's `known_hosts` file.
    fn knows(&self, text: &str) {
        self.scene.write("known_hosts", &format!("{text}\n"));
    }

    /// Takes the key from `USER@` this machine. No byte of the key may be anywhere but where it belongs.
    async fn taken(&mut self, user: &str) -> (Result<Vec<String>, Failure>, Record) {
        let from = format!("{user}127.0.0.1:{}", self.scene.sshd.port);
        self.scene.reuse = Some(ReuseHostKey::Machine(from.parse().unwrap()));
        let watch = Watch::start(self.secret());
        let (done, record) = self.scene.run(&[Phase::Hostkey]).await;
        watch.end();
        self.assert_secret(&format!("{done:?} {}", serde_json::to_string(&record).unwrap()));
        (done, record)
    }

    /// A line of the private key, where there is one.
    fn secret(&self) -> Option<String> {
        let text = fs::read_to_string(self.path(ED25519)).ok()?;
        text.lines().nth(3).map(str::to_owned)
    }

    fn assert_secret(&self, said: &str) {
        let Some(secret) = self.secret() else { return };
        let seen = fs::read_to_string(self.path("seen")).unwrap();
        let told = self.scene.told.all();
        for text in [said, &seen, &told, &self.scene.sshd.log()] {
            assert!(!text.contains(&secret), "{text}");
        }
        for dir in [self.scene.dir.path(), self.scene.sshd.dir.path()] {
            let found =
                Command::new("grep").args(["-rlF", "-e", &secret]).arg(dir).output().unwrap();
            let found = String::from_utf8(found.stdout).unwrap();
            let own = self.scene.sshd.path("host");
            let other: Vec<&str> = found.lines().filter(|name| Path::new(name) != own).collect();
            assert_eq!(other, [""; 0], "the key was left there");
        }
    }
}

/// Looks at the arguments and the environment of every process again and again, and at the private directory.
struct Watch {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<bool>,
}

impl Watch {
    fn start(secret: Option<String>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut seen = false;
            while let Some(secret) = secret.as_ref().filter(|_| !stopped.load(Ordering::Relaxed)) {
                for process in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
                    for file in ["cmdline", "environ"] {
                        // It may have ended.
                        let text = fs::read(process.path().join(file)).unwrap_or_default();
                        seen |= text.windows(secret.len()).any(|part| part == secret.as_bytes());
                    }
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            seen
        });
        Self { stop, thread }
    }

    fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        assert!(!self.thread.join().unwrap(), "the key was an argument or in an environment");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn root_and_whoever_may_become_root_take_the_key() {
    let mut old = Old::new();
    let public = old.scene.sshd.host_key.public().to_owned();
    for user in ["", "root@", "ta@"] {
        let (done, record) = old.taken(user).await;
        assert_eq!(done.unwrap(), ["reused: ed25519"], "{user}");
        assert_eq!(record.host_keys, std::slice::from_ref(&public), "{user}");
    }
    assert!(
        old.scene.sshd.log().contains("Accepted publickey for ta "),
        "{}",
        old.scene.sshd.log()
    );
    let seen = fs::read_to_string(old.path("seen")).unwrap();
    assert!(seen.contains("/etc/ssh/ssh_host_ed25519_key"), "cat did not run there: {seen}");
    assert_eq!(old.scene.told.warnings(), "", "it was not compared with the key that is shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_system_on_the_target_gives_its_key_as_well() {
    let mut old = Old::new();
    old.scene.reuse = Some(ReuseHostKey::Target);
    let public = old.scene.sshd.host_key.public().to_owned();
    let record = Record { installer_keys: vec![public.clone()], ..Record::default() };
    let ran = old.scene.run_from(record.clone(), &[Phase::Hostkey]).await;
    assert_eq!(ran.done.unwrap(), ["reused: ed25519"]);
    assert_eq!(ran.record.host_keys, [public]);
    let other = HostKeyPair::generate("left over").unwrap();
    write_key(&old.path(ED25519), other.private());
    let failure = old.scene.run_from(record, &[Phase::Hostkey]).await.done.unwrap_err();
    assert!(failure.error.contains("but the machine shows"), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_become_root_is_told_how_to_get_the_key() {
    let mut old = Old::new();
    let refusing = "#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n";
    fs::write(old.path("bin/sudo"), refusing).unwrap();
    let failure = old.taken("ta@").await.0.unwrap_err();
    assert!(failure.error.contains("a password is required"), "{failure:?}");
    let place =
        format!("read /etc/ssh/ssh_host_ed25519_key of ta@127.0.0.1:{}", old.scene.sshd.port);
    assert!(failure.error.contains(&place), "{failure:?}");
    let hint = format!("name the machine as root@127.0.0.1:{}", old.scene.sshd.port);
    assert!(failure.hints[0].contains(&hint), "{failure:?}");
    fs::remove_file(old.path("bin/sudo")).unwrap();
    let failure = old.taken("ta@").await.0.unwrap_err();
    assert!(failure.error.contains("sudo") && failure.hints[0].contains(&hint), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_there_or_of_no_use_is_an_error() {
    let mut old = Old::without_key("");
    let failure = old.taken("ta@").await.0.unwrap_err();
    let nothing = "there is no ed25519 host key to be taken from ta@127.0.0.1";
    assert!(failure.error.contains(nothing), "{failure:?}");
    assert!(!failure.error.contains("; it has"), "{failure:?}");
    // A folder in its place can't be read by root either.
    fs::create_dir(old.path(ED25519)).unwrap();
    let failure = old.taken("ta@").await.0.unwrap_err();
    assert!(failure.error.contains("Is a directory"), "{failure:?}");
    fs::remove_dir(old.path(ED25519)).unwrap();
    write_key(&old.path(ED25519), &Secret::new("-----BEGIN RSA PRIVATE KEY-----\nx\n"));
    let failure = old.taken("root@").await.0.unwrap_err();
    assert!(failure.error.contains("old PEM format"), "{failure:?}");
    let command = "on 127.0.0.1, convert it in place, to a key without a passphrase: ssh-keygen -p -N '' -f \
                   /etc/ssh/ssh_host_ed25519_key";
    assert_eq!(failure.hints[0], command);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_with_an_rsa_key_only_is_told_so() {
    let lines = "HostKey DIR/rsa\nHostKeyAlgorithms rsa-sha2-512\n";
    let rsa = |file: &Path| {
        let words = ["-q", "-t", "rsa", "-b", "2048", "-N", "", "-C", "", "-f"];
        output(Command::new("ssh-keygen").args(words).arg(file));
        fs::read_to_string(file.with_extension("pub")).unwrap().trim().to_owned()
    };
    // sshd wants the key when it starts.
    let made = tempfile::tempdir().unwrap();
    let public = rsa(&made.path().join("rsa"));
    let lines = lines.replace("DIR", &made.path().display().to_string());
    let mut old = Old::without_key(&lines);
    fs::copy(made.path().join("rsa"), old.path("etc/ssh_host_rsa_key")).unwrap();
    old.knows(&format!("{} {public}", old.name()));
    let failure = old.taken("").await.0.unwrap_err();
    assert!(failure.error.contains("; it has /etc/ssh/ssh_host_rsa_key"), "{failure:?}");
    assert!(failure.hints[0].contains("leave --reuse-host-key out"), "{failure:?}");
    // A key that sshd does not show can't be compared; sops may use it all the same.
    let pair = HostKeyPair::generate("x").unwrap();
    write_key(&old.path(ED25519), pair.private());
    let (done, record) = old.taken("").await;
    done.unwrap();
    assert_eq!(record.host_keys, [pair.public()]);
    let told = old.scene.told.warnings();
    assert!(told.contains("could not be compared") && told.contains("its ssh-rsa key"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_the_machine_s_own_is_refused() {
    let mut old = Old::without_key("");
    let left_over = HostKeyPair::generate("left over").unwrap();
    write_key(&old.path(ED25519), left_over.private());
    for user in ["root@", "ta@"] {
        let (done, record) = old.taken(user).await;
        let failure = done.unwrap_err();
        for fingerprint in [left_over.fingerprint(), old.scene.sshd.host_key.fingerprint()] {
            assert!(failure.error.contains(fingerprint), "{failure:?}");
        }
        assert_eq!(failure.kind, FailureKind::Changed);
        assert!(failure.hints[0].contains("HostKey in its sshd_config"), "{failure:?}");
        assert!(record.host_keys.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_is_not_the_known_one_is_refused() {
    let mut old = Old::new();
    let (key, port) = (old.scene.sshd.host_key.public().to_owned(), old.scene.sshd.port);
    // Not there at all; there with another port, or without one.
    for text in ["", &format!("127.0.0.1 {key}"), &format!("[127.0.0.1]:{} {key}", port ^ 1)] {
        old.knows(text);
        let failure = old.taken("ta@").await.0.unwrap_err();
        let name = format!("has no key of [127.0.0.1]:{port}");
        assert!(failure.error.contains(&name), "{failure:?}");
        assert!(failure.hints[0].contains(&format!("ssh -p {port} ta@127.0.0.1")), "{failure:?}");
    }
    // Revoked.
    old.knows(&format!("{} {key}\n@revoked * {key}", old.name()));
    assert!(old.taken("").await.0.unwrap_err().error.contains("has no key of"));
    assert_eq!(old.scene.sshd.connections(), 0, "it was connected to");
    // With another key than it has.
    let other = HostKeyPair::generate("x").unwrap();
    old.knows(&format!("{} {}", old.name(), other.public()));
    let failure = old.taken("ta@").await.0.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Changed);
    assert!(failure.error.contains("is not the machine that was expected"), "{failure:?}");
    let command = format!("nixos-bootstrap known-hosts replace ta@127.0.0.1:{port} KEY");
    assert!(failure.hints[0].contains(&command), "{failure:?}");
    assert_eq!(old.scene.sshd.logins(), 0, "it was logged in to");
    // Under a hashed name it is known.
    old.knows(&format!("{} {key}", old.name()));
    let file = old.scene.dir.path().join("known_hosts");
    output(Command::new("ssh-keygen").args(["-q", "-H", "-f"]).arg(&file));
    assert!(!fs::read_to_string(&file).unwrap().contains("127.0.0.1"));
    old.taken("").await.0.unwrap();
}
