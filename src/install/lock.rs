//! The lock of a run: one at a time for a host of a flake, and who holds it.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::journal::now;
use super::state_file;
use crate::validated::HostName;

/// A lock that is held until this is dropped, or the process ends in whatever way.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process.
    pub pid: u32,
    /// Login name.
    pub user: String,
    /// The host that it installs.
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
        let path = dir.join(format!("{name}.lock"));
        let broken = |source| LockError::Io { file: path.display().to_string(), source };
        let mut file = state_file::open(dir, &path).map_err(broken)?;
        match try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.read_to_string(&mut text).map_err(broken)?;
                // Empty while the other one is just taking it.
                let holder = serde_json::from_str(&text).ok();
                return Err(LockError::Held { host: host.clone(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(broken(source)),
        }
        let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME"));
        let holder = Holder {
            pid: std::process::id(),
            user: user.unwrap_or_else(|_| format!("user {}", rustix::process::getuid().as_raw())),
            host: host.to_string(),
            since: now(),
        };
        let text = serde_json::to_string(&holder).map_err(|error| broken(error.into()))?;
        file.set_len(0).and_then(|()| file.rewind()).map_err(broken)?;
        file.write_all(text.as_bytes()).map_err(broken)?;
        Ok(Self { _file: file })
    }
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
}
