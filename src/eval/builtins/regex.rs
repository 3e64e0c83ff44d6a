//! Regular expressions: `match` and `split`.

use std::ops::Range;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::PrimOp;
use crate::eval::Eval;
use crate::eval::error::{Error, Result};
use crate::eval::position::Pos;
use crate::eval::text::regex::{Regex, RegexError};
use crate::eval::value::Value;

/// The builtins of this file.
pub(super) const PRIMOPS: &[PrimOp] = &[
    PrimOp { name: "match", arity: 2, strict: 0b11, run: match_whole },
    PrimOp { name: "split", arity: 2, strict: 0b11, run: split },
];

/// The expressions that were used already, by their text: programs use few, each often.
#[derive(Debug, Default)]
pub(in crate::eval) struct Patterns(FxHashMap<Box<[u8]>, Rc<Regex>>);

impl Patterns {
    fn compile(&mut self, pattern: &[u8]) -> Result<Rc<Regex>> {
        if let Some(regex) = self.0.get(pattern) {
            return Ok(Rc::clone(regex));
        }
        let regex = Regex::new(pattern).map_err(|error| {
            let what = match error {
                RegexError::Invalid => "invalid regular expression",
                RegexError::TooBig => "memory limit exceeded by regular expression",
            };
            let pattern = String::from_utf8_lossy(pattern);
            Error::evaluation(Pos::NONE, format!("{what} '{pattern}'"))
        })?;
        let regex = Rc::new(regex);
        self.0.insert(pattern.into(), Rc::clone(&regex));
        Ok(regex)
    }
}

/// What the groups of an expression match in a string that it matches as a whole; null if it does not.
fn match_whole<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    let &[pattern, text] = args else { return Ok(Value::Null) };
    let what = "while evaluating the first argument passed to builtins.match";
    let pattern = eval.force_string_no_context(pattern, Pos::NONE, what)?;
    let regex = eval.patterns.compile(pattern.items())?;
    let what = "while evaluating the second argument passed to builtins.match";
    let (text, _) = eval.force_string(text, Pos::NONE, what)?;
    Ok(match regex.full_match(text.items()) {
        Some(groups) => list_of_groups(eval, text.items(), &groups),
        None => Value::Null,
    })
}

/// The parts of a string between the matches of an expression, and between those lists of what its
/// groups match.
fn split<'a>(eval: &mut Eval<'a>, args: &[Value<'a>], _: Pos) -> Result<Value<'a>> {
    let &[pattern, whole] = args else { return Ok(Value::Null) };
    let what = "while evaluating the first argument passed to builtins.split";
    let pattern = eval.force_string_no_context(pattern, Pos::NONE, what)?;
    let regex = eval.patterns.compile(pattern.items())?;
    let what = "while evaluating the second argument passed to builtins.split";
    let (text, context) = eval.force_string(whole, Pos::NONE, what)?;
    let bytes = text.items();
    let mut parts = Vec::new();
    let mut end = 0;
    for found in regex.split(bytes) {
        parts.push(eval.string(bytes.get(end..found.range.start).unwrap_or_default()));
        parts.push(list_of_groups(eval, bytes, &found.groups));
        end = found.range.end;
    }
    if parts.is_empty() {
        // Only here the context is kept.
        return Ok(eval.list(&[Value::Str(context, text)]));
    }
    parts.push(eval.string(bytes.get(end..).unwrap_or_default()));
    Ok(eval.list(&parts))
}

/// Null for a group that took no part in the match.
fn list_of_groups<'a>(eval: &Eval<'a>, text: &[u8], groups: &[Option<Range<usize>>]) -> Value<'a> {
    let group = |range: &Option<Range<usize>>| {
        let part = range.as_ref().and_then(|range| text.get(range.clone()));
        part.map_or(Value::Null, |part| eval.string(part))
    };
    let parts: Vec<Value<'a>> = groups.iter().map(group).collect();
    eval.list(&parts)
}
