//! The builtins that are no functions.

use super::define;
use crate::eval::Eval;
use crate::eval::value::{AttrsBuilder, Value};

/// What `nixVersion` says: the release whose language and builtins these are.
const NIX_VERSION: &str = "2.34.8";
/// What `langVersion` says; every Nix since 2.0 has said so.
const LANGUAGE_VERSION: i64 = 6;

/// Adds all constants to the set of builtins. Pure evaluation has neither a time nor a system (Nix
/// manual, `pure-eval`).
pub(super) fn install<'a>(eval: &mut Eval<'a>, set: &mut AttrsBuilder<'a>) {
    define(eval, set, "true", Value::Bool(true));
    define(eval, set, "false", Value::Bool(false));
    define(eval, set, "null", Value::Null);
    define(eval, set, "langVersion", Value::Int(LANGUAGE_VERSION));
    define(eval, set, "nixVersion", eval.string(NIX_VERSION.as_bytes()));
    define(eval, set, "storeDir", eval.string(&eval.settings.store_dir));
    let search_path = search_path(eval);
    define(eval, set, "nixPath", search_path);
    if !eval.settings.pure {
        define(eval, set, "currentSystem", eval.string(&eval.settings.current_system));
        define(eval, set, "currentTime", Value::Int(eval.io.now()));
    }
}

/// The search path of `<name>`, as `findFile` takes it.
fn search_path<'a>(eval: &Eval<'a>) -> Value<'a> {
    let entry = |entry: &crate::eval::settings::SearchPath| {
        let mut attrs = AttrsBuilder::with_capacity(2);
        attrs.add(eval.known.path, eval.string(&entry.path));
        attrs.add(eval.known.prefix, eval.string(&entry.prefix));
        Value::Attrs(attrs.build(eval.arena))
    };
    let entries: Vec<Value<'a>> = eval.settings.search_path.iter().map(entry).collect();
    eval.list(&entries)
}
