//! Which host keys of the installer are trusted, and how the first connection is made with them.
//!
//! The user vouches for a key by naming it, by having it in the own `known_hosts` file, by having
//! accepted it in the run that was interrupted, or by comparing the fingerprint that is shown.
//! Accepted keys go into the run's own `known_hosts` file and into no other.

use std::sync::Arc;

use super::context::{Access, Failure, FailureKind, Side, World, connect, login};
use super::event::{PromptError, Prompter};
use super::installers::known_keys;
use super::options::{Options, TrustedKey};
use super::private::PrivateDir;
use super::record::Record;
use crate::remote::{ConnectError, Connection, HostPublicKey, check_identity, known_hosts};

/// An open connection, which system answered, and what the record holds since.
pub(super) struct Reached {
    pub(super) connection: Arc<dyn Connection>,
    pub(super) side: Side,
    pub(super) record: Record,
}

/// What is needed to reach the target.
#[derive(Clone)]
pub(super) struct Way<'a> {
    pub(super) world: &'a World,
    pub(super) options: &'a Options,
    pub(super) access: &'a Access,
    pub(super) private: &'a PrivateDir,
    pub(super) record: Record,
    /// The sides that may answer, the likeliest first.
    pub(super) sides: &'a [Side],
}

/// Connects to the first side that answers with a trusted key.
pub(super) async fn reach(way: Way<'_>) -> Result<Reached, Failure> {
    let mut failure: Option<Failure> = None;
    for side in way.sides {
        let tried = match side {
            Side::Installer => installer(way.clone()).await,
            Side::Installed => {
                pinned(&way, way.record.clone(), Side::Installed).await.map_err(Failure::from)
            }
        };
        match tried {
            Ok(reached) => return Ok(reached),
            Err(error) if error.kind == FailureKind::Stopped => return Err(error),
            // "Another key" says least where two keys may answer.
            Err(error) => match &failure {
                Some(first) if first.kind != FailureKind::Changed => {}
                _ => failure = Some(error),
            },
        }
    }
    Err(failure.unwrap_or_else(|| Failure::new("there is nothing to connect to")))
}

async fn pinned(way: &Way<'_>, record: Record, side: Side) -> Result<Reached, ConnectError> {
    let login = login(way.world, way.options, way.access, way.private, &record, side);
    let login = login.map_err(|failure| ConnectError::Other {
        address: way.access.address.clone(),
        port: way.access.door(side).port,
        reason: failure.error,
    })?;
    let connection = connect(way.world, &login).await?;
    Ok(Reached { connection, side, record })
}

async fn installer(way: Way<'_>) -> Result<Reached, Failure> {
    let mut record = way.record.clone();
    if let Some(key) = &way.options.host_key {
        record.installer_keys = lines(&named(&way, key).await?);
        return Ok(pinned(&way, record, Side::Installer).await?);
    }
    if record.installer_keys.is_empty() {
        record.installer_keys = lines(&known(&way)?);
    }
    let expected = fingerprints(&record.installer_keys);
    // Every image that was given a key is trusted, and none is expected at this address.
    let images = known_keys(&way.world.state_dir).map_err(|e| Failure::new(e.to_string()))?;
    record.installer_keys.extend(lines(&images));
    if !record.installer_keys.is_empty() {
        match pinned(&way, record.clone(), Side::Installer).await {
            // An installer makes new keys at each boot, so this may still be the right machine.
            Err(ConnectError::HostKeyMismatch { .. }) => {}
            other => return Ok(other?),
        }
    }
    record.installer_keys = lines(&shown(&way, &expected).await?);
    Ok(pinned(&way, record, Side::Installer).await?)
}

fn fingerprints(lines: &[String]) -> Vec<String> {
    let keys = lines.iter().filter_map(|line| line.parse::<HostPublicKey>().ok());
    keys.map(|key| key.fingerprint().to_owned()).collect()
}

fn lines(keys: &[HostPublicKey]) -> Vec<String> {
    keys.iter().map(ToString::to_string).collect()
}

async fn scan(way: &Way<'_>) -> Result<Vec<HostPublicKey>, Failure> {
    let (address, port) = (&way.access.address, way.access.installer.port);
    let keys = way.world.connector.scan(address, port, way.world.limits.connect).await?;
    if keys.is_empty() {
        return Err(Failure::new(format!("{address} port {port} shows no host key")));
    }
    Ok(keys)
}

