//! The facts of the fixture hosts in `tests/flakes/facts`: what real nix gives for them
//! (`values/`), and what the decoders make of it (`expected/`). `NIXOS_BOOTSTRAP_BLESS=1` writes
//! both anew; look at the difference before you commit it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests fails the test")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nixos_bootstrap::facts::{
    Btrfs, Content, EvalError, Evaluator, FACTS_NIX, HostFacts, NixEvaluator, Scope, decode_host,
    installer_flake,
};
use nixos_bootstrap::process::nix::Nix;
use nixos_bootstrap::process::scripted::Scripted;
use nixos_bootstrap::process::{RealRunner, Runner};
use nixos_bootstrap::validated::HostName;
use serde_json::{Value, json};

use crate::evaluators::{is_there, nix_config};

const HOSTS: [&str; 7] =
    ["article", "bootstrap", "encrypted", "image", "old", "secrets", "storage"];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/flakes/facts")
}

fn read(kind: &str, host: &str) -> Value {
    let path = fixtures().join(kind).join(format!("{host}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// Compares with the committed file, or writes it.
fn check(kind: &str, host: &str, value: &Value) {
    if std::env::var_os("NIXOS_BOOTSTRAP_BLESS").is_some() {
        let path = fixtures().join(kind).join(format!("{host}.json"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("{value:#}\n")).unwrap();
    }
    assert_eq!(value, &read(kind, host), "{kind}/{host}.json");
}

fn name(host: &str) -> HostName {
    host.parse().unwrap()
}

fn decoded(host: &str, value: &Value) -> HostFacts {
    decode_host(&name(host), value).unwrap_or_else(|error| panic!("{host}: {error}"))
}

fn evaluator() -> NixEvaluator {
    NixEvaluator::new(Arc::new(RealRunner::default()), Nix::default())
}

fn fixture_flake() -> String {
    format!("path:{}", fixtures().display())
}

/// The flake's own place in the store changes with every file of it.
fn without_source_hash(value: &Value) -> Value {
    let text = value.to_string();
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("/nix/store/") {
        let (before, path) = rest.split_at(at);
        out.push_str(before);
        let hash = "/nix/store/".len() + 32;
        let path_name = path.get(hash..).unwrap_or_default();
        if path_name.starts_with("-source") || path_name.starts_with("-secrets") {
            out.push_str("/nix/store/00000000000000000000000000000000");
        } else {
            out.push_str(&path[..hash]);
        }
        rest = path_name;
    }
    out.push_str(rest);
    serde_json::from_str(&out).unwrap()
}

#[test]
fn decoders_give_the_expected_facts() {
    for host in HOSTS {
        let facts = decoded(host, &read("values", host));
        let value = serde_json::to_value(&facts).unwrap();
        check("expected", host, &value);
        // What is written down as JSON is the same when it is read again.
        assert_eq!(serde_json::from_value::<HostFacts>(value).unwrap(), facts);
    }
}

#[tokio::test]
async fn real_nix_gives_the_expected_values() {
    if !is_there("nix") {
        return;
    }
    let apply = format!("({FACTS_NIX}) {{ host = null; scope = \"outputs\"; }}");
    let installable = format!("{}#nixosConfigurations", fixture_flake());
    let command = Nix::default().eval_json(&installable, &apply);
    let output = RealRunner::default().run(&command).await.unwrap().success(&command).unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["known"], json!(HOSTS));
    for host in HOSTS {
        check("values", host, &without_source_hash(&answer["hosts"][host]));
    }
}

#[tokio::test]
async fn one_host_all_hosts_and_the_list_agree() {
    if !is_there("nix") {
        return;
    }
    let (flake, nix) = (fixture_flake(), evaluator());
    let all = nix.facts_of_all(&flake, Scope::Outputs).await.unwrap().found;
    let list = nix.hosts(&flake).await.unwrap().found;
    assert_eq!(all.len(), HOSTS.len());
    for (facts, summary) in all.iter().zip(&list) {
        assert_eq!(summary.name, facts.name.as_str());
        assert_eq!(
            (&summary.system, summary.is_minimal),
            (&facts.system, facts.is_minimal),
            "{}",
            facts.name
        );
    }
    let one = nix.facts(&flake, &name("storage"), Scope::Outputs).await.unwrap();
    assert!(all.contains(&one));
    let options = nix.facts(&flake, &name("storage"), Scope::Options).await.unwrap();
    assert!(one.outputs.is_some());
    assert_eq!(options, HostFacts { outputs: None, ..one });
}

#[tokio::test]
async fn an_unknown_host_is_named_with_its_nearest() {
    if !is_there("nix") {
        return;
    }
    let error =
        evaluator().facts(&fixture_flake(), &name("artcle"), Scope::Outputs).await.unwrap_err();
    let EvalError::UnknownHost { known, nearest, .. } = &error else { panic!("{error}") };
    assert_eq!(known.len(), HOSTS.len());
    assert_eq!(nearest.as_deref(), Some("article"));
    assert!(error.to_string().contains("did you mean article?"), "{error}");

    let error =
        evaluator().facts(&fixture_flake(), &name("zzz"), Scope::Outputs).await.unwrap_err();
    assert!(matches!(&error, EvalError::UnknownHost { nearest: None, .. }), "{error}");
}

#[tokio::test]
async fn a_host_costs_one_run_of_nix() {
    let answer = json!({ "known": ["storage"], "hosts": { "storage": read("values", "storage") } });
    let runner = Arc::new(Scripted::new().when("nix", 0, &answer.to_string()));
    let nix = NixEvaluator::new(
        runner.clone(),
        Nix { override_inputs: vec![("nixpkgs".into(), "path:/x".into())], ..Nix::default() },
    );
    nix.facts("./a b", &name("storage"), Scope::Outputs).await.unwrap();
    let seen = runner.seen();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0].contains("--override-input nixpkgs path:/x"), "{}", seen[0]);
    assert!(seen[0].ends_with(" -- './a b#nixosConfigurations'"), "{}", seen[0]);
}

#[tokio::test]
async fn what_is_no_json_is_said_to_be_none() {
    for answer in ["", "warning", "[]", "{}", r#"{"known":1,"hosts":{}}"#] {
        let runner = Arc::new(Scripted::new().when("nix", 0, answer));
        let error = NixEvaluator::new(runner, Nix::default()).hosts(".").await.unwrap_err();
        assert!(matches!(error, EvalError::NotJson { .. }), "{answer:?}: {error}");
    }
}

/// A folder (with a blank in its name) that holds one `flake.nix`.
fn flake(text: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("a flake");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("flake.nix"), text).unwrap();
    (dir, folder)
}

