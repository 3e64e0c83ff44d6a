//! `reboot`: let go of the disks, restart the machine, wait until the installed host answers with
//! the host key that was made for it.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::install::context::{Context, Done, Failure, FailureKind, PhaseRun, Side, connect};
use crate::install::options::Engine;
use crate::install::{Phase, disks, nixos_anywhere};
use crate::process;
use crate::remote::{ConnectError, HostPublicKey, RemoteCommand};

/// Restarts the machine and waits for the installed host.
pub(super) struct Reboot;

/// Starts the restart so that it outlives this ssh session, which ends well before it. Forced only
/// if the init system does not react: everything of value is unmounted by then.
const RESTART: &str = r"
setsid sh -c 'sleep 1; systemctl reboot || reboot || { sleep 5; reboot -f; }' \
  </dev/null >/dev/null 2>&1 &
";

/// Between two attempts to connect.
const PAUSE: Duration = Duration::from_secs(2);

/// How long an answer that will hardly change (a foreign key, a refused login) may last. While it
/// boots, a machine may answer with the key of its initial ramdisk, or let nobody in yet.
const PATIENCE: Duration = Duration::from_secs(60);

#[async_trait]
impl PhaseRun for Reboot {
    async fn run(&self, cx: &mut Context<'_>) -> Result<Done, Failure> {
        if cx.record.host_keys.is_empty() {
            return Err(Failure::new("the key that the installed host will have is not known")
                .hint(
                    "the phase `hostkey` makes it: do not leave it out, or start with --restart",
                ));
        }
        let begun = Instant::now();
        if cx.side == Side::Installer {
            disks::passphrases_are_known(cx)?;
            restart(cx).await?;
        }
        wait_for_installed(cx).await?;
        let seconds = begun.elapsed().as_secs();
        Ok(Done::new(format!("{} answers with its own key after {seconds} s", cx.plan.host)))
    }
}

async fn restart(cx: &mut Context<'_>) -> Result<(), Failure> {
    let remote = cx.remote().await?;
    let boot_id = RemoteCommand::new("cat")
        .arg("/proc/sys/kernel/random/boot_id")
        .limit(cx.world.limits.command);
    let output = remote.run(&boot_id).await?.success(&boot_id)?;
    cx.record.installer_boot_id = Some(output.text().trim().to_owned());
    cx.step("unmount the disks");
    disks::release(cx).await?;
    cx.step("restart the machine");
    cx.changes.push(format!("{}: told to restart from its own disks", cx.plan.host));
    if cx.plan.system.engine == Engine::NixosAnywhere {
        nixos_anywhere::run(cx, Phase::Reboot, None).await?;
    } else {
        let command = RemoteCommand::script(RESTART).as_root().limit(cx.world.limits.command);
        match cx.remote().await?.run(&command).await {
            Ok(output) => drop(output.success(&command)?),
            // The machine may be faster than the end of the session.
            Err(
                process::Error::Io { .. }
                | process::Error::Failed { .. }
                | process::Error::Lost { .. },
            ) => {}
            Err(error) => return Err(error.into()),
        }
    }
    cx.disconnect().await;
    Ok(())
}

async fn wait_for_installed(cx: &mut Context<'_>) -> Result<(), Failure> {
    cx.step("wait for the installed system");
    if !cx.plan.encryption.is_empty() {
        let names: Vec<_> = cx.plan.encryption.iter().map(|one| one.name.as_str()).collect();
        cx.warn(format!(
            "the machine waits at its console for the passphrase of {}: type it in there",
            names.join(", ")
        ));
        disks::tell_one_time_passphrases(cx)?;
    }
    cx.disconnect().await;
    let login = cx.login(Side::Installed)?;
    let mut watch = Watch::new(cx)?;
    let connection = loop {
        match connect(cx.world, &login).await {
            Ok(connection) => break connection,
            Err(ConnectError::Cancelled { .. }) => return Err(Failure::stopped()),
            Err(error @ (ConnectError::Identity { .. } | ConnectError::Passphrase { .. })) => {
                return Err(error.into());
            }
            Err(error) => {
                if let Some(note) = watch.note(&error, Instant::now()) {
                    cx.step(note);
                }
                watch.check(Instant::now())?;
            }
        }
        cx.pause(PAUSE.min(cx.world.limits.connect)).await?;
    };
    cx.side = Side::Installed;
    cx.connection = Some(connection);
    Ok(())
}

/// What was seen while waiting.
struct Watch {
    begun: Instant,
    limit: Duration,
    encrypted: bool,
    installer_keys: Vec<String>,
    last: Option<(Seen, Instant)>,
    reason: String,
}

/// What an attempt met with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Nothing,
    Installer,
    OtherKey,
    NoLogin,
}

impl Watch {
    fn new(cx: &Context<'_>) -> Result<Self, Failure> {
        let keys = cx.record.installer_keys.iter().map(|line| line.parse::<HostPublicKey>());
        let keys = keys.map(|key| key.map(|key| key.fingerprint().to_owned()));
        let installer_keys = keys.collect::<Result<_, _>>().map_err(|error| {
            Failure::new(format!("the journal holds a public key that cannot be read: {error}"))
        })?;
        Ok(Self {
            begun: Instant::now(),
            limit: cx.world.limits.reboot,
            encrypted: !cx.plan.encryption.is_empty(),
            installer_keys,
            last: None,
            reason: String::new(),
        })
    }

