//! The [`Evaluator`] that asks the `nix` program: one `nix eval` for each call.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::evaluator::{EachHost, EvalError, Evaluator, FACTS_NIX, Scope};
use super::flake_ref::installable;
use super::host::{HostSummary, decode_host, decode_summary};
use super::image::{IMAGE_NIX, Image, Images, decode, nothing_asked};
use super::model::HostFacts;
use super::names::{host_name, unknown_host};
use crate::process::Runner;
use crate::process::nix::{Nix, clean_error};
use crate::validated::HostName;

/// Evaluates with the `nix` program.
#[derive(Clone)]
pub struct NixEvaluator {
    runner: Arc<dyn Runner>,
    nix: Nix,
}

/// What a call wants of [`FACTS_NIX`].
#[derive(Clone, Copy)]
enum Wanted<'a> {
    Summaries,
    All(Scope),
    Host(&'a HostName, Scope),
}

impl NixEvaluator {
    /// An evaluator that runs `nix` with `runner`.
    #[must_use]
    pub fn new(runner: Arc<dyn Runner>, nix: Nix) -> Self {
        Self { runner, nix }
    }

    /// Runs `nix eval` and takes its answer apart.
    async fn evaluate(&self, flake: &str, wanted: Wanted<'_>) -> Result<Answer, EvalError> {
        let installable = installable(flake, "nixosConfigurations");
        let command = self.nix.eval_json(&installable, &apply(wanted));
        let output = self.runner.run(&command).await?;
        if !output.ok() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            let message = clean_error(&stderr);
            let replaced = replaced(&self.nix.override_inputs, &message);
            return Err(replaced.unwrap_or_else(|| refused(flake, message)));
        }
        let value: Value = serde_json::from_slice(&output.stdout)
            .map_err(|error| EvalError::NotJson { reason: error.to_string() })?;
        Answer::from_value(value)
    }
}

#[async_trait]
impl Evaluator for NixEvaluator {
    async fn hosts(&self, flake: &str) -> Result<EachHost<HostSummary>, EvalError> {
        let answer = self.evaluate(flake, Wanted::Summaries).await?;
        Ok(each(&answer.hosts, |name, value| Ok(decode_summary(name, value)?)))
    }

    async fn facts(
        &self,
        flake: &str,
        host: &HostName,
        scope: Scope,
    ) -> Result<HostFacts, EvalError> {
        let answer = self.evaluate(flake, Wanted::Host(host, scope)).await?;
        match answer.hosts.get(host.as_str()) {
            Some(value) => Ok(decode_host(host, value)?),
            None => Err(unknown_host(host, answer.known)),
        }
    }

    async fn facts_of_all(
        &self,
        flake: &str,
        scope: Scope,
    ) -> Result<EachHost<HostFacts>, EvalError> {
        let answer = self.evaluate(flake, Wanted::All(scope)).await?;
        Ok(each(&answer.hosts, |name, value| Ok(decode_host(&host_name(name)?, value)?)))
    }
}

#[async_trait]
impl Images for NixEvaluator {
    async fn image(&self, flake: &str, attrs: &[&str]) -> Result<Image, EvalError> {
        let mut missing = None;
        for attr in attrs {
            let command = self.nix.eval_json(&installable(flake, attr), IMAGE_NIX);
            let output = self.runner.run(&command).await?;
            if output.ok() {
                return decode(flake, attr, &output.stdout);
            }
            let message = clean_error(&String::from_utf8_lossy(&output.stderr));
            let first = message.lines().next().unwrap_or_default();
            if !first.contains("does not provide attribute") {
                let replaced = replaced(&self.nix.override_inputs, &message);
                return Err(replaced.unwrap_or_else(|| refused(flake, message)));
            }
            missing = missing.or(Some(EvalError::NoSuchOutput { message }));
        }
        Err(missing.unwrap_or_else(nothing_asked))
    }
}

/// Decodes every host. Whether one evaluates can't be told by itself here: nix gives all or nothing.
fn each<T>(
    hosts: &serde_json::Map<String, Value>,
    decode: impl Fn(&str, &Value) -> Result<T, EvalError>,
) -> EachHost<T> {
    let mut each = EachHost::from(Vec::new());
    for (name, value) in hosts {
        each.add(name, decode(name, value));
    }
    each
}

/// The value of [`FACTS_NIX`].
struct Answer {
    known: Vec<String>,
    hosts: serde_json::Map<String, Value>,
}

impl Answer {
    fn from_value(value: Value) -> Result<Self, EvalError> {
        let unexpected =
            || EvalError::NotJson { reason: "not the facts that were asked for".into() };
        let Value::Object(mut value) = value else { return Err(unexpected()) };
        let known = value.remove("known").and_then(|known| serde_json::from_value(known).ok());
        let Some(Value::Object(hosts)) = value.remove("hosts") else { return Err(unexpected()) };
        Ok(Self { known: known.ok_or_else(unexpected)?, hosts })
    }
}

/// The function for `--apply`. A host name holds nothing that means anything inside of a string.
fn apply(wanted: Wanted<'_>) -> String {
    let arguments = match wanted {
        Wanted::Summaries => "host = null; scope = \"summary\";".to_owned(),
        Wanted::All(scope) => format!("host = null; scope = \"{}\";", scope.name()),
        Wanted::Host(host, scope) => format!("host = \"{host}\"; scope = \"{}\";", scope.name()),
    };
    format!("({FACTS_NIX}) {{ {arguments} }}")
}

/// The error where it is about a folder that stands in for an input: nix does not say so itself.
fn replaced(overrides: &[(String, String)], message: &str) -> Option<EvalError> {
    let first = message.lines().next()?;
    let (input, reference) = overrides.iter().find(|(_, reference)| {
        let path = reference.strip_prefix("path:").unwrap_or(reference);
        path.starts_with('/') && first.contains(path) && first.starts_with("getting status of")
    })?;
    let message = format!("{message}\nwhile replacing the input '{input}' with {reference}");
    Some(EvalError::Evaluation { message })
}

/// What a failed `nix eval` means, by its cleaned message.
fn refused(flake: &str, message: String) -> EvalError {
    let flake = flake.to_owned();
    let first = message.lines().next().unwrap_or_default();
    if first.contains("does not provide attribute") && first.contains("'nixosConfigurations'") {
        return EvalError::NoHosts { flake };
    }
    if !message.contains("while updating the flake input") && is_no_flake(first, &message) {
        return EvalError::NoFlake { flake, message };
    }
    EvalError::Evaluation { message }
}

/// Does nix say that the flake itself is not there? Of files below it and of its inputs it says
/// nearly the same.
fn is_no_flake(first: &str, message: &str) -> bool {
    let missing = first.contains("does not exist") || first.contains("not tracked by Git");
    let of_flake_nix = first.contains("/flake.nix'") || first.contains("Path 'flake.nix'");
    first.contains("could not find a flake.nix file")
        || (first.contains("does not contain a") && first.contains("flake.nix"))
        || first.contains("cannot find flake")
        || (first.starts_with("getting status of") && !first.contains("/nix/store/"))
        || (missing && (of_flake_nix || message.contains("while fetching the input")))
}
