//! Derivations: `derivationStrict`, `derivation` (in Nix, beside this file) and `placeholder`.

use std::collections::BTreeSet;

use super::PrimOp;
use crate::eval::Eval;
use crate::eval::coerce::Coercion;
use crate::eval::error::{Error, Result};
use crate::eval::io::Level;
use crate::eval::position::{Origin, Pos};
use crate::eval::print::json;
use crate::eval::text::json::write_string;
use crate::eval::value::{Attr, Attrs, AttrsBuilder, Context, ContextElement, Value};
use crate::store::{
    CaMethod, ContentAddress, Derivation, DownstreamPlaceholder, Hash, HashAlgo, HashFormat,
    Output, StorePath, check_name, hash_placeholder,
};
use crate::syntax::Symbol;

/// The builtins of this file.
pub(super) const PRIMOPS: &[PrimOp] = &[
    PrimOp { name: "derivationStrict", arity: 1, strict: 1, run: derivation_strict },
    PrimOp { name: "placeholder", arity: 1, strict: 1, run: placeholder },
];

/// What `import` makes of what a derivation's file tells.
const IMPORTED: &str = include_str!("imported.nix");

/// The source of `derivation`.
pub(super) const DERIVATION: &str = include_str!("derivation.nix");

/// `placeholder`: what stands for an output of a derivation inside of it.
fn placeholder<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.placeholder";
    let output = eval.force_string_no_context(args[0], pos, what)?;
    Ok(eval.string(hash_placeholder(output.items()).as_bytes()))
}

fn derivation_strict<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the argument passed to builtins.derivationStrict";
    let attrs = eval.force_attrs(args[0], pos, what)?;
    let Some(name) = attrs.get_attr(eval.known.name) else {
        let error = Error::missing_attribute(pos, "name");
        let what = "in the attrset passed as argument to builtins.derivationStrict";
        return Err(error.while_(pos, what));
    };
    let what = "while evaluating the `name` attribute passed to builtins.derivationStrict";
    let name_bytes =
        eval.force_string_no_context(Value::Ref(name.slot), name.pos, what).map_err(|error| {
            error.while_(name.pos, "while evaluating the derivation attribute 'name'")
        })?;
    let drv_name = check_name(name_bytes.items()).map_err(|error| {
        let message = format!("invalid derivation name: {error}. Please pass a different 'name'.");
        Error::evaluation(name.pos, message)
    });
    drv_name.and_then(|drv_name| instantiate(eval, drv_name, attrs, pos)).map_err(|error| {
        let mut message = format!(
            "while evaluating derivation '{}'",
            String::from_utf8_lossy(name_bytes.items())
        );
        if let Some(place) = eval.sources.describe(name.pos) {
            message.push_str("\n  whose name attribute is located at ");
            message.push_str(&place);
        }
        error.with_context(Pos::NONE, message)
    })
}

/// What the attributes say about a derivation besides its environment.
struct Builder {
    drv: Derivation,
    context: Context,
    content_addressed: bool,
    impure: bool,
    output_hash: Option<Vec<u8>>,
    output_hash_algo: Option<HashAlgo>,
    method: Option<CaMethod>,
    outputs: BTreeSet<Box<[u8]>>,
    /// The text of `__json` so far: from the brace at its start, without that at its end.
    json: Option<Vec<u8>>,
    pos: Pos,
}