const HOST_A: &str = r#"{
  outputs = { self }: {
    nixosConfigurations.a.config = {
      networking.hostName = NAME;
      nixpkgs.hostPlatform = "x86_64-linux";
    };
  };
}
"#;

#[tokio::test]
async fn references_to_a_folder_with_a_blank_work() {
    if !is_there("nix") {
        return;
    }
    let (_dir, folder) = flake(&HOST_A.replace("NAME", "\"a\""));
    let folder = folder.to_str().unwrap();
    for reference in [folder.to_owned(), format!("path:{folder}")] {
        let facts = evaluator().facts(&reference, &name("a"), Scope::Outputs).await;
        assert_eq!(facts.unwrap().host_name, "a", "{reference}");
    }
}

#[tokio::test]
async fn an_error_of_the_configuration_keeps_its_message_and_place() {
    if !is_there("nix") {
        return;
    }
    let (_dir, folder) = flake(&HOST_A.replace("NAME", "throw ''no name\n  here''"));
    let error = evaluator()
        .facts(folder.to_str().unwrap(), &name("a"), Scope::Outputs)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("no name\n  here"), "{error}");
    assert!(error.contains("flake.nix:4:29"), "{error}");
    assert!(error.contains("while reading the facts of the host a"), "{error}");
    assert!(!error.contains("«string»") && error.lines().count() < 15, "{error}");
}

