//! `nixos-bootstrap eval` against the real `nix-instantiate --eval`: the same words print the same text.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use assert_cmd::Command as Checked;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::{contains, is_empty, starts_with};

use crate::evaluators::is_there;

/// A folder with the files that the tests evaluate.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &[u8], text: &[u8]| {
        let path = dir.path().join(OsStr::from_bytes(name));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(b"default.nix", b"{ x ? 1 }: { inherit x; y = { z = [ 1 { a = 2; } ]; }; f = a: a; }");
    write(b"bytes.nix", b"{ \"\xff\" = \"\xfe\xff\"; b = \"\\t\"; }");
    write(b"sub/default.nix", b"{ here = ./x; up = ../default.nix; }");
    write(b"broken.nix", b"{ a = 1; b = }");
    write(b"odd \xff.nix", b"\"odd\"");
    dir
}

/// A program that goes wild must not take the machine with it.
const LIMITED: &str = "ulimit -v 4000000; exec timeout 60 \"$@\"";

fn run(program: &[&str], words: &[&str], dir: &Path, stdin: &[u8]) -> Output {
    let mut child = Command::new("sh")
        .args(["-c", LIMITED, "sh"])
        .args(program)
        .args(words)
        .current_dir(dir)
        .env_remove("NIX_PATH")
        .env("NIX_REMOTE", "dummy://")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that fails before it reads closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    child.wait_with_output().unwrap()
}

/// Both run the same words in the same folder: they print the same and end alike.
fn same(words: &[&str], dir: &Path, stdin: &[u8]) -> Result<(), String> {
    let ours = [env!("CARGO_BIN_EXE_nixos-bootstrap"), "eval"];
    let ours = run(&ours, words, dir, stdin);
    let real = run(&["nix-instantiate", "--eval"], words, dir, stdin);
    // The real one prints XML as it goes along, and so the beginning of what fails.
    let printed = |output: &Output| output.status.success().then(|| output.stdout.clone());
    if (ours.status.code(), printed(&ours)) == (real.status.code(), printed(&real)) {
        return Ok(());
    }
    let shown = |output: &Output| {
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        format!("{:?}\n{stdout}{stderr}", output.status.code())
    };
    Err(format!("{words:?}\n--- ours: {}\n--- real: {}\n", shown(&ours), shown(&real)))
}

