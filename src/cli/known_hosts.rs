//! `known-hosts …`

use std::path::PathBuf;
use std::process::ExitCode;

use super::error::CliError;
use super::output::print;
use crate::remote::{HostPublicKey, forges, known_hosts};
use crate::ui::clean::clean;
use crate::validated::Address;

/// Edit exact entries of a `known_hosts` file, hashed ones too
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  nixos-bootstrap known-hosts replace github.com\n  \
                        nixos-bootstrap known-hosts replace grief ./ssh_host_ed25519_key.pub --port 2222\n  \
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
        /// The machine's name or address
        name: String,
        /// Its public key: a line, a file that holds it, or - for standard input; for github.com,
        /// gitlab.com and codeberg.org, the key that they publish
        key: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Forget the keys of machines
    Remove {
        /// Their names or addresses
        #[arg(required = true)]
        names: Vec<String>,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, clap::Args)]
struct Place {
    /// The machine's ssh port
    #[arg(short, long, default_value_t = 22)]
    port: u16,
    /// The file [default: `~/.ssh/known_hosts`]
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Edits the file.
pub(super) fn run(args: Args) -> Result<ExitCode, CliError> {
    let (names, keys, place) = match args.command {
        Command::Replace { name, key, place } => {
            let key = public_key(&name, key.as_deref())?;
            (vec![name], vec![key], place)
        }
        Command::Remove { names, place } => (names, Vec::new(), place),
    };
    let mut entries = Vec::new();
    for name in &names {
        entries.extend(known_hosts::names(&name.parse::<Address>()?, place.port));
    }
    let file = match place.file {
        Some(file) => file,
        None => super::world::home()?.join(".ssh/known_hosts"),
    };
    let changed = known_hosts::update_file(&file, &entries, &keys);
    let changed =
        changed.map_err(|error| CliError::failed(format!("{}: {error}", file.display())))?;
    let (what, file) = (entries.join(" and "), clean(&file.to_string_lossy()));
    print(&match (changed, keys.first()) {
        (false, _) => format!("{file} is as it should be\n"),
        (true, Some(key)) => format!("{file}: {what} has {}\n", key.fingerprint()),
        (true, None) => format!("{file}: {what} forgotten\n"),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn public_key(name: &str, key: Option<&str>) -> Result<HostPublicKey, CliError> {
    let Some(key) = key else {
        let Some((key, source)) = forges::published(name) else {
            return Err(CliError::usage(format!("which key has {name}?")).hint(format!(
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
