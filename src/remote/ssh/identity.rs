//! Looking at an identity file before ssh does, for better words than ssh's.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::{fs, io};

use zeroize::Zeroizing;

use crate::process::Command;
use crate::remote::connect::{IdentityProblem, Login};

/// An identity file that ssh will take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) file: PathBuf,
    /// Does it have a passphrase?
    pub(super) locked: bool,
}

impl Identity {
    /// Looks at the file. What it may hold is more than this program can read (keys in PEM, keys
    /// on tokens): only what ssh is sure to refuse is refused.
    pub(super) fn check(file: &Path) -> Result<Self, IdentityProblem> {
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => IdentityProblem::Missing,
            _ => IdentityProblem::Unreadable(error.to_string()),
        };
        // ssh resolves a relative path from where it runs, which is here; but says it back as is.
        let file = std::path::absolute(file).map_err(unreadable)?;
        let metadata = fs::metadata(&file).map_err(unreadable)?;
        let content = Zeroizing::new(fs::read(&file).map_err(unreadable)?);
        let text = String::from_utf8_lossy(&content);
        if ssh_key::PublicKey::from_openssh(text.trim()).is_ok() {
            return Err(IdentityProblem::PublicKey);
        }
        if text.starts_with("PuTTY-User-Key-File-") {
            let new = format!("{}.openssh", file.display());
            let convert = Command::new("puttygen").arg(file.as_os_str());
            let convert = convert.args(["-O", "private-openssh-new", "-o", &new]);
            return Err(IdentityProblem::Putty(convert.to_string()));
        }
        if !text.contains("-----BEGIN ") || !text.contains("PRIVATE KEY-----") {
            return Err(IdentityProblem::NotAKey);
        }
        // ssh's own rule (sshkey_perm_ok): of files of the same user only.
        let mode = metadata.permissions().mode() & 0o7777;
        if metadata.uid() == rustix::process::getuid().as_raw() && mode & 0o077 != 0 {
            return Err(IdentityProblem::TooOpen(mode));
        }
        Ok(Self { locked: locked(&text), file })
    }
}

/// The identities that ssh tries unless told otherwise (`ssh_config(5)`, "`IdentityFile`").
const USUAL: [&str; 3] = ["id_rsa", "id_ecdsa", "id_ed25519"];

/// May ssh ask for the passphrase of a key when it logs in so?
#[must_use]
pub fn may_ask(login: &Login) -> bool {
    let locked = |file: &Path| Identity::check(file).is_ok_and(|identity| identity.locked);
    if !login.interactive {
        return false;
    }
    if let Some(file) = &login.identity {
        return locked(file);
    }
    let agent = std::env::var_os("SSH_AUTH_SOCK").is_some_and(|socket| !socket.is_empty());
    let home = std::env::home_dir().unwrap_or_default();
    !agent && USUAL.iter().any(|name| locked(&home.join(".ssh").join(name)))
}

fn locked(text: &str) -> bool {
    match ssh_key::PrivateKey::from_openssh(text.as_bytes()) {
        Ok(key) => key.is_encrypted(),
        Err(_) => text.contains("ENCRYPTED"),
    }
}
