//! `commit`: record in the repos the files that this run has made. The secrets first; once they are where the
//! flake's input is fetched from, its lock follows, and is committed with the hardware file. Whatever else is
//! changed or staged in the repos stays as it is. Pushes only when asked to.

use std::path::{Path, PathBuf};

use async_trait::async_trait;

use crate::install::context::{Context, Done, Failure, PhaseRun};
use crate::install::git::Repo;
use crate::install::{flake_lock, secrets_lock, secrets_message};

/// Commits.
pub(super) struct Commit;

#[async_trait]
impl PhaseRun for Commit {
    async fn run(&self, cx: &mut Context<'_>) -> Result<Done, Failure> {
        let mut told = Told::default();
        if let Some(part) = Part::of_secrets(cx).await? {
            let _lock = secrets_lock::wait(cx, &part.dir).await?;
            let there = carry_out(cx, &part, &mut told).await?;
            lock(cx, &part, there, &mut told).await?;
        }
        if let Some(part) = Part::of_flake(cx).await? {
            carry_out(cx, &part, &mut told).await?;
        }
        told.end()
    }
}

/// What was done, and what is left to do.
#[derive(Default)]
struct Told {
    done: Vec<String>,
    /// Why something is not done, with the command that does it.
    left: Vec<(String, String)>,
}

impl Told {
    fn end(self) -> Result<Done, Failure> {
        let done = self.done.join("; ");
        if self.left.is_empty() {
            return Ok(Done::new(done));
        }
        let reasons: Vec<&str> = self.left.iter().map(|(reason, _)| reason.as_str()).collect();
        let failure = Failure::new(format!("not finished ({done}): {}", reasons.join("; ")));
        Err(self.left.iter().fold(failure, |failure, (_, command)| failure.hint(command)))
    }
}

/// What is to be committed in one repo.
struct Part {
    name: &'static str,
    dir: PathBuf,
    files: Vec<String>,
    subject: String,
    body: Vec<String>,
}

impl Part {
    async fn of_secrets(cx: &Context<'_>) -> Result<Option<Self>, Failure> {
        let Some(dir) = secrets_folder(cx) else { return Ok(None) };
        if cx.record.secrets_files.is_empty() {
            return Ok(None);
        }
        let files: Vec<String> = cx.record.secrets_files.iter().cloned().collect();
        let contents = secrets_message::contents(cx, &dir, &files).await?;
        let subject = format!("{}: {}", cx.plan.host, contents.words.join(", "));
        Ok(Some(Self { name: "secrets", dir, files, subject, body: contents.lines }))
    }

    async fn of_flake(cx: &Context<'_>) -> Result<Option<Self>, Failure> {
        let Some(dir) = cx.options.flake_dir.clone() else { return Ok(None) };
        let files: Vec<String> = cx.record.flake_files.iter().cloned().collect();
        let hardware = cx.record.hardware.as_ref().map(|hardware| hardware.file.as_str());
        let (mut words, mut secrets): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        let mut word = |text: &str| {
            if !words.iter().any(|word| word == text) {
                words.push(text.to_owned());
            }
        };
        let inside = secrets_folder(cx).and_then(|folder| {
            let flake = dir.canonicalize().ok()?;
            folder.strip_prefix(flake).ok().map(Path::to_owned)
        });
        for file in &files {
            let below =
                inside.as_ref().and_then(|inside| Path::new(file).strip_prefix(inside).ok());
            match (file.as_str(), below) {
                (flake_lock::FILE, _) => word("lock of the secrets"),
                (name, Some(below)) if Some(name) != hardware => {
                    secrets.push(below.to_string_lossy().into_owned());
                }
                _ => word("hardware configuration"),
            }
        }
        let mut body = Vec::new();
        if let (Some(folder), false) = (secrets_folder(cx), secrets.is_empty()) {
            let contents = secrets_message::contents(cx, &folder, &secrets).await?;
            words.extend(contents.words);
            body = contents.lines;
        }
        let subject = format!("{}: {}", cx.plan.host, words.join(", "));
        Ok(Some(Self { name: "nix-config", dir, files, subject, body }))
    }
}

