//! The command line as a user types it.

use assert_cmd::Command;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::{contains, is_match};

fn tool() -> Command {
    let mut command = Command::cargo_bin("nixos-bootstrap").unwrap();
    command.env_remove("NO_COLOR").env("LC_ALL", "C.UTF-8");
    command
}

#[test]
fn without_arguments_there_is_help_and_exit_code_2() {
    tool().assert().code(2).stderr(contains("Usage: nixos-bootstrap").and(contains("Example")));
    tool().arg("--help").assert().code(0).stdout(contains("bootstrap").and(contains("Exit codes")));
    tool().arg("--version").assert().code(0).stdout(contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_host_name_with_a_shell_command_is_refused_before_anything_runs() {
    for words in [["bootstrap", "grief; rm -rf /"], ["plan", "$(id)"], ["facts", "-x"]] {
        let mut command = tool();
        // No program at all can be found, so that nothing could have run.
        command.args(words).env("PATH", "");
        command.assert().code(2).stdout("");
    }
    tool()
        .args(["bootstrap", "grief; rm -rf /"])
        .assert()
        .code(2)
        .stderr(contains("\"grief; rm -rf /\" is not a valid host name"));
}

#[test]
fn without_a_terminal_a_missing_host_is_wrong_usage() {
    tool().arg("bootstrap").assert().code(2).stderr(contains("no host was named"));
}

#[test]
fn hints_name_the_program_by_its_path_where_a_shell_does_not_find_it() {
    let own = std::path::PathBuf::from(env!("CARGO_BIN_EXE_nixos-bootstrap"));
    let hint =
        |own: &str| contains(format!("say which: {own} bootstrap HOST; `{own} hosts` lists"));
    let mut command = tool();
    command.arg("bootstrap").env("PATH", "/nonexistent");
    command.assert().code(2).stderr(hint(own.to_str().unwrap()));
    command.env("PATH", own.parent().unwrap()).assert().code(2).stderr(hint("nixos-bootstrap"));
}

#[test]
fn the_article_s_flags_are_understood() {
    let dir = tempfile::tempdir().unwrap();
    // They parse; the run then ends because the folder holds no flake.
    tool()
        .current_dir(&dir)
        .args(["bootstrap", "-n", "grief", "-d", "127.0.0.1", "-k", "/k", "-u", "ta"])
        .args(["--port", "2222", "--impermanence", "--debug"])
        .env("XDG_STATE_HOME", dir.path())
        .assert()
        .code(2)
        .stderr(contains("no flake").or(contains("there is no flake")));
}

#[test]
fn one_target_for_several_hosts_is_wrong_usage() {
    tool()
        .args(["bootstrap", "grief", "guppy", "-d", "127.0.0.1"])
        .assert()
        .code(2)
        .stderr(contains("for one host only"));
}

#[test]
fn a_host_that_is_named_twice_is_wrong_usage() {
    let mut command = tool();
    command.args(["bootstrap", "grief", "guppy", "grief", "--yes"]).env("PATH", "");
    command.assert().code(2).stderr(contains("the host grief is named twice"));
}

#[test]
fn errors_do_not_need_somebody_who_reads_them() {
    let binary = assert_cmd::cargo::cargo_bin("nixos-bootstrap");
    let script =
        format!("'{}' facts grief --json --flake / >/dev/full 2>/dev/full", binary.display());
    let status = std::process::Command::new("sh").args(["-c", &script]).status().unwrap();
    // 101 would be a panic.
    assert_ne!(status.code(), Some(101));
}

#[test]
fn a_missing_flake_is_named_and_json_errors_are_json() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = tool();
    command.current_dir(&dir).args(["facts", "grief", "--json"]);
    let output = command.assert().code(2).get_output().clone();
    let error: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(error["event"], "error");
    assert_eq!(error["kind"], "usage");
    assert!(error["hints"][0].as_str().unwrap().contains("--flake"), "{error}");
}

#[test]
fn words_that_are_no_command_line_are_told_in_json() {
    for (words, error, hint) in [
        (
            "facts --json --nosuch",
            "unexpected argument '--nosuch' found",
            "Usage: nixos-bootstrap facts",
        ),
        ("bootstrap --json --flake x#y", "#y is too much", "For more information, try '--help'."),
        (
            "plan --jsn --json grief",
            "unexpected argument '--jsn' found",
            "a similar argument exists: '--json'",
        ),
        ("secrets check --json", "", "Usage: nixos-bootstrap secrets check"),
    ] {
        let output = tool().args(words.split(' ')).assert().code(2).get_output().clone();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("error: ") && said.contains(error), "{words}: {said}");
        let line: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&line["event"], &line["kind"]), (&"error".into(), &"usage".into()), "{line}");
        let told = line["error"].as_str().unwrap();
        assert!(told.contains(error) && !told.starts_with("error"), "{line}");
        let hints = line["hints"].as_array().unwrap();
        assert!(hints.iter().any(|told| told.as_str().unwrap().starts_with(hint)), "{line}");
    }
    // The value alone is JSON there, and a person has asked for none here.
    for words in [["eval", "--json", "--nosuch"], ["facts", "--nosuch", "x"]] {
        tool().args(words).assert().code(2).stdout("");
    }
    tool().args(["facts", "--json", "--help"]).assert().code(0).stdout(contains("Usage"));
}

