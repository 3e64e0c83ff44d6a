//! The evaluator: the Nix language as C++ Nix 2.34 evaluates it.
//!
//! A parsed tree is lowered to [`code`] with resolved variables; `run` walks that code. Values are made in
//! an [`arena::Arena`] and never freed before it. The outside is seen through [`io::EvalIo`] only.

pub mod arena;
pub mod code;
pub mod error;
pub mod io;
pub mod lower;
pub mod position;
pub mod settings;
pub mod text;
pub mod value;
