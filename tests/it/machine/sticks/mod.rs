//! `iso` on disks of a real kernel: removable ones that can be pulled out, device mapper with its faults, disks that
//! the kernel plays (`scsi_debug`). One machine for all of it, whose disks are files of this test.

mod asked;
mod faults;
mod guest;
mod pulled;
mod refused;
mod user;

use std::process::Command;

use super::scene::checked;
use crate::iso::picture::{MIB, iso, noise};
use guest::{Guest, PARTED, PLAIN, TOOL};

/// The images that are written, as they are in the machine's files too.
struct Images {
    /// A volume without partitions, which ends within a sector.
    plain: Vec<u8>,
    /// A disk with a GPT and two partitions.
    parted: Vec<u8>,
}

/// A part of the test.
type Step = fn(&Guest, &Images);

#[test]
#[ignore = "takes minutes; scripts/test runs it"]
fn sticks_are_written_and_all_that_goes_wrong_is_told() {
    let guest = Guest::boot();
    let images = prepare(&guest);
    let steps: [(&str, Step); 9] = [
        ("asked", asked::a_stick_is_picked_and_its_name_is_typed),
        ("changed", asked::a_stick_that_was_changed_meanwhile_is_not_written),
        ("partitions", partitions_are_those_of_the_image),
        ("refused", refused::what_must_not_be_erased_is_not),
        ("two", two_sticks_are_written_from_one_reading),
        ("user", user::without_root_the_writing_is_left_to_sudo),
        ("mapped", faults::a_device_that_lies_or_fails_is_found_out),
        ("scsi", faults::sticks_that_are_false_broken_or_have_large_sectors),
        ("pulled", pulled::a_stick_that_is_pulled_out_is_told),
    ];
    for (name, step) in steps {
        let start = std::time::Instant::now();
        step(&guest, &images);
        println!("{name}: {:.1} s", start.elapsed().as_secs_f64());
    }
    let kernel = guest.sh("dmesg");
    assert!(!kernel.contains("blocked for more than"), "something hung: {kernel}");
}

/// Brings the tool and the images into the machine.
fn prepare(guest: &Guest) -> Images {
    let dir = guest.scene.dir.path();
    let stripped = dir.join("stripped");
    let tool = assert_cmd::cargo::cargo_bin("nixos-bootstrap");
    checked(Command::new("strip").arg("-o").arg(&stripped).arg(tool));
    guest.put(&std::fs::read(&stripped).unwrap(), TOOL);
    guest.sh(&format!("chmod 755 {TOOL}"));

    let images = Images { plain: iso(10 * MIB + 777, 901), parted: parted(dir) };
    guest.put(&images.plain, PLAIN);
    guest.put(&images.parted, PARTED);
    images
}

/// Two partitions of 4 MiB and 3 MiB, and noise.
fn parted(dir: &std::path::Path) -> Vec<u8> {
    let file = crate::iso::picture::file(dir, "parted.img", &noise(12 * MIB, 902));
    let mut sgdisk = Command::new("sgdisk");
    sgdisk.args(["--clear", "--new=1:1M:+4M", "--new=2:6M:+3M"]).arg(&file);
    checked(&mut sgdisk);
    std::fs::read(file).unwrap()
}

/// What [`parted`] makes, in sectors.
const PARTITIONS: [&str; 2] = ["8192", "6144"];

/// The kernel shows the new partitions at once, and forgets the old ones. udev would have it read the table some time
/// later, so it stands still.
fn partitions_are_those_of_the_image(guest: &Guest, images: &Images) {
    let stick = guest.stick(1);
    guest.sh("kill -STOP $(pidof systemd-udevd)");
    guest.iso(&format!("--image {PLAIN} {stick}")).assert(0, &["safe to remove"]);
    assert_eq!(guest.partitions(&stick), Vec::<String>::new());
    guest.assert_holds(1, &images.plain);
    guest.iso(&format!("--image {PARTED} {stick}")).assert(0, &["safe to remove"]);
    assert_eq!(guest.partitions(&stick), PARTITIONS);
    guest.assert_holds(1, &images.parted);

    // Somebody looks into an old partition until half a second after the image was written.
    let looked = guest.run(&format!(
        "{TOOL} iso --yes --json --image {PLAIN} {stick} | {{
            exec 3<{stick}2
            while read -r line; do
                echo \"$line\"
                case $line in *'\"ended\"'*) sleep 0.5; exec 3<&- ;; esac
            done
        }}"
    ));
    guest.sh("kill -CONT $(pidof systemd-udevd); udevadm settle");
    assert_eq!(looked.ended(&stick)["state"], "good");
    assert!(!looked.out.contains("warning"), "{looked:?}");
    assert_eq!(guest.partitions(&stick), Vec::<String>::new());
}

fn two_sticks_are_written_from_one_reading(guest: &Guest, images: &Images) {
    let sticks = [guest.stick(1), guest.stick(2)];
    let [one, two] = &sticks;
    // proc_pid_io(5): what was read by this process and by its children that have ended.
    let ran = guest.run(&format!(
        "{TOOL} iso --yes --json --image {PLAIN} {one} {two}; code=$?; grep rchar /proc/$$/io; exit $code"
    ));
    ran.assert(0, &[]);
    for (number, stick) in sticks.iter().enumerate() {
        let ended = ran.ended(stick);
        assert_eq!(
            (&ended["state"], &ended["written"]),
            (&"good".into(), &images.plain.len().into())
        );
        guest.assert_holds(number + 1, &images.plain);
    }
    let read = ran.out.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap();
    let (read, length) = (read.parse::<usize>().unwrap(), images.plain.len());
    // Once from the file, and back from each stick; the rest is small.
    assert!((3 * length..4 * length - length / 10).contains(&read), "{read} bytes were read");
}
