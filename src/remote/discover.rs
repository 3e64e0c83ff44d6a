//! Installers that make themselves known on the local network by multicast DNS (RFC 6762, RFC 6763). What they say
//! is a hint: whether a machine is the right one, its ssh host key tells.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use mdns_sd::{Receiver, ResolvedService, ScopedIp, ServiceDaemon, ServiceEvent};
use tokio::task::spawn_blocking;

use super::display::printable;
use crate::validated::Address;

/// The service that the installer image announces.
const SERVICE: &str = "_nixos-installer._tcp.local.";

/// Who is quiet for this long after somebody has answered is not there: answers take at most a fifth of a second,
/// and the question is asked again after one.
const QUIET: Duration = Duration::from_millis(1300);

/// An installer that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installer {
    /// What it calls itself.
    pub name: String,
    /// Its best address.
    pub address: Address,
    /// The port of its ssh server.
    pub port: u16,
    /// The MAC addresses of its network cards.
    pub macs: Vec<String>,
    /// The fingerprint of its host key, by its own word.
    pub fingerprint: Option<String>,
    /// What it could be installed to, where it says so.
    pub disks: Vec<AnnouncedDisk>,
}

/// A disk of an installer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnnouncedDisk {
    /// The kernel's name, such as `sda`.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Its model; may be empty.
    pub model: String,
}

/// Why nobody could be looked for.
#[derive(Debug, thiserror::Error)]
#[error("the local network could not be searched: {0}")]
pub struct DiscoverError(String);

/// Looks for installers.
#[async_trait]
pub trait Finder: Send + Sync {
    /// Those that answer within `limit`, by name.
    async fn installers(&self, limit: Duration) -> Result<Vec<Installer>, DiscoverError>;
}

/// Asks the networks that this machine is in.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mdns;

#[async_trait]
impl Finder for Mdns {
    async fn installers(&self, limit: Duration) -> Result<Vec<Installer>, DiscoverError> {
        let failed = |error: &dyn std::fmt::Display| DiscoverError(error.to_string());
        let daemon = ServiceDaemon::new().map_err(|error| failed(&error))?;
        let events = daemon.browse(SERVICE).map_err(|error| failed(&error))?;
        let found = spawn_blocking(move || listen(&events, limit)).await;
        // Its thread would go on asking; that it may have ended already is as good.
        let _ = daemon.shutdown();
        found.map_err(|error| failed(&error))
    }
}

/// Collects what is told until the limit.
fn listen(events: &Receiver<ServiceEvent>, limit: Duration) -> Vec<Installer> {
    let mut found = BTreeMap::new();
    let mut end = Instant::now() + limit;
    while let Ok(event) = events.recv_deadline(end) {
        match event {
            ServiceEvent::ServiceResolved(service) => {
                if let Some(installer) = Announcement::of(&service).installer() {
                    found.insert(service.fullname.clone(), installer);
                    end = end.min(Instant::now() + QUIET);
                }
            }
            ServiceEvent::ServiceRemoved(_, name) => {
                found.remove(&name);
            }
            _ => {}
        }
    }
    found.into_values().collect()
}

/// What was announced, as it came.
struct Announcement<'a> {
    fullname: &'a str,
    /// With the zone, where the address needs one.
    addresses: Vec<(IpAddr, String)>,
    port: u16,
    properties: Vec<(&'a str, String)>,
}

impl<'a> Announcement<'a> {
    fn of(service: &'a ResolvedService) -> Self {
        let address = |ip: &ScopedIp| (ip.to_ip_addr(), ip.to_string());
        let properties = service.txt_properties.iter();
        Self {
            fullname: &service.fullname,
            addresses: service.addresses.iter().map(address).collect(),
            port: service.port,
            properties: properties
                .map(|entry| {
                    let value = String::from_utf8_lossy(entry.val().unwrap_or_default());
                    (entry.key(), value.into_owned())
                })
                .collect(),
        }
    }

    fn installer(&self) -> Option<Installer> {
        let name = self.fullname.strip_suffix(SERVICE)?.trim_end_matches('.');
        let mut addresses = self.addresses.clone();
        addresses.sort_by_key(|(ip, text)| (rank(ip), *ip, text.clone()));
        let mut usable =
            addresses.iter().filter(|(ip, _)| !ip.is_loopback() && !ip.is_unspecified());
        let address = usable.find_map(|(_, text)| text.parse().ok())?;
        let macs = self.property("mac").unwrap_or_default();
        let mac = |text: &&str| text.len() == 17 && text.bytes().all(is_of_mac);
        let fingerprint = self.property("hostkey").map(printable);
        Some(Installer {
            name: printable(name),
            address,
            port: if self.port == 0 { 22 } else { self.port },
            macs: macs.split(',').filter(mac).map(ToOwned::to_owned).collect(),
            fingerprint: fingerprint.filter(|text| text.starts_with("SHA256:")),
            disks: (1..).map_while(|n| disk(self.property(&format!("disk{n}"))?)).collect(),
        })
    }

