//! Flakes that are broken: each is an error that says what, where and what to do.

use std::os::unix::fs::PermissionsExt;

use super::world::World;

/// A flake with two inputs that are on this machine, and its lock file.
fn locked() -> Option<(World, String)> {
    let world = World::new()?;
    // Unlike all others, so that no store has it already.
    world.write("dep/flake.nix", "{ outputs = { self }: { out = self.outPath; at = \"@@\"; }; }");
    world
        .write("repo/flake.nix", "{ outputs = { self }: { out = self.outPath; }; }")
        .repository("repo");
    world.write(
        "f/flake.nix",
        r#"{
          inputs.d.url = "path:@@/dep";
          inputs.r.url = "git+file://@@/repo";
          outputs = { self, d, r }: { x = 1; d = d.out; r = r.out; text = "${d}"; };
        }"#,
    );
    world.lock("f");
    let lock = std::fs::read_to_string(world.path("f/flake.lock")).unwrap();
    Some((world, lock))
}

/// The value of the first attribute of that name in a lock file.
fn value<'l>(lock: &'l str, name: &str) -> &'l str {
    let from = lock.split(&format!("\"{name}\": \"")).nth(1).unwrap();
    from.split('"').next().unwrap()
}

#[test]
fn lock_files() {
    let Some((world, lock)) = locked() else { return };
    let hint = "nix flake lock";
    let cases: &[(String, &[&str])] = &[
        (lock[..200].to_owned(), &["@@/f/flake.lock", "it is no JSON: EOF", "line 8", hint]),
        (String::new(), &["it is no JSON: EOF"]),
        ("[]".to_owned(), &["it is no JSON object"]),
        (
            lock.replace("\"version\": 7", "\"version\": 8"),
            &["its version is 8, and those from 5 to 7"],
        ),
        (lock.replace("\"version\": 7", "\"version\": 4"), &["its version is 4"]),
        (lock.replace("\"version\": 7", "\"x\": 7"), &["its version is none at all"]),
        ("{\"version\":7}".to_owned(), &["'root' or 'nodes' is missing"]),
        (lock.replace("\"d\": \"d\"", "\"d\": \"e\""), &["references the missing node 'e'"]),
        (lock.replace("\"d\": \"d\"", "\"d\": \"root\""), &["a cycle to the root node"]),
        (lock.replace("\"d\": \"d\"", "\"d\": 7"), &["input 'd' of node 'root' leads to no node"]),
        (lock.replace("\"d\": \"d\"", "\"d\": [7]"), &["follows something that is no path"]),
        (
            lock.replace("\"type\": \"path\"", "\"type\": 1"),
            &["node 'd'", "'type' is not a string"],
        ),
        (lock.replace("\"locked\"", "\"unlocked\""), &["'locked' of node 'd' is missing"]),
        (lock.replace(value(&lock, "narHash"), "odd"), &["node 'd': hash 'odd' is not SRI"]),
        (lock.replace("\"narHash\"", "\"rev\""), &["node 'd' is unlocked"]),
    ];
    for (text, parts) in cases {
        std::fs::write(world.path("f/flake.lock"), text).unwrap();
        world.fails("f", &[".#x"], parts);
    }
}

#[test]
fn inputs_that_are_not_what_was_locked() {
    let Some((world, lock)) = locked() else { return };
    world.write("dep/more", "changed");
    // Nobody looks at an input that is not wanted.
    assert_eq!(world.ours("f", &[".#x"]).text(), "1\n");
    world.fails("f", &[".#d"], &["NAR hash mismatch in input 'path:@@/dep", "nix flake update"]);
    std::fs::remove_dir_all(world.path("dep")).unwrap();
    assert_eq!(world.ours("f", &[".#x"]).text(), "1\n");
    let command = "nix flake prefetch 'path:@@/dep?lastModified";
    let parts = ["the input 'd' (path:@@/dep?", "not in the store", command];
    world.fails("f", &[".#d"], &parts);
    let rev = value(&lock, "rev");
    world.write("f/flake.lock", &lock.replace(rev, &rev.replace(&rev[..6], "000000")));
    world.fails("f", &[".#r"], &["the input 'r' (git+file://@@/repo?", "could not be fetched"]);
    // Where the program nix is missing, that is what is said.
    let parts = ["the program \"nix\" was not found", "https://nixos.org/download"];
    world.without(&["nix"]).fails("f", &[".#d"], &parts);
}

