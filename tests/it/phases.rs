//! The phases `disko` and `install` for real, as far as they go without a machine of their own: a
//! real nix builds and copies through a real sshd, which runs in a mount namespace with its own
//! `/mnt`. The disk script mounts memory; what makes the system bootable is a stand-in that notes
//! what it finds.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use nixos_bootstrap::facts::{
    EachHost, EvalError, Evaluator, HostFacts, HostSummary, NodevMount, Scope,
};
use nixos_bootstrap::install::context::{Access, Context, Done, Door, Side, World};
use nixos_bootstrap::install::event::{Event, PromptError, Prompter, Reporter, Unit};
use nixos_bootstrap::install::plan::{PassphraseSource, PlannedEncryption, PlannedHostKey, plan};
use nixos_bootstrap::install::private::{HostKey, HostKeys, Passphrases, PrivateDir};
use nixos_bootstrap::install::record::Record;
use nixos_bootstrap::install::stopwatch::Stopwatch;
use nixos_bootstrap::install::surroundings::Surroundings;
use nixos_bootstrap::install::{Failure, Limits, Options, Phase, Plan, phases};
use nixos_bootstrap::process::RealRunner;
use nixos_bootstrap::remote::{Connection, Firmware, Privilege, Probe};
use nixos_bootstrap::secrets::{HostKeyPair, Secret};
use nixos_bootstrap::validated::HostName;

use crate::sshd::{Sshd, user};

const KEY_PATH: &str = "/persist/etc/ssh/ssh_host_ed25519_key";

struct NoEvaluator;

#[async_trait]
impl Evaluator for NoEvaluator {
    async fn hosts(&self, flake: &str) -> Result<EachHost<HostSummary>, EvalError> {
        Err(EvalError::NoHosts { flake: flake.to_owned() })
    }
    async fn facts(&self, flake: &str, _host: &HostName, _: Scope) -> Result<HostFacts, EvalError> {
        Err(EvalError::NoHosts { flake: flake.to_owned() })
    }
    async fn facts_of_all(&self, flake: &str, _: Scope) -> Result<EachHost<HostFacts>, EvalError> {
        Err(EvalError::NoHosts { flake: flake.to_owned() })
    }
}

#[derive(Default)]
struct Told(Mutex<Vec<Event>>);

impl Reporter for Told {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

struct NoTerminal;

impl Prompter for NoTerminal {
    fn confirm_word(&self, _question: &str, _word: &str) -> Result<bool, PromptError> {
        Err(PromptError::NoTerminal)
    }
    fn confirm(&self, _question: &str) -> Result<bool, PromptError> {
        Err(PromptError::NoTerminal)
    }
    fn text(&self, _question: &str, _default: Option<&str>) -> Result<String, PromptError> {
        Err(PromptError::NoTerminal)
    }
    fn passphrase(&self, _question: &str, _twice: bool) -> Result<Secret, PromptError> {
        Err(PromptError::NoTerminal)
    }
}

/// A host whose new root has `size` (of a tmpfs), on the other side of a real sshd.
struct Bench {
    sshd: Sshd,
    world: World,
    told: Arc<Told>,
    options: Options,
    facts: HostFacts,
    plan: Plan,
    access: Access,
    private: PrivateDir,
}

impl Bench {
    /// `None` where this machine can't do it and the user has allowed to leave it out.
    fn new(size: &str) -> Option<Self> {
        if let Some(missing) = missing() {
            assert!(
                std::env::var_os("NIXOS_BOOTSTRAP_TEST_SKIP_MISSING").is_some_and(|it| it == "1"),
                "this test needs {missing}"
            );
            eprintln!("skipped: {missing} is missing");
            return None;
        }
        let sshd = sshd();
        let home = sshd.path("home");
        fs::create_dir(&home).unwrap();
        write_flake(&sshd, size);
        let told = Arc::new(Told::default());
        let world = World {
            runner: Arc::new(RealRunner::default()),
            connector: Arc::new(sshd.connector()),
            evaluator: Arc::new(NoEvaluator),
            reporter: Arc::clone(&told) as Arc<dyn Reporter>,
            finder: Arc::new(nixos_bootstrap::remote::Mdns),
            prompter: Arc::new(NoTerminal),
            cancel: sshd.cancel.clone(),
            state_dir: home.join("state"),
            user_known_hosts: home.join("known_hosts"),
            forges: nixos_bootstrap::remote::forges::all(),
            private_bases: vec![home.clone()],
            limits: Limits::default(),
        };
        let flake = format!("path:{}", sshd.path("flake").display());
        let options = Options::new("grief".parse().unwrap(), flake.clone());
        let facts = facts();
        let mut plan = plan(&facts, None, &probe(), &options, &Surroundings::default());
        plan.system.install_attr = format!("{flake}#nixosConfigurations.grief");
        plan.host_keys = vec![PlannedHostKey {
            kind: "ed25519".to_owned(),
            paths: vec![KEY_PATH.parse().unwrap()],
        }];
        plan.encryption = vec![PlannedEncryption {
            name: "cryptroot".to_owned(),
            key_file: Some(sshd.path("passphrase").to_str().unwrap().parse().unwrap()),
            passphrase: PassphraseSource::OneTime,
        }];
        let door = Door { port: sshd.port, user: user().parse().unwrap() };
        let access = Access {
            address: "127.0.0.1".parse().unwrap(),
            installer: door.clone(),
            installed: door,
            identity: Some(sshd.path("id")),
        };
        let private = PrivateDir::create(&[home], "grief").unwrap();
        Some(Self { sshd, world, told, options, facts, plan, access, private })
    }

