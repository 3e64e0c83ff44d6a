//! Many growing lists in one array, for attribute sets that are still being read: a set may grow
//! after others have begun (`{ a.b = 1; c = 2; a.d = 3; }`).

use super::ast::{Range, index};

/// One list, its newest item first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chain {
    newest: u32,
    len: u32,
}

const END: u32 = u32::MAX;

impl Chain {
    pub(super) const EMPTY: Self = Self { newest: END, len: 0 };

    pub(super) fn len(self) -> u32 {
        self.len
    }
}

/// The items of all lists, each with the place of the next older one.
#[derive(Debug)]
pub(super) struct Chains<T> {
    links: Vec<(T, u32)>,
}

impl<T: Copy> Chains<T> {
    pub(super) fn with_capacity(items: usize) -> Self {
        Self { links: Vec::with_capacity(items) }
    }

    /// How many items there are in all lists.
    pub(super) fn len(&self) -> usize {
        self.links.len()
    }

    /// Adds to `chain`; the place of the item stays the same for good.
    #[inline]
    pub(super) fn push(&mut self, chain: &mut Chain, item: T) -> u32 {
        let place = index(self.links.len());
        self.links.push((item, chain.newest));
        *chain = Chain { newest: place, len: chain.len + 1 };
        place
    }

    pub(super) fn get(&self, place: u32) -> T {
        self.links[place as usize].0
    }

    /// The items and their places, the newest first.
    #[inline]
    pub(super) fn iter(&self, chain: Chain) -> impl Iterator<Item = (u32, T)> + '_ {
        let mut at = chain.newest;
        std::iter::from_fn(move || {
            let (item, older) = *self.links.get(at as usize)?;
            let place = std::mem::replace(&mut at, older);
            Some((place, item))
        })
    }

    /// All items, the oldest first, at the end of `out`.
    pub(super) fn write(&self, chain: Chain, out: &mut Vec<T>) -> Range {
        let start = out.len();
        out.extend(self.iter(chain).map(|(_, item)| item));
        out[start..].reverse();
        Range { start: index(start), len: chain.len }
    }

    /// Puts all of `newer` behind `chain`.
    pub(super) fn append(&mut self, chain: &mut Chain, newer: Chain) {
        let Some((oldest, _)) = self.iter(newer).last() else { return };
        self.links[oldest as usize].1 = chain.newest;
        *chain = Chain { newest: newer.newest, len: chain.len + newer.len };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_grow_beside_each_other() {
        let mut chains = Chains::with_capacity(0);
        let (mut odd, mut even) = (Chain::EMPTY, Chain::EMPTY);
        for number in 0..6 {
            chains.push(if number % 2 == 0 { &mut even } else { &mut odd }, number);
        }
        chains.append(&mut even, odd);
        chains.append(&mut even, Chain::EMPTY);
        let mut out = vec![9];
        let range = chains.write(even, &mut out);
        assert_eq!(out, [9, 0, 2, 4, 1, 3, 5]);
        assert_eq!((range.start, range.len, even.len()), (1, 6, 6));
    }
}
