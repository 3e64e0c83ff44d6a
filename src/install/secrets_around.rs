//! What the plan must know of a host's secrets on this machine: which folder has their `.sops.yaml`,
//! which of the files are there, which input of the flake they come by. Only looks.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::decide::{Inputs, runs};
use super::flake_lock;
use super::phase::Phase;
use super::plan::{HostKeySource, Plan, Refusal};
use super::refuse::refusal;
use super::secret_files::{SecretFile, is_of_host, locate, referenced};
use super::surroundings::{Surroundings, inside_flake};
use crate::facts::HostFacts;
use crate::facts::flake_ref::unescaped;
use crate::secrets::sops_yaml::SopsYaml;

/// The host's secrets as they are on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundSecrets {
    /// The folder of `.sops.yaml`, absolute.
    pub folder: PathBuf,
    /// The text of `.sops.yaml`.
    pub sops_yaml: String,
    /// The files that the configuration references, with where they are below the folder.
    pub files: Vec<FoundFile>,
    /// The flake's input by which the configuration gets them, where it is one.
    pub input: Option<String>,
}

/// A secrets file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// As the configuration has it.
    pub wanted: SecretFile,
    /// Below the folder; `None` where it is elsewhere.
    pub relative: Option<String>,
    /// Is it there?
    pub there: bool,
}

/// Looks for them: in the secrets repo, else in the flake itself.
pub(super) fn find(around: &Surroundings, facts: &HostFacts) -> Option<FoundSecrets> {
    let wanted = referenced(facts);
    if wanted.is_empty() {
        return None;
    }
    let repo = around.secrets_repo.as_ref();
    let candidates = [
        repo.and_then(|repo| Some((&repo.path, repo.sops_yaml.as_ref()?))),
        around.flake_dir.as_ref().zip(around.sops_yaml.as_ref()),
    ];
    let mut found = candidates.into_iter().flatten().map(|(folder, text)| FoundSecrets {
        folder: folder.clone(),
        sops_yaml: text.clone(),
        files: wanted.iter().map(|wanted| file(wanted, folder)).collect(),
        input: around.flake_dir.as_deref().and_then(|flake| input(flake, folder)),
    });
    let first = found.next()?;
    if first.files.iter().any(|file| file.there) {
        return Some(first);
    }
    let other = found.find(|other| other.files.iter().any(|file| file.there));
    Some(other.unwrap_or(first))
}

/// Why the secrets can't be encrypted for the host.
pub(super) fn refusals(inputs: &Inputs<'_>) -> Vec<Refusal> {
    let Some(found) = &inputs.around.secrets else { return Vec::new() };
    let file = found.folder.join(".sops.yaml");
    let document = match SopsYaml::parse(&found.sops_yaml) {
        Ok(document) => document,
        Err(error) => {
            let reason = format!("{}: {error}", file.display());
            return vec![refusal(
                "sops-yaml",
                reason,
                "mend it, or leave its phases out: --skip secrets,lock",
            )];
        }
    };
    let mut refusals = Vec::new();
    for found_file in &found.files {
        let Some(relative) = &found_file.relative else { continue };
        let shown = found.folder.join(relative);
        if !found_file.there {
            let reason = format!(
                "the configuration takes secrets from {}, which is not there",
                shown.display()
            );
            let hint = format!("make it: sops {relative} in {}", found.folder.display());
            refusals.push(refusal("no-secrets-file", reason, hint));
        }
        if matches!(document.covering(relative), Ok(None))
            && !is_of_host(relative, &inputs.options.host)
        {
            let reason = format!("no rule of {} covers {relative}", file.display());
            refusals.push(refusal(
                "no-sops-rule",
                reason,
                "write a rule that says who may read it",
            ));
        }
    }
    refusals
}

/// Does the configuration reference secrets whose `.sops.yaml` is not here?
pub(super) fn out_of_reach(inputs: &Inputs<'_>) -> bool {
    let around = inputs.around;
    let repo = around.secrets_repo.as_ref();
    let rules = around.sops_yaml.is_some() || repo.is_some_and(|repo| repo.sops_yaml.is_some());
    around.secrets.is_none() && !rules && !referenced(inputs.facts).is_empty()
}

