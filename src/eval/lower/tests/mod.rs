//! What sources become, as text (see [`dump`]).

mod dump;

use rustc_hash::FxHashMap;

use super::{LowerError, Lowering, Unit, lower};
use crate::eval::arena::Arena;
use crate::eval::code::{Code, Node, NodeId};
use crate::eval::position::{Origin, Pos, Sources};
use crate::eval::settings::Settings;
use crate::eval::value::{AttrsBuilder, PrimOpId, Value};
use crate::syntax::{Features, Symbol, Symbols, parse};
use dump::Dump;

/// Global functions; the first four are also in `builtins` under their names without underscores.
const PRIMOPS: [&str; 8] =
    ["__sub", "__mul", "__div", "__lessThan", "map", "__findFile", "__nixPath", "import"];

/// An evaluation that only lowers.
struct Bench<'a> {
    arena: &'a Arena,
    symbols: Symbols,
    lowering: Lowering,
    globals: FxHashMap<Symbol, Value<'a>>,
    sources: Sources,
    code: Code<'a>,
    settings: Settings,
}

impl<'a> Bench<'a> {
    fn new(arena: &'a Arena) -> Self {
        let mut symbols = Symbols::new();
        let lowering = Lowering::new(&mut symbols);
        let mut globals = FxHashMap::default();
        let mut builtins = AttrsBuilder::default();
        for (name, id) in PRIMOPS.iter().zip(0..) {
            let primop = Value::PrimOp(PrimOpId(id));
            globals.insert(symbols.intern(name.as_bytes()), primop);
            builtins.add(symbols.intern(name.trim_start_matches('_').as_bytes()), primop);
        }
        builtins.add(symbols.intern(b"later"), Value::Blackhole);
        let builtins = Value::Attrs(builtins.build(arena));
        let values = [Value::Bool(true), Value::Bool(false), Value::Null, builtins];
        for (name, value) in ["true", "false", "null", "builtins"].iter().zip(values) {
            globals.insert(symbols.intern(name.as_bytes()), value);
        }
        let settings = Settings { home: Some(b"/home/me".to_vec()), ..Settings::default() };
        let (sources, code) = (Sources::default(), Code::default());
        Self { arena, symbols, lowering, globals, sources, code, settings }
    }

    fn lower(&mut self, source: &str, scope: Option<&[&str]>) -> Result<NodeId, LowerError> {
        let ast = parse(source.as_bytes(), &mut self.symbols, Features::default()).unwrap();
        let base = self.sources.add(Origin::String, b"/", Box::from(source.as_bytes())).unwrap();
        let scope: Option<Vec<Symbol>> = scope
            .map(|names| names.iter().map(|name| self.symbols.intern(name.as_bytes())).collect());
        let builtins = self.symbols.intern(b"builtins");
        let Some(&Value::Attrs(builtins)) = self.globals.get(&builtins) else { panic!() };
        let unit = Unit {
            ast: &ast,
            base,
            dir: b"/base/dir",
            globals: &self.globals,
            builtins,
            settings: &self.settings,
            scope: scope.as_deref(),
        };
        lower(&mut self.lowering, &unit, &self.symbols, self.arena, &mut self.code)
    }

    fn text(&self, id: NodeId) -> String {
        Dump { code: &self.code, symbols: &self.symbols, primops: &PRIMOPS }.node(id)
    }

    /// Line and column, as `1:5`.
    fn place(&self, pos: Pos) -> String {
        let place = self.sources.place(pos).unwrap();
        format!("{}:{}", place.at.line, place.at.column)
    }
}

fn lowered(source: &str) -> String {
    let arena = Arena::new();
    let mut bench = Bench::new(&arena);
    let root = bench.lower(source, None).unwrap();
    bench.text(root)
}

fn failed(source: &str) -> LowerError {
    let arena = Arena::new();
    Bench::new(&arena).lower(source, None).unwrap_err()
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        assert_eq!(lowered(source), *expected, "{source}");
    }
}

