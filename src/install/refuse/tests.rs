//! Every refusal, each from a plan that has nothing else wrong.

use super::super::options::{Engine, ReuseHostKey, Via};
use super::super::phase::Phase;
use super::super::plan::{Action, Refusal};
use super::super::samples::{Case, GIB, MIB, btrfs, filesystem, grief, gusto, live, node, part};
use crate::facts::{
    Content, Disk, Encryption, HardwareGenerator, KeySource, LogicalVolume, NodevMount, Sops,
    SopsSecret, SshHostKey, SwapDevice, VolumeGroup,
};
use crate::remote::Privilege;
use crate::validated::AbsolutePath;

/// The only refusal, which must have this code.
fn only(case: &Case, code: &str) -> Refusal {
    let plan = case.plan();
    let codes: Vec<&str> = plan.refusals.iter().map(|refusal| refusal.code.as_str()).collect();
    assert_eq!(codes, [code]);
    plan.refusals[0].clone()
}

fn partitions(content: &mut Option<Content>) -> &mut Vec<crate::facts::Partition> {
    match content {
        Some(Content::Gpt { partitions }) => partitions,
        other => panic!("no gpt: {other:?}"),
    }
}

#[test]
fn good_plans_are_not_refused() {
    assert_eq!(grief().refused(), [""; 0]);
    assert_eq!(gusto().refused(), [""; 0]);
}

#[test]
fn a_key_that_the_host_would_look_for_elsewhere_is_refused_with_both_options() {
    let mut case = grief();
    case.facts.sops = Some(Sops {
        age_key_file: None,
        age_ssh_key_paths: vec!["/persist/etc/ssh/ssh_host_ed25519_key".to_owned()],
        default_file: None,
        secrets: vec![SopsSecret { name: "a".to_owned(), key: "a".to_owned(), file: None }],
    });
    assert_eq!(case.refused(), [""; 0]);
    let warned = |case: &Case| case.plan().warnings.join("\n");
    assert!(!warned(&case).contains("sops.age"), "{}", warned(&case));
    // Placed there as well, but what is mounted over it comes later.
    let sops = |case: &mut Case, paths: &[&str]| {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        case.facts.sops.as_mut().unwrap().age_ssh_key_paths = paths;
    };
    sops(&mut case, &["/etc/ssh/ssh_host_ed25519_key"]);
    assert_eq!(case.refused(), [""; 0]);
    assert!(warned(&case).contains("none of sops.age.sshKeyPaths is below /persist"));
    sops(&mut case, &["/var/lib/sops/key"]);
    let reason = only(&case, "sops-key-path").reason;
    for part in [
        "sops.age.sshKeyPaths",
        "services.openssh.hostKeys",
        "/var/lib/sops/key",
        "/persist/etc/ssh/",
    ] {
        assert!(reason.contains(part), "{reason}");
    }
    case.options.phases.only = [Phase::Verify].into();
    assert_eq!(case.refused(), [""; 0]);
    case.options.phases.only.clear();
    sops(&mut case, &[]);
    case.facts.sops.as_mut().unwrap().age_key_file = Some("/var/key.txt".to_owned());
    assert!(warned(&case).contains("/var/key.txt (sops.age.keyFile)"), "{}", warned(&case));
}

#[test]
fn host_keys_that_cannot_be_had_are_refused() {
    let mut case = grief();
    let path = "/etc/ssh/ssh_host_ecdsa_key".parse().unwrap();
    case.facts.ssh.host_keys.push(SshHostKey { kind: "ecdsa".to_owned(), path });
    let refusal = only(&case, "host-key-kind");
    assert!(refusal.reason.contains("services.openssh.hostKeys"), "{}", refusal.reason);
    assert!(refusal.reason.contains("/etc/ssh/ssh_host_ecdsa_key"), "{}", refusal.reason);
    let mut case = grief();
    case.options.reuse_host_key = Some(ReuseHostKey::Target);
    let refusal = only(&case, "no-old-system");
    assert!(refusal.hint.contains("--reuse-host-key=secrets"), "{}", refusal.hint);
    case.around.done = [Phase::Hostkey].into();
    assert_eq!(case.refused(), [""; 0], "it has been taken before");
    let mut case = grief();
    case.options.reuse_host_key = Some(ReuseHostKey::Secrets);
    assert!(only(&case, "no-host-key-copy").hint.contains("bootstrap.secrets.repo"));
}

