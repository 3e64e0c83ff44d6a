//! Reading an image unpacked, as a stream.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::sync::Arc;

use super::Packing;
use super::slot::Patch;

/// The unpacked bytes of an image, in order.
pub struct Unpacked {
    stream: Stream,
    /// How far it was read.
    at: u64,
    patch: Option<Arc<Patch>>,
}

enum Stream {
    Raw(File),
    Zstd(Box<zstd::stream::read::Decoder<'static, BufReader<File>>>),
    Xz(Box<liblzma::read::XzDecoder<File>>),
}

/// Memory that unpacking an .xz file may take: its largest preset takes 65 MiB (xz(1)).
const XZ_MEMORY: u64 = 256 << 20;

impl Unpacked {
    pub(super) fn new(
        mut file: File,
        packing: Packing,
        patch: Option<Arc<Patch>>,
    ) -> io::Result<Self> {
        // The offset is shared with the handle that this one was cloned from.
        file.rewind()?;
        read_ahead(&file);
        let stream = match packing {
            Packing::None => Stream::Raw(file),
            Packing::Zstd => Stream::Zstd(Box::new(zstd::stream::read::Decoder::new(file)?)),
            Packing::Xz => {
                let concatenated = liblzma::stream::CONCATENATED;
                let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, concatenated);
                let stream = stream.map_err(io::Error::other)?;
                Stream::Xz(Box::new(liblzma::read::XzDecoder::new_stream(file, stream)))
            }
        };
        Ok(Self { stream, at: 0, patch })
    }

    /// Fills `buffer`, unless the image ends before; gives how far.
    pub fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.read(rest) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }
}

#[cfg(target_os = "linux")]
fn read_ahead(file: &File) {
    // Only a hint: without it reading is slower.
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::Sequential);
}

#[cfg(not(target_os = "linux"))]
fn read_ahead(_file: &File) {}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.stream {
            Stream::Raw(file) => file.read(buffer),
            Stream::Zstd(decoder) => decoder.read(buffer),
            Stream::Xz(decoder) => decoder.read(buffer),
        }?;
        if let (Some(patch), Some(read)) = (&self.patch, buffer.get_mut(..read)) {
            patch.apply(self.at, read);
        }
        self.at += read as u64;
        Ok(read)
    }
}