#[tokio::test]
async fn a_flake_that_is_not_there_is_named() {
    if !is_there("nix") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().to_str().unwrap();
    for reference in [
        empty.to_owned(),
        format!("{empty}/none"),
        format!("path:{empty}"),
        format!("path:{empty}/none"),
        format!("git+file://{empty}/none"),
    ] {
        let error = evaluator().hosts(&reference).await.unwrap_err();
        assert!(matches!(&error, EvalError::NoFlake { .. }), "{reference}: {error}");
        assert!(error.hint().is_some());
    }
    let (_dir, folder) = flake("{ outputs = { self }: { }; }");
    let error = evaluator().hosts(folder.to_str().unwrap()).await.unwrap_err();
    assert!(matches!(&error, EvalError::NoHosts { .. }), "{error}");

    // The flake is there, but one of its inputs is not.
    let text = "{ inputs.x.url = \"path:/no/such/x\"; outputs = { self, x }: { }; }";
    let (_dir, folder) = flake(text);
    let error = evaluator().hosts(folder.to_str().unwrap()).await.unwrap_err();
    assert!(matches!(&error, EvalError::Evaluation { .. }), "{error}");
    assert!(error.to_string().contains("while updating the flake input 'x'"), "{error}");

    // What stands in for an input is not there.
    let override_inputs = vec![("x".to_owned(), "/no/such/y".to_owned())];
    let nix = Nix { override_inputs, ..Nix::default() };
    let evaluator = NixEvaluator::new(Arc::new(RealRunner::default()), nix);
    let error = evaluator.hosts(folder.to_str().unwrap()).await.unwrap_err();
    assert!(matches!(&error, EvalError::Evaluation { .. }), "{error}");
    assert!(error.to_string().contains("replacing the input 'x' with /no/such/y"), "{error}");
}

async fn git(folder: &Path, args: &[&str]) {
    let command = nixos_bootstrap::process::Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
        .args(args.iter().copied())
        .dir(folder);
    RealRunner::default().run(&command).await.unwrap().success(&command).unwrap();
}

#[tokio::test]
async fn a_file_that_git_does_not_know_is_named_with_what_to_do() {
    if !is_there("nix") {
        return;
    }
    let (_dir, folder) = flake(&HOST_A.replace("NAME", "import ./name.nix"));
    std::fs::write(folder.join("name.nix"), "\"a\"").unwrap();
    let reference = folder.to_str().unwrap();
    git(&folder, &["init", "-q"]).await;

    let error = evaluator().facts(reference, &name("a"), Scope::Outputs).await.unwrap_err();
    assert!(matches!(&error, EvalError::NoFlake { .. }), "{error}");

    git(&folder, &["add", "flake.nix"]).await;
    let error = evaluator().facts(reference, &name("a"), Scope::Outputs).await.unwrap_err();
    assert!(matches!(&error, EvalError::Evaluation { .. }), "{error}");
    assert!(error.to_string().contains("name.nix"), "{error}");
    assert!(error.hint().unwrap().contains("git add --intent-to-add"), "{:?}", error.hint());

    git(&folder, &["add", "--intent-to-add", "name.nix"]).await;
    assert_eq!(
        evaluator().facts(reference, &name("a"), Scope::Outputs).await.unwrap().host_name,
        "a"
    );
}