/// Makes the derivation, and the set of its paths.
fn instantiate<'a>(
    eval: &mut Eval<'a>,
    drv_name: &str,
    attrs: Attrs<'a>,
    pos: Pos,
) -> Result<Value<'a>> {
    let structured = optional_bool(
        eval,
        attrs,
        eval.known.structured_attrs,
        "while evaluating the `__structuredAttrs` attribute passed to builtins.derivationStrict",
    )?;
    let ignore_nulls = optional_bool(
        eval,
        attrs,
        eval.known.ignore_nulls,
        "while evaluating the `__ignoreNulls` attribute passed to builtins.derivationStrict",
    )?;
    let mut builder = Builder {
        drv: Derivation::new(drv_name),
        context: Context::NONE,
        content_addressed: false,
        impure: false,
        output_hash: None,
        output_hash_algo: None,
        method: None,
        outputs: BTreeSet::from([Box::from(&b"out"[..])]),
        json: structured.then(|| vec![b'{']),
        pos,
    };
    let sorted = attrs.sorted(eval.arena, &eval.symbols);
    for attr in sorted {
        if attr.name == eval.known.ignore_nulls {
            continue;
        }
        builder.attribute(eval, attr, ignore_nulls).map_err(|error| {
            let message = format!(
                "while evaluating attribute '{}' of derivation '{drv_name}'",
                eval.symbols.quoted(attr.name)
            );
            error.while_(attr.pos, message)
        })?;
    }
    if let Some(mut json) = builder.json.take() {
        json.push(b'}');
        builder.drv.structured_attrs = Some(json.into());
    }
    builder.finish(eval)
}

fn optional_bool<'a>(
    eval: &mut Eval<'a>,
    attrs: Attrs<'a>,
    name: Symbol,
    what: &'static str,
) -> Result<bool> {
    match attrs.get_attr(name) {
        Some(attr) => eval.force_bool(Value::Ref(attr.slot), attr.pos, what),
        None => Ok(false),
    }
}

