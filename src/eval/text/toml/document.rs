//! Tables while a document is read: which may still be added to, and by what.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::Toml;

/// How a table came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// By the header of a table inside of it; its own header may follow.
    Implied,
    /// By its header.
    Header,
    /// By a dotted name; other dotted names may add to it.
    Dotted,
}

#[derive(Debug)]
pub(super) struct Table {
    pub(super) entries: BTreeMap<String, Item>,
    origin: Origin,
}

#[derive(Debug)]
pub(super) enum Item {
    /// Complete, also a table or array written as a value.
    Value(Toml),
    Table(Table),
    /// `[[…]]`
    Tables(Vec<Table>),
}

impl Table {
    pub(super) fn new(origin: Origin) -> Self {
        Self { entries: BTreeMap::new(), origin }
    }

    /// The table that a header `[path]` or `[[path]]` opens.
    pub(super) fn open(
        &mut self,
        path: Vec<String>,
        repeated: bool,
    ) -> Result<&mut Self, &'static str> {
        let mut table = self;
        let mut names = path.into_iter().peekable();
        while let Some(name) = names.next() {
            let last = names.peek().is_none();
            table = match table.entries.entry(name) {
                Entry::Vacant(place) if last && repeated => {
                    into_last(place.insert(Item::Tables(vec![Self::new(Origin::Header)])))?
                }
                Entry::Vacant(place) => {
                    let origin = if last { Origin::Header } else { Origin::Implied };
                    into_last(place.insert(Item::Table(Self::new(origin))))?
                }
                Entry::Occupied(place) => {
                    let item = place.into_mut();
                    if last {
                        reopen(item, repeated)?;
                    }
                    into_last(item)?
                }
            };
        }
        Ok(table)
    }

    /// Sets the value of a perhaps dotted name.
    pub(super) fn set(&mut self, path: Vec<String>, value: Toml) -> Result<(), &'static str> {
        let mut table = self;
        let mut names = path.into_iter().peekable();
        while let Some(name) = names.next() {
            match (table.entries.entry(name), names.peek().is_none()) {
                (Entry::Vacant(place), true) => {
                    place.insert(Item::Value(value));
                    return Ok(());
                }
                (Entry::Occupied(_), true) => return Err("this name has a value already"),
                (Entry::Vacant(place), false) => {
                    table = into_last(place.insert(Item::Table(Self::new(Origin::Dotted))))?;
                }
                (Entry::Occupied(place), false) => match place.into_mut() {
                    Item::Table(inner) if inner.origin == Origin::Dotted => table = inner,
                    _ => return Err("a dotted name cannot add to what was defined otherwise"),
                },
            }
        }
        Ok(())
    }

    /// The table as a value.
    pub(super) fn finish(self) -> BTreeMap<String, Toml> {
        let finish = |item| match item {
            Item::Value(value) => value,
            Item::Table(table) => Toml::Table(table.finish()),
            Item::Tables(tables) => {
                Toml::List(tables.into_iter().map(|table| Toml::Table(table.finish())).collect())
            }
        };
        self.entries.into_iter().map(|(name, item)| (name, finish(item))).collect()
    }
}

/// Opens what a header names a second time.
fn reopen(item: &mut Item, repeated: bool) -> Result<(), &'static str> {
    match item {
        Item::Tables(tables) if repeated => tables.push(Table::new(Origin::Header)),
        Item::Table(table) if !repeated && table.origin == Origin::Implied => {
            table.origin = Origin::Header;
        }
        _ => return Err("this table is defined already"),
    }
    Ok(())
}

/// The table itself, or the last of an array of tables.
fn into_last(item: &mut Item) -> Result<&mut Table, &'static str> {
    match item {
        Item::Table(table) => Ok(table),
        Item::Tables(tables) => tables.last_mut().ok_or("an empty array has no table"),
        Item::Value(_) => Err("a header cannot add to a value"),
    }
}
