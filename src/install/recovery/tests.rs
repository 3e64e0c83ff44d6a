use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::*;
use crate::install::samples::{Case, grief, gusto};
use crate::install::surroundings::SecretsRepo;

const SOPS_YAML: &str =
    "keys: [&ta age1x]\ncreation_rules:\n- {path_regex: keys\\.yaml$, age: *ta}\n";

fn wanted() -> Case {
    let mut case = gusto();
    case.options.luks_recovery = true;
    case.facts.bootstrap.secrets_file = Some("keys.yaml".to_owned());
    let (path, sops_yaml) = ("/home/ta/src/nix-secrets".into(), Some(SOPS_YAML.to_owned()));
    case.around.secrets_repo = Some(SecretsRepo { path, sops_yaml });
    case
}

#[test]
fn each_container_gets_a_key_where_it_is_wanted() {
    let plan = wanted().plan();
    assert_eq!(plan.refusals, []);
    let planned = plan.recovery.clone().unwrap();
    assert_eq!(
        (planned.folder.as_str(), planned.file.as_str()),
        ("/home/ta/src/nix-secrets", "keys.yaml")
    );
    assert_eq!(planned.keys[0].path, ["luks_recovery_keys", "gusto", "crypted"]);
    assert!(runs(&plan, Phase::Recovery));
    let changes = &plan.phase(Phase::Recovery).unwrap().changes;
    assert!(changes[0].contains("luks_recovery_keys/gusto/crypted in keys.yaml"), "{changes:?}");

    let mut no_repo = wanted();
    no_repo.around.tracked = None;
    assert!(runs(&no_repo.plan(), Phase::Commit), "the secrets' repo is another one");
    no_repo.options.luks_recovery = false;
    assert!(!runs(&no_repo.plan(), Phase::Commit));

    let mut second = wanted();
    second.configure(|facts| {
        let mut other = facts.encryption[0].clone();
        other.name = "data".to_owned();
        facts.encryption.push(other);
    });
    let keys = second.plan().recovery.unwrap().keys;
    assert_eq!(
        keys.iter().map(|key| key.container.as_str()).collect::<Vec<_>>(),
        ["crypted", "data"]
    );

    let mut unwanted = wanted();
    unwanted.options.luks_recovery = false;
    let plan = unwanted.plan();
    assert!(plan.recovery.is_none() && !runs(&plan, Phase::Recovery));
    let mut open = grief();
    open.options.luks_recovery = true;
    assert!(!runs(&open.plan(), Phase::Recovery) && open.refused().is_empty());
}

#[test]
fn a_key_needs_a_file_that_a_rule_covers() {
    let mut nowhere = wanted();
    nowhere.around.secrets_repo = None;
    assert_eq!(nowhere.refused(), ["no-recovery-file"]);
    let mut unnamed = wanted();
    unnamed.facts.bootstrap.secrets_file = None;
    assert_eq!(unnamed.refused(), ["no-recovery-file"]);
    let mut uncovered = wanted();
    uncovered.facts.bootstrap.secrets_file = Some("other.yaml".to_owned());
    assert_eq!(uncovered.refused(), ["no-sops-rule"]);
    uncovered.options.phases.skip = [Phase::Recovery].into();
    assert!(uncovered.refused().is_empty());
}

/// A container in a file, and a cryptsetup that finds it under the name `crypted`.
struct Container {
    dir: tempfile::TempDir,
}

impl Container {
    fn new(passphrase: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let image = dir.path().join("image");
        fs::File::create(&image).unwrap().set_len(24 << 20).unwrap();
        let fast = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--key-file", "-"];
        let mut format = Command::new("cryptsetup");
        format.args(["--batch-mode", "luksFormat", "--type", "luks2"]).args(fast).arg(&image);
        let formatted = fed(&mut format, passphrase.as_bytes());
        assert!(formatted.status.success(), "{formatted:?}");
        let container = Self { dir };
        let (log, image) = (container.log(), image.display());
        let program = format!(
            "#!/bin/sh\necho \"$@\" >>{}\ncase $1 in status) [ $2 = crypted ] && echo '  device:  {image}' ;;\n\
             *) PATH=${{PATH#*:}}; exec cryptsetup \"$@\" ;; esac\n",
            log.display()
        );
        let bin = container.dir.path().join("bin");
        fs::create_dir(&bin).unwrap();
        fs::write(bin.join("cryptsetup"), program).unwrap();
        fs::set_permissions(bin.join("cryptsetup"), PermissionsExt::from_mode(0o755)).unwrap();
        container
    }

    fn log(&self) -> std::path::PathBuf {
        self.dir.path().join("log")
    }

    fn run(&self, command: &RemoteCommand) -> Output {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let bin = self.dir.path().join("bin");
        let path = std::env::join_paths([bin].into_iter().chain(std::env::split_paths(&path)));
        let words = command.words();
        let mut here = Command::new(&words[0]);
        fed(here.args(&words[1..]).env("PATH", path.unwrap()), command.input().unwrap_or_default())
    }

    fn opens(&self, passphrase: &str) -> bool {
        let mut open = Command::new("cryptsetup");
        open.args(["open", "--test-passphrase", "--key-file", "-"])
            .arg(self.dir.path().join("image"));
        fed(&mut open, passphrase.as_bytes()).status.success()
    }
}

fn fed(command: &mut Command, input: &[u8]) -> Output {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A script that ends early does not read all.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn left_in_memory() -> usize {
    let left = |base: &str| {
        let entries = fs::read_dir(base).map(|entries| entries.filter_map(Result::ok).collect());
        let entries: Vec<fs::DirEntry> = entries.unwrap_or_default();
        let key = |entry: &&fs::DirEntry| Path::new(&entry.path()).join("key").exists();
        entries.iter().filter(key).count()
    };
    left("/run") + left("/dev/shm")
}

#[test]
fn a_key_is_added_once_and_never_an_argument() {
    let (one_time, key) = ("one time $1 \"passphrase\"", Secret::new("recovery key"));
    let container = Container::new(one_time);
    let passphrase = Secret::new(one_time);
    let code = |name: &str, passphrase: Option<&Secret>, key: &Secret| {
        container.run(&add(name, passphrase, key)).status.code()
    };
    assert_eq!(code("crypted", None, &key), Some(NEEDS_PASSPHRASE));
    assert_eq!(code("crypted", Some(&Secret::new("wrong")), &key), Some(WRONG_PASSPHRASE));
    assert!(!container.opens("recovery key"));
    assert_eq!(code("crypted", Some(&passphrase), &key), Some(0));
    assert!(container.opens("recovery key") && container.opens(one_time));
    // Again, and without knowing the passphrase any more: it is there already.
    assert_eq!(code("crypted", None, &key), Some(0));
    let log = fs::read_to_string(container.log()).unwrap();
    // With the wrong passphrase and with the right one.
    assert_eq!(log.matches("luksAddKey").count(), 2, "{log}");
    assert!(!log.contains("one time") && !log.contains("recovery key"), "{log}");
    assert_eq!(left_in_memory(), 0);

    let absent = container.run(&add("other", Some(&passphrase), &key));
    assert_eq!(absent.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&absent.stderr).contains("other is not open"), "{absent:?}");
}
