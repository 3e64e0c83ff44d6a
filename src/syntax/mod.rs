//! The Nix language as text: from bytes to a compact tree with interned symbols and byte offsets.
//!
//! Knows nothing of values or files. Variables are left as names; whoever evaluates resolves them.
//! The reference is the Nix manual, "Nix Language", and the behaviour of C++ Nix 2.34.

mod apart;
mod ast;
mod attrs;
mod chain;
mod error;
mod functions;
mod indented;
mod leads;
mod lexer;
mod operators;
mod parser;
mod scan;
mod source;
mod strings;
mod symbol;

pub use apart::{Apart, ApartParser};
pub use ast::{
    Ast, AttrDef, AttrKind, AttrName, AttrSet, AttrsId, BinOp, DynamicAttr, Expr, ExprId, Formal,
    Formals, Lambda, LambdaId, Range, Remark, RemarkKind, Text,
};
pub use error::ParseError;
pub use leads::Leads;
pub use parser::{Features, parse};
pub use source::{LineColumn, line_column, line_starts};
pub use symbol::{Symbol, Symbols};
