//! The memory of one evaluation: one range of addresses that is filled from the front, and freed all at once.
//! This is the evaluator's only file with `unsafe`.
//!
//! Evaluation makes millions of small objects that nearly all live until its end, so nothing is
//! counted, collected or dropped: what is allocated must have no destructor, which is checked when
//! it is compiled. One thing is taken back: what was made on the way to a number or a string, if nothing
//! older has come to refer to it ([`Arena::release`]).
#![expect(unsafe_code, reason = "bump allocation and headers with their items behind them")]

mod ahead;
mod join;
mod marks;

use std::alloc::{Layout, handle_alloc_error};
use std::cell::{Cell, OnceCell};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

#[cfg(target_os = "linux")]
use rustix::mm::{Advice, madvise};
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

use ahead::Ahead;
use join::Room;
pub use marks::Mark;

/// Addresses to ask for, in bytes; less where a limit forbids it. Only what is used takes memory.
const LARGEST_RANGE: usize = 1 << 38;
const SMALLEST_RANGE: usize = 1 << 26;
/// The part of the range, from its start, for what is never taken back: 1 in so many.
const KEPT_PART: usize = 4;
/// What is used before huge pages are asked for, and memory is cleared ahead of its use, so that a small evaluation
/// stays small.
const SMALL: usize = 4 * 1024 * 1024;
/// The same of what is kept: a package has less of that, a system more.
const SMALL_KEPT: usize = 12 * 1024 * 1024;
/// How much is cleared at a time: a huge page.
const STEP: usize = 2 * 1024 * 1024;
/// How far ahead of its use memory is cleared, and how far once as much is used as `LARGE`.
const AHEAD: usize = STEP / 2;
const FAR_AHEAD: usize = AHEAD + STEP;
const LARGE: usize = 32 * 1024 * 1024;

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
    /// Who clears memory ahead, and up to where it was asked to: in what is kept, and in the rest.
    ahead: OnceCell<Option<Ahead>>,
    asked: [Cell<usize>; 2],
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
        #[cfg(target_os = "linux")]
        for (from, to) in [(SMALL_KEPT, kept), (kept + SMALL, len)] {
            // SAFETY: this part of the range is ours. The advice changes nothing of its contents; a kernel
            // without huge pages refuses it, which is as good.
            let _ = unsafe { madvise(start.add(from).cast(), to - from, Advice::LinuxHugepage) };
        }
        // SAFETY: these offsets are within the range.
        let [middle, first, first_kept] =
            [kept, kept + SMALL + AHEAD, SMALL_KEPT + AHEAD].map(|at| unsafe { start.add(at) });
        Self {
            next: Cell::new(middle),
            end: Cell::new(first),
            other: Cell::new((start, first_kept)),
            written: Cell::new(usize::MAX),
            range,
            len,
            ahead: OnceCell::new(),
            asked: [Cell::new(SMALL_KEPT), Cell::new(kept + SMALL)],
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

    /// A block of items that stand in the memory of another one.
    fn elsewhere<'a, T>(
        &'a self,
        items: &'a [T],
        room: Option<&'a Room<'a, T>>,
    ) -> Block<'a, (), T> {
        let head = Head { len: items.len() | ELSEWHERE, header: () };
        let block = self.alloc(Elsewhere { head, items: NonNull::from(items).cast(), room });
        Block { base: NonNull::from(block).cast(), lives: PhantomData }
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

    /// Makes a block of `len` items behind a reference to another object of this arena.
    #[inline]
    pub fn linked<'a, A, B, T>(
        &'a self,
        link: &Link<'a, A, B>,
        len: usize,
        item: impl FnMut(usize) -> T,
    ) -> Linked<'a, A, B, T> {
        const { assert!(align_of::<A>() == 8 && align_of::<B>() == 8) }
        let (place, other) = match *link {
            Link::One(one) => (ptr::from_ref(one).addr(), false),
            Link::Other(other) => (ptr::from_ref(other).addr(), true),
        };
        self.behind_word(Some(place), other, len, item)
    }

    /// Makes a frame of `len` variables inside of `up`.
    #[inline]
    pub fn frame<'a, T>(
        &'a self,
        up: Option<Frame<'a, T>>,
        len: usize,
        item: impl FnMut(usize) -> T,
    ) -> Frame<'a, T> {
        Frame(self.behind_word(up.map(|up| up.0.address()), false, len, item))
    }

    /// `len` items behind a word that refers to what stands at `place`.
    #[inline]
    fn behind_word<A, B, T>(
        &self,
        place: Option<usize>,
        other: bool,
        len: usize,
        mut item: impl FnMut(usize) -> T,
    ) -> Linked<'_, A, B, T> {
        const { assert!(!std::mem::needs_drop::<T>(), "nothing in an arena is ever dropped") }
        const { assert!(align_of::<T>() <= align_of::<u64>()) }
        let layout = Layout::new::<u64>();
        let bytes = len.saturating_mul(size_of::<T>()).saturating_add(size_of::<u64>());
        // What is not in the range is of another arena, and could not be found again.
        let start = self.range.addr().get();
        let here = place.is_none_or(|place| place.wrapping_sub(start) < self.len);
        if len >> LEN_BITS != 0 || !here {
            handle_alloc_error(layout);
        }
        let Ok(layout) = Layout::from_size_align(bytes, align_of::<u64>()) else {
            handle_alloc_error(layout);
        };
        let base = self.allocate(layout).cast::<u64>();
        let distance = place.map_or(0, |place| place.wrapping_sub(base.addr().get()) as u64);
        // A distance is a multiple of 8, so its lowest three bits are free.
        let word = distance << (LEN_BITS - 2) | u64::from(other) << LEN_BITS | len as u64;
        // SAFETY: the memory is fresh and aligned to 8.
        unsafe { base.write(word) };
        for index in 0..len {
            // SAFETY: there is room for `len` values of T behind the word, and index < len.
            unsafe { items_of::<T>(base).add(index).write(item(index)) };
        }
        Linked { base, lives: PhantomData }
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
        // As in `keeping`: kept objects come first.
        let (asked, from, to) = match &self.asked {
            [asked, _] if self.next.get() < self.other.get().0 => (asked, 0, kept),
            [_, asked] => (asked, kept, self.len),
        };
        if size > to - next {
            handle_alloc_error(layout);
        }
        // Half of a huge page before the next one begins.
        let further = (next + size).max(end + 1) + AHEAD;
        let further = (further.next_multiple_of(STEP) - AHEAD).min(to);
        // SAFETY: within the part, and behind `next`.
        self.end.set(unsafe { self.range.as_ptr().add(further) });
        let far = if further - from < LARGE { AHEAD } else { FAR_AHEAD };
        let upto = (further + far).min(to);
        let before = asked.replace(upto);
        // Where addresses are few, those that a thread takes are wanted for values.
        let begin = || if self.is_unlimited() { Ahead::start(provide) } else { None };
        if let Some(ahead) = self.ahead.get_or_init(begin) {
            ahead.want(start + before, upto.saturating_sub(before));
        }
    }
}