    fn context(&self, connection: Arc<dyn Connection>) -> Context<'_> {
        let mut passphrases = Passphrases::default();
        passphrases.insert("cryptroot", Secret::new("bcde fghj"), true);
        let pair = HostKeyPair::generate("root@grief").unwrap();
        let mut host_keys = HostKeys::default();
        host_keys.insert(HostKey {
            kind: "ed25519".to_owned(),
            private: pair.private().clone(),
            public: pair.public().to_owned(),
        });
        let record = Record {
            host_keys: vec![pair.public().to_owned()],
            installer_keys: vec![self.sshd.host_key.public().to_owned()],
            ..Record::default()
        };
        Context {
            world: &self.world,
            options: &self.options,
            facts: &self.facts,
            minimal: None,
            plan: &self.plan,
            phase: Phase::Disko,
            access: &self.access,
            side: Side::Installer,
            record,
            private: &self.private,
            host_keys,
            passphrases,
            connection: Some(connection),
            clock: Stopwatch::start(),
            changes: Vec::new(),
            next: Vec::new(),
        }
    }

    fn note(&self, name: &str) -> String {
        fs::read_to_string(self.sshd.path("notes").join(name)).unwrap_or_default()
    }
}

fn missing() -> Option<&'static str> {
    let in_path = |program: &str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
    };
    if user() != "root" {
        return Some("root, to make a mount namespace");
    }
    ["nix", "nix-daemon", "unshare", "mount"].into_iter().find(|program| !in_path(program))
}

/// An sshd that sees an empty `/mnt` of its own, with a stand-in for `nixos-install`.
fn sshd() -> Sshd {
    let mount = "mount -t tmpfs -o mode=755 outer /mnt && exec \"$@\"";
    let bin = tempfile::tempdir().unwrap().keep();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let lines = format!("SetEnv PATH={path}\n");
    let wrapper = ["unshare", "--mount", "--propagation", "private", "sh", "-c", mount, "sh"];
    let sshd = Sshd::start_in(&wrapper, &lines);
    let notes = sshd.path("notes");
    fs::create_dir(&notes).unwrap();
    let text = format!(
        "cd {}\necho \"$@\" >args\nls /mnt/nix/store >store\n\
         stat -c '%a %u %n' /mnt{KEY_PATH} /mnt{KEY_PATH}.pub /mnt/persist/etc >keys\n\
         cp /mnt{KEY_PATH}.pub public\n",
        notes.display()
    );
    program(&bin.join("nixos-install"), &text);
    sshd
}

fn program(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\nset -eu\n{text}")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn write_flake(sshd: &Sshd, size: &str) {
    let (key, notes) = (sshd.path("passphrase"), sshd.path("notes"));
    let disko = format!(
        "#!/bin/sh\nset -eu\nstat -c %a {key} >{notes}/mode\ncat {key} >{notes}/passphrase\n\
         mount -t tmpfs -o mode=755,size={size} new /mnt\nmkdir /mnt/boot\n\
         mount -t tmpfs boot /mnt/boot\necho laid out\n",
        key = key.display(),
        notes = notes.display()
    );
    let flake = format!(
        r#"{{
  outputs = _: let
    make = name: script: derivation {{
      inherit name;
      system = "{arch}-linux";
      builder = "/bin/sh";
      args = [ "-c" script ];
      PATH = "/usr/bin:/bin";
    }};
    disko = builtins.toFile "disko" ''{disko}'';
  in {{
    nixosConfigurations.grief.config.system.build = {{
      toplevel = make "nixos-system-grief" "mkdir $out; head -c 13000000 /dev/urandom >$out/blob";
      diskoScript = make "disko" "cp ${{disko}} $out; chmod 755 $out";
    }};
  }};
}}
"#,
        arch = std::env::consts::ARCH
    );
    let dir: PathBuf = sshd.path("flake");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("flake.nix"), flake).unwrap();
}

