use super::*;
use crate::iso::device::Sysfs;
use crate::remote::probe::lsblk;

/// What lsblk prints on a laptop with a stick, a card, a USB disk, an array and more (util-linux 2.40), shortened
/// to what counts.
const LAPTOP: &str = include_str!("laptop.json");

fn disk(name: &str) -> Disk {
    let devices = lsblk::parse(LAPTOP).unwrap();
    let all: Vec<&lsblk::Device> = devices.iter().flat_map(lsblk::Device::all).collect();
    let device = all.into_iter().find(|device| device.name == name).unwrap();
    let sysfs =
        Sysfs { sd_card: name.starts_with("mmcblk0"), sequence: Some(7), ..Sysfs::default() };
    Disk::of(device, &sysfs).unwrap()
}

fn wishes() -> Wishes {
    Wishes { image_size: Some(2 << 30), ..Wishes::default() }
}

/// The reasons against it, each with its hint.
fn against(name: &str, wishes: &Wishes) -> Vec<(String, String)> {
    let refused = judge(disk(name), wishes).unwrap_err();
    assert_eq!(refused.device, disk(name).live.path);
    let reasons = refused.reasons.into_iter();
    reasons.map(|reason| (reason.text, reason.hint.unwrap_or_default())).collect()
}

fn texts(name: &str, wishes: &Wishes) -> Vec<String> {
    against(name, wishes).into_iter().map(|(text, _)| text).collect()
}

#[test]
fn sticks_cards_and_usb_disks_may_be_erased() {
    for name in ["sdb", "mmcblk0", "sdd"] {
        let target = judge(disk(name), &wishes()).unwrap();
        assert_eq!((target.disk.medium, target.unmount.len()), (Medium::Removable, 0), "{name}");
    }
}

#[test]
fn a_fixed_disk_and_a_loop_device_want_a_flag() {
    for (name, text) in [
        ("sde", "it is not a removable disk"),
        ("mmcblk1", "it is not a removable disk"),
        ("loop3", "it is a loop device: a file of this machine's"),
    ] {
        let against = against(name, &wishes());
        assert_eq!(against.len(), 1, "{against:?}");
        assert_eq!(against[0].0, text);
        assert!(against[0].1.starts_with("--allow-fixed-disk"));
        judge(disk(name), &Wishes { allow_fixed: true, ..wishes() }).unwrap();
    }
}

#[test]
fn the_running_system_s_disk_is_never_erased() {
    let all = Wishes { allow_fixed: true, unmount: true, ..wishes() };
    let texts = texts("nvme0n1", &all);
    assert_eq!(
        texts,
        [
            "its encrypted container is open as root",
            "it is part of LVM: the volume vg-nix is active",
            "it is part of LVM: the volume vg-swap is active",
            "it holds /boot of the running system (/dev/nvme0n1p1)",
            "it holds / of the running system (/dev/mapper/vg-nix)",
            "it holds /nix of the running system (/dev/mapper/vg-nix)",
            "/dev/mapper/vg-swap is used as swap",
        ]
    );
    // The stick that the system was started from is removable, and all the same.
    let removable = Wishes { unmount: true, ..wishes() };
    assert_eq!(self::texts("sdf", &removable), ["it holds /iso of the running system (/dev/sdf)"]);
}

#[test]
fn what_is_mounted_is_named_and_unmounted_only_if_that_is_wanted() {
    let against = against("sdc", &wishes());
    assert_eq!(against[0].0, "/dev/sdc1 is mounted at /run/media/ta/PHOTOS, /mnt/photos");
    assert_eq!(against[0].1, "--unmount unmounts it");
    assert_eq!(against[1].0, "/dev/sdc2 is mounted at /run/media/ta/PHOTOS/more");
    let target = judge(disk("sdc"), &Wishes { unmount: true, ..wishes() }).unwrap();
    assert_eq!(target.unmount, ["/dev/sdc2", "/dev/sdc1"]);
    // A built-in disk's file systems are the user's to unmount.
    let all = Wishes { allow_fixed: true, unmount: true, ..wishes() };
    let texts = self::against("sdg", &all);
    assert_eq!(texts[0].0, "/dev/sdg1 is mounted at /data");
    assert!(texts[0].1.contains("umount /dev/sdg1"));
}

#[test]
fn members_of_arrays_and_open_containers_are_in_use() {
    let all = Wishes { allow_fixed: true, unmount: true, ..wishes() };
    assert_eq!(texts("sdh", &all), ["it is part of the RAID array md0"]);
    assert_eq!(texts("sdi", &all), ["its encrypted container is open as backup"]);
    // What is not open is no reason.
    judge(disk("sde"), &all).unwrap();
}

#[test]
fn what_is_no_whole_disk_is_wrong_usage_and_the_disk_is_named() {
    let all = Wishes { allow_fixed: true, unmount: true, ..wishes() };
    for (name, text) in [
        ("sdb1", "it is a partition, and an image needs the whole disk"),
        ("sr0", "it is an optical drive"),
        ("md0", "it is a RAID array, not a disk"),
        ("vg-nix", "it is a logical volume, not a disk"),
        ("root", "it is an opened encrypted device, not a disk"),
    ] {
        let refused = judge(disk(name), &all).unwrap_err();
        assert!(refused.reasons[0].usage);
        assert_eq!(refused.reasons[0].text, text);
        assert_eq!(refused.reasons.len(), 1);
    }
    assert_eq!(against("sdb1", &all)[0].1, "the whole disk is /dev/sdb");
}

#[test]
fn sizes_and_switches_count() {
    let exact = |size| Wishes { image_size: Some(size), ..Wishes::default() };
    let size = disk("sdb").live.size;
    judge(disk("sdb"), &exact(size)).unwrap();
    let texts = texts("sdb", &exact(size + 1));
    assert_eq!(
        texts,
        ["it has 28.6 GiB (30752636928 bytes), and the image needs 28.6 GiB (30752636929 bytes)"]
    );
    assert_eq!(self::texts("sdj", &wishes()), ["it has no medium: its size is 0"]);
    assert_eq!(self::texts("sdk", &wishes()), ["it is write-protected"]);
    // Before the image is built, its size is not known.
    judge(disk("sdb"), &Wishes::default()).unwrap();
}

#[test]
fn a_name_like_a_system_s_folder_is_no_system_s_folder() {
    for place in ["/boots", "/nixos", "/var2", "/run/media/ta/boot", "/mnt/nix"] {
        assert!(!is_system(place), "{place}");
    }
    for place in ["/", "/boot", "/boot/efi", "/nix/store", "/usr", "/var/lib", "[SWAP]", "/home"] {
        assert!(is_system(place), "{place}");
    }
}

#[test]
fn another_medium_under_the_same_name_is_seen() {
    let stick = disk("sdb");
    assert!(stick.is_same(&stick.clone()));
    assert!(!stick.is_same(&Disk { sequence: Some(8), ..stick.clone() }));
    let mut other = stick.clone();
    other.live.serial = Some("x".into());
    assert!(!stick.is_same(&other));
    assert_eq!(stick.name(), "sdb");
}