/// Has the kernel clear the memory of a part of an arena's range.
#[cfg(target_os = "linux")]
fn provide(address: usize, len: usize) -> bool {
    let place = ptr::without_provenance_mut(address);
    // SAFETY: the range stays until the thread that this runs on has ended, and this changes no contents.
    unsafe { madvise(place, len, Advice::LinuxPopulateWrite).is_ok() }
}

/// Other kernels can't be asked to.
#[cfg(not(target_os = "linux"))]
fn provide(_address: usize, _len: usize) -> bool {
    false
}

/// A range of addresses that reads as zeros and takes memory where it is written.
fn reserve(len: usize) -> Option<NonNull<u8>> {
    let (protection, flags) =
        (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::NORESERVE);
    // SAFETY: a mapping at an address of the kernel's choice touches no other memory.
    let whole = unsafe { mmap_anonymous(ptr::null_mut(), len, protection, flags) };
    NonNull::new(whole.ok()?.cast())
}

impl Drop for Arena {
    fn drop(&mut self) {
        self.ahead.take();
        // SAFETY: mapped with this length; nothing can borrow the arena any more.
        let _ = unsafe { munmap(self.range.as_ptr().cast(), self.len) };
    }
}

/// How many bits of the word in front of linked items are their number. One more tells the kinds of
/// what they refer to apart, and the rest, with its sign, is how far away that is, in units of 8 bytes:
/// no object of an arena is further away from another than [`LARGEST_RANGE`].
const LEN_BITS: u32 = 27;

/// The items behind a word.
#[inline]
fn items_of<T>(word: NonNull<u64>) -> NonNull<T> {
    // SAFETY: all words are followed by their items, which are at least none.
    unsafe { word.add(1).cast() }
}

/// How far behind a word the place is that it refers to, in bytes.
#[inline]
fn distance_of(word: u64) -> isize {
    (word.cast_signed() >> (LEN_BITS + 1)) as isize * 8
}

