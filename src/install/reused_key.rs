//! Host keys that are there already: of the system that the host runs now, or an encrypted copy in the secrets. They
//! go from there into memory and the private directory, and nowhere else.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::context::{Context, Failure};
use super::old_system;
use super::plan::HostKeySource;
use super::private::HostKey;
use super::workshop::{self, Workshop};
use crate::secrets::Secret;
use crate::secrets::host_key;
use crate::secrets::sops_file::SopsFile;

/// The key of this kind; `None` where the old host has none.
pub(super) async fn find(cx: &mut Context<'_>, kind: &str) -> Result<Option<HostKey>, Failure> {
    match cx.plan.host_key_source.clone() {
        HostKeySource::New => Ok(None),
        HostKeySource::OldSystem { machine } => old_system::key(cx, machine.as_ref(), kind).await,
        HostKeySource::Secrets { folder, file, path } => {
            let place = format!("{folder}/{file} ({})", path.join("/"));
            match of_secrets(cx, Path::new(&folder), &file, &path, kind).await? {
                Some(private) => checked(kind, &place, private).map(Some),
                None if kind != "ed25519" => Ok(None),
                None => Err(Failure::new(format!(
                    "there is no {kind} host key to be taken from {place}"
                ))
                .hint("leave --reuse-host-key out to make a new one")),
            }
        }
    }
}

fn checked(kind: &str, place: &str, private: Secret) -> Result<HostKey, Failure> {
    let (found, public) = host_key::read(&private)
        .map_err(|error| Failure::new(format!("the {kind} host key of {place}: {error}")))?;
    if found != kind {
        return Err(Failure::new(format!("the {kind} host key of {place} is of the kind {found}")));
    }
    Ok(HostKey { kind: kind.to_owned(), private, public })
}

async fn of_secrets(
    cx: &Context<'_>,
    folder: &Path,
    file: &str,
    place: &[String],
    kind: &str,
) -> Result<Option<Secret>, Failure> {
    workshop::check_sops(&*cx.world.runner, cx.world.limits.command).await?;
    let rules = folder.join(".sops.yaml");
    let rules = fs::read_to_string(&rules)
        .map_err(|error| Failure::new(format!("{}: {error}", rules.display())))?;
    let (runner, limit) = (Arc::clone(&cx.world.runner), cx.world.limits.long);
    let workshop = Workshop::new(runner, limit, cx.private, folder, &rules)?;
    if !workshop.has(file) {
        return Ok(None);
    }
    let path: Vec<&str> = place.iter().map(String::as_str).chain([kind]).collect();
    copy(&workshop, file, &path).await
}

/// The copy at this place of a secrets file.
pub(crate) async fn copy(
    workshop: &Workshop,
    file: &str,
    path: &[&str],
) -> Result<Option<Secret>, Failure> {
    workshop.take(file)?;
    let parsed = SopsFile::parse(file, &workshop.read(file)?)
        .map_err(|error| Failure::new(format!("{file}: {error}")))?;
    if !parsed.has_path(path) {
        return Ok(None);
    }
    workshop.extract(file, path).await.map(Some)
}
