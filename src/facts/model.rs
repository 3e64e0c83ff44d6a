//! The facts of a host as data. Sizes are text as the configuration has them (`512M`, `100%`);
//! the plan turns them into bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::validated::{AbsolutePath, Address, DevicePath, HostName, StorePath, UserName};

/// Everything the tool needs to know of one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostFacts {
    /// Attribute name in `nixosConfigurations`.
    pub name: HostName,
    /// `networking.hostName`.
    pub host_name: String,
    /// Platform such as `x86_64-linux`.
    pub system: String,
    /// `system.stateVersion`.
    pub state_version: Option<String>,
    /// Is this configuration itself only the minimal one of the installer?
    pub is_minimal: bool,
    /// `disko.devices`.
    pub disko: Disko,
    /// Every kind of swap.
    pub swap: Swap,
    /// Encrypted containers, in the order in which the disks name them.
    pub encryption: Vec<Encryption>,
    /// Directory that survives a reboot where the root does not (impermanence).
    pub persist_dir: Option<AbsolutePath>,
    /// `services.openssh`.
    pub ssh: Ssh,
    /// `sops`, where sops-nix is used.
    pub sops: Option<Sops>,
    /// `age`, where agenix is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agenix: Option<Agenix>,
    /// Where the machine is reached.
    pub target: TargetFacts,
    /// The primary user: `bootstrap.target.user` is how to log in, this is whose machine it is.
    pub primary_user: Option<UserName>,
    /// How the machine boots.
    pub boot: Boot,
    /// The `bootstrap.*` options beyond the target.
    pub bootstrap: BootstrapOptions,
    /// The article's `_module.args`, where present.
    pub article: ArticleArgs,
    /// What the flake builds for this host; `None` where only the options were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Outputs>,
    /// `config.warnings`: what the configuration itself warns about.
    #[serde(default)]
    pub warnings: Vec<String>,
}

impl HostFacts {
    /// The whole system, where the outputs were read and it has one.
    #[must_use]
    pub fn toplevel(&self) -> Option<&Derivation> {
        self.outputs.as_ref()?.toplevel.as_ref()
    }

    /// What erases, formats and mounts its disks, likewise.
    #[must_use]
    pub fn disko_script(&self) -> Option<&Derivation> {
        self.outputs.as_ref()?.disko_script.as_ref()
    }
}

/// `disko.devices`, name to device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Disko {
    /// Whole disks.
    pub disks: Vec<Disk>,
    /// LVM volume groups.
    pub volume_groups: Vec<VolumeGroup>,
    /// Linux software RAID arrays.
    pub raids: Vec<Raid>,
    /// ZFS pools.
    pub pools: Vec<Pool>,
    /// Mounts without a device, such as tmpfs.
    pub nodev: Vec<NodevMount>,
}

/// `disko.devices.disk.NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Disk {
    /// Attribute name.
    pub name: String,
    /// The device that will be erased.
    pub device: DevicePath,
    /// What the disk holds; `None` leaves it alone.
    pub content: Option<Content>,
}

/// What a disk, a partition, a logical volume or an opened container holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Content {
    /// A GPT partition table (disko's `gpt`, and its older `table` with `format = "gpt"`).
    Gpt {
        /// The partitions in the order in which disko makes them.
        partitions: Vec<Partition>,
    },
    /// A file system.
    Filesystem(Filesystem),
    /// btrfs with its subvolumes.
    Btrfs(Btrfs),
    /// A LUKS container.
    Luks {
        /// Name of the opened container below `/dev/mapper`.
        name: String,
        /// What is inside.
        content: Option<Box<Content>>,
    },
    /// A physical volume of an LVM volume group.
    LvmPv {
        /// The group's name.
        vg: String,
    },
    /// A member of a software RAID array.
    Mdraid {
        /// The array's name.
        name: String,
    },
    /// A member of a ZFS pool.
    Zfs {
        /// The pool's name.
        pool: String,
    },
    /// A swap partition.
    Swap {
        /// Encrypted with a key that is made anew at each boot?
        random_encryption: bool,
        /// Used for hibernation?
        resume_device: bool,
        /// Priority, where set.
        priority: Option<i64>,
    },
    /// A kind that this version does not know; shown, never guessed at.
    Other {
        /// disko's `type`.
        kind: String,
    },
}

/// One partition of a GPT.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Partition {
    /// Attribute name.
    pub name: String,
    /// GPT partition label, where set.
    pub label: Option<String>,
    /// GPT type code such as `EF00`.
    pub type_code: Option<String>,
    /// disko's `priority`: partitions are made in this order.
    pub priority: Option<i64>,
    /// disko's `size`: `512M` or `100%`. This and the next two are absent where disko filled them
    /// in.
    pub size: Option<String>,
    /// disko's `start`.
    pub start: Option<String>,
    /// disko's `end`; a negative one (`-8G`) counts from the end of the disk.
    pub end: Option<String>,
    /// What is on it.
    pub content: Option<Content>,
}

