//! The program `nixos-anywhere` in the place of our own phases (`--engine nixos-anywhere`): its
//! command line as data, one call a phase.
//!
//! It switches ssh's host key checking off in a way that no option of its own undoes: it puts
//! `UserKnownHostsFile=/dev/null` and `StrictHostKeyChecking=no` first, and ssh takes the first
//! value. So it is given our own open connection as its `ControlPath`: everything that it sends
//! goes through a connection whose host key was checked. Only `ssh-copy-id`, which it calls to ask
//! whether its public key is there already, goes past that; what it tells a false machine is a
//! public key.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::context::{Context, Failure, FailureKind, Side};
use super::phase::Phase;
use super::plan::PlannedHostKey;
use super::private::HostKeys;
use crate::process::{Command, Error};
use crate::remote::RemoteCommand;
use crate::validated::{Address, StorePath, UserName};

/// What one call of `nixos-anywhere` is about.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Call<'a> {
    phase: Phase,
    user: &'a UserName,
    address: &'a Address,
    port: u16,
    identity: Option<&'a Path>,
    /// Options of our own connection, as ssh's words.
    ssh_options: &'a [String],
    /// The disk script and the system; the program wants both, though it takes one.
    store_paths: Option<(&'a str, &'a str)>,
    extra_files: Option<&'a Path>,
    /// Where a passphrase must be on the installer, and the file here that holds it.
    keys: &'a [(String, PathBuf)],
}

impl Call<'_> {
    fn args(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = vec!["--phases".into(), self.phase.name().into()];
        if let Some((script, system)) = self.store_paths {
            args.extend(["--store-paths".into(), script.into(), system.into()]);
        }
        args.extend(["--ssh-port".into(), self.port.to_string().into()]);
        if let Some(identity) = self.identity {
            args.extend(["-i".into(), identity.into()]);
        }
        for option in options(self.ssh_options) {
            args.extend(["--ssh-option".into(), option.into()]);
        }
        if let Some(folder) = self.extra_files {
            args.extend(["--extra-files".into(), folder.into()]);
        }
        for (there, here) in self.keys {
            args.extend(["--disk-encryption-keys".into(), there.into(), here.into()]);
        }
        args.extend(["--target-host".into(), format!("{}@{}", self.user, self.address).into()]);
        args
    }
}

/// What of our connection's options makes another ssh use it, as `KEY=VALUE`, which is the only form
/// that the program passes on. Not `ProxyCommand=false`, with which our own programs can't go past
/// the connection: `ssh-copy-id` must, and is tried again without end until it can.
fn options(words: &[String]) -> Vec<String> {
    let shares = |option: &String| option.starts_with("Control");
    assignments(words).into_iter().filter(shares).collect()
}

fn assignments(words: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-o" => found.extend(words.next().cloned()),
            "-S" => found.extend(words.next().map(|path| format!("ControlPath={path}"))),
            word => found.extend(word.strip_prefix("-o").map(ToOwned::to_owned)),
        }
    }
    found
}

/// Lets `nixos-anywhere` carry out `phase`. `path` is what the phase is about: the disk script, or
/// the system.
pub(super) async fn run(
    cx: &mut Context<'_>,
    phase: Phase,
    path: Option<&StorePath>,
) -> Result<(), Failure> {
    let door = cx.access.door(Side::Installer);
    if door.user.as_str() != "root" {
        return Err(Failure::new(format!(
            "nixos-anywhere logs in as root, while this run's connection is {}'s",
            door.user
        ))
        .kind(FailureKind::Usage)
        .hint("give --target root@ADDRESS, or leave out --engine"));
    }
    let remote = cx.remote().await?;
    let ssh_options = remote.ssh_options();
    let files = Files::new(cx, phase)?;
    let call = Call {
        phase,
        user: &door.user,
        address: &cx.access.address,
        port: door.port,
        identity: cx.access.identity.as_deref(),
        ssh_options: &ssh_options,
        // It checks that both exist, whichever of them the phase is about.
        store_paths: path.map(|path| (path.as_str(), path.as_str())),
        extra_files: files.extra.as_deref(),
        keys: &files.keys,
    };
    let outcome = start(cx, &call).await;
    let removed = fs::remove_dir_all(&files.folder);
    forget_keys(cx, &files.keys).await;
    outcome?;
    removed.map_err(|error| {
        Failure::new(format!("{} could not be removed: {error}", files.folder.display()))
    })
}

