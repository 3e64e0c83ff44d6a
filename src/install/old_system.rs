//! Host keys of a system that runs somewhere: read over ssh, and held against the key with which the machine has
//! proved itself there. They go into memory, and nowhere else.

use std::fs;
use std::sync::Arc;

use super::context::{Context, Failure, FailureKind, connect};
use super::host_keys::default_path;
use super::private::HostKey;
use crate::process::this_program;
use crate::remote::destination::DEFAULT_PORT;
use crate::remote::{
    ConnectError, Connection, Destination, HostPublicKey, Login, RemoteCommand, known_hosts,
};
use crate::secrets::{Secret, host_key};
use crate::validated::UserName;

/// The key of this kind of another machine, or else of the system that runs on the target; `None` where it has none
/// and can do without.
pub(super) async fn key(
    cx: &mut Context<'_>,
    machine: Option<&Destination>,
    kind: &str,
) -> Result<Option<HostKey>, Failure> {
    let Some(machine) = machine else {
        let remote = cx.remote().await?;
        let door = cx.access.door(cx.side);
        let at = Destination {
            user: Some(door.user.clone()),
            address: cx.access.address.clone(),
            port: Some(door.port).filter(|port| *port != DEFAULT_PORT),
        };
        // The record has keys of every installer image, too.
        return Old { remote, at, known: Vec::new() }.key(cx, kind).await;
    };
    let old = reach(cx, machine).await?;
    let found = old.key(cx, kind).await;
    old.remote.close().await;
    found
}

/// A system that answers.
struct Old {
    remote: Arc<dyn Connection>,
    at: Destination,
    /// The keys that are known to be the machine's.
    known: Vec<HostPublicKey>,
}

/// Another machine, with the key that the user's own `known_hosts` file has for it.
async fn reach(cx: &Context<'_>, machine: &Destination) -> Result<Old, Failure> {
    let user = machine.user.clone().unwrap_or_else(UserName::root);
    let at = Destination { user: Some(user.clone()), ..machine.clone() };
    let file = &cx.world.user_known_hosts;
    let content = match fs::read(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Failure::new(format!("{}: {error}", file.display())));
        }
        other => other.unwrap_or_default(),
    };
    let names = at.known_names();
    let known = known_hosts::find(&content, &names);
    if known.is_empty() {
        return Err(Failure::new(format!(
            "{} has no key of {}, so it is not certain which machine answers there",
            file.display(),
            names.join(" or ")
        ))
        .hint(format!("log in to it once with ssh and compare its key: {}", at.ssh())));
    }
    let private = cx.private;
    let pinned = private.replace("known_hosts.old", &known_hosts::edit(b"", &names, &known));
    let pinned = pinned.map_err(|error| super::preflight::private_error(private, &error))?;
    let login = Login {
        address: at.address.clone(),
        port: at.port.unwrap_or(DEFAULT_PORT),
        user,
        identity: cx.access.identity.clone(),
        known_hosts: pinned,
        control_dir: private.path().to_owned(),
        timeout: cx.world.limits.connect,
        interactive: cx.options.interactive,
    };
    match connect(cx.world, &login).await {
        Ok(remote) => Ok(Old { remote, at, known }),
        Err(error) => {
            let changed = matches!(error, ConnectError::HostKeyMismatch { .. });
            let failure = Failure::from(error);
            if !changed {
                return Err(failure);
            }
            let replace =
                this_program().args(["known-hosts", "replace"]).arg(machine.to_string()).arg("KEY");
            Err(failure.hint(format!("if its own screen shows that new key: {replace}")))
        }
    }
}

/// Prints the file `$1`; 3 where it is not there.
const READ: &str = r#"[ -e "$1" ] || exit 3; exec cat -- "$1""#;

/// Names the host keys that are where sshd makes them.
const LIST: &str =
    r#"for file in /etc/ssh/ssh_host_*_key; do [ ! -e "$file" ] || echo "$file"; done"#;

