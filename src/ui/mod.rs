//! What a person sees: lines, bars, questions, disk pictures. Only `cli` uses it.

mod bar;
mod disks;
mod facts;
pub mod plan;
pub mod text;
mod tree;

pub use text::Style;
