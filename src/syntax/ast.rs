//! The tree: nodes in one array, named by their index, all that has no fixed size in side arrays. A
//! node is 16 bytes; nothing is allocated by itself.

use super::symbol::Symbol;

/// A node of an [`Ast`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ExprId(pub(super) u32);

/// An attribute set of an [`Ast`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttrsId(pub(super) u32);

/// A function of an [`Ast`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LambdaId(pub(super) u32);

/// A run of entries in one of the side arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Range {
    pub(super) start: u32,
    pub(super) len: u32,
}

impl Range {
    /// As indices of the array.
    pub(super) fn indices(self) -> std::ops::Range<usize> {
        self.start as usize..(self.start + self.len) as usize
    }
}

/// A string of the text pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Text {
    pub(super) start: u32,
    pub(super) len: u32,
}

/// One expression.
///
/// As in C++ Nix, `-a`, `a - b`, `a * b`, `a / b` and the four orderings are calls of the
/// variables `__sub`, `__mul`, `__div` and `__lessThan`, which a program may bind itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Expr {
    /// An integer literal.
    Int(i64),
    /// A floating-point literal.
    Float(f64),
    /// A string without interpolation.
    Str(Text),
    /// A path literal as written (`./x`, `/x`, `x/y`), not made absolute.
    Path(Text),
    /// A path below the home directory as written (`~/x`).
    HomePath(Text),
    /// A variable.
    Var(Symbol),
    /// `__curPos`
    CurPos,
    /// `base.path`, or `base.path or default`.
    Select {
        /// What is selected from.
        base: ExprId,
        /// The names: a run of [`Ast::attr_path`].
        path: Range,
    },
    /// `base.path or default`; the `Select` without its default is the first.
    SelectOr {
        /// The [`Expr::Select`].
        select: ExprId,
        /// What counts where the path is missing.
        default: ExprId,
    },
    /// `base ? path`
    HasAttr {
        /// What is looked into.
        base: ExprId,
        /// The names.
        path: Range,
    },
    /// `{ … }` or `rec { … }`
    Attrs(AttrsId),
    /// `[ … ]`
    List(Range),
    /// A function.
    Lambda(LambdaId),
    /// A function with all the arguments that follow it.
    Call {
        /// The function.
        function: ExprId,
        /// The arguments: a run of [`Ast::ids`].
        args: Range,
    },
    /// `let … in body`
    Let {
        /// The bindings; always recursive.
        bindings: AttrsId,
        /// The body.
        body: ExprId,
    },
    /// `with scope; body`
    With {
        /// The set whose attributes become visible.
        scope: ExprId,
        /// The body.
        body: ExprId,
    },
    /// `if condition then … else …`
    If {
        /// The condition.
        condition: ExprId,
        /// The two branches: the first, and the one after it in [`Ast::ids`].
        branches: Range,
    },
    /// `assert condition; body`
    Assert {
        /// The condition.
        condition: ExprId,
        /// The body.
        body: ExprId,
    },
    /// `!a`
    Not(ExprId),
    /// An operator of two operands.
    Binary {
        /// Which.
        op: BinOp,
        /// Both operands, in [`Ast::ids`].
        operands: Range,
    },
    /// A string or path with interpolations, or `a + b`.
    Concat {
        /// The parts, in [`Ast::ids`]; their offsets are those of [`Ast::part_offset`].
        parts: Range,
        /// Is it a string literal, so that every part is coerced?
        force_string: bool,
    },
    /// The set of an `inherit (set)`, by its number within the innermost attribute set.
    InheritFrom(u32),
}

/// An operator of two operands that is no call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinOp {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `->`
    Implies,
    /// `//`
    Update,
    /// `++`
    Append,
}

/// A name in an attribute path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttrName {
    /// Known while parsing.
    Static(Symbol),
    /// `${…}`
    Dynamic(ExprId),
}

/// The attributes of a set or of a `let`: a view into the [`Ast`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttrSet<'a> {
    /// Is it `rec`?
    pub recursive: bool,
    /// The attributes whose names are known, sorted by symbol.
    pub attrs: &'a [AttrDef],
    /// The others, in the order of the source.
    pub dynamic: &'a [DynamicAttr],
    /// The sets of `inherit (set) …`, in the order of the source.
    pub inherit_from: &'a [ExprId],
}

/// One attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttrDef {
    /// Its name.
    pub name: Symbol,
    /// Its value.
    pub value: ExprId,
    /// Byte offset of its definition.
    pub offset: u32,
    /// How it was written.
    pub kind: AttrKind,
}

