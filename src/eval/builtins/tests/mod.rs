//! The builtins on whole programs. What is expected was recorded from Nix 2.34.8.

use crate::eval::Eval;
use crate::eval::arena::Arena;
use crate::eval::error::Error;
use crate::eval::io::{Level, MemoryIo};
use crate::eval::position::Origin;
use crate::eval::print::print;
use crate::eval::settings::{SearchPath, Settings};

/// The evaluated value of a program as text, or what stops it.
fn evaluated(program: &str, io: &MemoryIo, settings: Settings) -> Result<String, Error> {
    let arena = Arena::new();
    let mut eval = Eval::new(&arena, io, settings);
    let value = eval.eval_string(program.as_bytes(), b"/", Origin::String)?;
    let mut text = Vec::new();
    print(&mut eval, value, true, &mut text)?;
    Ok(String::from_utf8(text).unwrap())
}

fn value_of(program: &str) -> String {
    match evaluated(program, &MemoryIo::new(), Settings::default()) {
        Ok(text) => text,
        Err(error) => format!("error: {error}"),
    }
}

/// The programs of a recording, each with the lines behind it that begin with `mark`.
fn recorded(text: &'static str, mark: &str) -> Vec<(&'static str, Vec<&'static str>)> {
    let blocks = text.split("\n\n").skip(1);
    let cases = blocks.map(|block| {
        let mut lines = block.lines();
        let program = lines.next().unwrap();
        (program, lines.map(|line| line.strip_prefix(mark).unwrap()).collect())
    });
    cases.collect()
}

