//! `rebuild`: bring the full configuration to a host that was installed with the minimal one.
//! Built here and copied, or built on the host from the synced repo.
//!
//! The switch runs on the host detached from the connection, since it may restart the network and
//! sshd. Carried out again, it copies what is missing and switches anew.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;

use crate::install::building::{self, attr};
use crate::install::context::{Context, Done, Failure, FailureKind, PhaseRun, Side};
use crate::install::copying::{self, Store};
use crate::install::flake_lock;
use crate::install::options::RebuildOn;
use crate::install::phases::verify;
use crate::process::{self, Command, Stdin};
use crate::remote::{RemoteCommand, quote};
use crate::validated::StorePath;

/// Brings the full configuration.
pub(super) struct Rebuild;

/// Where the switch keeps its log and status on the host.
const STATE: &str = "/run/nixos-bootstrap-switch";

/// In which variable a rebuild command of the user's own finds flags for nix.
pub(in crate::install) const OVERRIDE_VARIABLE: &str = "NIXOS_BOOTSTRAP_OVERRIDE";

/// Between two attempts to connect.
const PAUSE: Duration = Duration::from_secs(2);

#[async_trait]
impl PhaseRun for Rebuild {
    async fn run(&self, cx: &mut Context<'_>) -> Result<Done, Failure> {
        if cx.side == Side::Installer {
            return Err(Failure::new("the installer answers, not the installed host")
                .kind(FailureKind::Changed)
                .hint("start the machine from its own disk: run again without --skip reboot"));
        }
        let expected = match cx.plan.system.rebuild_on {
            RebuildOn::Here => Some(here(cx).await?),
            RebuildOn::Target => {
                on_target(cx).await?;
                None
            }
        };
        cx.step("look at the system");
        let units = verify::units(cx).await?;
        let facts = cx.facts;
        let seen = verify::look(cx, facts).await?;
        let mut checks = verify::system(&seen, facts, expected.as_ref());
        checks.push(units);
        let lines = verify::settle(checks)?;
        let system: StorePath = seen.current_system().parse()?;
        if expected.is_none() {
            must_be_new(cx, &system)?;
        }
        cx.changes.push(format!("{}: switched to {system}", cx.plan.host));
        cx.record.full = Some(system);
        Ok(Done::new(lines))
    }
}

/// A rebuild on the host that leaves the minimal system running has not done its work.
fn must_be_new(cx: &Context<'_>, system: &StorePath) -> Result<(), Failure> {
    let minimal = cx.minimal.is_some() && cx.record.installed.as_ref() == Some(system);
    if !minimal {
        return Ok(());
    }
    Err(Failure::new(format!(
        "the rebuild ended well, but the host still runs the minimal system {system}"
    ))
    .hint("check `bootstrap.rebuild.command`, and that the synced flake is the one of this run"))
}

async fn here(cx: &mut Context<'_>) -> Result<StorePath, Failure> {
    cx.step("build the full system");
    let mut built = building::build(cx, &cx.plan.system.full_attr, &[attr::TOPLEVEL]).await?;
    let system = built.pop().ok_or_else(|| Failure::new("nix built nothing"))?;
    cx.step("copy the full system");
    copying::copy(cx, Store::Running, std::slice::from_ref(&system)).await?;
    cx.step("switch to the full system");
    switch(cx, &system).await?;
    Ok(system)
}

/// Makes `$1` the system profile and starts the switch to it as a unit of its own (without systemd,
/// as a session of its own). Log and status go into the folder `$2`; a status is there when it is
/// over. A switch that is still running is left to end first: two at once would collide.
const START: &str = r#"
state=$2
mkdir -p -m 0700 "$state"
if [ -e "$state/pid" ] && kill -0 "$(cat "$state/pid")" 2>/dev/null; then exit 0; fi
rm -f "$state/log" "$state/status" "$state/pid"
nix-env -p /nix/var/nix/profiles/system --set "$1"
work='
echo $$ >"$2/pid"
code=0
"$1/bin/switch-to-configuration" switch >"$2/log" 2>&1 || code=$?
rm -f "$2/pid"
echo "$code" >"$2/status.new"
mv "$2/status.new" "$2/status"
'
if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
  systemd-run --quiet --collect --no-ask-password --description="Switch to the full system" \
    --setenv=PATH="$PATH" sh -c "$work" sh "$1" "$state"
else
  setsid sh -c "$work" sh "$1" "$state" </dev/null >/dev/null 2>&1 &
fi
until [ -e "$state/pid" ] || [ -e "$state/status" ]; do sleep 0.1; done
"#;

