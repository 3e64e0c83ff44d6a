//! `disko`: erase, format and mount the target's disks with the configuration's own script.
//!
//! Everything that can fail beforehand comes first: the script and the system are built, copied,
//! and the disks compared with the plan. Carried out again, it starts over: what an interrupted run
//! has mounted or opened is let go.

use async_trait::async_trait;

use crate::install::building::{self, attr};
use crate::install::context::{Context, Done, Failure, FailureKind, PhaseRun, Side};
use crate::install::copying::{self, Store};
use crate::install::decide::runs;
use crate::install::options::Engine;
use crate::install::plan::PlannedDisk;
use crate::install::{Phase, disks, nixos_anywhere};
use crate::remote::{self, LiveDisk};
use crate::validated::StorePath;

/// Erases, formats and mounts.
pub(super) struct Disko;

#[async_trait]
impl PhaseRun for Disko {
    async fn run(&self, cx: &mut Context<'_>) -> Result<Done, Failure> {
        if cx.side == Side::Installed {
            return Err(already_installed(cx));
        }
        let script = build(cx).await?;
        let native = cx.plan.system.engine == Engine::Native;
        if native {
            cx.step("copy the disk script");
            copying::copy(cx, Store::Running, std::slice::from_ref(&script)).await?;
        }
        cx.step("look at the disks once more");
        compare_disks(cx).await?;
        cx.step("let go of the disks");
        disks::release(cx).await?;
        cx.step("erase, format and mount");
        note_changes(cx);
        if cx.passphrases.one_time().next().is_some() {
            cx.private.need_passphrases();
        }
        if native {
            disks::run_script(cx, &script).await?;
        } else {
            nixos_anywhere::run(cx, Phase::Disko, Some(&script)).await?;
        }
        let missing = disks::not_mounted(cx).await?;
        if missing.is_empty() {
            if !runs(cx.plan, Phase::Verify) {
                disks::advise_own_passphrases(cx, &[]);
            }
            return Ok(Done::new(summary(&cx.plan.disks)));
        }
        Err(Failure::new(format!(
            "the disk script ended well, but not everything is mounted:\n{}",
            missing.join("\n")
        ))
        .hint("compare disko.devices with what `findmnt -R /mnt` shows on the machine"))
    }
}

fn already_installed(cx: &Context<'_>) -> Failure {
    Failure::new(format!(
        "{} runs from its own disk already, so its disks can't be erased",
        cx.plan.host
    ))
    .kind(FailureKind::Changed)
    .hint("to install it anew, start the installer on it and run again with --restart")
    .hint("to go on from here, leave out what is done: --skip kexec,hardware,disko,install,reboot")
}

/// Builds the script, and the system in the same call: a configuration that does not build must
/// leave the disks as they are.
async fn build(cx: &mut Context<'_>) -> Result<StorePath, Failure> {
    cx.step("build the disk script and the system");
    let attrs = [attr::DISKO_SCRIPT, attr::TOPLEVEL];
    let built = building::build(cx, &cx.plan.system.install_attr, &attrs).await?;
    let [script, system] = <[StorePath; 2]>::try_from(built)
        .map_err(|built| Failure::new(format!("nix built {} of 2 paths", built.len())))?;
    cx.record.built = Some(system);
    Ok(script)
}

/// Are the disks that will be erased still the ones that the user has seen and agreed to?
async fn compare_disks(cx: &mut Context<'_>) -> Result<(), Failure> {
    if cx.plan.disks.is_empty() {
        return Ok(());
    }
    let remote = cx.remote().await?;
    let probe = remote::probe(&*remote).await.map_err(|error| Failure::new(error.to_string()))?;
    for planned in &cx.plan.disks {
        compare(planned, &probe.disks)?;
    }
    Ok(())
}

fn compare(planned: &PlannedDisk, live: &[LiveDisk]) -> Result<(), Failure> {
    let device = planned.device.as_str();
    let changed = |error: String| {
        Failure::new(error)
            .kind(FailureKind::Changed)
            .hint("nothing was erased; look at the plan again and run anew")
    };
    let Some(before) = &planned.live else {
        return Err(changed(format!("{device} was not there when the plan was made")));
    };
    let Some(now) = live.iter().find(|disk| disk.is_called(device)) else {
        return Err(changed(format!("{device} is not there any more")));
    };
    let (was, is) = (identity(before), identity(now));
    if was != is {
        return Err(changed(format!(
            "{device} is another disk than the one in the plan: it was {was}, now it is {is}"
        )));
    }
    if now.boot_medium {
        return Err(changed(format!("{device} holds the running installer")));
    }
    Ok(())
}

fn identity(disk: &LiveDisk) -> String {
    format!(
        "model {}, serial {}, {} bytes",
        disk.model.as_deref().unwrap_or("unknown"),
        disk.serial.as_deref().unwrap_or("unknown"),
        disk.size
    )
}

fn note_changes(cx: &mut Context<'_>) {
    let host = &cx.plan.host;
    let change = |disk: &PlannedDisk| format!("{host}: {} erased and laid out anew", disk.device);
    let changes: Vec<String> = cx.plan.disks.iter().map(change).collect();
    cx.changes.extend(changes);
}

fn summary(disks: &[PlannedDisk]) -> String {
    let names: Vec<&str> = disks.iter().map(|disk| disk.device.as_str()).collect();
    format!("{} laid out and mounted", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(serial: &str) -> LiveDisk {
        LiveDisk {
            name: "vda".to_owned(),
            path: "/dev/vda".to_owned(),
            links: vec!["/dev/disk/by-id/virtio-GRIEF0001".to_owned()],
            size: 10_000,
            model: None,
            serial: Some(serial.to_owned()),
            transport: None,
            removable: false,
            read_only: false,
            boot_medium: false,
            table: None,
            fs_type: None,
            mountpoints: vec![],
            children: vec![],
        }
    }

    fn planned(device: &str) -> PlannedDisk {
        PlannedDisk {
            name: "main".to_owned(),
            device: device.parse().unwrap(),
            live: Some(disk("GRIEF0001")),
            layout: vec![],
            whole: None,
            needs: 1,
        }
    }

    #[test]
    fn only_the_very_disk_of_the_plan_is_erased() {
        for device in ["/dev/vda", "/dev/disk/by-id/virtio-GRIEF0001"] {
            compare(&planned(device), &[disk("GRIEF0001")]).unwrap();
        }
        let other = compare(&planned("/dev/vda"), &[disk("OTHER")]).unwrap_err();
        assert_eq!(other.kind, FailureKind::Changed);
        assert!(other.error.contains("GRIEF0001") && other.error.contains("OTHER"), "{other:?}");

        let grown = LiveDisk { size: 20_000, ..disk("GRIEF0001") };
        assert!(compare(&planned("/dev/vda"), &[grown]).is_err());
        let boot = LiveDisk { boot_medium: true, ..disk("GRIEF0001") };
        assert!(compare(&planned("/dev/vda"), &[boot]).unwrap_err().error.contains("installer"));
        let gone = compare(&planned("/dev/vda"), &[]).unwrap_err();
        assert!(gone.error.contains("not there any more"), "{gone:?}");
        let unplanned = PlannedDisk { live: None, ..planned("/dev/vda") };
        assert!(compare(&unplanned, &[disk("GRIEF0001")]).is_err());
    }
}
