//! Age keys and `.sops.yaml`, held against the real programs: ssh-to-age, age, sops.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use nixos_bootstrap::secrets::HostKeyPair;
use nixos_bootstrap::secrets::age::{Identity, Recipient};
use nixos_bootstrap::secrets::sops_yaml::{Kind, SopsYaml, Wish};
use tempfile::TempDir;

use crate::tools::{output, path_with, tool};

/// Gives a program its input and takes its output.
fn piped(command: &mut Command, input: &[u8]) -> Output {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn text(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ended with {}: {error}", output.status);
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_thousand_keys_convert_as_ssh_to_age_converts_them() {
    let pairs: Vec<HostKeyPair> =
        (0..1000).map(|n| HostKeyPair::generate(&format!("root@{n}")).unwrap()).collect();
    let ssh_to_age = tool("ssh-to-age");
    // All public keys at once, as from ssh-keyscan; private ones one by one.
    let lines: Vec<&str> = pairs.iter().map(HostKeyPair::public).collect();
    let lines = lines.join("\n");
    let theirs = text(&piped(&mut Command::new(&ssh_to_age), lines.as_bytes()));
    let ours = pairs.iter().map(|pair| Recipient::of_ssh(pair.public()).unwrap().to_string());
    assert_eq!(ours.collect::<Vec<_>>(), theirs.lines().collect::<Vec<_>>());
    for pair in &pairs {
        let mut command = Command::new(&ssh_to_age);
        let theirs = text(&piped(command.arg("-private-key"), pair.private().expose()));
        let ours = Identity::of_ssh(pair.private()).unwrap();
        assert_eq!(ours.secret().expose(), theirs.trim().as_bytes());
        assert_eq!(*ours.recipient(), Recipient::of_ssh(pair.public()).unwrap());
    }
}

#[test]
fn age_opens_with_our_identities_what_it_encrypts_for_our_recipients() {
    let dir = tempfile::tempdir().unwrap();
    let pair = HostKeyPair::generate("root@grief").unwrap();
    for identity in [Identity::generate().unwrap(), Identity::of_ssh(pair.private()).unwrap()] {
        let file = dir.path().join("identity");
        fs::write(&file, identity.secret().expose()).unwrap();
        let shown = output(Command::new("age-keygen").arg("-y").arg(&file));
        assert_eq!(shown.trim(), identity.recipient().as_str());
        let mut encrypt = Command::new("age");
        let sealed = piped(encrypt.args(["-r", identity.recipient().as_str()]), b"hello");
        let opened = piped(Command::new("age").arg("-d").arg("-i").arg(&file), &sealed.stdout);
        assert_eq!(text(&opened), "hello");
    }
}

/// A folder with a secrets repo, a home and the tool.
pub(crate) struct Repo {
    pub(crate) dir: TempDir,
    /// Opens everything.
    pub(crate) own: Identity,
}

impl Repo {
    /// `TA` in `sops_yaml` stands for the user's recipient.
    pub(crate) fn new(sops_yaml: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let own = Identity::generate().unwrap();
        fs::create_dir_all(dir.path().join("home/.config/sops/age")).unwrap();
        fs::create_dir(dir.path().join("home/.ssh")).unwrap();
        fs::create_dir(dir.path().join("repo")).unwrap();
        let keys = dir.path().join("home/.config/sops/age/keys.txt");
        fs::write(keys, own.secret().expose()).unwrap();
        let repo = Self { dir, own };
        repo.write(".sops.yaml", &sops_yaml.replace("TA", repo.own.recipient().as_str()));
        repo
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join("repo").join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.dir.path().join("repo"))
            .env("PATH", path_with(&["sops"]))
            .env("HOME", self.dir.path().join("home"))
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("XDG_STATE_HOME")
            .env("SOPS_DISABLE_VERSION_CHECK", "1");
        command
    }

    pub(crate) fn tool(&self, words: &[&str]) -> Output {
        self.command(env!("CARGO_BIN_EXE_nixos-bootstrap")).args(words).output().unwrap()
    }

    pub(crate) fn encrypt(&self, name: &str, content: &str) {
        self.write(name, content);
        output(self.command("sops").args(["encrypt", "--in-place", name]));
    }

    /// Does this identity alone open the file?
    pub(crate) fn opens(&self, identity: &Identity, name: &str) -> bool {
        let key = self.dir.path().join("key");
        fs::write(&key, identity.secret().expose()).unwrap();
        let home = self.dir.path().join("nobody");
        let mut command = self.command("sops");
        command.args(["decrypt", name]).env("SOPS_AGE_KEY_FILE", key).env("HOME", home);
        command.output().unwrap().status.success()
    }
}

const LAYOUTS: [(&str, &str); 6] = [
    (
        "pseudo-headings",
        "keys:\n  - &users:\n    - &ta TA\n  - &hosts:\n    - &guppy TA\ncreation_rules:\n  - path_regex: secrets\\.yaml$\n    key_groups:\n    - age:\n      - *ta\n",
    ),
    (
        "a map",
        "keys:\n  users: [ &ta TA ]\n  hosts: # none\ncreation_rules:\n  - path_regex: secrets\\.yaml$\n    key_groups:\n      - age: [ *ta ]\n",
    ),
    ("a flat list", "keys:\n- &ta TA\ncreation_rules:\n- age:\n  - *ta\n"),
    ("an alias", "keys: [ &ta TA ]\ncreation_rules: [ { path_regex: secrets, age: *ta } ]\n"),
    ("inline", "creation_rules:\n  - key_groups:\n    - age:\n      - TA # ta\n"),
    ("joined", "creation_rules:\n  - age: >-\n      TA\n"),
];

#[test]
fn sops_reads_every_layout_as_it_was_meant() {
    for (layout, text) in LAYOUTS {
        let repo = Repo::new(text);
        repo.encrypt("secrets.yaml", "a: b\n");
        let host = Identity::generate().unwrap();
        assert!(!repo.opens(&host, "secrets.yaml"), "{layout}");
        let recipient = host.recipient().as_str();
        let done = repo.tool(&["secrets", "sops-yaml", "set", "grief", recipient, "--rule", "1"]);
        assert!(done.status.success(), "{layout}: {}", String::from_utf8_lossy(&done.stderr));
        output(repo.command("sops").args(["updatekeys", "--yes", "secrets.yaml"]));
        assert!(repo.opens(&host, "secrets.yaml"), "{layout}:\n{}", repo.read(".sops.yaml"));
        assert!(repo.opens(&repo.own, "secrets.yaml"), "{layout}");
        let name = if layout == "joined" { recipient } else { "grief" };
        let done = repo.tool(&["secrets", "sops-yaml", "remove", name]);
        assert!(done.status.success(), "{layout}: {}", String::from_utf8_lossy(&done.stderr));
        output(repo.command("sops").args(["updatekeys", "--yes", "secrets.yaml"]));
        assert!(!repo.opens(&host, "secrets.yaml"), "{layout}");
    }
}

#[test]
fn the_difference_is_shown_and_nothing_written() {
    let repo = Repo::new(LAYOUTS[0].1);
    let before = repo.read(".sops.yaml");
    let recipient = Identity::generate().unwrap().recipient().to_string();
    let set = ["secrets", "sops-yaml", "set", "grief", &recipient, "--rule", "secrets\\.yaml$"];
    let shown = text(&repo.tool(&[&set[..], &["--diff"]].concat()));
    assert!(shown.contains("--- a/.sops.yaml\n+++ b/.sops.yaml\n@@"), "{shown}");
    assert!(shown.contains(&format!("+    - &grief {recipient}\n")), "{shown}");
    assert!(shown.contains("+      - *grief\n"), "{shown}");
    assert_eq!(repo.read(".sops.yaml"), before);
    // The same difference, applied by patch, is what is written without --diff.
    let mut patch = Command::new("git");
    let patched = piped(patch.args(["apply", "-p1"]).current_dir(repo.path("")), shown.as_bytes());
    text(&patched);
    let expected = repo.read(".sops.yaml");
    repo.write(".sops.yaml", &before);
    text(&repo.tool(&set));
    assert_eq!(repo.read(".sops.yaml"), expected);
    // A second run changes nothing, not even the file itself.
    let inode = |path: &Path| std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).unwrap());
    let first = inode(&repo.path(".sops.yaml"));
    text(&repo.tool(&set));
    assert_eq!(inode(&repo.path(".sops.yaml")), first);
}