/// Runs all programs of a recording of values.
fn check(text: &'static str) {
    let cases = recorded(text, "= ");
    assert!(cases.len() > 5);
    let wrong: Vec<String> = cases
        .iter()
        .map(|(program, expected)| (program, expected.join("\n"), value_of(program)))
        .filter(|(_, expected, found)| found != expected)
        .map(|(program, expected, found)| {
            format!("{program}\n  wanted {expected}\n   found {found}")
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn lists() {
    check(include_str!("lists.txt"));
}

#[test]
fn sets() {
    check(include_str!("sets.txt"));
}

#[test]
fn numbers() {
    check(include_str!("numbers.txt"));
}

#[test]
fn control() {
    check(include_str!("control.txt"));
}

#[test]
fn closure() {
    check(include_str!("closure.txt"));
}

/// What is wrong, behind all steps that led there, outermost first.
#[test]
fn failures() {
    let mut wrong = Vec::new();
    for (program, expected) in recorded(include_str!("errors.txt"), "! ") {
        let Err(error) = evaluated(program, &MemoryIo::new(), Settings::default()) else {
            wrong.push(format!("{program}\n  does not fail"));
            continue;
        };
        let error = error.data();
        let traces = error.traces.innermost_first();
        let steps = traces.iter().rev().map(|step| step.message.replace('\n', " "));
        let mut found: Vec<String> = steps.collect();
        found.push(error.message.replace("\n\t", " "));
        if found != expected {
            wrong.push(format!("{program}\n  wanted {expected:#?}\n   found {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_link_that_leads_nowhere_is_told_by_its_target() {
    let io = MemoryIo::new().link("/d/first", "second").link("/d/second", "../gone/x");
    for program in ["builtins.readFile /d/first", "builtins.readDir /d/first", "import /d/second"] {
        let error = evaluated(program, &io, Settings::default()).unwrap_err();
        assert_eq!(error.to_string(), "path '/gone/x' does not exist", "{program}");
    }
    let error = evaluated("builtins.readFile /d/none", &io, Settings::default()).unwrap_err();
    assert_eq!(error.to_string(), "path '/d/none' does not exist");
}

#[test]
fn attributes_keep_their_places_as_in_nix() {
    let file = "let s = { a = 1; b = 2; }; at = set: builtins.unsafeGetAttrPos \"a\" set; in [
 (at s) (at (removeAttrs s [ \"b\" ])) (at (builtins.intersectAttrs { a = 2; } s))
 (at (builtins.intersectAttrs { a = 2; b = 1; c = 1; } s))
 (at (builtins.listToAttrs [ { name = \"a\"; value = 1; } ]))
 (at (builtins.functionArgs ({ b, a ? 1 }: a))) (at (s // { a = 3; }))
 (at (builtins.mapAttrs (n: v: v) s)) (at (builtins.zipAttrsWith (n: v: v) [ s ]))
 (at (builtins.groupBy (x: \"a\") [ 1 ])) (at { }) ]";
    let io = MemoryIo::new().file("/f.nix", file);
    let program = "map (p: if p == null then p else \"${toString p.line}:${toString p.column}\") (import /f.nix)";
    let program = program.replace("toString", "builtins.toJSON");
    let found = evaluated(&program, &io, Settings::default()).unwrap();
    let expected = r#"[ "1:11" "1:11" "1:11" "1:11" "4:44" "5:35" "5:61" null null null null ]"#;
    assert_eq!(found, expected);
}

#[test]
fn messages_are_printed_in_the_order_of_evaluation() {
    let io = MemoryIo::new();
    let program = "builtins.trace { a = 1 + 1; b = \"\\n\"; } (builtins.warn \"w\" (builtins.traceVerbose \"v\" 2))";
    assert_eq!(evaluated(program, &io, Settings::default()).unwrap(), "2");
    let mut expected = vec![
        (Level::Trace, b"{ a = \xc2\xabthunk\xc2\xbb; b = \"\\n\"; }".to_vec()),
        (Level::Warning, b"w".to_vec()),
    ];
    assert_eq!(io.messages(), expected);
    let io = MemoryIo::new();
    let settings = Settings { trace_verbose: true, ..Settings::default() };
    assert_eq!(evaluated(program, &io, settings).unwrap(), "2");
    expected.push((Level::Trace, b"v".to_vec()));
    assert_eq!(io.messages(), expected);
}

#[test]
fn a_warning_ends_the_evaluation_where_that_is_wanted() {
    let settings = || Settings { abort_on_warn: true, ..Settings::default() };
    for program in ["builtins.warn \"w\" 1", "builtins.tryEval (builtins.warn \"w\" 1)"] {
        let error = evaluated(program, &MemoryIo::new(), settings()).unwrap_err();
        let message = "aborting to reveal stack trace of warning, as abort-on-warn is set";
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn files_are_imported_once_and_scoped_ones_each_time() {
    let io = MemoryIo::new()
        .file("/dir/default.nix", "builtins.trace \"read\" (x: x + 1)")
        .file("/scoped.nix", "builtins.trace \"scoped\" (a + builtins.length [ true ])");
    let program =
        "[ (import /dir 1) (import \"/dir/default.nix\" 2) (import { outPath = \"/dir\"; } 3)
        (scopedImport { a = 1; } /scoped.nix) (scopedImport { a = 2; true = 0; } /scoped.nix) ]";
    assert_eq!(evaluated(program, &io, Settings::default()).unwrap(), "[ 2 3 4 2 3 ]");
    let texts: Vec<Vec<u8>> = io.messages().into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, [b"read".to_vec(), b"scoped".to_vec(), b"scoped".to_vec()]);
}

#[test]
fn constants_say_what_the_settings_say() {
    let settings = || Settings {
        current_system: b"aarch64-linux".to_vec(),
        search_path: vec![
            SearchPath { prefix: b"a".to_vec(), path: b"/b".to_vec() },
            SearchPath { prefix: b"".to_vec(), path: b"/c".to_vec() },
        ],
        ..Settings::default()
    };
    let program = "with builtins; [ currentSystem __currentSystem storeDir langVersion nixVersion nixPath true null ]";
    let expected = r#"[ "aarch64-linux" "aarch64-linux" "/nix/store" 6 "2.34.8" [ { path = "/b"; prefix = "a"; } { path = "/c"; prefix = ""; } ] true null ]"#;
    assert_eq!(evaluated(program, &MemoryIo::new(), settings()).unwrap(), expected);
    let program = "map (n: builtins ? ${n}) [ \"currentSystem\" \"currentTime\" \"nixPath\" ]";
    assert_eq!(value_of(program), "[ true true true ]");
    let pure = Settings { pure: true, ..settings() };
    assert_eq!(evaluated(program, &MemoryIo::new(), pure).unwrap(), "[ false false true ]");
}

#[test]
fn variables_are_the_builtins_of_nix_and_their_hidden_names() {
    for program in
        ["[ abort import map null removeAttrs throw true ]", "[ __add __head __nixPath ]"]
    {
        assert!(!value_of(program).starts_with("error"), "{program}");
    }
    for name in ["add", "head", "__map", "__import", "__true", "nixPath", "__builtins"] {
        assert_eq!(value_of(name), format!("error: undefined variable '{name}'"));
    }
    assert_eq!(value_of("builtins.builtins ? builtins && builtins == builtins.builtins"), "true");
}

#[test]
fn the_context_of_an_error_is_one_that_is_always_shown() {
    let program = "builtins.addErrorContext \"here\" (throw \"x\")";
    let error = evaluated(program, &MemoryIo::new(), Settings::default()).unwrap_err();
    let traces = error.data().traces.innermost_first();
    let custom: Vec<_> = traces.iter().filter(|step| step.custom).collect();
    assert!(matches!(custom[..], [step] if step.message == "here"));
}

#[test]
fn arguments_are_evaluated_in_the_order_of_nix() {
    for (program, first) in [
        ("builtins.elemAt (throw \"a\") (throw \"b\")", "b"),
        ("builtins.genList (throw \"a\") (throw \"b\")", "b"),
        ("builtins.filter (throw \"a\") (throw \"b\")", "b"),
        ("builtins.any (throw \"a\") (throw \"b\")", "a"),
        ("builtins.foldl' (throw \"a\") (throw \"b\") (throw \"c\")", "a"),
        ("builtins.foldl' (a: b: 1) (throw \"b\") (throw \"c\")", "c"),
        ("builtins.getAttr (throw \"a\") (throw \"b\")", "a"),
        ("scopedImport (throw \"a\") (throw \"b\")", "b"),
        ("builtins.addErrorContext (throw \"a\") (throw \"b\")", "a"),
        ("builtins.sort (a: b: throw \"compared\") [ 1 (throw \"b\") ]", "b"),
    ] {
        assert_eq!(value_of(program), format!("error: {first}"), "{program}");
    }
}

#[test]
fn a_call_counts_once_however_many_arguments_it_has() {
    let nested =
        |depth: u32| format!("let f = n: m: if n == 0 then 0 else 1 + f (n - 1) m; in f {depth} 1");
    let settings = || Settings { max_call_depth: 100, ..Settings::default() };
    let evaluated = |depth| evaluated(&nested(depth), &MemoryIo::new(), settings());
    assert_eq!(evaluated(99).unwrap(), "99");
    let error = evaluated(100).unwrap_err();
    assert_eq!(error.to_string(), "stack overflow; max-call-depth exceeded");
}
