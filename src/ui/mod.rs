//! What a person sees: lines, bars, questions, disk pictures. Only `cli` uses it.

mod bar;
mod disks;
mod facts;
mod tree;
pub mod clean;
pub mod json;
pub mod lines;
pub mod live;
pub mod plan;
pub mod prompts;
pub mod report;
pub mod text;

pub use text::Style;
