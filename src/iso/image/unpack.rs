//! Reading an image unpacked, as a stream.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use super::Packing;

/// The unpacked bytes of an image, in order.
pub struct Unpacked(Stream);

enum Stream {
    Raw(File),
    Zstd(Box<zstd::stream::read::Decoder<'static, BufReader<File>>>),
    Xz(Box<liblzma::read::XzDecoder<File>>),
}

/// Memory that unpacking an .xz file may take: its largest preset takes 65 MiB (xz(1)).
const XZ_MEMORY: u64 = 256 << 20;

impl Unpacked {
    pub(super) fn new(mut file: File, packing: Packing) -> io::Result<Self> {
        // The offset is shared with the handle that this one was cloned from.
        file.rewind()?;
        read_ahead(&file);
        Ok(Self(match packing {
            Packing::None => Stream::Raw(file),
            Packing::Zstd => Stream::Zstd(Box::new(zstd::stream::read::Decoder::new(file)?)),
            Packing::Xz => {
                let concatenated = liblzma::stream::CONCATENATED;
                let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, concatenated);
                let stream = stream.map_err(io::Error::other)?;
                Stream::Xz(Box::new(liblzma::read::XzDecoder::new_stream(file, stream)))
            }
        }))
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
        match &mut self.0 {
            Stream::Raw(file) => file.read(buffer),
            Stream::Zstd(decoder) => decoder.read(buffer),
            Stream::Xz(decoder) => decoder.read(buffer),
        }
    }
}
