//! `install`: bring the system into the new store below `/mnt`, put the host's keys in place, make
//! it bootable. Never reboots. Carried out again, it copies what is missing and does the rest anew.

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::install::building::{self, attr};
use crate::install::context::{Context, Done, Failure, FailureKind, PhaseRun, Side};
use crate::install::copying::{self, ROOT, Store};
use crate::install::options::Engine;
use crate::install::{Phase, disks, nixos_anywhere};
use crate::remote::RemoteCommand;
use crate::remote::copy::{Content, Entry, put_tree};
use crate::validated::{AbsolutePath, StorePath};

/// Copies the system and makes it bootable.
pub(super) struct Install;

#[async_trait]
impl PhaseRun for Install {
    async fn run(&self, cx: &mut Context<'_>) -> Result<Done, Failure> {
        if cx.side == Side::Installed {
            return Err(already_installed(cx));
        }
        let system = system(cx).await?;
        mount_if_needed(cx).await?;
        if cx.plan.system.engine == Engine::NixosAnywhere {
            nixos_anywhere::run(cx, Phase::Install, Some(&system)).await?;
        } else {
            cx.step("copy the system");
            copying::copy(cx, Store::New, std::slice::from_ref(&system)).await?;
            cx.step("put the host keys in place");
            place_host_keys(cx).await?;
            cx.step("make it bootable");
            nixos_install(cx, &system).await?;
        }
        cx.changes.push(format!("{}: {system} installed", cx.plan.host));
        cx.record.installed = Some(system.clone());
        Ok(Done::new(format!("{} installed", name(&system))))
    }
}

fn already_installed(cx: &Context<'_>) -> Failure {
    Failure::new(format!("{} runs from its own disk already", cx.plan.host))
        .kind(FailureKind::Changed)
        .hint("to go on from here, leave out what is done: --skip kexec,hardware,disko,install,reboot")
}

/// The name of a store path, without its hash.
fn name(path: &StorePath) -> &str {
    path.as_str().split_once('-').map_or(path.as_str(), |(_, name)| name)
}

/// The system that `disko` has built in this run, else built now.
async fn system(cx: &mut Context<'_>) -> Result<StorePath, Failure> {
    if let Some(built) = &cx.record.built {
        return Ok(built.clone());
    }
    cx.step("build the system");
    let mut built = building::build(cx, &cx.plan.system.install_attr, &[attr::TOPLEVEL]).await?;
    let system = built.pop().ok_or_else(|| Failure::new("nix built nothing"))?;
    cx.record.built = Some(system.clone());
    Ok(system)
}

/// The disks are made, but a machine that was switched off in between has nothing mounted.
async fn mount_if_needed(cx: &mut Context<'_>) -> Result<(), Failure> {
    let missing = disks::not_mounted(cx).await?;
    if missing.is_empty() {
        return Ok(());
    }
    cx.step("mount the disks again");
    for line in &missing {
        cx.output(line);
    }
    let built = building::build(cx, &cx.plan.system.install_attr, &[attr::MOUNT_SCRIPT]).await?;
    copying::copy(cx, Store::Running, &built).await?;
    disks::release(cx).await?;
    for script in &built {
        disks::run_script(cx, script).await.map_err(not_as_made)?;
    }
    let missing = disks::not_mounted(cx).await?;
    if missing.is_empty() {
        return Ok(());
    }
    Err(not_as_made(Failure::new(format!("not everything is mounted:\n{}", missing.join("\n")))))
}

fn not_as_made(failure: Failure) -> Failure {
    let error = format!("the disks can't be mounted as `disko` has left them: {}", failure.error);
    Failure { error, ..failure }.hint("make them anew: run again with --restart")
}

/// Puts every key pair at every path that the plan has for it.
async fn place_host_keys(cx: &mut Context<'_>) -> Result<(), Failure> {
    let mut entries = Vec::new();
    for planned in &cx.plan.host_keys {
        let key = cx.host_keys.get(&planned.kind).ok_or_else(|| missing_key(&planned.kind))?;
        for path in &planned.paths {
            let public: AbsolutePath = format!("{path}.pub").parse()?;
            let line = format!("{}\n", key.public).into_bytes();
            entries.push(file(path.clone(), 0o600, key.private.expose().to_vec()));
            entries.push(file(public, 0o644, line));
        }
    }
    if entries.is_empty() {
        return Ok(());
    }
    let remote = cx.remote().await?;
    put_tree(&*remote, &entries, &ROOT.parse()?).await?;
    Ok(())
}

/// Without its key the installed host could not be told from any other.
fn missing_key(kind: &str) -> Failure {
    Failure::new(format!("this run holds no {kind} host key to install"))
        .hint("the phase `hostkey` makes it: do not leave it out, or run again with --restart")
}

fn file(path: AbsolutePath, mode: u32, content: Vec<u8>) -> Entry {
    Entry { path, mode, uid: 0, gid: 0, content: Content::File(Zeroizing::new(content)) }
}

async fn nixos_install(cx: &mut Context<'_>, system: &StorePath) -> Result<(), Failure> {
    let command = RemoteCommand::new("nixos-install")
        .args(["--root", ROOT, "--system", system.as_str()])
        .args(["--no-root-passwd", "--no-channel-copy"])
        .as_root()
        .limit(cx.world.limits.long);
    match cx.on_target(&command).await {
        Ok(_) => Ok(()),
        Err(failure) => Err(copying::explained(cx, Store::New, failure).await),
    }
}
