//! A scripted world for tests: one machine, one flake, one person. Programs are real.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::context::{Limits, Side, World};
use super::event::{Event, PromptError, Prompter, Reporter};
use super::options::Options;
use crate::facts::{
    EachHost, EvalError, Evaluator, HostFacts, HostSummary, Outputs, Override, Scope,
};
use crate::process::{self, Command, LineSink, Output, RealRunner, Runner};
use crate::remote::{
    ConnectError, Connection, Connector, DiscoverError, Finder, HostPublicKey, Installer, Login,
    ProvenKey, Remote, RemoteCommand, known_hosts,
};
use crate::secrets::Secret;
use crate::secrets::host_key::HostKeyPair;
use crate::validated::{Address, HostName, StorePath};

/// Everything that the doubles share.
pub(crate) struct Stage {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) runner: Arc<dyn Runner>,
    pub(crate) machine: Arc<Machine>,
    pub(crate) flake: Arc<Flake>,
    pub(crate) network: Arc<Network>,
    pub(crate) person: Arc<Person>,
    pub(crate) events: Arc<Events>,
    pub(crate) cancel: CancellationToken,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["state", "private", "flake"] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
        }
        let cancel = CancellationToken::new();
        Self {
            dir,
            runner: Arc::new(RealRunner::new(cancel.clone())),
            machine: Arc::new(Machine::new()),
            flake: Arc::new(Flake {
                facts: Mutex::new(facts()),
                replaced_system: Mutex::default(),
                evaluates: true.into(),
            }),
            network: Arc::default(),
            person: Arc::default(),
            events: Arc::default(),
            cancel,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn world(&self) -> World {
        World {
            runner: Arc::clone(&self.runner),
            connector: Arc::new(Door(Arc::clone(&self.machine))),
            evaluator: Arc::clone(&self.flake) as Arc<dyn Evaluator>,
            reporter: Arc::clone(&self.events) as Arc<dyn Reporter>,
            finder: Arc::clone(&self.network) as Arc<dyn Finder>,
            prompter: Arc::clone(&self.person) as Arc<dyn Prompter>,
            cancel: self.cancel.clone(),
            state_dir: self.path("state"),
            user_known_hosts: self.path("known_hosts"),
            forges: crate::remote::forges::all(),
            private_bases: vec![self.path("private")],
            limits: Limits { stop: Duration::from_millis(100), ..Limits::default() },
        }
    }

    /// Wishes that leave nothing to ask.
    pub(crate) fn options(&self) -> Options {
        let mut options =
            Options::new("grief".parse().unwrap(), self.path("flake").to_string_lossy());
        options.flake_dir = Some(self.path("flake"));
        options.target = Some("root@10.0.0.1".parse().unwrap());
        options.host_key = Some(self.machine.installer_key().to_string().parse().unwrap());
        options.yes = true;
        options
    }

    /// Files of private directories that are still there.
    pub(crate) fn private_left(&self) -> usize {
        std::fs::read_dir(self.path("private")).unwrap().count()
    }
}

/// Runs `program` in `dir` for a test's own purposes.
pub(crate) fn sh(dir: &Path, script: &str) -> String {
    let command = Command::new("sh").args(["-euc", script]).dir(dir);
    // A thread of its own, since callers may be inside a runtime already.
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(RealRunner::default().run(&command)).unwrap()
    };
    let output = std::thread::scope(|scope| scope.spawn(run).join().unwrap());
    assert!(output.ok(), "{script}: {}", output.error_text());
    String::from_utf8(output.stdout).unwrap()
}

/// The host grief with one disk.
pub(crate) fn facts() -> HostFacts {
    let path = |name: &str| format!("/nix/store/zr2knphxg8yyy2mkq8akf2hfknjvdiz7-{name}");
    let output =
        |name: &str| json!({ "drvPath": path(&format!("{name}.drv")), "outPath": path(name) });
    let partition = |name: &str, size: &str, content: Value| {
        json!({ "name": name, "label": null, "typeCode": null, "priority": null, "size": size,
                "start": null, "end": null, "content": content })
    };
    let fs = |format: &str, mountpoint: &str| json!({ "type": "filesystem", "format": format, "mountpoint": mountpoint, "mountOptions": [] });
    let parts =
        [partition("ESP", "512M", fs("vfat", "/boot")), partition("root", "100%", fs("ext4", "/"))];
    serde_json::from_value(json!({
        "name": "grief", "hostName": "grief", "system": "x86_64-linux", "stateVersion": "25.05",
        "isMinimal": false,
        "disko": {
            "disks": [{ "name": "main", "device": "/dev/vda",
                        "content": { "type": "gpt", "partitions": parts } }],
            "volumeGroups": [], "raids": [], "pools": [], "nodev": []
        },
        "swap": { "devices": [], "zram": null }, "encryption": [], "persistDir": null,
        "ssh": { "enable": true, "ports": [22], "permitRootLogin": "yes", "hostKeys": [] },
        "sops": null,
        "target": { "host": null, "port": null, "user": null, "identityFile": null },
        "primaryUser": "ta",
        "boot": { "systemdBoot": true, "grub": false, "grubEfi": false, "grubDevices": [],
                  "espMountpoint": "/boot", "other": [] },
        "bootstrap": { "hardwareFile": "hosts/grief/hardware-configuration.nix" },
        "article": { "configVars": {} },
        "outputs": { "toplevel": output("system"), "diskoScript": output("disko"),
                     "mountScript": output("mount") }
    }))
    .unwrap()
}

