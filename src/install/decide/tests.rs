//! Decisions of whole plans.

use super::super::options::ReuseHostKey;
use super::super::plan::{Action, HostKeySource};
use super::super::samples::{Case, GIB, grief, gusto};
use super::super::surroundings::SecretsRepo;
use super::*;
use crate::facts::{SshHostKey, Zram};

fn texts(paths: &[AbsolutePath]) -> Vec<&str> {
    paths.iter().map(AsRef::as_ref).collect()
}

fn action(case: &Case, phase: Phase) -> Action {
    case.plan().phase(phase).unwrap().action.clone()
}

fn skipped(case: &Case, phase: Phase) -> String {
    match action(case, phase) {
        Action::Skip { reason } => reason,
        other => panic!("{phase}: {other:?}"),
    }
}

#[test]
fn the_plan_survives_json() {
    for case in [grief(), gusto()] {
        let plan = case.plan();
        let text = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
    }
}

#[test]
fn the_command_line_wins_over_the_configuration() {
    let mut case = grief();
    case.facts.target.host = Some("10.0.0.9".parse().unwrap());
    case.facts.target.user = Some("nixos".parse().unwrap());
    case.facts.target.port = Some(2222);
    case.facts.target.identity_file = Some("~/.ssh/id_x".to_owned());
    let target = case.plan().target;
    assert_eq!(
        (target.address.as_str(), target.port, target.installed_port),
        ("10.0.0.5", 2222, 2222)
    );
    assert_eq!((target.user.as_str(), target.identity.as_deref()), ("root", Some("~/.ssh/id_x")));
    case.options.target = None;
    case.options.port = Some(2022);
    case.options.identity = Some("/keys/a".into());
    case.options.user = Some("me".parse().unwrap());
    let target = case.plan().target;
    assert_eq!((target.address.as_str(), target.user.as_str()), ("10.0.0.9", "nixos"));
    assert_eq!((target.port, target.identity.as_deref()), (2022, Some("/keys/a")));
    assert_eq!(target.primary_user.as_str(), "me");
}

#[test]
fn the_installed_port_is_the_configured_one_unless_a_port_is_forwarded() {
    let mut case = grief();
    case.configure(|facts| facts.ssh.ports = vec![10022, 22]);
    assert_eq!((case.plan().target.port, case.plan().target.installed_port), (22, 10022));
    case.options.port = Some(22);
    assert_eq!(case.plan().target.installed_port, 10022);
    case.options.port = Some(2222);
    assert_eq!(case.plan().target.installed_port, 2222);
}

#[test]
fn minimal_first_where_there_is_one_and_full_where_not() {
    let mut case = grief();
    let system = case.plan().system;
    assert_eq!(system.via, Via::Minimal);
    assert_eq!(system.install_attr, "./nixos-installer#nixosConfigurations.grief");
    assert_eq!(system.full_attr, ".#nixosConfigurations.grief");
    assert_eq!(action(&case, Phase::Rebuild), Action::Run);
    case.options.via = Some(Via::Full);
    assert_eq!(case.plan().system.install_attr, ".#nixosConfigurations.grief");
    assert_eq!(skipped(&case, Phase::Rebuild), "the full system is installed at once");
    case.options.via = None;
    case.minimal = None;
    assert_eq!(case.plan().system.via, Via::Full);
    let mut case = grief();
    case.options.host = "a.example.org".parse().unwrap();
    case.configure(|facts| facts.name = "a.example.org".parse().unwrap());
    assert_eq!(case.plan().system.full_attr, ".#nixosConfigurations.\"a.example.org\"");
}

