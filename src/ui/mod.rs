//! What a person sees: lines, bars, questions, disk pictures. Only `cli` uses it.

pub mod plan;
pub mod text;

pub use text::Style;
