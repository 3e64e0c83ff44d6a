//! Writing to disks needs root, building does not: only the writing is left to `sudo`.

use std::ffi::OsString;
use std::path::Path;

use super::{Args, DigestArg};
use crate::cli::error::CliError;
use crate::install::context::{Failure, FailureKind};
use crate::install::event::Prompter;
use crate::iso::judge::Target;
use crate::process::{Command, replace};
use crate::ui::prompts::TerminalPrompter;

/// Gives this process up for the same writing under `sudo`, where this user may not write to the disks; the user
/// has confirmed what is erased already.
pub(super) fn ensure(args: &Args, image: &Path, targets: &[Target]) -> Result<(), CliError> {
    let access = rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK;
    let denied = |target: &&Target| {
        rustix::fs::access(&target.disk.live.path, access) == Err(rustix::io::Errno::ACCESS)
    };
    let Some(target) = targets.iter().find(denied) else { return Ok(()) };
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
        Ok(true) => Err(CliError::failed(replace(&command).to_string())),
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