/// Prints the log of the switch in `$2` from line `$1` on as it grows, until there is a status,
/// which it ends with.
const FOLLOW: &str = r#"
next=$1 state=$2
show() {
  [ -e "$state/log" ] || return 0
  lines=$(wc -l <"$state/log")
  [ "$lines" -ge "$next" ] || return 0
  sed -n "${next},${lines}p" "$state/log"
  next=$((lines + 1))
}
while [ ! -e "$state/status" ]; do
  show
  sleep 0.3
done
show
exit "$(cat "$state/status")"
"#;

async fn switch(cx: &mut Context<'_>, system: &StorePath) -> Result<(), Failure> {
    let start = RemoteCommand::script(START)
        .arg(system.as_str())
        .arg(STATE)
        .as_root()
        .limit(cx.world.limits.command);
    cx.on_target(&start).await?;
    let deadline = tokio::time::Instant::now() + cx.world.limits.long;
    let mut shown = 0;
    loop {
        match follow(cx, &mut shown).await {
            Ok(code) => return switched(code),
            Err(failure) if failure.kind == FailureKind::Stopped => return Err(failure),
            Err(failure) if failure.kind == FailureKind::Changed => return Err(failure),
            // The switch may restart the network or sshd: it goes on without us.
            Err(failure) if tokio::time::Instant::now() < deadline => {
                cx.step("wait for the host: the connection broke during the switch");
                cx.output(&failure.error);
                reconnect(cx).await?;
            }
            Err(failure) => return Err(failure),
        }
    }
}

/// Follows the switch to its end, or until the connection breaks.
async fn follow(cx: &mut Context<'_>, shown: &mut u64) -> Result<i32, Failure> {
    let command = RemoteCommand::script(FOLLOW)
        .arg((*shown + 1).to_string())
        .arg(STATE)
        .as_root()
        .limit(cx.world.limits.long);
    let remote = cx.remote().await?;
    let (reporter, phase) = (&cx.world.reporter, cx.phase);
    let mut sink = |line: process::Line<'_>| {
        if line.stream == process::Stream::Stdout {
            *shown += 1;
        }
        let line = line.text.to_owned();
        reporter.event(&crate::install::event::Event::Output { phase, line });
    };
    let output = remote.stream(&command, &mut sink).await?;
    match output.code {
        // What ssh ends with when its connection breaks.
        None | Some(255) => Err(Failure::new("the connection broke during the switch")),
        Some(code) => Ok(code),
    }
}

fn switched(code: i32) -> Result<(), Failure> {
    match code {
        0 => Ok(()),
        _ => Err(Failure::new(format!(
            "switch-to-configuration ended with status {code}; its last lines are above"
        ))
        .hint("on the host: `systemctl --failed` and `journalctl -b` say why")
        .hint(
            "the host still has its minimal system: `nix-env -p /nix/var/nix/profiles/system \
               --rollback` makes that the one it boots",
        )),
    }
}

async fn reconnect(cx: &mut Context<'_>) -> Result<(), Failure> {
    let deadline = tokio::time::Instant::now() + cx.world.limits.startup;
    loop {
        cx.disconnect().await;
        match cx.remote().await {
            Ok(_) => return Ok(()),
            Err(failure) if failure.kind != FailureKind::Failed => return Err(failure),
            Err(failure) if tokio::time::Instant::now() >= deadline => {
                return Err(failure.hint("the host did not come back after the switch"));
            }
            Err(_) => cx.pause(PAUSE.min(cx.world.limits.connect)).await?,
        }
    }
}

/// Builds on the host, with the user's agent forwarded so that it can fetch private inputs.
async fn on_target(cx: &mut Context<'_>) -> Result<(), Failure> {
    let folder = synced_folder(cx)?;
    cx.step(if cx.options.interactive {
        "rebuild on the host (if its sudo wants a password, type it now)"
    } else {
        "rebuild on the host"
    });
    let remote = cx.remote().await?;
    let line = rebuild_line(cx, &folder, secrets_there(cx)?.as_deref());
    let command = ssh_command(cx, &remote.ssh_options(), &line);
    cx.local(&command).await.map(drop).map_err(|failure| {
        failure.hint("on the host the same command can be run by hand, in the synced folder")
    })
}

fn synced_folder(cx: &Context<'_>) -> Result<String, Failure> {
    // The plan has the flake's own repo first.
    let planned = cx.plan.sync.first().map(|sync| sync.to.clone());
    planned.or_else(|| cx.facts.bootstrap.nix_config_path.clone()).ok_or_else(|| {
        Failure::new("there is no folder on the host to rebuild from").hint(
            "the phase `sync` brings it there: do not leave it out, or set \
                   `bootstrap.nixConfig.path`",
        )
    })
}

