//! The language: every program of `tests/lang`, through our evaluator and through the real one.
//!
//! - `eval-okay-NAME.nix` prints what stands in `NAME.exp` (with `--strict`), `NAME.exp.lazy` (without),
//!   `NAME.exp.json`, `NAME.exp.xml`, `NAME.exp.located` (XML with positions) or `NAME.exp.raw`; where
//!   there is an `.err`, each of its lines is on standard error as often as it is in that file
//! - `eval-fail-NAME.nix` ends with exit code 1 and every line of `NAME.err` on standard error
//! - `parse-okay-NAME.nix` is parsed into the tree that `NAME.exp` shows, as `nix-instantiate --parse` does
//! - `parse-fail-NAME.nix` is no program: exit code 1, and every line of `NAME.err`
//! - `NAME.flags` has more words of the command line. `--expr` among them says that the file's text is
//!   given instead of the file; `--read-write-mode` is only for the real one, which writes derivations
//!   where we remember them
//!
//! `/pwd` stands for the folder. `NIXOS_BOOTSTRAP_BLESS=1` writes what the real one prints into the files.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::evaluators::{
    Evaluation, Evaluator, Outcome, What, difference, in_parallel, is_there, words,
};

const VARIABLES: &[(&str, &str)] =
    &[("NIX_PATH", "files/search:named=files/named"), ("LANG_TEST_WORD", "a word")];

/// The files of expected texts, and the words that print so.
const PRINTED: &[(&str, &[&str])] = &[
    ("exp", &["--strict"]),
    ("exp.lazy", &[]),
    ("exp.json", &["--strict", "--json"]),
    ("exp.xml", &["--strict", "--xml", "--no-location"]),
    ("exp.located", &["--strict", "--xml"]),
    ("exp.raw", &["--raw"]),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lang")
}

/// A program, its expected text's file, and the words before it on the command line.
#[derive(Debug)]
struct Case {
    name: String,
    /// The ending of the file of expected text; none for what fails.
    ending: Option<&'static str>,
    options: Vec<OsString>,
    what: What,
    writable: bool,
}

impl Case {
    fn file(&self, ending: &str) -> PathBuf {
        folder().join(format!("{}.{ending}", self.name))
    }

    fn title(&self) -> String {
        format!("{}.{}", self.name, self.ending.unwrap_or("err"))
    }

    fn run(&self, evaluator: Evaluator) -> Outcome {
        let evaluation = Evaluation {
            folder: &folder(),
            variables: VARIABLES,
            options: self.options.clone(),
            what: self.what.clone(),
            writable: self.writable,
        };
        evaluation.run(evaluator).with_folder_as(&folder(), "/pwd")
    }

