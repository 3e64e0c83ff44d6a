//! Which variable a name means: a table with the innermost binding of each name, by the number of its
//! symbol, and what was in the table before, so that leaving a scope restores it.

use crate::syntax::Symbol;

/// What a name is bound to, in eight bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bound {
    /// The frame, counted from the outermost; [`FREE`] where no scope binds the name.
    depth: u32,
    /// Slot or index, with [`ATTR`] for the latter; of a free name the number of a constant, or one of
    /// the two values below.
    place: u32,
}

const FREE: u32 = u32::MAX;
const ATTR: u32 = 1 << 31;
/// Nobody has looked yet whether the free name is a global.
const UNKNOWN: u32 = u32::MAX;
const NO_GLOBAL: u32 = u32::MAX - 1;

/// What a name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A slot of the frame at this depth.
    Slot { depth: u32, slot: u32 },
    /// An attribute of the recursive set whose frame is at this depth.
    Attr { depth: u32, index: u32 },
    /// A global, by the number of its constant.
    Global(u32),
    /// None of these: only `with` can define it.
    Nothing,
    /// No scope binds it, and nobody has looked yet whether it is a global.
    Unknown,
}

impl Bound {
    const UNKNOWN: Self = Self { depth: FREE, place: UNKNOWN };

    /// The binding to a slot of the frame at `depth`.
    pub(super) fn slot(depth: u32, slot: u32) -> Self {
        Self { depth, place: slot }
    }

    /// The binding to an attribute of the recursive set whose frame is at `depth`.
    pub(super) fn attr(depth: u32, index: u32) -> Self {
        Self { depth, place: index | ATTR }
    }

    /// What is known of a free name: the constant that it is as a global, if it is one.
    pub(super) fn global(constant: Option<u32>) -> Self {
        Self { depth: FREE, place: constant.unwrap_or(NO_GLOBAL) }
    }

    #[inline]
    pub(super) fn meaning(self) -> Meaning {
        let Self { depth, place } = self;
        match (depth, place) {
            (FREE, UNKNOWN) => Meaning::Unknown,
            (FREE, NO_GLOBAL) => Meaning::Nothing,
            (FREE, constant) => Meaning::Global(constant),
            _ if place & ATTR == 0 => Meaning::Slot { depth, slot: place },
            _ => Meaning::Attr { depth, index: place & !ATTR },
        }
    }
}

/// The scopes around the expression that is being lowered.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    /// The innermost binding of each symbol.
    bound: Vec<Bound>,
    /// What each binding has replaced, the latest last.
    replaced: Vec<(Symbol, Bound)>,
}

impl Scopes {
    /// Makes room for symbols below `count`.
    pub(super) fn grow(&mut self, count: usize) {
        if self.bound.len() < count {
            self.bound.resize(count, Bound::UNKNOWN);
        }
    }

    /// A point to which [`Scopes::leave`] can go back.
    #[inline]
    pub(super) fn mark(&self) -> usize {
        self.replaced.len()
    }

    #[inline]
    pub(super) fn bind(&mut self, name: Symbol, bound: Bound) {
        let place = &mut self.bound[name.index()];
        self.replaced.push((name, *place));
        *place = bound;
    }

    /// Forgets all bindings since `mark`.
    #[inline]
    pub(super) fn leave(&mut self, mark: usize) {
        // Backwards: of two bindings of one name the earlier one knows what was before both.
        while self.replaced.len() > mark
            && let Some((name, bound)) = self.replaced.pop()
        {
            self.bound[name.index()] = bound;
        }
    }

    #[inline]
    pub(super) fn get(&self, name: Symbol) -> Bound {
        self.bound[name.index()]
    }

    /// What the name of the binding number `nth` since `mark` meant before it.
    #[inline]
    pub(super) fn before(&self, mark: usize, nth: usize) -> Option<Bound> {
        self.replaced.get(mark + nth).map(|(_, bound)| *bound)
    }

    /// Remembers of a free name whether it is a global.
    pub(super) fn remember(&mut self, name: Symbol, bound: Bound) {
        let place = &mut self.bound[name.index()];
        if *place == Bound::UNKNOWN {
            *place = bound;
        }
    }

    /// All names that a scope binds; some more than once.
    pub(super) fn names(&self) -> impl Iterator<Item = Symbol> {
        self.replaced.iter().map(|(name, _)| *name)
    }
}
