//! `iso`: images that are written to loop devices, and what must not be written to. No test names a disk that is
//! not a loop device which the test itself has made.

mod bad_disks;
mod bad_images;
mod faults;
pub(crate) mod loops;
mod output;
pub(crate) mod picture;
mod write;

use assert_cmd::Command;

/// The tool, with a `PATH` as it is.
fn tool() -> Command {
    let mut command = Command::cargo_bin("nixos-bootstrap").unwrap();
    command.env("LC_ALL", "C.UTF-8").arg("iso");
    command
}
