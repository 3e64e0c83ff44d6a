//! Giving this process up for another program.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;

use super::command::{Command, Stdin};
use super::runner::{Error, cannot_start};

/// Makes this process `command`, with its terminal, environment and folder: nothing comes back but the error of a
/// program that can't be started. The environment of `command` is not looked at. Bytes for its standard input, which
/// have to fit into a pipe, are there when it starts; otherwise it has this process's own.
#[must_use]
pub fn replace(command: &Command) -> Error {
    let mut process = std::process::Command::new(&command.program);
    process.args(&command.args);
    if let Stdin::Bytes(bytes) = &command.stdin {
        match filled(bytes) {
            Ok(input) => process.stdin(input),
            Err(error) => return cannot_start(command, error),
        };
    }
    cannot_start(command, process.exec())
}

/// Bytes that fit into every pipe: a page (pipe(7), "Pipe capacity").
const ROOM: usize = 4096;

/// A pipe that gives these bytes, and then ends.
fn filled(bytes: &[u8]) -> io::Result<io::PipeReader> {
    if bytes.len() > ROOM {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "its input is too long for a pipe",
        ));
    }
    let (reader, mut writer) = io::pipe()?;
    writer.write_all(bytes)?;
    Ok(reader)
}
