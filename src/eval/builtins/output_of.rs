//! `outputOf`: outputs of derivations by name. (Nix manual, `builtins.outputOf`.)

use super::PrimOp;
use super::inputs::require;
use crate::eval::Eval;
use crate::eval::error::{Error, Result};
use crate::eval::position::Pos;
use crate::eval::value::{ContextElement, Value};
use crate::store::DownstreamPlaceholder;

/// The builtins of this file.
pub(super) const PRIMOPS: &[PrimOp] =
    &[PrimOp { name: "outputOf", arity: 2, strict: 0b11, run: output_of }];

fn output_of<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    require(eval.settings.features.dynamic_derivations, "dynamic-derivations")
        .map_err(|error| Error::evaluation(pos, error.to_string()))?;
    let what = "while evaluating the first argument to builtins.outputOf";
    let (text, context) = eval.force_string(args[0], Pos::NONE, what)?;
    let shown = String::from_utf8_lossy(text.items());
    let wrong = |message| Error::evaluation(Pos::NONE, message).while_(Pos::NONE, what);
    let elements = eval.contexts.elements(context);
    let [element] = elements[..] else {
        let count = elements.len();
        return Err(wrong(format!(
            "string '{shown}' has {count} entries in its context. It should only have exactly one entry"
        )));
    };
    let drv = match element {
        ContextElement::Opaque(path) => path.clone(),
        ContextElement::DrvDeep(_) => {
            return Err(wrong(format!(
                "string '{shown}' has a context which refers to a complete source and binary closure. This is not supported at this time"
            )));
        }
        // A string's context has no place for outputs of outputs.
        ContextElement::Built(..) => {
            return Err(wrong(
                "outputs of derivations that are themselves built are not supported by the built-in evaluator yet".to_owned(),
            ));
        }
    };
    let path = eval.store.dir().to_absolute(&drv);
    if path != text.items() {
        let path = String::from_utf8_lossy(&path);
        return Err(wrong(format!(
            "path string '{shown}' has context with the different path '{path}'"
        )));
    }
    let what = "while evaluating the second argument to builtins.outputOf";
    let name = eval.force_string_no_context(args[1], Pos::NONE, what)?.items();
    let derivation = eval.derivation(&drv, pos)?;
    let Some(output) = derivation.outputs.get(name) else {
        let (path, name) = (String::from_utf8_lossy(&path), String::from_utf8_lossy(name));
        let message = format!("derivation '{path}' does not have output '{name}'");
        return Err(Error::evaluation(pos, message));
    };
    let text = match output.path(eval.store.dir(), &derivation.name, name)? {
        Some(path) => eval.store.dir().to_absolute(&path),
        None => DownstreamPlaceholder::unknown_ca_output(&drv, name).render().into_bytes(),
    };
    let context = eval.contexts.intern([ContextElement::Built(drv, name.into())]);
    Ok(eval.string_with(&text, context))
}
