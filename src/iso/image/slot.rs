//! The place for an ssh host key in an installer image: a file of a fixed size in its root folder, whose bytes are
//! replaced while the image is read. The image that was built stays as it is.
//!
//! `modules/iso/host-key.nix` makes the file, and the installer takes the key from it when it starts.

use std::io::{self, Read};

use zeroize::Zeroizing;

use super::{Image, Unpacked};
use crate::secrets::Secret;

/// The file's name as ISO 9660 has it.
const NAME: &str = "HOST_KEY.SLT";
/// How it begins, with a key and without.
const HEADER: &[u8] = b"nixos-bootstrap: a place for the SSH host key\n";
/// Its size.
const SIZE: usize = 4096;

/// Unit of the volume (ECMA-119, 6.1.2); nixpkgs' images have no other.
const BLOCK: u64 = 2048;
/// The primary volume descriptor, and the root folder's record in it (ECMA-119, 8.4).
const DESCRIPTOR: u64 = 16 * BLOCK;
const ROOT: usize = 156;
/// Root folders are near the beginning, and small.
const FARTHEST: u64 = 256 << 20;
const LARGEST: usize = 1 << 20;

/// Why an image takes no host key.
#[derive(Debug, thiserror::Error)]
pub enum SlotError {
    /// It has no place for one.
    #[error("the image has no place for a host key: {0}")]
    Missing(&'static str),
    /// The key is larger than the place.
    #[error("the host key is too large for its place in the image")]
    TooLarge,
    /// The image can't be read.
    #[error("the image can't be read: {0}")]
    Reading(#[from] io::Error),
}

/// Bytes that take the place of others in an image.
#[derive(Debug)]
pub(super) struct Patch {
    at: u64,
    bytes: Secret,
}

impl Patch {
    /// The patch that puts `key` into the image's place for it.
    pub(super) fn new(image: &Image, key: &Secret) -> Result<Self, SlotError> {
        let room =
            SIZE.checked_sub(HEADER.len() + key.expose().len()).ok_or(SlotError::TooLarge)?;
        let filling = b"\n".repeat(room);
        let bytes = Zeroizing::new([HEADER, key.expose(), &filling].concat());
        let at = find(image)?;
        Ok(Self { at, bytes: Secret::new(bytes.as_slice()) })
    }

    /// Replaces what of `buffer`, which was read at `offset`, is in the place.
    pub(super) fn apply(&self, offset: u64, buffer: &mut [u8]) {
        let bytes = self.bytes.expose();
        let end = offset.saturating_add(buffer.len() as u64).min(self.at + bytes.len() as u64);
        let start = offset.max(self.at);
        let within =
            |at: u64, base: u64| usize::try_from(at.saturating_sub(base)).unwrap_or(usize::MAX);
        if start >= end {
            return;
        }
        let new = bytes.get(within(start, self.at)..within(end, self.at));
        let old = buffer.get_mut(within(start, offset)..within(end, offset));
        if let (Some(old), Some(new)) = (old, new) {
            old.copy_from_slice(new);
        }
    }
}

/// Where the place begins.
fn find(image: &Image) -> Result<u64, SlotError> {
    let mut stream = Stream { image: image.reader()?, at: 0 };
    let descriptor = stream.read(DESCRIPTOR, 2048)?;
    if descriptor.get(..7) != Some(b"\x01CD001\x01") {
        return Err(SlotError::Missing("it is no ISO 9660 image"));
    }
    let strange = SlotError::Missing("its root folder can't be read");
    let Some(root) = descriptor.get(ROOT..).and_then(Extent::of) else { return Err(strange) };
    if root.at < stream.at || root.at > FARTHEST || root.size > LARGEST {
        return Err(strange);
    }
    let folder = stream.read(root.at, root.size)?;
    let slot = records(&folder).find(|(name, _)| name.eq_ignore_ascii_case(NAME));
    let Some((_, slot)) = slot else {
        return Err(SlotError::Missing(
            "it was not made with the module iso, or with an older one",
        ));
    };
    if slot.size != SIZE || slot.at < stream.at {
        return Err(SlotError::Missing("it is not where and as large as it has to be"));
    }
    let content = stream.read(slot.at, HEADER.len())?;
    if content != HEADER {
        return Err(SlotError::Missing("something else has its name"));
    }
    Ok(slot.at)
}

/// An image that is read forwards.
struct Stream {
    image: Unpacked,
    at: u64,
}

impl Stream {
    fn read(&mut self, at: u64, size: usize) -> io::Result<Vec<u8>> {
        let gap = at.saturating_sub(self.at);
        let skipped = io::copy(&mut self.image.by_ref().take(gap), &mut io::sink())?;
        let mut bytes = vec![0; size];
        let read = self.image.fill(&mut bytes)?;
        if skipped < gap || read < size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at = at + size as u64;
        Ok(bytes)
    }
}

/// Where a file or folder is.
struct Extent {
    at: u64,
    size: usize,
}

impl Extent {
    /// That of a folder's record (ECMA-119, 9.1).
    fn of(record: &[u8]) -> Option<Self> {
        let number = |at: usize| Some(u32::from_le_bytes(record.get(at..at + 4)?.try_into().ok()?));
        let (block, size) = (number(2)?, number(10)?);
        Some(Self { at: u64::from(block) * BLOCK, size: usize::try_from(size).ok()? })
    }
}

/// The names in a folder, without their versions, and where what they name is.
fn records(folder: &[u8]) -> impl Iterator<Item = (String, Extent)> {
    // No record goes over the end of a block; zeros fill it up.
    folder.chunks(2048).flat_map(|block| {
        let mut rest = block;
        std::iter::from_fn(move || {
            let length = usize::from(*rest.first()?);
            if length == 0 {
                return None;
            }
            let record = rest.get(..length)?;
            rest = rest.get(length..)?;
            let size = usize::from(*record.get(32)?);
            let name = String::from_utf8_lossy(record.get(33..33 + size)?).into_owned();
            let name = name.split(';').next().unwrap_or_default().to_owned();
            Some((name, Extent::of(record)?))
        })
    })
}
