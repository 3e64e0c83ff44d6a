//! What the user should know, though the plan may be carried out.

use std::path::Path;

use super::decide::{Inputs, root_may_log_in, runs};
use super::options::{RebuildOn, Via};
use super::phase::Phase;
use super::plan::{Plan, PlannedDisk};
use super::refuse::{left_by_us, stable_name};
use crate::facts::{Content, Disko, HostFacts, KeySource};
use crate::remote::Firmware;
use crate::secrets::sops_rules::Rules;

/// The warnings, the most important first.
pub(super) fn warnings(inputs: &Inputs<'_>, plan: &Plan) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(differing(inputs, plan));
    for disk in &plan.disks {
        found.extend(unstable_name(disk));
        found.extend(still_mounted(inputs, plan, disk));
    }
    found.extend(unmounted(inputs, plan));
    found.extend(bios_loader(inputs));
    found.extend(super::boot_loader::warnings(inputs, plan));
    found.extend(login(inputs, plan));
    found.extend(hardware(inputs, plan));
    found.extend(rebuild(inputs, plan));
    found.extend(key_files(inputs, plan));
    found.extend(hostkey(plan));
    found.extend(super::host_keys::warnings(inputs, plan));
    found.extend(super::secrets_around::warnings(inputs, plan));
    found.extend(secrets(inputs));
    found.extend(inputs.around.notes.iter().cloned());
    found
}

/// Two lists of disks drift apart; what is installed must be what boots.
fn differing(inputs: &Inputs<'_>, plan: &Plan) -> Option<String> {
    let minimal = inputs.minimal.filter(|_| plan.system.via == Via::Minimal)?;
    let (small, full) = (&minimal.disko, &inputs.facts.disko);
    let describes_none = full.disks.is_empty();
    let differ: Vec<&str> = small
        .disks
        .iter()
        .filter(|disk| !full.disks.contains(disk))
        .map(|disk| disk.name.as_str())
        .chain(
            full.disks
                .iter()
                .map(|disk| disk.name.as_str())
                .filter(|name| !small.disks.iter().any(|disk| disk.name == *name)),
        )
        .collect();
    (!describes_none && !differ.is_empty()).then(|| {
        format!(
            "the minimal configuration describes {} other than the full one does: the full system \
             may not find its disks; the layout below is the minimal one's",
            listed("disk", &differ)
        )
    })
}

fn listed(what: &str, names: &[&str]) -> String {
    let plural = if names.len() == 1 { "" } else { "s" };
    format!("the {what}{plural} {}", names.join(", "))
}

/// Kernel names are given in the order in which disks are found, which may change.
fn unstable_name(disk: &PlannedDisk) -> Option<String> {
    let name = disk.device.as_str().strip_prefix("/dev/")?;
    let kernel = ["sd", "hd", "vd", "nvme", "mmcblk"].iter().any(|start| name.starts_with(start));
    let live = disk.live.as_ref().filter(|_| kernel && !name.contains('/'))?;
    let stable = stable_name(live);
    (stable != live.path).then(|| {
        format!(
            "{} may be another disk after the next boot; {stable} stays the same \
             (disko.devices.disk.{}.device)",
            disk.device, disk.name
        )
    })
}

fn still_mounted(inputs: &Inputs<'_>, plan: &Plan, disk: &PlannedDisk) -> Option<String> {
    let places = disk.live.as_ref()?.mounted_at();
    let left = !places.is_empty() && left_by_us(inputs, &places);
    (left && runs(plan, Phase::Disko)).then(|| {
        format!("{} is still in use below /mnt by the interrupted run; it is released", disk.device)
    })
}

