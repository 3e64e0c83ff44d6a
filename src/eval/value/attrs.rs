//! Attribute sets. The names of a set and where they were defined are its [`Shape`], which all sets of
//! one literal share; the set itself is a run of slots in the shape's order.
//!
//! `//` with a small right side copies nothing: the result is a layer over the left side. A layer is
//! made flat when it is gone through for the first time, and remembers that.

mod guess;

use std::cell::Cell;
use std::cmp::Ordering;
use std::ptr;

use super::{Slot, Value, share};
use crate::eval::arena::{Arena, Block, Link, Linked};
use crate::eval::position::Pos;
use crate::syntax::{Symbol, Symbols};

/// Items of a shape, by a pointer of 8 bytes.
type Run<'a, T> = Block<'a, (), T>;

/// Names and places of the attributes of a set, sorted by symbol.
#[derive(Debug)]
pub struct Shape<'a> {
    names: &'a [Symbol],
    /// Where each was defined; empty where none has a place.
    positions: Run<'a, Pos>,
    /// The attributes in the order of their names' bytes, once somebody wanted it.
    order: Cell<Option<Run<'a, u32>>>,
    /// Is it of a literal, or of literals that were merged, so that many sets will have it? It is then in
    /// the part of the arena that is kept, as is all that it remembers.
    common: bool,
    /// What `//` with other common shapes has given.
    merged: Cell<Option<&'a Merged<'a>>>,
    /// The same without positions, once somebody wanted it.
    bare: Cell<Option<&'a Self>>,
}

/// An entry of what a shape remembers of `//`.
#[derive(Debug)]
struct Merged<'a> {
    over: &'a Shape<'a>,
    result: &'a Shape<'a>,
    next: Option<&'a Self>,
}

