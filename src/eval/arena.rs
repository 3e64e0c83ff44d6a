//! The memory of one evaluation: one range of addresses that is filled from the front, and freed all at once.
//! With `blocks` and `links`, which say how objects of several items lie in it, and `eval::reclaim`, it has all
//! `unsafe` of the program (`tests/it/tidy.rs` holds that).
//!
//! Evaluation makes millions of small objects that nearly all live until its end, so nothing is
//! counted, collected or dropped: what is allocated must have no destructor, which is checked when
//! it is compiled. One thing is taken back: what was made on the way to a number or a string, if nothing
//! older has come to refer to it ([`Arena::release`]).
#![expect(unsafe_code, reason = "bump allocation and headers with their items behind them")]

mod ahead;
mod blocks;
mod join;
mod links;
mod marks;

use std::alloc::{Layout, handle_alloc_error};
use std::cell::{Cell, OnceCell};
use std::ptr::{self, NonNull};

#[cfg(target_os = "linux")]
use rustix::mm::{Advice, madvise};
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

use ahead::Ahead;
pub use blocks::Block;
pub use links::{Frame, Link, Linked};
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

#[cfg(test)]
mod tests;
