//! The parser against the real one: what `nix-instantiate --parse` prints for a source must be what
//! our tree prints, and both must refuse the same sources.

use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use nixos_bootstrap::eval::print::expr::{Folders, print_expr};
use nixos_bootstrap::syntax::{Features, Symbols, parse};

fn ours(source: &[u8], base: &Path) -> Result<Vec<u8>, String> {
    ours_with(Features::default(), source, base)
}

fn ours_with(features: Features, source: &[u8], base: &Path) -> Result<Vec<u8>, String> {
    let mut symbols = Symbols::new();
    let ast = parse(source, &mut symbols, features).map_err(|error| error.message)?;
    let home = std::env::var_os("HOME").unwrap_or_default();
    let folders = Folders { here: base.as_os_str().as_bytes(), home: home.as_bytes() };
    Ok(print_expr(&ast, ast.root().unwrap(), &symbols, folders))
}

/// What our parser makes of a source, printed as `nix-instantiate --parse` prints it.
pub(crate) fn printed(source: &[u8], base: &Path) -> Result<Vec<u8>, String> {
    ours(source, base)
}

fn theirs(command: &mut Command) -> Output {
    command
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .and_then(std::process::Child::wait_with_output)
        .expect("these tests need the real nix: scripts/test puts it on PATH")
}

