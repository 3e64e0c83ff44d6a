//! A choice of some elements of a list or of some attributes of a set, made before the length of the
//! result is known.

/// Which indices were chosen. Short lists need no memory of their own.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    count: usize,
    first: u64,
    rest: Vec<u64>,
}

impl Chosen {
    /// Chooses the index `at`.
    #[inline]
    pub(super) fn add(&mut self, at: usize) {
        let bit = 1 << (at % 64);
        let word = match (at / 64).checked_sub(1) {
            None => &mut self.first,
            Some(word) => {
                if word >= self.rest.len() {
                    self.rest.resize(word + 1, 0);
                }
                &mut self.rest[word]
            }
        };
        self.count += usize::from(*word & bit == 0);
        *word |= bit;
    }

    /// Was the index `at` chosen?
    #[inline]
    pub(super) fn has(&self, at: usize) -> bool {
        let word = match (at / 64).checked_sub(1) {
            None => self.first,
            Some(word) => self.rest.get(word).copied().unwrap_or(0),
        };
        word >> (at % 64) & 1 == 1
    }

    /// How many were chosen.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The chosen ones of `items`, or all others.
    pub(super) fn of<'i, T>(&self, items: &'i [T], chosen: bool) -> impl Iterator<Item = &'i T> {
        let places = items.iter().enumerate();
        places.filter(move |(at, _)| self.has(*at) == chosen).map(|(_, item)| item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_indices_are_found_again_however_many_there_are() {
        let items: Vec<usize> = (0..300).collect();
        let mut chosen = Chosen::default();
        for at in [0, 63, 64, 127, 128, 290, 64] {
            chosen.add(at);
        }
        assert_eq!(chosen.len(), 6);
        let found: Vec<usize> = chosen.of(&items, true).copied().collect();
        assert_eq!(found, [0, 63, 64, 127, 128, 290]);
        assert_eq!(chosen.of(&items, false).count(), 294);
        assert!(!chosen.has(100_000));
    }
}
