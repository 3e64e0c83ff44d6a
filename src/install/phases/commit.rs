//! `commit`: record in the repos the files that this run has made: the secrets repo first, since
//! the flake may lock it. Whatever else is changed or staged there stays as it is. Pushes only when
//! asked to.

use std::path::{Path, PathBuf};

use async_trait::async_trait;

use crate::install::context::{Context, Done, Failure, PhaseRun};
use crate::install::git::Repo;

/// Commits.
pub(super) struct Commit;

#[async_trait]
impl PhaseRun for Commit {
    async fn run(&self, cx: &mut Context<'_>) -> Result<Done, Failure> {
        let mut said = Vec::new();
        let mut not_pushed = Vec::new();
        for part in parts(cx) {
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
                Ok(()) => said.push(format!("{}: pushed", part.name)),
                Err(failure) if cx.world.cancel.is_cancelled() => return Err(failure),
                Err(failure) => {
                    cx.warn(format!("{}: {}", part.name, failure.error));
                    not_pushed.push(format!("git -C {} push", shown(repo.dir())));
                }
            }
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

fn parts(cx: &Context<'_>) -> Vec<Part> {
    let mut parts = Vec::new();
    let host = &cx.plan.host;
    let flake_dir = cx.options.flake_dir.as_deref();
    if let (Some(dir), false) = (secrets_dir(cx), cx.record.secrets_files.is_empty()) {
        let files = cx.record.secrets_files.iter().cloned().collect();
        let message = format!("{host}: recipient of its secrets");
        parts.push(Part { name: "secrets", dir, files, message });
    }
    if let Some(dir) = flake_dir {
        let files = cx.record.flake_files.iter().cloned().collect();
        let (dir, message) = (dir.to_owned(), format!("{host}: hardware configuration"));
        parts.push(Part { name: "nix-config", dir, files, message });
    }
    parts
}

fn secrets_dir(cx: &Context<'_>) -> Option<PathBuf> {
    let configured = cx.facts.bootstrap.secrets_repo.as_deref()?;
    if let Some(rest) = configured.strip_prefix("~/") {
        return Some(PathBuf::from(std::env::var_os("HOME")?).join(rest));
    }
    // An absolute path replaces the folder that it is joined to.
    Some(cx.options.flake_dir.as_deref().unwrap_or(Path::new(".")).join(configured))
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