#[test]
fn locks_and_flakes_that_disagree() {
    let Some((world, _)) = locked() else { return };
    let text = std::fs::read_to_string(world.path("f/flake.nix")).unwrap();
    let path = format!("\"path:{}\"", world.path("dep").display());
    world.write("f/flake.nix", &text.replace(&path, "\"github:a/b\""));
    world.fails(
        "f",
        &[".#x"],
        &[
            "the lock file of flake 'path:@@/f' does not fit",
            "'d' is 'github:a/b'",
            "locked as 'path:@@/dep'",
            "`nix flake lock path:@@/f`",
        ],
    );
    world.write(
        "f/flake.nix",
        "{ inputs.new.url = \"github:a/b\"; outputs = { self, new }: { x = 1; }; }",
    );
    world.fails("f", &[".#x"], &["the input 'new' ('github:a/b') is not locked", "nix flake lock"]);
    world.write("f/flake.nix", "{ outputs = { self, by-name }: { x = 1; }; }");
    world.fails("f", &[".#x"], &["the input 'by-name' ('flake:by-name') is not locked"]);
    // One that is gone, and one that is on this machine, are put right in memory, as nix does.
    world.write("f/flake.nix", "{ outputs = { self }: { x = 1; }; }");
    let ours = world.ours("f", &[".#x"]);
    assert_eq!(ours.text(), "1\n");
    assert!(ours.stderr.contains("• Removed input 'd'"), "{}", ours.stderr);
}

#[test]
fn follows_that_lead_nowhere_or_round() {
    let Some(world) = World::new() else { return };
    for (inputs, message) in [
        ("inputs.a.follows = \"a\";", "follow cycle detected: [a -> a]"),
        (
            "inputs.a.follows = \"b\"; inputs.b.follows = \"a\";",
            "follow cycle detected: [b -> a -> b]",
        ),
        ("inputs.a.follows = \"b/c\";", "input 'a' follows a non-existent input 'b/c'"),
        ("inputs.a.follows = \"1/x\";", "invalid flake input attribute path element '1'"),
        ("inputs.a.url = \"path:./none\";", "none/flake.nix' does not exist"),
        ("inputs.a.url = \"path:.\";", "found circular import of flake"),
    ] {
        world.write("f/flake.nix", &format!("{{ {inputs} outputs = x: {{ x = 1; }}; }}"));
        world.fails("f", &[".#x"], &[message]);
        assert_eq!(world.real("f", &[".#x"]).code, Some(1), "{inputs}");
    }
}

/// Contents of `flake.nix` that both evaluators refuse in the same words.
const REFUSED: &[&str] = &[
    "{ description = \"x\"; }",
    "{ outputs = 1; }",
    "{ outputs = { }; }",
    "{ outputs = import ./o.nix; }",
    "{ outputs = _: { x = y; }; }",
    "x: { }",
    "1",
    "let in { outputs = _: { x = 1; }; }",
    "{ outputs = _: 1; }",
    "{ outputs = _: throw \"all\"; }",
    "{ outputs = _: { x = throw \"one\"; }; }",
    "{ description = 1; outputs = _: { x = 1; }; }",
    "{ foo = 1; outputs = _: { x = 1; }; }",
    "{ nixConfig = 1; outputs = _: { x = 1; }; }",
    "{ outputs = { self }: { x = self.x; }; }",
    "{ outputs = { self }: self.outputs; }",
    "{ outputs = { self }: { x = let f = n: f (n + 1) + 1; in f 0; }; }",
    "{ inherit ({ outputs = _: { x = 1; }; }) outputs; }",
    "{ inputs.a.url = 1; outputs = _: { x = 1; }; }",
    "{ inputs.a.url = \"x\" + \"y\"; outputs = _: { x = 1; }; }",
    "{ inputs = import ./x.nix; outputs = _: { x = 1; }; }",
    "{ inputs.a.zz = \"x\"; outputs = _: { x = 1; }; }",
    "{ inputs.a = { url = \"path:./x\"; follows = \"x\"; }; outputs = _: { x = 1; }; }",
    "{ inputs.a.flake = 1; outputs = _: { x = 1; }; }",
    "{ inputs.self.foo = 1; outputs = _: { x = 1; }; }",
];

#[test]
fn flake_files() {
    let Some(world) = World::new() else { return };
    for text in REFUSED {
        world.write("f/flake.nix", text);
        // Where the flake is in the store is known to nix only, which has copied it there.
        world.git("f", &["init", "-q"]);
        world.git("f", &["add", "flake.nix"]);
        world.same("f", &[".#x"]).unwrap();
    }
    world.write("f/flake.nix", "{\n  outputs = x:\n");
    world.fails("f", &[".#x"], &["syntax error, unexpected end of file", "@@/f/flake.nix:3:1"]);
    // Allowed, if odd.
    world.write("dep/flake.nix", "{ outputs = x: { v = 5; }; }");
    for text in [
        "rec { outputs = _: { x = 1; }; }",
        "{ nixConfig.x = true; outputs = _: { x = 1; }; }",
        "{ inputs.\"a b\".url = \"path:@@/dep\"; inputs.\"\".url = \"path:@@/dep\"; outputs = i: { x = i.\"a b\".v; }; }",
        "{ inputs.\"a/b\" = { url = \"path:@@/dep\"; flake = false; }; outputs = i: { x = i.\"a/b\".narHash; }; }",
    ] {
        world.write("f/flake.nix", text);
        world.git("f", &["add", "flake.nix"]);
        world.same("f", &[".#x"]).unwrap();
    }
}