#[test]
fn a_missing_device_lists_the_disks_by_id() {
    let mut case = grief();
    case.configure(|facts| facts.disko.disks[0].device = "/dev/nvme0n1".parse().unwrap());
    let refusal = only(&case, "missing-device");
    assert_eq!(refusal.reason, "the machine has no /dev/nvme0n1");
    assert!(refusal.hint.contains("disko.devices.disk.disk0.device"), "{}", refusal.hint);
    assert!(refusal.hint.contains("/dev/disk/by-id/virtio-GRIEF0001 (20 GiB)"), "{}", refusal.hint);
    assert!(!refusal.hint.contains("STICK1"), "the boot medium is offered: {}", refusal.hint);
}

#[test]
fn a_machine_without_disks_says_so() {
    let mut case = grief();
    case.probe.disks.remove(0);
    assert!(only(&case, "missing-device").hint.starts_with("attach a disk"));
}

#[test]
fn a_partition_is_no_disk() {
    let mut case = gusto();
    case.configure(|facts| facts.disko.disks[0].device = "/dev/sda3".parse().unwrap());
    let refusal = only(&case, "not-a-disk");
    assert_eq!(refusal.reason, "/dev/sda3 is a part of the disk /dev/sda, not a whole disk");
}

#[test]
fn the_boot_medium_is_refused_by_its_name_and_through_its_links() {
    for device in ["/dev/sdz", "/dev/disk/by-id/usb-STICK1", "/dev//./sdz"] {
        let mut case = grief();
        case.configure(|facts| facts.disko.disks[0].device = device.parse().unwrap());
        let refusal = only(&case, "boot-medium");
        assert!(refusal.reason.contains("/dev/sdz"), "{}", refusal.reason);
        assert!(refusal.hint.contains("virtio-GRIEF0001"), "{}", refusal.hint);
    }
}

#[test]
fn a_mounted_disk_is_refused_and_says_where() {
    let mut case = gusto();
    case.disk().children[2].mountpoints = vec!["/data".to_owned()];
    case.disk().children[3].children[0].mountpoints = vec!["/mnt".to_owned()];
    case.disk().children[1].mountpoints = vec!["[SWAP]".to_owned()];
    let refusal = only(&case, "mounted-disk");
    assert_eq!(refusal.reason, "/dev/sda is in use: mounted at /data, /mnt, and active as swap");
    assert_eq!(
        refusal.hint,
        "release it on the target with `swapoff -a`, `umount -R /mnt`, `umount /data`"
    );
}

#[test]
fn a_disk_that_is_mounted_matters_only_while_disko_still_runs() {
    let mut case = gusto();
    case.disk().children[2].mountpoints = vec!["/mnt".to_owned()];
    case.around.done = [Phase::Hostkey, Phase::Hardware, Phase::Disko].into();
    assert_eq!(case.refused(), [""; 0]);
    // Interrupted within disko: what is below /mnt is ours, anything else is not.
    case.around.done = [Phase::Hostkey, Phase::Hardware].into();
    assert_eq!(case.refused(), [""; 0]);
    case.disk().children[2].mountpoints = vec!["/mntx".to_owned()];
    assert_eq!(case.refused(), ["mounted-disk"]);
    case.around.done.clear();
    case.options.phases.skip = [Phase::Disko].into();
    assert_eq!(case.refused(), [""; 0]);
}

#[test]
fn a_write_protected_disk_is_refused() {
    let mut case = grief();
    case.disk().read_only = true;
    only(&case, "read-only-disk");
}

