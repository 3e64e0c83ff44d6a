//! What is remembered of evaluations: found again, never stale, and no harm where it is damaged. A host that says
//! `evaluated` when it is evaluated tells whether it was.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::Place;
use crate::evaluators::Outcome;

const FLAKE: &str = r"{
  # A comment.
  outputs = { self }: {
    nixosConfigurations = {
      a = import ./hosts/a.nix;
      b = import ./hosts/b.nix;
    };
  };
}
";

const HOST: &str = r#"{
  options = { };
  config = builtins.trace "evaluated" {
    networking.hostName = builtins.readFile ../name;
    nixpkgs.hostPlatform = "x86_64-linux"; # a comment
  };
}
"#;

/// A flake in git with two hosts, and files that are read or not.
fn place() -> Place {
    let place = Place::new();
    place
        .write("flake.nix", FLAKE)
        .write("hosts/a.nix", HOST)
        .write("hosts/b.nix", HOST)
        .write("name", "some-name")
        .write("README.md", "Nothing reads this.\n")
        .commit();
    place
}

/// The facts of `a`; says how many hosts were evaluated for that.
fn facts(place: &Place, words: &[&str]) -> (Outcome, usize) {
    let outcome = place.run(&[&["facts", "--json"], words].concat());
    let count = outcome.stderr.matches("trace: evaluated").count();
    (outcome, count)
}

fn expect(place: &Place, words: &[&str], evaluated: usize) -> Outcome {
    let (outcome, count) = facts(place, words);
    assert_eq!((outcome.code, count), (Some(0), evaluated), "{words:?}: {}", outcome.stderr);
    outcome
}

#[test]
fn a_second_run_evaluates_nothing() {
    let place = place();
    let first = expect(&place, &["a"], 1);
    let second = expect(&place, &["a"], 0);
    assert_eq!((first.text(), &second.stderr[..]), (second.text(), ""));
    // Other hosts are still to be read.
    let all = expect(&place, &["--all"], 1);
    assert_eq!(expect(&place, &["--all"], 0).stdout, all.stdout);
    let list = place.run(&["hosts"]);
    assert!(list.stderr.contains("evaluated"));
    let again = place.run(&["hosts"]);
    assert_eq!((again.stdout, again.stderr), (list.stdout, String::new()));
    // Another way to the same flake.
    let reference = format!("git+file://{}", place.path("flake").display());
    let other = place.run(&["facts", "a", "--json", "--flake", &reference]);
    assert_eq!((other.text(), &other.stderr[..]), (second.text(), ""));
}

#[test]
fn entries_are_private_and_no_cache_makes_none() {
    let place = place();
    expect(&place, &["a", "--no-cache"], 1);
    assert!(!place.path("cache").exists());
    expect(&place, &["a"], 1);
    let entries = place.entries();
    assert_eq!(entries.len(), 2);
    for entry in entries {
        assert_eq!(fs::metadata(entry).unwrap().permissions().mode() & 0o777, 0o600);
    }
    expect(&place, &["a", "--no-cache"], 1);
    expect(&place, &["a"], 0);
}

#[test]
fn without_a_cache_folder_it_is_below_home() {
    let place = place();
    for evaluated in [1, 0] {
        let mut command = place.command(&["facts", "a", "--json"]);
        let output = command.env_remove("XDG_CACHE_HOME").output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(text.matches("trace: evaluated").count(), evaluated, "{text}");
    }
    assert!(place.path("home/.cache/nixos-bootstrap/facts").is_dir());
}

/// Every tracked file: a changed byte anywhere gives what an evaluation without a cache gives.
#[test]
fn a_changed_byte_is_never_missed() {
    let place = place();
    let before = expect(&place, &["--all"], 2);
    for path in ["flake.nix", "hosts/a.nix", "hosts/b.nix", "name", "README.md"] {
        let file = place.path("flake").join(path);
        let whole = fs::read(&file).unwrap();
        let some = (0..whole.len()).step_by((whole.len() / 4).max(1));
        for at in some.chain([whole.len() - 1]).collect::<BTreeSet<_>>() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&file, &bytes).unwrap();
            let (fresh, evaluated) = facts(&place, &["--all", "--no-cache"]);
            let (ours, again) = facts(&place, &["--all"]);
            let what = format!("byte {at} of {path}");
            assert_eq!(again, evaluated, "{what}");
            assert_eq!((ours.code, ours.text()), (fresh.code, fresh.text()), "{what}");
            assert_eq!(ours.stderr, fresh.stderr, "{what}");
        }
        fs::write(&file, &whole).unwrap();
    }
    // As it was before, so is what was remembered.
    assert_eq!(expect(&place, &["--all"], 0).stdout, before.stdout);
}

