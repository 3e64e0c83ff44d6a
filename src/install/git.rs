//! The `git` program on a repo of the user's. Paths are taken literally, never as patterns.

use std::path::{Path, PathBuf};

use super::context::{Context, Failure};
use crate::process::{self, Command, Output};

/// A folder inside a git work tree.
pub(super) struct Repo {
    dir: PathBuf,
}

impl Repo {
    /// The repo around `dir`; paths are relative to it.
    pub(super) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Its folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// `git WORDS…` there, never asking on a terminal.
    pub(super) fn command(&self, words: &[&str]) -> Command {
        Command::new("git")
            .arg("--literal-pathspecs")
            .arg("-C")
            .arg(self.dir.as_os_str())
            .args(words.iter().copied())
            .env("GIT_TERMINAL_PROMPT", "0")
            // A run that a git hook has started must not work on that hook's repo.
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE")
    }

    async fn run(&self, cx: &Context<'_>, words: &[&str]) -> Result<Output, process::Error> {
        cx.world.runner.run_within(&self.command(words), cx.world.limits.command).await
    }

    /// Is it one?
    pub(super) async fn is_work_tree(&self, cx: &Context<'_>) -> Result<bool, Failure> {
        let output = self.run(cx, &["rev-parse", "--is-inside-work-tree"]).await?;
        Ok(output.ok() && output.text() == "true")
    }

    /// The branch that is checked out; `None` where no branch is.
    pub(super) async fn branch(&self, cx: &Context<'_>) -> Result<Option<String>, Failure> {
        let output = self.run(cx, &["symbolic-ref", "--quiet", "--short", "HEAD"]).await?;
        Ok(output.ok().then(|| output.text()))
    }

    /// The branch that the remote `origin` gives to those who ask for none, as far as it is known here.
    pub(super) async fn main_branch(&self, cx: &Context<'_>) -> Result<Option<String>, Failure> {
        let words = ["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"];
        let output = self.run(cx, &words).await?;
        let name = output.text();
        Ok(output.ok().then(|| name.trim_start_matches("origin/").to_owned()))
    }

    /// The last commit.
    pub(super) async fn head(&self, cx: &Context<'_>) -> Result<String, Failure> {
        let words = ["rev-parse", "HEAD"];
        Ok(self.run(cx, &words).await?.success(&self.command(&words))?.text())
    }

    /// Is the last commit in the history of `commit`?
    pub(super) async fn head_is_in(&self, cx: &Context<'_>, commit: &str) -> Result<bool, Failure> {
        Ok(self.run(cx, &["merge-base", "--is-ancestor", "HEAD", commit]).await?.ok())
    }

    /// Makes git know files that are new: a flake sees only what git knows.
    pub(super) async fn make_known(&self, cx: &Context<'_>, file: &str) -> Result<(), Failure> {
        if self.knows(cx, file).await? {
            return Ok(());
        }
        cx.local(&self.command(&["add", "--intent-to-add", "--", file])).await.map(drop)
    }

    /// Does git know `file`?
    pub(super) async fn knows(&self, cx: &Context<'_>, file: &str) -> Result<bool, Failure> {
        Ok(self.run(cx, &["ls-files", "--error-unmatch", "--", file]).await?.ok())
    }

    /// What the last commit has of `file`; `None` where it has nothing.
    pub(super) async fn committed(
        &self,
        cx: &Context<'_>,
        file: &str,
    ) -> Result<Option<Vec<u8>>, Failure> {
        // Without "./" it would be a path from the top of the repo.
        let output = self.run(cx, &["show", &format!("HEAD:./{file}")]).await?;
        Ok(output.ok().then_some(output.stdout))
    }

    /// Those of `files` that differ from the last commit.
    pub(super) async fn changed(
        &self,
        cx: &Context<'_>,
        files: &[&str],
    ) -> Result<Vec<String>, Failure> {
        let mut changed = Vec::new();
        for file in files {
            let words = ["status", "--porcelain", "--untracked-files=all", "--", file];
            let output = self.run(cx, &words).await?.success(&self.command(&words))?;
            if !output.text().is_empty() {
                changed.push((*file).to_owned());
            }
        }
        Ok(changed)
    }
}