/// A layout without a place for `/` or for the boot loader.
fn unmounted(inputs: &Inputs<'_>, plan: &Plan) -> Vec<String> {
    let mounts = mounted(&inputs.installed.disko);
    let mut found = Vec::new();
    if plan.disks.is_empty() || !runs(plan, Phase::Disko) {
        return found;
    }
    if !mounts.contains(&"/") {
        found.push("nothing in disko.devices is mounted at /".to_owned());
    }
    let boot = &inputs.installed.boot;
    let esp = boot.esp_mountpoint.as_deref().unwrap_or("/boot");
    if boot.efi_only() && !mounts.contains(&esp) {
        found.push(format!(
            "the boot loader is installed to {esp}, but nothing in disko.devices is mounted there"
        ));
    }
    found
}

/// Every mount point of a layout.
pub(super) fn mounted(disko: &Disko) -> Vec<&str> {
    let mut mounts = Vec::new();
    let contents = disko.disks.iter().filter_map(|disk| disk.content.as_ref());
    let volumes = disko.volume_groups.iter().flat_map(|group| &group.volumes);
    let volumes = volumes.filter_map(|volume| volume.content.as_ref());
    let raids = disko.raids.iter().filter_map(|raid| raid.content.as_ref());
    for content in contents.chain(volumes).chain(raids) {
        mount_points(content, &mut mounts);
    }
    let datasets = disko.pools.iter().flat_map(|pool| &pool.datasets);
    mounts.extend(datasets.filter_map(|dataset| dataset.mountpoint.as_deref()));
    mounts.extend(disko.nodev.iter().map(|mount| mount.mountpoint.as_str()));
    mounts
}

fn mount_points<'a>(content: &'a Content, mounts: &mut Vec<&'a str>) {
    match content {
        Content::Gpt { partitions } => {
            for content in partitions.iter().filter_map(|part| part.content.as_ref()) {
                mount_points(content, mounts);
            }
        }
        Content::Filesystem(fs) => mounts.extend(fs.mountpoint.as_deref()),
        Content::Btrfs(btrfs) => {
            mounts.extend(btrfs.mountpoint.as_deref());
            mounts
                .extend(btrfs.subvolumes.iter().filter_map(|volume| volume.mountpoint.as_deref()));
        }
        Content::Luks { content: Some(inner), .. } => mount_points(inner, mounts),
        _ => {}
    }
}

fn bios_loader(inputs: &Inputs<'_>) -> Option<String> {
    let boot = &inputs.installed.boot;
    let bios_only = boot.grub && !boot.grub_efi && !boot.systemd_boot && boot.other.is_empty();
    (inputs.probe.firmware == Firmware::Uefi && bios_only).then(|| {
        "the machine was started by UEFI firmware, but the configured GRUB is for BIOS: it only \
         boots where the firmware has a compatibility mode"
            .to_owned()
    })
}

fn login(inputs: &Inputs<'_>, plan: &Plan) -> Option<String> {
    let after = [Phase::Verify, Phase::Recovery, Phase::Sync, Phase::Rebuild];
    let after: Vec<&str> =
        after.into_iter().filter(|phase| runs(plan, *phase)).map(Phase::name).collect();
    if after.is_empty() {
        return None;
    }
    let (phases, user) = (after.join(", "), &plan.target.installed_user);
    if !inputs.installed.ssh.enable {
        return Some(format!(
            "services.openssh.enable is false: after the restart {phases} can't log in"
        ));
    }
    let no = |facts: &HostFacts| !root_may_log_in(facts);
    if no(inputs.installed) && user.as_str() == "root" {
        return Some(format!(
            "services.openssh.settings.PermitRootLogin is \"no\" and no other user is known: {phases} \
             can't log in; name one with --user"
        ));
    }
    if no(inputs.installed) {
        return Some(format!(
            "services.openssh.settings.PermitRootLogin is \"no\": {phases} log in as {user}, who \
             needs sudo without a password"
        ));
    }
    let locked_out = no(inputs.facts) && runs(plan, Phase::Rebuild);
    locked_out.then(|| {
        "services.openssh.settings.PermitRootLogin is \"no\" in the full configuration: after \
         rebuild root can't log in any more"
            .to_owned()
    })
}

