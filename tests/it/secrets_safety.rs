//! Where secrets are while the secrets commands run, and that nothing of them is left.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::secrets::{Repo, shared_repo};
use crate::tools::tool;

/// A folder for private directories that only the user can enter.
fn runtime(repo: &Repo) -> std::path::PathBuf {
    let dir = repo.dir.path().join("runtime");
    fs::create_dir(&dir).unwrap();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).unwrap();
    dir
}

/// Puts a sops into `dir` that does `script` first and then what the real one does.
fn wrapped_sops(dir: &Path, script: &str) {
    fs::create_dir_all(dir).unwrap();
    let real = tool("sops");
    let text = format!("#!/bin/sh\n{script}\nexec {} \"$@\"\n", real.display());
    fs::write(dir.join("sops"), text).unwrap();
    fs::set_permissions(dir.join("sops"), fs::Permissions::from_mode(0o755)).unwrap();
}

fn user_key(repo: &Repo, sops: &Path, runtime: &Path) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path =
        std::env::join_paths([sops.to_owned()].into_iter().chain(std::env::split_paths(&path)));
    let mut command = repo.command(env!("CARGO_BIN_EXE_nixos-bootstrap"));
    command
        .args(["secrets", "user-key", "ta", "grief", "--in", "shared.yaml"])
        .env("PATH", path.unwrap())
        .env("XDG_RUNTIME_DIR", runtime)
        .stdin(Stdio::null());
    command
}

