//! `man`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::error::CliError;
use super::output::print;

/// Print the manual page, or write one page a subcommand
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  nixos-bootstrap man bootstrap | man -l -\n  \
                        nixos-bootstrap man known-hosts replace | man -l -\n  \
                        nixos-bootstrap man --dir /usr/local/share/man/man1")]
pub(super) struct Args {
    /// The subcommand whose page is meant; without it, the program's own
    #[arg(value_name = "SUBCOMMAND")]
    subcommands: Vec<String>,
    /// Write every page into this folder instead
    #[arg(long, value_name = "DIR", conflicts_with = "subcommands")]
    dir: Option<PathBuf>,
}

/// Prints or writes the pages.
pub(super) fn run(args: &Args, mut command: clap::Command) -> Result<ExitCode, CliError> {
    // What subcommands have from those above them is known then.
    command.build();
    if let Some(dir) = &args.dir {
        write_all(&command, dir)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (mut wanted, mut name) = (&command, PROGRAM.to_owned());
    for word in &args.subcommands {
        wanted = wanted.find_subcommand(word).ok_or_else(|| unknown(wanted, word))?;
        name = format!("{name}-{}", wanted.get_name());
    }
    print(&String::from_utf8_lossy(&page(wanted, &name)?))?;
    Ok(ExitCode::SUCCESS)
}

const PROGRAM: &str = "nixos-bootstrap";

fn unknown(command: &clap::Command, word: &str) -> CliError {
    let names: Vec<_> = command.get_subcommands().map(clap::Command::get_name).collect();
    let error = CliError::usage(format!("there is no subcommand {word:?}"));
    if names.is_empty() {
        return error.hint(format!("{:?} has no subcommands", command.get_name()));
    }
    error.hint(format!("the subcommands are: {}", names.join(", ")))
}

fn page(command: &clap::Command, name: &str) -> Result<Vec<u8>, CliError> {
    let mut page = Vec::new();
    let line = command.get_bin_name().unwrap_or(PROGRAM).to_owned();
    // The page's name has a dash where the command line has a blank.
    let command =
        command.clone().name(name.to_owned()).display_name(name.to_owned()).bin_name(line);
    clap_mangen::Man::new(command)
        .render(&mut page)
        .map_err(|error| CliError::failed(format!("could not make the page {name}: {error}")))?;
    Ok(page)
}

fn write_all(command: &clap::Command, dir: &Path) -> Result<(), CliError> {
    let broken = |path: &Path, error: std::io::Error| {
        CliError::failed(format!("could not write {}: {error}", path.display()))
    };
    std::fs::create_dir_all(dir).map_err(|error| broken(dir, error))?;
    let mut left = vec![(PROGRAM.to_owned(), command)];
    while let Some((name, command)) = left.pop() {
        let path = dir.join(format!("{name}.1"));
        std::fs::write(&path, page(command, &name)?).map_err(|error| broken(&path, error))?;
        let below = command.get_subcommands();
        left.extend(below.map(|below| (format!("{name}-{}", below.get_name()), below)));
    }
    Ok(())
}
