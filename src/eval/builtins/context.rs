//! String contexts: `hasContext`, `getContext`, `appendContext`, and what drops or changes them.
//!
//! Nix manual, "String context".

use std::collections::BTreeMap;

use super::PrimOp;
use crate::eval::Eval;
use crate::eval::coerce::Coercion;
use crate::eval::error::{Error, Result};
use crate::eval::position::Pos;
use crate::eval::text::print::write_attr_name;
use crate::eval::text::shown;
use crate::eval::value::{Attr, AttrsBuilder, Context, ContextElement, Value};
use crate::store::{DRV_EXTENSION, StorePath};
use crate::syntax::Symbol;

/// The builtins of this file.
pub(super) const PRIMOPS: &[PrimOp] = &[
    PrimOp {
        name: "addDrvOutputDependencies",
        arity: 1,
        strict: 1,
        run: add_drv_output_dependencies,
    },
    PrimOp { name: "appendContext", arity: 2, strict: 0b11, run: append_context },
    PrimOp { name: "getContext", arity: 1, strict: 1, run: get_context },
    PrimOp { name: "hasContext", arity: 1, strict: 1, run: has_context },
    PrimOp {
        name: "unsafeDiscardOutputDependency",
        arity: 1,
        strict: 1,
        run: unsafe_discard_output_dependency,
    },
    PrimOp {
        name: "unsafeDiscardStringContext",
        arity: 1,
        strict: 1,
        run: unsafe_discard_string_context,
    },
];

fn has_context<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    let &[text] = args else { return Ok(Value::Null) };
    let what = "while evaluating the argument passed to builtins.hasContext";
    let (_, context) = eval.force_string(text, Pos::NONE, what)?;
    Ok(Value::Bool(!context.is_none()))
}

fn unsafe_discard_string_context<'a>(
    eval: &mut Eval<'a>,
    args: &[Value<'a>],
    _: Pos,
) -> Result<Value<'a>> {
    let &[text] = args else { return Ok(Value::Null) };
    let what = "while evaluating the argument passed to builtins.unsafeDiscardStringContext";
    let (bytes, _) = eval.coerce(text, Pos::NONE, Coercion::INTERPOLATION, what)?;
    Ok(Value::Str(Context::NONE, bytes))
}

/// A derivation with all that belongs to it becomes its `.drv` file alone.
fn unsafe_discard_output_dependency<'a>(
    eval: &mut Eval<'a>,
    args: &[Value<'a>],
    _: Pos,
) -> Result<Value<'a>> {
    let &[text] = args else { return Ok(Value::Null) };
    let what = "while evaluating the argument passed to builtins.unsafeDiscardOutputDependency";
    let (bytes, context) = eval.coerce(text, Pos::NONE, Coercion::INTERPOLATION, what)?;
    let elements = eval.contexts.elements(context).into_iter().map(|element| match element {
        ContextElement::DrvDeep(path) => ContextElement::Opaque(path.clone()),
        other => other.clone(),
    });
    let elements: Vec<_> = elements.collect();
    Ok(Value::Str(eval.contexts.intern(elements), bytes))
}

/// The `.drv` file alone becomes the derivation with all that belongs to it.
fn add_drv_output_dependencies<'a>(
    eval: &mut Eval<'a>,
    args: &[Value<'a>],
    _: Pos,
) -> Result<Value<'a>> {
    let &[text] = args else { return Ok(Value::Null) };
    let what = "while evaluating the argument passed to builtins.addDrvOutputDependencies";
    let (bytes, context) = eval.coerce(text, Pos::NONE, Coercion::INTERPOLATION, what)?;
    let message = match eval.contexts.elements(context)[..] {
        [ContextElement::DrvDeep(_)] => return Ok(Value::Str(context, bytes)),
        [ContextElement::Opaque(path)] if path.is_derivation() => {
            let deep = ContextElement::DrvDeep(path.clone());
            return Ok(Value::Str(eval.contexts.intern([deep]), bytes));
        }
        [ContextElement::Opaque(path)] => {
            let path = eval.store.dir().to_absolute(path);
            format!("path '{}' is not a derivation", shown(&path))
        }
        [ContextElement::Built(_, output)] => format!(
            "`addDrvOutputDependencies` can only act on derivations, not on a derivation output such as '{}'",
            shown(output)
        ),
        ref elements => format!(
            "context of string '{}' must have exactly one element, but has {}",
            shown(bytes.items()),
            elements.len()
        ),
    };
    Err(Error::evaluation(Pos::NONE, message))
}

