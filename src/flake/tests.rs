//! Flakes in temporary folders, opened as a library.

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Flakes, OpenOptions, Opened, Run, Surroundings};
use crate::eval::Eval;
use crate::eval::arena::Arena;
use crate::eval::error::Error;
use crate::eval::io::RealIo;
use crate::eval::print::{ShowOptions, show};
use crate::eval::settings::Settings;
use crate::process::{Command, Output};

/// A folder with flakes, and a count of the programs that were run for them.
struct World {
    folder: tempfile::TempDir,
    programs: Arc<AtomicUsize>,
    /// What is done in the place of the program `nix`, if anything.
    nix: Option<Arc<Nix>>,
    /// Where the store is; nothing is ever written there but by `nix`.
    store: String,
    options: RefCell<OpenOptions>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            folder,
            programs: Arc::default(),
            nix: None,
            store: "/nix/store".to_owned(),
            options: RefCell::default(),
        }
    }

    fn write(&self, path: &str, text: &str) -> &Self {
        let file = self.folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text.replace("@@", self.folder.path().to_str().unwrap())).unwrap();
        self
    }

    fn git(&self, folder: &str, words: &[&str]) -> &Self {
        let output = std::process::Command::new("git")
            .args(["-c", "user.name=n", "-c", "user.email=a@b", "-C"])
            .arg(self.folder.path().join(folder))
            .args(words)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        self
    }

    fn flakes(&self) -> Flakes {
        let (counted, nix) = (self.programs.clone(), self.nix.clone());
        let run: Arc<Run> = Arc::new(move |command: &Command| {
            counted.fetch_add(1, Ordering::Relaxed);
            match &nix {
                Some(nix) if command.program() == "nix" => Ok(nix(command)),
                _ => run(command),
            }
        });
        let around = Surroundings {
            base: self.folder.path().as_os_str().as_encoded_bytes().to_vec(),
            store_dir: self.store.clone().into_bytes(),
            cache: Some(self.folder.path().join("cache")),
        };
        Flakes::new(Rc::new(RealIo::new()), run, around)
    }

    /// Opens a flake; its fingerprint and how many programs that took.
    fn open(&self, reference: &str) -> (Opened, Option<String>, usize) {
        let before = self.programs.load(Ordering::Relaxed);
        let flakes = self.flakes();
        let (opened, _) = flakes.open(reference.as_bytes(), &self.options.borrow()).unwrap();
        let fingerprint = opened.fingerprint();
        (opened, fingerprint, self.programs.load(Ordering::Relaxed) - before)
    }

    fn fingerprint(&self, reference: &str) -> String {
        self.open(reference).1.unwrap()
    }

    /// An attribute of a flake as `nix eval` prints it, or the error.
    fn value(&self, reference: &str, expression: &str) -> String {
        let (arena, flakes) = (Arena::new(), self.flakes());
        let store_dir = self.store.clone().into_bytes();
        let settings = Settings { pure: true, store_dir, ..Settings::default() };
        let mut eval = Eval::new(&arena, &flakes, settings);
        let mut run = || {
            let opened = flakes.open(reference.as_bytes(), &self.options.borrow());
            let (opened, _) = opened.map_err(super::call::failed)?;
            let flake = opened.call(&mut eval)?;
            let origin = crate::eval::position::Origin::String;
            let function = eval.eval_string(expression.as_bytes(), b"/", origin)?;
            let value = eval.call(function, &[flake], crate::eval::position::Pos::NONE)?;
            let mut out = Vec::new();
            show(&mut eval, value, ShowOptions::EVAL, &mut out)?;
            Ok::<_, Error>(String::from_utf8(out).unwrap())
        };
        run().unwrap_or_else(|error| error.to_string())
    }
}

/// Stands in for the program `nix`.
type Nix = dyn Fn(&Command) -> Output + Send + Sync;

fn run(command: &Command) -> Result<Output, crate::process::Error> {
    // What the runner of programs does, without the tasks that it needs around it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let runner = crate::process::RealRunner::default();
    runtime.block_on(crate::process::Runner::run(&runner, command))
}

