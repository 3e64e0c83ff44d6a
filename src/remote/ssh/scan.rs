//! Asking a machine for its host keys with `ssh-keyscan`.

use std::time::Duration;

use crate::process::{Command, Error, Output, Runner};
use crate::remote::connect::ConnectError;
use crate::remote::display::printable;
use crate::remote::host_key::HostPublicKey;
use crate::validated::Address;

/// The order in which keys are preferred.
const KINDS: [&str; 5] =
    ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"];

/// What ssh-keyscan adds to its limit for each of the kinds that it asks for.
const MARGIN: Duration = Duration::from_secs(5);

pub(super) async fn scan(
    runner: &dyn Runner,
    address: &Address,
    port: u16,
    timeout: Duration,
) -> Result<Vec<HostPublicKey>, ConnectError> {
    let seconds = timeout.as_secs().max(1);
    let command = Command::new("ssh-keyscan")
        .args(["-T".to_owned(), seconds.to_string(), "-p".to_owned(), port.to_string()])
        .args(["-t", "ed25519,ecdsa,rsa", "--", address.as_str()]);
    let output = match runner.run_within(&command, timeout + MARGIN).await {
        Ok(output) => output,
        Err(Error::Cancelled { .. }) => {
            return Err(ConnectError::Cancelled { address: address.clone() });
        }
        Err(Error::TimedOut { .. }) => {
            return Err(ConnectError::TimedOut { address: address.clone(), port, limit: timeout });
        }
        Err(error) => {
            let reason = error.to_string();
            return Err(ConnectError::Other { address: address.clone(), port, reason });
        }
    };
    let keys = parse(&output.text());
    if keys.is_empty() { Err(silent(&output, address, port, timeout)) } else { Ok(keys) }
}

/// Reads `NAME KIND BASE64` lines, preferred kinds first.
fn parse(text: &str) -> Vec<HostPublicKey> {
    let line = |line: &str| -> Option<HostPublicKey> {
        let (_, key) = line.split_once(' ')?;
        if line.starts_with('#') { None } else { key.parse().ok() }
    };
    let mut keys: Vec<HostPublicKey> = text.lines().filter_map(line).collect();
    keys.sort_by_key(|key| KINDS.iter().position(|kind| *kind == key.kind()));
    keys.dedup();
    keys
}

/// Why no key came: ssh-keyscan ends with 0 or 1 alike and says little.
fn silent(output: &Output, address: &Address, port: u16, timeout: Duration) -> ConnectError {
    let address = address.clone();
    let said = output.error_text();
    let has = |words: &str| said.contains(words);
    if has("Name or service not known") || has("getaddrinfo") || has("name resolution") {
        return ConnectError::NameNotFound { address };
    }
    if has("refused") {
        return ConnectError::Refused { address, port };
    }
    if has("No route to host") || has("unreachable") {
        return ConnectError::Unreachable { address, port, reason: printable(&said) };
    }
    // A machine that does not answer leaves ssh-keyscan without a word.
    let comments_only = said.lines().all(|line| line.trim().is_empty() || line.starts_with('#'));
    if comments_only || has("timed out") {
        return ConnectError::TimedOut { address, port, limit: timeout };
    }
    ConnectError::Lost { address, port, reason: printable(said.lines().last().unwrap_or_default()) }
}
