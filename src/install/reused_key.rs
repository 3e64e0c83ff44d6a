//! Host keys that are there already: of the system that the host runs now, or an encrypted copy in the secrets. They
//! go from there into memory and the private directory, and nowhere else.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::context::{Context, Failure, connect};
use super::host_keys::default_path;
use super::plan::HostKeySource;
use super::private::HostKey;
use super::workshop::{self, Workshop};
use crate::remote::{Connection, Login, RemoteCommand, Target, known_hosts};
use crate::secrets::Secret;
use crate::secrets::host_key;
use crate::secrets::sops_file::SopsFile;
use crate::validated::UserName;

/// The key of this kind; `None` where the old host has none.
pub(super) async fn find(cx: &mut Context<'_>, kind: &str) -> Result<Option<HostKey>, Failure> {
    let (found, from) = match cx.plan.host_key_source.clone() {
        HostKeySource::New => return Ok(None),
        HostKeySource::OldSystem { machine: None } => {
            let (remote, address) = (cx.remote().await?, cx.access.address.to_string());
            (of_system(cx, &*remote, kind).await?, address)
        }
        HostKeySource::OldSystem { machine: Some(machine) } => {
            let remote = reach(cx, &machine).await?;
            let found = of_system(cx, &*remote, kind).await;
            remote.close().await;
            (found?, machine)
        }
        HostKeySource::Secrets { folder, file, path } => {
            let from = format!("{folder}/{file} ({})", path.join("/"));
            (of_secrets(cx, Path::new(&folder), &file, &path, kind).await?, from)
        }
    };
    let Some(private) = found else {
        if kind != "ed25519" {
            return Ok(None);
        }
        return Err(Failure::new(format!("there is no {kind} host key to be taken from {from}"))
            .hint("leave --reuse-host-key out to make a new one"));
    };
    let (found, public) = host_key::read(&private)
        .map_err(|error| Failure::new(format!("the {kind} host key of {from}: {error}")))?;
    if found != kind {
        return Err(Failure::new(format!("the {kind} host key of {from} is of the kind {found}")));
    }
    Ok(Some(HostKey { kind: kind.to_owned(), private, public }))
}

/// Prints the first of the files `$@` that is there.
const READ: &str = r#"
for file; do if [ -e "$file" ]; then exec cat -- "$file"; fi; done
exit 3
"#;

async fn of_system(
    cx: &Context<'_>,
    remote: &dyn Connection,
    kind: &str,
) -> Result<Option<Secret>, Failure> {
    let planned = cx.plan.host_keys.iter().filter(|key| key.kind == kind);
    let mut paths: Vec<String> =
        planned.flat_map(|key| &key.paths).map(ToString::to_string).collect();
    paths.push(default_path(kind));
    let command = RemoteCommand::script(READ).args(paths).as_root().limit(cx.world.limits.command);
    let output = remote.run(&command).await?;
    if output.code == Some(3) {
        return Ok(None);
    }
    let output = output.success(&format!("read the {kind} host key of the old system"))?;
    Ok(Some(Secret::new(output.stdout)))
}

/// Another machine, with the key that the user's own `known_hosts` file has for it.
async fn reach(cx: &Context<'_>, machine: &str) -> Result<Arc<dyn Connection>, Failure> {
    let target: Target = machine.parse().map_err(|error| Failure::new(format!("{error}")))?;
    let file = &cx.world.user_known_hosts;
    let content = match fs::read(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Failure::new(format!("{}: {error}", file.display())));
        }
        other => other.unwrap_or_default(),
    };
    let names = known_hosts::names(&target.address, 22);
    let keys = known_hosts::find(&content, &names);
    if keys.is_empty() {
        return Err(Failure::new(format!(
            "{} has no key of {}, so it is not certain which machine answers there",
            file.display(),
            target.address
        ))
        .hint(format!("log in to it once with ssh and compare its key: ssh {machine}")));
    }
    let private = cx.private;
    let known = private.replace("known_hosts.old", &known_hosts::edit(b"", &names, &keys));
    let known = known.map_err(|error| super::preflight::private_error(private, &error))?;
    let login = Login {
        address: target.address,
        port: 22,
        user: target.user.unwrap_or_else(UserName::root),
        identity: cx.access.identity.clone(),
        known_hosts: known,
        control_dir: private.path().to_owned(),
        timeout: cx.world.limits.connect,
        interactive: cx.options.interactive,
    };
    Ok(connect(cx.world, &login).await?)
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
