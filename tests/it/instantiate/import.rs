//! Import from derivation: against `nix-instantiate --eval --read-write-mode`.

use std::path::Path;

use super::{OURS, Store, done, text};

/// `build "name" "script"` is what the script writes to `$out`.
const PRELUDE: &str = r#"
    let
      build = name: script: derivation {
        inherit name; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" script ];
      };
      folder = build "folder" "/bin/mkdir -p $out/sub; echo '{ a = 1; }' > $out/default.nix; echo x > $out/sub/x; /bin/ln -s sub/x $out/link";
    in
"#;

/// Programs that read what has to be built.
const PROGRAMS: &[&str] = &[
    "import (build \"n\" \"echo 1 > $out\")",
    "import (build \"n\" \"echo 1 > $out\").outPath",
    "import folder",
    "builtins.readFile (build \"n\" \"echo text > $out\")",
    "builtins.readFile \"${folder}/sub/x\"",
    "builtins.readDir folder",
    "builtins.readFileType \"${folder}/link\"",
    "[ (builtins.pathExists folder) (builtins.pathExists \"${folder}/none\") (builtins.pathExists \"${folder}/sub/\") ]",
    "builtins.hashFile \"sha256\" \"${folder}/sub/x\"",
    "builtins.path { path = folder; name = \"copy\"; }",
    "builtins.path { path = \"${folder}/sub/x\"; name = \"copy\"; recursive = false; }",
    "builtins.path { path = build \"n\" \"echo ${folder} > $out\"; name = \"refers\"; }",
    "builtins.path { path = builtins.toFile \"t\" \"${builtins.toFile \"u\" \"\"}\"; name = \"refers\"; }",
    "builtins.filterSource (path: type: type != \"symlink\") folder",
    "builtins.filterSource (path: type: import (build \"filter\" \"echo true > $out\")) ./.",
    "builtins.readFile \"${builtins.filterSource (path: type: type != \"symlink\") folder}/sub/x\"",
    "builtins.pathExists \"${builtins.filterSource (path: type: type != \"symlink\") folder}/link\"",
    "builtins.storePath folder",
    "\"${builtins.storePath \"${folder}/sub\"}\"",
    "let inner = import (build \"inner\" \"echo 41 > $out\"); in import (build \"outer\" \"echo $((${toString inner} + 1)) > $out\")",
    "import (build \"n\" \"read x < ${builtins.toFile \"t\" \"7\\n\"}; echo $x > $out\")",
    "import (build \"n\" \"echo ${./.} > /dev/null; echo 8 > $out\")",
    "let d = derivation { name = \"two\"; outputs = [ \"out\" \"dev\" ]; system = builtins.currentSystem; builder = \"/bin/sh\"; args = [ \"-c\" \"echo 1 > $out; echo 2 > $dev\" ]; }; in [ (import d.dev) (import d) ]",
    "builtins.readFile (build \"n\" \"echo x > $out\").drvPath",
    "(import (build \"n\" \"echo 1 > $out\").drvPath).outPath",
    "builtins.findFile [ { prefix = \"p\"; path = folder; } ] \"p/sub\"",
    "builtins.scopedImport { x = 3; } (build \"n\" \"echo x > $out\")",
    "builtins.tryEval (import (build \"n\" \"echo 'throw 1' > $out\"))",
    "builtins.tryEval (import (build \"n\" \"exit 1\"))",
    "import (build \"n\" \"exit 1\")",
    "import (build \"n\" \"echo '{' > $out\")",
    "builtins.readFile (builtins.appendContext \"/x\" { \"${builtins.storeDir}/ffffffffffffffffffffffffffffffff-none\".path = true; })",
];

