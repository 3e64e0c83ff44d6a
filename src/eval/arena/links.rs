//! Items behind a word that holds their number and where another object is: sets behind their shape or layer, and
//! frames of variables behind the frame around them.

use std::alloc::{Layout, handle_alloc_error};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use super::Arena;

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

/// Items behind a reference, by one pointer: as a [`Block`](super::blocks::Block), but number and reference take eight bytes
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

impl Arena {
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
}
