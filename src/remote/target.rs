//! Where a machine is reached over ssh.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::validated::{Address, Invalid, UserName};

/// `[USER@]ADDR` as typed, validated. IPv6 addresses may stand in brackets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Login name, where given.
    pub user: Option<UserName>,
    /// DNS name or IP address.
    pub address: Address,
}

impl FromStr for Target {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (user, address) = match text.rsplit_once('@') {
            Some((user, address)) => (Some(user.parse()?), address),
            None => (None, text),
        };
        let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        Ok(Self { user, address: bare.unwrap_or(address).parse()? })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        write!(f, "{}", self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_address_are_split_at_the_last_at_sign() {
        let target: Target = "root@[fe80::1%eth0]".parse().unwrap();
        assert_eq!(target.to_string(), "root@fe80::1%eth0");
        assert!("root@".parse::<Target>().is_err());
        assert!("@host".parse::<Target>().is_err());
        assert!("a@b@host".parse::<Target>().is_err());
        assert!("host -oProxyCommand=id".parse::<Target>().is_err());
    }
}
