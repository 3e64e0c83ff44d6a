//! Recovery keys of encrypted containers: where they are kept, and how one is added. Which containers
//! there are is the layout's matter; the phase `recovery` carries this out.

use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use super::decide::{Inputs, runs};
use super::phase::Phase;
use super::plan::{Plan, PlannedRecovery, PlannedRecoveryKey, Refusal};
use super::refuse;
use super::surroundings::inside_flake;
use crate::remote::RemoteCommand;
use crate::secrets::Secret;
use crate::secrets::sops_yaml::SopsYaml;

/// Where such keys are kept in a secrets file: below it by host, then by container.
const PLACE: &str = "luks_recovery_keys";

/// The keys that are wanted, where there is a file for them.
pub(super) fn planned(inputs: &Inputs<'_>) -> Option<PlannedRecovery> {
    if !inputs.options.luks_recovery || inputs.installed.encryption.is_empty() {
        return None;
    }
    let (folder, _) = rules(inputs)?;
    let host = inputs.options.host.to_string();
    let key = |container: &str| PlannedRecoveryKey {
        container: container.to_owned(),
        path: vec![PLACE.to_owned(), host.clone(), container.to_owned()],
    };
    Some(PlannedRecovery {
        folder: folder.to_string_lossy().into_owned(),
        file: file(inputs)?,
        keys: inputs.installed.encryption.iter().map(|one| key(&one.name)).collect(),
    })
}

/// The folder of `.sops.yaml`, and its text.
fn rules<'a>(inputs: &'a Inputs<'_>) -> Option<(&'a PathBuf, &'a String)> {
    let around = inputs.around;
    let of_host = around.secrets.as_ref().map(|found| (&found.folder, &found.sops_yaml));
    let repo = around.secrets_repo.as_ref();
    let of_repo = repo.and_then(|repo| Some((&repo.path, repo.sops_yaml.as_ref()?)));
    let of_flake = || around.flake_dir.as_ref().zip(around.sops_yaml.as_ref());
    of_host.or(of_repo).or_else(of_flake)
}

/// The configured file for keys that are made here, else the first that the host takes secrets from.
fn file(inputs: &Inputs<'_>) -> Option<String> {
    let configured = inputs.facts.bootstrap.secrets_file.as_deref().map(inside_flake);
    let mut of_host = inputs.around.secrets.iter().flat_map(|found| &found.files);
    configured.or_else(|| of_host.find_map(|file| file.relative.clone()))
}

/// Why the keys can't be kept.
pub(super) fn refusal(inputs: &Inputs<'_>, plan: &Plan) -> Option<Refusal> {
    let options = inputs.options;
    let wanted = options.luks_recovery && options.phases.wants(Phase::Recovery);
    if !wanted || plan.encryption.is_empty() {
        return None;
    }
    let (Some(planned), Some((_, text))) = (&plan.recovery, rules(inputs)) else {
        return Some(refuse::refusal(
            "no-recovery-file",
            "--luks-recovery: there is no secrets file to keep the keys in",
            "set bootstrap.secrets.file to one that a .sops.yaml covers, in the secrets repo \
             beside the flake or in the flake itself",
        ));
    };
    if !runs(plan, Phase::Recovery) {
        return None;
    }
    let rules = Path::new(&planned.folder).join(".sops.yaml");
    let reason = match SopsYaml::parse(text).map(|document| document.covering(&planned.file)) {
        Ok(Ok(Some(_))) => return None,
        Ok(Ok(None)) => format!("no rule of {} covers {}", rules.display(), planned.file),
        Ok(Err(error)) | Err(error) => format!("{}: {error}", rules.display()),
    };
    let hint = "write a rule that says who may read it, or leave --luks-recovery out";
    Some(refuse::refusal("no-sops-rule", reason, hint))
}

/// The status with which [`ADD`] says that it needs the passphrase.
pub(super) const NEEDS_PASSPHRASE: i32 = 3;
/// The status with which it says that the passphrase is another one.
pub(super) const WRONG_PASSPHRASE: i32 = 4;

/// Adds a key to the open container `$1`, unless it has it. The passphrase and the key come on standard
/// input, `$2` and `$3` bytes long; cryptsetup gets them as files in memory, which go away however this
/// ends. `dd` reads byte by byte, since anything else may read more than it was asked for from a pipe. A key
/// of 128 random bits needs no slow derivation, which only makes up for weak passphrases.
const ADD: &str = r#"
device=$(cryptsetup status "$1" | sed -n 's/^ *device: *//p')
[ -n "$device" ] || { echo "the container $1 is not open on the host" >&2; exit 1; }
for base in /run /dev/shm; do
  [ "$(stat -f -c %T "$base")" != tmpfs ] || break
  base=
done
[ -n "$base" ] || { echo "the host has no folder in memory to keep a key in" >&2; exit 1; }
umask 077
dir=$(mktemp -d "$base/nixos-bootstrap.XXXXXX")
trap 'rm -rf -- "$dir"' EXIT
trap 'exit 129' HUP INT TERM
dd bs=1 count="$2" of="$dir/passphrase" 2>/dev/null
dd bs=1 count="$3" of="$dir/key" 2>/dev/null
opens() { cryptsetup open --test-passphrase --key-file "$dir/key" "$device" 2>/dev/null; }
! opens || exit 0
[ -s "$dir/passphrase" ] || exit 3
cryptsetup --batch-mode luksAddKey --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
  --key-file "$dir/passphrase" "$device" "$dir/key" || { [ "$?" -ne 2 ] || exit 4; exit 1; }
opens
"#;

/// The command that adds `key` to a container that `passphrase` opens.
pub(super) fn add(container: &str, passphrase: Option<&Secret>, key: &Secret) -> RemoteCommand {
    let passphrase = passphrase.map(Secret::expose).unwrap_or_default();
    let input = Zeroizing::new([passphrase, key.expose()].concat());
    RemoteCommand::script(ADD)
        .arg(container)
        .args([passphrase.len().to_string(), key.expose().len().to_string()])
        .stdin_bytes(input.as_slice())
        .as_root()
        // Three derivations of the passphrase's kind, each meant to take two seconds.
        .limit(Duration::from_secs(300))
}

#[cfg(test)]
mod tests;