/// What real nix makes of an expression read from standard input, relative to `/base`.
fn real(source: &[u8]) -> Result<Vec<u8>, String> {
    let mut child = Command::new("nix-instantiate")
        .args(["--parse", "-"])
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("these tests need the real nix: scripts/test puts it on PATH");
    child.stdin.take().unwrap().write_all(source).unwrap();
    let output = child.wait_with_output().unwrap();
    if output.status.success() {
        return Ok(output.stdout.strip_suffix(b"\n").unwrap_or(&output.stdout).to_vec());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Sources that both accept; variables are bound, since the real parser resolves them.
const GOOD: &[&[u8]] = &[
    b"1 + 2 * 3 - 4 / 2",
    b"-1 - -2",
    b"!true || false && true -> false",
    b"!{ } ? a",
    b"-{ } ? a",
    b"1 < 2 == (3 >= 4)",
    b"1 <= 2 != (3 > 4)",
    b"[ 1 ] ++ [ 2 ] ++ [ 3 ]",
    b"{ } // { } // { }",
    b"!true // { }",
    b"1 - 2 - 3",
    b"x: y: x y 1 [ ] { }",
    b"{ a, b ? 1, ... } @ c: c",
    b"c @ { }: c",
    b"{ }: 1",
    b"{ ... }: 1",
    b"{ a, }: a",
    b"{ }",
    b"rec { a = 1; b = a; }",
    b"{ a.b.c = 1; a.b.d = 2; a.e = 3; }",
    b"{ a = { b = 1; }; a.c = 2; }",
    b"{ a = rec { b = 1; }; a = { c = 2; }; }",
    b"{ a.b = 1; a = { inherit (builtins) c; }; a = { inherit (builtins) d; }; }",
    b"{ inherit (builtins) a b; inherit (builtins) c; }",
    b"let a = 1; inherit (builtins) b; in { inherit a b; }",
    b"let { body = 1; }",
    b"let a.b = 1; in a",
    b"let or = 1; f = x: x; in [ f or ]",
    b"{ } ? a ? b",
    b"let f = x: x; or = 1; in f or",
    b"{ or = 1; }.or or 2",
    b"{ a.or.b = 1; }.a.or.b or 3",
    b"builtins.a.\"b c\".${\"d\"}.e or 1 2",
    b"{ \"a b\" = 1; ${\"c\"} = 2; \"${toString 1}\" = 3; \"if\" = 4; if' = 5; }",
    b"{ ${null} = 1; a.${toString 1}.b = 2; }",
    b"with { }; assert true; if true then 1 else 2",
    b"\"a${\"b\"}c${toString 1}\\n\\t\\r\\q\\${ $${ $$ $\"",
    b"\"\" + \"${\"x\"}\"",
    b"\"a\r\nb\rc\"",
    b"''\n  a\n    b\n  c\n''",
    b"''  a\n  b''",
    b"''\n  ${toString 1} x\n   y ''${ '''' ''\\n ''\\t '$' $$ ''$ z\n  ''",
    b"''\n\n    a\n\n  b\n\n''",
    b"''\n\ta\n  b''",
    b"''a''",
    b"''''",
    b"''\n   ''",
    b"''\n  a${\"b\"}\n    ${\"c\"}''",
    b"''${\"x\"}''",
    b"''  \n  x''",
    b"./a",
    b"a/b.c",
    b"/a/../b/./c",
    b"../x",
    b"./a/${toString 1}/b${toString 2}",
    b"./${toString 1}",
    b"/${toString 1}",
    b"<nixpkgs/lib>",
    b"http://example.org/a?b=c&d",
    b"x:x",
    b"1.5 + .5 + 1.e3 + 1.5e-7 + 0.1",
    b"[ 1.2.3 ]",
    b"[ 9223372036854775807 ]",
    b"__curPos",
    b"[ (x: x) (1 + 1) a/b ]",
    b"(((1)))",
    b"# c\n/* a */ 1 /**/ # d",
    b"let __sub = a: b: 7; in 1 - 2",
    b"let a = 1; b = a; in rec { inherit a; c = b; }",
    b"if true then 1 else if false then 2 else 3",
    b"a: assert a; b: a b",
    b"{ a = 1; /* x */ b /* y */ = /* z */ 2 /* w */ ; }",
    b"1 # a\r 2",
    b"1 # \xff\0",
    b"/* \xff */ 1",
    b"1\0 what comes after a NUL }}}",
    b"f: ((f 1) 2) 3 (f 4)",
    b"let or = 1; f = x: y: x; in f or 1",
    b"(1 - 2) 3",
    b"((1 <= 2)) 3",
    b"<a> 1",
    b"''\r\n  a\r\n  b\r\n''",
    b"''  \r\n  a''",
    b"\"a\rb\"",
    b"\"a\\\rb\"",
    b"1.",
    b"0777",
    b"00.5",
    b"01.5",
    b"let e1 = 2; in [ 0.5 e1 1e1 ]",
    b"[ 0.5.5 ]",
    b"~/a",
    b"~/${\"a\"}",
    b"1<2",
    b"''a''$b''",
    b"''a'''b''",
    b"''a''\\nb''",
    b"''a''\\${b''",
    b"''$''",
    b"''$$${toString 1}''",
    b"''''${\"x\"}''",
    b"'' '${\"x\"}''",
    b"''  '''\n    a\n''",
    b"''\n  ''\\n  a\n b''",
    b"{ or = 1; }.or",
    b"{ or = 1; inherit ({ or = 1; }) a; }",
    b"let x = { }; w = 1; z = x: x; in x.y or z w",
    b"let x = { }; z = x; w = 1; in x.y or z.w or w",
    b"let { }",
    b"let { body = 1; }.a",
    b"let { a = x: x; body = a; } 3",
    b"{ ${\"a\" + \"b\"} = 1; ${\"a\" + \"b\"} = 2; }",
    b"{ a.${\"b\" + \"c\"} = 1; a.${\"b\" + \"c\"}.d = 2; }",
    b"{ a = { ${\"x\" + \"y\"} = 1; }; a = { ${\"x\" + \"y\"} = 1; }; }",
    b"{ a = { b = 1; }; a = rec { c = { }; }; a.c.d = 1; }",
    b"{ \"${\"a\"}\" = 1; a = 2; }",
    b"{ ${\"${\"a\"}\"} = 1; }",
    b"let \"a\" = 1; in a",
    b"let ${\"a\"} = 1; in a",
    b"let a.${\"b\" + \"c\"} = 1; in a",
    b"a: { inherit \"a\"; }",
    b"a: { inherit ${\"a\"}; }",
    b"a: { inherit (a) ${\"b\"} \"c\" or; }",
    b"{ inherit; }",
    b"a: { inherit (a); }",
    b"a@{}: 1",
    b"{}@a: 1",
    b"{...}@a: 1",
    b"{a?1,...}: a",
    b"{x}:x.y",
    b"a: b:c",
    b"a.b:c",
    b"a+b-c.d:e?f",
    b"x:y:z",
    b"x:'",
    b"x:~a",
    b"let a'b = { c = 1; }; in a'b.c",
    b"let a_b.c = 1; in [ a_b.c a_b .c/d ]",
    b"let abcdefgh.ijklmnopqrstuvwxyz0123456789 = 1; in abcdefgh.ijklmnopqrstuvwxyz0123456789",
];

/// Sources that both refuse, in the same words.
const BAD: &[&[u8]] = &[
    b"",
    b"1 +",
    b"1 == 2 == 3",
    b"1 < 2 < 3",
    b"let or = 1; in [ or or ]",
    b"{ a = 1; a = 2; }",
    b"{ a.b = 1; a = 2; }",
    b"{ a = 1; a.b = 2; }",
    b"let a = 1; in { inherit a; a = 1; }",
    b"{ inherit (builtins) a a; }",
    b"{ a, a }: 1",
    b"{ a } @ a: 1",
    b"let ${\"a\"} = 1; \"${\"b\"}\" = 2; in 1",
    b"{ inherit ${toString 1}; }",
    b"{ a = 1 }",
    b"[ 1, 2 ]",
    b"\"a",
    b"''a",
    b"\"${1\"",
    b"a: b: ",
    b"(1",
    b"{ a }",
    b"{ ..., a }: 1",
    b"./a/",
    b"./a/${toString 1}/",
    b"a/b//c",
    b"99999999999999999999",
    b"1e400.5.",
    b"rec 1",
    b"let a = 1;",
    b"if 1 then 2",
    b"1 |> 2",
    b"/* x",
    b"x @ y: 1",
    b"with { } 1",
    b"inherit",
    b"\0",
    b"\"a\0b\"",
    b"''a\0b''",
    b"\xef\xbb\xbf1",
    b"1\xff",
    b"0.",
    b"~/",
    b"~a",
    b"<a/>",
    b"<>",
    b"''$'''",
    b"''a'",
    b"{}.y or or",
    b"let or=1; in or",
    b"[ or ]",
    b"let { } : 1",
    b"let { a }: 1",
    b"{ ${\"a\"} = 1; a = 2; }",
    b"{ a.${\"b\"} = 1; a.b.c = 2; }",
    b"or: { inherit or; }",
    b"{}: { inherit \"${\"a\"}\"; }",
    b"a@{}@b: 1",
    b"{a,b,b,a}: 1",
    b"{,}: 1",
    b"{a,,b}: 1",
    b"{...,}: 1",
    b"{\"a\"}: 1",
    b"{or}: 1",
    b"{a,or}: 1",
    b"rec: 1",
    b"x:",
    b"x: x:",
    b"1 1)",
    b"1)",
    b"]",
    b"}",
    b";",
    b"1;",
    b"{ a = ; }",
    b"{ = 1; }",
    b"{ a 1; }",
    b"{ a. = 1; }",
    b"{ a.b 1; }",
    b"{ a.1 = 1; }",
    b"{ 1 = 1; }",
    b"{ inherit (builtins; }",
    b"{ inherit 1; }",
    b"{ inherit a.b; }",
    b"{ inherit (builtins) 1; }",
    b"{ inherit a",
    b"{ inherit",
    b"{",
    b"{ a",
    b"{ a =",
    b"{ a = 1;",
    b"[",
    b"[ 1",
    b"[ 1 + 2 ]",
    b"[ 1 ) ]",
    b"( 1 ]",
    b"(",
    b"()",
    b"let",
    b"let a",
    b"let a = 1; in",
    b"let a = 1; }",
    b"let in",
    b"with 1",
    b"with",
    b"assert 1",
    b"assert 1 2",
    b"if",
    b"if 1",
    b"if 1 then",
    b"if 1 then 2 else",
    b"if 1 2",
    b"if 1 then 2 3",
    b"then",
    b"1 then",
    b"!",
    b"-",
    b"1 + + 2",
    b"1 && && 2",
    b"a.",
    b"{ }.",
    b"{ } ?",
    b"{ } ? 1",
    b"{ } ? a.",
    b"\"${",
    b"\"${}\"",
    b"\"${1",
    b"\"a${1 2",
    b"''${",
    b"''${}''",
    b"''${1",
    b"./${",
    b"./${}",
    b"./a${1",
    b"${\"a\"}",
    b"1.5e999",
    b"1.0e-400",
    b"1 ~ 2",
    b"1 % 2",
    b"1 & 2",
    b"1 | 2",
    b"1 ^ 2",
    b"1 <| 2",
    b"1 = 2",
    b"a b = c",
    b"@",
    b"x @",
    b"x @ { a",
    b"{ a ? }: 1",
    b"{ a ? 1",
    b"{ a,",
    b"{ a, b",
    b"{ ...",
    b"{ ... }",
    b"{ a } 1",
    b"{ a } @",
    b"{ a } @ 1: 1",
    b"{ } @ { }: 1",
    b"-\"a",
    b"./a b//",
    b"a/b/ ",
    b"a/${1}b/ ",
    b"\"\\",
    b"''\\",
    b"'' ''\\",
    b"'' '",
    b"'",
    b"a '",
    b"1 -> -> 2",
    b"{ } // ",
    b"[ x: 1 ]",
    b"[ if 1 then 2 else 3 ]",
    b"[ -1 ]",
    b"[ !1 ]",
    b"f x: 1",
    b"1 + x: 1",
    b"! x: 1",
    b"1 + if 1 then 2 else 3",
    b"1 + let a = 1; in a",
    b"1 ? a ? b == 1 == 2",
    b"1 < 2 > 3",
    b"1 == 2 != 3",
    b"1 <= 2 >= 3",
    b"{ a = 1; b.c = 1; b = { c = 2; }; }",
    b"{ a.b = { c = 1; }; a = { b.c = 2; }; }",
    b"let a = 1; a = 2; in a",
    b"rec { a = 1; a = 2; }",
    b"{ \"a b\" = 1; \"a b\" = 2; }",
    b"{ if = 1; }",
    b"{ a.if = 1; }",
    b"{ x, x, y, y }: 1",
    b"{ a.b.c = 1; a.b = 1; }",
    b"{ a.b.c = 1; a.b.c.d = 1; }",
    b"let { body = 1; body = 2; }",
    b"__curPos.",
    b"1 2 3 }",
    b"{ a = 1; } }",
    b"( 1 ))",
    b"[ ] ]",
    b"\"a\" \"b",
    b"x: x: ",
    b"/*/",
    b"a /* b",
    b"/",
    b"//",
    b"/ a",
    b"a / ",
    b".",
    b"..",
    b"...",
    b". a",
    b"$",
    b"$a",
    b"\\",
    b"`",
    b"#",
    b"  ",
    b"\n",
    b"\"\\\n",
    b"''\n  ${",
];

#[test]
fn good_sources_give_the_real_parser_s_tree() {
    for source in GOOD {
        let shown = String::from_utf8_lossy(source);
        let real = real(source).unwrap_or_else(|error| panic!("{shown}: real nix: {error}"));
        let ours = ours(source, Path::new("/")).unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert_eq!(String::from_utf8_lossy(&ours), String::from_utf8_lossy(&real), "{shown}");
    }
}

#[test]
fn bad_sources_are_refused_in_the_real_parser_s_words() {
    for source in BAD {
        let shown = String::from_utf8_lossy(source);
        let real = real(source).expect_err(&shown);
        let said = real.lines().find_map(|line| line.strip_prefix("error: ")).unwrap();
        let ours = ours(source, Path::new("/")).expect_err(&shown);
        // The real message goes on with the place of an earlier definition.
        let said = said.split(" at «stdin»").next().unwrap();
        assert_eq!(ours, said, "{shown}");
    }
}

#[test]
fn every_nix_file_of_this_repository_gives_the_real_parser_s_tree() {
    let mut files = Vec::new();
    for folder in ["templates", "tests/flakes"] {
        nix_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut files);
    }
    assert!(files.len() > 100, "only {} files", files.len());
    let compared = files.iter().filter(|file| same_tree(file)).count();
    assert!(compared > files.len() * 9 / 10, "only {compared} of {} were compared", files.len());
}

/// Compares the trees of a file; false where the real parser refuses it (for an unbound variable).
fn same_tree(file: &Path) -> bool {
    let output = theirs(Command::new("nix-instantiate").arg("--parse").arg(file));
    if !output.status.success() {
        return false;
    }
    let source = std::fs::read(file).unwrap();
    let ours = ours(&source, file.parent().unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let real = output.stdout.strip_suffix(b"\n").unwrap();
    assert!(ours == real, "{} gives another tree", file.display());
    true
}

fn nix_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("target") {
                nix_files(&path, found);
            }
        } else if path.extension().is_some_and(|ending| ending == "nix") {
            found.push(path);
        }
    }
}