#[test]
fn rebuild_is_where_the_options_or_the_command_say() {
    let mut case = grief();
    assert_eq!(case.plan().system.rebuild_on, RebuildOn::Here);
    case.facts.bootstrap.rebuild_command = Some("just rebuild".to_owned());
    let plan = case.plan();
    assert_eq!(plan.system.rebuild_on, RebuildOn::Target);
    let changes = &plan.phase(Phase::Rebuild).unwrap().changes;
    assert!(changes[0].contains("built there by `just rebuild`"), "{changes:?}");
    case.options.rebuild_on = Some(RebuildOn::Here);
    assert_eq!(case.plan().system.rebuild_on, RebuildOn::Here);
}

#[test]
fn host_keys_may_come_from_the_old_system_or_from_the_secrets() {
    let mut case = grief();
    let source = |case: &Case| case.plan().host_key_source;
    assert_eq!(source(&case), HostKeySource::New);
    let line = |case: &Case| case.plan().phase(Phase::Hostkey).unwrap().changes[0].clone();
    case.options.reuse_host_key = Some(ReuseHostKey::Target);
    assert_eq!(source(&case), HostKeySource::OldSystem { machine: None });
    assert!(line(&case).contains("takes the host's ed25519 key from the system that runs there"));
    case.options.reuse_host_key = Some("ta@10.0.0.9".parse().unwrap());
    assert!(line(&case).contains("from ta@10.0.0.9"), "{}", line(&case));
    case.options.reuse_host_key = Some(ReuseHostKey::Secrets);
    let path = "/home/ta/nix-secrets".into();
    case.around.secrets_repo = Some(SecretsRepo { path, sops_yaml: None });
    case.facts.bootstrap.secrets_file = Some("hosts/grief.yaml".to_owned());
    assert!(line(&case).contains("/home/ta/nix-secrets/hosts/grief.yaml, ssh_host_keys/grief"));
    case.facts.bootstrap.secrets_host_key_path = Some("a/b".to_owned());
    assert!(line(&case).contains("/home/ta/nix-secrets/hosts/grief.yaml, a/b "));
    assert!(
        crate::install::report::resume_command(&case.options).contains("--reuse-host-key=secrets")
    );
}

#[test]
fn host_keys_go_to_every_configured_place_and_below_the_persist_directory() {
    let mut case = grief();
    let keys = case.plan().host_keys;
    let default = ["/etc/ssh/ssh_host_ed25519_key", "/persist/etc/ssh/ssh_host_ed25519_key"];
    assert_eq!((keys.len(), keys[0].kind.as_str()), (1, "ed25519"));
    assert_eq!(texts(&keys[0].paths), default);
    let key =
        |kind: &str, path: &str| SshHostKey { kind: kind.to_owned(), path: path.parse().unwrap() };
    case.facts.ssh.host_keys =
        vec![key("rsa", "/persist/rsa"), key("ed25519", "/persist/etc/ssh/key")];
    let keys = case.plan().host_keys;
    assert_eq!(texts(&keys[0].paths), ["/persist/etc/ssh/key"]);
    // The host expects an RSA key as well: it gets one.
    assert_eq!((keys[1].kind.as_str(), texts(&keys[1].paths)), ("rsa", vec!["/persist/rsa"]));
    let changes = case.plan().phase(Phase::Hostkey).unwrap().changes.clone();
    assert!(changes[0].contains("makes the host's ed25519 and rsa key pairs"), "{changes:?}");
    case.minimal.as_mut().unwrap().ssh.host_keys = vec![key("ed25519", "/etc/ssh/small")];
    let both = ["/persist/etc/ssh/key", "/etc/ssh/small", "/persist/etc/ssh/small"];
    assert_eq!(texts(&case.plan().host_keys[0].paths), both);
    case.options.persist_dir = Some("/keep".parse().unwrap());
    assert_eq!(case.plan().system.persist_dir.unwrap().as_str(), "/keep");
    case.options.persist_dir = None;
    case.configure(|facts| {
        facts.persist_dir = None;
        facts.ssh.host_keys.clear();
    });
    assert_eq!(texts(&case.plan().host_keys[0].paths), default[..1]);
}