#[test]
fn places_without_a_flake() {
    let world = World::without_nix();
    world.write("outputs/flake.nix", "{ outputs = x: { x = 1; }; }");
    std::fs::create_dir_all(world.path("empty/.git")).unwrap();
    std::fs::create_dir(world.path("plain")).unwrap();
    world.fails("plain", &["."], &["@@/plain"]);
    world.fails("plain", &[".#x"], &["could not find a flake.nix file in '@@/plain'", "hint"]);
    world.fails("empty", &[".#x"], &["\"@@/empty\" is not part of a flake"]);
    world.fails("", &["./none#x"], &["'@@/none'", "No such file or directory"]);
    world.fails("", &["path:./none#x"], &["the path '@@/none' does not exist"]);
    world.fails("", &["git+file:./none#x"], &["the path '@@/none' does not exist"]);
    world.fails("", &["git+file:./plain#x"], &["@@/plain", "it is no git repository"]);
    world.fails("", &["x:y#z"], &["input 'x:y' is unsupported"]);
    world.fails("", &["./outputs/x.nix#x"], &["@@/outputs/x.nix"]);
    world.fails("outputs", &[".#x", "--override-input", "a b", "."], &["'a b'"]);
    world.fails("outputs", &[".#x", "--override-input", "", "."], &["names the flake itself"]);
    world.fails("outputs", &[".#x", "--override-input", "a", "./none"], &["@@/outputs/none"]);
    let ours = world.ours("outputs", &["flake.nix#x"]);
    assert_eq!(ours.text(), "1\n", "{}", ours.stderr);
    assert!(ours.stderr.contains("should point at the directory"), "{}", ours.stderr);
}

#[test]
fn repositories() {
    let world = World::without_nix();
    world.write("f/flake.nix", "{ outputs = x: { x = 1; }; }");
    world.git("f", &["init", "-q"]);
    world.fails(
        "f",
        &[".#x"],
        &["'flake.nix' in the repository \"@@/f\" is not tracked by Git", "git add"],
    );
    world.git("f", &["add", "flake.nix"]);
    assert_eq!(world.ours("f", &[".#x"]).text(), "1\n");
    world.fails(
        "f",
        &["git+file:.?ref=main#x"],
        &["@@/f", "no branch or tag 'main', or no commit at all yet"],
    );
    world.commit("f");
    world.fails("f", &["git+file:.?ref=other#x"], &["it has no branch or tag 'other'"]);
    world.fails("f", &["git+file:.?rev=abc#x"], &["hash 'abc' has wrong length"]);
    let rev = "0123456789012345678901234567890123456789";
    world.fails("f", &[&format!("git+file:.?rev={rev}#x")], &[rev, "git fetch"]);
    world.git("", &["clone", "-q", "--bare", "f", "bare.git"]);
    assert_eq!(world.ours("", &["git+file:./bare.git#x"]).text(), "1\n");
    world.fails("", &["./bare.git#x"], &["could not find a flake.nix file"]);
    world.write("f/.git/HEAD", "garbage");
    world.fails("f", &[".#x"], &["the git repository '@@/f' could not be read"]);
    // A broken repository inside of another one is not taken for that.
    world.write("outer/flake.nix", "{ outputs = x: { x = 2; }; }").repository("outer");
    world.write("outer/inner/flake.nix", "{ outputs = x: { x = 3; }; }");
    std::fs::create_dir(world.path("outer/inner/.git")).unwrap();
    world.fails(
        "outer/inner",
        &[".#x"],
        &["the git repository '@@/outer/inner' could not be read"],
    );
    world.without(&["git"]).fails(
        "f",
        &[".#x"],
        &["the program \"git\" was not found", "install git"],
    );
}

#[test]
fn files_that_no_archive_takes() {
    let world = World::without_nix();
    world.write("f/flake.nix", "{ outputs = x: { x = 1; }; }").write("f/secret", "x");
    let made = std::process::Command::new("mkfifo").arg(world.path("f/pipe")).status().unwrap();
    assert!(made.success());
    world.fails("f", &[".#x"], &["@@/f/pipe", "neither a file, a folder nor a symbolic link"]);
    std::fs::remove_file(world.path("f/pipe")).unwrap();
    std::fs::set_permissions(world.path("f/secret"), PermissionsExt::from_mode(0o000)).unwrap();
    let may_read = std::fs::read(world.path("f/secret")).is_ok();
    if !may_read {
        world.fails("f", &[".#x"], &["@@/f/secret", "Permission denied"]);
    }
}
