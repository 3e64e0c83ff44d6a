//! From the value of the facts expression to [`HostFacts`] and [`HostSummary`].

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::decode::DecodeError;
use super::model::HostFacts;
use crate::validated::HostName;

/// One line about a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostSummary {
    /// Attribute name in `nixosConfigurations`; not every one can be a [`HostName`].
    pub name: String,
    /// Platform such as `x86_64-linux`.
    pub system: String,
    /// Is this only the minimal configuration of the installer?
    pub is_minimal: bool,
}

/// Reads the facts of one host from the value that [`FACTS_NIX`](super::FACTS_NIX) gives for it.
pub fn decode_host(name: &HostName, value: &Value) -> Result<HostFacts, DecodeError> {
    let _ = (name, value);
    todo!()
}

/// Reads the list of hosts from the value that [`HOSTS_NIX`](super::HOSTS_NIX) gives.
pub fn decode_hosts(value: &Value) -> Result<Vec<HostSummary>, DecodeError> {
    let _ = value;
    todo!()
}
