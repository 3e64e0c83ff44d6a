//! The thread that reads the image and hands its chunks to every disk.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use tokio_util::sync::CancellationToken;

use super::buffer::{Lent, Pool};
use super::{CHUNK, Verify};
use crate::iso::digest::{Digest, Running};
use crate::iso::image::{Image, Unpacked};

/// One is filled, one waits, one is written, and every disk keeps the first one to the end.
const BUFFERS: usize = 4;

/// What a disk gets: chunk after chunk, or word that there are no more because the image can't be read.
pub(super) type Message = Result<Arc<Chunk>, Arc<str>>;

/// A piece of the image.
#[derive(Debug)]
pub(super) struct Chunk {
    memory: Lent,
    /// Where in the image it is.
    pub(super) offset: u64,
    /// Bytes of the image in it.
    pub(super) length: usize,
    /// Of the image up to its end, where it is verified.
    pub(super) digest: Option<Digest>,
}

impl Chunk {
    /// Its bytes, with zeros behind them up to a multiple of `block`.
    pub(super) fn padded(&self, block: usize) -> &[u8] {
        let end = self.length.next_multiple_of(block.max(1));
        self.memory.bytes().get(..end).unwrap_or_default()
    }
}

/// Reads the image to its end, as long as there is a disk that takes it.
pub(super) fn feed(
    image: &Image,
    mut feeds: Vec<SyncSender<Message>>,
    verify: Verify,
    cancel: &CancellationToken,
) {
    let pool = Pool::new(BUFFERS, CHUNK);
    // Without verification nobody asks for the digests, which may take more time than all else here.
    let mut running = match verify {
        Verify::By(algorithm) => Some(Running::new(algorithm)),
        Verify::No => None,
    };
    let mut offset = 0;
    let mut source = match image.reader() {
        Ok(source) => source,
        Err(error) => return tell(&feeds, &error),
    };
    while offset < image.size && !feeds.is_empty() && !cancel.is_cancelled() {
        let Some(mut memory) = pool.take() else { return };
        let length = match fill(&mut source, &mut memory, image.size - offset) {
            Ok(length) => length,
            Err(error) => return tell(&feeds, &error),
        };
        let digest = running.as_mut().map(|running| {
            running.take(memory.bytes().get(..length).unwrap_or_default());
            running.digest()
        });
        let chunk = Arc::new(Chunk { memory, offset, length, digest });
        offset += length as u64;
        // A disk that failed takes no more.
        feeds.retain(|feed| feed.send(Ok(Arc::clone(&chunk))).is_ok());
    }
}

/// Fills the memory with what comes next, `left` bytes at most, and zeros behind it.
fn fill(source: &mut Unpacked, memory: &mut Lent, left: u64) -> io::Result<usize> {
    let bytes = memory.bytes_mut();
    let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
    let (front, back) = bytes.split_at_mut_checked(wanted).unwrap_or_default();
    if source.fill(front)? < wanted {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "it became shorter while it was read",
        ));
    }
    back.fill(0);
    Ok(wanted)
}

fn tell(feeds: &[SyncSender<Message>], error: &io::Error) {
    let text: Arc<str> = Arc::from(format!("the image can't be read: {error}"));
    for feed in feeds {
        // A disk that failed has its own error.
        let _ = feed.send(Err(Arc::clone(&text)));
    }
}
