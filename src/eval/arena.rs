//! The memory of one evaluation: chunks that are filled from the front and freed all at once. This is
//! the evaluator's only file with `unsafe`.
//!
//! Evaluation makes millions of small objects that nearly all live until its end, so nothing is
//! counted, collected or dropped: what is allocated must have no destructor, which is checked when
//! it is compiled.
#![expect(unsafe_code, reason = "bump allocation and headers with their items behind them")]

use std::alloc::{Layout, handle_alloc_error};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// The first chunk, so that a small evaluation stays small.
const FIRST_CHUNK: usize = 256 * 1024;
/// No chunk is made larger than this but for one object.
const LARGEST_CHUNK: usize = 64 * 1024 * 1024;
/// The size of a huge page on the machines that have them.
const HUGE_PAGE: usize = 2 * 1024 * 1024;

/// Memory that is only freed as a whole.
pub struct Arena {
    /// Where the next object goes. `next <= end`, both in the newest chunk (or dangling, and equal).
    next: Cell<*mut u8>,
    end: Cell<*mut u8>,
    chunks: RefCell<Vec<(NonNull<u8>, Layout)>>,
    /// Bytes in all chunks but what is left of the newest.
    reserved: Cell<usize>,
}

impl Arena {
    /// An arena that has reserved nothing yet.
    #[must_use]
    pub fn new() -> Self {
        let nowhere = NonNull::<u8>::dangling().as_ptr();
        Self {
            next: Cell::new(nowhere),
            end: Cell::new(nowhere),
            chunks: RefCell::new(Vec::new()),
            reserved: Cell::new(0),
        }
    }

    /// Bytes handed out so far, with what was lost at the ends of chunks.
    #[must_use]
    pub fn used(&self) -> usize {
        self.reserved.get() - (self.end.get().addr() - self.next.get().addr())
    }

    /// Moves `value` into the arena.
    #[inline]
    pub fn alloc<T>(&self, value: T) -> &T {
        const { assert!(!std::mem::needs_drop::<T>(), "nothing in an arena is ever dropped") }
        let place = self.allocate(Layout::new::<T>()).cast::<T>();
        // SAFETY: `allocate` gives memory of T's size and alignment that nobody else has, and that
        // lives as long as the arena, which the result borrows.
        unsafe {
            place.write(value);
            place.as_ref()
        }
    }

    /// Makes a block of `len` items behind a header; `item` is called for 0, 1, … in order, and may
    /// itself allocate.
    #[inline]
    pub fn block<H: Copy, T>(
        &self,
        header: H,
        len: usize,
        mut item: impl FnMut(usize) -> T,
    ) -> Block<'_, H, T> {
        let (base, items) = self.raw_block(header, len);
        for index in 0..len {
            // SAFETY: `items` has room for `len` values of T, and index < len.
            unsafe { items.add(index).write(item(index)) };
        }
        Block { base, lives: PhantomData }
    }

    /// As [`Arena::block`], with an item that may fail: then the whole block is given up.
    #[inline]
    pub fn try_block<H: Copy, T, E>(
        &self,
        header: H,
        len: usize,
        mut item: impl FnMut(usize) -> Result<T, E>,
    ) -> Result<Block<'_, H, T>, E> {
        let (base, items) = self.raw_block(header, len);
        for index in 0..len {
            let value = item(index)?;
            // SAFETY: as in `block`. An early return leaves the rest unwritten, and no Block.
            unsafe { items.add(index).write(value) };
        }
        Ok(Block { base, lives: PhantomData })
    }

    /// A block with a copy of `items`.
    #[inline]
    pub fn copy<H: Copy, T: Copy>(&self, header: H, items: &[T]) -> Block<'_, H, T> {
        let (base, place) = self.raw_block::<H, T>(header, items.len());
        // SAFETY: `place` has room for as many items, and is fresh, so it overlaps nothing.
        unsafe { place.as_ptr().copy_from_nonoverlapping(items.as_ptr(), items.len()) };
        Block { base, lives: PhantomData }
    }

    /// A block whose items are the concatenation of `parts`.
    #[inline]
    pub fn concat<H: Copy, T: Copy>(&self, header: H, parts: &[&[T]]) -> Block<'_, H, T> {
        let len = parts.iter().map(|part| part.len()).sum();
        let (base, mut place) = self.raw_block::<H, T>(header, len);
        for part in parts {
            // SAFETY: the parts' lengths sum up to the room that `place` had at first.
            unsafe {
                place.as_ptr().copy_from_nonoverlapping(part.as_ptr(), part.len());
                place = place.add(part.len());
            }
        }
        Block { base, lives: PhantomData }
    }

    /// Room for a block, its header and length written, its items not.
    #[inline]
    fn raw_block<H: Copy, T>(&self, header: H, len: usize) -> (NonNull<Head<H>>, NonNull<T>) {
        const { assert!(!std::mem::needs_drop::<T>(), "nothing in an arena is ever dropped") }
        const { assert!(align_of::<T>() <= align_of::<u64>()) }
        let bytes =
            len.checked_mul(size_of::<T>()).and_then(|b| b.checked_add(Block::<H, T>::ITEMS));
        let layout = bytes.and_then(|bytes| Layout::from_size_align(bytes, align_of::<u64>()).ok());
        let Some(layout) = layout else { handle_alloc_error(Layout::new::<usize>()) };
        let base = self.allocate(layout).cast::<Head<H>>();
        // SAFETY: the memory is fresh, aligned to 8, and as large as head and items together.
        unsafe {
            base.write(Head { len, header });
            (base, base.byte_add(Block::<H, T>::ITEMS).cast::<T>())
        }
    }

    /// Fresh memory. Alignments above 8 are not asked for.
    #[inline]
    fn allocate(&self, layout: Layout) -> NonNull<u8> {
        debug_assert!(layout.align() <= align_of::<u64>());
        // All sizes are rounded up, so that `next` is always aligned to 8.
        let size = layout.size().next_multiple_of(align_of::<u64>());
        let next = self.next.get();
        if size > self.end.get().addr() - next.addr() {
            return self.allocate_chunk(size);
        }
        // SAFETY: the chunk has `size` bytes left behind `next`.
        unsafe {
            self.next.set(next.add(size));
            NonNull::new_unchecked(next)
        }
    }

    #[cold]
    #[inline(never)]
    fn allocate_chunk(&self, size: usize) -> NonNull<u8> {
        let wanted = (self.reserved.get() / 2).clamp(FIRST_CHUNK, LARGEST_CHUNK).max(size);
        let align = if wanted >= HUGE_PAGE { HUGE_PAGE } else { 4096 };
        let bytes = wanted.checked_next_multiple_of(align);
        let layout = bytes.and_then(|bytes| Layout::from_size_align(bytes, align).ok());
        let Some(layout) = layout else { handle_alloc_error(Layout::new::<usize>()) };
        // SAFETY: the layout's size is not zero.
        let Some(chunk) = NonNull::new(unsafe { std::alloc::alloc(layout) }) else {
            handle_alloc_error(layout)
        };
        if align == HUGE_PAGE {
            // SAFETY: the range was just allocated, and the advice changes nothing of its contents.
            // A kernel without huge pages refuses it, which is as good.
            let _ = unsafe {
                let advice = rustix::mm::Advice::LinuxHugepage;
                rustix::mm::madvise(chunk.as_ptr().cast(), layout.size(), advice)
            };
        }
        self.chunks.borrow_mut().push((chunk, layout));
        self.reserved.set(self.reserved.get() + layout.size());
        // SAFETY: size <= layout.size(), so both ends are within the chunk or one past it.
        unsafe {
            self.next.set(chunk.as_ptr().add(size));
            self.end.set(chunk.as_ptr().add(layout.size()));
        }
        chunk
    }
}

