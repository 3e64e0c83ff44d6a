//! The phases that change the target, against a machine and programs that answer from a script.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::of;
use crate::facts::{
    Content, Derivation, EachHost, EvalError, Evaluator, Filesystem, HostFacts, HostSummary,
    NodevMount, Outputs, Override, Scope, SwapDevice,
};
use crate::install::context::{Access, Context, Done, Door, Failure, FailureKind, Side, World};
use crate::install::event::{Event, PromptError, Prompter, Reporter};
use crate::install::options::{Options, RebuildOn};
use crate::install::plan::{
    HostKeySource, PassphraseSource, Plan, PlannedEncryption, PlannedHostKey, PlannedSecrets,
    PlannedSync, plan,
};
use crate::install::private::{HostKey, HostKeys, Passphrases, PrivateDir};
use crate::install::record::Record;
use crate::install::stopwatch::Stopwatch;
use crate::install::surroundings::Surroundings;
use crate::install::{Limits, Phase};
use crate::process::scripted::Scripted;
use crate::process::{self, Line, LineSink, Output, Runner, Stream};
use crate::remote::{
    ConnectError, Connection, Connector, Firmware, HostPublicKey, Login, Privilege, Probe,
    ProvenKey, Remote, RemoteCommand,
};
use crate::secrets::Secret;
use crate::secrets::host_key::HostKeyPair;
use crate::validated::{Address, HostName};

const SCRIPT: &str = "/nix/store/zr2knphxg8yyy2mkq8akf2hfknjvdiz7-disko";
const SYSTEM: &str = "/nix/store/zr2knphxg8yyy2mkq8akf2hfknjvdiz7-nixos-system-grief";
const FULL: &str = "/nix/store/yr2knphxg8yyy2mkq8akf2hfknjvdiz7-nixos-system-grief";
const MOUNTS: &str =
    "tmpfs / tmpfs rw 0 0\ntmpfs /mnt tmpfs rw 0 0\n/dev/vda1 /mnt/boot vfat rw 0 0";

/// What a machine answers to a command.
type Rule = Box<dyn Fn(&RemoteCommand) -> Option<Result<Output, process::Error>> + Send + Sync>;

/// A machine that answers by rules, the first that fits; everything else just works.
#[derive(Default)]
struct Machine {
    rules: Vec<Rule>,
    seen: Mutex<Vec<(String, Vec<u8>)>>,
    closed: AtomicBool,
}

impl Machine {
    fn rule(
        mut self,
        rule: impl Fn(&RemoteCommand) -> Option<Result<Output, process::Error>> + Send + Sync + 'static,
    ) -> Self {
        self.rules.push(Box::new(rule));
        self
    }

    /// Answers commands that contain `part`.
    fn when(self, part: &'static str, code: i32, stdout: &str) -> Self {
        let stdout = stdout.to_owned();
        self.rule(move |command| {
            line(command).contains(part).then(|| Ok(output(code, &stdout, "")))
        })
    }

    fn mounted() -> Self {
        Self::default().when("cat /proc/self/mounts", 0, MOUNTS)
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|(line, _)| line.clone()).collect()
    }

    /// Where the first command is that contains `part`.
    fn at(&self, part: &str) -> Option<usize> {
        self.seen().iter().position(|line| line.contains(part))
    }

    fn input_of(&self, part: &str) -> Vec<u8> {
        let seen = self.seen.lock().unwrap();
        seen.iter().find(|(line, _)| line.contains(part)).unwrap().1.clone()
    }
}

/// All words of a command, unquoted.
fn line(command: &RemoteCommand) -> String {
    command.words().join(" ")
}

fn output(code: i32, stdout: &str, stderr: &str) -> Output {
    Output { code: Some(code), stdout: stdout.into(), stderr: stderr.into() }
}

#[async_trait]
impl Remote for Machine {
    async fn stream(
        &self,
        command: &RemoteCommand,
        sink: &mut LineSink<'_>,
    ) -> Result<Output, process::Error> {
        let input = command.input().unwrap_or_default().to_vec();
        self.seen.lock().unwrap().push((line(command), input));
        let answer = self.rules.iter().find_map(|rule| rule(command));
        let output = answer.unwrap_or_else(|| Ok(output(0, "", "")))?;
        for text in String::from_utf8_lossy(&output.stdout).lines() {
            sink(Line { stream: Stream::Stdout, text });
        }
        Ok(output)
    }

    fn ssh_options(&self) -> Vec<String> {
        vec!["-o".to_owned(), "ControlPath=/run/x/ctl".to_owned()]
    }
}

#[async_trait]
impl Connection for Machine {
    async fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    async fn is_alive(&self) -> bool {
        !self.closed.load(Ordering::SeqCst)
    }

    fn host_key(&self) -> Option<&ProvenKey> {
        None
    }
}

type Attempt = Result<Arc<Machine>, ConnectError>;

/// Gives these connections one after the other; nothing answers after the last.
#[derive(Default)]
struct Doors(Mutex<VecDeque<Attempt>>, Mutex<Vec<Login>>);

#[async_trait]
impl Connector for Doors {
    async fn connect(&self, login: &Login) -> Result<Arc<dyn Connection>, ConnectError> {
        self.1.lock().unwrap().push(login.clone());
        match self.0.lock().unwrap().pop_front() {
            Some(attempt) => attempt.map(|machine| machine as Arc<dyn Connection>),
            None => Err(refused()),
        }
    }

