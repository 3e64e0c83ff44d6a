//! Every reason why a plan must not be carried out. Only reasons that touch a phase which will run:
//! on the way after an interruption a disk is mounted, and rightly so.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use super::decide::{Inputs, runs};
use super::layout::{LUKS_HEADER, Problem, SwapfileRoom, swapfiles};
use super::options::{Engine, Via};
use super::phase::Phase;
use super::plan::{Plan, PlannedDisk, Refusal};
use super::size::{bytes, human};
use super::steps::program;
use crate::facts::{Content, HostFacts};
use crate::remote::{LiveDisk, LiveNode, Privilege, Probe};

/// The reasons, in the order in which a person wants to hear them.
pub(super) fn refusals(inputs: &Inputs<'_>, plan: &Plan) -> Vec<Refusal> {
    let mut found = Vec::new();
    found.extend(address(inputs));
    found.extend(minimal(inputs, plan));
    found.extend(architecture(inputs, plan));
    found.extend(installer(inputs, plan));
    found.extend(privilege(inputs, plan));
    found.extend(programs(inputs, plan));
    found.extend(outputs(inputs, plan));
    found.extend(hardware_file(plan));
    found.extend(super::host_keys::refusals(inputs, plan));
    if runs(plan, Phase::Disko) {
        found.extend(no_disks(inputs, plan));
        for disk in &plan.disks {
            found.extend(device(inputs, plan, disk));
            // The size of a disk that will not be taken is beside the point.
            let boots = disk.live.as_ref().is_some_and(|live| live.boot_medium);
            if !boots || runs(plan, Phase::Kexec) {
                found.extend(layout(inputs, disk));
                found.extend(swap(inputs, disk));
            }
        }
        found.extend(twice(plan));
        found.extend(volumes(plan));
        found.extend(super::disk_keys::refusals(inputs, plan));
    }
    if runs(plan, Phase::Install) {
        found.extend(super::boot_loader::refusals(inputs, plan));
    }
    if runs(plan, Phase::Secrets) {
        found.extend(super::secrets_around::refusals(inputs));
    }
    found.extend(super::recovery::refusal(inputs, plan));
    found
}

pub(super) fn refusal(code: &str, reason: impl Into<String>, hint: impl Into<String>) -> Refusal {
    Refusal { code: code.to_owned(), reason: reason.into(), hint: hint.into() }
}

fn address(inputs: &Inputs<'_>) -> Option<Refusal> {
    let known = inputs.options.target.is_some() || inputs.facts.target.host.is_some();
    (!known).then(|| {
        refusal(
            "no-address",
            format!("nothing says where {} is reached", inputs.options.host),
            "give its address with --target, or set bootstrap.target.host",
        )
    })
}

fn minimal(inputs: &Inputs<'_>, plan: &Plan) -> Option<Refusal> {
    let missing = plan.system.via == Via::Minimal && inputs.minimal.is_none();
    missing.then(|| {
        refusal(
            "no-minimal",
            format!("the flake has no minimal configuration of {}", plan.host),
            "install the full one with --via full, or add the host to nixos-installer/flake.nix",
        )
    })
}

fn architecture(inputs: &Inputs<'_>, plan: &Plan) -> Option<Refusal> {
    let system = &inputs.installed.system;
    let wanted = system.split('-').next().unwrap_or(system);
    let there = inputs.probe.architecture.as_str();
    let fits = match wanted {
        "i686" => matches!(there, "i386" | "i486" | "i586" | "i686" | "x86_64"),
        "aarch64" => matches!(there, "aarch64" | "arm64"),
        "armv6l" => matches!(there, "armv6l" | "armv7l" | "armv8l" | "aarch64"),
        "armv7l" => matches!(there, "armv7l" | "armv8l" | "aarch64"),
        "powerpc64le" => there == "ppc64le",
        other => other == there,
    };
    let matters = [Phase::Kexec, Phase::Disko, Phase::Install, Phase::Rebuild];
    (!fits && matters.iter().any(|phase| runs(plan, *phase))).then(|| {
        refusal(
            "wrong-architecture",
            format!("{} is configured for {system}, but the machine is {there}", plan.host),
            "set nixpkgs.hostPlatform (or the system of nixosSystem), or check the address",
        )
    })
}

