//! `verify`: prove that the new system is up, and is the right one. Changes nothing on the host;
//! when all is well, its key is pinned in the user's `known_hosts`.

use async_trait::async_trait;

use crate::facts::{HostFacts, Sops};
use crate::install::context::{Context, Done, Failure, FailureKind, PhaseRun, Side};
use crate::install::{disks, mounts, pin};
use crate::process;
use crate::remote::RemoteCommand;
use crate::validated::StorePath;

/// Looks at the installed host.
pub(super) struct Verify;

#[async_trait]
impl PhaseRun for Verify {
    async fn run(&self, cx: &mut Context<'_>) -> Result<Done, Failure> {
        if cx.side == Side::Installer {
            return Err(Failure::new("the installer answers, not the installed host")
                .kind(FailureKind::Changed)
                .hint("start the machine from its own disk: run again without --skip reboot"));
        }
        cx.step("wait until everything has started");
        // The connection itself is the proof of the key: no other one is accepted.
        let key = host_key(cx);
        let units = units(cx).await?;
        cx.step("look at the system");
        let facts = disks::installed_facts(cx);
        let expected = expected_system(cx);
        let seen = look(cx, facts).await?;
        let mut checks = vec![boot_id(cx, &seen), Check::fine("host key", key)];
        checks.extend(system(&seen, facts, expected.as_ref()));
        checks.push(units);
        let lines = settle(checks)?;
        cx.record.installed_boot_id = Some(seen.boot_id);
        disks::advise_own_passphrases(cx, &seen.containers);
        let pinned = pin::pin(cx)?;
        Ok(Done::new(format!("{lines}\nknown_hosts: {pinned}")))
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    what: &'static str,
    /// What was found, or what is wrong with it.
    found: Result<String, String>,
}

impl Check {
    fn fine(what: &'static str, found: impl Into<String>) -> Self {
        Self { what, found: Ok(found.into()) }
    }

    fn wrong(what: &'static str, found: impl Into<String>) -> Self {
        Self { what, found: Err(found.into()) }
    }

    fn equal(what: &'static str, found: &str, expected: &str) -> Self {
        if found == expected {
            return Self::fine(what, found);
        }
        Self::wrong(what, format!("{expected:?} expected, {found:?} found"))
    }
}

/// A line each; a failure if anything is wrong, with what is fine as well.
pub(super) fn settle(checks: Vec<Check>) -> Result<String, Failure> {
    let wrong = checks.iter().any(|check| check.found.is_err());
    let line = |check: Check| match check.found {
        Ok(found) if wrong => format!("ok     {}: {found}", check.what),
        Ok(found) => format!("{}: {found}", check.what),
        Err(found) => format!("WRONG  {}: {found}", check.what),
    };
    let lines: Vec<String> = checks.into_iter().map(line).collect();
    let lines = lines.join("\n");
    if !wrong {
        return Ok(lines);
    }
    Err(Failure::new(format!("the host is up, but not all of it is as expected:\n{lines}"))
        .hint("the host answers with its own key, so `ssh` gets you in to look")
        .hint("once it is mended, the same command looks again and goes on"))
}

/// What the host says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    boot_id: String,
    current_system: String,
    host_name: String,
    mounts: Vec<mounts::Mounted>,
    swaps: Vec<String>,
    /// Planned swap devices as configured, each with what it really is.
    planned_swaps: Vec<(String, String)>,
    secrets_missing: Vec<String>,
    /// Open containers of the plan, each with its device.
    containers: Vec<(String, String)>,
}

impl Seen {
    /// Where `/run/current-system` leads.
    pub(super) fn current_system(&self) -> &str {
        &self.current_system
    }
}

/// Prints `KEY VALUE` lines. The arguments are `swap:DEVICE`, `secret:NAME` and `luks:CONTAINER`.
const LOOK: &str = r#"
echo "boot-id $(cat /proc/sys/kernel/random/boot_id)"
echo "system $(readlink -f /run/current-system || true)"
echo "host-name $(cat /proc/sys/kernel/hostname)"
while read -r line; do echo "mount $line"; done </proc/self/mounts
while read -r device _; do
  [ "$device" = Filename ] || echo "swap $device"
