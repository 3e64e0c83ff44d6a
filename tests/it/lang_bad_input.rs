//! What no program should look like, given to the evaluator all the same: it ends with a value or with
//! an error that says something, never with a panic, a signal or without an end.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::evaluators::{Evaluation, Evaluator, Outcome, What, in_parallel, is_there};

fn evaluate(folder: &Path, evaluator: Evaluator, what: What) -> Outcome {
    let options = vec!["--strict".into()];
    Evaluation { folder, variables: &[], options, what, writable: false }.run(evaluator)
}

/// Evaluates a source with ours.
fn outcome_of(folder: &Path, source: &[u8]) -> Outcome {
    let file = tempfile::Builder::new().suffix(".nix").tempfile_in(folder).unwrap();
    fs::write(file.path(), source).unwrap();
    let what = What::File(file.path().file_name().unwrap().to_owned());
    evaluate(folder, Evaluator::Ours, what)
}

/// What is wrong with the way in which an evaluation ended.
fn disorder(name: &str, outcome: &Outcome) -> Option<String> {
    let stderr = &outcome.stderr;
    let wrong = match outcome.code {
        _ if stderr.contains("panicked") => "panics".to_owned(),
        Some(0) => return None,
        Some(1) if stderr.contains("error:") => return None,
        Some(1) => "fails without a word".to_owned(),
        code => format!("exit code {code:?}"),
    };
    let start: String = stderr.chars().take(500).collect();
    Some(format!("{name}: {wrong}: {start}"))
}

/// Evaluates sources, each with a name, and insists on an orderly end.
fn all_orderly(sources: &[(String, Vec<u8>)]) {
    let folder = tempfile::tempdir().unwrap();
    let wrong =
        in_parallel(sources, |(name, source)| disorder(name, &outcome_of(folder.path(), source)));
    let wrong: Vec<_> = wrong.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// A source with all there is in the language.
fn rich_source() -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lang");
    let mut all = b"[\n".to_vec();
    for name in
        ["operators", "functions", "sets", "strings", "paths", "let-with-assert-if", "numbers"]
    {
        let source = fs::read(folder.join(format!("parse-okay-{name}.nix"))).unwrap();
        all.extend([b"(".as_slice(), &source, b")\n"].concat());
    }
    all.extend(b"]\n");
    all
}

#[test]
fn every_prefix_is_parsed_or_refused() {
    let source = rich_source();
    let base = Path::new("/");
    crate::syntax::printed(&source, base).unwrap();
    for end in 0..source.len() - 2 {
        let refused = crate::syntax::printed(&source[..end], base);
        assert!(refused.is_err(), "the first {end} bytes are taken for a program");
    }
}

#[test]
fn some_prefixes_are_evaluated_or_refused() {
    let source = rich_source();
    let ends = (0..source.len()).step_by(source.len() / 25);
    let prefixes: Vec<_> =
        ends.map(|end| (format!("{end} bytes"), source[..end].to_vec())).collect();
    all_orderly(&prefixes);
}

#[test]
fn random_bytes_are_parsed_or_refused() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        u8::try_from(state >> 56).unwrap()
    };
    let signs = b"{}[]()\"'$.;:=+-*/<>?@!&|,\\ \n\tab1_~#";
    for round in 0..20_000 {
        let length = usize::from(byte()) % 40;
        let text: Vec<u8> = (0..length)
            .map(|_| {
                let byte = byte();
                if round % 2 == 0 { byte } else { signs[usize::from(byte) % signs.len()] }
            })
            .collect();
        // That it comes back is all that is asked.
        _ = crate::syntax::printed(&text, Path::new("/"));
    }
}

#[test]
fn deep_nesting_is_no_crash() {
    let times = 1_000_000;
    let openings = [
        "[",
        "(",
        "{a=",
        "(x: ",
        "x: ",
        "-",
        "!",
        "\"${",
        "''${",
        "(a.",
        "if ",
        "if a then ",
        "let a=",
        "with ",
        "assert ",
        "rec {a=",
        "{a?",
        "a (",
        "[(",
        "{${",
        "1+(",
        "a//",
        "a:b ",
        "a?b.",
        "a->",
        "/*",
        "a.b or ",
        "let {a=",
        "({a, b ? ",
        "a ++ ",
        "f ",
        "a|>(",
    ];
    let closed = [
        ("[", "1", "]"),
        ("(", "1", ")"),
        ("{a=", "1", ";}"),
        ("(x: ", "x", ")"),
        ("\"${", "\"\"", "}\""),
        ("-", "1", ""),
        ("!", "true", ""),
        ("[(", "1", ")]"),
    ];
    let open =
        openings.map(|opening| (format!("many {opening:?}"), opening.repeat(times).into_bytes()));
    let closed = closed.map(|(before, inside, after)| {
        let source = format!("{}{inside}{}", before.repeat(times), after.repeat(times));
        (format!("many {before:?} and {after:?}"), source.into_bytes())
    });
    let sources: Vec<_> = open.into_iter().chain(closed).collect();
    all_orderly(&sources);
}

