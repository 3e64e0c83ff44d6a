//! The regular expressions of `builtins.match` and `builtins.split`.
//!
//! C++ Nix uses libstdc++'s `std::regex` with the grammar `extended`, that is POSIX extended expressions
//! (POSIX 2017, Base Definitions 9.4) on bytes in the C locale, with deviations that derivations depend on:
//! a full match takes the first way to match that a backtracking matcher finds, and a search takes the
//! longest among the alternatives of `|`, but not among the numbers of repetitions. `compile` builds the
//! automaton that libstdc++ builds, `backtrack` runs it to the same result without its exponential time
//! and recursion, and `translate` hands frequently used expressions to the `regex-automata` crate where
//! that gives the same result.

mod backtrack;
mod bracket;
mod byte_set;
mod compile;
mod parse;
#[cfg(test)]
mod tests;
mod translate;

use std::cell::{Cell, OnceCell};
use std::ops::Range;

use backtrack::{Matcher, Mode};
use compile::Program;
use parse::Node;
use regex_automata::meta;
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Anchored, Input};

/// Why an expression cannot be used. The caller words the message, which quotes the expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RegexError {
    /// It is none.
    #[error("invalid regular expression")]
    Invalid,
    /// Its automaton would have more states than libstdc++ allows.
    #[error("memory limit exceeded by regular expression")]
    TooBig,
}

/// What the groups of an expression matched, in the order of their opening parentheses.
pub type Groups = Vec<Option<Range<usize>>>;

/// A match found by [`Regex::split`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Where it is.
    pub range: Range<usize>,
    /// What its groups matched.
    pub groups: Groups,
}

/// A compiled expression.
#[derive(Debug)]
pub struct Regex {
    tree: Node,
    program: Program,
    shape: Shape,
    /// How many bytes the plain matcher may still look at before building a fast one pays.
    patience: Cell<usize>,
    fast_full: OnceCell<Option<meta::Regex>>,
    fast_search: OnceCell<Option<meta::Regex>>,
}

/// About as many bytes as take the plain matcher the time of building a fast one.
const PATIENCE: usize = 16 * 1024;

/// Expressions that need no automaton.
#[derive(Debug)]
enum Shape {
    /// Bytes without groups, perhaps with `.*` around.
    Literal {
        any_before: bool,
        text: Vec<u8>,
        any_after: bool,
    },
    Other,
}

impl Regex {
    /// Compiles an expression.
    ///
    /// # Errors
    ///
    /// If `std::regex` would refuse it.
    pub fn new(pattern: &[u8]) -> Result<Self, RegexError> {
        let tree = parse::parse(pattern)?;
        let program = compile::compile(&tree)?;
        let shape = Shape::of(&tree);
        let (fast_full, fast_search) = (OnceCell::new(), OnceCell::new());
        Ok(Self { tree, program, shape, patience: Cell::new(PATIENCE), fast_full, fast_search })
    }

    /// The groups, if the whole text matches.
    #[must_use]
    pub fn full_match(&self, text: &[u8]) -> Option<Groups> {
        if let Some(matches) = self.shape.matches(text) {
            return matches.then(Vec::new);
        }
        if let Some(fast) = self.fast(&self.fast_full, text.len(), translate::full) {
            return find(fast, &Input::new(text).anchored(Anchored::Yes)).map(|found| found.groups);
        }
        Matcher::new(&self.program, text, Mode::Full).match_at(0).map(|found| found.groups)
    }

    /// The matches in a text, from left to right, each after the end of the one before. An empty match is
    /// not taken where a longer one begins, and not twice.
    pub fn split<'r>(&'r self, text: &'r [u8]) -> impl Iterator<Item = Match> + 'r {
        let engine = if let Some(literal) = self.shape.literal() {
            Engine::Literal(memchr::memmem::Finder::new(literal))
        } else if let Some(fast) = self.fast(&self.fast_search, text.len(), translate::search) {
            Engine::Fast(fast)
        } else {
            Engine::Plain(Matcher::new(&self.program, text, Mode::Search))
        };
        Matches { engine, text, last: None }
    }

