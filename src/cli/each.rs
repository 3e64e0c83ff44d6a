//! Results of every host of a flake: what was read, and what was not.

use std::process::ExitCode;

use serde::Serialize;

use super::error::{CliError, exit_code};
use super::output::{print, print_json};
use crate::facts::EachHost;
use crate::install::context::FailureKind;
use crate::ui::terminal::say;

/// Prints what was read; the hosts that failed go to standard error, and into JSON as `{ name, error, hints }`.
/// The exit code is 1 if there are any.
pub(super) fn print_each<T: Serialize>(
    each: EachHost<T>,
    json: bool,
    render: impl Fn(&[T]) -> String,
) -> Result<ExitCode, CliError> {
    if each.found.is_empty() && each.failed.is_empty() {
        say("the flake has no hosts: its nixosConfigurations is an empty set");
    }
    let failed: Vec<(String, CliError)> =
        each.failed.into_iter().map(|host| (host.name, host.error.into())).collect();
    if json {
        print_json(&entries(&each.found, &failed)?)?;
    } else {
        print(&render(&each.found))?;
    }
    let code = if failed.is_empty() { ExitCode::SUCCESS } else { exit_code(FailureKind::Failed) };
    for (name, error) in failed {
        error.of(&name).show();
    }
    Ok(code)
}

fn entries<T: Serialize>(
    found: &[T],
    failed: &[(String, CliError)],
) -> Result<Vec<serde_json::Value>, CliError> {
    let mut entries = Vec::new();
    for found in found {
        let value = serde_json::to_value(found);
        entries.push(value.map_err(|error| CliError::failed(error.to_string()))?);
    }
    entries.extend(failed.iter().map(|(name, error)| {
        let (error, hints) = error.parts();
        serde_json::json!({ "name": name, "error": error, "hints": hints })
    }));
    Ok(entries)
}
