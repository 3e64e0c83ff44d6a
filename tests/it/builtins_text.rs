//! The builtins of strings, versions, contexts, JSON, XML, TOML and regular expressions. The expected texts
//! are what `nix-instantiate --eval --strict` of Nix 2.34.8 prints, and the messages it fails with.

use nixos_bootstrap::eval::arena::Arena;
use nixos_bootstrap::eval::io::MemoryIo;
use nixos_bootstrap::eval::position::Origin;
use nixos_bootstrap::eval::print::print;
use nixos_bootstrap::eval::settings::Settings;
use nixos_bootstrap::eval::{Eval, STACK_SIZE};

/// The printed value of a program, or what it fails with.
fn run(program: &str, io: &MemoryIo, settings: &Settings) -> Result<String, String> {
    let arena = Arena::new();
    let mut eval = Eval::new(&arena, io, settings.clone());
    let mut out = Vec::new();
    eval.eval_string(program.as_bytes(), b"/here", Origin::String)
        .and_then(|value| print(&mut eval, value, true, &mut out))
        .map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Runs all programs and compares each with what is expected of it.
fn check(cases: &'static [(&str, &str)], expected: fn(&str) -> Result<String, String>) {
    let all = std::thread::Builder::new().stack_size(STACK_SIZE).spawn(move || {
        let (io, settings) = (MemoryIo::new(), Settings::default());
        for (program, result) in cases {
            assert_eq!(run(program, &io, &settings), expected(result), "{program}");
        }
    });
    all.unwrap().join().unwrap();
}

fn prints(cases: &'static [(&str, &str)]) {
    check(cases, |value| Ok(value.to_owned()));
}

fn fails(cases: &'static [(&str, &str)]) {
    check(cases, |message| Err(message.to_owned()));
}

#[test]
fn environment() {
    let io = MemoryIo::new().var("HOME", "/home/me");
    let program = r#"map builtins.getEnv [ "HOME" "NOT_SET" "" ]"#;
    let impure = Settings::default();
    assert_eq!(run(program, &io, &impure).unwrap(), r#"[ "/home/me" "" "" ]"#);
    let pure = Settings { pure: true, ..Settings::default() };
    assert_eq!(run(program, &io, &pure).unwrap(), r#"[ "" "" "" ]"#);
}

#[test]
fn substring() {
    prints(&[
        (r#"builtins.substring 0 3 "hello""#, r#""hel""#),
        (r#"builtins.substring 1 (-1) "hello""#, r#""ello""#),
        (r#"builtins.substring 5 1 "hello""#, r#""""#),
        (r#"builtins.substring 100 (-1) "hello""#, r#""""#),
        (r#"builtins.substring 3 9223372036854775807 "hello""#, r#""lo""#),
        (r#"builtins.substring 0 0 { __toString = self: "x"; }"#, r#""""#),
        (r#"builtins.substring 0 1 "ü" + builtins.substring 1 1 "ü""#, r#""ü""#),
        (r#"builtins.stringLength "ü""#, "2"),
        (r#"builtins.stringLength { outPath = "/nix/store"; }"#, "10"),
        (
            r#"builtins.getContext (builtins.substring 0 0 (builtins.appendContext "abc" { "/nix/store/00000000000000000000000000000000-x".path = true; }))"#,
            r#"{ "/nix/store/00000000000000000000000000000000-x" = { path = true; }; }"#,
        ),
        (
            r#"builtins.getContext (builtins.substring 9 1 (builtins.appendContext "abc" { "/nix/store/00000000000000000000000000000000-x".path = true; }))"#,
            r#"{ "/nix/store/00000000000000000000000000000000-x" = { path = true; }; }"#,
        ),
    ]);
}

#[test]
fn coercing_to_a_string() {
    prints(&[
        (
            r#"toString [ 1 true false null 1.5 "a" [ ] [ "b" [ ] ] /c ]"#,
            r#""1 1   1.500000 a b  /c""#,
        ),
        ("toString [ [ ] ]", r#""""#),
        (r#"toString [ "" "" ]"#, r#"" ""#),
        (
            "toString 1.0e300",
            r#""1000000000000000052504760255204420248704468581108159154915854115511802457988908195786371375080447864043704443832883878176942523235360430575644792184786706982848387200926575803737830233794788090059368953234970799945081119038967640880074652742780142494579258788820056842838115669472196386865459400540160.000000""#,
        ),
        ("toString (-0.0)", r#""0.000000""#),
        ("toString 9223372036854775807", r#""9223372036854775807""#),
        ("toString /a/../b", r#""/b""#),
        (
            r#"toString { __toString = self: self.x + "!"; x = "s"; outPath = throw "not wanted"; }"#,
            r#""s!""#,
        ),
        ("toString { __toString = self: 1; }", r#""1""#),
        ("toString { outPath = { outPath = /a; }; }", r#""/a""#),
        (r#"builtins.toPath "/a//b/../c/.""#, r#""/a/c""#),
        (
            r#"builtins.hasContext (toString (builtins.appendContext "a" { "/nix/store/00000000000000000000000000000000-x".path = true; }))"#,
            "true",
        ),
    ]);
}

#[test]
fn joining() {
    prints(&[
        (r#"builtins.concatStringsSep ", " [ "a" "b" { outPath = "c"; } ]"#, r#""a, b, c""#),
        (r#"builtins.concatStringsSep ", " [ ]"#, r#""""#),
        (r#"builtins.concatStringsSep "" [ "one" ]"#, r#""one""#),
        (
            r#"builtins.getContext (builtins.concatStringsSep (builtins.appendContext "-" { "/nix/store/00000000000000000000000000000000-s".path = true; }) [ ])"#,
            r#"{ "/nix/store/00000000000000000000000000000000-s" = { path = true; }; }"#,
        ),
        (
            r#"builtins.attrNames (builtins.getContext (builtins.concatStringsSep (builtins.appendContext "-" { "/nix/store/00000000000000000000000000000000-s".path = true; }) [ (builtins.appendContext "a" { "/nix/store/00000000000000000000000000000000-x".path = true; }) "b" ]))"#,
            r#"[ "/nix/store/00000000000000000000000000000000-s" "/nix/store/00000000000000000000000000000000-x" ]"#,
        ),
    ]);
}

#[test]
fn replacing() {
    prints(&[
        (r#"builtins.replaceStrings [ "oo" "a" ] [ "a" "i" ] "foobar""#, r#""fabir""#),
        (r#"builtins.replaceStrings [ "" ] [ "-" ] "abc""#, r#""-a-b-c-""#),
        (r#"builtins.replaceStrings [ "" "a" ] [ "-" "x" ] "abc""#, r#""-a-b-c-""#),
        (r#"builtins.replaceStrings [ "b" "" ] [ "x" "-" ] "abc""#, r#""-ax-c-""#),
        (r#"builtins.replaceStrings [ "" ] [ "-" ] """#, r#""-""#),
        (r#"builtins.replaceStrings [ ] [ ] "abc""#, r#""abc""#),
        (r#"builtins.replaceStrings [ "a" "ab" ] [ "1" "2" ] "abab""#, r#""1b1b""#),
        (r#"builtins.replaceStrings [ "ab" "a" ] [ "1" "2" ] "aab""#, r#""21""#),
        (r#"builtins.replaceStrings [ "x" ] [ (throw "not wanted") ] "abc""#, r#""abc""#),
        (r#"builtins.replaceStrings [ "a" "a" ] [ "1" (throw "not wanted") ] "aaa""#, r#""111""#),
        (r#"builtins.replaceStrings [ "aa" ] [ "a" ] "aaaaa""#, r#""aaa""#),
        (
            r#"builtins.getContext (builtins.replaceStrings [ "x" ] [ (builtins.appendContext "a" { "/nix/store/00000000000000000000000000000000-x".path = true; }) ] "abc")"#,
            "{ }",
        ),
        (
            r#"builtins.attrNames (builtins.getContext (builtins.replaceStrings [ (builtins.appendContext "a" { "/nix/store/00000000000000000000000000000000-p".path = true; }) "b" ] [ (builtins.appendContext "a" { "/nix/store/00000000000000000000000000000000-x".path = true; }) "b" ] (builtins.appendContext "abc" { "/nix/store/00000000000000000000000000000000-y".path = true; })))"#,
            r#"[ "/nix/store/00000000000000000000000000000000-x" "/nix/store/00000000000000000000000000000000-y" ]"#,
        ),
    ]);
}

#[test]
fn parts_of_paths() {
    prints(&[
        (
            r#"map baseNameOf [ "a/b" "a/b/" "a/b//" "/" "//" "" "a" ".." /a/b /. ]"#,
            r#"[ "b" "b" "" "" "" "" "a" ".." "b" "" ]"#,
        ),
        (
            r#"map dirOf [ "a/b" "a/b/" "a/b//" "/" "//" "" "a" "/a" /a/b /. /a ]"#,
            r#"[ "a" "a/b" "a/b/" "/" "/" "." "." "/" /a / / ]"#,
        ),
        (
            r#"map builtins.typeOf [ (dirOf /a/b) (baseNameOf /a/b) (dirOf "/a/b") ]"#,
            r#"[ "path" "string" "string" ]"#,
        ),
        (
            r#"builtins.hasContext (baseNameOf (builtins.appendContext "a/b" { "/nix/store/00000000000000000000000000000000-x".path = true; }))"#,
            "true",
        ),
        (
            r#"builtins.hasContext (dirOf (builtins.appendContext "a/b" { "/nix/store/00000000000000000000000000000000-x".path = true; }))"#,
            "true",
        ),
        (r#"baseNameOf { outPath = "/x/y"; }"#, r#""y""#),
        ("dirOf { outPath = /x/y; }", r#""/x""#),
    ]);
}

#[test]
fn versions() {
    prints(&[
        (
            r#"map (v: builtins.compareVersions v "2.3") [ "2.3" "2.3.1" "2.3a" "2.3pre1" "2.2" "2.10" "2" "" "2-3" "2.3-" "2.03" ]"#,
            "[ 0 1 1 -1 -1 1 -1 -1 0 0 0 ]",
        ),
        (r#"builtins.compareVersions "2.3pre1" "2.3pre12""#, "-1"),
        (r#"builtins.compareVersions "1.0pre" "1.0a""#, "-1"),
        (r#"builtins.compareVersions "99999999999" "1""#, "-1"),
        (r#"builtins.compareVersions "" """#, "0"),
        (
            r#"map builtins.splitVersion [ "1.2.3" "1-2a..b" "" "." "0.12pre12876" "ü1" ]"#,
            r#"[ [ "1" "2" "3" ] [ "1" "2" "a" "b" ] [ ] [ ] [ "0" "12" "pre" "12876" ] [ "ü" "1" ] ]"#,
        ),
        (
            r#"map builtins.parseDrvName [ "nix-0.12pre12876" "a-b" "a-1-2" "-1" "a-" "a--1" "" "x-\u0031" ]"#,
            r#"[ { name = "nix"; version = "0.12pre12876"; } { name = "a-b"; version = ""; } { name = "a"; version = "1-2"; } { name = ""; version = "1"; } { name = "a-"; version = ""; } { name = "a"; version = "-1"; } { name = ""; version = ""; } { name = "x-u0031"; version = ""; } ]"#,
        ),
    ]);
}

#[test]
fn contexts() {
    prints(&[
        (r#"builtins.getContext "a""#, "{ }"),
        (
            r#"builtins.getContext (builtins.appendContext "a" { "/nix/store/00000000000000000000000000000000-x.drv" = { path = true; allOutputs = true; outputs = [ "out" "dev" ]; }; "/nix/store/00000000000000000000000000000000-a" = { path = true; }; })"#,
            r#"{ "/nix/store/00000000000000000000000000000000-a" = { path = true; }; "/nix/store/00000000000000000000000000000000-x.drv" = { allOutputs = true; outputs = [ "dev" "out" ]; path = true; }; }"#,
        ),
        (
            r#"builtins.getContext (builtins.appendContext "a" { "/nix/store/00000000000000000000000000000000-x.drv" = { path = false; allOutputs = false; outputs = [ ]; }; })"#,
            "{ }",
        ),
        (
            r#"builtins.getContext (builtins.appendContext "a" { "/nix/store//00000000000000000000000000000000-x/" = { path = true; }; })"#,
            r#"{ "/nix/store/00000000000000000000000000000000-x" = { path = true; }; }"#,
        ),
        (
            r#"builtins.getContext (builtins.appendContext (builtins.appendContext "a" { "/nix/store/00000000000000000000000000000000-x.drv".outputs = [ "b" ]; }) { "/nix/store/00000000000000000000000000000000-x.drv".outputs = [ "a" "b" ]; })"#,
            r#"{ "/nix/store/00000000000000000000000000000000-x.drv" = { outputs = [ "a" "b" ]; }; }"#,
        ),
        (
            r#"builtins.getContext (builtins.unsafeDiscardOutputDependency (builtins.appendContext "a" { "/nix/store/00000000000000000000000000000000-x.drv" = { allOutputs = true; outputs = [ "out" ]; }; }))"#,
            r#"{ "/nix/store/00000000000000000000000000000000-x.drv" = { outputs = [ "out" ]; path = true; }; }"#,
        ),
        (
            r#"builtins.getContext (builtins.addDrvOutputDependencies (builtins.appendContext "a" { "/nix/store/00000000000000000000000000000000-x.drv".path = true; }))"#,
            r#"{ "/nix/store/00000000000000000000000000000000-x.drv" = { allOutputs = true; }; }"#,
        ),
        (
            r#"builtins.getContext (builtins.addDrvOutputDependencies (builtins.appendContext "a" { "/nix/store/00000000000000000000000000000000-x.drv".allOutputs = true; }))"#,
            r#"{ "/nix/store/00000000000000000000000000000000-x.drv" = { allOutputs = true; }; }"#,
        ),
        (
            r#"builtins.getContext (builtins.unsafeDiscardStringContext (builtins.appendContext "a" { "/nix/store/00000000000000000000000000000000-x.drv".path = true; }))"#,
            "{ }",
        ),
        (
            r#"map builtins.hasContext [ "a" (builtins.appendContext "a" { }) (builtins.appendContext "" { "/nix/store/00000000000000000000000000000000-x.drv".path = true; }) ]"#,
            "[ false false true ]",
        ),
    ]);
}

#[test]
fn json() {
    prints(&[
        (
            r#"builtins.fromJSON "{ \"b\": [ 1, -2.5, 1e3, true, null, \"\\u00fc\\n\" ], \"a\": {}, \"b\": 2 }""#,
            "{ a = { }; b = 2; }",
        ),
        (r#"builtins.fromJSON "[]""#, "[ ]"),
        (r#"builtins.fromJSON " \"x\" ""#, r#""x""#),
        (
            r#"builtins.attrNames (builtins.fromJSON "{\"z\":1,\"a\":2,\"m\":3,\"a\":4}")"#,
            r#"[ "a" "m" "z" ]"#,
        ),
        (
            r#"map builtins.fromJSON [ "-0" "9223372036854775807" "-9223372036854775808" "1E2" "-9223372036854775809" ]"#,
            "[ 0 9223372036854775807 -9223372036854775808 100 -9.22337e+18 ]",
        ),
        (
            r#"builtins.toJSON { b = [ 1 1.0 0.1 1.0e20 true null "ü\n\"\\" ]; a = { }; "a b" = [ ]; }"#,
            r#""{\"a\":{},\"a b\":[],\"b\":[1,1.0,0.1,1e+20,true,null,\"ü\\n\\\"\\\\\"]}""#,
        ),
        (r#"builtins.toJSON { outPath = { outPath = "p"; }; b = 1; }"#, r#""\"p\"""#),
        (
            r#"builtins.toJSON { __toString = self: "s"; outPath = throw "not wanted"; }"#,
            r#""\"s\"""#,
        ),
        ("builtins.toJSON [ (1.0e300 * 1.0e300) ]", r#""[null]""#),
        (
            r#"builtins.getContext (builtins.toJSON { a = [ (builtins.appendContext "a" { "/nix/store/00000000000000000000000000000000-x".path = true; }) ]; })"#,
            r#"{ "/nix/store/00000000000000000000000000000000-x" = { path = true; }; }"#,
        ),
    ]);
}

#[test]
fn xml() {
    prints(&[
        (
            r#"builtins.toXML { b = [ 1 1.5 true null "<&\">" /p ]; a = { f = x: x; g = { z, y ? 1, ... }@all: z; }; }"#,
            r#""<?xml version='1.0' encoding='utf-8'?>\n<expr>\n  <attrs>\n    <attr name=\"a\">\n      <attrs>\n        <attr name=\"f\">\n          <function>\n            <varpat name=\"x\" />\n          </function>\n        </attr>\n        <attr name=\"g\">\n          <function>\n            <attrspat ellipsis=\"1\" name=\"all\">\n              <attr name=\"y\" />\n              <attr name=\"z\" />\n            </attrspat>\n          </function>\n        </attr>\n      </attrs>\n    </attr>\n    <attr name=\"b\">\n      <list>\n        <int value=\"1\" />\n        <float value=\"1.5\" />\n        <bool value=\"true\" />\n        <null />\n        <string value=\"&lt;&amp;&quot;&gt;\" />\n        <path value=\"/p\" />\n      </list>\n    </attr>\n  </attrs>\n</expr>\n""#,
        ),
        (
            r#"builtins.toXML { type = "derivation"; drvPath = "/d"; outPath = "/o"; self = { type = "derivation"; drvPath = "/d"; outPath = "/o"; }; }"#,
            r#""<?xml version='1.0' encoding='utf-8'?>\n<expr>\n  <derivation drvPath=\"/d\" outPath=\"/o\">\n    <attr name=\"drvPath\">\n      <string value=\"/d\" />\n    </attr>\n    <attr name=\"outPath\">\n      <string value=\"/o\" />\n    </attr>\n    <attr name=\"self\">\n      <derivation drvPath=\"/d\" outPath=\"/o\">\n        <repeated />\n      </derivation>\n    </attr>\n    <attr name=\"type\">\n      <string value=\"derivation\" />\n    </attr>\n  </derivation>\n</expr>\n""#,
        ),
        (
            "builtins.toXML [ (builtins.substring 1) builtins.substring ]",
            r#""<?xml version='1.0' encoding='utf-8'?>\n<expr>\n  <list>\n    <unevaluated />\n    <unevaluated />\n  </list>\n</expr>\n""#,
        ),
    ]);
}

#[test]
fn regular_expressions() {
    prints(&[
        (r#"builtins.match "ab" "abc""#, "null"),
        (r#"builtins.match "abc" "abc""#, "[ ]"),
        (r#"builtins.match "a(b)(c)" "abc""#, r#"[ "b" "c" ]"#),
        (r#"builtins.match "(a)|(b)" "b""#, r#"[ null "b" ]"#),
        (r#"builtins.match "(a|ab)(c|bcd)(d*)" "abcd""#, r#"[ "a" "bcd" "" ]"#),
        (r#"builtins.match "[[:space:]]+([[:upper:]]+)[[:space:]]+" "  FOO   ""#, r#"[ "FOO" ]"#),
        (r#"builtins.match "(.*)\\.nix" "a.b.nix""#, r#"[ "a.b" ]"#),
        (r#"builtins.match "a.b" "a\nb""#, "[ ]"),
        (r#"builtins.match "" """#, "[ ]"),
        (r#"builtins.split "(a)b" "abc""#, r#"[ "" [ "a" ] "c" ]"#),
        (r#"builtins.split "([ac])" "abc""#, r#"[ "" [ "a" ] "b" [ "c" ] "" ]"#),
        (r#"builtins.split "(a)|(c)" "abc""#, r#"[ "" [ "a" null ] "b" [ null "c" ] "" ]"#),
        (r#"builtins.split "([[:upper:]]+)" " FOO ""#, r#"[ " " [ "FOO" ] " " ]"#),
        (r#"builtins.split "(a|ab)" "xaby""#, r#"[ "x" [ "ab" ] "y" ]"#),
        (r#"builtins.split "a*" "ab""#, r#"[ "" [ ] "" [ ] "b" [ ] "" ]"#),
        (r#"builtins.split "x" """#, r#"[ "" ]"#),
        (r#"builtins.split "" "ab""#, r#"[ "" [ ] "a" [ ] "b" [ ] "" ]"#),
        (
            r#"map builtins.hasContext (builtins.split "x" (builtins.appendContext "abc" { "/nix/store/00000000000000000000000000000000-x".path = true; }))"#,
            "[ true ]",
        ),
        (
            r#"map builtins.hasContext [ (builtins.head (builtins.split "b" (builtins.appendContext "abc" { "/nix/store/00000000000000000000000000000000-x".path = true; }))) ]"#,
            "[ false ]",
        ),
        (
            r#"builtins.getContext (builtins.head (builtins.match "(.*)" (builtins.appendContext "abc" { "/nix/store/00000000000000000000000000000000-x".path = true; })))"#,
            "{ }",
        ),
    ]);
}

#[test]
fn toml() {
    prints(&[
        (
            r#"builtins.fromTOML "a = 1\nb = \"x\"\n[t]\nc = [ 1, 2.5, true ]\n[t.u]\nd = 'lit\\n'\n[[l]]\ne = 0x1F\n[[l]]\n""#,
            r#"{ a = 1; b = "x"; l = [ { e = 31; } { } ]; t = { c = [ 1 2.5 true ]; u = { d = "lit\\n"; }; }; }"#,
        ),
        (r#"builtins.fromTOML """#, "{ }"),
        (
            r#"builtins.fromTOML "a.b.c = 1\n\"x y\" = { k = -inf, n = 1_000 }\ns = \"\"\"\nq \\\n   r\"\"\"""#,
            r#"{ a = { b = { c = 1; }; }; s = "q r"; "x y" = { k = -inf; n = 1000; }; }"#,
        ),
        (
            r#"map builtins.typeOf (builtins.attrValues (builtins.fromTOML "a = 1.0\nb = 1\nc = false\nd = []\ne = {}\nf = ''"))"#,
            r#"[ "float" "int" "bool" "list" "set" "string" ]"#,
        ),
        (r#"fromTOML "\"\" = 1""#, r#"{ "" = 1; }"#),
    ]);
}

#[test]
fn failures() {
    fails(&[
        (r#"builtins.substring (-1) 1 "abc""#, "negative start position in 'substring'"),
        (r#"builtins.substring "a" 1 "abc""#, r#"expected an integer but found a string: "a""#),
        ("builtins.concatStringsSep 1 [ ]", "expected a string but found an integer: 1"),
        (r#"builtins.concatStringsSep "," "a""#, r#"expected a list but found a string: "a""#),
        (
            r#"builtins.replaceStrings [ "a" ] [ ] "x""#,
            "'from' and 'to' arguments passed to builtins.replaceStrings have different lengths",
        ),
        (
            r#"builtins.replaceStrings [ "a" ] [ 1 ] "xay""#,
            "expected a string but found an integer: 1",
        ),
        (
            r#"builtins.replaceStrings [ 1 ] [ "a" ] "xay""#,
            "expected a string but found an integer: 1",
        ),
        (r#"builtins.toPath "a""#, "string 'a' doesn't represent an absolute path"),
        (r#"builtins.compareVersions 1 "a""#, "expected a string but found an integer: 1"),
        (
            r#"builtins.parseDrvName (builtins.appendContext "a-1" { "/nix/store/00000000000000000000000000000000-x".path = true; })"#,
            "the string 'a-1' is not allowed to refer to a store path (such as '/nix/store/00000000000000000000000000000000-x')",
        ),
        (
            r#"builtins.addDrvOutputDependencies "a""#,
            "context of string 'a' must have exactly one element, but has 0",
        ),
        (
            r#"builtins.addDrvOutputDependencies (builtins.appendContext "a" { "/nix/store/00000000000000000000000000000000-x".path = true; })"#,
            "path '/nix/store/00000000000000000000000000000000-x' is not a derivation",
        ),
        (
            r#"builtins.addDrvOutputDependencies (builtins.appendContext "a" { "/nix/store/00000000000000000000000000000000-x.drv".outputs = [ "out" ]; })"#,
            "`addDrvOutputDependencies` can only act on derivations, not on a derivation output such as 'out'",
        ),
        (r#"builtins.appendContext "a" { a = { }; }"#, "context key 'a' is not a store path"),
        (
            r#"builtins.appendContext "a" { "/nix/store/00000000000000000000000000000000-x/y" = { }; }"#,
            r#"context key '"/nix/store/00000000000000000000000000000000-x/y"' is not a store path"#,
        ),
        (
            r#"builtins.appendContext "a" { "/nix/store/00000000000000000000000000000000-x".outputs = [ "out" ]; }"#,
            r#"tried to add derivation output context of "/nix/store/00000000000000000000000000000000-x", which is not a derivation, to a string"#,
        ),
        (
            r#"builtins.appendContext "a" { "/nix/store/00000000000000000000000000000000-x".allOutputs = true; }"#,
            r#"tried to add all-outputs context of "/nix/store/00000000000000000000000000000000-x", which is not a derivation, to a string"#,
        ),
        (
            r#"builtins.appendContext "a" { "/nix/store/00000000000000000000000000000000-x.drv".outputs = [ 1 ]; }"#,
            "expected a string but found an integer: 1",
        ),
        (
            r#"builtins.fromJSON "{""#,
            "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while parsing object key - unexpected end of input; expected string literal",
        ),
        (
            r#"builtins.fromJSON "9223372036854775808""#,
            "unsigned json number 9223372036854775808 outside of Nix integer range",
        ),
        (
            r#"builtins.fromJSON "\"a\\u0000b\"""#,
            "input string 'a␀b' cannot be represented as Nix string because it contains null bytes",
        ),
        ("builtins.toJSON [ (x: x) ]", "cannot convert a function to JSON"),
        (r#"builtins.match "(" "a""#, "invalid regular expression '('"),
        (r#"builtins.match "\\d" "1""#, r"invalid regular expression '\d'"),
        (
            r#"builtins.split "a{99999999}" "a""#,
            "memory limit exceeded by regular expression 'a{99999999}'",
        ),
        (
            r#"builtins.fromTOML "a = 2020-01-01""#,
            "while parsing TOML: Dates and times are not supported",
        ),
        ("builtins.fromTOML 1", "expected a string but found an integer: 1"),
    ]);
}
