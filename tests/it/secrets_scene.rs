//! A flake, a repo of secrets and a host for the phases that change them: git, sops and nix are the real ones.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use nixos_bootstrap::facts::HostFacts;
use nixos_bootstrap::install::context::{Access, Context, Door, Limits, Side, World};
use nixos_bootstrap::install::event::{Event, Reporter};
use nixos_bootstrap::install::options::ReuseHostKey;
use nixos_bootstrap::install::plan::plan;
use nixos_bootstrap::install::private::{HostKey, HostKeys, Passphrases, PrivateDir};
use nixos_bootstrap::install::record::Record;
use nixos_bootstrap::install::stopwatch::Stopwatch;
use nixos_bootstrap::install::surroundings::look_around;
use nixos_bootstrap::install::{Failure, Options, Phase, Plan, phases};
use nixos_bootstrap::process::{Command, Error, LineSink, Output, RealRunner, Runner};
use nixos_bootstrap::secrets::age::Identity;
use nixos_bootstrap::secrets::{HostKeyPair, Secret};
use serde_json::json;
use tempfile::TempDir;

use crate::engine::Nobody;
use crate::sshd::Sshd;
use crate::tools::{output, path_with};

/// Real programs, with sops on the path and the user's own key for it.
struct Programs {
    own: PathBuf,
    /// Below it are the home and the store of `nix`.
    dir: PathBuf,
}

#[async_trait]
impl Runner for Programs {
    async fn stream(&self, command: &Command, sink: &mut LineSink<'_>) -> Result<Output, Error> {
        let mut command = command.clone().env("PATH", path_with(&["sops", "nix"]));
        let alone = command.argv().iter().any(|word| word == "/dev/null");
        if command.program() == "sops" && !alone {
            command = command.env("SOPS_AGE_KEY_FILE", &self.own);
        }
        if command.program() == "nix" {
            command = command
                .env("HOME", self.dir.join("home"))
                .env("XDG_CACHE_HOME", self.dir.join("home/.cache"))
                .env("NIX_REMOTE", self.dir.join("store"))
                .env("NIX_CONFIG", "flake-registry =");
        }
        RealRunner::default().stream(&command, sink).await
    }
}

/// Nobody is asked here; what is told is kept.
#[derive(Default)]
pub(crate) struct Told(Mutex<Vec<Event>>);

impl Told {
    /// Everything that was told, as it would be logged.
    pub(crate) fn all(&self) -> String {
        format!("{:?}", self.0.lock().unwrap())
    }

    pub(crate) fn warnings(&self) -> String {
        let events = self.0.lock().unwrap();
        let warnings = events.iter().filter_map(|event| match event {
            Event::Warning { text, .. } => Some(format!("{text}\n")),
            _ => None,
        });
        warnings.collect()
    }
}

