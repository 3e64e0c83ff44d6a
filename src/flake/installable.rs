//! Which attribute of a flake an installable means. (Nix manual, `nix`, "Flake output attribute".)

use crate::eval::Eval;
use crate::eval::error::{Error, ErrorKind, Result};
use crate::eval::pick::names;
use crate::eval::position::Pos;
use crate::eval::text::near_names;
use crate::eval::value::Value;

/// The output of a flake that a fragment means, evaluated. `flake` is the flake's reference for messages.
pub(crate) fn select<'a>(
    eval: &mut Eval<'a>,
    outputs: Value<'a>,
    fragment: &[u8],
    flake: &str,
) -> Result<Value<'a>> {
    look_up(eval, outputs, fragment, flake)?
}

/// The same, but that the flake has no such output is no failure by itself.
pub(crate) fn look_up<'a>(
    eval: &mut Eval<'a>,
    outputs: Value<'a>,
    fragment: &[u8],
    flake: &str,
) -> Result<Result<Value<'a>>> {
    let paths = attr_paths(fragment, &eval.settings.current_system);
    let mut near = Vec::new();
    for path in &paths {
        match find(eval, outputs, path)? {
            Ok(value) => return eval.force(value, Pos::NONE).map(Ok),
            Err(names) => near.extend(names),
        }
    }
    near.dedup();
    let shown: Vec<String> =
        paths.iter().map(|path| format!("'{}'", String::from_utf8_lossy(path))).collect();
    let shown = match shown.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => shown.concat(),
    };
    let message = format!("flake '{flake}' does not provide attribute {shown}");
    Ok(Err(Error::new(ErrorKind::MissingAttribute, Pos::NONE, message).suggesting(near)))
}

/// The paths that are tried, in this order.
fn attr_paths(fragment: &[u8], system: &[u8]) -> Vec<Vec<u8>> {
    if fragment.is_empty() {
        let default = [b"packages.", system, b".default"].concat();
        return vec![default, [b"defaultPackage.", system].concat()];
    }
    if let Some(exact) = fragment.strip_prefix(b".") {
        return vec![exact.to_vec()];
    }
    vec![
        [b"packages.", system, b".", fragment].concat(),
        [b"legacyPackages.", system, b".", fragment].concat(),
        fragment.to_vec(),
    ]
}

/// What a path leads to, or else names that are like the one that is missing.
fn find<'a>(
    eval: &mut Eval<'a>,
    outputs: Value<'a>,
    path: &[u8],
) -> Result<std::result::Result<Value<'a>, Vec<String>>> {
    let mut value = outputs;
    let mut way: Vec<String> = Vec::new();
    for name in names(path)? {
        let Value::Attrs(attrs) = eval.force(value, Pos::NONE)? else {
            let message = format!("'{}' is not an attribute set", way.join("."));
            return Err(Error::type_error(Pos::NONE, message));
        };
        let symbol = eval.symbols.intern(&name);
        let Some(slot) = attrs.get(symbol) else {
            let all: Vec<_> =
                attrs.sorted(eval.arena, &eval.symbols).map(|attr| attr.name).collect();
            let names = all.iter().map(|name| eval.symbols.name(*name));
            return Ok(Err(near_names(&name, names)));
        };
        way.push(String::from_utf8_lossy(&name).into_owned());
        value = Value::Ref(slot);
    }
    Ok(Ok(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_come_first() {
        let paths = |fragment: &str| {
            let paths = attr_paths(fragment.as_bytes(), b"s").into_iter();
            paths.map(|path| String::from_utf8(path).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(paths(""), ["packages.s.default", "defaultPackage.s"]);
        assert_eq!(paths("a.b"), ["packages.s.a.b", "legacyPackages.s.a.b", "a.b"]);
        assert_eq!(paths(".a.b"), ["a.b"]);
    }
}