impl Builder {
    /// Takes up one attribute.
    fn attribute<'a>(
        &mut self,
        eval: &mut Eval<'a>,
        attr: Attr<'a>,
        ignore_nulls: bool,
    ) -> Result<()> {
        let value = Value::Ref(attr.slot);
        if ignore_nulls && matches!(eval.force(value, attr.pos)?, Value::Null) {
            return Ok(());
        }
        let known = eval.known;
        if attr.name == known.content_addressed {
            self.content_addressed = eval.force_bool(value, attr.pos, "")?;
            let enabled = eval.settings.features.ca_derivations;
            return feature(self.content_addressed, enabled, "ca-derivations", attr.pos);
        }
        if attr.name == known.impure {
            self.impure = eval.force_bool(value, attr.pos, "")?;
            let enabled = eval.settings.features.impure_derivations;
            return feature(self.impure, enabled, "impure-derivations", attr.pos);
        }
        if attr.name == known.args {
            return self.arguments(eval, value, attr.pos);
        }
        if self.json.is_some() {
            return self.structured(eval, attr);
        }
        let (text, context) = eval.coerce(value, attr.pos, Coercion::DERIVATION, "")?;
        self.context = eval.contexts.union(self.context, context);
        let text = text.items();
        if attr.name == known.json {
            let message = format!(
                "In derivation '{}': setting structured attributes via '__json' is deprecated, and may be disallowed in future versions of Nix. Set '__structuredAttrs = true' instead.",
                self.drv.name
            );
            eval.io.message(Level::Remark, message.as_bytes());
            self.drv.structured_attrs = Some(text.into());
            return Ok(());
        }
        self.drv.env.insert(eval.variable_name(attr.name), text.into());
        if attr.name == known.builder {
            self.drv.builder = text.into();
        } else if attr.name == known.system {
            self.drv.platform = text.into();
        } else if attr.name == known.output_hash {
            self.output_hash = Some(text.to_vec());
        } else if attr.name == known.output_hash_algo {
            self.output_hash_algo = algorithm(text);
        } else if attr.name == known.output_hash_mode {
            self.hash_mode(eval, text)?;
        } else if attr.name == known.outputs {
            let words =
                text.split(|byte| b" \t\n\r".contains(byte)).filter(|word| !word.is_empty());
            self.set_outputs(words)?;
        }
        Ok(())
    }

    fn arguments<'a>(&mut self, eval: &mut Eval<'a>, value: Value<'a>, pos: Pos) -> Result<()> {
        let list = eval.force_list(value, pos, "")?;
        for slot in list.items() {
            let what = "while evaluating an element of the argument list";
            let (text, context) = eval.coerce(Value::Ref(slot), pos, Coercion::DERIVATION, what)?;
            self.context = eval.contexts.union(self.context, context);
            self.drv.args.push(text.items().into());
        }
        Ok(())
    }

    /// Takes up one attribute where all go into one JSON text.
    fn structured<'a>(&mut self, eval: &mut Eval<'a>, attr: Attr<'a>) -> Result<()> {
        let known = eval.known;
        if attr.name == known.structured_attrs {
            return Ok(());
        }
        let value = Value::Ref(attr.slot);
        if let Some(mut out) = self.json.take() {
            if out.len() > 1 {
                out.push(b',');
            }
            let name = eval.symbol_bytes(attr.name);
            write_string(&mut out, name.items())
                .map_err(|error| Error::evaluation(attr.pos, error.to_string()))?;
            out.push(b':');
            json::to_json(eval, value, attr.pos, true, &mut out, &mut self.context)?;
            self.json = Some(out);
        }
        if attr.name == known.builder {
            let (text, context) = eval.force_string(value, attr.pos, "")?;
            self.context = eval.contexts.union(self.context, context);
            self.drv.builder = text.items().into();
        } else if attr.name == known.system {
            self.drv.platform = eval.force_string_no_context(value, attr.pos, "")?.items().into();
        } else if attr.name == known.output_hash {
            let text = eval.force_string_no_context(value, attr.pos, "")?;
            self.output_hash = Some(text.items().to_vec());
        } else if attr.name == known.output_hash_algo {
            let text = eval.force_string_no_context(value, attr.pos, "")?;
            self.output_hash_algo = algorithm(text.items());
        } else if attr.name == known.output_hash_mode {
            let text = eval.force_string_no_context(value, attr.pos, "")?;
            self.hash_mode(eval, text.items())?;
        } else if attr.name == known.outputs {
            let list = eval.force_list(value, attr.pos, "")?;
            let mut names = Vec::with_capacity(list.len());
            for slot in list.items() {
                names.push(eval.force_string_no_context(Value::Ref(slot), attr.pos, "")?.items());
            }
            self.set_outputs(names.into_iter())?;
        } else {
            self.warn_without_effect(eval, attr.name);
        }
        Ok(())
    }

    /// Some attributes only work outside of structured ones.
    fn warn_without_effect(&self, eval: &mut Eval<'_>, name: Symbol) {
        const WITHOUT_EFFECT: [&[u8]; 6] = [
            b"allowedReferences",
            b"allowedRequisites",
            b"disallowedReferences",
            b"disallowedRequisites",
            b"maxSize",
            b"maxClosureSize",
        ];
        let name = eval.symbols.name(name);
        if WITHOUT_EFFECT.contains(&name) {
            let name = String::from_utf8_lossy(name);
            let message = format!(
                "In a derivation named '{}', 'structuredAttrs' disables the effect of the derivation attribute '{name}'; use 'outputChecks.<output>.{name}' instead",
                self.drv.name
            );
            eval.io.message(Level::Remark, message.as_bytes());
        }
    }

    fn hash_mode(&mut self, eval: &Eval<'_>, mode: &[u8]) -> Result<()> {
        let method = if mode == b"recursive" { Ok(CaMethod::Nar) } else { CaMethod::parse(mode) };
        let method = method.map_err(|_| {
            let mode = String::from_utf8_lossy(mode);
            let message = format!("invalid value '{mode}' for 'outputHashMode' attribute");
            Error::evaluation(self.pos, message)
        })?;
        self.method = Some(method);
        let dynamic = eval.settings.features.dynamic_derivations;
        if method == CaMethod::Text && !dynamic {
            let message = format!(
                "experimental Nix feature 'dynamic-derivations' is disabled (text-hashed derivation '{}', outputHashMode = \"text\"); add '--extra-experimental-features dynamic-derivations' to enable it",
                self.drv.name
            );
            return Err(Error::evaluation(self.pos, message));
        }
        feature(method == CaMethod::Git, false, "git-hashing", self.pos)
    }

    fn set_outputs<'n>(&mut self, names: impl Iterator<Item = &'n [u8]>) -> Result<()> {
        self.outputs.clear();
        for name in names {
            if name == b"drvPath" {
                let message = "invalid derivation output name 'drvPath'";
                return Err(Error::evaluation(self.pos, message));
            }
            if !self.outputs.insert(name.into()) {
                let name = String::from_utf8_lossy(name);
                let message = format!("duplicate derivation output '{name}'");
                return Err(Error::evaluation(self.pos, message));
            }
        }
        if self.outputs.is_empty() {
            let message = "derivation cannot have an empty set of outputs";
            return Err(Error::evaluation(self.pos, message));
        }
        Ok(())
    }

    /// Everything is known: inputs from the context, outputs, the paths.
    fn finish<'a>(mut self, eval: &mut Eval<'a>) -> Result<Value<'a>> {
        self.add_inputs(eval)?;
        for (value, name) in [(&self.drv.builder, "builder"), (&self.drv.platform, "system")] {
            if value.is_empty() {
                let message = format!("required attribute '{name}' missing");
                return Err(Error::evaluation(self.pos, message));
            }
        }
        let only_out = self.outputs.len() == 1 && self.outputs.contains(&b"out"[..]);
        if self.drv.name.ends_with(".drv") && !(self.method == Some(CaMethod::Text) && only_out) {
            let message = "derivation names are allowed to end in '.drv' only if they produce a single derivation file";
            return Err(Error::evaluation(self.pos, message));
        }
        self.add_outputs(eval, only_out)?;
        let io = eval.io;
        let dir = eval.store.dir().clone();
        let path = eval.store.hashes.instantiate(&mut self.drv, &mut |input: &StorePath| {
            io.read_file(&dir.to_absolute(input))
        });
        let path = path.map_err(|error| Error::evaluation(self.pos, error.to_string()))?;
        result(eval, path, self.drv)
    }

    fn add_outputs(&mut self, eval: &mut Eval<'_>, only_out: bool) -> Result<()> {
        let store = eval.store.dir().clone();
        let pos = self.pos;
        let failed = |error: crate::store::StoreError| Error::evaluation(pos, error.to_string());
        if let Some(text) = self.output_hash.take() {
            if !only_out {
                let message = "multiple outputs are not supported in fixed-output derivations";
                return Err(Error::evaluation(self.pos, message));
            }
            let hash = hash_or_zeros(eval, &text, self.output_hash_algo, self.pos)?;
            let method = self.method.unwrap_or(CaMethod::Flat);
            let output = Output::Fixed(ContentAddress { method, hash });
            return self.drv.add_output(&store, b"out", output).map_err(failed);
        }
        if self.content_addressed && self.impure {
            let message = "derivation cannot be both content-addressed and impure";
            return Err(Error::evaluation(self.pos, message));
        }
        let algo = self.output_hash_algo.unwrap_or(HashAlgo::Sha256);
        let method = self.method.unwrap_or(CaMethod::Nar);
        for name in &self.outputs {
            let output = if self.impure {
                Output::Impure(method, algo)
            } else if self.content_addressed {
                Output::Floating(method, algo)
            } else {
                Output::Deferred
            };
            self.drv.add_output(&store, name, output).map_err(failed)?;
        }
        Ok(())
    }

    /// All that strings among the attributes refer to becomes an input.
    fn add_inputs(&mut self, eval: &mut Eval<'_>) -> Result<()> {
        let elements: Vec<_> = eval.contexts.elements(self.context).into_iter().cloned().collect();
        for element in elements {
            match element {
                ContextElement::Opaque(path) => {
                    self.drv.inputs.srcs.insert(path);
                }
                ContextElement::Built(path, output) => self.drv.inputs.add_output(&path, &output),
                ContextElement::DrvDeep(path) => self.add_closure(eval, path)?,
            }
        }
        Ok(())
    }

    /// The derivation, all that it needs, and all outputs of all derivations among that.
    fn add_closure(&mut self, eval: &mut Eval<'_>, path: StorePath) -> Result<()> {
        let mut open = vec![path];
        let mut seen = BTreeSet::new();
        while let Some(path) = open.pop() {
            if !seen.insert(path.clone()) {
                continue;
            }
            if let Some(text) = eval.store.text(&path) {
                open.extend(text.references.iter().cloned());
            } else if path.is_derivation() {
                let drv = eval.derivation(&path, self.pos)?;
                for output in drv.outputs.keys() {
                    self.drv.inputs.add_output(&path, output);
                }
                open.extend(drv.inputs.paths().cloned());
            }
            self.drv.inputs.srcs.insert(path);
        }
        Ok(())
    }
}