/// Both evaluate the program, each with an empty store at the same place, and print the same.
fn same(program: &str, dir: &Path) -> Result<(), String> {
    let Some(store) = Store::new() else { return Ok(()) };
    let program = format!("{PRELUDE} {program}");
    let run = |name: &str, words: &[&str]| {
        for below in ["store", "state", "log"] {
            let _ = std::process::Command::new("chmod")
                .args(["-R", "u+w"])
                .arg(store.path().join(below))
                .output();
            let _ = std::fs::remove_dir_all(store.path().join(below));
        }
        store
            .here(name)
            .args(words)
            .args(["--strict", "-E", &program])
            .current_dir(dir)
            .output()
            .unwrap()
    };
    let real = run("nix-instantiate", &["--eval", "--read-write-mode"]);
    let ours = run(OURS, &["eval"]);
    if (ours.status.success(), &ours.stdout) == (real.status.success(), &real.stdout) {
        return Ok(());
    }
    let shown = |output: &std::process::Output| {
        format!("{:?} {}{}", output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    Err(format!("{program}\n--- ours: {}\n--- real: {}", shown(&ours), shown(&real)))
}

#[test]
fn what_is_built_is_read_as_by_nix_instantiate() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "x").unwrap();
    let wrong: Vec<_> =
        PROGRAMS.iter().filter_map(|program| same(program, dir.path()).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_built_already_is_not_built_again() {
    let Some(store) = Store::new() else { return };
    let program = format!("{PRELUDE} import (build \"n\" \"echo loud >&2; echo 1 > $out\")");
    let run = || done(store.here(OURS).args(["eval", "-E", &program]));
    assert!(text(&run().stderr).contains("loud"));
    let again = run();
    assert_eq!((text(&again.stdout), text(&again.stderr)), ("1\n".into(), String::new()));
}

#[test]
fn what_an_interrupted_build_left_is_not_taken_for_its_output() {
    let Some(store) = Store::new() else { return };
    let program = |wanted: &str| format!("{PRELUDE} {wanted} (build \"n\" \"echo 1 > $out\")");
    let path = done(store.here(OURS).args(["eval", "--raw", "-E", &program("toString")]));
    // It lies there, and the store knows nothing of it.
    std::fs::create_dir_all(store.path().join("store")).unwrap();
    std::fs::write(text(&path.stdout), "2").unwrap();
    let read = done(store.here(OURS).args(["eval", "-E", &program("import")]));
    assert_eq!(text(&read.stdout), "1\n");
}

#[test]
fn a_build_that_fails_is_told_with_what_it_said_last() {
    let Some(store) = Store::new() else { return };
    let program = format!(
        "{PRELUDE} import (build \"top\" \"echo ${{build \"bad\" \"echo one; echo two >&2; exit 3\"}} > $out\")"
    );
    let output = store.here(OURS).args(["eval", "-E", &program]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    let error = said.split("error:").last().unwrap();
    for part in ["-top.drv'", "bad> one", "bad> two", "Last 2 log lines", "«string»"] {
        assert!(error.contains(part), "{part}: {said}");
    }
}

#[test]
fn import_from_derivation_can_be_forbidden() {
    let Some(store) = Store::new() else { return };
    let program = format!("{PRELUDE} import (build \"n\" \"echo 1 > $out\")");
    done(store.here(OURS).args(["eval", "-E", &program]));
    // In Nix' words, and even if it is built already.
    for words in [
        &["--no-allow-import-from-derivation"][..],
        &["--option", "allow-import-from-derivation", "false"],
        &["--allow-import-from-derivation", "--no-allow-import-from-derivation"],
    ] {
        let refused = |name: &str, first: &[&str]| {
            let mut command = store.here(name);
            let output = command.args(first).args(words).args(["-E", &program]).output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{words:?}");
            text(&output.stderr)
        };
        let ours = refused(OURS, &["eval"]);
        let message = ours.lines().next().unwrap();
        assert!(
            message.contains("the option 'allow-import-from-derivation' is disabled"),
            "{ours}"
        );
        let real = refused("nix-instantiate", &["--eval", "--read-write-mode"]);
        assert!(real.contains(message), "{message}\n{real}");
    }
}

#[test]
fn without_nix_nothing_is_built_and_that_is_said() {
    let Some(store) = Store::new() else { return };
    let program = format!("{PRELUDE} import (build \"n\" \"echo 1 > $out\")");
    let mut command = store.here(OURS);
    let output = command.env("PATH", "/nowhere").args(["eval", "-E", &program]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("-n.drv") && said.contains("\"nix\" was not found in PATH"), "{said}");
    // Once it is there, no program is needed to read it.
    done(store.here(OURS).args(["eval", "-E", &program]));
    let again = done(store.here(OURS).env("PATH", "/nowhere").args(["eval", "-E", &program]));
    assert_eq!(text(&again.stdout), "1\n");
}
