//! Words from the outside (command line, flake, machine), parsed once into types that are safe to
//! pass on. Whoever holds one of these need not check it again. Nothing here does any I/O.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a word was refused: what it was meant to be, what it was, and the rule it broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a valid {what}: {rule}")]
pub struct Invalid {
    /// What the word was meant to be, such as "host name".
    pub what: &'static str,
    /// The word as it came in.
    pub text: String,
    /// The rule that it breaks, as a clause ("it may only hold …").
    pub rule: &'static str,
}

/// Defines a validated string type with the traits that all of them share.
macro_rules! validated {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The word as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Invalid;
            fn from_str(text: &str) -> Result<Self, Invalid> {
                match $check(text) {
                    Ok(()) => Ok(Self(text.to_owned())),
                    Err(rule) => Err(Invalid { what: $what, text: text.to_owned(), rule }),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;
            fn try_from(text: String) -> Result<Self, Invalid> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

validated! {
    /// The name of a host as an attribute of `nixosConfigurations`: letters, digits, `-`, `_` and
    /// `.`, not starting with `-` or `.`, at most 253 bytes.
    HostName, "host name", check_host_name
}

validated! {
    /// A Unix user name, by the rule of `useradd(8)`.
    UserName, "user name", check_user_name
}

validated! {
    /// Where a machine is reached: a DNS name, an mDNS name, an IPv4 or an IPv6 address (without
    /// brackets; a zone such as `%eth0` may follow).
    Address, "address", check_address
}

validated! {
    /// An absolute path of a block device below `/dev`, without `..`.
    DevicePath, "device path", check_device_path
}

validated! {
    /// An absolute path of a file on the target, without `..`, control characters or newlines.
    AbsolutePath, "absolute path", check_absolute_path
}

validated! {
    /// A store path `/nix/store/HASH-NAME` (no deeper path), by the rules of the Nix manual,
    /// "Store Path".
    StorePath, "store path", check_store_path
}

impl UserName {
    /// The superuser.
    #[must_use]
    pub fn root() -> Self {
        Self("root".to_owned())
    }

    /// The home directory that NixOS gives this user by default.
    #[must_use]
    pub fn home(&self) -> String {
        if self.0 == "root" { "/root".to_owned() } else { format!("/home/{}", self.0) }
    }
}

/// A host name is also a DNS name: what it may hold, an address may hold.
impl From<&HostName> for Address {
    fn from(name: &HostName) -> Self {
        Self(name.0.clone())
    }
}

impl AbsolutePath {
    /// This path moved below `root`: `/etc/x` below `/persist` is `/persist/etc/x`.
    #[must_use]
    pub fn moved_below(&self, root: &Self) -> Self {
        Self(format!("{}{}", root.0.trim_end_matches('/'), self.0))
    }

    /// Is this path `root` or below it?
    #[must_use]
    pub fn is_below(&self, root: &Self) -> bool {
        std::path::Path::new(&self.0).starts_with(&root.0)
    }
}

fn check_host_name(text: &str) -> Result<(), &'static str> {
    if text.is_empty() || text.len() > 253 {
        return Err("it must have 1 to 253 characters");
    }
    if text.starts_with(['-', '.']) {
        return Err("it must not start with '-' or '.'");
    }
    only(text, "-_.", "it may only hold ASCII letters, digits, '-', '_' and '.'")
}

fn check_user_name(text: &str) -> Result<(), &'static str> {
    if text.is_empty() || text.len() > 32 {
        return Err("it must have 1 to 32 characters");
    }
    if !text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return Err("it must start with a letter or '_'");
    }
    only(text, "-_.", "it may only hold ASCII letters, digits, '-', '_' and '.'")
}

fn check_address(text: &str) -> Result<(), &'static str> {
    if text.is_empty() || text.len() > 253 {
        return Err("it must have 1 to 253 characters");
    }
    // A leading dash would be read as an option by ssh.
    if text.starts_with(['-', '.']) {
        return Err("it must not start with '-' or '.'");
    }
    let (address, zone) = text.split_once('%').unwrap_or((text, "lo"));
    if address.contains(':') && address.parse::<std::net::Ipv6Addr>().is_err() {
        return Err("it has a ':' but is no IPv6 address; the port is given apart");
    }
    if zone.is_empty() {
        return Err("nothing follows the '%'");
    }
    only(zone, "-_.", "the zone may only hold letters, digits, '-', '_' and '.'")?;
    only(address, "-_.:", "it may only hold ASCII letters, digits, '-', '_', '.' and ':'")
}

