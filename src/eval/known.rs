//! Names that mean something to the evaluator itself. All are among the first names of every table of
//! symbols: another one would change the order of symbols, which programs can see.

use crate::syntax::{Symbol, Symbols};

macro_rules! known {
    ($($field:ident = $name:literal),* $(,)?) => {
        /// Names that mean something to the evaluator itself.
        #[derive(Debug, Clone, Copy)]
        #[expect(missing_docs, reason = "each is the name that it says")]
        pub struct Known {
            $(pub $field: Symbol,)*
        }

        impl Known {
            pub(super) fn new(symbols: &mut Symbols) -> Self {
                Self { $($field: symbols.intern($name),)* }
            }
        }
    };
}

known! {
    functor = b"__functor",
    to_string = b"__toString",
    overrides = b"__overrides",
    out_path = b"outPath",
    drv_path = b"drvPath",
    type_ = b"type",
    name = b"name",
    value = b"value",
    key = b"key",
    operator = b"operator",
    start_set = b"startSet",
    right = b"right",
    wrong = b"wrong",
    file = b"file",
    line = b"line",
    column = b"column",
    path = b"path",
    prefix = b"prefix",
    system = b"system",
    builder = b"builder",
    args = b"args",
    outputs = b"outputs",
    output_hash = b"outputHash",
    output_hash_algo = b"outputHashAlgo",
    output_hash_mode = b"outputHashMode",
    structured_attrs = b"__structuredAttrs",
    ignore_nulls = b"__ignoreNulls",
    content_addressed = b"__contentAddressed",
    impure = b"__impure",
    json = b"__json",
    filter = b"filter",
    output_name = b"outputName",
    recurse_for_derivations = b"recurseForDerivations",
    derivation = b"derivation",
    builtins = b"builtins",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_symbol_is_made_for_them() {
        let mut symbols = Symbols::new();
        let before = symbols.len();
        Known::new(&mut symbols);
        assert_eq!(symbols.len(), before);
    }
}
