//! The evaluator: the Nix language as C++ Nix 2.34 evaluates it.
//!
//! A parsed tree is lowered to [`code`] with resolved variables; `run` walks that code. Values are made in
//! an [`arena::Arena`] and never freed before it. The outside is seen through [`io::EvalIo`] only.

mod ahead;
pub mod arena;
mod assertion;
mod builtins;
mod call;
pub mod closure;
pub mod code;
mod coerce;
mod compare;
pub mod derivations;
mod digests;
pub mod error;
mod failures;
mod force;
mod import;
pub mod io;
mod known;
mod literals;
mod lower;
mod memo;
mod operators;
pub(crate) mod pick;
pub mod position;
pub mod print;
mod realise;
mod reclaim;
mod remarks;
pub mod report;
mod run;
mod seen;
mod select;
pub mod settings;
pub mod store_state;
pub mod text;
pub mod thread;
pub mod value;

use std::cell::OnceCell;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::store::{StoreDir, VariableName};
use crate::syntax::{Symbol, Symbols};
use ahead::Ahead;
use arena::Arena;
pub use builtins::GetFlake;
use builtins::{Patterns, PrimOp};
use call::CallFrame;
use code::Code;
pub use coerce::Coercion;
use digests::Digests;
use error::Error;
use failures::Failures;
use import::Imports;
use io::{EvalIo, Fetch};
pub use known::Known;
use lower::Lowering;
use memo::Memo;
use position::Sources;
use settings::Settings;
use store_state::StoreState;
use value::{Attrs, Bytes, Context, Contexts, Env, List, PrimOpId, Slot, Value};

/// One evaluation: all sources that it read, and all values that it made.
///
/// It recurses as deeply as the program does, up to `max-call-depth` calls: give it a thread with a stack
/// of [`STACK_SIZE`]. On a smaller one it says earlier that the stack has overflowed.
pub struct Eval<'a> {
    /// Where values are made.
    pub arena: &'a Arena,
    /// The outside.
    pub io: &'a dyn EvalIo,
    /// What the caller wants.
    pub settings: Settings,
    /// All names.
    pub symbols: Symbols,
    /// All string contexts.
    pub contexts: Contexts,
    /// All sources.
    pub sources: Sources,
    /// What was put into the store, or would have been.
    pub store: StoreState,
    /// Names with a meaning.
    pub known: Known,
    /// Whoever knows flakes: `builtins.getFlake`.
    pub flakes: Option<&'a dyn GetFlake>,
    code: Code<'a>,
    lowering: Lowering,
    primops: Vec<&'static PrimOp>,
    globals: FxHashMap<Symbol, Value<'a>>,
    builtins: Attrs<'a>,
    imports: Imports<'a>,
    /// Who parses files before they are imported, once there was one.
    ahead: OnceCell<Option<Ahead>>,
    memo: Memo<'a>,
    digests: Digests,
    patterns: Patterns,
    /// What was fetched: the answers as they came, since values may be taken back.
    fetched: FxHashMap<Fetch, Rc<[u8]>>,
    /// The calls that are going on.
    calls: Vec<CallFrame>,
    /// What can't be evaluated, and why.
    failures: Failures,
    /// The same of an argument that a builtin is run with to say so.
    failed: Option<(&'a Slot<'a>, Error)>,
    /// Calls so far, more or less.
    ticks: u32,
    /// The lowest address that the stack may reach.
    stack_end: usize,
    /// Names as strings, by symbol.
    names: Vec<Option<Bytes<'a>>>,
    /// Names as those of derivations' variables.
    variable_names: FxHashMap<Symbol, VariableName>,
    no_variables: Env<'a>,
    empty_list: List<'a>,
    empty_attrs: Attrs<'a>,
    empty_string: Bytes<'a>,
    /// The strings of one byte.
    letters: [Bytes<'a>; 256],
}

/// References to flakes and inputs: as text, as URLs, as attributes.
pub(crate) mod references {
    pub(crate) use super::builtins::flake_refs::{Reference, take_apart, to_text, url_attrs};
    pub(crate) use super::builtins::inputs::{
        Input, InputAttr, InputAttrs, InputError, Scheme, is_flake_id,
    };
    pub(crate) use super::builtins::{TreeFacts, set_text, tree_attrs};
}

/// The stack that calls up to the usual `max-call-depth` need at most, in bytes. Only what is used
/// takes memory.
pub const STACK_SIZE: usize = 1 << 30;

/// What is left free of a stack for work that does not look at it: printing, hashing, parsing.
const STACK_RESERVE: usize = 256 * 1024;