    /// The lines that must be on standard error.
    fn messages(&self) -> Vec<String> {
        let text = fs::read_to_string(self.file("err")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

fn names(prefix: &str) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| Some(name.strip_suffix(".nix")?.to_owned()))
        .filter(|name| name.starts_with(prefix))
        .collect();
    names.sort();
    names
}

fn case(name: &str, ending: Option<&'static str>, mode: &[&str]) -> Case {
    let file = format!("{name}.nix");
    let flags = fs::read_to_string(folder().join(format!("{name}.flags"))).unwrap_or_default();
    let mut options: Vec<_> = mode.iter().map(OsString::from).collect();
    options.extend(words(&flags));
    let mut take = |word: &str| {
        let before = options.len();
        options.retain(|option| option != word);
        options.len() < before
    };
    let writable = take("--read-write-mode");
    let what = if take("--expr") {
        What::Expr(OsString::from_vec(fs::read(folder().join(file)).unwrap()))
    } else {
        What::File(file.into())
    };
    Case { name: name.to_owned(), ending, options, what, writable }
}

/// Every program that has a value, once for each way of printing it.
fn okay() -> Vec<Case> {
    let mut cases = Vec::new();
    for name in names("eval-okay-") {
        let before = cases.len();
        for (ending, mode) in PRINTED {
            if folder().join(format!("{name}.{ending}")).exists() {
                cases.push(case(&name, Some(ending), mode));
            }
        }
        assert!(cases.len() > before, "{name} has no expected text");
    }
    assert!(cases.len() >= 200, "only {} programs", cases.len());
    cases
}

fn failing() -> Vec<Case> {
    let mut cases: Vec<_> =
        names("eval-fail-").iter().map(|name| case(name, None, &["--strict"])).collect();
    cases.extend(names("parse-fail-").iter().map(|name| case(name, None, &[])));
    assert!(cases.len() >= 150, "only {} failing programs", cases.len());
    cases
}

/// Fails with all that is wrong, one after the other.
fn report(title: &str, all: usize, wrong: &[String]) {
    let count = wrong.len();
    assert!(wrong.is_empty(), "{title}: {count} of {all} are wrong\n\n{}", wrong.join("\n\n"));
}

/// What is wrong with an evaluation that should have given a value.
fn wrong_value(case: &Case, outcome: &Outcome) -> Option<String> {
    let title = case.title();
    if outcome.code != Some(0) {
        return Some(format!("{title}: exit code {:?}\n{}", outcome.code, outcome.stderr.trim()));
    }
    let expected = fs::read(case.file(case.ending?)).unwrap();
    if outcome.stdout != expected {
        return Some(format!("{title}\n{}", difference(&expected, &outcome.stdout)));
    }
    let messages = case.messages();
    let miscounted = messages.iter().find(|message| {
        let wanted = messages.iter().filter(|other| other == message).count();
        outcome.stderr.matches(message.as_str()).count() != wanted
    });
    miscounted.map(|message| {
        let stderr = outcome.stderr.trim();
        format!("{title}: standard error has {message:?} not as often as it should:\n{stderr}")
    })
}

/// What is wrong with an evaluation that should have failed.
fn wrong_failure(case: &Case, outcome: &Outcome) -> Option<String> {
    let title = case.title();
    let stderr = outcome.stderr.trim();
    if outcome.code != Some(1) {
        let stdout = outcome.text();
        return Some(format!("{title}: exit code {:?}, not 1\n{stdout}{stderr}", outcome.code));
    }
    let messages = case.messages();
    assert!(!messages.is_empty(), "{title} says nothing");
    let missing: Vec<_> = messages.iter().filter(|m| !stderr.contains(m.as_str())).collect();
    if missing.is_empty() {
        return None;
    }
    Some(format!("{title}\n  expected: {missing:?}\n  got:      {stderr}"))
}

#[test]
fn values_are_as_expected() {
    let cases = okay();
    let outcomes = in_parallel(&cases, |case| wrong_value(case, &case.run(Evaluator::Ours)));
    report("our values", cases.len(), &outcomes.into_iter().flatten().collect::<Vec<_>>());
}

#[test]
fn failures_say_what_is_wrong() {
    let cases = failing();
    let outcomes = in_parallel(&cases, |case| wrong_failure(case, &case.run(Evaluator::Ours)));
    report("our failures", cases.len(), &outcomes.into_iter().flatten().collect::<Vec<_>>());
}

#[test]
fn the_real_one_prints_the_same_values() {
    if !is_there("nix-instantiate") {
        return;
    }
    let cases = okay();
    let outcomes = in_parallel(&cases, |case| {
        let outcome = case.run(Evaluator::Real);
        if std::env::var_os("NIXOS_BOOTSTRAP_BLESS").is_some() && outcome.code == Some(0) {
            fs::write(case.file(case.ending.unwrap()), &outcome.stdout).unwrap();
        }
        wrong_value(case, &outcome)
    });
    report("real values", cases.len(), &outcomes.into_iter().flatten().collect::<Vec<_>>());
}

#[test]
fn the_real_one_fails_the_same_way() {
    if !is_there("nix-instantiate") {
        return;
    }
    let cases = failing();
    let outcomes = in_parallel(&cases, |case| wrong_failure(case, &case.run(Evaluator::Real)));
    report("real failures", cases.len(), &outcomes.into_iter().flatten().collect::<Vec<_>>());
}

/// What `nix-instantiate --parse` prints for a file.
fn really_parsed(folder: &Path, file: &Path, options: &[OsString]) -> Outcome {
    Command::new("nix-instantiate")
        .args(["--parse", "-"])
        .args(options)
        .current_dir(folder)
        .stdin(Stdio::from(fs::File::open(file).unwrap()))
        .env("NIX_REMOTE", "dummy://")
        .env("HOME", "/fake-home")
        .output()
        .unwrap()
        .into()
}

#[test]
fn trees_are_as_expected() {
    let names = names("parse-okay-");
    assert!(names.len() >= 12, "only {} programs", names.len());
    let mut wrong = Vec::new();
    for name in &names {
        let source = fs::read(folder().join(format!("{name}.nix"))).unwrap();
        let expected = fs::read(folder().join(format!("{name}.exp"))).unwrap();
        match crate::syntax::printed(&source, Path::new("/pwd")) {
            Ok(mut tree) => {
                tree.push(b'\n');
                if tree != expected {
                    wrong.push(format!("{name}\n{}", difference(&expected, &tree)));
                }
            }
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    }
    report("our trees", names.len(), &wrong);
}

#[test]
fn the_real_one_parses_the_same_trees() {
    if !is_there("nix-instantiate") {
        return;
    }
    let names = names("parse-okay-");
    let wrong = in_parallel(&names, |name| {
        let file = folder().join(format!("{name}.nix"));
        let outcome = really_parsed(&folder(), &file, &[]).with_folder_as(&folder(), "/pwd");
        let expected = folder().join(format!("{name}.exp"));
        if std::env::var_os("NIXOS_BOOTSTRAP_BLESS").is_some() {
            fs::write(&expected, &outcome.stdout).unwrap();
        }
        let expected = fs::read(expected).unwrap();
        (outcome.stdout != expected).then(|| {
            format!("{name}\n{}\n{}", difference(&expected, &outcome.stdout), outcome.stderr)
        })
    });
    report("real trees", names.len(), &wrong.into_iter().flatten().collect::<Vec<_>>());
}

/// A line of `tests/lang/builtins.table`.
#[derive(Debug, PartialEq, Eq)]
struct Builtin {
    /// The experimental feature that brings it.
    feature: Option<String>,
    /// Why we have none.
    absent: Option<String>,
}

/// Lines of `NAME implemented` or `NAME absent: WHY`, after NAME perhaps `[FEATURE]`.
fn builtins_table() -> BTreeMap<String, Builtin> {
    let text = fs::read_to_string(folder().join("builtins.table")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let rows = lines.map(|line| {
        let (name, mut rest) = line.split_once(char::is_whitespace).unwrap();
        rest = rest.trim();
        let mut feature = None;
        if let Some(inside) = rest.strip_prefix('[') {
            let (word, after) = inside.split_once(']').unwrap();
            feature = Some(word.to_owned());
            rest = after.trim();
        }
        let absent = rest.strip_prefix("absent: ").map(str::to_owned);
        assert!(absent.is_some() || rest == "implemented", "what is {line:?}?");
        (name.to_owned(), Builtin { feature, absent })
    });
    rows.collect()
}

/// The names in `builtins`, without and with the features of the table.
fn builtin_names(evaluator: Evaluator, features: &[&str]) -> BTreeSet<String> {
    let mut options: Vec<OsString> = vec!["--strict".into(), "--json".into()];
    for feature in features {
        options.extend(["--extra-experimental-features".into(), feature.into()]);
    }
    let evaluation = Evaluation {
        folder: &folder(),
        variables: &[],
        options,
        what: What::Expr("builtins.attrNames builtins".into()),
        writable: false,
    };
    let outcome = evaluation.run(evaluator);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    serde_json::from_slice(&outcome.stdout).unwrap()
}

fn listed_builtins(with_features: bool, implemented_only: bool) -> BTreeSet<String> {
    builtins_table()
        .into_iter()
        .filter(|(_, row)| with_features || row.feature.is_none())
        .filter(|(_, row)| !implemented_only || row.absent.is_none())
        .map(|(name, _)| name)
        .collect()
}

fn table_features() -> Vec<String> {
    let features: BTreeSet<_> =
        builtins_table().into_values().filter_map(|row| row.feature).collect();
    features.into_iter().collect()
}

#[test]
fn the_table_has_every_builtin_of_the_real_one() {
    if !is_there("nix-instantiate") {
        return;
    }
    let features = table_features();
    let features: Vec<_> = features.iter().map(String::as_str).collect();
    assert_eq!(builtin_names(Evaluator::Real, &[]), listed_builtins(false, false));
    assert_eq!(builtin_names(Evaluator::Real, &features), listed_builtins(true, false));
}

#[test]
fn our_builtins_are_the_table_s() {
    let features = table_features();
    let features: Vec<_> = features.iter().map(String::as_str).collect();
    assert_eq!(builtin_names(Evaluator::Ours, &[]), listed_builtins(false, true));
    assert_eq!(builtin_names(Evaluator::Ours, &features), listed_builtins(true, true));
}

#[test]
fn every_builtin_is_tried_somewhere() {
    let mut sources = String::new();
    for name in names("") {
        let text = fs::read(folder().join(format!("{name}.nix"))).unwrap();
        sources.push_str(&String::from_utf8_lossy(&text));
    }
    let is_word = |c: char| c.is_alphanumeric() || "_'-".contains(c);
    let used: BTreeSet<_> = sources.split(|c: char| !is_word(c)).collect();
    let untried: Vec<_> = builtins_table()
        .into_iter()
        .filter(|(name, row)| row.absent.is_none() && !used.contains(name.as_str()))
        .map(|(name, _)| name)
        .collect();
    assert!(untried.is_empty(), "no program of tests/lang uses {untried:?}");
}

/// A case of the public suite: what is wrong with it, for this evaluator.
fn wrong_public(evaluator: Evaluator, suite: &Path, name: &str) -> Option<String> {
    let above = suite.parent().unwrap();
    let inside = suite.file_name().unwrap().to_str().unwrap();
    let file = |ending: &str| suite.join(format!("{name}.{ending}"));
    let flags = fs::read_to_string(file("flags")).ok();
    let evaluate = |options: Vec<OsString>| {
        let search = format!("{inside}/dir3:{inside}/dir4");
        let variables: &[_] = &[("TEST_VAR", "foo"), ("NIX_PATH", &search)];
        let what = What::File(format!("{inside}/{name}.nix").into());
        let evaluation = Evaluation { folder: above, variables, options, what, writable: false };
        evaluation.run(evaluator).with_folder_as(above, "/pwd")
    };
    let own = |text: Option<String>| -> Vec<OsString> {
        let all = words(&text.unwrap_or_default());
        all.into_iter().filter(|word| word != "--eval").collect()
    };
    let refused = |outcome: &Outcome| match outcome.code {
        Some(1) => None,
        code => Some(format!("{name}: exit code {code:?}, not 1: {}", outcome.stderr.trim())),
    };
    if name.starts_with("eval-fail-") {
        let options = match flags {
            Some(flags) => own(Some(flags)),
            None => ["--strict", "--show-trace"].map(OsString::from).into(),
        };
        return refused(&evaluate(options));
    }
    if name.starts_with("parse-fail-") {
        return refused(&evaluate(Vec::new()));
    }
    if name.starts_with("parse-okay-") {
        let expected = fs::read(file("exp")).unwrap_or_default();
        let tree = match evaluator {
            Evaluator::Real => {
                really_parsed(above, &file("nix"), &own(flags)).with_folder_as(above, "/pwd").stdout
            }
            Evaluator::Ours => {
                let source = fs::read(file("nix")).unwrap();
                match crate::syntax::printed(&source, Path::new("/pwd")) {
                    Ok(tree) => [tree.as_slice(), b"\n"].concat(),
                    Err(error) => return Some(format!("{name}: {error}")),
                }
            }
        };
        return (tree != expected).then(|| format!("{name}\n{}", difference(&expected, &tree)));
    }
    let mut options: Vec<OsString> = vec!["--strict".into()];
    let xml = file("exp.xml");
    let expected = if xml.exists() {
        options.extend(["--xml".into(), "--no-location".into()]);
        xml
    } else if file("exp-disabled").exists() {
        return None;
    } else {
        options.extend(own(flags));
        file("exp")
    };
    let outcome = evaluate(options);
    if outcome.code != Some(0) {
        return Some(format!("{name}: exit code {:?}\n{}", outcome.code, outcome.stderr.trim()));
    }
    let expected = fs::read(expected).unwrap();
    (outcome.stdout != expected)
        .then(|| format!("{name}\n{}", difference(&expected, &outcome.stdout)))
}

/// The language suite of NixOS/nix, run as its `lang.sh` runs it. Of what fails here, that which the
/// real Nix on this machine fails too is told, but not counted: the checkout may be of another version.
#[test]
#[ignore = "needs NIX_LANG_TESTS, a checkout's tests/functional/lang"]
fn the_public_suite() {
    let suite = PathBuf::from(std::env::var_os("NIX_LANG_TESTS").expect("NIX_LANG_TESTS"));
    let suite = suite.canonicalize().unwrap();
    let mut names: Vec<_> = fs::read_dir(&suite)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| Some(name.strip_suffix(".nix")?.to_owned()))
        .filter(|name| name.starts_with("eval-") || name.starts_with("parse-"))
        .collect();
    names.sort();
    assert!(names.len() > 100, "{} has only {} cases", suite.display(), names.len());
    let ours = in_parallel(&names, |name| {
        wrong_public(Evaluator::Ours, &suite, name).map(|wrong| (name.clone(), wrong))
    });
    let failed: Vec<_> = ours.into_iter().flatten().collect();
    let (theirs_too, wrong): (Vec<_>, Vec<_>) = failed
        .into_iter()
        .partition(|(name, _)| wrong_public(Evaluator::Real, &suite, name).is_some());
    let names_of = |list: &[(String, String)]| {
        list.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ")
    };
    println!("{} cases; failing with the real one too: {}", names.len(), names_of(&theirs_too));
    println!("failing with ours alone: {}", names_of(&wrong));
    report(
        "public suite",
        names.len(),
        &wrong.into_iter().map(|(_, text)| text).collect::<Vec<_>>(),
    );
}
