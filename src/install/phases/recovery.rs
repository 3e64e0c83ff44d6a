//! `recovery`: gives each encrypted container a recovery key beside its passphrase. The key is kept in
//! the secrets file before it is added, so that none is ever lost; carried out again, it takes up the
//! one that is there.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use crate::install::context::{Context, Done, Failure, FailureKind, PhaseRun, Side};
use crate::install::git::Repo;
use crate::install::plan::{PlannedRecovery, PlannedRecoveryKey};
use crate::install::private::random_passphrase;
use crate::install::recovery::{self, NEEDS_PASSPHRASE, WRONG_PASSPHRASE};
use crate::install::workshop::{self, Workshop};
use crate::install::{disks, secret_files, secrets_lock};
use crate::secrets::Secret;
use crate::secrets::sops_file::SopsFile;

/// Keeps the keys, and adds them.
pub(super) struct Recovery;

#[async_trait]
impl PhaseRun for Recovery {
    async fn run(&self, cx: &mut Context<'_>) -> Result<Done, Failure> {
        if cx.side == Side::Installer {
            return Err(Failure::new("the installer answers, not the installed host")
                .kind(FailureKind::Changed)
                .hint("start the machine from its own disk: run again without --skip reboot"));
        }
        let planned = cx.plan.recovery.clone();
        let planned = planned.ok_or_else(|| Failure::new("no recovery key is planned"))?;
        workshop::check_sops(&*cx.world.runner, cx.world.limits.command).await?;
        cx.step(format!("keep the keys in {}", planned.file));
        let keys = keep(cx, &planned).await?;
        let mut names = Vec::new();
        for (key, secret) in planned.keys.iter().zip(&keys) {
            cx.step(format!("add the recovery key of {}", key.container));
            add(cx, &key.container, secret).await?;
            names.push(key.container.as_str());
            cx.changes.push(format!("{}: {} has a recovery key", cx.plan.host, key.container));
            cx.next.push(how_to_read(&planned, key));
        }
        let names = names.join(", ");
        Ok(Done::new(format!("the recovery key of {names} is in {}", planned.file)))
    }
}

/// Finds the keys in the secrets file, or makes those that it lacks. All work is done on a copy.
async fn keep(cx: &mut Context<'_>, planned: &PlannedRecovery) -> Result<Vec<Secret>, Failure> {
    let folder = Path::new(&planned.folder);
    let _lock = secrets_lock::wait(cx, folder).await?;
    let rules = folder.join(".sops.yaml");
    let text = fs::read_to_string(&rules)
        .map_err(|error| Failure::new(format!("{}: {error}", rules.display())))?;
    let (runner, limit) = (Arc::clone(&cx.world.runner), cx.world.limits.long);
    let workshop = Workshop::new(runner, limit, cx.private, folder, &text)?;
    let mut keys = Vec::new();
    for key in &planned.keys {
        let path: Vec<&str> = key.path.iter().map(String::as_str).collect();
        keys.push(ensure(&workshop, &planned.file, &path).await?);
    }
    let changed = workshop.put_back(std::slice::from_ref(&planned.file))?;
    secret_files::note_changed(cx, folder, &changed);
    if changed.is_empty() && kept_before(cx, planned).await? {
        secret_files::note(cx, folder, std::slice::from_ref(&planned.file));
    }
    Ok(keys)
}

/// Has a run that did not end well put the keys there, so that the last commit lacks them?
async fn kept_before(cx: &Context<'_>, planned: &PlannedRecovery) -> Result<bool, Failure> {
    let repo = Repo::new(Path::new(&planned.folder));
    if !repo.is_work_tree(cx).await? {
        return Ok(false);
    }
    let before = repo.committed(cx, &planned.file).await?;
    let before = before.and_then(|old| SopsFile::parse(&planned.file, &old).ok());
    let has = |key: &PlannedRecoveryKey| {
        let path: Vec<&str> = key.path.iter().map(String::as_str).collect();
        before.as_ref().is_some_and(|before| before.has_path(&path))
    };
    Ok(!planned.keys.iter().all(has))
}

async fn ensure(workshop: &Workshop, file: &str, path: &[&str]) -> Result<Secret, Failure> {
    let key = random_passphrase();
    if !workshop.has(file) {
        workshop.create(file, path, &key).await?;
        return Ok(key);
    }
    workshop.take(file)?;
    let parsed = SopsFile::parse(file, &workshop.read(file)?)
        .map_err(|error| Failure::new(format!("{file}: {error}")))?;
    if parsed.has_path(path) {
        return workshop.extract(file, path).await;
    }
    workshop.set(file, path, &key).await?;
    Ok(key)
}

async fn add(cx: &mut Context<'_>, container: &str, key: &Secret) -> Result<(), Failure> {
    let command = recovery::add(container, cx.passphrases.get(container), key);
    let remote = cx.remote().await?;
    let output = remote.run(&command).await?;
    match output.code {
        Some(NEEDS_PASSPHRASE) => {
            let planned = cx.plan.encryption.iter().find(|one| one.name == container);
            let unknown = planned.map(disks::unknown_passphrase);
            Err(unknown.unwrap_or_else(|| Failure::new("its passphrase is not known")))
        }
        Some(WRONG_PASSPHRASE) => Err(Failure::new(format!(
            "the passphrase of {container} that this run knows does not open it any more"
        ))
        .hint("its recovery key is in the secrets file; add it by hand: cryptsetup luksAddKey")
        .hint("or leave it: the same command with --skip recovery goes on")),
        _ => {
            output.success(&command)?;
            Ok(())
        }
    }
}

/// The command that shows a key to whoever needs it one day.
fn how_to_read(planned: &PlannedRecovery, key: &PlannedRecoveryKey) -> String {
    let file = Path::new(&planned.folder).join(&planned.file);
    let path: Vec<&str> = key.path.iter().map(String::as_str).collect();
    let command = crate::secrets::sops::shown_extract(&file, &path);
    format!("if the passphrase of {} is lost, its recovery key opens it: {command}", key.container)
}