    /// Takes note of a failed attempt; something to tell where it is news.
    fn note(&mut self, error: &ConnectError, now: Instant) -> Option<String> {
        let seen = match error {
            ConnectError::HostKeyMismatch { got: Some(got), .. }
                if self.installer_keys.contains(got) =>
            {
                Seen::Installer
            }
            ConnectError::HostKeyMismatch { .. } | ConnectError::HostKeyUnknown { .. } => {
                Seen::OtherKey
            }
            ConnectError::Authentication { .. } => Seen::NoLogin,
            _ => Seen::Nothing,
        };
        self.reason = error.to_string();
        if self.last.is_some_and(|(last, _)| last == seen) {
            return None;
        }
        let first = self.last.is_none();
        self.last = Some((seen, now));
        let words = match seen {
            Seen::Nothing if first => return None,
            Seen::Nothing => "wait for the installed system: no answer",
            Seen::Installer => "wait for the installed system: the installer still answers",
            Seen::OtherKey => "wait for the installed system: another host key answers",
            Seen::NoLogin => "wait for the installed system: it answers, but lets nobody in yet",
        };
        Some(words.to_owned())
    }

    /// A failure where waiting longer is of no use.
    fn check(&self, now: Instant) -> Result<(), Failure> {
        let Some((seen, since)) = self.last else { return Ok(()) };
        let over = now.duration_since(self.begun) >= self.limit;
        let lasting = now.duration_since(since) >= PATIENCE;
        match seen {
            // The initial ramdisk of an encrypted machine may listen until somebody unlocks it.
            Seen::OtherKey if over || (lasting && !self.encrypted) => Err(self.other_key()),
            Seen::NoLogin if over || lasting => Err(Failure::new(self.reason.clone()).hint(
                "the installed host has the right key; its users or their authorized keys are \
                 not as expected",
            )),
            _ if over => Err(self.too_late(seen)),
            _ => Ok(()),
        }
    }

    fn other_key(&self) -> Failure {
        Failure::new(self.reason.clone())
            .kind(FailureKind::Changed)
            .hint("another machine may have this address now: check it on the machine's console")
            .hint(
                "or the installed system did not take the key that was put in its place: compare \
                 services.openssh.hostKeys with where its root file system really is",
            )
    }

    fn too_late(&self, seen: Seen) -> Failure {
        let limit = self.limit.as_secs();
        let (error, hint) = match seen {
            Seen::Installer => (
                format!(
                    "after {limit} s the installer still answers: the machine did not start \
                         from its own disk"
                ),
                "take the installer's medium out, or put the disk first in the firmware's boot order",
            ),
            _ => (
                format!("the installed system did not answer within {limit} s: {}", self.reason),
                "look at the machine's console; once it is up, the same command goes on",
            ),
        };
        let failure = Failure::new(error).hint(hint);
        if self.encrypted && seen == Seen::Nothing {
            return failure.hint(
                "its disk is encrypted: it may still wait at the console for the passphrase",
            );
        }
        failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch() -> Watch {
        Watch {
            begun: Instant::now(),
            limit: Duration::from_secs(600),
            encrypted: false,
            installer_keys: vec!["SHA256:installer".to_owned()],
            last: None,
            reason: String::new(),
        }
    }

    fn mismatch(got: &str) -> ConnectError {
        ConnectError::HostKeyMismatch {
            address: "10.0.0.1".parse().unwrap(),
            port: 22,
            expected: vec!["SHA256:pinned".to_owned()],
            got: Some(got.to_owned()),
        }
    }

    fn refused() -> ConnectError {
        ConnectError::Refused { address: "10.0.0.1".parse().unwrap(), port: 22 }
    }

    #[test]
    fn silence_and_the_installer_are_waited_out_to_the_limit() {
        let mut watch = watch();
        let begun = watch.begun;
        assert_eq!(
            watch.note(&mismatch("SHA256:installer"), begun).as_deref(),
            Some("wait for the installed system: the installer still answers")
        );
        assert_eq!(watch.note(&mismatch("SHA256:installer"), begun), None, "told twice");
        assert_eq!(watch.check(begun + PATIENCE * 2), Ok(()));
        let late = watch.check(begun + watch.limit).unwrap_err();
        assert!(late.error.contains("did not start from its own disk"), "{late:?}");
        assert!(watch.note(&refused(), begun).is_some());
        assert_eq!(watch.check(begun + watch.limit - Duration::from_secs(1)), Ok(()));
        let late = watch.check(begun + watch.limit).unwrap_err();
        assert!(late.error.contains("did not answer within 600 s"), "{late:?}");
    }

    #[test]
    fn a_foreign_key_that_stays_means_another_machine() {
        let mut watch = watch();
        let begun = watch.begun;
        watch.note(&mismatch("SHA256:foreign"), begun);
        assert_eq!(watch.check(begun + PATIENCE / 2), Ok(()));
        let failure = watch.check(begun + PATIENCE).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Changed);
        assert!(failure.error.contains("SHA256:foreign"), "{failure:?}");

        watch.encrypted = true;
        assert_eq!(watch.check(begun + PATIENCE), Ok(()), "the initial ramdisk may listen");
        assert!(watch.check(begun + watch.limit).is_err());
    }
}