#[test]
fn a_disk_too_small_says_what_it_has_and_needs() {
    let mut case = grief();
    case.configure(|facts| {
        let parts = partitions(&mut facts.disko.disks[0].content);
        parts.push(part("data", Some("30G"), Some(filesystem("ext4", Some("/data")))));
    });
    let refusal = only(&case, "too-small");
    assert_eq!(
        refusal.reason,
        "/dev/disk/by-id/virtio-GRIEF0001 has 20 GiB, but its layout needs at least 30.5 GiB"
    );
    case.disk().size = 40 * GIB;
    assert_eq!(case.refused(), [""; 0]);
}

#[test]
fn a_swapfile_must_fit_into_its_file_system() {
    let mut case = grief();
    case.disk().size = 8 * GIB;
    let refusal = only(&case, "swapfile-too-big");
    assert!(
        refusal.reason.starts_with(
            "the swapfile @swap/swapfile of 8 GiB does not fit into its file system of 7.5 GiB"
        ),
        "{}",
        refusal.reason
    );
    // Through LUKS, too, whose header takes its share.
    let mut case = gusto();
    case.disk().size = 8 * GIB + 512 * MIB + 8 * MIB;
    only(&case, "swapfile-too-big");
    case.disk().size += 16 * MIB;
    assert_eq!(case.refused(), [""; 0]);
}

#[test]
fn swapfiles_must_fit_together() {
    let mut case = grief();
    case.configure(|facts| {
        let Some(Content::Btrfs(btrfs)) =
            &mut partitions(&mut facts.disko.disks[0].content)[1].content
        else {
            panic!("no btrfs");
        };
        let mut more = btrfs.subvolumes[3].clone();
        more.name = "@more".to_owned();
        more.swapfiles[0].size = "14G".to_owned();
        btrfs.subvolumes.push(more);
    });
    let found = case.plan().refusals;
    assert_eq!(found.len(), 2);
    assert!(found[0].reason.contains("take 22 GiB together"), "{}", found[0].reason);
}

#[test]
fn a_swapfile_made_at_boot_must_fit_too() {
    let mut case = grief();
    let device = |size| SwapDevice { device: "/persist/swap".to_owned(), size_mib: Some(size) };
    case.configure(|facts| facts.swap.devices = vec![device(21 * 1024)]);
    assert!(
        only(&case, "swapfile-too-big").reason.contains("(swapDevices) does not fit into /persist")
    );
    case.configure(|facts| facts.swap.devices = vec![device(1024)]);
    assert_eq!(case.refused(), [""; 0]);
}

#[test]
fn sizes_that_mean_nothing_name_their_option() {
    for (size, why) in
        [("50%", "only 100%"), ("8X", "K, M, G"), ("1.5G", "K, M, G"), ("99999P", "large")]
    {
        let mut case = grief();
        case.configure(|facts| {
            partitions(&mut facts.disko.disks[0].content)[1].size = Some(size.to_owned());
        });
        let refusal = only(&case, "bad-size");
        let option = "disko.devices.disk.disk0.content.partitions.root.size is";
        assert!(refusal.reason.starts_with(option), "{}", refusal.reason);
        assert!(refusal.reason.contains(why), "{}", refusal.reason);
    }
    let mut case = grief();
    case.configure(|facts| {
        partitions(&mut facts.disko.disks[0].content)[1].content = Some(btrfs(Some("lots")));
    });
    assert!(only(&case, "bad-size").reason.contains("the swapfile @swap/swapfile"));
}

#[test]
fn partitions_that_overlap_are_refused() {
    let mut case = grief();
    case.configure(|facts| {
        let parts = partitions(&mut facts.disko.disks[0].content);
        let mut data = part("data", None, None);
        (data.priority, data.start, data.end) = (Some(2), Some("256M".into()), Some("1G".into()));
        parts.push(data);
    });
    assert!(only(&case, "no-place").reason.contains("partitions.data has no place"));
}

