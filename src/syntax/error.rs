//! What is wrong with a source, and where.

/// A source that is no Nix expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// What is wrong, in C++ Nix's words where it has some.
    pub message: String,
    /// Byte offset of the place.
    pub offset: u32,
    /// Byte offset of another place that the message speaks of: an earlier definition.
    pub other: Option<u32>,
}

impl ParseError {
    pub(super) fn new(offset: u32, message: impl Into<String>) -> Self {
        Self { message: message.into(), offset, other: None }
    }
}