#[test]
fn without_a_rule_it_says_that_only_the_key_is_set() {
    let repo = Repo::new(LAYOUTS[0].1);
    let recipient = Identity::generate().unwrap().recipient().to_string();
    let done = repo.tool(&["secrets", "sops-yaml", "set", "grief", &recipient]);
    assert!(String::from_utf8_lossy(&done.stderr).contains("only the key itself"), "{done:?}");
    let written = repo.read(".sops.yaml");
    assert!(written.contains("&grief") && !written.contains("*grief"), "{written}");
    let bad = repo.tool(&["secrets", "sops-yaml", "set", "x", "AGE-SECRET-KEY-1QQ"]);
    assert_eq!(bad.status.code(), Some(2));
    let said = String::from_utf8_lossy(&bad.stderr).into_owned();
    assert!(said.contains("secret key") && !said.contains("1QQ"), "{said}");
}

#[test]
fn check_names_lines_and_has_an_exit_code() {
    let repo = Repo::new("keys: [&a age1bad]\ncreation_rules:\n- age: *a\n");
    let done = repo.tool(&["secrets", "sops-yaml", "check"]);
    assert_eq!(done.status.code(), Some(1));
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(said.starts_with(".sops.yaml:1: error: a: \"age1bad\""), "{said}");
    repo.write(".sops.yaml", "keys:\n\t- &a x\n");
    let done = repo.tool(&["secrets", "sops-yaml", "check"]);
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(said.contains(".sops.yaml: line 2:") && said.contains("tab"), "{said}");
    let good = Repo::new(LAYOUTS[2].1);
    assert!(good.tool(&["secrets", "sops-yaml", "check"]).status.success());
}