#[test]
fn literals_and_globals_are_constants() {
    check(&[
        ("1", "1"),
        ("1.5", "1.5"),
        ("\"a\\n\"", "\"a\\n\""),
        ("''''", "\"\""),
        ("[ ]", "[]"),
        ("{ }", "{}"),
        ("rec { }", "{}"),
        ("[ true null map builtins ]", "[true null <map> <builtins>]"),
        ("__curPos", "__curPos"),
        ("http://example.org/x", "\"http://example.org/x\""),
    ]);
}

#[test]
fn common_constants_are_kept_once_for_all_sources() {
    let arena = Arena::new();
    let mut bench = Bench::new(&arena);
    for _ in 0..3 {
        bench.lower("[ 7 7 \"\" \"\" [ ] [ ] { } rec { } true true ]", None).unwrap();
    }
    assert_eq!(bench.code.constants.len(), 5);
    bench.lower("[ 700 700 (-1) ]", None).unwrap();
    assert_eq!(bench.code.constants.len(), 10, "two large ones, 0, 1 and __sub");
}

#[test]
fn paths_are_absolute_and_canonical() {
    check(&[
        ("./x", "/base/dir/x"),
        ("./.", "/base/dir"),
        ("../..", "/"),
        ("../../../x", "/x"),
        ("a/./b/../c", "/base/dir/a/c"),
        ("/x/./y", "/x/y"),
        ("/.", "/"),
        ("~/a/../b", "/home/me/a/../b"),
        ("./a/${\"b\"}", "(/base/dir/a/ + \"b\")"),
        ("/${\"b\"}", "(/ + \"b\")"),
        ("./a${\"b\"}/c", "(/base/dir/a + \"b\" + \"/c\")"),
    ]);
}

#[test]
fn home_paths_may_be_forbidden_or_unknown() {
    let arena = Arena::new();
    let mut bench = Bench::new(&arena);
    bench.settings.home = None;
    assert!(bench.lower("~/x", None).unwrap_err().message.contains("home directory"));
    bench.settings.pure = true;
    let error = bench.lower("[ ~/x ]", None).unwrap_err();
    assert_eq!(error.message, "the path '~/x' can not be resolved in pure mode");
    assert_eq!(error.offset, 2);
}

#[test]
fn search_paths_are_calls_that_can_be_rebound() {
    check(&[
        ("<nixpkgs/lib>", "<__findFile>(<__nixPath>, \"nixpkgs/lib\")"),
        ("__findFile: <x>", "fn/1(@__findFile): %0(<__nixPath>, \"x\")"),
        ("let __nixPath = [ ]; in <x>", "let/1 %0.. = ([]); <__findFile>(%0, \"x\")"),
    ]);
}

#[test]
fn variables_are_frames_and_slots() {
    check(&[
        ("a: b: [ a b ]", "fn/1(@a): fn/2(@b): [%0 %1]"),
        ("a: { b }: [ a b ]", "fn/1(@a): fn/1({b}): [%1.0 %0]"),
        ("{ a }: b: [ a b ]", "fn/1({a}): fn/1(@b): [%1.0 %0]"),
        ("a: a: a", "fn/1(@a): fn/2(@a): %1"),
        ("a: [ (a: a) a ]", "fn/1(@a): [fn/1(@a): %0 %0]"),
        ("true: true", "fn/1(@true): %0"),
        // Formals stand in the order of their symbols, the whole argument behind them.
        ("{ b, a ? b, ... }@c: [ a b c ]", "fn/3({b, a ? %0, ...}@c): [%1 %0 %2]"),
        ("c@{ a }: c", "fn/2({a}@c): %1"),
        ("{ }: 1", "fn/0({}): 1"),
        ("let or = 1; in map or", "let/1 %0.. = (1); <map>(%0)"),
    ]);
}

