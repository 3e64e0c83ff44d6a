//! The emulated machine: an installer, an empty disk, and the whole tool against it. Each test takes
//! minutes, so they are ignored by a plain `cargo test`; `scripts/test` prepares what they need
//! (`tests/vm/payload --flake`, `tests/vm/image`) and runs two at a time.

mod scene;
mod secrets;
mod stick;
mod sticks;
mod watch;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use scene::{Scene, checked, finished_phases, good, report, text, until_phase, wait_for};
use secrets::Secrets;
use watch::{Arguments, Modes};

#[test]
#[ignore = "takes minutes; scripts/test runs it"]
fn an_empty_disk_becomes_grief_minimal_first() {
    // The installer starts from what the tool has written to a stick, and has the host key of it.
    let scene = Scene::without_machine();
    let stick = stick::with_installer(&scene);
    scene.boot_knowing(&stick.host_key, &["--installer", stick.file.to_str().unwrap()]);
    let plan = checked(&mut scene.tool_that_knows("plan", "grief", &["--json"]));
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    assert_eq!(plan["disks"][0]["live"]["serial"], "GRIEF0001");
    assert_eq!(plan["refusals"], serde_json::json!([]));

    let ran = good(&mut scene.tool_that_knows("bootstrap", "grief", &["--yes", "--json"]));
    let expected = "preflight hostkey hardware disko install reboot verify sync rebuild commit";
    assert_eq!(finished_phases(&ran).join(" "), expected);

    assert_eq!(scene.on_host("cat /proc/sys/kernel/hostname"), "grief");
    assert!(scene.on_host("findmnt -no SOURCE,FSTYPE /").ends_with("[/@root] btrfs"));
    assert_eq!(scene.on_host("awk 'NR > 1' /proc/swaps | wc -l"), "1");
    assert_eq!(scene.on_host("systemctl --failed --no-legend | wc -l"), "0");
    assert_eq!(
        scene.on_host("test -f /home/ta/nix-config/flake.nix && stat -c %U /home/ta/nix-config"),
        "ta"
    );
    // The full system runs, not the minimal one: rebuild brought another store path.
    let [minimal, full] = ["verify", "rebuild"].map(|phase| {
        let system = said(&ran, phase).lines().find_map(|line| line.strip_prefix("system: "));
        system.unwrap_or_else(|| panic!("{phase} names no system: {}", said(&ran, phase)))
    });
    assert!(minimal.starts_with("/nix/store/") && minimal != full, "{minimal}, {full}");
    assert_eq!(scene.on_host("readlink -f /run/current-system"), full);
    // The commit holds the hardware file and nothing else, and the tree is clean.
    assert_eq!(scene.git(&["status", "--porcelain"]), "");
    let files = scene.git(&["show", "--name-only", "--format=", "HEAD"]);
    assert_eq!(files, "hosts/grief/hardware-configuration.nix");

    // Once more, nothing is left to do to the disk: the run is a new one and must say no by itself,
    // because the machine is no installer any more.
    let mut again = scene.tool_that_knows("bootstrap", "grief", &["--yes", "--json"]);
    let again = again.output().unwrap();
    assert_ne!(again.status.code(), Some(0));
    assert_eq!(scene.on_host("cat /proc/sys/kernel/hostname"), "grief");
}

