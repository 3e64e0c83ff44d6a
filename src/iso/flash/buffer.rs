//! Memory that a disk can be written from directly, and a few pieces of it that go round.

use std::sync::mpsc::{Receiver, Sender, channel};

/// Every disk is content with memory that starts at a multiple of this (open(2), `O_DIRECT`).
pub(super) const ALIGNMENT: usize = 4096;

/// Bytes whose first one lies at a multiple of [`ALIGNMENT`].
#[derive(Debug)]
pub(super) struct Buffer {
    memory: Vec<u8>,
    from: usize,
    length: usize,
}

impl Buffer {
    /// `length` zeros.
    pub(super) fn new(length: usize) -> Self {
        let memory = vec![0; length + ALIGNMENT];
        // The allocation stays where it is: the vector never grows.
        let from = memory.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
        Self { memory, from, length }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.memory.get(self.from..self.from + self.length).unwrap_or_default()
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        self.memory.get_mut(self.from..self.from + self.length).unwrap_or_default()
    }
}

/// Buffers that come back when they are done with.
#[derive(Debug)]
pub(super) struct Pool {
    back: Sender<Buffer>,
    free: Receiver<Buffer>,
}

impl Pool {
    /// `count` buffers of `length` bytes.
    pub(super) fn new(count: usize, length: usize) -> Self {
        let (back, free) = channel();
        for _ in 0..count {
            // The receiver is beside it.
            let _ = back.send(Buffer::new(length));
        }
        Self { back, free }
    }

    /// The next buffer that is free; waits for it.
    pub(super) fn take(&self) -> Option<Lent> {
        let buffer = self.free.recv().ok()?;
        Some(Lent { buffer: Some(buffer), back: self.back.clone() })
    }
}

/// A buffer of a pool, which gets it back at the end.
#[derive(Debug)]
pub(super) struct Lent {
    buffer: Option<Buffer>,
    back: Sender<Buffer>,
}

impl Lent {
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.as_ref().map(Buffer::bytes).unwrap_or_default()
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        self.buffer.as_mut().map(Buffer::bytes_mut).unwrap_or_default()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(buffer) = self.buffer.take() {
            // Where the pool is gone, so is the buffer.
            let _ = self.back.send(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_and_come_back() {
        let pool = Pool::new(1, 8192);
        for _ in 0..3 {
            let mut lent = pool.take().unwrap();
            assert_eq!(lent.bytes().as_ptr().align_offset(ALIGNMENT), 0);
            assert_eq!(lent.bytes_mut().len(), 8192);
        }
    }
}
