//! Package sets that a program makes several times from the same arguments, as every host of a flake makes its
//! own: all of them become the first one, with what is evaluated of it already.
//!
//! A call `import FILE ARGUMENT` is carried out as always, up to the set that it gives; so nothing is evaluated
//! that is not wanted anyway, and failures are what they are. If the set is large, what can be reached from the
//! argument is then compared with what could be reached from the argument of an earlier call of the same
//! function at that time: values, code and variables of what is not evaluated, places of attributes, which slots
//! are one. Where the two can't be told apart, neither can what the function makes of them, since Nix is pure, and
//! the earlier set is taken. What can't be seen to be the same within a budget is not the same.
//!
//! One thing could tell: functions of one set are equal to those of the other if they are one, and they are now.
//! That is why it is done only where [`Settings::share_sets`](super::settings::Settings) says so.

use std::cell::Cell;
use std::collections::VecDeque;
use std::ptr;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Eval;
use super::arena::Arena;
use super::builtins::PrimOp;
use super::code::LambdaId;
use super::error::Result;
use super::position::Pos;
use super::value::{Args, Attrs, Env, Mapping, Over, PrimOpId, Slot, Value};

/// Smaller sets cost less than looking for another one.
const LARGE: usize = 1000;
/// Of larger sets among the arguments only one and the same is the same.
const LARGEST_COMPARED: usize = 2000;
/// So many slots of an argument are remembered, and so many pairs compared.
const MOST_SLOTS: usize = 40_000;
/// So many calls are remembered.
const MOST_CALLS: usize = 64;

/// The calls that are remembered.
#[derive(Debug, Default)]
pub(super) struct Memo<'a> {
    /// The builtin `import`, if calls are to be remembered at all.
    import: Option<PrimOpId>,
    made: Vec<Made<'a>>,
}

/// A call that gave a large set.
#[derive(Debug)]
struct Made<'a> {
    function: LambdaId,
    closure: Env<'a>,
    argument: Value<'a>,
    /// What stood in the slots that the argument leads to, by their addresses.
    stood: FxHashMap<usize, Value<'a>>,
    set: Value<'a>,
}

impl Memo<'_> {
    /// Remembers calls of what `import` gives, which is one of `primops`.
    pub(super) fn of(primops: &[&'static PrimOp]) -> Self {
        let import = primops.iter().position(|op| op.name == "import");
        let import = import.and_then(|at| u16::try_from(at).ok()).map(PrimOpId);
        Self { import, made: Vec::new() }
    }

    /// Are calls of what this builtin gives remembered?
    #[inline]
    pub(super) fn is_for(&self, op: PrimOpId) -> bool {
        self.import == Some(op)
    }
}

impl<'a> Eval<'a> {
    /// Calls a file's function.
    pub(super) fn call_file(
        &mut self,
        function: LambdaId,
        closure: Env<'a>,
        argument: Value<'a>,
        pos: Pos,
    ) -> Result<Value<'a>> {
        let depth = self.calls.len();
        let entered = self.enter(function, closure, argument, pos);
        let result = entered.and_then(|(body, frame)| self.eval(body, frame));
        match self.leave(depth, result)? {
            set @ Value::Attrs(attrs) if attrs.len() >= LARGE => {
                Ok(self.earlier(function, closure, argument, set))
            }
            other => Ok(other),
        }
    }

    /// The set that an earlier call with the same argument gave, or else `set`, which is remembered.
    fn earlier(
        &mut self,
        function: LambdaId,
        closure: Env<'a>,
        argument: Value<'a>,
        set: Value<'a>,
    ) -> Value<'a> {
        let made = self.memo.made.iter().find(|made| {
            made.function == function
                && frame_address(made.closure) == frame_address(closure)
                && Comparison::new(self.arena, &made.stood).holds(made.argument, argument)
        });
        if let Some(made) = made {
            return made.set;
        }
        if self.memo.made.len() < MOST_CALLS {
            let stood = slots_behind(self.arena, argument);
            self.memo.made.push(Made { function, closure, argument, stood, set });
            // What is remembered here must not be taken back, so it counts as if something old referred to it.
            let old = self.arena.keeping(|| self.arena.alloc(Cell::new(set)));
            self.arena.note_write(old);
        }
        set
    }
}