/// How an attribute was written, which decides in which scope its value is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttrKind {
    /// `name = value;`
    Plain,
    /// `inherit name;`: the value is the variable of the scope around the set.
    Inherited,
    /// `inherit (set) name;`: the value selects from an [`Expr::InheritFrom`].
    InheritedFrom,
}

/// An attribute whose name is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DynamicAttr {
    /// The expression of its name.
    pub name: ExprId,
    /// Its value.
    pub value: ExprId,
    /// Byte offset of its definition.
    pub offset: u32,
}

/// A function of one argument: a view into the [`Ast`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lambda<'a> {
    /// The name of the whole argument: of `x: …`, or of `{ … } @ x: …`.
    pub arg: Option<Symbol>,
    /// The pattern, where it has one.
    pub formals: Option<Formals<'a>>,
    /// The body.
    pub body: ExprId,
}

/// The pattern `{ a, b ? default, ... }`: a view into the [`Ast`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Formals<'a> {
    /// The names, sorted by symbol.
    pub formals: &'a [Formal],
    /// Does it end with `...`?
    pub ellipsis: bool,
}

/// One name of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Formal {
    /// The name.
    pub name: Symbol,
    /// The default, where it has one.
    pub default: Option<ExprId>,
    /// Byte offset.
    pub offset: u32,
}

/// An attribute set as it is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Set {
    pub(super) recursive: bool,
    pub(super) attrs: Range,
    pub(super) dynamic: Range,
    pub(super) inherit_from: Range,
}

/// A function as it is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Function {
    pub(super) arg: Option<Symbol>,
    pub(super) pattern: Option<Pattern>,
    pub(super) body: ExprId,
}

/// A pattern as it is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pattern {
    pub(super) formals: Range,
    pub(super) ellipsis: bool,
}

/// Something in a source that is allowed, and that its author may want to be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remark {
    /// What it is.
    pub kind: RemarkKind,
    /// Byte offset at which it begins.
    pub start: u32,
    /// Byte offset behind it.
    pub end: u32,
}

/// What a [`Remark`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemarkKind {
    /// `f or` without parentheses around it as an argument, an item or a default: a call now, which
    /// it will not be once `or` is an identifier as all others.
    OrAsIdentifier,
    /// A URL without quotes.
    UrlLiteral,
    /// A path that begins neither with a dot nor with a slash: `a/b`.
    ShortPath,
    /// A path from the root: `/a`.
    AbsolutePath,
    /// A path from the home directory: `~/a`.
    HomePath,
}

/// A parsed source.
#[derive(Debug, Default)]
pub struct Ast {
    pub(super) exprs: Vec<Expr>,
    /// Byte offset of each node, beside `exprs`.
    pub(super) offsets: Vec<u32>,
    pub(super) ids: Vec<ExprId>,
    /// Byte offset of each entry of `ids` that is a part of a [`Expr::Concat`]; no longer than the
    /// last of these needs.
    pub(super) part_offsets: Vec<u32>,
    pub(super) paths: Vec<AttrName>,
    pub(super) sets: Vec<Set>,
    pub(super) attrs: Vec<AttrDef>,
    pub(super) dynamic: Vec<DynamicAttr>,
    pub(super) inherit_from: Vec<ExprId>,
    pub(super) functions: Vec<Function>,
    pub(super) formals: Vec<Formal>,
    pub(super) text: Vec<u8>,
    pub(super) remarks: Vec<Remark>,
    pub(super) root: Option<ExprId>,
}

impl Ast {
    /// The whole expression; `None` only before parsing has ended.
    #[must_use]
    pub fn root(&self) -> Option<ExprId> {
        self.root
    }

    /// What its author may want to be told of.
    #[must_use]
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// The node of `id`.
    #[must_use]
    pub fn expr(&self, id: ExprId) -> Expr {
        self.exprs[id.0 as usize]
    }

    /// Byte offset of the node of `id`: of its first byte, or of its operator.
    #[must_use]
    pub fn offset(&self, id: ExprId) -> u32 {
        self.offsets[id.0 as usize]
    }

    /// A run of children.
    #[must_use]
    pub fn ids(&self, range: Range) -> &[ExprId] {
        &self.ids[range.indices()]
    }

    /// The byte offsets of the parts of a [`Expr::Concat`].
    #[must_use]
    pub fn part_offset(&self, range: Range) -> &[u32] {
        &self.part_offsets[range.indices()]
    }

    /// The names of an attribute path.
    #[must_use]
    pub fn attr_path(&self, range: Range) -> &[AttrName] {
        &self.paths[range.indices()]
    }

