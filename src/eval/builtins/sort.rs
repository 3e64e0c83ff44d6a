//! `sort`: a stable merge of the runs that are sorted already, by a comparison that may fail. Whatever the
//! comparison says, the result has the same elements as the list.

use std::cell::Cell;

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
        merge_sort(&mut elements, &mut |a, b| {
            let (a, b) = (eval.force(a, pos)?, eval.force(b, pos)?);
            eval.less(a, b, pos).map_err(|error| error.while_(pos, what))
        })?;
    } else {
        let what =
            "while evaluating the return value of the sorting function passed to builtins.sort";
        merge_sort(&mut elements, &mut |a, b| match eval.call(comparator, &[a, b], Pos::NONE)? {
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
    outer.pattern.is_none()
        && inner.pattern.is_none()
        && matches!(eval.code.node(left), Node::Outer { level: 1, slot: 0 })
        && matches!(eval.code.node(right), Node::Local { slot: 0 })
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

/// Sorts `items` stably. Takes O(n log n) comparisons, and n - 1 for items that are sorted, or sorted the
/// other way round. Stops at the first comparison that fails.
fn merge_sort<T: Copy, E>(
    items: &mut [T],
    less: &mut impl FnMut(T, T) -> std::result::Result<bool, E>,
) -> std::result::Result<(), E> {
    let runs = find_runs(items, less)?;
    let mut left = Vec::with_capacity(items.len() / 2 + 1);
    merge_runs(items, &runs, &mut left, less)
}

/// Makes ascending runs of all items, and gives their ends.
fn find_runs<T: Copy, E>(
    items: &mut [T],
    less: &mut impl FnMut(T, T) -> std::result::Result<bool, E>,
) -> std::result::Result<Vec<usize>, E> {
    let mut ends = Vec::new();
    let mut start = 0;
    while start < items.len() {
        let mut end = start + 1;
        if end < items.len() {
            // Only strictly descending runs may be turned round: equal items keep their order.
            let descending = less(items[end], items[start])?;
            end += 1;
            while end < items.len() && less(items[end], items[end - 1])? == descending {
                end += 1;
            }
            if descending {
                items[start..end].reverse();
            }
        }
        ends.push(end);
        start = end;
    }
    Ok(ends)
}

/// Merges sorted runs, which lie one behind the other and end at `ends`, into one. `ends` counts from the
/// start of all items, of which `items` are the last ones up to the last end.
fn merge_runs<T: Copy, E>(
    items: &mut [T],
    ends: &[usize],
    left: &mut Vec<T>,
    less: &mut impl FnMut(T, T) -> std::result::Result<bool, E>,
) -> std::result::Result<(), E> {
    let (Some(&last), true) = (ends.last(), ends.len() > 1) else { return Ok(()) };
    let start = last - items.len();
    // The halves have as equal sizes as the runs allow.
    let half = start + items.len() / 2;
    let first = ends.partition_point(|&end| end <= half).clamp(1, ends.len() - 1);
    let middle = ends[first - 1] - start;
    merge_runs(&mut items[..middle], &ends[..first], left, less)?;
    merge_runs(&mut items[middle..], &ends[first..], left, less)?;
    merge(items, middle, left, less)
}

/// Merges the sorted `items[..middle]` and `items[middle..]`.
fn merge<T: Copy, E>(
    items: &mut [T],
    middle: usize,
    left: &mut Vec<T>,
    less: &mut impl FnMut(T, T) -> std::result::Result<bool, E>,
) -> std::result::Result<(), E> {
    if !less(items[middle], items[middle - 1])? {
        return Ok(());
    }
    left.clear();
    left.extend_from_slice(&items[..middle]);
    let (mut from_left, mut from_right, mut to) = (0, middle, 0);
    while from_left < left.len() && from_right < items.len() {
        if less(items[from_right], left[from_left])? {
            items[to] = items[from_right];
            from_right += 1;
        } else {
            items[to] = left[from_left];
            from_left += 1;
        }
        to += 1;
    }
    // What is left on the right side is in its place.
    let rest = &left[from_left..];
    items[to..to + rest.len()].copy_from_slice(rest);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(items: &[(u32, u32)]) -> (Vec<(u32, u32)>, usize) {
        let mut result = items.to_vec();
        let mut comparisons = 0;
        let done = merge_sort(&mut result, &mut |a: (u32, u32), b: (u32, u32)| {
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
            let most = items.len() * (items.len().max(1).ilog2() as usize + 2);
            assert!(comparisons <= most, "{comparisons} comparisons for {len} items");
        }
    }

    #[test]
    fn sorted_items_take_one_comparison_each_both_ways_round() {
        let up: Vec<(u32, u32)> = (0..500).map(|n| (n, n)).collect();
        let down: Vec<(u32, u32)> = (0..500).rev().map(|n| (n, n)).collect();
        assert_eq!(sorted(&up), (up.clone(), 499));
        assert_eq!(sorted(&down), (up, 499));
    }

    #[test]
    fn a_senseless_comparison_loses_no_item_and_a_failing_one_ends_it() {
        let items = numbers(300, 50);
        let mut result = items.clone();
        let mut turn = 0u32;
        let done = merge_sort(&mut result, &mut |_, _| {
            turn = turn.wrapping_mul(5).wrapping_add(3);
            Ok::<bool, ()>(turn & 4 == 0)
        });
        assert_eq!(done, Ok(()));
        result.sort_unstable();
        let mut expected = items.clone();
        expected.sort_unstable();
        assert_eq!(result, expected);
        let mut left = 10;
        let failed = merge_sort(&mut items.clone(), &mut |a, b| {
            left -= 1;
            if left == 0 { Err("no") } else { Ok(a < b) }
        });
        assert_eq!((failed, left), (Err("no"), 0));
    }
}
