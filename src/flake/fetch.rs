//! Inputs that are not on this machine: the program `nix` fetches them into the store.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use serde_json::Value;

use super::error::{FlakeError, Result};
use super::git::Run;
use super::reference::{FEATURES, input_text};
use crate::eval::references::{Input, InputAttr, InputAttrs, set_text};
use crate::process::nix::{Nix, clean_error};

/// Has locked inputs fetched, all with one call, in this order.
pub(super) fn fetch_all(run: &Run, inputs: &[&Input]) -> Result<()> {
    let mut expression = b"map (input: (builtins.fetchTree input).outPath) [ ".to_vec();
    for input in inputs {
        let mut attrs = input.attrs.clone();
        attrs.remove(&b"__final"[..]);
        set_text(&attrs, &mut expression);
        expression.push(b' ');
    }
    expression.push(b']');
    let words = ["eval", "--json", "--impure", "--expr"];
    let command = Nix::default().command(&words).arg(OsString::from_vec(expression));
    let output = run(&command)?;
    if output.ok() {
        return Ok(());
    }
    Err(FlakeError::Io(clean_error(&String::from_utf8_lossy(&output.stderr))))
}

/// Has an input fetched that is not locked, and says what it was locked to.
pub(super) fn prefetch(run: &Run, input: &Input) -> Result<Input> {
    let url = input_text(input);
    let missing =
        |reason: String| FlakeError::Missing { input: url.clone(), url: url.clone(), reason };
    let command = Nix::default().command(&["flake", "prefetch", "--json", "--", &url]);
    let output = run(&command).map_err(|error| missing(error.to_string()))?;
    if !output.ok() {
        return Err(missing(clean_error(&String::from_utf8_lossy(&output.stderr))));
    }
    let odd = || missing("nix printed something else than was asked for".to_owned());
    let answer: Value = serde_json::from_slice(&output.stdout).map_err(|_| odd())?;
    let locked = answer.get("locked").and_then(Value::as_object).ok_or_else(odd)?;
    let mut attrs = InputAttrs::new();
    for (name, value) in locked {
        let value = match value {
            Value::String(text) => InputAttr::Text(text.clone().into_bytes()),
            Value::Bool(value) => InputAttr::Bool(*value),
            value => InputAttr::Number(value.as_u64().ok_or_else(odd)?),
        };
        attrs.insert(name.clone().into_bytes(), value);
    }
    attrs.remove(&b"__final"[..]);
    attrs.remove(&b"dir"[..]);
    if let Some(Value::String(hash)) = answer.get("hash") {
        attrs.insert(b"narHash".to_vec(), InputAttr::Text(hash.clone().into_bytes()));
    }
    Input::from_attrs(attrs, &FEATURES).map_err(|error| missing(error.to_string()))
}
