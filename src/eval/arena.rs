//! The memory of one evaluation: one range of addresses that is filled from the front, and freed all at once.
//! This is the evaluator's only file with `unsafe`.
//!
//! Evaluation makes millions of small objects that nearly all live until its end, so nothing is
//! counted, collected or dropped: what is allocated must have no destructor, which is checked when
//! it is compiled. One thing is taken back: what was made on the way to a number or a string, if nothing
//! older has come to refer to it ([`Arena::release`]).
#![expect(unsafe_code, reason = "bump allocation and headers with their items behind them")]

mod ahead;

use std::alloc::{Layout, handle_alloc_error};
use std::cell::{Cell, OnceCell};
use std::fmt;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};

use ahead::Ahead;

/// Addresses to ask for, in bytes; less where a limit forbids it. Only what is used takes memory.
const LARGEST_RANGE: usize = 1 << 38;
const SMALLEST_RANGE: usize = 1 << 26;
/// The part of the range, from its start, for what is never taken back: 1 in so many.
const KEPT_PART: usize = 4;
/// The size of a huge page on the machines that have them.
const HUGE_PAGE: usize = 2 * 1024 * 1024;
/// What is used before huge pages are asked for, so that a small evaluation stays small.
const SMALL: usize = 4 * 1024 * 1024;
/// What is used before memory is cleared ahead of its use, how far ahead that is, and how much at a time.
const LARGE: usize = 32 * 1024 * 1024;
const AHEAD: usize = 2 * HUGE_PAGE;
const STEP: usize = HUGE_PAGE;

/// Memory that is freed as a whole.
pub struct Arena {
    /// Where the next object goes, and where [`Arena::advance`] has a look again, at the latest at the end
    /// of the part of the range. Both are aligned to 8.
    next: Cell<*mut u8>,
    end: Cell<*mut u8>,
    /// The same of the part that is not in use: of what is kept, or, within [`Arena::keeping`], of the rest.
    other: Cell<(*mut u8, *mut u8)>,
    /// The lowest address since the last [`Arena::mark`] of an object that was made to refer to another.
    written: Cell<usize>,
    /// The whole range.
    range: NonNull<u8>,
    len: usize,
    /// Who clears memory ahead, once there is enough to do.
    ahead: OnceCell<Option<Ahead>>,
}

/// A state of an arena to which it can be brought back.
#[derive(Debug)]
pub struct Mark {
    next: *mut u8,
    /// What [`Arena::written`] was.
    written: usize,
}

impl Arena {
    /// An arena that uses no memory yet.
    #[must_use]
    pub fn new() -> Self {
        let mut len = LARGEST_RANGE;
        let range = loop {
            if let Some(range) = reserve(len) {
                break range;
            }
            if len <= SMALLEST_RANGE {
                handle_alloc_error(Layout::new::<usize>());
            }
            len /= 2;
        };
        let start = range.as_ptr();
        let kept = len / KEPT_PART;
        for (from, to) in [(SMALL, kept), (kept + SMALL, len)] {
            // SAFETY: this part of the range is ours. The advice changes nothing of its contents; a kernel
            // without huge pages refuses it, which is as good.
            let _ = unsafe { madvise(start.add(from).cast(), to - from, Advice::LinuxHugepage) };
        }
        // SAFETY: these offsets are within the range.
        let [middle, end] = [kept, kept + LARGE].map(|at| unsafe { start.add(at) });
        Self {
            next: Cell::new(middle),
            end: Cell::new(end),
            other: Cell::new((start, middle)),
            written: Cell::new(usize::MAX),
            range,
            len,
            ahead: OnceCell::new(),
        }
    }

    /// Bytes in use.
    #[must_use]
    pub fn used(&self) -> usize {
        let (one, other) = (self.next.get().addr(), self.other.get().0.addr());
        let start = self.range.addr().get();
        let kept = self.len / KEPT_PART;
        one.min(other) - start + (one.max(other) - start - kept)
    }