#[test]
fn the_same_disk_twice_is_refused_through_links_too() {
    let mut case = grief();
    case.configure(|facts| {
        let mut again = facts.disko.disks[0].clone();
        (again.name, again.device) = ("disk1".to_owned(), "/dev/vda".parse().unwrap());
        facts.disko.disks.push(again);
    });
    let refusal = only(&case, "same-disk-twice");
    assert!(refusal.reason.contains("disk0 and .disk1 are the same disk"), "{}", refusal.reason);
}

#[test]
fn ask_password_needs_a_terminal() {
    for (key, why) in
        [(KeySource::Ask, "it has askPassword"), (KeySource::Unset, "neither passwordFile")]
    {
        let mut case = gusto();
        case.configure(|facts| facts.encryption[0].key = key.clone());
        assert_eq!(case.refused(), [""; 0]);
        case.around.terminal = false;
        let refusal = only(&case, "no-terminal");
        assert!(refusal.reason.contains(why), "{}", refusal.reason);
        assert!(refusal.hint.contains("partitions.root.content.passwordFile"), "{}", refusal.hint);
        case.around.done = [Phase::Disko].into();
        assert_eq!(case.refused(), [""; 0]);
    }
}

#[test]
fn further_key_files_must_be_ones_that_are_delivered() {
    let mut case = gusto();
    // The container's own key file is there while disko runs.
    let own: AbsolutePath = "/tmp/disko-password".parse().unwrap();
    let with = |case: &mut Case, files: &[&AbsolutePath]| {
        case.configure(|facts| {
            facts.encryption[0].additional_key_files = files.iter().copied().cloned().collect();
        });
    };
    with(&mut case, &[&own]);
    assert_eq!(case.refused(), [""; 0]);
    with(&mut case, &[&own, &"/tmp/recovery.key".parse().unwrap()]);
    let refusal = only(&case, "no-key-file");
    assert!(refusal.reason.ends_with("on the installer: /tmp/recovery.key"), "{}", refusal.reason);
    let option = "disko.devices.disk.disk0.content.partitions.root.content.additionalKeyFiles";
    assert!(refusal.hint.contains(option), "{}", refusal.hint);
    // Where the disks are left as they are, no key is wanted.
    case.options.phases.skip = [Phase::Disko].into();
    assert_eq!(case.refused(), [""; 0]);
}

#[test]
fn the_architecture_must_fit() {
    let fits = [
        ("x86_64-linux", "x86_64"),
        ("aarch64-linux", "aarch64"),
        ("i686-linux", "x86_64"),
        ("armv7l-linux", "aarch64"),
        ("riscv64-linux", "riscv64"),
    ];
    for (system, machine) in fits {
        let mut case = grief();
        case.configure(|facts| facts.system = system.to_owned());
        case.probe.architecture = machine.to_owned();
        assert_eq!(case.refused(), [""; 0], "{system} on {machine}");
    }
    for (system, machine) in
        [("x86_64-linux", "aarch64"), ("aarch64-linux", "x86_64"), ("x86_64-linux", "i686")]
    {
        let mut case = grief();
        case.configure(|facts| facts.system = system.to_owned());
        case.probe.architecture = machine.to_owned();
        let refusal = only(&case, "wrong-architecture");
        assert!(refusal.reason.contains(system) && refusal.reason.contains(machine));
    }
}

#[test]
fn a_target_without_installer_needs_kexec() {
    let mut case = grief();
    case.probe.installer = false;
    case.probe.os_name = Some("Debian GNU/Linux 13".to_owned());
    assert!(only(&case, "no-installer").reason.contains("runs Debian GNU/Linux 13"));
    case.options.engine = Engine::NixosAnywhere;
    assert_eq!(case.refused(), [""; 0]);
    assert_eq!(case.plan().phase(Phase::Kexec).unwrap().action, Action::Run);
    case.options.engine = Engine::Native;
    case.around.done =
        [Phase::Hostkey, Phase::Hardware, Phase::Disko, Phase::Install, Phase::Reboot].into();
    assert_eq!(case.refused(), [""; 0]);
}