/// Secrets that the new host could not read: they are encrypted for the key that it had.
pub(super) fn warnings(inputs: &Inputs<'_>, plan: &Plan) -> Vec<String> {
    let mut found = Vec::new();
    let made = runs(plan, Phase::Hostkey) && plan.host_key_source == HostKeySource::New;
    if !made || !runs(plan, Phase::Install) {
        return found;
    }
    // Of a repo without one there is a warning already.
    let no_repo = inputs.around.secrets_repo.is_none();
    if no_repo && out_of_reach(inputs) && inputs.options.phases.wants(Phase::Secrets) {
        let files: Vec<String> =
            referenced(inputs.facts).iter().map(|file| inside_flake(&file.configured)).collect();
        found.push(format!(
            "{} has a new key and can't read its secrets at its first boot: no .sops.yaml is on this machine \
             for {}. Set bootstrap.secrets.repo, put the repo beside the flake as nix-secrets, or keep the \
             old key (--reuse-host-key)",
            plan.host,
            files.join(", ")
        ));
    }
    found.extend(agenix(inputs, plan));
    found
}

/// agenix encrypts for the keys in `secrets.nix`, which its own program rewrites.
fn agenix(inputs: &Inputs<'_>, plan: &Plan) -> Option<String> {
    let agenix = inputs.facts.agenix.as_ref()?;
    let placed = |path: &String| {
        plan.host_keys.iter().flat_map(|key| &key.paths).any(|placed| placed.as_str() == path)
    };
    if !agenix.identity_paths.iter().any(placed) {
        return None;
    }
    Some(format!(
        "{} has a new key and can't read its secrets at its first boot: agenix has encrypted {} (age.secrets) for \
         another one. Keep that (--reuse-host-key), or give the new host's key to secrets.nix \
         (`agenix --rekey`) and rebuild",
        plan.host,
        agenix.secrets.join(", ")
    ))
}

fn file(wanted: &SecretFile, folder: &Path) -> FoundFile {
    let relative = locate(&wanted.configured, folder);
    let there = relative.as_ref().is_some_and(|relative| folder.join(relative).is_file());
    FoundFile { wanted: wanted.clone(), relative, there }
}

/// The input of the flake that is this folder: by its path, or by the last word of its URL.
fn input(flake: &Path, folder: &Path) -> Option<String> {
    if flake == folder {
        return None;
    }
    let name = folder.file_name()?.to_str()?;
    let is_folder = |node: &Value| {
        ["original", "locked"].into_iter().filter_map(|kind| node.get(kind)).any(|reference| {
            let word = |key: &str| reference.get(key).and_then(Value::as_str);
            let last = |path: &str| {
                let path = path.trim_end_matches('/').trim_end_matches(".git");
                path.rsplit(['/', ':']).next() == Some(name)
            };
            let path_of = |url: &str| unescaped(url.split('?').next().unwrap_or(url));
            word("repo") == Some(name)
                || word("url").is_some_and(|url| last(&path_of(url)))
                || word("path").is_some_and(last)
        })
    };
    let inputs = flake_lock::inputs(flake).into_iter();
    inputs.filter(|(_, node)| is_folder(node)).map(|(input, _)| input).next()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_input_is_known_by_the_repo_s_name() {
        let dir = tempfile::tempdir().unwrap();
        let lock_of = |folder: &str, reference: &str| {
            let text = format!(
                r#"{{"nodes":{{"root":{{"inputs":{{"mysecrets":"s","nixpkgs":"n"}}}},
                "s":{{"original":{reference}}},"n":{{"original":{{"repo":"nixpkgs"}}}}}},"root":"root","version":7}}"#
            );
            fs::write(dir.path().join("flake.lock"), text).unwrap();
            input(dir.path(), &Path::new("/home/ta/src").join(folder))
        };
        let lock = |reference: &str| lock_of("nix-secrets", reference);
        for reference in [
            r#"{"type":"git","url":"ssh://git@gitlab.com/ta/nix-secrets.git?ref=main&shallow=1"}"#,
            r#"{"type":"path","path":"../nix-secrets"}"#,
            r#"{"type":"github","owner":"ta","repo":"nix-secrets"}"#,
        ] {
            assert_eq!(lock(reference).as_deref(), Some("mysecrets"), "{reference}");
        }
        assert_eq!(lock(r#"{"type":"git","url":"ssh://x/other-nix-secrets-x"}"#), None);
        assert_eq!(input(dir.path(), dir.path()), None);
        for reference in [
            r#"{"type":"git","url":"file:///home/ta/src/se%20c%3Fr%25%C3%A9?ref=main"}"#,
            r#"{"type":"path","path":"../se c?r%é"}"#,
        ] {
            assert_eq!(lock_of("se c?r%é", reference).as_deref(), Some("mysecrets"), "{reference}");
        }
    }
}