    /// The fast matcher, once enough text was seen; none if the expression has no faithful translation.
    fn fast<'r>(
        &self,
        cell: &'r OnceCell<Option<meta::Regex>>,
        length: usize,
        translate: fn(&Node) -> Option<meta::Regex>,
    ) -> Option<&'r meta::Regex> {
        if let Some(known) = cell.get() {
            return known.as_ref();
        }
        // Even an empty text costs something.
        match self.patience.get().checked_sub(length + 16) {
            Some(rest) => {
                self.patience.set(rest);
                None
            }
            None => cell.get_or_init(|| translate(&self.tree)).as_ref(),
        }
    }
}

impl Shape {
    fn of(tree: &Node) -> Self {
        let parts = match tree {
            Node::Concat(parts) => parts.as_slice(),
            one => std::slice::from_ref(one),
        };
        let (any_before, parts) = match parts {
            [first, rest @ ..] if first.is_any_star() => (true, rest),
            _ => (false, parts),
        };
        let (any_after, parts) = match parts {
            [rest @ .., last] if last.is_any_star() => (true, rest),
            _ => (false, parts),
        };
        match parts.iter().map(Node::literal).collect() {
            Some(text) => Self::Literal { any_before, text, any_after },
            None => Self::Other,
        }
    }

    /// The bytes, if it matches nothing but them.
    fn literal(&self) -> Option<&[u8]> {
        match self {
            Self::Literal { any_before: false, text, any_after: false } if !text.is_empty() => {
                Some(text)
            }
            _ => None,
        }
    }

    /// Whether the whole text matches, if that can be said without an automaton.
    fn matches(&self, text: &[u8]) -> Option<bool> {
        let Self::Literal { any_before, text: literal, any_after } = self else { return None };
        // The dot does not match NUL.
        if (*any_before || *any_after) && memchr::memchr(0, text).is_some() {
            return None;
        }
        Some(match (any_before, any_after) {
            (false, false) => text == literal,
            (true, false) => text.ends_with(literal),
            (false, true) => text.starts_with(literal),
            (true, true) => memchr::memmem::find(text, literal).is_some(),
        })
    }
}

/// Searches with the fast matcher.
fn find(fast: &meta::Regex, input: &Input<'_>) -> Option<Match> {
    let mut slots: Vec<Option<NonMaxUsize>> = vec![None; 2 * fast.captures_len()];
    fast.search_slots(input, &mut slots)?;
    let mut ranges = slots.chunks_exact(2).map(|pair| match pair {
        [Some(start), Some(end)] => Some(start.get()..end.get()),
        _ => None,
    });
    Some(Match { range: ranges.next().flatten()?, groups: ranges.collect() })
}

enum Engine<'r> {
    Literal(memchr::memmem::Finder<'r>),
    Fast(&'r meta::Regex),
    Plain(Matcher<'r>),
}

/// The iteration of `std::regex_iterator`.
struct Matches<'r> {
    engine: Engine<'r>,
    text: &'r [u8],
    last: Option<Range<usize>>,
}

impl Iterator for Matches<'_> {
    type Item = Match;

    fn next(&mut self) -> Option<Match> {
        let mut from = 0;
        let mut after_empty = false;
        if let Some(last) = &self.last {
            from = last.end;
            after_empty = last.is_empty();
            if after_empty && from == self.text.len() {
                return None;
            }
        }
        let found = match &mut self.engine {
            Engine::Literal(finder) => {
                let start = from + finder.find(self.text.get(from..)?)?;
                Some(Match { range: start..start + finder.needle().len(), groups: Vec::new() })
            }
            // What is translated matches the longest it can at each place, so after an empty match there
            // is no longer one in the same place.
            Engine::Fast(fast) => {
                let from = from + usize::from(after_empty);
                find(fast, &Input::new(self.text).range(from..))
            }
            Engine::Plain(matcher) if after_empty => {
                matcher.nonempty_match_at(from).or_else(|| matcher.search(from + 1))
            }
            Engine::Plain(matcher) => matcher.search(from),
        }?;
        self.last = Some(found.range.clone());
        Some(found)
    }
}
