//! The host's ssh keys in the plan: of which kinds, where they are placed, where they come from, and whether the
//! host will look for them there.

use std::path::Path;

use super::decide::{Inputs, persist_dir, runs};
use super::options::ReuseHostKey;
use super::phase::Phase;
use super::plan::{HostKeySource, Plan, PlannedHostKey, Refusal};
use super::refuse::refusal;
use super::surroundings::inside_flake;
use crate::facts::SshHostKey;
use crate::validated::AbsolutePath;

/// The kinds that can be made here. Each host gets the first: its secrets are encrypted for it.
pub(super) const KINDS: [&str; 2] = ["ed25519", "rsa"];

/// Where copies of host keys are kept in a secrets file, unless said otherwise: below it the host, then the kind.
pub const PLACE: &str = "ssh_host_keys";

/// Where sshd looks for a key by default.
pub(super) fn default_path(kind: &str) -> String {
    format!("/etc/ssh/ssh_host_{kind}_key")
}

/// The keys with the paths of both configurations: the minimal one proves itself with the key that stays.
pub(super) fn planned(inputs: &Inputs<'_>) -> Vec<PlannedHostKey> {
    let planned = KINDS.into_iter().filter_map(|kind| {
        let mut paths: Vec<AbsolutePath> = Vec::new();
        for key in configured(inputs).filter(|key| key.kind == kind) {
            if !paths.contains(&key.path) {
                paths.push(key.path.clone());
            }
        }
        if paths.is_empty() && kind == "ed25519" {
            paths.extend(default_path(kind).parse::<AbsolutePath>());
        }
        if let Some(persist) = persist_dir(inputs) {
            for path in paths.clone() {
                let copy = path.moved_below(persist);
                if !path.is_below(persist) && !paths.contains(&copy) {
                    paths.push(copy);
                }
            }
        }
        (!paths.is_empty()).then(|| PlannedHostKey { kind: kind.to_owned(), paths })
    });
    planned.collect()
}

fn configured<'a>(inputs: &'a Inputs<'_>) -> impl Iterator<Item = &'a SshHostKey> {
    [inputs.facts, inputs.installed].into_iter().flat_map(|facts| &facts.ssh.host_keys)
}

/// Where they come from.
pub(super) fn source(inputs: &Inputs<'_>) -> HostKeySource {
    match &inputs.options.reuse_host_key {
        None => HostKeySource::New,
        Some(ReuseHostKey::Target) => HostKeySource::OldSystem { machine: None },
        Some(ReuseHostKey::Machine(machine)) => {
            HostKeySource::OldSystem { machine: Some(machine.clone()) }
        }
        Some(ReuseHostKey::Secrets) => copy(inputs).unwrap_or(HostKeySource::New),
    }
}

/// The encrypted copy: in the file that keys are kept in, of the folder with the host's secrets.
fn copy(inputs: &Inputs<'_>) -> Option<HostKeySource> {
    let around = inputs.around;
    let of_repo = || around.secrets_repo.as_ref().map(|repo| &repo.path);
    let folder = around.secrets.as_ref().map(|found| &found.folder).or_else(of_repo)?;
    let bootstrap = &inputs.facts.bootstrap;
    let file =
        bootstrap.secrets_file.as_deref().map_or_else(|| "secrets.yaml".to_owned(), inside_flake);
    let host = inputs.options.host.as_str();
    let place = bootstrap.secrets_host_key_path.clone();
    let place = place.unwrap_or_else(|| format!("{PLACE}/{host}"));
    Some(HostKeySource::Secrets {
        folder: folder.to_string_lossy().into_owned(),
        file,
        path: place.split('/').map(str::to_owned).collect(),
    })
}

/// Why the host would not have the keys that it looks for.
pub(super) fn refusals(inputs: &Inputs<'_>, plan: &Plan) -> Vec<Refusal> {
    let mut found = Vec::new();
    if runs(plan, Phase::Hostkey) {
        found.extend(other_kind(inputs, plan));
        found.extend(no_source(inputs, plan));
    }
    if runs(plan, Phase::Install) {
        found.extend(lost(inputs, plan));
        found.extend(sops_looks_elsewhere(inputs, plan));
    }
    found
}

/// sshd would make such a key at its first start, unknown to everybody.
fn other_kind(inputs: &Inputs<'_>, plan: &Plan) -> Option<Refusal> {
    let other = configured(inputs).find(|key| !KINDS.contains(&key.kind.as_str()))?;
    Some(refusal(
        "host-key-kind",
        format!(
            "services.openssh.hostKeys of {} has a key of the type {:?} ({}), which can't be made here",
            plan.host, other.kind, other.path
        ),
        format!("take it out of services.openssh.hostKeys: {} are made", KINDS.join(" and ")),
    ))
}