#[test]
fn all_that_a_flake_sees_counts() {
    let place = place();
    expect(&place, &["a"], 1);
    let change = |what: &str, change: &dyn Fn(&Path), evaluated: usize| {
        change(&place.path("flake"));
        let (outcome, count) = facts(&place, &["a"]);
        assert_eq!((outcome.code, count), (Some(0), evaluated), "{what}: {}", outcome.stderr);
        expect(&place, &["a"], 0);
    };
    change("a file that git does not know", &|at| fs::write(at.join("new"), "1").unwrap(), 0);
    change(
        "a file that git knows now",
        &|_| {
            place.git(&["add", "new"]);
        },
        1,
    );
    change("its contents", &|at| fs::write(at.join("new"), "2").unwrap(), 1);
    change(
        "a file that may be executed",
        &|at| {
            fs::set_permissions(at.join("name"), fs::Permissions::from_mode(0o755)).unwrap();
        },
        1,
    );
    change("a file that is gone", &|at| fs::remove_file(at.join("README.md")).unwrap(), 1);
    change(
        "a commit",
        &|_| {
            place.commit();
        },
        1,
    );
    change("nothing but a time", &|at| fs::write(at.join("name"), "some-name").unwrap(), 0);
}

/// What stands in for an input is no part of the lock, and counts all the same.
#[test]
fn inputs_that_are_replaced_count() {
    let place = place();
    place
        .write(
            "flake.nix",
            r#"{
  inputs.name = { url = "path:/no/such/input"; flake = false; };
  outputs = { self, name }: {
    nixosConfigurations.a.config = builtins.trace "evaluated" {
      networking.hostName = builtins.readFile (name + "/name");
      nixpkgs.hostPlatform = "x86_64-linux";
    };
  };
}
"#,
        )
        .commit();
    let (one, other) = (place.path("one"), place.path("other"));
    for (folder, name) in [(&one, "one"), (&other, "other")] {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("name"), name).unwrap();
    }
    let with = |folder: &Path, evaluated: usize| {
        let reference = format!("path:{}", folder.display());
        expect(&place, &["a", "--override-input", "name", &reference], evaluated).text()
    };
    assert!(with(&one, 1).contains("\"one\""));
    assert!(with(&other, 1).contains("\"other\""));
    assert!(with(&one, 0).contains("\"one\""));
    fs::write(one.join("name"), "two").unwrap();
    assert!(with(&one, 1).contains("\"two\""));
    assert!(with(&other, 0).contains("\"other\""));
}

#[test]
fn damaged_entries_are_told_and_replaced() {
    let place = place();
    let before = expect(&place, &["a"], 1).stdout;
    let damages: [&dyn Fn(&Path); 5] = [
        &|entry| fs::write(entry, "").unwrap(),
        &|entry| {
            let whole = fs::read(entry).unwrap();
            fs::write(entry, &whole[..whole.len() - 1]).unwrap();
        },
        &|entry| {
            let mut whole = fs::read(entry).unwrap();
            let last = whole.len() - 2;
            whole[last] ^= 1;
            fs::write(entry, whole).unwrap();
        },
        &|entry| fs::write(entry, "{\"known\":[]}").unwrap(),
        &|entry| {
            fs::remove_file(entry).unwrap();
            std::os::unix::fs::symlink("/etc/passwd", entry).unwrap();
        },
    ];
    for damage in damages {
        place.entries().iter().for_each(|entry| damage(entry));
        let outcome = expect(&place, &["a"], 1);
        assert_eq!(outcome.stdout, before);
        assert!(outcome.stderr.contains("warning: the cached facts"), "{}", outcome.stderr);
        let again = expect(&place, &["a"], 0);
        assert_eq!((again.stdout, again.stderr), (before.clone(), String::new()));
    }
    // One entry in the place of another.
    let entries = place.entries();
    let (one, other) = (fs::read(&entries[0]).unwrap(), fs::read(&entries[1]).unwrap());
    fs::write(&entries[0], other).unwrap();
    fs::write(&entries[1], one).unwrap();
    assert_eq!(expect(&place, &["a"], 1).stdout, before);
}

#[test]
fn a_cache_that_cannot_be_written_is_told() {
    let place = place();
    fs::write(place.path("cache"), "a file").unwrap();
    let outcome = expect(&place, &["a"], 1);
    assert!(outcome.stderr.contains("warning: the cached facts"), "{}", outcome.stderr);
}

#[test]
fn runs_at_once_agree() {
    let place = place();
    let runs: Vec<_> = (0..6).map(|_| place.start(&["facts", "--all", "--json"])).collect();
    let outcomes: Vec<Outcome> =
        runs.into_iter().map(|run| run.wait_with_output().unwrap().into()).collect();
    for outcome in &outcomes {
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert_eq!(outcome.stdout, outcomes[0].stdout);
        assert!(!outcome.stderr.contains("warning"), "{}", outcome.stderr);
    }
    expect(&place, &["--all"], 0);
}