done </proc/swaps
for item in "$@"; do
  name=${item#*:}
  case $item in
    swap:*) echo "planned-swap $name $(readlink -f -- "$name" || echo "$name")" ;;
    secret:*)
      [ -s "/run/secrets/$name" ] || [ -s "/run/secrets-for-users/$name" ] ||
        echo "no-secret $name" ;;
    luks:*)
      device=$(cryptsetup status "$name" 2>/dev/null | sed -n 's/^ *device: *//p')
      uuid=$([ -z "$device" ] || cryptsetup luksUUID "$device" 2>/dev/null || true)
      [ -z "$uuid" ] || [ ! -e "/dev/disk/by-uuid/$uuid" ] || device=/dev/disk/by-uuid/$uuid
      [ -z "$device" ] || echo "container $device $name" ;;
  esac
done
"#;

/// Looks at the running host, in one command.
pub(super) async fn look(cx: &mut Context<'_>, facts: &HostFacts) -> Result<Seen, Failure> {
    let swaps = facts.swap.devices.iter().map(|swap| format!("swap:{}", swap.device));
    let secrets = facts.sops.iter().flat_map(|sops| &sops.secrets);
    let secrets = secrets.map(|secret| format!("secret:{}", secret.name));
    let containers = cx.plan.encryption.iter().map(|one| format!("luks:{}", one.name));
    let command = RemoteCommand::script(LOOK)
        .args(swaps.chain(secrets).chain(containers))
        .as_root()
        .limit(cx.world.limits.command);
    let remote = cx.remote().await?;
    let output = remote.run(&command).await?.success(&command)?;
    Ok(read(&output.text()))
}

fn read(answer: &str) -> Seen {
    let mut seen = Seen::default();
    let mut table = String::new();
    for line in answer.lines() {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        match key {
            "boot-id" => value.clone_into(&mut seen.boot_id),
            "system" => value.clone_into(&mut seen.current_system),
            "host-name" => value.clone_into(&mut seen.host_name),
            "mount" => {
                table.push_str(value);
                table.push('\n');
            }
            "swap" => seen.swaps.push(value.to_owned()),
            "planned-swap" => {
                let (device, real) = value.rsplit_once(' ').unwrap_or((value, value));
                seen.planned_swaps.push((device.to_owned(), real.to_owned()));
            }
            "container" => {
                if let Some((device, name)) = value.split_once(' ') {
                    seen.containers.push((name.to_owned(), device.to_owned()));
                }
            }
            "no-secret" => seen.secrets_missing.push(value.to_owned()),
            _ => {}
        }
    }
    seen.mounts = mounts::parse_mounts(&table);
    seen
}

fn host_key(cx: &Context<'_>) -> String {
    let keys = cx.record.host_keys.iter();
    let keys = keys.filter_map(|line| line.parse::<crate::remote::HostPublicKey>().ok());
    let prints: Vec<String> =
        keys.map(|key| format!("{} {}", key.kind(), key.fingerprint())).collect();
    format!("{} (the one that was made for it)", prints.join(" or "))
}

/// The system that must be running: the full one where a rebuild has brought it, else the one that
/// was installed, else the one that the plan would install.
fn expected_system(cx: &Context<'_>) -> Option<StorePath> {
    let record = &cx.record;
    let planned = || cx.plan.system.install.as_ref().map(|derivation| derivation.out_path.clone());
    record.full.clone().or_else(|| record.installed.clone()).or_else(planned)
}

fn boot_id(cx: &Context<'_>, seen: &Seen) -> Check {
    match &cx.record.installer_boot_id {
        Some(before) if *before == seen.boot_id => {
            Check::wrong("boot", "the boot id is still that of the installer")
        }
        Some(_) => Check::fine("boot", format!("a new one, {}", seen.boot_id)),
        None => Check::fine("boot", format!("{} (no other one to compare with)", seen.boot_id)),
    }
}

/// The checks of the running system against its configuration.
pub(super) fn system(seen: &Seen, facts: &HostFacts, expected: Option<&StorePath>) -> Vec<Check> {
    let current = match expected {
        Some(expected) => Check::equal("system", &seen.current_system, expected.as_str()),
        None => Check::fine("system", format!("{} (none to compare with)", seen.current_system)),
    };
    vec![
        current,
        Check::equal("host name", &seen.host_name, &facts.host_name),
        root(seen, facts),
        swap(seen, facts),
        secrets(seen, facts.sops.as_ref()),
    ]
}