impl Old {
    /// The first of the files where the key may be that holds one which is the machine's.
    async fn key(&self, cx: &Context<'_>, kind: &str) -> Result<Option<HostKey>, Failure> {
        let planned = cx.plan.host_keys.iter().filter(|key| key.kind == kind);
        let mut paths: Vec<String> =
            planned.flat_map(|key| &key.paths).map(ToString::to_string).collect();
        if !paths.contains(&default_path(kind)) {
            paths.push(default_path(kind));
        }
        let mut wrong = None;
        for path in &paths {
            let Some(private) = self.read(cx, path).await? else { continue };
            match self.checked(cx, kind, path, private) {
                Ok(key) => return Ok(Some(key)),
                Err(failure) => drop(wrong.get_or_insert(failure)),
            }
        }
        match wrong {
            Some(failure) => Err(failure),
            None if kind == "ed25519" => Err(self.missing(cx, kind, &paths).await?),
            None => Ok(None),
        }
    }

    async fn read(&self, cx: &Context<'_>, path: &str) -> Result<Option<Secret>, Failure> {
        let command = RemoteCommand::script(READ).arg(path);
        let output = self.run(cx, command).await?;
        if output.code == Some(3) {
            return Ok(None);
        }
        let what = format!("read {path} of {}", self.at);
        let output = output.success(&what).map_err(|error| self.advised(error.into()))?;
        Ok(Some(Secret::new(output.stdout)))
    }

    async fn run(
        &self,
        cx: &Context<'_>,
        command: RemoteCommand,
    ) -> Result<crate::process::Output, Failure> {
        let command = command.as_root().limit(cx.world.limits.command);
        self.remote.run(&command).await.map_err(Failure::from)
    }

    /// Only root may read a host key.
    fn advised(&self, failure: Failure) -> Failure {
        match &self.at.user {
            Some(user) if *user != UserName::root() => failure.hint(format!(
                "only root may read it: name the machine as {}, or allow {user} sudo without a password",
                Destination { user: Some(UserName::root()), ..self.at.clone() }
            )),
            _ => failure,
        }
    }

    fn checked(
        &self,
        cx: &Context<'_>,
        kind: &str,
        path: &str,
        private: Secret,
    ) -> Result<HostKey, Failure> {
        let place = format!("{path} of {}", self.at);
        let (found, public) = host_key::read(&private).map_err(|error| {
            let failure = Failure::new(format!("{place}: {error}"));
            match error.advice(path) {
                Some(advice) => failure.hint(format!("on {}, {advice}", self.at.address)),
                None => failure,
            }
        })?;
        if found != kind {
            return Err(Failure::new(format!("{place} is a key of the kind {found}, not {kind}")));
        }
        self.is_its_own(cx, &place, &public)?;
        Ok(HostKey { kind: kind.to_owned(), private, public })
    }

    /// sshd there may use another file, and this one be left over from long ago: then nobody knows the machine by it.
    fn is_its_own(&self, cx: &Context<'_>, place: &str, public: &str) -> Result<(), Failure> {
        let key: HostPublicKey =
            public.parse().map_err(|error| Failure::new(format!("{place}: {error}")))?;
        let proven = self.remote.host_key();
        let shown: Vec<&str> = match proven {
            Some(proven) if proven.kind == key.kind() => vec![&proven.fingerprint],
            _ => {
                let same = self.known.iter().filter(|known| known.kind() == key.kind());
                same.map(HostPublicKey::fingerprint).collect()
            }
        };
        if shown.contains(&key.fingerprint()) {
            return Ok(());
        }
        if !shown.is_empty() {
            return Err(Failure::new(format!(
                "{place} is {}, but the machine shows {}: sshd there uses another file",
                key.fingerprint(),
                shown.join(" or ")
            ))
            .hint("HostKey in its sshd_config says which (services.openssh.hostKeys); that of the new host has to be the same")
            .hint("or leave --reuse-host-key out to make a new one")
            .kind(FailureKind::Changed));
        }
        if let Some(proven) = proven {
            cx.warn(format!(
                "{place} could not be compared with what the machine shows, which was its {} key",
                proven.kind
            ));
        }
        Ok(())
    }

    async fn missing(
        &self,
        cx: &Context<'_>,
        kind: &str,
        paths: &[String],
    ) -> Result<Failure, Failure> {
        let there = self.run(cx, RemoteCommand::script(LIST)).await?.text();
        let there: Vec<&str> = there.lines().collect();
        let others = match there.as_slice() {
            [] => String::new(),
            some => format!("; it has {}", some.join(", ")),
        };
        let text = format!(
            "there is no {kind} host key to be taken from {} (no {}){others}",
            self.at,
            paths.join(", no ")
        );
        Ok(Failure::new(text).hint("leave --reuse-host-key out to make a new one"))
    }
}
