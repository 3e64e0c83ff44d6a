//! Stores that fail, and sources that do not stay as they were: an error that says what, and nothing
//! half-registered.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use super::{OURS, Store, done, text};

/// A program that copies `./src` and a text.
const PROGRAM: &str = r#"
    let dep = derivation { name = "dep"; system = "s"; builder = "b"; text = builtins.toFile "t" "x"; };
    in derivation { name = "top"; system = "s"; builder = "b"; inherit dep; src = ./src; }"#;

fn sources() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("src")).unwrap();
    std::fs::write(dir.path().join("src/file"), "contents").unwrap();
    dir
}

/// Puts a program `nix` in front of the real one.
fn with_nix(store: &Store, command: &mut Command, script: &str) {
    let bin = store.path().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let real = done(Command::new("sh").args(["-c", "command -v nix"]));
    let script = format!("#!/bin/sh\nreal='{}'\n{script}\n", text(&real.stdout).trim());
    std::fs::write(bin.join("nix"), script).unwrap();
    std::fs::set_permissions(bin.join("nix"), PermissionsExt::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{}:{path}", bin.display()));
}

fn instantiate(store: &Store, dir: &Path) -> Command {
    let mut command = store.rooted(OURS);
    command.args(["eval", "--instantiate", "-E", PROGRAM]).current_dir(dir);
    command
}

/// It fails with these words, and what was said is no more than that.
fn fails(output: &Output, words: &[&str]) {
    let said = text(&output.stderr);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()), "{said}");
    for word in words {
        assert!(said.contains(word), "no {word:?} in {said}");
    }
    assert!(said.contains("error: ") && !said.contains("panicked"), "{said}");
}

#[test]
fn a_store_that_can_t_be_opened_is_told_in_nix_words() {
    let Some(store) = Store::new() else { return };
    let dir = sources();
    std::fs::write(store.path().join("root"), "a file").unwrap();
    let output = instantiate(&store, dir.path()).output().unwrap();
    fails(&output, &["the store can't be opened", "Not a directory"]);
}

#[test]
fn what_answers_instead_of_a_store_is_told() {
    let Some(store) = Store::new() else { return };
    let dir = sources();
    for (script, words) in [
        ("echo hello there, who are you", "does not speak the protocol"),
        // The answer of a store, with version 2.0 of the protocol.
        (r"printf 'oixd\0\0\0\0\0\002\0\0\0\0\0\0'; sleep 1", "version 2.0"),
        (r"printf 'oixd\0\0\0\0\024\001\0\0\0\0\0\0'; sleep 1", "version 1.20"),
        ("exit 3", "ended in the middle"),
        ("echo 'error: no such subcommand' >&2; exit 1", "no such subcommand"),
        // Nix says so of itself where its input is hung up, if it comes to it.
        ("echo 'error: interrupted by the user' >&2; exit 1", "ended in the middle"),
    ] {
        let mut command = instantiate(&store, dir.path());
        with_nix(&store, &mut command, script);
        fails(&command.output().unwrap(), &[words]);
    }
}

#[test]
fn a_full_disk_is_told() {
    let Some(store) = Store::new() else { return };
    let dir = sources();
    std::fs::write(dir.path().join("src/large"), vec![b'x'; 48 << 20]).unwrap();
    let root = store.path().join("root");
    std::fs::create_dir(&root).unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"])
        .arg(&root)
        .status()
        .is_ok_and(|status| status.success());
    if !mounted {
        return;
    }
    let output = instantiate(&store, dir.path()).output();
    let unmounted = Command::new("umount").arg(&root).status();
    // Nix' database alone may fill it, in another version of Nix.
    let output = output.unwrap();
    fails(&output, &[]);
    let said = text(&output.stderr);
    assert!(said.contains("No space left on device") || said.contains("is full"), "{said}");
    assert!(unmounted.unwrap().success());
}

#[test]
fn a_source_that_changes_meanwhile_is_named() {
    let Some(store) = Store::new() else { return };
    // The store is slow to start: meanwhile the source is another one.
    for (change, words) in [
        ("echo other >src/file", "src has changed during the evaluation"),
        ("echo much longer than before >src/file", "has changed during the evaluation"),
        ("rm src/file", "has changed during the evaluation"),
        ("rm -r src", "/src can't be copied to the store: No such file or directory"),
        ("rm src/file; mkfifo src/file", "src/file can't be copied to the store"),
    ] {
        let dir = sources();
        let mut command = instantiate(&store, dir.path());
        with_nix(&store, &mut command, &format!("{change}\nexec $real \"$@\""));
        fails(&command.output().unwrap(), &[words]);
        let names: Vec<_> = store.contents().keys().cloned().collect();
        assert!(
            !names.iter().any(|path| path.ends_with("-src") || path.contains("-top")),
            "{names:?}"
        );
        store.verify();
    }
    done(&mut instantiate(&store, sources().path()));
}

