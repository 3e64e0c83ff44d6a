//! `hardware` and `commit` with a real git repo and the real Nix parser.

use super::of;
use crate::install::context::{Done, Failure};
use crate::install::engine::context;
use crate::install::phase::Phase;
use crate::install::preflight::{Prepared, Purpose, prepare};
use crate::install::testing::{Stage, sh};

const FILE: &str = "hosts/grief/hardware-configuration.nix";
const HARDWARE: &str = "{ lib, ... }: { boot.initrd.availableKernelModules = [ \"ahci\" ]; }\n";

struct Case {
    stage: Stage,
}

impl Case {
    fn new() -> Self {
        let stage = Stage::new();
        let git = "git init -q -b main . && git config user.name T && git config user.email t@t";
        let flake = stage.path("flake");
        sh(&flake, git);
        sh(
            &flake,
            "mkdir -p hosts/grief && echo '{}' >flake.nix && echo a >other && echo b >third",
        );
        sh(&flake, "git add . && git commit -qm first");
        stage.machine.put("nixos-generate-config", HARDWARE.as_bytes());
        Self { stage }
    }

    fn git(&self, script: &str) -> String {
        sh(&self.stage.path("flake"), script)
    }

    async fn prepared(&self, push: bool) -> Prepared {
        let mut options = self.stage.options();
        options.push = push;
        prepare(&self.stage.world(), &options, Purpose::Show).await.unwrap()
    }

    /// Runs both phases, or the first until it fails.
    async fn run(&self, push: bool) -> Result<Vec<Done>, Failure> {
        let prepared = self.prepared(push).await;
        let mut cx = context(&prepared);
        let mut done = Vec::new();
        for phase in [Phase::Hardware, Phase::Commit] {
            cx.phase = phase;
            done.push(of(phase).unwrap().run(&mut cx).await?);
        }
        Ok(done)
    }
}

#[tokio::test]
async fn only_the_hardware_file_is_committed() {
    let case = Case::new();
    case.git("echo staged >other && git add other && echo unstaged >third && echo new >untracked");
    let done = case.run(false).await.unwrap();
    assert!(done[1].summary.contains("committed as"), "{done:?}");
    assert_eq!(case.git("git show --name-only --format= HEAD").trim(), FILE);
    assert_eq!(case.git(&format!("cat {FILE}")), HARDWARE);
    assert_eq!(case.git("git status --porcelain"), "M  other\n M third\n?? untracked\n");

    let again = case.run(false).await.unwrap();
    assert!(again[0].summary.contains("as it was"), "{again:?}");
    assert!(again[1].summary.contains("nothing to commit"), "{again:?}");
}

#[tokio::test]
async fn what_does_not_parse_is_not_written() {
    let case = Case::new();
    for bad in ["{ boot = [ ; }", "", "  \n"] {
        case.stage.machine.put("nixos-generate-config", bad.as_bytes());
        let failure = case.run(false).await.unwrap_err();
        assert!(failure.error.contains("not sound"), "{failure:?}");
        assert_eq!(case.git("git status --porcelain"), "");
    }
}

#[tokio::test]
async fn a_hook_that_refuses_stops_the_commit_and_is_shown() {
    let case = Case::new();
    case.git(
        "printf '#!/bin/sh\\necho the hook says no >&2\\nexit 1\\n' >.git/hooks/pre-commit && \
         chmod +x .git/hooks/pre-commit",
    );
    let failure = case.run(false).await.unwrap_err();
    assert!(failure.error.contains("the hook says no"), "{failure:?}");
    assert_eq!(case.git("git log --oneline | wc -l").trim(), "1");
}

#[tokio::test]
async fn a_rejected_push_is_told_with_the_command_and_the_commit_stays() {
    let case = Case::new();
    case.git("git init -q --bare ../far.git && git remote add origin ../far.git");
    case.git("git push -qu origin main && git clone -q ../far.git ../elsewhere -b main");
    case.git(
        "cd ../elsewhere && git -c user.name=T -c user.email=t@t commit -q --allow-empty -m theirs \
         && git push -q",
    );
    let failure = case.run(true).await.unwrap_err();
    assert!(failure.hints.iter().any(|hint| hint.contains("git -C")), "{failure:?}");
    assert_eq!(case.git("git show --name-only --format= HEAD").trim(), FILE);
    case.git("git pull -q --rebase");
    let done = case.run(true).await.unwrap();
    assert!(done[1].summary.contains("pushed"), "{done:?}");
    assert_eq!(case.git("git rev-parse HEAD"), case.git("git -C ../far.git rev-parse main"));
}