#[test]
fn without_a_lock_file_an_input_of_the_network_is_named() {
    let world = World::new();
    let text = "{ inputs.far.url = \"github:o/r\"; outputs = { self, far }: { }; }";
    world.write("f/flake.nix", text);
    let said = world.value("path:./f", "f: 1");
    assert!(said.contains("has no lock file") && said.contains("'far' ('github:o/r')"), "{said}");
    let lock = r#"{ "nodes": { "near": { "locked": { "path": "/x", "type": "path",
        "lastModified": 1, "narHash": "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" }, "original":
        { "path": "/x", "type": "path" } }, "root": { "inputs": { "near": "near" } } },
        "root": "root", "version": 7 }"#;
    world.write("f/flake.lock", lock);
    let said = world.value("path:./f", "f: 1");
    assert!(said.contains("does not fit its flake.nix: the input 'far'"), "{said}");
}

const LEAF: &str =
    "{ outputs = { self }: { v = builtins.readFile ./file; inherit (self) outPath; }; }";

#[test]
fn fingerprints_change_with_every_byte_that_counts() {
    let world = World::new();
    world.write("f/flake.nix", LEAF).write("f/file", "1").write("f/sub/x", "x");
    world.git("f", &["init", "-q"]).git("f", &["add", "-A"]).git("f", &["commit", "-qm", "x"]);
    let mut seen = vec![world.fingerprint("./f")];
    let mut changed = |what: &str| {
        let now = world.fingerprint("./f");
        assert_eq!(now, world.fingerprint("./f"), "{what}");
        assert!(!seen.contains(&now), "{what}");
        seen.push(now);
    };
    world.write("f/file", "2");
    changed("a changed file");
    world.git("f", &["commit", "-qam", "y"]);
    changed("the same, committed");
    fs::rename(world.folder.path().join("f/sub/x"), world.folder.path().join("f/sub/y")).unwrap();
    changed("a file that is gone");
    world.git("f", &["add", "-A"]);
    changed("a file of another name");
    world.write("dep/flake.nix", LEAF).write("dep/file", "1");
    world.write("f/flake.nix", "{ inputs.d.url = \"path:@@/dep\"; outputs = x: x.d.outputs; }");
    changed("an input");
    world.write("dep/file", "2");
    changed("a file of an input that is not locked");
    world.write("other/flake.nix", LEAF).write("other/file", "1");
    let over = (b"d".to_vec(), b"./other".to_vec());
    world.options.borrow_mut().override_inputs.push(over);
    changed("another input in its place");
    world.options.borrow_mut().override_inputs.clear();
    let before = world.fingerprint("./f");
    world.write("f/untracked", "x");
    assert_eq!(before, world.fingerprint("./f"), "a file that is not tracked");
}

#[test]
fn what_git_was_told_to_overlook_counts() {
    let world = World::new();
    world.write("f/flake.nix", LEAF).write("f/file", "1");
    world.git("f", &["init", "-q"]).git("f", &["add", "-A"]).git("f", &["commit", "-qm", "x"]);
    world.git("f", &["update-index", "--assume-unchanged", "file"]);
    // Hashes of younger trees are not remembered.
    std::thread::sleep(std::time::Duration::from_millis(3100));
    let before = world.fingerprint("./f");
    assert_eq!(world.fingerprint("./f"), before);
    world.write("f/file", "2");
    let after = world.fingerprint("./f");
    assert_ne!(after, before);
    assert_eq!(world.value("./f", "flake: flake.v"), "\"2\"");
    std::thread::sleep(std::time::Duration::from_millis(3100));
    assert_eq!(world.fingerprint("./f"), after);
}

#[test]
fn a_clean_repository_takes_two_programs_the_second_time() {
    let world = World::new();
    world.write("f/flake.nix", LEAF).write("f/file", "1");
    world.git("f", &["init", "-q"]).git("f", &["add", "-A"]).git("f", &["commit", "-qm", "x"]);
    let (_, first, programs) = world.open("./f");
    assert!(programs > 2, "{programs}");
    let (_, second, programs) = world.open("./f");
    assert_eq!((first, 2), (second, programs));
    // What is remembered may be damaged.
    for entry in fs::read_dir(world.folder.path().join("cache/git")).unwrap() {
        fs::write(entry.unwrap().path(), "{\"nar_hash\":").unwrap();
    }
    let (_, third, programs) = world.open("./f");
    assert!(third.is_some() && programs > 2);
}

