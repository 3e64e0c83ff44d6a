//! The automaton, built state by state as libstdc++ builds it, so that its limit is met by the same
//! expressions and loops go round as often.

use rustc_hash::FxHashMap;

use super::RegexError;
use super::byte_set::ByteSet;
use super::parse::{Node, Times};

/// A state by its place.
pub(super) type StateId = u32;

/// No state yet.
const NONE: StateId = StateId::MAX;

/// The limit of libstdc++, `_GLIBCXX_REGEX_STATE_LIMIT`.
const MAX_STATES: usize = 100_000;

#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// One byte of the set with this index.
    Byte(u32),
    /// The group begins.
    Open(u32),
    /// The group ends.
    Close(u32),
    /// Only at the start of the text.
    Start,
    /// Only at the end of the text.
    End,
    /// `branch` and `next` are both tried; the longer match counts.
    Both,
    /// `branch`, the loop's body, and `next` only if no match comes of that.
    Loop {
        /// Where the executor counts empty rounds, if the body may match nothing.
        counter: Option<u32>,
    },
    /// Goes on with `next`; skipped when the automaton is finished.
    Nothing,
    Accept,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    pub(super) step: Step,
    pub(super) next: StateId,
    pub(super) branch: StateId,
    /// The number of this state among those that branch.
    pub(super) fork: u32,
}

/// A finished automaton.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) states: Vec<State>,
    pub(super) sets: Vec<ByteSet>,
    pub(super) start: StateId,
    pub(super) groups: usize,
    /// How many states branch.
    pub(super) forks: usize,
    /// How many loops count their empty rounds.
    pub(super) counters: usize,
    /// If `Both` occurs.
    pub(super) has_both: bool,
    /// The bytes a match begins with; none if it may be empty.
    pub(super) first_bytes: Option<ByteSet>,
}

/// Builds the automaton.
///
/// # Errors
///
/// If it would have too many states.
pub(super) fn compile(tree: &Node) -> Result<Program, RegexError> {
    let mut builder = Builder {
        states: Vec::new(),
        sets: Vec::new(),
        groups: 0,
        count_rounds: tree.has_empty_loop(),
    };
    let mut whole = builder.single(Step::Nothing)?;
    // libstdc++ has the whole match as a group too; here its range is known anyway.
    builder.single(Step::Nothing)?;
    let body = builder.sequence(tree)?;
    builder.append(&mut whole, body);
    let accept = builder.single(Step::Accept)?;
    builder.append(&mut whole, accept);
    Ok(builder.finish(tree, whole.first))
}

/// A row of states under construction.
#[derive(Debug, Clone, Copy)]
struct Sequence {
    first: StateId,
    last: StateId,
}

struct Builder {
    states: Vec<State>,
    sets: Vec<ByteSet>,
    groups: u32,
    count_rounds: bool,
}

impl Builder {
    fn node(&mut self, node: &Node) -> Result<Sequence, RegexError> {
        match node {
            Node::Empty => self.single(Step::Nothing),
            Node::Set(set) => {
                let index = self.set(*set);
                self.single(Step::Byte(index))
            }
            Node::Start => self.single(Step::Start),
            Node::End => self.single(Step::End),
            Node::Group(number, inner) => self.group(*number, inner),
            Node::Concat(_) => self.sequence(node),
            Node::Alternate(branches) => self.alternate(branches),
            Node::Repeat(inner, times) => self.repeat(inner, *times),
        }
    }

    /// What stands between parentheses or `|`. libstdc++ ends it with a state of its own.
    fn sequence(&mut self, node: &Node) -> Result<Sequence, RegexError> {
        let parts = match node {
            Node::Empty => &[],
            Node::Concat(parts) => parts.as_slice(),
            one => std::slice::from_ref(one),
        };
        let mut whole: Option<Sequence> = None;
        for part in parts {
            let part = self.node(part)?;
            match &mut whole {
                None => whole = Some(part),
                Some(whole) => self.append(whole, part),
            }
        }
        let end = self.single(Step::Nothing)?;
        let Some(mut whole) = whole else { return Ok(end) };
        self.append(&mut whole, end);
        Ok(whole)
    }

    fn group(&mut self, number: usize, inner: &Node) -> Result<Sequence, RegexError> {
        let number = u32::try_from(number).map_err(|_| RegexError::TooBig)?;
        self.groups = self.groups.max(number);
        let mut whole = self.single(Step::Open(number - 1))?;
        let inner = self.sequence(inner)?;
        self.append(&mut whole, inner);
        let close = self.single(Step::Close(number - 1))?;
        self.append(&mut whole, close);
        Ok(whole)
    }

    /// From left to right: `a|b|c` tries `a|b` against `c`.
    fn alternate(&mut self, branches: &[Node]) -> Result<Sequence, RegexError> {
        let mut whole = None;
        for branch in branches {
            let mut branch = self.sequence(branch)?;
            let Some(mut left) = whole else {
                whole = Some(branch);
                continue;
            };
            let end = self.single(Step::Nothing)?;
            self.append(&mut left, end);
            self.append(&mut branch, end);
            let fork = self.insert(Step::Both, branch.first, left.first)?;
            whole = Some(Sequence { first: fork, last: end.last });
        }
        whole.map_or_else(|| self.single(Step::Nothing), Ok)
    }

