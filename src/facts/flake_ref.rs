//! Flake references as text: where the installer's small flake would be. Nothing here looks at
//! the disk.

use std::path::PathBuf;

/// Name of the folder that holds the minimal configurations.
const FOLDER: &str = "nixos-installer";

/// The small flake with the minimal configurations that belongs to another flake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallerFlake {
    /// Its folder, where the flake is a local one, for a look whether `flake.nix` is there.
    pub folder: Option<PathBuf>,
    reference: String,
    /// The reference that takes the whole outer folder along.
    whole: Option<String>,
}

impl InstallerFlake {
    /// The flake reference. A local folder that is not `in_git` is taken as a whole, since `nix`
    /// would else cut off everything outside of the inner folder.
    #[must_use]
    pub fn reference(&self, in_git: bool) -> &str {
        match &self.whole {
            Some(whole) if !in_git => whole,
            _ => &self.reference,
        }
    }
}

/// The installer flake of `flake`; `None` where the reference can hold no folder (such as
/// `flake:nixpkgs`, a name in the registry) or is already that of an installer flake.
#[must_use]
pub fn installer_flake(flake: &str) -> Option<InstallerFlake> {
    let _ = flake;
    None
}
