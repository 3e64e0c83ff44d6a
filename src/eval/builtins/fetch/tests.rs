//! Fetching without a network: recordings from Nix, files in memory and canned answers.

use crate::eval::Eval;
use crate::eval::arena::Arena;
use crate::eval::io::{Fetch, Level, MemoryIo};
use crate::eval::position::Origin;
use crate::eval::print::print;
use crate::eval::settings::{ExperimentalFeatures, SearchPath, Settings};

/// `hi` and a newline as `f` in the store, by its flat hash, and the folder with it, by its archive's.
const FILE: &str = "/nix/store/hrbblgbxbvz8al5a8l85i8giajyajiwj-f";
const FILE_HASH: &str = "98ea6e4f216f2fb4b69fff9b3a44842c38686ca685f3f55dc48c5d3fb1107be4";
const TREE: &str = "/nix/store/lzrxwb2rkf6mdjcg7j751kj1cds5ny9y-source";
const TREE_HASH: &str = "sha256-v23J4nTli+kSjAgWKHQA0irvPAuNmb5XXK9dhTE5tjY=";
const REV: &str = "1111111111111111111111111111111111111111";

fn with_flakes() -> Settings {
    let features = ExperimentalFeatures {
        flakes: true,
        fetch_tree: true,
        fetch_closure: true,
        ..ExperimentalFeatures::default()
    };
    Settings { features, ..Settings::default() }
}

fn evaluated(program: &str, io: &MemoryIo, settings: Settings) -> Result<String, String> {
    let arena = Arena::new();
    let mut eval = Eval::new(&arena, io, settings);
    let shown = |error: crate::eval::error::Error| error.to_string();
    let value = eval.eval_string(program.as_bytes(), b"/", Origin::String).map_err(shown)?;
    let mut text = Vec::new();
    print(&mut eval, value, true, &mut text).map_err(shown)?;
    Ok(String::from_utf8(text).unwrap())
}

fn value_of(program: &str, io: &MemoryIo) -> String {
    evaluated(program, io, with_flakes()).unwrap_or_else(|error| format!("error: {error}"))
}

