//! Fetching for the evaluator: the program `nix` evaluates the builtin, this reads what it returned.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use serde_json::{Map, Value};
use tokio::runtime::Handle;

use crate::eval::io::{Fetch, FetchHook};
use crate::flake::Run;
use crate::process::nix::{Nix, clean_error};
use crate::process::{Command, Error, Runner};

/// A function that fetches with the program `nix`. It is called on a thread of its own, and waits there.
pub(super) fn hook(runner: Arc<dyn Runner>) -> FetchHook {
    let handle = Handle::current();
    Box::new(move |fetch| {
        let command = command(fetch);
        let output = handle.block_on(runner.run(&command)).map_err(io_error)?;
        if !output.ok() {
            return Err(io::Error::other(clean_error(&String::from_utf8_lossy(&output.stderr))));
        }
        returned(&output.stdout)
    })
}

/// A function that runs programs for the evaluation of flakes, on the same thread.
pub(in crate::cli) fn programs(runner: Arc<dyn Runner>) -> Arc<Run> {
    let handle = Handle::current();
    Arc::new(move |command: &Command| handle.block_on(runner.run(command)))
}

/// The command whose output [`returned`] understands.
fn command(fetch: &Fetch) -> Command {
    let Fetch { builtin, argument } = fetch;
    // `--json` would print only the `outPath` of a set that has one.
    let start = format!("let result = builtins.{builtin} (");
    let end = "); in if builtins.isAttrs result then { attrs = builtins.attrValues \
               (builtins.mapAttrs (name: value: { inherit name value; }) result); } \
               else { value = toString result; }";
    let expression = [start.as_bytes(), argument, end.as_bytes()].concat();
    let mut words = vec!["eval", "--json", "--impure"];
    if *builtin == "fetchClosure" {
        words.extend(["--extra-experimental-features", "fetch-closure"]);
    }
    words.push("--expr");
    Nix::default().command(&words).arg(OsString::from_vec(expression))
}

/// What the builtin returned, as JSON.
fn returned(output: &[u8]) -> io::Result<Vec<u8>> {
    let odd = || io::Error::other("the program nix printed something else than was asked for");
    let Ok(Value::Object(mut answer)) = serde_json::from_slice(output) else { return Err(odd()) };
    let value = match (answer.remove("attrs"), answer.remove("value")) {
        (Some(Value::Array(attrs)), None) => {
            let pairs: Option<Map<String, Value>> = attrs.into_iter().map(pair).collect();
            Value::Object(pairs.ok_or_else(odd)?)
        }
        (None, Some(value)) => value,
        _ => return Err(odd()),
    };
    serde_json::to_vec(&value).map_err(io::Error::other)
}

fn pair(attr: Value) -> Option<(String, Value)> {
    let Value::Object(mut attr) = attr else { return None };
    match (attr.remove("name")?, attr.remove("value")?) {
        (Value::String(name), value) => Some((name, value)),
        _ => None,
    }
}

fn io_error(error: Error) -> io::Error {
    let kind = match &error {
        Error::NotFound { .. } => io::ErrorKind::NotFound,
        Error::Cancelled { .. } => io::ErrorKind::Interrupted,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nix_is_asked_for_more_than_an_out_path() {
        let fetch = Fetch { builtin: "fetchTree", argument: b"{ type = \"path\"; }".to_vec() };
        let command = command(&fetch);
        let words: Vec<_> = command.argv().iter().map(|word| word.to_string_lossy()).collect();
        assert_eq!(words[..2], ["--extra-experimental-features", "nix-command flakes"]);
        assert_eq!(words[2..6], ["eval", "--json", "--impure", "--expr"]);
        let expected = "let result = builtins.fetchTree ({ type = \"path\"; }); in ";
        assert!(words[6].starts_with(expected), "{}", words[6]);
    }

    #[test]
    fn the_answer_is_put_together_again() {
        let set =
            br#"{"attrs":[{"name":"outPath","value":"/nix/store/x"},{"name":"n","value":1}]}"#;
        assert_eq!(returned(set).unwrap(), br#"{"outPath":"/nix/store/x","n":1}"#);
        assert_eq!(returned(br#"{"value":"/nix/store/x"}"#).unwrap(), b"\"/nix/store/x\"");
        for odd in
            [&b""[..], b"1", b"{}", br#"{"attrs":[1]}"#, br#"{"attrs":[{"name":1,"value":2}]}"#]
        {
            assert!(returned(odd).is_err());
        }
    }
}