/// The keys that `--host-key` names.
async fn named(way: &Way<'_>, key: &TrustedKey) -> Result<Vec<HostPublicKey>, Failure> {
    match key {
        TrustedKey::Key(key) => Ok(vec![key.clone()]),
        TrustedKey::File(path) => from_file(path),
        TrustedKey::Fingerprint(fingerprint) => {
            let keys = scan(way).await?;
            let shown: Vec<String> = keys.iter().map(|key| key.fingerprint().to_owned()).collect();
            let fits = |key: &HostPublicKey| key.fingerprint() == fingerprint;
            let keys: Vec<_> = keys.into_iter().filter(fits).collect();
            if !keys.is_empty() {
                return Ok(keys);
            }
            let (address, port) = (&way.access.address, way.access.installer.port);
            Err(Failure::new(format!(
                "{address} port {port} is not the machine that --host-key names: its host keys \
                 are {}, expected was {fingerprint}",
                shown.join(" and ")
            ))
            .hint("check the address: another machine may have it now")
            .kind(FailureKind::Changed))
        }
    }
}

fn from_file(path: &std::path::Path) -> Result<Vec<HostPublicKey>, Failure> {
    let usage = |error: String| {
        Failure::new(format!("--host-key {}: {error}", path.display())).kind(FailureKind::Usage)
    };
    let text = std::fs::read_to_string(path).map_err(|error| usage(error.to_string()))?;
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys: Result<Vec<HostPublicKey>, _> = lines.map(str::parse).collect();
    let keys = keys.map_err(|error| usage(error.to_string()))?;
    if keys.is_empty() { Err(usage("the file holds no key".to_owned())) } else { Ok(keys) }
}

/// The keys that the user's own `known_hosts` file has for the target.
fn known(way: &Way<'_>) -> Result<Vec<HostPublicKey>, Failure> {
    let path = &way.world.user_known_hosts;
    match std::fs::read(path) {
        Ok(content) => {
            let names = known_hosts::names(&way.access.address, way.access.installer.port);
            Ok(known_hosts::find(&content, &names))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Failure::new(format!("{}: {error}", path.display()))),
    }
}

/// Shows the keys of the machine and asks whether they are the right ones. `expected` are the
/// fingerprints of keys that were known but do not fit.
async fn shown(way: &Way<'_>, expected: &[String]) -> Result<Vec<HostPublicKey>, Failure> {
    // No question about a machine that could not be logged in to anyway.
    if let Some(identity) = &way.access.identity {
        check_identity(identity)?;
    }
    let keys = scan(way).await?;
    let (address, port) = (&way.access.address, way.access.installer.port);
    let prints: Vec<String> =
        keys.iter().map(|key| format!("{} ({})", key.fingerprint(), key.kind())).collect();
    let changed = if expected.is_empty() {
        String::new()
    } else {
        format!(
            "It is NOT the key that was known for this address ({}). That is so after an \
             installer has started anew, or when somebody is in between.\n",
            expected.join(" or ")
        )
    };
    if !way.options.interactive {
        let kind = if expected.is_empty() { FailureKind::Usage } else { FailureKind::Changed };
        let first = keys.first().map(HostPublicKey::fingerprint).unwrap_or_default();
        return Err(Failure::new(format!(
            "the host key of {address} port {port} is not trusted yet: {}. {changed}",
            prints.join(" and ")
        ).trim_end())
        .hint("compare it on the machine's own screen: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
        .hint(format!("if it is the same, add --host-key {first}"))
        .kind(kind));
    }
    let question = format!(
        "The machine at {address} port {port} shows the host key\n  {}\n{changed}Does its own \
         screen show the same one (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub)?",
        prints.join("\n  ")
    );
    if ask(way.world, move |prompter| prompter.confirm(&question)).await? {
        return Ok(keys);
    }
    Err(Failure::new("the host key was not accepted; nothing was changed")
        .kind(FailureKind::Stopped))
}

/// Asks a question without blocking what runs beside it.
pub(super) async fn ask<T: Send + 'static>(
    world: &World,
    question: impl FnOnce(&dyn Prompter) -> Result<T, PromptError> + Send + 'static,
) -> Result<T, Failure> {
    let prompter = Arc::clone(&world.prompter);
    let answer = tokio::select! {
        answer = tokio::task::spawn_blocking(move || question(&*prompter)) => answer,
        // A signal ends the run; whoever asks is left to the end of the process.
        () = world.cancel.cancelled() => return Err(Failure::stopped()),
    };
    let answer = answer.map_err(|error| Failure::new(format!("a question failed: {error}")))?;
    answer.map_err(|error| {
        let kind = match error {
            PromptError::NoTerminal => FailureKind::Usage,
            PromptError::Interrupted => FailureKind::Stopped,
            PromptError::Failed(_) => FailureKind::Failed,
        };
        Failure::new(error.to_string()).kind(kind)
    })
}