#[tokio::test]
async fn the_installer_flake_of_a_folder_sees_the_folder() {
    if !is_there("nix") {
        return;
    }
    let (_dir, folder) = flake("{ outputs = { self }: { }; }");
    std::fs::write(folder.join("name.nix"), "\"a\"").unwrap();
    std::fs::create_dir(folder.join("nixos-installer")).unwrap();
    let inner = HOST_A.replace("NAME", "import ../name.nix");
    std::fs::write(folder.join("nixos-installer/flake.nix"), inner).unwrap();
    let outer = installer_flake(folder.to_str().unwrap()).unwrap();
    assert!(outer.folder.as_ref().unwrap().join("flake.nix").is_file());

    let facts =
        evaluator().facts(outer.reference(false), &name("a"), Scope::Outputs).await.unwrap();
    assert_eq!(facts.host_name, "a");

    git(&folder, &["init", "-q"]).await;
    git(&folder, &["add", "."]).await;
    let facts = evaluator().facts(outer.reference(true), &name("a"), Scope::Outputs).await.unwrap();
    assert_eq!(facts.host_name, "a");
}

/// Puts `bad` where `pointer` points to.
fn with(mut value: Value, pointer: &str, bad: Value) -> Value {
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    match value.pointer_mut(parent).unwrap_or_else(|| panic!("nothing at {parent}")) {
        Value::Object(object) => {
            object.insert(last.replace("~1", "/"), bad);
        }
        Value::Array(items) => items[last.parse::<usize>().unwrap()] = bad,
        other => panic!("{parent} is {other}"),
    }
    value
}

#[test]
fn a_wrong_value_names_its_option_what_was_expected_and_what_was_found() {
    const DISK: &str = "/config/disko/devices/disk/disk0";
    let content = format!("{DISK}/content");
    let partition = format!("{content}/partitions/ESP");
    let swapfile = format!("{content}/partitions/root/content/subvolumes/@swap/swap/swapfile");
    let cases: Vec<(&str, String, Value)> = vec![
        ("article", format!("{DISK}/device"), json!(5)),
        ("article", format!("{DISK}/device"), json!("/etc/passwd")),
        ("article", format!("{DISK}/device"), Value::Null),
        ("article", content.clone(), json!("gpt")),
        ("article", format!("{content}/type"), json!(["gpt"])),
        ("article", format!("{content}/partitions"), json!("all")),
        ("article", format!("{partition}/size"), json!(1.5)),
        ("article", format!("{partition}/priority"), json!("1")),
        ("article", format!("{partition}/content/mountpoint"), json!(["/boot"])),
        ("article", format!("{partition}/content/mountOptions"), json!("defaults")),
        ("article", format!("{partition}/content/format"), Value::Null),
        ("article", format!("{swapfile}/size"), json!({})),
        ("encrypted", "/config/disko/devices/disk/b/content/name".into(), json!(1)),
        ("encrypted", "/config/disko/devices/disk/b/content/askPassword".into(), json!("yes")),
        (
            "encrypted",
            "/config/disko/devices/lvm_vg/pool/lvs/home/content/passwordFile".into(),
            json!("disk.key"),
        ),
        ("storage", "/config/disko/devices/mdadm/boot/level".into(), json!([1])),
        ("storage", "/config/disko/devices/zpool/tank/mode".into(), json!(1)),
        ("storage", "/config/disko/devices/nodev/~1tmp/fsType".into(), Value::Null),
        ("storage", "/config/swapDevices/0/device".into(), json!(1)),
        ("storage", "/config/swapDevices/0/size".into(), json!(-1)),
        ("storage", "/config/swapDevices".into(), json!({})),
        ("storage", "/config/zramSwap/memoryPercent".into(), json!("50")),
        ("article", "/config/services/openssh/ports/0".into(), json!(70000)),
        ("article", "/config/services/openssh/hostKeys/0/path".into(), json!("etc/key")),
        ("article", "/config/services/openssh/settings/PermitRootLogin".into(), json!(true)),
        ("article", "/config/services/openssh/enable".into(), json!("true")),
        ("secrets", "/config/sops/age/sshKeyPaths".into(), json!("/etc/key")),
        ("secrets", "/config/sops/secrets/token".into(), json!("x")),
        ("bootstrap", "/config/bootstrap/target/host".into(), json!("a; reboot")),
        ("bootstrap", "/config/bootstrap/target/port".into(), json!("22")),
        ("bootstrap", "/config/bootstrap/target/port".into(), json!(0)),
        ("bootstrap", "/config/bootstrap/target/user".into(), json!("-oProxyCommand=x")),
        ("bootstrap", "/config/bootstrap/isMinimal".into(), json!("no")),
        ("bootstrap", "/config/bootstrap/persistDir".into(), json!("persist")),
        ("bootstrap", "/config/bootstrap/hardware/generator".into(), json!("facter")),
        ("bootstrap", "/config/bootstrap/secrets".into(), json!([])),
        ("bootstrap", "/config/boot/lanzaboote/enable".into(), json!(1)),
        ("old", "/config/boot/loader/grub/devices".into(), json!("/dev/sda")),
        ("old", "/config/disko/devices/disk/sda/content/partitions/1/content".into(), json!([])),
        ("article", "/args/swapSize".into(), json!(true)),
        ("article", "/args/withSwap".into(), json!("yes")),
        ("article", "/configVars/isMinimal".into(), json!("true")),
        ("article", "/configVars/username".into(), json!("a b")),
        ("article", "/outputs/toplevel".into(), json!("/nix/store/x")),
        ("article", "/outputs/diskoScript/drv".into(), json!("/tmp/x.drv")),
        ("article", "/config/networking/hostName".into(), json!(1)),
        ("article", "/config/system/stateVersion".into(), json!(23.11)),
        ("article", "/system".into(), Value::Null),
        ("image", "/normalUsers/0".into(), json!("a b")),
    ];
    let mut messages = String::new();
    for (host, pointer, bad) in cases {
        let value = with(read("values", host), &pointer, bad);
        match decode_host(&name(host), &value) {
            Ok(_) => panic!("{host}{pointer} was accepted"),
            Err(error) => {
                assert!(error.option.starts_with(&format!("nixosConfigurations.{host}.")));
                writeln!(messages, "{error}").unwrap();
            }
        }
    }
    insta::assert_snapshot!("malformed", messages);
}

