//! Expected texts are those of Nix 2.34.8: `nix-instantiate --eval` and `nix eval` on the same programs.

use super::json::to_json;
use super::xml::{XmlOptions, to_xml};
use super::*;
use crate::eval::arena::Arena;
use crate::eval::io::MemoryIo;
use crate::eval::position::Origin;
use crate::eval::settings::Settings;
use crate::eval::value::Context;

/// Evaluates `program` and hands the value to `with`.
fn on<T>(program: &str, with: impl for<'a> FnOnce(&mut Eval<'a>, Value<'a>) -> T) -> T {
    let (arena, io) = (Arena::new(), MemoryIo::new());
    let mut eval = Eval::new(&arena, &io, Settings::default());
    let value = eval.eval_string(program.as_bytes(), b"/here", Origin::String).unwrap();
    with(&mut eval, value)
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn printed(program: &str, strict: bool) -> String {
    on(program, |eval, value| {
        let mut out = Vec::new();
        print(eval, value, strict, &mut out).map_or_else(|e| e.to_string(), |()| text(out))
    })
}

fn shown(program: &str, options: ShowOptions) -> String {
    on(program, |eval, value| {
        let mut out = Vec::new();
        show(eval, value, options, &mut out).map_or_else(|e| e.to_string(), |()| text(out))
    })
}

fn json(program: &str, strict: bool) -> Result<String> {
    on(program, |eval, value| {
        let (mut out, mut context) = (Vec::new(), Context::NONE);
        to_json(eval, value, Pos::NONE, strict, &mut out, &mut context).map(|()| text(out))
    })
}

fn xml(program: &str, strict: bool, location: bool) -> String {
    on(program, |eval, value| {
        let (options, mut context) = (XmlOptions { strict, location }, Context::NONE);
        text(to_xml(eval, value, Pos::NONE, options, &mut context).unwrap())
    })
}

#[test]
fn what_is_not_evaluated_is_code() {
    for (program, lazy, strict) in [
        (
            "{ a = 1 + 1; c = [ (1 + 1) 2 \"s\" ]; }",
            "{ a = <CODE>; c = <CODE>; }",
            "{ a = 2; c = [ 2 2 \"s\" ]; }",
        ),
        (
            "{ f = x: x; e = []; s = {}; n = null; }",
            "{ e = [ ]; f = <CODE>; n = null; s = <CODE>; }",
            "{ e = [ ]; f = <LAMBDA>; n = null; s = { }; }",
        ),
        ("x: x", "<LAMBDA>", "<LAMBDA>"),
        (
            "{ \"a b\" = 1; \"if\" = 2; or = 3; \"\" = 4; a' = 5; }",
            "{ \"\" = 4; \"a b\" = 1; a' = 5; \"if\" = 2; or = 3; }",
            "",
        ),
        (
            "[ 1.5 1.0e300 0.1 1000000.0 /a/b true \"\\${\" ]",
            "[ 1.5 1e+300 0.1 1e+06 /a/b true \"\\${\" ]",
            "",
        ),
        ("builtins.typeOf", "<PRIMOP>", "<PRIMOP>"),
    ] {
        assert_eq!(printed(program, false), lazy, "{program}");
        let strict = if strict.is_empty() { lazy } else { strict };
        assert_eq!(printed(program, true), strict, "{program} --strict");
    }
}

#[test]
fn what_comes_again_is_told_once() {
    for (program, expected) in [
        ("let a = { b = a; c = 1; }; in a", "{ b = «repeated»; c = 1; }"),
        ("let l = [ l ]; in l", "[ [ «repeated» ] ]"),
        ("let s = { x = 1; }; in [ s s ]", "[ { x = 1; } «repeated» ]"),
        ("let s = [ 1 ]; in { a = s; b = s; }", "{ a = [ 1 ]; b = «repeated»; }"),
        ("let c = { s = [ 1 ]; }; in { a = c.s; b = c.s; }", "{ a = [ 1 ]; b = [ 1 ]; }"),
        ("let s = {}; l = []; in [ s s l l ]", "[ { } { } [ ] [ ] ]"),
        (
            "let x = [ x x ]; y = { inherit x; z = x; }; in y",
            "{ x = [ «repeated» «repeated» ]; z = «repeated»; }",
        ),
    ] {
        assert_eq!(printed(program, true), expected, "{program}");
    }
}

#[test]
fn values_are_shown_as_nix_eval_does() {
    for (program, expected) in [
        (
            "{ f = x: x; g = y: y; e = { }; }",
            "{ e = { }; f = «lambda f @ «string»:1:7»; g = «lambda g @ «string»:1:17»; }",
        ),
        ("[ (x: x) builtins.typeOf ]", "[ «lambda @ «string»:1:4» «primop typeOf» ]"),
        ("{ a = 1 + null; }", "{ a = «error: cannot add null to an integer»; }"),
        ("let s = {}; in [ s s ]", "[ { } «repeated» ]"),
        ("{ type = \"derivation\"; }", "«derivation»"),
        (
            "[ { type = \"derivation\"; drvPath = \"foo\"; } ]",
            "[ «error: path 'foo' is not in the Nix store» ]",
        ),
        (
            "{ type = \"derivation\"; drvPath = \"/nix/store/n01dy158nk2mfsjgkgdpm9ma51dy2ry5-x.drv\"; x = 1; }",
            "«derivation /nix/store/n01dy158nk2mfsjgkgdpm9ma51dy2ry5-x.drv»",
        ),
    ] {
        assert_eq!(shown(program, ShowOptions::EVAL), expected, "{program}");
    }
    let program = "{ a = 1 + 1; b = x: x; c = 2; }";
    assert_eq!(shown(program, ShowOptions::TRACE), "{ a = «thunk»; b = «thunk»; c = 2; }");
}

#[test]
fn messages_shorten_values() {
    let brief = |program: &str| on(program, super::brief);
    assert_eq!(brief("3"), "an integer: 3");
    assert_eq!(brief("builtins.typeOf"), "the built-in function 'typeOf': «primop typeOf»");
    assert_eq!(
        brief("[ 0 1 2 3 4 5 6 7 8 9 10 11 ]"),
        "a list: [ 0 1 2 3 4 5 6 7 8 9 «2 items elided» ]"
    );
    let many =
        "{ a = 1; b = 1; c = 1; d = 1; e = 1; f = 1; g = 1; h = 1; i = 1; j = 1; type = 2; }";
    let few = "a set: { type = 2; a = 1; b = 1; c = 1; d = 1; e = 1; f = 1; g = 1; h = 1; i = 1; «1 attribute elided» }";
    assert_eq!(brief(many), few);
    let string = brief(&format!("\"{}\"", "x".repeat(1026)));
    assert!(string.ends_with("x\" «2 bytes elided»"), "{string}");
}

#[test]
fn json_has_what_json_can_hold() {
    let all = "{ b = [ 1 2.5 1.0e20 1.0 null true ]; a = \"é\\n\\\"\"; \"q\\\"\" = {}; }";
    assert_eq!(
        json(all, true).unwrap(),
        "{\"a\":\"é\\n\\\"\",\"b\":[1,2.5,1e+20,1.0,null,true],\"q\\\"\":{}}"
    );
    let sets = "{ a = { outPath = \"/x\"; b = 2; }; t = { __toString = s: s.y; y = \"z\"; outPath = 1; }; o = { outPath.foo = true; }; }";
    assert_eq!(json(sets, true).unwrap(), "{\"a\":\"/x\",\"o\":{\"foo\":true},\"t\":\"z\"}");
}

#[test]
fn json_says_what_it_cannot_hold() {
    let error = json("{ a = [ 1 (x: x) ]; }", true).unwrap_err();
    assert_eq!(error.to_string(), "cannot convert a function to JSON");
    let traces = error.data().traces.innermost_first();
    let steps: Vec<_> = traces.iter().map(|trace| trace.message.as_ref()).collect();
    assert_eq!(
        steps,
        ["while evaluating list element at index 1", "while evaluating attribute 'a'"]
    );
    let message = |program, strict| json(program, strict).unwrap_err().to_string();
    assert_eq!(
        message("builtins.typeOf", true),
        "cannot convert the built-in function 'typeOf' to JSON"
    );
    assert_eq!(message("{ a = 1 + 1; }", false), "cannot convert a thunk to JSON");
}

#[test]
fn xml_has_places_and_kinds() {
    let program = "{ a = 1 + 1; c = { x, y ? 1, ... }@z: 1; d = [ 1 2.5 \"<&>\\\"\\n\" null true /foo builtins.typeOf ]; }";
    insta::assert_snapshot!("lazy", xml(program, false, true));
    insta::assert_snapshot!("strict", xml(program, true, true));
    insta::assert_snapshot!("without-places", xml(program, true, false));
}

#[test]
fn xml_tells_a_derivation_once() {
    let program = "let d = { type = \"derivation\"; drvPath = \"d\"; outPath = \"o\"; all = [ d ]; }; in [ d { type = \"derivation\"; } ]";
    insta::assert_snapshot!("derivations", xml(program, true, false));
}

#[test]
fn values_without_end_are_an_error() {
    let program = "let f = n: { inner = f (n + 1); }; in f 0";
    let error = "stack overflow; max-call-depth exceeded";
    let run = move || {
        assert_eq!(json(program, true).unwrap_err().to_string(), error);
        assert!(shown(program, ShowOptions::EVAL).starts_with("stack overflow"));
        assert!(printed(program, true).starts_with("stack overflow"));
    };
    std::thread::Builder::new().stack_size(64 << 20).spawn(run).unwrap().join().unwrap();
}
