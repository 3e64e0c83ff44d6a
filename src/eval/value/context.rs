//! String contexts: which store objects a string refers to. Equal contexts have equal numbers, so
//! that a string carries four bytes and joining usual contexts costs a look into a table.

use std::rc::Rc;

use rustc_hash::FxHashMap;

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

/// The table of all contexts of one evaluation. An element is a number in it as well, so that joining contexts is
/// joining rows of numbers.
#[derive(Debug)]
pub struct Contexts {
    elements: Vec<ContextElement>,
    element_numbers: FxHashMap<ContextElement, u32>,
    /// Numbers of elements, sorted, without duplicates. The first is the empty one.
    sets: Vec<Rc<[u32]>>,
    set_numbers: FxHashMap<Rc<[u32]>, u32>,
    unions: FxHashMap<(u32, u32), u32>,
}

impl Default for Contexts {
    fn default() -> Self {
        let empty: Rc<[u32]> = Rc::default();
        Self {
            elements: Vec::new(),
            element_numbers: FxHashMap::default(),
            set_numbers: FxHashMap::from_iter([(empty.clone(), 0)]),
            sets: vec![empty],
            unions: FxHashMap::default(),
        }
    }
}

impl Contexts {
    /// The elements of `context`, sorted.
    #[must_use]
    pub fn elements(&self, context: Context) -> Vec<&ContextElement> {
        let numbers = self.sets[context.0 as usize].iter();
        let mut elements: Vec<_> = numbers.map(|&number| &self.elements[number as usize]).collect();
        elements.sort_unstable();
        elements
    }

    /// The context of these elements, in any order, also with duplicates.
    pub fn intern(&mut self, elements: impl IntoIterator<Item = ContextElement>) -> Context {
        let mut numbers: Vec<u32> =
            elements.into_iter().map(|element| self.number_of(element)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        Context(self.set_of(&numbers))
    }

    fn number_of(&mut self, element: ContextElement) -> u32 {
        let next = number(self.elements.len());
        *self.element_numbers.entry(element).or_insert_with_key(|element| {
            self.elements.push(element.clone());
            next
        })
    }

    /// The number of a sorted set.
    fn set_of(&mut self, numbers: &[u32]) -> u32 {
        if let Some(&known) = self.set_numbers.get(numbers) {
            return known;
        }
        let next = number(self.sets.len());
        let set: Rc<[u32]> = numbers.into();
        self.sets.push(set.clone());
        self.set_numbers.insert(set, next);
        next
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
        let mut numbers = self.sets[low as usize].to_vec();
        numbers.extend_from_slice(&self.sets[high as usize]);
        numbers.sort_unstable();
        numbers.dedup();
        let union = self.set_of(&numbers);
        self.unions.insert((low, high), union);
        Context(union)
    }
}

/// The number of an entry. Each takes memory of its own: memory ends before the numbers do.
fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
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
        assert_eq!(contexts.elements(one), [&opaque("a"), &opaque("b")]);
        assert_eq!(contexts.intern(vec![]), Context::NONE);
    }

    #[test]
    fn joining_takes_the_elements_of_both() {
        let mut contexts = Contexts::default();
        let a = contexts.intern(vec![opaque("a")]);
        let b = contexts.intern(vec![opaque("b")]);
        let both = contexts.union(a, b);
        assert_eq!(contexts.elements(both), [&opaque("a"), &opaque("b")]);
        assert_eq!(contexts.union(b, a), both);
        assert_eq!(contexts.union(both, a), both);
        assert_eq!(contexts.union(a, Context::NONE), a);
        assert_eq!(contexts.union(Context::NONE, b), b);
    }
}