fn hardware(inputs: &Inputs<'_>, plan: &Plan) -> Option<String> {
    let file = &plan.hardware.as_ref()?.file;
    let tracked = inputs.around.tracked.as_ref()?;
    let there = inputs.around.hardware_files.contains(file);
    if tracked.contains(file) || !there {
        return None;
    }
    let then = if runs(plan, Phase::Hardware) {
        "the phase hardware writes it anew and makes it known"
    } else {
        "make it known with `git add --intent-to-add`"
    };
    Some(format!("git does not track {file}, so the flake does not see it; {then}"))
}

fn rebuild(inputs: &Inputs<'_>, plan: &Plan) -> Option<String> {
    let there = plan.system.rebuild_on == RebuildOn::Target && runs(plan, Phase::Rebuild);
    let synced = runs(plan, Phase::Sync) || inputs.around.done.contains(&Phase::Sync);
    (there && !synced).then(|| {
        "rebuild takes the flake from the target, but sync does not bring it there".to_owned()
    })
}

/// A key file opens the disk at boot only if it is still there.
fn key_files(inputs: &Inputs<'_>, plan: &Plan) -> Vec<String> {
    let containers = inputs.installed.encryption.iter().filter_map(|container| match &container.key {
        KeySource::KeyFile { path } if runs(plan, Phase::Disko) => Some(format!(
            "{} opens with the key file {path} at boot, too: it gets a one-time key now, so add \
             your own before the next boot, or the machine asks on its console",
            container.name
        )),
        _ => None,
    });
    containers.collect()
}

fn hostkey(plan: &Plan) -> Option<String> {
    let left_out = plan
        .phase(Phase::Hostkey)
        .is_some_and(|planned| matches!(planned.action, super::plan::Action::Skip { .. }));
    (left_out && runs(plan, Phase::Install)).then(|| {
        "without the phase hostkey the host makes its own keys, which nothing here can know"
            .to_owned()
    })
}

/// Secrets files that no rule covers: sops will not encrypt them for the new host.
fn secrets(inputs: &Inputs<'_>) -> Vec<String> {
    let files = secret_files(inputs.facts);
    let repo = inputs.around.secrets_repo.as_ref();
    if files.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut rules = Vec::new();
    let texts = [
        ("the secrets repo's", repo.and_then(|repo| repo.sops_yaml.as_deref())),
        ("the flake's", inputs.around.sops_yaml.as_deref()),
    ];
    for (whose, text) in texts {
        match text.map(Rules::parse) {
            Some(Ok(parsed)) => rules.push(parsed),
            Some(Err(error)) => found.push(format!("{whose} .sops.yaml: {error}")),
            None => {}
        }
    }
    if rules.is_empty() {
        if let Some(repo) = repo.filter(|repo| repo.sops_yaml.is_none()) {
            found.push(format!("{} has no .sops.yaml", repo.path.display()));
        }
        return found;
    }
    for file in files {
        if !rules.iter().any(|rules| rules.covering(&file).is_some()) {
            found.push(format!("no rule of .sops.yaml covers {file}: sops can't rekey it"));
        }
    }
    found
}

/// Every secrets file that the host wants, relative to its repo: an evaluated path has the repo's
/// place in the store in front.
fn secret_files(facts: &HostFacts) -> Vec<String> {
    let of_sops = facts.sops.iter().flat_map(|sops| {
        sops.default_file
            .iter()
            .chain(sops.secrets.iter().filter_map(|secret| secret.file.as_ref()))
    });
    let mut files: Vec<String> = Vec::new();
    for file in of_sops.chain(&facts.bootstrap.secrets_file) {
        let inside = file.strip_prefix("/nix/store/").and_then(|rest| rest.split_once('/'));
        let relative = match inside {
            Some((_, relative)) => relative,
            // A file that was copied into the store alone, or one outside of any repo.
            None if Path::new(file).is_absolute() => continue,
            None => file.strip_prefix("./").unwrap_or(file),
        };
        if !files.iter().any(|known| known == relative) {
            files.push(relative.to_owned());
        }
    }
    files
}

#[cfg(test)]
mod tests;
