//! Looking into sets, in all the ways that there are.

use std::cell::Cell;

use super::*;

/// Symbols of these numbers.
fn symbols(count: usize) -> Vec<Symbol> {
    let mut table = Symbols::new();
    (0..count).map(|n| table.intern(format!("name{n}").as_bytes())).collect()
}

fn number(slot: Option<&Slot<'_>>) -> Option<i64> {
    match slot?.get() {
        Value::Int(number) => Some(number),
        _ => None,
    }
}

/// The set whose attributes have their places among `names` as values, plus `add`.
fn set<'a>(arena: &'a Arena, names: &[Symbol], add: i64) -> Attrs<'a> {
    let shape = arena.keeping(|| Shape::common(arena, names, &[]));
    let mut next = add;
    Attrs::new(arena, shape, |_| {
        next += 1;
        Value::Int(next - 1)
    })
}

#[test]
fn a_hint_finds_what_looking_finds() {
    let arena = Arena::new();
    let names = symbols(40);
    let (small, large) = (set(&arena, &names[3..6], 3), set(&arena, &names[..20], 0));
    let layered = large.update(&arena, set(&arena, &names[19..21], 119));
    let own = Shape::new(&arena, &names[4..5], &[]);
    let fresh = Attrs::new(&arena, own, |_| Value::Int(4));
    for name in [4, 19, 20, 39].map(|at| names[at]) {
        let hint = Cell::default();
        for set in [small, large, layered, small, fresh, large, small, small] {
            let found = set.get_hinted(name, &hint);
            assert_eq!(number(found), number(set.get(name)));
        }
    }
}

#[test]
fn many_names_in_order_are_each_found() {
    let arena = Arena::new();
    let names = symbols(100);
    let few = set(&arena, &names[10..20], 10);
    let many = set(&arena, &names[..90], 0);
    let layered = many.update(&arena, set(&arena, &names[89..92], 189));
    for set in [few, many, layered] {
        let mut find = set.in_order();
        for &name in names.iter().step_by(3) {
            assert_eq!(number(find(name)), number(set.get(name)));
        }
    }
}

#[test]
fn a_set_that_is_often_asked_has_no_layers_any_more() {
    let arena = Arena::new();
    let names = symbols(40);
    let below = set(&arena, &names[..32], 0);
    let layered = below.update(&arena, set(&arena, &names[31..33], 131));
    assert!(layered.settled(&arena).is_same(layered));
    let settled = (0..33).map(|_| layered.settled(&arena)).last().unwrap();
    assert!(settled.is_same(layered.flat(&arena)) && !settled.is_same(layered));
    for &name in &names {
        assert_eq!(number(settled.get(name)), number(layered.get(name)));
    }
    assert!(below.settled(&arena).is_same(below));
}