#[test]
fn no_colour_reaches_a_pipe() {
    let output = tool().args(["bootstrap", "a b"]).assert().code(2).get_output().clone();
    assert!(!output.stderr.contains(&0x1b), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn completions_exist_for_every_shell_and_know_the_subcommands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let line = contains("bootstrap").and(contains("override-input"));
        tool().args(["completions", shell]).assert().code(0).stdout(line);
    }
}

#[test]
fn manual_pages_are_printed_and_written() {
    tool().arg("man").assert().code(0).stdout(is_match(r"\.TH nixos-bootstrap 1").unwrap());
    let page = contains("nixos\\-bootstrap\\-plan").or(contains("nixos-bootstrap-plan"));
    tool().args(["man", "plan"]).assert().code(0).stdout(page);
    // As it is typed.
    tool().args(["man", "plan"]).assert().stdout(contains("nixos\\-bootstrap plan\\fR ["));
    tool().args(["man", "nothing"]).assert().code(2).stderr(contains("the subcommands are"));
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("man1");
    tool().args(["man", "--dir"]).arg(&folder).assert().code(0);
    let pages = std::fs::read_dir(&folder).unwrap().map(|page| page.unwrap().path());
    let pages: Vec<_> = pages.collect();
    assert!(pages.contains(&folder.join("nixos-bootstrap.1")));
    // Whatever a page refers to is there.
    for page in &pages {
        let text = std::fs::read_to_string(page).unwrap().replace('\\', "");
        for other in text.lines().filter_map(|line| line.strip_suffix("(1)")) {
            assert!(folder.join(format!("{other}.1")).is_file(), "{other} in {}", page.display());
        }
    }
    let page = contains("nixos\\-bootstrap secrets sops\\-yaml set\\fR [");
    tool().args(["man", "secrets", "sops-yaml", "set"]).assert().code(0).stdout(page);
    let page =
        std::fs::read_to_string(folder.join("nixos-bootstrap-secrets-sops-yaml-set.1")).unwrap();
    assert!(page.contains("path_regex"), "{page}");
    tool().args(["man", "plan", "x"]).assert().code(2).stderr(contains("has no subcommands"));
}

#[test]
fn a_full_disk_is_an_error_of_whatever_is_printed() {
    for words in [&["--help"][..], &["man"], &["completions", "bash"], &["eval", "--expr", "1"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let binary = assert_cmd::cargo::cargo_bin("nixos-bootstrap");
        let output = std::process::Command::new(binary).args(words).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("could not write to standard output"), "{words:?}: {said}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let binary = assert_cmd::cargo::cargo_bin("nixos-bootstrap");
    let script = format!(
        "'{}' completions bash | head -c 10 >/dev/null; echo ${{PIPESTATUS[0]}}",
        binary.display()
    );
    let output = std::process::Command::new("bash").arg("-c").arg(script).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "0");
}

#[test]
fn doctor_lists_what_is_missing() {
    let output =
        tool().args(["doctor", "--json"]).env("PATH", "").assert().code(1).get_output().clone();
    let checks: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |name: &str| {
        checks.as_array().unwrap().iter().find(|check| check["name"] == name).unwrap().clone()
    };
    assert_eq!(of("nix")["state"], "missing");
    assert_eq!(of("rsync")["state"], "optional");
    assert!(of("git")["advice"].as_str().unwrap().contains("apt install git"));
}