impl<'a> Shape<'a> {
    /// The shape of a literal, to be made within [`Arena::keeping`]. The arguments are those of
    /// [`Shape::new`].
    pub fn common(arena: &'a Arena, names: &[Symbol], positions: &[Pos]) -> &'a Self {
        Self::make(arena, names, positions, true)
    }

    /// A shape in `arena`. `names` are sorted by symbol, without duplicates; `positions` are as many, or
    /// none at all.
    pub fn new(arena: &'a Arena, names: &[Symbol], positions: &[Pos]) -> &'a Self {
        Self::make(arena, names, positions, false)
    }

    fn make(arena: &'a Arena, names: &[Symbol], positions: &[Pos], common: bool) -> &'a Self {
        debug_assert!(names.is_sorted_by(|a, b| a < b), "names are sorted and unique");
        debug_assert!(positions.is_empty() || positions.len() == names.len());
        // Names come right before the shape, since who looks at one looks at the others.
        let positions = arena.copy((), positions);
        let names = arena.copy((), names).items();
        arena.alloc(Self {
            names,
            positions,
            order: Cell::new(None),
            common,
            merged: Cell::new(None),
            bare: Cell::new(None),
        })
    }

    /// The shape that `//` of two common shapes gives, if it is known.
    fn merged_with(&self, over: &'a Self) -> Option<&'a Self> {
        let mut entry = self.merged.get();
        while let Some(merged) = entry {
            if ptr::eq(merged.over, over) {
                return Some(merged.result);
            }
            entry = merged.next;
        }
        None
    }

    /// The same names, defined nowhere, as `mapAttrs` gives.
    pub fn without_positions(&'a self, arena: &'a Arena) -> &'a Self {
        if self.positions.is_empty() {
            return self;
        }
        if let Some(bare) = self.bare.get() {
            return bare;
        }
        let make = || {
            arena.alloc(Self {
                names: self.names,
                positions: arena.copy((), &[]),
                order: self.order.clone(),
                common: self.common,
                merged: Cell::new(None),
                bare: Cell::new(None),
            })
        };
        if !self.common {
            return make();
        }
        let bare = arena.keeping(make);
        self.bare.set(Some(bare));
        bare
    }

    /// The names, sorted by symbol.
    #[inline]
    #[must_use]
    pub fn names(&self) -> &'a [Symbol] {
        self.names
    }

    /// Where the attribute at `index` was defined.
    #[must_use]
    pub fn position(&self, index: usize) -> Pos {
        self.positions.items().get(index).copied().unwrap_or(Pos::NONE)
    }

    /// The index of an attribute.
    #[inline]
    #[must_use]
    pub fn find(&self, name: Symbol) -> Option<usize> {
        let names = self.names;
        match names.len() {
            ..=8 => names.iter().position(|&other| other == name),
            9..=16 => names.binary_search(&name).ok(),
            _ => guess::search(names, name),
        }
    }

    /// The indices in the order in which Nix lists names: by their bytes.
    pub fn order(&self, arena: &'a Arena, symbols: &Symbols) -> &'a [u32] {
        if let Some(order) = self.order.get() {
            return order.items();
        }
        let count = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let mut order: Vec<u32> = (0..count).collect();
        order.sort_unstable_by_key(|&index| symbols.name(self.names()[index as usize]));
        let copy = || arena.copy((), &order);
        let order = if self.common {
            arena.keeping(copy)
        } else {
            arena.note_write(self);
            copy()
        };
        self.order.set(Some(order));
        order.items()
    }
}

/// What a layered set has besides its own attributes.
#[derive(Debug)]
struct Layer<'a> {
    /// The shape of the own attributes.
    shape: &'a Shape<'a>,
    /// The set that they lie over.
    below: Attrs<'a>,
    /// Attributes of the whole set.
    len: usize,
    /// How many layers there are below.
    depth: u32,
    flat: Cell<Option<Attrs<'a>>>,
    /// How often somebody has looked for an attribute: see [`Attrs::settled`].
    asked: Cell<usize>,
}

/// Sets up to this size are gone through when several attributes are wanted.
const IN_ORDER: usize = 64;
/// `//` copies sets up to this size at once: a layer would not be smaller.
const SMALL: usize = 8;
/// More layers than this make looking up slow.
const MOST_LAYERS: u32 = 6;

/// Where an attribute was found: the address of a shape that is kept, and the index in it. No address is
/// 0, which is what it begins with; what was found in another shape is only looked at first in the next one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hint {
    shape: usize,
    index: u32,
}

/// A set is made flat once one in so many of its attributes has been looked for.
const ASKED: usize = 8;

/// An attribute set.
#[derive(Debug, Clone, Copy)]
pub struct Attrs<'a>(Linked<'a, Shape<'a>, Layer<'a>, Slot<'a>>);

/// One attribute of a set.
#[derive(Debug, Clone, Copy)]
pub struct Attr<'a> {
    /// Its name.
    pub name: Symbol,
    /// Its value's home.
    pub slot: &'a Slot<'a>,
    /// Where it was defined.
    pub pos: Pos,
}

impl<'a> Attrs<'a> {
    /// A set of this shape; `value` gives the values by the shape's indices.
    #[inline]
    pub fn new(
        arena: &'a Arena,
        shape: &'a Shape<'a>,
        mut value: impl FnMut(usize) -> Value<'a>,
    ) -> Self {
        Self(arena.linked(&Link::One(shape), shape.names.len(), |index| Cell::new(value(index))))
    }

    /// A set of this shape whose values are set afterwards through [`Attrs::own_slots`]; until then they are
    /// blackholes.
    #[inline]
    pub fn unset(arena: &'a Arena, shape: &'a Shape<'a>) -> Self {
        Self::new(arena, shape, |_| Value::Blackhole)
    }