/// A small deterministic source of numbers (xorshift), so that a failure can be had again.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }
}

/// Replaces, removes or moves something at random somewhere in `value`.
fn mutate(value: &mut Value, numbers: &mut Numbers) {
    let inner = match value {
        Value::Object(object) if !object.is_empty() => {
            let key = object.keys().nth(numbers.below(object.len())).unwrap().clone();
            if numbers.below(12) == 0 {
                object.remove(&key);
                return;
            }
            object.get_mut(&key)
        }
        Value::Array(items) if !items.is_empty() => {
            let index = numbers.below(items.len());
            items.get_mut(index)
        }
        _ => None,
    };
    match inner {
        Some(inner) if numbers.below(6) != 0 => mutate(inner, numbers),
        _ => *value = random(numbers),
    }
}

fn random(numbers: &mut Numbers) -> Value {
    let words = ["", "gpt", "luks", "100%", "-1G", "/", "/dev/sda", "é\u{0}\n", "..", "0x10"];
    match numbers.below(9) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(-1),
        3 => json!(u64::MAX),
        4 => json!(0.5),
        5 => json!([random(numbers)]),
        6 => json!({ "type": random(numbers), "content": random(numbers), "_x": [] }),
        _ => json!(words[numbers.below(words.len())]),
    }
}

#[test]
fn no_value_makes_the_decoders_panic() {
    let originals = HOSTS.map(|host| read("values", host));
    let (mut numbers, mut refused) = (Numbers(0x2026_1122), 0);
    for round in 0..20_000 {
        let index = round % HOSTS.len();
        let mut value = originals[index].clone();
        for _ in 0..=numbers.below(3) {
            mutate(&mut value, &mut numbers);
        }
        if let Err(error) = decode_host(&name(HOSTS[index]), &value) {
            assert!(!error.expected.is_empty() && !error.found.is_empty(), "{error}");
            refused += 1;
        }
    }
    // Both ways must be walked.
    assert!((1_000..19_000).contains(&refused), "{refused} of 20000 were refused");
}

