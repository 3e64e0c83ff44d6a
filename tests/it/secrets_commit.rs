//! The two repos as one transaction: commit, push and lock with real remotes, and what may go wrong on the way.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use nixos_bootstrap::facts::{Encryption, KeySource};
use nixos_bootstrap::install::Phase;
use nixos_bootstrap::install::context::Side;
use nixos_bootstrap::install::lock::SecretsLock;
use nixos_bootstrap::install::record::{HardwareRecord, Record};
use nixos_bootstrap::secrets::HostKeyPair;
use nixos_bootstrap::secrets::age::Identity;
use serde_json::Value;

use crate::secrets_scene::{Ran, Scene};

const HARDWARE: &str = "hosts/grief/hardware-configuration.nix";
const ALL: [Phase; 3] = [Phase::Secrets, Phase::Lock, Phase::Commit];

/// The scene with a remote for each repo, and a lock that was made by nix.
struct Remotes {
    scene: Scene,
}

fn git_in(dir: &std::path::Path, words: &[&str]) -> String {
    let mut git = std::process::Command::new("git");
    crate::tools::output(git.args(words).current_dir(dir))
}

impl Remotes {
    fn new() -> Self {
        let scene = Scene::new();
        let remotes = Self { scene };
        for repo in ["nix-secrets", "nix-config"] {
            let far = remotes.far(repo);
            fs::create_dir_all(&far).unwrap();
            remotes.scene.git(repo, &["config", "user.name", "T"]);
            remotes.scene.git(repo, &["config", "user.email", "t@t"]);
            git_in(&far, &["init", "-q", "--bare", "-b", "main"]);
            remotes.scene.git(repo, &["remote", "add", "origin", far.to_str().unwrap()]);
            remotes.scene.git(repo, &["push", "-q", "-u", "origin", "main"]);
        }
        remotes.follow(&format!("git+file://{}?ref=main", remotes.far("nix-secrets").display()));
        remotes
    }

    /// Lets the flake's input follow this, locks it, and pushes that.
    fn follow(&self, url: &str) {
        let flake = format!(
            "{{ inputs.secrets = {{ url = \"{url}\"; flake = false; }}; outputs = _: {{ }}; }}\n"
        );
        self.scene.write("nix-config/flake.nix", &flake);
        fs::remove_file(self.path("nix-config/flake.lock")).unwrap();
        self.scene.nix(&["flake", "lock", self.path("nix-config").to_str().unwrap()]);
        self.scene.write("nix-config/other", "a\n");
        self.scene.write("nix-config/third", "a\n");
        self.scene.git("nix-config", &["add", "."]);
        self.scene.git("nix-config", &["commit", "-qm", "locked"]);
        self.scene.git("nix-config", &["push", "-q"]);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scene.dir.path().join(name)
    }

    fn far(&self, repo: &str) -> PathBuf {
        self.path("far").join(format!("{repo}.git"))
    }

    fn head(&self, repo: &str) -> String {
        self.scene.git(repo, &["rev-parse", "HEAD"]).trim().to_owned()
    }

    fn far_head(&self, repo: &str, branch: &str) -> String {
        git_in(&self.far(repo), &["rev-parse", branch]).trim().to_owned()
    }

    /// The commit of the secrets that the flake has locked.
    fn locked(&self) -> String {
        let lock = fs::read(self.path("nix-config/flake.lock")).unwrap();
        let lock: Value = serde_json::from_slice(&lock).unwrap();
        lock["nodes"]["secrets"]["locked"]["rev"].as_str().unwrap().to_owned()
    }

    fn files_of_head(&self, repo: &str) -> BTreeSet<String> {
        let names = self.scene.git(repo, &["show", "--name-only", "--format=", "HEAD"]);
        names.lines().map(str::to_owned).collect()
    }

    /// What a run knows whose phase `hardware` has written its file.
    fn with_hardware(&self) -> Record {
        fs::create_dir_all(self.path("nix-config/hosts/grief")).unwrap();
        self.scene.write(&format!("nix-config/{HARDWARE}"), "{ }\n");
        let hardware = HardwareRecord { file: HARDWARE.to_owned(), sha256: String::new() };
        Record {
            hardware: Some(hardware),
            flake_files: [HARDWARE.to_owned()].into(),
            ..Record::default()
        }
    }

