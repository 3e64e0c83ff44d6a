//! Inputs of flakes: of every kind that a machine without a network has, followed, replaced and nested.

use super::world::World;

/// A flake that shows what it sees of itself.
const LEAF: &str = r#"{
  outputs = { self }: {
    names = builtins.attrNames self;
    info = self.sourceInfo;
    here = ./.;
    out = self.outPath;
    file = ./file;
    copied = "${./file}";
    thrown = throw "leaf";
    missing = import ./missing.nix;
  };
}"#;

fn leaf(world: &World, folder: &str, content: &str) {
    world.write(&format!("{folder}/flake.nix"), LEAF).write(&format!("{folder}/file"), content);
}

#[test]
fn folders_and_repositories() {
    let Some(world) = World::new() else { return };
    leaf(&world, "path", "1");
    leaf(&world, "repo", "2");
    leaf(&world, "source", "3");
    leaf(&world, "f/sub/relative", "4");
    leaf(&world, "whole/inner", "5");
    world.repository("repo").write(
        "f/flake.nix",
        r#"{
          description = "inputs";
          inputs.path.url = "path:@@/path";
          inputs.repo.url = "git+file://@@/repo";
          inputs.source = { url = "path:@@/source"; flake = false; };
          inputs.relative.url = "path:./sub/relative";
          inputs.dir.url = "path:@@/whole?dir=inner";
          inputs.attrs = { type = "path"; path = "@@/path"; };
          outputs = { self, path, repo, source, relative, dir, attrs }@inputs: {
            inherit path repo relative dir;
            sourceText = "${source}";
            source = builtins.removeAttrs source [ ];
            same = path.outPath == attrs.outPath;
            all = builtins.mapAttrs (name: input: input.outPath) inputs;
            own = builtins.attrNames self.inputs;
            infos = builtins.mapAttrs (name: input: input.sourceInfo) inputs;
          };
        }"#,
    );
    let attributes = [
        "path.names",
        "path.info",
        "path.out",
        "path.copied",
        "path.thrown",
        "repo.names",
        "repo.info",
        "repo.here",
        "repo.file",
        "repo.copied",
        "repo.missing",
        "relative.names",
        "relative.info",
        "relative.out",
        "relative.here",
        "relative.file",
        "relative.thrown",
        "dir.names",
        "dir.info",
        "dir.out",
        "dir.here",
        "source",
        "sourceText",
        "same",
        "all",
        "own",
        "infos",
    ];
    // Without a lock file all of them are locked in memory, as nix does.
    world.all_same("f", &[], &attributes);
    world.lock("f");
    world.all_same("f", &[], &attributes);
    world.repository("f");
    world.all_same("f", &[], &attributes);
    // Without nix, since all trees are here, and twice, since the first time may fetch.
    let ours = world.ours("f", &[".#all"]);
    assert_eq!(ours.stderr, "");
}

#[test]
fn inputs_follow_each_other() {
    let Some(world) = World::new() else { return };
    leaf(&world, "one", "1");
    leaf(&world, "two", "2");
    let shows =
        "builtins.mapAttrs (name: input: input.outPath or name) (removeAttrs inputs [ \"self\" ])";
    world.write(
        "lib/flake.nix",
        &format!(
            "{{ inputs.leaf.url = \"path:@@/one\"; inputs.again.follows = \"leaf\"; \
             outputs = inputs: {{ shows = {shows}; }}; }}"
        ),
    );
    world.write(
        "middle/flake.nix",
        &format!(
            "{{ inputs.lib.url = \"path:@@/lib\"; inputs.deep.follows = \"lib/leaf\"; \
             outputs = inputs: {{ shows = {shows}; lib = inputs.lib.shows; }}; }}"
        ),
    );
    world.write(
        "f/flake.nix",
        &format!(
            r#"{{
              inputs.leaf.url = "path:@@/two";
              inputs.middle = {{ url = "path:@@/middle"; inputs.lib.inputs.leaf.follows = "leaf"; }};
              inputs.lib = {{ url = "path:@@/lib"; inputs.leaf.follows = ""; }};
              inputs.plain.url = "path:@@/lib";
              inputs.far.follows = "middle/lib/leaf";
              inputs.deep.follows = "middle/deep";
              outputs = inputs: {{
                shows = {shows};
                middle = inputs.middle.shows;
                middleLib = inputs.middle.lib;
                lib = inputs.lib.shows;
                plain = inputs.plain.shows;
                root = inputs.lib.inputs.leaf.outPath == inputs.self.outPath;
              }};
            }}"#
        ),
    );
    let attributes = ["shows", "middle", "middleLib", "lib", "plain", "root"];
    world.all_same("f", &[], &attributes);
    world.lock("f");
    world.all_same("f", &[], &attributes);
    leaf(&world, "three", "3");
    for (input, reference) in [
        ("leaf", "../three"),
        ("middle/lib/leaf", "path:../three"),
        ("plain/leaf", "../three"),
        ("middle/lib", "../lib"),
        ("middle", "../lib"),
        ("no-such", "../three"),
        ("plain/leaf", "path:@@/three"),
    ] {
        let reference = reference.replace("@@", world.path("").to_str().unwrap());
        world.all_same("f", &["--override-input", input, &reference], &attributes);
    }
}

#[test]
fn what_is_no_flake_takes_the_place_of_an_input() {
    let Some(world) = World::new() else { return };
    world.write("s", "no folder");
    for folder in ["none", "s %20é/of a repo", "s e#c?r%é"] {
        world.write(&format!("{folder}/text"), folder);
    }
    world.repository("s %20é");
    world.write(
        "f/flake.nix",
        r#"{ inputs.s = { url = "path:@@/none"; flake = false; };
            outputs = { self, s }: { x = builtins.readFile "${s}/text"; }; }"#,
    );
    world.lock("f");
    let root = world.path("").to_str().unwrap().to_owned();
    for reference in [
        "../s %20é/of a repo",
        "@@/s %20é/of a repo",
        "path://@@/s%20e%23c%3Fr%25%C3%A9",
        "path:../s%20e%23c%3Fr%25%C3%A9",
        "git+file://@@/s%20%2520%C3%A9?dir=of%20a%20repo",
        "../s",
    ] {
        let reference = reference.replace("@@", root.trim_end_matches('/'));
        world.all_same("f", &["--override-input", "s", &reference], &["x"]);
    }
}
