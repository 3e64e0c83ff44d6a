//! What is not erased, in the states that a real kernel has; and is the same afterwards.

use std::os::unix::fs::MetadataExt;

use super::Images;
use super::guest::{Guest, PARTED, PLAIN};

/// Where a file system of a stick is mounted.
const PLACE: &str = "/mnt/stick";

pub(super) fn what_must_not_be_erased_is_not(guest: &Guest, images: &Images) {
    let (one, two) = (guest.stick(1), guest.stick(2));
    built_in_disks(guest);
    partitions_in_use(guest, images, &one);
    whole_sticks(guest, &two);
}

/// Refused with these words, and neither stick is changed.
fn refused(guest: &Guest, words: &str, code: i32, told: &[&str]) {
    refused_image(guest, PLAIN, words, code, told);
}

fn refused_image(guest: &Guest, image: &str, words: &str, code: i32, told: &[&str]) {
    let before = [guest.content(1), guest.content(2)];
    guest.iso(&format!("--image {image} {words}")).assert(code, told);
    assert!([guest.content(1), guest.content(2)] == before, "changed by iso {words}");
}

fn built_in_disks(guest: &Guest) {
    let of = |serial: &str| {
        let found = guest.sh(&format!("readlink -f /dev/disk/by-id/virtio-{serial}"));
        assert!(found.starts_with("/dev/vd"), "{found}");
        found
    };
    let target = of("GRIEF0001");
    refused(guest, &target, 4, &["it is not a removable disk", "--allow-fixed-disk"]);
    let installer = of("INSTALLER");
    let words = format!("--allow-fixed-disk --unmount {installer}");
    refused(guest, &words, 4, &["it holds /iso of the running system", "it is write-protected"]);
    let blocks = guest.scene.machine_dir().join("disk.img").metadata().unwrap().blocks();
    assert_eq!(blocks, 0, "the built-in disk was written to");
}

/// A partition itself, one that is mounted, in use as swap, or under device mapper; all of the stick that has two.
fn partitions_in_use(guest: &Guest, images: &Images, stick: &str) {
    guest.iso(&format!("--image {PARTED} {stick}")).assert(0, &[]);
    let whole = format!("the whole disk is {stick}");
    refused(guest, &format!("{stick}1"), 2, &["it is a partition", &whole]);

    guest.sh(&format!("mkswap -q {stick}1; swapon {stick}1; sync"));
    let swap = format!("{stick}1 is used as swap");
    let off = format!("swapoff {stick}1");
    refused(guest, &format!("--unmount {stick}"), 4, &[&swap, &off]);
    guest.sh(&off);

    guest.sh(&format!("dmsetup create over --table '0 4096 linear {stick}1 0'"));
    refused(guest, &format!("--unmount {stick}"), 4, &["it is in use by over (dm)"]);
    guest.sh("dmsetup remove --retry over");

    // Mounted at two places.
    guest.sh(&format!(
        "mkfs.ext4 -q {stick}2; mkdir -p {PLACE} {PLACE}.2
        mount -o ro {stick}2 {PLACE}; mount -o ro {stick}2 {PLACE}.2; sync"
    ));
    let told = format!("{stick}2 is mounted at {PLACE}");
    refused(guest, stick, 4, &[&told, &format!("{PLACE}.2"), "--unmount unmounts it"]);
    let ran = guest.iso(&format!("--unmount --image {PLAIN} {stick}"));
    ran.assert(0, &["safe to remove"]);
    guest.sh(&format!("! grep -q {PLACE} /proc/self/mounts"));
    guest.assert_holds(1, &images.plain);
    assert_eq!(guest.partitions(stick), Vec::<String>::new());
}

fn whole_sticks(guest: &Guest, stick: &str) {
    guest.sh(&format!("dmsetup create over --table '0 8192 linear {stick} 0'"));
    refused(guest, stick, 4, &["it is in use by over (dm)", "close that first"]);
    refused(guest, "/dev/mapper/over", 2, &["it is a device of the kind dm, not a disk"]);
    guest.sh("dmsetup remove --retry over");

    // In use in a way that only the kernel knows.
    guest.sh(&format!(
        "wipefs -qa {stick}; mkfs.ext4 -q {stick}; mkdir -p {PLACE}
        mkfifo /run/hold; setsid unshare --mount sh -c '
            mount -o ro {stick} {PLACE}; echo there >/run/hold; read -r _ </run/hold' >/dev/null 2>&1 &
        read -r _ </run/hold; sync"
    ));
    refused(guest, stick, 4, &[&format!("{stick} is in use")]);
    guest.sh("echo end >/run/hold; rm /run/hold");

    guest.sh(&format!(
        "printf word | cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 {stick} -
        printf word | cryptsetup open --key-file - {stick} opened; sync"
    ));
    let open = "its encrypted container is open as opened";
    refused(guest, &format!("--unmount {stick}"), 4, &[open, "cryptsetup close"]);
    guest.sh("cryptsetup close opened");

    guest.sh(&format!("blockdev --setro {stick}"));
    refused(guest, stick, 4, &["it is write-protected"]);
    guest.sh(&format!("blockdev --setrw {stick}"));

    // One byte too much.
    guest.sh(&format!("cp {PLAIN} /run/large.iso; truncate -s {} /run/large.iso", (24 << 20) + 1));
    let needs = "it has 24 MiB (25165824 bytes), and the image needs 24 MiB (25165825 bytes)";
    refused_image(guest, "/run/large.iso", stick, 4, &[needs]);
    guest.sh("rm /run/large.iso");
}
