//! Writing to disks needs root, building does not: only the writing is left to `sudo`.

use std::ffi::OsString;
use std::path::Path;

use super::pin::Pin;
use super::{Args, DigestArg};
use crate::cli::error::CliError;
use crate::install::context::{Failure, FailureKind};
use crate::install::event::Prompter;
use crate::iso::judge::Target;
use crate::process::{Command, replace};
use crate::ui::prompts::TerminalPrompter;

/// The writing under `sudo`, which the user has allowed.
pub(super) struct Handover(Command);

impl Handover {
    /// Gives this process up for it, with the host key that is to be in the image. What comes back is the error.
    pub(super) fn go(self, pin: Option<&Pin>) -> CliError {
        let command = match pin {
            Some(pin) => self.0.stdin_bytes(pin.private().expose()),
            None => self.0,
        };
        CliError::failed(replace(&command).to_string())
    }
}

/// May this user not write to the disk?
pub(super) fn denied(target: &Target) -> bool {
    let access = rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK;
    rustix::fs::access(&target.disk.live.path, access) == Err(rustix::io::Errno::ACCESS)
}

/// The same writing under `sudo`, where this user may not write to the disks and wants it so; that they are erased
/// has been confirmed already.
pub(super) fn handover(
    args: &Args,
    image: &Path,
    targets: &[Target],
) -> Result<Option<Handover>, CliError> {
    let Some(target) = targets.iter().find(|target| denied(target)) else { return Ok(None) };
    let command = command(args, image, targets)?;
    let error = CliError::failed(format!(
        "writing to {} needs root, and you are not root",
        target.disk.live.path
    ));
    let error = error.hint(format!("run: {command}"));
    if args.json || !TerminalPrompter::available() {
        return Err(error);
    }
    let question = format!("Writing needs root. Run `{command}`?");
    match TerminalPrompter::default().confirm(&question) {
        Ok(true) => Ok(Some(Handover(command))),
        Ok(false) | Err(_) => {
            Err(Failure::new("nothing was written").kind(FailureKind::Stopped).into())
        }
    }
}

/// The writing part of what was asked for. The disks go by a name that only this medium has, where there is one.
fn command(args: &Args, image: &Path, targets: &[Target]) -> Result<Command, CliError> {
    let own = std::env::current_exe();
    let own =
        own.map_err(|error| CliError::failed(format!("what runs here is unknown: {error}")))?;
    let image = std::path::absolute(image);
    let image = image.map_err(|error| CliError::failed(error.to_string()))?;
    let mut words: Vec<OsString> = vec![own.into(), "iso".into(), "--image".into(), image.into()];
    let flags = [
        (true, "--yes"),
        (args.no_verify, "--no-verify"),
        (args.digest == DigestArg::Sha256, "--digest=sha256"),
        (args.allow_fixed_disk, "--allow-fixed-disk"),
        (args.unmount, "--unmount"),
        (args.json, "--json"),
        (args.pin_host_key, "--host-key-from-stdin"),
    ];
    words.extend(flags.iter().filter(|(is, _)| *is).map(|(_, flag)| OsString::from(flag)));
    words.push("--".into());
    words.extend(targets.iter().map(|target| {
        let disk = &target.disk;
        let own = disk.sequence.map(|number| format!("/dev/disk/by-diskseq/{number}"));
        own.filter(|link| Path::new(link).exists()).unwrap_or_else(|| disk.live.path.clone()).into()
    }));
    Ok(Command::new("sudo").arg("--").args(words))
}
