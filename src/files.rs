//! Replacing a file of the user's so that at any instant it is either the old one or the new one,
//! whole. Errors say what failed and leave it to the caller to name the file: none names the new file beside it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Gives `path` this content: a new file in the same folder, synced, renamed over the old one. The
/// mode and the owner of an old file are kept; a symbolic link is followed, not replaced. The
/// folder must be there.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    write_with(path, |file| file.write_all(content))
}

/// Like [`write()`], but a file that was not there is for its owner alone.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    stage(path, 0o600, |file| file.write_all(content))?.commit()
}

/// Like [`write()`], if the file is still what it was when its new content was worked out. What another program has
/// written meanwhile stays.
pub fn replace(path: &Path, before: &[u8], content: &[u8]) -> io::Result<()> {
    if fs::read(path)? != before {
        return Err(io::Error::other(CHANGED));
    }
    write(path, content)
}

/// What is said of a file that is not replaced.
pub const CHANGED: &str = "another program has changed it meanwhile; it stays as that has left it";

/// Like [`write()`], with what `fill` writes into the new file. If that fails, the old file stays.
pub fn write_with(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    stage(path, PUBLIC, fill)?.commit()
}

/// A new file in `folder` that goes away unless it is given a place. Its name begins with `prefix`.
pub(crate) fn new_in(folder: &Path, prefix: &str, mode: u32) -> io::Result<NamedTempFile> {
    let mut options = File::options();
    options.read(true).write(true).create_new(true).mode(mode);
    // What the crate opens itself has that name in its errors.
    tempfile::Builder::new().prefix(prefix).make_in(folder, |path| options.open(path))
}

/// Where a file really is, or would be: the end of the chain of symbolic links.
pub(crate) fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut place = path.to_owned();
    // Linux gives up after as many.
    for _ in 0..40 {
        match fs::read_link(&place) {
            Ok(link) => place = place.parent().unwrap_or(Path::new("")).join(link),
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Ok(place),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(place),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other(format!("{}: too many levels of symbolic links", path.display())))
}

/// The folder that a file is in.
pub(crate) fn folder_of(place: &Path) -> &Path {
    match place.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// The mode of a new file, from which the umask takes what the user does not want.
const PUBLIC: u32 = 0o666;

/// A finished new file that has not taken its place yet; dropped, it goes away.
struct Staged {
    file: NamedTempFile,
    place: PathBuf,
    folder: PathBuf,
}

fn stage(
    path: &Path,
    mode: u32,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<Staged> {
    let place = follow(path)?;
    let folder = folder_of(&place).to_owned();
    let old = match fs::metadata(&place) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut file = new_in(&folder, &format!(".{name}."), mode)?;
    if let Some(old) = old {
        let new = file.as_file().metadata()?;
        if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
            fchown(file.as_file(), Some(old.uid()), Some(old.gid()))?;
        }
        file.as_file().set_permissions(fs::Permissions::from_mode(old.mode() & 0o7777))?;
    }
    write(file.as_file_mut())?;
    file.as_file().sync_all()?;
    Ok(Staged { file, place, folder })
}

impl Staged {
    fn commit(self) -> io::Result<()> {
        self.file.persist(&self.place).map_err(|error| error.error)?;
        // The rename itself must survive a power cut, too.
        File::open(self.folder)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mode_is_kept_and_links_are_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        write(&link, b"new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o7777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "a temporary file was left");
    }

    #[test]
    fn a_new_file_gets_the_mode_that_the_umask_leaves() {
        let dir = tempfile::tempdir().unwrap();
        let (ours, plain) = (dir.path().join("ours"), dir.path().join("plain"));
        write(&ours, b"x").unwrap();
        fs::write(&plain, "x").unwrap();
        assert_eq!(fs::metadata(&ours).unwrap().mode(), fs::metadata(&plain).unwrap().mode());
    }

    #[test]
    fn killed_between_write_and_rename_leaves_the_old_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "old").unwrap();
        std::mem::forget(stage(&file, PUBLIC, |file| file.write_all(b"new")).unwrap());
        assert_eq!(fs::read_to_string(&file).unwrap(), "old");
        write(&file, b"newer").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "newer");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error_of_the_system_s_words_alone() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing/file");
        for path in [Path::new("/proc/self/nixos-bootstrap-test"), &missing] {
            for write in [write, write_private] {
                let error = write(path, b"x").unwrap_err();
                let system = io::Error::from_raw_os_error(error.raw_os_error().unwrap());
                assert_eq!(error.to_string(), system.to_string());
            }
        }
        assert_eq!(write(&missing, b"x").unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