#[test]
fn kexec_takes_the_disk_of_the_system_that_it_replaces() {
    let mut case = grief();
    case.probe.installer = false;
    case.disk().boot_medium = true;
    case.disk().children = vec![node("vda1", 19 * GIB, MIB, "ext4", None, &["/"])];
    case.options.engine = Engine::NixosAnywhere;
    assert_eq!(case.refused(), [""; 0]);
    case.options.phases.skip = [Phase::Kexec].into();
    assert_eq!(case.refused(), ["no-installer", "boot-medium"]);
    case.options.engine = Engine::Native;
    case.options.phases.skip.clear();
    case.options.phases.only = [Phase::Kexec, Phase::Disko].into();
    assert_eq!(case.refused(), ["no-installer", "boot-medium"]);
}

#[test]
fn without_privilege_nothing_can_be_formatted() {
    let mut case = grief();
    case.probe.privilege = Privilege::None;
    case.options.target = Some("nixos@10.0.0.5".parse().unwrap());
    let refusal = only(&case, "no-privilege");
    assert!(refusal.reason.starts_with("nixos is not root"), "{}", refusal.reason);
    assert!(refusal.hint.contains("root@10.0.0.5"), "{}", refusal.hint);
    case.probe.privilege = Privilege::Sudo;
    assert_eq!(case.refused(), [""; 0]);
}

#[test]
fn missing_programs_count_for_the_phases_that_call_them() {
    let mut case = grief();
    case.probe.missing_programs = vec!["nixos-install".to_owned(), "nixos-facter".to_owned()];
    let refusal = only(&case, "missing-programs");
    assert_eq!(refusal.reason, "the target lacks nixos-install (for install)");
    case.options.phases.skip = [Phase::Install].into();
    assert_eq!(case.refused(), [""; 0]);
    case.configure(|facts| {
        facts.bootstrap.hardware_generator = Some(HardwareGenerator::NixosFacter);
    });
    assert_eq!(
        only(&case, "missing-programs").reason,
        "the target lacks nixos-facter (for hardware)"
    );
}

#[test]
fn no_disks_are_refused_while_disko_would_run() {
    let mut case = grief();
    case.configure(|facts| facts.disko.disks.clear());
    assert!(only(&case, "no-disks").hint.contains("--skip disko"));
    case.options.phases.skip = [Phase::Disko].into();
    assert_eq!(case.refused(), [""; 0]);
}

#[test]
fn a_disk_without_content_is_left_alone() {
    let mut case = grief();
    case.configure(|facts| {
        let device = "/dev/disk/by-id/usb-STICK1".parse().unwrap();
        facts.disko.disks.push(Disk { name: "stick".to_owned(), device, content: None });
    });
    let plan = case.plan();
    assert!(!plan.refused());
    assert_eq!(plan.disks.len(), 1);
    assert_eq!(plan.untouched.len(), 1);
}

#[test]
fn what_is_not_built_is_refused() {
    let mut case = grief();
    case.configure(|facts| facts.outputs.as_mut().unwrap().disko_script = None);
    assert!(
        only(&case, "no-disko-script")
            .reason
            .contains("./nixos-installer#nixosConfigurations.grief")
    );
    let mut case = grief();
    case.minimal.as_mut().unwrap().outputs.as_mut().unwrap().toplevel = None;
    assert!(only(&case, "no-toplevel").hint.contains("./nixos-installer#"));
    let mut case = grief();
    case.facts.outputs.as_mut().unwrap().toplevel = None;
    assert!(only(&case, "no-toplevel").hint.contains("`nix eval .#"));
    case.options.phases.skip = [Phase::Rebuild].into();
    assert_eq!(case.refused(), [""; 0]);
}

#[test]
fn via_minimal_needs_a_minimal_configuration() {
    let mut case = grief();
    case.minimal = None;
    assert_eq!(case.refused(), [""; 0]);
    case.options.via = Some(Via::Minimal);
    assert!(only(&case, "no-minimal").hint.contains("--via full"));
}

