//! A program as a tree of texts, so that parts of it can be replaced, and the numbers that chance gives.

use std::fmt;

/// A source of chance that is the same for the same seed (`SplitMix64`).
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below the bound.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    /// True once in so many times.
    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(super) fn one_of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }
}

/// An expression: text with smaller expressions inside.
#[derive(Clone, Debug)]
pub(super) struct Tree(pub(super) Vec<Part>);

#[derive(Clone, Debug)]
pub(super) enum Part {
    Text(String),
    Tree(Tree),
}

impl From<&str> for Part {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Part {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Tree> for Part {
    fn from(tree: Tree) -> Self {
        Self::Tree(tree)
    }
}

/// A tree from texts and trees, one after the other.
macro_rules! tree {
    ($($part:expr),+ $(,)?) => {
        $crate::lang_property::tree::Tree(vec![$($part.into()),+])
    };
}
pub(super) use tree;

impl fmt::Display for Tree {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => out.write_str(text),
            Part::Tree(tree) => tree.fmt(out),
        })
    }
}

/// What may stand for any expression.
const SIMPLE: &[&str] = &["0", "\"\"", "[ ]", "{ }", "true", "null"];

impl Tree {
    fn parts_below(&self) -> impl Iterator<Item = (usize, &Tree)> {
        self.0.iter().enumerate().filter_map(|(at, part)| match part {
            Part::Tree(tree) => Some((at, tree)),
            Part::Text(_) => None,
        })
    }

    fn with(&self, at: usize, new: Tree) -> Tree {
        let mut copy = self.clone();
        copy.0[at] = Part::Tree(new);
        copy
    }

    /// The same program with one part of it replaced by something shorter; the biggest steps first.
    pub(super) fn smaller(&self) -> Vec<Tree> {
        let mut all: Vec<Tree> = self.parts_below().map(|(_, tree)| tree.clone()).collect();
        let length = self.to_string().len();
        let simple = SIMPLE.iter().filter(|simple| simple.len() < length);
        all.extend(simple.map(|simple| tree![*simple]));
        for (at, tree) in self.parts_below() {
            all.extend(tree.smaller().into_iter().map(|new| self.with(at, new)));
        }
        all.retain(|candidate| candidate.to_string().len() < length);
        all
    }
}