/// A flake with the one host.
pub(crate) struct Flake {
    pub(crate) facts: Mutex<HostFacts>,
    /// What the host's system is where inputs are replaced.
    pub(crate) replaced_system: Mutex<Option<StorePath>>,
    /// Does it evaluate, or leave that to the program `nix`?
    pub(crate) evaluates: AtomicBool,
}

#[async_trait]
impl Evaluator for Flake {
    async fn hosts(&self, _: &str) -> Result<EachHost<HostSummary>, EvalError> {
        Ok(Vec::new().into())
    }

    async fn facts(&self, _: &str, host: &HostName, _: Scope) -> Result<HostFacts, EvalError> {
        let facts = self.facts.lock().unwrap().clone();
        if facts.name == *host {
            return Ok(facts);
        }
        let known = vec![facts.name.to_string()];
        Err(EvalError::UnknownHost { host: host.clone(), known, nearest: None })
    }

    async fn facts_of_all(&self, _: &str, _: Scope) -> Result<EachHost<HostFacts>, EvalError> {
        Ok(vec![self.facts.lock().unwrap().clone()].into())
    }

    async fn instantiate(
        &self,
        _: &str,
        _: &HostName,
        replaced: &[Override],
    ) -> Result<Option<Outputs>, EvalError> {
        if !self.evaluates.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let mut outputs = self.facts.lock().unwrap().outputs.clone().unwrap_or_default();
        if !replaced.is_empty()
            && let Some(system) = self.replaced_system.lock().unwrap().clone()
            && let Some(toplevel) = &mut outputs.toplevel
        {
            toplevel.out_path = system;
        }
        Ok(Some(outputs))
    }
}

/// The machine: which system runs, and the keys that it shows.
pub(crate) struct Machine {
    state: Mutex<MachineState>,
}

struct MachineState {
    side: Side,
    boots: u32,
    installer_key: String,
    installed_key: Option<String>,
    /// What `cat FILE` prints by file, and what other programs print by name; later ones win.
    files: Vec<(String, Vec<u8>)>,
    connections: u32,
}