    /// A set of attributes of other sets, sorted by symbol and without duplicates. Their values are shared.
    #[must_use]
    pub fn sharing(arena: &'a Arena, attrs: &[Attr<'a>]) -> Self {
        debug_assert!(attrs.is_sorted_by(|a, b| a.name < b.name), "sorted and unique");
        let positions = if attrs.iter().any(|attr| !attr.pos.is_none()) { attrs } else { &[] };
        let positions = arena.block((), positions.len(), |at| positions[at].pos);
        let shape = arena.alloc(Shape {
            names: arena.block((), attrs.len(), |at| attrs[at].name).items(),
            positions,
            order: Cell::new(None),
            common: false,
            merged: Cell::new(None),
            bare: Cell::new(None),
        });
        Self::new(arena, shape, |at| share(attrs[at].slot))
    }

    /// The shape of the set's own attributes, and what lies below them.
    #[inline]
    fn head(self) -> (&'a Shape<'a>, Option<&'a Layer<'a>>) {
        match self.0.link() {
            Link::One(shape) => (shape, None),
            Link::Other(layer) => (layer.shape, Some(layer)),
        }
    }

    #[inline]
    fn layer(self) -> Option<&'a Layer<'a>> {
        self.head().1
    }

    /// The value of an attribute.
    #[inline]
    #[must_use]
    pub fn get(self, name: Symbol) -> Option<&'a Slot<'a>> {
        let mut set = self.flat_if_known();
        loop {
            let (shape, layer) = set.head();
            if let Some(index) = shape.find(name) {
                return set.0.items().get(index);
            }
            set = layer?.below;
        }
    }

    /// The same set without layers, if it was made flat already.
    #[inline]
    fn flat_if_known(self) -> Self {
        self.layer().and_then(|layer| layer.flat.get()).unwrap_or(self)
    }

    /// As [`Attrs::get`], for a place in a program that mostly meets sets of one shape.
    #[inline]
    #[must_use]
    pub fn get_hinted(self, name: Symbol, hint: &Cell<Hint>) -> Option<&'a Slot<'a>> {
        let set = self.flat_if_known();
        let Link::One(shape) = set.0.link() else { return set.get(name) };
        let Hint { shape: known, index } = hint.get();
        let address = ptr::from_ref(shape).addr();
        // A shape that is not kept may be another one by now, at the same address.
        if address == known || shape.names.get(index as usize) == Some(&name) {
            return set.0.items().get(index as usize);
        }
        let index = shape.find(name)?;
        let shape = if shape.common { address } else { 0 };
        hint.set(Hint { shape, index: u32::try_from(index).unwrap_or(u32::MAX) });
        set.0.items().get(index)
    }

    /// The values of attributes that are asked for in the order of their symbols.
    pub fn in_order(self) -> impl FnMut(Symbol) -> Option<&'a Slot<'a>> {
        let (shape, layer) = self.head();
        let (names, items) = (shape.names(), self.0.items());
        // In a large set, looking each up is quicker than going through all.
        let all = layer.is_none() && names.len() <= IN_ORDER;
        let mut at = 0;
        move |name| {
            if !all {
                return self.get(name);
            }
            while names.get(at).is_some_and(|other| *other < name) {
                at += 1;
            }
            if names.get(at) == Some(&name) { items.get(at) } else { None }
        }
    }

    /// An attribute with its place.
    #[must_use]
    pub fn get_attr(self, name: Symbol) -> Option<Attr<'a>> {
        let mut set = self;
        loop {
            let (shape, layer) = set.head();
            if let Some(index) = shape.find(name) {
                let slot = set.0.items().get(index)?;
                return Some(Attr { name, slot, pos: shape.position(index) });
            }
            set = layer?.below;
        }
    }

    /// Where an attribute was defined.
    #[cold]
    #[must_use]
    pub fn position_of(self, name: Symbol) -> Pos {
        self.get_attr(name).map_or(Pos::NONE, |attr| attr.pos)
    }

    /// How many attributes it has.
    #[must_use]
    pub fn len(self) -> usize {
        self.layer().map_or(self.0.items().len(), |layer| layer.len)
    }

    /// Has it no attribute?
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Is it the very same set?
    #[must_use]
    pub fn is_same(self, other: Self) -> bool {
        self.address() == other.address()
    }

    /// Where the set is, as a number that tells it from all others.
    #[must_use]
    pub fn address(self) -> usize {
        self.0.address()
    }

    /// The shape of the set's own attributes: of all, if it is flat.
    #[inline]
    #[must_use]
    pub fn own_shape(self) -> &'a Shape<'a> {
        self.head().0
    }

    /// The slots of the set's own attributes, in the order of its own shape.
    #[inline]
    #[must_use]
    pub fn own_slots(self) -> &'a [Slot<'a>] {
        self.0.items()
    }

    /// The same set without layers. Where it has some, it is copied once and the copy kept.
    #[must_use]
    pub fn flat(self, arena: &'a Arena) -> Self {
        let Some(layer) = self.layer() else { return self };
        if let Some(flat) = layer.flat.get() {
            return flat;
        }
        // The layers are merged first: only the last merge copies what is below all of them.
        let (mut over, mut below) = (self, layer.below);
        while let Some(layer) = below.layer() {
            if let Some(flat) = layer.flat.get() {
                below = flat;
                break;
            }
            over = merge(arena, below, over);
            below = layer.below;
        }
        let flat = merge(arena, below, over);
        layer.flat.set(Some(flat));
        arena.note_write(layer);
        flat
    }

    /// The set as it is best looked into: without layers, once so many attributes have been looked for that
    /// copying them all has paid.
    #[must_use]
    pub fn settled(self, arena: &'a Arena) -> Self {
        let Some(layer) = self.layer() else { return self };
        let asked = layer.asked.get() + 1;
        layer.asked.set(asked);
        if layer.flat.get().is_some() || asked > layer.len / ASKED {
            self.flat(arena)
        } else {
            self
        }
    }

    /// All attributes, by symbol.
    pub fn iter(self, arena: &'a Arena) -> impl ExactSizeIterator<Item = Attr<'a>> + 'a {
        let set = self.flat(arena);
        let shape = set.own_shape();
        let names = shape.names().iter().zip(set.own_slots()).enumerate();
        names.map(|(at, (&name, slot))| Attr { name, slot, pos: shape.position(at) })
    }

    /// All attributes, in the order of their names' bytes.
    pub fn sorted(
        self,
        arena: &'a Arena,
        symbols: &Symbols,
    ) -> impl ExactSizeIterator<Item = Attr<'a>> + use<'a> {
        let set = self.flat(arena);
        let (shape, items) = (set.own_shape(), set.own_slots());
        shape.order(arena, symbols).iter().map(move |&index| {
            let index = index as usize;
            Attr { name: shape.names()[index], slot: &items[index], pos: shape.position(index) }
        })
    }

    /// `self // over`
    #[must_use]
    pub fn update(self, arena: &'a Arena, over: Self) -> Self {
        if over.is_empty() {
            return self;
        }
        if self.is_empty() {
            return over;
        }
        let depth = self.layer().map_or(0, |layer| layer.depth);
        let over = over.flat(arena);
        if self.len() <= SMALL || over.len() * 2 > self.len() {
            return merge(arena, self.flat(arena), over);
        }
        let (below, depth) =
            if depth < MOST_LAYERS { (self, depth + 1) } else { (self.flat(arena), 1) };
        let names = over.own_shape().names();
        let fresh = names.iter().filter(|&&name| below.get(name).is_none()).count();
        let len = below.len() + fresh;
        let layer = Layer {
            shape: over.own_shape(),
            below,
            len,
            depth,
            flat: Cell::new(None),
            asked: Cell::new(0),
        };
        let slots = over.own_slots();
        let share = |index: usize| Cell::new(share(&slots[index]));
        Self(arena.linked(&Link::Other(arena.alloc(layer)), slots.len(), share))
    }
}

