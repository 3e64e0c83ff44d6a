//! Where a machine is reached over ssh, as users name it: ssh's own word for it is "destination" (ssh(1)).

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::known_hosts;
use crate::process::Command;
use crate::validated::{Address, Invalid, UserName};

/// ssh's port where none is named.
pub const DEFAULT_PORT: u16 = 22;

/// `[USER@]ADDR[:PORT]` or `ssh://[USER@]ADDR[:PORT]`. An IPv6 address stands in brackets where a port follows
/// it, and may do so elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Destination {
    /// Login name, where given.
    pub user: Option<UserName>,
    /// DNS name or IP address.
    pub address: Address,
    /// Port, where given.
    pub port: Option<u16>,
}

/// Two ports for one machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{destination} has a port, and --port says {port}: leave one of them out")]
pub struct TwoPorts {
    /// With its port.
    pub destination: Destination,
    /// The other one.
    pub port: u16,
}

impl Destination {
    /// An address with nothing beside it.
    #[must_use]
    pub fn of(address: Address) -> Self {
        Self { user: None, address, port: None }
    }

    /// The port, where `--port` may name one, too.
    pub fn port_beside(&self, flag: Option<u16>) -> Result<Option<u16>, TwoPorts> {
        match flag {
            Some(port) if self.port.is_some_and(|own| own != port) => {
                Err(TwoPorts { destination: self.clone(), port })
            }
            _ => Ok(self.port.or(flag)),
        }
    }

    /// The command that shows its keys, for people.
    #[must_use]
    pub fn keyscan(&self) -> Command {
        Command::new("ssh-keyscan").args(self.port_words()).arg(self.address.as_str())
    }

    /// The command that logs in, for people.
    #[must_use]
    pub fn ssh(&self) -> Command {
        let user = self.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
        Command::new("ssh").args(self.port_words()).arg(format!("{user}{}", self.address))
    }

    /// How ssh's programs are told the port, where it is not their own.
    fn port_words(&self) -> impl Iterator<Item = String> {
        let port = self.port.filter(|port| *port != DEFAULT_PORT);
        port.map(|port| ["-p".to_owned(), port.to_string()]).into_iter().flatten()
    }

    /// The names under which `known_hosts` files have its keys.
    #[must_use]
    pub fn known_names(&self) -> Vec<String> {
        known_hosts::names(&self.address, self.port.unwrap_or(DEFAULT_PORT))
    }
}

impl FromStr for Destination {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let Some(rest) = text.strip_prefix("ssh://") else { return plain(text) };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#']) {
            return Err(wrong(
                text,
                "after the machine nothing more may follow in an ssh:// address",
            ));
        }
        // The '%' before a zone is written so in an URI (RFC 6874).
        plain(&rest.replace("%25", "%"))
    }
}

fn plain(text: &str) -> Result<Destination, Invalid> {
    let (user, place) = match text.rsplit_once('@') {
        Some((user, place)) => (Some(user.parse()?), place),
        None => (None, text),
    };
    let (address, port) = split(text, place)?;
    let port = port.map(|port| number(text, port)).transpose()?;
    Ok(Destination { user, address: address.parse()?, port })
}

/// The address without brackets, and what follows its ':'. An address with more than one ':' that is in no
/// brackets is one of IPv6 as a whole.
fn split<'a>(text: &str, place: &'a str) -> Result<(&'a str, Option<&'a str>), Invalid> {
    if let Some(inside) = place.strip_prefix('[') {
        let (address, rest) =
            inside.split_once(']').ok_or_else(|| wrong(text, "its '[' is not closed"))?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((address, Some(port))),
            None if rest.is_empty() => Ok((address, None)),
            None => Err(wrong(text, "after the ']' only ':PORT' may follow")),
        };
    }
    match place.split_once(':') {
        Some((address, port)) if !port.contains(':') => Ok((address, Some(port))),
        _ => Ok((place, None)),
    }
}

fn number(text: &str, port: &str) -> Result<u16, Invalid> {
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits { port.parse::<NonZeroU16>().ok() } else { None };
    number
        .map(NonZeroU16::get)
        .ok_or_else(|| wrong(text, "after its ':' a port from 1 to 65535 must follow"))
}