    /// A hook of the remote that accepts no push.
    fn reject(&self, repo: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let hook = self.far(repo).join("hooks/pre-receive");
        fs::write(&hook, "#!/bin/sh\necho 'the remote says no' >&2\nexit 1\n").unwrap();
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
        hook
    }

    /// Somebody else pushes.
    fn others_push(&self) {
        let (elsewhere, far) = (self.path("elsewhere"), self.far("nix-secrets"));
        let dir = self.scene.dir.path();
        git_in(dir, &["clone", "-q", far.to_str().unwrap(), elsewhere.to_str().unwrap()]);
        let who = ["-c", "user.name=O", "-c", "user.email=o@o"];
        let commit = [&who[..], &["commit", "-q", "--allow-empty", "-m", "theirs"]].concat();
        git_in(&elsewhere, &commit);
        git_in(&elsewhere, &["push", "-q"]);
    }

    async fn run(&self) -> Ran {
        self.scene.run_from(self.with_hardware(), &ALL).await
    }
}

/// The names of recipients come in the order of their keys, which are random.
fn sorted_names(message: &str) -> String {
    let lines = message.lines().map(|line| match line.split_once(": for ") {
        Some((file, names)) => {
            let mut names: Vec<&str> = names.trim_end_matches(", too").split(", ").collect();
            names.sort_unstable();
            format!("{file}: for {}, too\n", names.join(", "))
        }
        None => format!("{line}\n"),
    });
    lines.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_message_of_a_host_that_is_made_again_names_the_key_that_is_out() {
    let mut remotes = Remotes::new();
    remotes.run().await.done.unwrap();
    let old = remotes.scene.host().recipient().to_string();
    remotes.scene.pair = HostKeyPair::generate("root@grief").unwrap();
    let new = remotes.scene.host().recipient().to_string();
    remotes.run().await.done.unwrap();
    let message = remotes.scene.git("nix-secrets", &["log", "-1", "--format=%B"]);
    assert!(message.starts_with("grief: host key\n\n"), "{message}");
    let rules = format!(".sops.yaml: grief is {new}, and no longer {old}\n");
    assert!(message.contains(&rules), "{message}");
    assert!(message.contains(&format!("shared.yaml: no longer for {old}\n")), "{message}");
    // What somebody else has put into the same file is in the commit, and so in its message.
    let rules = remotes.scene.read(".sops.yaml");
    let other = Identity::generate().unwrap();
    let rules =
        rules.replace("  - &hosts:", &format!("    - &pia {}\n  - &hosts:", other.recipient()));
    remotes.scene.write("nix-secrets/.sops.yaml", &rules);
    remotes.scene.pair = HostKeyPair::generate("root@grief").unwrap();
    remotes.run().await.done.unwrap();
    let message = remotes.scene.git("nix-secrets", &["log", "-1", "--format=%B"]);
    let subject = message.lines().next().unwrap();
    assert!(subject.contains("host key") && subject.contains("key pia"), "{message}");
}

/// cryptsetup of a host with one open container, which takes a key once `may` is there.
const CRYPTSETUP: &str = r"#!/bin/sh
case $1 in
  status) echo '  device:  /dev/none' ;;
  open) [ -e DIR/added ] ;;
  --batch-mode) [ -e DIR/may ] && touch DIR/added ;;
esac
";