    async fn scan(
        &self,
        _address: &Address,
        _port: u16,
        _timeout: Duration,
    ) -> Result<Vec<HostPublicKey>, ConnectError> {
        Err(refused())
    }
}

fn refused() -> ConnectError {
    ConnectError::Refused { address: "10.0.0.5".parse().unwrap(), port: 22 }
}

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

/// Everything that a context borrows.
struct Bench {
    world: World,
    runner: Arc<Scripted>,
    doors: Arc<Doors>,
    told: Arc<Told>,
    options: Options,
    facts: HostFacts,
    plan: Plan,
    access: Access,
    private: PrivateDir,
    home: TempDir,
}

impl Bench {
    fn new(runner: Scripted) -> Self {
        let home = tempfile::tempdir().unwrap();
        let (runner, doors) = (Arc::new(runner), Arc::new(Doors::default()));
        let told = Arc::new(Told::default());
        let limits = Limits {
            connect: Duration::from_millis(1),
            reboot: Duration::from_millis(300),
            startup: Duration::from_millis(300),
            ..Limits::default()
        };
        let world = World {
            runner: Arc::clone(&runner) as Arc<dyn Runner>,
            connector: Arc::clone(&doors) as Arc<dyn Connector>,
            evaluator: Arc::new(NoEvaluator),
            reporter: Arc::clone(&told) as Arc<dyn Reporter>,
            finder: Arc::new(crate::remote::Mdns),
            prompter: Arc::new(NoTerminal),
            cancel: CancellationToken::new(),
            state_dir: home.path().join("state"),
            user_known_hosts: home.path().join("known_hosts"),
            forges: crate::remote::forges::all(),
            private_bases: vec![home.path().to_owned()],
            limits,
        };
        let options = Options::new("grief".parse().unwrap(), ".");
        let facts = facts();
        let mut plan = plan(&facts, None, &probe(), &options, &Surroundings::default());
        plan.system.install_attr = ".#nixosConfigurations.grief".to_owned();
        plan.system.full_attr = plan.system.install_attr.clone();
        plan.host_keys = vec![PlannedHostKey {
            kind: "ed25519".to_owned(),
            paths: vec!["/persist/etc/ssh/ssh_host_ed25519_key".parse().unwrap()],
        }];
        plan.encryption = vec![PlannedEncryption {
            name: "cryptroot".to_owned(),
            key_file: Some("/tmp/disko-password".parse().unwrap()),
            passphrase: PassphraseSource::OneTime,
        }];
        let door = Door { port: 22, user: "root".parse().unwrap() };
        let access = Access {
            address: "10.0.0.5".parse().unwrap(),
            installer: door.clone(),
            installed: door,
            identity: None,
        };
        let private = PrivateDir::create(&[home.path().to_owned()], "grief").unwrap();
        Self { world, runner, doors, told, options, facts, plan, access, private, home }
    }

    fn context(&self, phase: Phase, machine: &Arc<Machine>) -> Context<'_> {
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
            installer_keys: vec![HostKeyPair::generate("i").unwrap().public().to_owned()],
            installer_boot_id: Some("boot-installer".to_owned()),
            ..Record::default()
        };
        let installed = matches!(phase, Phase::Verify | Phase::Rebuild);
        Context {
            world: &self.world,
            options: &self.options,
            facts: &self.facts,
            minimal: None,
            plan: &self.plan,
            phase,
            access: &self.access,
            side: if installed { Side::Installed } else { Side::Installer },
            record,
            private: &self.private,
            host_keys,
            passphrases,
            connection: Some(Arc::clone(machine) as Arc<dyn Connection>),
            clock: Stopwatch::start(),
            changes: Vec::new(),
            next: Vec::new(),
        }
    }

    fn will_answer(&self, attempts: impl IntoIterator<Item = Attempt>) {
        self.doors.0.lock().unwrap().extend(attempts);
    }

    /// Everything that was told, as JSON.
    fn told(&self) -> String {
        serde_json::to_string(&*self.told.0.lock().unwrap()).unwrap()
    }
}

async fn run(cx: &mut Context<'_>) -> Result<Done, Failure> {
    of(cx.phase).unwrap().run(cx).await
}

fn facts() -> HostFacts {
    let mut facts: HostFacts = serde_json::from_value(json!({
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
        "bootstrap": {}, "article": { "configVars": {} }, "outputs": {}
    }))
    .unwrap();
    facts.disko.nodev = vec![NodevMount {
        mountpoint: "/".to_owned(),
        fs_type: "tmpfs".to_owned(),
        mount_options: vec![],
    }];
    let esp = Content::Filesystem(Filesystem {
        format: "vfat".to_owned(),
        mountpoint: Some("/boot".to_owned()),
        mount_options: vec![],
    });
    let luks = Content::Luks { name: "cryptroot".to_owned(), content: Some(Box::new(esp)) };
    facts.disko.raids = vec![crate::facts::Raid {
        name: "r".to_owned(),
        level: "1".to_owned(),
        content: Some(luks),
    }];
    facts
}

