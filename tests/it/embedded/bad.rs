//! Flakes and hosts that can't be read: what is said of them, by which exit code, and that other hosts are
//! told all the same.

use std::fmt::Write;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::Place;
use crate::evaluators::Outcome;

/// The flake with these outputs.
fn flake(outputs: &str) -> Place {
    let place = Place::new();
    place.write("flake.nix", &format!("{{\n  outputs = {{ self }}: {outputs};\n}}\n"));
    place
}

/// A flake whose hosts' state version is each of these expressions.
fn hosts(versions: &[(&str, &str)]) -> Place {
    let mut text = String::from(
        "let\n  host = version: { options = { }; config = { networking.hostName = \"x\"; \
         nixpkgs.hostPlatform = \"x86_64-linux\"; system.stateVersion = version; }; };\n\
         in { nixosConfigurations = {\n",
    );
    for (name, version) in versions {
        writeln!(text, "{name} = host ({version});").unwrap();
    }
    text.push_str("}; }");
    flake(&text)
}

fn says(outcome: &Outcome, code: i32, parts: &[&str]) {
    assert_eq!(outcome.code, Some(code), "{}", outcome.stderr);
    for part in parts {
        assert!(outcome.stderr.contains(part), "no {part:?} in:\n{}", outcome.stderr);
    }
    assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
}

/// What every command says of the flake that a host is wanted of.
fn all_say(place: &Place, host: &str, code: i32, parts: &[&str]) {
    says(&place.run(&["facts", host]), code, parts);
    says(&place.run(&["plan", host, "-d", "127.0.0.1", "-p", "1"]), code, parts);
}

#[test]
fn what_is_no_flake_is_named() {
    let none = Place::new();
    all_say(&none, "a", 2, &["there is no flake at", "hint: "]);
    says(&none.run(&["hosts"]), 2, &["there is no flake at"]);

    for outputs in ["{ }", "{ packages = { }; }"] {
        let place = flake(outputs);
        all_say(&place, "a", 2, &["has no nixosConfigurations", "hint: "]);
        says(&place.run(&["hosts"]), 2, &["has no nixosConfigurations"]);
    }
    let place = Place::new();
    place.write("flake.nix", "{ inputs = { }; }");
    all_say(&place, "a", 1, &["lacks attribute 'outputs'"]);
    let place = Place::new();
    place.write("flake.nix", "{ outputs = { self }: { nixosConfigurations = { ; }; }; }");
    all_say(&place, "a", 1, &["syntax error, unexpected ';'", "flake.nix:1:49"]);
}

#[test]
fn outputs_that_throw_are_told_with_their_place() {
    let place = flake("throw \"none today\"");
    all_say(&place, "a", 1, &["none today", "flake.nix:2:23:", "throw \"none today\""]);
    let place = flake("{ nixosConfigurations = throw \"none today\"; }");
    all_say(&place, "a", 1, &["none today", "flake.nix:2:47:"]);
    says(&place.run(&["hosts"]), 1, &["none today"]);
    let place = flake("{ nixosConfigurations = [ ]; }");
    all_say(&place, "a", 1, &["expected a set but found a list"]);
}

#[test]
fn a_host_that_is_not_there_is_named_with_those_that_are() {
    let place = hosts(&[("grief", "\"24.05\""), ("guppy", "\"24.05\"")]);
    all_say(&place, "greif", 2, &["did you mean grief?", "(it has grief, guppy)"]);
    // The same once the names are remembered.
    all_say(&place, "greif", 2, &["did you mean grief?", "(it has grief, guppy)"]);
    let none = flake("{ nixosConfigurations = { }; }");
    all_say(&none, "a", 2, &["it has none at all"]);
    assert_eq!(none.run(&["facts", "--all", "--json"]).text().trim(), "[]");
}