fn numbered(count: u32, part: impl Fn(u32) -> String) -> String {
    (0..count).map(part).collect::<Vec<_>>().concat()
}

#[test]
fn long_chains_are_no_crash() {
    let chains = [
        ("1", " + 1"),
        ("[ ]", " ++ [ ]"),
        ("{ }", " // { }"),
        ("true", " && true"),
        ("false", " -> false"),
        ("{ }", ".a or { }"),
        ("(x: x)", " (x: x)"),
        ("let a = 1; in a", " - a"),
        ("0", " * 0"),
        ("false", " || false"),
    ];
    let chains = chains.map(|(first, rest)| {
        (format!("many {rest:?}"), format!("{first}{}", rest.repeat(200_000)).into_bytes())
    });
    let sum = format!("\"a\"{}", " + \"b\"".repeat(10_000));
    let wide = [
        format!("[ {} ]", "1 ".repeat(1_000_000)),
        format!(
            "builtins.length (builtins.attrNames {{ {} }})",
            numbered(200_000, |n| format!("a{n} = 1; "))
        ),
        format!(
            "({{ {} }}: 1) {{ }}",
            numbered(50_000, |n| format!("a{n} ? 1, ")).trim_end_matches(", ")
        ),
        format!(
            "let {} in a0",
            numbered(100_000, |n| format!("a{n} = a{}; ", n + 1)) + "a100000 = 1;"
        ),
    ];
    let wide = wide.map(|source| (source[..30].to_owned(), source.into_bytes()));
    let mut sources: Vec<_> = chains.into_iter().chain(wide).collect();
    sources.push(("many texts".to_owned(), sum.into_bytes()));
    all_orderly(&sources);
}

#[test]
fn deep_values_are_no_crash() {
    let programs = [
        "builtins.foldl' (a: i: [ a ]) [ ] (builtins.genList (i: i) 100000)",
        "builtins.foldl' (a: i: { inherit a; }) { } (builtins.genList (i: i) 100000)",
        "builtins.deepSeq (builtins.foldl' (a: i: [ a ]) [ ] (builtins.genList (i: i) 100000)) 1",
        "let deep = builtins.foldl' (a: i: [ a ]) [ ] (builtins.genList (i: i) 100000); in builtins.stringLength (builtins.toJSON deep)",
        "let deep = _: builtins.foldl' (a: i: [ a ]) [ ] (builtins.genList (i: i) 100000); in deep 1 == deep 2",
        "let deep = builtins.foldl' (a: i: { inherit a; }) { } (builtins.genList (i: i) 100000); in builtins.stringLength (builtins.toXML deep)",
        "let f = n: f (n + 1); in f 0",
        "let f = n: 1 + f (n + 1); in f 0",
        "let f = n: [ (f (n + 1)) ]; in f 0",
        "let f = { n }: f { n = n + 1; }; in f { n = 0; }",
        "let s = { __functor = self: n: self (n + 1); }; in s 0",
        "let s = { __toString = self: \"${self}\"; }; in \"${s}\"",
        "let s = { outPath = s; }; in \"${s}\"",
        "let a = b; b = c; c = a; in a",
        "builtins.foldl' (f: i: x: f (x + 1)) (x: x) (builtins.genList (i: i) 100000) 0",
        "builtins.foldl' (a: i: a + i) 0 (builtins.foldl' (l: i: map (x: x) l) [ 1 2 3 ] (builtins.genList (i: i) 100000))",
        "let l = [ l ]; in l == [ l ]",
        "let l = [ l ]; in builtins.toJSON l",
        "let l = { a = l; }; in builtins.toXML l",
        "let l = [ l ]; in toString l",
        "builtins.fromJSON (builtins.concatStringsSep \"\" (builtins.genList (i: \"[\") 1000000))",
        "builtins.fromTOML (\"a = \" + builtins.concatStringsSep \"\" (builtins.genList (i: \"[\") 1000000))",
        "builtins.match (builtins.concatStringsSep \"\" (builtins.genList (i: \"(\") 100000)) \"\"",
        "builtins.match \"(a*)*b\" (builtins.concatStringsSep \"\" (builtins.genList (i: \"a\") 3000))",
        "builtins.genList (i: i) 9223372036854775807",
        "let big = builtins.concatStringsSep \"\" (builtins.genList (i: \"x\") 100000); in builtins.concatStringsSep \"\" (builtins.genList (i: big) 1000000)",
        "let grow = s: grow (s + s); in grow \"x\"",
        "let grow = l: grow (l ++ l); in grow [ 1 ]",
    ];
    all_orderly(&programs.map(|program| (program.to_owned(), program.as_bytes().to_vec())));
}

