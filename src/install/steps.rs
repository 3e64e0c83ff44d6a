//! What becomes of every phase, and what it will change where.

use std::collections::BTreeSet;

use super::decide::Inputs;
use super::options::{Engine, RebuildOn, Via};
use super::phase::Phase;
use super::phases::OVERRIDE_VARIABLE;
use super::plan::{
    Action, HostKeySource, PassphraseSource, Plan, PlannedDisk, PlannedPhase, PlannedRecovery,
    PlannedRecoveryKey, PlannedSecrets,
};
use super::size::human;
use crate::facts::{Boot, HardwareGenerator, HostFacts};
use crate::validated::StorePath;

/// Every phase of a run, in order.
pub(super) fn phases(inputs: &Inputs<'_>, plan: &Plan) -> Vec<PlannedPhase> {
    let planned = Phase::ALL.into_iter().map(|phase| {
        let action = action(inputs, plan, phase);
        let changes = match action {
            Action::Run => changes(inputs, plan, phase),
            Action::Done | Action::Skip { .. } => Vec::new(),
        };
        PlannedPhase { phase, action, changes }
    });
    planned.collect()
}

fn action(inputs: &Inputs<'_>, plan: &Plan, phase: Phase) -> Action {
    let selection = &inputs.options.phases;
    if phase != Phase::Preflight && inputs.around.done.contains(&phase) {
        return Action::Done;
    }
    if !selection.wants(phase) {
        let flag = if selection.skip.contains(&phase) { "--skip" } else { "--only" };
        return Action::Skip { reason: format!("not wanted ({flag})") };
    }
    match idle(inputs, plan, phase) {
        Some(reason) => Action::Skip { reason: reason.to_owned() },
        None => Action::Run,
    }
}