#[test]
fn age_key_prints_recipients_and_guards_private_keys() {
    let repo = Repo::new("");
    let pair = HostKeyPair::generate("root@grief").unwrap();
    let identity = Identity::of_ssh(pair.private()).unwrap();
    let expected = format!("{}\n", identity.recipient());
    repo.write("key.pub", pair.public());
    repo.write("key", std::str::from_utf8(pair.private().expose()).unwrap());
    repo.write("../home/.ssh/known_hosts", &format!("[grief]:2222 {}\n", pair.public()));
    let age_key = |words: &[&str]| repo.tool(&[&["secrets", "age-key"], words].concat());
    assert_eq!(text(&age_key(&["key.pub"])), expected);
    assert_eq!(text(&age_key(&["key"])), expected);
    assert_eq!(text(&age_key(&["grief", "--port", "2222"])), expected);
    let unknown = age_key(&["guppy"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("ssh-keyscan guppy"), "{unknown:?}");
    let scanned =
        format!("# x\ngrief ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQ8=\ngrief {}\n", pair.public());
    let mut command = repo.command(env!("CARGO_BIN_EXE_nixos-bootstrap"));
    let from_stdin = piped(command.args(["secrets", "age-key"]), scanned.as_bytes());
    assert_eq!(text(&from_stdin), expected);
    // A private key that others can read is refused.
    fs::set_permissions(repo.path("key"), fs::Permissions::from_mode(0o644)).unwrap();
    let wide = age_key(&["--private", "key"]);
    assert_eq!(wide.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&wide.stderr).contains("chmod 600 key"), "{wide:?}");
    fs::set_permissions(repo.path("key"), fs::Permissions::from_mode(0o600)).unwrap();
    let private = text(&age_key(&["--private", "key"]));
    assert_eq!(private.trim().as_bytes(), identity.secret().expose());
}

/// A key file by ssh-keygen, in OpenSSH's format unless told otherwise.
fn keygen(repo: &Repo, name: &str, words: &[&str]) {
    let common = ["-q", "-C", "", "-f", name];
    output(repo.command("ssh-keygen").args(words).args(common));
}

