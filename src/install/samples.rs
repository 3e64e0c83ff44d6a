//! Hosts and machines for tests.

use std::collections::BTreeSet;

use super::options::Options;
use super::plan::{Plan, plan};
use super::surroundings::Surroundings;
use crate::facts::{
    Btrfs, Content, Derivation, Disk, Encryption, Filesystem, HostFacts, KeySource, Partition, Ssh,
    Subvolume, Swapfile,
};
use crate::remote::{Firmware, LiveDisk, LiveNode, Privilege, Probe};

pub(crate) const GIB: u64 = 1 << 30;
pub(crate) const MIB: u64 = 1 << 20;

/// What a plan is made of, to be changed before it is made.
pub(crate) struct Case {
    pub(crate) facts: HostFacts,
    pub(crate) minimal: Option<HostFacts>,
    pub(crate) probe: Probe,
    pub(crate) options: Options,
    pub(crate) around: Surroundings,
}

impl Case {
    pub(crate) fn plan(&self) -> Plan {
        plan(&self.facts, self.minimal.as_ref(), &self.probe, &self.options, &self.around)
    }

    /// The codes of the plan's refusals.
    pub(crate) fn refused(&self) -> Vec<String> {
        self.plan().refusals.into_iter().map(|refusal| refusal.code).collect()
    }

    /// Changes both configurations.
    pub(crate) fn configure(&mut self, change: impl Fn(&mut HostFacts)) {
        change(&mut self.facts);
        if let Some(minimal) = &mut self.minimal {
            change(minimal);
        }
    }

    pub(crate) fn disk(&mut self) -> &mut LiveDisk {
        &mut self.probe.disks[0]
    }
}

/// The host grief on a machine with an empty disk: nothing to refuse, nothing to warn of.
pub(crate) fn grief() -> Case {
    let facts = facts("grief", "/dev/disk/by-id/virtio-GRIEF0001", Some("8G"), None);
    let mut options = Options::new("grief".parse().unwrap(), ".");
    options.flake_dir = Some("/home/ta/src/nix-config".into());
    options.target = Some("root@10.0.0.5".parse().unwrap());
    let tracked =
        ["flake.nix", "hosts/grief/default.nix", "hosts/grief/hardware-configuration.nix"];
    let around = Surroundings {
        terminal: true,
        tracked: Some(tracked.map(str::to_owned).into()),
        has_host_dir: true,
        hardware_files: ["hosts/grief/hardware-configuration.nix".to_owned()].into(),
        flake_dir: Some("/home/ta/src/nix-config".into()),
        minimal_flake: Some("./nixos-installer".to_owned()),
        secrets_repo: None,
        sops_yaml: None,
        secrets: None,
        done: BTreeSet::new(),
        notes: Vec::new(),
    };
    let mut minimal = facts.clone();
    minimal.is_minimal = true;
    let disk = live("vda", 20 * GIB, "virtio", Some("GRIEF0001"));
    Case { facts, minimal: Some(minimal), probe: probe(vec![disk, stick()]), options, around }
}

/// The host gusto: encrypted, named by a kernel name, on a disk with Windows.
pub(crate) fn gusto() -> Case {
    let mut case = grief();
    let facts = facts("gusto", "/dev/sda", Some("8G"), Some("crypted"));
    case.options.host = "gusto".parse().unwrap();
    let mut minimal = facts.clone();
    minimal.is_minimal = true;
    case.minimal = Some(minimal);
    case.facts = facts;
    let mut disk = live("sda", 512_110_190_592, "sata", Some("S5GXNX0R123456"));
    disk.model = Some("Samsung SSD 860 EVO".to_owned());
    disk.links = vec!["/dev/disk/by-id/ata-Samsung_SSD_860_EVO_S5GXNX0R123456".to_owned()];
    disk.table = Some("gpt".to_owned());
    disk.children = vec![
        node("sda1", 100 * MIB, MIB, "vfat", None, &[]),
        node("sda2", 16 * MIB, 101 * MIB, "", None, &[]),
        node("sda3", 300 * GIB, 117 * MIB, "ntfs", Some("Windows"), &[]),
        node("sda4", 100 * GIB, 301 * GIB, "crypto_LUKS", None, &[]),
    ];
    disk.children[3].children = vec![LiveNode {
        kind: "crypt".to_owned(),
        ..node("old-root", 100 * GIB - 16 * MIB, 0, "ext4", Some("root"), &[])
    }];
    case.probe.disks = vec![disk, stick()];
    case
}

