//! Generated programs: ours and the real evaluator must give the same value, or both must fail.
//!
//! Every batch comes from one seed, which a failure prints; `LANG_PROPERTY_SEED=N` begins with another
//! one and `LANG_PROPERTY_BATCHES=N` tries more. Many programs are evaluated in one process, wrapped in
//! `tryEval`. Where a batch differs, or fails because of what `tryEval` does not catch, its programs are
//! run alone, and the first that differs is made smaller before it is shown.

mod programs;
mod regexes;
mod tree;

use std::path::Path;

use crate::evaluators::{Evaluation, Evaluator, Outcome, What, difference, in_parallel, is_there};
use programs::Programs;
use tree::{Random, Tree};

fn number(variable: &str, default: u64) -> u64 {
    let Ok(text) = std::env::var(variable) else { return default };
    text.parse().unwrap_or_else(|_| panic!("{variable} is {text:?}"))
}

fn first_seed() -> u64 {
    number("LANG_PROPERTY_SEED", 1)
}

fn batches(default: u64) -> u64 {
    number("LANG_PROPERTY_BATCHES", default)
}

/// Evaluates an expression that is put into a file, since it may be long.
fn evaluate(folder: &Path, evaluator: Evaluator, text: &str) -> Outcome {
    let file = tempfile::Builder::new().suffix(".nix").tempfile_in(folder).unwrap();
    std::fs::write(file.path(), text).unwrap();
    let evaluation = Evaluation {
        folder,
        variables: &[],
        options: vec!["--strict".into()],
        what: What::File(file.path().file_name().unwrap().to_owned()),
        writable: false,
    };
    evaluation.run(evaluator)
}

/// A program whose failures are values as far as the language lets them.
fn caught(program: &str) -> String {
    format!("(let v = {program}; in builtins.tryEval (builtins.deepSeq v v))")
}

/// How the two differ on one program; none where they agree.
fn differ(folder: &Path, program: &str) -> Option<String> {
    let text = caught(program);
    let ours = evaluate(folder, Evaluator::Ours, &text);
    let real = evaluate(folder, Evaluator::Real, &text);
    match (ours.code, real.code) {
        (Some(0), Some(0)) if ours.stdout == real.stdout => None,
        (Some(0), Some(0)) => Some(difference(&real.stdout, &ours.stdout)),
        (Some(1), Some(1)) => None,
        _ => {
            let show = |outcome: &Outcome| {
                format!("exit code {:?}: {}{}", outcome.code, outcome.text(), outcome.stderr.trim())
            };
            Some(format!("  expected: {}\n  got:      {}", show(&real), show(&ours)))
        }
    }
}

/// Makes a program on which the two differ smaller, as long as they go on differing.
fn shrink(folder: &Path, mut program: Tree) -> Tree {
    let mut attempts = 150;
    loop {
        let smaller = program.smaller();
        let found = smaller.into_iter().find(|candidate| {
            attempts -= 1;
            attempts > 0 && differ(folder, &candidate.to_string()).is_some()
        });
        match found {
            Some(better) if attempts > 0 => program = better,
            _ => return program,
        }
    }
}

/// Fails with the smallest program found on which the two differ.
fn fail(folder: &Path, seed: u64, program: Tree) -> ! {
    let whole = program.to_string();
    let small = shrink(folder, program).to_string();
    let how = differ(folder, &small).unwrap_or_default();
    panic!("seed {seed}\n  program:  {small}\n{how}\n  it was:   {whole}");
}

/// Compares each program by itself.
fn compare_alone(folder: &Path, seed: u64, programs: Vec<Tree>) {
    let texts: Vec<_> = programs.iter().map(Tree::to_string).collect();
    let differences = in_parallel(&texts, |text| differ(folder, text).is_some());
    let wrong = programs.into_iter().zip(differences).find(|(_, differs)| *differs);
    if let Some((program, _)) = wrong {
        fail(folder, seed, program);
    }
}

/// Compares all programs in one process each, and alone only where that does not settle it.
fn compare(folder: &Path, seed: u64, programs: Vec<Tree>) {
    let all: String = programs.iter().map(|program| caught(&program.to_string()) + "\n").collect();
    let list = format!("[\n{all}]");
    let outcomes = in_parallel(&[Evaluator::Ours, Evaluator::Real], |evaluator| {
        evaluate(folder, *evaluator, &list)
    });
    let both_printed = outcomes.iter().all(|outcome| outcome.code == Some(0));
    if both_printed && outcomes[0].stdout == outcomes[1].stdout {
        return;
    }
    if programs.len() > 8 {
        let mut programs = programs;
        let half = programs.split_off(programs.len() / 2);
        compare(folder, seed, programs);
        compare(folder, seed, half);
    } else {
        compare_alone(folder, seed, programs);
    }
}

/// Generates and compares batch after batch.
fn try_batches(count: u64, generate: impl Fn(Random) -> Vec<Tree>, alone: bool) {
    if !is_there("nix-instantiate") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for seed in first_seed()..first_seed() + count {
        let programs = generate(Random::new(seed));
        if alone {
            compare_alone(folder.path(), seed, programs);
        } else {
            compare(folder.path(), seed, programs);
        }
    }
}

#[test]
fn typed_programs_have_the_same_values() {
    let generate = |random| {
        let mut programs = Programs::new(random);
        (0..120).map(|_| programs.typed()).collect()
    };
    try_batches(batches(10), generate, false);
}

#[test]
fn derivations_have_the_same_paths() {
    let generate = |random| {
        let mut programs = Programs::new(random);
        (0..60).map(|_| programs.derivation()).collect()
    };
    try_batches(batches(4), generate, false);
}

#[test]
fn texts_refer_to_the_same() {
    let generate = |random| {
        let mut programs = Programs::new(random);
        (0..80).map(|_| programs.context()).collect()
    };
    try_batches(batches(5), generate, false);
}

#[test]
fn ill_typed_programs_fail_in_both_or_in_none() {
    let generate = |random| {
        let mut programs = Programs::new(random);
        (0..60).map(|_| programs.odd()).collect()
    };
    try_batches(batches(3), generate, true);
}

#[test]
fn damaged_programs_are_refused_by_both_or_by_none() {
    let generate = |random| {
        let mut programs = Programs::new(random);
        (0..60).map(|_| programs.damaged()).collect()
    };
    try_batches(batches(3), generate, true);
}

#[test]
fn regular_expressions_match_the_same() {
    let generate = |mut random| (0..150).map(|_| regexes::call(&mut random)).collect();
    try_batches(batches(8), generate, false);
}

#[test]
fn numbers_are_printed_the_same() {
    let generate =
        |mut random: Random| (0..200).map(|_| programs::printed_float(&mut random)).collect();
    try_batches(batches(3), generate, false);
}

#[test]
fn generators_give_the_same_for_the_same_seed() {
    let program = |seed| Programs::new(Random::new(seed)).typed().to_string();
    assert_eq!(program(7), program(7));
    let different: std::collections::BTreeSet<_> = (0..50).map(program).collect();
    assert!(different.len() > 40, "only {} different programs", different.len());
}