#[test]
fn keys_in_other_formats_are_named_with_the_command_that_converts_them() {
    let repo = Repo::new("");
    keygen(&repo, "old rsa", &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""]);
    keygen(&repo, "ec", &["-t", "ecdsa", "-m", "PEM", "-N", ""]);
    keygen(&repo, "locked", &["-t", "ed25519", "-N", "secret"]);
    repo.write("x.ppk", "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n");
    fs::set_permissions(repo.path("x.ppk"), fs::Permissions::from_mode(0o600)).unwrap();
    let said = |words: &[&str]| {
        let done = repo.tool(&[&["secrets"], words].concat());
        assert_eq!(done.status.code(), Some(1), "{words:?}");
        assert!(done.stdout.is_empty(), "{done:?}");
        String::from_utf8(done.stderr).unwrap()
    };
    let host_key = |file: &str| said(&["host-key", "grief", "--key", file]);
    let message = host_key("old rsa");
    assert!(message.contains("old rsa: it is an RSA key in the old PEM format"), "{message}");
    let command = message.split("passphrase: ").nth(1).unwrap().trim();
    assert_eq!(command, "ssh-keygen -p -N '' -f 'old rsa'");
    // No age key, whatever its format is.
    for file in ["old rsa", "ec"] {
        for words in [&["age-key", file][..], &["age-key", "--private", file]] {
            let message = said(words);
            assert!(message.contains("only ssh-ed25519 keys can be age keys"), "{message}");
            assert!(!message.contains("hint"), "{message}");
        }
    }
    for words in [&["age-key", "locked"][..], &["host-key", "grief", "--key", "locked"]] {
        let message = said(words);
        assert!(message.contains("locked: the key has a passphrase"), "{message}");
        assert!(message.contains("takes it away: ssh-keygen -p -N '' -f locked\n"), "{message}");
    }
    for words in [&["age-key", "x.ppk"][..], &["host-key", "grief", "--key", "x.ppk"]] {
        let message = said(words);
        let command = "puttygen x.ppk -O private-openssh-new -o x.ppk.openssh";
        assert!(message.contains("PuTTY's format") && message.contains(command), "{message}");
    }
    let public = said(&["age-key", "--private", "ec.pub"]);
    assert!(public.contains("chmod 600 ec.pub"), "{public}");
    fs::set_permissions(repo.path("ec.pub"), fs::Permissions::from_mode(0o600)).unwrap();
    let public = said(&["age-key", "--private", "ec.pub"]);
    assert!(
        public.contains("it is a public key") && public.contains("usually in ec\n"),
        "{public}"
    );
    // The very command helps.
    output(repo.command("sh").args(["-c", command]));
    let shown = text(&repo.tool(&["secrets", "host-key", "grief", "--key", "old rsa"]));
    assert!(shown.starts_with("ssh-rsa "), "{shown}");
    output(repo.command("ssh-keygen").args(["-p", "-P", "secret", "-N", "", "-f", "locked"]));
    assert!(text(&repo.tool(&["secrets", "age-key", "locked"])).starts_with("age1"));
}

#[test]
fn machines_are_named_with_their_port() {
    let repo = Repo::new("");
    let pair = HostKeyPair::generate("").unwrap();
    let (key, other) = (pair.public().trim(), HostKeyPair::generate("").unwrap());
    let run = |words: &[&str]| {
        text(&repo.tool(&[&["known-hosts"], words, &["--file", "known"]].concat()))
    };
    run(&["replace", "ssh://root@grief:2222", key]);
    run(&["replace", "[::1]:2222", key]);
    run(&["replace", "grief", other.public()]);
    let before = format!("[grief]:2222 {key}\n[::1]:2222 {key}\ngrief {}\n", other.public().trim());
    assert_eq!(repo.read("known"), before);
    repo.write("../home/.ssh/known_hosts", &before);
    let recipient = |pair: &HostKeyPair| format!("{}\n", Recipient::of_ssh(pair.public()).unwrap());
    for (name, pair) in [("grief:2222", &pair), ("[::1]:2222", &pair), ("grief", &other)] {
        assert_eq!(text(&repo.tool(&["secrets", "age-key", name])), recipient(pair), "{name}");
    }
    let unknown = repo.tool(&["secrets", "age-key", "grief:2223"]);
    let said = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(said.contains("ssh-keyscan -p 2223 grief |"), "{said}");
    run(&["remove", "grief:2222", "[::1]", "--port", "2222"]);
    assert_eq!(repo.read("known"), format!("grief {}\n", other.public().trim()));
    assert_eq!(run(&["remove", "grief:2222"]), "known has no key of [grief]:2222\n");
    for words in [&["remove", "grief:2222", "--port", "22"][..], &["remove", "grief:0"]] {
        let done = repo.tool(&[&["known-hosts"], words].concat());
        assert_eq!(done.status.code(), Some(2), "{words:?}");
    }
}