impl Machine {
    fn new() -> Self {
        let installer_key = HostKeyPair::generate("installer").unwrap().public().to_owned();
        Self {
            state: Mutex::new(MachineState {
                side: Side::Installer,
                boots: 1,
                installer_key,
                installed_key: None,
                files: Vec::new(),
                connections: 0,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, MachineState> {
        self.state.lock().unwrap()
    }

    pub(crate) fn installer_key(&self) -> HostPublicKey {
        self.state().installer_key.parse().unwrap()
    }

    /// Starts the installer anew: other boot id, other host key.
    pub(crate) fn restart_installer(&self) {
        let mut state = self.state();
        state.boots += 1;
        state.side = Side::Installer;
        state.installer_key = HostKeyPair::generate("installer").unwrap().public().to_owned();
    }

    /// Starts the installed host.
    pub(crate) fn boot_installed(&self, public_key: &str) {
        let mut state = self.state();
        state.boots += 1;
        state.side = Side::Installed;
        state.installed_key = Some(public_key.to_owned());
    }

    pub(crate) fn put(&self, path: &str, content: &[u8]) {
        self.state().files.push((path.to_owned(), content.to_vec()));
    }

    pub(crate) fn connections(&self) -> u32 {
        self.state().connections
    }

    fn shown_key(&self) -> HostPublicKey {
        let state = self.state();
        let key = match state.side {
            Side::Installer => &state.installer_key,
            Side::Installed => state.installed_key.as_ref().unwrap(),
        };
        key.parse().unwrap()
    }

    fn probe(&self) -> String {
        let state = self.state();
        let lsblk = json!({ "blockdevices": [{
            "name": "vda", "kname": "vda", "path": "/dev/vda", "type": "disk",
            "size": 21_474_836_480_u64, "fstype": null, "label": null, "partlabel": null,
            "partuuid": null, "pttype": null, "model": null, "serial": "GRIEF0001",
            "tran": "virtio", "rm": false, "ro": false, "mountpoints": [null]
        }]});
        let variant = match state.side {
            Side::Installer => "os VARIANT_ID=installer\n",
            Side::Installed => "",
        };
        format!(
            "privilege root\nname grief\narchitecture x86_64\n\
             boot 00000000-0000-0000-0000-{:012}\nfirmware uefi\nmemory MemTotal: 2048000 kB\n\
             os ID=nixos\n{variant}lsblk {lsblk}\n",
            state.boots
        )
    }
}

/// The way to the machine, through exactly the keys that the login trusts.
struct Door(Arc<Machine>);

#[async_trait]
impl Connector for Door {
    async fn connect(&self, login: &Login) -> Result<Arc<dyn Connection>, ConnectError> {
        let content = std::fs::read(&login.known_hosts).unwrap();
        let trusted = known_hosts::find(&content, &known_hosts::names(&login.address, login.port));
        let shown = self.0.shown_key();
        if !trusted.contains(&shown) {
            return Err(ConnectError::HostKeyMismatch {
                address: login.address.clone(),
                port: login.port,
                expected: trusted.iter().map(|key| key.fingerprint().to_owned()).collect(),
                got: Some(shown.fingerprint().to_owned()),
            });
        }
        self.0.state().connections += 1;
        Ok(Arc::new(Line(Arc::clone(&self.0))))
    }

    async fn scan(
        &self,
        _: &Address,
        _: u16,
        _: Duration,
    ) -> Result<Vec<HostPublicKey>, ConnectError> {
        Ok(vec![self.0.shown_key()])
    }
}

struct Line(Arc<Machine>);

#[async_trait]
impl Remote for Line {
    async fn stream(
        &self,
        command: &RemoteCommand,
        _: &mut LineSink<'_>,
    ) -> Result<Output, process::Error> {
        let words = command.words();
        let answer = match words[0].as_str() {
            "sh" if words.iter().any(|word| word.contains("lsblk")) => {
                Some(self.0.probe().into_bytes())
            }
            program => {
                let state = self.0.state();
                let name = if program == "cat" { words[1].as_str() } else { program };
                let found = state.files.iter().rev().find(|(path, _)| path == name);
                found.map(|(_, content)| content.clone())
            }
        };
        Ok(Output {
            code: Some(i32::from(answer.is_none())),
            stdout: answer.unwrap_or_default(),
            stderr: Vec::new(),
        })
    }

    fn ssh_options(&self) -> Vec<String> {
        Vec::new()
    }
}

#[async_trait]
impl Connection for Line {
    async fn close(&self) {}

    async fn is_alive(&self) -> bool {
        true
    }

    fn host_key(&self) -> Option<&ProvenKey> {
        None
    }
}

/// Answers every yes/no question alike, and remembers the questions.
#[derive(Default)]
pub(crate) struct Person {
    pub(crate) yes: AtomicBool,
    pub(crate) typed: Mutex<String>,
    pub(crate) asked: Mutex<Vec<String>>,
}

impl Person {
    fn hears(&self, question: &str) {
        self.asked.lock().unwrap().push(question.to_owned());
    }
}

impl Prompter for Person {
    fn confirm_word(&self, question: &str, word: &str) -> Result<bool, PromptError> {
        self.hears(question);
        Ok(*self.typed.lock().unwrap() == word)
    }

    fn confirm(&self, question: &str) -> Result<bool, PromptError> {
        self.hears(question);
        Ok(self.yes.load(std::sync::atomic::Ordering::Relaxed))
    }

    fn text(&self, question: &str, _: Option<&str>) -> Result<String, PromptError> {
        self.hears(question);
        Ok(self.typed.lock().unwrap().clone())
    }

    fn passphrase(&self, question: &str, _: bool) -> Result<Secret, PromptError> {
        self.hears(question);
        Ok(Secret::new("typed"))
    }
}

/// The local network.
#[derive(Default)]
pub(crate) struct Network(pub(crate) Mutex<Vec<Installer>>);

#[async_trait]
impl Finder for Network {
    async fn installers(&self, _: Duration) -> Result<Vec<Installer>, DiscoverError> {
        Ok(self.0.lock().unwrap().clone())
    }
}

/// Remembers what happened.
#[derive(Default)]
pub(crate) struct Events(Mutex<Vec<Event>>);

impl Reporter for Events {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl Events {
    pub(crate) fn all(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }
}