fn installer(inputs: &Inputs<'_>, plan: &Plan) -> Option<Refusal> {
    let needed = [Phase::Hardware, Phase::Disko, Phase::Install];
    let needed = needed.into_iter().any(|phase| runs(plan, phase));
    if inputs.probe.installer || !needed || runs(plan, Phase::Kexec) {
        return None;
    }
    let os = inputs.probe.os_name.as_deref().unwrap_or("an unknown system");
    Some(refusal(
        "no-installer",
        format!("the target runs {os}, which is no NixOS installer"),
        "start it from an installer image, or let --engine nixos-anywhere start one by kexec",
    ))
}

fn privilege(inputs: &Inputs<'_>, plan: &Plan) -> Option<Refusal> {
    let needed = [Phase::Kexec, Phase::Hardware, Phase::Disko, Phase::Install, Phase::Reboot];
    let needed = needed.into_iter().any(|phase| runs(plan, phase));
    (inputs.probe.privilege == Privilege::None && needed).then(|| {
        let user = &plan.target.user;
        refusal(
            "no-privilege",
            format!("{user} is not root on the target, and `sudo -n` does not work"),
            format!(
                "log in as root (--target root@{}), or allow {user} sudo without a password",
                plan.target.address
            ),
        )
    })
}

/// Which programs of the target a phase calls.
fn needed_programs(plan: &Plan, phase: Phase) -> Vec<&'static str> {
    match phase {
        Phase::Hardware => {
            plan.hardware.iter().map(|hardware| program(hardware.generator)).collect()
        }
        Phase::Disko => vec!["lsblk", "mount", "nix", "nix-store", "umount"],
        Phase::Install => vec!["mount", "nix", "nix-store", "nixos-install", "tar"],
        Phase::Reboot => vec!["umount"],
        _ => Vec::new(),
    }
}

fn programs(inputs: &Inputs<'_>, plan: &Plan) -> Option<Refusal> {
    // After kexec another system runs there.
    if runs(plan, Phase::Kexec) || plan.system.engine == Engine::NixosAnywhere {
        return None;
    }
    let running = Phase::ALL.into_iter().filter(|phase| runs(plan, *phase));
    let needed: Vec<(Phase, &str)> = running
        .flat_map(|phase| needed_programs(plan, phase).into_iter().map(move |name| (phase, name)))
        .collect();
    let mut missing: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for program in &inputs.probe.missing_programs {
        for (phase, _) in needed.iter().filter(|(_, name)| name == program) {
            missing.entry(program).or_default().push(phase.name());
        }
    }
    (!missing.is_empty()).then(|| {
        let list: Vec<String> = missing
            .iter()
            .map(|(program, phases)| format!("{program} (for {})", phases.join(", ")))
            .collect();
        refusal(
            "missing-programs",
            format!("the target lacks {}", list.join(", ")),
            "start it from a NixOS installer image that has them",
        )
    })
}

fn outputs(inputs: &Inputs<'_>, plan: &Plan) -> Vec<Refusal> {
    let mut found = Vec::new();
    let mut need = |what: &str, attribute: &str, of: &str| {
        found.push(refusal(
            &format!("no-{what}"),
            format!("{of} has no config.system.build.{attribute}"),
            format!("`nix eval {of}.config.system.build.{attribute}` says why"),
        ));
    };
    let installed = inputs.installed;
    if runs(plan, Phase::Install) && installed.toplevel().is_none() {
        need("toplevel", "toplevel", &plan.system.install_attr);
    }
    let full = plan.system.via == Via::Minimal && runs(plan, Phase::Rebuild);
    if full && inputs.facts.toplevel().is_none() {
        need("toplevel", "toplevel", &plan.system.full_attr);
    }
    if runs(plan, Phase::Disko) && !plan.disks.is_empty() && installed.disko_script().is_none() {
        need("disko-script", "diskoScript", &plan.system.install_attr);
    }
    found
}

