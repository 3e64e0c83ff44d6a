//! `--pin-host-key`: a host key for the installer that is made here and known here.

use crate::cli::error::CliError;
use crate::cli::world::state_dir;
use crate::install::installers::remember_key;
use crate::iso::image::{Image, SlotError};
use crate::iso::judge::Target;
use crate::secrets::host_key::HostKeyPair;
use crate::ui::terminal::say;

/// That the key would be put nowhere.
pub(super) fn nowhere() -> CliError {
    CliError::usage("--pin-host-key puts a key into what is written, and nothing is to be written")
        .hint(
            "name a disk, or a file with --output FILE; the image that was built never holds a key",
        )
}

/// The image with a new key, whose public half is remembered before anything is written.
pub(super) fn pinned(image: Image, targets: &[Target]) -> Result<Image, CliError> {
    may_write(targets)?;
    let pair = HostKeyPair::generate("nixos-installer")
        .map_err(|error| CliError::failed(error.to_string()))?;
    let image = image.with_host_key(pair.private()).map_err(|error| refused(&error))?;
    let file = remember_key(&state_dir()?, pair.public())
        .map_err(|error| CliError::failed(error.to_string()))?;
    say(&format!(
        "the installer's host key is {}, remembered in {}",
        pair.fingerprint(),
        file.display()
    ));
    Ok(image)
}

/// The writing of a disk under `sudo` would begin anew, without the key.
fn may_write(targets: &[Target]) -> Result<(), CliError> {
    let access = rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK;
    let denied = |path: &str| rustix::fs::access(path, access) == Err(rustix::io::Errno::ACCESS);
    match targets.iter().map(|target| &target.disk.live.path).find(|path| denied(path)) {
        None => Ok(()),
        Some(path) => Err(CliError::failed(format!(
            "writing to {path} needs root, and the key is to be remembered for you"
        ))
        .hint("make a file first: iso --pin-host-key --output installer.iso")
        .hint(format!("then write it: iso --image installer.iso {path}; and delete it"))),
    }
}

fn refused(error: &SlotError) -> CliError {
    let told = error.to_string();
    match error {
        SlotError::Missing(_) => CliError::usage(told)
            .hint("lib.mkIso and the module iso of nixos-bootstrap make images that have it"),
        SlotError::TooLarge | SlotError::Reading(_) => CliError::failed(told),
    }
}
