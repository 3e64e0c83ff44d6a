//! The image as a file: packed or not, how large it is unpacked, and whether it is whole and an image at all.
//! All of it is known before a disk is touched.

mod content;
mod slot;
mod unpack;
mod xz;
mod zstd;

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

pub use content::Content;
use slot::Patch;
pub use slot::SlotError;
pub use unpack::Unpacked;

use crate::secrets::Secret;

/// An image that can be written.
#[derive(Debug)]
pub struct Image {
    /// Where it is.
    pub path: PathBuf,
    /// How it is packed.
    pub packing: Packing,
    /// Bytes, unpacked.
    pub size: u64,
    /// What it is.
    pub content: Content,
    file: File,
    /// What its place for a host key is given.
    patch: Option<Arc<Patch>>,
}

/// How an image is packed, by its first bytes: names are not to be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Packing {
    /// It is not.
    None,
    /// Zstandard, RFC 8878.
    Zstd,
    /// The .xz file format.
    Xz,
}

/// Why a file is no image that can be written.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// It can't be read.
    #[error("the image {} can't be read: {source}", path.display())]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is no file.
    #[error("{} is no file", path.display())]
    NoFile {
        /// Its path.
        path: PathBuf,
        /// An image that lies in it, if it is a folder.
        inside: Option<PathBuf>,
    },
    /// It ends too early.
    #[error("the image {} is not whole: {reason}", path.display())]
    Truncated {
        /// Its path.
        path: PathBuf,
        /// How that is known.
        reason: String,
    },
    /// It is something else.
    #[error("{} is no disk image: {reason}", path.display())]
    NoImage {
        /// Its path.
        path: PathBuf,
        /// What it is or lacks.
        reason: String,
    },
}

impl ImageError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoFile { inside: Some(inside), .. } => {
                Some(format!("did you mean {}?", inside.display()))
            }
            Self::Truncated { .. } => Some("copy, download or build it again".to_owned()),
            Self::NoImage { .. } => Some(
                "what can be written is an ISO image or a raw disk image with a partition table, \
                 also packed as .zst or .xz"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

/// What is wrong with a file, before its path is added.
#[derive(Debug)]
enum Flaw {
    Io(io::Error),
    Truncated(String),
    NoImage(String),
}

impl From<io::Error> for Flaw {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// How much of an image is looked at to see what it is.
const HEAD: u64 = 36 * 1024;

impl Image {
    /// Opens the file and looks at it. It stays open, so that what is written is what was looked at.
    pub fn open(path: &Path) -> Result<Self, ImageError> {
        let unreadable = |source| ImageError::Unreadable { path: path.to_owned(), source };
        let file = File::open(path).map_err(unreadable)?;
        if !file.metadata().map_err(unreadable)?.is_file() {
            let inside = image_in(path);
            return Err(ImageError::NoFile { path: path.to_owned(), inside });
        }
        look(&file).map_or_else(
            |flaw| Err(flaw.at(path)),
            |(packing, size, content)| {
                let path = path.to_owned();
                file.try_clone().map_err(unreadable)?;
                Ok(Self { path, packing, size, content, file, patch: None })
            },
        )
    }

    /// The image from its beginning, unpacked, with the host key that it was given.
    pub fn reader(&self) -> io::Result<Unpacked> {
        Unpacked::new(self.file.try_clone()?, self.packing, self.patch.clone())
    }

    /// The same image with this private key as the host key of what starts from it. Its file stays as it is.
    pub fn with_host_key(mut self, key: &Secret) -> Result<Self, SlotError> {
        self.patch = Some(Arc::new(Patch::new(&self, key)?));
        Ok(self)
    }

    /// Is there a host key in it, so that it must not be seen by others?
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.patch.is_some()
    }

    /// Bytes that its file takes on the disk, which are fewer than its size where it has holes.
    #[must_use]
    pub fn stored(&self) -> Option<u64> {
        use std::os::unix::fs::MetadataExt;
        // stat(2): blocks of 512 bytes, whatever the file system's are.
        self.file.metadata().ok().map(|meta| meta.blocks().saturating_mul(512))
    }
}

impl Flaw {
    fn at(self, path: &Path) -> ImageError {
        let path = path.to_owned();
        match self {
            Self::Io(source) => ImageError::Unreadable { path, source },
            Self::Truncated(reason) => ImageError::Truncated { path, reason },
            Self::NoImage(reason) => ImageError::NoImage { path, reason },
        }
    }
}

fn look(file: &File) -> Result<(Packing, u64, Content), Flaw> {
    let packing = packing(file)?;
    let size = match packing {
        Packing::None => file.metadata()?.len(),
        Packing::Xz => xz::unpacked_size(file)?,
        Packing::Zstd => match zstd::unpacked_size(file)? {
            Some(size) => size,
            // The frames do not tell it: they were made from a pipe.
            None => io::copy(&mut unpacked(file, packing)?, &mut io::sink()).map_err(broken)?,
        },
    };
    let mut head = Vec::new();
    unpacked(file, packing)?.take(HEAD).read_to_end(&mut head).map_err(broken)?;
    Ok((packing, size, content::of(&head, size)?))
}

fn unpacked(file: &File, packing: Packing) -> io::Result<Unpacked> {
    Unpacked::new(file.try_clone()?, packing, None)
}

/// What went wrong while unpacking.
fn broken(error: io::Error) -> Flaw {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Flaw::Truncated("its packed data ends too early".into()),
        _ if error.raw_os_error().is_some() => Flaw::Io(error),
        _ => Flaw::NoImage(format!("it can't be unpacked: {error}")),
    }
}

fn packing(file: &File) -> Result<Packing, Flaw> {
    let mut magic = [0; 6];
    let read = read_up_to(file, &mut magic, 0)?;
    let magic = magic.get(..read).unwrap_or_default();
    let other = |name: &str| {
        Err(Flaw::NoImage(format!("it is packed with {name}, which has to be unpacked first")))
    };
    match magic {
        [] => Err(Flaw::NoImage("it is empty".into())),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Ok(Packing::Zstd),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Ok(Packing::Xz),
        [0x1f, 0x8b, ..] => other("gzip"),
        [b'B', b'Z', b'h', ..] => other("bzip2"),
        [0x04, 0x22, 0x4d, 0x18, ..] => other("lz4"),
        [b'P', b'K', 3, 4, ..] => other("zip"),
        [b'Q', b'F', b'I', 0xfb, ..] => {
            Err(Flaw::NoImage("it is QEMU's own format (qcow2), no raw image".into()))
        }
        _ => Ok(Packing::None),
    }
}

/// Fills `buffer` from `offset` on as far as the file goes; gives how far.
fn read_up_to(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + done as u64) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// The image in a folder as builds leave it: `iso/NAME.iso` in the result, or one beside nothing else.
fn image_in(folder: &Path) -> Option<PathBuf> {
    let images = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        let named = |path: &PathBuf| {
            let name = path.to_string_lossy();
            [".iso", ".img", ".iso.zst", ".img.zst", ".iso.xz", ".img.xz"]
                .iter()
                .any(|ending| name.ends_with(ending))
        };
        paths.filter(named).collect()
    };
    let places = [folder.join("iso"), folder.join("sd-image"), folder.to_owned()];
    places.iter().find_map(|place| match images(place).as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
