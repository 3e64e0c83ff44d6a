//! Writing, as it goes well.

use std::fs;

use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;
use serde_json::Value;

use super::loops::{Loop, missing};
use super::picture::{MIB, file, iso, sha256};
use super::tool;
use crate::tools::output;

fn events(stdout: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(stdout);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_image_is_written_to_its_last_byte_and_read_back() {
    if missing() {
        return;
    }
    let stick = Loop::new(24);
    let dir = tempfile::tempdir().unwrap();
    // Neither whole chunks nor whole sectors.
    let image = iso(17 * MIB + 777, 1);
    let path = file(dir.path(), "test.iso", &image);
    let run = tool().arg("--image").arg(&path).args(stick.words()).assert().code(0);
    let said = contains("17 MiB written in").and(contains("read back and compared in"));
    let said = contains(&stick.device).and(said).and(contains("safe to remove"));
    run.stdout(said.and(contains("blake3").or(contains("sha256")).not()));
    assert!(stick.content(image.len()) == image, "the stick holds something else");
    // The rest of the last sector, and what older partition tables leave at a disk's end.
    let all = stick.content(24 * MIB);
    assert!(all[image.len()..image.len().next_multiple_of(512)].iter().all(|byte| *byte == 0));
    assert!(all[23 * MIB..].iter().all(|byte| *byte == 0));
    assert!(all[18 * MIB..19 * MIB].iter().any(|byte| *byte != 0), "the middle is left alone");

    let mut again = tool();
    again.arg("--image").arg(&path).args(stick.words()).args(["--digest", "sha256"]);
    again.assert().code(0).stdout(contains(format!("sha256:{}", sha256(&image))));
    again.arg("--no-verify").assert().code(2);
}

#[test]
fn packed_images_are_unpacked_while_they_are_written() {
    if missing() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let image = iso(9 * MIB + 512, 2);
    let path = file(dir.path(), "test.iso", &image);
    let stick = Loop::new(12);
    // Names say nothing: zstd from a pipe, whose frames do not tell the size, and a file of two streams.
    let pack = "set -e; cd \"$1\"; zstd -q -k test.iso; zstd -q -c <test.iso >piped.img
        xz -0 -k test.iso; head -c 5000000 test.iso | xz -0 >two; tail -c +5000001 test.iso | xz -0 >>two";
    output(std::process::Command::new("sh").args(["-c", pack, "sh"]).arg(dir.path()));
    for (name, packing) in
        [("test.iso.zst", "zstd"), ("piped.img", "zstd"), ("test.iso.xz", "xz"), ("two", "xz")]
    {
        fs::write(&stick.file, vec![7; 12 * MIB]).unwrap();
        let mut command = tool();
        command.arg("--image").arg(dir.path().join(name)).args(stick.words());
        command.args(["--json", "--digest=sha256"]);
        let run = command.assert().code(0);
        let events = events(&run.get_output().stdout);
        assert_eq!(events[0]["event"], "reading");
        assert_eq!(
            (&events[0]["packing"], &events[0]["size"]),
            (&packing.into(), &image.len().into())
        );
        let ended = events.last().unwrap();
        let digest = format!("sha256:{}", sha256(&image));
        assert_eq!((&ended["state"], &ended["digest"]), (&"good".into(), &digest.into()));
        assert!(stick.content(image.len()) == image, "{name}");
    }
    assert_eq!(path.metadata().unwrap().len(), image.len() as u64);
}

#[test]
fn several_sticks_are_written_from_one_reading() {
    if missing() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let image = iso(13 * MIB, 3);
    let path = file(dir.path(), "test.iso", &image);
    let sticks = [Loop::new(16), Loop::new(14), Loop::new(20)];
    let mut command = tool();
    command.arg("--image").arg(&path).args(["--yes", "--allow-fixed-disk", "--json"]);
    command.args(sticks.iter().map(|stick| stick.words()[2]));
    let events = events(&command.assert().code(0).get_output().stdout);
    for stick in &sticks {
        assert!(stick.content(image.len()) == image);
        let ended = |event: &&Value| event["event"] == "ended" && event["target"] == *stick.device;
        assert_eq!(events.iter().filter(ended).count(), 1);
    }
}

#[test]
fn without_verification_nothing_is_read_back() {
    if missing() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let image = iso(2 * MIB, 4);
    let path = file(dir.path(), "test.iso", &image);
    let stick = Loop::new(3);
    let mut command = tool();
    command.arg("--image").arg(&path).args(stick.words()).args(["--no-verify", "--json"]);
    let events = events(&command.assert().code(0).get_output().stdout);
    assert!(events.iter().all(|event| event["stage"] != "verifying"));
    assert_eq!(events.last().unwrap()["state"], "unverified");
    assert!(stick.content(image.len()) == image);
}

#[test]
fn a_link_is_followed_and_told() {
    if missing() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let image = iso(MIB, 5);
    let path = file(dir.path(), "test.iso", &image);
    let stick = Loop::new(2);
    let link = dir.path().join("by-id");
    std::os::unix::fs::symlink(stick.words()[2], &link).unwrap();
    let mut command = tool();
    command.arg("--image").arg(&path).args(["--yes", "--allow-fixed-disk"]).arg(&link);
    command.assert().code(0).stdout(contains(&stick.device));
    assert!(stick.content(image.len()) == image);
    // The same disk by two names.
    let mut command = tool();
    command.arg("--image").arg(&path).args(stick.words()).arg(&link);
    command.assert().code(2).stderr(contains(format!("{} is named twice", stick.device)));
}

#[test]
fn the_kernel_sees_the_new_partitions() {
    if missing() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut image = iso(4 * MIB, 6);
    // One partition of 1 MiB at 2 MiB.
    image[446..462].copy_from_slice(&[0, 0, 0, 0, 0x83, 0, 0, 0, 0, 0x10, 0, 0, 0, 8, 0, 0]);
    let path = file(dir.path(), "test.iso", &image);
    if partition(&Loop::over(&path, &["--partscan"])).is_none() {
        eprintln!("skipped: the kernel reads no partition tables of this kind");
        return;
    }
    let stick = Loop::new(5);
    assert_eq!(partition(&stick), None);
    tool().arg("--image").arg(&path).args(stick.words()).assert().code(0);
    assert_eq!(partition(&stick).as_deref(), Some("4096\n"));
}

/// Where the first partition of a device starts, as the kernel has it.
fn partition(stick: &Loop) -> Option<String> {
    let name = stick.device.strip_prefix("/dev/").unwrap();
    fs::read_to_string(format!("/sys/block/{name}/{name}p1/start")).ok()
}
