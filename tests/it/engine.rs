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
use nixos_bootstrap::remote::Probe;
use nixos_bootstrap::secrets::Secret;
use nixos_bootstrap::validated::HostName;
use serde_json::json;

use crate::sshd::Sshd;

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
}

impl Case {
    fn new() -> Self {
        let sshd = Sshd::start();
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
        Self { sshd, from, to, user }
    }

    fn plan(&self) -> Plan {
        let options = Options::new("grief".parse().unwrap(), ".");
        let mut plan = plan::plan(&facts(), None, &machine(), &options, &Surroundings::default());
        plan.target.primary_user = self.user.parse().unwrap();
        // The homes of this machine are no test's.
        plan.forge_users.clear();
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
            reporter: Arc::new(Nobody),
            finder: Arc::new(nixos_bootstrap::remote::Mdns),
            prompter: Arc::new(Nobody),
            cancel: self.sshd.cancel.clone(),
            state_dir: self.sshd.path("state"),
            user_known_hosts: self.sshd.path("user_known_hosts"),
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
