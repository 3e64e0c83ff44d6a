//! Devices that lie or fail: device mapper's, under a loop device since `iso` takes whole disks only; and SCSI disks that
//! the kernel plays.

use super::Images;
use super::guest::{Guest, PLAIN, TOOL};

/// Sectors of the stick that device mapper works on.
const SECTORS: u64 = 32768;

const WRONG: &str = "what is read back differs from the image";
const FAILED: &str = "the device reports an error (Input/output error";

/// A table for `dmsetup`, with `S` for the stick, and how writing to it ends.
struct Case {
    table: String,
    state: &'static str,
    error: &'static [&'static str],
}

pub(super) fn a_device_that_lies_or_fails_is_found_out(guest: &Guest, _: &Images) {
    guest.sh("modprobe -a loop dm-flakey dm-zero");
    let all = |features: &str| format!("0 {SECTORS} flakey S 0 0 1 {features}");
    // What is in the middle; the sectors before and behind it are good.
    let middle = |from: u64, count: u64, what: &str| {
        let (end, rest) = (from + count, SECTORS - from - count);
        format!("0 {from} linear S 0\n{from} {count} {what}\n{end} {rest} linear S {end}")
    };
    let cases = [
        Case { table: format!("0 {SECTORS} linear S 0"), state: "good", error: &[] },
        Case {
            table: all("1 drop_writes"),
            state: "wrong",
            error: &[WRONG, "between 0 B and 4 MiB", "the device is broken"],
        },
        Case {
            table: middle(18000, 8, "flakey S 18000 0 1 1 drop_writes"),
            state: "wrong",
            error: &[WRONG, "between 8 MiB and 10 MiB"],
        },
        Case {
            table: middle(9000, 8, "zero"),
            state: "wrong",
            error: &[WRONG, "between 4 MiB and 8 MiB"],
        },
        Case {
            table: middle(9000, 8, "error"),
            state: "incomplete",
            error: &["writing at 4 MiB failed", FAILED],
        },
        Case {
            table: all("1 error_writes"),
            state: "incomplete",
            error: &["writing at 0 B failed", FAILED],
        },
        Case {
            table: middle(9000, 8, "flakey S 9000 0 1 1 error_reads"),
            state: "unverified",
            error: &["reading back at 4 MiB failed", FAILED],
        },
        Case {
            table: all("5 corrupt_bio_byte 32 r 1 0"),
            state: "wrong",
            error: &[WRONG, "between 0 B and 4 MiB"],
        },
    ];
    let stick = guest.stick(1);
    for case in &cases {
        let ran = guest.run(&over(&stick, &case.table, "--json"));
        let ended = ran.events().into_iter().rfind(|event| event["event"] == "ended").unwrap();
        assert_eq!(ended["state"], case.state, "{}: {ran:?}", case.table);
        ran.assert(i32::from(!case.error.is_empty()), case.error);
        assert_eq!(ended["error"].is_null(), case.error.is_empty(), "{ran:?}");
    }
    let ran = guest.run(&over(&stick, &all("1 drop_writes"), ""));
    ran.assert(1, &["✗ /dev/loop", WRONG, "It does not hold the image; do not rely on it."]);
}

/// Writes to a loop device over a mapped device; with the kernel's cache between them, what is read back would never
/// come from the device. What the case before has written is overwritten first.
fn over(stick: &str, table: &str, words: &str) -> String {
    let table = table.replace('S', stick);
    format!(
        "set -e; dd if=/dev/zero of={stick} bs=1M count=16 oflag=direct status=none
        echo '{table}' | dmsetup create over
        device=$(losetup --find --show --direct-io=on /dev/mapper/over)
        code=0
        {TOOL} iso --yes {words} --allow-fixed-disk --image {PLAIN} $device || code=$?
        losetup --detach $device; udevadm settle; dmsetup remove --retry over
        exit $code"
    )
}

pub(super) fn sticks_that_are_false_broken_or_have_large_sectors(guest: &Guest, images: &Images) {
    // A stick of 8 MiB that says it has 1 GiB, and goes on at its beginning.
    let stick = played(guest, "dev_size_mb=8 virtual_gb=1");
    let ran = guest.iso(&format!("--json --image {PLAIN} {stick}"));
    ran.assert(1, &["or smaller than it claims"]);
    let ended = ran.ended(&stick);
    assert_eq!(ended["state"], "wrong", "{ended}");

    let stick = played(guest, "dev_size_mb=16 wp=1");
    guest.iso(&format!("--image {PLAIN} {stick}")).assert(4, &["it is write-protected"]);

    let stick = played(
        guest,
        "dev_size_mb=16 sector_size=4096 medium_error_start=768 medium_error_count=1",
    );
    guest.iso(&format!("--image {PLAIN} {stick}")).assert(0, &["safe to remove"]);
    let length = images.plain.len();
    guest.sh(&format!("cmp -n {length} {PLAIN} {stick}"));
    // It has something to tell to whoever opens it next (SPC-4, "reported LUNs data has changed"), which makes it no
    // other medium. udev stands still: it would be told in our place.
    guest.sh(
        "kill -STOP $(pidof systemd-udevd); echo 3 >/sys/bus/pseudo/drivers/scsi_debug/max_luns",
    );
    let ran = guest.iso(&format!("--image {PLAIN} {stick}"));
    guest.sh("kill -CONT $(pidof systemd-udevd)");
    ran.assert(0, &["safe to remove"]);
    // From now on one sector can't be read.
    guest.sh("echo 2 >/sys/module/scsi_debug/parameters/opts");
    let ran = guest.iso(&format!("--json --image {PLAIN} {stick}"));
    ran.assert(1, &["reading back at 2 MiB failed", "its medium is damaged"]);
    assert_eq!(ran.ended(&stick)["state"], "unverified");
    guest.sh("echo 0 >/sys/module/scsi_debug/parameters/opts");
    remove_played(guest);
}

/// A removable disk that the kernel plays; where it is.
fn played(guest: &Guest, options: &str) -> String {
    remove_played(guest);
    let found = guest.sh(&format!(
        "modprobe scsi_debug removable=1 inq_product=Played {options}; udevadm settle
        lsblk -dno PATH,MODEL | sed -n 's/ *Played$//p'"
    ));
    assert!(found.starts_with("/dev/sd"), "{found:?}");
    found
}

fn remove_played(guest: &Guest) {
    guest.sh("for _ in $(seq 50); do udevadm settle; modprobe -qr scsi_debug && exit 0; sleep 0.1; done; exit 1");
}
