//! Runs the automaton with libstdc++'s outcome.
//!
//! libstdc++ tries one way after the other, recursively, which takes exponential time for some expressions
//! and a stack frame for each byte. Here the open choices are on a heap-allocated stack, and what came of a
//! choice is remembered: it depends on nothing but state, place and the rounds counted by loops. The
//! captured groups need not be remembered, because a match found a second time is never longer.

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::Match;
use super::compile::{Program, StateId, Step};

/// What counts as a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// One that ends where the text ends.
    Full,
    /// Any.
    Search,
}

/// A group while matching. Its end is set, and it counts as matched, once it was left for the first time.
#[derive(Debug, Clone, Copy, Default)]
struct Group {
    start: usize,
    end: usize,
    matched: bool,
}

/// How often a loop went round at one place.
#[derive(Debug, Clone, Copy, Default)]
struct Rounds {
    at: usize,
    count: u8,
}

/// What is to be done after a way was followed to its end.
#[derive(Debug, Clone, Copy)]
enum Frame {
    /// Try the other alternative too.
    Other {
        state: StateId,
        at: usize,
    },
    /// Leave the loop if nothing came of another round.
    Leave {
        state: StateId,
        at: usize,
    },
    /// Join the outcome of the first alternative with the second's.
    Join {
        matched: bool,
    },
    /// The outcome is that of this choice.
    Remember {
        state: StateId,
        at: usize,
    },
    RestoreGroup {
        index: u32,
        group: Group,
    },
    RestoreRounds {
        counter: u32,
        rounds: Rounds,
    },
}

/// Matches one text against one expression.
pub(super) struct Matcher<'r> {
    program: &'r Program,
    text: &'r [u8],
    mode: Mode,
    groups: Vec<Group>,
    rounds: Vec<Rounds>,
    frames: Vec<Frame>,
    memory: Memory,
    /// The best match so far: where it ends and its groups.
    best: Option<(usize, Vec<Group>)>,
    /// An empty match here does not count.
    not_empty_at: Option<usize>,
}

impl<'r> Matcher<'r> {
    pub(super) fn new(program: &'r Program, text: &'r [u8], mode: Mode) -> Self {
        Self {
            program,
            text,
            mode,
            groups: vec![Group::default(); program.groups],
            rounds: vec![Rounds::default(); program.counters],
            frames: Vec::new(),
            memory: Memory::default(),
            best: None,
            not_empty_at: None,
        }
    }

    /// The match that begins first, from `from` on.
    pub(super) fn search(&mut self, from: usize) -> Option<Match> {
        let Some(first) = self.program.first_bytes else {
            return (from..=self.text.len()).find_map(|at| self.match_at(at));
        };
        let mut at = from;
        loop {
            at += self.text.get(at..)?.iter().position(|&byte| first.contains(byte))?;
            if let Some(found) = self.match_at(at) {
                return Some(found);
            }
            at += 1;
        }
    }

    /// The match that begins at a place and is not empty.
    pub(super) fn nonempty_match_at(&mut self, at: usize) -> Option<Match> {
        self.memory.special.clear();
        self.not_empty_at = Some(at);
        let found = self.match_at(at);
        self.not_empty_at = None;
        self.memory.special.clear();
        found
    }

    /// The match that begins at a place.
    pub(super) fn match_at(&mut self, start: usize) -> Option<Match> {
        self.best = None;
        self.run(start);
        let (end, groups) = self.best.take()?;
        self.memory.forget_matches();
        let range =
            |group: &Group| group.matched.then_some(Range { start: group.start, end: group.end });
        Some(Match { range: start..end, groups: groups.iter().map(range).collect() })
    }

    /// If no match can be better than the best one so far.
    fn is_decided(&self) -> bool {
        let first_counts = self.mode == Mode::Full || !self.program.has_both;
        self.best.as_ref().is_some_and(|(end, _)| first_counts || *end == self.text.len())
    }

    /// Follows every way from a place that may lead to the best match.
    fn run(&mut self, start: usize) {
        let (mut state, mut at) = (self.program.start, start);
        loop {
            let matched = self.follow(state, at);
            if self.is_decided() {
                self.reset();
                return;
            }
            match self.unwind(matched) {
                Some(next) => (state, at) = next,
                None => return,
            }
        }
    }

    /// Goes back to the last choice that has something left to try, and gives that.
    fn unwind(&mut self, mut matched: bool) -> Option<(StateId, usize)> {
        loop {
            match self.frames.pop()? {
                Frame::Other { state, at } => {
                    self.frames.push(Frame::Remember { state, at });
                    self.frames.push(Frame::Join { matched });
                    return Some((self.after(state), at));
                }
                Frame::Leave { state, at } if matched => self.remember(state, at, true),
                Frame::Leave { state, at } => {
                    self.frames.push(Frame::Remember { state, at });
                    return Some((self.after(state), at));
                }
                Frame::Join { matched: before } => matched |= before,
                Frame::Remember { state, at } => self.remember(state, at, matched),
                Frame::RestoreGroup { index, group } => self.set_group(index, group),
                Frame::RestoreRounds { counter, rounds } => self.set_rounds(counter, rounds),
            }
        }
    }