#[test]
#[ignore = "takes minutes; scripts/test runs it"]
fn a_run_that_is_killed_or_loses_the_machine_goes_on() {
    let scene = Scene::without_machine();
    let mut secrets = Secrets::new(&scene);
    let before = secrets.files();
    scene.boot(&[]);
    let modes = Modes::watch(&scene);
    let arguments = ["--yes", "--json", "--debug", "--via", "full"];
    runs_that_change_nothing(&scene, &secrets, &arguments);
    assert_eq!(secrets.files(), before);

    // Killed while disko runs: nothing of it may be taken for done.
    let log = scene.dir.path().join("first.jsonl");
    let mut child = until_phase(&mut scene.tool("bootstrap", "guppy", &arguments), &log, "disko");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_ne!(secrets.files(), before);

    // Ctrl-C while the system is copied: the exit code says so, no private file is left.
    let log = scene.dir.path().join("second.jsonl");
    let mut child = until_phase(&mut scene.tool("bootstrap", "guppy", &arguments), &log, "install");
    checked(Command::new("kill").args(["-INT", &child.id().to_string()]));
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(3));
    let ran = std::fs::read_to_string(&log).unwrap();
    assert!(ran.contains(r#"{"event":"phase-finished","phase":"disko""#), "{ran}");
    scene.assert_nothing_private();

    // The machine loses its power in between; then the mounts are gone, the disk is not.
    scene.machine("power-off", &[]);
    scene.boot(&[]);
    let ran = good(&mut scene.tool("bootstrap", "guppy", &arguments));
    let finished = finished_phases(&ran);
    assert!(!finished.contains(&"disko".to_owned()), "the disk was erased again: {finished:?}");
    assert!(finished.contains(&"verify".to_owned()), "{finished:?}");
    assert_eq!(scene.on_host("cat /proc/sys/kernel/hostname"), "guppy");
    assert_eq!(scene.on_host("awk 'NR > 1' /proc/swaps | wc -l"), "0");

    // At its first start the host has opened its secrets with the key that was made for it.
    assert!(said(&ran, "verify").contains("all 2 decrypted"), "{}", said(&ran, "verify"));
    assert_eq!(
        scene.on_host("cat /run/secrets/token; cat /run/secrets/ta/mail"),
        secrets::TOKEN.to_owned() + secrets::MAIL
    );
    assert_eq!(
        scene.on_host("stat -c %a /run/secrets/token /etc/ssh/ssh_host_ed25519_key"),
        "400\n600"
    );
    // The repo has been committed, with its owner's change alone, and is clean.
    assert_eq!(secrets.git(&["status", "--porcelain"]), "");
    assert_eq!(
        secrets.git(&["show", "--name-only", "--format=", "HEAD"]),
        ".sops.yaml\nsecrets.yaml"
    );
    assert_eq!(secrets.value(&["token"]), secrets::TOKEN);

    secrets.hide_those_of("guppy");
    modes.assert_private("ssh_host_ed25519_key");
    scene.assert_nothing_private();
    secrets.assert_hidden();
}

/// A run that fails before it has written anything, and one that is told to end there.
fn runs_that_change_nothing(scene: &Scene, secrets: &Secrets<'_>, arguments: &[&str]) {
    let kept = secrets.own_key().with_extension("kept");
    std::fs::rename(secrets.own_key(), &kept).unwrap();
    let failed = scene.tool("bootstrap", "guppy", arguments).output().unwrap();
    std::fs::rename(&kept, secrets.own_key()).unwrap();
    let told = String::from_utf8_lossy(&failed.stdout).into_owned();
    assert_eq!(failed.status.code(), Some(1), "{told}");
    assert!(told.contains(r#"{"event":"phase-failed","phase":"secrets""#), "{told}");
    std::fs::write(scene.dir.path().join("failed.jsonl"), told).unwrap();
    scene.assert_nothing_private();

    let there = scene.dir.path().join("there-is-sops");
    let wait = format!("case \"$*\" in *updatekeys*) touch {}; sleep 600 ;; esac", there.display());
    let mut tool = scene.tool("bootstrap", "guppy", arguments);
    tool.env("PATH", secrets::path_with_sops(scene, &wait));
    let log = scene.dir.path().join("ended.jsonl");
    let mut child = until_phase(&mut tool, &log, "secrets");
    wait_for("sops", Duration::from_secs(600), || there.exists());
    watch::assert_no_core_dumps(child.id());
    checked(Command::new("kill").args(["-TERM", &child.id().to_string()]));
    assert_eq!(child.wait().unwrap().code(), Some(3));
    scene.assert_nothing_private();
}

/// What a phase said when it had finished.
fn said<'e>(events: &'e [Value], phase: &str) -> &'e str {
    let mut finished =
        events.iter().filter(|event| event["event"] == "phase-finished" && event["phase"] == phase);
    finished.next_back().and_then(|event| event["summary"].as_str()).unwrap_or_default()
}

/// Where the warning says that the passphrase is.
fn told_file(log: &Path, container: &str) -> Option<PathBuf> {
    let log = std::fs::read_to_string(log).unwrap();
    let warnings = log.lines().filter(|line| line.contains(r#""event":"warning""#));
    let start = &format!("the one-time passphrase of {container} is in ");
    let mut told = warnings.filter_map(|line| Some(line.split_once(start)?.1.split_once(' ')?.0));
    told.next_back().map(PathBuf::from)
}

#[test]
#[ignore = "takes minutes; scripts/test runs it"]
fn gusto_is_unlocked_by_its_one_time_passphrase_which_is_replaced() {
    const PROMPT: &str = "Enter passphrase for ";
    let scene = Scene::without_machine();
    with_second_drive(&scene);
    let mut secrets = Secrets::new(&scene);
    scene.boot(&["--disk", "sata", "--extra-disk", "160M"]);
    let (modes, arguments) = (Modes::watch(&scene), Arguments::of_installer(&scene));
    let log = scene.dir.path().join("run.jsonl");
    let options = ["--yes", "--json", "--debug", "--luks-recovery"];
    let mut command = watch::every_program_of(&scene.tool("bootstrap", "gusto", &options), &scene);
    let mut run = until_phase(&mut command, &log, "reboot");
    let mut prompts = |count: usize| {
        wait_for("a prompt at the console", Duration::from_secs(600), || {
            let ended = run.try_wait().unwrap();
            assert_eq!(ended, None, "{}", std::fs::read_to_string(&log).unwrap());
            scene.serial().matches(PROMPT).count() == count
        });
    };
    prompts(1);
    let passphrases = CONTAINERS.map(|container| {
        let file = told_file(&log, container).expect("nothing says where the passphrase is");
        assert!(file.starts_with(scene.runtime()), "{}", file.display());
        std::fs::read_to_string(&file).unwrap()
    });
    assert_ne!(passphrases[0], passphrases[1]);
    assert!(passphrases.iter().all(|text| text.split(' ').count() == 8));

    // A slip of the finger does no harm.
    scene.type_at_console("wrong\n");
    for (count, passphrase) in passphrases.iter().enumerate() {
        prompts(count + 2);
        scene.type_at_console(&format!("{passphrase}\n"));
    }
    wait_for("a recovery key", Duration::from_secs(600), || {
        let ended = run.try_wait().unwrap();
        let told = std::fs::read_to_string(&log).unwrap();
        assert_eq!(ended, None, "{told}");
        told.contains(r#"{"event":"phase-started","phase":"recovery"}"#)
    });
    let on_host = Arguments::of_host(&scene);
    let status = run.wait().unwrap();
    let told = std::fs::read_to_string(&log).unwrap();
    assert!(status.success(), "{status}\n{told}");
    let events: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected = "preflight hostkey secrets lock hardware disko install reboot verify recovery \
                    sync rebuild commit";
    assert_eq!(finished_phases(&events).join(" "), expected);
    // The full system, which came after the minimal one, has opened its secrets.
    assert!(said(&events, "rebuild").contains("all 2 decrypted"), "{}", said(&events, "rebuild"));

    // The root file system is in the container, which this passphrase and the recovery key open.
    assert_eq!(scene.on_host("findmnt -no SOURCE /"), "/dev/mapper/encrypted-root[/@root]");
    assert_eq!(scene.on_host("awk 'NR > 1' /proc/swaps | wc -l"), "1");
    let status = scene.on_host("cryptsetup status encrypted-root");
    assert!(status.contains("type:    LUKS2"), "{status}");
    let next = &report(&events)["next"];
    for (container, old) in CONTAINERS.into_iter().zip(&passphrases) {
        let recovery = secrets.value(&["luks_recovery_keys", "gusto", container]);
        let own = format!("correct horse battery {container}");
        replace_passphrase(&scene, next, container, [old, &own]);
        let opens = [old, &own, &recovery].map(|key| opens(&scene, container, key));
        assert_eq!(opens, [false, true, true], "{container}");
        secrets.hide("a recovery key", recovery);
        secrets.hide("a one-time passphrase", old.clone());
    }

    // They were nowhere else, and are gone.
    secrets.hide_those_of("gusto");
    modes.assert_private("passphrase.encrypted-root");
    scene.assert_nothing_private();
    arguments.assert_seen("here", "bootstrap gusto");
    arguments.assert_seen("installer", "cryptsetup --batch-mode luksFormat");
    on_host.assert_seen("host", "cryptsetup --batch-mode luksAddKey");
    // They must not see what looks for the secrets.
    drop((arguments, on_host));
    watch::assert_programs_seen(&scene, &["ssh", "sops", "nix", "git", "rsync"]);
    secrets.assert_hidden();
}

/// gusto's containers, in the order in which they are asked for.
const CONTAINERS: [&str; 2] = ["data", "encrypted-root"];

/// Gives gusto another encrypted drive.
fn with_second_drive(scene: &Scene) {
    const DRIVE: &str = r#"{
  disko.devices.disk.data = {
    type = "disk";
    device = "/dev/vda";
    content = {
      type = "gpt";
      partitions.data = {
        size = "100%";
        content = {
          type = "luks";
          name = "data";
          passwordFile = "/tmp/data-password";
          content = { type = "filesystem"; format = "vfat"; mountpoint = "/data"; };
        };
      };
    };
  };
}
"#;
    let host = scene.config().join("hosts/gusto");
    std::fs::write(host.join("data.nix"), DRIVE).unwrap();
    let text = std::fs::read_to_string(host.join("default.nix")).unwrap();
    let changed = text.replace("./disks.nix", "./disks.nix ./data.nix");
    assert_ne!(changed, text);
    std::fs::write(host.join("default.nix"), changed).unwrap();
}

/// Runs the command that the report gives, as a person would, with the answers that it asks for.
fn replace_passphrase(scene: &Scene, next: &Value, container: &str, answers: [&str; 2]) {
    let lines = next.as_array().unwrap().iter().filter_map(Value::as_str);
    let start =
        format!("choose a passphrase of your own for {container}, in place of the one-time one: ");
    let mut commands = lines.filter_map(|line| line.strip_prefix(start.as_str()));
    let command = commands.next().unwrap_or_else(|| panic!("no command in {next}"));
    assert!(command.contains(" cryptsetup luksChangeKey /dev/disk/by-uuid/"), "{command}");
    // The person's own list of hosts is not that of whoever runs this test.
    let known = scene.home().join(".ssh/known_hosts");
    let options =
        format!("ssh -F none -o BatchMode=yes -o UserKnownHostsFile={} ", known.display());
    let command = command.replacen("ssh ", &options, 1);
    let answers = answers.map(|answer| format!("{answer}\n")).concat();
    let changed = secrets::fed(Command::new("sh").args(["-c", &command]), &answers);
    let told = String::from_utf8_lossy(&changed.stderr);
    assert!(changed.status.success(), "{command}: {}\n{told}", changed.status);
}

/// Does this open the container? It has two keys, and no third one.
fn opens(scene: &Scene, container: &str, key: &str) -> bool {
    let device = format!(
        "device=$(cryptsetup status {container} | sed -n 's/^ *device: *//p'); \
         test \"$(cryptsetup luksDump $device | grep -c ': luks2$')\" = 2 || exit 9; "
    );
    let open = "cryptsetup open --test-passphrase --key-file - $device";
    let opened = secrets::fed(&mut scene.ssh(&(device + open)), key);
    // 2: no permission, which a wrong passphrase gives.
    assert!([Some(0), Some(2)].contains(&opened.status.code()), "{opened:?}");
    opened.status.success()
}

#[test]
#[ignore = "takes minutes; scripts/test runs it"]
fn machines_that_must_be_refused_are_left_alone() {
    let scene = Scene::new(&["--bios", "--extra-disk", "64M"]);
    // guppy boots by UEFI only, this machine has BIOS firmware.
    let output = scene.tool("bootstrap", "guppy", &["--yes", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("UEFI"));
    // gusto wants /dev/sda, this machine has none.
    let output = scene.tool("plan", "gusto", &["--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    let codes: Vec<_> =
        plan["refusals"].as_array().unwrap().iter().map(|r| r["code"].clone()).collect();
    assert!(codes.contains(&"missing-device".into()), "{codes:?}");
    assert!(plan["untouched"].as_array().unwrap().iter().any(|disk| disk["serial"] == "EXTRA0001"));
    // Another machine's key is no machine of ours.
    let other = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
    let output = scene.tool_that_trusts(other, "plan", "guppy", &[]).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("is not the machine that --host-key names"), "{told}");
    // Nothing was written to any disk.
    let mut ssh = scene.ssh_to_installer("wipefs -n /dev/vda | wc -l");
    assert_eq!(text(&checked(&mut ssh)), "0");
    std::io::stdout().flush().unwrap();
}
