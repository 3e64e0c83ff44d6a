//! `commit`: record in the repos the files that this run has made: the secrets repo first, since
//! the flake may lock it. Whatever else is changed or staged there stays as it is. Pushes only when
//! asked to.

use std::path::{Path, PathBuf};

use async_trait::async_trait;

use crate::install::context::{Context, Done, Failure, PhaseRun};
use crate::install::git::Repo;
use crate::process::nix::Nix;

/// Commits.
pub(super) struct Commit;

#[async_trait]
impl PhaseRun for Commit {
    async fn run(&self, cx: &mut Context<'_>) -> Result<Done, Failure> {
        let mut said = Vec::new();
        let mut not_pushed = Vec::new();
        for part in [Part::of_secrets, Part::of_flake] {
            let Some(part) = part(cx) else { continue };
            let repo = Repo::new(&part.dir);
            let files: Vec<&str> = part.files.iter().map(String::as_str).collect();
            let changed = repo.changed(cx, &files).await?;
            if changed.is_empty() {
                said.push(format!("{}: nothing to commit", part.name));
            } else {
                said.push(format!("{}: {}", part.name, commit(cx, &repo, &part, &changed).await?));
            }
            if !cx.options.push {
                continue;
            }
            match push(cx, &repo).await {
                Ok(()) => {
                    said.push(format!("{}: pushed", part.name));
                    if part.name == SECRETS {
                        said.extend(update_lock(cx).await?);
                    }
                }
                Err(failure) if cx.world.cancel.is_cancelled() => return Err(failure),
                Err(failure) => {
                    cx.warn(format!("{}: {}", part.name, failure.error));
                    not_pushed.push(format!("git -C {} push", shown(repo.dir())));
                }
            }
        }
        if let (Some((input, _)), false) = (&cx.record.secrets_input, cx.options.push) {
            let folder = cx.plan.secrets.as_ref().map(|s| shown(Path::new(&s.folder)));
            let folder = folder.unwrap_or_default();
            cx.next.push(format!("git -C {folder} push, then: nix flake update {input}"));
        }
        if not_pushed.is_empty() {
            return Ok(Done::new(said.join("; ")));
        }
        let mut failure = Failure::new(format!("committed, but not pushed ({})", said.join("; ")));
        for command in not_pushed {
            failure = failure.hint(format!("bring the repos together, then: {command}"));
        }
        Err(failure)
    }
}

/// What is to be committed in one repo.
struct Part {
    name: &'static str,
    dir: PathBuf,
    files: Vec<String>,
    message: String,
}

const SECRETS: &str = "secrets";

impl Part {
    fn of_secrets(cx: &Context<'_>) -> Option<Self> {
        let dir = PathBuf::from(&cx.plan.secrets.as_ref()?.folder);
        if cx.record.secrets_files.is_empty() {
            return None;
        }
        let files = cx.record.secrets_files.iter().cloned().collect();
        let message = format!("{}: recipient of its secrets", cx.plan.host);
        Some(Self { name: SECRETS, dir, files, message })
    }

    fn of_flake(cx: &Context<'_>) -> Option<Self> {
        let dir = cx.options.flake_dir.clone()?;
        let files = cx.record.flake_files.iter().cloned().collect();
        let message = format!("{}: hardware configuration", cx.plan.host);
        Some(Self { name: "nix-config", dir, files, message })
    }
}

/// The secrets are where the flake fetches them from: its lock can follow, and is committed with it.
async fn update_lock(cx: &mut Context<'_>) -> Result<Option<String>, Failure> {
    let (Some((input, _)), Some(flake)) = (&cx.record.secrets_input, &cx.options.flake_dir) else {
        return Ok(None);
    };
    cx.step(format!("update the input {input}"));
    let command = Nix::default().command(&["flake", "update", input, "--flake"]).arg(flake);
    let updated = cx.local(&command).await;
    let said = format!("nix-config: the input {input} updated");
    updated.map_err(|failure| {
        failure.hint(format!("the secrets are pushed; by hand: nix flake update {input}"))
    })?;
    cx.record.flake_files.insert("flake.lock".to_owned());
    Ok(Some(said))
}

async fn commit(
    cx: &mut Context<'_>,
    repo: &Repo,
    part: &Part,
    files: &[String],
) -> Result<String, Failure> {
    cx.step(format!("commit in {}", part.name));
    for file in files {
        if !repo.knows(cx, file).await? {
            cx.local(&repo.command(&["add", "--intent-to-add", "--", file])).await?;
        }
    }
    // `--only` takes these files as they are now and leaves the rest of the index alone.
    let mut words = vec!["commit", "--only", "--message", part.message.as_str(), "--"];
    words.extend(files.iter().map(String::as_str));
    let committed = cx.local(&repo.command(&words)).await;
    committed.map_err(|failure| {
        let dir = shown(repo.dir());
        failure
            .hint(format!("see what git or the pre-commit hook says: git -C {dir} status"))
            .hint("the host is finished; only the commit is missing")
    })?;
    let head = repo.command(&["rev-parse", "--short", "HEAD"]);
    let head = cx.world.runner.run_within(&head, cx.world.limits.command).await?.text();
    cx.changes.push(format!("this machine: {} committed as {head}", files.join(", ")));
    Ok(format!("{} committed as {head}", files.join(", ")))
}

async fn push(cx: &Context<'_>, repo: &Repo) -> Result<(), Failure> {
    cx.step("push");
    cx.local(&repo.command(&["push"])).await.map(drop)
}

fn shown(dir: &Path) -> String {
    crate::remote::quote(&dir.to_string_lossy())
}
