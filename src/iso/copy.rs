//! `--output`: the image as a file, unpacked; whole or not at all, with holes where it has nothing but zeros.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::event::{Event, Outcome, Reporter, Stage};
use super::image::{Image, Packing};
use crate::files;
use crate::install::size::human;

/// Why the file was not made.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// Something that is no file is in its place.
    #[error("{} is {what}, not a file", path.display())]
    NoFile {
        /// Its path.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// It would replace the image itself.
    #[error("{} is the image itself", path.display())]
    Same {
        /// Its path.
        path: PathBuf,
    },
    /// It does not fit.
    #[error("{} has {} free, and the image needs {}", folder.display(), human(*free), human(*needed))]
    NoSpace {
        /// Where it was to be.
        folder: PathBuf,
        /// Bytes that are free.
        free: u64,
        /// Bytes that it takes.
        needed: u64,
    },
    /// The image can't be read.
    #[error("the image can't be read: {0}")]
    Reading(io::Error),
    /// The file can't be written.
    #[error("{} could not be written: {source}", path.display())]
    Writing {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The user stopped it.
    #[error("stopped; {} is what it was before", path.display())]
    Stopped {
        /// Its path.
        path: PathBuf,
    },
}

/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;
/// Holes are multiples of this; file systems have no smaller ones.
const HOLE: usize = 4096;

/// Can the file be made at `path`? Asked before anything else is done.
pub fn check(image: Option<&Image>, path: &Path) -> Result<(), CopyError> {
    let kind = fs::metadata(path).ok();
    let what = kind.as_ref().and_then(|meta| {
        let kind = meta.file_type();
        match () {
            () if kind.is_dir() => Some("a folder"),
            () if kind.is_block_device() => Some("a disk"),
            () if kind.is_file() => None,
            () => Some("something else"),
        }
    });
    if let Some(what) = what {
        return Err(CopyError::NoFile { path: path.to_owned(), what });
    }
    let Some(image) = image else { return Ok(()) };
    let inode = |meta: &fs::Metadata| (meta.dev(), meta.ino());
    if kind.as_ref().map(inode) == fs::metadata(&image.path).ok().as_ref().map(inode) {
        return Err(CopyError::Same { path: path.to_owned() });
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let room = rustix::fs::statvfs(&folder)
        .map_err(|error| CopyError::Writing { path: path.to_owned(), source: error.into() })?;
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    let needed = match image.packing {
        Packing::None => image.stored().unwrap_or(image.size).min(image.size),
        _ => image.size,
    };
    if free < needed { Err(CopyError::NoSpace { folder, free, needed }) } else { Ok(()) }
}

/// Makes the file. Blocks.
pub fn copy(
    image: &Image,
    path: &Path,
    cancel: &CancellationToken,
    reporter: &dyn Reporter,
) -> Result<Outcome, CopyError> {
    check(Some(image), path)?;
    let begun = Instant::now();
    let target = path.to_string_lossy().into_owned();
    let mut reading = None;
    let progress = |done| {
        let (target, total) = (target.clone(), image.size);
        reporter.event(&Event::Progress { target, stage: Stage::Copying, done, total });
    };
    let written = files::write_with(path, |file| {
        if image.is_secret() {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
        let mut source = image.reader()?;
        let mut buffer = vec![0; CHUNK];
        let mut done = 0;
        while done < image.size && !cancel.is_cancelled() {
            let read = source.fill(&mut buffer).inspect_err(|error| {
                reading = Some(io::Error::new(error.kind(), error.to_string()));
            })?;
            if read == 0 {
                reading = Some(io::Error::other("it became shorter while it was read"));
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            sparse(file, buffer.get(..read).unwrap_or_default())?;
            done += read as u64;
            progress(done);
        }
        if cancel.is_cancelled() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        file.set_len(done)
    });
    match written {
        Err(_) if cancel.is_cancelled() => Err(CopyError::Stopped { path: path.to_owned() }),
        Err(source) => Err(match reading {
            Some(error) => CopyError::Reading(error),
            None => CopyError::Writing { path: path.to_owned(), source },
        }),
        Ok(()) => {
            let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            let outcome = Outcome::copied(target, image.size, millis);
            reporter.event(&Event::Ended(outcome.clone()));
            Ok(outcome)
        }
    }
}

/// Writes what is not zero, and goes on behind what is.
fn sparse(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let zeros = run(rest, true);
        let skipped = i64::try_from(zeros).map_err(io::Error::other)?;
        file.seek(SeekFrom::Current(skipped))?;
        rest = rest.get(zeros..).unwrap_or_default();
        let data = run(rest, false);
        file.write_all(rest.get(..data).unwrap_or_default())?;
        rest = rest.get(data..).unwrap_or_default();
    }
    Ok(())
}

/// How many bytes at the beginning are blocks of zeros, or are not.
fn run(bytes: &[u8], zeros: bool) -> usize {
    let blocks = bytes.chunks(HOLE);
    let same = |block: &&[u8]| block.iter().all(|byte| *byte == 0) == zeros;
    blocks.take_while(same).map(<[u8]>::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_whole_blocks() {
        let mut bytes = vec![0; 3 * HOLE];
        bytes[HOLE + 5] = 1;
        assert_eq!(run(&bytes, true), HOLE);
        assert_eq!(run(&bytes[HOLE..], false), HOLE);
        assert_eq!(run(&bytes[HOLE..], true), 0);
        assert_eq!(run(&[0; 10], true), 10);
    }
}
