//! `sync` over a real sshd: with rsync, and with tar where rsync is missing.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use nixos_bootstrap::facts::{EachHost, EvalError, Evaluator, HostFacts, HostSummary, Scope};
use nixos_bootstrap::install::context::{Access, Context, Door, Limits, Side, World};
use nixos_bootstrap::install::event::{Event, PromptError, Prompter, Reporter};
use nixos_bootstrap::install::plan::{Plan, PlannedSync};
use nixos_bootstrap::install::private::{HostKeys, Passphrases, PrivateDir};
use nixos_bootstrap::install::record::Record;
use nixos_bootstrap::install::stopwatch::Stopwatch;
use nixos_bootstrap::install::surroundings::Surroundings;
use nixos_bootstrap::install::{Options, Phase, phases, plan};
use nixos_bootstrap::process::{Command, Error, LineSink, Output, RealRunner, Runner};
use nixos_bootstrap::remote::forges::{self, Forge};
use nixos_bootstrap::remote::{HostPublicKey, Probe};
use nixos_bootstrap::secrets::Secret;
use nixos_bootstrap::validated::{HostName, UserName};
use serde_json::json;

use crate::secrets_scene::Told;
use crate::sshd::{Sshd, user};

/// Real programs, but maybe no rsync.
struct Programs {
    rsync: bool,
}

#[async_trait]
impl Runner for Programs {
    async fn stream(&self, command: &Command, sink: &mut LineSink<'_>) -> Result<Output, Error> {
        if !self.rsync && command.program() == "rsync" {
            return Err(Error::NotFound { program: "rsync".to_owned() });
        }
        RealRunner::default().stream(command, sink).await
    }
}

/// Nobody is asked or told anything here.
pub(crate) struct Nobody;

#[async_trait]
impl Evaluator for Nobody {
    async fn hosts(&self, flake: &str) -> Result<EachHost<HostSummary>, EvalError> {
        Err(EvalError::NoHosts { flake: flake.to_owned() })
    }
    async fn facts(&self, flake: &str, _: &HostName, _: Scope) -> Result<HostFacts, EvalError> {
        Err(EvalError::NoHosts { flake: flake.to_owned() })
    }
    async fn facts_of_all(&self, flake: &str, _: Scope) -> Result<EachHost<HostFacts>, EvalError> {
        Err(EvalError::NoHosts { flake: flake.to_owned() })
    }
}

impl Reporter for Nobody {
    fn event(&self, _: &Event) {}
}

impl Prompter for Nobody {
    fn confirm_word(&self, _: &str, _: &str) -> Result<bool, PromptError> {
        Err(PromptError::NoTerminal)
    }
    fn confirm(&self, _: &str) -> Result<bool, PromptError> {
        Err(PromptError::NoTerminal)
    }
    fn text(&self, _: &str, _: Option<&str>) -> Result<String, PromptError> {
        Err(PromptError::NoTerminal)
    }
    fn passphrase(&self, _: &str, _: bool) -> Result<Secret, PromptError> {
        Err(PromptError::NoTerminal)
    }
}