fn facts() -> HostFacts {
    let mut facts: HostFacts = serde_json::from_value(serde_json::json!({
        "name": "grief", "hostName": "grief", "system": "x86_64-linux", "stateVersion": "25.05",
        "isMinimal": false,
        "disko": { "disks": [], "volumeGroups": [], "raids": [], "pools": [], "nodev": [] },
        "swap": { "devices": [], "zram": null }, "encryption": [], "persistDir": null,
        "ssh": { "enable": true, "ports": [22], "hostKeys": [], "permitRootLogin": "yes" },
        "sops": null,
        "target": { "host": null, "port": null, "user": null, "identityFile": null },
        "primaryUser": null,
        "boot": { "systemdBoot": true, "grub": false, "grubEfi": false, "grubDevices": [],
                  "espMountpoint": "/boot", "other": [] },
        "bootstrap": {}, "article": { "configVars": BTreeMap::<String, String>::new() },
        "outputs": {}
    }))
    .unwrap();
    let tmpfs = |mountpoint: &str| NodevMount {
        mountpoint: mountpoint.to_owned(),
        fs_type: "tmpfs".to_owned(),
        mount_options: vec![],
    };
    facts.disko.nodev = vec![tmpfs("/"), tmpfs("/boot")];
    facts
}

fn probe() -> Probe {
    Probe {
        host_name: "nixos".to_owned(),
        boot_id: "11111111-2222-3333-4444-555555555555".to_owned(),
        architecture: "x86_64".to_owned(),
        firmware: Firmware::Uefi,
        memory: 1 << 31,
        os_id: None,
        os_variant: None,
        os_name: None,
        installer: true,
        current_system: None,
        privilege: Privilege::Root,
        missing_programs: vec![],
        disks: vec![],
    }
}

async fn run(cx: &mut Context<'_>, phase: Phase) -> Result<Done, Failure> {
    cx.phase = phase;
    phases::of(phase).unwrap().run(cx).await
}

#[tokio::test]
async fn disks_are_laid_out_and_the_system_is_brought_through_one_connection() {
    let Some(bench) = Bench::new("64m") else { return };
    let mut cx = bench.context(bench.sshd.connect().await);
    run(&mut cx, Phase::Disko).await.unwrap();
    assert_eq!(
        (bench.note("mode").trim(), bench.note("passphrase").as_str()),
        ("600", "bcde fghj")
    );
    assert!(!bench.sshd.path("passphrase").exists(), "the passphrase is still there");
    // Again, as after an interruption: what is mounted is let go first.
    run(&mut cx, Phase::Disko).await.unwrap();

    run(&mut cx, Phase::Install).await.unwrap();
    let system = cx.record.installed.clone().unwrap();
    assert_eq!(
        bench.note("args").trim(),
        format!("--root /mnt --system {system} --no-root-passwd --no-channel-copy")
    );
    let name = system.as_str().strip_prefix("/nix/store/").unwrap();
    assert_eq!(bench.note("store").trim(), name, "the store at /mnt has the system and no more");
    assert_eq!(
        bench.note("keys"),
        format!("600 0 /mnt{KEY_PATH}\n644 0 /mnt{KEY_PATH}.pub\n755 0 /mnt/persist/etc\n")
    );
    assert_eq!(bench.note("public").trim(), cx.record.host_keys[0]);
    let told = bench.told.0.lock().unwrap();
    let bytes = told.iter().any(|event| {
        matches!(event, Event::Progress { unit: Unit::Bytes, done, total, .. }
            if *done > 13_000_000 && *total == Some(*done))
    });
    assert!(bytes, "no progress up to the last byte");
    assert!(
        told.iter().any(|event| matches!(event, Event::Output { line, .. } if line == "laid out"))
    );
    drop(told);
    drop(cx);
    assert_eq!(bench.sshd.logins(), 1, "{}", bench.sshd.log());
    assert!(!Path::new("/mnt/persist").exists(), "the namespace leaks");
}

#[tokio::test]
async fn a_disk_that_is_too_small_is_named_with_its_figures() {
    // The system has 13 MB. In 2 MB not even nix's own database has room, which kills its daemon.
    for size in ["2.0M", "12M"] {
        let Some(bench) = Bench::new(&size.replace(".0M", "m").replace('M', "m")) else { return };
        let mut cx = bench.context(bench.sshd.connect().await);
        run(&mut cx, Phase::Disko).await.unwrap();
        let failure = run(&mut cx, Phase::Install).await.unwrap_err();
        assert!(failure.error.starts_with("the new system's disk is full: "), "{failure:?}");
        let figures = format!("of {size} used, ");
        assert!(failure.error.contains(&figures), "{failure:?}");
        assert!(failure.error.contains("0 free on new at /mnt"), "{failure:?}");
        assert_eq!(bench.note("args"), "", "nixos-install ran all the same");
        assert_eq!(cx.record.installed, None);
    }
}