/// A flat set with the own attributes of `below` and of `over`, which win.
fn merge<'a>(arena: &'a Arena, below: Attrs<'a>, over: Attrs<'a>) -> Attrs<'a> {
    let (left, right) = (below.own_shape(), over.own_shape());
    let shape = merged_shape(arena, left, right);
    let (left_slots, right_slots) = (below.own_slots(), over.own_slots());
    let (mut l, mut r) = (0, 0);
    Attrs::new(arena, shape, |index| {
        let name = shape.names()[index];
        let from_left = left.names().get(l) == Some(&name);
        l += usize::from(from_left);
        if right.names().get(r) == Some(&name) {
            r += 1;
            share(&right_slots[r - 1])
        } else {
            share(&left_slots[l - 1])
        }
    })
}

/// The shape of `below // over`.
fn merged_shape<'a>(arena: &'a Arena, below: &'a Shape<'a>, over: &'a Shape<'a>) -> &'a Shape<'a> {
    let common = below.common && over.common;
    if common && let Some(known) = below.merged_with(over) {
        return known;
    }
    let room = below.names.len() + over.names.len();
    let mut names = Vec::with_capacity(room);
    let mut positions = Vec::with_capacity(room);
    let (mut l, mut r) = (0, 0);
    loop {
        let order = match (below.names().get(l), over.names().get(r)) {
            (Some(a), Some(b)) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => break,
        };
        if order == Ordering::Less {
            names.push(below.names()[l]);
            positions.push(below.position(l));
        } else {
            names.push(over.names()[r]);
            positions.push(over.position(r));
            r += 1;
        }
        l += usize::from(order != Ordering::Greater);
    }
    if names.len() == over.names.len() {
        return over;
    }
    if positions.iter().all(|pos| pos.is_none()) {
        positions.clear();
    }
    if names.len() == below.names.len() && positions == below.positions.items() {
        return below;
    }
    if !common {
        return Shape::new(arena, &names, &positions);
    }
    arena.keeping(|| {
        let result = Shape::common(arena, &names, &positions);
        let entry = Merged { over, result, next: below.merged.get() };
        below.merged.set(Some(arena.alloc(entry)));
        result
    })
}

