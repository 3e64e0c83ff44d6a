//! Reads a disk back, past the page cache, and compares it with the image's digests. One thread reads while another
//! one hashes.

use std::sync::mpsc::sync_channel;
use std::thread;

use super::CHUNK;
use super::buffer::{Lent, Pool};
use super::device::Device;
use super::write::{Stop, Work};
use crate::install::size::human;
use crate::iso::digest::{Algorithm, Digest, Running};
use crate::iso::event::Stage;

/// Bytes that are read at once; whole chunks are made of them.
const PIECE: usize = CHUNK / 2;

/// Bytes of the image that were read, in order.
struct Piece {
    memory: Lent,
    offset: u64,
    length: usize,
}

/// Compares all of the image; `digests` has one entry a chunk.
pub(super) fn verify(
    work: &Work<'_>,
    device: &Device,
    algorithm: Algorithm,
    digests: &[Digest],
) -> Result<(), Stop> {
    let (send, pieces) = sync_channel::<Piece>(1);
    thread::scope(|scope| {
        let compared = scope.spawn(move || {
            let mut running = Running::new(algorithm);
            for piece in pieces {
                compare(&piece, work.size, digests, &mut running)?;
            }
            Ok(())
        });
        let read = read(work, device, |piece| send.send(piece).is_ok());
        drop(send);
        let compared = compared.join();
        // What differs is the reason why reading ended, where both ended early.
        compared.unwrap_or_else(|_| Err(Stop::Failed("comparing ended early".to_owned())))?;
        read
    })
}

/// Reads piece by piece, for as long as they are taken.
fn read(work: &Work<'_>, device: &Device, mut take: impl FnMut(Piece) -> bool) -> Result<(), Stop> {
    let pool = Pool::new(2, PIECE);
    let mut offset = 0;
    while offset < work.size {
        work.check()?;
        let Some(mut memory) = pool.take() else { return Ok(()) };
        let left = usize::try_from(work.size - offset).unwrap_or(usize::MAX);
        let length = left.min(PIECE);
        let whole = length.next_multiple_of(device.block);
        let bytes = memory.bytes_mut().get_mut(..whole).unwrap_or_default();
        device.read(bytes, offset).map_err(|error| {
            let place = human(offset);
            Stop::Failed(format!("reading back at {place} failed: {}", device.explain(&error)))
        })?;
        if !take(Piece { memory, offset, length }) {
            return Ok(());
        }
        offset += length as u64;
        work.progress(device, Stage::Verifying, offset);
    }
    Ok(())
}

fn compare(
    piece: &Piece,
    size: u64,
    digests: &[Digest],
    running: &mut Running,
) -> Result<(), Stop> {
    running.take(piece.memory.bytes().get(..piece.length).unwrap_or_default());
    let end = piece.offset + piece.length as u64;
    if end < size && !end.is_multiple_of(CHUNK as u64) {
        return Ok(());
    }
    let chunk = (end - 1) / CHUNK as u64;
    let expected = usize::try_from(chunk).ok().and_then(|chunk| digests.get(chunk));
    if expected == Some(&running.digest()) {
        return Ok(());
    }
    let (from, to) = (human(chunk * CHUNK as u64), human(end));
    Err(Stop::Differs(format!(
        "what is read back differs from the image between {from} and {to}: the device is broken, or smaller than \
         it claims"
    )))
}
