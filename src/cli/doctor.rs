//! `doctor`: what is missing on this machine for a run, and how to get it.

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use super::error::CliError;
use super::output::{Output, print, print_json};
use super::signals::cancel_reading_on_signals;
use crate::install::private;
use crate::process::{Command, RealRunner, Runner, find_program};
use crate::ui::clean::clean;

/// Check what this machine has and lacks for a run
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  nixos-bootstrap doctor")]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// As it should be.
    Ok,
    /// A run works without it, with less.
    Optional,
    /// A run needs it.
    Missing,
}

/// One check's result.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    state: State,
    /// What was found.
    found: String,
    /// What it is for, or how to get it.
    advice: String,
}

/// A program that runs need.
struct Program {
    name: &'static str,
    version: &'static [&'static str],
    /// The oldest version that is of use.
    oldest: Option<(u32, u32)>,
    needed: bool,
    used_for: &'static str,
    debian: &'static str,
    nixpkgs: &'static str,
}

const PROGRAMS: &[Program] = &[
    Program {
        name: "nix",
        version: &["--version"],
        oldest: None,
        needed: true,
        used_for: "building and copying systems, fetching inputs of flakes",
        debian: "nix-setup-systemd",
        // Its own way is of no use where it is missing.
        nixpkgs: "",
    },
    Program {
        name: "ssh",
        version: &["-V"],
        oldest: None,
        needed: true,
        used_for: "reaching the machine",
        debian: "openssh-client",
        nixpkgs: "openssh",
    },
    Program {
        name: "ssh-keyscan",
        version: &[],
        oldest: None,
        needed: true,
        used_for: "showing the installer's host key",
        debian: "openssh-client",
        nixpkgs: "openssh",
    },
    Program {
        name: "ssh-keygen",
        version: &[],
        oldest: None,
        needed: false,
        used_for: "hosts that want an RSA host key",
        debian: "openssh-client",
        nixpkgs: "openssh",
    },
    Program {
        name: "git",
        version: &["--version"],
        oldest: None,
        needed: true,
        used_for: "flakes in git repositories, the phases hardware and commit",
        debian: "git",
        nixpkgs: "git",
    },
    Program {
        name: "rsync",
        version: &["--version"],
        oldest: None,
        needed: false,
        used_for: "the phase sync (tar is used without it)",
        debian: "rsync",
        nixpkgs: "rsync",
    },
    Program {
        name: "sops",
        version: &["--version", "--disable-version-check"],
        oldest: Some((3, 11)),
        needed: false,
        used_for: "hosts with secrets (3.11 or newer)",
        debian: "",
        nixpkgs: "sops",
    },
    Program {
        name: "nixos-anywhere",
        version: &[],
        oldest: None,
        needed: false,
        used_for: "--engine nixos-anywhere (else run by `nix run`)",
        debian: "",
        nixpkgs: "nixos-anywhere",
    },
];

