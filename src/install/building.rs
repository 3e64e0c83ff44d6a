//! Building what the flake has for a host with the real `nix`, and telling how far it is.
//!
//! Nothing roots what is built: `nix build` holds its results while it runs, and no link is left
//! on the user's machine. Should a garbage collection take a path before it is copied, the copy
//! fails by name and the resumed run builds it again.

use super::context::{Context, Failure, World};
use super::event::Unit;
use super::options::Options;
use super::preflight::eval_failure;
use super::record::Record;
use crate::facts::Override;
use crate::facts::model::{Derivation, Outputs};
use crate::process::nix::{self, Nix};
use crate::process::nix_log::Update;
use crate::process::nix_run::{self, NixError};
use crate::process::{Command, Output};
use crate::validated::{HostName, StorePath};

/// What a configuration builds, by the attribute below `config.system.build`.
pub(super) mod attr {
    /// The system.
    pub(in crate::install) const TOPLEVEL: &str = "toplevel";
    /// Erases, formats and mounts.
    pub(in crate::install) const DISKO_SCRIPT: &str = "diskoScript";
    /// Only mounts.
    pub(in crate::install) const MOUNT_SCRIPT: &str = "mountScript";
}

/// The `nix` of this run, with the user's `--override-input`s and that of the phase `lock`.
pub(super) fn nix(cx: &Context<'_>) -> Nix {
    nix_with(cx.options, &replaced(cx.options, &cx.record))
}

fn nix_with(options: &Options, replaced: &[Override]) -> Nix {
    let override_inputs = options.override_inputs.iter().chain(replaced).cloned().collect();
    Nix { override_inputs, ..Nix::default() }
}

/// The input that the phase `lock` has replaced, unless the user has replaced it already.
pub(super) fn replaced(options: &Options, record: &Record) -> Vec<Override> {
    let by_user = |input: &String| options.override_inputs.iter().any(|(name, _)| name == input);
    record.secrets_input.iter().filter(|(input, _)| !by_user(input)).cloned().collect()
}

/// Builds attributes of the configuration `REF#nixosConfigurations.HOST` in one call. Where the run's evaluator has
/// put the derivations into the store, nix builds these and evaluates nothing; else it evaluates the flake, once. The
/// paths come in the order of `attrs`.
pub(super) async fn build(
    cx: &Context<'_>,
    configuration: &str,
    attrs: &[&str],
) -> Result<Vec<StorePath>, Failure> {
    let outputs = match flake_and_host(configuration) {
        Some((flake, host)) => {
            let replaced = replaced(cx.options, &cx.record);
            cx.world.evaluator.instantiate(flake, &host, &replaced).await
        }
        None => Ok(None),
    };
    let outputs = outputs.map_err(|error| eval_failure(&error))?;
    let installables: Vec<String> = attrs
        .iter()
        .map(|attr| match outputs.as_ref().and_then(|outputs| output(outputs, attr)) {
            Some(derivation) => format!("{}^out", derivation.drv_path),
            None => format!("{configuration}.config.system.build.{attr}"),
        })
        .collect();
    let command = nix(cx).build(&installables);
    let output = run_nix(cx, &command).await?;
    paths(&output.text(), attrs.len()).map_err(|reason| {
        Failure::new(format!("`{command}` {reason}"))
            .hint("each of these attributes must be one derivation with one output")
    })
}

/// The system that `configuration` gives now, with these inputs replaced. Builds nothing.
pub(super) async fn system_now(
    world: &World,
    options: &Options,
    replaced: &[Override],
    configuration: &str,
) -> Result<StorePath, Failure> {
    if let Some((flake, host)) = flake_and_host(configuration) {
        let outputs = world.evaluator.instantiate(flake, &host, replaced).await;
        let outputs = outputs.map_err(|error| eval_failure(&error))?;
        if let Some(system) = outputs.and_then(|outputs| outputs.toplevel) {
            return Ok(system.out_path);
        }
    }
    let installable = format!("{configuration}.config.system.build.{}.outPath", attr::TOPLEVEL);
    let command = nix_with(options, replaced).eval_raw(&installable);
    let output = world.runner.run_within(&command, world.limits.long).await?;
    let output = output.success(&command)?;
    Ok(output.text().parse()?)
}

/// The parts of `REF#nixosConfigurations.HOST`.
fn flake_and_host(configuration: &str) -> Option<(&str, HostName)> {
    let (flake, host) = configuration.rsplit_once("#nixosConfigurations.")?;
    Some((flake, host.trim_matches('"').parse().ok()?))
}

fn output<'o>(outputs: &'o Outputs, attr: &str) -> Option<&'o Derivation> {
    match attr {
        attr::TOPLEVEL => outputs.toplevel.as_ref(),
        attr::DISKO_SCRIPT => outputs.disko_script.as_ref(),
        attr::MOUNT_SCRIPT => outputs.mount_script.as_ref(),
        _ => None,
    }
}

/// Reads the paths that `nix build --print-out-paths` printed, one a line.
fn paths(text: &str, expected: usize) -> Result<Vec<StorePath>, String> {
    let mut paths: Vec<StorePath> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let path = line.parse().map_err(|error| format!("printed something else: {error}"))?;
        // nix prints a derivation that was asked for twice more often than that.
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    if paths.len() == expected {
        return Ok(paths);
    }
    Err(format!("printed {} store paths, expected were {expected}", paths.len()))
}

/// Runs a `nix` command that logs in nix's JSON format, within `limits.long`. Its progress becomes
/// events, its errors the failure.
pub(super) async fn run_nix(cx: &Context<'_>, command: &Command) -> Result<Output, Failure> {
    let limit = Some(cx.world.limits.long);
    let run = nix_run::run(&*cx.world.runner, command, limit, |update| tell(cx, update)).await;
    run.map_err(|error| match error {
        NixError::Process(error) => error.into(),
        NixError::Said(message) => {
            let hint = nix::hint(&message);
            let failure = Failure::new(message);
            match hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        }
    })
}

fn tell(cx: &Context<'_>, update: &Update) {
    match update {
        Update::Progress { what, done, total } => {
            let unit = if what.in_bytes() { Unit::Bytes } else { Unit::Items };
            cx.progress(what.verb(), *done, *total, unit);
        }
        Update::Text(text) | Update::Error(text) => text.lines().for_each(|line| cx.output(line)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "/nix/store/zr2knphxg8yyy2mkq8akf2hfknjvdiz7-a";
    const B: &str = "/nix/store/zr2knphxg8yyy2mkq8akf2hfknjvdiz7-b";

    #[test]
    fn configurations_are_taken_apart() {
        let parts = |text: &'static str| {
            flake_and_host(text).map(|(flake, host)| (flake, host.to_string()))
        };
        let expected = |flake, host: &str| Some((flake, host.to_owned()));
        assert_eq!(parts(".#nixosConfigurations.grief"), expected(".", "grief"));
        let quoted = "./small#nixosConfigurations.\"a.example.org\"";
        assert_eq!(parts(quoted), expected("./small", "a.example.org"));
        assert_eq!(parts(".#packages.x"), None);
    }

    #[test]
    fn printed_paths_keep_their_order_and_must_be_as_many_as_asked() {
        let found = paths(&format!("{B}\n{A}\n{B}\n"), 2).unwrap();
        assert_eq!(found.iter().map(StorePath::as_str).collect::<Vec<_>>(), [B, A]);
        assert!(paths(A, 2).unwrap_err().contains("1 store paths, expected were 2"));
        assert!(paths("error", 1).unwrap_err().contains("not a valid store path"));
    }
}