/// Runs all programs of a recording.
fn check(recording: &str, settings: &Settings) {
    let io = MemoryIo::new();
    let wrong: Vec<String> = recording
        .split("\n\n")
        .skip(1)
        .filter_map(|case| {
            let (program, expected) = case.trim_end_matches('\n').split_once('\n').unwrap();
            let found = match evaluated(program, &io, settings.clone()) {
                Ok(value) => format!("= {value}"),
                Err(error) => format!("! {error}"),
            };
            (found != expected).then(|| format!("{program}\n  wanted {expected}\n   found {found}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn flake_references_are_those_of_nix() {
    check(include_str!("tests/flake_refs.txt"), &with_flakes());
}

#[test]
fn wrong_arguments_fail_in_the_words_of_nix() {
    check(include_str!("tests/fetch_errors.txt"), &with_flakes());
}

#[test]
fn pure_evaluation_fetches_nothing_that_may_change() {
    let pure = Settings { pure: true, ..with_flakes() };
    check(include_str!("tests/fetch_pure.txt"), &pure);
}

#[test]
fn some_builtins_need_a_feature() {
    let program = "map (n: builtins ? ${n}) [ \"fetchTree\" \"fetchClosure\" \"outputOf\" \"getFlake\" \"fetchGit\" ]";
    let io = MemoryIo::new();
    let bare = evaluated(program, &io, Settings::default()).unwrap();
    assert_eq!(bare, "[ false false false true true ]");
    assert_eq!(value_of(program, &io), "[ true true false true true ]");
    for name in ["getFlake", "parseFlakeRef", "flakeRefToString"] {
        let program = format!("builtins.{name} (throw \"x\")");
        let error = evaluated(&program, &io, Settings::default()).unwrap_err();
        assert!(error.starts_with("experimental Nix feature 'flakes' is disabled;"), "{error}");
    }
}

#[test]
fn what_is_in_the_store_is_not_fetched() {
    let io = MemoryIo::new().file(FILE, "hi\n").file(format!("{TREE}/f"), "hi\n");
    let program =
        format!("builtins.fetchurl {{ url = \"https://h/f\"; sha256 = \"{FILE_HASH}\"; }}");
    assert_eq!(value_of(&program, &io), format!("\"{FILE}\""));
    let tarball =
        format!("builtins.fetchTarball {{ url = \"https://h/x\"; sha256 = \"{TREE_HASH}\"; }}");
    assert_eq!(value_of(&tarball, &io), format!("\"{TREE}\""));
    let context = format!("builtins.getContext ({tarball})");
    assert_eq!(value_of(&context, &io), format!("{{ \"{TREE}\" = {{ path = true; }}; }}"));
    let pure = Settings { pure: true, ..with_flakes() };
    let read = format!("builtins.readFile (({tarball}) + \"/f\")");
    assert_eq!(evaluated(&read, &io, pure).unwrap(), "\"hi\\n\"");
    let missing = tarball.replace("https", "http").replace("v23", "v24");
    assert_eq!(value_of(&missing, &io), "error: nothing is fetched during this evaluation");
}

#[test]
fn trees_in_the_store_say_what_their_attributes_say() {
    let io = MemoryIo::new().file(format!("{TREE}/f"), "hi\n");
    let tree = |builtin: &str, attrs: &str| {
        value_of(&format!("builtins.{builtin} {{ narHash = \"{TREE_HASH}\"; {attrs} }}"), &io)
    };
    let rest = format!("narHash = \"{TREE_HASH}\"; outPath = \"{TREE}\";");
    let rev = format!("rev = \"{REV}\";");
    let time = "lastModified = 5; lastModifiedDate = \"19700101000005\";";
    let forge = format!("type = \"github\"; owner = \"o\"; repo = \"r\"; lastModified = 5; {rev}");
    let expected = format!("{{ {time} {rest} {rev} shortRev = \"1111111\"; }}");
    assert_eq!(tree("fetchTree", &forge), expected);
    let git = format!("url = \"https://h/x\"; lastModified = 5; revCount = 7; {rev}");
    let expected = format!(
        "{{ {time} {rest} {rev} revCount = 7; shortRev = \"1111111\"; submodules = false; }}"
    );
    assert_eq!(tree("fetchGit", &git), expected);
    let file = "type = \"file\"; url = \"https://h/x\";";
    assert_eq!(tree("fetchTree", file), format!("{{ {rest} }}"));
    // The date of a commit is not in the store.
    let undated = forge.replace("lastModified = 5;", "");
    assert_eq!(tree("fetchTree", &undated), "error: nothing is fetched during this evaluation");
}

#[test]
fn folders_are_hashed_here() {
    let io = MemoryIo::new().file("/tree/f", "hi\n").folder("/tree/sub");
    let program = "builtins.fetchTree { type = \"path\"; path = /tree; lastModified = 5; }";
    let expected = format!(
        "{{ lastModified = 5; lastModifiedDate = \"19700101000005\"; narHash = \"{TREE_HASH}\"; outPath = \"{TREE}\"; }}"
    );
    assert_eq!(value_of(program, &io), expected);
    let read = format!("builtins.readFile (({program}) + \"/f\")");
    assert_eq!(value_of(&read, &io), "\"hi\\n\"");
    let other = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let wrong = program.replace("; }", &format!("; narHash = \"{other}\"; }}"));
    let expected = format!(
        "error: NAR hash mismatch in input 'path:/tree?lastModified=5&narHash=sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D', expected '{TREE_HASH}' but got '{other}'"
    );
    assert_eq!(value_of(&wrong, &io), expected);
}

fn fetch(builtin: &'static str, argument: &str) -> Fetch {
    Fetch { builtin, argument: argument.into() }
}

#[test]
fn all_else_is_what_the_real_nix_answers() {
    let answer = format!("\"{FILE}\"");
    let set = format!("{{\"outPath\":\"{TREE}\",\"revCount\":3,\"rev\":\"{REV}\"}}");
    let io = MemoryIo::new()
        .file(FILE, "hi\n")
        .fetched(fetch("fetchurl", "\"https://h/?\\${b\\\"}/f\""), answer.clone())
        .fetched(fetch("fetchTarball", "{ name = \"n\"; url = \"https://h/x\"; }"), answer.clone())
        .fetched(
            fetch("fetchGit", "{ exportIgnore = true; ref = \"main\"; url = \"file:///r\"; }"),
            set.clone(),
        )
        .fetched(fetch("fetchTree", "\"github:a/b\""), set.clone())
        .fetched(fetch("fetchMercurial", "{ rev = \"x\"; url = \"/r\"; }"), set);
    let name = "builtins.fetchTarball { url = \"https://h/x\"; name = \"n\"; }";
    assert_eq!(value_of(name, &io), answer);
    let git = "builtins.fetchGit { url = /r; ref = \"main\"; }";
    let tree = format!("{{ outPath = \"{TREE}\"; rev = \"{REV}\"; revCount = 3; }}");
    assert_eq!(value_of(git, &io), tree);
    assert_eq!(value_of("fetchTree \"github:a/b\"", &io), tree);
    assert_eq!(value_of("fetchMercurial { url = /r; rev = \"x\"; }", &io), tree);
    let context = format!("builtins.getContext \"${{{git}}}\"");
    assert_eq!(value_of(&context, &io), format!("{{ \"{TREE}\" = {{ path = true; }}; }}"));
    // The name is the URL's last part, as the store wants it.
    let special = "builtins.fetchurl \"https://h/?\\${b\\\"}/f\"";
    assert_eq!(value_of(special, &io), answer);
    let quoted = "builtins.fetchurl { url = \"https://h/x\"; }";
    assert_eq!(value_of(quoted, &io), "error: nothing is fetched during this evaluation");
}

#[test]
fn what_was_fetched_outlives_the_memory_that_is_taken_back() {
    let io = MemoryIo::new().fetched(fetch("fetchurl", "\"https://h/x\""), format!("\"{FILE}\""));
    // Each length is a number, so that all that was made for it is taken back; then comes something else.
    let program = "let f = _: builtins.fetchurl \"https://h/x\";
        lengths = builtins.foldl' (sum: i: sum + builtins.stringLength (f i)) 0 [ 1 2 3 ];
        filler = builtins.concatStringsSep \",\" (builtins.genList (i: \"filler${toString i}\") 500);
        in builtins.seq lengths (builtins.seq filler (f 0))";
    assert_eq!(value_of(program, &io), format!("\"{FILE}\""));
}

#[test]
fn urls_in_the_search_path_are_fetched() {
    let channel = "\"https://channels.nixos.org/nixos-24.05/nixexprs.tar.xz\"";
    let io = MemoryIo::new()
        .file(format!("{TREE}/lib/default.nix"), "7")
        .fetched(fetch("fetchTarball", channel), format!("\"{TREE}\""));
    let entry = |prefix: &str, path: &str| SearchPath { prefix: prefix.into(), path: path.into() };
    let search_path =
        vec![entry("nixpkgs", "https://nowhere/x.tar.gz"), entry("nixpkgs", "channel:nixos-24.05")];
    let settings = Settings { search_path, ..with_flakes() };
    let found = evaluated("import <nixpkgs/lib>", &io, settings).unwrap();
    assert_eq!(found, "7");
    let warning = "Nix search path entry 'https://nowhere/x.tar.gz' cannot be downloaded, ignoring: nothing is fetched during this evaluation";
    assert_eq!(io.messages(), [(Level::Remark, warning.as_bytes().to_vec())]);
}

#[test]
fn outputs_of_derivations_have_names() {
    let features = ExperimentalFeatures {
        dynamic_derivations: true,
        ca_derivations: true,
        ..ExperimentalFeatures::default()
    };
    let settings = Settings { features, ..Settings::default() };
    let evaluated = |argument: &str| {
        let program = format!(
            "let d = derivation {{ name = \"x\"; system = \"s\"; builder = \"b\"; }};
             ca = derivation {{ name = \"x\"; system = \"s\"; builder = \"b\"; __contentAddressed = true; outputHashMode = \"recursive\"; outputHashAlgo = \"sha256\"; }};
             drv = d: builtins.unsafeDiscardOutputDependency d.drvPath; in {argument}"
        );
        let result = evaluated(&program, &MemoryIo::new(), settings.clone());
        result.unwrap_or_else(|error| format!("error: {error}"))
    };
    // Recorded from Nix 2.34.8.
    let drv = "/nix/store/5wq5jx7219pmi3xklyhl77fjbqvy6qaj-x.drv";
    for (program, expected) in [
        ("builtins.outputOf (drv d) \"out\"", "\"/nix/store/gwwjwi08fyrbrz2d8zkfvy65nzzq2czp-x\""),
        (
            "builtins.outputOf (drv ca) \"out\"",
            "\"/0c7mak34qdjal33xc557zwwbizzi78s9lrklbigvba14g2mllbcp\"",
        ),
        (
            "builtins.getContext (builtins.outputOf (drv d) \"out\")",
            &format!("{{ \"{drv}\" = {{ outputs = [ \"out\" ]; }}; }}"),
        ),
        (
            "builtins.outputOf (drv d) \"foo\"",
            &format!("error: derivation '{drv}' does not have output 'foo'"),
        ),
        (
            "builtins.outputOf d.drvPath \"out\"",
            &format!(
                "error: string '{drv}' has a context which refers to a complete source and binary closure. This is not supported at this time"
            ),
        ),
        (
            "builtins.outputOf \"x\" \"out\"",
            "error: string 'x' has 0 entries in its context. It should only have exactly one entry",
        ),
        (
            "builtins.outputOf \"a${drv d}\" \"out\"",
            &format!("error: path string 'a{drv}' has context with the different path '{drv}'"),
        ),
    ] {
        assert_eq!(evaluated(program), expected, "{program}");
    }
}
