//! The real outside.
/// The real outside.
#[derive(Debug, Default)]
pub struct RealIo;