#[test]
fn a_hardware_file_outside_of_the_flake_is_refused() {
    for file in ["/etc/nixos/hardware-configuration.nix", "../x.nix", ""] {
        let mut case = grief();
        case.configure(|facts| facts.bootstrap.hardware_file = Some(file.to_owned()));
        only(&case, "bad-hardware-file");
    }
    let mut case = grief();
    let stored = "/nix/store/zr2knphxg8yyy2mkq8akf2hfknjvdiz7-source/hosts/grief/hw.nix";
    case.configure(|facts| facts.bootstrap.hardware_file = Some(stored.to_owned()));
    assert_eq!(case.plan().hardware.unwrap().file, "hosts/grief/hw.nix");
    assert_eq!(case.refused(), [""; 0]);
}

#[test]
fn an_unknown_address_is_refused() {
    let mut case = grief();
    case.options.target = None;
    assert!(only(&case, "no-address").hint.contains("--target"));
    case.facts.target.host = Some("10.0.0.9".parse().unwrap());
    assert_eq!(case.refused(), [""; 0]);
}

#[test]
fn logical_volumes_must_fit_their_group() {
    let mut case = grief();
    let volume = |name: &str, size: &str| LogicalVolume {
        name: name.to_owned(),
        size: Some(size.to_owned()),
        content: None,
    };
    case.configure(|facts| {
        let inner = Content::LvmPv { vg: "pool".to_owned() };
        let content = Content::Luks { name: "crypted".to_owned(), content: Some(Box::new(inner)) };
        partitions(&mut facts.disko.disks[0].content)[1].content = Some(content);
        let volumes = vec![volume("root", "15G"), volume("home", "6G"), volume("x", "100%FREE")];
        facts.disko.volume_groups = vec![VolumeGroup { name: "pool".to_owned(), volumes }];
    });
    let refusal = only(&case, "too-small");
    assert_eq!(
        refusal.reason,
        "the volumes of the LVM group pool take 21 GiB, but it has 19.5 GiB"
    );
}

#[test]
fn a_disk_of_another_case_stays_out_of_it() {
    let mut case = grief();
    let mut other = live("sdb", 4 * GIB, "sata", None);
    other.children = vec![node("sdb1", GIB, MIB, "ext4", None, &["/data"])];
    case.probe.disks.push(other);
    assert_eq!(case.refused(), [""; 0]);
}

#[test]
fn several_containers_are_named_together() {
    let mut case = gusto();
    case.around.terminal = false;
    case.configure(|facts| {
        facts.encryption[0].key = KeySource::Ask;
        facts
            .encryption
            .push(Encryption { name: "data".to_owned(), ..facts.encryption[0].clone() });
    });
    assert!(only(&case, "no-terminal").reason.contains("crypted, data"));
}

#[test]
fn a_host_key_in_memory_is_refused() {
    let mut case = grief();
    let root = NodevMount {
        mountpoint: "/".to_owned(),
        fs_type: "tmpfs".to_owned(),
        mount_options: Vec::new(),
    };
    case.configure(|facts| {
        let Some(Content::Btrfs(btrfs)) =
            &mut partitions(&mut facts.disko.disks[0].content)[1].content
        else {
            panic!("no btrfs");
        };
        btrfs.subvolumes.retain(|volume| volume.mountpoint.as_deref() != Some("/"));
        facts.disko.nodev = vec![root.clone()];
    });
    assert_eq!(case.refused(), [""; 0]);
    case.configure(|facts| facts.persist_dir = None);
    let refusal = only(&case, "host-key-lost");
    assert!(refusal.reason.contains("at /etc/ssh/ssh_host_ed25519_key, but / is in memory"));
    assert!(refusal.hint.contains("--impermanence=DIR"), "{}", refusal.hint);
    case.configure(|facts| {
        let path = "/nix/keys/ssh".parse().unwrap();
        facts.ssh.host_keys = vec![SshHostKey { kind: "ed25519".to_owned(), path }];
    });
    assert_eq!(case.refused(), [""; 0]);
}