fn probe() -> Probe {
    Probe {
        host_name: "nixos".to_owned(),
        boot_id: "boot-installer".to_owned(),
        architecture: "x86_64".to_owned(),
        firmware: Firmware::Uefi,
        memory: 1 << 31,
        os_id: Some("nixos".to_owned()),
        os_variant: Some("installer".to_owned()),
        os_name: None,
        installer: true,
        current_system: None,
        privilege: Privilege::Root,
        missing_programs: vec![],
        disks: vec![],
    }
}

/// A `nix` that builds and copies.
fn nix() -> Scripted {
    Scripted::new()
        .when("build.diskoScript", 0, &format!("{SCRIPT}\n{SYSTEM}\n"))
        .when("build.mountScript", 0, &format!("{SCRIPT}\n"))
        .when("build.toplevel", 0, &format!("{SYSTEM}\n"))
        .when(" copy ", 0, "")
}

/// A `nix` whose `subcommand` fails with this error in its log.
fn broken_nix(subcommand: &'static str, error: &str) -> Scripted {
    let log =
        json!({ "action": "msg", "level": 0, "msg": format!("error: {error}"), "raw_msg": error });
    Scripted::new().rule(move |command| {
        let stderr = format!("@nix {log}\n");
        command.to_string().contains(subcommand).then(|| output(1, "", &stderr))
    })
}

#[tokio::test]
async fn disko_builds_first_gives_the_passphrase_by_stdin_and_looks_at_the_mounts() {
    let bench = Bench::new(nix());
    let machine = Arc::new(Machine::mounted());
    let mut cx = bench.context(Phase::Disko, &machine);
    run(&mut cx).await.unwrap();
    assert_eq!(cx.record.built.as_ref().unwrap().as_str(), SYSTEM);
    // The phase `verify` will know the container's device.
    assert_eq!(cx.next, [""; 0]);
    assert!(bench.private.stays(), "a failure from now on would lose the passphrase");

    let ran = bench.runner.seen();
    assert!(ran[0].contains("diskoScript") && ran[0].contains("toplevel"), "{ran:?}");
    assert!(ran[1].contains("ssh-ng://root@10.0.0.5") && ran[1].contains(SCRIPT), "{ran:?}");

    let (release, script) = (machine.at("swapoff").unwrap(), machine.at(SCRIPT).unwrap());
    assert!(release < script, "{:?}", machine.seen());
    assert!(machine.seen()[release].contains("luks:cryptroot md:r"));
    assert!(machine.seen()[script].ends_with("/tmp/disko-password 9"));
    assert_eq!(machine.input_of(SCRIPT), b"bcde fghj");
    let everything = format!("{:?}{:?}{}", machine.seen(), ran, bench.told());
    assert!(!everything.contains("bcde fghj"), "{everything}");
}

/// An evaluator whose derivations are in the store; which inputs were replaced in them is kept.
struct Instantiated {
    outputs: Outputs,
    replaced: Mutex<Vec<Override>>,
}

impl Instantiated {
    fn new(outputs: Outputs) -> Arc<Self> {
        Arc::new(Self { outputs, replaced: Mutex::default() })
    }
}

#[async_trait]
impl Evaluator for Instantiated {
    async fn hosts(&self, flake: &str) -> Result<EachHost<HostSummary>, EvalError> {
        NoEvaluator.hosts(flake).await
    }
    async fn facts(
        &self,
        flake: &str,
        host: &HostName,
        scope: Scope,
    ) -> Result<HostFacts, EvalError> {
        NoEvaluator.facts(flake, host, scope).await
    }
    async fn facts_of_all(
        &self,
        flake: &str,
        scope: Scope,
    ) -> Result<EachHost<HostFacts>, EvalError> {
        NoEvaluator.facts_of_all(flake, scope).await
    }
    async fn instantiate(
        &self,
        flake: &str,
        host: &HostName,
        replaced: &[Override],
    ) -> Result<Option<Outputs>, EvalError> {
        assert_eq!((flake, host.as_str()), (".", "grief"));
        self.replaced.lock().unwrap().extend_from_slice(replaced);
        Ok(Some(self.outputs.clone()))
    }
}

fn drv(name: &str) -> String {
    format!("/nix/store/zr2knphxg8yyy2mkq8akf2hfknjvdiz7-{name}.drv")
}

/// The outputs of a host whose derivations are in the store.
fn instantiated() -> Outputs {
    let derivation = |name: &str, out: &str| Derivation {
        drv_path: drv(name).parse().unwrap(),
        out_path: out.parse().unwrap(),
    };
    Outputs {
        toplevel: Some(derivation("system", SYSTEM)),
        disko_script: Some(derivation("disko", SCRIPT)),
        ..Outputs::default()
    }
}

#[tokio::test]
async fn what_the_evaluator_has_instantiated_is_built_without_another_evaluation() {
    let nix = Scripted::new()
        .when("disko.drv^out", 0, &format!("{SCRIPT}\n{SYSTEM}\n"))
        .when(" copy ", 0, "");
    let mut bench = Bench::new(nix);
    bench.world.evaluator = Instantiated::new(instantiated());
    let machine = Arc::new(Machine::mounted());
    run(&mut bench.context(Phase::Disko, &machine)).await.unwrap();
    let seen = bench.runner.seen();
    let builds: Vec<_> = seen.iter().filter(|command| command.contains(" build ")).collect();
    let paths = format!(" -- {}^out {}^out", drv("disko"), drv("system"));
    assert!(matches!(builds[..], [build] if build.ends_with(&paths)), "{builds:?}");
    assert!(!seen.iter().any(|command| command.contains('#')), "{seen:?}");
}