fn hardware_file(plan: &Plan) -> Option<Refusal> {
    let hardware = plan.hardware.as_ref().filter(|_| runs(plan, Phase::Hardware))?;
    let file = Path::new(&hardware.file);
    let inside = file.components().all(|part| matches!(part, Component::Normal(_)));
    (!inside || hardware.file.is_empty()).then(|| {
        refusal(
            "bad-hardware-file",
            format!("the hardware file {:?} is not inside the flake's folder", hardware.file),
            "set bootstrap.hardware.file to a path relative to the flake",
        )
    })
}

fn no_disks(inputs: &Inputs<'_>, plan: &Plan) -> Option<Refusal> {
    plan.disks.is_empty().then(|| {
        refusal(
            "no-disks",
            format!("{} has no disks in disko.devices: nothing would be formatted", plan.host),
            match inputs.installed.disko.disks.len() {
                0 => {
                    "describe them in disko.devices.disk, or prepare the disks by hand below /mnt \
                      and give --skip disko"
                }
                _ => "give the disks of disko.devices.disk a content, or give --skip disko",
            },
        )
    })
}

/// What is wrong with the live disk that `disk` names; the worst reason only.
fn device(inputs: &Inputs<'_>, plan: &Plan, disk: &PlannedDisk) -> Option<Refusal> {
    let (device, name) = (&disk.device, &disk.name);
    let Some(live) = &disk.live else { return Some(missing(inputs.probe, disk)) };
    let called = if live.path == device.as_str() {
        device.to_string()
    } else {
        format!("{device} (that is {})", live.path)
    };
    // After kexec another system runs, from memory, and nothing is mounted any more.
    let replaced = runs(plan, Phase::Kexec);
    if live.boot_medium && !replaced {
        return Some(refusal(
            "boot-medium",
            format!("{called} holds the running installer: it can't be erased"),
            choose(name, inputs.probe),
        ));
    }
    if live.read_only {
        return Some(refusal(
            "read-only-disk",
            format!("{called} is write-protected"),
            "take its write protection off, or choose another disk",
        ));
    }
    let places = live.mounted_at();
    if places.is_empty() || replaced || left_by_us(inputs, &places) {
        return None;
    }
    Some(refusal(
        "mounted-disk",
        format!("{called} is in use: {}", in_use(&places)),
        release(&places),
    ))
}

/// A run that was interrupted after its first phases leaves its disks mounted below /mnt.
pub(super) fn left_by_us(inputs: &Inputs<'_>, places: &[&str]) -> bool {
    let resumed = !inputs.around.done.is_empty();
    resumed && places.iter().all(|place| *place == "[SWAP]" || Path::new(place).starts_with("/mnt"))
}

fn missing(probe: &Probe, disk: &PlannedDisk) -> Refusal {
    let device = disk.device.as_str();
    let parent = probe.disks.iter().find(|live| part_of(&live.children, device));
    if let Some(parent) = parent {
        return refusal(
            "not-a-disk",
            format!("{device} is a part of the disk {}, not a whole disk", parent.path),
            format!("set disko.devices.disk.{}.device to {}", disk.name, stable_name(parent)),
        );
    }
    refusal("missing-device", format!("the machine has no {device}"), choose(&disk.name, probe))
}

fn part_of(nodes: &[LiveNode], device: &str) -> bool {
    nodes.iter().any(|node| node.path == device || part_of(&node.children, device))
}

/// A hint with the disks that could be meant.
fn choose(name: &str, probe: &Probe) -> String {
    let disks: Vec<String> = probe
        .disks
        .iter()
        .filter(|disk| !disk.boot_medium)
        .map(|disk| {
            let model = disk.model.as_ref().map(|model| format!(", {model}")).unwrap_or_default();
            format!("{} ({}{model})", stable_name(disk), human(disk.size))
        })
        .collect();
    if disks.is_empty() {
        return "attach a disk: the machine has none besides the one it was started from"
            .to_owned();
    }
    format!(
        "set disko.devices.disk.{name}.device to a disk that the machine has: {}",
        disks.join(", ")
    )
}