fn no_source(inputs: &Inputs<'_>, plan: &Plan) -> Option<Refusal> {
    let elsewhere = "name another machine (--reuse-host-key=[USER@]ADDRESS[:PORT]), or take the copy in \
                     the secrets (--reuse-host-key=secrets)";
    match &inputs.options.reuse_host_key {
        Some(ReuseHostKey::Target) if inputs.probe.installer => Some(refusal(
            "no-old-system",
            format!(
                "--reuse-host-key takes the key from the system that runs at {}, but that is an installer",
                plan.target.address
            ),
            format!("start the old system for it (with --engine nixos-anywhere), {elsewhere}"),
        )),
        Some(ReuseHostKey::Secrets) if plan.host_key_source == HostKeySource::New => Some(refusal(
            "no-host-key-copy",
            "--reuse-host-key=secrets takes a copy from the secrets, but there is no folder of secrets here",
            "set bootstrap.secrets.repo, or put the repo beside the flake as nix-secrets",
        )),
        _ => None,
    }
}

/// A key whose every place is in memory is gone with the restart, and sshd makes one that nobody knows.
fn lost(inputs: &Inputs<'_>, plan: &Plan) -> Option<Refusal> {
    let disko = &inputs.installed.disko;
    let mounts = super::warn::mounted(disko);
    let in_memory = |path: &AbsolutePath| {
        let holding = mounts.iter().filter(|mount| Path::new(path.as_str()).starts_with(mount));
        let mount = holding.max_by_key(|mount| mount.len())?;
        let nodev = disko.nodev.iter().find(|nodev| nodev.mountpoint == **mount)?;
        ["tmpfs", "ramfs"].contains(&nodev.fs_type.as_str()).then_some(*mount)
    };
    let key = plan.host_keys.iter().find(|key| {
        !key.paths.is_empty() && key.paths.iter().all(|path| in_memory(path).is_some())
    })?;
    let (path, mount) = key.paths.iter().find_map(|path| Some((path, in_memory(path)?)))?;
    Some(refusal(
        "host-key-lost",
        format!(
            "the {} host key would be placed at {path}, but {mount} is in memory (disko.devices.nodev): it \
             is gone after the restart",
            key.kind
        ),
        "set bootstrap.persistDir to a directory that stays (or give --impermanence=DIR), or name one in \
         services.openssh.hostKeys",
    ))
}

/// sops-nix decrypts with the keys of `sops.age.sshKeyPaths`: one of them must be the key that is placed.
fn sops_looks_elsewhere(inputs: &Inputs<'_>, plan: &Plan) -> Option<Refusal> {
    let sops = inputs.facts.sops.as_ref().filter(|sops| !sops.secrets.is_empty())?;
    let looked: &[String] = &sops.age_ssh_key_paths;
    let placed = ed25519(plan)?;
    if looked.is_empty()
        || placed.paths.iter().any(|path| looked.iter().any(|l| *l == path.as_str()))
    {
        return None;
    }
    let there: Vec<&str> = placed.paths.iter().map(AsRef::as_ref).collect();
    Some(refusal(
        "sops-key-path",
        format!(
            "{} looks for the key of its secrets at {} (sops.age.sshKeyPaths), but its ed25519 key is \
             placed at {} (services.openssh.hostKeys, bootstrap.persistDir)",
            plan.host,
            looked.join(" and "),
            there.join(" and ")
        ),
        format!(
            "set sops.age.sshKeyPaths = [ {:?} ], or change services.openssh.hostKeys",
            there.last().unwrap_or(&"")
        ),
    ))
}

fn ed25519(plan: &Plan) -> Option<&PlannedHostKey> {
    plan.host_keys.iter().find(|key| key.kind == "ed25519")
}

/// What the user should know of them.
pub(super) fn warnings(inputs: &Inputs<'_>, plan: &Plan) -> Vec<String> {
    let mut found = Vec::new();
    let Some(sops) = inputs.facts.sops.as_ref().filter(|sops| !sops.secrets.is_empty()) else {
        return found;
    };
    if !runs(plan, Phase::Install) {
        return found;
    }
    if let Some(persist) = persist_dir(inputs) {
        let below =
            |path: &String| path.parse().is_ok_and(|path: AbsolutePath| path.is_below(persist));
        if !sops.age_ssh_key_paths.is_empty() && !sops.age_ssh_key_paths.iter().any(below) {
            found.push(format!(
                "none of sops.age.sshKeyPaths is below {persist} (bootstrap.persistDir): secrets are \
                 decrypted before what is kept there is mounted elsewhere, unless that has neededForBoot"
            ));
        }
    }
    if let (true, Some(file)) = (sops.age_ssh_key_paths.is_empty(), &sops.age_key_file) {
        found.push(format!(
            "sops.age.sshKeyPaths is empty: {} opens its secrets with {file} (sops.age.keyFile), which \
             this run does not place",
            plan.host
        ));
    }
    found
}