#[test]
fn lets_of_a_function_share_its_frame() {
    check(&[
        (
            "x: let a = x; b = a; in let c = b; in [ x a b c ]",
            "fn/4(@x): here %1.. = (%0, %1); here %3.. = (%2); [%0 %1 %2 %3]",
        ),
        (
            "{ x, y }@z: assert x; let a = z; in a",
            "fn/4({x, y}@z): assert %0; here %3.. = (%2); %3",
        ),
        // Nested functions and lets that are no body have frames of their own.
        (
            "x: let f = y: let b = x; in b; in [ (let c = f; in let d = c; in d) ]",
            "fn/2(@x): here %1.. = (fn/2 f(@y): here %1.. = (%1.0); %1); \
             [let/2 %0.. = (%1.1); here %1.. = (%0); %1]",
        ),
        // A branch is not always taken: it pays for its variables itself.
        (
            "x: if x then let a = 1; in a else x",
            "fn/1(@x): if %0 then let/1 %0.. = (1); %0 else %0",
        ),
        ("x: with x; let a = y; in a", "fn/1(@x): with %0; let/1 %0.. = (?y.1#0); %0"),
        ("let a = b; b = 1; in a", "let/2 %0.. = (%1, 1); %0"),
        ("x: let x = 1; in x", "fn/2(@x): here %1.. = (1); %1"),
    ]);
}

#[test]
fn inherit_looks_outside() {
    check(&[
        ("x: { inherit x; }", "fn/1(@x): { x = %0; }"),
        ("x: rec { inherit x; y = x; }", "fn/1(@x): rec { x = %1.0; y = @0.0; }"),
        ("x: let inherit x; in x", "fn/2(@x): here %1.. = (%0); %1"),
        ("x: [ (let inherit x; in x) ]", "fn/1(@x): [let/1 %0.. = (%1.0); %0]"),
        ("with { }; rec { inherit x; }", "with {}; rec { x = ?x.1#0; }"),
        ("rec { inherit true; a = true; }", "rec { true = true; a = @0.0; }"),
        // Of two bindings in one row of scopes each finds the next outer one.
        (
            "x: rec { inherit x; y = rec { inherit x; z = x; }; }",
            "fn/1(@x): rec { x = %1.0; y = rec { x = @1.0; z = @0.0; }; }",
        ),
    ]);
}

#[test]
fn inherit_from_variables_needs_no_slot() {
    check(&[
        ("x: { inherit (x) a b; }", "fn/1(@x): { a = %0.a; b = %0.b; }"),
        ("with { }; { inherit (x) a; }", "with {}; { a = ?x.0#0.a; }"),
        ("rec { x = { }; inherit (x) a; }", "rec { x = {}; a = @0.0.a; }"),
        ("let x = { }; inherit (x) a; in a", "let/2 %0.. = ({}, %0.a); %1"),
        ("{ inherit (builtins) map later; }", "{ map = <map>; later = <builtins>.later; }"),
    ]);
}

#[test]
fn inherit_from_expressions_is_a_hidden_slot() {
    check(&[
        (
            "x: { inherit (x.y) a b; inherit (x) c; inherit (x 1) d; e = x; }",
            "fn/1(@x): frame from (%1.0.y, %1.0(1)) \
             { a = %0.a; b = %0.b; c = %1.0.c; d = %1.d; e = %1.0; }",
        ),
        (
            "x: rec { inherit (x.y) a; z = a; }",
            "fn/1(@x): rec from (%1.0.y) { a = %1.a; z = @0.0; }",
        ),
        (
            "x: let inherit (x.y) a; b = a; in let inherit (b.c) d; in d",
            "fn/6(@x): here %1.. = (%3.a, %1, %0.y); here %4.. = (%5.d, %2.c); %4",
        ),
        // The source sees the set's own variables.
        ("let a = { }; inherit (a.b) c; in c", "let/3 %0.. = ({}, %2.c, %0.b); %1"),
        // Nested sets keep their sources apart, merged ones are numbered on.
        (
            "x: { inherit (x.a) p; q = { inherit (x.b) r; }; inherit (x.c) s; }",
            "fn/1(@x): frame from (%1.0.a, %1.0.c) \
             { p = %0.p; q = frame from (%2.0.b) { r = %0.r; }; s = %1.s; }",
        ),
        (
            "x: { n = { inherit (x.a) p; }; n = { inherit (x) q; inherit (x.b) r; }; }",
            "fn/1(@x): { n = frame from (%1.0.a, %1.0.b) { p = %0.p; q = %1.0.q; r = %1.r; }; }",
        ),
    ]);
}

