//! The flake's input with the secrets: what it follows, and its lock once the secrets are where it is fetched from.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::context::{Context, Failure};
use super::git::Repo;
use crate::facts::flake_ref::{escaped, unescaped};
use crate::files;
use crate::process::nix::Nix;

/// The file, relative to the flake.
pub(super) const FILE: &str = "flake.lock";

/// The names of the flake's inputs, each with its node in the lock file.
pub(super) fn inputs(flake: &Path) -> Vec<(String, Value)> {
    let lock = fs::read(flake.join(FILE)).ok();
    let lock: Option<Value> = lock.and_then(|text| serde_json::from_slice(&text).ok());
    let found = lock.as_ref().and_then(|lock| {
        let nodes = lock.get("nodes")?;
        let root = lock.get("root").and_then(Value::as_str).unwrap_or("root");
        let inputs = nodes.get(root)?.get("inputs")?.as_object()?;
        // An input that follows another's has a path in the place of a name.
        let node = |node: &Value| nodes.get(node.as_str()?).cloned();
        Some(inputs.iter().filter_map(|(name, key)| Some((name.clone(), node(key)?))).collect())
    });
    found.unwrap_or_default()
}

fn input(flake: &Path, name: &str) -> Option<Value> {
    inputs(flake).into_iter().find(|(input, _)| input == name).map(|(_, node)| node)
}

fn word<'a>(node: &'a Value, kind: &str, key: &str) -> Option<&'a str> {
    node.get(kind)?.get(key)?.as_str()
}

/// The reference of a folder that stands in for an input.
pub(super) fn reference(folder: &str, is_repo: bool) -> String {
    let kind = if is_repo { "git+file" } else { "path" };
    format!("{kind}://{}", escaped(folder))
}

/// Is the input this very folder, so that nothing has to be pushed for it to be fetched?
pub(super) fn is_folder(flake: &Path, name: &str, folder: &Path) -> bool {
    let Some(node) = input(flake, name) else { return false };
    let path = match word(&node, "original", "type") {
        Some("path") => word(&node, "original", "path").map(|path| flake.join(path)),
        Some("git") => word(&node, "original", "url")
            .and_then(|url| url.strip_prefix("file://"))
            .map(|path| PathBuf::from(unescaped(path))),
        _ => None,
    };
    let real = |path: &Path| path.canonicalize().ok();
    path.and_then(|path| real(&path)).is_some_and(|path| Some(path) == real(folder))
}

/// What is to be said where the repo is on another branch than the input follows.
pub(super) async fn other_branch(
    cx: &Context<'_>,
    name: Option<&str>,
    repo: &Repo,
) -> Result<Option<String>, Failure> {
    let (Some(name), Some(flake)) = (name, &cx.options.flake_dir) else { return Ok(None) };
    let Some(node) = input(flake, name) else { return Ok(None) };
    let branch = repo.branch(cx).await?;
    let followed = match word(&node, "original", "ref") {
        Some(reference) => reference.trim_start_matches("refs/heads/").to_owned(),
        // Without one it is the remote's main branch.
        None if is_folder(flake, name, repo.dir()) => return Ok(None),
        None => match repo.main_branch(cx).await? {
            Some(main) => main,
            None => return Ok(None),
        },
    };
    let dir = repo.dir().display();
    Ok(match branch {
        Some(branch) if branch == followed => None,
        Some(branch) => Some(format!(
            "{dir} is on the branch {branch}, but the flake's input {name} follows {followed}: \
             what is committed here has to get there before the lock can be updated"
        )),
        None => Some(format!(
            "{dir} is on no branch: what is committed there can't be pushed, and the flake's input \
             {name} follows {followed}"
        )),
    })
}

/// Updates the input in the lock file. Where it then lacks what was committed in `repo`, the lock file stays as it
/// was.
pub(super) async fn update(
    cx: &mut Context<'_>,
    flake: &Path,
    name: &str,
    repo: &Repo,
) -> Result<String, Failure> {
    cx.step(format!("update the input {name}"));
    let own = cx.record.flake_files.contains(FILE);
    let of_flake = Repo::new(flake);
    if !own && of_flake.is_work_tree(cx).await? && !of_flake.changed(cx, &[FILE]).await?.is_empty()
    {
        cx.warn(format!(
            "{} has changes that are not committed; they will be in the commit, too",
            flake.join(FILE).display()
        ));
    }
    let file = flake.join(FILE);
    let unreadable = |error| Failure::new(format!("{}: {error}", file.display()));
    let before = fs::read(&file).map_err(unreadable)?;
    let by_hand = format!("by hand: nix flake update {name}");
    let command = Nix::default().command(&["flake", "update", name, "--flake"]).arg(flake);
    let updated = cx.local(&command).await;
    updated.map_err(|failure| failure.hint(format!("the secrets are committed; {by_hand}")))?;
    let node = input(flake, name).unwrap_or_default();
    // A folder that is no repo is locked by its content alone.
    if let Some(revision) = word(&node, "locked", "rev") {
        let head = repo.head(cx).await?;
        if revision != head && !repo.head_is_in(cx, revision).await? {
            // Somebody may have pushed since.
            cx.local(&repo.command(&["fetch", "--quiet"])).await?;
        }
        if revision != head && !repo.head_is_in(cx, revision).await? {
            files::write(&file, &before).map_err(unreadable)?;
            let branch = repo.branch(cx).await?.unwrap_or_else(|| "no branch".to_owned());
            return Err(Failure::new(format!(
                "the flake's input {name} is at {} where it is fetched from, which lacks the \
                 commit {} of {} ({branch}); the lock file stays as it was",
                short(revision),
                short(&head),
                repo.dir().display(),
            ))
            .hint(format!(
                "bring the commit to the branch that the input follows, then {by_hand}"
            )));
        }
    }
    cx.record.flake_files.insert(FILE.to_owned());
    Ok(format!("nix-config: the input {name} updated"))
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_its_folder_whatever_that_is_called() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("s e#c?r%20é");
        fs::create_dir(&folder).unwrap();
        let url = reference(folder.to_str().unwrap(), true);
        let is_folder = |original: Value| {
            let lock = serde_json::json!({ "root": "root", "nodes": {
                "root": { "inputs": { "secrets": "s" } }, "s": { "original": original },
            } });
            fs::write(dir.path().join(FILE), lock.to_string()).unwrap();
            is_folder(dir.path(), "secrets", &folder)
        };
        let url = url.strip_prefix("git+").unwrap();
        assert!(is_folder(serde_json::json!({ "type": "git", "url": url })), "{url}");
        assert!(is_folder(serde_json::json!({ "type": "path", "path": "./s e#c?r%20é" })));
        assert!(!is_folder(serde_json::json!({ "type": "git", "url": "https://h/s" })));
    }
}