fn check_device_path(text: &str) -> Result<(), &'static str> {
    if !text.starts_with("/dev/") || text.len() == "/dev/".len() {
        return Err("it must be a path below /dev");
    }
    check_absolute_path(text)?;
    only(text, "/-_.:+@=,#\\%", "it holds a character that no device path has")
}

fn check_absolute_path(text: &str) -> Result<(), &'static str> {
    if !text.starts_with('/') {
        return Err("it must start with '/'");
    }
    if text.split('/').any(|part| part == "..") {
        return Err("it must not hold '..'");
    }
    if text.chars().any(char::is_control) {
        return Err("it must not hold control characters");
    }
    if text.len() > 4095 {
        return Err("it must have at most 4095 bytes");
    }
    Ok(())
}

fn check_store_path(text: &str) -> Result<(), &'static str> {
    let Some(base) = text.strip_prefix("/nix/store/") else {
        return Err("it must start with /nix/store/");
    };
    let (hash, name) = base.split_once('-').ok_or("it must be /nix/store/HASH-NAME")?;
    // The 32 digits of Nix's base 32, which leaves out e, o, t and u.
    if hash.len() != 32 || !hash.bytes().all(|b| b"0123456789abcdfghijklmnpqrsvwxyz".contains(&b)) {
        return Err("its hash must be 32 base-32 digits");
    }
    if name.is_empty() || name.len() > 211 || name == "." || name == ".." {
        return Err("its name must have 1 to 211 characters");
    }
    only(name, "+-._?=", "its name may only hold letters, digits and +-._?=")
}

fn only(text: &str, extra: &str, rule: &'static str) -> Result<(), &'static str> {
    if text.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c)) {
        Ok(())
    } else {
        Err(rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_that_could_reach_a_shell_are_refused() {
        for bad in
            ["", "grief; rm -rf /", "-x", ".hidden", "a b", "a\nb", "a/b", "grief'", "gr\u{e9}f"]
        {
            assert!(bad.parse::<HostName>().is_err(), "{bad:?} was accepted");
        }
        for good in ["grief", "web-01", "a.example.org", "my_host"] {
            assert_eq!(good.parse::<HostName>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn every_host_name_is_an_address() {
        for name in ["grief", "web-01", "a.example.org", "_x", "0"] {
            let name: HostName = name.parse().unwrap();
            assert_eq!(Ok(Address::from(&name)), name.as_str().parse());
        }
    }

    #[test]
    fn absolute_paths_move_below_another() {
        let path = |text: &str| text.parse::<AbsolutePath>().unwrap();
        let key = path("/etc/ssh/key");
        for root in ["/persist", "/persist/"] {
            assert_eq!(key.moved_below(&path(root)), path("/persist/etc/ssh/key"));
        }
        assert!(path("/persist/etc").is_below(&path("/persist/")));
        assert!(!path("/persistent/etc").is_below(&path("/persist")));
        assert_eq!(UserName::root().home(), "/root");
        assert_eq!("ta".parse::<UserName>().unwrap().home(), "/home/ta");
    }

    #[test]
    fn addresses_are_names_or_ip_addresses() {
        for good in ["10.0.0.1", "installer.local", "::1", "fe80::1%eth0", "localhost"] {
            assert!(good.parse::<Address>().is_ok(), "{good:?} was refused");
        }
        for bad in
            ["", "-oProxyCommand=x", "host:22", "a b", "a;b", "fe80::1%", "user@host", "[::1]"]
        {
            assert!(bad.parse::<Address>().is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn device_paths_stay_below_dev() {
        for good in ["/dev/vda", "/dev/disk/by-id/nvme-A_B.1:2", "/dev/mapper/x"] {
            assert!(good.parse::<DevicePath>().is_ok(), "{good:?} was refused");
        }
        for bad in ["vda", "/dev/", "/etc/passwd", "/dev/../etc", "/dev/a b", "/dev/$(x)"] {
            assert!(bad.parse::<DevicePath>().is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn store_paths_have_a_hash_and_a_name() {
        let good = "/nix/store/zr2knphxg8yyy2mkq8akf2hfknjvdiz7-x";
        assert_eq!(good.parse::<StorePath>().unwrap().as_str(), good);
        for bad in [
            "/nix/store/zr2knphxg8yyy2mkq8akf2hfknjvdiz7",
            "/nix/store/zr2knphxg8yyy2mkq8akf2hfknjvdiz7-",
            "/nix/store/er2knphxg8yyy2mkq8akf2hfknjvdiz7-x",
            "/nix/store/zr2knphxg8yyy2mkq8akf2hfknjvdiz7-x/bin",
            "/tmp/zr2knphxg8yyy2mkq8akf2hfknjvdiz7-x",
        ] {
            assert!(bad.parse::<StorePath>().is_err(), "{bad:?} was accepted");
        }
    }
}
