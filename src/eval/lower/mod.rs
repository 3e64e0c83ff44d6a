//! From parsed trees to [`Code`]: variables become places in environments, literals become values, and
//! what a program can't rebind becomes a node of its own. One pass, children before parents.
//!
//! The rules are those of C++ Nix: a variable belongs to the innermost scope that binds its name, else to
//! the globals, else to the sets of `with`; where there is no `with` it is undefined, which is an error
//! before anything runs (Nix manual, "Scoping rules" and "With-expressions").

mod constants;
mod expr;
mod function;
mod prefix;
mod scope;
mod sets;
#[cfg(test)]
mod tests;
mod with;

use rustc_hash::FxHashMap;
use with::WithVariables;

use super::arena::Arena;
use super::code::{self, Code, Node, NodeId};
use super::position::{Base, Pos};
use super::settings::Settings;
use super::value::{Attrs, Value};
use crate::syntax::{Ast, ExprId, Symbol, Symbols};
use constants::Constants;
use scope::{Bound, Scopes};

/// How many levels of nesting pass between two looks at the stack that is left, how much stack they may
/// take, and how much is added when it runs out.
const LEVELS: u32 = 32;
const RED_ZONE: usize = 256 * 1024;
const STACK: usize = 4 * 1024 * 1024;

/// How far a suggested name may be from one that is undefined, and how many are suggested.
const MOST_EDITS: usize = 2;
const MOST_SUGGESTIONS: usize = 5;

/// One source to lower.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit<'u, 'a> {
    /// The tree, parsed with the symbols that [`lower`] gets.
    pub ast: &'u Ast,
    /// Where the source begins among all sources.
    pub base: Base,
    /// The folder that relative path literals start from: absolute and canonical.
    pub dir: &'u [u8],
    /// The variables that are visible everywhere. A value may be a reference to a slot.
    pub globals: &'u FxHashMap<Symbol, Value<'a>>,
    /// The set `builtins`.
    pub builtins: Attrs<'a>,
    /// What the evaluation was told.
    pub settings: &'u Settings,
    /// The variables of `scopedImport`, the slots of the outermost frame; they win over the globals.
    pub scope: Option<&'u [Symbol]>,
}

/// Why a source can't be lowered.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(super) struct LowerError {
    /// Byte offset of the place.
    pub offset: u32,
    /// What is wrong, in C++ Nix's words.
    pub message: String,
    /// Names that may have been meant, the nearest first.
    pub suggestions: Vec<String>,
}

/// Tables for lowering that are used again for each source. They belong to one [`Code`] and one set of
/// globals, and remember the constants that these have given.
#[derive(Debug)]
pub(super) struct Lowering {
    scopes: Scopes,
    constants: Constants,
    known: Known,
    /// What the `inherit (set)`s of the sets around have become.
    sources: Vec<NodeId>,
    /// Names and places of one shape.
    names: Vec<Symbol>,
    positions: Vec<Pos>,
}

impl Lowering {
    /// Tables for the sources that are parsed with `symbols`.
    #[must_use]
    pub(super) fn new(symbols: &mut Symbols) -> Self {
        Self {
            scopes: Scopes::default(),
            constants: Constants::default(),
            known: Known::new(symbols),
            sources: Vec::new(),
            names: Vec::new(),
            positions: Vec::new(),
        }
    }
}

/// Names with a meaning of their own.
#[derive(Debug, Clone, Copy)]
struct Known {
    builtins: Symbol,
    overrides: Symbol,
}

impl Known {
    fn new(symbols: &mut Symbols) -> Self {
        let mut intern = |name: &str| symbols.intern(name.as_bytes());
        Self { builtins: intern("builtins"), overrides: intern("__overrides") }
    }
}