/// The template as a user would have it, and an evaluator that takes the small stand-ins for the
/// template's inputs.
fn template() -> (tempfile::TempDir, String, NixEvaluator) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("nix config");
    nix_config(&folder);
    let stand_in = |name: &str| format!("path:{}/tests/flakes/mini-{name}", root.display());
    let override_inputs =
        ["nixpkgs", "disko"].map(|name| (name.to_owned(), stand_in(name))).to_vec();
    let nix = Nix { override_inputs, ..Nix::default() };
    let evaluator = NixEvaluator::new(Arc::new(RealRunner::default()), nix);
    (dir, folder.to_str().unwrap().to_owned(), evaluator)
}

/// The part of the facts that the template's own files decide.
fn essence(facts: &HostFacts) -> Value {
    let sizes = |content: &Content| match content {
        Content::Btrfs(btrfs) => swap_sizes(btrfs),
        Content::Luks { content: Some(inner), .. } => match &**inner {
            Content::Btrfs(btrfs) => swap_sizes(btrfs),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    let disk = &facts.disko.disks[0];
    let Some(Content::Gpt { partitions }) = &disk.content else { panic!("{disk:?}") };
    json!({
        "host": facts.host_name,
        "minimal": facts.is_minimal,
        "device": disk.device,
        "partitions": partitions.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(),
        "swap": partitions.iter().filter_map(|p| p.content.as_ref()).flat_map(sizes).collect::<Vec<_>>(),
        "encryption": facts.encryption.iter().map(|e| json!([e.name, e.key])).collect::<Vec<_>>(),
        "builds": facts.toplevel().is_some() && facts.disko_script().is_some(),
    })
}

fn swap_sizes(btrfs: &Btrfs) -> Vec<String> {
    let files = btrfs.subvolumes.iter().flat_map(|subvolume| &subvolume.swapfiles);
    files.map(|file| file.size.clone()).collect()
}

#[tokio::test]
async fn the_template_reads_as_it_is_meant() {
    if !is_there("nix") {
        return;
    }
    let (_dir, folder, nix) = template();
    let full = nix.facts_of_all(&folder, Scope::Outputs).await.unwrap().found;
    let expected = |minimal: bool| {
        let host = |name: &str, device: &str, root: &str, swap: &[&str], encryption: Value| {
            json!({
                "host": name, "minimal": minimal, "device": device, "partitions": ["ESP", root],
                "swap": swap, "encryption": encryption, "builds": true,
            })
        };
        let file = json!({ "from": "password_file", "path": "/tmp/disko-password" });
        vec![
            host("grief", "/dev/vda", "root", &["8G"], json!([])),
            host("guppy", "/dev/vda", "root", &[], json!([])),
            host("gusto", "/dev/sda", "luks", &["8G"], json!([["encrypted-root", file]])),
        ]
    };
    assert_eq!(full.iter().map(essence).collect::<Vec<_>>(), expected(false));

    let installer = installer_flake(&folder).unwrap();
    let mut small =
        nix.facts_of_all(installer.reference(true), Scope::Outputs).await.unwrap().found;
    let image = small.iter().position(|facts| facts.name.as_str() == "iso").unwrap();
    let image = small.remove(image);
    assert_eq!(small.iter().map(essence).collect::<Vec<_>>(), expected(true));
    let outputs = image.outputs.as_ref().unwrap();
    assert!(outputs.iso_image.is_some() && outputs.disko_script.is_none());
    // One source of truth: the small configurations have the very disks of the full ones.
    for (small, full) in small.iter().zip(&full) {
        assert_eq!((&small.disko, &small.swap), (&full.disko, &full.swap), "{}", full.name);
    }
}
