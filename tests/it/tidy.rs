//! Holds the structure: which room may import which, what only one room may use, how files begin.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms and what each may import, besides itself. The order is the design's: a room imports
/// only rooms that stand above it.
const ROOMS: &[(&str, &[&str])] = &[
    ("validated", &[]),
    ("files", &[]),
    ("process", &["validated"]),
    ("store", &[]),
    ("syntax", &[]),
    ("eval", &["syntax", "store"]),
    ("flake", &["validated", "process", "store", "syntax", "eval"]),
    ("instantiate", &["process", "store", "eval"]),
    ("facts", &["validated", "files", "process", "store", "eval", "flake", "instantiate"]),
    ("remote", &["validated", "files", "process"]),
    ("secrets", &["validated", "process"]),
    ("install", &["validated", "files", "process", "facts", "remote", "secrets"]),
    (
        "iso",
        &[
            "validated",
            "files",
            "process",
            "store",
            "eval",
            "flake",
            "instantiate",
            "facts",
            "remote",
            "secrets",
            "install",
        ],
    ),
    (
        "ui",
        &["validated", "process", "instantiate", "facts", "remote", "secrets", "install", "iso"],
    ),
    (
        "cli",
        &[
            "validated",
            "files",
            "process",
            "store",
            "eval",
            "flake",
            "instantiate",
            "facts",
            "remote",
            "secrets",
            "install",
            "iso",
            "ui",
        ],
    ),
];

/// Words that only the named rooms may use.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("clap::", &["cli"]),
    ("clap_complete::", &["cli"]),
    ("indicatif::", &["ui"]),
    ("inquire::", &["ui"]),
    ("std::process::Command", &["process"]),
    ("tokio::process", &["process"]),
    ("println!", &["cli", "ui"]),
];

/// What the evaluator's rooms do not use, but for the one file that is its door to the outside.
const NOT_IN_EVAL: &[&str] = &[
    "std::fs",
    "std::env",
    "std::process",
    "std::time",
    "std::io::std",
    "io::stderr",
    "TcpStream",
    "UdpSocket",
    "UnixStream",
    "ToSocketAddrs",
];

/// The rooms that see the outside through that door only, and the door.
const EVAL_ROOMS: &[&str] = &["syntax", "store", "eval"];
const EVAL_DOOR: &str = "src/eval/io/real.rs";

/// The files that may have `unsafe`.
const UNSAFE_FILES: &[&str] = &[
    "src/eval/arena.rs",
    "src/eval/arena/blocks.rs",
    "src/eval/arena/links.rs",
    "src/eval/reclaim.rs",
];

