//! What is on the live machine, as data. Sizes are bytes.

use serde::{Deserialize, Serialize};

/// The live machine as the probe found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Probe {
    /// Kernel's host name.
    pub host_name: String,
    /// `/proc/sys/kernel/random/boot_id`: changes with every boot.
    pub boot_id: String,
    /// `uname -m`, such as `x86_64`.
    pub architecture: String,
    /// How it was started.
    pub firmware: Firmware,
    /// Memory in bytes.
    pub memory: u64,
    /// `ID` of os-release.
    pub os_id: Option<String>,
    /// `VARIANT_ID` of os-release.
    pub os_variant: Option<String>,
    /// `PRETTY_NAME` of os-release.
    pub os_name: Option<String>,
    /// Is it a NixOS installer (`VARIANT_ID=installer`)?
    pub installer: bool,
    /// Where `/run/current-system` points, on an installed NixOS.
    pub current_system: Option<String>,
    /// Is the login root, or does `sudo -n` work?
    pub privilege: Privilege,
    /// Programs of those that a run needs which are not there.
    pub missing_programs: Vec<String>,
    /// Whole disks.
    pub disks: Vec<LiveDisk>,
}

/// How the machine was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Firmware {
    /// `/sys/firmware/efi` is there.
    Uefi,
    /// It is not.
    Bios,
}

/// What the login may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Privilege {
    /// The login is root.
    Root,
    /// `sudo -n` gives root.
    Sudo,
    /// Neither.
    None,
}

/// A whole disk of the live machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveDisk {
    /// Kernel name such as `vda`.
    pub name: String,
    /// `/dev/NAME`.
    pub path: String,
    /// Every other path that leads here: `/dev/disk/by-id/…` and the like, sorted.
    pub links: Vec<String>,
    /// Bytes.
    pub size: u64,
    /// Model, where the disk tells.
    pub model: Option<String>,
    /// Serial number, where the disk tells.
    pub serial: Option<String>,
    /// `nvme`, `sata`, `usb`, `virtio`, …
    pub transport: Option<String>,
    /// Is the medium removable?
    pub removable: bool,
    /// Is it write-protected?
    pub read_only: bool,
    /// Does it, or what is on it, hold the running installer?
    pub boot_medium: bool,
    /// Partition table (`gpt`, `dos`), where there is one.
    pub table: Option<String>,
    /// File system or other signature directly on the disk.
    pub fs_type: Option<String>,
    /// Where the disk itself is mounted or used as swap.
    pub mountpoints: Vec<String>,
    /// What is on it.
    pub children: Vec<LiveNode>,
}

/// A partition, or what is stacked on one (an opened LUKS container, a logical volume, an array).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveNode {
    /// Kernel name such as `vda1`.
    pub name: String,
    /// Device path.
    pub path: String,
    /// `part`, `crypt`, `lvm`, `raid1`, …
    pub kind: String,
    /// Bytes.
    pub size: u64,
    /// Offset on the disk in bytes, of partitions.
    pub start: Option<u64>,
    /// File system or other signature.
    pub fs_type: Option<String>,
    /// File system label.
    pub label: Option<String>,
    /// GPT partition label.
    pub part_label: Option<String>,
    /// Where it is mounted; `[SWAP]` for active swap.
    pub mountpoints: Vec<String>,
    /// What is stacked on it.
    pub children: Vec<LiveNode>,
}

impl LiveDisk {
    /// Every place where this disk or anything on it is mounted or used as swap.
    #[must_use]
    pub fn mounted_at(&self) -> Vec<&str> {
        let mut places: Vec<&str> = self.mountpoints.iter().map(String::as_str).collect();
        let mut nodes: Vec<&LiveNode> = self.children.iter().rev().collect();
        while let Some(node) = nodes.pop() {
            places.extend(node.mountpoints.iter().map(String::as_str));
            nodes.extend(node.children.iter().rev());
        }
        places
    }

    /// Does `path` name this disk, directly or by one of its links?
    #[must_use]
    pub fn is_called(&self, path: &str) -> bool {
        self.path == path || self.links.iter().any(|link| link == path)
    }
}
