//! `--flake` and its fellows: which flake, and who evaluates it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use tokio_util::sync::CancellationToken;

use super::embedded::{Goal, Memory, setup};
use super::error::CliError;
use crate::facts::{EmbeddedEvaluator, Evaluator, Images, NixEvaluator};
use crate::flake::folder_of;
use crate::process::Runner;
use crate::process::nix::Nix;

/// Which flake, and who evaluates it.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct FlakeArgs {
    /// The flake with the hosts
    #[arg(
        long,
        value_name = "REF",
        default_value = ".",
        value_parser = flake_reference,
        help_heading = "Flake"
    )]
    pub(super) flake: String,
    /// Use another flake in place of an input, as in nix (repeatable)
    #[arg(
        long,
        value_names = ["NAME", "REF"],
        num_args = 2,
        action = clap::ArgAction::Append,
        help_heading = "Flake"
    )]
    override_input: Vec<String>,
    /// Who evaluates the configuration
    #[arg(long, value_enum, default_value_t = EvaluatorName::Embedded, help_heading = "Flake")]
    evaluator: EvaluatorName,
    /// Evaluate anew, and remember nothing of it
    #[arg(long, help_heading = "Flake")]
    no_cache: bool,
}

/// Who evaluates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EvaluatorName {
    /// The evaluator inside this program
    Embedded,
    /// The program `nix`
    Nix,
}

impl FlakeArgs {
    /// The `--override-input` pairs.
    pub(super) fn overrides(&self) -> Vec<(String, String)> {
        let pair = |words: &[String]| match words {
            [name, reference] => Some((name.clone(), absolute_override(reference))),
            _ => None,
        };
        self.override_input.chunks(2).filter_map(pair).collect()
    }

    /// The other flags that say how to evaluate, as typed.
    pub(super) fn evaluation(&self) -> Vec<String> {
        let nix = [(self.evaluator == EvaluatorName::Nix, "--evaluator=nix")];
        let flags = nix.into_iter().chain([(self.no_cache, "--no-cache")]);
        flags.filter(|(given, _)| *given).map(|(_, flag)| flag.to_owned()).collect()
    }

    /// The evaluator that was chosen.
    pub(super) fn evaluator(
        &self,
        goal: Goal,
        runner: Arc<dyn Runner>,
        cancel: &CancellationToken,
    ) -> Result<Arc<dyn Evaluator>, CliError> {
        match self.evaluator {
            EvaluatorName::Nix => {
                let nix = Nix { override_inputs: self.overrides(), ..Nix::default() };
                Ok(Arc::new(NixEvaluator::new(runner, nix)))
            }
            EvaluatorName::Embedded => {
                let memory = if self.no_cache { Memory::None } else { Memory::Cache };
                let setup = setup(self.overrides(), memory, goal, runner, cancel.clone())?;
                Ok(Arc::new(EmbeddedEvaluator::new(setup)))
            }
        }
    }

    /// Whoever was chosen to evaluate, to find an installer image; with the program `nix` for the same inputs.
    pub(super) fn images(
        &self,
        runner: Arc<dyn Runner>,
        cancel: &CancellationToken,
    ) -> Result<(Arc<dyn Images>, Nix), CliError> {
        let nix = Nix { override_inputs: self.overrides(), ..Nix::default() };
        let images: Arc<dyn Images> = match self.evaluator {
            EvaluatorName::Nix => Arc::new(NixEvaluator::new(runner, nix.clone())),
            EvaluatorName::Embedded => {
                let goal = Goal::Building;
                let setup = setup(self.overrides(), Memory::None, goal, runner, cancel.clone())?;
                Arc::new(EmbeddedEvaluator::new(setup))
            }
        };
        Ok((images, nix))
    }

    /// The folder that holds `flake.nix`, where the flake is on this machine.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        folder_of(&self.flake, &std::env::current_dir().ok()?)
    }
}

/// A flake reference without an attribute. A path below the flake's folder, where `nix` looks upwards, becomes that
/// of the folder: what is beside `flake.nix` is looked for there, too.
fn flake_reference(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("it is empty; give the folder that holds flake.nix".to_owned());
    }
    if let Some((flake, attribute)) = text.split_once('#') {
        let flake = if flake.is_empty() { "." } else { flake };
        return Err(format!(
            "#{attribute} is too much: give the flake alone (--flake {flake}), and a host by its name"
        ));
    }
    if is_url(text) {
        return Ok(escaped(text));
    }
    let (path, query) =
        text.split_once('?').map_or((text, None), |(path, rest)| (path, Some(rest)));
    if !path.starts_with(['.', '/']) || Path::new(path).join("flake.nix").is_file() {
        return Ok(text.to_owned());
    }
    let found = std::env::current_dir().ok().and_then(|base| folder_of(text, &base));
    let found = found.and_then(|folder| folder.into_os_string().into_string().ok());
    Ok(match (found.filter(|folder| !folder.contains(['?', '#', '%'])), query) {
        (Some(folder), Some(query)) => format!("{folder}?{query}"),
        (Some(folder), None) => folder,
        // What is not found is told by whoever opens it.
        (None, _) => text.to_owned(),
    })
}