/// Why `phase` has nothing to do, though it is wanted.
fn idle(inputs: &Inputs<'_>, plan: &Plan, phase: Phase) -> Option<&'static str> {
    let no_folder = inputs.around.flake_dir.is_none();
    match phase {
        Phase::Secrets if super::secrets_around::out_of_reach(inputs) => {
            Some("no .sops.yaml of the host's secrets on this machine")
        }
        Phase::Secrets if plan.secrets.is_none() => Some("not configured"),
        Phase::Lock if plan.secrets.as_ref().is_none_or(|secrets| secrets.input.is_none()) => {
            Some("not configured")
        }
        Phase::Kexec if inputs.probe.installer => Some("the target already runs an installer"),
        Phase::Kexec if !kexec_chosen(inputs) => Some("only --engine nixos-anywhere can do it"),
        Phase::Hardware | Phase::Sync | Phase::Commit if no_folder => {
            Some("the flake is no folder of this machine")
        }
        Phase::Hardware if plan.hardware.is_none() => {
            Some("no place for the file: set bootstrap.hardware.file, or make hosts/HOST")
        }
        Phase::Rebuild if plan.system.via == Via::Full => {
            Some("the full system is installed at once")
        }
        Phase::Recovery if plan.encryption.is_empty() => Some("nothing is encrypted"),
        Phase::Recovery if !inputs.options.luks_recovery => Some("only with --luks-recovery"),
        Phase::Recovery if plan.recovery.is_none() => Some("no secrets file to keep keys in"),
        // The secrets may be in a repo of their own.
        Phase::Commit
            if inputs.around.tracked.is_none()
                && plan.secrets.is_none()
                && plan.recovery.is_none() =>
        {
            Some("the flake's folder is no git work tree")
        }
        _ => None,
    }
}

/// Only nixos-anywhere brings an installer that a running system can be replaced by.
fn kexec_chosen(inputs: &Inputs<'_>) -> bool {
    inputs.options.engine == Engine::NixosAnywhere
}

fn changes(inputs: &Inputs<'_>, plan: &Plan, phase: Phase) -> Vec<String> {
    match phase {
        Phase::Preflight => vec!["nothing: evaluates, looks at the target, asks".to_owned()],
        Phase::Hostkey => vec![hostkey(plan)],
        Phase::Secrets => secrets(plan),
        Phase::Lock => plan.secrets.iter().filter_map(lock).collect(),
        Phase::Kexec => {
            let os = plan.machine.os.as_deref().unwrap_or("the running system");
            vec![format!("target: starts an installer in memory in place of {os}")]
        }
        Phase::Hardware => hardware(plan),
        Phase::Disko => disko(plan),
        Phase::Install => install(inputs, plan),
        Phase::Reboot => vec!["target: unmounts the disks and restarts from them".to_owned()],
        Phase::Verify => verify(plan),
        Phase::Recovery => plan.recovery.iter().flat_map(recovery).collect(),
        Phase::Sync => {
            let repos = plan.sync.iter();
            let mut lines: Vec<String> =
                repos.map(|repo| format!("target: {} to {}", repo.from, repo.to)).collect();
            let users: Vec<&str> = plan.forge_users.iter().map(AsRef::as_ref).collect();
            if !users.is_empty() {
                let forges = crate::remote::forges::names().join(", ");
                lines.push(format!(
                    "target: {} know the keys that {forges} publish",
                    users.join(", ")
                ));
            }
            lines
        }
        Phase::Rebuild => rebuild(inputs, plan),
        Phase::Commit => {
            let push = if inputs.options.push { ", and pushes" } else { "" };
            vec![format!("this machine: commits the files that this run wrote{push}")]
        }
    }
}

fn hostkey(plan: &Plan) -> String {
    let kinds: Vec<&str> = plan.host_keys.iter().map(|key| key.kind.as_str()).collect();
    let (kinds, plural) = (kinds.join(" and "), if kinds.len() == 1 { "" } else { "s" });
    let end = "in a private directory, gone at the end";
    let from = match &plan.host_key_source {
        HostKeySource::New => {
            return format!("this machine: makes the host's {kinds} key pair{plural} {end}");
        }
        HostKeySource::OldSystem { machine: None } => "the system that runs there".to_owned(),
        HostKeySource::OldSystem { machine: Some(machine) } => machine.to_string(),
        HostKeySource::Secrets { folder, file, path } => {
            format!("{folder}/{file}, {}", path.join("/"))
        }
    };
    format!("this machine: takes the host's {kinds} key{plural} from {from} {end}")
}

fn secrets(plan: &Plan) -> Vec<String> {
    let Some(secrets) = &plan.secrets else { return Vec::new() };
    let (folder, name) = (&secrets.folder, &secrets.name);
    let files: Vec<&str> = secrets.files.iter().map(|file| file.path.as_str()).collect();
    let mut lines = vec![
        format!("this machine: {folder}/.sops.yaml gets the age key of {name}"),
        format!("this machine: encrypts {} for it, opens them with it alone", files.join(", ")),
    ];
    if let Some(key) = &secrets.user_key {
        let place = key.path.join("/");
        lines.push(format!("this machine: makes the age key {place} in {}, if missing", key.file));
    }
    lines
}

fn recovery(planned: &PlannedRecovery) -> Vec<String> {
    let kept = |key: &PlannedRecoveryKey| {
        let (place, file) = (key.path.join("/"), &planned.file);
        format!("this machine: makes the recovery key {place} in {file}, if missing")
    };
    let added = |key: &PlannedRecoveryKey| {
        format!("target: adds the recovery key to {}, beside its passphrase", key.container)
    };
    planned.keys.iter().map(kept).chain(planned.keys.iter().map(added)).collect()
}

fn lock(secrets: &PlannedSecrets) -> Option<String> {
    let input = secrets.input.as_ref()?;
    Some(format!("this machine: builds take the input {input} from {}", secrets.folder))
}

fn hardware(plan: &Plan) -> Vec<String> {
    let Some(hardware) = &plan.hardware else { return Vec::new() };
    let program = program(hardware.generator);
    vec![format!("this machine: writes {}, made by {program} on the target", hardware.file)]
}

/// The generator's program.
pub(super) fn program(generator: HardwareGenerator) -> &'static str {
    match generator {
        HardwareGenerator::NixosGenerateConfig => "nixos-generate-config",
        HardwareGenerator::NixosFacter => "nixos-facter",
    }
}

