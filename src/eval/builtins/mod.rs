//! The builtins, a file for each family, and the variables that every program sees.

mod chosen;
mod closure;
mod collect;
mod constants;
mod context;
mod control;
mod derivation;
mod env;
mod fetch;
mod fetch_tree;
pub(super) mod flake_refs;
mod hashes;
mod input_urls;
pub(super) mod inputs;
mod json;
mod lists;
mod numbers;
mod output_of;
mod paths;
mod regex;
mod sets;
mod sort;
mod strings;
#[cfg(test)]
mod tests;
mod toml;
mod types;
mod versions;
mod xml;

use std::cell::Cell;

pub use fetch::GetFlake;
pub(crate) use fetch::write_set as set_text;
pub(crate) use fetch_tree::{TreeFacts, tree_attrs};
pub(super) use regex::Patterns;

use super::Eval;
use super::error::Result;
use super::position::{Origin, Pos};
use super::settings::ExperimentalFeatures;
use super::value::{AttrsBuilder, PrimOpId, Value};

/// What runs a builtin: it gets its arguments and the place of its call.
type Run = for<'a> fn(&mut Eval<'a>, &[Value<'a>], Pos) -> Result<Value<'a>>;

/// A builtin function.
#[derive(Debug)]
pub struct PrimOp {
    /// Its name in `builtins`. With `__` in front it is a variable of every program as well; without
    /// for those of [`GLOBAL`].
    pub name: &'static str,
    /// How many arguments it takes: 1 to 3.
    pub arity: u8,
    /// Which arguments are evaluated before it runs: bit 0 stands for the first.
    pub strict: u8,
    /// Its work. Lazy arguments are values, or shares of the slot that they will be in.
    pub run: Run,
}

/// All families.
const FAMILIES: &[&[PrimOp]] = &[
    closure::PRIMOPS,
    collect::PRIMOPS,
    context::PRIMOPS,
    control::PRIMOPS,
    derivation::PRIMOPS,
    env::PRIMOPS,
    fetch::PRIMOPS,
    fetch_tree::PRIMOPS,
    flake_refs::PRIMOPS,
    hashes::PRIMOPS,
    json::PRIMOPS,
    lists::PRIMOPS,
    numbers::PRIMOPS,
    output_of::PRIMOPS,
    paths::PRIMOPS,
    regex::PRIMOPS,
    sets::PRIMOPS,
    sort::PRIMOPS,
    strings::PRIMOPS,
    toml::PRIMOPS,
    types::PRIMOPS,
    versions::PRIMOPS,
    xml::PRIMOPS,
];

/// Builtins that are variables under their plain names.
const GLOBAL: &[&str] = &[
    "abort",
    "baseNameOf",
    "break",
    "derivation",
    "derivationStrict",
    "dirOf",
    "false",
    "fetchGit",
    "fetchMercurial",
    "fetchTarball",
    "fetchTree",
    "fromTOML",
    "import",
    "isNull",
    "map",
    "null",
    "placeholder",
    "removeAttrs",
    "scopedImport",
    "throw",
    "toString",
    "true",
];

/// Where the files stand that the evaluator itself has: `<nix/…>`.
pub(super) const OWN_FILES: &[u8] = b"/builtin/nix/";

/// A file that the evaluator itself has.
pub(super) fn file(path: &[u8]) -> Option<&'static [u8]> {
    match path.strip_prefix(OWN_FILES)? {
        b"fetchurl.nix" => Some(include_bytes!("fetchurl.nix")),
        _ => None,
    }
}

/// Makes the builtins and the variables that every program sees.
pub(super) fn install(eval: &mut Eval<'_>) {
    let mut set = AttrsBuilder::with_capacity(128);
    for primop in FAMILIES.iter().flat_map(|family| family.iter()) {
        // There are some hundred builtins.
        let Ok(id) = u16::try_from(eval.primops.len()) else { break };
        if !is_offered(primop.name, &eval.settings.features) {
            continue;
        }
        eval.primops.push(primop);
        define(eval, &mut set, primop.name, Value::PrimOp(PrimOpId(id)));
    }
    constants::install(eval, &mut set);
    let slot = eval.arena.alloc(Cell::new(Value::Blackhole));
    set.add(eval.known.builtins, Value::Ref(slot));
    let derivation = eval.arena.alloc(Cell::new(Value::Blackhole));
    set.add(eval.known.derivation, Value::Ref(derivation));
    eval.builtins = set.build(eval.arena);
    slot.set(Value::Attrs(eval.builtins));
    eval.globals.insert(eval.known.builtins, Value::Attrs(eval.builtins));
    let text = self::derivation::DERIVATION.as_bytes();
    let origin = Origin::File((*b"/builtin/derivation.nix").into());
    // A function as it stands: evaluating it can't fail, and what it calls is resolved already.
    if let Ok(function) = eval.eval_string(text, b"/", origin) {
        derivation.set(function);
        eval.globals.insert(eval.known.derivation, Value::Ref(derivation));
    }
}

/// Some builtins are only there with an experimental feature.
fn is_offered(name: &str, features: &ExperimentalFeatures) -> bool {
    match name {
        "fetchClosure" => features.fetch_closure,
        "fetchTree" => features.fetch_tree || features.flakes,
        "outputOf" => features.dynamic_derivations,
        _ => true,
    }
}

/// Adds a builtin to the set, and the variables that name it.
fn define<'a>(eval: &mut Eval<'a>, set: &mut AttrsBuilder<'a>, name: &str, value: Value<'a>) {
    let symbol = eval.symbols.intern(name.as_bytes());
    // A home of its own, so that a function under all its names is one and the same.
    let value = Value::Ref(eval.arena.alloc(Cell::new(value)));
    set.add(symbol, value);
    if GLOBAL.contains(&name) {
        eval.globals.insert(symbol, value);
    } else {
        let hidden = eval.symbols.intern(format!("__{name}").as_bytes());
        eval.globals.insert(hidden, value);
    }
}