#[test]
fn no_secret_is_an_argument_or_in_an_environment_or_in_a_wide_file() {
    let (repo, _) = shared_repo();
    let (runtime, sops) = (runtime(&repo), repo.dir.path().join("bin"));
    let log = repo.dir.path().join("log");
    // What every process of the run looks like from outside, from the tool itself downwards; and every
    // file below its private directory with its mode.
    let script = format!(
        "{{ for pid in $$ $PPID; do tr '\\0' '\\n' </proc/$pid/cmdline; tr '\\0' '\\n' </proc/$pid/environ; \
         done; find {runtime} -mindepth 1 -printf 'mode %m %y %p\\n'; echo \"core $(ulimit -c)\"; }} >>{log}",
        runtime = runtime.display(),
        log = log.display()
    );
    wrapped_sops(&sops, &script);
    let done = user_key(&repo, &sops, &runtime).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let seen = fs::read_to_string(&log).unwrap();
    let place = "[\"user_age_keys\"][\"ta_grief\"]";
    let mut decrypt = repo.command("sops");
    let made =
        decrypt.args(["decrypt", "--extract", place, "shared.yaml"]).output().unwrap().stdout;
    let made = String::from_utf8(made).unwrap();
    assert!(made.starts_with("AGE-SECRET-KEY-1"), "{made}");
    let said = [done.stdout, done.stderr].concat();
    for text in [seen.as_str(), &String::from_utf8_lossy(&said)] {
        assert!(!text.contains("AGE-SECRET-KEY"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
    assert!(seen.contains("--value-stdin"), "sops set did not run: {seen}");
    assert!(seen.lines().filter(|line| line.starts_with("core ")).all(|line| line == "core 0"));
    let modes: Vec<&str> = seen.lines().filter(|line| line.starts_with("mode ")).collect();
    assert!(!modes.is_empty());
    for line in modes {
        let allowed = line.starts_with("mode 700 d ") || line.starts_with("mode 600 f ");
        assert!(allowed, "{line}");
    }
    assert_eq!(fs::read_dir(&runtime).unwrap().count(), 0, "something was left after success");
}

#[test]
fn a_key_in_the_environment_is_for_sops_alone() {
    let (repo, _) = shared_repo();
    let (runtime, bin) = (runtime(&repo), repo.dir.path().join("bin"));
    let log = repo.dir.path().join("log");
    wrapped_sops(&bin, "");
    fs::write(bin.join("git"), format!("#!/bin/sh\nenv >>{}\nexit 128\n", log.display())).unwrap();
    fs::set_permissions(bin.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
    let own = String::from_utf8(repo.own.secret().expose().to_vec()).unwrap();
    fs::remove_file(repo.dir.path().join("home/.config/sops/age/keys.txt")).unwrap();
    let mut command = user_key(&repo, &bin, &runtime);
    let done = command.env("SOPS_AGE_KEY", &own).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let env = fs::read_to_string(&log).unwrap();
    assert!(env.contains("PATH=") && !env.contains("SOPS_AGE_KEY="), "{env}");
}

#[test]
fn nothing_is_left_after_a_failure() {
    let (repo, _) = shared_repo();
    let (runtime, sops) = (runtime(&repo), repo.dir.path().join("bin"));
    wrapped_sops(&sops, "case \"$*\" in *set*--value-stdin*) exit 1 ;; esac");
    let before = (repo.read(".sops.yaml"), repo.read("shared.yaml"));
    let done = user_key(&repo, &sops, &runtime).output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert_eq!(fs::read_dir(&runtime).unwrap().count(), 0);
    assert_eq!((repo.read(".sops.yaml"), repo.read("shared.yaml")), before);
}

#[test]
fn what_another_program_has_written_meanwhile_stays() {
    for name in [".sops.yaml", "shared.yaml"] {
        let (repo, _) = shared_repo();
        let (runtime, sops) = (runtime(&repo), repo.dir.path().join("bin"));
        let file = repo.path(name);
        let edit =
            format!("case \"$*\" in *updatekeys*) echo '# mine' >>{} ;; esac", file.display());
        wrapped_sops(&sops, &edit);
        let before = [".sops.yaml", "shared.yaml"].map(|name| repo.read(name));
        let done = user_key(&repo, &sops, &runtime).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success(), "{said}");
        assert!(said.contains(&format!("{name}: another program has changed it")), "{said}");
        let expected = [".sops.yaml", "shared.yaml"]
            .map(|name| repo.read(name).lines().filter(|line| *line != "# mine").count());
        assert_eq!(expected, before.each_ref().map(|text| text.lines().count()), "{name}");
        assert!(repo.read(name).contains("# mine"), "{name} was overwritten");
    }
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(status.unwrap().success());
}

#[test]
fn nothing_is_left_after_ctrl_c_and_sigterm() {
    for name in ["INT", "TERM"] {
        let (repo, _) = shared_repo();
        let (runtime, sops) = (runtime(&repo), repo.dir.path().join("bin"));
        let there = repo.dir.path().join("there");
        let wait =
            format!("case \"$*\" in *updatekeys*) touch {}; sleep 600 ;; esac", there.display());
        wrapped_sops(&sops, &wait);
        let before = (repo.read(".sops.yaml"), repo.read("shared.yaml"));
        let mut command = user_key(&repo, &sops, &runtime);
        let mut child = command.process_group(0).stderr(Stdio::null()).spawn().unwrap();
        let started = Instant::now();
        while !there.exists() && started.elapsed() < Duration::from_secs(120) {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(there.exists(), "sops updatekeys did not run");
        assert_eq!(fs::read_dir(&runtime).unwrap().count(), 1);
        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(3), "SIG{name}");
        assert_eq!(fs::read_dir(&runtime).unwrap().count(), 0, "SIG{name} left something");
        assert_eq!((repo.read(".sops.yaml"), repo.read("shared.yaml")), before);
    }
}

#[test]
fn a_repo_that_cannot_be_written_is_an_error_and_stays_whole() {
    let (repo, host) = shared_repo();
    // Root may write everywhere: a folder in the place of the file stops root as well.
    let recipient = host.recipient().as_str();
    let set = ["secrets", "sops-yaml", "set", "grief", recipient, "--file", "missing/.sops.yaml"];
    let done = repo.tool(&set);
    assert_eq!(done.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&done.stderr).contains("missing/.sops.yaml"));
    fs::create_dir(repo.path("folder")).unwrap();
    let done = repo.tool(&["secrets", "sops-yaml", "check", "--file", "folder"]);
    assert!(String::from_utf8_lossy(&done.stderr).contains("folder: "), "{done:?}");
}

/// Waits until a file is there.
fn wait_for(file: &Path) {
    let started = Instant::now();
    while !file.exists() && started.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(file.exists(), "{} did not come", file.display());
}

#[test]
fn two_commands_on_one_repo_do_not_meet_and_a_killed_one_blocks_nobody() {
    let (repo, host) = shared_repo();
    let (runtime, sops) = (runtime(&repo), repo.dir.path().join("bin"));
    let there = repo.dir.path().join("there");
    let slow = format!("case \"$*\" in *updatekeys*) touch {}; sleep 600 ;; esac", there.display());
    wrapped_sops(&sops, &slow);
    let mut command = user_key(&repo, &sops, &runtime);
    let mut first = command.process_group(0).stderr(Stdio::null()).spawn().unwrap();
    wait_for(&there);
    let recipient = host.recipient().as_str();
    let set = ["secrets", "sops-yaml", "set", "guppy", recipient, "--rule", "1"];
    for words in [&set[..], &["secrets", "rekey"], &["secrets", "sops-yaml", "remove", "grief"]] {
        let second = repo.tool(words);
        assert_eq!(second.status.code(), Some(1), "{words:?}");
        let said = String::from_utf8_lossy(&second.stderr).into_owned();
        assert!(said.contains("another command is changing the secrets in"), "{said}");
        assert!(said.contains(&format!("process {} of", first.id())), "{said}");
        assert!(said.contains("wait for it to end"), "{said}");
    }
    // Who only looks need not wait.
    let diff = repo.tool(&[&set[..], &["--diff"]].concat());
    assert!(diff.status.success() && !diff.stdout.is_empty(), "{diff:?}");
    assert!(repo.tool(&["secrets", "sops-yaml", "check"]).status.success());
    let group = format!("-{}", first.id());
    assert!(Command::new("kill").args(["-KILL", "--", &group]).status().unwrap().success());
    first.wait().unwrap();
    let next = repo.tool(&set);
    assert!(next.status.success(), "{}", String::from_utf8_lossy(&next.stderr));
}

#[test]
fn a_read_only_repo_is_an_error_that_names_the_file_and_stays_as_it_was() {
    let (repo, host) = shared_repo();
    let (recipient, before) = (host.recipient().as_str(), repo.read(".sops.yaml"));
    // Root may write whatever its mode: mounted read-only, in a namespace of its own, it is so for root as well.
    let tool = |words: &str| {
        let script = format!(
            "mount --bind . . && mount -o remount,bind,ro . && cd \"$PWD\" && exec {} {words}",
            env!("CARGO_BIN_EXE_nixos-bootstrap")
        );
        let mut command = repo.command("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-euc", &script]).output().unwrap()
    };
    let done = tool(&format!("secrets sops-yaml set guppy {recipient} --rule 1"));
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(said.contains(".sops.yaml: ") && said.contains("Read-only"), "{said}");
    assert_eq!(repo.read(".sops.yaml"), before);
    let done = repo.tool(&["secrets", "sops-yaml", "set", "grief", recipient, "--rule", "1"]);
    assert!(done.status.success());
    let shared = repo.read("shared.yaml");
    let done = tool("secrets rekey");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(said.contains("shared.yaml: ") && said.contains("Read-only"), "{said}");
    assert_eq!(repo.read("shared.yaml"), shared);
}
