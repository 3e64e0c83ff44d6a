//! Blocks: items behind a header, by one pointer. The header of one that is made of others may say that its items
//! stand elsewhere (`join`). With `arena` and `links`, the files with the arena's `unsafe`.

use std::alloc::{Layout, handle_alloc_error};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use super::join::Room;
use super::{Arena, Mark};

impl Arena {
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
    pub(super) fn elsewhere<'a, T>(
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
}

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
    pub(super) fn room(self) -> Option<&'a Room<'a, T>> {
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