#[test]
fn large_work_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let million = if cfg!(debug_assertions) { 1_000_000_u64 } else { 10_000_000 };
    let sum = million * (million - 1) / 2;
    let programs = [
        (format!("builtins.foldl' (a: b: a + b) 0 (builtins.genList (i: i) {million})"), sum.to_string()),
        // 100 MB of text
        (
            "builtins.stringLength (builtins.foldl' (s: i: s + s) (builtins.concatStringsSep \"\" (builtins.genList (i: \"x\") 100000)) (builtins.genList (i: i) 10))".to_owned(),
            "102400000".to_owned(),
        ),
        ("let f = n: if n == 0 then 0 else 1 + f (n - 1); in f 9000".to_owned(), "9000".to_owned()),
    ];
    in_parallel(&programs, |(program, value)| {
        let outcome = outcome_of(folder.path(), program.as_bytes());
        assert_eq!(outcome.text().trim_end(), value, "{program}\n{}", outcome.stderr);
    });
}

/// A folder with what is hard to read.
fn hard_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &[u8]| folder.path().join(OsStr::from_bytes(name));
    fs::write(path(b"good.nix"), "1").unwrap();
    fs::write(path(b"nul.nix"), b"[ 1 \0 2 ]").unwrap();
    fs::write(path(b"nul-in-string.nix"), b"\"a\0b\"").unwrap();
    fs::write(path(b"nul-in-comment.nix"), b"# a\0b\n1").unwrap();
    fs::write(path(b"latin1.nix"), b"# caf\xe9\n\"caf\xe9\"").unwrap();
    fs::write(path(b"latin1-name.nix"), b"caf\xe9").unwrap();
    fs::write(path(b"bom.nix"), b"\xef\xbb\xbf1").unwrap();
    fs::write(path(b"empty.nix"), b"").unwrap();
    fs::write(path(b"crlf.nix"), b"{\r\n  a = 1;\r\n}\r\n").unwrap();
    fs::write(path(b"cr.nix"), b"# comment\r1").unwrap();
    fs::write(path(b"binary.nix"), (0..=255).collect::<Vec<u8>>()).unwrap();
    fs::write(path(b"to\xffx"), b"a name that is no UTF-8").unwrap();
    fs::create_dir(path(b"folder")).unwrap();
    fs::create_dir(path(b"bad-default")).unwrap();
    fs::create_dir(path(b"bad-default/default.nix")).unwrap();
    fs::create_dir(path(b"names")).unwrap();
    fs::write(path(b"names/b\xff"), b"1").unwrap();
    fs::write(path(b"names/\xc3\xa4"), b"2").unwrap();
    fs::write(path(b"names/with\nnewline"), b"3").unwrap();
    symlink("nowhere", path(b"dangling.nix")).unwrap();
    symlink("round-b.nix", path(b"round-a.nix")).unwrap();
    symlink("round-a.nix", path(b"round-b.nix")).unwrap();
    symlink("good.nix", path(b"link.nix")).unwrap();
    folder
}

#[test]
fn hard_files_end_as_with_the_real_one() {
    let folder = hard_folder();
    let files = [
        "good.nix",
        "nul.nix",
        "nul-in-string.nix",
        "nul-in-comment.nix",
        "latin1.nix",
        "latin1-name.nix",
        "bom.nix",
        "empty.nix",
        "crlf.nix",
        "cr.nix",
        "binary.nix",
        "folder",
        "bad-default",
        "dangling.nix",
        "round-a.nix",
        "link.nix",
        "missing.nix",
        "good.nix/x",
        "/dev/null",
        "/proc/self/mem",
    ];
    let files = files.map(|file| What::File(file.into()));
    let expressions: [&[u8]; 16] = [
        b"builtins.readDir ./names",
        b"builtins.path { path = ./names; name = \"n\"; }",
        b"builtins.readFile ./folder",
        b"builtins.readFile ./nul.nix",
        b"builtins.readFile ./round-a.nix",
        b"builtins.pathExists ./round-a.nix",
        b"builtins.readFileType ./round-a.nix",
        b"builtins.readDir ./round-a.nix",
        b"import ./bad-default",
        b"builtins.hashFile \"sha256\" ./folder",
        b"builtins.readFile (./names + \"/b\xff\")",
        b"(./. + \"/to\xffx\")",
        b"\"caf\xe9\"",
        b"builtins.toJSON \"caf\xe9\"",
        b"{ \"caf\xe9\" = 1; }",
        b"builtins.attrNames { \"b\xff\" = 1; \"a\xff\" = 2; }",
    ];
    let expressions = expressions.map(|text| What::Expr(OsString::from_vec(text.to_vec())));
    let with_real = is_there("nix-instantiate");
    let all: Vec<_> = files.into_iter().chain(expressions).collect();
    let wrong = in_parallel(&all, |what| {
        let name = format!("{what:?}");
        let ours = evaluate(folder.path(), Evaluator::Ours, what.clone());
        let wrong = disorder(&name, &ours);
        if wrong.is_some() || !with_real {
            return wrong;
        }
        let real = evaluate(folder.path(), Evaluator::Real, what.clone());
        let same = ours.code == real.code && ours.stdout == real.stdout;
        (!same).then(|| {
            format!(
                "{name}\n  expected: {:?} {}{}\n  got:      {:?} {}{}",
                real.code,
                real.text(),
                real.stderr,
                ours.code,
                ours.text(),
                ours.stderr
            )
        })
    });
    let wrong: Vec<_> = wrong.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