pub(crate) fn facts(name: &str, device: &str, swap: Option<&str>, luks: Option<&str>) -> HostFacts {
    let mut facts: HostFacts = serde_json::from_value(serde_json::json!({
        "name": name, "hostName": name, "system": "x86_64-linux", "stateVersion": "25.05",
        "isMinimal": false,
        "disko": { "disks": [], "volumeGroups": [], "raids": [], "pools": [], "nodev": [] },
        "swap": { "devices": [], "zram": null }, "encryption": [],
        "persistDir": "/persist", "ssh": { "enable": true, "ports": [22], "hostKeys": [], "permitRootLogin": null },
        "sops": null,
        "target": { "host": null, "port": null, "user": null, "identityFile": null },
        "primaryUser": "ta",
        "boot": { "systemdBoot": true, "grub": false, "grubEfi": false, "grubDevices": [],
                  "espMountpoint": "/boot", "other": [] },
        "bootstrap": {}, "article": { "configVars": {} },
        "outputs": {}
    }))
    .unwrap();
    let outputs = facts.outputs.get_or_insert_default();
    outputs.toplevel = Some(derivation("nixos-system"));
    outputs.disko_script = Some(derivation("disko"));
    facts.ssh = Ssh { permit_root_login: Some("yes".to_owned()), ..facts.ssh };
    let btrfs = btrfs(swap);
    let content = match luks {
        None => btrfs,
        Some(name) => {
            let path = "/tmp/disko-password".parse().unwrap();
            facts.encryption.push(Encryption {
                name: name.to_owned(),
                option: "disko.devices.disk.disk0.content.partitions.root.content".to_owned(),
                key: KeySource::PasswordFile { path },
                additional_key_files: Vec::new(),
            });
            Content::Luks { name: name.to_owned(), content: Some(Box::new(btrfs)) }
        }
    };
    let esp = Partition {
        type_code: Some("EF00".to_owned()),
        priority: Some(1),
        start: Some("1M".to_owned()),
        end: Some("512M".to_owned()),
        ..part("ESP", None, Some(filesystem("vfat", Some("/boot"))))
    };
    facts.disko.disks.push(Disk {
        name: "disk0".to_owned(),
        device: device.parse().unwrap(),
        content: Some(Content::Gpt {
            partitions: vec![esp, part("root", Some("100%"), Some(content))],
        }),
    });
    facts
}

pub(crate) fn derivation(name: &str) -> Derivation {
    let path = format!("/nix/store/zr2knphxg8yyy2mkq8akf2hfknjvdiz7-{name}");
    Derivation { drv_path: format!("{path}.drv").parse().unwrap(), out_path: path.parse().unwrap() }
}

pub(crate) fn filesystem(format: &str, mountpoint: Option<&str>) -> Content {
    Content::Filesystem(Filesystem {
        format: format.to_owned(),
        mountpoint: mountpoint.map(str::to_owned),
        mount_options: Vec::new(),
    })
}

pub(crate) fn btrfs(swap: Option<&str>) -> Content {
    let volume = |name: &str, mountpoint: &str| Subvolume {
        name: name.to_owned(),
        mountpoint: Some(mountpoint.to_owned()),
        mount_options: vec!["compress=zstd".to_owned(), "noatime".to_owned()],
        swapfiles: Vec::new(),
    };
    let mut subvolumes =
        vec![volume("@root", "/"), volume("@persist", "/persist"), volume("@nix", "/nix")];
    if let Some(size) = swap {
        let file = Swapfile {
            name: "swapfile".to_owned(),
            size: size.to_owned(),
            path: "swapfile".to_owned(),
        };
        subvolumes.push(Subvolume { swapfiles: vec![file], ..volume("@swap", "/.swapvol") });
    }
    Content::Btrfs(Btrfs {
        mountpoint: None,
        mount_options: Vec::new(),
        subvolumes,
        swapfiles: Vec::new(),
    })
}

pub(crate) fn part(name: &str, size: Option<&str>, content: Option<Content>) -> Partition {
    Partition {
        name: name.to_owned(),
        label: None,
        type_code: None,
        priority: None,
        size: size.map(str::to_owned),
        start: None,
        end: None,
        content,
    }
}

pub(crate) fn probe(disks: Vec<LiveDisk>) -> Probe {
    Probe {
        host_name: "nixos".to_owned(),
        boot_id: "11111111-2222-3333-4444-555555555555".to_owned(),
        architecture: "x86_64".to_owned(),
        firmware: Firmware::Uefi,
        memory: 2 * GIB,
        os_id: Some("nixos".to_owned()),
        os_variant: Some("installer".to_owned()),
        os_name: Some("NixOS 25.05 (Warbler)".to_owned()),
        installer: true,
        current_system: None,
        privilege: Privilege::Root,
        missing_programs: Vec::new(),
        disks,
    }
}

pub(crate) fn live(name: &str, size: u64, transport: &str, serial: Option<&str>) -> LiveDisk {
    LiveDisk {
        name: name.to_owned(),
        path: format!("/dev/{name}"),
        links: serial
            .map(|serial| format!("/dev/disk/by-id/{transport}-{serial}"))
            .into_iter()
            .collect(),
        size,
        model: None,
        serial: serial.map(str::to_owned),
        transport: Some(transport.to_owned()),
        removable: false,
        read_only: false,
        boot_medium: false,
        table: None,
        fs_type: None,
        mountpoints: Vec::new(),
        children: Vec::new(),
    }
}

/// The stick with the installer.
pub(crate) fn stick() -> LiveDisk {
    let mut stick = live("sdz", 8 * GIB, "usb", Some("STICK1"));
    stick.model = Some("QEMU HARDDISK".to_owned());
    stick.removable = true;
    stick.boot_medium = true;
    stick.children = vec![node("sdz1", 3 * GIB, MIB, "iso9660", Some("NIXOS"), &["/iso"])];
    stick
}

pub(crate) fn node(
    name: &str,
    size: u64,
    start: u64,
    fs_type: &str,
    label: Option<&str>,
    mountpoints: &[&str],
) -> LiveNode {
    LiveNode {
        name: name.to_owned(),
        path: format!("/dev/{name}"),
        kind: "part".to_owned(),
        size,
        start: Some(start),
        fs_type: Some(fs_type.to_owned()).filter(|fs| !fs.is_empty()),
        label: label.map(str::to_owned),
        part_label: None,
        mountpoints: mountpoints.iter().map(|place| (*place).to_owned()).collect(),
        children: Vec::new(),
    }
}
