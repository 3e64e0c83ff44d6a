//! Makes the [`Plan`]: every decision of a run in one pure function. No clock, no file, no program.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::layout::{Layout, lay_out};
use super::options::{Engine, Options, RebuildOn, Via};
use super::phase::Phase;
use super::plan::{
    PassphraseSource, Plan, PlannedDisk, PlannedEncryption, PlannedHardware, PlannedMachine,
    PlannedSecretFile, PlannedSecrets, PlannedSync, PlannedSystem, PlannedTarget, PlannedUserKey,
    Stacked,
};
use super::secrets_around::FoundFile;
use super::surroundings::{Surroundings, inside_flake};
use super::{host_keys, recovery, refuse, size, steps, user_key, warn};
use crate::facts::{Content, Disk, Disko, HardwareGenerator, HostFacts, KeySource};
use crate::remote::{LiveDisk, Probe};
use crate::validated::{AbsolutePath, Address, DevicePath, HostName, UserName};

/// Everything that the plan is made of.
pub(super) struct Inputs<'a> {
    /// The full configuration.
    pub(super) facts: &'a HostFacts,
    /// The minimal one, where there is one.
    pub(super) minimal: Option<&'a HostFacts>,
    /// The one of the two that the phase `install` takes.
    pub(super) installed: &'a HostFacts,
    /// The live machine.
    pub(super) probe: &'a Probe,
    /// The user's wishes.
    pub(super) options: &'a Options,
    /// This machine.
    pub(super) around: &'a Surroundings,
    /// The layout of every disk that will be partitioned, by its name.
    pub(super) layouts: BTreeMap<&'a str, Layout>,
}

/// Decides what a run will do. `minimal` are the facts of the host's minimal configuration, where
/// the flake has one. The target's address must be known by now: from the options, or from the
/// facts; where it is not, the host's name stands in.
#[must_use]
pub fn plan(
    facts: &HostFacts,
    minimal: Option<&HostFacts>,
    probe: &Probe,
    options: &Options,
    around: &Surroundings,
) -> Plan {
    let via = options.via.unwrap_or(if minimal.is_some() { Via::Minimal } else { Via::Full });
    let installed = match via {
        Via::Minimal => minimal.unwrap_or(facts),
        Via::Full => facts,
    };
    let layouts = installed.disko.disks.iter().filter_map(|disk| layout(disk, probe)).collect();
    let inputs = Inputs { facts, minimal, installed, probe, options, around, layouts };
    let mut plan = decisions(&inputs, via);
    plan.phases = steps::phases(&inputs, &plan);
    plan.refusals = refuse::refusals(&inputs, &plan);
    plan.warnings = warn::warnings(&inputs, &plan);
    plan.digest = digest(&inputs, &plan);
    plan
}

fn decisions(inputs: &Inputs<'_>, via: Via) -> Plan {
    let Inputs { installed, probe, options, .. } = inputs;
    let target = target(inputs);
    Plan {
        host: options.host.clone(),
        flake: options.flake.clone(),
        machine: PlannedMachine {
            os: probe.os_name.clone(),
            architecture: probe.architecture.clone(),
            firmware: probe.firmware,
            memory: probe.memory,
            installer: probe.installer,
        },
        system: system(inputs, via),
        disks: disks(inputs),
        stacked: Stacked {
            volume_groups: installed.disko.volume_groups.clone(),
            raids: installed.disko.raids.clone(),
            pools: installed.disko.pools.clone(),
            nodev: installed.disko.nodev.clone(),
        },
        untouched: untouched(&installed.disko, probe),
        swap: swap(inputs),
        encryption: encryption(installed),
        host_keys: host_keys::planned(inputs),
        host_key_source: host_keys::source(inputs),
        forge_users: forge_users(&target),
        secrets: secrets(inputs, &target),
        recovery: recovery::planned(inputs),
        hardware: hardware(inputs),
        sync: sync(inputs, &target),
        target,
        phases: Vec::new(),
        refusals: Vec::new(),
        warnings: Vec::new(),
        digest: String::new(),
    }
}

/// The live disk that `device` names.
pub(super) fn live<'a>(probe: &'a Probe, device: &DevicePath) -> Option<&'a LiveDisk> {
    // Doubled slashes and `.` lead to the same device.
    let plain: String = Path::new(device.as_str())
        .components()
        .collect::<std::path::PathBuf>()
        .to_string_lossy()
        .into_owned();
    probe.disks.iter().find(|disk| disk.is_called(&plain))
}