impl Reporter for Told {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

const SOPS_YAML: &str = "\
# Whose keys these are.
keys:
  - &users:
    - &ta TA # laptop
  - &hosts:
    - &guppy GUPPY

creation_rules:
  - path_regex: shared\\.yaml$
    key_groups:
    - age:
      - *ta
      - *guppy
  - path_regex: hosts/
    key_groups:
    - age:
      - *ta
      - *guppy
";

/// A flake, a secrets repo beside it, and a host that takes secrets from two files.
pub(crate) struct Scene {
    pub(crate) dir: TempDir,
    pub(crate) sshd: Sshd,
    own: Identity,
    pub(crate) pair: HostKeyPair,
    pub(crate) told: Arc<Told>,
    pub(crate) push: bool,
    /// Where the host's keys come from, unless they are made.
    pub(crate) reuse: Option<ReuseHostKey>,
    /// How long a short command may take.
    pub(crate) patience: Duration,
    /// What is installed.
    pub(crate) facts: HostFacts,
    /// Which system answers.
    pub(crate) side: Side,
}

/// What came of some phases.
pub(crate) struct Ran {
    pub(crate) done: Result<Vec<String>, Failure>,
    pub(crate) record: Record,
    pub(crate) next: Vec<String>,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let scene = Self {
            dir: tempfile::tempdir().unwrap(),
            sshd: Sshd::start(),
            own: Identity::generate().unwrap(),
            pair: HostKeyPair::generate("root@grief").unwrap(),
            told: Arc::default(),
            push: false,
            reuse: None,
            patience: Limits::default().command,
            facts: Self::facts(),
            side: Side::Installer,
        };
        for folder in ["home", "nix-config", "nix-secrets/hosts/grief", "private"] {
            fs::create_dir_all(scene.dir.path().join(folder)).unwrap();
        }
        scene.write("own.txt", std::str::from_utf8(scene.own.secret().expose()).unwrap());
        scene.write("nix-config/flake.nix", "{ outputs = _: { }; }\n");
        scene.write(
            "nix-config/flake.lock",
            r#"{"nodes":{"root":{"inputs":{"secrets":"s"}},"s":{"original":{"type":"git",
            "url":"ssh://git@example.org/ta/nix-secrets.git"}}},"root":"root","version":7}"#,
        );
        let guppy = Identity::generate().unwrap();
        let rules = SOPS_YAML
            .replace("TA", scene.own.recipient().as_str())
            .replace("GUPPY", guppy.recipient().as_str());
        scene.write("nix-secrets/.sops.yaml", &rules);
        for name in ["shared.yaml", "hosts/grief/own.yaml", "hosts/guppy.yaml"] {
            scene.write(&format!("nix-secrets/{name}"), "token: hunter2\npass:\n  ta: x\n");
            scene.sops(&["encrypt", "--in-place", name]);
        }
        for repo in ["nix-config", "nix-secrets"] {
            scene.git(repo, &["init", "-q", "-b", "main"]);
            scene.git(repo, &["add", "."]);
            let who = ["-c", "user.name=T", "-c", "user.email=t@t", "commit", "-qm", "first"];
            scene.git(repo, &who);
        }
        scene
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.dir.path().join(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join("nix-secrets").join(name)).unwrap()
    }

    pub(crate) fn git(&self, repo: &str, words: &[&str]) -> String {
        let mut git = std::process::Command::new("git");
        output(git.args(words).current_dir(self.dir.path().join(repo)))
    }

    pub(crate) fn sops(&self, words: &[&str]) -> String {
        let mut sops = std::process::Command::new(crate::tools::tool("sops"));
        sops.args(words)
            .current_dir(self.dir.path().join("nix-secrets"))
            .env("SOPS_DISABLE_VERSION_CHECK", "1")
            .env("SOPS_AGE_KEY_FILE", self.dir.path().join("own.txt"));
        output(&mut sops)
    }

    /// `nix` with the store and the home of this scene.
    pub(crate) fn nix(&self, words: &[&str]) -> String {
        let mut nix = std::process::Command::new(crate::tools::tool("nix"));
        nix.args(["--extra-experimental-features", "nix-command flakes"])
            .args(words)
            .env("HOME", self.dir.path().join("home"))
            .env("XDG_CACHE_HOME", self.dir.path().join("home/.cache"))
            .env("NIX_REMOTE", self.dir.path().join("store"))
            .env("NIX_CONFIG", "flake-registry =");
        output(&mut nix)
    }

    /// A shell line that begins with `nixos-bootstrap`, in the folder of the secrets.
    pub(crate) fn tool(&self, line: &str) -> String {
        let own = std::path::Path::new(env!("CARGO_BIN_EXE_nixos-bootstrap"));
        let folders = [own.parent().unwrap().to_owned()].into_iter();
        let path = path_with(&["sops"]);
        let path = std::env::join_paths(folders.chain(std::env::split_paths(&path))).unwrap();
        let mut shell = std::process::Command::new("sh");
        shell
            .args(["-euc", &format!("nixos-bootstrap {line}")])
            .current_dir(self.dir.path().join("nix-secrets"))
            .env("PATH", path)
            .env("HOME", self.dir.path().join("home"))
            .env("XDG_STATE_HOME", self.dir.path().join("home/state"))
            .env("SOPS_AGE_KEY_FILE", self.dir.path().join("own.txt"));
        output(&mut shell)
    }

    pub(crate) fn facts() -> HostFacts {
        let store = "/nix/store/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-source";
        serde_json::from_value(json!({
            "name": "grief", "hostName": "grief", "system": "x86_64-linux", "isMinimal": false,
            "disko": { "disks": [], "volumeGroups": [], "raids": [], "pools": [], "nodev": [] },
            "swap": { "devices": [] }, "encryption": [], "primaryUser": "ta",
            "ssh": { "enable": true, "ports": [22], "hostKeys": [] }, "target": {},
            "sops": {
                "ageSshKeyPaths": ["/etc/ssh/ssh_host_ed25519_key"],
                "defaultFile": format!("{store}/shared.yaml"),
                "secrets": [
                    { "name": "token", "key": "token", "file": null },
                    { "name": "ta/password", "key": "pass/ta", "file": format!("{store}/shared.yaml") },
                    { "name": "own", "key": "token", "file": format!("{store}/hosts/grief/own.yaml") },
                    { "name": "key", "key": "user_age_keys/ta_grief", "file": format!("{store}/shared.yaml") },
                ],
            },
            "boot": { "systemdBoot": true, "grub": false, "grubEfi": false, "grubDevices": [],
                      "other": [] },
            "bootstrap": {}, "article": { "configVars": {} }, "outputs": {}
        }))
        .unwrap()
    }

    pub(crate) fn options(&self) -> Options {
        let mut options = Options::new("grief".parse().unwrap(), ".");
        options.flake_dir = Some(self.dir.path().join("nix-config"));
        options.push = self.push;
        options.reuse_host_key.clone_from(&self.reuse);
        options.luks_recovery = !self.facts.encryption.is_empty();
        options
    }

    pub(crate) async fn plan(&self, facts: &HostFacts) -> Plan {
        let machine = serde_json::from_value(json!({
            "hostName": "grief", "bootId": "b", "architecture": "x86_64", "firmware": "uefi",
            "memory": 1, "installer": true, "privilege": "root", "missingPrograms": [], "disks": []
        }));
        let options = self.options();
        let around = look_around(&RealRunner::default(), &options, facts).await;
        plan(facts, None, &machine.unwrap(), &options, &around)
    }

    /// Carries out phases; what they said, and what they have learned.
    pub(crate) async fn run(&self, wanted: &[Phase]) -> (Result<Vec<String>, Failure>, Record) {
        let ran = self.run_from(Record::default(), wanted).await;
        (ran.done, ran.record)
    }

    /// The same with what is known from before.
    pub(crate) async fn run_from(&self, record: Record, wanted: &[Phase]) -> Ran {
        let mut facts = self.facts.clone();
        if self.reuse.is_some() {
            facts.bootstrap.secrets_file = Some("hosts/keys.yaml".to_owned());
        }
        let plan = self.plan(&facts).await;
        let options = self.options();
        let world = World {
            runner: Arc::new(Programs {
                own: self.dir.path().join("own.txt"),
                dir: self.dir.path().to_owned(),
            }),
            connector: Arc::new(self.sshd.connector()),
            evaluator: Arc::new(Nobody),
            reporter: self.told.clone(),
            finder: Arc::new(nixos_bootstrap::remote::Mdns),
            prompter: Arc::new(Nobody),
            cancel: self.sshd.cancel.clone(),
            state_dir: self.dir.path().join("state"),
            user_known_hosts: self.dir.path().join("known_hosts"),
            forges: nixos_bootstrap::remote::forges::all(),
            private_bases: vec![self.dir.path().join("private")],
            limits: Limits { command: self.patience, ..Limits::default() },
        };
        let private = PrivateDir::create(&world.private_bases, "grief").unwrap();
        // Whoever plants a link where a secret will be written gets nothing.
        if wanted.contains(&Phase::Secrets) {
            let (stolen, place) =
                (self.dir.path().join("stolen"), private.path().join("age-identity"));
            std::os::unix::fs::symlink(stolen, place).unwrap();
        }
        let door = Door { port: self.sshd.port, user: "root".parse().unwrap() };
        let access = Access {
            address: "127.0.0.1".parse().unwrap(),
            installer: door.clone(),
            installed: door,
            identity: Some(self.sshd.path("id")),
        };
        let mut host_keys = HostKeys::default();
        if self.reuse.is_none() {
            host_keys.insert(HostKey {
                kind: "ed25519".to_owned(),
                private: self.pair.private().clone(),
                public: self.pair.public().to_owned(),
            });
        }
        let mut passphrases = Passphrases::default();
        for container in &facts.encryption {
            passphrases.insert(container.name.clone(), Secret::new("one-time"), true);
        }
        let mut cx = Context {
            world: &world,
            options: &options,
            facts: &facts,
            minimal: None,
            plan: &plan,
            phase: Phase::Secrets,
            access: &access,
            side: self.side,
            record,
            private: &private,
            host_keys,
            passphrases,
            connection: None,
            clock: Stopwatch::start(),
            changes: Vec::new(),
            next: Vec::new(),
        };
        let mut said = Vec::new();
        for phase in wanted {
            cx.phase = *phase;
            match phases::of(*phase).unwrap().run(&mut cx).await {
                Ok(done) => said.push(done.summary),
                Err(failure) => {
                    return Ran { done: Err(failure), record: cx.record, next: cx.next };
                }
            }
        }
        cx.disconnect().await;
        assert!(!self.dir.path().join("stolen").exists(), "a planted link was followed");
        let left = fs::read_dir(private.path()).unwrap().map(Result::unwrap);
        // The socket of a connection goes with its ssh, a moment later.
        let left = left.filter(|entry| !entry.file_type().unwrap().is_socket());
        let left: Vec<_> = left.map(|entry| entry.file_name()).collect();
        let left: Vec<_> = left
            .into_iter()
            .filter(|name| !name.to_string_lossy().starts_with("ssh_host_"))
            .filter(|name| !name.to_string_lossy().starts_with("known_hosts."))
            .collect();
        assert_eq!(left, ["owner.json"], "the phase left something in the private directory");
        Ran { done: Ok(said), record: cx.record, next: cx.next }
    }

    pub(crate) fn host(&self) -> Identity {
        Identity::of_ssh(self.pair.private()).unwrap()
    }

    /// Does the host's key alone open the file?
    pub(crate) fn host_opens(&self, name: &str) -> bool {
        let key = self.dir.path().join("host.txt");
        fs::write(&key, self.host().secret().expose()).unwrap();
        let mut sops = std::process::Command::new(crate::tools::tool("sops"));
        sops.args(["decrypt", name])
            .current_dir(self.dir.path().join("nix-secrets"))
            .env("SOPS_DISABLE_VERSION_CHECK", "1")
            .env("HOME", "/nobody")
            .env("SOPS_AGE_KEY_FILE", key);
        sops.output().unwrap().status.success()
    }
}