/// Collects the attributes of a set in any order.
#[derive(Debug, Default)]
pub struct AttrsBuilder<'a> {
    attrs: Vec<(Symbol, Pos, Value<'a>)>,
}

impl<'a> AttrsBuilder<'a> {
    /// A builder with room for `capacity` attributes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { attrs: Vec::with_capacity(capacity) }
    }

    /// Adds an attribute without a place. A name may come twice: the first one counts.
    pub fn add(&mut self, name: Symbol, value: Value<'a>) {
        self.attrs.push((name, Pos::NONE, value));
    }

    /// Adds an attribute that was defined at `pos`.
    pub fn add_at(&mut self, name: Symbol, pos: Pos, value: Value<'a>) {
        self.attrs.push((name, pos, value));
    }

    /// Adds an attribute of another set: its value is shared.
    pub fn add_attr(&mut self, attr: Attr<'a>) {
        self.attrs.push((attr.name, attr.pos, share(attr.slot)));
    }

    /// The set.
    pub fn build(mut self, arena: &'a Arena) -> Attrs<'a> {
        let sorted = self.attrs.is_sorted_by(|a, b| a.0 < b.0);
        if !sorted {
            // Stable, so that of equal names the first stays.
            self.attrs.sort_by_key(|(name, ..)| *name);
            self.attrs.dedup_by_key(|(name, ..)| *name);
        }
        let names: Vec<Symbol> = self.attrs.iter().map(|(name, ..)| *name).collect();
        let placed = self.attrs.iter().any(|(_, pos, _)| *pos != Pos::NONE);
        let positions: Vec<Pos> =
            if placed { self.attrs.iter().map(|(_, pos, _)| *pos).collect() } else { Vec::new() };
        let shape = Shape::new(arena, &names, &positions);
        Attrs::new(arena, shape, |index| self.attrs[index].2)
    }
}

#[cfg(test)]
mod tests;