/// A source file: its path, its room, and its text without the tests at its end.
struct Source {
    path: PathBuf,
    room: String,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(dir: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.extension().is_some_and(|e| e == ending) {
            found.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    files(&root().join("src"), "rs", &mut paths);
    paths.sort();
    assert!(paths.len() > 20, "only {} source files were found", paths.len());
    let room_of = |path: &Path| {
        let inside = path.strip_prefix(root().join("src")).unwrap();
        let first = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        first.trim_end_matches(".rs").to_owned()
    };
    paths
        .into_iter()
        .filter(|path| !is_test(path))
        .map(|path| {
            let whole = fs::read_to_string(&path).unwrap();
            let text = whole.split("\n#[cfg(test)]").next().unwrap().to_owned();
            Source { room: room_of(&path), path, text }
        })
        .collect()
}

/// Is all of this file only compiled for tests?
fn is_test(path: &Path) -> bool {
    let name = path.file_stem().unwrap();
    let parent = path.parent().unwrap().file_name().unwrap();
    name == "tests" || name == "testing" || name == "samples" || parent == "tests"
}

/// The rooms that a line of code names as `crate::ROOM`, also inside braces.
fn imported(line: &str) -> Vec<String> {
    let code = line.split("//").next().unwrap_or(line);
    code.match_indices("crate::")
        .flat_map(|(at, word)| {
            let rest = &code[at + word.len()..];
            let names = match rest.strip_prefix('{') {
                Some(list) => list.split(',').collect(),
                None => vec![rest],
            };
            names
                .into_iter()
                .map(|name| name.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_'))
                .map(Iterator::collect)
                .collect::<Vec<String>>()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn rooms_import_only_what_stands_above_them() {
    let allowed: BTreeMap<_, _> = ROOMS.iter().copied().collect();
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(may) = allowed.get(source.room.as_str()) else {
            assert!(
                ["main", "lib"].contains(&source.room.as_str()),
                "unknown room {}",
                source.room
            );
            continue;
        };
        for (number, line) in source.text.lines().enumerate() {
            for room in imported(line) {
                let is_room = allowed.contains_key(room.as_str());
                if is_room && room != source.room && !may.contains(&room.as_str()) {
                    let path = source.path.display();
                    wrong.push(format!("{path}:{}: {} imports {room}", number + 1, source.room));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_layer_list_is_the_library_s() {
    let library = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let listed: Vec<_> =
        library.lines().filter_map(|l| l.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let rooms: Vec<_> = ROOMS.iter().map(|(room, _)| *room).collect();
    assert_eq!(
        listed, rooms,
        "src/lib.rs and this test must name the same rooms in the same order"
    );
}

#[test]
fn what_belongs_to_one_room_stays_there() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (word, rooms) in ONLY_IN {
            if rooms.contains(&source.room.as_str()) || source.room == "main" {
                continue;
            }
            for (number, line) in source.text.lines().enumerate() {
                let code = line.split("//").next().unwrap_or(line);
                if code.contains(word) {
                    wrong.push(format!("{}:{}: {word}", source.path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_evaluator_has_one_door_to_the_outside() {
    let mut wrong = Vec::new();
    for source in sources() {
        if !EVAL_ROOMS.contains(&source.room.as_str()) || source.path.ends_with(EVAL_DOOR) {
            continue;
        }
        for (number, line) in source.text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or(line);
            for word in NOT_IN_EVAL.iter().filter(|word| code.contains(**word)) {
                wrong.push(format!("{}:{}: {word}", source.path.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unsafe_code_stays_in_its_files() {
    let mut found: Vec<_> = sources()
        .into_iter()
        .filter(|source| source.text.lines().any(is_unsafe))
        .map(|source| source.path.strip_prefix(root()).unwrap().display().to_string())
        .collect();
    found.sort();
    assert_eq!(found, UNSAFE_FILES);
}

/// Has a line the keyword, outside of a comment?
fn is_unsafe(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or(line);
    code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe")
}

#[test]
fn every_module_says_what_it_owns() {
    for source in sources() {
        assert!(source.text.starts_with("//!"), "{} has no `//!`", source.path.display());
    }
}

#[test]
fn host_keys_are_always_checked() {
    let mut paths = Vec::new();
    files(&root().join("src"), "rs", &mut paths);
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let code = |line: &&str| !line.trim_start().starts_with("//");
        let text: String = text.lines().filter(code).collect();
        for forbidden in
            ["StrictHostKeyChecking=no", "StrictHostKeyChecking=accept-new", "KnownHosts::Accept"]
        {
            assert!(!text.contains(forbidden), "{} holds {forbidden}", path.display());
        }
    }
}

#[test]
fn no_file_is_a_catch_all() {
    for source in sources() {
        let lines = source.text.lines().count();
        assert!(lines <= 600, "{} has {lines} lines: split it by subject", source.path.display());
    }
}

#[test]
fn imports_are_read_from_paths_and_braces() {
    assert_eq!(imported("use crate::facts::HostFacts;"), ["facts"]);
    assert_eq!(imported("use crate::{facts::X, remote};"), ["facts", "remote"]);
    assert_eq!(imported("let x = crate::ui::y(); // crate::cli"), ["ui"]);
}
