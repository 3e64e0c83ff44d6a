//! `--output`: the image as a file.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

use super::loops::missing;
use super::picture::{MIB, file, iso};
use super::tool;
use crate::tools::output;

#[test]
fn a_copy_is_unpacked_and_has_holes_where_there_is_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut image = iso(8 * MIB + 100, 30);
    image[2 * MIB..7 * MIB].fill(0);
    let path = file(dir.path(), "test.iso", &image);
    output(std::process::Command::new("zstd").arg("-q").arg(&path));
    let target = file(dir.path(), "copy.iso", b"old");
    fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink("copy.iso", &link).unwrap();
    let mut run = tool();
    run.arg("--image").arg(dir.path().join("test.iso.zst")).arg("--output").arg(&link);
    run.assert().code(0).stdout(contains("8 MiB written in").and(contains("safe to remove").not()));
    assert!(fs::read(&target).unwrap() == image);
    let meta = target.metadata().unwrap();
    assert_eq!(meta.mode() & 0o777, 0o640);
    assert!(meta.blocks() * 512 < 4 * MIB as u64, "{} blocks", meta.blocks());
    assert!(link.is_symlink());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 4, "a temporary file was left");
}

#[test]
fn without_space_the_copy_is_not_begun() {
    if missing() {
        return;
    }
    let (dir, small) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = file(dir.path(), "test.iso", &iso(2 * MIB, 31));
    let mut mount = std::process::Command::new("mount");
    output(mount.args(["-t", "tmpfs", "-o", "size=1m", "none"]).arg(small.path()));
    let target = file(small.path(), "copy.iso", b"old");
    let run = tool().arg("--image").arg(&path).arg("--output").arg(&target).assert();
    let (kept, count) = (fs::read(&target), fs::read_dir(small.path()).unwrap().count());
    output(std::process::Command::new("umount").arg(small.path()));
    run.code(1).stderr(contains("free, and the image needs 2 MiB"));
    assert_eq!((kept.unwrap(), count), (b"old".to_vec(), 1));
}

#[test]
fn what_can_not_be_replaced_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), "test.iso", &iso(MIB, 32));
    let copy = |target: &std::path::Path| {
        tool().arg("--image").arg(&path).arg("--output").arg(target).assert()
    };
    copy(dir.path()).code(2).stderr(contains("is a folder, not a file"));
    copy("/dev/null".as_ref()).code(2).stderr(contains("/dev/null is something else, not a file"));
    copy(&path).code(2).stderr(contains("is the image itself"));
    copy(&dir.path().join("no/such/folder")).code(1).stderr(contains("could not be written"));
    assert_eq!(fs::read(&path).unwrap().len(), MIB);
}
