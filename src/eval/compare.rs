//! Equality, order and arithmetic of values.

use std::cmp::Ordering;

use super::Eval;
use super::code::Arithmetic;
use super::error::{Error, Result};
use super::position::Pos;
use super::print::{shortened, type_name};
use super::value::{Attrs, List, Slot, Value};

impl<'a> Eval<'a> {
    /// `a == b` of forced values. Elements and attributes that are the same slot are equal without
    /// being looked into, also if they are functions, which else are never equal.
    pub fn equal(&mut self, a: Value<'a>, b: Value<'a>, pos: Pos) -> Result<bool> {
        if let Some(equal) = Self::plainly_equal(a, b) {
            return Ok(equal);
        }
        match (a, b) {
            (Value::List(a), Value::List(b)) => self.equal_lists(a, b, pos),
            (Value::Attrs(a), Value::Attrs(b)) => self.equal_attrs(a, b, pos),
            _ => Ok(false),
        }
    }

    /// Equality of what has nothing inside that would be evaluated for it.
    #[inline]
    pub(super) fn plainly_equal(a: Value<'a>, b: Value<'a>) -> Option<bool> {
        #[expect(clippy::cast_precision_loss, reason = "as Nix compares them")]
        #[expect(clippy::float_cmp, reason = "Nix compares floats exactly")]
        let equal = match (a, b) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a == b,
            (Value::Int(a), Value::Float(b)) => a as f64 == b,
            (Value::Float(a), Value::Int(b)) => a == b as f64,
            (Value::Str(_, a), Value::Str(_, b)) | (Value::Path(a), Value::Path(b)) => {
                a.is_same(b) || a.items() == b.items()
            }
            (Value::List(a), Value::List(b)) if a.is_empty() || b.is_empty() => a.len() == b.len(),
            (Value::List(_), Value::List(_)) | (Value::Attrs(_), Value::Attrs(_)) => return None,
            _ => false,
        };
        Some(equal)
    }

    /// Equality of what two slots hold.
    pub fn equal_slots(&mut self, a: &'a Slot<'a>, b: &'a Slot<'a>, pos: Pos) -> Result<bool> {
        // Nix evaluates both before it sees that they are the same.
        let is_same = std::ptr::eq(home(a), home(b));
        let a = self.force_slot(a, pos)?;
        if is_same {
            return Ok(true);
        }
        let b = self.force_slot(b, pos)?;
        self.equal(a, b, pos)
    }

    fn equal_lists(&mut self, a: List<'a>, b: List<'a>, pos: Pos) -> Result<bool> {
        self.check_stack()?;
        if a.len() != b.len() {
            return Ok(false);
        }
        for (a, b) in a.items().iter().zip(b.items()) {
            if !self.equal_slots(a, b, pos)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn equal_attrs(&mut self, a: Attrs<'a>, b: Attrs<'a>, pos: Pos) -> Result<bool> {
        self.check_stack()?;
        // Derivations are compared by what they build.
        if self.is_derivation(a, pos)?
            && self.is_derivation(b, pos)?
            && let (Some(a), Some(b)) = (a.get(self.known.out_path), b.get(self.known.out_path))
        {
            return self.equal_slots(a, b, pos);
        }
        if a.len() != b.len() {
            return Ok(false);
        }
        let (a, b) = (a.flat(self.arena), b.flat(self.arena));
        if a.own_shape().names() != b.own_shape().names() {
            return Ok(false);
        }
        for (a, b) in a.own_slots().iter().zip(b.own_slots()) {
            if !self.equal_slots(a, b, pos)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Has the set `type = "derivation"`?
    pub fn is_derivation(&mut self, attrs: Attrs<'a>, pos: Pos) -> Result<bool> {
        let Some(slot) = attrs.get(self.known.type_) else { return Ok(false) };
        match self.force_slot(slot, pos)? {
            Value::Str(_, bytes) => Ok(bytes.items() == b"derivation"),
            _ => Ok(false),
        }
    }

    /// `a < b` of forced values: of numbers, strings, paths, and lists of those.
    pub fn less(&mut self, a: Value<'a>, b: Value<'a>, pos: Pos) -> Result<bool> {
        Ok(self.compare(a, b, pos)? == Some(Ordering::Less))
    }

    /// How two forced values are ordered; `None` for NaN.
    pub fn compare(&mut self, a: Value<'a>, b: Value<'a>, pos: Pos) -> Result<Option<Ordering>> {
        #[expect(clippy::cast_precision_loss, reason = "as Nix compares them")]
        let order = match (a, b) {
            (Value::Int(a), Value::Int(b)) => Some(a.cmp(&b)),
            (Value::Float(a), Value::Float(b)) => a.partial_cmp(&b),
            (Value::Int(a), Value::Float(b)) => (a as f64).partial_cmp(&b),
            (Value::Float(a), Value::Int(b)) => a.partial_cmp(&(b as f64)),
            (Value::Str(_, a), Value::Str(_, b)) | (Value::Path(a), Value::Path(b)) => {
                Some(a.items().cmp(b.items()))
            }
            (Value::List(a), Value::List(b)) => return self.compare_lists(a, b, pos),
            _ => return Err(self.incomparable(a, b, pos)),
        };
        Ok(order)
    }

    fn compare_lists(&mut self, a: List<'a>, b: List<'a>, pos: Pos) -> Result<Option<Ordering>> {
        self.check_stack()?;
        for (a, b) in a.items().iter().zip(b.items()) {
            if !self.equal_slots(a, b, pos)? {
                let a = self.force_slot(a, pos)?;
                let b = self.force_slot(b, pos)?;
                let what = "while comparing two list elements";
                return self.compare(a, b, pos).map_err(|error| error.while_(pos, what));
            }
        }
        Ok(Some(a.len().cmp(&b.len())))
    }

    #[cold]
    fn incomparable(&mut self, a: Value<'a>, b: Value<'a>, pos: Pos) -> Error {
        let (shown_a, shown_b) = (shortened(self, a), shortened(self, b));
        let values = format!("values are {shown_a} and {shown_b}");
        let why = if is_same_type(a, b) {
            format!("values of that type are incomparable ({values})")
        } else {
            values
        };
        let (a, b) = (type_name(self, a), type_name(self, b));
        Error::evaluation(pos, format!("cannot compare {a} with {b}; {why}"))
    }

    /// The operators that are builtins, on forced values.
    pub(super) fn arithmetic(
        &mut self,
        op: Arithmetic,
        a: Value<'a>,
        b: Value<'a>,
        pos: Pos,
    ) -> Result<Value<'a>> {
        let sign = match op {
            Arithmetic::Sub => "-",
            Arithmetic::Mul => "*",
            Arithmetic::Div => "/",
            Arithmetic::Less => return Ok(Value::Bool(self.less(a, b, pos)?)),
            Arithmetic::GreaterEqual => return Ok(Value::Bool(!self.less(a, b, pos)?)),
        };
        let zero = matches!(b, Value::Int(0)) || matches!(b, Value::Float(b) if b == 0.0);
        if op == Arithmetic::Div && zero {
            // Nix looks at the divisor first.
            return Err(Error::evaluation(pos, "division by zero"));
        }
        if let (Value::Int(a), Value::Int(b)) = (a, b) {
            let exact = match op {
                Arithmetic::Sub => a.checked_sub(b),
                Arithmetic::Mul => a.checked_mul(b),
                _ => a.checked_div(b),
            };
            return exact.map(Value::Int).ok_or_else(|| {
                let doing = match op {
                    Arithmetic::Sub => "subtracting",
                    Arithmetic::Mul => "multiplying",
                    _ => "dividing",
                };
                let message = format!("integer overflow in {doing} {a} {sign} {b}");
                Error::evaluation(pos, message)
            });
        }
        let what = match op {
            Arithmetic::Sub => [
                "while evaluating the first argument of the subtraction",
                "while evaluating the second argument of the subtraction",
            ],
            Arithmetic::Mul => [
                "while evaluating the first argument of the multiplication",
                "while evaluating the second argument of the multiplication",
            ],
            _ => [
                "while evaluating the first operand of the division",
                "while evaluating the second operand of the division",
            ],
        };
        if op == Arithmetic::Div {
            // The divisor is looked at first, as a float.
            self.force_float(b, pos, what[1])?;
        }
        let float = matches!(a, Value::Float(_)) || matches!(b, Value::Float(_));
        if !float {
            // At least one is no number: the error says which.
            let first = self.force_int(a, pos, what[0])?;
            let second = self.force_int(b, pos, what[1])?;
            return Ok(Value::Int(first.wrapping_add(second)));
        }
        let a = self.force_float(a, pos, what[0])?;
        let b = self.force_float(b, pos, what[1])?;
        Ok(Value::Float(match op {
            Arithmetic::Sub => a - b,
            Arithmetic::Mul => a * b,
            _ => a / b,
        }))
    }
}

/// The slot whose value a slot has.
fn home<'a>(slot: &'a Slot<'a>) -> &'a Slot<'a> {
    match slot.get() {
        Value::Ref(home) => home,
        _ => slot,
    }
}

/// Are the two of one type, as `builtins.typeOf` tells types?
fn is_same_type<'a>(a: Value<'a>, b: Value<'a>) -> bool {
    let is_function =
        |value| matches!(value, Value::Lambda(..) | Value::PrimOp(_) | Value::PrimOpApp(..));
    (is_function(a) && is_function(b)) || std::mem::discriminant(&a) == std::mem::discriminant(&b)
}
