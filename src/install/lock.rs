//! The locks of this program: one run at a time for a host of a flake, one command at a time that changes the
//! secrets of a folder. A lock is the system's (flock(2)), so that one that was killed holds none; its file says who
//! holds it.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::journal::now;
use super::state_file;
use crate::validated::HostName;

/// A lock that is held until this is dropped, or the process ends in whatever way.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// The same for the secrets of a folder.
#[derive(Debug)]
pub struct SecretsLock {
    _file: File,
}

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process.
    pub pid: u32,
    /// Login name.
    pub user: String,
    /// The host that it installs, or the folder whose secrets it changes.
    pub host: String,
    /// Seconds since 1970 at which it took the lock.
    pub since: u64,
}

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run holds it.
    #[error("another run is installing {host} now{}", by(.holder.as_ref()))]
    Held {
        /// The host.
        host: HostName,
        /// Who, where it has said so already.
        holder: Option<Holder>,
    },
    /// Another command changes these secrets.
    #[error("another command is changing the secrets in {} now{}", .folder.display(), by(.holder.as_ref()))]
    SecretsHeld {
        /// The folder of `.sops.yaml`.
        folder: PathBuf,
        /// Who, where it has said so already.
        holder: Option<Holder>,
    },
    /// The file could not be made or locked.
    #[error("could not take the lock {file}: {source}")]
    Io {
        /// Its file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
}

fn by(holder: Option<&Holder>) -> String {
    holder.map_or_else(String::new, |holder| {
        let minutes = now().saturating_sub(holder.since) / 60;
        let time = if minutes == 0 {
            "for less than a minute".to_owned()
        } else {
            format!("for {minutes} min")
        };
        format!(" (process {} of {}, {time})", holder.pid, holder.user)
    })
}

impl RunLock {
    /// Takes the lock of the run `name` in `dir`, or says who has it.
    pub fn take(dir: &Path, name: &str, host: &HostName) -> Result<Self, LockError> {
        match take(dir, name, host.as_str())? {
            Taken::Yes(file) => Ok(Self { _file: file }),
            Taken::No(holder) => Err(LockError::Held { host: host.clone(), holder }),
        }
    }
}

impl SecretsLock {
    /// Takes the lock of the secrets in `folder`, or says who has it. Its file is in `dir`.
    pub fn take(dir: &Path, folder: &Path) -> Result<Self, LockError> {
        let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let digest = HEXLOWER.encode(&Sha256::digest(real.as_os_str().as_encoded_bytes()));
        let name = format!("secrets-{}", digest.get(..16).unwrap_or_default());
        match take(dir, &name, &real.to_string_lossy())? {
            Taken::Yes(file) => Ok(Self { _file: file }),
            Taken::No(holder) => Err(LockError::SecretsHeld { folder: real, holder }),
        }
    }
}

/// What came of trying to take a lock.
enum Taken {
    Yes(File),
    No(Option<Holder>),
}

fn take(dir: &Path, name: &str, what: &str) -> Result<Taken, LockError> {
    let path = dir.join(format!("{name}.lock"));
    let broken = |source| LockError::Io { file: path.display().to_string(), source };
    let mut file = state_file::open(dir, &path).map_err(broken)?;
    match try_lock(&file) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            file.read_to_string(&mut text).map_err(broken)?;
            // Empty while the other one is just taking it.
            return Ok(Taken::No(serde_json::from_str(&text).ok()));
        }
        Err(TryLockError::Error(source)) => return Err(broken(source)),
    }
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME"));
    let holder = Holder {
        pid: std::process::id(),
        user: user.unwrap_or_else(|_| format!("user {}", rustix::process::getuid().as_raw())),
        host: what.to_owned(),
        since: now(),
    };
    let text = serde_json::to_string(&holder).map_err(|error| broken(error.into()))?;
    file.set_len(0).and_then(|()| file.rewind()).map_err(broken)?;
    file.write_all(text.as_bytes()).map_err(broken)?;
    Ok(Taken::Yes(file))
}

/// Tries for a moment: a program that another run has just started holds a copy of its lock until
/// it is really running.
fn try_lock(file: &File) -> Result<(), TryLockError> {
    for _ in 0..10 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
            other => return other,
        }
    }
    file.try_lock()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_one_is_told_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let host: HostName = "grief".parse().unwrap();
        let lock = RunLock::take(dir.path(), "grief-1", &host).unwrap();
        let error = RunLock::take(dir.path(), "grief-1", &host).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
        assert!(RunLock::take(dir.path(), "guppy-1", &host).is_ok());
        drop(lock);
        assert!(RunLock::take(dir.path(), "grief-1", &host).is_ok());
    }

    #[test]
    fn secrets_are_changed_by_one_at_a_time_whatever_their_folder_is_called() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        for folder in ["one", "two"] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
        }
        std::os::unix::fs::symlink("one", dir.path().join("link")).unwrap();
        let take = |folder: &str| SecretsLock::take(&state, &dir.path().join(folder));
        let lock = take("one").unwrap();
        for name in ["one", "link", "two/../one"] {
            let text = take(name).unwrap_err().to_string();
            assert!(text.contains("/one now") && text.contains("process "), "{text}");
        }
        assert!(take("two").is_ok());
        drop(lock);
        // The file of one that is gone is there still, and holds nothing.
        assert!(take("one").is_ok());
    }
}
