//! String contexts: which store objects a string refers to. Equal contexts have equal numbers, so
//! that a string carries four bytes and joining usual contexts costs a look into a table.

use std::collections::HashMap;

use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::store::StorePath;

/// The context of a string, as a number of the table [`Contexts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Context(u32);

impl Context {
    /// The context of a string that refers to nothing.
    pub const NONE: Self = Self(0);

    /// Does it refer to nothing?
    #[inline]
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }
}

/// One store object that a string refers to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ContextElement {
    /// A store path as it is: a source, or the derivation file itself.
    Opaque(StorePath),
    /// A derivation with all that building it takes and gives (`drvPath`).
    DrvDeep(StorePath),
    /// An output of a derivation: the `.drv` path and the output's name.
    Built(StorePath, Box<[u8]>),
}

impl ContextElement {
    /// The store path: the derivation's, for an output.
    #[must_use]
    pub fn path(&self) -> &StorePath {
        match self {
            Self::Opaque(path) | Self::DrvDeep(path) | Self::Built(path, _) => path,
        }
    }
}

/// The table of all contexts of one evaluation.
#[derive(Debug)]
pub struct Contexts {
    /// Sorted, without duplicates. The first is the empty one.
    sets: Vec<Box<[ContextElement]>>,
    numbers: FxHashMap<Box<[ContextElement]>, u32>,
    unions: FxHashMap<(u32, u32), u32>,
}

impl Default for Contexts {
    fn default() -> Self {
        let mut numbers: FxHashMap<Box<[ContextElement]>, u32> =
            HashMap::with_hasher(FxBuildHasher);
        numbers.insert(Box::default(), 0);
        Self { sets: vec![Box::default()], numbers, unions: FxHashMap::default() }
    }
}

impl Contexts {
    /// The elements of `context`, sorted.
    #[must_use]
    pub fn elements(&self, context: Context) -> &[ContextElement] {
        &self.sets[context.0 as usize]
    }

    /// The context of these elements, in any order, also with duplicates.
    pub fn intern(&mut self, mut elements: Vec<ContextElement>) -> Context {
        elements.sort_unstable();
        elements.dedup();
        let elements = elements.into_boxed_slice();
        if let Some(&number) = self.numbers.get(&elements) {
            return Context(number);
        }
        // Each set takes memory of its own: memory ends before the numbers do.
        let number = u32::try_from(self.sets.len()).unwrap_or(u32::MAX);
        self.sets.push(elements.clone());
        self.numbers.insert(elements, number);
        Context(number)
    }

    /// The context of a string that is made of strings with these two.
    #[inline]
    pub fn union(&mut self, one: Context, other: Context) -> Context {
        if one == other || other.is_none() {
            one
        } else if one.is_none() {
            other
        } else {
            self.union_of_two(one.0.min(other.0), one.0.max(other.0))
        }
    }

    fn union_of_two(&mut self, low: u32, high: u32) -> Context {
        if let Some(&number) = self.unions.get(&(low, high)) {
            return Context(number);
        }
        let mut elements = self.sets[low as usize].to_vec();
        elements.extend_from_slice(&self.sets[high as usize]);
        let union = self.intern(elements);
        self.unions.insert((low, high), union.0);
        union
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opaque(name: &str) -> ContextElement {
        let path = StorePath::from_digest([7; 20], name.as_bytes()).unwrap();
        ContextElement::Opaque(path)
    }

    #[test]
    fn equal_contexts_are_one_number() {
        let mut contexts = Contexts::default();
        let one = contexts.intern(vec![opaque("b"), opaque("a"), opaque("b")]);
        let same = contexts.intern(vec![opaque("a"), opaque("b")]);
        assert_eq!(one, same);
        assert_eq!(contexts.elements(one), [opaque("a"), opaque("b")]);
        assert_eq!(contexts.intern(vec![]), Context::NONE);
    }

    #[test]
    fn joining_takes_the_elements_of_both() {
        let mut contexts = Contexts::default();
        let a = contexts.intern(vec![opaque("a")]);
        let b = contexts.intern(vec![opaque("b")]);
        let both = contexts.union(a, b);
        assert_eq!(contexts.elements(both), [opaque("a"), opaque("b")]);
        assert_eq!(contexts.union(b, a), both);
        assert_eq!(contexts.union(both, a), both);
        assert_eq!(contexts.union(a, Context::NONE), a);
        assert_eq!(contexts.union(Context::NONE, b), b);
    }
}
