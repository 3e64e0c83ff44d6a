//! The files that a source leads to, as far as that can be told from its text. Nothing depends on it but what
//! is read ahead.

use super::ast::{Ast, Expr, ExprId, Range, Text};
use super::symbol::Symbols;

/// A set with more attributes than this is a collection, of which few are wanted.
const COLLECTION: u32 = 100;
/// A list of more files than this is that of all modules of a system.
const MANY_FILES: u32 = 100;

/// What a source leads to.
#[derive(Debug, Default)]
pub struct Leads {
    /// Relative path literals, as written.
    pub files: Vec<Box<[u8]>>,
    /// Attributes of large sets and the first path literal in each: `name = callPackage ./path { };`
    pub collected: Vec<[Box<[u8]>; 2]>,
    /// The names that the source wants to be called with: `{ stdenv, fetchurl }: …`
    pub wanted: Vec<Box<[u8]>>,
}

impl Leads {
    /// What a tree with these symbols leads to.
    #[must_use]
    pub fn of(ast: &Ast, symbols: &Symbols) -> Self {
        let mut leads = Self::default();
        let mut paths = ast.relative_paths();
        for set in ast.sets.iter().filter(|set| set.attrs.len > COLLECTION) {
            leads.collect(ast, set.attrs, &mut paths, symbols);
        }
        leads.files.extend(paths.into_iter().filter_map(|(_, path)| Some(ast.text(path?).into())));
        leads.want(ast, symbols);
        leads
    }

    /// Takes the paths in the attributes of a set out of `paths`, which are in the order of their nodes.
    fn collect(
        &mut self,
        ast: &Ast,
        attrs: Range,
        paths: &mut [(u32, Option<Text>)],
        symbols: &Symbols,
    ) {
        let mut defs: Vec<_> = ast.attrs[attrs.indices()].iter().collect();
        defs.sort_unstable_by_key(|def| def.value.0);
        let mut at = 0;
        for def in defs {
            // What an expression contains comes right before it.
            let end = at + paths[at..].partition_point(|(node, _)| *node <= def.value.0);
            let before = |&(node, _): &(u32, _)| ast.offsets.get(node as usize) < Some(&def.offset);
            let start = at + paths[at..end].partition_point(before);
            let within = &mut paths[start..end];
            at = end;
            if let Some(first) = within.iter().find_map(|(_, path)| *path) {
                self.collected.push([symbols.name(def.name).into(), ast.text(first).into()]);
            }
            for (_, path) in within {
                *path = None;
            }
        }
    }

    /// The patterns of the functions that the source is.
    fn want(&mut self, ast: &Ast, symbols: &Symbols) {
        let mut at = ast.root();
        while let Some(id) = at
            && let Expr::Lambda(function) = ast.expr(id)
        {
            let function = ast.lambda(function);
            let formals = function.formals.map_or(&[][..], |formals| formals.formals);
            self.wanted.extend(formals.iter().map(|formal| symbols.name(formal.name).into()));
            at = Some(function.body);
        }
    }
}

impl Ast {
    /// Is there a list of so many files that the evaluation will be a large one? What is in a list is wanted, as
    /// opposed to a collection.
    #[must_use]
    pub fn lists_many_files(&self) -> bool {
        let is_path = |&id: &ExprId| matches!(self.expr(id), Expr::Path(_));
        self.exprs.iter().any(|expr| match *expr {
            Expr::List(items) => items.len > MANY_FILES && self.ids(items).iter().all(is_path),
            _ => false,
        })
    }

    /// Path literals that begin with a dot, and their nodes.
    fn relative_paths(&self) -> Vec<(u32, Option<Text>)> {
        let found = (0u32..).zip(&self.exprs).filter_map(|(node, expr)| match *expr {
            Expr::Path(text) if self.text(text).first() == Some(&b'.') => Some((node, Some(text))),
            _ => None,
        });
        found.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Features, parse};
    use super::*;

    fn leads(source: &str) -> Leads {
        let mut symbols = Symbols::new();
        let ast = parse(source.as_bytes(), &mut symbols, Features::default()).unwrap();
        Leads::of(&ast, &symbols)
    }

    fn texts(bytes: &[Box<[u8]>]) -> Vec<&str> {
        bytes.iter().map(|bytes| std::str::from_utf8(bytes).unwrap()).collect()
    }

    #[test]
    fn a_module_leads_to_its_imports_and_a_package_to_its_arguments() {
        let found =
            leads("{ lib, pkgs ? import ../pkgs { }, ... }: { imports = [ ./a.nix /b.nix ./c ]; }");
        assert_eq!(texts(&found.files), ["../pkgs", "./a.nix", "./c"]);
        assert_eq!(texts(&found.wanted), ["lib", "pkgs"]);
        assert!(found.collected.is_empty());
    }

    #[test]
    fn a_long_list_of_files_is_seen() {
        let lists_many = |element: &str, count: usize| {
            let source = format!("{{ a = [ {} ]; }}", [element].repeat(count).join(" "));
            parse(source.as_bytes(), &mut Symbols::new(), Features::default())
                .unwrap()
                .lists_many_files()
        };
        assert!(lists_many("./a.nix", 101));
        assert!(!lists_many("./a.nix", 100) && !lists_many("\"a.nix\"", 101));
    }

    #[test]
    fn a_collection_leads_to_what_is_asked_of_it() {
        let many: Vec<_> = (0..200).map(|n| format!("p{n} = f {{ a = q ./p{n} ./x; }};")).collect();
        let many = many.concat();
        let found = leads(&format!("self: with self; let a = ./before; in {{ {many} z = 1; }}"));
        assert_eq!(texts(&found.files), ["./before"]);
        assert_eq!(found.collected.len(), 200);
        let all = |[name, path]: &[Box<[u8]>; 2]| path[2..] == **name;
        assert!(found.collected.iter().all(all));
    }
}
