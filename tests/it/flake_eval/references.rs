//! Ways to say which flake is meant: commits and branches, folders of trees, links, names in registries, and
//! `builtins.getFlake`.

use super::world::World;

const LEAF: &str = r#"{
  outputs = { self }: {
    names = builtins.attrNames self;
    info = self.sourceInfo;
    here = ./.;
    out = self.outPath;
    copied = "${./.}";
    folder = builtins.readDir ./.;
    submodule = builtins.readDir ./module;
    missing = import ./missing.nix;
  };
}"#;

const ATTRIBUTES: &[&str] = &["names", "info", "here", "out", "copied", "folder", "missing"];

/// Both say the same of these attributes of a flake.
fn all_same(world: &World, folder: &str, reference: &str, attributes: &[&str]) {
    let wrong: Vec<String> = attributes
        .iter()
        .filter_map(|attribute| world.same(folder, &[&format!("{reference}#{attribute}")]).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn branches_and_commits() {
    let Some(world) = World::new() else { return };
    world.write("r/flake.nix", LEAF).write("r/file", "1").write("r/sub/x", "x").repository("r");
    world.git("r", &["tag", "v1"]);
    let first = world.git("r", &["rev-parse", "HEAD"]);
    world.write("r/file", "2").write("r/.gitattributes", "sub export-ignore").commit("r");
    world.git("r", &["checkout", "-q", "-b", "other"]);
    world.write("r/more", "3").commit("r");
    let second = world.git("r", &["rev-parse", "HEAD"]);
    world.git("r", &["checkout", "-q", "main"]);
    let url = format!("git+file://{}", world.path("r").display());
    let queries = [
        "?ref=other".to_owned(),
        "?ref=v1".to_owned(),
        "?ref=refs/heads/main&shallow=1".to_owned(),
        format!("?rev={first}"),
        format!("?ref=other&rev={second}"),
    ];
    for query in &queries {
        all_same(&world, "", &format!("{url}{query}"), ATTRIBUTES);
    }
    world.git("r", &["checkout", "-q", "--detach"]);
    all_same(&world, "r", ".", ATTRIBUTES);
    world.git("", &["clone", "-q", "--bare", "r", "bare.git"]);
    let bare = format!("git+file://{}?ref=other", world.path("bare.git").display());
    all_same(&world, "", &bare, ATTRIBUTES);
    world.git("r", &["worktree", "add", "-q", "../tree", "other"]);
    all_same(&world, "tree", ".", ATTRIBUTES);
}

#[test]
fn folders_of_trees_and_links() {
    let Some(world) = World::new() else { return };
    world
        .write("r/pkg/flake.nix", LEAF)
        .write("r/pkg/deep/x", "x")
        .write("r/top", "t")
        .repository("r");
    std::os::unix::fs::symlink("r/pkg", world.path("link")).unwrap();
    all_same(&world, "r/pkg", ".", ATTRIBUTES);
    all_same(&world, "r/pkg/deep", ".", ATTRIBUTES);
    all_same(&world, "", "./r/pkg", ATTRIBUTES);
    all_same(&world, "", "./link", ATTRIBUTES);
    all_same(&world, "link", ".", &["out"]);
    all_same(&world, "", "path:./r?dir=pkg", ATTRIBUTES);
    let url = format!("git+file://{}?dir=pkg", world.path("r").display());
    all_same(&world, "", &url, ATTRIBUTES);
}

#[test]
fn submodules() {
    let Some(world) = World::new() else { return };
    world.write("module/x", "1").repository("module");
    world.write("r/flake.nix", LEAF);
    world.git("r", &["init", "-q"]);
    let module = format!("file://{}", world.path("module").display());
    world.git("r", &["submodule", "add", "-q", &module, "module"]);
    world.commit("r");
    let attributes = [ATTRIBUTES, &["submodule"]].concat();
    all_same(&world, "r", ".", &attributes);
    all_same(&world, "r", ".?submodules=1", &attributes);
    world.write("r/module/x", "2");
    all_same(&world, "r", ".", &["info", "folder"]);
    all_same(&world, "r", ".?submodules=1", &["info", "submodule"]);
    let asks = LEAF.replacen('{', "{ inputs.self.submodules = true;", 1);
    world.write("r/flake.nix", &asks);
    all_same(&world, "r", ".", &["info", "submodule", "out"]);
}

#[test]
fn names_in_registries() {
    let Some(world) = World::new() else { return };
    world.write("r/flake.nix", LEAF).repository("r").write("p/sub/flake.nix", LEAF);
    world.write(
        "home/.config/nix/registry.json",
        r#"{"version":2,"flakes":[
            {"from":{"type":"indirect","id":"own"},"to":{"type":"git","url":"file://@@/r"}},
            {"from":{"type":"indirect","id":"sub"},"to":{"type":"path","path":"@@/p","dir":"sub"}},
            {"from":{"type":"indirect","id":"round"},"to":{"type":"indirect","id":"round"}}]}"#,
    );
    world.write(
        "conf/registry.json",
        r#"{"version":2,"flakes":[
            {"from":{"type":"indirect","id":"own"},"to":{"type":"path","path":"@@/none"}},
            {"from":{"type":"indirect","id":"system"},"to":{"type":"indirect","id":"own"}}]}"#,
    );
    for name in ["own", "flake:own", "own/main", "sub", "system"] {
        all_same(&world, "", name, &["out", "info", "here"]);
    }
    world.fails("", &["round#out"], &["cycle detected in flake registry for 'flake:round'"]);
    world.fails("", &["unknown#out"], &["'flake:unknown'", "cannot find flake"]);
    // The user's registry is for what the user types, not for inputs.
    world.write("f/flake.nix", "{ outputs = { self, own }: { x = own.out; }; }");
    world.fails("f", &[".#x"], &["has no lock file", "its input 'own' ('flake:own')"]);
    world.same("f", &["--override-input", "own", "own", ".#x"]).unwrap();
    world.write("conf/registry.json", "{");
    let said = world.ours("", &["own#out"]).stderr;
    assert!(said.contains("cannot read flake registry"), "{said}");
}