#[test]
fn inputs_that_nobody_wants_are_not_looked_for() {
    let mut world = World::new();
    world.nix = Some(Arc::new(|_: &Command| Output { code: Some(1), ..Output::default() }));
    world.write(
        "f/flake.nix",
        "{ inputs.a.url = \"github:a/b\"; inputs.s = { url = \"github:a/b\"; flake = false; }; \
         outputs = { self, a, s }: { x = 1; inherit s; r = a.x; t = \"${s}\"; }; }",
    );
    let node = r#"{"locked":{"type":"github","owner":"a","repo":"b","lastModified":1700000000,
          "rev":"0123456789012345678901234567890123456789",
          "narHash":"sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
        "original":{"type":"github","owner":"a","repo":"b"}"#;
    world.write(
        "f/flake.lock",
        &format!(
            r#"{{"version":7,"root":"root","nodes":{{"root":{{"inputs":{{"a":"a","s":"s"}}}},
                "a":{node}}},"s":{node},"flake":false}}}}}}"#
        ),
    );
    let (opened, fingerprint, programs) = world.open("path:./f");
    assert!(fingerprint.is_some() && opened.name().starts_with("path:/"));
    assert_eq!(programs, 0);
    assert_eq!(world.value("path:./f", "f: f.x"), "1");
    // What the lock file says of an input is known without it.
    assert_eq!(
        world.value("path:./f", "f: removeAttrs f.s [ \"outPath\" \"sourceInfo\" ]"),
        "{ lastModified = 1700000000; lastModifiedDate = \"20231114221320\"; \
         narHash = \"sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"; \
         rev = \"0123456789012345678901234567890123456789\"; shortRev = \"0123456\"; }"
    );
    assert!(world.value("path:./f", "f: f.t").ends_with("-source\""));
    let missing = world.value("path:./f", "f: f.r");
    assert!(missing.starts_with("the input 'a' (github:a/b/0123456789"), "{missing}");
    assert!(missing.contains("nix flake prefetch 'github:a/b/"), "{missing}");
}

/// The hash of a folder's tree, and the path that it has in the store.
fn hash_and_path(world: &World, folder: &str) -> (String, String) {
    let (opened, ..) = world.open(&format!("path:./{folder}"));
    let place = &opened.resolved.places[&super::lock::ROOT];
    let hash = place.input.nar_hash().unwrap().unwrap();
    let path = opened.finder.store.to_absolute(&place.path);
    (hash.to_text(crate::store::HashFormat::Sri, true), String::from_utf8(path).unwrap())
}

