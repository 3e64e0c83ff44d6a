//! Interned names: equal names have equal [`Symbol`]s, so that comparing them costs nothing.
//!
//! The table is made for the lexer: a name of at most eight bytes, which most are, is one word, is
//! its own key, and is found without a look at the bytes of any other name.

use super::scan;

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

    /// Position behind the names that every table has; nothing if it is one of these.
    pub(super) fn beyond_known(self) -> Option<usize> {
        self.index().checked_sub(Self::CUR_POS.index() + 1)
    }
}

/// Constants of names that every table has.
macro_rules! known {
    ($($number:literal $constant:ident $name:literal,)*) => {
        impl Symbol {
            $(#[doc = concat!("`", $name, "`, which is known to every table.")]
            pub const $constant: Self = Self($number);)*
        }

        #[cfg(test)]
        const KNOWN: &[(u32, &str)] = &[$(($number, $name)),*];
    };
}

/// The keywords come first, in the order of the lexer's kinds, so that a word's symbol tells whether
/// it is one.
const KEYWORDS: &str = "if then else assert with let in rec inherit or";

/// The names that C++ Nix 2.34 has, in that order, before it reads a program: those that its evaluator
/// knows, those of its builtins, those in `derivation.nix`. The order of symbols can be seen: sets are
/// evaluated in it by `deepSeq`, compared in it by `==`, and of two missing arguments the first is told.
const FIRST: &str = include_str!("first_symbols.txt");

known! {
    0 IF "if",
    1 THEN "then",
    2 ELSE "else",
    3 ASSERT "assert",
    4 WITH "with",
    5 LET "let",
    6 IN "in",
    7 REC "rec",
    8 INHERIT "inherit",
    9 OR "or",
    52 SUB "__sub",
    53 LESS_THAN "__lessThan",
    54 MUL "__mul",
    55 DIV "__div",
    56 FIND_FILE "__findFile",
    57 NIX_PATH "__nixPath",
    58 BODY "body",
    272 CUR_POS "__curPos",
}

/// The table of all names of one evaluation.
///
/// The names that Rust code asks for by a constant of [`Symbol`] are in every table from the start.
#[derive(Debug)]
pub struct Symbols {
    /// All names, one after the other.
    bytes: Vec<u8>,
    /// Where each name ends in `bytes`; it starts where the one before ends.
    ends: Vec<u32>,
    /// Open addressing, linear probing; a power of two of them, at most three quarters taken.
    slots: Vec<Slot>,
}

/// A place of the hash table.
#[derive(Debug, Clone, Copy)]
struct Slot {
    /// The name itself if it is short, and its hash if not.
    key: u64,
    /// The length of the name.
    len: u32,
    /// Which name; [`FREE`] if none.
    index: u32,
}

const FREE: u32 = u32::MAX;
const EMPTY: Slot = Slot { key: 0, len: 0, index: FREE };
/// How many slots a new table has.
const SLOTS: usize = 4096;

impl Clone for Symbols {
    fn clone(&self) -> Self {
        let Self { bytes, ends, slots } = self;
        Self { bytes: bytes.clone(), ends: ends.clone(), slots: slots.clone() }
    }

    /// Uses the memory again.
    fn clone_from(&mut self, from: &Self) {
        self.bytes.clone_from(&from.bytes);
        self.ends.clone_from(&from.ends);
        self.slots.clone_from(&from.slots);
    }
}

impl Default for Symbols {
    fn default() -> Self {
        let mut symbols = Self { bytes: Vec::new(), ends: Vec::new(), slots: vec![EMPTY; SLOTS] };
        for name in KEYWORDS.split(' ').chain(FIRST.split_ascii_whitespace()).chain(["__curPos"]) {
            symbols.intern(name.as_bytes());
        }
        symbols
    }
}