#[test]
fn what_nobody_has_made_is_named() {
    let Some(store) = Store::new() else { return };
    let none = "/nix/store/ffffffffffffffffffffffffffffffff-none";
    let program = format!(
        r#"derivation {{ name = "top"; system = "s"; builder = "b";
             a = builtins.appendContext "x" {{ "{none}".path = true; }}; }}"#
    );
    let mut command = store.rooted(OURS);
    let output = command.args(["eval", "--instantiate", "-E", &program]).output().unwrap();
    fails(&output, &[none, "is not valid", "-top.drv refers to it"]);
}

/// Large files go through, piece by piece.
#[test]
fn large_files_take_no_memory() {
    let Some(store) = Store::new() else { return };
    let dir = sources();
    let large = std::fs::File::create(dir.path().join("src/large")).unwrap();
    large.set_len(96 << 20).unwrap();
    symlink("large", dir.path().join("src/link")).unwrap();
    let program = r#"derivation { name = "top"; system = "s"; builder = "b"; src = ./src;
        flat = builtins.path { path = ./src/large; recursive = false; }; }"#;
    let mut command = store.rooted(OURS);
    command.args(["eval", "--instantiate", "-E", program]).current_dir(&dir);
    command.stdout(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut most = 0;
    let status = loop {
        let about = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
        let line = about.unwrap_or_default();
        let line = line.lines().find_map(|line| line.strip_prefix("VmHWM:")).map(str::to_owned);
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        most = most.max(kilobytes.unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    assert!(status.success());
    assert!((1..80_000).contains(&most), "{most} KB for files of 96 MB");
    store.verify();
}

#[test]
fn ctrl_c_ends_a_build_that_the_evaluation_waits_for() {
    let Some(store) = Store::new() else { return };
    let started = store.path().join("started");
    let program = format!(
        r#"import (derivation {{ name = "n"; system = builtins.currentSystem; builder = "/bin/sh";
             args = [ "-c" "echo $$ > {}; read line < {}" ]; }})"#,
        started.display(),
        store.path().join("never").display()
    );
    done(Command::new("mkfifo").arg(store.path().join("never")));
    let mut command = store.here(OURS);
    command.args(["eval", "-E", &program]).stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    let builder = loop {
        match std::fs::read_to_string(&started) {
            Ok(line) if line.ends_with('\n') => break line.trim().to_owned(),
            _ => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).ends_with("error: interrupted by the user\n"));
    // The builder is stopped as well; one that nobody has waited for yet counts as gone.
    for _ in 0..500 {
        let stat = std::fs::read_to_string(format!("/proc/{builder}/stat")).unwrap_or_default();
        if stat.is_empty() || stat.contains(") Z") {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("the builder {builder} is still running");
}

/// A daemon that dies after so many bytes of its answers, or that hears no more after so many of what it is told: at
/// the greeting, among the questions, within a source.
#[test]
fn a_daemon_that_dies_in_the_middle_leaves_a_store_to_go_on_with() {
    let dir = sources();
    std::fs::write(dir.path().join("src/large"), vec![b'x'; 4 << 20]).unwrap();
    // The shell that waits must not keep the answers' pipe open.
    let answers = "exec 4<&0; $real \"$@\" <&4 | stdbuf -o0 head -c BYTES & exec >&- 4<&-; wait";
    let orders = "stdbuf -o0 head -c BYTES | $real \"$@\"";
    for (script, cuts) in [
        (answers, &[0, 4, 20, 40, 60, 80][..]),
        (orders, &[4, 40, 400, 700, 1_000, 1 << 20, 3 << 20]),
    ] {
        for bytes in cuts {
            let Some(store) = Store::new() else { return };
            let mut command = instantiate(&store, dir.path());
            with_nix(&store, &mut command, &script.replace("BYTES", &bytes.to_string()));
            let output = command.output().unwrap();
            fails(&output, &[]);
            let said = text(&output.stderr);
            // Our words, or the daemon's, if it had any left.
            let words = ["ended in the middle", "Broken pipe", "end-of-file"];
            assert!(words.iter().any(|word| said.contains(word)), "{script} {bytes}: {said}");
            store.verify();
            let top = text(&done(&mut instantiate(&store, dir.path())).stdout);
            assert!(store.contents().keys().any(|path| path.ends_with(top.trim())), "{top}");
            store.verify();
        }
    }
}
