//! A plan that must not be carried out, as the command line tells it: the machine is this one, over a real sshd.

use std::process::Command;

use serde_json::Value;

use crate::sshd::{Sshd, user};

/// A host without a disk that could be erased.
const FLAKE: &str = r#"{
  outputs = { self }: {
    nixosConfigurations.grief = {
      config = {
        networking.hostName = "grief";
        nixpkgs.hostPlatform = "riscv64-linux";
        system.build = { };
      };
      options = { };
    };
  };
}
"#;

/// Exit code, standard output and standard error.
fn run(sshd: &Sshd, words: &[&str]) -> (Option<i32>, String, String) {
    run_in(sshd, "C.UTF-8", words)
}

fn run_in(sshd: &Sshd, locale: &str, words: &[&str]) -> (Option<i32>, String, String) {
    std::fs::create_dir_all(sshd.path("flake")).unwrap();
    std::fs::write(sshd.path("flake/flake.nix"), FLAKE).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_nixos-bootstrap"));
    command.args(words).arg("--flake").arg(sshd.path("flake"));
    command.arg("--target").arg(format!("{}@127.0.0.1:{}", user(), sshd.port));
    command.arg("--identity").arg(sshd.path("id")).args(["--host-key", sshd.host_key.public()]);
    command.env("HOME", sshd.path("home")).env("LC_ALL", locale);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

const REASON: &str = "grief is configured for riscv64-linux";
const HINT: &str = "→ set nixpkgs.hostPlatform";

#[test]
fn the_reasons_are_shown_once_where_the_command_ends() {
    let sshd = Sshd::start();
    let (code, plan, said) = run(&sshd, &["bootstrap", "grief", "--yes"]);
    assert_eq!(code, Some(4), "{said}");
    assert!(plan.starts_with("grief  on ") && !plan.contains(REASON), "{plan}");
    assert_eq!(said.matches(REASON).count(), 1, "{said}");
    let (_, reasons) = said.split_once("error: nothing was changed; ").unwrap();
    assert!(reasons.contains(REASON) && reasons.contains(HINT), "{said}");

    let (code, plan, said) = run(&sshd, &["plan", "grief"]);
    assert_eq!(code, Some(4), "{said}");
    let (_, reasons) = plan.split_once("This plan must not be carried out:").unwrap();
    assert!(reasons.contains(REASON) && reasons.contains(HINT), "{plan}");
    assert!(!said.contains(REASON), "{said}");
}

#[test]
fn programs_get_the_reasons_in_the_plan_and_in_the_error() {
    let sshd = Sshd::start();
    let (code, events, _) = run(&sshd, &["bootstrap", "grief", "--yes", "--json"]);
    assert_eq!(code, Some(4), "{events}");
    let events: Vec<Value> =
        events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let planned = events.iter().find(|event| event["event"] == "planned").unwrap();
    let reason = planned["plan"]["refusals"][0]["reason"].as_str().unwrap();
    assert!(reason.starts_with(REASON), "{reason}");
    let error = events.last().unwrap();
    assert_eq!((&error["event"], &error["kind"]), (&"error".into(), &"changed".into()));
    assert!(error["error"].as_str().unwrap().contains(reason), "{error}");
}

#[test]
fn without_utf_8_no_mark_is_beyond_ascii() {
    let sshd = Sshd::start();
    let (_, plan, said) = run_in(&sshd, "C", &["bootstrap", "grief", "--yes"]);
    assert!(said.contains("[preflight] ...\n") && said.contains("\n  x grief is"), "{said}");
    assert!(said.is_ascii() && plan.is_ascii(), "{said}\n{plan}");
    let (_, _, said) = run(&sshd, &["bootstrap", "grief", "--yes"]);
    assert!(said.contains("[preflight] …\n") && said.contains("\n  ✗ grief is"), "{said}");
}