#[test]
fn recursive_sets() {
    check(&[
        (
            "rec { a = 1; f = x: [ a x ]; b = rec { c = a; }; }",
            "rec { a = 1; f = fn/1 f(@x): [@1.0 %0]; b = rec { c = @1.0; }; }",
        ),
        ("let { body = 1; z = body; }", "rec { body = 1; z = @0.0; }.body"),
        (
            "rec { a = 1; __overrides = { a = 2; }; }",
            "rec overrides=0 { __overrides = { a = 2; }; a = 1; }",
        ),
        ("{ __overrides = 1; }", "{ __overrides = 1; }"),
        ("rec { a = 1; ${\"b${a}\"} = a; }", "rec { a = 1; ${string(\"b\", @0.0)} = @0.0; }"),
        ("x: { ${x}.b = x; \"c\" = x; }", "fn/1(@x): { c = %0; ${%0} = { b = %0; }; }"),
    ]);
}

#[test]
fn with_loses_against_scopes_and_globals() {
    check(&[
        ("x: with x; [ x y true ]", "fn/1(@x): with %0; [%1.0 ?y.0#0 true]"),
        ("a: with a; with b; f: [ c ]", "fn/1(@a): with %0; with ?b.0#0; fn/1(@f): [?c.1#1]"),
    ]);
    assert_eq!(failed("with x; 1").message, "undefined variable 'x'");
    let arena = Arena::new();
    let mut bench = Bench::new(&arena);
    bench.lower("with { }; f: with a; [ b (with c; d) (with e; f) ]", None).unwrap();
    let parents: Vec<_> = bench.code.withs.iter().map(|with| with.parent).collect();
    assert_eq!(parents, [None, Some((2, 0)), Some((1, 1)), Some((1, 1))]);
    assert_eq!(bench.place(bench.code.withs[3].pos), "1:39");
}

#[test]
fn arithmetic_is_no_call_unless_rebound() {
    check(&[
        ("x: -x", "fn/1(@x): (0 - %0)"),
        ("1 - 2 * 3 / 4", "(1 - ((2 * 3) / 4))"),
        ("1 < 2", "(1 < 2)"),
        // The second operand of `>` and `<=` is evaluated first.
        ("1 > 2", "(2 < 1)"),
        ("1 <= 2", "(2 >= 1)"),
        ("1 >= 2", "(1 >= 2)"),
        ("!(1 - 2)", "!(1 - 2)"),
        (
            "let __sub = x: y: x; in 1 - 2",
            "let/1 %0.. = (fn/1 __sub(@x): fn/2 __sub(@y): %0); %0(1, 2)",
        ),
        ("__lessThan: !(1 < 2)", "fn/1(@__lessThan): !%0(1, 2)"),
        ("with { }; 1 - 2", "with {}; (1 - 2)"),
        ("__sub 1", "<__sub>(1)"),
        ("__sub 1 2 3", "<__sub>(1, 2, 3)"),
        ("__mul 1 2", "(1 * 2)"),
    ]);
}

#[test]
fn whether_a_text_begins_with_another_is_one_node() {
    let lowered = |equality: &str| {
        let names = "inherit (builtins) substring stringLength;";
        let text = lowered(&format!("let {names} in prefix: text: {equality}"));
        text.rsplit(": ").next().unwrap_or_default().to_owned()
    };
    let whole = "substring 0 (stringLength prefix) text == prefix";
    assert_eq!(lowered(whole), "prefix(%1, %0)");
    for other in [
        "substring 1 (stringLength prefix) text == prefix",
        "substring 0 (stringLength prefix) text == text",
        "substring 0 (stringLength prefix) text != prefix",
        "substring 0 (stringLength prefix) (text) prefix == prefix",
        "substring 0 (stringLength (text + text)) text == prefix",
        "prefix == substring 0 (stringLength prefix) text",
    ] {
        assert!(!lowered(other).starts_with("prefix("), "{other}");
    }
}

#[test]
fn a_call_with_very_many_arguments_is_a_call_of_a_call() {
    let arena = Arena::new();
    let mut bench = Bench::new(&arena);
    let root = bench.lower(&format!("true {}", "1 ".repeat(70_000)), None).unwrap();
    let Node::Call { count: 4_465, function, args, .. } = bench.code.node(root) else {
        panic!("the last arguments are those of the outer call");
    };
    let Node::Call { count: u16::MAX, args: before, .. } = bench.code.node(function) else {
        panic!("the first arguments are those of the inner call");
    };
    assert_eq!(args - before, u32::from(u16::MAX));
}