fn root(seen: &Seen, facts: &HostFacts) -> Check {
    let planned: Vec<_> =
        mounts::mounts(&facts.disko).into_iter().filter(|mount| mount.target == "/").collect();
    let found = seen.mounts.iter().rev().find(|mount| mount.target == "/");
    let found = found.map(|root| {
        let subvolume = root.options.iter().find_map(|option| option.strip_prefix("subvol="));
        let subvolume = subvolume.map(|name| format!(", subvolume {name}")).unwrap_or_default();
        format!("{} on {}{subvolume}", root.fs_type, root.source)
    });
    match mounts::missing(&planned, &seen.mounts, "/").into_iter().next() {
        Some(wrong) => Check::wrong("root file system", wrong),
        None => Check::fine("root file system", found.unwrap_or_else(|| "unknown".to_owned())),
    }
}

fn swap(seen: &Seen, facts: &HostFacts) -> Check {
    let (zram, real): (Vec<&String>, Vec<&String>) =
        seen.swaps.iter().partition(|swap| swap.starts_with("/dev/zram"));
    let is_active = |planned: &(String, String)| {
        real.iter().any(|swap| **swap == planned.0 || **swap == planned.1)
    };
    let mut missing: Vec<&str> = seen
        .planned_swaps
        .iter()
        .filter(|planned| !is_active(planned))
        .map(|(device, _)| device.as_str())
        .collect();
    // A randomly encrypted one is active under the name of its container.
    if real.len() >= seen.planned_swaps.len() {
        missing.clear();
    }
    if facts.swap.zram.is_some() && zram.is_empty() {
        missing.push("zram");
    }
    let active = if seen.swaps.is_empty() { "none".to_owned() } else { seen.swaps.join(", ") };
    if missing.is_empty() {
        return Check::fine("swap", active);
    }
    Check::wrong("swap", format!("{} expected, active is {active}", missing.join(", ")))
}

fn secrets(seen: &Seen, sops: Option<&Sops>) -> Check {
    let wanted = sops.map_or(0, |sops| sops.secrets.len());
    if wanted == 0 {
        return Check::fine("secrets", "not configured");
    }
    if seen.secrets_missing.is_empty() {
        return Check::fine("secrets", format!("all {wanted} decrypted"));
    }
    let missing = seen.secrets_missing.join(", ");
    Check::wrong("secrets", format!("{wanted} expected below /run/secrets, missing: {missing}"))
}

/// Waits until the host has started and names the units that failed.
pub(super) async fn units(cx: &mut Context<'_>) -> Result<Check, Failure> {
    let remote = cx.remote().await?;
    let command = cx.world.limits.command;
    let systemd = RemoteCommand::new("test").args(["-d", "/run/systemd/system"]).limit(command);
    if !remote.run(&systemd).await?.ok() {
        return Ok(Check::fine("units", "the host has no systemd, so none can be looked at"));
    }
    let limit = cx.world.limits.startup;
    let wait = RemoteCommand::new("systemctl").args(["is-system-running", "--wait"]).limit(limit);
    let state = match remote.run(&wait).await {
        Ok(output) => output.text().trim().to_owned(),
        Err(process::Error::TimedOut { .. }) => return still_starting(cx).await,
        Err(error) => return Err(error.into()),
    };
    let failed = list(cx, &["list-units", "--failed"]).await?;
    Ok(match (failed.is_empty(), state.as_str()) {
        (true, "running" | "degraded") => Check::fine("units", "none failed"),
        (true, state) => {
            Check::wrong("units", format!("the system should be running, it is {state:?}"))
        }
        (false, _) => Check::wrong(
            "units",
            format!(
                "failed: {} (on the host: `systemctl status {}`)",
                failed.join(", "),
                failed.join(" ")
            ),
        ),
    })
}

async fn still_starting(cx: &mut Context<'_>) -> Result<Check, Failure> {
    let jobs = list(cx, &["list-jobs"]).await?;
    let limit = cx.world.limits.startup.as_secs();
    Ok(Check::wrong("units", format!("still starting after {limit} s: {}", jobs.join(", "))))
}

/// The names of units that `systemctl SUBCOMMAND` lists.
async fn list(cx: &mut Context<'_>, subcommand: &[&str]) -> Result<Vec<String>, Failure> {
    let command = RemoteCommand::new("systemctl")
        .args(subcommand.iter().copied())
        .args(["--plain", "--no-legend", "--no-pager", "--full"])
        .limit(cx.world.limits.command);
    let output = cx.remote().await?.run(&command).await?.success(&command)?;
    // Jobs begin with their number.
    let is_unit = |word: &&str| word.contains('.');
    let unit = |line: &str| line.split_whitespace().find(is_unit).map(ToOwned::to_owned);
    Ok(output.text().lines().filter_map(unit).collect())
}
