//! Sticks that are pulled out while they are written or read back.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::Images;
use super::guest::{Guest, PLAIN, Ran, SCAN, TOOL};

pub(super) fn a_stick_that_is_pulled_out_is_told(guest: &Guest, images: &Images) {
    let one = guest.stick(1);
    let ran = deleted_at(guest, "verifying", &one);
    let ended = ran.ended(&one);
    assert_eq!(ended["state"], "unverified", "{ran:?}");
    gone(&ran, &one);
    guest.sh(SCAN);

    // The other one stays, and is written to its end.
    let (one, two) = (guest.stick(1), guest.stick(2));
    let ran = pulled(guest, 2, [&one, &two]);
    let ended = ran.ended(&two);
    assert_eq!(ended["state"], "incomplete", "{ran:?}");
    gone(&ran, &two);
    assert_eq!(ran.ended(&one)["state"], "good", "{ran:?}");
    guest.assert_holds(1, &images.plain);

    // Whatever the one that was pulled out has left for the others to tell, the next writing is not disturbed.
    guest.iso(&format!("--image {PLAIN} {one}")).assert(0, &["safe to remove"]);
    let missing = format!("there is no {two}");
    guest.iso(&format!("--image {PLAIN} {two}")).assert(2, &[&missing]);
}

/// Told as gone, and as nothing else.
fn gone(ran: &Ran, stick: &str) {
    ran.assert(1, &[]);
    let error = ran.ended(stick)["error"].as_str().unwrap().to_owned();
    assert!(error.contains("the device is gone ("), "{error}");
    assert!(!ran.out.contains("warning") && !ran.err.contains("panicked"), "{ran:?}");
}

/// The kernel lets go of the stick as soon as a stage has begun.
fn deleted_at(guest: &Guest, stage: &str, stick: &str) -> Ran {
    let name = stick.trim_start_matches("/dev/");
    let slowly = slowly("rbps", &[stick]);
    guest.run(&format!(
        "{slowly}; set -o pipefail
        {TOOL} iso --yes --json --image {PLAIN} {stick} | while read -r line; do
            echo \"$line\"
            case $line in *'\"stage\":\"{stage}\"'*)
                delete=/sys/block/{name}/device/delete
                [ ! -e $delete ] || echo 1 >$delete ;;
            esac
        done"
    ))
}

/// What this shell starts has a MiB a second for each of these sticks, so that there is time for what is done to them
/// meanwhile; `limit` is what cgroup v2 calls it, for writing or for reading.
fn slowly(limit: &str, sticks: &[&str]) -> String {
    format!(
        "set -e
        echo +io >/sys/fs/cgroup/cgroup.subtree_control; mkdir -p /sys/fs/cgroup/slow
        for stick in {}; do
            at=$(cat /sys/class/block/${{stick#/dev/}}/dev)
            echo \"$at wbps=max rbps=max {limit}=1048576\" >/sys/fs/cgroup/slow/io.max
        done
        echo $$ >/sys/fs/cgroup/slow/cgroup.procs",
        sticks.join(" ")
    )
}

/// A stick is pulled out of the machine while it is written.
fn pulled(guest: &Guest, number: usize, sticks: [&str; 2]) -> Ran {
    let [one, two] = sticks;
    let slowly = slowly("wbps", &sticks);
    let mut command = guest.ssh(
        "root",
        &format!("{slowly}; exec {TOOL} iso --yes --json --image {PLAIN} {one} {two}"),
    );
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut out = String::new();
    for line in &mut lines {
        out += &(line.clone() + "\n");
        if line.contains("\"stage\":\"writing\"") {
            break;
        }
    }
    guest.scene.machine("unplug", &["--number", &number.to_string()]);
    out.extend(lines.map(|line| line + "\n"));
    let ended = child.wait_with_output().unwrap();
    Ran { out, ..ended.into() }
}
