//! `secrets`: makes the host a recipient of its secrets. Everything happens on copies; the user's files
//! change only once each secret that the configuration names has been opened with the host's new key
//! alone. Carried out again, it changes what is missing, and else no byte.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;

use crate::files;
use crate::install::context::{Context, Done, Failure, PhaseRun};
use crate::install::git::Repo;
use crate::install::plan::PlannedSecrets;
use crate::install::preflight::private_error;
use crate::install::workshop::{self, Outdated, Workshop};
use crate::install::{flake_lock, secret_files, secrets_lock, user_key};
use crate::process::this_program;
use crate::secrets::age::{Identity, Recipient};
use crate::secrets::sops::Opened;
use crate::secrets::sops_file::SopsFile;
use crate::secrets::sops_yaml::{Edited, Kind, SopsYaml, Wish};

/// Edits `.sops.yaml`, rekeys, proves.
pub(super) struct Secrets;

#[async_trait]
impl PhaseRun for Secrets {
    async fn run(&self, cx: &mut Context<'_>) -> Result<Done, Failure> {
        let planned = cx.plan.secrets.clone();
        let planned = planned.ok_or_else(|| Failure::new("the host has no secrets"))?;
        let identity = identity(cx)?;
        workshop::check_sops(&*cx.world.runner, cx.world.limits.command).await?;
        let _lock = secrets_lock::wait(cx, Path::new(&planned.folder)).await?;
        look_at_repo(cx, &planned).await?;
        let mut job = Job::new(cx, planned)?;
        cx.step("make the host a recipient");
        job.add_host(cx, identity.recipient())?;
        job.add_user(cx).await?;
        let outdated = job.concerned(cx, identity.recipient()).await?;
        cx.step(format!("encrypt {} for it", counted(outdated.len())));
        job.workshop.update(&outdated).await?;
        cx.step("open its secrets with its key alone");
        job.prove(cx, &identity).await?;
        job.write(cx, &outdated).await
    }
}

fn counted(files: usize) -> String {
    if files == 1 { "1 file".to_owned() } else { format!("{files} files") }
}

/// The host's age identity, which is its ssh key in another form.
fn identity(cx: &Context<'_>) -> Result<Identity, Failure> {
    let key = cx.host_keys.get("ed25519").ok_or_else(|| {
        Failure::new("this run holds no ed25519 host key to encrypt for")
            .hint("the phase `hostkey` makes it: do not leave it out")
    })?;
    Identity::of_ssh(&key.private).map_err(|error| Failure::new(error.to_string()))
}

/// Says what about the repo may surprise its owner. Nothing of it forbids to go on: the changes stay in
/// the working tree until the phase `commit`.
async fn look_at_repo(cx: &Context<'_>, planned: &PlannedSecrets) -> Result<(), Failure> {
    let repo = Repo::new(Path::new(&planned.folder));
    if !repo.is_work_tree(cx).await? {
        cx.warn(format!("{} is no git repo: nothing there will be committed", planned.folder));
        return Ok(());
    }
    let changed = repo.changed(cx, &[".sops.yaml"]).await?;
    if !changed.is_empty() && cx.record.secrets_files.is_empty() {
        cx.warn(format!(
            "{}/.sops.yaml has changes that are not committed; they will be in the commit, too",
            planned.folder
        ));
    }
    if let Some(text) = flake_lock::other_branch(cx, planned.input.as_deref(), &repo).await? {
        cx.warn(text);
    }
    let behind = repo.command(&["rev-list", "--count", "HEAD..@{upstream}"]);
    let behind = cx.world.runner.run_within(&behind, cx.world.limits.command).await?;
    // Without an upstream there is nothing to be behind of.
    if behind.ok() && behind.text() != "0" {
        cx.warn(format!(
            "{} is {} commits behind its remote: pull before you push",
            planned.folder,
            behind.text()
        ));
    }
    Ok(())
}

/// The work on the copies.
struct Job {
    planned: PlannedSecrets,
    folder: PathBuf,
    /// As it was.
    before: SopsYaml,
    /// As it will be.
    edited: Edited,
    workshop: Workshop,
    users: Vec<Recipient>,
    /// A file that got a new user key.
    made_in: Option<String>,
}

