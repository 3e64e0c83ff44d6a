//! One evaluation of a flake: its hosts' names, and the value of the facts expression for one host after the
//! other.

use super::message::refused;
use super::work::Kind;
use crate::eval::Eval;
use crate::eval::error::{Error, Result};
use crate::eval::io::EvalIo;
use crate::eval::position::{Origin, Pos};
use crate::eval::print::json::to_json;
use crate::eval::store_state::StoreState;
use crate::eval::value::{Attrs, AttrsBuilder, Context, Value};
use crate::facts::evaluator::{EvalError, FACTS_NIX};
use crate::flake::Opened;

/// The attribute of a flake that has the hosts.
const HOSTS: &[u8] = b"nixosConfigurations";

/// A flake that is being evaluated.
pub(super) struct Session<'e, 'a> {
    eval: &'e mut Eval<'a>,
    /// `nixosConfigurations`
    hosts: Attrs<'a>,
    /// The facts expression.
    facts: Value<'a>,
}

impl<'e, 'a> Session<'e, 'a> {
    /// Evaluates the flake up to the names of its hosts. `flake` is how the user calls it.
    pub(super) fn start(
        eval: &'e mut Eval<'a>,
        opened: &Opened,
        flake: &str,
    ) -> std::result::Result<Self, EvalError> {
        let started = (|| {
            let outputs = opened.outputs(eval)?;
            let name = eval.symbols.intern(HOSTS);
            let outputs = eval.force_attrs(outputs, Pos::NONE, "while evaluating the outputs")?;
            let Some(hosts) = outputs.get(name) else { return Ok(None) };
            let what = "while evaluating the flake's attribute 'nixosConfigurations'";
            let hosts = eval.force_attrs(Value::Ref(hosts), Pos::NONE, what)?;
            let facts = eval.eval_string(FACTS_NIX.as_bytes(), b"/", Origin::String)?;
            Ok(Some((hosts, facts)))
        })();
        opened.show_folders(eval);
        match started {
            Ok(Some((hosts, facts))) => Ok(Self { eval, hosts, facts }),
            Ok(None) => Err(EvalError::NoHosts { flake: flake.to_owned() }),
            Err(error) => Err(Self::failed(eval, &error)),
        }
    }

    /// The hosts' names, in Nix' order.
    pub(super) fn names(&self) -> Vec<String> {
        let sorted = self.hosts.sorted(self.eval.arena, &self.eval.symbols);
        sorted.map(|host| self.eval.symbols.text(host.name).into_owned()).collect()
    }

    /// The value of a host, as JSON.
    pub(super) fn host(
        &mut self,
        name: &str,
        kind: Kind,
    ) -> std::result::Result<String, EvalError> {
        let json = self.evaluate(name, kind).map_err(|error| Self::failed(self.eval, &error))?;
        String::from_utf8(json).map_err(|error| EvalError::NotJson { reason: error.to_string() })
    }

    /// What the evaluation has made for the store, and where it finds what it has copied.
    pub(super) fn made(&self) -> (&StoreState, &dyn EvalIo) {
        (&self.eval.store, self.eval.io)
    }

    /// How much memory all values take.
    pub(super) fn used(&self) -> usize {
        self.eval.arena.used()
    }

    fn evaluate(&mut self, name: &str, kind: Kind) -> Result<Vec<u8>> {
        let eval = &mut *self.eval;
        let mut wanted = AttrsBuilder::default();
        let host = eval.string(name.as_bytes());
        wanted.add(eval.symbols.intern(b"host"), host);
        let scope = eval.string(kind.name().as_bytes());
        wanted.add(eval.symbols.intern(b"scope"), scope);
        let wanted = Value::Attrs(wanted.build(eval.arena));
        let answer = eval.call(self.facts, &[wanted, Value::Attrs(self.hosts)], Pos::NONE)?;
        let mut found = eval.force_attrs(answer, Pos::NONE, "while reading the facts")?;
        for attr in ["hosts", name] {
            let symbol = eval.symbols.intern(attr.as_bytes());
            let slot =
                found.get(symbol).ok_or_else(|| Error::missing_attribute(Pos::NONE, attr))?;
            found = eval.force_attrs(Value::Ref(slot), Pos::NONE, "while reading the facts")?;
        }
        let (mut json, mut context) = (Vec::new(), Context::NONE);
        to_json(eval, Value::Attrs(found), Pos::NONE, true, &mut json, &mut context)?;
        Ok(json)
    }

    fn failed(eval: &Eval<'a>, error: &Error) -> EvalError {
        refused(error.data(), &eval.sources)
    }
}
