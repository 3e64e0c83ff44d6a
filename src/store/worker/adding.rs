//! Adding objects to a store: all in one request, each with what is to be registered of it and its archive.

use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::WorkerError;
use super::{Request, Worker, push_paths};
use crate::store::content_address::ContentAddress;
use crate::store::hash::{Sha256Digest, push_hex};
use crate::store::path::{StoreDir, StorePath};
use crate::store::wire::{push_number, push_string};

/// An object that a store does not have yet. Its archive follows.
#[derive(Debug)]
pub struct NewObject<'a> {
    /// Where it will be.
    pub path: &'a StorePath,
    /// What it must hash to; the path follows from that.
    pub address: &'a ContentAddress,
    /// What it refers to: objects that the store has, or that were added before.
    pub references: Vec<&'a StorePath>,
    /// The SHA-256 of its archive.
    pub nar_hash: Sha256Digest,
    /// The length of its archive.
    pub nar_size: u64,
}

/// Where objects are written to, each by [`Adding::object`] and then its archive, as it is.
#[derive(Debug)]
pub struct Adding<'w, W> {
    output: &'w mut W,
    store: &'w StoreDir,
    /// A frame, with room for its length at the start.
    frame: Vec<u8>,
    /// The store has answered already: it has refused something, or is gone.
    refused: &'w AtomicBool,
    /// Writing has failed, or makes no sense any more.
    broken: bool,
}

/// How much is sent at once.
const FRAME: usize = 1 << 16;
/// The length in front of it.
const HEAD: usize = 8;

impl<R: Read + Send, W: Write> Worker<R, W> {
    /// Adds `count` objects, which `feed` writes, in an order in which each comes behind those that it refers to.
    /// If it fails half-way, what was whole before is in the store, and the rest is not.
    ///
    /// # Errors
    ///
    /// The store's, and those of `feed`.
    pub fn add<E: From<WorkerError>>(
        &mut self,
        count: u64,
        feed: impl FnOnce(&mut Adding<'_, W>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut request = Self::request(Request::AddMultipleToStore);
        // Do not repair; do not trust us: the store checks each address.
        push_number(0, &mut request);
        push_number(0, &mut request);
        self.send(&request)?;
        let refused = AtomicBool::new(false);
        let Self { answers, output, store, .. } = self;
        // The store talks while it is written to: whoever only wrote could wait for it for ever.
        let (done, broken, answered) = std::thread::scope(|scope| {
            let reading = std::thread::Builder::new().spawn_scoped(scope, || {
                let answer = answers.end();
                refused.store(answer.is_err(), Ordering::Relaxed);
                answer
            });
            let reading = reading.map_err(WorkerError::Io)?;
            let mut adding = Adding::new(output, store, &refused);
            push_number(count, &mut adding.frame);
            let done = feed(&mut adding);
            adding.end();
            let answered = reading.join();
            let gone = |_| Err(WorkerError::Odd("the thread that reads is gone".to_owned()));
            Ok::<_, WorkerError>((done, adding.broken, answered.unwrap_or_else(gone)))
        })?;
        match (done, answered) {
            // What came of a failure of writing is told by the store's reason for it.
            (Err(_), Err(error)) if broken => Err(error.into()),
            (Err(error), _) => Err(error),
            (Ok(()), answered) => Ok(answered?),
        }
    }
}

impl<'w, W: Write> Adding<'w, W> {
    fn new(output: &'w mut W, store: &'w StoreDir, refused: &'w AtomicBool) -> Self {
        let mut frame = Vec::with_capacity(2 * FRAME);
        frame.resize(HEAD, 0);
        Self { output, store, frame, refused, broken: false }
    }

    /// Announces an object.
    ///
    /// # Errors
    ///
    /// Those of writing.
    pub fn object(&mut self, object: &NewObject<'_>) -> io::Result<()> {
        let out = &mut self.frame;
        push_string(&self.store.to_absolute(object.path), out);
        // Nothing has built it.
        push_string(b"", out);
        let mut hash = Vec::with_capacity(2 * object.nar_hash.len());
        push_hex(&object.nar_hash, &mut hash);
        push_string(&hash, out);
        push_paths(self.store, object.references.clone(), out);
        // The store knows the time.
        push_number(0, out);
        push_number(object.nar_size, out);
        // Not built here, and no signatures.
        push_number(0, out);
        push_number(0, out);
        push_string(object.address.to_text().as_bytes(), out);
        self.send_full()
    }

    fn send_full(&mut self) -> io::Result<()> {
        if self.frame.len() < FRAME { Ok(()) } else { self.send() }
    }

    fn send(&mut self) -> io::Result<()> {
        if self.refused.load(Ordering::Relaxed) {
            self.broken = true;
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let length = (self.frame.len() - HEAD) as u64;
        if let Some(head) = self.frame.first_chunk_mut::<HEAD>() {
            *head = length.to_le_bytes();
        }
        let sent = self.output.write_all(&self.frame);
        self.broken |= sent.is_err();
        self.frame.truncate(HEAD);
        sent
    }

    /// Sends what is left, and the empty frame that ends the request. Whether that fails, the answer tells.
    fn end(&mut self) {
        if self.frame.len() > HEAD {
            let _ = self.send();
        }
        let sent = self.output.write_all(&0_u64.to_le_bytes()).and_then(|()| self.output.flush());
        self.broken |= sent.is_err();
    }
}

/// Takes the archive of the object that was announced last.
impl<W: Write> Write for Adding<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.frame.extend_from_slice(bytes);
        self.send_full()?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
