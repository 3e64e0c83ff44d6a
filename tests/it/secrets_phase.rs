//! The phases `secrets` and `lock` for real: git, sops and a repo of secrets.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use nixos_bootstrap::facts::HostFacts;
use nixos_bootstrap::install::context::{Access, Context, Door, Limits, Side, World};
use nixos_bootstrap::install::event::{Event, Reporter};
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
}

#[async_trait]
impl Runner for Programs {
    async fn stream(&self, command: &Command, sink: &mut LineSink<'_>) -> Result<Output, Error> {
        let mut command = command.clone().env("PATH", path_with(&["sops"]));
        let alone = command.argv().iter().any(|word| word == "/dev/null");
        if command.program() == "sops" && !alone {
            command = command.env("SOPS_AGE_KEY_FILE", &self.own);
        }
        RealRunner::default().stream(&command, sink).await
    }
}

/// Nobody is asked here; what is told is kept.
#[derive(Default)]
struct Told(Mutex<Vec<Event>>);

impl Told {
    fn warnings(&self) -> String {
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
struct Scene {
    dir: TempDir,
    sshd: Sshd,
    own: Identity,
    pair: HostKeyPair,
    told: Arc<Told>,
}

impl Scene {
    fn new() -> Self {
        let scene = Self {
            dir: tempfile::tempdir().unwrap(),
            sshd: Sshd::start(),
            own: Identity::generate().unwrap(),
            pair: HostKeyPair::generate("root@grief").unwrap(),
            told: Arc::default(),
        };
        for folder in ["nix-config", "nix-secrets/hosts/grief", "private"] {
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

    fn write(&self, name: &str, text: &str) {
        fs::write(self.dir.path().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join("nix-secrets").join(name)).unwrap()
    }

    fn git(&self, repo: &str, words: &[&str]) -> String {
        let mut git = std::process::Command::new("git");
        output(git.args(words).current_dir(self.dir.path().join(repo)))
    }

    fn sops(&self, words: &[&str]) -> String {
        let mut sops = std::process::Command::new(crate::tools::tool("sops"));
        sops.args(words)
            .current_dir(self.dir.path().join("nix-secrets"))
            .env("SOPS_DISABLE_VERSION_CHECK", "1")
            .env("SOPS_AGE_KEY_FILE", self.dir.path().join("own.txt"));
        output(&mut sops)
    }

    fn facts() -> HostFacts {
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

    fn options(&self) -> Options {
        let mut options = Options::new("grief".parse().unwrap(), ".");
        options.flake_dir = Some(self.dir.path().join("nix-config"));
        options
    }

    async fn plan(&self, facts: &HostFacts) -> Plan {
        let machine = serde_json::from_value(json!({
            "hostName": "grief", "bootId": "b", "architecture": "x86_64", "firmware": "uefi",
            "memory": 1, "installer": true, "privilege": "root", "missingPrograms": [], "disks": []
        }));
        let options = self.options();
        let around = look_around(&RealRunner::default(), &options, facts).await;
        plan(facts, None, &machine.unwrap(), &options, &around)
    }

    /// Carries out phases; what they said, and what they have learned.
    async fn run(&self, wanted: &[Phase]) -> (Result<Vec<String>, Failure>, Record) {
        let facts = Self::facts();
        let plan = self.plan(&facts).await;
        let options = self.options();
        let world = World {
            runner: Arc::new(Programs { own: self.dir.path().join("own.txt") }),
            connector: Arc::new(self.sshd.connector()),
            evaluator: Arc::new(Nobody),
            reporter: self.told.clone(),
            prompter: Arc::new(Nobody),
            cancel: self.sshd.cancel.clone(),
            state_dir: self.dir.path().join("state"),
            user_known_hosts: self.dir.path().join("known_hosts"),
            private_bases: vec![self.dir.path().join("private")],
            limits: Limits::default(),
        };
        let private = PrivateDir::create(&world.private_bases, "grief").unwrap();
        // Whoever plants a link where a secret will be written gets nothing.
        std::os::unix::fs::symlink(
            self.dir.path().join("stolen"),
            private.path().join("age-identity"),
        )
        .unwrap();
        let door = Door { port: 22, user: "root".parse().unwrap() };
        let access = Access {
            address: "127.0.0.1".parse().unwrap(),
            installer: door.clone(),
            installed: door,
            identity: None,
        };
        let mut host_keys = HostKeys::default();
        host_keys.insert(HostKey {
            kind: "ed25519".to_owned(),
            private: self.pair.private().clone(),
            public: self.pair.public().to_owned(),
        });
        let mut cx = Context {
            world: &world,
            options: &options,
            facts: &facts,
            minimal: None,
            plan: &plan,
            phase: Phase::Secrets,
            access: &access,
            side: Side::Installer,
            record: Record::default(),
            private: &private,
            host_keys,
            passphrases: Passphrases::default(),
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
                Err(failure) => return (Err(failure), cx.record),
            }
        }
        assert!(!self.dir.path().join("stolen").exists(), "a planted link was followed");
        let left: Vec<_> =
            fs::read_dir(private.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["owner.json"], "the phase left something in the private directory");
        (Ok(said), cx.record)
    }

    fn host(&self) -> Identity {
        Identity::of_ssh(self.pair.private()).unwrap()
    }

    /// Does the host's key alone open the file?
    fn host_opens(&self, name: &str) -> bool {
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

fn names(files: &[&str]) -> std::collections::BTreeSet<String> {
    files.iter().map(|file| (*file).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_can_read_its_secrets_and_a_second_run_changes_no_byte() {
    let scene = Scene::new();
    let plan = scene.plan(&Scene::facts()).await;
    let changes = &plan.phase(Phase::Secrets).unwrap().changes;
    assert!(changes.iter().any(|line| line.contains("encrypts shared.yaml, hosts/grief/own.yaml")));
    assert!(changes.iter().any(|line| line.contains("user_age_keys/ta_grief in shared.yaml")));
    let lock = &plan.phase(Phase::Lock).unwrap().changes;
    assert!(lock[0].contains("the input secrets from"), "{lock:?}");
    let guppy = scene.read("hosts/guppy.yaml");

    let (done, record) = scene.run(&[Phase::Secrets, Phase::Lock]).await;
    let done = done.unwrap_or_else(|failure| panic!("{failure:?}"));
    assert!(done[0].starts_with("2 files can be read; changed: .sops.yaml"), "{done:?}");
    assert_eq!(record.secrets_files, names(&[".sops.yaml", "hosts/grief/own.yaml", "shared.yaml"]));
    let (input, reference) = record.secrets_input.unwrap();
    assert_eq!(input, "secrets");
    assert!(reference.starts_with("git+file:///"), "{reference}");
    assert!(scene.host_opens("shared.yaml") && scene.host_opens("hosts/grief/own.yaml"));
    assert!(!scene.host_opens("hosts/guppy.yaml"), "the host can read another's secrets");
    assert_eq!(scene.read("hosts/guppy.yaml"), guppy);
    scene.sops(&["decrypt", "hosts/grief/own.yaml"]);
    let place = "[\"user_age_keys\"][\"ta_grief\"]";
    let user = scene.sops(&["decrypt", "--extract", place, "shared.yaml"]);
    let user = Identity::parse(&Secret::new(user)).unwrap();

    let rules = scene.read(".sops.yaml");
    assert!(rules.contains(&format!("    - &grief {}\n", scene.host().recipient())), "{rules}");
    assert!(rules.contains(&format!("    - &ta_grief {}\n", user.recipient())), "{rules}");
    // Its own file got a rule of its own, without the other host, before the one that shadows it.
    let own = "  - path_regex: ^hosts/grief/own\\.yaml$\n    key_groups:\n    - age:\n      - *ta\n      - *grief\n      - *ta_grief\n  - path_regex: hosts/\n";
    assert!(rules.contains(own), "{rules}");
    assert!(rules.starts_with("# Whose keys these are.\n") && rules.contains(" # laptop\n"));

    let files = [".sops.yaml", "shared.yaml", "hosts/grief/own.yaml"];
    let before = files.map(|file| scene.read(file));
    let (done, record) = scene.run(&[Phase::Secrets]).await;
    assert_eq!(done.unwrap(), ["2 files can be read already; nothing changed"]);
    assert!(record.secrets_files.is_empty());
    assert_eq!(files.map(|file| scene.read(file)), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_killed_between_two_files_is_finished_by_the_next() {
    let scene = Scene::new();
    let shared = scene.read("shared.yaml");
    scene.run(&[Phase::Secrets]).await.0.unwrap();
    // The rules and one file were written, the other was not.
    let rules = scene.read(".sops.yaml");
    scene.git("nix-secrets", &["checkout", "-q", "hosts/grief/own.yaml"]);
    let (done, record) = scene.run(&[Phase::Secrets]).await;
    done.unwrap();
    assert_eq!(record.secrets_files, names(&["hosts/grief/own.yaml"]));
    assert_eq!(scene.read(".sops.yaml"), rules);
    assert_ne!(scene.read("shared.yaml"), shared);
    assert!(scene.host_opens("hosts/grief/own.yaml"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reinstalled_host_has_its_new_key_and_the_old_one_is_out() {
    let mut scene = Scene::new();
    scene.run(&[Phase::Secrets]).await.0.unwrap();
    let old = scene.host();
    let data = |text: &str| text.lines().next().unwrap().to_owned();
    let before = data(&scene.read("shared.yaml"));
    scene.pair = HostKeyPair::generate("root@grief").unwrap();
    scene.run(&[Phase::Secrets]).await.0.unwrap();
    let rules = scene.read(".sops.yaml");
    assert!(!rules.contains(old.recipient().as_str()), "{rules}");
    assert_eq!(rules.matches("&grief ").count(), 1);
    for name in ["shared.yaml", "hosts/grief/own.yaml"] {
        assert!(scene.host_opens(name), "{name}");
        assert!(!scene.read(name).contains(old.recipient().as_str()), "{name}");
    }
    assert_ne!(data(&scene.read("shared.yaml")), before, "the data key is the old one");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_proof_nothing_is_written() {
    let scene = Scene::new();
    // The configuration wants a key that is not in the file.
    scene.write("nix-secrets/shared.yaml", "pass:\n  ta: x\n");
    scene.sops(&["encrypt", "--in-place", "shared.yaml"]);
    let before = (scene.read(".sops.yaml"), scene.read("shared.yaml"));
    let (done, record) = scene.run(&[Phase::Secrets]).await;
    let failure = done.unwrap_err();
    assert!(failure.error.contains("nothing was changed"), "{failure:?}");
    assert!(failure.error.contains("shared.yaml: it has no token"), "{failure:?}");
    assert_eq!((scene.read(".sops.yaml"), scene.read("shared.yaml")), before);
    assert!(record.secrets_files.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dirty_repo_is_told_and_other_changes_stay() {
    let scene = Scene::new();
    let rules = scene.read(".sops.yaml");
    scene.write("nix-secrets/.sops.yaml", &format!("{rules}# mine\n"));
    scene.write("nix-secrets/notes", "mine\n");
    scene.git("nix-secrets", &["add", "notes"]);
    let (done, _) = scene.run(&[Phase::Secrets]).await;
    done.unwrap();
    assert!(scene.told.warnings().contains("not committed"), "{}", scene.told.warnings());
    assert!(scene.read(".sops.yaml").ends_with("# mine\n"));
    assert!(scene.git("nix-secrets", &["status", "--porcelain"]).contains("A  notes"));
    fs::remove_dir_all(scene.dir.path().join("nix-secrets/.git")).unwrap();
    let (done, _) = scene.run(&[Phase::Secrets]).await;
    done.unwrap();
    assert!(scene.told.warnings().contains("is no git repo"), "{}", scene.told.warnings());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_encrypted_for_it_is_refused_in_the_plan() {
    let scene = Scene::new();
    let refused = async |scene: &Scene| {
        let plan = scene.plan(&Scene::facts()).await;
        plan.refusals.into_iter().map(|refusal| (refusal.code, refusal.reason)).collect::<Vec<_>>()
    };
    let codes = |refusals: &[(String, String)]| -> Vec<String> {
        let codes = refusals.iter().map(|(code, _)| code.clone());
        codes.filter(|code| code.contains("sops") || code.contains("secrets")).collect()
    };
    assert_eq!(codes(&refused(&scene).await), Vec::<String>::new());
    fs::remove_file(scene.dir.path().join("nix-secrets/shared.yaml")).unwrap();
    let found = refused(&scene).await;
    assert_eq!(codes(&found), ["no-secrets-file"], "{found:?}");
    let rules = scene.read(".sops.yaml").replace("shared", "other");
    scene.write("nix-secrets/.sops.yaml", &rules);
    let found = refused(&scene).await;
    assert_eq!(codes(&found), ["no-secrets-file", "no-sops-rule"], "{found:?}");
    scene.write("nix-secrets/.sops.yaml", "keys: [\n");
    let found = refused(&scene).await;
    assert_eq!(codes(&found), ["sops-yaml"], "{found:?}");
    assert!(
        Path::new(
            &found.iter().find(|f| f.0 == "sops-yaml").unwrap().1.split(": ").next().unwrap()
        )
        .is_absolute()
    );
}