/// Adds the code of `unit` to `code`, and gives its root.
///
/// The code is to run in an environment of one frame, which holds the variables of [`Unit::scope`], or
/// nothing. An error leaves dead nodes behind in `code`, but both `code` and `lowering` stay usable.
pub(super) fn lower<'a>(
    lowering: &mut Lowering,
    unit: &Unit<'_, 'a>,
    symbols: &Symbols,
    arena: &'a Arena,
    code: &mut Code<'a>,
) -> Result<NodeId, LowerError> {
    let Some(root) = unit.ast.root() else {
        let message = "the source has not been parsed".to_owned();
        return Err(LowerError { offset: 0, message, suggestions: Vec::new() });
    };
    if code.nodes.len() + unit.ast.len() > NodeId::MOST {
        let message =
            "the sources of this evaluation have too many expressions together".to_owned();
        return Err(LowerError { offset: 0, message, suggestions: Vec::new() });
    }
    lowering.scopes.grow(symbols.len());
    lowering.sources.clear();
    for (&name, slot) in unit.scope.unwrap_or_default().iter().zip(0..) {
        lowering.scopes.bind(name, Bound::slot(0, slot));
    }
    code.nodes.reserve(unit.ast.len());
    code.positions.reserve(unit.ast.len());
    let mut lowerer = Lowerer {
        unit,
        ast: unit.ast,
        symbols,
        arena,
        code,
        tables: lowering,
        depth: 0,
        slots: 0,
        with: None,
        with_variables: WithVariables::default(),
        nesting: 0,
        error: None,
    };
    let root = lowerer.expr(root).ok();
    let error = lowerer.error;
    lowering.scopes.leave(0);
    root.ok_or_else(|| error.unwrap_or_default())
}

/// What lowering a part gives.
type Lowered<T> = Result<T, Failed>;

/// That a part can't be lowered; why is in [`Lowerer::error`]. A result with it fits a register.
struct Failed;

/// The lowering of one source.
struct Lowerer<'l, 'u, 'a> {
    unit: &'l Unit<'u, 'a>,
    ast: &'u Ast,
    symbols: &'l Symbols,
    arena: &'a Arena,
    code: &'l mut Code<'a>,
    tables: &'l mut Lowering,
    /// The frames around the current expression, without the outermost.
    depth: u32,
    /// The slots of the innermost frame that are taken, while it can still get more.
    slots: u32,
    /// The innermost `with`: the depth of its frame, and its number.
    with: Option<(u32, u32)>,
    /// The variables that were looked for in it, and where its frame remembers them.
    with_variables: WithVariables,
    /// How deep this code calls itself.
    nesting: u32,
    /// What made it fail.
    error: Option<LowerError>,
}

impl Lowerer<'_, '_, '_> {
    /// Goes one level deeper, on more stack where that is needed.
    #[inline]
    fn deeper<T>(&mut self, step: impl FnOnce(&mut Self) -> Lowered<T>) -> Lowered<T> {
        self.nesting += 1;
        let result = if self.nesting.is_multiple_of(LEVELS) {
            stacker::maybe_grow(RED_ZONE, STACK, || step(self))
        } else {
            step(self)
        };
        self.nesting -= 1;
        result
    }

    #[inline]
    fn pos(&self, id: ExprId) -> Pos {
        self.unit.base.at(self.ast.offset(id))
    }

    #[inline]
    fn add(&mut self, pos: Pos, node: Node) -> NodeId {
        let id = NodeId::new(number(self.code.nodes.len()), &node);
        self.code.nodes.push(node);
        self.code.positions.push(pos);
        id
    }

    /// Room for `count` children in a row, to be set afterwards.
    #[inline]
    fn reserve_ids(&mut self, count: usize) -> code::Range {
        let start = self.code.ids.len();
        self.code.ids.resize(start + count, NodeId::default());
        code::Range { start: number(start), len: number(count) }
    }

    #[inline]
    fn set_id(&mut self, range: code::Range, at: usize, id: NodeId) {
        self.code.ids[range.start as usize + at] = id;
    }

    #[cold]
    fn fail(&mut self, offset: u32, message: String, suggestions: Vec<String>) -> Failed {
        self.error = Some(LowerError { offset, message, suggestions });
        Failed
    }

    #[cold]
    fn undefined(&mut self, name: Symbol, offset: u32) -> Failed {
        let text = self.symbols.text(name);
        let in_scope = self.tables.scopes.names();
        let mut near: Vec<(usize, String)> = in_scope
            .chain(self.unit.globals.keys().copied())
            .map(|other| self.symbols.text(other))
            .map(|other| (strsim::damerau_levenshtein(&text, &other), other.into_owned()))
            .filter(|(edits, _)| *edits <= MOST_EDITS && *edits < text.chars().count())
            .collect();
        near.sort_unstable();
        near.dedup();
        near.truncate(MOST_SUGGESTIONS);
        let suggestions = near.into_iter().map(|(_, name)| name).collect();
        self.fail(offset, format!("undefined variable '{text}'"), suggestions)
    }
}

/// The number of an entry. All sources of an evaluation together have less than 4 GiB, and no side
/// array has more entries than its sources have bytes.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "as said above")]
fn number(index: usize) -> u32 {
    index as u32
}