#[test]
fn all_that_is_missing_is_fetched_by_one_call() {
    let mut world = World::new();
    world.store = world.folder.path().join("store").to_str().unwrap().to_owned();
    world.write("one/flake.nix", "{ outputs = x: { v = 1; }; }").write("two/data", "two");
    world.write("three/data", "three");
    for folder in ["two", "three"] {
        world.write(&format!("{folder}/flake.nix"), "{ outputs = x: { }; }");
    }
    let (one, two, three) = (
        hash_and_path(&world, "one"),
        hash_and_path(&world, "two"),
        hash_and_path(&world, "three"),
    );
    let node = |name: &str, hash: &str, more: &str| {
        let reference = format!(r#""type":"github","owner":"o","repo":"{name}""#);
        format!(
            r#""{name}":{{"locked":{{{reference},"lastModified":1,"narHash":"{hash}",
                "rev":"0123456789012345678901234567890123456789"}},"original":{{{reference}}}{more}}}"#
        )
    };
    let no_flake = r#","flake":false"#;
    let nodes =
        [node("one", &one.0, ""), node("two", &two.0, no_flake), node("three", &three.0, no_flake)];
    world.write(
        "f/flake.nix",
        "{ inputs.one.url = \"github:o/one\"; inputs.two = { url = \"github:o/two\"; flake = false; }; \
         inputs.three = { url = \"github:o/three\"; flake = false; }; \
         outputs = { self, one, two, three }: { x = builtins.readFile (two + \"/data\"); \
         y = one.v; z = builtins.readFile (three + \"/data\"); }; }",
    );
    world.write(
        "f/flake.lock",
        &format!(
            r#"{{"version":7,"root":"root","nodes":{{"root":{{"inputs":{{"one":"one","two":"two","three":"three"}}}},{}}}}}"#,
            nodes.join(",")
        ),
    );
    // One of them is in the store already.
    fs::create_dir_all(&three.1).unwrap();
    fs::write(Path::new(&three.1).join("data"), "three").unwrap();
    let (folder, calls) = (world.folder.path().to_owned(), Arc::new(AtomicUsize::new(0)));
    let (targets, counted) = ([("one", one.1), ("two", two.1)], calls.clone());
    world.nix = Some(Arc::new(move |command: &Command| {
        counted.fetch_add(1, Ordering::Relaxed);
        let text = command.to_string();
        assert!(text.contains("eval --json --impure"), "{text}");
        for name in ["one", "two", "three"] {
            assert_eq!(text.contains(&format!("repo = \"{name}\"")), name != "three", "{text}");
        }
        // What is wanted comes first.
        assert!(text.find("\"two\"") < text.find("\"one\""), "{text}");
        for (name, target) in &targets {
            fs::rename(folder.join(name), target).unwrap();
        }
        Output { code: Some(0), stdout: b"[]".to_vec(), stderr: Vec::new() }
    }));
    assert_eq!(world.value("path:./f", "f: f.z"), "\"three\"");
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    assert_eq!(world.value("path:./f", "f: [ f.x f.y f.z ]"), "[ \"two\" 1 \"three\" ]");
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

/// Versions 5 and 6 of lock files share nodes, and 5 has a part of the attributes in `info`.
#[test]
fn older_lock_files_are_read() {
    let world = World::new();
    world.write("dep/flake.nix", LEAF).write("dep/file", "5");
    let (dep, ..) = world.open("path:./dep");
    let hash = match dep.locked.input.attrs.get(&b"narHash"[..]) {
        Some(crate::eval::references::InputAttr::Text(hash)) => {
            String::from_utf8_lossy(hash).into_owned()
        }
        other => panic!("{other:?}"),
    };
    world.write(
        "f/flake.nix",
        "{ inputs.a.url = \"path:@@/dep\"; inputs.b.url = \"path:@@/dep\"; \
         outputs = { self, a, b }: { v = a.v + b.v; time = a.lastModified; }; }",
    );
    let lock = |version: u32, locked: &str, info: &str| {
        format!(
            r#"{{"version":{version},"root":"root","nodes":{{"root":{{"inputs":{{"a":"x","b":"x"}}}},"x":{{
                {info}"locked":{{"type":"path","path":"@@/dep"{locked}}},
                "original":{{"type":"path","path":"@@/dep"}}}}}}}}"#
        )
    };
    let rest = format!(r#""lastModified":7,"narHash":"{hash}""#);
    let (six, five) = (format!(",{rest}"), format!(r#""info":{{{rest}}},"#));
    for lock in [lock(7, &six, ""), lock(6, &six, ""), lock(5, "", &five)] {
        world.write("f/flake.lock", &lock);
        assert_eq!(world.value("path:./f", "f: [ f.v f.time ]"), "[ \"55\" 7 ]", "{lock}");
        assert!(!world.open("path:./f").0.resolved.modified);
    }
}

#[test]
fn links_are_followed_within_the_tree() {
    let world = World::new();
    world.write("f/file", "1").write("f/a/b/x", "x").write("outside", "o");
    let link = |target: &str, at: &str| {
        std::os::unix::fs::symlink(target, world.folder.path().join(at)).unwrap();
    };
    link("a", "f/to-a");
    link("../a/b", "f/a/to-b");
    link("round", "f/round");
    link(world.folder.path().join("outside").to_str().unwrap(), "f/away");
    link("../outside", "f/up");
    world.write(
        "f/flake.nix",
        r"{ outputs = { self }: {
          x = builtins.readFile ./to-a/to-b/x;
          l = builtins.readFileType ./to-a;
          d = builtins.attrNames (builtins.readDir ./a/to-b);
          e = map builtins.pathExists [ ./to-a/b ./to-a/c ./round ./round/x ];
          r = builtins.readFile ./round;
          away = builtins.readFile ./away;
          up = builtins.readFile ./up;
          none = builtins.readFile ./to-a/none;
        }; }",
    );
    let value = |name: &str| world.value("path:./f", &format!("f: f.{name}"));
    assert_eq!(value("x"), "\"x\"");
    assert_eq!(value("l"), "\"symlink\"");
    assert_eq!(value("d"), "[ \"x\" ]");
    assert!(value("r").contains("Too many levels of symbolic links"), "{}", value("r"));
    assert!(value("away").contains("forbidden in pure evaluation mode"), "{}", value("away"));
    assert!(value("up").contains("does not exist"), "{}", value("up"));
    assert!(value("none").ends_with("-source/a/none' does not exist"), "{}", value("none"));
    assert!(
        Path::new("/").exists() && value("e").starts_with("[ true false true"),
        "{}",
        value("e")
    );
}