#[test]
fn operators() {
    check(&[
        ("!true", "!true"),
        ("1 == 2 && 3 != 4 || true -> false", "((((1 == 2) && (3 != 4)) || true) -> false)"),
        ("{ } // { } // { }", "({} // ({} // {}))"),
        ("[ ] ++ [ ]", "([] ++ [])"),
        ("1 + 2 + 3", "((1 + 2) + 3)"),
        ("x: \"a${x}b\"", "fn/1(@x): string(\"a\", %0, \"b\")"),
        ("x: \"${x}\"", "fn/1(@x): string(%0)"),
        ("if true then 1 else 2", "if true then 1 else 2"),
        ("assert true; 1", "assert true; 1"),
        ("map (x: x) [ 1 ]", "<map>(fn/1(@x): %0, [1])"),
        ("map map", "<map>(<map>)"),
    ]);
}

#[test]
fn selections() {
    check(&[
        ("x: x.a", "fn/1(@x): %0.a"),
        ("x: x.a.b", "fn/1(@x): %0.a.b"),
        ("x: x.${x}", "fn/1(@x): %0.${%0}"),
        ("x: x.${\"a\"}", "fn/1(@x): %0.a"),
        ("x: x.a or x.b", "fn/1(@x): (%0.a or %0.b)"),
        ("x: x.a.${x.b or \"c\"}.d or 1", "fn/1(@x): (%0.a.${(%0.b or \"c\")}.d or 1)"),
        ("x: x ? a.${x.y.z}.b", "fn/1(@x): (%0 ? a.${%0.y.z}.b)"),
        ("builtins.map", "<map>"),
        ("builtins.missing", "<builtins>.missing"),
        ("builtins.later", "<builtins>.later"),
        ("builtins: builtins.map", "fn/1(@builtins): %0.map"),
        ("with { }; builtins.map", "with {}; <map>"),
        ("builtins.map or 1", "(<builtins>.map or 1)"),
    ]);
}

#[test]
fn functions_know_what_they_are_bound_to() {
    check(&[
        ("{ f = x: y: z: 1; }", "{ f = fn/1 f(@x): fn/2 f(@y): fn/3 f(@z): 1; }"),
        ("{ f = (x: 1); }", "{ f = fn/1 f(@x): 1; }"),
        ("{ f = x: [ (y: 1) ]; }", "{ f = fn/1 f(@x): [fn/1(@y): 1]; }"),
        ("let f = { a ? b: 1 }: 1; in f", "let/1 %0.. = (fn/1 f({a ? fn/1(@b): 1}): 1); %0"),
        ("{ ${\"f\" + \"\"} = x: 1; }", "{ ${(\"f\" + \"\")} = fn/1(@x): 1; }"),
    ]);
}

#[test]
fn the_scope_of_an_import_wins_over_the_globals() {
    let arena = Arena::new();
    let mut bench = Bench::new(&arena);
    let source = "x: [ import y map (1 - 2) ]";
    let root = bench.lower(source, Some(&["y", "import", "__sub"])).unwrap();
    assert_eq!(bench.text(root), "fn/1(@x): [%1.1 %1.0 <map> %1.2(1, 2)]");
    let root = bench.lower("import", Some(&["import"])).unwrap();
    assert_eq!(bench.text(root), "%0");
    let root = bench.lower("import", None).unwrap();
    assert_eq!(bench.text(root), "<import>");
    assert_eq!(bench.lower("y", None).unwrap_err().message, "undefined variable 'y'");
}