/// What a [`Linked`] block refers to.
#[derive(Debug, Clone, Copy)]
pub enum Link<'a, A, B> {
    /// One kind of object.
    One(&'a A),
    /// Another kind.
    Other(&'a B),
}

/// Items behind a reference, by one pointer: as a [`Block`], but number and reference take eight bytes
/// together.
#[derive(Debug)]
pub struct Linked<'a, A, B, T> {
    base: NonNull<u64>,
    lives: PhantomData<(&'a A, &'a B, &'a [T])>,
}

impl<'a, A, B, T> Linked<'a, A, B, T> {
    #[inline]
    fn word(self) -> u64 {
        // SAFETY: a Linked is only made by an arena that has written the word; it is never written again.
        unsafe { self.base.read() }
    }

    /// What the block refers to.
    #[inline]
    #[must_use]
    pub fn link(self) -> Link<'a, A, B> {
        let word = self.word();
        // SAFETY: `Arena::linked` was given a reference of this kind to something this far away, in the
        // same range of addresses, that lives for 'a.
        unsafe {
            let place = self.base.byte_offset(distance_of(word));
            if word >> LEN_BITS & 1 == 0 {
                Link::One(place.cast().as_ref())
            } else {
                Link::Other(place.cast().as_ref())
            }
        }
    }

    /// The items.
    #[inline]
    #[must_use]
    pub fn items(self) -> &'a [T] {
        let len = (self.word() & ((1 << LEN_BITS) - 1)) as usize;
        // SAFETY: the arena has written as many items; they live for 'a, and change only through cells.
        unsafe { std::slice::from_raw_parts(items_of(self.base).as_ptr(), len) }
    }

    /// Where the block is, as a number that tells it from all others.
    #[inline]
    #[must_use]
    pub fn address(self) -> usize {
        self.base.addr().get()
    }
}

impl<A, B, T> Clone for Linked<'_, A, B, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A, B, T> Copy for Linked<'_, A, B, T> {}

/// The variables of a scope and the frame around it, by one pointer, with eight bytes in front of the
/// variables.
#[derive(Debug)]
pub struct Frame<'a, T>(Linked<'a, u64, u64, T>);

impl<'a, T> Frame<'a, T> {
    /// The frame around it.
    #[inline]
    #[must_use]
    pub fn up(self) -> Option<Self> {
        let distance = distance_of(self.0.word());
        // SAFETY: `Arena::frame` was given a frame that is this far away in the same range of addresses.
        // None is around itself.
        (distance != 0).then(|| unsafe {
            Self(Linked { base: self.0.base.byte_offset(distance), lives: PhantomData })
        })
    }

    /// The variables.
    #[inline]
    #[must_use]
    pub fn items(self) -> &'a [T] {
        self.0.items()
    }
}

impl<T> Clone for Frame<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Frame<'_, T> {}

#[repr(C)]
#[derive(Debug)]
struct Head<H> {
    /// The number of items, perhaps with the mark [`ELSEWHERE`], a bit that no number needs.
    len: usize,
    header: H,
}

/// The mark of a head that is an [`Elsewhere`].
const ELSEWHERE: usize = 1 << (usize::BITS - 1);

/// What a block is whose items stand in the memory of another one.
#[repr(C)]
struct Elsewhere<'a, T> {
    head: Head<()>,
    items: NonNull<T>,
    room: Option<&'a Room<'a, T>>,
}

/// A header and items behind it, by one pointer. It is a reference into an [`Arena`]: copying it copies
/// no contents.
#[derive(Debug)]
pub struct Block<'a, H, T> {
    base: NonNull<Head<H>>,
    lives: PhantomData<(&'a H, &'a [T])>,
}

impl<'a, H, T> Block<'a, H, T> {
    /// Where the items begin, counted from the head.
    const ITEMS: usize = size_of::<Head<H>>().next_multiple_of(align_of::<T>());

    #[inline]
    fn head(self) -> usize {
        // SAFETY: a Block is only made by an arena that has written the head; it lives for 'a, and is
        // never written again.
        unsafe { self.base.as_ref().len }
    }

    /// How many items there are.
    #[inline]
    #[must_use]
    pub fn len(self) -> usize {
        self.head() & !ELSEWHERE
    }

    /// The room behind the items.
    fn room(self) -> Option<&'a Room<'a, T>> {
        // SAFETY: as in `items`.
        (self.head() & ELSEWHERE != 0)
            .then(|| unsafe { self.base.cast::<Elsewhere<'a, T>>().as_ref().room })
            .flatten()
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
        // through cells. With this mark, the head is that of an `Elsewhere`.
        unsafe {
            let items = if self.head() & ELSEWHERE == 0 {
                self.base.byte_add(Self::ITEMS).cast::<T>()
            } else {
                self.base.cast::<Elsewhere<'_, T>>().as_ref().items
            };
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

#[cfg(test)]
mod tests;