fn all_same<'w>(cases: impl IntoIterator<Item = Vec<&'w str>>) {
    if !is_there("nix-instantiate") {
        return;
    }
    let dir = folder();
    let wrong: Vec<String> =
        cases.into_iter().filter_map(|words| same(&words, dir.path(), b"").err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Programs whose values show every form of printing.
const VALUES: &[&str] = &[
    "null",
    "[ true false ]",
    "[ 0 (-1) 9223372036854775807 ]",
    "[ 1.0 0.1 (-0.5) 1.0e300 100000.0 1000000.0 1234567.8 1.0e-5 (0.1 + 0.2) ]",
    r#"[ "" "a\n\r\t\"\\" "\${x} $x \$" "é ☃" "''" ]"#,
    "[ /a/b ./x ~/y ]",
    "[ ]",
    "{ }",
    "{ a = 1 + 1; b = x: x; c = [ (1 + 1) 2 \"s\" ]; }",
    r#"{ "" = 4; "-x" = 7; "1a" = 5; a' = 6; a-b = 8; "f g" = 1; "if" = 2; or = 3; "\${" = 9; }"#,
    "x: x",
    "{ a, b ? 1, ... }@all: a",
    "builtins.map",
    "builtins.map (x: x)",
    "let s = { x = 1; }; in [ s s ]",
    "let s = [ 1 ]; in { a = s; b = s; }",
    "let c = { s = [ 1 ]; }; in { a = c.s; b = c.s; }",
    "let s = { }; l = [ ]; in [ s s l l ]",
    "rec { x = { y = 1; }; z = x; }",
    "{ f = { __functor = self: x: x; }; }",
    r#"{ type = "derivation"; drvPath = "/d"; }"#,
    r#"{ a = { outPath = "/x"; b = 2; }; t = { __toString = s: "hi" + s.y; y = "z"; }; }"#,
    "{ o = { outPath.foo = true; }; }",
    "{ c = { x, y ? 1, ... }@z: 1; d = { }: 1; e = { ... }: 1; }",
    "{ a = throw \"x\"; }",
    "[ 1 (throw \"x\") ]",
    "builtins.seq (throw \"x\") 1",
    "1 + null",
    "{ a = 1; b = }",
    "builtins.trace { a = 1 + 1; b = 2; f = x: x; } 1",
];

/// A derivation's attributes are defined in a file of the evaluator's own, whose lines are not those of
/// Nix' file.
const DERIVATIONS: &[&str] = &[
    r#"derivation { name = "x"; system = "y"; builder = "z"; }"#,
    r#"let d = derivation { name = "x"; system = "y"; builder = "z"; }; in { a = d; b = [ d ]; }"#,
];

#[test]
fn values_are_printed_as_nix_instantiate_does() {
    let forms: [&[&str]; 6] = [
        &[],
        &["--strict"],
        &["--json", "--strict"],
        &["--xml"],
        &["--xml", "--strict"],
        &["--xml", "--strict", "--no-location"],
    ];
    let of = |values: &'static [&'static str], form: &[&'static str]| -> Vec<Vec<&'static str>> {
        values.iter().map(|value| [&["--expr", value][..], form].concat()).collect()
    };
    let placed = |form: &[&str]| form.contains(&"--xml") && !form.contains(&"--no-location");
    let derivations = forms.iter().filter(|form| !placed(form));
    all_same(
        forms
            .iter()
            .flat_map(|form| of(VALUES, form))
            .chain(derivations.flat_map(|form| of(DERIVATIONS, form))),
    );
}

#[test]
fn values_that_contain_themselves_are_printed_as_nix_instantiate_does() {
    // Not as XML: Nix prints a gigabyte before it gives up.
    let cyclic = [
        "rec { a = { b = a; }; }",
        "let a = { b = a; c = 1; }; in a",
        "let l = [ l ]; in l",
        "let x = [ x x ]; y = { inherit x; z = x; }; in y",
    ];
    all_same(cyclic.iter().flat_map(|value| {
        let json = vec!["--expr", *value, "--strict", "--json"];
        [vec!["--expr", *value], vec!["--expr", *value, "--strict"], json]
    }));
}

#[test]
fn values_without_end_are_an_error_as_in_nix_instantiate() {
    let program = "let f = n: { inner = f (n + 1); }; in f 0";
    all_same([
        vec!["--expr", program],
        vec!["--expr", program, "--strict"],
        vec!["--expr", program, "--strict", "--json"],
    ]);
    let deep = "stack overflow; max-call-depth exceeded";
    ours(&["--expr", program, "--strict"]).assert().code(1).stderr(contains(deep));
}

#[test]
fn raw_strings_and_lazy_json_are_those_of_nix_instantiate() {
    let values = [
        "\"a\\nb\"",
        "1",
        "{ }",
        "[ ]",
        "{ outPath = \"/x\"; }",
        "{ __toString = s: \"x\"; }",
        "null",
        "x: x",
    ];
    all_same(
        values
            .iter()
            .flat_map(|value| ["--raw", "--json"].map(|form| vec!["--expr", *value, form])),
    );
}

#[test]
fn files_paths_and_arguments_are_those_of_nix_instantiate() {
    all_same([
        vec![],
        vec!["."],
        vec!["./default.nix", "--strict"],
        vec!["./sub"],
        vec!["sub/default.nix", "-A", "up"],
        vec!["./bytes.nix"],
        vec!["./bytes.nix", "--json"],
        vec!["./broken.nix"],
        vec!["./missing.nix"],
        vec!["/"],
        vec!["default.nix", "sub"],
        vec!["-A", "y.z.1.a"],
        vec!["-A", "y.z.1.a", "-A", "x"],
        vec!["-A", "y.\"z\".0"],
        vec!["-A", "y.z.2"],
        vec!["-A", "y.w"],
        vec!["-A", "x.w"],
        vec!["-A", "y.0"],
        vec!["-A", "y..z"],
        vec!["-A", "y.\"z"],
        vec!["-A", ""],
        vec!["-A", "f"],
        vec!["--arg", "x", "5", "-A", "x"],
        vec!["--argstr", "x", "5", "-A", "x"],
        vec!["--arg", "x", "5"],
        vec!["--arg", "unused", "throw \"no\"", "-A", "x"],
        vec!["--arg", "x", "1 +", "-A", "x"],
        vec!["--arg", "x", "./sub", "-A", "x"],
        vec!["--arg", "x", "1", "--arg", "x", "2", "-A", "x"],
        vec!["-E", "{ a }: a", "--arg", "b", "1"],
        vec!["-E", "{ a, ... }: a", "--arg", "b", "1"],
        vec!["-E", "{ a ? 3, ... }@all: all", "--arg", "b", "1"],
        vec!["-E", "{ __functor = s: { a ? 1 }: a; }", "--arg", "b", "1"],
        vec!["-E", "{ a }: { b }: a", "--arg", "a", "1", "--arg", "b", "2"],
        vec!["-I", "foo=./sub", "-E", "<foo>"],
        vec!["-I", "foo=./sub", "<foo>"],
        vec!["-I", ".", "-E", "<sub/default.nix>"],
        vec!["-E", "<nowhere>"],
        vec!["--option", "pure-eval", "true", "-E", "builtins ? currentSystem"],
        vec!["--option", "no-such-setting", "x", "-E", "1"],
        vec!["--max-call-depth", "10", "-E", "let f = x: 1 + f x; in f 1"],
        vec!["--extra-experimental-features", "pipe-operators no-such", "-E", "1 |> (x: x)"],
        vec!["-E", "1 |> (x: x)"],
    ]);
}

#[test]
fn standard_input_is_evaluated_in_the_current_folder() {
    if !is_there("nix-instantiate") {
        return;
    }
    let dir = folder();
    for (words, text) in [
        (&["-"][..], &b"{ a = ./x; b = import ./sub; }"[..]),
        (&["-", "--strict"], b"{ a = ./x; b = import ./sub; }"),
        (&["-", "-A", "a"], b"{ a = \"\xff\"; }"),
        (&["-"], b""),
        (&["-"], b"{"),
    ] {
        same(words, dir.path(), text).unwrap();
    }
}

fn ours(words: &[&str]) -> Checked {
    let mut command = Checked::cargo_bin("nixos-bootstrap").unwrap();
    command.arg("eval").args(words).env_remove("NIX_PATH");
    command
}

#[test]
fn the_words_of_nix_eval_are_understood() {
    let dir = folder();
    let prints = |words: &[&str], text: &'static str| {
        ours(words).current_dir(&dir).assert().code(0).stdout(text).stderr(is_empty());
    };
    prints(&["--expr", "{ a.b = 1; }", "a.b"], "1\n");
    prints(&["--file", "default.nix", "y.z.0"], "1\n");
    prints(&["--expr", "20", "--apply", "x: x + 1"], "21\n");
    prints(&["--expr", "builtins ? currentSystem", "--pure"], "false\n");
    prints(&["--expr", "builtins ? currentSystem", "--pure", "--impure"], "true\n");
    let odd = dir.path().join(OsStr::from_bytes(b"odd \xff.nix"));
    ours(&["--file"]).arg(odd).assert().code(0).stdout("\"odd\"\n");
}

#[test]
fn failures_are_told_on_standard_error_with_exit_code_1() {
    let fails = |words: &[&str]| ours(words).assert().code(1).stdout(is_empty());
    fails(&["--expr", "let\n  a = 1;\nin b"])
        .stderr(starts_with("error: undefined variable 'b'\n --> «string»:3:4\n"));
    fails(&["--expr", "{ value = 1; }", "valeu"])
        .stderr(contains("not found").and(contains("did you mean value?")));
    let deep = "let f = x: 1 + f x; in f 1";
    fails(&["--expr", deep]).stderr(contains("max-call-depth exceeded"));
    fails(&["--expr", deep, "--show-trace"]).stderr(contains("duplicate frames omitted"));
    fails(&["--expr", "import /nowhere"]).stderr(contains("path '/nowhere' does not exist"));
    let nested = "[".repeat(100_000);
    ours(&["-"]).write_stdin(nested).assert().code(1).stderr(starts_with("error: "));
}

#[test]
fn wrong_usage_ends_with_exit_code_2() {
    let wrong = |words: &[&str]| ours(words).assert().code(2).stdout(is_empty());
    wrong(&["--expr", "1", "--json", "--raw"]);
    wrong(&["--expr", "1", "--file", "x"]);
    wrong(&["--arg", "x"]);
    wrong(&["--no-such-flag"]);
    wrong(&["--max-call-depth", "many", "--expr", "1"]);
    let no_flake = contains("could not find a flake.nix file");
    let dir = folder();
    ours(&[".#x"]).current_dir(&dir).assert().code(2).stdout(is_empty()).stderr(no_flake);
}

/// Presses Ctrl-C during an evaluation that would not end soon.
fn ends_with_ctrl_c(program: &str) {
    let child = Command::new(env!("CARGO_BIN_EXE_nixos-bootstrap"))
        .args(["eval", "--max-call-depth", "1000000000", "--expr", program])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    let pid = rustix::process::Pid::from_child(&child);
    let pressed = std::time::Instant::now();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let waited = pressed.elapsed();
    assert_eq!(output.status.code(), Some(3), "{program}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "error: interrupted by the user\n");
    assert!(waited < std::time::Duration::from_secs(3), "{program}: {waited:?}");
}

#[test]
fn an_endless_evaluation_ends_at_once_with_ctrl_c() {
    ends_with_ctrl_c("let f = n: if n < 0 then n else f (n + 1); in f 0");
    // What tryEval catches is no interruption.
    ends_with_ctrl_c(
        "let f = n: if (builtins.tryEval (g n)).success then f n else 1; g = n: n; in f 0",
    );
    // Few calls, and much to do in each: the evaluator is not asked for a long time.
    ends_with_ctrl_c(
        "let l = builtins.genList (n: n) 100000; in builtins.filter (n: builtins.elem (-1) l) l",
    );
}