/// What `rnix` leaves to others: it reads syntax only, has every feature on, and keeps numbers and
/// text as they are written.
const NOT_RNIX_S: &[&str] = &[
    "already defined",
    "duplicate formal function argument",
    "dynamic attributes not allowed",
    "invalid integer",
    "invalid float",
    "'pipe-operators' is disabled",
    "contains null bytes",
];

/// Sources that `rnix` takes, and real Nix and we do not.
const RNIX_TAKES: &[&[u8]] = &[
    // A selection without a name.
    b"0.",
    b"<a/>",
    // The wrong bracket, to which it recovers.
    b"( 1 ]",
    // Functions without parentheses as an item, an argument, an operand.
    b"[ x: 1 ]",
    b"f x: 1",
    b"1 + x: 1",
    b"1 + x: x\n",
    b"! x: 1",
];

/// Sources that `rnix` does not take, and real Nix and we do.
const RNIX_REFUSES: &[&[u8]] = &[
    // A NUL ends the source.
    b"1\0 what comes after a NUL }}}",
    // The ancient `let` as a part of something larger.
    b"let { body = 1; }.a",
    b"let { a = x: x; body = a; } 3",
];

#[test]
fn rnix_takes_and_refuses_the_same_sources() {
    let mut files = Vec::new();
    nix_files(Path::new(env!("CARGO_MANIFEST_DIR")), &mut files);
    assert!(files.len() > 100, "only {} files", files.len());
    let files: Vec<_> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    let sources = GOOD.iter().chain(BAD).copied().chain(files.iter().map(Vec::as_slice));
    let mut wrong = Vec::new();
    for source in sources {
        // It reads nothing but UTF-8.
        let Ok(text) = std::str::from_utf8(source) else { continue };
        let rnix_takes = rnix::Root::parse(text).errors().is_empty();
        let known = match parse(source, &mut Symbols::new(), Features::default()) {
            Ok(_) => rnix_takes != RNIX_REFUSES.contains(&source),
            Err(error) if NOT_RNIX_S.iter().any(|words| error.message.contains(words)) => true,
            Err(_) => rnix_takes == RNIX_TAKES.contains(&source),
        };
        if !known {
            wrong.push(format!("rnix takes it: {rnix_takes}: {text:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Parses on a thread with little stack.
fn parses_on_a_small_stack(source: String) -> Result<(), String> {
    let parsed = move || {
        let mut symbols = Symbols::new();
        let parsed = parse(source.as_bytes(), &mut symbols, Features::default());
        parsed.map(|_| ()).map_err(|error| error.message)
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(parsed).unwrap();
    thread.join().unwrap()
}

const MANY: usize = 1_000_000;

#[test]
fn deep_nesting_is_an_error_and_no_crash() {
    let nested = [
        ("(", ")"),
        ("[", "]"),
        ("{a=", ";}"),
        ("rec {a=", ";}"),
        ("let {a=", ";}"),
        ("{ inherit (", ")"),
        ("{ a ? ", "}"),
        ("a: ", ""),
        ("!", ""),
        ("-", ""),
        ("[]++", ""),
        ("{}//", ""),
        ("{}.a or ", ""),
        ("{}.${", "}"),
        ("with 1; ", ""),
        ("assert 1; ", ""),
        ("let a=1; in ", ""),
        ("if 1 then 2 else ", ""),
        ("\"${", "}\""),
        ("''${", "}''"),
        ("./${", "}"),
    ];
    for (open, close) in nested {
        let source = |many| [open.repeat(many).as_str(), "1", &close.repeat(many)].concat();
        let error = parses_on_a_small_stack(source(MANY)).unwrap_err();
        assert!(error.contains("nested too deeply"), "{open}: {error}");
        if let Err(error) = parses_on_a_small_stack(source(9_000)) {
            assert!(!error.contains("nested too deeply"), "{open}: {error}");
        }
    }
}

#[test]
fn long_sources_are_read_whatever_they_repeat() {
    let long = [
        ("[", " 1", "]"),
        ("1", "+1", ""),
        ("1", " - 1", ""),
        ("{}", ".a", ""),
        ("{}", "?a", ""),
        ("{a", ".a", "=1;}"),
        ("a", " a", ""),
        ("", "/**/", "1"),
        ("", "#\n", "1"),
        ("\"", "$", "\""),
        ("", "a/", "b"),
        ("", "1.5", ""),
    ];
    for (start, middle, end) in long {
        let source = [start, &middle.repeat(MANY), end].concat();
        assert_eq!(parses_on_a_small_stack(source), Ok(()), "{middle}");
    }
    // What looks like the beginning of a path or URL at every byte.
    let source = ["_a.".repeat(MANY).as_str(), "b:c"].concat();
    assert!(parses_on_a_small_stack(source).unwrap_err().contains("unexpected URI"));
}

#[test]
fn pipes_are_calls_where_the_feature_is_on() {
    let sources = [
        "a: b: c: a |> b |> c",
        "a: b: c: a <| b <| c",
        "a: b: a |> b || true -> false",
        "a: b: a || true |> b",
        "a: b: if true then a else a |> b",
        "a: x: x |> a.b or a",
        "a: a <| (x: x) |> a",
        "a: a |> x: x",
        "a: a |>",
        "a: b: (a |> b) <| a",
        "a: [ a |> a ]",
        "a: b: a |> (a b)",
        "a: b: (a b) <| a <| b",
    ];
    for source in sources {
        let mut command = Command::new("nix-instantiate");
        command.args(["--extra-experimental-features", "pipe-operators", "--parse", "--expr"]);
        let real = theirs(command.arg(source));
        let features = Features { pipe_operators: true };
        match ours_with(features, source.as_bytes(), Path::new("/")) {
            Ok(ours) => assert_eq!(ours, real.stdout.trim_ascii_end(), "{source}"),
            Err(message) => {
                let said = String::from_utf8_lossy(&real.stderr);
                assert!(said.contains(&format!("error: {message}\n")), "{message}\n{said}");
            }
        }
    }
}

#[test]
fn no_cut_or_changed_source_crashes_the_parser() {
    for source in GOOD.iter().chain(BAD) {
        for cut in 0..source.len() {
            let _ = ours(&source[..cut], Path::new("/"));
            for byte in [b'{', b'"', b'\'', b'$', b'/', b'.', 0, 0xff, b'}', b'\\'] {
                let mut changed = source.to_vec();
                changed[cut] = byte;
                let mut symbols = Symbols::new();
                let _ = parse(&changed, &mut symbols, Features::default());
            }
        }
    }
}
