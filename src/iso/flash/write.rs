//! The thread of one disk: clears it, writes what comes, then the first chunk, then reads all back.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::buffer::Buffer;
use super::device::Device;
use super::feed::{Chunk, Message};
use super::verify::verify;
use super::{CHUNK, Verify};
use crate::install::size::human;
use crate::iso::digest::Digest;
use crate::iso::event::{Event, Outcome, Reporter, Stage, State};

/// Partition tables and signatures of file systems, arrays and pools lie within this much of either end of a disk.
const ENDS: u64 = 1 << 20;

/// What to do with a disk.
pub(super) struct Work<'a> {
    /// Bytes of the image.
    pub(super) size: u64,
    pub(super) verify: Verify,
    pub(super) cancel: &'a CancellationToken,
    pub(super) reporter: &'a dyn Reporter,
}

/// Why it ended early.
#[derive(Debug)]
pub(super) enum Stop {
    /// Something broke.
    Failed(String),
    /// What was read back is not what was written.
    Differs(String),
    /// The user stopped it.
    Cancelled,
}

/// How far a disk is.
struct Progress {
    state: State,
    written: u64,
    digests: Vec<Digest>,
}

impl Work<'_> {
    /// Writes and verifies; gives how it ended, which the reporter is told as well.
    pub(super) fn run(&self, device: Device, chunks: &Receiver<Message>) -> Outcome {
        let mut progress = Progress { state: State::Untouched, written: 0, digests: Vec::new() };
        let begun = Instant::now();
        let mut ended = self.write(&device, chunks, &mut progress);
        let writing = begun.elapsed();
        let mut verifying = None;
        if ended.is_ok() {
            progress.state = State::Unverified;
            if let Verify::By(algorithm) = self.verify {
                let begun = Instant::now();
                ended = verify(self, &device, algorithm, &progress.digests);
                if ended.is_ok() {
                    progress.state = State::Good;
                    verifying = Some(begun.elapsed());
                }
            }
        }
        if matches!(ended, Err(Stop::Differs(_))) {
            progress.state = State::Wrong;
        }
        // Closed before anybody hears of the end: then it may be pulled out, or asked for its partitions.
        let target = device.path.clone();
        drop(device);
        let outcome = self.outcome(target, &progress, ended, writing, verifying);
        self.reporter.event(&Event::Ended(outcome.clone()));
        outcome
    }

    fn outcome(
        &self,
        target: String,
        progress: &Progress,
        ended: Result<(), Stop>,
        writing: Duration,
        verifying: Option<Duration>,
    ) -> Outcome {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let whole = progress.written == self.size;
        let stopped = matches!(ended, Err(Stop::Cancelled));
        Outcome {
            target,
            state: progress.state,
            written: progress.written,
            writing_millis: millis(writing),
            verifying_millis: verifying.map(millis),
            digest: progress.digests.last().filter(|_| whole).copied(),
            error: match ended {
                Ok(()) => None,
                Err(Stop::Cancelled) => Some("stopped".to_owned()),
                Err(Stop::Failed(text) | Stop::Differs(text)) => Some(text),
            },
            stopped,
        }
    }

    /// Writes the image. At its end all of it is on the medium.
    fn write(
        &self,
        device: &Device,
        chunks: &Receiver<Message>,
        progress: &mut Progress,
    ) -> Result<(), Stop> {
        let mut first = None;
        let mut end = 0;
        while end < self.size {
            let chunk = match chunks.recv() {
                Ok(Ok(chunk)) => chunk,
                Ok(Err(text)) => return Err(Stop::Failed(text.to_string())),
                Err(_) => return Err(Stop::Cancelled),
            };
            self.check()?;
            progress.digests.extend(chunk.digest);
            end = chunk.offset + chunk.length as u64;
            if chunk.offset == 0 {
                self.clear(device, progress)?;
                first = Some(chunk);
                continue;
            }
            write_chunk(device, &chunk)?;
            progress.written += chunk.length as u64;
            self.progress(device, Stage::Writing, progress.written);
        }
        self.flush(device)?;
        self.check()?;
        if let Some(first) = first {
            write_chunk(device, &first)?;
            progress.written += first.length as u64;
            self.progress(device, Stage::Writing, progress.written);
            flush(device)?;
        }
        Ok(())
    }

    fn flush(&self, device: &Device) -> Result<(), Stop> {
        self.reporter.event(&Event::Flushing { target: device.path.clone() });
        flush(device)
    }

    /// Overwrites both ends of the disk with zeros.
    fn clear(&self, device: &Device, progress: &mut Progress) -> Result<(), Stop> {
        let length = ENDS.min(device.size);
        let zeros = Buffer::new(usize::try_from(length).unwrap_or(CHUNK));
        let block = device.block as u64;
        let image_end = self.size.next_multiple_of(block);
        let tail = (device.size - length).max(image_end).next_multiple_of(block);
        let pieces = [(0, length), (tail, device.size.saturating_sub(tail))];
        // Even a write that fails may have changed something.
        progress.state = State::Incomplete;
        for (offset, length) in pieces {
            let length = usize::try_from(length - length % block).unwrap_or(0);
            let zeros = zeros.bytes().get(..length).unwrap_or_default();
            device.write(zeros, offset).map_err(|error| writing(device, offset, &error))?;
        }
        Ok(())
    }

    /// Did the user stop it?
    pub(super) fn check(&self) -> Result<(), Stop> {
        if self.cancel.is_cancelled() { Err(Stop::Cancelled) } else { Ok(()) }
    }

    pub(super) fn progress(&self, device: &Device, stage: Stage, done: u64) {
        let (target, total) = (device.path.clone(), self.size);
        self.reporter.event(&Event::Progress { target, stage, done, total });
    }
}

fn write_chunk(device: &Device, chunk: &Arc<Chunk>) -> Result<(), Stop> {
    let bytes = chunk.padded(device.block);
    device.write(bytes, chunk.offset).map_err(|error| writing(device, chunk.offset, &error))
}

fn writing(device: &Device, offset: u64, error: &io::Error) -> Stop {
    Stop::Failed(format!("writing at {} failed: {}", human(offset), device.explain(error)))
}

fn flush(device: &Device) -> Result<(), Stop> {
    device.medium.flush().map_err(|error| {
        let error = device.explain(&error);
        Stop::Failed(format!("what was written did not all reach the medium: {error}"))
    })
}