/// The set of a derivation's paths.
fn result<'a>(eval: &mut Eval<'a>, path: StorePath, drv: Derivation) -> Result<Value<'a>> {
    let set = paths(eval, &path, &drv)?.build(eval.arena);
    eval.store.add_derivation(path, drv);
    Ok(Value::Attrs(set))
}

/// The derivation whose file stands at `path`, if that is a derivation's file and there.
pub(super) fn imported<'a>(
    eval: &mut Eval<'a>,
    path: &[u8],
    pos: Pos,
) -> Result<Option<Value<'a>>> {
    let Ok(store_path) = eval.store.dir().parse(path) else { return Ok(None) };
    let known = eval.store.derivation(&store_path).is_some();
    if !store_path.is_derivation() || !(known || eval.file_type(path, pos)?.is_some()) {
        return Ok(None);
    }
    let drv = eval.derivation(&store_path, pos)?;
    let mut told = paths(eval, &store_path, &drv)?;
    let name = drv.env.get(b"name").map_or(&b""[..], |name| &**name);
    told.add(eval.known.name, eval.string(name));
    let outputs: Vec<_> = drv.outputs.keys().map(|name| eval.string(name)).collect();
    told.add(eval.known.outputs, eval.list(&outputs));
    let told = Value::Attrs(told.build(eval.arena));
    let origin = Origin::File((*b"/builtin/imported.nix").into());
    let function = eval.eval_string(IMPORTED.as_bytes(), b"/", origin)?;
    eval.call(function, &[told], pos).map(Some)
}

