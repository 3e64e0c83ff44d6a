//! Disks that fail while they are written or read back, as far as loop devices can.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command as Plain, Stdio};

use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;
use serde_json::Value;

use super::loops::{Loop, missing};
use super::picture::{MIB, file, iso};
use super::tool;
use crate::tools::output;

/// Starts writing with events, and reads them until `stop` says that this is the one.
fn until(
    image: &std::path::Path,
    words: &[&str],
    stop: impl Fn(&Value) -> bool,
) -> (Child, impl Iterator<Item = Value>) {
    let mut command = Plain::new(assert_cmd::cargo::cargo_bin("nixos-bootstrap"));
    command.args(["iso", "--json", "--image"]).arg(image).args(words);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut events = lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap());
    assert!(events.any(|event| stop(&event)), "it ended before");
    (child, events)
}

#[test]
fn a_disk_that_is_full_of_errors_fails_and_the_others_are_written() {
    if missing() {
        return;
    }
    let (dir, small) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let image = iso(12 * MIB, 40);
    let path = file(dir.path(), "test.iso", &image);
    // A file that can't grow: the device says that it has 16 MiB, and takes 6.
    let mut mount = Plain::new("mount");
    output(mount.args(["-t", "tmpfs", "-o", "size=6m", "none"]).arg(small.path()));
    let backing = small.path().join("stick");
    fs::File::create(&backing).unwrap().set_len(16 << 20).unwrap();
    let good = Loop::new(13);
    let run = {
        let bad = Loop::over(&backing, &[]);
        let mut command = tool();
        command.arg("--image").arg(&path).args(good.words()).arg(bad.words()[2]);
        let run = command.assert();
        run.code(1).stdout(
            contains(format!("✗ {}", bad.device))
                .and(contains("writing at").or(contains("did not all reach")))
                .and(contains("starts no machine: write it again"))
                .and(contains(format!("✓ {}", good.device))),
        )
    };
    drop(run);
    output(Plain::new("umount").arg(small.path()));
    assert!(good.content(image.len()) == image);
}

#[test]
fn a_disk_that_vanishes_while_it_is_written_is_told() {
    if missing() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), "test.iso", &iso(96 * MIB, 41));
    let stick = Loop::new(100);
    let words = stick.words();
    let (mut child, events) = until(&path, &words, |event| {
        event["stage"] == "writing" && event["done"] != event["total"]
    });
    // Nothing is behind the device any more.
    fs::File::options().write(true).open(&stick.file).unwrap().set_len(0).unwrap();
    output(Plain::new("losetup").args(["--set-capacity", &stick.device]));
    let ended = events.last().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{ended}");
    assert_eq!((&ended["event"], &ended["state"]), (&"ended".into(), &"incomplete".into()));
    assert!(ended["error"].as_str().unwrap().contains("the device is gone"), "{ended}");
}

#[test]
fn ctrl_c_leaves_a_disk_that_starts_nothing_and_a_word_about_it() {
    if missing() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let image = iso(96 * MIB, 42);
    let path = file(dir.path(), "test.iso", &image);
    let stick = Loop::new(100);
    let words = stick.words();
    let (mut child, events) = until(&path, &words, |event| {
        event["stage"] == "writing" && event["done"] != event["total"]
    });
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let ended = events.last().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3), "{ended}");
    assert_eq!((&ended["state"], &ended["stopped"]), (&"incomplete".into(), &true.into()));
    // The boot sector comes last.
    assert!(stick.content(MIB).iter().all(|byte| *byte == 0));
    tool().arg("--image").arg(&path).args(stick.words()).assert().code(0);
    assert!(stick.content(image.len()) == image);
}
