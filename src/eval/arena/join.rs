//! Blocks that share the memory of others: the rest of one, and one with more items behind it. A list that
//! grows by one element at a time would be copied as often otherwise.

use std::cell::Cell;

use super::{Arena, Block};

/// Shorter blocks are copied.
const SHORT: usize = 8;

/// The memory that joined blocks stand in, from its start on.
pub(super) struct Room<'a, T> {
    all: &'a [T],
    /// How many items have a meaning.
    used: Cell<usize>,
}

impl Arena {
    /// A block of the items of `of` from `start` on, which are not copied.
    pub fn rest<'a, T>(&'a self, of: Block<'a, (), T>, start: usize) -> Block<'a, (), T> {
        self.elsewhere(of.items().get(start..).unwrap_or_default(), None)
    }

    /// A block of the items of `front` and, behind them, those of `back`, of which `item` makes a copy. Those of
    /// `front` are copied as well, unless there is room behind them. A block that came of joining gets such
    /// room when it is joined again.
    pub fn join<'a, T: Copy>(
        &'a self,
        front: Block<'a, (), Cell<T>>,
        back: &'a [Cell<T>],
        item: impl Fn(&'a Cell<T>) -> T,
    ) -> Block<'a, (), Cell<T>> {
        let (old, len) = (front.items(), front.len() + back.len());
        let copy = |index: usize| {
            Cell::new(item(old.get(index).unwrap_or_else(|| &back[index - old.len()])))
        };
        if len < SHORT {
            return self.block((), len, copy);
        }
        let Some(room) = front.room() else {
            let all = self.block((), len, copy).items();
            return self.elsewhere(all, Some(self.alloc(Room { all, used: Cell::new(len) })));
        };
        if room.used.get() == old.len()
            && let Some(free) = room.all.get(old.len()..len)
        {
            room.used.set(len);
            for (place, from) in free.iter().zip(back) {
                place.set(item(from));
            }
            return self.elsewhere(&room.all[..len], Some(room));
        }
        let all = self
            .block((), 2 * len, |index| if index < len { copy(index) } else { copy(0) })
            .items();
        self.elsewhere(&all[..len], Some(self.alloc(Room { all, used: Cell::new(len) })))
    }
}
