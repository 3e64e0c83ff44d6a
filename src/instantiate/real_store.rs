//! The store of this machine, as Nix sees it: the connection to it, which is made when it is first needed.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;

use super::error::InstantiateError;
use crate::eval::io::{StoreHook, Wanted};
use crate::process::nix::Nix;
use crate::process::nix_log::Update;
use crate::process::{self, Dialogue, Runner};
use crate::store::worker::{Worker, WorkerError};
use crate::store::{StoreDir, StorePath};

/// The store of this machine. Its functions wait: they belong on a thread that may, not on the runtime's.
pub struct RealStore {
    pub(super) runner: Arc<dyn Runner>,
    pub(super) nix: Nix,
    pub(super) handle: Handle,
    dir: StoreDir,
    connection: Mutex<Option<Connection>>,
    pub(super) watcher: Box<dyn Watcher>,
}

/// Is told how far the store is.
pub trait Watcher: Send + Sync {
    /// So many objects of so many are written.
    fn written(&self, done: u64, total: u64);
    /// How far a build is, or what it says.
    fn building(&self, update: Update);
    /// What is written or built is done.
    fn done(&self);
    /// Something that Nix wants told.
    fn remark(&self, text: &str);
}

pub(super) type Streams = Worker<Box<dyn Read + Send>, Box<dyn Write + Send>>;

/// A connection that stands.
struct Connection {
    // The streams first: the program ends when they do.
    worker: Streams,
    program: Dialogue,
}

impl RealStore {
    /// The store with paths in `dir`. Call it within the runtime that runs programs.
    #[must_use]
    pub fn new(
        runner: Arc<dyn Runner>,
        nix: Nix,
        dir: StoreDir,
        watcher: Box<dyn Watcher>,
    ) -> Self {
        let (handle, connection) = (Handle::current(), Mutex::default());
        Self { runner, nix, handle, dir, connection, watcher }
    }

    /// The folder that its paths lie in.
    #[must_use]
    pub fn dir(&self) -> &StoreDir {
        &self.dir
    }

    /// Are all these paths valid? If so, the garbage collector leaves them alone from now on.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub fn keep_all(&self, paths: &[StorePath]) -> Result<bool, InstantiateError> {
        self.with(|store| {
            // First kept, then looked at: in between, nobody can take them.
            paths.iter().try_for_each(|path| store.keep(path))?;
            let valid = store.valid_paths(paths)?;
            Ok(paths.iter().all(|path| valid.contains(path)))
        })
    }

    /// Does something with the connection, which is made if there is none. One that fails is given up.
    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&mut Streams) -> Result<T, InstantiateError>,
    ) -> Result<T, InstantiateError> {
        let mut open = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match open.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let connection = open.insert(connection);
        let done = work(&mut connection.worker);
        for remark in connection.worker.remarks() {
            self.watcher.remark(&remark);
        }
        let error = match done {
            Ok(done) => return Ok(done),
            Err(InstantiateError::Store { error, .. }) => error,
            Err(other) => return Err(other),
        };
        if matches!(error, WorkerError::Store(_)) {
            return Err(InstantiateError::Store { error, said: String::new() });
        }
        let said = connection.program.said();
        *open = None;
        if self.runner.is_cancelled() {
            return Err(self.cancelled());
        }
        Err(InstantiateError::Store { error, said })
    }

    /// What a valid path refers to; nothing if it is not valid.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub fn references(&self, path: &StorePath) -> Result<BTreeSet<StorePath>, InstantiateError> {
        self.with(|store| Ok(store.references(path)?.unwrap_or_default()))
    }

    fn connect(&self) -> Result<Connection, InstantiateError> {
        let mut program = self.handle.block_on(self.runner.talk(&self.nix.store()))?;
        let ended = || InstantiateError::from(WorkerError::Ended);
        let (input, output) = program.streams().ok_or_else(ended)?;
        let (input, output): (Box<dyn Write + Send>, Box<dyn Read + Send>) =
            (Box::new(input), Box::new(output));
        match Worker::connect(output, input, self.dir.clone()) {
            Ok(worker) => Ok(Connection { worker, program }),
            Err(_) if self.runner.is_cancelled() => Err(self.cancelled()),
            Err(error) => Err(InstantiateError::Open { error, said: program.said() }),
        }
    }

    /// The error of a connection that has ended because the user stops all programs.
    fn cancelled(&self) -> InstantiateError {
        process::Error::Cancelled { command: self.nix.store().to_string() }.into()
    }
}

impl StoreHook for RealStore {
    fn realise(&self, wanted: &Wanted<'_>) -> io::Result<BTreeSet<StorePath>> {
        Self::realise(self, wanted).map_err(io_error)
    }

    fn references(&self, path: &StorePath) -> io::Result<BTreeSet<StorePath>> {
        Self::references(self, path).map_err(io_error)
    }
}

/// The error as the evaluator knows it: without the program, nothing is built.
fn io_error(error: InstantiateError) -> io::Error {
    let kind = match &error {
        InstantiateError::Process(process::Error::NotFound { .. }) => io::ErrorKind::Unsupported,
        error if error.is_cancelled() => io::ErrorKind::Interrupted,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

impl From<WorkerError> for InstantiateError {
    fn from(error: WorkerError) -> Self {
        Self::Store { error, said: String::new() }
    }
}

impl std::fmt::Debug for RealStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RealStore").field("nix", &self.nix).finish_non_exhaustive()
    }
}