/// The flags for nix that let the host's flake take the secrets of this run, where `lock` has replaced their input:
/// from the folder that `sync` has brought there.
fn secrets_there(cx: &Context<'_>) -> Result<Option<String>, Failure> {
    let Some((input, _)) = building::replaced(cx.options, &cx.record).into_iter().next() else {
        return Ok(None);
    };
    let folder = cx.plan.secrets.as_ref().map(|secrets| secrets.folder.as_str());
    let synced = cx.plan.sync.iter().find(|sync| Some(sync.from.as_str()) == folder);
    let synced = synced.ok_or_else(|| {
        Failure::new(format!("the secrets of the input {input} are not on the host"))
            .hint("--rebuild-on here builds with the secrets of this machine")
    })?;
    // A linked work tree has its history elsewhere, which does not go over.
    let is_repo = Path::new(&synced.from).join(".git").is_dir();
    let reference = flake_lock::reference(&synced.to, is_repo);
    Ok(Some(format!("--override-input {} {}", quote(&input), quote(&reference))))
}

/// The shell line for the host. The command is the user's own and meant for a shell; it finds the flags in a variable.
fn rebuild_line(cx: &Context<'_>, folder: &str, flags: Option<&str>) -> String {
    // ssh starts in the home directory; a quoted `~` would not be replaced.
    let folder = quote(folder.strip_prefix("~/").unwrap_or(folder));
    match (&cx.facts.bootstrap.rebuild_command, flags) {
        (Some(own), None) => format!("cd {folder} && {own}"),
        (Some(own), Some(flags)) => {
            format!("cd {folder} && export {OVERRIDE_VARIABLE}={} && {own}", quote(flags))
        }
        (None, flags) => {
            let flake = quote(&format!(".#{}", cx.plan.host));
            let flags = flags.map(|flags| format!(" {flags}")).unwrap_or_default();
            format!("cd {folder} && sudo nixos-rebuild switch --flake {flake}{flags}")
        }
    }
}

fn ssh_command(cx: &Context<'_>, options: &[String], line: &str) -> Command {
    let door = cx.access.door(Side::Installed);
    let mut command = Command::new("ssh").args(options).arg("-A");
    if cx.options.interactive {
        command = command.arg("-tt").stdin(Stdin::Inherit);
    }
    command
        .args(["-p", &door.port.to_string(), "-l", door.user.as_str(), "--"])
        .arg(cx.access.address.as_str())
        .arg(line)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Output};

    use super::*;

    fn program(path: &Path, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }

    /// Runs a script as it would run on a host without systemd.
    fn here(dir: &Path, script: &str, args: &[&str]) -> Output {
        let script = script.replace("-d /run/systemd/system", "-d /nonexistent");
        let path = format!("{}:{}", dir.join("bin").display(), env!("PATH"));
        let mut command = Command::new("sh");
        command.args(["-euc", &script, "sh"]).args(args).env("PATH", path).output().unwrap()
    }

    #[test]
    fn the_switch_runs_detached_and_its_log_can_be_taken_up_anywhere() {
        let dir = tempfile::tempdir().unwrap();
        let (dir, system) = (dir.path(), dir.path().join("system"));
        let state = dir.join("state");
        program(&dir.join("bin/nix-env"), &format!("echo \"$@\" >>{}", dir.join("env").display()));
        program(
            &system.join("bin/switch-to-configuration"),
            &format!(
                "echo $1 >>{}; echo one; sleep 0.5; echo two >&2; echo three; exit 4",
                dir.join("switched").display()
            ),
        );
        let (system, state) = (system.to_str().unwrap(), state.to_str().unwrap());
        let started = here(dir, START, &[system, state]);
        assert!(started.status.success(), "{started:?}");
        // A second start while it runs leaves it alone.
        let again = here(dir, START, &[system, state]);
        assert!(again.status.success(), "{again:?}");
        let followed = here(dir, FOLLOW, &["2", state]);
        assert_eq!(String::from_utf8_lossy(&followed.stdout), "two\nthree\n");
        assert_eq!(followed.status.code(), Some(4));
        let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
        assert_eq!(read("switched"), "switch\n");
        let set = format!("-p /nix/var/nix/profiles/system --set {system}\n");
        assert_eq!(read("env"), set);
        assert_eq!(
            here(dir, FOLLOW, &["1", state]).stdout,
            b"one\ntwo\nthree\n",
            "a status stays to be read"
        );
    }
}
