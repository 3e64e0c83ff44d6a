//! `config.services.openssh`.

use super::decode::{Decoded, Decoder};
use super::model::{Ssh, SshHostKey};

/// Reads it from `config`.
pub(super) fn ssh(config: &Decoder<'_>) -> Decoded<Ssh> {
    let Some(ssh) = config.at(&["services", "openssh"])? else { return Ok(Ssh::default()) };
    let ports = match ssh.get("ports")? {
        Some(ports) => ports.items()?.iter().map(Decoder::port).collect::<Decoded<_>>()?,
        None => Vec::new(),
    };
    let host_keys = match ssh.get("hostKeys")? {
        Some(keys) => keys.items()?.iter().map(host_key).collect::<Decoded<_>>()?,
        None => Vec::new(),
    };
    let permit_root_login = match ssh.at(&["settings", "PermitRootLogin"])? {
        Some(permit) => Some(permit.text()?),
        // Its name up to NixOS 22.11.
        None => ssh.read_at(&["permitRootLogin"], Decoder::text)?,
    };
    Ok(Ssh {
        enable: ssh.read_at(&["enable"], Decoder::bool)?.unwrap_or(false),
        ports,
        host_keys,
        permit_root_login,
    })
}

fn host_key(key: &Decoder<'_>) -> Decoded<SshHostKey> {
    Ok(SshHostKey {
        kind: key.require("type", "a string")?.text()?,
        path: key.require("path", "an absolute path")?.parse()?,
    })
}