#[test]
fn known_hosts_get_published_keys_and_lose_exact_names() {
    let repo = Repo::new("");
    let pair = HostKeyPair::generate("").unwrap();
    let key = pair.public().trim();
    let kept = format!("# mine\n@cert-authority *.lan {key}\ngriefsmall {key}\n");
    repo.write("known", &format!("{kept}grief {key}\n"));
    let run = |words: &[&str]| {
        text(&repo.tool(&[&["known-hosts"], words, &["--file", "known"]].concat()))
    };
    run(&["remove", "grief"]);
    assert_eq!(repo.read("known"), kept);
    let said = run(&["replace", "github.com"]);
    assert!(said.contains("SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"), "{said}");
    assert!(repo.read("known").starts_with(&kept));
    run(&["replace", "grief", key, "--port", "2222"]);
    assert!(repo.read("known").ends_with(&format!("[grief]:2222 {key}\n")));
    let unknown = repo.tool(&["known-hosts", "replace", "example.org"]);
    assert_eq!(unknown.status.code(), Some(2));
}

/// Every layout again, by the library: set, and set again, for many names and rules.
#[test]
fn setting_is_idempotent_in_every_layout() {
    for (layout, before) in LAYOUTS {
        let own = Identity::generate().unwrap();
        let mut text = before.replace("TA", own.recipient().as_str());
        for n in 0..20 {
            let recipient = Identity::generate().unwrap().recipient().clone();
            let kind = if n % 2 == 0 { Kind::Host } else { Kind::User };
            let name = format!("name{n}");
            let wish = Wish { name, recipient, kind, rules: vec![1], own: Vec::new() };
            let once = SopsYaml::parse(&text).unwrap().set(&wish).unwrap().text;
            let twice = SopsYaml::parse(&once).unwrap().set(&wish).unwrap().text;
            assert_eq!(once, twice, "{layout}");
            text = once;
        }
        assert_eq!(SopsYaml::parse(&text).unwrap().recipients(1).len(), 21, "{layout}:\n{text}");
    }
}

/// A repo with two people's rules, three files, and a host that may read one of them.
pub(crate) fn shared_repo() -> (Repo, Identity) {
    let repo = Repo::new(
        "keys:\n  - &users:\n    - &ta TA\n  - &hosts:\n    - &grief HOST\ncreation_rules:\n  - path_regex: shared\\.yaml$\n    key_groups:\n    - age:\n      - *ta\n  - path_regex: .*\n    key_groups:\n    - age:\n      - *ta\n",
    );
    let host = Identity::generate().unwrap();
    repo.write(".sops.yaml", &repo.read(".sops.yaml").replace("HOST", host.recipient().as_str()));
    for name in ["shared.yaml", "other.yaml", "deep/down/shared.yaml"] {
        repo.encrypt(name, "token: hunter2\n");
    }
    repo.write("plain.yaml", "a: b\n");
    (repo, host)
}

