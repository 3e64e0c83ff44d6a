//! The thread of an evaluation, whose stack holds programs that are nested as deeply as Nix allows.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::STACK_SIZE;

/// With less, programs of usual depth would not run.
const SMALLEST_STACK: usize = 16 << 20;

/// Does `work` on a thread with a stack that is as large as may be. Only what is used of it takes memory, but a
/// limit (`ulimit -v`) may forbid to reserve it.
pub fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    // A thread that could not be started keeps what it was to do, so that it can be tried again.
    let work = Arc::new(Mutex::new(Some(work)));
    let mut size = STACK_SIZE;
    loop {
        let work = work.clone();
        let take = move || {
            let work = work.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(work) = work {
                work();
            }
        };
        match std::thread::Builder::new().name("eval".to_owned()).stack_size(size).spawn(take) {
            Ok(_) => return Ok(()),
            Err(_) if size > SMALLEST_STACK => size /= 4,
            Err(error) => return Err(error),
        }
    }
}
