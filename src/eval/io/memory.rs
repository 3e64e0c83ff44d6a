//! Files in memory, for tests.
/// Files in memory.
#[derive(Debug, Default)]
pub struct MemoryIo;