/// What stands in the slots that a value leads to, the nearest ones if there are many.
fn slots_behind<'a>(arena: &'a Arena, value: Value<'a>) -> FxHashMap<usize, Value<'a>> {
    let mut stood = FxHashMap::default();
    let mut passed = FxHashSet::default();
    let mut todo = VecDeque::from([value]);
    while let Some(value) = todo.pop_front() {
        if stood.len() > MOST_SLOTS {
            break;
        }
        let mut look = |slots: &'a [Slot<'a>]| {
            for slot in slots {
                stood.entry(slot_address(slot)).or_insert_with(|| {
                    todo.push_back(slot.get());
                    slot.get()
                });
            }
        };
        match value {
            Value::Ref(slot) => look(std::slice::from_ref(slot)),
            Value::List(list) => look(list.items()),
            Value::Attrs(attrs) if attrs.len() <= LARGEST_COMPARED => {
                look(attrs.flat(arena).own_slots());
            }
            Value::Lambda(_, env) | Value::Thunk(_, env) => {
                let mut next = Some(env);
                while let Some(env) = next
                    && passed.insert(frame_address(env))
                {
                    look(env.items());
                    next = env.up();
                }
            }
            Value::PrimOpApp(_, args) | Value::App(args) => todo.extend(args.items()),
            Value::Element(_, mapping) => {
                todo.push_back(mapping.function);
                match mapping.over {
                    Over::List(list) => todo.push_back(Value::List(list)),
                    Over::Attrs(attrs) => todo.push_back(Value::Attrs(attrs)),
                    Over::Indices => {}
                }
            }
            _ => {}
        }
    }
    stood
}

/// Whether two values can be told apart: one as it stood at an earlier time, the other as it stands now.
struct Comparison<'c, 'a> {
    arena: &'a Arena,
    stood: &'c FxHashMap<usize, Value<'a>>,
    /// Which slot or frame of the one is which of the other, and the other way round. What is assumed here is
    /// compared, now or later.
    pairs: FxHashMap<usize, usize>,
    back: FxHashMap<usize, usize>,
    todo: Vec<(Value<'a>, Value<'a>)>,
}

/// What is known of two slots or frames.
enum Known {
    /// They were compared, or will be.
    Paired,
    /// They are to be compared.
    New,
    /// One of them is paired with another one.
    Apart,
}

impl<'c, 'a> Comparison<'c, 'a> {
    fn new(arena: &'a Arena, stood: &'c FxHashMap<usize, Value<'a>>) -> Self {
        let (pairs, back) = (FxHashMap::default(), FxHashMap::default());
        Self { arena, stood, pairs, back, todo: Vec::new() }
    }

    fn holds(mut self, one: Value<'a>, other: Value<'a>) -> bool {
        self.todo.push((one, other));
        while let Some((one, other)) = self.todo.pop() {
            if self.pairs.len() > MOST_SLOTS || !self.values(one, other) {
                return false;
            }
        }
        true
    }

    fn values(&mut self, one: Value<'a>, other: Value<'a>) -> bool {
        match (one, other) {
            (Value::Ref(one), Value::Ref(other)) => self.slot(one, other),
            // What was looked for says nothing of what there is.
            (Value::Null, Value::Null) | (Value::Found(_), Value::Found(_)) => true,
            (Value::Bool(one), Value::Bool(other)) => one == other,
            (Value::Int(one), Value::Int(other)) => one == other,
            (Value::Float(one), Value::Float(other)) => one.to_bits() == other.to_bits(),
            (Value::Str(c, one), Value::Str(d, other)) => c == d && one.items() == other.items(),
            (Value::Path(one), Value::Path(other)) => one.items() == other.items(),
            (Value::List(one), Value::List(other)) => {
                one.is_same(other) || self.slots(one.items(), other.items())
            }
            (Value::Attrs(one), Value::Attrs(other)) => one.is_same(other) || self.sets(one, other),
            (Value::Lambda(f, one), Value::Lambda(g, other)) => f == g && self.frames(one, other),
            (Value::Thunk(n, one), Value::Thunk(m, other)) => n == m && self.frames(one, other),
            (Value::PrimOp(one), Value::PrimOp(other)) => one == other,
            (Value::PrimOpApp(f, one), Value::PrimOpApp(g, other)) => {
                f == g && self.args(one, other)
            }
            (Value::App(one), Value::App(other)) => self.args(one, other),
            (Value::Element(at, one), Value::Element(other_at, other)) => {
                at == other_at && self.mappings(one, other)
            }
            _ => false,
        }
    }