/// A host without secrets, but with a container for which a recovery key is wanted.
fn encrypted() -> Remotes {
    use std::os::unix::fs::PermissionsExt;
    let mut remotes = Remotes::new();
    let bin = remotes.path("bin");
    fs::create_dir(&bin).unwrap();
    let text = CRYPTSETUP.replace("DIR", &remotes.scene.dir.path().display().to_string());
    fs::write(bin.join("cryptsetup"), text).unwrap();
    fs::set_permissions(bin.join("cryptsetup"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("SetEnv PATH={}:/usr/bin:/bin\n", bin.display());
    let scene = &mut remotes.scene;
    scene.sshd = crate::sshd::Sshd::start_in(&[], &path);
    scene.side = Side::Installed;
    scene.facts.sops = None;
    scene.facts.bootstrap.secrets_file = Some("hosts/keys.yaml".to_owned());
    scene.facts.encryption.push(Encryption {
        name: "root".to_owned(),
        option: "disko.devices.disk.main".to_owned(),
        key: KeySource::PasswordFile { path: "/tmp/key".parse().unwrap() },
        additional_key_files: Vec::new(),
    });
    remotes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_key_is_committed_even_if_its_disk_took_it_only_later() {
    let remotes = encrypted();
    let host_keys = vec![remotes.scene.sshd.host_key.public().to_owned()];
    let record = Record { host_keys, ..Record::default() };
    let ran = remotes.scene.run_from(record.clone(), &[Phase::Recovery]).await;
    assert!(ran.done.is_err(), "cryptsetup did not fail");
    let kept = remotes.scene.read("hosts/keys.yaml");
    assert!(kept.contains("luks_recovery_keys"), "{kept}");
    fs::write(remotes.path("may"), "").unwrap();
    // What a phase has learned that failed is not in the journal.
    let ran = remotes.scene.run_from(record, &[Phase::Recovery, Phase::Commit]).await;
    ran.done.unwrap_or_else(|failure| panic!("{failure:?}"));
    assert_eq!(remotes.scene.read("hosts/keys.yaml"), kept, "another key was made");
    assert_eq!(remotes.files_of_head("nix-secrets"), set(&["hosts/keys.yaml"]));
    let message = remotes.scene.git("nix-secrets", &["log", "-1", "--format=%B"]);
    assert!(message.starts_with("grief: recovery key of root\n\n"), "{message}");
    assert!(
        message.contains("\nhosts/keys.yaml: luks_recovery_keys/grief/root is new\n"),
        "{message}"
    );
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

const SECRETS: [&str; 3] = [".sops.yaml", "hosts/grief/own.yaml", "shared.yaml"];

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_pushed_first_then_the_lock_goes_with_the_hardware_file() {
    let mut remotes = Remotes::new();
    remotes.scene.push = true;
    // Other work in both repos, staged and not.
    remotes.scene.write("nix-secrets/notes", "mine\n");
    remotes.scene.git("nix-secrets", &["add", "notes"]);
    remotes.scene.write("nix-secrets/draft", "mine\n");
    remotes.scene.write("nix-config/other", "staged\n");
    remotes.scene.git("nix-config", &["add", "other"]);
    remotes.scene.write("nix-config/third", "unstaged\n");
    let before = remotes.head("nix-secrets");
    let ran = remotes.run().await;
    let done = ran.done.unwrap_or_else(|failure| panic!("{failure:?}"));
    assert!(done[2].contains("nix-config: the input secrets updated"), "{done:?}");
    assert_eq!(ran.next, [""; 0]);
    let secrets = remotes.head("nix-secrets");
    assert_ne!(secrets, before);
    assert_eq!(remotes.far_head("nix-secrets", "main"), secrets);
    assert_eq!(remotes.files_of_head("nix-secrets"), set(&SECRETS));
    assert_eq!(remotes.locked(), secrets);
    assert_eq!(remotes.far_head("nix-config", "main"), remotes.head("nix-config"));
    assert_eq!(remotes.files_of_head("nix-config"), set(&["flake.lock", HARDWARE]));
    let message = remotes.scene.git("nix-secrets", &["log", "-1", "--format=%B"]);
    let rules = remotes.scene.read(".sops.yaml");
    let recipient = |name: &str| {
        let after = rules.split(&format!("&{name} ")).nth(1).unwrap();
        after.split_whitespace().next().unwrap().to_owned()
    };
    let expected = format!(
        "grief: host key, age key of ta\n\n\
         .sops.yaml: grief is {}\n.sops.yaml: ta_grief is {}\n\
         hosts/grief/own.yaml: for grief, ta_grief, too\n\
         hosts/grief/own.yaml: no longer for guppy\n\
         shared.yaml: user_age_keys/ta_grief is new\n\
         shared.yaml: for grief, ta_grief, too\n\n",
        recipient("grief"),
        recipient("ta_grief")
    );
    assert_eq!(sorted_names(&message), sorted_names(&expected));
    let message = remotes.scene.git("nix-config", &["log", "-1", "--format=%s"]);
    assert_eq!(message, "grief: lock of the secrets, hardware configuration\n");
    let status = |repo: &str| remotes.scene.git(repo, &["status", "--porcelain"]);
    assert_eq!(status("nix-secrets"), "A  notes\n?? draft\n");
    assert_eq!(status("nix-config"), "M  other\n M third\n");
    // Again: nothing changes, here or there.
    let again = remotes.scene.run_from(ran.record, &[Phase::Commit]).await;
    assert!(again.done.unwrap()[0].contains("nothing to commit"));
    assert_eq!(remotes.head("nix-secrets"), secrets);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_push_the_commands_are_told_and_the_lock_stays() {
    let remotes = Remotes::new();
    let (locked, far) = (remotes.locked(), remotes.far_head("nix-secrets", "main"));
    let ran = remotes.run().await;
    ran.done.unwrap();
    assert_eq!(remotes.files_of_head("nix-secrets"), set(&SECRETS));
    assert_eq!(remotes.files_of_head("nix-config"), set(&[HARDWARE]));
    assert_eq!((remotes.locked(), remotes.far_head("nix-secrets", "main")), (locked, far));
    let next = &ran.next[0];
    assert!(next.contains("nix-secrets push, then: nix flake update secrets"), "{next}");
    // These very commands do it.
    remotes.scene.git("nix-secrets", &["push", "-q"]);
    let flake = remotes.path("nix-config");
    remotes.scene.nix(&["flake", "update", "secrets", "--flake", flake.to_str().unwrap()]);
    assert_eq!(remotes.locked(), remotes.head("nix-secrets"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_the_remote_rejects_holds_the_flake_back_until_it_is_through() {
    let mut remotes = Remotes::new();
    remotes.scene.push = true;
    let hook = remotes.reject("nix-secrets");
    let locked = remotes.locked();
    let far = ["nix-secrets", "nix-config"].map(|repo| remotes.far_head(repo, "main"));
    let ran = remotes.run().await;
    let failure = ran.done.unwrap_err();
    assert!(failure.error.contains("the remote says no"), "{failure:?}");
    assert!(failure.hints[0].contains("nix-secrets push"), "{failure:?}");
    assert_eq!(remotes.files_of_head("nix-secrets"), set(&SECRETS));
    assert_eq!(remotes.files_of_head("nix-config"), set(&[HARDWARE]));
    assert_eq!(["nix-secrets", "nix-config"].map(|repo| remotes.far_head(repo, "main")), far);
    assert_eq!(remotes.locked(), locked);
    fs::remove_file(hook).unwrap();
    remotes.scene.run_from(ran.record, &[Phase::Commit]).await.done.unwrap();
    assert_eq!(remotes.locked(), remotes.far_head("nix-secrets", "main"));
    assert_eq!(remotes.files_of_head("nix-config"), set(&["flake.lock"]));
    assert_eq!(remotes.far_head("nix-config", "main"), remotes.head("nix-config"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repo_behind_its_remote_is_told_before_and_pushed_once_it_is_up_to_date() {
    let mut remotes = Remotes::new();
    remotes.scene.push = true;
    remotes.others_push();
    remotes.scene.git("nix-secrets", &["fetch", "-q"]);
    let locked = remotes.locked();
    let ran = remotes.run().await;
    let told = remotes.scene.told.warnings();
    assert!(told.contains("is 1 commits behind its remote: pull before you push"), "{told}");
    let failure = ran.done.unwrap_err();
    assert!(failure.error.contains("could not be pushed"), "{failure:?}");
    assert_eq!(remotes.locked(), locked);
    remotes.scene.git("nix-secrets", &["pull", "-q", "--rebase"]);
    remotes.scene.run_from(ran.record, &[Phase::Commit]).await.done.unwrap();
    assert_eq!(remotes.locked(), remotes.head("nix-secrets"));
    assert_eq!(remotes.far_head("nix-secrets", "main"), remotes.head("nix-secrets"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_the_lock_does_not_follow_leaves_the_lock_as_it_was() {
    let mut remotes = Remotes::new();
    remotes.scene.push = true;
    remotes.scene.git("nix-secrets", &["switch", "-q", "-c", "grief"]);
    remotes.scene.git("nix-secrets", &["push", "-q", "-u", "origin", "grief"]);
    let before = fs::read(remotes.path("nix-config/flake.lock")).unwrap();
    let ran = remotes.run().await;
    let told = remotes.scene.told.warnings();
    assert!(
        told.contains("is on the branch grief, but the flake's input secrets follows main"),
        "{told}"
    );
    let failure = ran.done.unwrap_err();
    assert!(failure.error.contains("lacks the commit"), "{failure:?}");
    assert!(failure.hints[0].contains("nix flake update secrets"), "{failure:?}");
    assert_eq!(fs::read(remotes.path("nix-config/flake.lock")).unwrap(), before);
    assert_eq!(remotes.far_head("nix-secrets", "grief"), remotes.head("nix-secrets"));
    assert_eq!(remotes.files_of_head("nix-config"), set(&[HARDWARE]));
    // Merged by its owner, the same phase ends well.
    remotes.scene.git("nix-secrets", &["push", "-q", "origin", "grief:main"]);
    remotes.scene.run_from(ran.record, &[Phase::Commit]).await.done.unwrap();
    assert_eq!(remotes.locked(), remotes.head("nix-secrets"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_no_repo_is_locked_by_its_content() {
    let mut remotes = Remotes::new();
    remotes.scene.push = true;
    fs::remove_dir_all(remotes.path("nix-secrets/.git")).unwrap();
    remotes.follow(&format!("path:{}", remotes.path("nix-secrets").display()));
    let before = fs::read_to_string(remotes.path("nix-config/flake.lock")).unwrap();
    let ran = remotes.run().await;
    let done = ran.done.unwrap_or_else(|failure| panic!("{failure:?}"));
    assert!(done[2].starts_with("secrets: no git repo, so nothing to commit"), "{done:?}");
    assert_ne!(fs::read_to_string(remotes.path("nix-config/flake.lock")).unwrap(), before);
    assert_eq!(remotes.files_of_head("nix-config"), set(&["flake.lock", HARDWARE]));
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_another_command_changes_are_waited_for_but_not_for_ever() {
    let mut scene = Scene::new();
    scene.patience = Duration::from_secs(1);
    let (state, folder) = (scene.dir.path().join("state"), scene.dir.path().join("nix-secrets"));
    let lock = SecretsLock::take(&state, &folder).unwrap();
    let before = scene.read(".sops.yaml");
    let failure = scene.run(&[Phase::Secrets]).await.0.unwrap_err();
    let process = format!("process {} of ", std::process::id());
    assert!(failure.error.contains("another command is changing the secrets in"), "{failure:?}");
    assert!(failure.error.contains(&process) && !failure.hints.is_empty(), "{failure:?}");
    assert_eq!(scene.read(".sops.yaml"), before);
    scene.patience = Duration::from_secs(60);
    let release = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        drop(lock);
    };
    let (ran, ()) = tokio::join!(scene.run(&[Phase::Secrets]), release);
    ran.0.unwrap();
    assert!(scene.host_opens("shared.yaml"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_that_is_given_up_could_read_is_taken_back_by_one_command() {
    let scene = Scene::new();
    scene.run(&[Phase::Secrets]).await.0.unwrap();
    assert!(scene.host_opens("shared.yaml"));
    scene.tool("secrets sops-yaml remove grief ta_grief && nixos-bootstrap secrets rekey");
    assert!(!scene.host_opens("shared.yaml") && !scene.host_opens("hosts/grief/own.yaml"));
    assert!(!scene.read(".sops.yaml").contains("grief "));
}
