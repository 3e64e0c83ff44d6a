//! The target's disks while the installer runs: letting go of what an interrupted run has mounted
//! or opened, running disko's scripts with the passphrases that they want, looking at what is
//! mounted. Which disks those are is the plan's matter.

use std::time::Duration;

use zeroize::Zeroizing;

use super::context::{Context, Failure, Side};
use super::copying::ROOT;
use super::event::PromptError;
use super::mounts;
use super::options::Via;
use super::plan::{PassphraseSource, PlannedEncryption};
use crate::facts::HostFacts;
use crate::process::Command;
use crate::remote::RemoteCommand;
use crate::secrets::Secret;
use crate::validated::{StorePath, UserName};

/// The facts of the configuration that `install` takes.
pub(super) fn installed_facts<'a>(cx: &Context<'a>) -> &'a HostFacts {
    match cx.plan.system.via {
        Via::Minimal => cx.minimal.unwrap_or(cx.facts),
        Via::Full => cx.facts,
    }
}

/// Turns off the swap of the new system, unmounts everything at and below `$1`, closes what the
/// other arguments name. Several passes, since containers may lie on volumes and volumes in
/// containers.
const RELEASE: &str = r#"
root=$1
shift
swaps=$(cat /proc/swaps)
printf '%s\n' "$swaps" | while read -r swap _; do
  swap=$(printf %b "$swap")
  ours=
  case $swap in "$root"/*) ours=yes ;; esac
  for item in "$@"; do
    case $item in swap:*) [ "$(readlink -f -- "${item#*:}")" != "$swap" ] || ours=yes ;; esac
  done
  [ -z "$ours" ] || swapoff "$swap" || exit 1
done
stack=
while read -r _ target _; do
  case $target in
    "$root" | "$root"/*) stack="$target
$stack" ;;
  esac
done </proc/self/mounts
sync
printf %s "$stack" | while read -r target; do
  target=$(printf %b "$target")
  umount "$target" 2>/dev/null || { sleep 2; umount "$target"; } || exit 1
done
close() {
  name=${1#*:}
  case $1 in
    pool:*) ! zpool list "$name" >/dev/null 2>&1 || zpool export "$name" ;;
    luks:*) [ ! -e "/dev/mapper/$name" ] || cryptsetup close "$name" ;;
    vg:*) [ ! -d "/dev/$name" ] || vgchange -an "$name" >/dev/null ;;
    md:*) [ ! -e "/dev/md/$name" ] || mdadm --stop "/dev/md/$name" ;;
  esac
}
left=
for pass in 1 2 3; do
  left=
  for item in "$@"; do
    close "$item" || left="$left ${item#*:}"
  done
  [ -n "$left" ] || exit 0
done
echo "still in use:$left" >&2
exit 1
"#;

/// Lets go of everything of the new system: swap, mounts, containers, groups, arrays, pools.
/// Does nothing where nothing is held.
pub(super) async fn release(cx: &mut Context<'_>) -> Result<(), Failure> {
    let facts = installed_facts(cx);
    let swaps = facts.swap.devices.iter().filter(|swap| swap.device.starts_with("/dev/"));
    let command = RemoteCommand::script(RELEASE)
        .arg(ROOT)
        .args(swaps.map(|swap| format!("swap:{}", swap.device)))
        .args(mounts::opened(&facts.disko))
        .as_root()
        .limit(Duration::from_secs(300).max(cx.world.limits.command));
    cx.on_target(&command).await.map(drop).map_err(|failure| {
        let error = format!("the new system's disks could not be let go: {}", failure.error);
        Failure { error, ..failure }
            .hint("see on the machine what still uses them: `findmnt -R /mnt`, `fuser -vm /mnt`")
    })
}

/// Runs `$1` with the key files that the further arguments name: `PATH LENGTH` pairs, their
/// contents one after the other on standard input. What is left of the input are the answers to
/// the program's own questions. The files go away however the script ends; `dd` reads byte by byte,
/// since anything else may read more than it was asked for from a pipe.
const WITH_KEYS: &str = r#"
program=$1
shift
forget() {
  while [ $# -gt 0 ]; do
    shred -u -- "$1" 2>/dev/null || rm -f -- "$1"
    shift 2
  done
}
trap 'forget "$@"' EXIT
trap 'exit 129' HUP INT TERM
deliver() {
  while [ $# -gt 0 ]; do
    mkdir -p -- "$(dirname -- "$1")"
    rm -f -- "$1"
    (umask 077; dd bs=1 count="$2" of="$1" 2>/dev/null)
    shift 2
  done
}
deliver "$@"
"$program"
"#;

/// Runs one of disko's scripts, its output streamed, with the passphrases where it wants them.
pub(super) async fn run_script(cx: &mut Context<'_>, script: &StorePath) -> Result<(), Failure> {
    let command = script_command(&cx.plan.encryption, |name| cx.passphrases.get(name), script)?
        .as_root()
        .limit(cx.world.limits.long);
    cx.on_target(&command).await.map(drop)
}

fn script_command<'s>(
    encryption: &[PlannedEncryption],
    passphrase: impl Fn(&str) -> Option<&'s Secret>,
    script: &StorePath,
) -> Result<RemoteCommand, Failure> {
    let mut command = RemoteCommand::script(WITH_KEYS).arg(script.as_str());
    let mut files = Zeroizing::new(Vec::new());
    let mut answers = Zeroizing::new(Vec::new());
    for container in encryption {
        let Some(secret) = passphrase(&container.name) else {
            return Err(unknown_passphrase(container));
        };
        if let Some(path) = &container.key_file {
            command = command.arg(path.as_str()).arg(secret.expose().len().to_string());
            files.extend_from_slice(secret.expose());
        } else {
            // disko asks twice for a passphrase.
            for _ in 0..2 {
                answers.extend_from_slice(secret.expose());
                answers.push(b'\n');
            }
        }
    }
    files.extend_from_slice(&answers);
    Ok(command.stdin_bytes(files.as_slice()))
}

/// Fails where a disk was made with a one-time passphrase that nobody here knows any more: the
/// machine would wait for it.
pub(super) fn passphrases_are_known(cx: &Context<'_>) -> Result<(), Failure> {
    let one_time =
        cx.plan.encryption.iter().filter(|one| one.passphrase == PassphraseSource::OneTime);
    match one_time.into_iter().find(|one| cx.passphrases.get(&one.name).is_none()) {
        None => Ok(()),
        Some(container) => Err(unknown_passphrase(container).hint(
            "if you have it, restart the machine by hand and unlock it; then the same command \
             goes on",
        )),
    }
}

pub(super) fn unknown_passphrase(container: &PlannedEncryption) -> Failure {
    let name = &container.name;
    match container.passphrase {
        PassphraseSource::OneTime => Failure::new(format!(
            "the one-time passphrase of {name} is not known any more: it was made by the run that \
             was interrupted"
        ))
        .hint("make the disks anew: run again with --restart"),
        PassphraseSource::Asked => {
            Failure::new(format!("the passphrase of {name} is needed and was not asked for"))
                .hint("run in a terminal")
        }
    }
}

/// What of the layout is not mounted below [`ROOT`] as planned; empty when all is well.
pub(super) async fn not_mounted(cx: &mut Context<'_>) -> Result<Vec<String>, Failure> {
    let planned = mounts::mounts(&installed_facts(cx).disko);
    let remote = cx.remote().await?;
    let command = RemoteCommand::new("cat").arg("/proc/self/mounts").limit(cx.world.limits.command);
    let output = remote.run(&command).await?.success(&command)?;
    Ok(mounts::missing(&planned, &mounts::parse_mounts(&output.text()), ROOT))
}

/// Tells the one-time passphrases while they are needed at the machine's console: on the terminal,
/// or where there is none in files of the private directory. Never in an event, a log or the
/// journal.
pub(super) fn tell_one_time_passphrases(cx: &Context<'_>) -> Result<(), Failure> {
    for (name, secret) in cx.passphrases.one_time() {
        let title = format!("One-time passphrase of {name} on {}", cx.plan.host);
        match cx.world.prompter.show_secret(&title, secret) {
            Ok(()) => {}
            Err(PromptError::NoTerminal) => {
                let path = cx.private.tell_passphrase(name, secret).map_err(|error| {
                    Failure::new(format!(
                        "the one-time passphrase of {name} could not be put into the private \
                         directory: {error}"
                    ))
                })?;
                cx.warn(format!(
                    "the one-time passphrase of {name} is in {} until this run succeeds",
                    path.display()
                ));
            }
            Err(PromptError::Interrupted) => return Err(Failure::stopped()),
            Err(PromptError::Failed(reason)) => {
                return Err(Failure::new(format!(
                    "the one-time passphrase of {name} could not be shown: {reason}"
                )));
            }
        }
    }
    Ok(())
}

/// How to replace each one-time passphrase by one of the user's own: the very command, where the
/// container's device is known.
pub(super) fn advise_own_passphrases(cx: &mut Context<'_>, devices: &[(String, String)]) {
    let advice = |(name, _): (&str, &Secret)| {
        let device = devices.iter().find(|(of, _)| of == name).map(|(_, device)| device.as_str());
        let Some(device) = device else {
            return format!(
                "choose a passphrase of your own for {name}: on the host, `cryptsetup status \
                 {name}` names its device, and `cryptsetup luksChangeKey DEVICE` changes the \
                 passphrase"
            );
        };
        let change = change_command(cx, device);
        format!(
            "choose a passphrase of your own for {name}, in place of the one-time one: {change}"
        )
    };
    let advice: Vec<String> = cx.passphrases.one_time().map(advice).collect();
    cx.next.extend(advice);
}

/// Asks on the terminal for the old passphrase, and for the new one twice.
fn change_command(cx: &Context<'_>, device: &str) -> Command {
    let door = cx.access.door(Side::Installed);
    let mut command = Command::new("ssh").arg("-t");
    if let Some(identity) = &cx.access.identity {
        command = command.arg("-i").arg(identity.as_os_str());
    }
    if door.port != 22 {
        command = command.arg("-p").arg(door.port.to_string());
    }
    command = command.arg(format!("{}@{}", door.user, cx.access.address));
    if door.user != UserName::root() {
        command = command.arg("sudo");
    }
    command.args(["cryptsetup", "luksChangeKey", device])
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::process::{Command, Stdio};

    use super::*;

    /// Runs what `command` would run there, in a shell here.
    fn here(command: &RemoteCommand) -> std::process::Output {
        let words = command.words();
        let mut child = Command::new(&words[0])
            .args(&words[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(command.input().unwrap_or_default()).unwrap();
        child.wait_with_output().unwrap()
    }

    fn container(name: &str, key_file: Option<&Path>) -> PlannedEncryption {
        PlannedEncryption {
            name: name.to_owned(),
            key_file: key_file.map(|path| path.to_str().unwrap().parse().unwrap()),
            passphrase: PassphraseSource::OneTime,
        }
    }

    /// The command with a program of this machine in the place of a store path.
    fn with_program(command: &RemoteCommand, program: &Path) -> RemoteCommand {
        let words = command.words();
        let script = words.iter().position(|word| word.starts_with("/nix/store/")).unwrap();
        let replaced = words.iter().enumerate().map(|(index, word)| {
            if index == script { program.to_str().unwrap().to_owned() } else { word.clone() }
        });
        let mut replaced = replaced.collect::<Vec<_>>().into_iter();
        RemoteCommand::new(replaced.next().unwrap())
            .args(replaced)
            .stdin_bytes(command.input().unwrap_or_default())
    }

    #[test]
    fn keys_are_there_for_the_script_alone_and_answers_follow_them() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("a b/one"), dir.path().join("two"));
        let program = dir.path().join("script");
        let text = format!(
            "#!/bin/sh\ncat '{0}'; echo; cat '{1}'; stat -c ' %a' '{0}'\n\
             read -r first; read -r again; echo \"$first=$again\"; exit 7\n",
            one.display(),
            two.display()
        );
        std::fs::write(&program, text).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        // A file that is there already must not lend its mode.
        std::fs::write(&two, "old").unwrap();

        let secrets = [("one", "first key\n"), ("two", "it's $2"), ("asked", "typed in")];
        let secrets = secrets.map(|(name, text)| (name, Secret::new(text)));
        let find = |name: &str| secrets.iter().find(|(it, _)| *it == name).map(|(_, it)| it);
        let containers =
            [container("one", Some(&one)), container("asked", None), container("two", Some(&two))];
        let script = "/nix/store/zr2knphxg8yyy2mkq8akf2hfknjvdiz7-disko".parse().unwrap();
        let command = script_command(&containers, find, &script).unwrap();
        assert!(!command.to_string().contains("typed in"), "{command}");
        let output = here(&with_program(&command, &program));
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert_eq!(stdout, "first key\n\nit's $2 600\ntyped in=typed in\n", "{output:?}");
        assert_eq!(output.status.code(), Some(7));
        assert!(!one.exists() && !two.exists());
        assert!(script_command(&containers, |_| None, &script).is_err());
    }

    #[test]
    fn letting_go_of_nothing_is_fine_and_of_what_stays_is_not() {
        let release = |items: &[&str]| {
            let command = RemoteCommand::script(RELEASE).arg("/nonexistent/mnt");
            here(&command.args(items.iter().copied()))
        };
        let nothing = ["luks:no-such", "vg:no-such", "md:no-such", "pool:no-such", "swap:/dev/no"];
        let output = release(&nothing);
        assert!(output.status.success(), "{output:?}");
        // A folder below /dev, as a volume group has one, that can't be closed: it is none.
        let output = release(&["vg:shm"]);
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("still in use: shm"), "{said}");
    }
}
