//! Places in sources as single numbers: all sources of one evaluation stand one behind the other, and a
//! place is a byte offset in that row. Lines and columns are only counted when somebody asks.

use std::borrow::Cow;
use std::cell::OnceCell;

use crate::syntax::LineColumn;

/// A place in some source, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pos(u32);

impl Pos {
    /// No place: a value that a builtin made.
    pub const NONE: Self = Self(0);

    /// Is there a place?
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }
}

/// What a text was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file, by its absolute path.
    File(Box<[u8]>),
    /// `--expr`
    String,
    /// Standard input.
    Stdin,
    /// A text of this program's own, which no report shows.
    Internal(&'static str),
}

/// A text that was parsed.
#[derive(Debug)]
pub struct Source {
    /// Where it came from.
    pub origin: Origin,
    /// What people are told it was read from.
    pub shown: String,
    /// Where its relative paths start from.
    pub dir: Box<[u8]>,
    /// The text itself.
    pub text: Box<[u8]>,
    base: u32,
    /// Offsets at which lines begin.
    lines: OnceCell<Vec<u32>>,
}

/// A place as people write it.
#[derive(Debug, Clone, Copy)]
pub struct Place<'s> {
    /// The text.
    pub source: &'s Source,
    /// Byte offset in the text.
    pub offset: u32,
    /// Line and column, from 1.
    pub at: LineColumn,
}

/// A folder, and what stands in its place when people are shown its files.
type ShownAs = (Box<[u8]>, Box<[u8]>);

/// All texts of one evaluation.
#[derive(Debug, Default)]
pub struct Sources {
    sources: Vec<Source>,
    /// Folders that people know by another name: those of flakes, whose trees are seen in the store.
    shown_as: Vec<ShownAs>,
}

impl Sources {
    /// Takes up a text whose relative paths start from `dir`, and says what to add to its byte offsets. `None` if the texts of one evaluation
    /// came to more than 4 GiB.
    pub fn add(&mut self, origin: Origin, dir: &[u8], text: Box<[u8]>) -> Option<Base> {
        let base = self.sources.last().map_or(Some(1), |last| {
            last.base.checked_add(u32::try_from(last.text.len()).ok()?)?.checked_add(1)
        })?;
        base.checked_add(u32::try_from(text.len()).ok()?)?;
        let shown = match &origin {
            Origin::File(path) => String::from_utf8_lossy(&self.shown(path)).into_owned(),
            Origin::String => "«string»".to_owned(),
            Origin::Stdin => "«stdin»".to_owned(),
            Origin::Internal(name) => (*name).to_owned(),
        };
        let (dir, lines) = (dir.into(), OnceCell::new());
        self.sources.push(Source { origin, shown, dir, text, base, lines });
        Some(Base(base))
    }

    /// Bytes of all sources.
    pub(super) fn size(&self) -> usize {
        self.sources.last().map_or(0, |last| last.base as usize + last.text.len())
    }

    /// From now on, paths in `folder` are shown to people with `name` in its place. What a program sees of
    /// them stays.
    pub fn show_as(&mut self, folder: &[u8], name: &[u8]) {
        self.shown_as.retain(|(known, _)| **known != *folder);
        self.shown_as.push((folder.into(), name.into()));
    }

    /// A path as people are shown it.
    #[must_use]
    pub fn shown<'p>(&self, path: &'p [u8]) -> Cow<'p, [u8]> {
        for (folder, name) in &self.shown_as {
            match path.strip_prefix(&**folder) {
                // C++ Nix puts the slash of the root behind the name of the whole tree.
                Some(b"") => return Cow::Owned([name, &b"/"[..]].concat()),
                Some(rest @ [b'/', ..]) => return Cow::Owned([name, rest].concat()),
                _ => {}
            }
        }
        Cow::Borrowed(path)
    }

    /// The source and the line of a place.
    #[must_use]
    pub fn place(&self, pos: Pos) -> Option<Place<'_>> {
        if pos.is_none() {
            return None;
        }
        let after = self.sources.partition_point(|source| source.base <= pos.0);
        let source = self.sources.get(after.checked_sub(1)?)?;
        let offset = pos.0 - source.base;
        Some(Place { source, offset, at: source.line_column(offset) })
    }
}

impl Sources {
    /// Is it a place that no report shows?
    #[must_use]
    pub fn is_internal(&self, pos: Pos) -> bool {
        self.place(pos).is_some_and(|place| matches!(place.source.origin, Origin::Internal(_)))
    }

    /// A place as `file:line:column`.
    #[must_use]
    pub fn describe(&self, pos: Pos) -> Option<String> {
        let place = self.place(pos)?;
        Some(format!("{}:{}:{}", place.source.shown, place.at.line, place.at.column))
    }

    /// The file of a place, its line and its column; `None` also for a text that is no file.
    #[must_use]
    pub fn file_line_column(&self, pos: Pos) -> Option<(&[u8], u32, u32)> {
        let place = self.place(pos)?;
        match &place.source.origin {
            Origin::File(path) => Some((path, place.at.line, place.at.column)),
            Origin::String | Origin::Stdin | Origin::Internal(_) => None,
        }
    }
}

impl Source {
    fn line_column(&self, offset: u32) -> LineColumn {
        let lines = self.lines.get_or_init(|| crate::syntax::line_starts(&self.text));
        let line = lines.partition_point(|&start| start <= offset).max(1);
        let start = lines.get(line - 1).copied().unwrap_or(0);
        LineColumn { line: u32::try_from(line).unwrap_or(u32::MAX), column: offset - start + 1 }
    }
}

/// Where a text begins among all texts.
#[derive(Debug, Clone, Copy)]
pub struct Base(u32);

impl Base {
    /// The place of a byte offset in the text.
    #[inline]
    #[must_use]
    pub fn at(self, offset: u32) -> Pos {
        // `Sources::add` has seen that this does not overflow for offsets within the text.
        Pos(self.0.wrapping_add(offset))
    }
}
