//! Private keys in other formats than OpenSSH's own, told apart by their first line: what they are, and the command
//! that converts them. Nothing is converted here: that needs ciphers and key types of thirty years.

use std::fmt;

use super::secret::Secret;
use crate::process::Command;

/// A key file that is not in OpenSSH's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// `BEGIN RSA PRIVATE KEY` and its like, as ssh-keygen wrote them until OpenSSH 7.8.
    Pem(&'static str),
    /// `BEGIN PRIVATE KEY`, and with a passphrase `BEGIN ENCRYPTED PRIVATE KEY` (RFC 5958).
    Pkcs8,
    /// The `.ppk` files of `PuTTY`.
    Putty,
    /// `---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----`, of ssh.com; it is called so without a passphrase, too.
    SshCom,
    /// The public half, in whatever format.
    Public,
}

impl Foreign {
    /// Looks at what a key file holds.
    #[must_use]
    pub fn of(content: &Secret) -> Option<Self> {
        let lines = content.expose().split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let starts = [
            ("-----BEGIN RSA PRIVATE KEY-----", Self::Pem("RSA")),
            ("-----BEGIN EC PRIVATE KEY-----", Self::Pem("ECDSA")),
            ("-----BEGIN DSA PRIVATE KEY-----", Self::Pem("DSA")),
            ("-----BEGIN PRIVATE KEY-----", Self::Pkcs8),
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----", Self::Pkcs8),
            ("PuTTY-User-Key-File-", Self::Putty),
            ("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----", Self::SshCom),
            ("---- BEGIN SSH2 PUBLIC KEY ----", Self::Public),
            ("-----BEGIN PUBLIC KEY-----", Self::Public),
            ("-----BEGIN RSA PUBLIC KEY-----", Self::Public),
            ("ssh-", Self::Public),
            ("ecdsa-sha2-", Self::Public),
            ("sk-", Self::Public),
        ];
        // Attributes and comments may stand before the key ("Bag Attributes", as openssl writes them).
        let mut found = lines.filter(|line| !line.is_empty()).take(20);
        found.find_map(|line| {
            starts
                .iter()
                .find(|(start, _)| line.starts_with(start.as_bytes()))
                .map(|(_, what)| *what)
        })
    }

    /// What to do with the file of this name.
    #[must_use]
    pub fn advice(self, file: &str) -> String {
        let new = format!("{file}.openssh");
        match self {
            Self::Pem(_) | Self::Pkcs8 => {
                format!("convert it in place, to a key without a passphrase: {}", rewrite(file))
            }
            Self::Putty => {
                let puttygen =
                    Command::new("puttygen").arg(file).args(["-O", "private-openssh-new"]);
                format!("convert it (puttygen is PuTTY's): {}", puttygen.arg("-o").arg(new))
            }
            Self::SshCom => {
                let import = Command::new("ssh-keygen").args(["-i", "-f", file]);
                format!("convert it: (umask 077; {import} >{})", Command::new(new))
            }
            Self::Public => match file.strip_suffix(".pub") {
                Some(private) => format!("its private half is usually in {private}"),
                None => "give the file with its private half".to_owned(),
            },
        }
    }
}

/// How a key gets rid of its passphrase, which sshd and sops could not give.
#[must_use]
pub fn without_passphrase(file: &str) -> String {
    format!("this asks for the passphrase and takes it away: {}", rewrite(file))
}

/// ssh-keygen writes OpenSSH's format whatever it has read (ssh-keygen(1), `-p`, and `-m`, whose default it is).
fn rewrite(file: &str) -> Command {
    Command::new("ssh-keygen").args(["-p", "-N", "", "-f", file])
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pem(kind) => {
                write!(f, "it is {} {kind} key in the old PEM format", article(kind))
            }
            Self::Pkcs8 => f.write_str("it is a key in the PKCS#8 format"),
            Self::Putty => f.write_str("it is a key in PuTTY's format"),
            Self::SshCom => f.write_str("it is a key in ssh.com's format"),
            Self::Public => f.write_str("it is a public key"),
        }
    }
}

fn article(kind: &str) -> &'static str {
    if kind == "DSA" { "a" } else { "an" }
}
