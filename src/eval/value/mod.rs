//! What expressions evaluate to: 16-byte values that are copied freely, and the slots they live in.
//!
//! A [`Slot`] is the home of one value: a list's element, an attribute, a variable of an environment.
//! What is not evaluated yet stands in its home as a thunk and is replaced there by its value, so that
//! it is computed once. Other slots share it through [`Value::Ref`]; the address of the home is what
//! C++ Nix' pointer equality compares.

mod attrs;
mod context;

use std::cell::Cell;

use super::arena::{Block, Frame};
use super::code::{LambdaId, NodeId};

pub use attrs::{Attr, Attrs, AttrsBuilder, Hint, Shape};
pub use context::{Context, ContextElement, Contexts};

/// The home of a value.
pub type Slot<'a> = Cell<Value<'a>>;

/// The bytes of a string or a path.
pub type Bytes<'a> = Block<'a, (), u8>;

/// The elements of a list.
pub type List<'a> = Block<'a, (), Slot<'a>>;

/// The variables of one scope, and the scope around it.
pub type Env<'a> = Frame<'a, Slot<'a>>;

/// A value, or what will become one.
///
/// The first group are weak head normal forms: what forcing gives. The second group only ever stands
/// in slots and among the lazy arguments of builtins.
// With a tag of four bytes, all that follows it is aligned, and is copied in pieces as large as those that
// it was written in.
#[derive(Debug, Clone, Copy)]
#[repr(u32)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// A string: any bytes, and the store objects that it refers to.
    Str(Context, Bytes<'a>),
    /// An absolute path, in canonical form.
    Path(Bytes<'a>),
    /// A list.
    List(List<'a>),
    /// An attribute set.
    Attrs(Attrs<'a>),
    /// A function and the variables around it.
    Lambda(LambdaId, Env<'a>),
    /// A builtin function.
    PrimOp(PrimOpId),
    /// A builtin function with fewer arguments than it takes; never without any.
    PrimOpApp(PrimOpId, Args<'a>),

    /// An expression and its variables.
    Thunk(NodeId, Env<'a>),
    /// A function, applied to the arguments that follow it.
    App(Args<'a>),
    /// An element of what `map`, `genList` or `mapAttrs` made.
    Element(u32, &'a Mapping<'a>),
    /// The value of another slot.
    Ref(&'a Slot<'a>),
    /// An evaluation that is going on, or a variable that is not set yet.
    Blackhole,
    /// Where a variable of a `with` was found, once somebody looked for it. It stands in the frame of the `with`, and
    /// nobody takes it for a value.
    Found(Option<&'a Slot<'a>>),
}

/// Arguments of a call that is not carried out yet.
pub type Args<'a> = Block<'a, (), Value<'a>>;

/// A builtin, as an index into the table of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrimOpId(pub u16);

/// A function that is applied to many elements, each when it is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Mapping<'a> {
    /// The function.
    pub function: Value<'a>,
    /// What it is applied to.
    pub over: Over<'a>,
}

/// Where a [`Mapping`] takes its arguments from.
#[derive(Debug, Clone, Copy)]
pub enum Over<'a> {
    /// `map`: the element of the list.
    List(List<'a>),
    /// `genList`: the index itself.
    Indices,
    /// `mapAttrs`: name and value of the attribute at this place of a flat set.
    Attrs(Attrs<'a>),
}

impl Value<'_> {
    /// Is it a value that refers to nothing?
    #[inline]
    #[must_use]
    pub fn is_scalar(self) -> bool {
        matches!(self, Self::Null | Self::Bool(_) | Self::Int(_) | Self::Float(_))
    }

    /// Is it in weak head normal form?
    #[inline]
    #[must_use]
    pub fn is_forced(self) -> bool {
        !matches!(
            self,
            Self::Thunk(..) | Self::App(_) | Self::Element(..) | Self::Ref(_) | Self::Blackhole
        )
    }
}

/// What another slot is given to have the value of `home`, now or later. Functions and lists are shared
/// by reference although they are values: functions since their identity can be compared, lists since
/// printing tells that one comes again. All else that is evaluated is copied.
#[inline]
#[must_use]
pub fn share<'a>(home: &'a Slot<'a>) -> Value<'a> {
    match home.get() {
        value @ (Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Str(..)
        | Value::Path(_)
        | Value::Attrs(_)
        | Value::Ref(_)) => value,
        _ => Value::Ref(home),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_small() {
        assert_eq!(size_of::<Value<'_>>(), 16);
        assert_eq!(size_of::<Option<Env<'_>>>(), 8);
        assert_eq!(size_of::<Result<Value<'_>, Box<u8>>>(), 16);
    }
}
