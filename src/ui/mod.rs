//! What a person sees: lines, bars, questions, disk pictures. Only `cli` uses it.

mod bar;
pub mod clean;
mod disks;
mod facts;
pub mod iso;
pub mod json;
pub mod lines;
pub mod live;
pub mod marks;
pub mod plan;
pub mod prompts;
pub mod report;
mod store_bar;
pub mod terminal;
pub mod text;
mod tree;

pub use store_bar::StoreBar;
pub use text::Style;