async fn start(cx: &Context<'_>, call: &Call<'_>) -> Result<(), Failure> {
    let own = Command::new("nixos-anywhere").args(call.args());
    match cx
        .world
        .runner
        .run_within(&Command::new("nixos-anywhere").arg("--help"), cx.world.limits.command)
        .await
    {
        Err(Error::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
        Ok(_) => return cx.local(&own).await.map(drop),
    }
    cx.step("nixos-anywhere is not in PATH: run it from its flake");
    let from_flake = super::building::nix(cx)
        .command(&["run", "github:nix-community/nixos-anywhere", "--"])
        .args(call.args());
    cx.local(&from_flake).await.map(drop)
}

/// It leaves the passphrases on the installer.
async fn forget_keys(cx: &mut Context<'_>, keys: &[(String, PathBuf)]) {
    if keys.is_empty() {
        return;
    }
    let command = RemoteCommand::new("rm")
        .args(["-f", "--"])
        .args(keys.iter().map(|(there, _)| there.clone()))
        .as_root();
    if let Err(failure) = cx.on_target(&command).await {
        cx.warn(format!("passphrases are left in the installer's memory: {}", failure.error));
    }
}

/// The secrets of one call as files of the private directory.
struct Files {
    folder: PathBuf,
    extra: Option<PathBuf>,
    keys: Vec<(String, PathBuf)>,
}

impl Files {
    fn new(cx: &Context<'_>, phase: Phase) -> Result<Self, Failure> {
        let folder = cx.private.path().join("nixos-anywhere");
        let made = Self::make(cx, phase, &folder);
        made.map_err(|error| {
            // What is half there must not stay; the private directory goes at exit anyway.
            let _ = fs::remove_dir_all(&folder);
            Failure::new(format!("could not write into {}: {error}", folder.display()))
        })
    }

    fn make(cx: &Context<'_>, phase: Phase, folder: &Path) -> io::Result<Self> {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::DirBuilder::new().mode(0o700).create(folder)?;
        let mut files = Self { folder: folder.to_owned(), extra: None, keys: Vec::new() };
        if phase == Phase::Install {
            let extra = folder.join("extra");
            write_host_keys(&extra, &cx.plan.host_keys, &cx.host_keys)?;
            files.extra = Some(extra);
        }
        if phase == Phase::Disko {
            for (index, container) in cx.plan.encryption.iter().enumerate() {
                let secret = cx.passphrases.get(&container.name);
                let (Some(path), Some(secret)) = (&container.key_file, secret) else {
                    return Err(io::Error::other(format!(
                        "nixos-anywhere can't be given the passphrase of {}: it needs a \
                         passwordFile in the layout",
                        container.name
                    )));
                };
                let here = folder.join(format!("passphrase-{index}"));
                write_new(&here, 0o600, secret.expose())?;
                files.keys.push((path.to_string(), here));
            }
        }
        Ok(files)
    }
}

fn write_host_keys(root: &Path, planned: &[PlannedHostKey], keys: &HostKeys) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o755).create(root)?;
    for planned in planned {
        let key = keys.get(&planned.kind).ok_or_else(|| {
            io::Error::other(format!("this run holds no {} host key", planned.kind))
        })?;
        for path in &planned.paths {
            let path = root.join(path.as_str().trim_start_matches('/'));
            if let Some(parent) = path.parent() {
                fs::DirBuilder::new().recursive(true).mode(0o755).create(parent)?;
            }
            write_new(&path, 0o600, key.private.expose())?;
            let mut public = path.into_os_string();
            public.push(".pub");
            write_new(Path::new(&public), 0o644, format!("{}\n", key.public).as_bytes())?;
        }
    }
    Ok(())
}