    /// An attribute set.
    #[must_use]
    pub fn attrs(&self, id: AttrsId) -> AttrSet<'_> {
        let set = self.sets[id.0 as usize];
        AttrSet {
            recursive: set.recursive,
            attrs: &self.attrs[set.attrs.indices()],
            dynamic: &self.dynamic[set.dynamic.indices()],
            inherit_from: &self.inherit_from[set.inherit_from.indices()],
        }
    }

    /// A function.
    #[must_use]
    pub fn lambda(&self, id: LambdaId) -> Lambda<'_> {
        let Function { arg, pattern, body } = self.functions[id.0 as usize];
        let formals = pattern.map(|pattern| Formals {
            formals: self.formals(pattern.formals),
            ellipsis: pattern.ellipsis,
        });
        Lambda { arg, formals, body }
    }

    /// A string.
    #[must_use]
    pub fn text(&self, text: Text) -> &[u8] {
        &self.text[text.start as usize..(text.start + text.len) as usize]
    }

    /// The condition of the `assert` at a byte offset.
    #[must_use]
    pub fn assertion_at(&self, offset: u32) -> Option<ExprId> {
        self.exprs.iter().zip(&self.offsets).find_map(|(expr, at)| match *expr {
            Expr::Assert { condition, .. } if *at == offset => Some(condition),
            _ => None,
        })
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.exprs.len()
    }

    /// Is there no node?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exprs.is_empty()
    }

    /// An empty tree with room for what most sources of this length need, so that arrays seldom
    /// move: nine of ten sources of nixpkgs have less than a node every 16 bytes.
    pub(super) fn for_source_of(length: usize) -> Self {
        Self {
            exprs: Vec::with_capacity(length / 16),
            offsets: Vec::with_capacity(length / 16),
            ids: Vec::with_capacity(length / 40),
            part_offsets: Vec::with_capacity(length / 48),
            paths: Vec::with_capacity(length / 96),
            text: Vec::with_capacity(length / 3),
            ..Self::default()
        }
    }

    #[inline]
    pub(super) fn add(&mut self, offset: u32, expr: Expr) -> ExprId {
        let id = ExprId(index(self.exprs.len()));
        self.exprs.push(expr);
        self.offsets.push(offset);
        id
    }

    pub(super) fn add_ids(&mut self, ids: &[ExprId]) -> Range {
        added(&mut self.ids, ids)
    }

    /// A run of what is in `range` and then `ids`.
    pub(super) fn add_ids_after(&mut self, range: Range, ids: &[ExprId]) -> Range {
        let start = self.ids.len();
        self.ids.extend_from_within(range.indices());
        self.ids.extend_from_slice(ids);
        Range { start: index(start), len: index(self.ids.len() - start) }
    }

    pub(super) fn replace(&mut self, id: ExprId, expr: Expr) {
        self.exprs[id.0 as usize] = expr;
    }

    pub(super) fn add_parts(&mut self, parts: &[(u32, ExprId)]) -> Range {
        let start = self.ids.len();
        self.ids.extend(parts.iter().map(|(_, id)| *id));
        self.part_offsets.resize(start, 0);
        self.part_offsets.extend(parts.iter().map(|(offset, _)| *offset));
        Range { start: index(start), len: index(parts.len()) }
    }

    pub(super) fn add_path(&mut self, names: &[AttrName]) -> Range {
        added(&mut self.paths, names)
    }

    pub(super) fn add_formals(&mut self, formals: &[Formal]) -> Range {
        added(&mut self.formals, formals)
    }

    pub(super) fn formals(&self, range: Range) -> &[Formal] {
        &self.formals[range.indices()]
    }

    pub(super) fn add_function(&mut self, function: Function) -> Expr {
        self.functions.push(function);
        Expr::Lambda(LambdaId(index(self.functions.len() - 1)))
    }

    pub(super) fn add_text(&mut self, bytes: &[u8]) -> Text {
        let start = self.text.len();
        self.text.extend_from_slice(bytes);
        self.text_from(start)
    }

    /// What has been added to the text pool since it had the length `start`.
    pub(super) fn text_from(&self, start: usize) -> Text {
        Text { start: index(start), len: index(self.text.len() - start) }
    }
}

fn added<T: Copy>(to: &mut Vec<T>, items: &[T]) -> Range {
    let start = to.len();
    to.extend_from_slice(items);
    Range { start: index(start), len: index(items.len()) }
}

/// Sources are at most 4 GiB (the parser refuses longer ones), and no array is longer than that.
pub(super) fn index(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_small() {
        assert_eq!(size_of::<Expr>(), 16);
        assert_eq!(size_of::<AttrName>(), 8);
    }
}
