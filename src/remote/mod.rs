//! The machine at the other end: where it is ([`Destination`]), how to get there ([`Connector`]), how
//! commands and files get there ([`Remote`], [`copy`]), what is on it ([`Probe`]). Knows nothing of
//! configurations or plans.

pub mod command;
pub mod connect;
pub mod copy;
pub mod destination;
pub mod discover;
pub mod display;
pub mod forges;
pub mod host_key;
pub mod known_hosts;
mod leftovers;
pub mod model;
pub mod probe;
mod ssh;

pub use command::{Remote, RemoteCommand, quote};
pub use connect::{ConnectError, Connection, Connector, IdentityProblem, Login, ProvenKey};
pub use copy::{put_file, put_tree};
pub use destination::{Destination, TwoPorts};
pub use discover::{AnnouncedDisk, DiscoverError, Finder, Installer, Mdns};
pub use host_key::HostPublicKey;
pub use leftovers::stop_leftovers;
pub use model::*;
pub use probe::{ProbeError, probe};
pub use ssh::{SshConnector, check_identity, may_ask};