/// The paths of a derivation: its own, and those of its outputs.
fn paths<'a>(eval: &mut Eval<'a>, path: &StorePath, drv: &Derivation) -> Result<AttrsBuilder<'a>> {
    let mut set = AttrsBuilder::with_capacity(3 + drv.outputs.len());
    let mut text = Vec::with_capacity(96);
    eval.store.dir().push_absolute(path, &mut text);
    let context = eval.contexts.intern([ContextElement::DrvDeep(path.clone())]);
    set.add(eval.known.drv_path, eval.string_with(&text, context));
    for (name, output) in &drv.outputs {
        let known = output.path(eval.store.dir(), &drv.name, name)?;
        let text = match known {
            Some(path) => eval.store.dir().to_absolute(&path),
            None => DownstreamPlaceholder::unknown_ca_output(path, name).render().into_bytes(),
        };
        let context = eval.contexts.intern([ContextElement::Built(path.clone(), name.clone())]);
        let symbol = eval.symbols.intern(name);
        set.add(symbol, eval.string_with(&text, context));
    }
    Ok(set)
}

/// An algorithm by its name; none that Nix does not have.
fn algorithm(name: &[u8]) -> Option<HashAlgo> {
    HashAlgo::from_name(name)
}

/// A hash in any form. An empty one counts as zeros, which a build then says the right one for.
pub(super) fn hash_or_zeros(
    eval: &Eval<'_>,
    text: &[u8],
    algo: Option<HashAlgo>,
    pos: Pos,
) -> Result<Hash> {
    if !text.is_empty() {
        return Hash::parse(text, algo).map_err(|error| Error::evaluation(pos, error.to_string()));
    }
    let zeros = algo.and_then(|algo| Hash::from_digest(algo, &vec![0; algo.size()]));
    let Some(hash) = zeros else {
        return Err(Error::evaluation(pos, "empty hash requires explicit hash algorithm"));
    };
    let message = format!("found empty hash, assuming '{}'", hash.to_text(HashFormat::Sri, true));
    eval.io.message(Level::Remark, message.as_bytes());
    Ok(hash)
}

/// Fails if a feature is used that is not enabled.
pub(super) fn feature(used: bool, enabled: bool, name: &str, pos: Pos) -> Result<()> {
    if used && !enabled {
        let message = format!(
            "experimental Nix feature '{name}' is disabled; add '--extra-experimental-features {name}' to enable it"
        );
        return Err(Error::evaluation(pos, message));
    }
    Ok(())
}