/// The name of a disk that stays the same from boot to boot, or else its kernel's name.
pub(super) fn stable_name(disk: &LiveDisk) -> &str {
    let ids = || disk.links.iter().filter(|link| link.starts_with("/dev/disk/by-id/"));
    // Names with model and serial say more than the numbers of wwn-, nvme-eui. and the like.
    let telling = |link: &&String| {
        let name = link.rsplit('/').next().unwrap_or_default();
        !["wwn-", "nvme-eui.", "nvme-nvme.", "scsi-"].iter().any(|start| name.starts_with(start))
    };
    ids().find(telling).or_else(|| ids().next()).map_or(disk.path.as_str(), String::as_str)
}

fn in_use(places: &[&str]) -> String {
    let mut words: Vec<String> = Vec::new();
    let mounts: Vec<&str> = places.iter().filter(|place| **place != "[SWAP]").copied().collect();
    if !mounts.is_empty() {
        words.push(format!("mounted at {}", mounts.join(", ")));
    }
    if mounts.len() < places.len() {
        words.push("active as swap".to_owned());
    }
    words.join(", and ")
}

fn release(places: &[&str]) -> String {
    let mut commands = Vec::new();
    if places.contains(&"[SWAP]") {
        commands.push("`swapoff -a`".to_owned());
    }
    let below_mnt = |place: &&&str| Path::new(place).starts_with("/mnt");
    if places.iter().any(|place| below_mnt(&place)) {
        commands.push("`umount -R /mnt`".to_owned());
    }
    let others = places.iter().filter(|place| **place != "[SWAP]" && !below_mnt(place));
    commands.extend(others.map(|place| format!("`umount {place}`")));
    format!("release it on the target with {}", commands.join(", "))
}

fn layout(inputs: &Inputs<'_>, disk: &PlannedDisk) -> Vec<Refusal> {
    let Some(layout) = inputs.layouts.get(disk.name.as_str()) else { return Vec::new() };
    let options = format!("disko.devices.disk.{}.content.partitions", disk.name);
    let size = disk.live.as_ref().map_or(0, |live| live.size);
    let found = layout.problems.iter().map(|problem| match problem {
        Problem::BadSize { partition, field, text, why } => refusal(
            "bad-size",
            format!("{options}.{partition}.{field} is {text:?}: {why}"),
            "write it as in 512M, 8G or 100%",
        ),
        Problem::TooSmall => refusal(
            "too-small",
            format!(
                "{} has {}, but its layout needs at least {}",
                disk.device,
                human(size),
                human(layout.needs)
            ),
            format!("make partitions of {options} smaller, or choose a larger disk"),
        ),
        Problem::NoPlace { partition } => refusal(
            "no-place",
            format!("{options}.{partition} has no place on {} between the others", disk.device),
            "check start, end and size: the partitions overlap",
        ),
    });
    found.collect()
}

fn twice(plan: &Plan) -> Vec<Refusal> {
    let mut found = Vec::new();
    for (index, disk) in plan.disks.iter().enumerate() {
        let same = |other: &&PlannedDisk| match (&disk.live, &other.live) {
            (Some(one), Some(two)) => one.path == two.path,
            _ => disk.device == other.device,
        };
        if let Some(first) = plan.disks[..index].iter().find(same) {
            found.push(refusal(
                "same-disk-twice",
                format!(
                    "disko.devices.disk.{} and .{} are the same disk ({} and {})",
                    first.name, disk.name, first.device, disk.device
                ),
                "give each its own device",
            ));
        }
    }
    found
}

fn swap(inputs: &Inputs<'_>, disk: &PlannedDisk) -> Vec<Refusal> {
    let size = disk.live.as_ref().map(|live| live.size);
    let whole = disk.whole.iter().flat_map(|content| swapfiles(content, size));
    let parts = disk.layout.iter().filter_map(|part| Some((part.content.as_ref()?, part.size)));
    let files = whole.chain(parts.flat_map(|(content, room)| swapfiles(content, room)));
    let mut found: Vec<Refusal> =
        files.filter_map(|file| swapfile(&file, disk.device.as_str())).collect();
    found.extend(boot_swap(inputs.installed, disk));
    found
}

