//! The age key of a person on a host: looked up in the secrets file under the very name it is stored
//! under, and made where it is not there. A key that is there but can't be read is no reason to make one.

use super::context::Failure;
use super::workshop::Workshop;
use crate::secrets::age::{Identity, Recipient};
use crate::secrets::sops_file::SopsFile;

/// Where such keys are kept in a secrets file, unless said otherwise.
pub const PLACE: &str = "user_age_keys";

/// A person's key on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserKey {
    /// Who encrypts for it.
    pub recipient: Recipient,
    /// Was it made just now?
    pub made: bool,
}

/// The name of a person's key on a host, as an anchor and as the last part of its place.
#[must_use]
pub fn name(user: &str, host: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    format!("{user}_{host}").chars().map(plain).collect()
}

/// Finds the key at `path` in the secrets file `file`, or makes it there, in the copy. `known` is the
/// recipient that `.sops.yaml` has for it: then nothing needs to be decrypted.
pub async fn ensure(
    workshop: &Workshop,
    file: &str,
    path: &[&str],
    known: Option<&str>,
) -> Result<UserKey, Failure> {
    if !workshop.has(file) {
        let identity = generate()?;
        workshop.create(file, path, identity.secret()).await?;
        return Ok(UserKey { recipient: identity.recipient().clone(), made: true });
    }
    workshop.take(file)?;
    let parsed = SopsFile::parse(file, &workshop.read(file)?)
        .map_err(|error| Failure::new(format!("{file}: {error}")))?;
    if !parsed.has_path(path) {
        let identity = generate()?;
        workshop.set(file, path, identity.secret()).await?;
        return Ok(UserKey { recipient: identity.recipient().clone(), made: true });
    }
    if let Some(known) = known.and_then(|known| known.parse().ok()) {
        return Ok(UserKey { recipient: known, made: false });
    }
    let secret = workshop.extract(file, path).await?;
    let identity = Identity::parse(&secret)
        .map_err(|error| Failure::new(format!("{file}, {}: {error}", path.join("/"))))?;
    Ok(UserKey { recipient: identity.recipient().clone(), made: false })
}

fn generate() -> Result<Identity, Failure> {
    Identity::generate().map_err(|error| Failure::new(error.to_string()))
}