fn wrong(text: &str, rule: &'static str) -> Invalid {
    Invalid { what: "address of a machine", text: text.to_owned(), rule }
}

impl TryFrom<String> for Destination {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Destination> for String {
    fn from(destination: Destination) -> Self {
        destination.to_string()
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        let address = &self.address;
        match self.port {
            None => write!(f, "{address}"),
            Some(port) if address.as_str().contains(':') => write!(f, "[{address}]:{port}"),
            Some(port) => write!(f, "{address}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Option<String>, String, Option<u16>) {
        let destination: Destination =
            text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"));
        let again: Destination = destination.to_string().parse().unwrap();
        assert_eq!(again, destination, "{text}");
        let Destination { user, address, port } = destination;
        (user.map(String::from), address.into(), port)
    }

    #[test]
    fn user_address_and_port_are_told_apart() {
        let ta = || Some("ta".to_owned());
        for (text, user, address, port) in [
            ("grief", None, "grief", None),
            ("ta@grief.lan", ta(), "grief.lan", None),
            ("ta@10.0.0.1:2222", ta(), "10.0.0.1", Some(2222)),
            ("grief:65535", None, "grief", Some(65535)),
            ("[grief]:2222", None, "grief", Some(2222)),
            ("fe80::1%eth0", None, "fe80::1%eth0", None),
            ("ta@[fe80::1%eth0]", ta(), "fe80::1%eth0", None),
            ("ta@[fe80::1%eth0]:22", ta(), "fe80::1%eth0", Some(22)),
            ("2001:db8::22", None, "2001:db8::22", None),
            ("ssh://grief", None, "grief", None),
            ("ssh://ta@grief:2222", ta(), "grief", Some(2222)),
            ("ssh://ta@grief:2222/", ta(), "grief", Some(2222)),
            ("ssh://ta@[fe80::1%25eth0]:2222", ta(), "fe80::1%eth0", Some(2222)),
        ] {
            assert_eq!(parsed(text), (user, address.to_owned(), port), "{text}");
        }
    }

    #[test]
    fn what_is_no_machine_is_refused() {
        for bad in [
            "",
            "root@",
            "@host",
            "a@b@host",
            "host -oProxyCommand=id",
            "-oProxyCommand=id:22",
            "host:",
            "host:0",
            "host:65536",
            "host:+22",
            "host:22a",
            "host:22:22",
            "fe80::1%eth0:22",
            "[::1",
            "[::1]22",
            "[::1]:",
            "[]:22",
            ":22",
            "ssh://",
            "ssh://host/path",
            "ssh://ta:secret@host",
            "http://host",
        ] {
            assert!(bad.parse::<Destination>().is_err(), "{bad:?} was accepted");
        }
        let error = "host:0".parse::<Destination>().unwrap_err().to_string();
        assert!(error.contains("\"host:0\"") && error.contains("1 to 65535"), "{error}");
    }

    #[test]
    fn a_port_is_named_once() {
        let with: Destination = "grief:2222".parse().unwrap();
        let without: Destination = "grief".parse().unwrap();
        assert_eq!(with.port_beside(None), Ok(Some(2222)));
        assert_eq!(with.port_beside(Some(2222)), Ok(Some(2222)));
        assert_eq!(without.port_beside(Some(2222)), Ok(Some(2222)));
        assert_eq!(without.port_beside(None), Ok(None));
        let error = with.port_beside(Some(22)).unwrap_err().to_string();
        assert!(error.contains("grief:2222") && error.contains("--port says 22"), "{error}");
    }

    #[test]
    fn known_hosts_files_have_another_port_in_the_name() {
        let names = |text: &str| text.parse::<Destination>().unwrap().known_names();
        assert_eq!(names("ta@Grief"), ["grief"]);
        assert_eq!(names("grief:22"), ["grief"]);
        assert_eq!(names("ssh://grief:2222"), ["[grief]:2222"]);
        assert_eq!(names("[::1]:2222"), ["[::1]:2222"]);
    }
}
