//! The installed host's key in the user's own `known_hosts`: old entries of exactly this machine go,
//! the key that was made for it and has answered is added.

use super::context::{Context, Failure, Side};
use crate::remote::{HostPublicKey, known_hosts};
use crate::validated::Address;

/// Pins the host's keys in the user's `known_hosts`. Called when the host has answered with them.
pub(super) fn pin(cx: &mut Context<'_>) -> Result<String, Failure> {
    let keys = cx.record.host_keys.iter().map(|line| line.parse::<HostPublicKey>());
    let keys = keys.collect::<Result<Vec<_>, _>>().map_err(|error| {
        Failure::new(format!("the journal holds a public key that cannot be read: {error}"))
    })?;
    let port = cx.access.door(Side::Installed).port;
    let names = names(&cx.access.address, &cx.facts.host_name, port);
    let file = &cx.world.user_known_hosts;
    let changed = known_hosts::update_file(file, &names, &keys).map_err(|error| {
        Failure::new(format!("{} could not be changed: {error}", file.display()))
            .hint("the host is installed and was verified; only this entry is missing")
    })?;
    if !changed {
        return Ok(format!("{} has this key already", file.display()));
    }
    let names = names.join(", ");
    cx.changes.push(format!("this machine: {} has the new key of {names}", file.display()));
    Ok(format!("pinned in {} for {names}", file.display()))
}

/// The names under which ssh looks for this host: by the address that was used, and by its own
/// name where that can be one.
fn names(address: &Address, host_name: &str, port: u16) -> Vec<String> {
    let mut names = known_hosts::names(address, port);
    if let Ok(host_name) = host_name.parse::<Address>() {
        for name in known_hosts::names(&host_name, port) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_known_by_its_address_and_its_name_at_its_port() {
        let address = "10.0.0.1".parse().unwrap();
        assert_eq!(names(&address, "grief", 22), ["10.0.0.1", "grief"]);
        assert_eq!(names(&address, "grief", 2222), ["[10.0.0.1]:2222", "[grief]:2222"]);
        assert_eq!(names(&"grief".parse().unwrap(), "grief", 22), ["grief"]);
        assert_eq!(names(&address, "", 22), ["10.0.0.1"]);
    }
}