#[test]
fn rekey_changes_exactly_the_files_whose_recipients_differ() {
    let (repo, host) = shared_repo();
    let other = repo.read("other.yaml");
    let recipient = host.recipient().as_str();
    text(&repo.tool(&["secrets", "sops-yaml", "set", "grief", recipient, "--rule", "1"]));
    let said = text(&repo.tool(&["secrets", "rekey"]));
    assert_eq!(said, "deep/down/shared.yaml: new recipients\nshared.yaml: new recipients\n");
    assert!(repo.opens(&host, "shared.yaml") && repo.opens(&host, "deep/down/shared.yaml"));
    assert_eq!(repo.read("other.yaml"), other);
    // Again: nothing to do, no byte changes.
    let shared = repo.read("shared.yaml");
    assert_eq!(text(&repo.tool(&["secrets", "rekey"])), "");
    assert_eq!(repo.read("shared.yaml"), shared);
    // Who loses access loses it for what comes, too: the data key is another one.
    let data = |text: &str| text.lines().next().unwrap().to_owned();
    text(&repo.tool(&["secrets", "sops-yaml", "remove", "grief"]));
    let said = text(&repo.tool(&["secrets", "rekey", "shared.yaml"]));
    assert_eq!(said, "shared.yaml: new recipients, new data key\n");
    assert_ne!(data(&repo.read("shared.yaml")), data(&shared));
    assert!(!repo.opens(&host, "shared.yaml") && repo.opens(&repo.own, "shared.yaml"));
    assert!(repo.opens(&host, "deep/down/shared.yaml"), "a file that was not named was changed");
}

#[test]
fn rekey_is_all_or_nothing() {
    let (repo, host) = shared_repo();
    let recipient = host.recipient().as_str();
    text(&repo.tool(&["secrets", "sops-yaml", "set", "grief", recipient, "--rule", "1"]));
    // One of the two can't be opened by the user.
    let mut sops = repo.command("sops");
    let lost = Identity::generate().unwrap();
    repo.write("deep/down/shared.yaml", "token: x\n");
    let age = lost.recipient().as_str();
    output(sops.args(["encrypt", "--in-place", "--age", age, "deep/down/shared.yaml"]));
    let before = repo.read("shared.yaml");
    let failed = repo.tool(&["secrets", "rekey"]);
    assert_eq!(failed.status.code(), Some(1));
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(said.contains("deep/down/shared.yaml") && said.contains("SOPS_AGE_KEY_FILE"), "{said}");
    assert_eq!(repo.read("shared.yaml"), before, "half of the work was done");
    let plain = repo.tool(&["secrets", "rekey", "plain.yaml"]);
    assert!(String::from_utf8_lossy(&plain.stderr).contains("plain.yaml is no file"), "{plain:?}");
}

#[test]
fn sops_that_is_missing_or_too_old_is_said_so() {
    let (repo, _) = shared_repo();
    let run = |path: &Path| {
        let mut command = repo.command(env!("CARGO_BIN_EXE_nixos-bootstrap"));
        let output = command.args(["secrets", "rekey"]).env("PATH", path).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let empty = tempfile::tempdir().unwrap();
    assert!(run(empty.path()).contains("sops is missing"));
    let old = empty.path().join("sops");
    fs::write(&old, "#!/bin/sh\necho 'sops set: --idempotent'\n").unwrap();
    fs::set_permissions(&old, fs::Permissions::from_mode(0o755)).unwrap();
    let said = run(empty.path());
    assert!(said.contains("too old") && said.contains("3.11"), "{said}");
}

#[test]
fn a_user_key_is_made_once_and_kept_where_it_is_looked_up() {
    let (repo, _) = shared_repo();
    let user_key = |repo: &Repo| {
        repo.tool(&["secrets", "user-key", "ta", "grief", "--in", "shared.yaml", "--rule", "2"])
    };
    let said = text(&user_key(&repo));
    assert!(said.contains("(made, shared.yaml user_age_keys/ta_grief)"), "{said}");
    let place = "[\"user_age_keys\"][\"ta_grief\"]";
    let secret = output(repo.command("sops").args(["decrypt", "--extract", place, "shared.yaml"]));
    let identity = Identity::parse(&nixos_bootstrap::secrets::Secret::new(secret)).unwrap();
    assert!(said.starts_with(&format!("ta_grief: {} ", identity.recipient())), "{said}");
    let rules = repo.read(".sops.yaml");
    assert!(rules.contains(&format!("    - &ta_grief {}\n  - &hosts:", identity.recipient())));
    for name in ["shared.yaml", "other.yaml"] {
        assert!(repo.opens(&identity, name), "{name}");
    }
    let before = (repo.read(".sops.yaml"), repo.read("shared.yaml"));
    assert!(text(&user_key(&repo)).contains("(was there, "));
    assert_eq!((repo.read(".sops.yaml"), repo.read("shared.yaml")), before);
    // The anchor is lost, the key is not: it is found again, not made anew.
    let without = SopsYaml::parse(&before.0).unwrap().remove(&["ta_grief".to_owned()]).unwrap();
    repo.write(".sops.yaml", &without.text);
    let again = text(&user_key(&repo));
    assert!(again.contains("(was there, ") && again.contains(identity.recipient().as_str()));
    // "Can't decrypt" is not "is not there": no key is made.
    repo.write(".sops.yaml", &without.text);
    fs::remove_file(repo.dir.path().join("home/.config/sops/age/keys.txt")).unwrap();
    let shared = repo.read("shared.yaml");
    let failed = user_key(&repo);
    assert_eq!(failed.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&failed.stderr).contains("nothing was made"), "{failed:?}");
    assert_eq!(repo.read("shared.yaml"), shared);
    assert_eq!(repo.read(".sops.yaml"), without.text);
}