fn layout<'a>(disk: &'a Disk, probe: &Probe) -> Option<(&'a str, Layout)> {
    let Some(Content::Gpt { partitions }) = &disk.content else { return None };
    let size = live(probe, &disk.device).map(|live| live.size);
    Some((disk.name.as_str(), lay_out(partitions, size)))
}

fn target(inputs: &Inputs<'_>) -> PlannedTarget {
    let Inputs { facts, installed, options, .. } = inputs;
    let given = options.target.as_ref();
    let address = given.map(|target| target.address.clone()).or_else(|| facts.target.host.clone());
    let port = options.port.or(facts.target.port);
    let user = given.and_then(|target| target.user.clone()).or_else(|| facts.target.user.clone());
    let primary = options.user.clone().or_else(|| facts.primary_user.clone());
    let primary_user = primary.unwrap_or_else(UserName::root);
    let identity = options.identity.as_ref().map(|path| path.to_string_lossy().into_owned());
    PlannedTarget {
        address: address.unwrap_or_else(|| Address::from(&options.host)),
        port: port.unwrap_or(22),
        user: user.unwrap_or_else(UserName::root),
        identity: identity.or_else(|| facts.target.identity_file.clone()),
        // Another port than ssh's own was set by hand: it leads to the machine whatever runs there.
        installed_port: port
            .filter(|port| *port != 22)
            .or_else(|| installed.ssh.ports.first().copied())
            .unwrap_or(22),
        installed_user: if root_may_log_in(installed) {
            UserName::root()
        } else {
            primary_user.clone()
        },
        primary_user,
    }
}

/// May root log in with a key? The default of NixOS is `prohibit-password`.
pub(super) fn root_may_log_in(facts: &HostFacts) -> bool {
    !matches!(facts.ssh.permit_root_login.as_deref(), Some("no" | "forced-commands-only"))
}

fn system(inputs: &Inputs<'_>, via: Via) -> PlannedSystem {
    let Inputs { facts, installed, options, around, .. } = inputs;
    let flake = options.flake.as_str();
    let small = around.minimal_flake.as_deref().unwrap_or(flake);
    let command = &facts.bootstrap.rebuild_command;
    let by_itself = if command.is_some() { RebuildOn::Target } else { RebuildOn::Here };
    PlannedSystem {
        via,
        engine: options.engine,
        system: facts.system.clone(),
        install_attr: match via {
            Via::Minimal => attribute(small, &installed.name),
            Via::Full => attribute(flake, &facts.name),
        },
        install: installed.toplevel().cloned(),
        full_attr: attribute(flake, &facts.name),
        full: facts.toplevel().cloned(),
        rebuild_on: options.rebuild_on.unwrap_or(by_itself),
        persist_dir: persist_dir(inputs).cloned(),
    }
}

/// `FLAKE#nixosConfigurations.HOST`; a name that is no Nix identifier is quoted.
fn attribute(flake: &str, host: &HostName) -> String {
    let name = host.as_str();
    let plain = !name.contains('.') && !name.starts_with(|c: char| c.is_ascii_digit());
    let quote = if plain { "" } else { "\"" };
    format!("{flake}#nixosConfigurations.{quote}{name}{quote}")
}

pub(super) fn persist_dir<'a>(inputs: &'a Inputs<'_>) -> Option<&'a AbsolutePath> {
    let of_minimal = || inputs.minimal.and_then(|facts| facts.persist_dir.as_ref());
    let configured = inputs.facts.persist_dir.as_ref().or_else(of_minimal);
    inputs.options.persist_dir.as_ref().or(configured)
}

fn disks(inputs: &Inputs<'_>) -> Vec<PlannedDisk> {
    let touched = inputs.installed.disko.disks.iter().filter(|disk| disk.content.is_some());
    let planned = touched.map(|disk| {
        let layout = inputs.layouts.get(disk.name.as_str());
        PlannedDisk {
            name: disk.name.clone(),
            device: disk.device.clone(),
            live: live(inputs.probe, &disk.device).cloned(),
            layout: layout.map(|layout| layout.parts.clone()).unwrap_or_default(),
            whole: if layout.is_some() { None } else { disk.content.clone() },
            needs: layout.map_or(0, |layout| layout.needs),
        }
    });
    planned.collect()
}

