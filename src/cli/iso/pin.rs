//! `--pin-host-key`: a host key for the installer that is made here and known here.

use std::cell::Cell;
use std::io::{IsTerminal, Read};

use super::Args;
use crate::cli::error::CliError;
use crate::cli::world::state_dir;
use crate::install::installers::remember_key;
use crate::iso::image::{Image, SlotError};
use crate::iso::judge::Target;
use crate::secrets::Secret;
use crate::secrets::host_key::HostKeyPair;
use crate::ui::prompts::TerminalPrompter;
use crate::ui::terminal::say;

/// That the key would be put nowhere.
pub(super) fn nowhere() -> CliError {
    CliError::usage("--pin-host-key puts a key into what is written, and nothing is to be written")
        .hint(
            "name a disk, or a file with --output FILE; the image that was built never holds a key",
        )
}

/// The installer's host key.
pub(super) struct Pin {
    pair: HostKeyPair,
    known: Cell<bool>,
}

impl Pin {
    /// A new key where one is wanted, or the one that the user's own process has handed over.
    pub(super) fn wanted(args: &Args, targets: &[Target]) -> Result<Option<Self>, CliError> {
        if args.host_key_from_stdin {
            return Self::handed_over().map(Some);
        }
        if !args.pin_host_key {
            return Ok(None);
        }
        may_write(args, targets)?;
        let pair = HostKeyPair::generate("nixos-installer")
            .map_err(|error| CliError::failed(error.to_string()))?;
        Ok(Some(Self { pair, known: Cell::new(false) }))
    }

    /// From the process that knows it already.
    fn handed_over() -> Result<Self, CliError> {
        let wrong = |reason: String| CliError::usage(format!("--host-key-from-stdin: {reason}"));
        if std::io::stdin().is_terminal() {
            return Err(wrong("standard input is a terminal".to_owned()));
        }
        // More is no key, and is refused as such.
        let mut text = zeroize::Zeroizing::new(Vec::with_capacity(LARGEST));
        let read = std::io::stdin().lock().take(LARGEST as u64).read_to_end(&mut text);
        read.map_err(|error| wrong(error.to_string()))?;
        let pair = HostKeyPair::from_private(&Secret::new(text.as_slice()));
        let pair = pair.map_err(|error| wrong(error.to_string()))?;
        Ok(Self { pair, known: Cell::new(true) })
    }

    /// The image with the key in it.
    pub(super) fn put_into(&self, image: Image) -> Result<Image, CliError> {
        image.with_host_key(self.pair.private()).map_err(|error| refused(&error))
    }

    /// Takes down the public half: before the key is written anywhere.
    pub(super) fn remember(&self) -> Result<(), CliError> {
        if self.known.replace(true) {
            return Ok(());
        }
        let file = remember_key(&state_dir()?, self.pair.public())
            .map_err(|error| CliError::failed(error.to_string()))?;
        let fingerprint = self.pair.fingerprint();
        say(&format!(
            "the installer's host key is {fingerprint}, remembered in {}",
            file.display()
        ));
        Ok(())
    }

    /// What the process that writes has to be given.
    pub(super) fn private(&self) -> &Secret {
        self.pair.private()
    }
}

/// Bytes of a private key at most; an ed25519 one has some four hundred.
const LARGEST: usize = 4096;

/// Where nobody can be asked whether `sudo` may write, the user writes in two steps.
fn may_write(args: &Args, targets: &[Target]) -> Result<(), CliError> {
    let denied = targets.iter().find(|target| super::root::denied(target));
    let Some(target) = denied.filter(|_| args.json || !TerminalPrompter::available()) else {
        return Ok(());
    };
    let path = &target.disk.live.path;
    Err(CliError::failed(format!(
        "writing to {path} needs root, and the key is to be remembered for you"
    ))
    .hint("make a file first: iso --pin-host-key --output installer.iso")
    .hint(format!("then write it: iso --image installer.iso {path}; and delete it")))
}

fn refused(error: &SlotError) -> CliError {
    let told = error.to_string();
    match error {
        SlotError::Missing(_) => CliError::usage(told)
            .hint("lib.mkIso and the module iso of nixos-bootstrap make images that have it"),
        SlotError::TooLarge | SlotError::Reading(_) => CliError::failed(told),
    }
}
