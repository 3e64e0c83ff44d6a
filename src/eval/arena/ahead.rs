//! Clearing memory ahead of its use. A fresh page is cleared by the kernel when it is first written, which
//! is a tenth of the time of a large evaluation: a thread of its own has it done before, on another
//! processor. It changes no contents, so nothing depends on whether or when it runs.

use std::sync::mpsc::{Sender, channel};
use std::thread::{Builder, JoinHandle, available_parallelism};

/// Has the kernel provide the pages of a range, given by its address and length. Says whether it could.
pub(super) type Provide = fn(usize, usize) -> bool;

/// The thread, and the way to tell it what is wanted.
#[derive(Debug)]
pub(super) struct Ahead {
    /// Taken to end the thread.
    ranges: Option<Sender<(usize, usize)>>,
    thread: Option<JoinHandle<()>>,
}

impl Ahead {
    /// Starts the thread, unless there is nothing for it to run on.
    pub(super) fn start(provide: Provide) -> Option<Self> {
        if available_parallelism().map_or(1, usize::from) < 2 {
            return None;
        }
        let (ranges, wanted) = channel::<(usize, usize)>();
        let work = move || {
            // A kernel that can't do it once can't do it at all.
            while wanted.recv().is_ok_and(|(address, len)| provide(address, len)) {}
        };
        let thread = Builder::new().name("memory".to_owned()).spawn(work).ok()?;
        Some(Self { ranges: Some(ranges), thread: Some(thread) })
    }

    /// Asks for the pages of a range.
    pub(super) fn want(&self, address: usize, len: usize) {
        if let Some(ranges) = &self.ranges {
            // Where the thread has ended, the pages come when they are written.
            let _ = ranges.send((address, len));
        }
    }
}

impl Drop for Ahead {
    /// Waits for the thread, so that the range may be given back.
    fn drop(&mut self) {
        self.ranges = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
