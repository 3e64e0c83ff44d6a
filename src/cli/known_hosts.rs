//! `known-hosts …`

use std::path::PathBuf;
use std::process::ExitCode;

use super::error::CliError;
use super::output::print;
use crate::remote::{Destination, HostPublicKey, forges, known_hosts};
use crate::ui::clean::clean;

/// Edit exact entries of a `known_hosts` file, hashed ones too
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  nixos-bootstrap known-hosts replace github.com\n  \
                        nixos-bootstrap known-hosts replace grief:2222 ./ssh_host_ed25519_key.pub\n  \
                        nixos-bootstrap known-hosts remove grief 192.168.1.50\n\n\
                        Patterns, comments and lines with a marker (@cert-authority) stay.")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Give a machine this key and no other
    Replace {
        /// The machine: its name or address, with :PORT where that is not 22
        #[arg(value_name = "ADDR[:PORT]")]
        machine: String,
        /// Its public key: a line, a file that holds it, or - for standard input; for github.com,
        /// gitlab.com and codeberg.org, the key that they publish
        key: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Forget the keys of machines
    Remove {
        /// Their names or addresses, with :PORT where that is not 22
        #[arg(value_name = "ADDR[:PORT]", required = true)]
        machines: Vec<String>,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, clap::Args)]
struct Place {
    /// The ssh port of machines that are named without one [default: 22]
    #[arg(short, long)]
    port: Option<u16>,
    /// The file [default: `~/.ssh/known_hosts`]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Edits the file.
pub(super) fn run(args: Args) -> Result<ExitCode, CliError> {
    let (machines, keys, place) = match args.command {
        Command::Replace { machine, key, place } => {
            let machine = place.machine(&machine)?;
            let key = public_key(&machine, key.as_deref())?;
            (vec![machine], vec![key], place)
        }
        Command::Remove { machines, place } => {
            let machines = machines.iter().map(|machine| place.machine(machine));
            (machines.collect::<Result<_, _>>()?, Vec::new(), place)
        }
    };
    let entries: Vec<String> = machines.iter().flat_map(Destination::known_names).collect();
    let file = match place.file {
        Some(file) => file,
        None => super::world::home()?.join(".ssh/known_hosts"),
    };
    let changed = known_hosts::update_file(&file, &entries, &keys);
    let changed =
        changed.map_err(|error| CliError::failed(format!("{}: {error}", file.display())))?;
    let (what, file) = (entries.join(" and "), clean(&file.to_string_lossy()));
    print(&match (changed, keys.first()) {
        (false, Some(_)) => format!("{file} is as it should be\n"),
        (false, None) => format!("{file} has no key of {what}\n"),
        (true, Some(key)) => format!("{file}: {what} has {}\n", key.fingerprint()),
        (true, None) => format!("{file}: {what} forgotten\n"),
    })?;
    Ok(ExitCode::SUCCESS)
}

impl Place {
    /// A machine as named, with its port.
    fn machine(&self, named: &str) -> Result<Destination, CliError> {
        let machine: Destination = named.parse()?;
        Ok(Destination { port: super::args::port(Some(&machine), self.port)?, ..machine })
    }
}

fn public_key(machine: &Destination, key: Option<&str>) -> Result<HostPublicKey, CliError> {
    let Some(key) = key else {
        let Some((key, source)) = forges::published(machine.address.as_str()) else {
            return Err(CliError::usage(format!("which key has {machine}?")).hint(format!(
                "give its public key; the published ones are known of: {}",
                forges::names().join(", ")
            )));
        };
        crate::ui::terminal::say(&format!("the key that {source} publishes"));
        return Ok(key);
    };
    if key.starts_with("ssh-") || key.starts_with("ecdsa-") || key.starts_with("sk-") {
        return key.parse().map_err(|error| CliError::usage(format!("{error}")));
    }
    let text = super::secrets::input::text(key)?;
    let line = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let line = line.ok_or_else(|| CliError::failed(format!("{key} holds no public key")))?;
    line.parse().map_err(|error| CliError::failed(format!("{key}: {error}")))
}