/// What a string refers to, as a set by store path of `{ path, allOutputs, outputs }`, of which each is
/// only there if it says something.
fn get_context<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    let &[text] = args else { return Ok(Value::Null) };
    let what = "while evaluating the argument passed to builtins.getContext";
    let (_, context) = eval.force_string(text, Pos::NONE, what)?;
    let mut infos: BTreeMap<&StorePath, Info<'a>> = BTreeMap::new();
    for element in eval.contexts.elements(context) {
        let info = infos.entry(element.path()).or_default();
        match element {
            ContextElement::Opaque(_) => info.path = true,
            ContextElement::DrvDeep(_) => info.all_outputs = true,
            ContextElement::Built(_, output) => info.outputs.push(eval.string(output)),
        }
    }
    let all_outputs = eval.symbols.intern(ALL_OUTPUTS);
    let mut attrs = AttrsBuilder::with_capacity(infos.len());
    for (path, info) in infos {
        let name = eval.symbols.intern(&eval.store.dir().to_absolute(path));
        attrs.add(name, info.into_value(eval, all_outputs));
    }
    Ok(Value::Attrs(attrs.build(eval.arena)))
}

/// The attribute of a context that stands for a derivation with all that it needs.
const ALL_OUTPUTS: &[u8] = b"allOutputs";

/// What the context of a string says of one store path.
#[derive(Default)]
struct Info<'a> {
    path: bool,
    all_outputs: bool,
    outputs: Vec<Value<'a>>,
}

impl<'a> Info<'a> {
    fn into_value(self, eval: &Eval<'a>, all_outputs: Symbol) -> Value<'a> {
        let mut attrs = AttrsBuilder::with_capacity(3);
        if self.path {
            attrs.add(eval.known.path, Value::Bool(true));
        }
        if self.all_outputs {
            attrs.add(all_outputs, Value::Bool(true));
        }
        if !self.outputs.is_empty() {
            attrs.add(eval.known.outputs, eval.list(&self.outputs));
        }
        Value::Attrs(attrs.build(eval.arena))
    }
}

/// The opposite of `getContext`: adds to what a string refers to.
fn append_context<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    let &[text, infos] = args else { return Ok(Value::Null) };
    let what = "while evaluating the first argument passed to builtins.appendContext";
    let (bytes, context) = eval.force_string(text, Pos::NONE, what)?;
    let what = "while evaluating the second argument passed to builtins.appendContext";
    let infos = eval.force_attrs(infos, Pos::NONE, what)?;
    let mut elements: Vec<_> = eval.contexts.elements(context).into_iter().cloned().collect();
    for info in infos.iter(eval.arena) {
        append_info(eval, info, &mut elements)?;
    }
    Ok(Value::Str(eval.contexts.intern(elements), bytes))
}

/// Adds what one attribute of the second argument of `appendContext` says.
fn append_info<'a>(
    eval: &mut Eval<'a>,
    info: Attr<'a>,
    elements: &mut Vec<ContextElement>,
) -> Result<()> {
    let name = eval.symbol_bytes(info.name).items();
    let Ok(path) = eval.store.dir().parse(name) else {
        let message = format!("context key '{}' is not a store path", quoted(name));
        return Err(Error::evaluation(info.pos, message));
    };
    let is_derivation = name.ends_with(DRV_EXTENSION.as_bytes());
    let what = "while evaluating the value of a string context";
    let parts = eval.force_attrs(Value::Ref(info.slot), info.pos, what)?;
    let not_a_derivation = |kind: &str| {
        let name = quoted(name);
        let message = format!(
            "tried to add {kind} context of {name}, which is not a derivation, to a string"
        );
        Err(Error::evaluation(info.pos, message))
    };
    if let Some(attr) = parts.get_attr(eval.known.path) {
        let what = "while evaluating the `path` attribute of a string context";
        if eval.force_bool(Value::Ref(attr.slot), attr.pos, what)? {
            elements.push(ContextElement::Opaque(path.clone()));
        }
    }
    let all_outputs = eval.symbols.intern(ALL_OUTPUTS);
    if let Some(attr) = parts.get_attr(all_outputs) {
        let what = "while evaluating the `allOutputs` attribute of a string context";
        if eval.force_bool(Value::Ref(attr.slot), attr.pos, what)? {
            if !is_derivation {
                return not_a_derivation("all-outputs");
            }
            elements.push(ContextElement::DrvDeep(path.clone()));
        }
    }
    if let Some(attr) = parts.get_attr(eval.known.outputs) {
        let what = "while evaluating the `outputs` attribute of a string context";
        let outputs = eval.force_list(Value::Ref(attr.slot), attr.pos, what)?;
        if !outputs.is_empty() && !is_derivation {
            return not_a_derivation("derivation output");
        }
        for slot in outputs.items() {
            let what = "while evaluating an output name within a string context";
            let output = eval.force_string_no_context(Value::Ref(slot), attr.pos, what)?;
            elements.push(ContextElement::Built(path.clone(), output.items().into()));
        }
    }
    Ok(())
}

/// A name as it would stand in a set.
fn quoted(name: &[u8]) -> String {
    let mut out = Vec::new();
    write_attr_name(&mut out, name);
    String::from_utf8_lossy(&out).into_owned()
}
