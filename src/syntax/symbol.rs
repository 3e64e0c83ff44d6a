//! Interned names: equal names have equal [`Symbol`]s, so that comparing them costs nothing.

use std::hash::{BuildHasher, Hasher};

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

/// An interned name. Its number is the order in which names were first seen; ordering by name goes
/// through [`Symbols::name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(u32);

impl Symbol {
    /// Position in the table, from 0.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The table of all names of one evaluation.
#[derive(Debug, Default)]
pub struct Symbols {
    /// All names, one after the other.
    bytes: Vec<u8>,
    /// Where each name ends in `bytes`; it starts where the one before ends.
    ends: Vec<u32>,
    table: HashTable<u32>,
}

impl Symbols {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The symbol of `name`, which is any bytes.
    pub fn intern(&mut self, name: &[u8]) -> Symbol {
        let hash = hash(name);
        let Self { bytes, ends, table } = self;
        let found = table.find(hash, |&index| slice(bytes, ends, index) == name);
        if let Some(&index) = found {
            return Symbol(index);
        }
        // 4 GiB of names would need a source of more than that.
        let index = u32::try_from(ends.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(name);
        ends.push(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        table.insert_unique(hash, index, |&index| self::hash(slice(bytes, ends, index)));
        Symbol(index)
    }

    /// The name of `symbol`.
    #[must_use]
    pub fn name(&self, symbol: Symbol) -> &[u8] {
        slice(&self.bytes, &self.ends, symbol.0)
    }

    /// The name as text; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn text(&self, symbol: Symbol) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.name(symbol))
    }

    /// How many names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

fn slice<'a>(bytes: &'a [u8], ends: &[u32], index: u32) -> &'a [u8] {
    let index = index as usize;
    let start = if index == 0 { 0 } else { ends[index - 1] as usize };
    &bytes[start..ends[index] as usize]
}

fn hash(name: &[u8]) -> u64 {
    let mut hasher = FxBuildHasher.build_hasher();
    hasher.write(name);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_are_one_symbol_and_names_come_back() {
        let mut symbols = Symbols::new();
        let names: Vec<Vec<u8>> =
            (0..5000u32).map(|n| format!("name-{}", n % 2500).into_bytes()).collect();
        let interned: Vec<_> = names.iter().map(|name| symbols.intern(name)).collect();
        assert_eq!(symbols.len(), 2500);
        for (name, symbol) in names.iter().zip(&interned) {
            assert_eq!(symbols.name(*symbol), name);
        }
        assert_eq!(interned[7], interned[2507]);
        let odd = symbols.intern(b"\xff");
        assert_eq!(symbols.name(odd), b"\xff");
        let empty = symbols.intern(b"");
        assert_eq!(symbols.name(empty), b"");
    }
}
