//! Pure functions on bytes that builtins need. They know nothing of values; text is bytes, which Nix
//! does not ask to be UTF-8 unless a function says so.

pub mod json;
mod near;
pub mod number;
pub mod path;
pub mod print;
pub mod regex;
pub mod replace;
#[cfg(test)]
mod tests;
pub mod toml;
pub mod url;
pub mod version;
pub mod xml;

pub use near::near_names;

/// Bytes as messages show them: what is no UTF-8 is replaced.
#[must_use]
pub fn shown(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
