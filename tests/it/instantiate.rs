//! What is evaluated comes into a real store, and what the evaluation wants to read is built there: against the
//! real `nix-instantiate`, each in a store of its own.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::evaluators::is_there;

mod bad_input;
mod early;
mod host;
mod import;

/// A folder with a store in it, whose paths lie in the folder.
pub(crate) struct Store {
    dir: tempfile::TempDir,
}

impl Store {
    /// An empty one; `None` without the real Nix.
    pub(crate) fn new() -> Option<Self> {
        if !is_there("nix-instantiate") {
            return None;
        }
        let dir = tempfile::Builder::new().prefix("store").tempdir().unwrap();
        Some(Self { dir })
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A command that uses this store, whose paths are those of `/nix/store`.
    fn rooted(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("NIX_REMOTE", self.path().join("root")).env_remove("NIX_PATH");
        command
    }

    /// A command that uses this store, whose paths lie where it is, so that builds can run in it.
    pub(crate) fn here(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        for (name, below) in [
            ("NIX_STORE_DIR", "store"),
            ("NIX_STATE_DIR", "state"),
            ("NIX_LOG_DIR", "log"),
            ("NIX_CONF_DIR", "etc"),
            ("HOME", "home"),
        ] {
            command.env(name, self.path().join(below));
        }
        let config = "sandbox = false\nbuild-users-group =\nsubstituters =\n";
        command.env("NIX_CONFIG", config).env_remove("NIX_REMOTE").env_remove("NIX_PATH");
        command
    }

    /// All that the store has: paths with hashes, references, addresses.
    fn contents(&self) -> serde_json::Map<String, serde_json::Value> {
        let mut command = self.rooted("nix");
        command.args(["path-info", "--extra-experimental-features", "nix-command"]);
        let output = done(command.args(["--all", "--json"]));
        let mut infos: serde_json::Map<_, _> = serde_json::from_slice(&output.stdout).unwrap();
        for info in infos.values_mut() {
            info.as_object_mut().unwrap().remove("registrationTime");
        }
        infos
    }

    /// Is all as the store says it is?
    fn verify(&self) {
        let output = done(self.rooted("nix-store").args(["--verify", "--check-contents"]));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains("modified") && !said.contains("error"), "{said}");
    }
}

pub(crate) const OURS: &str = env!("CARGO_BIN_EXE_nixos-bootstrap");

/// Runs a command that must succeed.
pub(crate) fn done(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", text(&output.stderr));
    output
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Sources of every kind.
fn sources() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &[u8]| dir.path().join(OsStr::from_bytes(name));
    std::fs::create_dir_all(at(b"src/sub/empty")).unwrap();
    std::fs::write(at(b"src/plain"), b"plain\0\xff").unwrap();
    std::fs::write(at(b"src/a b\n\"$x\" \xfe"), b"odd").unwrap();
    std::fs::write(at("src/sub/é☃".as_bytes()), b"").unwrap();
    std::fs::write(at(b"src/sub/tool"), b"#!/bin/sh\n").unwrap();
    std::fs::write(at(b"src/sub-1"), b"sorts between").unwrap();
    std::fs::write(at(b"src/large"), vec![b'l'; 300_000]).unwrap();
    std::fs::set_permissions(at(b"src/sub/tool"), PermissionsExt::from_mode(0o755)).unwrap();
    symlink("../plain", at(b"src/sub/link")).unwrap();
    symlink("/nowhere", at(b"src/dangling")).unwrap();
    symlink("src/plain", at(b"to-file")).unwrap();
    dir
}