#[test]
fn get_flake() {
    let Some(world) = World::new() else { return };
    world.write("dep/flake.nix", LEAF).repository("dep").write("plain/flake.nix", LEAF);
    let rev = world.git("dep", &["rev-parse", "HEAD"]);
    world.write(
        "f/flake.nix",
        &r#"{ outputs = { self }: {
          locked = (builtins.getFlake "git+file://@@/dep?rev=REV").out;
          names = (builtins.getFlake "git+file://@@/dep?rev=REV").names;
          unlocked = (builtins.getFlake "git+file://@@/dep").info;
          plain = (builtins.getFlake "path:@@/plain").out;
          number = builtins.getFlake 1;
          path = builtins.getFlake ./.;
          context = builtins.getFlake "${self}";
          self = (builtins.getFlake (builtins.unsafeDiscardStringContext self.outPath)).sourceInfo;
          relative = builtins.getFlake "./x";
        }; }"#
            .replace("REV", &rev),
    );
    world.repository("f");
    world.all_same("f", &[], &["locked", "names", "number", "context"]);
    world.all_same("f", &["--impure"], &["locked", "unlocked", "plain", "self"]);
    for attribute in ["unlocked", "plain", "self"] {
        let parts = ["cannot call 'getFlake' on unlocked flake reference", "--impure"];
        world.fails("f", &[&format!(".#{attribute}")], &parts);
    }
    world.fails("f", &[".#path"], &["expected a string but found a path"]);
    world.fails("f", &["--impure", ".#relative"], &["'./x' is not an absolute path"]);
    let words = ["--extra-experimental-features", "flakes", "--expr"];
    let expression = format!("(builtins.getFlake \"path:{}\").out", world.path("plain").display());
    let ours = world.ours("f", &[&words[..], &[&expression]].concat());
    assert!(ours.text().ends_with("-source\"\n"), "{}", ours.stderr);
}
