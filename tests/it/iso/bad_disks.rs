//! What is not written to, and is the same afterwards.

use std::fs;
use std::process::Command as Plain;

use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

use super::loops::{Loop, missing};
use super::picture::{MIB, file, iso};
use super::tool;
use crate::tools::output;

/// `iso --image IMAGE --yes WORDS…` with an image of 1 MiB.
fn writing(words: &[&str]) -> assert_cmd::assert::Assert {
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), "test.iso", &iso(MIB, 10));
    tool().arg("--image").arg(&path).arg("--yes").args(words).assert()
}

#[test]
fn what_is_no_disk_is_wrong_usage_and_says_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let plain = file(dir.path(), "stick.img", b"old");
    let name = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    writing(&[&name(dir.path())]).code(2).stderr(contains("is a folder, not a disk"));
    let hint = contains(format!("--output {} copies the image to a file", plain.display()));
    writing(&[&name(&plain)]).code(2).stderr(contains("is a regular file, not a disk").and(hint));
    assert_eq!(fs::read(&plain).unwrap(), b"old");
    writing(&["/dev/null"]).code(2).stderr(contains("/dev/null is a character device, not a disk"));
    let gone = dir.path().join("gone");
    writing(&[&name(&gone)]).code(2).stderr(contains("there is no").and(contains("lsblk")));
    writing(&["-"]).code(2).stderr(contains("there is no -"));
    let pipe = dir.path().join("pipe");
    output(Plain::new("mkfifo").arg(&pipe));
    writing(&[&name(&pipe)]).code(2).stderr(contains("is a pipe, not a disk"));
}

#[test]
fn a_loop_device_wants_its_flag_and_a_word() {
    if missing() {
        return;
    }
    let stick = Loop::new(2);
    let before = stick.content(2 * MIB);
    let device = stick.words()[2].to_owned();
    writing(&[&device])
        .code(4)
        .stderr(contains("it is a loop device").and(contains("--allow-fixed-disk")));
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), "test.iso", &iso(MIB, 11));
    let mut unconfirmed = tool();
    unconfirmed.arg("--image").arg(&path).args(["--allow-fixed-disk", &device]);
    unconfirmed.assert().code(2).stderr(contains("has to be confirmed").and(contains("--yes")));
    assert!(stick.content(2 * MIB) == before);
}

#[test]
fn a_partition_is_refused_and_its_disk_is_named() {
    if missing() {
        return;
    }
    let stick = Loop::new(4);
    let device = stick.words()[2].to_owned();
    // Told to the kernel: not every kernel reads partition tables itself.
    output(Plain::new("addpart").args([&device, "1", "2048", "2048"]));
    let before = stick.content(4 * MIB);
    let run = writing(&["--allow-fixed-disk", &format!("{device}p1")]).code(2);
    run.stderr(contains("is a partition").and(contains(format!("the whole disk is {device}"))));
    assert!(stick.content(4 * MIB) == before);
}

#[test]
fn a_mounted_file_system_is_refused_or_unmounted() {
    if missing() {
        return;
    }
    let stick = Loop::new(8);
    let device = stick.words()[2].to_owned();
    let place = tempfile::tempdir().unwrap();
    output(Plain::new("mkfs.ext4").args(["-q", "-F", &device]));
    output(Plain::new("mount").arg(&device).arg(place.path()));
    fs::write(place.path().join("mine"), "kept").unwrap();
    let where_it_is = contains(format!("{device} is mounted at {}", place.path().display()));
    let run = writing(&["--allow-fixed-disk", &device]).code(4);
    run.stderr(where_it_is.and(contains("--unmount unmounts it")));
    // Somebody stands in it.
    let open = fs::File::open(place.path().join("mine")).unwrap();
    let busy = writing(&["--allow-fixed-disk", "--unmount", &device]).code(1);
    busy.stderr(
        contains(format!("{device} could not be unmounted")).and(contains("nothing was erased")),
    );
    assert_eq!(fs::read_to_string(place.path().join("mine")).unwrap(), "kept");
    drop(open);
    // A test beside this one may have a copy of the mount, in a namespace of its own: the disk is in use until its end.
    let mut run = writing(&["--allow-fixed-disk", "--unmount", &device]);
    for _ in 0..120 {
        if run.get_output().status.code() != Some(4) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(500));
        run = writing(&["--allow-fixed-disk", &device]);
    }
    run.code(0);
    assert!(!place.path().join("mine").exists());
    assert_eq!(stick.content(512)[510..], [0x55, 0xaa]);
}

#[test]
fn too_small_and_write_protected_disks_are_refused() {
    if missing() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), "test.iso", &iso(2 * MIB + 1, 12));
    let stick = Loop::new(2);
    let before = stick.content(2 * MIB);
    let run = tool().arg("--image").arg(&path).args(stick.words()).assert().code(4);
    run.stderr(contains("(2097152 bytes), and the image needs").and(contains("(2097153 bytes)")));
    assert!(stick.content(2 * MIB) == before);
    let backing = file(dir.path(), "backing", &before);
    let protected = Loop::over(&backing, &["--read-only"]);
    let [_, fixed, device] = protected.words();
    writing(&[fixed, device]).code(4).stderr(contains("it is write-protected"));
}

#[test]
fn one_of_several_that_is_refused_leaves_all_untouched() {
    if missing() {
        return;
    }
    let (good, small) = (Loop::new(4), Loop::new(1));
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), "test.iso", &iso(3 * MIB, 13));
    let before = good.content(4 * MIB);
    let mut command = tool();
    command.arg("--image").arg(&path).args(good.words()).arg(small.words()[2]);
    command.assert().code(4).stderr(contains(format!("{} is not written to", small.device)));
    assert!(good.content(4 * MIB) == before);
}

#[test]
fn a_disk_that_another_program_writes_is_busy() {
    use std::os::unix::fs::OpenOptionsExt;
    if missing() {
        return;
    }
    let stick = Loop::new(2);
    let before = stick.content(2 * MIB);
    let [_, fixed, device] = stick.words();
    // As `iso` itself opens it.
    let exclusive = i32::try_from(rustix::fs::OFlags::EXCL.bits()).unwrap();
    let other = fs::OpenOptions::new().write(true).custom_flags(exclusive).open(device).unwrap();
    writing(&[fixed, device]).code(4).stderr(contains(format!("{device} is in use")));
    assert!(stick.content(2 * MIB) == before);
    drop(other);
    writing(&[fixed, device]).code(0);
}

#[test]
fn a_loop_device_without_a_file_is_empty() {
    if missing() {
        return;
    }
    let stick = Loop::new(1);
    let device = stick.words()[2].to_owned();
    // Over a file of nothing: the device is ours, and has no size.
    fs::File::options().write(true).open(&stick.file).unwrap().set_len(0).unwrap();
    output(Plain::new("losetup").args(["--set-capacity", &device]));
    let run = writing(&["--allow-fixed-disk", &device]).code(4);
    run.stderr(contains("it has no medium").or(contains("has nothing in it")));
}
