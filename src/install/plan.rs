//! The plan as data: all decisions of a run. [`plan`] makes them, the phases carry them out, `ui`
//! draws them.

use serde::{Deserialize, Serialize};

use super::options::{Engine, RebuildOn, Via};
use super::phase::Phase;
use crate::facts::{Content, Derivation, NodevMount, Pool, Raid, VolumeGroup};
use crate::remote::{Destination, Firmware, LiveDisk};
use crate::validated::{AbsolutePath, Address, DevicePath, HostName, UserName};

pub use super::decide::plan;

/// What a run will do, and why it may not. Names secrets, never holds them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The host.
    pub host: HostName,
    /// The flake as typed.
    pub flake: String,
    /// Where the machine is.
    pub target: PlannedTarget,
    /// What runs on the machine now.
    pub machine: PlannedMachine,
    /// What is installed first, and what the host ends up with.
    pub system: PlannedSystem,
    /// The disks that will be erased, in the configuration's order.
    pub disks: Vec<PlannedDisk>,
    /// What is built on top of those disks, and the mounts without one.
    pub stacked: Stacked,
    /// Disks of the machine that stay as they are.
    pub untouched: Vec<LiveDisk>,
    /// Swap in words, one entry each.
    pub swap: Vec<String>,
    /// Encrypted containers, and where their keys come from.
    pub encryption: Vec<PlannedEncryption>,
    /// Where the host's ssh keys will be on it.
    pub host_keys: Vec<PlannedHostKey>,
    /// Where those keys come from.
    #[serde(default, skip_serializing_if = "HostKeySource::is_new")]
    pub host_key_source: HostKeySource,
    /// Who gets the published keys of well-known forges on the host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forge_users: Vec<UserName>,
    /// The host's secrets, where it has some that this machine can encrypt for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<PlannedSecrets>,
    /// The recovery keys of encrypted containers, where they are wanted (`--luks-recovery`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<PlannedRecovery>,
    /// The hardware file, relative to the flake.
    pub hardware: Option<PlannedHardware>,
    /// Repos that go to the target.
    pub sync: Vec<PlannedSync>,
    /// Every phase with what it will do.
    pub phases: Vec<PlannedPhase>,
    /// Reasons why this plan must not be carried out; empty for a good plan.
    pub refusals: Vec<Refusal>,
    /// What the user should know.
    pub warnings: Vec<String>,
    /// SHA-256 (hex) of what must be the same for an interrupted run to be continued: host, target
    /// disks, layout, encryption, persist directory, way of installing. Not of the store paths: a
    /// configuration may be mended between two runs.
    pub digest: String,
}

impl Plan {
    /// May this plan not be carried out?
    #[must_use]
    pub fn refused(&self) -> bool {
        !self.refusals.is_empty()
    }

    /// The entry of `phase`.
    #[must_use]
    pub fn phase(&self, phase: Phase) -> Option<&PlannedPhase> {
        self.phases.iter().find(|planned| planned.phase == phase)
    }
}

/// Where the machine is, with all defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedTarget {
    /// Address.
    pub address: Address,
    /// ssh port of the installer.
    pub port: u16,
    /// Login on the installer.
    pub user: UserName,
    /// ssh identity file, where one is set.
    pub identity: Option<String>,
    /// ssh port of the installed host, seen from here: the first of its configured ports, or the
    /// installer's where that was set by hand (a forwarded port stays what it is).
    pub installed_port: u16,
    /// Login on the installed host.
    pub installed_user: UserName,
    /// Whose home gets the repos.
    pub primary_user: UserName,
}

/// What the machine runs before the first change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedMachine {
    /// Its operating system, for people.
    pub os: Option<String>,
    /// `uname -m`.
    pub architecture: String,
    /// How it was started.
    pub firmware: Firmware,
    /// Memory in bytes.
    pub memory: u64,
    /// Is it an installer?
    pub installer: bool,
}

/// Volume groups, arrays and pools that are made of partitions, and mounts without a device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stacked {
    /// LVM volume groups.
    pub volume_groups: Vec<VolumeGroup>,
    /// Software RAID arrays.
    pub raids: Vec<Raid>,
    /// ZFS pools.
    pub pools: Vec<Pool>,
    /// Mounts such as tmpfs.
    pub nodev: Vec<NodevMount>,
}

/// What is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedSystem {
    /// Minimal first, or full at once.
    pub via: Via,
    /// Who does it.
    pub engine: Engine,
    /// Platform.
    pub system: String,
    /// Flake reference and attribute of the configuration that `install` takes,
    /// `REF#nixosConfigurations.HOST`.
    pub install_attr: String,
    /// What `install` takes, as evaluated now (the hardware file may still change it).
    pub install: Option<Derivation>,
    /// Flake reference and attribute of the full configuration.
    pub full_attr: String,
    /// The full system, as evaluated now.
    pub full: Option<Derivation>,
    /// Where the full one is built, where `rebuild` runs.
    pub rebuild_on: RebuildOn,
    /// Directory that survives reboots.
    pub persist_dir: Option<AbsolutePath>,
}