    fn slot(&mut self, one: &'a Slot<'a>, other: &'a Slot<'a>) -> bool {
        match self.pair(slot_address(one), slot_address(other)) {
            Known::Apart => false,
            Known::Paired => true,
            Known::New if ptr::eq(one, other) => true,
            Known::New => match self.stood.get(&slot_address(one)) {
                // Where an evaluation is going on, nothing is known.
                None | Some(Value::Blackhole) => false,
                Some(stood) => {
                    self.todo.push((*stood, other.get()));
                    true
                }
            },
        }
    }

    fn slots(&mut self, one: &'a [Slot<'a>], other: &'a [Slot<'a>]) -> bool {
        one.len() == other.len() && one.iter().zip(other).all(|(one, other)| self.slot(one, other))
    }

    fn sets(&mut self, one: Attrs<'a>, other: Attrs<'a>) -> bool {
        if one.len() != other.len() || one.len() > LARGEST_COMPARED {
            return false;
        }
        let (one, other) = (one.flat(self.arena), other.flat(self.arena));
        let (shape, other_shape) = (one.own_shape(), other.own_shape());
        let placed = |at| shape.position(at) == other_shape.position(at);
        let alike = ptr::eq(shape, other_shape)
            || (shape.names() == other_shape.names() && (0..one.len()).all(placed));
        alike && self.slots(one.own_slots(), other.own_slots())
    }

    /// All variables around a function or an expression, needed or not.
    fn frames(&mut self, one: Env<'a>, other: Env<'a>) -> bool {
        let (mut one, mut other) = (one, other);
        loop {
            match self.pair(frame_address(one), frame_address(other)) {
                Known::Apart => return false,
                Known::Paired => return true,
                Known::New if frame_address(one) == frame_address(other) => return true,
                Known::New => {}
            }
            if !self.slots(one.items(), other.items()) {
                return false;
            }
            (one, other) = match (one.up(), other.up()) {
                (None, None) => return true,
                (Some(one), Some(other)) => (one, other),
                _ => return false,
            };
        }
    }

    fn args(&mut self, one: Args<'a>, other: Args<'a>) -> bool {
        self.todo.extend(one.items().iter().copied().zip(other.items().iter().copied()));
        one.len() == other.len()
    }

    fn mappings(&mut self, one: &'a Mapping<'a>, other: &'a Mapping<'a>) -> bool {
        self.todo.push((one.function, other.function));
        let over = match (one.over, other.over) {
            (Over::Indices, Over::Indices) => return true,
            (Over::List(one), Over::List(other)) => (Value::List(one), Value::List(other)),
            (Over::Attrs(one), Over::Attrs(other)) => (Value::Attrs(one), Value::Attrs(other)),
            _ => return false,
        };
        self.todo.push(over);
        true
    }

    fn pair(&mut self, one: usize, other: usize) -> Known {
        match (self.pairs.insert(one, other), self.back.insert(other, one)) {
            (None, None) => Known::New,
            (Some(was), Some(back)) if was == other && back == one => Known::Paired,
            _ => Known::Apart,
        }
    }
}

fn slot_address(slot: &Slot<'_>) -> usize {
    ptr::from_ref(slot).addr()
}

