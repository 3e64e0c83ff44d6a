//! Installers on the local network: whose host keys were written into an image here, and which of those that answer
//! is the machine that is meant.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};

use super::size::human;
use super::state_file;
use crate::remote::{HostPublicKey, Installer};

/// The file in the state directory with the public halves of keys that were written into images, one a line.
const FILE: &str = "installer-keys";

/// Why the keys can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum InstallerKeysError {
    /// The file can't be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A line is no key.
    #[error("{}:{line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line's number.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

/// The host keys that images were given. A machine that shows one of them has booted such an image.
pub(super) fn known_keys(state_dir: &Path) -> Result<Vec<HostPublicKey>, InstallerKeysError> {
    let path = state_dir.join(FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(InstallerKeysError::File { path, error }),
    };
    let mut keys = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let key = line.parse::<HostPublicKey>().map_err(|error| InstallerKeysError::Line {
            path: path.clone(),
            line: number + 1,
            reason: error.to_string(),
        })?;
        keys.push(key);
    }
    Ok(keys)
}

/// Takes down the public key (a line with a comment) that an image is given, before it is given it.
///
/// # Errors
///
/// See [`InstallerKeysError`].
pub fn remember_key(state_dir: &Path, public: &str) -> Result<PathBuf, InstallerKeysError> {
    let path = state_dir.join(FILE);
    let written = (|| {
        let mut file = state_file::open(state_dir, &path)?;
        let mut before = Vec::new();
        // What is read leaves the place for writing at the end.
        file.read_to_end(&mut before)?;
        let gap = if before.is_empty() || before.ends_with(b"\n") { "" } else { "\n" };
        file.write_all(format!("{gap}{public}\n").as_bytes())?;
        file.sync_all()
    })();
    match written {
        Ok(()) => Ok(path),
        Err(error) => Err(InstallerKeysError::File { path, error }),
    }
}

/// Says of itself that it has one of these keys? Whether that is true is seen when it is connected to.
pub(super) fn is_pinned(installer: &Installer, keys: &[HostPublicKey]) -> bool {
    let fingerprint = installer.fingerprint.as_deref();
    keys.iter().any(|key| Some(key.fingerprint()) == fingerprint)
}

/// An installer in one line: name, address, cards, disks.
pub(super) fn described(installer: &Installer, keys: &[HostPublicKey]) -> String {
    let mut text = format!("{} at {}", installer.name, installer.address);
    let macs = installer.macs.iter().filter(|mac| !installer.name.contains(mac.as_str()));
    let macs: Vec<&str> = macs.map(String::as_str).collect();
    if !macs.is_empty() {
        // What can't be written to a string does not exist.
        let _ = write!(text, ", {}", macs.join(" and "));
    }
    for disk in &installer.disks {
        let _ = write!(text, ", {} {}", disk.name, human(disk.size));
        if !disk.model.is_empty() {
            let _ = write!(text, " ({})", disk.model);
        }
    }
    if is_pinned(installer, keys) {
        text.push_str(", with a host key from here");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::AnnouncedDisk;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGpuP4Ez7n7RAsxWk7lpuF3iWrqpY3PPs7wz4HqHb0mD";

    #[test]
    fn keys_are_remembered_in_a_file_of_the_user_s() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        assert_eq!(known_keys(&state).unwrap(), []);
        let file = remember_key(&state, &format!("{KEY} first")).unwrap();
        std::fs::write(&file, format!("# by hand\n\n{KEY} first")).unwrap();
        remember_key(&state, &format!("{KEY} second")).unwrap();
        let key = KEY.parse::<HostPublicKey>().unwrap();
        assert_eq!(known_keys(&state).unwrap(), [key.clone(), key]);
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);

        std::fs::write(&file, format!("{KEY}\nssh-ed25519 AAAA\n")).unwrap();
        let error = known_keys(&state).unwrap_err().to_string();
        assert!(error.contains("installer-keys:2: not a public key"), "{error}");
    }

    #[test]
    fn an_installer_is_told_with_its_cards_and_disks() {
        let keys = [KEY.parse::<HostPublicKey>().unwrap()];
        let disk = |name: &str, size, model: &str| AnnouncedDisk {
            name: name.to_owned(),
            size,
            model: model.to_owned(),
        };
        let mut installer = Installer {
            name: "nixos 52:54:00:00:00:01".to_owned(),
            address: "10.0.0.7".parse().unwrap(),
            port: 22,
            macs: vec!["52:54:00:00:00:01".to_owned(), "52:54:00:00:00:02".to_owned()],
            fingerprint: Some(keys[0].fingerprint().to_owned()),
            disks: vec![disk("vda", 20 << 30, ""), disk("sda", 512 << 20, "Card")],
        };
        assert_eq!(
            described(&installer, &keys),
            "nixos 52:54:00:00:00:01 at 10.0.0.7, 52:54:00:00:00:02, vda 20 GiB, \
             sda 512 MiB (Card), with a host key from here"
        );
        installer.fingerprint = Some("SHA256:other".to_owned());
        installer.disks.clear();
        installer.macs.clear();
        assert_eq!(described(&installer, &keys), "nixos 52:54:00:00:00:01 at 10.0.0.7");
    }
}
