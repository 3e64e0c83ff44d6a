//! The shell lines that sshd is given. A command runs in a small wrapper that tells its process
//! group, so that it can be stopped with all its children, and that stops it by itself when the
//! connection is gone.
//!
//! What remains: where the network fails silently, sshd over there may take minutes to notice, and
//! the command runs on until then; see [`stop_leftovers`](crate::remote::stop_leftovers).

use crate::remote::command::{RemoteCommand, quote};
use crate::remote::leftovers::STOP;

const RUN: &str = include_str!("run.sh");

/// What a wrapper calls itself, in its messages ("nixos-bootstrap: 1: sgdisk: not found").
const NAME: &str = "nixos-bootstrap";

/// The line as sshd hands it to the login shell. Linux takes at most 128 KiB in one argument
/// (`MAX_ARG_STRLEN`, execve(2)).
pub(super) const LINE_LIMIT: usize = 128 * 1024 - 1;

/// How a command gets to be root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Become {
    /// It runs as the login.
    Login,
    /// `sudo -n`.
    Sudo,
}

/// The line that runs `command`; its first line on standard error is `MARK GROUP`.
pub(super) fn run_line(command: &RemoteCommand, mark: &str, become_: Become) -> String {
    // What needs root may be at work on a disk; the rest harms nobody when it is left behind.
    let keep = if command.needs_root() { "record" } else { "none" };
    let mut words = vec![mark.to_owned(), keep.to_owned()];
    words.extend(command.words().iter().cloned());
    wrapped(&format!("{STOP}\n{RUN}"), &words, become_)
}

/// The line that stops the process group `group` with all its descendants.
pub(super) fn stop_line(group: u32, become_: Become) -> String {
    wrapped(&format!("{STOP}\nshift; stop \"$1\""), &[group.to_string()], become_)
}

/// `exec` all along, so that the process which sshd started (the leader of a session of its own)
/// is the wrapper, and its parent is the one that serves the connection.
fn wrapped(script: &str, words: &[String], become_: Become) -> String {
    let sudo = match become_ {
        Become::Login => "",
        Become::Sudo => "sudo -n -- ",
    };
    let outer = format!(r#"w=$1; shift; exec {sudo}sh -c "$w" {NAME} "$PPID" "$@""#);
    let mut line = format!("exec sh -c {} {NAME} {}", quote(&outer), quote(script));
    for word in words {
        line.push(' ');
        line.push_str(&quote(word));
    }
    line
}