fn untouched(disko: &Disko, probe: &Probe) -> Vec<LiveDisk> {
    let touched: Vec<&LiveDisk> = disko
        .disks
        .iter()
        .filter(|disk| disk.content.is_some())
        .filter_map(|disk| live(probe, &disk.device))
        .collect();
    probe.disks.iter().filter(|disk| !touched.contains(disk)).cloned().collect()
}

/// Swap of every kind in words, as the host will have it in the end.
fn swap(inputs: &Inputs<'_>) -> Vec<String> {
    let mut words = Vec::new();
    for disk in &inputs.installed.disko.disks {
        let layout = inputs.layouts.get(disk.name.as_str());
        for part in layout.map(|layout| layout.parts.as_slice()).unwrap_or_default() {
            if let Some(content) = &part.content {
                swap_in(content, &part.name, &part.asked, part.size, &mut words);
            }
        }
    }
    for group in &inputs.installed.disko.volume_groups {
        for volume in &group.volumes {
            let asked = volume.size.clone().unwrap_or_default();
            if let Some(content) = &volume.content {
                let place = format!("{}/{}", group.name, volume.name);
                swap_in(content, &place, &asked, size::bytes(&asked).ok(), &mut words);
            }
        }
    }
    for device in &inputs.facts.swap.devices {
        if let Some(mib) = device.size_mib {
            let size = size::human(mib.saturating_mul(1 << 20));
            words.push(format!("swapfile {} of {size}, made at the first boot", device.device));
        }
    }
    if let Some(zram) = &inputs.facts.swap.zram {
        let share =
            zram.memory_percent.map(|p| format!(" of {p} % of the memory")).unwrap_or_default();
        let algorithm = zram.algorithm.as_ref().map(|a| format!(", {a}")).unwrap_or_default();
        words.push(format!("zram{share}{algorithm}"));
    }
    words
}

fn swap_in(
    content: &Content,
    place: &str,
    asked: &str,
    bytes: Option<u64>,
    words: &mut Vec<String>,
) {
    match content {
        Content::Swap { random_encryption, resume_device, .. } => {
            let size = bytes.map_or_else(|| asked.to_owned(), size::human);
            let random =
                if *random_encryption { ", encrypted with a new key at each boot" } else { "" };
            let resume = if *resume_device { ", for hibernation too" } else { "" };
            words.push(format!("partition {place} of {size}{random}{resume}"));
        }
        Content::Luks { content: Some(inner), name } => {
            swap_in(inner, &format!("{name} (encrypted)"), asked, bytes, words);
        }
        _ => {
            for file in super::layout::swapfiles(content, None) {
                let size = file.size.map_or(file.asked, size::human);
                words.push(format!("swapfile {} of {size}", file.place));
            }
        }
    }
}

fn encryption(installed: &HostFacts) -> Vec<PlannedEncryption> {
    let planned = installed.encryption.iter().map(|container| {
        let key_file = match &container.key {
            KeySource::PasswordFile { path } | KeySource::KeyFile { path } => Some(path.clone()),
            KeySource::Ask | KeySource::Unset => None,
        };
        let passphrase = match key_file {
            Some(_) => PassphraseSource::OneTime,
            None => PassphraseSource::Asked,
        };
        PlannedEncryption { name: container.name.clone(), key_file, passphrase }
    });
    planned.collect()
}

/// Who fetches from forges on the host: whoever gets the repos, whoever logs in for the rebuild, and root, who
/// evaluates for it.
fn forge_users(target: &PlannedTarget) -> Vec<UserName> {
    let mut users = vec![target.primary_user.clone()];
    for user in [target.installed_user.clone(), UserName::root()] {
        if !users.contains(&user) {
            users.push(user);
        }
    }
    users
}