fn write_new(path: &Path, mode: u32, content: &[u8]) -> io::Result<()> {
    use std::io::Write;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(content)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::install::private::HostKey;
    use crate::secrets::Secret;

    fn words(call: &Call<'_>) -> String {
        let args = call.args();
        args.iter().map(|arg| arg.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_phase_is_a_call_of_its_own_through_our_connection() {
        let (user, address) = ("root".parse().unwrap(), "10.0.0.1".parse().unwrap());
        let options = ["-o", "ControlPath=/run/x/ctl", "-oControlMaster=no"].map(str::to_owned);
        let keys = [("/tmp/secret.key".to_owned(), PathBuf::from("/run/x/passphrase-0"))];
        let disko = Call {
            phase: Phase::Disko,
            user: &user,
            address: &address,
            port: 2222,
            identity: Some(Path::new("/home/u/.ssh/id")),
            ssh_options: &options,
            store_paths: Some(("/nix/store/d", "/nix/store/d")),
            extra_files: None,
            keys: &keys,
        };
        let shown = words(&disko);
        assert_eq!(
            shown,
            "--phases disko --store-paths /nix/store/d /nix/store/d --ssh-port 2222 \
             -i /home/u/.ssh/id --ssh-option ControlPath=/run/x/ctl --ssh-option ControlMaster=no \
             --disk-encryption-keys /tmp/secret.key /run/x/passphrase-0 --target-host root@10.0.0.1"
        );
        assert!(!shown.contains("StrictHostKeyChecking"), "{shown}");
        let reboot = Call {
            phase: Phase::Reboot,
            identity: None,
            store_paths: None,
            keys: &[],
            extra_files: Some(Path::new("/run/x/extra")),
            ..disko
        };
        let shown = words(&reboot);
        assert!(shown.starts_with("--phases reboot --ssh-port 2222 --ssh-option "), "{shown}");
        assert!(shown.contains("--extra-files /run/x/extra"), "{shown}");
    }

    #[test]
    fn the_control_socket_is_found_in_either_form() {
        let words = ["-S", "/run/ctl", "-p", "22", "-o", "ProxyCommand=false", "-oBatchMode=yes"];
        let words = words.map(str::to_owned);
        assert_eq!(options(&words), ["ControlPath=/run/ctl"]);
    }

    #[test]
    fn extra_files_have_the_modes_that_they_will_have_on_the_host() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("extra");
        let mut keys = HostKeys::default();
        keys.insert(HostKey {
            kind: "ed25519".to_owned(),
            private: Secret::new("private"),
            public: "ssh-ed25519 AAAA".to_owned(),
        });
        let paths = ["/etc/ssh/ssh_host_ed25519_key", "/persist/etc/ssh/ssh_host_ed25519_key"];
        let planned = PlannedHostKey {
            kind: "ed25519".to_owned(),
            paths: paths.map(|path| path.parse().unwrap()).to_vec(),
        };
        write_host_keys(&root, std::slice::from_ref(&planned), &keys).unwrap();
        let mode = |path: &str| fs::metadata(root.join(path)).unwrap().mode() & 0o777;
        assert_eq!(mode("persist/etc/ssh/ssh_host_ed25519_key"), 0o600);
        assert_eq!(mode("etc/ssh/ssh_host_ed25519_key.pub"), 0o644);
        assert_eq!(mode("etc/ssh"), 0o755);
        assert!(
            write_host_keys(&dir.path().join("none"), &[planned], &HostKeys::default()).is_err()
        );
    }
}