    /// Follows one way until it fails or accepts, taking the first choice each time.
    fn follow(&mut self, mut id: StateId, mut at: usize) -> bool {
        let program = self.program;
        loop {
            let Some(state) = program.states.get(id as usize) else { return false };
            let this = id;
            id = state.next;
            match state.step {
                Step::Byte(set) => match (self.text.get(at), program.sets.get(set as usize)) {
                    (Some(&byte), Some(set)) if set.contains(byte) => at += 1,
                    _ => return false,
                },
                Step::Start if at > 0 => return false,
                Step::End if at < self.text.len() => return false,
                Step::Start | Step::End | Step::Nothing => {}
                Step::Open(index) => self.enter(index, |group| Group { start: at, ..group }),
                Step::Close(index) => {
                    self.enter(index, |group| Group { end: at, matched: true, ..group });
                }
                Step::Accept => return self.accept(at),
                Step::Both => {
                    if let Some(known) = self.recall(state.fork, at) {
                        return known;
                    }
                    self.frames.push(Frame::Other { state: this, at });
                    id = state.branch;
                }
                Step::Loop { counter } => {
                    if let Some(known) = self.recall(state.fork, at) {
                        return known;
                    }
                    if self.go_round(this, counter, at) {
                        id = state.branch;
                    }
                }
            }
        }
    }

    /// Makes ready for another round of a loop. False if it went round twice without moving: libstdc++
    /// allows the second time for the sake of groups.
    fn go_round(&mut self, state: StateId, counter: Option<u32>, at: usize) -> bool {
        let Some(counter) = counter else {
            self.frames.push(Frame::Leave { state, at });
            return true;
        };
        let rounds = self.rounds.get(counter as usize).copied().unwrap_or_default();
        let count = if rounds.at == at { rounds.count + 1 } else { 1 };
        if count > 2 {
            return false;
        }
        self.frames.push(Frame::Leave { state, at });
        self.frames.push(Frame::RestoreRounds { counter, rounds });
        self.set_rounds(counter, Rounds { at, count });
        true
    }

    /// Notes a match that ends here, if it counts and is better than the best.
    fn accept(&mut self, at: usize) -> bool {
        if (self.mode == Mode::Full && at < self.text.len()) || self.not_empty_at == Some(at) {
            return false;
        }
        if self.best.as_ref().is_none_or(|(end, _)| *end < at) {
            self.best = Some((at, self.groups.clone()));
        }
        true
    }

    /// Changes a group until the way is given up.
    fn enter(&mut self, index: u32, change: impl Fn(Group) -> Group) {
        let group = self.groups.get(index as usize).copied().unwrap_or_default();
        self.frames.push(Frame::RestoreGroup { index, group });
        self.set_group(index, change(group));
    }

    fn set_group(&mut self, index: u32, group: Group) {
        if let Some(slot) = self.groups.get_mut(index as usize) {
            *slot = group;
        }
    }

    fn set_rounds(&mut self, counter: u32, rounds: Rounds) {
        if let Some(slot) = self.rounds.get_mut(counter as usize) {
            *slot = rounds;
        }
    }

    fn reset(&mut self) {
        self.frames.clear();
        self.groups.fill(Group::default());
        self.rounds.fill(Rounds::default());
    }

    /// The state that follows a choice when its branch is done.
    fn after(&self, state: StateId) -> StateId {
        self.program.states.get(state as usize).map_or(StateId::MAX, |state| state.next)
    }

    /// What came of this choice when it was last made under the same conditions.
    fn recall(&self, fork: u32, at: usize) -> Option<bool> {
        match self.conditions(at) {
            None => self.memory.recall(self.place(fork, at)),
            Some(rounds) => self.memory.special.get(&(fork, at, rounds)).copied(),
        }
    }

    fn remember(&mut self, state: StateId, at: usize, matched: bool) {
        let fork = self.program.states.get(state as usize).map_or(0, |state| state.fork);
        match self.conditions(at) {
            None => {
                let places = (self.text.len() + 1) * self.program.forks;
                self.memory.remember(self.place(fork, at), matched, places);
            }
            Some(rounds) => {
                self.memory.special.insert((fork, at, rounds), matched);
            }
        }
    }

    /// The rounds that loops have gone without moving from here, if that or a forbidden empty match may
    /// change the outcome.
    fn conditions(&self, at: usize) -> Option<u64> {
        let moved = self.rounds.iter().all(|rounds| rounds.count == 0 || rounds.at != at);
        if moved && self.not_empty_at != Some(at) {
            return None;
        }
        // A number for the counts. That two rows of counts share one is not to be expected, and could at
        // worst hide a way to match.
        Some(self.rounds.iter().fold(0, |sum: u64, rounds| {
            let count = if rounds.at == at { rounds.count } else { 0 };
            sum.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(count.into())
        }))
    }

    fn place(&self, fork: u32, at: usize) -> usize {
        at * self.program.forks + fork as usize
    }
}

/// What came of choices.
#[derive(Debug, Default)]
struct Memory {
    /// Two bits for each place in the text and choice: unknown, failed, matched.
    outcomes: Vec<u64>,
    /// Which places hold a match. It is one of the current search; a failure holds for every search.
    matches: Vec<usize>,
    /// Outcomes under conditions that seldom occur.
    special: FxHashMap<(u32, usize, u64), bool>,
}

const FAILED: u64 = 1;
const MATCHED: u64 = 2;

impl Memory {
    fn recall(&self, place: usize) -> Option<bool> {
        match self.outcomes.get(place / 32)? >> (place % 32 * 2) & 3 {
            0 => None,
            outcome => Some(outcome == MATCHED),
        }
    }

    /// Notes an outcome; there are so many places at most.
    fn remember(&mut self, place: usize, matched: bool, places: usize) {
        if self.outcomes.is_empty() {
            self.outcomes = vec![0; places.div_ceil(32)];
        }
        if matched {
            self.matches.push(place);
        }
        if let Some(word) = self.outcomes.get_mut(place / 32) {
            *word |= if matched { MATCHED } else { FAILED } << (place % 32 * 2);
        }
    }

    fn forget_matches(&mut self) {
        for place in self.matches.drain(..) {
            if let Some(word) = self.outcomes.get_mut(place / 32) {
                *word &= !(3 << (place % 32 * 2));
            }
        }
        self.special.clear();
    }
}
