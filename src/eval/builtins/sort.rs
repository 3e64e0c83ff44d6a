//! `sort`: a stable merge of the runs that are sorted already, by a comparison that may fail. Whatever the
//! comparison says, the result has the same elements as the list, in the order that C++ Nix gives them.

use std::cell::Cell;
use std::ops::Range;

use super::PrimOp;
use crate::eval::Eval;
use crate::eval::code::{Arithmetic, Node};
use crate::eval::error::Result;
use crate::eval::position::Pos;
use crate::eval::value::{List, Value, share};

/// The builtin of this file.
pub(super) const PRIMOPS: &[PrimOp] = &[PrimOp { name: "sort", arity: 2, strict: 0b10, run: sort }];

/// The comparator is not evaluated for an empty list; all elements are, before the first comparison.
fn sort<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the second argument passed to builtins.sort";
    let list = eval.force_list(args[1], pos, what)?;
    if list.is_empty() {
        return Ok(Value::List(list));
    }
    let what = "while evaluating the first argument passed to builtins.sort";
    let comparator = eval.force_function(args[0], pos, what)?;
    for slot in list.items() {
        eval.force_slot(slot, pos)?;
    }
    let by_order = matches!(comparator, Value::PrimOp(id) if eval.primop(id).name == "lessThan");
    if (by_order || is_less(eval, comparator))
        && let Some(sorted) = sort_alike(eval, list)
    {
        return Ok(sorted);
    }
    let mut elements: Vec<Value<'a>> = list.items().iter().map(share).collect();
    if by_order {
        let what = "while evaluating the ordering function passed to builtins.sort";
        peek_sort(&mut elements, &mut |a, b| {
            let (a, b) = (eval.force(a, pos)?, eval.force(b, pos)?);
            eval.less(a, b, pos).map_err(|error| error.while_(pos, what))
        })?;
    } else {
        let what =
            "while evaluating the return value of the sorting function passed to builtins.sort";
        peek_sort(&mut elements, &mut |a, b| match eval.call(comparator, &[a, b], Pos::NONE)? {
            Value::Bool(less) => Ok(less),
            other => eval.force_bool(other, pos, what),
        })?;
    }
    Ok(eval.list(&elements))
}

/// Is the function `a: b: a < b`?
fn is_less(eval: &Eval<'_>, function: Value<'_>) -> bool {
    let Value::Lambda(outer, _) = function else { return false };
    let outer = eval.lambda(outer);
    let Node::Lambda(inner) = eval.code.node(outer.body) else { return false };
    let inner = eval.lambda(inner);
    let Node::Arithmetic { op: Arithmetic::Less, left, right } = eval.code.node(inner.body) else {
        return false;
    };
    // Functions that share a frame have no patterns.
    inner.taken == 1
        && matches!(eval.code.node(left), Node::Local { slot: 0 })
        && matches!(eval.code.node(right), Node::Local { slot: 1 })
}

/// Sorts evaluated elements by their order, if they are all integers or all strings.
fn sort_alike<'a>(eval: &Eval<'a>, list: List<'a>) -> Option<Value<'a>> {
    let values = list.items().iter().map(share);
    match list.items().first().map(share)? {
        Value::Int(_) => {
            let integer = |value| if let Value::Int(number) = value { Some(number) } else { None };
            let mut numbers = values.map(integer).collect::<Option<Vec<i64>>>()?;
            numbers.sort_unstable();
            let element = |at| Cell::new(Value::Int(numbers[at]));
            Some(Value::List(eval.arena.block((), numbers.len(), element)))
        }
        Value::Str(..) => {
            let text = |value| match value {
                Value::Str(context, bytes) => Some((bytes.items(), context, bytes)),
                _ => None,
            };
            let mut texts = values.map(text).collect::<Option<Vec<_>>>()?;
            texts.sort_by_key(|(text, ..)| *text);
            let element = |at: usize| Cell::new(Value::Str(texts[at].1, texts[at].2));
            Some(Value::List(eval.arena.block((), texts.len(), element)))
        }
        _ => None,
    }
}

/// Sorts `items` stably, and stops at the first comparison that fails.
///
/// It is the peeksort of Munro and Wild ("Nearly-Optimal Mergesorts", 2018) with the choices of C++ Nix:
/// programs can see them, for a comparison that is no order, `a: b: a <= b` for one, gives what the order
/// of the comparisons makes of it, and it may trace.
fn peek_sort<T: Copy, E>(
    items: &mut [T],
    less: &mut impl FnMut(T, T) -> std::result::Result<bool, E>,
) -> std::result::Result<(), E> {
    let end = items.len();
    if let [first, second] = items {
        if less(*second, *first)? {
            std::mem::swap(first, second);
        }
        return Ok(());
    }
    PeekSort { items, left: Vec::new(), less }.sort(0..end, 0, end)
}

/// Up to this length, elements are inserted one by one.
const INSERTED: usize = 16;

struct PeekSort<'s, T, F> {
    items: &'s mut [T],
    /// A copy of the left one of two runs while they are merged.
    left: Vec<T>,
    less: &'s mut F,
}

