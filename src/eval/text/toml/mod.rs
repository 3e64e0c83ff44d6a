//! TOML 1.0.0 (<https://toml.io/en/v1.0.0>) for `builtins.fromTOML`.
//!
//! C++ Nix uses toml11 with exactly that version of the language: what 1.1.0 has added is refused. So are
//! floats too big to hold.

mod document;
mod reader;
mod scalar;
mod strings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use reader::read;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Toml {
    /// `true`, `false`
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float, also `inf` and `nan`.
    Float(f64),
    /// A string without NUL.
    String(String),
    /// A date, a time or both, in the form Nix gives it: digits of seconds by threes, `T` between, `Z` for
    /// no offset. An error unless the feature `parse-toml-timestamps` is on.
    Timestamp(String),
    /// An array, also one of tables.
    List(Vec<Toml>),
    /// A table.
    Table(BTreeMap<String, Toml>),
}

/// Why a document cannot be read. Lines and columns count from 1, columns in bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TomlError {
    /// It is not TOML.
    #[error("{what} at line {line}, column {column}")]
    Syntax {
        /// What is wrong.
        what: &'static str,
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// A string or name with a NUL, which a string of Nix cannot hold. The text has each shown as `␀`.
    #[error(
        "error: input string '{0}' cannot be represented as Nix string because it contains null bytes"
    )]
    NullByte(String),
}