    /// What `make` allocates is never taken back by [`Arena::release`]: for what is remembered outside of
    /// values.
    pub fn keeping<R>(&self, make: impl FnOnce() -> R) -> R {
        // Kept objects come first in the range, which tells whether they are in use already.
        if self.next.get() < self.other.get().0 {
            return make();
        }
        let swap = || {
            let (next, end) = self.other.replace((self.next.get(), self.end.get()));
            self.next.set(next);
            self.end.set(end);
        };
        swap();
        let result = make();
        swap();
        result
    }

    /// Remembers the state of now, for [`Arena::release`].
    #[inline]
    pub fn mark(&self) -> Mark {
        Mark { next: self.next.get(), written: self.written.replace(usize::MAX) }
    }

    /// Says that `object` was made to refer to what may be newer than it is.
    #[inline]
    pub fn note_write<T>(&self, object: &T) {
        let address = ptr::from_ref(object).addr();
        if address < self.written.get() {
            self.written.set(address);
        }
    }

    /// Ends what began with `mark`, and keeps all that was allocated.
    #[inline]
    pub fn retain(&self, mark: &Mark) {
        if mark.written < self.written.get() {
            self.written.set(mark.written);
        }
    }

    /// Ends what began with `mark`, and takes back what was allocated since, unless an older object
    /// was made to refer to some of that. Says whether it did.
    ///
    /// # Safety
    ///
    /// No reference to what was allocated since `mark` may be used again but those that are in objects
    /// which were allocated since as well, or in older ones whose change was told to
    /// [`Arena::note_write`]. Marks end in the reverse order of their beginning, and not within another
    /// [`Arena::keeping`] than they began in.
    #[inline]
    pub unsafe fn release(&self, mark: &Mark) -> bool {
        if self.written.get() < mark.next.addr() {
            self.retain(mark);
            return false;
        }
        // What was written since is gone, so the outer mark need not know of it.
        self.written.set(mark.written);
        self.next.set(mark.next);
        true
    }

    /// As [`Arena::release`], but keeps a copy of one block, which is given back.
    ///
    /// # Safety
    ///
    /// As of [`Arena::release`], but for `block`.
    #[inline]
    pub unsafe fn release_but<'a, T: Copy>(
        &'a self,
        mark: &Mark,
        block: Block<'a, (), T>,
    ) -> Block<'a, (), T> {
        // SAFETY: the caller's, for all but `block`, whose bytes are moved before anything else is
        // allocated there.
        if !unsafe { self.release(mark) } || block.address() < mark.next.addr() {
            return block;
        }
        let size = Block::<(), T>::ITEMS + block.len() * size_of::<T>();
        let place = mark.next;
        // SAFETY: the block was allocated behind `mark`, so as many bytes are free from there on; the two
        // places may overlap. It is moved downwards by a multiple of 8.
        unsafe {
            ptr::copy(block.base.as_ptr().cast::<u8>(), place, size);
            self.next.set(place.add(size.next_multiple_of(align_of::<u64>())));
            Block { base: NonNull::new_unchecked(place).cast(), lives: PhantomData }
        }
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
    pub fn concat<'p, H: Copy, T: Copy + 'p>(
        &self,
        header: H,
        parts: impl IntoIterator<Item = &'p [T], IntoIter: Clone>,
    ) -> Block<'_, H, T> {
        let parts = parts.into_iter();
        let mut left = parts.clone().map(<[T]>::len).sum();
        let (mut base, mut place) = self.raw_block::<H, T>(header, left);
        for part in parts {
            // An iterator may lie about its clone.
            if part.len() > left {
                break;
            }
            left -= part.len();
            // SAFETY: the parts so far have left room for this one.
            unsafe {
                place.as_ptr().copy_from_nonoverlapping(part.as_ptr(), part.len());
                place = place.add(part.len());
            }
        }
        // SAFETY: the head was written by `raw_block`, and nobody has seen it yet. Only what was written
        // counts.
        unsafe { base.as_mut().len -= left };
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
            self.advance(layout, size);
        }
        // SAFETY: the part has `size` bytes left behind `next`.
        unsafe {
            self.next.set(next.add(size));
            NonNull::new_unchecked(next)
        }
    }

    /// Moves `end` on, so that there is room for `size` bytes, and has the memory cleared that comes next.
    #[cold]
    fn advance(&self, layout: Layout, size: usize) {
        let start = self.range.addr().get();
        let (next, end) = (self.next.get().addr() - start, self.end.get().addr() - start);
        let kept = self.len / KEPT_PART;
        if next < kept || size > self.len - next {
            handle_alloc_error(layout);
        }
        let further = (next + size).max(end + 1).next_multiple_of(STEP).min(self.len);
        // SAFETY: within the range, and behind `next`.
        self.end.set(unsafe { self.range.as_ptr().add(further) });
        // What lies up to here was asked for when `end` was moved before.
        let from = if end == kept + LARGE { end } else { (end + AHEAD).min(self.len) };
        if let Some(ahead) = self.ahead.get_or_init(|| Ahead::start(provide)) {
            ahead.want(start + from, (further + AHEAD).min(self.len).saturating_sub(from));
        }
    }
}

