//! `secrets age-key`

use std::process::ExitCode;

use super::input;
use crate::cli::error::CliError;
use crate::cli::output::{print, print_bytes};
use crate::process::this_program;
use crate::remote::{Destination, known_hosts};
use crate::secrets::age::{AgeError, Identity, Recipient};
use crate::secrets::key_format::Foreign;
use crate::ui::terminal::say;

/// Print the age recipient of an ssh ed25519 key, as ssh-to-age does
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  nixos-bootstrap secrets age-key /etc/ssh/ssh_host_ed25519_key.pub\n  \
                        nixos-bootstrap secrets age-key grief\n  \
                        nixos-bootstrap secrets age-key --private - <key >identity.txt\n\n\
                        HOST is looked up in ~/.ssh/known_hosts; nothing is asked of the network."
)]
pub(super) struct Args {
    /// A file of public keys or with a private one, a host that ssh knows, or - for standard input
    #[arg(value_name = "FILE|HOST[:PORT]|-", default_value = "-")]
    from: String,
    /// The port of HOST, where it is named without one [default: 22]
    #[arg(short, long)]
    port: Option<u16>,
    /// Print the secret age identity of a private key, read from standard input or a 0600 file
    #[arg(long)]
    private: bool,
}

/// Prints one line for each ed25519 key.
pub(super) fn run(args: &Args) -> Result<ExitCode, CliError> {
    let from = args.from.as_str();
    if args.private {
        let identity = input::identity(from)?;
        print_bytes(identity.secret().expose())?;
        print("\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    let recipients = if from == "-" || input::is_file(from) {
        of_text(from)?
    } else {
        of_known_host(from, args.port)?
    };
    for recipient in recipients {
        print(&format!("{recipient}\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn failed(from: &str, error: &AgeError) -> CliError {
    input::unusable(from, error, error.advice(input::in_words(from)))
}

fn of_text(from: &str) -> Result<Vec<Recipient>, CliError> {
    let bytes = input::bytes(from)?;
    let public = Foreign::of(&bytes) == Some(Foreign::Public);
    if input::is_ssh_key(&bytes) && !public {
        let identity = Identity::of_ssh(&bytes).map_err(|error| failed(from, &error))?;
        return Ok(vec![identity.recipient().clone()]);
    }
    let text = String::from_utf8_lossy(bytes.expose());
    let mut recipients = Vec::new();
    let mut last = None;
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        match Recipient::of_ssh(key_of(line)) {
            Ok(recipient) => recipients.push(recipient),
            // As ssh-to-age: what ssh-keyscan prints has keys of other kinds, too.
            Err(error @ AgeError::Kind(_)) => last = Some(error),
            Err(error) => return Err(failed(from, &error)),
        }
    }
    if recipients.is_empty() {
        return Err(match last {
            Some(error) => failed(from, &error),
            None => CliError::failed(format!("{from} holds no key")),
        });
    }
    Ok(recipients)
}

/// The key of a `.pub` line, or of a line of `known_hosts` with names (and a marker) in front.
fn key_of(line: &str) -> &str {
    let kinds = ["ssh-", "ecdsa-", "sk-"];
    if kinds.iter().any(|kind| line.starts_with(kind)) {
        return line;
    }
    let starts = kinds.iter().filter_map(|kind| line.find(&format!(" {kind}")));
    starts.min().map_or(line, |at| line[at..].trim_start())
}

fn of_known_host(name: &str, port: Option<u16>) -> Result<Vec<Recipient>, CliError> {
    let machine = name.parse::<Destination>().map_err(|error| {
        CliError::failed(format!("there is no file {name}, and it names no host: {error}"))
    })?;
    let machine = Destination { port: crate::cli::args::port(Some(&machine), port)?, ..machine };
    let file = crate::cli::world::home()?.join(".ssh/known_hosts");
    let content = match std::fs::read(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(CliError::failed(format!("{}: {error}", file.display())));
        }
        other => other.unwrap_or_default(),
    };
    let keys = known_hosts::find(&content, &machine.known_names());
    let keys = keys.iter().filter(|key| key.kind() == "ssh-ed25519");
    let recipients: Result<Vec<_>, _> =
        keys.map(|key| Recipient::of_ssh(&key.to_string())).collect();
    let recipients = recipients.map_err(|error| failed(name, &error))?;
    if recipients.is_empty() {
        return Err(CliError::failed(format!(
            "there is no file {name}, and {} has no ed25519 key of a host of that name",
            file.display()
        ))
        .hint(format!(
            "{} | {}, once you have compared the key",
            machine.keyscan(),
            this_program().args(["secrets", "age-key", "-"])
        )));
    }
    if recipients.len() > 1 {
        say(&format!("{name} has {} keys in {}", recipients.len(), file.display()));
    }
    Ok(recipients)
}