#[test]
fn what_fails_in_a_host_is_told_with_place_and_option() {
    let option = "builtins.addErrorContext \"while evaluating the option `system.stateVersion':\" \
                  (throw \"undecided\")";
    let cases: &[(&str, &[&str])] = &[
        (
            option,
            &[
                "undecided",
                "while evaluating the option `system.stateVersion':",
                "while reading the facts of the host a",
            ],
        ),
        ("{ x = 1; }.y", &["attribute 'y' missing", "Did you mean x?"]),
        ("let f = n: 1 + f (n + 1); in f 0", &["stack overflow; max-call-depth exceeded"]),
        ("let v = v; in v", &["infinite recursion encountered"]),
        ("builtins.readFile ./none", &["none' does not exist"]),
        ("builtins.readFile /etc/hostname", &["forbidden in pure evaluation mode", "hint: "]),
        (
            "builtins.readFile /nix/store/00000000000000000000000000000000-gone",
            &["00000000000000000000000000000000-gone"],
        ),
        ("builtins.fetchurl \"http://127.0.0.1:9/x\"", &["requires a 'sha256' argument"]),
        ("builtins.getFlake \"nixpkgs\"", &["cannot call 'getFlake' on unlocked"]),
    ];
    for (version, parts) in cases {
        let place = hosts(&[("a", version)]);
        let parts: Vec<&str> = parts.iter().copied().chain(["flake.nix:"]).collect();
        all_say(&place, "a", 1, &parts);
    }
}

#[test]
fn a_value_of_the_wrong_shape_is_named_by_its_option() {
    let place = hosts(&[("a", "5"), ("b", "\"24.05\"")]);
    let said = "nixosConfigurations.a.config.system.stateVersion must be a string";
    all_say(&place, "a", 1, &[said]);
    let all = place.run(&["facts", "--all"]);
    says(&all, 1, &[said]);
    assert!(all.text().contains("24.05"));
}

/// A fetch that the network does not answer is the real nix' failure, in its words.
#[test]
fn a_host_that_needs_the_network_is_told() {
    if !crate::evaluators::is_there("nix") {
        return;
    }
    let url = "builtins.fetchurl { url = \"http://127.0.0.1:9/x\"; \
               sha256 = \"0000000000000000000000000000000000000000000000000000\"; }";
    let place = hosts(&[("a", url), ("b", "\"24.05\"")]);
    all_say(&place, "a", 1, &["http://127.0.0.1:9/x", "hint: "]);
    assert!(place.run(&["facts", "--all"]).text().contains("24.05"));
}

#[test]
fn hosts_that_fail_leave_the_others_told() {
    let place =
        hosts(&[("a", "\"1\""), ("b", "throw \"first\""), ("c", "\"3\""), ("d", "abort \"x\"")]);
    let all = place.run(&["facts", "--all", "--json"]);
    says(&all, 1, &["b: the flake could not be evaluated", "first", "d: the flake"]);
    let all: Value = serde_json::from_slice(&all.stdout).unwrap();
    let names: Vec<&str> =
        all.as_array().unwrap().iter().map(|host| host["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a", "c", "b", "d"]);
    assert_eq!(all[1]["stateVersion"], "3");
    assert!(all[2]["error"].as_str().unwrap().contains("first") && all[2]["hints"].is_array());
    // Once more: what was read is remembered, and what failed fails again.
    says(&place.run(&["facts", "--all"]), 1, &["first"]);
    says(&place.run(&["facts", "a"]), 0, &[]);

    let place = flake(
        "{ nixosConfigurations = { good = { options = { }; config.nixpkgs.system = \"x\"; }; bad = throw \"no\"; }; }",
    );
    let list = place.run(&["hosts"]);
    says(&list, 1, &["bad: the flake could not be evaluated", "no"]);
    assert_eq!(list.text().trim(), "good  x");
}