/// Where the host's secrets are, or its recovery keys.
fn secrets_folder(cx: &Context<'_>) -> Option<PathBuf> {
    let secrets = cx.plan.secrets.as_ref().map(|secrets| &secrets.folder);
    let recovery = cx.plan.recovery.as_ref().map(|recovery| &recovery.folder);
    secrets.or(recovery).map(PathBuf::from)
}

/// Where the commit is now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// In the repo here.
    Here,
    /// At the remote, too.
    Remote,
    /// Nowhere: the folder is no repo.
    NoRepo,
}

/// Commits a part, and pushes it unless something that belongs to it could not be.
async fn carry_out(cx: &mut Context<'_>, part: &Part, told: &mut Told) -> Result<Reach, Failure> {
    let repo = Repo::new(&part.dir);
    if !repo.is_work_tree(cx).await? {
        told.done.push(format!("{}: no git repo, so nothing to commit", part.name));
        return Ok(Reach::NoRepo);
    }
    let files: Vec<&str> = part.files.iter().map(String::as_str).collect();
    let changed = repo.changed(cx, &files).await?;
    if changed.is_empty() {
        told.done.push(format!("{}: nothing to commit", part.name));
    } else {
        told.done.push(format!("{}: {}", part.name, commit(cx, &repo, part, &changed).await?));
    }
    // The two repos belong together: without the secrets the flake stays here as well.
    if !cx.options.push || !told.left.is_empty() {
        return Ok(Reach::Here);
    }
    match push(cx, &repo).await {
        Ok(()) => {
            told.done.push(format!("{}: pushed", part.name));
            Ok(Reach::Remote)
        }
        Err(failure) if cx.world.cancel.is_cancelled() => Err(failure),
        Err(failure) => {
            let command =
                format!("bring the repos together, then: git -C {} push", shown(repo.dir()));
            told.left
                .push((format!("{} could not be pushed: {}", part.name, failure.error), command));
            Ok(Reach::Here)
        }
    }
}

/// The flake's lock follows, if the secrets are where it fetches them from.
async fn lock(
    cx: &mut Context<'_>,
    part: &Part,
    reach: Reach,
    told: &mut Told,
) -> Result<(), Failure> {
    let (Some((input, _)), Some(flake)) =
        (cx.record.secrets_input.clone(), cx.options.flake_dir.clone())
    else {
        return Ok(());
    };
    let local = flake_lock::is_folder(&flake, &input, &part.dir);
    if reach != Reach::Remote && !local {
        if told.left.is_empty() {
            let folder = shown(&part.dir);
            cx.next.push(format!("git -C {folder} push, then: nix flake update {input}"));
        }
        return Ok(());
    }
    match flake_lock::update(cx, &flake, &input, &Repo::new(&part.dir)).await {
        Ok(done) => told.done.push(done),
        Err(failure) if cx.world.cancel.is_cancelled() => return Err(failure),
        // The hardware file is committed all the same.
        Err(failure) => told.left.push((failure.error, failure.hints.join("; "))),
    }
    Ok(())
}

async fn commit(
    cx: &mut Context<'_>,
    repo: &Repo,
    part: &Part,
    files: &[String],
) -> Result<String, Failure> {
    cx.step(format!("commit in {}", part.name));
    for file in files {
        repo.make_known(cx, file).await?;
    }
    // `--only` takes these files as they are now and leaves the rest of the index alone.
    let body = part.body.join("\n");
    let mut words = vec!["commit", "--only", "--message", part.subject.as_str()];
    if !body.is_empty() {
        words.extend(["--message", body.as_str()]);
    }
    words.push("--");
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