/// Has the kernel clear the memory of a part of an arena's range.
fn provide(address: usize, len: usize) -> bool {
    let place = ptr::without_provenance_mut(address);
    // SAFETY: the range stays until the thread that this runs on has ended, and this changes no contents.
    unsafe { madvise(place, len, Advice::LinuxPopulateWrite).is_ok() }
}

/// A range of addresses that reads as zeros and takes memory where it is written.
fn reserve(len: usize) -> Option<NonNull<u8>> {
    let (protection, flags) =
        (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::NORESERVE);
    // SAFETY: a mapping at an address of the kernel's choice touches no other memory.
    let whole = unsafe { mmap_anonymous(ptr::null_mut(), len + HUGE_PAGE, protection, flags) };
    NonNull::new(whole.ok()?.cast())
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
        self.ahead.take();
        // SAFETY: mapped with this length; nothing can borrow the arena any more.
        let _ = unsafe { munmap(self.range.as_ptr().cast(), self.len + HUGE_PAGE) };
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
        let block = arena.block((7u32, 9u64), 5, Cell::new);
        block.items()[2].set(40);
        let values: Vec<_> = block.items().iter().map(Cell::get).collect();
        assert_eq!((*block.header(), values), ((7, 9), vec![0, 1, 40, 3, 4]));
        let copy = block;
        assert!(copy.is_same(block));
        assert!(!arena.block((7u32, 9u64), 0, Cell::new).is_same(block));
        let failed = arena.try_block((), 3, |n| if n < 2 { Ok(n) } else { Err("no") });
        assert_eq!(failed.err(), Some("no"));
        assert_eq!(arena.concat((), [&b"ab"[..], b"", b"c"]).items(), b"abc");
    }

    #[test]
    fn what_was_made_on_the_way_is_taken_back_unless_something_older_refers_to_it() {
        let arena = Arena::new();
        let old = arena.alloc(Cell::new(None::<&u64>));
        let before = arena.used();
        let mark = arena.mark();
        arena.alloc(7u64);
        // SAFETY: nobody has kept the number.
        assert!(unsafe { arena.release(&mark) });
        assert_eq!(arena.used(), before);

        let outer = arena.mark();
        let middle = arena.alloc(Cell::new(None::<&u64>));
        let inner = arena.mark();
        middle.set(Some(arena.alloc(8u64)));
        arena.note_write(middle);
        // SAFETY: what `middle` refers to was told.
        assert!(!unsafe { arena.release(&inner) });
        assert_eq!(middle.get(), Some(&8));
        // SAFETY: `middle` is not used again.
        assert!(unsafe { arena.release(&outer) });
        assert_eq!(arena.used(), before);

        let mark = arena.mark();
        let kept = arena.keeping(|| arena.alloc(9u64));
        old.set(Some(kept));
        arena.alloc([0u64; 100]);
        let text: Block<'_, (), u8> = arena.copy((), b"result");
        // SAFETY: only the copy of the text is used again, and what was kept.
        let text = unsafe { arena.release_but(&mark, text) };
        assert_eq!((text.items(), old.get()), (&b"result"[..], Some(&9)));
        assert!(arena.used() < before + 64);
        let next: Block<'_, (), u8> = arena.copy((), b"another");
        assert_eq!((text.items(), next.items()), (&b"result"[..], &b"another"[..]));
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
}
