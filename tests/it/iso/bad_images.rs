//! Images that are not written, whatever they would be written to.

use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

use super::loops::{Loop, missing};
use super::picture::{MIB, file, iso};
use super::tool;
use crate::tools::output;

#[test]
fn a_truncated_or_foreign_image_leaves_the_stick_as_it_is() {
    if missing() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let stick = Loop::new(4);
    let before = stick.content(4 * MIB);
    let image = iso(2 * MIB, 20);
    file(dir.path(), "whole.iso", &image);
    file(dir.path(), "short.iso", &image[..MIB]);
    file(dir.path(), "other.iso", &vec![b'x'; MIB]);
    let pack = "set -e; cd \"$1\"; zstd -q whole.iso; xz -0 -k whole.iso
        head -c 1000000 whole.iso.zst >short.iso.zst; head -c 1000000 whole.iso.xz >short.iso.xz";
    output(std::process::Command::new("sh").args(["-c", pack, "sh"]).arg(dir.path()));
    for (name, text) in [
        ("short.iso", "is not whole: its volume needs 2097152 bytes, and there are 1048576"),
        ("short.iso.zst", "is not whole: its packed data ends too early"),
        ("short.iso.xz", "is not whole: its packed data ends too early"),
        ("other.iso", "is no disk image: it has neither an ISO 9660 volume nor a partition table"),
        ("missing.iso", "can't be read: No such file"),
        (".", "is no file"),
    ] {
        let mut command = tool();
        command.arg("--image").arg(dir.path().join(name)).args(stick.words());
        command.assert().code(1).stderr(contains(text));
        assert!(stick.content(4 * MIB) == before, "{name}");
    }
}

#[test]
fn an_image_with_nothing_to_do_is_wrong_usage() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), "test.iso", &iso(MIB, 21));
    let run = tool().arg("--image").arg(&path).assert().code(2);
    run.stderr(contains("nothing to do with the image").and(contains("--output FILE")));
}
