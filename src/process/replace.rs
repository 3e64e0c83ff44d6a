//! Giving this process up for another program.

use std::os::unix::process::CommandExt;

use super::command::Command;
use super::runner::{Error, cannot_start};

/// Makes this process `command`, with its terminal, environment and folder: nothing comes back but the error of a
/// program that can't be started. Environment and input of `command` are not looked at.
#[must_use]
pub fn replace(command: &Command) -> Error {
    let source = std::process::Command::new(&command.program).args(&command.args).exec();
    cannot_start(command, source)
}
