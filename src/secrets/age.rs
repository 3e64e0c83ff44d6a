//! age keys: the recipient and the identity that an ssh ed25519 key stands for, recipients as
//! validated words, and new identities. Encrypting and decrypting is left to sops.
//!
//! An ed25519 key and an X25519 key are points of the same curve in two forms, so that a host needs no
//! second key to decrypt with: <https://words.filippo.io/using-ed25519-keys-for-encryption/>. The
//! program `ssh-to-age` converts in the same way.

use std::fmt;
use std::str::FromStr;

use bech32::{Bech32, Hrp};
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::montgomery::MontgomeryPoint;
use rand_core::{OsRng, RngCore};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha512};
use ssh_key::PublicKey;
use ssh_key::public::KeyData;
use zeroize::Zeroizing;

use super::host_key::{self, HostKeyError};
use super::key_format::Foreign;
use super::secret::Secret;

/// Human-readable parts of the bech32 words, by the age specification.
const RECIPIENT: Hrp = Hrp::parse_unchecked("age");
const IDENTITY: Hrp = Hrp::parse_unchecked("age-secret-key-");

/// Why there is no age key. Never holds a secret one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgeError {
    /// The word is no recipient.
    #[error("{word:?} is no age recipient: {reason}")]
    Recipient {
        /// What was given.
        word: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The line is no public key of ssh's.
    #[error("not a public key in ssh's format: {0}")]
    NotAPublicKey(String),
    /// Only ed25519 keys have an age form.
    #[error("the key is {0}; only ssh-ed25519 keys can be age keys")]
    Kind(String),
    /// The bytes are no point of the curve.
    #[error("the public key is no point of the curve")]
    NoPoint,
    /// The text is no identity of age.
    #[error("it holds no age identity (AGE-SECRET-KEY-1…)")]
    NoIdentity,
    /// The private key cannot be used.
    #[error(transparent)]
    Private(#[from] HostKeyError),
    /// The word could not be written.
    #[error("could not write the key: {0}")]
    Encode(String),
}

impl AgeError {
    /// What to do with the file that holds the key.
    #[must_use]
    pub fn advice(&self, file: &str) -> Option<String> {
        match self {
            Self::Private(error) => error.advice(file),
            _ => None,
        }
    }
}

/// A recipient that age and sops take: an X25519 one (`age1…`), one of a plugin (`age1NAME1…`), or an
/// ssh public key. Only made by parsing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Recipient(String);

impl Recipient {
    /// The text as it stands in `.sops.yaml`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The recipient of an ssh ed25519 public key line, `ssh-ed25519 BASE64 [COMMENT]`.
    pub fn of_ssh(line: &str) -> Result<Self, AgeError> {
        let key = PublicKey::from_openssh(line.trim())
            .map_err(|error| AgeError::NotAPublicKey(error.to_string()))?;
        let KeyData::Ed25519(key) = key.key_data() else {
            return Err(AgeError::Kind(key.algorithm().to_string()));
        };
        let point = CompressedEdwardsY(key.0).decompress().ok_or(AgeError::NoPoint)?;
        Self::of_point(&point.to_montgomery())
    }

    fn of_point(point: &MontgomeryPoint) -> Result<Self, AgeError> {
        let word = bech32::encode::<Bech32>(RECIPIENT, point.as_bytes());
        word.map(Self).map_err(|error| AgeError::Encode(error.to_string()))
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<Recipient> for String {
    fn from(recipient: Recipient) -> Self {
        recipient.0
    }
}

impl TryFrom<String> for Recipient {
    type Error = AgeError;
    fn try_from(word: String) -> Result<Self, AgeError> {
        word.parse()
    }
}

impl FromStr for Recipient {
    type Err = AgeError;

    fn from_str(word: &str) -> Result<Self, AgeError> {
        let wrong = |reason: &str| AgeError::Recipient {
            // A secret key that was given by mistake must not get into a message.
            word: if word.to_ascii_uppercase().contains("SECRET") { "…" } else { word }.to_owned(),
            reason: reason.to_owned(),
        };
        if word.starts_with("ssh-") {
            let line = word.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
            return match PublicKey::from_openssh(&line) {
                Ok(_) if !word.contains(['\n', '\r', '#', ',']) => Ok(Self(line)),
                _ => Err(wrong("it is no public key in ssh's format")),
            };
        }
        if word.to_ascii_lowercase().starts_with("age-secret-key-") {
            return Err(wrong("it is a secret key; a recipient begins with \"age1\""));
        }
        let Some((head, data)) = word.rsplit_once('1').filter(|(head, _)| head.starts_with("age"))
        else {
            return Err(wrong("a recipient begins with \"age1\""));
        };
        if head == "age" {
            return match bech32::decode(word) {
                Ok((_, bytes)) if bytes.len() == 32 => Ok(Self(word.to_owned())),
                Ok(_) => Err(wrong("it does not have the length of a key")),
                Err(error) => Err(wrong(&error.to_string())),
            };
        }
        // Of a plugin; its words may be longer than bech32 allows.
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let name = head.strip_prefix("age1").unwrap_or_default();
        let named = !name.is_empty() && name.chars().all(|c| plain(c) || "-_+.".contains(c));
        if named && data.len() > 6 && data.chars().all(plain) {
            return Ok(Self(word.to_owned()));
        }
        Err(wrong("it has characters that no recipient has"))
    }
}

/// A secret age key, `AGE-SECRET-KEY-1…`, with its recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    secret: Secret,
    recipient: Recipient,
}

impl Identity {
    /// Makes a new one.
    pub fn generate() -> Result<Self, AgeError> {
        let mut scalar = Zeroizing::new([0; 32]);
        OsRng.fill_bytes(&mut *scalar);
        Self::of_scalar(&scalar)
    }

    /// The identity that an ssh ed25519 private key stands for: the scalar that ed25519 itself derives
    /// from the seed (RFC 8032, 5.1.5).
    pub fn of_ssh(private: &Secret) -> Result<Self, AgeError> {
        let key = host_key::open(private).map_err(|error| match error {
            // Not worth being converted.
            HostKeyError::Foreign(Foreign::Pem(kind)) => AgeError::Kind(kind.to_owned()),
            other => other.into(),
        })?;
        let Some(pair) = key.key_data().ed25519() else {
            return Err(AgeError::Kind(key.algorithm().to_string()));
        };
        let digest = Zeroizing::new(<[u8; 64]>::from(Sha512::digest(pair.private.as_ref())));
        let mut scalar = Zeroizing::new([0; 32]);
        scalar.copy_from_slice(&digest[..32]);
        Self::of_scalar(&scalar)
    }

    /// Reads what age-keygen writes: comments, and one line `AGE-SECRET-KEY-1…`.
    pub fn parse(text: &Secret) -> Result<Self, AgeError> {
        let lines = text.expose().split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with(b"#"));
        let word = lines.next().and_then(|line| std::str::from_utf8(line).ok());
        let word = word.ok_or(AgeError::NoIdentity)?;
        let (hrp, bytes) = bech32::decode(word).map_err(|_| AgeError::NoIdentity)?;
        let bytes = Zeroizing::new(bytes);
        let mut scalar = Zeroizing::new([0; 32]);
        if hrp != IDENTITY || bytes.len() != scalar.len() {
            return Err(AgeError::NoIdentity);
        }
        scalar.copy_from_slice(&bytes);
        Self::of_scalar(&scalar)
    }

    /// age clamps the scalar when it is used, so it is written as it is.
    fn of_scalar(scalar: &Zeroizing<[u8; 32]>) -> Result<Self, AgeError> {
        let word = bech32::encode_upper::<Bech32>(IDENTITY, scalar.as_slice());
        let word = Zeroizing::new(word.map_err(|error| AgeError::Encode(error.to_string()))?);
        let recipient = Recipient::of_point(&MontgomeryPoint::mul_base_clamped(**scalar))?;
        Ok(Self { secret: Secret::new(word.as_bytes()), recipient })
    }

    /// `AGE-SECRET-KEY-1…`, without a newline.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Who encrypts for this one.
    #[must_use]
    pub fn recipient(&self) -> &Recipient {
        &self.recipient
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test key of ssh-to-age and what its README says of it.
    const PUBLIC: &str = "ssh-ed25519 \
        AAAAC3NzaC1lZDI1NTE5AAAAIOHz+U0YtjINc54dZiJNclfmEFifF7RXCFlNlTbuZBji joerg@turingmachine";
    const PRIVATE: &str = "-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACDh8/lNGLYyDXOeHWYiTXJX5hBYnxe0VwhZTZU27mQY4gAAAJjpEFzo6RBc
6AAAAAtzc2gtZWQyNTUxOQAAACDh8/lNGLYyDXOeHWYiTXJX5hBYnxe0VwhZTZU27mQY4g
AAAEDsBo0iLkC2U9CS5XgSo7zS/nQvjxaPfhfFCR+BshxoL+Hz+U0YtjINc54dZiJNclfm
EFifF7RXCFlNlTbuZBjiAAAAE2pvZXJnQHR1cmluZ21hY2hpbmUBAg==
-----END OPENSSH PRIVATE KEY-----
";
    const RECIPIENT: &str = "age17044m9wgakla6pzftf4srtl3h5mcsr85jysgt5fg23zpnta8sfdqhzn452";
    const SECRET: &str =
        "AGE-SECRET-KEY-1K3VN4N03PTHJWSJSCCMQCN33RY5FSKQPJ4KRRTG3JMQUYE0TUSEQEDH6V8";

    #[test]
    fn the_published_test_key_of_ssh_to_age() {
        assert_eq!(Recipient::of_ssh(PUBLIC).unwrap().as_str(), RECIPIENT);
        let identity = Identity::of_ssh(&Secret::new(PRIVATE)).unwrap();
        assert_eq!(identity.secret().expose(), SECRET.as_bytes());
        assert_eq!(identity.recipient().as_str(), RECIPIENT);
        assert!(!format!("{identity:?}").contains("SECRET"));
    }

    #[test]
    fn new_identities_differ_and_have_sound_recipients() {
        let (one, two) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.recipient().as_str().parse(), Ok(one.recipient().clone()));
        let file = [b"# created: x\n", one.secret().expose(), b"\n"].concat();
        assert_eq!(Identity::parse(&Secret::new(file)), Ok(one));
        for bad in ["", "# only", RECIPIENT, "AGE-SECRET-KEY-1QQ"] {
            assert_eq!(Identity::parse(&Secret::new(bad)), Err(AgeError::NoIdentity), "{bad}");
        }
    }

    #[test]
    fn recipients_are_told_from_what_only_looks_like_them() {
        let yubikey = "age1yubikey1qgcrsu4kzjvkkl5hwlxefpwn3xx2t7ffv6lhx7zqkwy8jvzfaxmv7wmdrwu";
        for good in [RECIPIENT, yubikey, &PUBLIC[..80]] {
            assert_eq!(good.parse::<Recipient>().unwrap().as_str(), good);
        }
        let typo = RECIPIENT.replace("44m", "45m");
        for bad in ["", "age1", "age1x", &typo, "age0abc", "age1 a", "age1a: b1qqqqqqqq", "pgp"] {
            assert!(bad.parse::<Recipient>().is_err(), "{bad:?} was accepted");
        }
        let error = SECRET.parse::<Recipient>().unwrap_err().to_string();
        assert!(error.contains("secret key") && !error.contains("K3VN4"), "{error}");
    }

    #[test]
    fn other_kinds_of_keys_are_named() {
        let rsa = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAIQCf";
        assert!(matches!(Recipient::of_ssh(rsa), Err(AgeError::NotAPublicKey(_))));
        let ecdsa = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBHwf2HMM5T\
                     RXvo2SQJjsNkiDD5KqiiNjrGVv3UUh+mMT5RHxiRtOnlqvjhQtBq0VpmpCV/PwUdhOig4vkbqAcEc=";
        let error = Recipient::of_ssh(ecdsa).unwrap_err();
        assert!(error.to_string().contains("only ssh-ed25519"), "{error}");
        let error = Identity::of_ssh(&Secret::new("hello")).unwrap_err();
        assert!(matches!(error, AgeError::Private(HostKeyError::NotAKey(_))), "{error}");
        // Not every y is one of a point.
        let mut wire = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
        wire.extend([2; 32]);
        let line = format!("ssh-ed25519 {}", data_encoding::BASE64.encode(&wire));
        assert_eq!(Recipient::of_ssh(&line), Err(AgeError::NoPoint));
    }
}