/// A file system with one mount point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Filesystem {
    /// `vfat`, `ext4`, `xfs`, …
    pub format: String,
    /// Where it is mounted, if at all.
    pub mountpoint: Option<String>,
    /// Mount options.
    pub mount_options: Vec<String>,
}

/// A btrfs file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Btrfs {
    /// Where its top level is mounted, if at all.
    pub mountpoint: Option<String>,
    /// Mount options of the top level.
    pub mount_options: Vec<String>,
    /// Its subvolumes by name.
    pub subvolumes: Vec<Subvolume>,
    /// Swapfiles at the top level.
    pub swapfiles: Vec<Swapfile>,
}

/// A btrfs subvolume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subvolume {
    /// Name such as `@root`.
    pub name: String,
    /// Where it is mounted, if at all.
    pub mountpoint: Option<String>,
    /// Mount options.
    pub mount_options: Vec<String>,
    /// Swapfiles in it.
    pub swapfiles: Vec<Swapfile>,
}

/// A swapfile that disko makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Swapfile {
    /// Attribute name, and its path where none is set.
    pub name: String,
    /// Size such as `8G`.
    pub size: String,
    /// Path below the subvolume.
    pub path: String,
}

/// `disko.devices.lvm_vg.NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VolumeGroup {
    /// Attribute name.
    pub name: String,
    /// Its logical volumes.
    pub volumes: Vec<LogicalVolume>,
}

/// A logical volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogicalVolume {
    /// Attribute name.
    pub name: String,
    /// Size such as `10G` or `100%FREE`.
    pub size: Option<String>,
    /// What is on it.
    pub content: Option<Content>,
}

/// `disko.devices.mdadm.NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Raid {
    /// Attribute name.
    pub name: String,
    /// RAID level as text.
    pub level: String,
    /// What is on it.
    pub content: Option<Content>,
}

/// `disko.devices.zpool.NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pool {
    /// Attribute name.
    pub name: String,
    /// `mirror`, `raidz`, … or empty; `custom` for a topology of its own.
    pub mode: String,
    /// Where the key of its root dataset comes from, such as `file:///tmp/key` or `prompt`.
    #[serde(default)]
    pub key_location: Option<String>,
    /// Its datasets and volumes.
    pub datasets: Vec<Dataset>,
}

/// A ZFS dataset or volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dataset {
    /// Attribute name.
    pub name: String,
    /// `zfs_fs` or `zfs_volume`.
    pub kind: String,
    /// Where it is mounted, if at all.
    pub mountpoint: Option<String>,
    /// Size, of volumes.
    pub size: Option<String>,
    /// Where a key of its own comes from.
    #[serde(default)]
    pub key_location: Option<String>,
}

/// `disko.devices.nodev.PATH`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodevMount {
    /// Where it is mounted.
    pub mountpoint: String,
    /// Type such as `tmpfs`.
    pub fs_type: String,
    /// Mount options.
    pub mount_options: Vec<String>,
}

/// All swap of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Swap {
    /// `swapDevices`, as NixOS sees them (disko's are among them).
    pub devices: Vec<SwapDevice>,
    /// `zramSwap`, where enabled.
    pub zram: Option<Zram>,
}

/// One entry of `swapDevices`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SwapDevice {
    /// Device or file.
    pub device: String,
    /// Size in MiB of a swapfile that NixOS makes at boot.
    pub size_mib: Option<u64>,
}

/// `zramSwap`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Zram {
    /// `memoryPercent`.
    pub memory_percent: Option<u64>,
    /// `algorithm`.
    pub algorithm: Option<String>,
}

/// An encrypted container, and how it gets its key at install.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Encryption {
    /// Name below `/dev/mapper`.
    pub name: String,
    /// Option path of the container, for messages.
    pub option: String,
    /// Where its key comes from at install.
    pub key: KeySource,
    /// Further key files that disko adds, which must be on the installer too.
    #[serde(default)]
    pub additional_key_files: Vec<AbsolutePath>,
}

/// Where disko takes the key of an encrypted container from while it installs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum KeySource {
    /// A file that must hold the passphrase on the installer (`passwordFile`).
    PasswordFile {
        /// Its path on the installer.
        path: AbsolutePath,
    },
    /// A key file (`settings.keyFile`, or the older `keyFile`).
    KeyFile {
        /// Its path on the installer.
        path: AbsolutePath,
    },
    /// disko asks on its terminal (`askPassword`).
    Ask,
    /// Nothing is set, so that disko will ask or fail.
    Unset,
}

/// `services.openssh`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ssh {
    /// Is sshd on?
    pub enable: bool,
    /// Its ports.
    pub ports: Vec<u16>,
    /// Its host keys.
    pub host_keys: Vec<SshHostKey>,
    /// `settings.PermitRootLogin` (or the older `permitRootLogin`).
    pub permit_root_login: Option<String>,
}

/// One entry of `services.openssh.hostKeys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SshHostKey {
    /// `ed25519`, `rsa`, …
    pub kind: String,
    /// Path of the private key on the host.
    pub path: AbsolutePath,
}