impl Symbols {
    /// A table that holds nothing but the names known from the start.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The symbol of `name`, which is any bytes.
    pub fn intern(&mut self, name: &[u8]) -> Symbol {
        if name.len() <= 8 {
            return self.intern_short(scan::word(name, 0), name.len());
        }
        let key = hash(name);
        let len = length(name);
        let mut at = self.place(key);
        loop {
            let slot = self.slots[at];
            if slot.index == FREE {
                return self.insert(at, key, name);
            }
            if slot.key == key && slot.len == len && self.name(Symbol(slot.index)) == name {
                return Symbol(slot.index);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// The symbol of a name of `len` ≤ 8 bytes, given as a little-endian word, the rest of it zero.
    #[inline]
    pub(super) fn intern_short(&mut self, key: u64, len: usize) -> Symbol {
        let mut at = self.place(key);
        loop {
            let slot = self.slots[at];
            if slot.key == key && slot.len as usize == len && slot.index != FREE {
                return Symbol(slot.index);
            }
            if slot.index == FREE {
                return self.insert(at, key, &key.to_le_bytes()[..len.min(8)]);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    #[cold]
    fn insert(&mut self, at: usize, key: u64, name: &[u8]) -> Symbol {
        // 4 GiB of names would need a source of more than that.
        let index = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(name);
        self.ends.push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
        self.slots[at] = Slot { key, len: length(name), index };
        if self.ends.len() * 4 > self.slots.len() * 3 {
            self.grow();
        }
        Symbol(index)
    }

    /// Takes the last name out of the table.
    pub(super) fn forget_last(&mut self) -> Option<Box<[u8]>> {
        let last = u32::try_from(self.ends.len().checked_sub(1)?).ok()?;
        let name: Box<[u8]> = self.name(Symbol(last)).into();
        let key = if name.len() <= 8 { scan::word(&name, 0) } else { hash(&name) };
        let mut at = self.place(key);
        while self.slots[at].index != last {
            at = (at + 1) & (self.slots.len() - 1);
        }
        self.slots[at] = EMPTY;
        // What was found by going past it has to be found without it.
        loop {
            at = (at + 1) & (self.slots.len() - 1);
            let slot = std::mem::replace(&mut self.slots[at], EMPTY);
            if slot.index == FREE {
                break;
            }
            self.put(slot);
        }
        self.ends.pop();
        self.bytes.truncate(self.bytes.len() - name.len());
        Some(name)
    }

    /// Puts a slot to where it is found.
    fn put(&mut self, slot: Slot) {
        let mut at = self.place(slot.key);
        while self.slots[at].index != FREE {
            at = (at + 1) & (self.slots.len() - 1);
        }
        self.slots[at] = slot;
    }

    fn grow(&mut self) {
        let larger = vec![EMPTY; self.slots.len() * 2];
        let slots = std::mem::replace(&mut self.slots, larger);
        for slot in slots.into_iter().filter(|slot| slot.index != FREE) {
            self.put(slot);
        }
    }

    /// Where the search for `key` begins.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "only the low bits are wanted")]
    fn place(&self, key: u64) -> usize {
        mix(key) as usize & (self.slots.len() - 1)
    }

    /// The name of `symbol`.
    #[must_use]
    pub fn name(&self, symbol: Symbol) -> &[u8] {
        let index = symbol.index();
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.bytes[start..self.ends[index] as usize]
    }

    /// All names from the number `first` on, in the order in which they were made.
    pub(crate) fn names_from(&self, first: usize) -> impl Iterator<Item = &[u8]> {
        let start = first.checked_sub(1).and_then(|last| self.ends.get(last)).map_or(0, |end| *end);
        let ends = self.ends.get(first..).unwrap_or_default();
        ends.iter().scan(start, |start, &end| {
            let name = &self.bytes[*start as usize..end as usize];
            *start = end;
            Some(name)
        })
    }

    /// The name as text; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn text(&self, symbol: Symbol) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.name(symbol))
    }

    /// The name as it is written in an attribute path: in quotes where it has to be.
    #[must_use]
    pub fn quoted(&self, symbol: Symbol) -> String {
        let name = self.name(symbol);
        let plain = name.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
            && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_'-".contains(byte));
        let text = self.text(symbol);
        // The keywords are the first symbols; `or` is one that needs no quotes.
        if plain && symbol >= Symbol::OR {
            return text.into_owned();
        }
        let mut quoted = String::with_capacity(text.len() + 2);
        quoted.push('"');
        for (at, char) in text.char_indices() {
            match char {
                '\n' => quoted.push_str("\\n"),
                '\r' => quoted.push_str("\\r"),
                '\t' => quoted.push_str("\\t"),
                '"' | '\\' => quoted.extend(['\\', char]),
                '$' if text[at..].starts_with("${") => quoted.push_str("\\$"),
                _ => quoted.push(char),
            }
        }
        quoted.push('"');
        quoted
    }

    /// How many names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Are there none? Never so, since some are known from the start.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

fn length(name: &[u8]) -> u32 {
    u32::try_from(name.len()).unwrap_or(u32::MAX)
}

/// The hash of a name of more than eight bytes.
fn hash(name: &[u8]) -> u64 {
    let mut hash = u64::from(length(name));
    let mut at = 0;
    while at + 8 < name.len() {
        hash = mix(hash ^ scan::word(name, at));
        at += 8;
    }
    // The last word overlaps the one before.
    mix(hash ^ scan::word(name, name.len().saturating_sub(8)))
}

/// Every bit of the result depends on every bit of the word: both halves of a product.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the halves are taken apart")]
fn mix(word: u64) -> u64 {
    // Digits of π, so that a word of zeros is no fixed point.
    let product = u128::from(word ^ 0x243f_6a88_85a3_08d3) * 0x1319_8a2e_0370_7345;
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_are_one_symbol_and_names_come_back() {
        let mut symbols = Symbols::new();
        let known = symbols.len();
        let names: Vec<Vec<u8>> = (0..50_000u32)
            .map(|n| format!("{}-{}", "name".repeat(n as usize % 4), n % 25_000).into_bytes())
            .collect();
        let interned: Vec<_> = names.iter().map(|name| symbols.intern(name)).collect();
        assert_eq!(symbols.len() - known, 25_000);
        for (name, symbol) in names.iter().zip(&interned) {
            assert_eq!(symbols.name(*symbol), name);
        }
        assert_eq!(interned[7], interned[25_007]);
    }

    #[test]
    fn names_may_be_any_bytes() {
        let mut symbols = Symbols::new();
        let names: [&[u8]; 6] = [b"", b"\0", b"\0\0", b"\xff", b"12345678\0", b"1234567\0"];
        let interned = names.map(|name| symbols.intern(name));
        for (name, symbol) in names.iter().zip(interned) {
            assert_eq!(symbols.name(symbol), *name);
            assert_eq!(symbols.intern(name), symbol);
        }
    }

    #[test]
    fn the_last_name_can_be_forgotten() {
        let mut symbols = Symbols::new();
        let kept: Vec<_> = (0..9000u32).map(|n| format!("kept-{n}").into_bytes()).collect();
        for (at, name) in kept.iter().enumerate() {
            let symbol = symbols.intern(name);
            let gone = format!("{at}").into_bytes();
            assert_eq!(symbols.intern(&gone).index(), symbol.index() + 1);
            assert_eq!(symbols.forget_last().as_deref(), Some(&*gone));
        }
        let known = symbols.len();
        for name in &kept {
            let symbol = symbols.intern(name);
            assert_eq!(symbols.name(symbol), name);
        }
        assert_eq!(symbols.len(), known);
        assert_eq!(symbols.intern(b"8999").index(), known);
    }

    #[test]
    fn known_names_have_their_constants() {
        let mut symbols = Symbols::new();
        let known = symbols.len();
        for (number, name) in KNOWN {
            assert_eq!(symbols.intern(name.as_bytes()), Symbol(*number), "{name}");
        }
        assert_eq!(symbols.name(Symbol::NIX_PATH), b"__nixPath");
        assert_eq!(symbols.len(), known);
    }
}
