//! Getting to a machine over ssh: what is needed for it ([`Login`]), who does it ([`Connector`]),
//! and every way in which it fails ([`ConnectError`]). The ssh program itself is in `ssh`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::command::Remote;
use super::host_key::HostPublicKey;
use crate::validated::{Address, UserName};

/// What is needed to reach a machine and to know that it is the right one.
#[derive(Debug, Clone)]
pub struct Login {
    /// Where it is.
    pub address: Address,
    /// ssh port.
    pub port: u16,
    /// Login name.
    pub user: UserName,
    /// Private key file; `None` leaves it to the agent and ssh's own configuration.
    pub identity: Option<PathBuf>,
    /// The run's own `known_hosts` file: only keys in it are accepted, under the names of
    /// [`names`](super::known_hosts::names). The user's own files are not looked at.
    pub known_hosts: PathBuf,
    /// A private directory of this run, for the control socket.
    pub control_dir: PathBuf,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// May ssh ask on the terminal (passphrases)?
    pub interactive: bool,
}

/// Opens connections. Implemented by [`SshConnector`](super::SshConnector).
#[async_trait]
pub trait Connector: Send + Sync {
    /// Connects and logs in: one handshake, one connection, however many commands follow.
    async fn connect(&self, login: &Login) -> Result<Arc<dyn Connection>, ConnectError>;

    /// Asks a machine for its host keys, ed25519 first. They are not proven to be the right ones:
    /// show their fingerprints before they are trusted.
    async fn scan(
        &self,
        address: &Address,
        port: u16,
        timeout: Duration,
    ) -> Result<Vec<HostPublicKey>, ConnectError>;
}

/// An open connection.
#[async_trait]
pub trait Connection: Remote {
    /// Ends the connection; commands that still run there are stopped.
    async fn close(&self);

    /// Does the machine still answer?
    async fn is_alive(&self) -> bool;

    /// The key with which the machine has proved which one it is, where that is known.
    fn host_key(&self) -> Option<&ProvenKey>;
}

/// A host key whose private half a machine has shown to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenKey {
    /// The algorithm, such as `ssh-ed25519`.
    pub kind: String,
    /// `SHA256:…`.
    pub fingerprint: String,
}

/// Why there is no connection. Each message says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// Nothing listens there.
    #[error(
        "{address} port {port} refused the connection: no ssh server listens there (yet). Check \
         the address and --port, and that sshd runs on the machine"
    )]
    Refused {
        /// Where.
        address: Address,
        /// Port.
        port: u16,
    },
    /// No answer in time.
    #[error(
        "{address} port {port} did not answer within {} s: check the address, that the machine is \
         on and that no firewall is in between", .limit.as_secs()
    )]
    TimedOut {
        /// Where.
        address: Address,
        /// Port.
        port: u16,
        /// How long it was tried.
        limit: Duration,
    },
    /// There is no way to the network of the machine.
    #[error("{address} port {port} cannot be reached: {reason}. Check the address and the network")]
    Unreachable {
        /// Where.
        address: Address,
        /// Port.
        port: u16,
        /// What the system said.
        reason: String,
    },
    /// The name has no address.
    #[error("the name {address} has no address: check its spelling, or give the IP address")]
    NameNotFound {
        /// The name.
        address: Address,
    },
    /// No host key of this machine is pinned.
    #[error(
        "the host key of {address} port {port} is not known{}: compare its fingerprint with the \
         one on the machine's screen and accept it", got.as_ref().map(|key| format!(" (it is {key})")).unwrap_or_default()
    )]
    HostKeyUnknown {
        /// Where.
        address: Address,
        /// Port.
        port: u16,
        /// Fingerprint of the key that the machine showed.
        got: Option<String>,
    },
    /// Another key than the pinned one: another machine, or someone in between.
    #[error(
        "{address} port {port} is not the machine that was expected: its host key is {}, expected \
         was {}. Either another machine has this address now, or someone is in between; nothing \
         was sent to it", got.as_deref().unwrap_or("another one"), expected.join(" or ")
    )]
    HostKeyMismatch {
        /// Where.
        address: Address,
        /// Port.
        port: u16,
        /// Fingerprints of the pinned keys.
        expected: Vec<String>,
        /// Fingerprint of the key that the machine showed.
        got: Option<String>,
    },
    /// The machine did not accept the login.
    #[error("{user}@{address} did not let us in: {reason}. {advice}")]
    Authentication {
        /// Login name.
        user: UserName,
        /// Where.
        address: Address,
        /// What the server accepts.
        reason: String,
        /// Fingerprints of the keys that were offered.
        offered: Vec<String>,
        /// What to do.
        advice: String,
    },
    /// The key has a passphrase, and there is neither an agent that holds it nor a terminal.
    #[error(
        "the key {} has a passphrase and no ssh agent holds it: run `ssh-add {}` first \
         (start an agent with `eval $(ssh-agent)`), or run in a terminal to be asked",
        .file.display(), .file.display()
    )]
    Passphrase {
        /// The key file.
        file: PathBuf,
    },
    /// The identity file is of no use.
    #[error("the identity file {} {problem}", .file.display())]
    Identity {
        /// The file.
        file: PathBuf,
        /// What is wrong with it, and what to do.
        problem: IdentityProblem,
    },
    /// The connection broke while it was being made.
    #[error("the connection to {address} port {port} broke off: {reason}")]
    Lost {
        /// Where.
        address: Address,
        /// Port.
        port: u16,
        /// What ssh said.
        reason: String,
    },
    /// The run was stopped (Ctrl-C).
    #[error("connecting to {address} was stopped")]
    Cancelled {
        /// Where.
        address: Address,
    },
    /// Anything else.
    #[error("could not connect to {address} port {port}: {reason}")]
    Other {
        /// Where.
        address: Address,
        /// Port.
        port: u16,
        /// What ssh, or the system, said.
        reason: String,
    },
}

/// What is wrong with an identity file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityProblem {
    /// It is not there.
    #[error("does not exist: check --identity")]
    Missing,
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// Others may read it, which ssh refuses.
    #[error("may be read by others (mode {0:04o}), so ssh refuses it: run `chmod 600` on it")]
    TooOpen(u32),
    /// It is a public key.
    #[error("is a public key: give the private one (usually the same name without .pub)")]
    PublicKey,
    /// It is a key in the format of `PuTTY`; with the command that converts it.
    #[error("is a key in PuTTY's format, which ssh can't read. Convert it: {0}")]
    Putty(String),
    /// It holds no key.
    #[error("holds no private key that ssh can read")]
    NotAKey,
}
