//! JSON: reading text as events, and writing strings.
//!
//! C++ Nix uses the library nlohmann/json; what is accepted, which number becomes an integer, the words
//! of an error and its position are that library's.

mod lexer;
mod reader;
#[cfg(test)]
mod tests;
mod write;

pub use reader::read;
pub use write::write_string;

/// Receives a document in order. Nesting is told by events, so that its depth costs no stack.
pub trait Sink {
    /// `null`
    fn null(&mut self);
    /// `true`, `false`
    fn bool(&mut self, value: bool);
    /// A number without fraction and exponent that fits.
    fn int(&mut self, value: i64);
    /// Every other number.
    fn float(&mut self, value: f64);
    /// A string: UTF-8 without NUL.
    fn string(&mut self, text: &[u8]);
    /// The name of the next value of the open object. One may come again; the last value counts.
    fn key(&mut self, name: &[u8]);
    /// `[`
    fn start_list(&mut self);
    /// `]`
    fn end_list(&mut self);
    /// `{`
    fn start_object(&mut self);
    /// `}`
    fn end_object(&mut self);
}

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is not JSON, or has a number no float can hold.
    #[error("{0}")]
    Syntax(String),
    /// An integer beyond the range of Nix, but within 64 bits without a sign.
    #[error("unsigned json number {0} outside of Nix integer range")]
    IntegerRange(u64),
    /// A string with a NUL, which a string of Nix cannot hold. The text has each shown as `␀`.
    #[error(
        "input string '{0}' cannot be represented as Nix string because it contains null bytes"
    )]
    NullByte(String),
}

/// A string that JSON cannot hold, because it is not UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// A byte that cannot stand where it is.
    #[error("[json.exception.type_error.316] invalid UTF-8 byte at index {index}: 0x{byte:02X}")]
    InvalidByte {
        /// Where in the string.
        index: usize,
        /// The byte.
        byte: u8,
    },
    /// The string ends within a character.
    #[error("[json.exception.type_error.316] incomplete UTF-8 string; last byte: 0x{last:02X}")]
    Incomplete {
        /// The string's last byte.
        last: u8,
    },
}

/// The first thing wrong with text that should be UTF-8: the index of the byte that cannot stand where it
/// is (the one after a sequence that breaks off, as nlohmann counts), or nothing if the text breaks off.
fn invalid_byte(text: &[u8], error: std::str::Utf8Error) -> Option<usize> {
    let start = error.valid_up_to();
    let leads = text.get(start).is_some_and(|byte| matches!(byte, 0xC2..=0xF4));
    match error.error_len() {
        None => None,
        Some(length) if leads => Some(start + length),
        Some(_) => Some(start),
    }
}