fn swapfile(file: &SwapfileRoom, device: &str) -> Option<Refusal> {
    let hint = "make the swapfile smaller";
    let size = match file.size {
        Ok(size) => size,
        Err(why) => {
            let reason = format!("the size {:?} of the swapfile {}: {why}", file.asked, file.place);
            return Some(refusal("bad-size", reason, "write it as in 8G"));
        }
    };
    let room = file.room?;
    if size >= room {
        let reason = format!(
            "the swapfile {} of {} does not fit into its file system of {} on {device}",
            file.place,
            human(size),
            human(room)
        );
        return Some(refusal("swapfile-too-big", reason, hint));
    }
    (file.together >= room).then(|| {
        let reason = format!(
            "the swapfiles beside {} take {} together, but their file system on {device} has {}",
            file.place,
            human(file.together),
            human(room)
        );
        refusal("swapfile-too-big", reason, hint)
    })
}

/// Swapfiles that NixOS makes at boot (`swapDevices`), on the file system that holds their path.
fn boot_swap(installed: &HostFacts, disk: &PlannedDisk) -> Vec<Refusal> {
    let mut mounts = Vec::new();
    for part in &disk.layout {
        if let Some(content) = &part.content {
            mounted(content, part.size, &mut mounts);
        }
    }
    let files = installed.swap.devices.iter().filter_map(|device| Some((device, device.size_mib?)));
    let found = files.filter_map(|(device, mib)| {
        let path = Path::new(&device.device);
        let holding = mounts.iter().filter(|(mount, _)| path.starts_with(mount));
        let (mount, room) = holding.max_by_key(|(mount, _)| mount.len())?;
        let size = mib.saturating_mul(1 << 20);
        ((*room)? <= size).then(|| {
            let room = human(room.unwrap_or_default());
            let reason = format!(
                "the swapfile {} of {} (swapDevices) does not fit into {mount}, which has {room} \
                 on {}",
                device.device,
                human(size),
                disk.device
            );
            refusal("swapfile-too-big", reason, "make the swapfile smaller")
        })
    });
    found.collect()
}

/// Every mount point in `content` with the bytes that its file system has.
fn mounted(content: &Content, room: Option<u64>, mounts: &mut Vec<(String, Option<u64>)>) {
    match content {
        Content::Filesystem(fs) => mounts.extend(fs.mountpoint.clone().map(|mount| (mount, room))),
        Content::Btrfs(btrfs) => {
            mounts.extend(btrfs.mountpoint.clone().map(|mount| (mount, room)));
            let volumes = btrfs.subvolumes.iter().filter_map(|volume| volume.mountpoint.clone());
            mounts.extend(volumes.map(|mount| (mount, room)));
        }
        Content::Luks { content: Some(inner), .. } => {
            mounted(inner, room.map(|room| room.saturating_sub(LUKS_HEADER)), mounts);
        }
        _ => {}
    }
}

/// Logical volumes that take more than all physical volumes of their group.
fn volumes(plan: &Plan) -> Vec<Refusal> {
    let groups = plan.stacked.volume_groups.iter().filter_map(|group| {
        let mut room = 0_u64;
        for part in plan.disks.iter().flat_map(|disk| &disk.layout) {
            if part.content.as_ref().is_some_and(|content| is_member(content, &group.name)) {
                room = room.saturating_add(part.size?);
            }
        }
        let sizes = group.volumes.iter().filter_map(|volume| bytes(volume.size.as_deref()?).ok());
        let asked = sizes.fold(0_u64, u64::saturating_add);
        (room > 0 && asked > room).then(|| {
            refusal(
                "too-small",
                format!(
                    "the volumes of the LVM group {} take {}, but it has {}",
                    group.name,
                    human(asked),
                    human(room)
                ),
                format!("make volumes of disko.devices.lvm_vg.{} smaller", group.name),
            )
        })
    });
    groups.collect()
}

fn is_member(content: &Content, group: &str) -> bool {
    match content {
        Content::LvmPv { vg } => vg == group,
        Content::Luks { content: Some(inner), .. } => is_member(inner, group),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