#[test]
fn links_of_the_real_store_do_not_lead_out_of_it() {
    let mut world = World::new();
    let folder = world.folder.path().to_str().unwrap().to_owned();
    world.store = format!("{folder}/store");
    world.write("dep/a/file", "1").write("outside/file", "3").write("store/.keep", "");
    for (target, at) in [
        ("a/../a", "within"),
        ("../../outside", "up"),
        (&format!("{folder}/outside"), "away"),
        ("round", "round"),
        ("up/file", "through"),
    ] {
        std::os::unix::fs::symlink(target, world.folder.path().join("dep").join(at)).unwrap();
    }
    let flake = |input: &str| {
        let text = r#"{ inputs.d = { url = "INPUT"; flake = false; }; outputs = { self, d }: {
          inherit d;
          read = path: builtins.readFile (d + "/${path}");
          kinds = map (path: builtins.readFileType (d + "/${path}")) [ "within" "up" "away" ];
          names = builtins.attrNames (builtins.readDir (d + "/within"));
          imported = import (d + "/away/file");
        }; }"#;
        world.write("f/flake.nix", &text.replace("INPUT", input));
    };
    let value = |expression: &str| world.value("path:./f", expression);
    // The input moves to where the store has it, and is locked.
    flake("path:@@/dep");
    let text = |attribute: &str| value(&format!("f: \"${{f.d.{attribute}}}\"")).replace('"', "");
    let (hash, path) = (text("narHash"), text("outPath"));
    fs::rename(world.folder.path().join("dep"), path).unwrap();
    let locked = format!(r#"{{ "type": "path", "path": "@@/dep", "narHash": "{hash}" }}"#);
    world.write("f/flake.lock", &format!(
        r#"{{ "version": 7, "root": "root", "nodes": {{ "root": {{ "inputs": {{ "d": "d" }} }},
          "d": {{ "flake": false, "locked": {locked}, "original": {{ "type": "path", "path": "@@/dep" }} }} }} }}"#
    ));
    let read = |path: &str| value(&format!("f: f.read \"{path}\""));
    assert_eq!(read("within/file"), "\"1\"");
    assert_eq!(value("f: f.kinds"), "[ \"symlink\" \"symlink\" \"symlink\" ]");
    assert_eq!(value("f: f.names"), "[ \"file\" ]");
    for path in ["up/file", "away/file", "through", "up"] {
        let said = read(path);
        assert!(said.contains("is forbidden in pure evaluation"), "{path}: {said}");
    }
    assert!(value("f: f.imported").contains("forbidden in pure"), "{}", value("f: f.imported"));
    assert!(read("round").contains("Too many levels of symbolic links"), "{}", read("round"));
    assert!(read("within/none").contains("does not exist"), "{}", read("within/none"));
}
