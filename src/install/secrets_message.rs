//! What a commit of secrets holds, in words: found by comparing the files with the last commit, so that it is true
//! whoever has changed them, and after whichever interruption. Nothing is decrypted for it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::context::{Context, Failure};
use super::git::Repo;
use super::plan::Plan;
use crate::secrets::sops_file::SopsFile;
use crate::secrets::sops_yaml::SopsYaml;

/// What the commit holds.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// For the subject.
    pub(super) words: Vec<String>,
    /// For the body.
    pub(super) lines: Vec<String>,
}

/// The file with the rules.
const RULES: &str = ".sops.yaml";

/// Looks at `files` of the folder of secrets, which are going to be committed.
pub(super) async fn contents(
    cx: &Context<'_>,
    folder: &Path,
    files: &[String],
) -> Result<Contents, Failure> {
    let repo = Repo::new(folder);
    let mut found = Contents::default();
    let now = rules(fs::read(folder.join(RULES)).ok());
    if files.iter().any(|file| file == RULES) {
        let before = rules(repo.committed(cx, RULES).await?);
        found.rules(cx.plan, before.as_ref(), now.as_ref());
    }
    for file in files.iter().filter(|file| *file != RULES) {
        let before = repo.committed(cx, file).await?.and_then(|old| parsed(file, &old));
        let Some(after) = fs::read(folder.join(file)).ok().and_then(|new| parsed(file, &new))
        else {
            continue;
        };
        found.keys(cx.plan, file, before.as_ref(), &after);
        found.recipients(now.as_ref(), file, before.as_ref(), &after);
    }
    if found.words.is_empty() {
        found.words.push("secrets encrypted for it".to_owned());
    }
    Ok(found)
}

fn rules(text: Option<Vec<u8>>) -> Option<SopsYaml> {
    SopsYaml::parse(std::str::from_utf8(&text?).ok()?).ok()
}

fn parsed(name: &str, content: &[u8]) -> Option<SopsFile> {
    SopsFile::parse(name, content).ok()
}

impl Contents {
    fn word(&mut self, word: String) {
        if !self.words.contains(&word) {
            self.words.push(word);
        }
    }

    /// Keys that the rules name otherwise than before.
    fn rules(&mut self, plan: &Plan, before: Option<&SopsYaml>, now: Option<&SopsYaml>) {
        let Some(now) = now else { return };
        let old = |name: &str| before.and_then(|before| before.recipient(name));
        let is_host = |name: &String| plan.secrets.iter().any(|secrets| secrets.name == *name);
        let (host, others): (Vec<_>, Vec<_>) = now.names().into_iter().partition(is_host);
        for name in host.into_iter().chain(others) {
            let Some(recipient) = now.recipient(&name) else { continue };
            let line = match old(&name) {
                Some(old) if old == recipient => continue,
                Some(old) => format!("{RULES}: {name} is {recipient}, and no longer {old}"),
                None => format!("{RULES}: {name} is {recipient}"),
            };
            self.lines.push(line);
            self.word(word_of(plan, &name));
        }
        for name in before.iter().flat_map(|before| before.names()) {
            if now.recipient(&name).is_none() {
                self.lines.push(format!("{RULES}: {name} is no key any more"));
            }
        }
    }

    /// Keys that were put into a file.
    fn keys(&mut self, plan: &Plan, file: &str, before: Option<&SopsFile>, after: &SopsFile) {
        let mut added = |path: &[String]| {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let new = after.has_path(&path) && !before.is_some_and(|before| before.has_path(&path));
            if new {
                self.lines.push(format!("{file}: {} is new", path.join("/")));
            }
            new
        };
        let user = plan.secrets.iter().filter_map(|secrets| secrets.user_key.as_ref());
        let users: Vec<_> = user.filter(|key| key.file == file && added(&key.path)).collect();
        let recovery = plan.recovery.iter().filter(|recovery| recovery.file == file);
        let recovery = recovery.flat_map(|recovery| &recovery.keys);
        let containers: Vec<_> = recovery.filter(|key| added(&key.path)).collect();
        for key in users {
            self.word(word_of(plan, &key.name));
        }
        for key in containers {
            self.word(format!("recovery key of {}", key.container));
        }
    }

    /// Who can open a file now, and who can't any more.
    fn recipients(
        &mut self,
        rules: Option<&SopsYaml>,
        file: &str,
        before: Option<&SopsFile>,
        after: &SopsFile,
    ) {
        let old = before.map(SopsFile::recipients).unwrap_or_default();
        let new = after.recipients();
        let called = |some: BTreeSet<&String>| -> Vec<String> {
            some.into_iter().map(|recipient| name_of(rules, recipient)).collect()
        };
        let (came, went) =
            (called(new.difference(&old).collect()), called(old.difference(&new).collect()));
        if before.is_none() {
            self.lines.push(format!("{file}: new, for {}", came.join(", ")));
        } else if !came.is_empty() {
            self.lines.push(format!("{file}: for {}, too", came.join(", ")));
        }
        if !went.is_empty() {
            self.lines.push(format!("{file}: no longer for {}", went.join(", ")));
        }
    }
}

/// What a key is called in the subject.
fn word_of(plan: &Plan, name: &str) -> String {
    let secrets = plan.secrets.as_ref();
    if secrets.is_some_and(|secrets| secrets.name == name) {
        return "host key".to_owned();
    }
    let user = secrets.and_then(|secrets| secrets.user_key.as_ref());
    if user.is_some_and(|key| key.name == name) {
        return format!("age key of {}", plan.target.primary_user);
    }
    format!("key {name}")
}

/// The name of a recipient, where the rules have one.
fn name_of(rules: Option<&SopsYaml>, recipient: &str) -> String {
    let is_its = |rules: &SopsYaml, name: &str| rules.recipient(name).as_deref() == Some(recipient);
    let found = rules.and_then(|rules| rules.names().into_iter().find(|name| is_its(rules, name)));
    found.unwrap_or_else(|| recipient.to_owned())
}
