//! The ssh program as a [`Connector`]: one master connection in the background (`master`), through
//! whose socket every command goes (`session`, `channel`). What ssh says on failure is read in `diagnose`.

mod channel;
mod diagnose;
mod identity;
mod master;
mod scan;
mod session;
mod shell;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use self::diagnose::{Case, diagnose};
use self::identity::Identity;
use self::master::{Master, Place};
use self::session::SshConnection;
use super::connect::{ConnectError, Connection, Connector, Login};
use super::host_key::HostPublicKey;
use super::known_hosts;
use crate::process::{Error, Runner};
use crate::validated::Address;

pub use self::identity::may_ask;

/// What ssh adds to its own limit before it is stopped: it counts the limit twice, once for the
/// connection and once for the greeting.
const MARGIN: Duration = Duration::from_secs(5);

/// Connects with the `ssh` program.
pub struct SshConnector {
    runner: Arc<dyn Runner>,
    cancel: CancellationToken,
}

impl SshConnector {
    /// A connector whose ssh is started by `runner`, and whose remote commands are stopped when
    /// `cancel` fires.
    #[must_use]
    pub fn new(runner: Arc<dyn Runner>, cancel: CancellationToken) -> Self {
        Self { runner, cancel }
    }

    /// Logs in and leaves a master behind.
    async fn log_in(
        &self,
        login: &Login,
        identity: Option<&Identity>,
    ) -> Result<Place, ConnectError> {
        let place = Place::new(&login.control_dir).map_err(|error| other(login, &error))?;
        let command = master::command(login, &place).map_err(|error| other(login, &error))?;
        let (address, port) = (login.address.clone(), login.port);
        let run = async {
            if login.interactive {
                // A person who types a passphrase has all the time in the world.
                self.runner.run(&command).await
            } else {
                self.runner.run_within(&command, login.timeout * 2 + MARGIN).await
            }
        };
        let done = tokio::select! {
            done = run => done,
            () = self.cancel.cancelled() => return Err(ConnectError::Cancelled { address }),
        };
        match done {
            Ok(output) if output.ok() => Ok(place),
            Ok(_) => Err(failed(login, identity, &place)),
            Err(Error::Cancelled { .. }) => Err(ConnectError::Cancelled { address }),
            Err(Error::TimedOut { .. }) => {
                Err(ConnectError::TimedOut { address, port, limit: login.timeout })
            }
            Err(error) => Err(other(login, &error)),
        }
    }
}

#[async_trait]
impl Connector for SshConnector {
    async fn connect(&self, login: &Login) -> Result<Arc<dyn Connection>, ConnectError> {
        let identity = login.identity.as_deref().map(identity).transpose()?;
        let login =
            &Login { identity: identity.as_ref().map(|found| found.file.clone()), ..login.clone() };
        let place = self.log_in(login, identity.as_ref()).await?;
        // The log may be gone later; without it nothing fails.
        let log = fs::read(&place.log).unwrap_or_default();
        let host_key = diagnose::host_key_shown(&String::from_utf8_lossy(&log));
        let master = Master::attach(place).map_err(|error| ConnectError::Lost {
            address: login.address.clone(),
            port: login.port,
            reason: error.to_string(),
        })?;
        let root = login.user.as_str() == "root";
        Ok(Arc::new(SshConnection::new(master, root, host_key, self.cancel.clone())))
    }

    async fn scan(
        &self,
        address: &Address,
        port: u16,
        timeout: Duration,
    ) -> Result<Vec<HostPublicKey>, ConnectError> {
        tokio::select! {
            found = scan::scan(self.runner.as_ref(), address, port, timeout) => found,
            () = self.cancel.cancelled() => {
                Err(ConnectError::Cancelled { address: address.clone() })
            }
        }
    }
}

/// Can ssh use this identity file at all? To be asked before a person is asked anything.
pub fn check_identity(file: &Path) -> Result<(), ConnectError> {
    identity(file).map(drop)
}

fn identity(file: &Path) -> Result<Identity, ConnectError> {
    let named = |problem| ConnectError::Identity { file: file.to_owned(), problem };
    Identity::check(file).map_err(named)
}

fn failed(login: &Login, identity: Option<&Identity>, place: &Place) -> ConnectError {
    let pinned = match fs::read(&login.known_hosts) {
        Ok(content) => known_hosts::find(&content, &known_hosts::names(&login.address, login.port)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return other(login, &error),
    };
    let pinned = pinned.iter().map(|key| key.fingerprint().to_owned()).collect();
    match fs::read(&place.log) {
        Ok(log) => diagnose(&Case { login, log: &String::from_utf8_lossy(&log), identity, pinned }),
        Err(error) => other(login, &error),
    }
}

fn other(login: &Login, error: &dyn std::error::Error) -> ConnectError {
    let (address, port) = (login.address.clone(), login.port);
    ConnectError::Other { address, port, reason: error.to_string() }
}
