//! The derivations that a result is: itself, or those in its sets and lists, as nix-instantiate(1) finds them.

use rustc_hash::FxHashSet;

use super::Eval;
use super::coerce::Coercion;
use super::error::{Error, Result};
use super::position::Pos;
use super::text::shown;
use super::value::{Attrs, Value};
use crate::store::StorePath;

/// A derivation that was found, and which of its outputs was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its path.
    pub path: StorePath,
    /// The output.
    pub output: Box<[u8]>,
}

impl<'a> Eval<'a> {
    /// The derivations that a value is; functions on the way are called with `args`. Sets in sets are looked into
    /// if they have `recurseForDerivations = true`.
    ///
    /// # Errors
    ///
    /// If it is something else than a derivation, or a set or list of those; and what evaluating fails with.
    pub fn derivations(&mut self, value: Value<'a>, args: Attrs<'a>) -> Result<Vec<Found>> {
        let mut search = Search { eval: self, args, seen: FxHashSet::default(), sets: Vec::new() };
        search.look_into(value)?;
        let sets = search.sets;
        sets.into_iter().map(|set| self.found(set)).collect()
    }

    fn found(&mut self, set: Attrs<'a>) -> Result<Found> {
        let Some(attr) = set.get_attr(self.known.drv_path) else {
            let message = "derivation does not contain a 'drvPath' attribute";
            return Err(Error::evaluation(Pos::NONE, message));
        };
        let what = "while evaluating the 'drvPath' attribute of a derivation";
        let value = Value::Ref(attr.slot);
        let (text, _) = self.coerce(value, attr.pos, Coercion::PLAIN, what)?;
        let path = self.store.dir().parse(text.items());
        let path = path.and_then(|path| path.derivation_name().map(|_| path.clone()));
        let path = path.map_err(|error| Error::from(error).while_(attr.pos, what))?;
        let Some(attr) = set.get_attr(self.known.output_name) else {
            let path = self.store.dir().to_absolute(&path);
            let message = format!("derivation '{}' lacks an 'outputName' attribute", shown(&path));
            return Err(Error::evaluation(Pos::NONE, message));
        };
        let what = "while evaluating the output name of a derivation";
        let output = self.force_string_no_context(Value::Ref(attr.slot), attr.pos, what)?;
        Ok(Found { path, output: output.items().into() })
    }
}

/// A search that is going on.
struct Search<'e, 'a> {
    eval: &'e mut Eval<'a>,
    args: Attrs<'a>,
    /// Sets that are known to be derivations.
    seen: FxHashSet<usize>,
    /// The derivations, in order.
    sets: Vec<Attrs<'a>>,
}

impl<'a> Search<'_, 'a> {
    /// Looks for derivations in a value that may be one.
    fn look_into(&mut self, value: Value<'a>) -> Result<()> {
        self.eval.check_stack()?;
        let value = self.eval.call_with(value, self.args)?;
        if self.is_derivation(value)? {
            return Ok(());
        }
        match value {
            Value::Attrs(set) => self.look_into_set(set),
            Value::List(list) => {
                for slot in list.items() {
                    let element = self.eval.force(Value::Ref(slot), Pos::NONE)?;
                    if !self.is_derivation(element)? {
                        self.look_into(element)?;
                    }
                }
                Ok(())
            }
            _ => {
                let message =
                    "expression does not evaluate to a derivation (or a set or list of those)";
                Err(Error::type_error(Pos::NONE, message))
            }
        }
    }

    fn look_into_set(&mut self, set: Attrs<'a>) -> Result<()> {
        let combine = self.eval.symbols.intern(b"_combineChannels");
        let all = set.get(combine).is_some();
        for attr in set.sorted(self.eval.arena, &self.eval.symbols) {
            let name = self.eval.symbols.name(attr.name);
            if !is_plain_name(name) {
                continue;
            }
            let value = Value::Ref(attr.slot);
            let looked = if all { self.look_into(value) } else { self.look_at(value) };
            looked.map_err(|error| {
                let name = self.eval.symbols.text(attr.name);
                error.while_(attr.pos, format!("while evaluating the attribute '{name}'"))
            })?;
        }
        Ok(())
    }

    /// Looks at an attribute: into a set only if that asks for it.
    fn look_at(&mut self, value: Value<'a>) -> Result<()> {
        let value = self.eval.force(value, Pos::NONE)?;
        if self.is_derivation(value)? {
            return Ok(());
        }
        let Value::Attrs(set) = value else { return Ok(()) };
        let Some(attr) = set.get_attr(self.eval.known.recurse_for_derivations) else {
            return Ok(());
        };
        let what = "while evaluating the attribute `recurseForDerivations`";
        if self.eval.force_bool(Value::Ref(attr.slot), attr.pos, what)? {
            self.look_into(value)?;
        }
        Ok(())
    }

    /// Is it a derivation? Each is taken once.
    fn is_derivation(&mut self, value: Value<'a>) -> Result<bool> {
        let Value::Attrs(set) = value else { return Ok(false) };
        if !self.eval.is_derivation(set, Pos::NONE)? {
            return Ok(false);
        }
        if self.seen.insert(set.address()) {
            // As Nix does, which wants to know its name here.
            let what = "while evaluating the 'name' attribute of a derivation";
            let Some(name) = set.get(self.eval.known.name) else {
                return Err(Error::type_error(Pos::NONE, "derivation name missing"));
            };
            self.eval.force_string_no_context(Value::Ref(name), Pos::NONE, what)?;
            self.sets.push(set);
        }
        Ok(true)
    }
}

/// Is it a name that is looked into? (Nix' own rule: no quote, but a plus.)
fn is_plain_name(name: &[u8]) -> bool {
    let Some((first, rest)) = name.split_first() else { return false };
    (first.is_ascii_alphabetic() || *first == b'_')
        && rest.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_+".contains(byte))
}
