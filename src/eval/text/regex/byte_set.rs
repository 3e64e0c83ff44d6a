//! Sets of bytes.

/// A set of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ByteSet([u64; 4]);

impl ByteSet {
    /// The set of one byte.
    pub(super) fn of(byte: u8) -> Self {
        let mut set = Self::default();
        set.insert(byte);
        set
    }

    /// The bytes for which `is_in` holds.
    pub(super) fn from_fn(is_in: impl Fn(u8) -> bool) -> Self {
        let mut set = Self::default();
        (0..=u8::MAX).filter(|&byte| is_in(byte)).for_each(|byte| set.insert(byte));
        set
    }

    pub(super) fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    pub(super) fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    pub(super) fn union(self, other: Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] | other.0[word]))
    }

    pub(super) fn complement(self) -> Self {
        Self(self.0.map(|word| !word))
    }

    pub(super) fn is_disjoint(self, other: Self) -> bool {
        self.0.iter().zip(other.0).all(|(a, b)| a & b == 0)
    }

    pub(super) fn iter(self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(move |&byte| self.contains(byte))
    }

    /// The only byte, if there is but one.
    pub(super) fn single(self) -> Option<u8> {
        if self.0.iter().map(|word| word.count_ones()).sum::<u32>() != 1 {
            return None;
        }
        let word = self.0.iter().position(|word| *word != 0)?;
        let bit = self.0.get(word)?.trailing_zeros();
        u8::try_from(word).ok()?.checked_mul(64)?.checked_add(u8::try_from(bit).ok()?)
    }
}