impl<T: Copy, E, F: FnMut(T, T) -> std::result::Result<bool, E>> PeekSort<'_, T, F> {
    /// Sorts a part whose front, up to `front`, is a run already, and whose back from `back` on.
    fn sort(
        &mut self,
        part: Range<usize>,
        front: usize,
        back: usize,
    ) -> std::result::Result<(), E> {
        let Range { start, end } = part;
        if front == end || back == start {
            return Ok(());
        }
        if part.len() <= INSERTED {
            return self.insert_each(part);
        }
        let middle = start + part.len() / 2;
        if middle <= front {
            self.sort(front..end, front + 1, back)?;
            return self.merge(start, front, end);
        }
        if middle >= back {
            self.sort(start..back, front, back - 1)?;
            return self.merge(start, back, end);
        }
        let run = self.run_around(middle, front, back)?;
        if run == (start..end) {
            return Ok(());
        }
        // The run is sorted together with the half that has less of it.
        let Range { start: from, end: to } = run;
        if middle - from < to - middle {
            self.sort(start..from, front, from.saturating_sub(1))?;
            self.sort(from..end, to, back)?;
            self.merge(start, from, end)
        } else {
            self.sort(start..to, front, from)?;
            self.sort(to..end, to + 1, back)?;
            self.merge(start, to, end)
        }
    }

    /// The run that has the elements before and at `middle`, between `least` and `most`. It is turned
    /// round if it descends: strictly, so that equal elements keep their order.
    fn run_around(
        &mut self,
        middle: usize,
        least: usize,
        most: usize,
    ) -> std::result::Result<Range<usize>, E> {
        let descending = self.is_less(middle, middle - 1)?;
        let mut from = middle - 1;
        while from > least && self.is_less(from, from - 1)? == descending {
            from -= 1;
        }
        // The two in the middle are compared once more, as in C++ Nix.
        let mut to = middle;
        while to < most && self.is_less(to, to - 1)? == descending {
            to += 1;
        }
        if descending {
            self.items[from..to].reverse();
        }
        Ok(from..to)
    }

    fn is_less(&mut self, at: usize, than: usize) -> std::result::Result<bool, E> {
        (self.less)(self.items[at], self.items[than])
    }

    fn insert_each(&mut self, part: Range<usize>) -> std::result::Result<(), E> {
        let first = part.start;
        for next in part.skip(1) {
            let mut at = next;
            while at > first && self.is_less(at, at - 1)? {
                self.items.swap(at, at - 1);
                at -= 1;
            }
        }
        Ok(())
    }

    /// Merges two runs that lie one behind the other.
    fn merge(&mut self, start: usize, middle: usize, end: usize) -> std::result::Result<(), E> {
        self.left.clear();
        self.left.extend_from_slice(&self.items[start..middle]);
        let (mut from_left, mut from_right, mut to) = (0, middle, start);
        while from_left < self.left.len() && from_right < end {
            if (self.less)(self.items[from_right], self.left[from_left])? {
                self.items[to] = self.items[from_right];
                from_right += 1;
            } else {
                self.items[to] = self.left[from_left];
                from_left += 1;
            }
            to += 1;
        }
        // What is left on the right side is in its place.
        let rest = &self.left[from_left..];
        self.items[to..to + rest.len()].copy_from_slice(rest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(items: &[(u32, u32)]) -> (Vec<(u32, u32)>, usize) {
        let mut result = items.to_vec();
        let mut comparisons = 0;
        let done = peek_sort(&mut result, &mut |a: (u32, u32), b: (u32, u32)| {
            comparisons += 1;
            Ok::<bool, ()>(a.0 < b.0)
        });
        assert_eq!(done, Ok(()));
        (result, comparisons)
    }

    /// Numbers below `end` that look random, with their places.
    fn numbers(len: u32, end: u32) -> Vec<(u32, u32)> {
        let mut state = 12345u32;
        let mut number = |place| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 8) % end, place)
        };
        (0..len).map(&mut number).collect()
    }

    #[test]
    fn sorts_stably_with_few_comparisons() {
        for (len, end) in [(0, 1), (1, 1), (2, 2), (3, 2), (10, 3), (1000, 7), (5000, 1_000_000)] {
            let items = numbers(len, end);
            let mut expected = items.clone();
            expected.sort_by_key(|item| item.0);
            let (result, comparisons) = sorted(&items);
            assert_eq!(result, expected);
            let most = items.len() * (items.len().max(1).ilog2() as usize + 4);
            assert!(comparisons <= most, "{comparisons} comparisons for {len} items");
        }
    }

    #[test]
    fn sorted_items_take_one_comparison_each_both_ways_round() {
        let up: Vec<(u32, u32)> = (0..500).map(|n| (n, n)).collect();
        let down: Vec<(u32, u32)> = (0..500).rev().map(|n| (n, n)).collect();
        assert_eq!(sorted(&up), (up.clone(), 500));
        assert_eq!(sorted(&down), (up, 500));
    }

    #[test]
    fn a_senseless_comparison_loses_no_item_and_a_failing_one_ends_it() {
        let items = numbers(300, 50);
        let mut result = items.clone();
        let mut turn = 0u32;
        let done = peek_sort(&mut result, &mut |_, _| {
            turn = turn.wrapping_mul(5).wrapping_add(3);
            Ok::<bool, ()>(turn & 4 == 0)
        });
        assert_eq!(done, Ok(()));
        result.sort_unstable();
        let mut expected = items.clone();
        expected.sort_unstable();
        assert_eq!(result, expected);
        let mut left = 10;
        let failed = peek_sort(&mut items.clone(), &mut |a, b| {
            left -= 1;
            if left == 0 { Err("no") } else { Ok(a < b) }
        });
        assert_eq!((failed, left), (Err("no"), 0));
    }
}