/// Odd, so that it is no slot's: a frame begins with one.
fn frame_address(env: Env<'_>) -> usize {
    env.items().as_ptr().addr() + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::io::MemoryIo;
    use crate::eval::position::Origin;
    use crate::eval::settings::Settings;

    /// A set that is large enough, and says when a part of it is evaluated.
    const SET: &str = "argument: builtins.listToAttrs (builtins.genList (n: { name = \"n${toString n}\"; \
                       value = n; }) 1000) // { inherit argument; dear = builtins.trace \"made\" argument.x; }";

    /// What comes out with and without sharing, and how often the dear part was evaluated with it.
    fn made(text: &str) -> usize {
        let run = |share_sets| {
            let (arena, io) = (Arena::new(), MemoryIo::new().file("/set.nix", SET));
            let mut eval = Eval::new(&arena, &io, Settings { share_sets, ..Settings::default() });
            let text = format!(
                "let set = argument: import /set.nix argument; inherit (builtins) seq; {text}"
            );
            let value = eval.eval_string(text.as_bytes(), b"/", Origin::String).unwrap();
            let value = eval.force_deep(value, Pos::NONE).unwrap();
            (eval.describe(value), io.messages().len())
        };
        let (plain, all) = run(false);
        let (shared, made) = run(true);
        assert_eq!(plain, shared, "{text}");
        assert_eq!(all, 2, "{text}");
        made
    }

    /// The sum of the dear parts of two sets, made by `arg` from these arguments.
    fn two(arg: &str, one: &str, other: &str) -> usize {
        made(&format!(
            "arg = {arg}; one = arg {one}; other = arg {other}; \
             in seq one (seq other ((set one).dear + (set other).dear))"
        ))
    }

    #[test]
    fn arguments_that_cannot_be_told_apart_give_one_set() {
        assert_eq!(two("n: { x = 1; }", "1", "1"), 1);
        assert_eq!(two("n: { x = n; s = \"a${toString n}\"; l = [ n { } ]; }", "1", "1"), 1);
        assert_eq!(two("n: { x = 1; f = y: n + y; never = throw \"no\"; }", "1", "1"), 1);
        assert_eq!(two("n: let a = { x = 1; b = a; }; in a", "1", "1"), 1);
        assert_eq!(
            two("n: { x = 1; l = map (y: y + n) [ 1 2 ]; p = builtins.add n; }", "1", "1"),
            1
        );
        assert_eq!(two("n: { x = 1; } // { y = n; }", "1", "1"), 1);
    }

    #[test]
    fn what_was_looked_for_in_a_with_makes_no_difference() {
        let arg = "n: with { v = n; w = 2; }; seq w { x = 1; f = y: v + y; }";
        assert_eq!(
            made(&format!(
                "arg = {arg}; one = arg 1; other = arg 1; \
                 in seq one (seq other (seq (one.f 1) ((set one).dear + (set other).dear)))"
            )),
            1
        );
    }

    #[test]
    fn arguments_that_differ_somewhere_give_two() {
        assert_eq!(two("n: { x = n; }", "1", "2"), 2);
        assert_eq!(two("n: { x = 1; never = throw n; }", "\"a\"", "\"b\""), 2);
        assert_eq!(two("n: { x = 1; f = y: n; }", "1", "2"), 2);
        assert_eq!(two("n: { x = 1; l = map (y: y + n) [ 1 2 ]; }", "1", "2"), 2);
        assert_eq!(two("n: { x = 1; p = builtins.add n; }", "1", "2"), 2);
        assert_eq!(two("n: let a = { x = 1; b = a; inherit n; }; in a", "1", "2"), 2);
        assert_eq!(made("in (set { x = 1; f = y: y; }).dear + (set { x = 1; f = y: y; }).dear"), 2);
        // Not evaluated, and not the same code.
        assert_eq!(made("arg = n: { x = n; }; in (set (arg 1)).dear + (set (arg 1)).dear"), 2);
        // Attributes that stand elsewhere.
        assert_eq!(made("in (set { x = 1; }).dear + (set { x = 1; }).dear"), 2);
        // Where an argument leads to more than can be looked at.
        let many = "n: { x = 1; l = builtins.genList (y: y + n) 50000; }";
        assert_eq!(
            made(&format!(
                "arg = {many}; one = arg 1; other = arg 1; in seq one.l (seq other.l ((set one).dear + (set other).dear))"
            )),
            2
        );
    }

    #[test]
    fn one_function_in_two_places_is_not_two_functions() {
        let arg = "twice: let f = g 1; h = g 1; g = n: y: n; l = if twice then [ f f ] else [ f h ]; \
                   in seq f (seq h (seq l { x = 1; inherit l; }))";
        let equal =
            "let l = (set (arg false)).argument.l; in builtins.elemAt l 0 == builtins.elemAt l 1";
        let both = format!(
            "arg = {arg}; one = set (arg true); in seq one.dear (if {equal} then one.dear else (set (arg false)).dear)"
        );
        assert_eq!(made(&both), 2);
    }

    #[test]
    fn what_fails_fails_again() {
        let (arena, io) = (Arena::new(), MemoryIo::new().file("/set.nix", "{ x }: throw x"));
        let settings = Settings { share_sets: true, ..Settings::default() };
        let mut eval = Eval::new(&arena, &io, settings);
        for text in ["import /set.nix { x = \"a\"; }", "import /set.nix { }", "import /set.nix 1"] {
            let first = eval.eval_string(text.as_bytes(), b"/", Origin::String).unwrap_err();
            let again = eval.eval_string(text.as_bytes(), b"/", Origin::String).unwrap_err();
            assert_eq!(first.to_string(), again.to_string());
        }
    }
}
