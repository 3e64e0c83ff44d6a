//! Asking a machine for its host keys with `ssh-keyscan`.

use std::io;
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
    if keys.is_empty() { Err(silent(&output, address, port, timeout).await) } else { Ok(keys) }
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

/// Why no key came. ssh-keyscan says little, and nothing at all where it is refused, so the address
/// is tried by hand.
async fn silent(output: &Output, address: &Address, port: u16, limit: Duration) -> ConnectError {
    let address = address.clone();
    let attempt = async {
        let found: Vec<_> = match tokio::net::lookup_host((address.as_str(), port)).await {
            Ok(found) => found.collect(),
            Err(_) => return Err(ConnectError::NameNotFound { address: address.clone() }),
        };
        let connected = tokio::net::TcpStream::connect(found.as_slice()).await;
        connected.map(drop).map_err(|error| refusal(&error, &address, port, limit))
    };
    match tokio::time::timeout(limit, attempt).await {
        Ok(Err(error)) => error,
        // It takes connections, or does not, but no key came.
        Ok(Ok(())) if complained(output).is_some() => {
            let reason = complained(output).unwrap_or_default();
            ConnectError::Lost { address, port, reason }
        }
        Ok(Ok(())) | Err(_) => ConnectError::TimedOut { address, port, limit },
    }
}

fn refusal(error: &io::Error, address: &Address, port: u16, limit: Duration) -> ConnectError {
    let address = address.clone();
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ConnectError::Refused { address, port },
        io::ErrorKind::TimedOut => ConnectError::TimedOut { address, port, limit },
        _ => ConnectError::Unreachable { address, port, reason: error.to_string() },
    }
}

/// What ssh-keyscan complained of, if anything; its comments are none.
fn complained(output: &Output) -> Option<String> {
    let said = output.error_text();
    let mut lines = said.lines().rev().filter(|line| !line.trim().is_empty());
    lines.find(|line| !line.starts_with('#')).map(printable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ed25519_comes_first_and_comments_are_no_keys() {
        let ecdsa = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBHwf2HMM5TRXvo2SQJjsNkiDD5KqiiNjrGVv3UUh+mMT5RHxiRtOnlqvjhQtBq0VpmpCV/PwUdhOig4vkbqAcEc=";
        let ed25519 =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";
        let text = format!("# x:22 SSH-2.0\nx {ecdsa}\nx {ed25519}\nx ssh-rsa broken\nx {ed25519}");
        let keys: Vec<String> = parse(&text).iter().map(ToString::to_string).collect();
        assert_eq!(keys, [ed25519, ecdsa]);
    }
}