/// Prints the checks; the exit code is 1 when something needed is missing.
pub(super) async fn run(args: Args, output: &Output) -> Result<ExitCode, CliError> {
    let runner = RealRunner::new(cancel_reading_on_signals()?);
    let mut checks = Vec::new();
    for program in PROGRAMS {
        checks.push(program_check(&runner, program).await?);
    }
    checks.push(flakes_check(&runner).await?);
    checks.push(private_dir_check());
    checks.push(agent_check(&runner).await?);
    let ok = checks.iter().all(|check| check.state != State::Missing);
    if args.json {
        print_json(&checks)?;
    } else {
        print(&table(&checks, output.style.colour))?;
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn program_check(runner: &dyn Runner, program: &Program) -> Result<Check, CliError> {
    let absent = if program.needed { State::Missing } else { State::Optional };
    let Some(path) = find_program(program.name) else {
        let advice = format!("for {}; {}", program.used_for, ways(program));
        return Ok(Check {
            name: program.name,
            state: absent,
            found: "not in PATH".into(),
            advice,
        });
    };
    let mut found = path.display().to_string();
    if !program.version.is_empty() {
        let output = runner.run(&Command::new(&path).args(program.version)).await;
        let output = output.map_err(|error| CliError::failed(error.to_string()))?;
        // ssh -V writes to standard error.
        let text = if output.stdout.is_empty() { output.error_text() } else { output.text() };
        let first = text.lines().next().unwrap_or_default();
        if !output.ok() {
            let advice = format!("it is there but does not run; needed for {}", program.used_for);
            return Ok(Check {
                name: program.name,
                state: absent,
                found: first.to_owned(),
                advice,
            });
        }
        first.clone_into(&mut found);
        if let (Some(oldest), Some(version)) = (program.oldest, version_in(first))
            && version < oldest
        {
            let advice = format!("too old for {}; {}", program.used_for, ways(program));
            return Ok(Check { name: program.name, state: absent, found, advice });
        }
    }
    let advice = String::new();
    Ok(Check { name: program.name, state: State::Ok, found, advice })
}

/// How a program can be had.
fn ways(program: &Program) -> String {
    let debian = if program.debian.is_empty() {
        String::new()
    } else {
        format!("`apt install {}` or ", program.debian)
    };
    let other = if program.nixpkgs.is_empty() {
        "the installer at https://nixos.org/download".to_owned()
    } else {
        format!("`nix shell nixpkgs#{}`", program.nixpkgs)
    };
    debian + &other
}

/// The first two numbers of the first version in a line.
fn version_in(line: &str) -> Option<(u32, u32)> {
    line.split_whitespace().find_map(|word| {
        let mut numbers = word.trim_start_matches('v').split('.');
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    })
}

/// Can nix build at all here? Evaluating needs nothing, building needs a usable store.
async fn flakes_check(runner: &dyn Runner) -> Result<Check, CliError> {
    let name = "nix store";
    if find_program("nix").is_none() {
        let advice = "comes with nix".into();
        return Ok(Check { name, state: State::Missing, found: "no nix".into(), advice });
    }
    let nix = crate::process::nix::Nix::default();
    let output = runner.run(&nix.command(&["store", "info"])).await;
    let output = output.map_err(|error| CliError::failed(error.to_string()))?;
    if output.ok() {
        let found = "it answers, with flakes on".into();
        return Ok(Check { name, state: State::Ok, found, advice: String::new() });
    }
    let found = crate::process::nix::clean_error(&output.error_text());
    let advice = "start the nix daemon, or run as a user who may write /nix".into();
    Ok(Check { name, state: State::Missing, found, advice })
}

/// The first folder that a run would take; the last resort is not in memory.
fn private_dir_check() -> Check {
    let name = "private folder";
    let bases = private::bases();
    let in_memory = bases.split_last().map(|(_, first)| first).unwrap_or_default();
    let writable =
        |dir: &&PathBuf| rustix::fs::access(dir.as_path(), rustix::fs::Access::WRITE_OK).is_ok();
    if let Some(place) = in_memory.iter().find(writable) {
        let found = format!("{} (in memory)", place.display());
        return Check { name, state: State::Ok, found, advice: String::new() };
    }
    Check {
        name,
        state: State::Optional,
        found: "no tmpfs".into(),
        advice: "keys will pass through the disk's temporary folder; mount a tmpfs on /dev/shm"
            .into(),
    }
}

async fn agent_check(runner: &dyn Runner) -> Result<Check, CliError> {
    let name = "ssh agent";
    let check = |state, found: &str, advice: &str| Check {
        name,
        state,
        found: found.to_owned(),
        advice: advice.to_owned(),
    };
    let advice = "only needed for identities with a passphrase and for `--rebuild-on target` with \
                  private repos: `eval $(ssh-agent)`, `ssh-add`";
    if std::env::var_os("SSH_AUTH_SOCK").is_none() || find_program("ssh-add").is_none() {
        return Ok(check(State::Optional, "no agent", advice));
    }
    let output = runner.run(&Command::new("ssh-add").arg("-l")).await;
    let output = output.map_err(|error| CliError::failed(error.to_string()))?;
    // ssh-add(1): 0 there are identities, 1 there are none, 2 no agent answers.
    Ok(match output.code {
        Some(0) => check(State::Ok, &format!("{} identities", output.text().lines().count()), ""),
        Some(1) => check(State::Optional, "an agent without identities", advice),
        _ => check(State::Optional, "SSH_AUTH_SOCK is set but no agent answers", advice),
    })
}

fn table(checks: &[Check], colour: bool) -> String {
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for check in checks {
        let (word, style) = match check.state {
            State::Ok => ("ok      ", console::Style::new().green()),
            State::Optional => ("optional", console::Style::new().yellow()),
            State::Missing => ("MISSING ", console::Style::new().red().bold()),
        };
        let word = style.force_styling(colour).apply_to(word);
        let line = format!("{word}  {:width$}  {}", check.name, clean(&check.found));
        text.push_str(&line);
        if !check.advice.is_empty() {
            text.extend([" - ", &check.advice]);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_missing_program_is_missing_or_optional_and_says_how_to_get_it() {
        let runner = RealRunner::default();
        let program = Program {
            name: "no-such-program-here",
            version: &["--version"],
            oldest: None,
            needed: true,
            used_for: "this test",
            debian: "pkg",
            nixpkgs: "attr",
        };
        let check = program_check(&runner, &program).await.unwrap();
        assert_eq!(check.state, State::Missing);
        assert_eq!(check.advice, "for this test; `apt install pkg` or `nix shell nixpkgs#attr`");
        let optional = Program { needed: false, ..program };
        assert_eq!(program_check(&runner, &optional).await.unwrap().state, State::Optional);
    }

    #[tokio::test]
    async fn a_program_that_is_too_old_is_not_ok() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("old");
        std::fs::write(&file, "#!/bin/sh\necho old 3.9.4 '(latest: 3.13.0)'\n").unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&file, mode).unwrap();
        let program = |oldest| Program {
            name: Box::leak(file.to_str().unwrap().to_owned().into_boxed_str()),
            version: &["--version"],
            oldest,
            needed: false,
            used_for: "this test (3.11 or newer)",
            debian: "",
            nixpkgs: "attr",
        };
        let runner = RealRunner::default();
        let check = program_check(&runner, &program(Some((3, 11)))).await.unwrap();
        assert_eq!(
            (check.state, check.found.as_str()),
            (State::Optional, "old 3.9.4 (latest: 3.13.0)")
        );
        assert!(check.advice.contains("too old") && check.advice.contains("nixpkgs#attr"));
        let check = program_check(&runner, &program(Some((3, 9)))).await.unwrap();
        assert_eq!(check.state, State::Ok);
        assert_eq!(version_in("nix (Nix) 2.34.8"), Some((2, 34)));
        assert_eq!(version_in("no number"), None);
    }

    #[tokio::test]
    async fn a_program_that_fails_to_run_is_not_ok() {
        let program = Program {
            name: "false",
            version: &["--version-of-nothing"],
            oldest: None,
            needed: true,
            used_for: "this test",
            debian: "",
            nixpkgs: "coreutils",
        };
        let check = program_check(&RealRunner::default(), &program).await.unwrap();
        assert_eq!(check.state, State::Missing, "{check:?}");
    }
}
