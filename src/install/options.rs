//! What the user asked for, validated: the input of the plan besides facts and probe.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::phase::Selection;
use crate::remote::{Destination, HostPublicKey};
use crate::validated::{AbsolutePath, HostName, UserName};

/// The validated wishes of one run. What is `None` is taken from the facts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Options {
    /// The host to install.
    pub host: HostName,
    /// The flake's reference as typed.
    pub flake: String,
    /// The flake's folder on this machine, where it is one: needed to write the hardware file and
    /// to commit.
    pub flake_dir: Option<PathBuf>,
    /// Where the target is, as typed.
    pub target: Option<Destination>,
    /// ssh port, with the target or by `--port`.
    pub port: Option<u16>,
    /// ssh identity.
    pub identity: Option<PathBuf>,
    /// The installer's host key, where the user knows it (`--host-key`).
    pub host_key: Option<TrustedKey>,
    /// The user on the *installed* host who gets the repos.
    pub user: Option<UserName>,
    /// Directory that survives reboots.
    pub persist_dir: Option<AbsolutePath>,
    /// Whether the host keeps the ssh keys that it has (`--reuse-host-key`), and where they are.
    pub reuse_host_key: Option<ReuseHostKey>,
    /// Which phases.
    pub phases: Selection,
    /// Install the minimal configuration first, or the full one at once; `None` lets the flake
    /// decide.
    pub via: Option<Via>,
    /// Who carries out kexec, disko, install and reboot.
    pub engine: Engine,
    /// Where the full configuration is built in the phase `rebuild`; `None` lets the
    /// configuration decide (`bootstrap.rebuild.command`).
    pub rebuild_on: Option<RebuildOn>,
    /// Give each encrypted container a recovery key, kept in the secrets file?
    pub luks_recovery: bool,
    /// `--override-input NAME REF`, as given to nix.
    pub override_inputs: Vec<(String, String)>,
    /// The flags that say how to evaluate, for the command that goes on.
    pub evaluation: Vec<String>,
    /// Push after the phase `commit`?
    pub push: bool,
    /// Can questions be asked (a terminal, and no `--yes`)?
    pub interactive: bool,
    /// Was `--yes` given?
    pub yes: bool,
    /// Forget the journal and start anew?
    pub restart: bool,
}

impl Options {
    /// The wishes of somebody who only named a host and a flake.
    #[must_use]
    pub fn new(host: HostName, flake: impl Into<String>) -> Self {
        Self {
            host,
            flake: flake.into(),
            flake_dir: None,
            target: None,
            port: None,
            identity: None,
            host_key: None,
            user: None,
            persist_dir: None,
            reuse_host_key: None,
            phases: Selection::default(),
            via: None,
            engine: Engine::default(),
            rebuild_on: None,
            luks_recovery: false,
            override_inputs: Vec::new(),
            evaluation: Vec::new(),
            push: false,
            interactive: false,
            yes: false,
            restart: false,
        }
    }
}

/// A host key of the installer that the user has vouched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustedKey {
    /// The key itself.
    Key(HostPublicKey),
    /// Its fingerprint, `SHA256:…`.
    Fingerprint(String),
    /// A file of public key lines, such as the `.pub` file of the image's key.
    File(PathBuf),
}

impl fmt::Display for TrustedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => key.fmt(f),
            Self::Fingerprint(fingerprint) => f.write_str(fingerprint),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// Takes a fingerprint, a public key line, or else the name of a file.
impl FromStr for TrustedKey {
    type Err = InvalidTrustedKey;

    fn from_str(text: &str) -> Result<Self, InvalidTrustedKey> {
        let text = text.trim();
        if let Some(digest) = text.strip_prefix("SHA256:") {
            let digest = digest.trim_end_matches('=');
            let bytes = data_encoding::BASE64_NOPAD.decode(digest.as_bytes());
            return match bytes {
                Ok(bytes) if bytes.len() == 32 => Ok(Self::Fingerprint(format!("SHA256:{digest}"))),
                _ => Err(InvalidTrustedKey(text.to_owned())),
            };
        }
        if text.starts_with("ssh-") || text.starts_with("ecdsa-") {
            let key = text.parse().map_err(|_| InvalidTrustedKey(text.to_owned()))?;
            return Ok(Self::Key(key));
        }
        if text.is_empty() {
            return Err(InvalidTrustedKey(text.to_owned()));
        }
        Ok(Self::File(text.into()))
    }
}

/// A word that is no host key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no host key: give its fingerprint (SHA256:…, as `ssh-keygen -lf` prints it), its \
     public key line, or a file that holds that line"
)]
pub struct InvalidTrustedKey(pub String);

/// Where the ssh keys are that a host keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReuseHostKey {
    /// On the system that runs on the target now.
    Target,
    /// In the secrets, as an encrypted copy.
    Secrets,
    /// On another machine.
    Machine(Destination),
}

impl fmt::Display for ReuseHostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target => f.write_str("target"),
            Self::Secrets => f.write_str("secrets"),
            Self::Machine(machine) => machine.fmt(f),
        }
    }
}

/// Takes `target`, `secrets`, or else where another machine is.
impl FromStr for ReuseHostKey {
    type Err = crate::validated::Invalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "target" => Self::Target,
            "secrets" => Self::Secrets,
            other => Self::Machine(other.parse()?),
        })
    }
}

/// Which configuration the phase `install` installs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// The flake's minimal configuration of the host; `rebuild` brings the full one.
    Minimal,
    /// The full configuration at once.
    Full,
}

/// Who carries out kexec, disko, install and reboot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// This program.
    #[default]
    Native,
    /// The program nixos-anywhere.
    NixosAnywhere,
}

/// Where the full configuration is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RebuildOn {
    /// Here; the closure is copied.
    Here,
    /// On the target, from the synced repo.
    Target,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_keys_are_told_apart_from_files() {
        let fingerprint = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
        let parsed = fingerprint.parse::<TrustedKey>();
        assert_eq!(parsed, Ok(TrustedKey::Fingerprint(fingerprint.to_owned())));
        assert_eq!("key.pub".parse::<TrustedKey>(), Ok(TrustedKey::File("key.pub".into())));
        for bad in ["", "SHA256:", "SHA256:abc", "ssh-ed25519 nonsense"] {
            assert!(bad.parse::<TrustedKey>().is_err(), "{bad:?} was accepted");
        }
    }
}