#[test]
fn an_error_says_where_the_file_is_that_one_can_edit() {
    let place = Place::new();
    place
        .write("flake.nix", "{ outputs = { self }: { nixosConfigurations.a = import ./a.nix; }; }");
    place.write("a.nix", "{ a = ; }");
    let file = format!("at {}:1:7:", place.path("flake/a.nix").display());
    says(&place.run(&["facts", "a"]), 1, &["syntax error", &file]);
    place.commit();
    says(&place.run(&["facts", "a"]), 1, &["syntax error", &file]);

    let attribute = "while evaluating the flake's attribute 'nixosConfigurations'";
    says(
        &flake("{ nixosConfigurations = 3; }").run(&["hosts"]),
        1,
        &["found an integer", attribute],
    );
    let place = flake("{ nixosConfigurations = { a = 3; b = { }; }; }");
    for host in ["a", "b"] {
        says(&place.run(&["facts", host]), 1, &["nixpkgs.lib.nixosSystem gives"]);
    }
}

#[test]
fn a_flake_without_any_host_says_so() {
    let place = flake("{ nixosConfigurations = { }; }");
    let list = place.run(&["hosts", "--json"]);
    says(&list, 0, &["the flake has no hosts"]);
    assert_eq!(list.text().trim(), "[]");
    says(&place.run(&["facts", "--all"]), 0, &["the flake has no hosts"]);
}

#[test]
fn a_host_is_no_part_of_the_reference() {
    let place = hosts(&[("a", "\"1\"")]);
    let reference = format!("{}#a", place.path("flake").display());
    says(&place.run(&["hosts", "--flake", &reference]), 2, &["#a is too much"]);
    says(&place.run(&["hosts", "--flake", ""]), 2, &["--flake", "it is empty"]);
    says(&place.run(&["hosts", "--flake", "path:/x?foo=bar"]), 2, &["unsupported parameter 'foo'"]);
}

#[test]
fn ctrl_c_ends_what_waits_for_nix() {
    let place = Place::new();
    let text =
        "{ inputs.x.url = \"github:o/r\"; outputs = { self, x }: { nixosConfigurations.a = x; }; }";
    place.write("flake.nix", text);
    let (programs, started) = (place.path("programs"), place.path("started"));
    std::fs::create_dir(&programs).unwrap();
    let nix = format!("#!/bin/sh\ntouch '{}'\nexec sleep 100\n", started.display());
    std::fs::write(programs.join("nix"), nix).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(programs.join("nix"), mode).unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let in_flake = place.path("flake");
    for (words, signal) in [
        (&["facts", "a", "--flake", "github:o/r"][..], Signal::INT),
        (&["hosts", "--override-input", "x", "github:o/r"], Signal::TERM),
        (&["hosts", "--evaluator", "nix"], Signal::INT),
        (&["iso", "--flake", "github:o/r"], Signal::HUP),
        (&["eval", "github:o/r#x"], Signal::HUP),
    ] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_nixos-bootstrap"));
        command
            .args(words)
            .current_dir(&in_flake)
            .env("PATH", &path)
            .env("HOME", place.path("home"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        while !started.exists() {
            std::thread::sleep(Duration::from_millis(20));
        }
        std::fs::remove_file(&started).unwrap();
        kill_process(Pid::from_child(&child), signal).unwrap();
        let outcome: Outcome = child.wait_with_output().unwrap().into();
        says(&outcome, 3, &[]);
        let last = outcome.stderr.lines().last();
        assert_eq!(last, Some("error: interrupted by the user"), "{words:?}: {}", outcome.stderr);
    }
}

#[test]
fn ctrl_c_ends_an_evaluation_without_end() {
    let fib = "let fib = n: if n < 2 then n else fib (n - 1) + fib (n - 2); in fib 80";
    let place = hosts(&[("a", fib)]);
    for (words, signal) in [
        (&["facts", "a"][..], Signal::INT),
        (&["facts", "--all"], Signal::TERM),
        (&["plan", "a", "-d", "127.0.0.1"], Signal::INT),
    ] {
        let child = place.start(words);
        // Long enough to be evaluating; a signal before that would end it as well.
        std::thread::sleep(Duration::from_millis(700));
        kill_process(Pid::from_child(&child), signal).unwrap();
        let outcome: Outcome = child.wait_with_output().unwrap().into();
        assert_eq!(outcome.code, Some(3), "{words:?}: {}", outcome.stderr);
    }
}
