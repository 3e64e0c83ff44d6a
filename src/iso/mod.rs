//! The installer image and the sticks that it is written to.
//!
//! What may be erased is decided over parsed data; who writes decides nothing. Nothing here asks, draws or
//! parses arguments.

pub mod build;