impl Job {
    fn new(cx: &Context<'_>, planned: PlannedSecrets) -> Result<Self, Failure> {
        let folder = PathBuf::from(&planned.folder);
        let file = folder.join(".sops.yaml");
        let text = fs::read_to_string(&file)
            .map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
        let before = SopsYaml::parse(&text).map_err(|error| at(&folder, &error))?;
        let (runner, limit) = (Arc::clone(&cx.world.runner), cx.world.limits.long);
        let workshop = Workshop::new(runner, limit, cx.private, &folder, &text)?;
        let edited = Edited { text, said: Vec::new() };
        Ok(Self { planned, folder, before, edited, workshop, users: Vec::new(), made_in: None })
    }

    fn document(&self) -> Result<SopsYaml, Failure> {
        SopsYaml::parse(&self.edited.text).map_err(|error| at(&self.folder, &error))
    }

    fn add_host(&mut self, cx: &Context<'_>, recipient: &Recipient) -> Result<(), Failure> {
        let mut wish = wish(&self.planned.name, recipient, Kind::Host);
        for file in &self.planned.files {
            secret_files::choose(&mut wish, &self.before, &cx.plan.host, &file.path)
                .map_err(|error| at(&self.folder, &error))?;
        }
        self.apply(&wish)
    }

    async fn add_user(&mut self, cx: &Context<'_>) -> Result<(), Failure> {
        let Some(key) = self.planned.user_key.clone() else { return Ok(()) };
        cx.step(format!("look for the age key {}", key.name));
        let path: Vec<&str> = key.path.iter().map(String::as_str).collect();
        let known = self.before.recipient(&key.name);
        let found = user_key::ensure(&self.workshop, &key.file, &path, known.as_deref()).await?;
        if found.made {
            self.made_in = Some(key.file.clone());
        }
        let mut wish = wish(&key.name, &found.recipient, Kind::User);
        let document = self.document()?;
        let files = self.planned.files.iter().map(|file| &file.path).chain([&key.file]);
        for file in files {
            wish.rules.extend(document.covering(file).map_err(|error| at(&self.folder, &error))?);
        }
        self.users.push(found.recipient);
        self.apply(&wish)
    }

    fn apply(&mut self, wish: &Wish) -> Result<(), Failure> {
        let edited = self.document()?.set(wish).map_err(|error| at(&self.folder, &error))?;
        self.edited.text = edited.text;
        self.edited.said.extend(edited.said);
        self.workshop.set_rules(&self.edited.text)
    }

    /// The files that must change because of this host: they lack it, or its user, or still have the key
    /// that it had before.
    async fn concerned(
        &self,
        cx: &Context<'_>,
        host: &Recipient,
    ) -> Result<Vec<Outdated>, Failure> {
        let document = self.document()?;
        let limit = cx.world.limits.command;
        let names = workshop::files_below(&*cx.world.runner, limit, &self.folder).await?;
        let files = workshop::encrypted_files(&self.folder, &names, &document);
        let old = self.before.recipient(&self.planned.name).filter(|old| old != host.as_str());
        let mut outdated = workshop::outdated(&files, &document);
        outdated.retain(|file| {
            let has = files.iter().find(|(name, _)| *name == file.name);
            let has = has.map(|(_, parsed)| parsed.recipients()).unwrap_or_default();
            let wanted: BTreeSet<String> = match document.covering(&file.name) {
                Ok(Some(rule)) => document.recipients(rule).into_iter().collect(),
                _ => BTreeSet::new(),
            };
            let lacks =
                |one: &Recipient| wanted.contains(one.as_str()) && !has.contains(one.as_str());
            lacks(host)
                || self.users.iter().any(lacks)
                || old.as_ref().is_some_and(|old| has.contains(old) && !wanted.contains(old))
        });
        if let Some(name) = self.made_in.clone()
            && !outdated.iter().any(|file| file.name == name)
        {
            outdated.push(Outdated { name, loses: false });
        }
        Ok(outdated)
    }

