//! Which secrets files a host's configuration references, and where they are on this machine.

use std::path::Path;

use super::context::Context;
use crate::facts::HostFacts;
use crate::secrets::sops_yaml::{EditError, SopsYaml, Wish};
use crate::validated::HostName;

/// A file that the configuration references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFile {
    /// Its path as configured: mostly one below the store.
    pub configured: String,
    /// The names of the secrets in it, each with its key in the file.
    pub secrets: Vec<(String, String)>,
}

/// The files, in the order in which the configuration names them.
#[must_use]
pub fn referenced(facts: &HostFacts) -> Vec<SecretFile> {
    let mut files: Vec<SecretFile> = Vec::new();
    let Some(sops) = &facts.sops else { return files };
    for secret in &sops.secrets {
        let Some(file) = secret.file.as_ref().or(sops.default_file.as_ref()) else { continue };
        let entry = (secret.name.clone(), secret.key.clone());
        match files.iter_mut().find(|known| known.configured == *file) {
            Some(known) => known.secrets.push(entry),
            None => files.push(SecretFile { configured: file.clone(), secrets: vec![entry] }),
        }
    }
    files
}

/// The path of a configured file below `folder`, where it is there or would be: an evaluated path has
/// its repo's place in the store in front.
#[must_use]
pub fn locate(configured: &str, folder: &Path) -> Option<String> {
    if let Ok(inside) = Path::new(configured).strip_prefix(folder) {
        return inside.to_str().map(str::to_owned);
    }
    let relative = match configured.strip_prefix("/nix/store/") {
        Some(rest) => match rest.split_once('/') {
            Some((_, relative)) => relative,
            // Copied into the store alone: HASH-NAME.
            None => rest.split_once('-').map(|(_, name)| name)?,
        },
        None if configured.starts_with('/') => return None,
        None => configured.strip_prefix("./").unwrap_or(configured),
    };
    // A flake in a subfolder has the whole repo in the store; the folder may be that of a part of it.
    let mut tail = relative;
    loop {
        if folder.join(tail).is_file() {
            return Some(tail.to_owned());
        }
        match tail.split_once('/') {
            Some((_, rest)) => tail = rest,
            None => break,
        }
    }
    (!relative.split('/').any(|part| part == "..")).then(|| relative.to_owned())
}

/// Notes files of the secrets' folder that this run has changed, for the phase `commit` and the report.
pub(super) fn note_changed(cx: &mut Context<'_>, folder: &Path, changed: &[String]) {
    note(cx, folder, changed);
    for name in changed {
        cx.changes.push(format!("this machine: {} changed", folder.join(name).display()));
    }
}

/// Notes files that belong into the commit of this run.
pub(super) fn note(cx: &mut Context<'_>, folder: &Path, files: &[String]) {
    let inside = cx.options.flake_dir.as_deref().and_then(|flake| {
        let flake = flake.canonicalize().ok()?;
        folder.strip_prefix(flake).ok().map(Path::to_owned)
    });
    for name in files {
        match inside.as_ref().map(|inside| inside.join(name)) {
            Some(name) => cx.record.flake_files.insert(name.to_string_lossy().into_owned()),
            None => cx.record.secrets_files.insert(name.clone()),
        };
    }
}

/// Is this file for that host alone, by a folder or a file that is called like it?
pub(super) fn is_of_host(relative: &str, host: &HostName) -> bool {
    let stem = |part: &str| part.split('.').next() == Some(host.as_str()) || part == host.as_str();
    relative.split('/').any(stem)
}

/// Adds to a wish the rule that covers a file; or, for a file of the host alone that is covered by a
/// rule for others' files, too, the wish for a rule of its own.
pub fn choose(
    wish: &mut Wish,
    document: &SopsYaml,
    host: &HostName,
    relative: &str,
) -> Result<(), EditError> {
    let covering = document.covering(relative)?;
    let own = is_of_host(relative, host);
    let names_host = |number: usize| {
        let regex = document.path_regex(number).unwrap_or_default();
        let part = |c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_');
        regex.split(part).any(|word| word == host.as_str())
    };
    match covering {
        Some(number) if !own || names_host(number) => {
            if !wish.rules.contains(&number) {
                wish.rules.push(number);
            }
        }
        _ if own => wish.own.push(relative.to_owned()),
        _ => return Err(EditError::Uncovered { path: relative.to_owned() }),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_again_on_this_machine() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("hosts")).unwrap();
        std::fs::write(dir.path().join("hosts/grief.yaml"), "").unwrap();
        std::fs::write(dir.path().join("secrets.yaml"), "").unwrap();
        let at = |configured: &str| locate(configured, dir.path());
        let store = "/nix/store/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
        assert_eq!(at(&format!("{store}-source/hosts/grief.yaml")).unwrap(), "hosts/grief.yaml");
        assert_eq!(at(&format!("{store}-source/sub/secrets.yaml")).unwrap(), "secrets.yaml");
        assert_eq!(at(&format!("{store}-secrets.yaml")).unwrap(), "secrets.yaml");
        assert_eq!(at(&format!("{store}-source/new.yaml")).unwrap(), "new.yaml");
        let inside = dir.path().join("secrets.yaml");
        assert_eq!(at(inside.to_str().unwrap()).unwrap(), "secrets.yaml");
        assert_eq!(at("/etc/secrets.yaml"), None);
        assert_eq!(at("../x.yaml"), None);
    }

    #[test]
    fn a_file_of_the_host_gets_a_rule_of_its_own_unless_one_names_the_host() {
        let text = "keys: [&a x]\ncreation_rules:\n- {path_regex: 'hosts/grief/.*', age: *a}\n- {path_regex: '\\.yaml$', age: *a}\n";
        let document = SopsYaml::parse(text).unwrap();
        let chosen = |host: &str, file: &str| {
            let recipient = "age17044m9wgakla6pzftf4srtl3h5mcsr85jysgt5fg23zpnta8sfdqhzn452";
            let mut wish = Wish {
                name: host.to_owned(),
                recipient: recipient.parse().unwrap(),
                kind: crate::secrets::sops_yaml::Kind::Host,
                rules: Vec::new(),
                own: Vec::new(),
            };
            choose(&mut wish, &document, &host.parse().unwrap(), file)?;
            Ok::<_, EditError>((wish.rules, wish.own))
        };
        let own = "hosts/guppy/s.yaml".to_owned();
        assert_eq!(chosen("grief", "hosts/grief/s.yaml"), Ok((vec![1], vec![])));
        assert_eq!(chosen("guppy", &own), Ok((vec![], vec![own.clone()])));
        assert_eq!(chosen("grief", "secrets.yaml"), Ok((vec![2], vec![])));
        assert!(chosen("grief", "x.env").is_err());
    }
}
