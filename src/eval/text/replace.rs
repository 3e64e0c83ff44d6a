//! `builtins.replaceStrings`: at each place the first pattern that fits is replaced.

/// Finds which pattern stands where in a text; the caller holds the replacements, of which it evaluates
/// only those that are used.
#[derive(Debug)]
pub struct Replacer<'p> {
    patterns: &'p [&'p [u8]],
    /// For each byte, the first pattern that starts with it or is empty: where to begin looking.
    first: Box<[u32; 256]>,
    /// The first empty pattern, which fits everywhere.
    empty: Option<usize>,
}

/// No pattern starts with this byte.
const NONE: u32 = u32::MAX;

/// A piece of the result, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'t> {
    /// Text that stays.
    Kept(&'t [u8]),
    /// The replacement of the pattern with this index.
    Replaced(usize),
}

impl<'p> Replacer<'p> {
    /// Prepares a search for `patterns`; among those that fit at one place the first wins.
    #[must_use]
    pub fn new(patterns: &'p [&'p [u8]]) -> Self {
        let mut first = Box::new([NONE; 256]);
        let empty = patterns.iter().position(|pattern| pattern.is_empty());
        for (index, pattern) in (0u32..).zip(patterns.iter().take(empty.unwrap_or(patterns.len())))
        {
            if let Some(&byte) = pattern.first() {
                let slot = &mut first[usize::from(byte)];
                *slot = index.min(*slot);
            }
        }
        Self { patterns, first, empty }
    }

    /// Gives the pieces of the result to `emit`, one after the other. An empty pattern fits before every
    /// byte and at the end, and the byte it stands before is kept.
    ///
    /// # Errors
    ///
    /// The first error of `emit`, which ends the search.
    pub fn replace<'t, E>(
        &self,
        text: &'t [u8],
        mut emit: impl FnMut(Piece<'t>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut kept = 0;
        let mut at = 0;
        while at <= text.len() {
            let Some(index) = self.pattern_at(&text[at..]) else {
                at += 1;
                continue;
            };
            if kept < at {
                emit(Piece::Kept(&text[kept..at]))?;
            }
            emit(Piece::Replaced(index))?;
            let length = self.patterns.get(index).map_or(0, |pattern| pattern.len());
            kept = (at + length).min(text.len());
            at += length.max(1);
        }
        match text.get(kept..) {
            Some(rest) if !rest.is_empty() => emit(Piece::Kept(rest)),
            _ => Ok(()),
        }
    }

    /// The first pattern that `rest` starts with.
    fn pattern_at(&self, rest: &[u8]) -> Option<usize> {
        let Some(&byte) = rest.first() else { return self.empty };
        let first = self.first[usize::from(byte)];
        if first == NONE {
            return self.empty;
        }
        let start = first as usize;
        let found =
            self.patterns.get(start..)?.iter().position(|pattern| rest.starts_with(pattern));
        found.map(|offset| start + offset)
    }
}