fn sh(dir: &Path, script: &str) -> String {
    let output = std::process::Command::new("sh").args(["-euc", script]).current_dir(dir).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn facts() -> HostFacts {
    serde_json::from_value(json!({
        "name": "grief", "hostName": "grief", "system": "x86_64-linux", "isMinimal": false,
        "disko": { "disks": [], "volumeGroups": [], "raids": [], "pools": [], "nodev": [] },
        "swap": { "devices": [] }, "encryption": [],
        "ssh": { "enable": true, "ports": [22], "hostKeys": [] }, "target": {},
        "boot": { "systemdBoot": true, "grub": false, "grubEfi": false, "grubDevices": [],
                  "other": [] },
        "bootstrap": {}, "article": { "configVars": {} }, "outputs": {}
    }))
    .unwrap()
}

fn machine() -> Probe {
    serde_json::from_value(json!({
        "hostName": "grief", "bootId": "b", "architecture": "x86_64", "firmware": "uefi",
        "memory": 1, "installer": false, "privilege": "root", "missingPrograms": [], "disks": []
    }))
    .unwrap()
}

struct Case {
    sshd: Sshd,
    from: PathBuf,
    to: PathBuf,
    /// Who gets the repo: somebody else where this test may give files away.
    user: String,
    /// Who gets the keys of which forges.
    forge_users: Vec<UserName>,
    forges: Vec<Forge>,
    told: Arc<Told>,
}

impl Case {
    fn new() -> Self {
        Self::on(Sshd::start())
    }

    fn on(sshd: Sshd) -> Self {
        let (from, to) = (sshd.path("nix config"), sshd.path("home/it's new/nix-config"));
        fs::create_dir(&from).unwrap();
        fs::create_dir(sshd.path("home")).unwrap();
        fs::set_permissions(&sshd.dir, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
        sh(
            &from,
            "git init -q -b main . && mkdir -p hosts/grief empty && echo '{}' >flake.nix &&
             echo x >hosts/grief/default.nix && printf 'result\\n*.age-key\\n' >.gitignore &&
             git add . && git -c user.name=T -c user.email=t@t commit -qm first &&
             echo new >untracked && echo secret >mine.age-key && echo r >result &&
             ln -s /etc/passwd link && git rm -q --cached flake.nix && chmod +x untracked",
        );
        let me = sh(&from, "id -un");
        let user = if me == "root" { "nobody".to_owned() } else { me };
        let (forge_users, forges, told) = (Vec::new(), Vec::new(), Arc::default());
        Self { sshd, from, to, user, forge_users, forges, told }
    }

    fn plan(&self) -> Plan {
        let options = Options::new("grief".parse().unwrap(), ".");
        let mut plan = plan::plan(&facts(), None, &machine(), &options, &Surroundings::default());
        plan.target.primary_user = self.user.parse().unwrap();
        // The homes of this machine are no test's.
        plan.forge_users.clone_from(&self.forge_users);
        plan.sync = vec![PlannedSync {
            from: self.from.to_str().unwrap().to_owned(),
            to: self.to.to_str().unwrap().to_owned(),
        }];
        plan
    }

    async fn sync(&self, rsync: bool) -> String {
        let login = self.sshd.login();
        let world = World {
            runner: Arc::new(Programs { rsync }),
            connector: Arc::new(self.sshd.connector()),
            evaluator: Arc::new(Nobody),
            reporter: self.told.clone(),
            finder: Arc::new(nixos_bootstrap::remote::Mdns),
            prompter: Arc::new(Nobody),
            cancel: self.sshd.cancel.clone(),
            state_dir: self.sshd.path("state"),
            user_known_hosts: self.sshd.path("user_known_hosts"),
            forges: self.forges.clone(),
            private_bases: vec![self.sshd.dir.path().to_owned()],
            limits: Limits::default(),
        };
        let private = PrivateDir::create(&world.private_bases, "grief").unwrap();
        let door = Door { port: login.port, user: login.user.clone() };
        let access = Access {
            address: login.address.clone(),
            installer: door.clone(),
            installed: door,
            identity: login.identity.clone(),
        };
        let host_keys = vec![self.sshd.host_key.public().to_owned()];
        let options = Options::new("grief".parse().unwrap(), ".");
        let (facts, plan) = (facts(), self.plan());
        let mut cx = Context {
            world: &world,
            options: &options,
            facts: &facts,
            minimal: None,
            plan: &plan,
            phase: Phase::Sync,
            access: &access,
            side: Side::Installed,
            record: Record { host_keys, ..Record::default() },
            private: &private,
            host_keys: HostKeys::default(),
            passphrases: Passphrases::default(),
            connection: None,
            clock: Stopwatch::start(),
            changes: Vec::new(),
            next: Vec::new(),
        };
        let done = phases::of(Phase::Sync).unwrap().run(&mut cx).await.unwrap();
        cx.disconnect().await;
        assert_eq!(cx.record.synced, [self.to.to_str().unwrap()]);
        done.summary
    }

    fn check(&self) {
        let there = |name: &str| self.to.join(name);
        assert_eq!(fs::read_to_string(there("hosts/grief/default.nix")).unwrap(), "x\n");
        assert_eq!(fs::read_to_string(there("untracked")).unwrap(), "new\n");
        assert!(there("flake.nix").exists(), "a file that is out of the index only");
        assert!(!there("mine.age-key").exists(), "an ignored file went over");
        assert!(!there("result").exists(), "an ignored file went over");
        assert_eq!(fs::read_link(there("link")).unwrap(), Path::new("/etc/passwd"));
        assert_eq!(fs::metadata(there("untracked")).unwrap().mode() & 0o111, 0o111);
        let status = format!("git -c safe.directory='*' -C {} status --porcelain", "\"$PWD\"");
        assert!(sh(&self.to, &status).contains("?? untracked"), "its history did not come along");
        let uid: u32 = sh(&self.from, &format!("id -u {}", self.user)).parse().unwrap();
        for name in ["", "..", "flake.nix", ".git/HEAD", "hosts/grief", "link"] {
            let owner = fs::symlink_metadata(there(name)).unwrap().uid();
            assert_eq!(owner, uid, "the owner of {name:?}");
        }
        assert_ne!(fs::metadata(self.sshd.path("home")).unwrap().mode() & 0o777, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn repos_go_over_by_rsync_and_nothing_there_is_deleted() {
    let case = Case::new();
    assert!(case.sync(true).await.ends_with("(rsync)"));
    case.check();
    fs::write(case.to.join("theirs"), "kept").unwrap();
    fs::write(case.from.join("untracked"), "newer").unwrap();
    assert!(case.sync(true).await.ends_with("(rsync)"));
    assert!(case.to.join("theirs").exists());
    assert_eq!(fs::read_to_string(case.to.join("untracked")).unwrap(), "newer");
}

#[tokio::test(flavor = "multi_thread")]
async fn repos_go_over_by_tar_where_rsync_is_missing() {
    let case = Case::new();
    assert!(case.sync(false).await.ends_with("(tar)"));
    case.check();
    assert_eq!(case.sshd.logins(), 1, "the copy did not share the connection");
}

/// A host of this test's own users: root, and ta, each with a home below its folder.
fn host_with_users() -> (tempfile::TempDir, Case) {
    assert_eq!(user(), "root", "this test changes what /etc/passwd is: run it as root");
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let here = dir.path().display();
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let others = users.lines().filter(|line| !line.starts_with("root:"));
    let others: Vec<&str> = others.collect();
    let users = format!(
        "root:*:0:0::{here}/root:/bin/sh\nta:*:4242:4242::{here}/ta:/bin/sh\n{}\n",
        others.join("\n")
    );
    fs::write(dir.path().join("passwd"), users).unwrap();
    for home in ["root", "ta"] {
        fs::create_dir(dir.path().join(home)).unwrap();
    }
    let ta = dir.path().join("ta");
    std::os::unix::fs::chown(&ta, Some(4242), Some(4242)).unwrap();
    let mount = format!("mount --bind {here}/passwd /etc/passwd && exec \"$@\"");
    let wrapper = ["unshare", "--mount", "--propagation", "private", "sh", "-c", &mount, "sh"];
    let mut case = Case::on(Sshd::start_in(&wrapper, ""));
    case.forge_users = ["ta", "root"].map(|user| user.parse().unwrap()).to_vec();
    (dir, case)
}

/// Logs in to a stand-in forge with the known hosts of a user of the host, as git does.
fn fetch(forge: &Sshd, known_hosts: &Path) -> std::process::Output {
    let options = ["StrictHostKeyChecking=yes", "GlobalKnownHostsFile=/dev/null", "BatchMode=yes"];
    let known = format!("UserKnownHostsFile={}", known_hosts.display());
    let mut ssh = std::process::Command::new("ssh");
    ssh.args(["-F", "/dev/null", "-p", &forge.port.to_string(), "-i"]).arg(forge.path("id"));
    for option in options.into_iter().chain([known.as_str()]) {
        ssh.args(["-o", option]);
    }
    ssh.args(["127.0.0.1", "echo fetched"]).output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn users_fetch_from_a_forge_that_has_the_published_key_and_from_no_other() {
    let (dir, mut case) = host_with_users();
    let (forge, other) = (Sshd::start(), Sshd::start());
    let of = |sshd: &Sshd, key: &Sshd| Forge {
        machine: format!("127.0.0.1:{}", sshd.port).parse().unwrap(),
        key: key.host_key.public().parse().unwrap(),
    };
    // One shows what it publishes, the other one something else.
    case.forges = forges::all();
    case.forges.extend([of(&forge, &forge), of(&other, &forge)]);
    let mine = "# mine\nexample.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfuCHKVTjquxvt6CM6tdG4SLp1Btn/nOeHHE5UOzRdf";
    fs::create_dir(dir.path().join("ta/.ssh")).unwrap();
    fs::write(dir.path().join("ta/.ssh/known_hosts"), mine).unwrap();
    case.sync(true).await;
    let file = |user: &str| dir.path().join(user).join(".ssh/known_hosts");
    let lines: Vec<String> = case
        .forges
        .iter()
        .map(|forge| format!("{} {}\n", forge.machine.known_names()[0], forge.key))
        .collect();
    let lines = lines.concat();
    assert!(lines.contains(&format!("[127.0.0.1]:{} ssh-ed25519 ", forge.port)));
    let read = |user: &str| fs::read_to_string(file(user)).unwrap();
    assert_eq!((read("root"), read("ta")), (lines.clone(), format!("{mine}\n{lines}")));
    let meta = fs::metadata(file("root")).unwrap();
    assert_eq!((meta.uid(), meta.mode() & 0o777), (0, 0o600));
    assert_eq!(fs::metadata(file("ta")).unwrap().uid(), 4242);
    for user in ["root", "ta"] {
        let fetched = fetch(&forge, &file(user));
        assert_eq!(String::from_utf8_lossy(&fetched.stdout), "fetched\n", "{fetched:?}");
        let refused = fetch(&other, &file(user));
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains("REMOTE HOST IDENTIFICATION HAS CHANGED"), "{said}");
        assert_eq!(refused.status.code(), Some(255));
    }
    assert_eq!(other.logins(), 0);
    // Again: not a byte changes.
    let before = (read("root"), read("ta"));
    case.sync(true).await;
    assert_eq!((read("root"), read("ta")), before);
    assert_eq!(case.told.warnings(), "");
    // Whoever has taken another key for a forge's is told, and keeps it.
    let odd =
        lines.replace(&forge.host_key.public().parse::<HostPublicKey>().unwrap().to_string(), &{
            let key: HostPublicKey = other.host_key.public().parse().unwrap();
            key.to_string()
        });
    fs::write(file("root"), &odd).unwrap();
    case.sync(true).await;
    assert_eq!(read("root"), odd);
    let told = case.told.warnings();
    let name = format!("[127.0.0.1]:{}", forge.port);
    assert!(told.contains(&format!("root has another ed25519 key for {name} than")), "{told}");
    assert!(told.contains("somebody is in between"), "{told}");
}