fn disko(plan: &Plan) -> Vec<String> {
    let mut lines: Vec<String> = plan.disks.iter().map(erased).collect();
    for container in &plan.encryption {
        let source = match container.passphrase {
            PassphraseSource::OneTime => "a one-time passphrase, shown after the restart",
            PassphraseSource::Asked => "a passphrase that is asked before the first change",
        };
        lines.push(format!("target: encrypts {} with {source}", container.name));
    }
    lines
}

fn erased(disk: &PlannedDisk) -> String {
    let made = match disk.layout.len() {
        0 => "formats it".to_owned(),
        1 => "makes 1 partition".to_owned(),
        count => format!("makes {count} partitions"),
    };
    let what = disk.live.as_ref().map(|live| {
        let serial = live.serial.as_ref().map(|s| format!(", serial {s}")).unwrap_or_default();
        format!(" ({}{serial})", human(live.size))
    });
    format!("{}{}: erases everything, {made}", disk.device, what.unwrap_or_default())
}

fn install(inputs: &Inputs<'_>, plan: &Plan) -> Vec<String> {
    let which = match plan.system.via {
        Via::Minimal => "the minimal system",
        Via::Full => "the full system",
    };
    let name = plan.system.install.as_ref().map(|toplevel| store_name(&toplevel.out_path));
    let keys: Vec<&str> =
        plan.host_keys.iter().flat_map(|key| &key.paths).map(AsRef::as_ref).collect();
    let loader = loader(&inputs.installed.boot);
    vec![
        format!("target: copies {which}{} to /mnt", name.unwrap_or_default()),
        format!("target: places the host key at {}", keys.join(" and ")),
        format!("target: makes it start with {loader}"),
    ]
}

/// The name of a store path, for people, in brackets.
fn store_name(path: &StorePath) -> String {
    let base = path.as_str().rsplit('/').next().unwrap_or_default();
    base.split_once('-').map(|(_, name)| format!(" ({name})")).unwrap_or_default()
}

fn loader(boot: &Boot) -> String {
    if boot.systemd_boot {
        "systemd-boot".to_owned()
    } else if boot.grub {
        "GRUB".to_owned()
    } else if boot.other.is_empty() {
        "the boot loader of its configuration".to_owned()
    } else {
        boot.other.join(", ")
    }
}

fn verify(plan: &Plan) -> Vec<String> {
    let target = &plan.target;
    let names: BTreeSet<&str> = [target.address.as_str(), plan.host.as_str()].into();
    let names: Vec<&str> = names.into_iter().collect();
    vec![
        "target: nothing; checks boot, host key, system and units".to_owned(),
        format!(
            "this machine: known_hosts forgets the old keys of {} and gets the new one",
            names.join(" and ")
        ),
    ]
}

fn rebuild(inputs: &Inputs<'_>, plan: &Plan) -> Vec<String> {
    let how = match (plan.system.rebuild_on, command(inputs.facts)) {
        (RebuildOn::Here, _) => "built here and copied".to_owned(),
        (RebuildOn::Target, Some(command)) => format!("built there by `{command}`"),
        (RebuildOn::Target, None) => "built there".to_owned(),
    };
    let mut lines = vec![format!("target: switches to the full configuration, {how}")];
    let input = plan.secrets.as_ref().and_then(|secrets| secrets.input.as_ref());
    if let (RebuildOn::Target, Some(_), Some(input)) =
        (plan.system.rebuild_on, command(inputs.facts), input)
    {
        lines.push(format!(
            "target: that command finds the flags that replace the input {input} in \
             ${OVERRIDE_VARIABLE}"
        ));
    }
    lines
}

fn command(facts: &HostFacts) -> Option<&str> {
    facts.bootstrap.rebuild_command.as_deref()
}
