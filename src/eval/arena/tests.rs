//! What the arena promises.

use super::*;

#[test]
fn objects_keep_what_was_put_into_them() {
    let arena = Arena::new();
    let numbers: Vec<&u64> = (0..100_000u64).map(|n| arena.alloc(n * 3)).collect();
    let bytes: Vec<Block<'_, (), u8>> =
        (0..1000usize).map(|n| arena.copy((), &vec![n.to_le_bytes()[0]; n])).collect();
    assert!(numbers.iter().enumerate().all(|(n, value)| **value == n as u64 * 3));
    for (n, block) in bytes.iter().enumerate() {
        assert_eq!(block.items(), vec![n.to_le_bytes()[0]; n]);
    }
    assert!(arena.used() >= 800_000 + 499_500);
}

#[test]
fn blocks_have_header_and_items_and_know_themselves() {
    let arena = Arena::new();
    let block = arena.block((7u32, 9u64), 5, Cell::new);
    block.items()[2].set(40);
    let values: Vec<_> = block.items().iter().map(Cell::get).collect();
    assert_eq!((block.len(), values), (5, vec![0, 1, 40, 3, 4]));
    let copy = block;
    assert!(copy.is_same(block));
    assert!(!arena.block((7u32, 9u64), 0, Cell::new).is_same(block));
    assert_eq!(arena.concat((), [&b"ab"[..], b"", b"c"]).items(), b"abc");
}

#[test]
fn what_was_written_stays_where_memory_is_cleared_ahead() {
    let arena = Arena::new();
    let number = |n: usize| n.to_le_bytes()[0];
    let pieces: Vec<Block<'_, (), u8>> =
        (0..40usize).map(|n| arena.copy((), &vec![number(n); 1 << 20])).collect();
    let large: Block<'_, (), u8> = arena.copy((), &vec![7; 2 * LARGE]);
    let after = arena.alloc(2u8);
    for (n, piece) in pieces.iter().enumerate() {
        assert_eq!(piece.items(), vec![number(n); 1 << 20]);
    }
    assert_eq!((large.items().last(), *after), (Some(&7), 2));
    assert!(arena.ahead.get().is_some());
}

#[test]
fn links_are_what_they_were_made_with() {
    let arena = Arena::new();
    let kept = arena.keeping(|| arena.alloc(7u64));
    let newer = arena.alloc([8u64]);
    let one: Linked<'_, u64, [u64; 1], u64> = arena.linked(&Link::One(kept), 3, |n| n as u64);
    let other: Linked<'_, u64, [u64; 1], u64> = arena.linked(&Link::Other(newer), 0, |_| 0);
    assert!(matches!(one.link(), Link::One(7)));
    assert!(matches!(other.link(), Link::Other([8])));
    assert_eq!((one.items(), other.items()), (&[0, 1, 2][..], &[][..]));

    let outer: Frame<'_, u64> = arena.frame(None, 2, |n| n as u64);
    let inner = arena.frame(Some(outer), 1, |_| 9);
    assert_eq!(inner.up().map(Frame::items), Some(&[0, 1][..]));
    assert_eq!((inner.items(), outer.up().is_none()), (&[9][..], true));
}

#[test]
fn a_block_that_grows_is_not_copied_and_no_other_sees_that() {
    let arena = Arena::new();
    let numbers = |range: std::ops::Range<usize>| -> &[Cell<usize>] {
        arena.block((), range.len(), |at| Cell::new(range.start + at)).items()
    };
    let values = |block: Block<'_, (), Cell<usize>>| -> Vec<usize> {
        block.items().iter().map(Cell::get).collect()
    };
    let mut block = arena.block((), 0, Cell::new);
    for n in 0..100 {
        block = arena.join(block, numbers(n..n + 1), Cell::get);
        assert_eq!(values(block), (0..=n).collect::<Vec<_>>());
    }
    let before = arena.used();
    let more = arena.join(block, numbers(100..101), Cell::get);
    assert!(arena.used() < before + 100, "nothing is copied");
    assert!(std::ptr::eq(more.items().as_ptr(), block.items().as_ptr()));

    let other = arena.join(block, numbers(7..9), Cell::get);
    assert_eq!(values(more), (0..=100).collect::<Vec<_>>());
    assert_eq!(values(other)[98..], [98, 99, 7, 8]);
    let rest = arena.rest(more, 98);
    assert_eq!(values(rest), [98, 99, 100]);
    assert!(arena.rest(more, 101).is_empty() && arena.rest(more, 102).is_empty());
    assert_eq!(values(arena.join(rest, numbers(3..4), Cell::get)), [98, 99, 100, 3]);
    assert_eq!(more.len(), 101);
}
