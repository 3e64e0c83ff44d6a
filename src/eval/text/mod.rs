//! Pure functions on bytes that builtins need.

mod near;
pub mod number;
pub mod path;
pub mod print;
pub mod replace;
pub mod version;
pub mod xml;

pub use near::near_names;