#[test]
fn a_user_key_may_have_a_file_of_its_own() {
    let (repo, _) = shared_repo();
    let words =
        ["secrets", "user-key", "ta", "grief", "--in", "keys/grief.yaml", "--at", "age/key"];
    assert!(text(&repo.tool(&words)).contains("(made, keys/grief.yaml age/key)"));
    let place = "[\"age\"][\"key\"]";
    let mut sops = repo.command("sops");
    let secret = output(sops.args(["decrypt", "--extract", place, "keys/grief.yaml"]));
    assert!(secret.starts_with("AGE-SECRET-KEY-1"));
    let mode = fs::metadata(repo.path("keys/grief.yaml")).unwrap().permissions().mode();
    assert!(mode & 0o111 == 0);
}

/// A flake whose host references secrets, as evaluated by the real nix.
const FLAKE: &str = r#"{
  outputs = _: {
    nixosConfigurations.grief = {
      options = { };
      config = {
        networking.hostName = "grief";
        nixpkgs.hostPlatform.system = "x86_64-linux";
        sops.defaultSopsFile = ./shared.yaml;
        sops.secrets = {
          token = { key = "token"; sopsFile = ./shared.yaml; };
          lost = { key = "a/b"; sopsFile = ./shared.yaml; };
          other = { key = "token"; sopsFile = ./other.yaml; };
          gone = { key = "x"; sopsFile = "${./.}/gone.yaml"; };
          plain = { key = "a"; sopsFile = ./plain.yaml; };
        };
      };
    };
  };
}
"#;

