//! What a run has learned and must not forget: the non-secret outputs of its phases. It goes into
//! the journal after each phase, so that an interrupted run can be continued.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::validated::StorePath;

/// The outputs of finished phases. Every field has a default, so that a journal of an older
/// version can still be read. Nothing secret may ever be put here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Record {
    /// The installer's host keys that the user has accepted, as public key lines.
    pub installer_keys: Vec<String>,
    /// The installed host's own keys, as public key lines: made by `hostkey`, pinned afterwards.
    pub host_keys: Vec<String>,
    /// The installer's boot id, set by preflight: what is mounted and opened there is so only as
    /// long as this id stays the same.
    pub installer_boot_id: Option<String>,
    /// What `hardware` wrote.
    pub hardware: Option<HardwareRecord>,
    /// What this very run has built for `install`; not kept, since a resumed run must build what
    /// the configuration says then.
    #[serde(skip)]
    pub built: Option<StorePath>,
    /// The system that `install` has made bootable.
    pub installed: Option<StorePath>,
    /// The system that the host ends up with, set by `rebuild`.
    pub full: Option<StorePath>,
    /// The installed host's boot id, set by `verify`.
    pub installed_boot_id: Option<String>,
    /// The repos that `sync` has brought to the host, as folders there.
    pub synced: Vec<String>,
    /// Files of the flake's repo that this run has made or changed, relative to the flake's
    /// folder; `commit` commits exactly these.
    pub flake_files: BTreeSet<String>,
    /// The same for the secrets repo.
    pub secrets_files: BTreeSet<String>,
    /// The age recipient that the host had before `secrets` gave it another one.
    pub former_recipient: Option<String>,
    /// The flake's input with the secrets, and the reference that stands in for it in this run's builds.
    pub secrets_input: Option<(String, String)>,
}

/// The hardware file as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HardwareRecord {
    /// The file, relative to the flake's folder.
    pub file: String,
    /// SHA-256 (hex) of its content.
    pub sha256: String,
}