impl<'a> Eval<'a> {
    /// A fresh evaluation, for use on the thread that makes it.
    #[must_use]
    pub fn new(arena: &'a Arena, io: &'a dyn EvalIo, settings: Settings) -> Self {
        let mut symbols = Symbols::new();
        let known = Known::new(&mut symbols);
        let lowering = Lowering::new(&mut symbols);
        let empty_attrs = value::AttrsBuilder::default().build(arena);
        let left = stacker::remaining_stack().unwrap_or(1 << 20);
        let here = 0u8;
        let stack_end = (&raw const here).addr().saturating_sub(left) + STACK_RESERVE;
        let mut eval = Self {
            arena,
            io,
            calls: Vec::with_capacity(settings.max_call_depth.min(1 << 20) + 1),
            symbols,
            contexts: Contexts::default(),
            sources: Sources::default(),
            store: StoreState::new(StoreDir::new(&settings.store_dir).unwrap_or_default()),
            settings,
            known,
            flakes: None,
            code: Code::default(),
            lowering,
            primops: Vec::new(),
            globals: FxHashMap::default(),
            builtins: empty_attrs,
            imports: Imports::default(),
            ahead: OnceCell::new(),
            memo: Memo::default(),
            digests: Digests::default(),
            failures: Failures::default(),
            failed: None,
            ticks: 0,
            patterns: Patterns::default(),
            fetched: FxHashMap::default(),
            stack_end,
            names: Vec::new(),
            variable_names: FxHashMap::default(),
            no_variables: arena.frame(None, 0, |_| Value::Null.into()),
            empty_list: arena.block((), 0, |_| Value::Null.into()),
            empty_attrs,
            empty_string: arena.copy((), &[]),
            letters: std::array::from_fn(|byte| arena.copy((), &byte.to_le_bytes()[..1])),
        };
        builtins::install(&mut eval);
        if eval.settings.share_sets {
            eval.memo = Memo::of(&eval.primops);
        }
        eval
    }

    /// A string without context.
    #[must_use]
    pub fn string(&self, bytes: &[u8]) -> Value<'a> {
        self.string_with(bytes, Context::NONE)
    }

    /// A string.
    #[must_use]
    pub fn string_with(&self, bytes: &[u8], context: Context) -> Value<'a> {
        let bytes = match *bytes {
            [] => self.empty_string,
            [byte] => self.letters[usize::from(byte)],
            _ => self.arena.copy((), bytes),
        };
        Value::Str(context, bytes)
    }

    /// A name as bytes that live as long as all values.
    pub fn symbol_bytes(&mut self, name: Symbol) -> Bytes<'a> {
        let index = name.index();
        if index >= self.names.len() {
            self.names.resize(self.symbols.len(), None);
        }
        *self.names[index].get_or_insert_with(|| {
            self.arena.keeping(|| self.arena.copy((), self.symbols.name(name)))
        })
    }

    /// A name as one of a derivation's variable.
    pub(super) fn variable_name(&mut self, name: Symbol) -> VariableName {
        let make = || self.symbols.name(name).into();
        self.variable_names.entry(name).or_insert_with(make).clone()
    }

    /// A name as a string without context.
    pub fn symbol_string(&mut self, name: Symbol) -> Value<'a> {
        Value::Str(Context::NONE, self.symbol_bytes(name))
    }

    /// A list of these elements, each a value or a share of a slot.
    #[must_use]
    pub fn list(&self, elements: &[Value<'a>]) -> Value<'a> {
        if elements.is_empty() {
            return Value::List(self.empty_list);
        }
        Value::List(self.arena.block((), elements.len(), |at| elements[at].into()))
    }

    /// The empty set.
    #[must_use]
    pub fn empty_attrs(&self) -> Attrs<'a> {
        self.empty_attrs
    }

    /// The empty list.
    #[must_use]
    pub fn empty_list(&self) -> List<'a> {
        self.empty_list
    }

    /// The set of all builtins.
    #[must_use]
    pub fn builtins(&self) -> Attrs<'a> {
        self.builtins
    }

    /// The table entry of a builtin.
    #[must_use]
    pub fn primop(&self, id: PrimOpId) -> &'static PrimOp {
        self.primops[usize::from(id.0)]
    }

    /// The function of a closure.
    #[must_use]
    pub fn lambda(&self, id: code::LambdaId) -> &code::Lambda {
        self.code.lambda(id)
    }

    /// The variables of a function's pattern, sorted by symbol; none where it has no pattern.
    #[must_use]
    pub fn formals(&self, id: code::LambdaId) -> &[code::Formal] {
        match &self.code.lambda(id).pattern {
            Some(pattern) => &self.code.formals[pattern.formals.indices()],
            None => &[],
        }
    }
}

impl std::fmt::Debug for Eval<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Eval").field("arena", self.arena).finish_non_exhaustive()
    }
}