/// The start of every program.
const PRELUDE: &str = r#"
    { d ? name: attrs: derivation ({ inherit name; system = "s"; builder = "/bin/sh"; } // attrs) }:
    let
      dep = d "dep" { };
      two = d "two" { outputs = [ "out" "dev" ]; inherit dep; };
      text = builtins.toFile "text" "see ${./src/plain}";
"#;

const PROGRAMS: &[&str] = &[
    "dep",
    "d \"x\" { a = dep; b = two.dev; c = [ two dep.out ]; }",
    "d \"x\" { inherit text; deep = builtins.toFile \"t2\" \"${text} ${./to-file}\"; }",
    "d \"x\" { src = ./src; file = ./src/sub/tool; link = ./to-file; again = ./src; }",
    "d \"x\" { src = builtins.filterSource (path: type: baseNameOf path != \"plain\") ./src; }",
    "d \"x\" { src = builtins.filterSource (path: type: type != \"directory\") ./src; whole = ./src; }",
    "d \"x\" { src = builtins.filterSource (path: type: type == \"directory\") ./src; }",
    "d \"x\" { src = builtins.path { path = ./src; name = \"y\"; filter = path: type: type != \"symlink\"; }; src2 = ./src; }",
    "d \"x\" { src = builtins.path { path = ./src/sub/tool; recursive = false; name = \"flat\"; }; }",
    "d \"x\" { src = builtins.path { path = ./src/large; recursive = false; }; }",
    "d \"x\" { src = builtins.path { path = ./src/plain; sha256 = builtins.hashString \"sha256\" \"no\"; recursive = false; }; }",
    "d \"x\" { src = builtins.path { path = \"${./src}/sub\"; name = \"z\"; }; }",
    "d \"x\" { src = builtins.path { path = text; name = \"copy-of-text\"; }; }",
    "d \"x\" { src = builtins.path { path = \"${builtins.filterSource (p: t: t == \"regular\") ./src}\"; name = \"twice\"; }; }",
    "d \"x\" { all = dep.drvPath; alone = builtins.unsafeDiscardOutputDependency two.drvPath; }",
    "d \"x\" { __structuredAttrs = true; a = [ dep { b = two.dev; } ]; s = ./src/plain; outputs = [ \"out\" \"y\" ]; }",
    "d \"x\" { outputHash = \"0000000000000000000000000000000000000000000000000000\"; outputHashAlgo = \"sha256\"; inherit dep; }",
    "d \"x\" { outputHashMode = \"recursive\"; outputHash = \"0000000000000000000000000000000000000000000000000000\"; outputHashAlgo = \"sha256\"; }",
    "d \"x\" { a = \"tab\\t nl\\n q\\\" b\\\\ \"; args = [ \"-c\" \"x\" ./src/plain ]; }",
    "d \"x\" { a = builtins.storePath (builtins.toFile \"stored\" \"x\"); }",
    "[ two.dev dep two dep ]",
    "{ a = dep; b = { recurseForDerivations = true; c = two.dev; d = { e = d \"no\" { }; }; }; f = { g = d \"no\" { }; }; h = 1; }",
    "{ \"odd name\" = d \"no\" { }; _x = dep; \"1a\" = d \"no\" { }; a' = d \"no\" { }; a-b = two; }",
    "[ [ dep [ two ] ] { x = d \"x\" { }; } ({ y ? 1 }: two.dev) ]",
    "{ y ? 1 }: { z = dep; w = { q ? 2 }: two; }",
    "[ ]",
    "{ }",
    "1",
    "[ 1 ]",
    "{ type = \"derivation\"; }",
    "{ type = \"derivation\"; name = \"x\"; }",
    "{ type = \"derivation\"; name = \"x\"; drvPath = dep.drvPath; }",
    "{ type = \"derivation\"; name = \"x\"; drvPath = \"${./src}\"; outputName = \"out\"; }",
    "{ type = \"derivation\"; name = \"x\"; drvPath = \"/elsewhere\"; outputName = \"out\"; }",
    "d \"x\" { a = builtins.appendContext \"a\" { \"/nix/store/ffffffffffffffffffffffffffffffff-none\".path = true; }; }",
    "{ a = throw \"no\"; }",
];

/// Both programs write what `words` give into empty stores: they print the same, end alike, and the stores have
/// the same. (Nix writes derivations as well that no result needs.)
fn same(words: &[&str], dir: &Path) -> Result<(), String> {
    let (Some(ours), Some(real)) = (Store::new(), Store::new()) else { return Ok(()) };
    let our_output = ours
        .rooted(OURS)
        .args(["eval", "--instantiate"])
        .args(words)
        .current_dir(dir)
        .output()
        .unwrap();
    let real_output = real.rooted("nix-instantiate").args(words).current_dir(dir).output().unwrap();
    let shown = |output: &Output| {
        format!("{:?}\n{}{}", output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let both =
        format!("{words:?}\n--- ours: {}\n--- real: {}", shown(&our_output), shown(&real_output));
    if our_output.status.code() != real_output.status.code() {
        return Err(both);
    }
    if !our_output.status.success() {
        return Ok(());
    }
    if our_output.stdout != real_output.stdout {
        return Err(both);
    }
    ours.verify();
    let roots = text(&real_output.stdout);
    let roots: Vec<_> = roots.lines().filter_map(|line| line.split('!').next()).collect();
    let all = real.contents();
    let mut expected = all.clone();
    if !roots.is_empty() {
        let closure = done(real.rooted("nix-store").arg("-qR").args(&roots)).stdout;
        let closure = text(&closure);
        let closure: Vec<&str> = closure.lines().collect();
        expected.retain(|path, _| closure.iter().any(|known| known.ends_with(path.as_str())));
    }
    let mut found = ours.contents();
    // Where much is written, some of it is written before it is known whether a result needs it.
    found.retain(|path, about| expected.contains_key(path) || all.get(path) != Some(about));
    if roots.is_empty() || found == expected {
        return Ok(());
    }
    Err(format!("{both}\n{found:#?}\n{expected:#?}"))
}

#[test]
fn stores_get_what_nix_instantiate_writes() {
    let dir = sources();
    let programs: Vec<_> =
        PROGRAMS.iter().map(|program| format!("{PRELUDE} in {program}")).collect();
    let wrong: Vec<_> =
        programs.iter().filter_map(|program| same(&["-E", program], dir.path()).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_and_attributes_are_chosen_as_by_nix_instantiate() {
    let dir = sources();
    let program =
        format!("{PRELUDE} in {{ inherit dep two; l = [ two.dev dep ]; f = {{ n }}: d n {{ }}; }}");
    std::fs::write(dir.path().join("default.nix"), program).unwrap();
    for words in [
        &[][..],
        &["-A", "two.dev", "-A", "dep"],
        &["default.nix", "-A", "l"],
        &["-A", "f", "--argstr", "n", "made"],
        &["-A", "f"],
        &["-A", "nothing"],
    ] {
        same(words, dir.path()).unwrap();
    }
}

#[test]
fn what_is_valid_is_not_written_again() {
    let Some(store) = Store::new() else { return };
    let dir = sources();
    let program = format!("{PRELUDE} in d \"x\" {{ inherit two text; src = ./src; }}");
    let write = || {
        done(store.rooted(OURS).args(["eval", "--instantiate", "-E", &program]).current_dir(&dir))
    };
    let first = write();
    let drv = text(&first.stdout);
    let lock = |name: &str| store.path().join("root/nix/store").join(name).exists();
    let before =
        std::fs::metadata(store.path().join("root").join(drv.trim().trim_start_matches('/')));
    let again = write();
    assert_eq!(first.stdout, again.stdout);
    let after =
        std::fs::metadata(store.path().join("root").join(drv.trim().trim_start_matches('/')));
    assert_eq!(before.unwrap().modified().unwrap(), after.unwrap().modified().unwrap());
    assert!(!lock(&format!("{}.lock", drv.trim())));
    // A part of it that is gone comes back.
    let gone = done(store.rooted("nix-store").args(["-q", "--references", drv.trim()]));
    let gone: PathBuf =
        text(&gone.stdout).lines().find(|path| path.ends_with("-two.drv")).unwrap().into();
    done(store.rooted("nix-store").args(["--delete", drv.trim()]));
    done(store.rooted("nix-store").arg("--delete").arg(&gone));
    assert_eq!(write().stdout, first.stdout);
    store.verify();
}

#[test]
fn what_was_written_is_built_without_another_evaluation() {
    let Some(store) = Store::new() else { return };
    let program = r#"
        let d = derivation { name = "dep"; system = builtins.currentSystem; builder = "/bin/sh";
          args = [ "-c" "read line < ${builtins.toFile "t" "hello\n"}; echo $line > $out" ]; };
        in derivation { name = "x"; system = builtins.currentSystem; builder = "/bin/sh";
          args = [ "-c" "read line < ${d}; echo $line world > $out" ]; }"#;
    let drv = done(store.here(OURS).args(["eval", "--instantiate", "-E", program]));
    let drv = text(&drv.stdout);
    let mut build = store.here("nix");
    build.args(["build", "--extra-experimental-features", "nix-command", "--no-link"]);
    let printed = done(build.args(["--print-out-paths", &format!("{}^*", drv.trim())]));
    assert_eq!(std::fs::read_to_string(text(&printed.stdout).trim()).unwrap(), "hello world\n");
}
