//! From the value of the facts expression to [`HostFacts`] and [`HostSummary`]: puts the areas
//! together and decides where several options may say the same thing.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::article::article;
use super::boot::boot;
use super::bootstrap::bootstrap;
use super::decode::{DecodeError, Decoded, Decoder, attribute};
use super::disks::disko;
use super::encryption::encryption;
use super::model::{Disko, HostFacts, Outputs};
use super::outputs::outputs;
use super::sops::{agenix, sops};
use super::ssh::ssh;
use super::swap::swap;
use super::target::target;
use crate::validated::{AbsolutePath, HostName, UserName};

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
    let host = Host::new(name.as_str(), value)?;
    let devices = host.config.at(&["disko", "devices"])?;
    let host_name = host.config.read_at(&["networking", "hostName"], Decoder::text)?;
    Ok(HostFacts {
        name: name.clone(),
        host_name: host_name.unwrap_or_else(|| name.to_string()),
        system: host.system()?,
        state_version: host.config.read_at(&["system", "stateVersion"], Decoder::text)?,
        is_minimal: host.is_minimal()?,
        disko: devices.as_ref().map_or_else(|| Ok(Disko::default()), disko)?,
        swap: swap(&host.config)?,
        encryption: devices.as_ref().map_or_else(|| Ok(Vec::new()), encryption)?,
        persist_dir: host.persist_dir()?,
        ssh: ssh(&host.config)?,
        sops: sops(&host.config)?,
        agenix: agenix(&host.config)?,
        target: target(&host.config)?,
        primary_user: host.primary_user()?,
        boot: boot(&host.config)?,
        bootstrap: bootstrap(&host.config)?,
        article: article(&host.part("args", "_module.args")?, &host.config_vars)?,
        outputs: host.outputs()?,
        warnings: host.config.read_at(&["warnings"], Decoder::texts)?.unwrap_or_default(),
    })
}

/// Reads one entry of the value that [`FACTS_NIX`](super::FACTS_NIX) gives for the scope "summary".
pub fn decode_summary(name: &str, value: &Value) -> Result<HostSummary, DecodeError> {
    let host = Host::new(name, value)?;
    Ok(HostSummary {
        name: name.to_owned(),
        system: host.system()?,
        is_minimal: host.is_minimal()?,
    })
}

/// The value of one host with the names of its parts.
struct Host<'a> {
    /// `nixosConfigurations.NAME`.
    option: String,
    root: Decoder<'a>,
    config: Decoder<'a>,
    config_vars: Decoder<'a>,
}

impl<'a> Host<'a> {
    fn new(name: &str, value: &'a Value) -> Decoded<Self> {
        let option = format!("nixosConfigurations.{}", attribute(name));
        let root = Decoder::new(option.clone(), value);
        let config = root.require("config", "a set")?;
        let vars = format!("{option}._module.specialArgs.configVars");
        let config_vars = root.require("configVars", "a set")?.named(vars);
        Ok(Self { option, root, config, config_vars })
    }

    /// A part of the value whose name in the flake is another one.
    fn part(&self, name: &str, option: &str) -> Decoded<Decoder<'a>> {
        Ok(self.root.require(name, "a set")?.named(format!("{}.{option}", self.option)))
    }

    fn outputs(&self) -> Decoded<Option<Outputs>> {
        let build = self.root.get("outputs")?;
        let option = format!("{}.config.system.build", self.option);
        build.map(|build| outputs(&build.named(option))).transpose()
    }

    fn names(&self, part: &str, option: &str) -> Decoded<Vec<String>> {
        self.part(part, option)?.texts()
    }

    fn system(&self) -> Decoded<String> {
        let option = format!("{}.config.nixpkgs.hostPlatform", self.option);
        match self.root.get("system")? {
            Some(system) => system.named(option).text(),
            None => Err(DecodeError {
                option,
                expected: "a platform such as \"x86_64-linux\"".to_owned(),
                found: "not set".to_owned(),
            }),
        }
    }

    fn is_minimal(&self) -> Decoded<bool> {
        if let Some(minimal) = self.config.read_at(&["bootstrap", "isMinimal"], Decoder::bool)? {
            return Ok(minimal);
        }
        Ok(self.config_vars.read_at(&["isMinimal"], Decoder::bool)?.unwrap_or(false))
    }

    /// The article's variable is set for all hosts alike, so it only counts where something is
    /// mounted there.
    fn persist_dir(&self) -> Decoded<Option<AbsolutePath>> {
        let config = &self.config;
        if let Some(dir) = config.read_at(&["bootstrap", "persistDir"], Decoder::parse)? {
            return Ok(Some(dir));
        }
        if let Some(dir) = self.config_vars.get("persistFolder")? {
            let mounted = self.names("mountpoints", "config.fileSystems")?;
            if mounted.iter().any(|mountpoint| mountpoint == dir.str().unwrap_or_default()) {
                return dir.parse().map(Some);
            }
        }
        let persistence = self.part("persistence", "config.environment.persistence")?;
        match &persistence.items()?[..] {
            [only] => only.parse().map(Some),
            // Of several, none is the place for the host's keys more than the others.
            _ => Ok(None),
        }
    }

    fn primary_user(&self) -> Decoded<Option<UserName>> {
        if let Some(user) = self.config.read_at(&["bootstrap", "user"], Decoder::parse)? {
            return Ok(Some(user));
        }
        if let Some(user) = self.config_vars.read_at(&["username"], Decoder::parse)? {
            return Ok(Some(user));
        }
        let users = self.part("normalUsers", "config.users.users")?;
        match &users.items()?[..] {
            [only] => only.parse().map(Some),
            _ => Ok(None),
        }
    }
}