/// What the host wants from sops-nix.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sops {
    /// `sops.age.keyFile`.
    pub age_key_file: Option<String>,
    /// `sops.age.sshKeyPaths`.
    pub age_ssh_key_paths: Vec<String>,
    /// `sops.defaultSopsFile`.
    pub default_file: Option<String>,
    /// Every `sops.secrets.NAME` with the file that it is in.
    pub secrets: Vec<SopsSecret>,
}

/// What the host wants from agenix.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Agenix {
    /// `age.identityPaths`.
    pub identity_paths: Vec<String>,
    /// The names of `age.secrets`.
    pub secrets: Vec<String>,
}

/// One entry of `sops.secrets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SopsSecret {
    /// Attribute name.
    pub name: String,
    /// `key` within the file.
    pub key: String,
    /// `sopsFile`.
    pub file: Option<String>,
}

/// `bootstrap.target`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetFacts {
    /// `host`.
    pub host: Option<Address>,
    /// `port`.
    pub port: Option<u16>,
    /// `user`.
    pub user: Option<UserName>,
    /// `identityFile`.
    pub identity_file: Option<String>,
}

/// How the machine boots.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Boot {
    /// `boot.loader.systemd-boot.enable`.
    pub systemd_boot: bool,
    /// `boot.loader.grub.enable`.
    pub grub: bool,
    /// `boot.loader.grub.efiSupport`.
    pub grub_efi: bool,
    /// GRUB's devices for a BIOS installation (without `nodev`).
    pub grub_devices: Vec<String>,
    /// Where on them GRUB may be written.
    #[serde(default)]
    pub grub_place: GrubPlace,
    /// `boot.loader.efi.efiSysMountPoint`.
    pub esp_mountpoint: Option<String>,
    /// Other loaders by option name, such as `limine` or `lanzaboote`.
    pub other: Vec<String>,
    /// What is installed must be signed with these keys.
    #[serde(default)]
    pub signing: Signing,
}

/// Where GRUB's first stage may be written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GrubPlace {
    /// Into a place of its own: the gap behind an MBR, or a BIOS boot partition.
    #[default]
    Reserved,
    /// Anywhere (`boot.loader.grub.forceInstall`).
    Anywhere,
}

/// Who signs what starts the machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Signing {
    /// Nobody, or whoever has keys by then.
    #[default]
    None,
    /// lanzaboote, with keys that lie on the disk (`boot.lanzaboote.pkiBundle`).
    KeysOnDisk,
}

impl Boot {
    /// Those of `other` that only UEFI firmware can start.
    pub(crate) const EFI_LOADERS: [&str; 2] = ["lanzaboote", "refind"];

    /// Can the machine only start with UEFI firmware?
    #[must_use]
    pub fn efi_only(&self) -> bool {
        let other = self.other.iter().any(|name| Self::EFI_LOADERS.contains(&name.as_str()));
        (self.systemd_boot || (self.grub && self.grub_efi) || other) && self.grub_devices.is_empty()
    }
}

/// The `bootstrap.*` options beyond the target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BootstrapOptions {
    /// `bootstrap.nixConfig.path`: where the flake goes on the target.
    pub nix_config_path: Option<String>,
    /// `bootstrap.secrets.repo`: path of the secrets repo on this machine.
    pub secrets_repo: Option<String>,
    /// `bootstrap.secrets.file`.
    pub secrets_file: Option<String>,
    /// `bootstrap.secrets.ageKeyPath`.
    pub secrets_age_key_path: Option<String>,
    /// `bootstrap.secrets.hostKeyPath`: where in `secrets_file` a copy of the host's ssh keys is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets_host_key_path: Option<String>,
    /// `bootstrap.hardware.generator`.
    pub hardware_generator: Option<HardwareGenerator>,
    /// `bootstrap.hardware.file`, relative to the flake.
    pub hardware_file: Option<String>,
    /// `bootstrap.rebuild.command`, run on the target in the synced flake.
    pub rebuild_command: Option<String>,
}

/// The program that describes the target's hardware.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HardwareGenerator {
    /// `nixos-generate-config --no-filesystems`
    NixosGenerateConfig,
    /// `nixos-facter`
    NixosFacter,
}

/// What the article's layout passes to its modules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArticleArgs {
    /// `_module.args.disk`.
    pub disk: Option<String>,
    /// `_module.args.withSwap`.
    pub with_swap: Option<bool>,
    /// `_module.args.swapSize` in GiB, as text or number.
    pub swap_size: Option<String>,
    /// Of `specialArgs.configVars` what the tool reads: `isMinimal`, `persistFolder`, `username`.
    pub config_vars: BTreeMap<String, String>,
}

/// The derivations of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// `system.build.toplevel`.
    pub toplevel: Option<Derivation>,
    /// `system.build.diskoScript`: erases, formats and mounts.
    pub disko_script: Option<Derivation>,
    /// `system.build.mountScript`: only mounts.
    pub mount_script: Option<Derivation>,
    /// `system.build.isoImage`.
    pub iso_image: Option<Derivation>,
}

/// A derivation with its (first) output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Derivation {
    /// Store path of the `.drv` file.
    pub drv_path: StorePath,
    /// Store path of the output.
    pub out_path: StorePath,
}
