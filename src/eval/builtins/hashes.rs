//! `hashString`, `hashFile`, `convertHash`.

use super::PrimOp;
use super::derivation::feature;
use crate::eval::Eval;
use crate::eval::error::{Error, Result};
use crate::eval::io::Level;
use crate::eval::position::Pos;
use crate::eval::value::{Attrs, Value};
use crate::store::{Hash, HashAlgo, HashFormat};

/// The builtins of this file.
pub(super) const PRIMOPS: &[PrimOp] = &[
    PrimOp { name: "convertHash", arity: 1, strict: 1, run: convert_hash },
    PrimOp { name: "hashFile", arity: 2, strict: 0b11, run: hash_file },
    PrimOp { name: "hashString", arity: 2, strict: 0b11, run: hash_string },
];

fn hash_string<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.hashString";
    let algo = algorithm(eval, args[0], pos, what)?;
    let what = "while evaluating the second argument passed to builtins.hashString";
    let (text, _) = eval.force_string(args[1], pos, what)?;
    let hash = Hash::of(algo, text.items());
    Ok(eval.string(hash.to_text(HashFormat::Base16, false).as_bytes()))
}

fn hash_file<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.hashFile";
    let algo = algorithm(eval, args[0], pos, what)?;
    let path = eval.realise_path(args[1], pos)?;
    let contents = eval.read_file(path.items(), pos)?;
    let hash = Hash::of(algo, &contents);
    Ok(eval.string(hash.to_text(HashFormat::Base16, false).as_bytes()))
}

fn convert_hash<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], pos: Pos) -> Result<Value<'a>> {
    let what = "while evaluating the first argument passed to builtins.convertHash";
    let attrs = eval.force_attrs(args[0], pos, what)?;
    let failed = |error: crate::store::StoreError| Error::evaluation(pos, error.to_string());
    let text = required(eval, attrs, "hash", pos)?;
    let algo = match optional(eval, attrs, "hashAlgo", pos)? {
        Some(name) => Some(HashAlgo::parse(name).map_err(failed)?),
        None => None,
    };
    let format = required(eval, attrs, "toHashFormat", pos)?;
    if format == b"base32" {
        let message = br#""base32" is a deprecated alias for hash format "nix32"."#;
        eval.io.message(Level::Remark, message);
    }
    let format = HashFormat::parse(format).map_err(failed)?;
    let hash = Hash::parse(text, algo).map_err(failed)?;
    Ok(eval.string(hash.to_text(format, format == HashFormat::Sri).as_bytes()))
}

fn algorithm<'a>(
    eval: &mut Eval<'a>,
    value: Value<'a>,
    pos: Pos,
    what: &'static str,
) -> Result<HashAlgo> {
    let name = eval.force_string_no_context(value, pos, what)?;
    let algo = HashAlgo::parse(name.items());
    let algo = algo.map_err(|error| Error::evaluation(pos, error.to_string()))?;
    let blake3 = eval.settings.features.blake3_hashes;
    feature(algo == HashAlgo::Blake3, blake3, "blake3-hashes", pos)?;
    Ok(algo)
}

fn optional<'a>(
    eval: &mut Eval<'a>,
    attrs: Attrs<'a>,
    name: &'static str,
    pos: Pos,
) -> Result<Option<&'a [u8]>> {
    let symbol = eval.symbols.intern(name.as_bytes());
    let Some(slot) = attrs.get(symbol) else { return Ok(None) };
    let what = match name {
        "hash" => "while evaluating the attribute 'hash'",
        "hashAlgo" => "while evaluating the attribute 'hashAlgo'",
        _ => "while evaluating the attribute 'toHashFormat'",
    };
    Ok(Some(eval.force_string_no_context(Value::Ref(slot), pos, what)?.items()))
}

fn required<'a>(
    eval: &mut Eval<'a>,
    attrs: Attrs<'a>,
    name: &'static str,
    pos: Pos,
) -> Result<&'a [u8]> {
    optional(eval, attrs, name, pos)?.ok_or_else(|| {
        let error = Error::missing_attribute(pos, name);
        error.while_(pos, format!("while locating the attribute '{name}'"))
    })
}
