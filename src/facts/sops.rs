//! `config.sops` and `config.age`, the options of sops-nix and agenix.

use super::decode::{Decoded, Decoder};
use super::model::{Agenix, Sops, SopsSecret};

/// Reads it from `config`; `None` where sops-nix is not used.
pub(super) fn sops(config: &Decoder<'_>) -> Decoded<Option<Sops>> {
    let Some(sops) = config.get("sops")? else { return Ok(None) };
    let secrets = match sops.get("secrets")? {
        Some(secrets) => {
            let entries = secrets.entries()?;
            entries.iter().map(|(name, entry)| secret(name, entry)).collect::<Decoded<_>>()?
        }
        None => Vec::new(),
    };
    Ok(Some(Sops {
        age_key_file: sops.read_at(&["age", "keyFile"], Decoder::text)?,
        age_ssh_key_paths: sops
            .read_at(&["age", "sshKeyPaths"], Decoder::texts)?
            .unwrap_or_default(),
        default_file: sops.read_at(&["defaultSopsFile"], Decoder::text)?,
        secrets,
    }))
}

/// Reads agenix' from `config`; `None` where it has no secrets.
pub(super) fn agenix(config: &Decoder<'_>) -> Decoded<Option<Agenix>> {
    let texts = |name| config.read_at(&["age", name], Decoder::texts);
    let secrets = texts("secrets")?.unwrap_or_default();
    if secrets.is_empty() {
        return Ok(None);
    }
    let identity_paths = texts("identityPaths")?.unwrap_or_default();
    Ok(Some(Agenix { identity_paths, secrets }))
}

fn secret(name: &str, secret: &Decoder<'_>) -> Decoded<SopsSecret> {
    Ok(SopsSecret {
        name: name.to_owned(),
        key: secret.read_at(&["key"], Decoder::text)?.unwrap_or_else(|| name.to_owned()),
        file: secret.read_at(&["sopsFile"], Decoder::text)?,
    })
}