impl Default for Arena {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arena").field("used", &self.used()).finish_non_exhaustive()
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        for (chunk, layout) in self.chunks.get_mut().drain(..) {
            // SAFETY: allocated with this very layout; nothing can borrow the arena any more.
            unsafe { std::alloc::dealloc(chunk.as_ptr(), layout) };
        }
    }
}

#[repr(C)]
struct Head<H> {
    len: usize,
    header: H,
}

/// A header and items behind it, by one pointer. It is a reference into an [`Arena`]: copying it copies
/// no contents.
pub struct Block<'a, H, T> {
    base: NonNull<Head<H>>,
    lives: PhantomData<(&'a H, &'a [T])>,
}

impl<'a, H, T> Block<'a, H, T> {
    /// Where the items begin, counted from the head.
    const ITEMS: usize = size_of::<Head<H>>().next_multiple_of(align_of::<T>());

    /// The header.
    #[inline]
    #[must_use]
    pub fn header(self) -> &'a H {
        // SAFETY: a Block is only made by an arena that has written the head; it lives for 'a, and is
        // never written again.
        unsafe { &self.base.as_ref().header }
    }

    /// How many items there are.
    #[inline]
    #[must_use]
    pub fn len(self) -> usize {
        // SAFETY: as in `header`.
        unsafe { self.base.as_ref().len }
    }

    /// Is there no item?
    #[inline]
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The items.
    #[inline]
    #[must_use]
    pub fn items(self) -> &'a [T] {
        // SAFETY: the arena has written `len` items at this place; they live for 'a, and change only
        // through cells.
        unsafe {
            let items = self.base.byte_add(Self::ITEMS).cast::<T>();
            std::slice::from_raw_parts(items.as_ptr(), self.len())
        }
    }

    /// Is it the same block, not only an equal one?
    #[inline]
    #[must_use]
    pub fn is_same(self, other: Self) -> bool {
        self.base == other.base
    }

    /// Where the block is, as a number that tells it from all others.
    #[inline]
    #[must_use]
    pub fn address(self) -> usize {
        self.base.addr().get()
    }
}

impl<H, T> Clone for Block<'_, H, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H, T> Copy for Block<'_, H, T> {}

impl<H, T> fmt::Debug for Block<'_, H, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block({:#x}, {} items)", self.address(), self.len())
    }
}

#[cfg(test)]
mod tests {
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
        let block = arena.block((7u32, 9u64), 5, |n| Cell::new(n));
        block.items()[2].set(40);
        let values: Vec<_> = block.items().iter().map(Cell::get).collect();
        assert_eq!((*block.header(), values), ((7, 9), vec![0, 1, 40, 3, 4]));
        let copy = block;
        assert!(copy.is_same(block));
        assert!(!arena.block((7u32, 9u64), 0, Cell::new).is_same(block));
        let failed = arena.try_block((), 3, |n| if n < 2 { Ok(n) } else { Err("no") });
        assert_eq!(failed.err(), Some("no"));
        assert_eq!(arena.concat((), &[b"ab", b"", b"c"]).items(), b"abc");
    }

    #[test]
    fn an_object_larger_than_a_chunk_has_its_own() {
        let arena = Arena::new();
        let small = arena.alloc(1u8);
        let large: Block<'_, (), u8> = arena.block((), 5 << 20, |n| n.to_le_bytes()[0]);
        let after = arena.alloc(2u8);
        assert_eq!(
            (*small, large.items()[5_000_000], *after),
            (1, 5_000_000u32.to_le_bytes()[0], 2)
        );
    }
}