#[test]
fn undefined_variables_are_named_with_their_place_and_what_is_near() {
    let error = failed("let stdenv = 1; in\n  [ stdemv ]");
    assert_eq!(error.message, "undefined variable 'stdemv'");
    assert_eq!((error.offset, error.suggestions), (23, vec!["stdenv".to_owned()]));
    let error = failed("maps: mep");
    assert_eq!(error.suggestions, ["map", "maps"]);
    assert_eq!(failed("x").suggestions, Vec::<String>::new());
    // What is no longer in scope is not suggested, and the first one of a source is reported.
    let error = failed("[ (stdenv: 1) stdemv other ]");
    assert_eq!((error.offset, error.suggestions), (14, Vec::new()));
    for source in ["{ inherit x; }", "rec { inherit x; }", "let inherit x; in 1"] {
        assert_eq!(failed(source).message, "undefined variable 'x'", "{source}");
    }
    assert_eq!(failed("let inherit (x) a; in 1").message, "undefined variable 'x'");
    assert_eq!(failed("x: with y; 1").message, "undefined variable 'y'");
    assert_eq!(failed("{ a ? b }: a").message, "undefined variable 'b'");
}

#[test]
fn a_source_after_one_that_failed_is_not_touched_by_it() {
    let arena = Arena::new();
    let mut bench = Bench::new(&arena);
    bench.lower("x: let map = 1; inherit (x.y) a; in undefined", None).unwrap_err();
    let root = bench.lower("y: { inherit (y.z) b; a = map; }", None).unwrap();
    assert_eq!(bench.text(root), "fn/1(@y): frame from (%1.0.z) { a = <map>; b = %0.b; }");
    bench.lower("x", None).unwrap_err();
}

#[test]
fn nodes_attributes_and_parts_have_places() {
    let arena = Arena::new();
    let mut bench = Bench::new(&arena);
    let root = bench.lower("{ a = 1 + x;\n  b.c = 2; ${\"d\" + \"\"} = 3; x = 1; }", None);
    assert_eq!(root.unwrap_err().offset, 10);
    bench.lower("1", None).unwrap();
    let root = bench.lower("{ aa = 1;\n  b.c = 2; ${\"d\" + \"\"} = y: z; y = 1; }", None);
    assert_eq!(root.unwrap_err().message, "undefined variable 'z'");
    let root = bench.lower("{ aa = 1;\n  bb.c = 2; ${\"d\" + \"\"} = 3; }", None).unwrap();
    let Node::Attrs(number) = bench.code.node(root) else { panic!() };
    let set = bench.code.sets[number as usize];
    let mut places: Vec<_> = (0..2).map(|at| bench.place(set.shape.position(at))).collect();
    places.sort();
    assert_eq!(places, ["1:3", "2:3"]);
    let dynamic = bench.code.dynamics[set.dynamics.indices()][0];
    assert_eq!(bench.place(dynamic.pos), "2:13");
}

#[test]
fn parts_are_where_nix_says_they_are() {
    let arena = Arena::new();
    let mut bench = Bench::new(&arena);
    let mut parts = |source| {
        let root = bench.lower(source, None).unwrap();
        let (Node::Plus(range) | Node::Interpolation(range)) = bench.code.node(root) else {
            panic!("{source}")
        };
        let places: Vec<_> =
            (0..range.len).map(|at| bench.place(bench.code.part_pos(range, at))).collect();
        format!("{} {}", bench.place(bench.code.pos(root)), places.join(" "))
    };
    assert_eq!(parts("\"a${\"${true}\"}b${1}\""), "1:1 1:2 1:3 1:15 1:16");
    assert_eq!(parts("1 + 2 + (3 == 4)"), "1:7 1:1 1:9");
    assert_eq!(parts("true.x + (1 + 2)"), "1:8 1:1 1:10");
    assert_eq!(parts("./a/${\"b\"}/c"), "1:1 1:1 1:5 1:11");
}

#[test]
fn deep_trees_do_not_overflow_the_stack() {
    let arena = Arena::new();
    let mut bench = Bench::new(&arena);
    let functions = "x: ".repeat(9_000);
    bench.lower(&format!("{functions}x"), None).unwrap();
    bench.lower(&format!("{{ f = {functions}x; }}"), None).unwrap();
    bench.lower(&format!("{}1", "let a = 1; in ".repeat(9_000)), None).unwrap();
    bench.lower(&format!("{}1", "assert true; ".repeat(9_000)), None).unwrap();
    bench.lower(&format!("1{}", " + 1".repeat(200_000)), None).unwrap();
    bench.lower(&format!("{}1{}", "{ a = ".repeat(9_000), "; }".repeat(9_000)), None).unwrap();
}