#[test]
fn passphrases_are_one_time_unless_disko_asks() {
    let mut case = gusto();
    let planned = case.plan().encryption;
    assert_eq!(planned[0].key_file.as_ref().unwrap().as_str(), "/tmp/disko-password");
    assert_eq!(planned[0].passphrase, PassphraseSource::OneTime);
    case.configure(|facts| facts.encryption[0].key = KeySource::Ask);
    let planned = case.plan().encryption;
    assert_eq!(
        (planned[0].key_file.clone(), planned[0].passphrase),
        (None, PassphraseSource::Asked)
    );
}

#[test]
fn the_hardware_file_is_the_configured_one_or_the_folder_s() {
    let mut case = grief();
    let file =
        |case: &Case| case.plan().hardware.map(|hardware| (hardware.generator, hardware.file));
    let nix = "hosts/grief/hardware-configuration.nix".to_owned();
    let json = "hosts/grief/facter.json".to_owned();
    assert_eq!(file(&case), Some((HardwareGenerator::NixosGenerateConfig, nix.clone())));
    case.around.hardware_files = [json.clone()].into();
    assert_eq!(file(&case), Some((HardwareGenerator::NixosFacter, json.clone())));
    case.around.hardware_files = [json.clone(), nix.clone()].into();
    assert_eq!(file(&case), Some((HardwareGenerator::NixosGenerateConfig, nix)));
    case.facts.bootstrap.hardware_generator = Some(HardwareGenerator::NixosFacter);
    assert_eq!(file(&case), Some((HardwareGenerator::NixosFacter, json)));
    case.facts.bootstrap.hardware_file = Some("./hw/x.json".to_owned());
    assert_eq!(file(&case).unwrap().1, "hw/x.json");
    case.facts.bootstrap = crate::facts::BootstrapOptions::default();
    case.around.has_host_dir = false;
    assert_eq!(file(&case), None);
    assert!(skipped(&case, Phase::Hardware).contains("bootstrap.hardware.file"));
}

#[test]
fn repos_go_beside_each_other_into_the_user_s_home() {
    let mut case = grief();
    let repos = |case: &Case| -> Vec<(String, String)> {
        case.plan().sync.into_iter().map(|repo| (repo.from, repo.to)).collect()
    };
    let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    assert_eq!(repos(&case), [pair("/home/ta/src/nix-config", "/home/ta/nix-config")]);
    let path = "/home/ta/src/nix-secrets".into();
    case.around.secrets_repo = Some(SecretsRepo { path, sops_yaml: None });
    for (configured, to, beside) in [
        ("~/src/cfg", "/home/ta/src/cfg", "/home/ta/src/nix-secrets"),
        ("src/cfg", "/home/ta/src/cfg", "/home/ta/src/nix-secrets"),
        ("/etc/nixos", "/etc/nixos", "/etc/nix-secrets"),
    ] {
        case.facts.bootstrap.nix_config_path = Some(configured.to_owned());
        let expected =
            [pair("/home/ta/src/nix-config", to), pair("/home/ta/src/nix-secrets", beside)];
        assert_eq!(repos(&case), expected);
    }
    case.facts.bootstrap.nix_config_path = None;
    case.options.user = Some(UserName::root());
    assert_eq!(repos(&case)[0].1, "/root/nix-config");
    case.around.flake_dir = None;
    assert_eq!(repos(&case), []);
    for phase in [Phase::Sync, Phase::Hardware, Phase::Commit] {
        assert_eq!(skipped(&case, phase), "the flake is no folder of this machine");
    }
}