#[test]
fn check_says_of_each_file_and_key_what_the_host_can_read() {
    let (repo, host) = shared_repo();
    repo.write("flake.nix", FLAKE);
    let recipient = host.recipient().as_str();
    let nix = tool("nix");
    let tool = |words: &[&str]| {
        let mut command = repo.command(env!("CARGO_BIN_EXE_nixos-bootstrap"));
        let path = std::env::join_paths(
            [nix.parent().unwrap().to_owned()]
                .into_iter()
                .chain(std::env::split_paths(&path_with(&["sops"]))),
        );
        command.args(words).env("PATH", path.unwrap()).output().unwrap()
    };
    // The rules of the host's files, from its evaluated configuration.
    let set = tool(&[
        "secrets",
        "sops-yaml",
        "set",
        "grief",
        recipient,
        "--for",
        "grief",
        "--flake",
        "path:.",
    ]);
    assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
    assert_eq!(SopsYaml::parse(&repo.read(".sops.yaml")).unwrap().recipients(1).len(), 2);
    text(&repo.tool(&["secrets", "rekey", "shared.yaml"]));
    let expected = "\
gone.yaml: missing
  gone (x): missing
shared.yaml: readable
  lost (a/b): missing
  token (token): readable
other.yaml: not a recipient
  other (token): not a recipient
plain.yaml: malformed (REASON)
  plain (a): missing
";
    let check = |words: &[&str]| {
        let check = ["secrets", "check", "grief", "--flake", "path:.", "--file", ".sops.yaml"];
        let output = tool(&[&check[..], words].concat());
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let without_reason = |text: String| {
        let lines = text.lines().map(|line| match line.split_once("malformed (") {
            Some((before, _)) => format!("{before}malformed (REASON)\n"),
            None => format!("{line}\n"),
        });
        lines.collect::<String>()
    };
    assert_eq!(without_reason(check(&[])), expected);
    repo.write("key", std::str::from_utf8(host.secret().expose()).unwrap());
    fs::set_permissions(repo.path("key"), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(without_reason(check(&["--key", "key"])), expected);
    // A key in a format that can't be used is no answer about the files.
    repo.write("x.ppk", "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n");
    fs::set_permissions(repo.path("x.ppk"), fs::Permissions::from_mode(0o600)).unwrap();
    let foreign = ["secrets", "check", "grief", "--flake", "path:.", "--key", "x.ppk"];
    let foreign = tool(&foreign);
    let said = String::from_utf8_lossy(&foreign.stderr);
    assert!(foreign.stdout.is_empty() && said.contains("puttygen x.ppk -O "), "{said}");
}

#[test]
fn a_host_key_is_made_kept_and_shown() {
    let (repo, _) = shared_repo();
    let host_key = |words: &[&str]| repo.tool(&[&["secrets", "host-key", "grief"], words].concat());
    let none = host_key(&["--in", "shared.yaml"]);
    assert_eq!(none.status.code(), Some(1));
    let said = String::from_utf8_lossy(&none.stderr).into_owned();
    assert!(said.contains("shared.yaml has no ssh_host_keys/grief/ed25519"), "{said}");
    // Files as sshd wants them; the recipient is that of ssh-to-age.
    let shown = text(&host_key(&["--out", "keys"]));
    let mode = |name: &str| fs::metadata(repo.path(name)).unwrap().permissions().mode() & 0o777;
    let modes = ["keys", "keys/ssh_host_ed25519_key", "keys/ssh_host_ed25519_key.pub"].map(mode);
    assert_eq!(modes, [0o700, 0o600, 0o644]);
    let public = repo.read("keys/ssh_host_ed25519_key.pub");
    let recipient = text(&piped(&mut Command::new(tool("ssh-to-age")), public.as_bytes()));
    assert!(shown.starts_with(&public) && shown.ends_with(&recipient), "{shown}");
    assert!(shown.contains("SHA256:") && public.ends_with(" root@grief\n"), "{shown}");
    let again = host_key(&["--out", "keys"]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("is there already"), "{again:?}");
    // A copy in the secrets file, which is found again, and is the same to the byte.
    let key = "keys/ssh_host_ed25519_key";
    assert_eq!(text(&host_key(&["--keep", "--key", key, "--in", "shared.yaml"])), shown);
    assert_eq!(text(&host_key(&["--in", "shared.yaml"])), shown);
    assert_eq!(text(&host_key(&["--in", "shared.yaml", "--out", "copy"])), shown);
    assert_eq!(repo.read("copy/ssh_host_ed25519_key"), repo.read(key));
    assert!(!repo.read("shared.yaml").contains("PRIVATE KEY"));
    let before = repo.read("shared.yaml");
    text(&host_key(&["--keep", "--key", key, "--in", "shared.yaml"]));
    assert_eq!(repo.read("shared.yaml"), before, "a second run changed the file");
    // Another key does not take its place.
    let pair = HostKeyPair::generate("root@grief").unwrap();
    repo.write("other", std::str::from_utf8(pair.private().expose()).unwrap());
    fs::set_permissions(repo.path("other"), fs::Permissions::from_mode(0o600)).unwrap();
    let other = host_key(&["--keep", "--key", "other", "--in", "shared.yaml"]);
    assert!(String::from_utf8_lossy(&other.stderr).contains("has another key"), "{other:?}");
    assert_eq!(repo.read("shared.yaml"), before);
    assert!(host_key(&["--keep", "--in", "../x.yaml"]).status.code() == Some(2));
}
