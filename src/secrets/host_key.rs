//! The host's ssh ed25519 key pair. Made and read here; writing it to files is the caller's.

use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey};

use super::key_format::{Foreign, without_passphrase};
use super::secret::Secret;

/// Why there is no key pair. Never holds any of the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostKeyError {
    /// The text is no OpenSSH private key.
    #[error("not a private key in OpenSSH's format: {0}")]
    NotAKey(String),
    /// It is in another format.
    #[error("{0}, not one in OpenSSH's format")]
    Foreign(Foreign),
    /// It has a passphrase, which sshd could not give.
    #[error("the key has a passphrase")]
    Encrypted,
    /// Not ed25519.
    #[error("the host key is {0}, expected was ssh-ed25519")]
    Kind(String),
    /// The pair could not be made.
    #[error("could not make a key pair: {0}")]
    Generate(String),
}

impl HostKeyError {
    /// What to do with the file that holds the key.
    #[must_use]
    pub fn advice(&self, file: &str) -> Option<String> {
        match self {
            Self::Foreign(format) => Some(format.advice(file)),
            Self::Encrypted => Some(without_passphrase(file)),
            Self::NotAKey(_) | Self::Kind(_) | Self::Generate(_) => None,
        }
    }
}

/// An ed25519 key pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostKeyPair {
    private: Secret,
    public: String,
    fingerprint: String,
}

impl HostKeyPair {
    /// Makes a new pair; `comment` is `root@HOST` by custom.
    pub fn generate(comment: &str) -> Result<Self, HostKeyError> {
        let made = PrivateKey::random(&mut rand_core::OsRng, Algorithm::Ed25519);
        let mut key = made.map_err(|error| HostKeyError::Generate(error.to_string()))?;
        key.set_comment(comment);
        Self::from_key(&key)
    }

    /// Reads a pair from the text of its private key.
    pub fn from_private(private: &Secret) -> Result<Self, HostKeyError> {
        let key = open(private)?;
        if key.algorithm() != Algorithm::Ed25519 {
            return Err(HostKeyError::Kind(key.algorithm().to_string()));
        }
        let mut pair = Self::from_key(&key)?;
        // The same bytes as in the file: writing it again must change nothing.
        pair.private = private.clone();
        Ok(pair)
    }

    /// The private key's file content.
    #[must_use]
    pub fn private(&self) -> &Secret {
        &self.private
    }

    /// The public key's line, without a newline: `ssh-ed25519 BASE64 COMMENT`.
    #[must_use]
    pub fn public(&self) -> &str {
        &self.public
    }

    /// `SHA256:…`, as ssh prints it.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn from_key(key: &PrivateKey) -> Result<Self, HostKeyError> {
        let unwritable = |error: ssh_key::Error| HostKeyError::Generate(error.to_string());
        let private = key.to_openssh(LineEnding::LF).map_err(unwritable)?;
        Ok(Self {
            private: Secret::new(private.as_bytes()),
            public: key.public_key().to_openssh().map_err(unwritable)?,
            fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
        })
    }
}

/// Reads the private key of a host, of any kind that is made here: its kind (`ed25519`, `rsa`) and its public line.
pub fn read(private: &Secret) -> Result<(&'static str, String), HostKeyError> {
    let key = open(private)?;
    let kind = match key.algorithm() {
        Algorithm::Ed25519 => "ed25519",
        Algorithm::Rsa { .. } => "rsa",
        other => return Err(HostKeyError::Kind(other.to_string())),
    };
    let public = key.public_key().to_openssh();
    Ok((kind, public.map_err(|error| HostKeyError::NotAKey(error.to_string()))?))
}

/// Reads a private key in OpenSSH's format that has no passphrase.
pub(super) fn open(private: &Secret) -> Result<PrivateKey, HostKeyError> {
    let key = PrivateKey::from_openssh(private.expose()).map_err(|error| {
        Foreign::of(private)
            .map_or_else(|| HostKeyError::NotAKey(error.to_string()), HostKeyError::Foreign)
    })?;
    if key.is_encrypted() { Err(HostKeyError::Encrypted) } else { Ok(key) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::process::Command;

    use super::*;

    fn keygen(args: &[&str], file: &Path) -> String {
        let output = Command::new("ssh-keygen").args(args).arg("-f").arg(file).output();
        let output = output.expect("this test needs ssh-keygen: install openssh-client");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    fn written(private: &Secret) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), private.expose()).unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
        file
    }

    #[test]
    fn openssh_reads_a_pair_made_here() {
        let pair = HostKeyPair::generate("root@grief").unwrap();
        assert!(pair.public().ends_with(" root@grief"));
        let file = written(pair.private());
        assert_eq!(keygen(&["-y"], file.path()), pair.public());
        assert!(keygen(&["-l"], file.path()).contains(pair.fingerprint()));
        assert_eq!(HostKeyPair::from_private(pair.private()).unwrap(), pair);
        assert_ne!(HostKeyPair::generate("root@grief").unwrap(), pair);
        assert!(!format!("{pair:?}").contains("PRIVATE"));
    }

    fn made_by_openssh(args: &[&str]) -> Secret {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        keygen(&[&["-q", "-C", "root@guppy"], args].concat(), &file);
        Secret::new(std::fs::read(file).unwrap())
    }

    #[test]
    fn a_pair_made_by_openssh_is_read_here() {
        let private = made_by_openssh(&["-t", "ed25519", "-N", ""]);
        let pair = HostKeyPair::from_private(&private).unwrap();
        assert_eq!(pair.private(), &private, "byte for byte");
        assert_eq!(keygen(&["-y"], written(&private).path()), pair.public());
    }

    #[test]
    fn keys_of_both_kinds_are_read_with_their_public_half() {
        for kind in ["ed25519", "rsa"] {
            let private = made_by_openssh(&["-t", kind, "-N", ""]);
            let expected = keygen(&["-y"], written(&private).path());
            assert_eq!(read(&private), Ok((kind, expected)));
        }
        let locked = made_by_openssh(&["-t", "rsa", "-N", "secret"]);
        assert_eq!(read(&locked), Err(HostKeyError::Encrypted));
        let ecdsa = made_by_openssh(&["-t", "ecdsa", "-N", ""]);
        assert!(read(&ecdsa).is_err());
    }

    #[test]
    fn what_sshd_could_not_use_is_refused() {
        let locked = made_by_openssh(&["-t", "ed25519", "-N", "secret"]);
        assert_eq!(HostKeyPair::from_private(&locked), Err(HostKeyError::Encrypted));
        let ecdsa = made_by_openssh(&["-t", "ecdsa", "-N", ""]);
        let error = HostKeyPair::from_private(&ecdsa).unwrap_err().to_string();
        assert!(error.contains("ecdsa") && error.contains("ssh-ed25519"), "{error}");
        let error = HostKeyPair::from_private(&Secret::new("hello")).unwrap_err();
        assert!(matches!(error, HostKeyError::NotAKey(_)), "{error}");
    }
}