/// A disk that will be erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedDisk {
    /// Attribute name in `disko.devices.disk`.
    pub name: String,
    /// The device as configured.
    pub device: DevicePath,
    /// The live disk that this device names; `None` where the machine lacks it.
    pub live: Option<LiveDisk>,
    /// The new layout with sizes in bytes, laid out on the live disk.
    pub layout: Vec<PlannedPart>,
    /// What the disk holds without a partition table.
    pub whole: Option<Content>,
    /// Bytes that the layout needs at least.
    pub needs: u64,
}

/// A partition of the new layout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedPart {
    /// Attribute name.
    pub name: String,
    /// Offset in bytes; `None` where the disk's size is unknown.
    pub start: Option<u64>,
    /// Size in bytes; `None` where the disk's size is unknown and the partition takes the rest.
    pub size: Option<u64>,
    /// The size as configured, for people.
    pub asked: String,
    /// What is on it.
    pub content: Option<Content>,
}

/// An encrypted container of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedEncryption {
    /// Name below `/dev/mapper`.
    pub name: String,
    /// Where the passphrase will be on the installer while disko runs; `None` where disko asks.
    pub key_file: Option<AbsolutePath>,
    /// Where the passphrase comes from.
    pub passphrase: PassphraseSource,
}

/// Where a passphrase comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PassphraseSource {
    /// Made at random for this run and shown once at its end.
    OneTime,
    /// Asked on the terminal before the first change.
    Asked,
}

/// A host key of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedHostKey {
    /// `ed25519` or `rsa`.
    pub kind: String,
    /// Paths on the host at which the private key is placed (the persist directory's too).
    pub paths: Vec<AbsolutePath>,
}

/// Where host keys come from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "kebab-case")]
pub enum HostKeySource {
    /// They are made.
    #[default]
    New,
    /// From the system that the host runs until now.
    OldSystem {
        /// The machine, where it is not the target.
        machine: Option<Destination>,
    },
    /// From a copy in a secrets file.
    Secrets {
        /// The folder of `.sops.yaml`.
        folder: String,
        /// The file, below the folder.
        file: String,
        /// Where in that file, without the key's kind.
        path: Vec<String>,
    },
}

impl HostKeySource {
    fn is_new(&self) -> bool {
        *self == Self::New
    }
}

/// The host's secrets in the plan. Names only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedSecrets {
    /// The folder of `.sops.yaml`.
    pub folder: String,
    /// What the host is called there.
    pub name: String,
    /// The files that the configuration references.
    pub files: Vec<PlannedSecretFile>,
    /// The primary user's age key on this host, where one is wanted.
    pub user_key: Option<PlannedUserKey>,
    /// The flake's input with the secrets.
    pub input: Option<String>,
}

/// A secrets file of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedSecretFile {
    /// Below the folder.
    pub path: String,
    /// The keys that the configuration takes from it.
    pub keys: Vec<String>,
}

/// A user's age key of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedUserKey {
    /// What it is called in `.sops.yaml`.
    pub name: String,
    /// The secrets file that keeps it, below the folder.
    pub file: String,
    /// Where in that file.
    pub path: Vec<String>,
}

/// Where recovery keys are kept. Names only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedRecovery {
    /// The folder of `.sops.yaml`.
    pub folder: String,
    /// The secrets file, below the folder.
    pub file: String,
    /// One for each encrypted container.
    pub keys: Vec<PlannedRecoveryKey>,
}

/// A recovery key of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedRecoveryKey {
    /// Name of the container below `/dev/mapper`.
    pub container: String,
    /// Where in the file.
    pub path: Vec<String>,
}

/// The hardware file of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedHardware {
    /// The program that makes it.
    pub generator: crate::facts::HardwareGenerator,
    /// The file, relative to the flake.
    pub file: String,
}

/// A repo that goes to the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedSync {
    /// Folder on this machine.
    pub from: String,
    /// Folder on the target.
    pub to: String,
}

/// A phase of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedPhase {
    /// Which.
    pub phase: Phase,
    /// Will it run?
    pub action: Action,
    /// What it will change, where: a line each.
    pub changes: Vec<String>,
}

/// What becomes of a phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Action {
    /// It runs.
    Run,
    /// It was finished by an earlier, interrupted run.
    Done,
    /// It is left out.
    Skip {
        /// Why, as a clause ("not configured", "not wanted (--skip)").
        reason: String,
    },
}

/// Why a plan must not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// Short name for programs: `missing-device`, `boot-medium`, `mounted-disk`, `too-small`, ….
    pub code: String,
    /// What is wrong and where.
    pub reason: String,
    /// What to do.
    pub hint: String,
}