#[test]
fn phases_are_chosen_and_skipped_with_their_reason() {
    let mut case = grief();
    let plan = case.plan();
    assert_eq!(plan.phases.iter().map(|planned| planned.phase).collect::<Vec<_>>(), Phase::ALL);
    for planned in &plan.phases {
        assert_eq!(planned.action == Action::Run, !planned.changes.is_empty(), "{planned:?}");
    }
    assert_eq!(skipped(&case, Phase::Secrets), "not configured");
    assert_eq!(skipped(&case, Phase::Lock), "not configured");
    assert_eq!(skipped(&case, Phase::Kexec), "the target already runs an installer");
    case.options.phases.skip = [Phase::Disko].into();
    assert_eq!(skipped(&case, Phase::Disko), "not wanted (--skip)");
    case.options.phases.skip.clear();
    case.options.phases.only = [Phase::Disko].into();
    assert_eq!(skipped(&case, Phase::Install), "not wanted (--only)");
    assert_eq!(action(&case, Phase::Preflight), Action::Run);
    case.around.done = [Phase::Preflight, Phase::Disko].into();
    assert_eq!(action(&case, Phase::Disko), Action::Done);
    assert_eq!(action(&case, Phase::Preflight), Action::Run);
    case.around.tracked = None;
    case.options.phases.only.clear();
    assert_eq!(skipped(&case, Phase::Commit), "the flake's folder is no git work tree");
}

#[test]
fn disko_s_changes_name_disk_serial_and_size() {
    let plan = gusto().plan();
    let changes = &plan.phase(Phase::Disko).unwrap().changes;
    assert_eq!(
        changes[0],
        "/dev/sda (476.9 GiB, serial S5GXNX0R123456): erases everything, makes 2 partitions"
    );
    assert_eq!(changes.len(), 2);
}

#[test]
fn swap_of_every_kind_is_named() {
    let mut case = grief();
    case.facts.swap.zram =
        Some(Zram { memory_percent: Some(50), algorithm: Some("zstd".to_owned()) });
    assert_eq!(
        case.plan().swap,
        ["swapfile @swap/swapfile of 8 GiB", "zram of 50 % of the memory, zstd"]
    );
}

#[test]
fn the_digest_changes_with_what_must_not_change_and_with_nothing_else() {
    let digest = |change: &dyn Fn(&mut Case)| {
        let mut case = grief();
        change(&mut case);
        case.plan().digest
    };
    let first = digest(&|_| ());
    assert_eq!(first.len(), 64);
    // Pinned: a new version of this program must go on from an old one's journal.
    assert_eq!(first, "44809682fd21a013bc8f37cec35c30a4345a96ba6b2bc14d07500545681a7181");
    let harmless: [&dyn Fn(&mut Case); 7] = [
        &|case| case.facts.outputs.as_mut().unwrap().toplevel = None,
        &|case| case.probe.disks[0].children = case.probe.disks[1].children.clone(),
        &|case| case.probe.boot_id = "other".to_owned(),
        &|case| case.options.target = Some("10.0.0.6".parse().unwrap()),
        &|case| case.options.phases.skip = [Phase::Commit].into(),
        &|case| case.around.done = [Phase::Disko, Phase::Hostkey].into(),
        &|case| case.probe.disks[1].size = 4 * GIB,
    ];
    for (index, change) in harmless.iter().enumerate() {
        assert_eq!(digest(change), first, "harmless change {index}");
    }
    let grave: [&dyn Fn(&mut Case); 8] = [
        &|case| case.options.host = "guppy".parse().unwrap(),
        &|case| case.probe.disks[0].serial = Some("OTHER".to_owned()),
        &|case| case.probe.disks[0].model = Some("OTHER".to_owned()),
        &|case| case.probe.disks[0].size = 21 * GIB,
        &|case| case.configure(|facts| facts.disko.disks[0].name = "main".to_owned()),
        &|case| case.options.persist_dir = Some("/keep".parse().unwrap()),
        &|case| case.options.via = Some(Via::Full),
        &|case| case.options.engine = Engine::NixosAnywhere,
    ];
    let mut seen = vec![first];
    for (index, change) in grave.iter().enumerate() {
        let digest = digest(change);
        assert!(!seen.contains(&digest), "grave change {index}");
        seen.push(digest);
    }
}