/// Does it begin with a scheme, as RFC 3986 has it?
fn is_url(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(plain)
    })
}

/// A URL as a person types it: blanks and letters beyond ASCII are escaped.
fn escaped(url: &str) -> String {
    let mut text = String::new();
    for c in url.chars() {
        if c.is_ascii_graphic() {
            text.push(c);
        } else {
            let mut bytes = [0; 4];
            text.extend(c.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")));
        }
    }
    text
}

/// nix resolves a relative override against the flake, a person means the current folder.
fn absolute_override(reference: &str) -> String {
    if is_url(reference) {
        return escaped(reference);
    }
    let relative = reference.starts_with("./") || reference.starts_with("../") || reference == ".";
    match std::path::absolute(reference) {
        Ok(path) if relative => path.to_string_lossy().into_owned(),
        _ => reference.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        flake: FlakeArgs,
    }

    fn parse(words: &[&str]) -> FlakeArgs {
        Line::try_parse_from([&["x"], words].concat()).unwrap().flake
    }

    #[test]
    fn a_flake_is_found_from_below_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("a b/hosts/grief")).unwrap();
        std::fs::write(root.join("a b/flake.nix"), "{ }").unwrap();
        let (root, flake) = (root.to_str().unwrap(), root.join("a b"));
        let find = |reference: &str| {
            let args = parse(&["--flake", reference]);
            (args.flake.clone(), args.folder())
        };
        for (below, reference) in [
            ("a b", format!("{root}/a b")),
            ("a b/hosts/grief", format!("{root}/a b")),
            ("a b/flake.nix", format!("{root}/a b")),
            ("a b/hosts?lastModified=1", format!("{root}/a b?lastModified=1")),
        ] {
            let found = find(&format!("{root}/{below}"));
            assert_eq!(found, (reference, Some(flake.clone())), "{below}");
        }
        for url in ["path:@/a%20b", "path:@?dir=a%20b", "path:@/a%20b?lastModified=1"] {
            let url = url.replace('@', root);
            assert_eq!(find(&url), (url.clone(), Some(flake.clone())));
        }
        let typed = format!("path:{root}/a b");
        assert_eq!(find(&typed), (format!("path:{root}/a%20b"), Some(flake)));
        assert_eq!(find("git+file:///ä?ref=x").0, "git+file:///%C3%A4?ref=x");
        for elsewhere in [root, "github:o/r", "nixpkgs", "/no/such/folder"] {
            assert_eq!(find(elsewhere), (elsewhere.to_owned(), None));
        }
    }

    #[test]
    fn a_flake_reference_names_no_attribute() {
        let said = |reference: &str| {
            Line::try_parse_from(["x", "--flake", reference]).unwrap_err().to_string()
        };
        let error = said(".#grief");
        assert!(error.contains("--flake <REF>") && error.contains("#grief is too much"), "{error}");
        assert!(said(" ").contains("it is empty"));
    }

    #[test]
    fn overrides_are_pairs_in_order() {
        let args =
            parse(&["--override-input", "a", "path:/x", "--override-input", "b/c", "github:o/r"]);
        let pairs = args.overrides();
        assert_eq!(pairs, [("a".into(), "path:/x".into()), ("b/c".into(), "github:o/r".into())]);
    }

    #[test]
    fn overrides_are_escaped_where_a_url_needs_it() {
        let typed = ["a", "path:/a b/é%20", "--override-input", "b", "/a b/é%20"];
        let pairs = parse(&[&["--override-input"], &typed[..]].concat()).overrides();
        assert_eq!(pairs[0].1, "path:/a%20b/%C3%A9%20");
        assert_eq!(pairs[1].1, "/a b/é%20", "a path is none");
    }

    #[test]
    fn relative_overrides_start_at_the_current_folder() {
        let args = parse(&["--override-input", "a", "./x"]);
        let expected = std::env::current_dir().unwrap().join("x");
        assert_eq!(args.overrides()[0].1, expected.to_string_lossy());
    }
}
