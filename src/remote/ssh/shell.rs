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

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// The shells that installers have as `sh`, as folders to put before `PATH`.
    fn shells() -> Vec<tempfile::TempDir> {
        let shells = ["/bin/dash", "/bin/bash", "/bin/busybox"];
        let there = shells.into_iter().filter(|path| std::path::Path::new(path).exists());
        let dirs: Vec<_> = there
            .map(|shell| {
                let dir = tempfile::tempdir().unwrap();
                symlink(shell, dir.path().join("sh")).unwrap();
                dir
            })
            .collect();
        assert!(dirs.len() > 1, "this test needs more than one shell");
        dirs
    }

    /// Starts a line as sshd does: by a shell that leads a group of its own.
    fn start(line: &str, dir: &tempfile::TempDir) -> Child {
        let path = format!("{}:{}", dir.path().display(), std::env::var("PATH").unwrap());
        let mut command = Command::new(dir.path().join("sh"));
        command.arg("-c").arg(line).env("PATH", path).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    #[test]
    fn the_wrapper_passes_everything_through_in_every_shell() {
        for shell in shells() {
            let command =
                RemoteCommand::script("cat; echo \"$1\"; echo err >&2; exit 3").arg("it's");
            let mut child = start(&run_line(&command, "mark", Become::Login), &shell);
            child.stdin.take().unwrap().write_all(b"in\n").unwrap();
            let group = child.id();
            let output = child.wait_with_output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), "in\nit's\n");
            assert_eq!(String::from_utf8(output.stderr).unwrap(), format!("mark {group}\nerr\n"));
            assert_eq!(output.status.code(), Some(3));
        }
    }

    #[test]
    fn a_group_is_stopped_in_every_shell() {
        for shell in shells() {
            let command = RemoteCommand::script("sleep 100 & echo up; sleep 100");
            let mut child = start(&run_line(&command, "mark", Become::Login), &shell);
            let mut line = String::new();
            BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
            assert_eq!(line, "up\n");
            let stop = stop_line(child.id(), Become::Login);
            let output = start(&stop, &shell).wait_with_output().unwrap();
            assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
            assert!(child.wait().unwrap().code().is_none(), "ended by a signal");
            let mut rest = String::new();
            let mut stderr = BufReader::new(child.stderr.take().unwrap());
            // Comes to an end only when every process of the group is gone.
            while stderr.read_line(&mut rest).unwrap() > 0 {}
        }
    }

    #[test]
    fn sudo_stands_before_the_wrapper() {
        let shell = shells().remove(0);
        let sudo = shell.path().join("sudo");
        std::fs::write(&sudo, "#!/bin/sh\necho \"sudo $1 $2\"\nshift 2\nexec \"$@\"\n").unwrap();
        std::fs::set_permissions(&sudo, std::fs::Permissions::from_mode(0o755)).unwrap();
        let command = RemoteCommand::new("echo").arg("a  b");
        let child = start(&run_line(&command, "mark", Become::Sudo), &shell);
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "sudo -n --\na  b\n");
        assert!(output.stderr.starts_with(b"mark "));
    }
}
