//! What a host's evaluated configuration says: [`HostFacts`], the decoders that read it from an
//! evaluated value, and the [`Evaluator`] that provides the value.
//!
//! Values in, structs out: nothing here looks at a machine, and nothing after it evaluates.

pub mod model;

pub use model::*;