    fn repeat(&mut self, inner: &Node, times: Times) -> Result<Sequence, RegexError> {
        let step = Step::Loop { counter: (self.count_rounds && inner.is_nullable()).then_some(0) };
        let mut body = self.node(inner)?;
        match times {
            Times::Star => {
                let round = self.insert(step, NONE, body.first)?;
                let round = Sequence { first: round, last: round };
                self.append(&mut body, round);
                Ok(round)
            }
            Times::Plus => {
                let round = self.insert(step, NONE, body.first)?;
                self.append(&mut body, Sequence { first: round, last: round });
                Ok(body)
            }
            Times::Optional => {
                let end = self.single(Step::Nothing)?;
                let round = self.insert(step, NONE, body.first)?;
                self.append(&mut body, end);
                let mut whole = Sequence { first: round, last: round };
                self.append(&mut whole, end);
                Ok(whole)
            }
            Times::AtLeast(min) => {
                let mut whole = self.copies(body, min)?;
                let mut last = self.copy(body)?;
                let round = self.insert(step, NONE, last.first)?;
                let round = Sequence { first: round, last: round };
                self.append(&mut last, round);
                self.append(&mut whole, round);
                Ok(whole)
            }
            Times::Between(min, max) => self.between(body, step, min, max),
        }
    }

    /// `min` copies of a body, and as many more as `max` allows, each of which may be the last.
    fn between(
        &mut self,
        body: Sequence,
        step: Step,
        min: u32,
        max: u32,
    ) -> Result<Sequence, RegexError> {
        let mut whole = self.copies(body, min)?;
        let end = self.single(Step::Nothing)?;
        for _ in min..max {
            let more = self.copy(body)?;
            let round = self.insert(step, end.first, more.first)?;
            self.append(&mut whole, Sequence { first: round, last: round });
            // The loop's own `next` is the way out, so the body's end goes on.
            whole.last = more.last;
        }
        self.append(&mut whole, end);
        Ok(whole)
    }

    /// So many copies of a body, one after the other.
    fn copies(&mut self, body: Sequence, count: u32) -> Result<Sequence, RegexError> {
        let mut whole = self.single(Step::Nothing)?;
        for _ in 0..count {
            let copy = self.copy(body)?;
            self.append(&mut whole, copy);
        }
        Ok(whole)
    }

    /// A copy of all states of a sequence.
    fn copy(&mut self, original: Sequence) -> Result<Sequence, RegexError> {
        let mut copies = FxHashMap::default();
        let mut waiting = vec![original.first];
        while let Some(id) = waiting.pop() {
            if id == NONE || copies.contains_key(&id) {
                continue;
            }
            let State { step, next, branch, .. } = self.state(id);
            copies.insert(id, self.insert(step, next, branch)?);
            waiting.push(branch);
            if id != original.last {
                waiting.push(next);
            }
        }
        let copy_of = |id: StateId| copies.get(&id).copied().unwrap_or(NONE);
        for &copy in copies.values() {
            if let Some(state) = self.states.get_mut(copy as usize) {
                state.next = copy_of(state.next);
                state.branch = copy_of(state.branch);
            }
        }
        Ok(Sequence { first: copy_of(original.first), last: copy_of(original.last) })
    }

    fn set(&mut self, set: ByteSet) -> u32 {
        let known = self.sets.iter().position(|other| *other == set);
        let index = known.unwrap_or_else(|| {
            self.sets.push(set);
            self.sets.len() - 1
        });
        // There are no more sets than states.
        u32::try_from(index).unwrap_or(NONE)
    }

    fn single(&mut self, step: Step) -> Result<Sequence, RegexError> {
        let id = self.insert(step, NONE, NONE)?;
        Ok(Sequence { first: id, last: id })
    }

    fn insert(
        &mut self,
        step: Step,
        next: StateId,
        branch: StateId,
    ) -> Result<StateId, RegexError> {
        if self.states.len() >= MAX_STATES {
            return Err(RegexError::TooBig);
        }
        let id = u32::try_from(self.states.len()).map_err(|_| RegexError::TooBig)?;
        self.states.push(State { step, next, branch, fork: 0 });
        Ok(id)
    }

    fn append(&mut self, sequence: &mut Sequence, after: Sequence) {
        if let Some(last) = self.states.get_mut(sequence.last as usize) {
            last.next = after.first;
        }
        sequence.last = after.last;
    }

    fn state(&self, id: StateId) -> State {
        let nowhere = State { step: Step::Nothing, next: NONE, branch: NONE, fork: 0 };
        self.states.get(id as usize).copied().unwrap_or(nowhere)
    }

    /// The state that is reached through states that do nothing.
    fn skip(&self, mut id: StateId) -> StateId {
        while id != NONE && matches!(self.state(id).step, Step::Nothing) {
            id = self.state(id).next;
        }
        id
    }

    fn finish(mut self, tree: &Node, start: StateId) -> Program {
        let (mut forks, mut counters, mut has_both) = (0, 0, false);
        for index in 0..self.states.len() {
            let state = self.states[index];
            let (next, branch) = (self.skip(state.next), self.skip(state.branch));
            let state = &mut self.states[index];
            (state.next, state.branch) = (next, branch);
            match &mut state.step {
                Step::Both => has_both = true,
                Step::Loop { counter } => {
                    if let Some(counter) = counter {
                        *counter = counters;
                        counters += 1;
                    }
                }
                _ => continue,
            }
            state.fork = forks;
            forks += 1;
        }
        let start = self.skip(start);
        Program {
            start,
            states: self.states,
            sets: self.sets,
            groups: self.groups as usize,
            forks: forks as usize,
            counters: counters as usize,
            has_both,
            first_bytes: (!tree.is_nullable()).then(|| tree.first_bytes()),
        }
    }
}
