//! The keys of encrypted disks in the plan: can disko be given every key that it will ask for? What it
//! lacks it would miss when the disks are erased already.

use super::decide::Inputs;
use super::plan::{PassphraseSource, Plan, Refusal};
use super::refuse::refusal;
use crate::facts::{Encryption, KeySource};
use crate::validated::AbsolutePath;

/// Why a key could not be given.
pub(super) fn refusals(inputs: &Inputs<'_>, plan: &Plan) -> Vec<Refusal> {
    let mut found = Vec::new();
    found.extend(terminal(inputs, plan));
    found.extend(key_devices(inputs));
    found.extend(key_files(inputs, plan));
    found.extend(zfs_keys(inputs));
    found
}

fn terminal(inputs: &Inputs<'_>, plan: &Plan) -> Option<Refusal> {
    let asked: Vec<&str> = plan
        .encryption
        .iter()
        .filter(|container| container.passphrase == PassphraseSource::Asked)
        .map(|container| container.name.as_str())
        .collect();
    if asked.is_empty() || inputs.around.terminal {
        return None;
    }
    let named = |container: &&Encryption| asked.contains(&container.name.as_str());
    let first = inputs.installed.encryption.iter().find(named)?;
    let why = match first.key {
        KeySource::Unset => "it has neither passwordFile nor keyFile",
        _ => "it has askPassword",
    };
    Some(refusal(
        "no-terminal",
        format!(
            "the passphrase of {} must be asked ({why}), but there is no terminal",
            asked.join(", ")
        ),
        format!("run this on a terminal, or set {}.passwordFile", first.option),
    ))
}

/// Further key files of containers: only the ones that hold a container's own key are put on the
/// installer.
fn key_files(inputs: &Inputs<'_>, plan: &Plan) -> Vec<Refusal> {
    let delivered: Vec<_> =
        plan.encryption.iter().filter_map(|one| one.key_file.as_ref()).collect();
    let found = inputs.installed.encryption.iter().filter_map(|container| {
        let files = container.additional_key_files.iter();
        let missing: Vec<_> =
            files.filter(|file| !delivered.contains(file)).map(AbsolutePath::as_str).collect();
        (!missing.is_empty()).then(|| {
            refusal(
                "no-key-file",
                format!(
                    "{} takes further keys from files that nothing puts on the installer: {}",
                    container.name,
                    missing.join(", ")
                ),
                format!(
                    "leave them out of {}.additionalKeyFiles, and add such a key on the new host \
                     with `cryptsetup luksAddKey`",
                    container.option
                ),
            )
        })
    });
    found.collect()
}

/// Keys that are (a part of) a device, such as a stick: a one-time key can't take its place.
fn key_devices(inputs: &Inputs<'_>) -> Vec<Refusal> {
    let found = inputs.installed.encryption.iter().filter_map(|container| {
        let (KeySource::KeyFile { path } | KeySource::PasswordFile { path }) = &container.key else {
            return None;
        };
        let below = |dir: &str| path.as_str().starts_with(dir);
        (below("/dev/") && !below("/dev/shm/")).then(|| {
            refusal(
                "key-device",
                format!(
                    "{} takes its key from the device {path}, in whose place this run can put none",
                    container.name
                ),
                format!(
                    "give {} a passwordFile in its place, and on the new host add the device's key with \
                     `cryptsetup luksAddKey` and name it in boot.initrd.luks.devices.{}.keyFile",
                    container.option, container.name
                ),
            )
        })
    });
    found.collect()
}

/// Keys of ZFS' own encryption.
fn zfs_keys(inputs: &Inputs<'_>) -> Vec<Refusal> {
    let mut found = Vec::new();
    for pool in &inputs.installed.disko.pools {
        let option = format!("disko.devices.zpool.{}", pool.name);
        let own = pool.key_location.as_ref();
        let own = own.map(|key| (pool.name.clone(), format!("{option}.rootFsOptions"), key));
        let datasets = pool.datasets.iter().filter_map(|dataset| {
            let name = format!("{}/{}", pool.name, dataset.name);
            let option = format!("{option}.datasets.{:?}.options", dataset.name);
            Some((name, option, dataset.key_location.as_ref()?))
        });
        found.extend(own.into_iter().chain(datasets).filter_map(|(name, option, key)| {
            let lacks = match key.strip_prefix("file://") {
                Some(file) => format!("is encrypted with a key from {file}, which nothing puts on the installer"),
                None if key == "prompt" => "asks for its key, which this run can't answer".to_owned(),
                None => return None,
            };
            Some(refusal(
                "zfs-key",
                format!("the ZFS dataset {name} {lacks} ({option}.keylocation)"),
                "encrypt with LUKS below the pool instead, or prepare the disks by hand below /mnt and give \
                 --skip disko",
            ))
        }));
    }
    found
}

#[cfg(test)]
mod tests;
