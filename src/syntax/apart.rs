//! Parsing away from the evaluation that the source is for, so that it can be done on another thread: with a
//! table of names for each source, whose names become those of the evaluation when it takes up the tree.
//!
//! The order of symbols can be seen. It comes out as if the source had been parsed when it is taken up: the
//! names that are new to the evaluation then are made in the order in which the parser would have made them.

use super::ast::{Ast, AttrName, Expr};
use super::error::ParseError;
use super::leads::Leads;
use super::parser::{Features, parse};
use super::symbol::{Symbol, Symbols};

/// Parses sources, each with names of its own.
#[derive(Debug)]
pub struct ApartParser {
    /// What every table begins with.
    known: Symbols,
    symbols: Symbols,
    features: Features,
}

/// A parsed source with names of its own.
#[derive(Debug)]
pub struct Apart {
    ast: Ast,
    /// The names that are not in every table, one after the other, and where each ends.
    names: Vec<u8>,
    ends: Vec<usize>,
}

impl ApartParser {
    /// A parser of the language with these features.
    #[must_use]
    pub fn new(features: Features) -> Self {
        let known = Symbols::new();
        Self { symbols: known.clone(), known, features }
    }

    /// Parses a source, and says what other files it leads to.
    pub fn parse(&mut self, source: &[u8]) -> Result<(Apart, Leads), ParseError> {
        self.symbols.clone_from(&self.known);
        let ast = parse(source, &mut self.symbols, self.features)?;
        let leads = Leads::of(&ast, &self.symbols);
        let (mut names, mut ends) = (Vec::new(), Vec::new());
        for name in self.symbols.names_from(self.known.len()) {
            names.extend_from_slice(name);
            ends.push(names.len());
        }
        Ok((Apart { ast, names, ends }, leads))
    }
}

impl Apart {
    /// The tree with the names of `symbols`.
    #[must_use]
    pub fn join(self, symbols: &mut Symbols) -> Ast {
        let Self { mut ast, names, ends } = self;
        let mut start = 0;
        let joined: Vec<Symbol> = ends
            .into_iter()
            .map(|end| {
                let name = &names[start..end];
                start = end;
                symbols.intern(name)
            })
            .collect();
        ast.rename(|name| joined.get(name.beyond_known()?).copied());
        ast
    }
}

impl Ast {
    /// Gives every name the one that `new` says, if any, and sorts again what is sorted by them.
    fn rename(&mut self, new: impl Fn(Symbol) -> Option<Symbol>) {
        let rename = |name: &mut Symbol| {
            if let Some(new) = new(*name) {
                *name = new;
            }
        };
        for expr in &mut self.exprs {
            if let Expr::Var(name) = expr {
                rename(name);
            }
        }
        for name in &mut self.paths {
            if let AttrName::Static(name) = name {
                rename(name);
            }
        }
        self.attrs.iter_mut().for_each(|def| rename(&mut def.name));
        for set in &self.sets {
            let attrs = &mut self.attrs[set.attrs.indices()];
            if !attrs.is_sorted_by_key(|def| def.name) {
                attrs.sort_unstable_by_key(|def| def.name);
            }
        }
        self.formals.iter_mut().for_each(|formal| rename(&mut formal.name));
        for function in &mut self.functions {
            function.arg.iter_mut().for_each(rename);
            let Some(pattern) = function.pattern else { continue };
            let formals = &mut self.formals[pattern.formals.indices()];
            if !formals.is_sorted_by_key(|formal| formal.name) {
                formals.sort_unstable_by_key(|formal| formal.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that a tree says, with names as text.
    fn shown(source: &[u8], ast: &Ast, symbols: &Symbols) -> String {
        let names = symbols.names_from(0).map(String::from_utf8_lossy).collect::<Vec<_>>();
        format!("{} {ast:?} {names:?}", String::from_utf8_lossy(source))
    }

    #[test]
    fn a_tree_that_is_taken_up_is_as_if_it_had_been_parsed_then() {
        let sources: [&[u8]; 6] = [
            b"{ b ? x, a, ... } @ all: { inherit a; z.y.x = 1; z.a = 2; b = rec { y = x; x = 1; }; }",
            b"let z = 1; a = z; in with x; { ${a} = z; q.\"w ${a}\" = ./x; inherit (y) p o; } ? n.m",
            b"x: y: x y.a.q or z -1",
            b"{ u, e ? u, f ? g }: f",
            b"[ a (a: a) { __sub = 1; } ./b.nix (x@{ x1, x2 }: x1) ]",
            b"h: { h, i }: j @ { k, j1 }: h",
        ];
        let features = Features::default();
        let mut apart = ApartParser::new(features);
        for first in &sources {
            let (mut here, mut there) = (Symbols::new(), Symbols::new());
            for source in [first].into_iter().chain(&sources) {
                let direct = parse(source, &mut here, features).unwrap();
                let (parsed, _) = apart.parse(source).unwrap();
                let joined = parsed.join(&mut there);
                assert_eq!(shown(source, &joined, &there), shown(source, &direct, &here));
            }
        }
        assert!(apart.parse(b"{ a").is_err());
    }
}
