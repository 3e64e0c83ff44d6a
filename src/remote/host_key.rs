//! The public half of a machine's host key.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A host's public key as it stands in `known_hosts`: algorithm and base64. Only made by parsing, so
/// both parts are known to be sound.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPublicKey {
    kind: String,
    base64: String,
    fingerprint: String,
}

/// A line that is no public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a public key in ssh's format: {0}")]
pub struct InvalidPublicKey(String);

impl HostPublicKey {
    /// The algorithm, such as `ssh-ed25519`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The key itself in base64.
    #[must_use]
    pub fn base64(&self) -> &str {
        &self.base64
    }

    /// `SHA256:…`, as ssh prints it.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

/// Parses a public key line, `KIND BASE64 [COMMENT]`; the comment is dropped.
impl FromStr for HostPublicKey {
    type Err = InvalidPublicKey;

    fn from_str(line: &str) -> Result<Self, InvalidPublicKey> {
        if line.contains("PRIVATE KEY") {
            let text = "it is a private key; the public one is usually in the file with .pub behind its name";
            return Err(InvalidPublicKey(text.to_owned()));
        }
        let key = ssh_key::PublicKey::from_openssh(line.trim())
            .map_err(|error| InvalidPublicKey(error.to_string()))?;
        let mut words = line.split_whitespace();
        let (Some(kind), Some(base64)) = (words.next(), words.next()) else {
            return Err(InvalidPublicKey("a word is missing".to_owned()));
        };
        Ok(Self {
            kind: kind.to_owned(),
            base64: base64.to_owned(),
            fingerprint: key.fingerprint(ssh_key::HashAlg::Sha256).to_string(),
        })
    }
}

impl TryFrom<String> for HostPublicKey {
    type Error = InvalidPublicKey;
    fn try_from(line: String) -> Result<Self, InvalidPublicKey> {
        line.parse()
    }
}

impl From<HostPublicKey> for String {
    fn from(key: HostPublicKey) -> Self {
        key.to_string()
    }
}

/// `KIND BASE64`, as in `known_hosts`.
impl fmt::Display for HostPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.base64)
    }
}