#[tokio::test]
async fn an_input_that_lock_has_replaced_is_in_what_is_built() {
    let input = ("nix-secrets".to_owned(), "path:///secrets".to_owned());
    let command = async |instantiated: Option<Arc<Instantiated>>, by_user: bool| {
        let nix = Scripted::new().when(" build ", 0, &format!("{SCRIPT}\n{SYSTEM}\n"));
        let mut bench = Bench::new(nix.when(" copy ", 0, ""));
        if let Some(instantiated) = instantiated {
            bench.world.evaluator = instantiated;
        }
        if by_user {
            bench.options.override_inputs.push((input.0.clone(), "path:///mine".to_owned()));
        }
        let machine = Arc::new(Machine::mounted());
        let mut context = bench.context(Phase::Disko, &machine);
        context.record.secrets_input = Some(input.clone());
        run(&mut context).await.unwrap();
        let seen = bench.runner.seen();
        let builds: Vec<_> = seen.iter().filter(|command| command.contains(" build ")).collect();
        let [build] = builds[..] else { panic!("{builds:?}") };
        build.clone()
    };
    // The evaluator puts it into the derivations.
    let evaluator = Instantiated::new(instantiated());
    let build = command(Some(evaluator.clone()), false).await;
    assert!(build.contains(&format!("{}^out", drv("system"))), "{build}");
    assert_eq!(*evaluator.replaced.lock().unwrap(), std::slice::from_ref(&input));
    // One that does not leaves it to nix.
    let build = command(None, false).await;
    assert!(build.contains("--override-input nix-secrets path:///secrets"), "{build}");
    assert!(!build.contains(".drv"), "{build}");
    // What the user has put in its place stays.
    let evaluator = Instantiated::new(instantiated());
    let build = command(Some(evaluator.clone()), true).await;
    assert!(!build.contains("path:///secrets"), "{build}");
    assert_eq!(*evaluator.replaced.lock().unwrap(), []);
}

#[tokio::test]
async fn a_configuration_that_does_not_build_leaves_the_disks_alone() {
    let bench = Bench::new(broken_nix("build", "attribute 'x' missing at flake.nix:1:2"));
    let machine = Arc::new(Machine::mounted());
    let failure = run(&mut bench.context(Phase::Disko, &machine)).await.unwrap_err();
    assert!(failure.error.contains("flake.nix:1:2"), "{failure:?}");
    assert!(!failure.error.contains("@nix"), "{failure:?}");
    assert_eq!(machine.seen(), Vec::<String>::new());
    assert!(!bench.private.stays());
}

#[tokio::test]
async fn disko_that_mounts_less_than_planned_has_failed() {
    let bench = Bench::new(nix());
    let machine = Machine::default().when("cat /proc/self/mounts", 0, "tmpfs /mnt tmpfs rw 0 0");
    let machine = Arc::new(machine);
    let failure = run(&mut bench.context(Phase::Disko, &machine)).await.unwrap_err();
    assert!(failure.error.contains("/mnt/boot: vfat expected"), "{failure:?}");
}