/// The secrets that are to be encrypted for the host. Files that are elsewhere are not this run's.
fn secrets(inputs: &Inputs<'_>, target: &PlannedTarget) -> Option<PlannedSecrets> {
    let found = inputs.around.secrets.as_ref()?;
    let planned = |file: &FoundFile| {
        let keys = file.wanted.secrets.iter().map(|(_, key)| key.clone()).collect();
        Some(PlannedSecretFile { path: file.relative.clone()?, keys })
    };
    let files: Vec<PlannedSecretFile> = found.files.iter().filter_map(planned).collect();
    if files.is_empty() {
        return None;
    }
    let host = inputs.options.host.as_str();
    let name = user_key::name(target.primary_user.as_str(), host);
    let place = format!("{}/{name}", user_key::PLACE);
    // The configuration takes it from this very place, or names the file that such keys are kept in.
    let taken = files.iter().find(|file| file.keys.contains(&place)).map(|file| file.path.clone());
    let file = taken.or_else(|| inputs.facts.bootstrap.secrets_file.as_deref().map(inside_flake));
    let user_key = file.map(|file| PlannedUserKey {
        name,
        file,
        path: place.split('/').map(str::to_owned).collect(),
    });
    Some(PlannedSecrets {
        folder: found.folder.to_string_lossy().into_owned(),
        // A dot can't stand in an anchor.
        name: host.replace('.', "_"),
        files,
        user_key,
        input: found.input.clone(),
    })
}

/// The program and the file, where the configuration or the flake's folders say.
fn hardware(inputs: &Inputs<'_>) -> Option<PlannedHardware> {
    let bootstrap = &inputs.facts.bootstrap;
    let folder = format!("hosts/{}", inputs.options.host);
    let there = |name: &str| inputs.around.hardware_files.contains(&format!("{folder}/{name}"));
    let facter_only = there("facter.json") && !there("hardware-configuration.nix");
    let by_file = match &bootstrap.hardware_file {
        Some(file) => Path::new(file).extension().is_some_and(|extension| extension == "json"),
        None => facter_only,
    };
    let generator = bootstrap.hardware_generator.unwrap_or(if by_file {
        HardwareGenerator::NixosFacter
    } else {
        HardwareGenerator::NixosGenerateConfig
    });
    let name = match generator {
        HardwareGenerator::NixosGenerateConfig => "hardware-configuration.nix",
        HardwareGenerator::NixosFacter => "facter.json",
    };
    let default = inputs.around.has_host_dir.then(|| format!("{folder}/{name}"));
    let file = bootstrap.hardware_file.as_deref().map(inside_flake).or(default)?;
    Some(PlannedHardware { generator, file })
}

fn sync(inputs: &Inputs<'_>, target: &PlannedTarget) -> Vec<PlannedSync> {
    let Some(flake) = &inputs.around.flake_dir else { return Vec::new() };
    let home = target.primary_user.home();
    let to = match inputs.facts.bootstrap.nix_config_path.as_deref() {
        None => format!("{home}/nix-config"),
        Some(path) => match path.strip_prefix("~/") {
            Some(rest) => format!("{home}/{rest}"),
            None if path.starts_with('/') => path.to_owned(),
            None => format!("{home}/{path}"),
        },
    };
    let from = flake.to_string_lossy().into_owned();
    let mut repos = vec![PlannedSync { from, to: to.clone() }];
    if let Some(secrets) = &inputs.around.secrets_repo
        && let Some(name) = secrets.path.file_name()
        && let Some(parent) = Path::new(&to).parent()
    {
        let from = secrets.path.to_string_lossy().into_owned();
        repos.push(PlannedSync { from, to: parent.join(name).to_string_lossy().into_owned() });
    }
    repos
}

/// SHA-256 over what an interrupted run and its continuation must agree on.
fn digest(inputs: &Inputs<'_>, plan: &Plan) -> String {
    let disks: Vec<Value> = inputs
        .installed
        .disko
        .disks
        .iter()
        .map(|disk| {
            let live = live(inputs.probe, &disk.device).map(|live| {
                json!({ "model": live.model, "serial": live.serial, "size": live.size })
            });
            json!({ "name": disk.name, "device": disk.device, "content": disk.content, "live": live })
        })
        .collect();
    let agreed = json!({
        "host": plan.host,
        "disks": disks,
        "stacked": plan.stacked,
        "encryption": plan.encryption,
        "persistDir": plan.system.persist_dir,
        "via": plan.system.via,
        "native": plan.system.engine == Engine::Native,
    });
    let bytes = Sha256::digest(sorted(agreed).to_string());
    data_encoding::HEXLOWER.encode(&bytes)
}

/// The same value with the keys of all objects in order, so that its text is canonical.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let ordered: BTreeMap<String, Value> =
                map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(ordered.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        plain => plain,
    }
}

/// Will `phase` be carried out?
pub(super) fn runs(plan: &Plan, phase: Phase) -> bool {
    plan.phase(phase).is_some_and(|planned| planned.action == super::plan::Action::Run)
}

#[cfg(test)]
mod tests;
