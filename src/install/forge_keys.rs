//! The published keys of well-known forges, for the users of the new host who fetch from them. None is ever asked of
//! the network there, where anybody could answer.

use super::context::{Context, Failure};
use crate::remote::forges::Forge;
use crate::remote::{RemoteCommand, known_hosts};
use crate::validated::UserName;

/// Prints the known hosts of the user `$1`; 3 where there is no home for them, 4 where the file is not to be written
/// (made by the configuration).
const READ: &str = r#"
home=$( (getent passwd "$1" 2>/dev/null || grep "^$1:" /etc/passwd || true) | head -n 1 | cut -d: -f6)
[ -n "$home" ] && [ -d "$home" ] || exit 3
file=$(readlink -f "$home/.ssh/known_hosts" || echo "$home/.ssh/known_hosts")
case $file in /nix/store/*) exit 4 ;; esac
if [ -e "$file" ]; then cat -- "$file"; fi
"#;

/// Puts standard input in the place of the known hosts of the user `$1`: whole or not at all, readable for that user.
const WRITE: &str = r#"
umask 077
home=$( (getent passwd "$1" 2>/dev/null || grep "^$1:" /etc/passwd || true) | head -n 1 | cut -d: -f6)
owner=$(id -u "$1"):$(id -g "$1")
give() { if [ "$(id -u)" = 0 ]; then chown "$owner" "$1"; fi; }
if [ ! -d "$home/.ssh" ]; then mkdir "$home/.ssh"; give "$home/.ssh"; fi
file=$(readlink -f "$home/.ssh/known_hosts" || echo "$home/.ssh/known_hosts")
new=$(mktemp "$(dirname "$file")/.known_hosts.XXXXXX")
cat >"$new"
if [ -e "$file" ]; then chmod "$(stat -c %a "$file")" "$new"; fi
give "$new"
mv -f "$new" "$file"
"#;

/// Gives the planned users the keys. What can't be done is told, and does not end the run.
pub(super) async fn place(cx: &mut Context<'_>) -> Result<(), Failure> {
    for user in cx.plan.forge_users.clone() {
        match for_user(cx, &user).await {
            Ok(Some(names)) => {
                let names = names.join(", ");
                cx.changes.push(format!("{}: {user} knows the keys of {names}", cx.plan.host));
            }
            Ok(None) => {}
            Err(failure) if cx.world.cancel.is_cancelled() => return Err(failure),
            Err(failure) => cx.warn(format!(
                "{user} did not get the published keys of {}: {}",
                names(&cx.world.forges).join(", "),
                failure.error
            )),
        }
    }
    Ok(())
}

fn names(forges: &[Forge]) -> Vec<String> {
    forges.iter().map(|forge| forge.machine.to_string()).collect()
}

/// The forges whose key was added.
async fn for_user(cx: &mut Context<'_>, user: &UserName) -> Result<Option<Vec<String>>, Failure> {
    let limit = cx.world.limits.command;
    let login = cx.access.installed.user.clone();
    let command = |script: &str| {
        let command = RemoteCommand::script(script).arg(user.as_str()).limit(limit);
        if *user == login { command } else { command.as_root() }
    };
    let output = cx.remote().await?.run(&command(READ)).await?;
    match output.code {
        Some(3) => return Err(Failure::new("it has no home there")),
        Some(4) => return Ok(None),
        _ => {}
    }
    let before = output.success(&format!("read the known hosts of {user}"))?.stdout;
    let (after, added, other) = with_published(&before, &cx.world.forges);
    for name in other {
        cx.warn(format!(
            "{user} has another ed25519 key for {name} than the one that it publishes: either it is an old one, \
             or somebody is in between; it stays. On the host, `ssh-keygen -R '{name}'` as {user} removes it, and \
             --only sync then brings the published one"
        ));
    }
    if added.is_empty() {
        return Ok(None);
    }
    let output = cx.remote().await?.run(&command(WRITE).stdin_bytes(after)).await?;
    output.success(&format!("write the known hosts of {user}"))?;
    Ok(Some(added))
}

/// The content with the published keys, which were added, and which forge has another key of that kind there. What
/// is there stays, byte for byte.
fn with_published(before: &[u8], forges: &[Forge]) -> (Vec<u8>, Vec<String>, Vec<String>) {
    let mut after = before.to_vec();
    let (mut added, mut other) = (Vec::new(), Vec::new());
    for Forge { machine, key } in forges {
        let (names, name) = (machine.known_names(), machine.to_string());
        let there = known_hosts::find(before, &names);
        if there.contains(key) {
            continue;
        }
        if there.iter().any(|one| one.kind() == key.kind()) {
            other.push(names.join(","));
            continue;
        }
        if !after.is_empty() && !after.ends_with(b"\n") {
            after.push(b'\n');
        }
        after.extend_from_slice(format!("{} {key}\n", names.join(",")).as_bytes());
        added.push(name);
    }
    (after, added, other)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::process::{Command, Output, Stdio};

    use super::*;
    use crate::remote::forges::all;

    /// Runs a script as on a host where the home of whoever is asked for is `home`.
    fn there(dir: &Path, script: &str, input: &[u8]) -> Output {
        let program = dir.join("bin/getent");
        if !program.exists() {
            std::fs::create_dir_all(dir.join("bin")).unwrap();
            let text = format!("#!/bin/sh\necho \"$2:x:0:0::{}/home:/bin/sh\"\n", dir.display());
            std::fs::write(&program, text).unwrap();
            std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        }
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        let user = String::from_utf8(user).unwrap();
        let path = format!("{}:{}", dir.join("bin").display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("sh");
        command.args(["-euc", script, "sh", user.trim()]).env("PATH", path);
        let pipe = || Stdio::piped();
        let mut child = command.stdin(pipe()).stdout(pipe()).stderr(pipe()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }

    #[test]
    fn what_is_there_stays_and_the_published_keys_come_behind_it() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        assert_eq!(there(dir, READ, b"").status.code(), Some(3), "there is no home");
        std::fs::create_dir(dir.join("home")).unwrap();
        let read = there(dir, READ, b"");
        assert!(read.status.success() && read.stdout.is_empty(), "{read:?}");
        let (content, added, other) = with_published(&read.stdout, &all());
        let expected = ["github.com", "gitlab.com", "codeberg.org"].map(str::to_owned);
        assert_eq!((added, other), (expected.to_vec(), vec![]));
        let written = there(dir, WRITE, &content);
        assert!(written.status.success(), "{written:?}");
        let file = dir.join("home/.ssh/known_hosts");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
        // ssh itself finds the published key.
        let found =
            Command::new("ssh-keygen").args(["-F", "github.com", "-lf"]).arg(&file).output();
        let found = String::from_utf8(found.unwrap().stdout).unwrap();
        assert!(found.contains("SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"), "{found}");
        // Again, there is nothing to do.
        let read = there(dir, READ, b"");
        assert_eq!(with_published(&read.stdout, &all()), (content, vec![], vec![]));
        let left: Vec<_> = std::fs::read_dir(dir.join("home/.ssh")).unwrap().collect();
        assert_eq!(left.len(), 1);
    }

    #[test]
    fn other_keys_of_a_forge_are_left_and_told() {
        let mine = "# mine\ngithub.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfuCHKVTjquxvt6CM6tdG4SLp1Btn/nOeHHE5UOzRdf\n\
                    @cert-authority *.lan ssh-rsa AAAA\nother ssh-rsa AAAA";
        let (after, added, other) = with_published(mine.as_bytes(), &all());
        let after = String::from_utf8(after).unwrap();
        assert!(after.starts_with(&format!("{mine}\ngitlab.com ssh-ed25519 ")), "{after}");
        assert_eq!(added, ["gitlab.com", "codeberg.org"]);
        assert_eq!(other, ["github.com"]);
    }

    #[test]
    fn a_file_that_the_configuration_makes_is_left() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("home/.ssh")).unwrap();
        let link = dir.path().join("home/.ssh/known_hosts");
        std::os::unix::fs::symlink("/nix/store/zr2knphxg8yyy2mkq8akf2hfknjvdiz7-known_hosts", link)
            .unwrap();
        assert_eq!(there(dir.path(), READ, b"").status.code(), Some(4));
    }
}