    fn property(&self, name: &str) -> Option<&str> {
        let is_it = |entry: &&(&str, String)| entry.0.eq_ignore_ascii_case(name);
        self.properties.iter().find(is_it).map(|(_, value)| value.as_str())
    }
}

/// Addresses that every program can use come first.
fn rank(ip: &IpAddr) -> u8 {
    match ip {
        IpAddr::V4(ip) if !ip.is_link_local() => 0,
        IpAddr::V6(ip) if !ip.is_unicast_link_local() => 1,
        IpAddr::V4(_) => 2,
        IpAddr::V6(_) => 3,
    }
}

fn is_of_mac(byte: u8) -> bool {
    byte == b':' || byte.is_ascii_hexdigit()
}

/// `sda 500107862016 Samsung SSD`
fn disk(text: &str) -> Option<AnnouncedDisk> {
    let mut words = text.splitn(3, ' ');
    let name = printable(words.next()?);
    let size = words.next()?.parse().ok()?;
    Some(AnnouncedDisk { name, size, model: printable(words.next().unwrap_or_default()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(addresses: &[&str], properties: &[(&'static str, &str)]) -> Option<Installer> {
        let address = |text: &&str| {
            let bare = text.split('%').next().unwrap().parse().unwrap();
            (bare, (*text).to_owned())
        };
        Announcement {
            fullname: "nixos 52:54:00:00:00:01._nixos-installer._tcp.local.",
            addresses: addresses.iter().map(address).collect(),
            port: 22,
            properties: properties.iter().map(|(k, v)| (*k, (*v).to_owned())).collect(),
        }
        .installer()
    }

    #[test]
    fn what_an_installer_says_is_read() {
        let properties = [
            ("mac", "52:54:00:00:00:01,52:54:00:00:00:02"),
            ("hostkey", "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"),
            ("disk1", "sda 500107862016 Samsung SSD 870"),
            ("disk2", "vda 1024 "),
        ];
        let found = announced(&["10.0.0.7"], &properties).unwrap();
        assert_eq!(found.name, "nixos 52:54:00:00:00:01");
        assert_eq!(found.address.to_string(), "10.0.0.7");
        assert_eq!(found.macs, ["52:54:00:00:00:01", "52:54:00:00:00:02"]);
        assert!(found.fingerprint.unwrap().starts_with("SHA256:47DEQ"));
        let disks: Vec<_> = found.disks.iter().map(|d| (&*d.name, d.size, &*d.model)).collect();
        assert_eq!(disks, [("sda", 500_107_862_016, "Samsung SSD 870"), ("vda", 1024, "")]);
    }

    #[test]
    fn the_address_is_one_that_every_program_can_use() {
        let best = |addresses: &[&str]| announced(addresses, &[]).unwrap().address.to_string();
        let all = ["fe80::1%eth0", "169.254.3.4", "2001:db8::7", "10.0.0.7"];
        assert_eq!(best(&all), "10.0.0.7");
        assert_eq!(best(&all[..3]), "2001:db8::7");
        assert_eq!(best(&all[..2]), "169.254.3.4");
        assert_eq!(best(&all[..1]), "fe80::1%eth0");
        assert_eq!(announced(&["127.0.0.1", "::1", "0.0.0.0"], &[]), None);
    }

    #[test]
    fn nonsense_is_left_out() {
        let properties = [
            ("mac", "\u{1b}[2Jnot a mac at all,zz:zz:zz:zz:zz:zz"),
            ("hostkey", "MD5:00:11"),
            ("disk1", "sda much"),
            ("disk2", "sdb 5 x"),
        ];
        let found = announced(&["10.0.0.7"], &properties).unwrap();
        assert!(found.macs.is_empty() && found.fingerprint.is_none() && found.disks.is_empty());
        let escaped = announced(&["10.0.0.7"], &[("disk1", "s\u{1b}da 5 m\u{7}x")]).unwrap();
        assert_eq!((&*escaped.disks[0].name, &*escaped.disks[0].model), ("s da", "m x"));
    }
}
