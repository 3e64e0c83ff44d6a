//! The protocol that Nix' programs speak with a store ("worker protocol"), as a client: ask what is valid, add
//! what is not, keep it from the garbage collector.
//!
//! Knows streams only; whoever has started `nix-daemon --stdio` or has a socket gives them. Building is left to
//! the program `nix`. The reference is the behaviour of C++ Nix: 2.4 (version 1.32 of the protocol) and later.

mod adding;
mod answers;
mod error;

use std::collections::BTreeSet;
use std::io::{Read, Write};

pub use adding::{Adding, NewObject};
pub use error::WorkerError;

use super::path::{StoreDir, StorePath};
use super::wire::{push_number, push_string};
use answers::Answers;

/// A store at the other end of two streams.
#[derive(Debug)]
pub struct Worker<R, W> {
    answers: Answers<R>,
    output: W,
    store: StoreDir,
    nix: String,
}

/// What the client says first, and what the store answers.
const CLIENT_MAGIC: u64 = 0x6e69_7863;
const STORE_MAGIC: u64 = 0x6478_696f;

/// The version that this client speaks. Later ones add nothing that it needs.
const VERSION: u64 = version(1, 35);
/// The oldest that has all that it needs.
const OLDEST: u64 = version(1, 32);

const fn version(major: u64, minor: u64) -> u64 {
    (major << 8) + minor
}

/// Requests.
#[derive(Debug, Clone, Copy)]
enum Request {
    AddTempRoot = 11,
    QueryPathInfo = 26,
    QueryValidPaths = 31,
    AddMultipleToStore = 44,
}

impl<R: Read + Send, W: Write> Worker<R, W> {
    /// Greets the store, whose paths lie in `store`.
    ///
    /// # Errors
    ///
    /// [`WorkerError::Foreign`] and [`WorkerError::Version`] if it is none that this client knows;
    /// [`WorkerError::Store`] if it could not be opened. So in all functions here: [`WorkerError::Ended`],
    /// [`WorkerError::Odd`], [`WorkerError::Io`].
    pub fn connect(input: R, mut output: W, store: StoreDir) -> Result<Self, WorkerError> {
        let mut answers = Answers::new(input);
        let mut hello = Vec::new();
        push_number(CLIENT_MAGIC, &mut hello);
        push_number(VERSION, &mut hello);
        // Two settings that have lost their meaning: none of the CPUs, no reserved space.
        push_number(0, &mut hello);
        push_number(0, &mut hello);
        let sent = output.write_all(&hello).and_then(|()| output.flush());
        // What does not listen may have said all the same what it is.
        if answers.number()? != STORE_MAGIC {
            return Err(WorkerError::Foreign);
        }
        sent?;
        let known = answers.number()?;
        if known >> 8 != VERSION >> 8 || known < OLDEST {
            return Err(WorkerError::Version { major: known >> 8, minor: known & 0xff });
        }
        let nix = if known >= version(1, 33) { answers.text()? } else { String::new() };
        if known >= version(1, 35) {
            // Whether the store trusts this user does not matter: what is added proves itself by its hash.
            answers.number()?;
        }
        answers.end()?;
        Ok(Self { answers, output, store, nix })
    }

    /// The version of the Nix at the other end; empty if it does not say.
    #[must_use]
    pub fn nix_version(&self) -> &str {
        &self.nix
    }

    /// Which of these paths are valid, asked in one go.
    ///
    /// # Errors
    ///
    /// [`WorkerError::Store`].
    pub fn valid_paths<'p>(
        &mut self,
        paths: impl IntoIterator<Item = &'p StorePath>,
    ) -> Result<BTreeSet<StorePath>, WorkerError> {
        let mut request = Self::request(Request::QueryValidPaths);
        push_paths(&self.store, paths.into_iter().collect(), &mut request);
        // Not to be substituted.
        push_number(0, &mut request);
        self.send(&request)?;
        self.answers.end()?;
        self.paths()
    }

    /// What a valid path refers to; `None` if it is not valid.
    ///
    /// # Errors
    ///
    /// [`WorkerError::Store`].
    pub fn references(
        &mut self,
        path: &StorePath,
    ) -> Result<Option<BTreeSet<StorePath>>, WorkerError> {
        let mut request = Self::request(Request::QueryPathInfo);
        push_string(&self.store.to_absolute(path), &mut request);
        self.send(&request)?;
        self.answers.end()?;
        if self.answers.number()? == 0 {
            return Ok(None);
        }
        // What has built it, and its hash.
        self.answers.bytes()?;
        self.answers.bytes()?;
        let references = self.paths()?;
        // Time, size, built here, signatures, address.
        self.answers.number()?;
        self.answers.number()?;
        self.answers.number()?;
        for _ in 0..self.answers.number()? {
            self.answers.bytes()?;
        }
        self.answers.bytes()?;
        Ok(Some(references))
    }

    /// Keeps a path, and all that it refers to, from the garbage collector as long as the connection stands.
    ///
    /// # Errors
    ///
    /// [`WorkerError::Store`].
    pub fn keep(&mut self, path: &StorePath) -> Result<(), WorkerError> {
        let mut request = Self::request(Request::AddTempRoot);
        push_string(&self.store.to_absolute(path), &mut request);
        self.send(&request)?;
        self.answers.end()?;
        self.answers.number()?;
        Ok(())
    }

    /// What the store wanted told since it was asked for the last time: warnings, mostly.
    pub fn remarks(&mut self) -> Vec<String> {
        self.answers.remarks()
    }

    fn paths(&mut self) -> Result<BTreeSet<StorePath>, WorkerError> {
        let mut paths = BTreeSet::new();
        for _ in 0..self.answers.number()? {
            let path = self.store.parse(&self.answers.bytes()?);
            paths.insert(path.map_err(|error| WorkerError::Odd(error.to_string()))?);
        }
        Ok(paths)
    }

    fn request(request: Request) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(4096);
        push_number(request as u64, &mut bytes);
        bytes
    }

    fn send(&mut self, request: &[u8]) -> Result<(), WorkerError> {
        self.output.write_all(request)?;
        Ok(self.output.flush()?)
    }
}

/// Appends a list of paths.
fn push_paths(store: &StoreDir, paths: Vec<&StorePath>, out: &mut Vec<u8>) {
    push_number(paths.len() as u64, out);
    for path in paths {
        push_string(&store.to_absolute(path), out);
    }
}