#[tokio::test]
async fn a_script_that_fails_is_the_failure_and_an_installed_host_is_never_erased() {
    let bench = Bench::new(nix());
    let machine = Arc::new(Machine::mounted().when(SCRIPT, 3, ""));
    let failure = run(&mut bench.context(Phase::Disko, &machine)).await.unwrap_err();
    assert!(failure.error.contains("exit code 3"), "{failure:?}");

    let machine = Arc::new(Machine::mounted());
    let mut cx = bench.context(Phase::Disko, &machine);
    cx.side = Side::Installed;
    assert_eq!(run(&mut cx).await.unwrap_err().kind, FailureKind::Changed);
    assert_eq!(machine.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn install_copies_places_keys_then_makes_bootable_and_never_restarts() {
    let bench = Bench::new(nix());
    let machine = Arc::new(Machine::mounted());
    let mut cx = bench.context(Phase::Install, &machine);
    run(&mut cx).await.unwrap();
    assert_eq!(cx.record.installed.as_ref().unwrap().as_str(), SYSTEM);
    let ran = bench.runner.seen();
    assert!(
        ran[1].contains("remote-store=local%3Froot=/mnt") && ran[1].contains(SYSTEM),
        "{ran:?}"
    );
    let seen = machine.seen();
    let install = machine.at("nixos-install --root /mnt --system").unwrap();
    let keys = machine.seen.lock().unwrap().iter().position(|(_, input)| !input.is_empty());
    assert!(keys.unwrap() < install, "{seen:?}");
    assert!(!seen.iter().any(|line| line.contains("reboot")), "{seen:?}");
}

#[tokio::test]
async fn a_system_that_disko_has_built_is_not_built_again() {
    let bench = Bench::new(nix());
    let machine = Arc::new(Machine::mounted());
    let mut cx = bench.context(Phase::Install, &machine);
    cx.record.built = Some(FULL.parse().unwrap());
    run(&mut cx).await.unwrap();
    let ran = bench.runner.seen();
    assert_eq!(ran.len(), 1, "{ran:?}");
    assert!(ran[0].contains(FULL), "{ran:?}");
}

#[tokio::test]
async fn a_machine_that_goes_off_during_the_copy_is_named_as_lost() {
    let nix = broken_nix(" copy ", "write of 16400 bytes: Broken pipe");
    let bench = Bench::new(nix.when("build.toplevel", 0, SYSTEM));
    let gone = |command: &RemoteCommand| {
        let command = line(command);
        command.contains("df -Ph").then_some(Err(process::Error::Lost { command }))
    };
    let machine = Arc::new(Machine::mounted().rule(gone));
    let failure = run(&mut bench.context(Phase::Install, &machine)).await.unwrap_err();
    assert!(failure.error.starts_with("the machine was lost while the new system"), "{failure:?}");
    assert!(failure.hints[0].contains("same command goes on"), "{failure:?}");
}

#[tokio::test]
async fn a_failed_install_says_so_and_a_full_disk_with_its_figures() {
    let bench = Bench::new(nix());
    let full = |command: &RemoteCommand| {
        let line = line(command);
        line.starts_with("nixos-install")
            .then(|| Ok(output(1, "", "cp: write error: No space left on device")))
    };
    let df = "/dev/vda1 100M 100M 0 100% /mnt/boot";
    let machine = Arc::new(Machine::mounted().rule(full).when("df -Ph", 0, df));
    let mut cx = bench.context(Phase::Install, &machine);
    let failure = run(&mut cx).await.unwrap_err();
    assert!(failure.error.contains("100M of 100M used, 0 free on /dev/vda1"), "{failure:?}");
    assert_eq!(cx.record.installed, None);

    let nix = broken_nix(" copy ", "write of 65536 bytes: No space left on device");
    let bench = Bench::new(nix.when("build.toplevel", 0, SYSTEM));
    let machine = Arc::new(Machine::mounted().when("df -Ph", 0, df));
    let failure = run(&mut bench.context(Phase::Install, &machine)).await.unwrap_err();
    assert!(failure.error.contains("100M of 100M used"), "{failure:?}");
    assert_eq!(machine.at("nixos-install"), None);
}

#[tokio::test]
async fn a_machine_that_was_off_in_between_is_mounted_again_before_the_install() {
    let bench = Bench::new(nix());
    let mounted = Arc::new(AtomicBool::new(false));
    let (see, mount) = (Arc::clone(&mounted), Arc::clone(&mounted));
    let machine = Machine::default()
        .rule(move |command| {
            let text = if see.load(Ordering::SeqCst) { MOUNTS } else { "tmpfs / tmpfs rw 0 0" };
            let asks = line(command) == "cat /proc/self/mounts";
            asks.then(|| Ok(output(0, text, "")))
        })
        .rule(move |command| {
            if line(command).contains(SCRIPT) {
                mount.store(true, Ordering::SeqCst);
            }
            None
        });
    let machine = Arc::new(machine);
    run(&mut bench.context(Phase::Install, &machine)).await.unwrap();
    assert_eq!(machine.input_of(SCRIPT), b"bcde fghj");
    assert!(machine.at(SCRIPT) < machine.at("nixos-install"));

    mounted.store(false, Ordering::SeqCst);
    let mut cx = bench.context(Phase::Install, &machine);
    cx.passphrases = Passphrases::default();
    let failure = run(&mut cx).await.unwrap_err();
    assert!(failure.error.contains("one-time passphrase of cryptroot"), "{failure:?}");
    assert!(failure.hints.iter().any(|hint| hint.contains("--restart")), "{failure:?}");
}

#[tokio::test]
async fn install_without_its_host_key_stops_before_the_boot_loader() {
    let bench = Bench::new(nix());
    let machine = Arc::new(Machine::mounted());
    let mut cx = bench.context(Phase::Install, &machine);
    cx.host_keys = HostKeys::default();
    let failure = run(&mut cx).await.unwrap_err();
    assert!(failure.error.contains("no ed25519 host key"), "{failure:?}");
    assert_eq!(machine.at("nixos-install"), None);
}

fn installer_answers(cx: &Context<'_>) -> ConnectError {
    let installer: HostPublicKey = cx.record.installer_keys[0].parse().unwrap();
    ConnectError::HostKeyMismatch {
        address: "10.0.0.5".parse().unwrap(),
        port: 22,
        expected: vec![],
        got: Some(installer.fingerprint().to_owned()),
    }
}

#[tokio::test]
async fn reboot_lets_go_restarts_and_waits_for_the_pinned_key() {
    let bench = Bench::new(Scripted::new());
    let machine = Arc::new(Machine::default().when("boot_id", 0, "boot-before\n"));
    let installed = Arc::new(Machine::default());
    let mut cx = bench.context(Phase::Reboot, &machine);
    let old_key = installer_answers(&cx);
    bench.will_answer([Err(old_key), Err(refused()), Ok(Arc::clone(&installed))]);
    run(&mut cx).await.unwrap();
    assert_eq!(cx.side, Side::Installed);
    assert_eq!(cx.record.installer_boot_id.as_deref(), Some("boot-before"));
    assert!(machine.at("umount") < machine.at("systemctl reboot"), "{:?}", machine.seen());
    assert!(machine.closed.load(Ordering::SeqCst));
    let logins = bench.doors.1.lock().unwrap().clone();
    let known = std::fs::read_to_string(&logins[0].known_hosts).unwrap();
    assert!(!known.contains(&cx.record.installer_keys[0][..60]), "{known}");
    let told = bench.told();
    assert!(told.contains("the installer still answers"), "{told}");
    assert!(told.contains("passphrase of cryptroot: type it in there"), "{told}");
    assert!(!told.contains("bcde fghj"), "{told}");
    let kept = bench.private.path().join("passphrase.cryptroot");
    assert_eq!(std::fs::read(kept).unwrap(), b"bcde fghj");
}

#[tokio::test]
async fn a_machine_that_nobody_could_unlock_is_not_restarted() {
    let bench = Bench::new(Scripted::new());
    let machine = Arc::new(Machine::default());
    let mut cx = bench.context(Phase::Reboot, &machine);
    cx.passphrases = Passphrases::default();
    let failure = run(&mut cx).await.unwrap_err();
    assert!(failure.error.contains("one-time passphrase of cryptroot"), "{failure:?}");
    assert_eq!(machine.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn disks_that_stay_busy_prevent_the_restart() {
    let bench = Bench::new(Scripted::new());
    let machine = Arc::new(Machine::default().when("swapoff", 1, ""));
    let failure = run(&mut bench.context(Phase::Reboot, &machine)).await.unwrap_err();
    assert!(failure.error.contains("could not be let go"), "{failure:?}");
    assert_eq!(machine.at("systemctl reboot"), None);
}

#[tokio::test]
async fn a_wait_without_an_answer_ends_with_a_message() {
    let bench = Bench::new(Scripted::new());
    let machine = Arc::new(Machine::default());
    let mut cx = bench.context(Phase::Reboot, &machine);
    let failure = run(&mut cx).await.unwrap_err();
    assert!(failure.error.contains("did not answer within"), "{failure:?}");
    assert!(failure.hints.iter().any(|hint| hint.contains("console")), "{failure:?}");
    assert_eq!(cx.side, Side::Installer);
}

#[tokio::test]
async fn a_machine_that_restarted_by_itself_is_only_waited_for() {
    let bench = Bench::new(Scripted::new());
    let machine = Arc::new(Machine::default());
    let mut cx = bench.context(Phase::Reboot, &machine);
    cx.side = Side::Installed;
    bench.will_answer([Ok(Arc::new(Machine::default()))]);
    run(&mut cx).await.unwrap();
    assert_eq!(machine.seen(), Vec::<String>::new());
}

/// What a good host says to `verify`.
fn looks(system: &str) -> String {
    format!(
        "boot-id boot-new\nsystem {system}\nhost-name grief\n\
         mount tmpfs / tmpfs rw 0 0\nswap /.swapvol/swapfile\n\
         planned-swap /.swapvol/swapfile /.swapvol/swapfile\n\
         container /dev/disk/by-uuid/5f3c cryptroot\n"
    )
}

fn host(answer: &str, state: &str, failed: &str) -> Machine {
    let looks = answer.to_owned();
    Machine::default()
        .when("is-system-running", i32::from(state != "running"), state)
        .when("--failed", 0, failed)
        .when("echo \"boot-id", 0, &looks)
}

fn with_swap(bench: &mut Bench) {
    let device = "/.swapvol/swapfile".to_owned();
    bench.facts.swap.devices = vec![SwapDevice { device, size_mib: None }];
}

#[tokio::test]
async fn verify_looks_at_everything_and_then_pins_the_key() {
    let mut bench = Bench::new(Scripted::new());
    with_swap(&mut bench);
    let machine = Arc::new(host(&looks(SYSTEM), "running", ""));
    let mut cx = bench.context(Phase::Verify, &machine);
    cx.record.installed = Some(SYSTEM.parse().unwrap());
    let done = run(&mut cx).await.unwrap();
    for line in [
        "boot: a new one",
        "host name: grief",
        "swap: /.swapvol",
        "secrets: not configured",
        "units: none failed",
        "root file system: tmpfs",
    ] {
        assert!(done.summary.contains(line), "{line:?} is missing in:\n{}", done.summary);
    }
    assert_eq!(cx.record.installed_boot_id.as_deref(), Some("boot-new"));
    let known = std::fs::read_to_string(bench.home.path().join("known_hosts")).unwrap();
    assert!(known.contains("10.0.0.5") && known.contains("ssh-ed25519"), "{known}");
    assert_eq!(cx.changes.len(), 1, "{:?}", cx.changes);
    // The one-time passphrase is replaced by this very command.
    let change = "ssh -t root@10.0.0.5 cryptsetup luksChangeKey /dev/disk/by-uuid/5f3c";
    assert!(cx.next.len() == 1 && cx.next[0].ends_with(change), "{:?}", cx.next);
    assert!(!cx.next[0].contains("bcde fghj"));
}

#[tokio::test]
async fn verify_names_what_is_not_as_expected_and_pins_nothing() {
    let cases = [
        (looks(FULL), "running", "", "system: "),
        (looks(SYSTEM).replace("boot-new", "boot-installer"), "running", "", "boot: "),
        (
            looks(SYSTEM).replace("host-name grief", "host-name nixos"),
            "running",
            "",
            "host name: \"grief\" expected, \"nixos\" found",
        ),
        (
            looks(SYSTEM).replace("\nswap /", "\ngone /"),
            "running",
            "",
            "swap: /.swapvol/swapfile expected",
        ),
        (
            looks(SYSTEM).replace("/ tmpfs", "/ ext4"),
            "running",
            "",
            "root file system: /: tmpfs expected, ext4",
        ),
        (
            looks(SYSTEM),
            "degraded",
            "nginx.service loaded failed failed Web\n",
            "units: failed: nginx.service",
        ),
        (looks(SYSTEM), "maintenance", "", "units: the system should be running"),
    ];
    for (answer, state, failed, expected) in cases {
        let mut bench = Bench::new(Scripted::new());
        with_swap(&mut bench);
        let machine = Arc::new(host(&answer, state, failed));
        let mut cx = bench.context(Phase::Verify, &machine);
        cx.record.installed = Some(SYSTEM.parse().unwrap());
        let failure = run(&mut cx).await.unwrap_err();
        let wrong: Vec<_> =
            failure.error.lines().filter(|line| line.starts_with("WRONG")).collect();
        assert_eq!(wrong.len(), 1, "{failure:?}");
        assert!(wrong[0].contains(expected), "{wrong:?}");
        assert!(!bench.home.path().join("known_hosts").exists());
    }
}

#[tokio::test]
async fn rebuild_switches_detached_and_outlives_a_broken_connection() {
    let mut bench = Bench::new(nix());
    bench.plan.system.rebuild_on = RebuildOn::Here;
    let lost = |command: &RemoteCommand| {
        line(command)
            .contains("exit \"$(cat \"$state/status\")\"")
            .then(|| Ok(Output { code: None, stdout: b"stopping sshd\n".to_vec(), stderr: vec![] }))
    };
    let before = Arc::new(Machine::default().rule(lost));
    let after = Arc::new(host(&looks(SYSTEM), "running", ""));
    let mut cx = bench.context(Phase::Rebuild, &before);
    bench.will_answer([Err(refused()), Ok(Arc::clone(&after))]);
    run(&mut cx).await.unwrap();
    assert_eq!(cx.record.full.as_ref().unwrap().as_str(), SYSTEM);
    assert!(before.seen()[0].contains("systemd-run"), "{:?}", before.seen());
    assert!(before.seen()[0].ends_with(&format!("{SYSTEM} /run/nixos-bootstrap-switch")));
    // The log goes on after the line that came before the break.
    assert!(after.seen()[0].ends_with("2 /run/nixos-bootstrap-switch"), "{:?}", after.seen()[0]);
}

#[tokio::test]
async fn a_switch_that_fails_is_a_failure() {
    let mut bench = Bench::new(nix());
    bench.plan.system.rebuild_on = RebuildOn::Here;
    let failing = Machine::default().when("exit \"$(cat \"$state/status\")\"", 4, "");
    let mut cx = bench.context(Phase::Rebuild, &Arc::new(failing));
    let failure = run(&mut cx).await.unwrap_err();
    assert!(failure.error.contains("status 4"), "{failure:?}");
    assert_eq!(cx.record.full, None);
}

#[tokio::test]
async fn a_rebuild_on_the_host_runs_the_configured_command_in_the_synced_folder() {
    let mut bench = Bench::new(Scripted::new().when("ssh", 0, ""));
    bench.plan.system.rebuild_on = RebuildOn::Target;
    bench.facts.bootstrap.nix_config_path = Some("~/nix config".to_owned());
    bench.facts.bootstrap.rebuild_command = Some("just rebuild".to_owned());
    bench.plan.sync.clear();
    let machine = Arc::new(host(&looks(FULL), "running", ""));
    let mut cx = bench.context(Phase::Rebuild, &machine);
    run(&mut cx).await.unwrap();
    assert_eq!(
        bench.runner.seen(),
        [
            "ssh -o ControlPath=/run/x/ctl -A -p 22 -l root -- 10.0.0.5 'cd '\\''nix config'\\'' && just rebuild'"
        ]
    );
    assert_eq!(cx.record.full.as_ref().unwrap().as_str(), FULL);
}

#[tokio::test]
async fn the_host_key_of_the_old_system_is_taken_and_told_to_nobody() {
    let old = HostKeyPair::generate("root@old").unwrap();
    let text = String::from_utf8(old.private().expose().to_vec()).unwrap();
    let mut bench = Bench::new(Scripted::new());
    bench.plan.host_key_source = HostKeySource::OldSystem { machine: None };
    let machine = Arc::new(Machine::default().when("exec cat", 0, &text));
    let mut cx = bench.context(Phase::Hostkey, &machine);
    cx.host_keys = HostKeys::default();
    let done = run(&mut cx).await.unwrap();
    assert_eq!(done.summary, "reused: ed25519");
    assert_eq!(cx.record.host_keys, [old.public()]);
    assert_eq!(cx.host_keys.get("ed25519").unwrap().private, *old.private());
    let seen = machine.seen().join("\n");
    assert!(seen.contains(" /persist/etc/ssh/ssh_host_ed25519_key"), "{seen}");
    let record = serde_json::to_string(&cx.record).unwrap();
    let secret = text.lines().nth(2).unwrap();
    for told in [&seen, &bench.told(), &record, &bench.runner.seen().join("\n"), &done.summary] {
        assert!(!told.contains(secret), "{told}");
    }
    let kept = bench.private.path().join("ssh_host_ed25519_key");
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), text);
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(kept).unwrap());
    assert_eq!(mode & 0o777, 0o600);

    // None there, and one that sshd could not use, are errors and no reason to make a new one.
    let failed = async |code: i32, text: &str| {
        let machine = Arc::new(Machine::default().when("exec cat", code, text));
        let mut cx = bench.context(Phase::Hostkey, &machine);
        cx.host_keys = HostKeys::default();
        run(&mut cx).await.unwrap_err().error
    };
    assert!(failed(3, "").await.contains("there is no ed25519 host key"));
    let error = failed(0, "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n").await;
    assert!(error.contains("of root@10.0.0.5: not a private key"), "{error}");
    let error = failed(1, &text).await;
    assert!(error.contains("read /persist/etc/ssh/ssh_host_ed25519_key of root@"), "{error}");
}

#[tokio::test]
async fn another_machine_gives_its_key_only_if_it_is_known_by_its_own() {
    let old = HostKeyPair::generate("root@old").unwrap();
    let text = String::from_utf8(old.private().expose().to_vec()).unwrap();
    let mut bench = Bench::new(Scripted::new());
    let machine = Some("ta@10.0.0.9".parse().unwrap());
    bench.plan.host_key_source = HostKeySource::OldSystem { machine };
    let target = Arc::new(Machine::default());
    let other = Arc::new(Machine::default().when("exec cat", 0, &text));
    bench.will_answer([Ok(Arc::clone(&other))]);
    let mut cx = bench.context(Phase::Hostkey, &target);
    cx.host_keys = HostKeys::default();
    let failure = run(&mut cx).await.unwrap_err();
    assert!(failure.error.contains("has no key of 10.0.0.9"), "{failure:?}");
    assert!(bench.doors.1.lock().unwrap().is_empty(), "it was connected to all the same");
    let known = format!("10.0.0.9,other {}\n", old.public());
    std::fs::write(&bench.world.user_known_hosts, known).unwrap();
    assert_eq!(run(&mut cx).await.unwrap().summary, "reused: ed25519");
    assert_eq!(cx.record.host_keys, [old.public()]);
    let logins = bench.doors.1.lock().unwrap().clone();
    assert_eq!((logins[0].address.as_str(), logins[0].user.as_str()), ("10.0.0.9", "ta"));
    let pinned = std::fs::read_to_string(&logins[0].known_hosts).unwrap();
    assert!(pinned.starts_with("10.0.0.9 ssh-ed25519 ") && pinned.lines().count() == 1, "{pinned}");
    assert!(target.seen().is_empty() && !other.is_alive().await, "{:?}", target.seen());
}

#[tokio::test]
async fn an_rsa_key_is_made_where_the_host_expects_one() {
    let runner = crate::process::RealRunner::default();
    let mut bench = Bench::new(Scripted::new());
    bench.world.runner = Arc::new(runner);
    bench.plan.host_keys.push(PlannedHostKey {
        kind: "rsa".to_owned(),
        paths: vec!["/etc/ssh/ssh_host_rsa_key".parse().unwrap()],
    });
    let machine = Arc::new(Machine::default());
    let mut cx = bench.context(Phase::Hostkey, &machine);
    let done = run(&mut cx).await.unwrap();
    assert_eq!(done.summary, "made: rsa; taken up from the run before: ed25519");
    let made = cx.host_keys.get("rsa").unwrap();
    let read = crate::secrets::host_key::read(&made.private).unwrap();
    assert_eq!(read, ("rsa", made.public.clone()));
    assert_eq!(cx.record.host_keys.len(), 2);
}

#[tokio::test]
async fn a_rebuild_on_the_host_takes_the_secrets_of_this_run() {
    let rebuilt = async |own: Option<&str>, synced: bool| {
        let mut bench = Bench::new(Scripted::new().when("ssh", 0, ""));
        bench.plan.system.rebuild_on = RebuildOn::Target;
        bench.facts.bootstrap.rebuild_command = own.map(str::to_owned);
        let repo = |name: &str| PlannedSync {
            from: bench.home.path().join(name).display().to_string(),
            to: format!("/home/ta/{name}"),
        };
        bench.plan.sync = vec![repo("nix-config"), repo("nix secrets")];
        std::fs::create_dir_all(bench.home.path().join("nix secrets/.git")).unwrap();
        bench.plan.secrets = Some(PlannedSecrets {
            folder: bench.plan.sync[1].from.clone(),
            name: "grief".to_owned(),
            files: Vec::new(),
            user_key: None,
            input: Some("secrets".to_owned()),
        });
        if !synced {
            bench.plan.sync.pop();
        }
        let machine = Arc::new(host(&looks(FULL), "running", ""));
        let mut cx = bench.context(Phase::Rebuild, &machine);
        cx.record.secrets_input = Some(("secrets".into(), "git+file:///here".into()));
        run(&mut cx).await.map(|_| bench.runner.seen().pop().unwrap().replace("'\\''", "'"))
    };
    let flags = "--override-input secrets git+file:///home/ta/nix%20secrets";
    let line = rebuilt(None, true).await.unwrap();
    let default = "cd /home/ta/nix-config && sudo nixos-rebuild switch --flake '.#grief'";
    assert!(line.contains(&format!("{default} {flags}")), "{line}");
    let line = rebuilt(Some("just rebuild"), true).await.unwrap();
    let export = format!("&& export NIXOS_BOOTSTRAP_OVERRIDE='{flags}' && just rebuild");
    assert!(line.contains(&export), "{line}");
    let failure = rebuilt(None, false).await.unwrap_err();
    assert!(failure.hints[0].contains("--rebuild-on here"), "{failure:?}");
}
