//! Flakes that work.

use super::world::World;

/// Attributes that show what a flake sees of itself and of its files.
const OUTPUTS: &str = r#"
    names = builtins.attrNames self;
    info = removeAttrs self.sourceInfo [ ];
    here = ./.;
    text = toString ./.;
    copied = "${./.}";
    file = "${./flake.nix}";
    folder = builtins.readDir ./.;
    place = builtins.unsafeGetAttrPos "place" self;
    self-text = "${self}";
    context = builtins.getContext "${self}";
    exists = builtins.pathExists ./untracked;
    untracked = builtins.readFile ./untracked;
    missing = import ./missing.nix;
    missing-copy = "${./missing}";
    link = builtins.readFile ./link;
    away = builtins.readFile ./away;
    thrown = throw "thrown";
    nested.a.b = throw "inside";
    drv = derivation {
      name = "x";
      system = "x86_64-linux";
      builder = "/bin/sh";
      src = ./sub;
    };
    function = x: x;
    system = builtins.currentSystem;
    variable = builtins.getEnv "HOME";
    lookup = <nixpkgs>;
    outside = builtins.readFile "@@/outside";
    packages.x86_64-linux.p = "package";
    legacyPackages.x86_64-linux.l = "legacy package";
    packages.x86_64-linux.default = "default package";
    list = [ ./sub null 1.5 (throw "x") ];
"#;

const ATTRIBUTES: &[&str] = &[
    "names",
    "info",
    "here",
    "text",
    "copied",
    "file",
    "folder",
    "place",
    "self-text",
    "context",
    "exists",
    "untracked",
    "missing",
    "missing-copy",
    "link",
    "away",
    "thrown",
    "nested",
    "nested.a.\"b\"",
    "drv",
    "drv.drvPath",
    "function",
    "system",
    "variable",
    "lookup",
    "outside",
    "p",
    "l",
    "",
    ".packages",
    "list",
    "no-such",
    "list.0",
    ".info.rev",
    "packages.x86_64-linux.p",
];

fn with_outputs(world: &World, folder: &str) {
    world
        .write(
            &format!("{folder}/flake.nix"),
            &format!("{{ outputs = {{ self }}: {{{OUTPUTS}}}; }}"),
        )
        .write(&format!("{folder}/sub/file"), "inside\n")
        .write("outside", "outside\n");
    let at = |name: &str| world.path(&format!("{folder}/{name}"));
    std::os::unix::fs::symlink("sub/file", at("link")).unwrap();
    std::os::unix::fs::symlink(world.path("outside"), at("away")).unwrap();
}

#[test]
fn a_folder_without_git() {
    let Some(world) = World::new() else { return };
    with_outputs(&world, "f");
    world.write("f/untracked", "x");
    // A path flake sees all its files.
    world.all_same("f", &[], ATTRIBUTES);
    world.all_same("f", &["--json"], &["info", "list", "function", "drv"]);
    world.all_same("f", &["--raw"], &["p", "drv", "here", "list"]);
    world.all_same("f", &["--impure"], &["system", "variable", "outside"]);
    world.all_same("f", &["--apply", "x: builtins.typeOf x"], &["here", "function", ""]);
    world.same("f/sub", &["..#text"]).unwrap();
    world.same("f/sub", &[".#text"]).unwrap();
    world.same("", &["./f#text"]).unwrap();
    world.same("", &[&format!("path:{}#names", world.path("f").display())]).unwrap();
}

#[test]
fn a_clean_repository() {
    let Some(world) = World::new() else { return };
    with_outputs(&world, "f");
    world.repository("f").write("f/untracked", "x");
    world.all_same("f", &[], ATTRIBUTES);
    // The second time, what is known of the commit is remembered.
    world.all_same("f", &[], &["info", "here"]);
    std::fs::write(world.path("home/.cache/nixos-bootstrap/git/x"), "").unwrap();
    for entry in std::fs::read_dir(world.path("home/.cache/nixos-bootstrap/git")).unwrap() {
        std::fs::write(entry.unwrap().path(), "{\"nar_hash\":1").unwrap();
    }
    world.all_same("f", &[], &["info", "here"]);
}

#[test]
fn a_dirty_repository() {
    let Some(world) = World::new() else { return };
    with_outputs(&world, "f");
    world.write("f/gone", "x").write("f/staged", "x").repository("f").write("f/untracked", "x");
    world.write("f/sub/file", "changed\n").write("f/new", "added");
    world.git("f", &["add", "--intent-to-add", "new"]);
    world.git("f", &["rm", "-q", "--cached", "staged"]);
    std::fs::remove_file(world.path("f/gone")).unwrap();
    world.all_same("f", &[], ATTRIBUTES);
    let said = world.ours("f", &[".#text"]).stderr;
    assert!(said.contains("is dirty"), "{said}");
}

#[test]
fn a_repository_without_a_commit() {
    let Some(world) = World::new() else { return };
    with_outputs(&world, "f");
    world.git("f", &["init", "-q"]);
    world.fails(
        "f",
        &[".#names"],
        &["Path 'flake.nix' in the repository \"@@/f\" is not tracked by Git"],
    );
    world.git("f", &["add", "-A"]);
    world.all_same("f", &[], &["names", "info"]);
}
