//! `man`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::error::CliError;
use super::output::print;

/// Print the manual page, or write one page a subcommand
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  nixos-bootstrap man bootstrap | man -l -\n  \
                        nixos-bootstrap man --dir /usr/local/share/man/man1")]
pub(super) struct Args {
    /// The subcommand whose page is meant; without it, the program's own
    subcommand: Option<String>,
    /// Write every page into this folder instead
    #[arg(long, value_name = "DIR", conflicts_with = "subcommand")]
    dir: Option<PathBuf>,
}

/// Prints or writes the pages.
pub(super) fn run(args: &Args, command: &clap::Command) -> Result<ExitCode, CliError> {
    if let Some(dir) = &args.dir {
        write_all(command, dir)?;
        return Ok(ExitCode::SUCCESS);
    }
    let page = match &args.subcommand {
        None => page(command.clone(), "nixos-bootstrap")?,
        Some(name) => {
            let Some(subcommand) = command.find_subcommand(name) else {
                let names: Vec<_> =
                    command.get_subcommands().map(clap::Command::get_name).collect();
                return Err(CliError::usage(format!("there is no subcommand {name:?}"))
                    .hint(format!("the subcommands are: {}", names.join(", "))));
            };
            page(subcommand.clone(), &format!("nixos-bootstrap-{name}"))?
        }
    };
    print(&String::from_utf8_lossy(&page))?;
    Ok(ExitCode::SUCCESS)
}

fn page(command: clap::Command, name: &str) -> Result<Vec<u8>, CliError> {
    let mut page = Vec::new();
    // The page's name has a dash where the command line has a blank.
    let line = name.replacen("nixos-bootstrap-", "nixos-bootstrap ", 1);
    let command = command.display_name(name.to_owned()).name(name.to_owned()).bin_name(line);
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
    let mut pages = vec![("nixos-bootstrap".to_owned(), command.clone())];
    for subcommand in command.get_subcommands() {
        pages.push((format!("nixos-bootstrap-{}", subcommand.get_name()), subcommand.clone()));
    }
    for (name, command) in pages {
        let path = dir.join(format!("{name}.1"));
        std::fs::write(&path, page(command, &name)?).map_err(|error| broken(&path, error))?;
    }
    Ok(())
}