    /// Every file opens with the host's key alone, and every secret is in its file.
    async fn prove(&self, cx: &Context<'_>, identity: &Identity) -> Result<(), Failure> {
        let key = cx.private.replace("age-identity", identity.secret().expose());
        let key = key.map_err(|error| private_error(cx.private, &error))?;
        let mut wrong = Vec::new();
        for file in &self.planned.files {
            match self.workshop.open_alone(&file.path, &key).await? {
                Opened::Readable => {}
                Opened::NotARecipient => wrong.push(format!("{}: not a recipient", file.path)),
                Opened::Missing => wrong.push(format!("{}: missing", file.path)),
                Opened::Malformed(reason) => wrong.push(format!("{}: {reason}", file.path)),
            }
            let Ok(content) = self.workshop.read(&file.path) else { continue };
            let Ok(parsed) = SopsFile::parse(&file.path, &content) else { continue };
            let missing = file.keys.iter().filter(|key| !parsed.has(key));
            wrong.extend(missing.map(|key| format!("{}: it has no {key}", file.path)));
        }
        fs::remove_file(&key).map_err(|error| private_error(cx.private, &error))?;
        if wrong.is_empty() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "{} could not read its secrets, so nothing was changed:\n{}",
            cx.plan.host,
            wrong.join("\n")
        ))
        .hint(format!("`sops FILE` in {} edits and makes secrets files", self.planned.folder)))
    }

    /// Everything has been proved: the copies take their places.
    async fn write(&self, cx: &mut Context<'_>, outdated: &[Outdated]) -> Result<Done, Failure> {
        let mut changed = Vec::new();
        let names: Vec<String> = outdated.iter().map(|file| file.name.clone()).collect();
        self.workshop.check_untouched(&names)?;
        if self.edited.text != self.before.text() {
            let file = self.folder.join(".sops.yaml");
            files::replace(&file, self.before.text().as_bytes(), self.edited.text.as_bytes())
                .map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
            changed.push(".sops.yaml".to_owned());
            // Should a file below fail, the report still says how to take the keys out again.
            secret_files::note(cx, &self.folder, &changed);
            let old = self.before.recipient(&self.planned.name);
            let new = self.document()?.recipient(&self.planned.name);
            if cx.record.former_recipient.is_none() {
                cx.record.former_recipient = old.filter(|old| Some(old) != new.as_ref());
            }
        }
        changed.extend(self.workshop.put_back(&names)?);
        secret_files::note_changed(cx, &self.folder, &changed);
        let repo = Repo::new(&self.folder);
        if repo.is_work_tree(cx).await? {
            let written = self.written_before(cx, &repo).await?;
            secret_files::note(cx, &self.folder, &written);
            for name in changed.iter().chain(&written) {
                repo.make_known(cx, name).await?;
            }
        }
        let readable = counted(self.planned.files.len());
        if changed.is_empty() {
            return Ok(Done::new(format!("{readable} can be read already; nothing changed")));
        }
        Ok(Done::new(format!("{readable} can be read; changed: {}", changed.join(", "))))
    }

    /// Files that name the host's keys, or its user's, while the last commit lacks them. A run that was killed
    /// between two writes, or could not finish them, has told nobody of those that it had written.
    async fn written_before(&self, cx: &Context<'_>, repo: &Repo) -> Result<Vec<String>, Failure> {
        let host = self.document()?.recipient(&self.planned.name);
        let users = self.users.iter().map(Recipient::to_string);
        let keys: Vec<String> = host.into_iter().chain(users).collect();
        let names = |content: &[u8], key: &str| {
            content.windows(key.len()).any(|part| part == key.as_bytes())
        };
        let mut files: BTreeSet<String> =
            self.planned.files.iter().map(|file| file.path.clone()).collect();
        files.extend(self.planned.user_key.iter().map(|key| key.file.clone()));
        files.insert(".sops.yaml".to_owned());
        let mut found = Vec::new();
        for file in files {
            let now = fs::read(self.folder.join(&file)).unwrap_or_default();
            let before = repo.committed(cx, &file).await?.unwrap_or_default();
            if keys.iter().any(|key| names(&now, key) && !names(&before, key)) {
                found.push(file);
            }
        }
        Ok(found)
    }
}

fn wish(name: &str, recipient: &Recipient, kind: Kind) -> Wish {
    let (name, recipient) = (name.to_owned(), recipient.clone());
    Wish { name, recipient, kind, rules: Vec::new(), own: Vec::new() }
}

fn at(folder: &Path, error: &impl std::fmt::Display) -> Failure {
    Failure::new(format!("{}: {error}", folder.join(".sops.yaml").display())).hint(format!(
        "`{}` looks the whole file over",
        this_program().args(["secrets", "sops-yaml", "check"])
    ))
}
