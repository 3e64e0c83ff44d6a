//! `hostkey`: the host's ssh key pairs, made here so that the installed host is known before it
//! first answers, and so that its secrets can be encrypted for it; or those that the host has had so far.
//!
//! The private keys stay in memory and in the run's private directory; `install` places them.

use async_trait::async_trait;

use crate::install::context::{Context, Done, Failure, PhaseRun};
use crate::install::private::HostKey;
use crate::install::reused_key;
use crate::process::Command;
use crate::secrets::Secret;
use crate::secrets::host_key::HostKeyPair;

/// Makes a key pair for each kind of the plan that the run does not hold yet.
pub(super) struct Hostkey;

#[async_trait]
impl PhaseRun for Hostkey {
    async fn run(&self, cx: &mut Context<'_>) -> Result<Done, Failure> {
        let (mut made, mut reused, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        let kinds: Vec<String> = cx.plan.host_keys.iter().map(|key| key.kind.clone()).collect();
        for kind in kinds {
            if cx.host_keys.get(&kind).is_some() {
                kept.push(kind);
                continue;
            }
            if let Some(key) = reused_key::find(cx, &kind).await? {
                cx.host_keys.insert(key);
                reused.push(kind);
                continue;
            }
            let key = make(cx, &kind).await?;
            cx.host_keys.insert(key);
            made.push(kind);
        }
        cx.private.keep_host_keys(&cx.host_keys).map_err(|error| {
            Failure::new(format!("could not write into {}: {error}", cx.private.path().display()))
        })?;
        cx.record.host_keys = cx.host_keys.iter().map(|key| key.public.clone()).collect();
        Ok(Done::new(summary(&[("made", made), ("reused", reused), (TAKEN_UP, kept)])))
    }
}

const TAKEN_UP: &str = "taken up from the run before";

fn summary(all: &[(&str, Vec<String>)]) -> String {
    let some = all.iter().filter(|(_, kinds)| !kinds.is_empty());
    let parts: Vec<String> =
        some.map(|(how, kinds)| format!("{how}: {}", kinds.join(", "))).collect();
    if parts.is_empty() {
        "the configuration wants no host keys".to_owned()
    } else {
        parts.join("; ")
    }
}

async fn make(cx: &Context<'_>, kind: &str) -> Result<HostKey, Failure> {
    let comment = format!("root@{}", cx.facts.host_name);
    match kind {
        "ed25519" => {
            let pair = HostKeyPair::generate(&comment)
                .map_err(|error| Failure::new(format!("no ed25519 host key: {error}")))?;
            Ok(HostKey {
                kind: kind.to_owned(),
                private: pair.private().clone(),
                public: pair.public().to_owned(),
            })
        }
        "rsa" => by_ssh_keygen(cx, kind, &comment).await,
        _ => Err(Failure::new(format!("no way to make a host key of the kind {kind:?}"))
            .hint("services.openssh.hostKeys may have the types ed25519 and rsa")),
    }
}

/// Lets `ssh-keygen` make the pair inside the private directory, under a name that does not count
/// as a finished key until both halves are there.
async fn by_ssh_keygen(cx: &Context<'_>, kind: &str, comment: &str) -> Result<HostKey, Failure> {
    let name = format!("new-{kind}");
    let path = cx.private.path().join(&name);
    let public_path = cx.private.path().join(format!("{name}.pub"));
    let command = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-b", "4096", "-N", "", "-C", comment, "-f"])
        .arg(path.as_os_str());
    cx.local(&command).await?;
    let read = || -> std::io::Result<(Secret, String)> {
        let private = Secret::new(std::fs::read(&path)?);
        let public = std::fs::read_to_string(&public_path)?.trim().to_owned();
        std::fs::remove_file(&path)?;
        std::fs::remove_file(&public_path)?;
        Ok((private, public))
    };
    let (private, public) = read()
        .map_err(|error| Failure::new(format!("ssh-keygen made no {kind} host key: {error}")))?;
    Ok(HostKey { kind: kind.to_owned(), private, public })
}
