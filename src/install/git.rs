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

    /// Does git know `file`?
    pub(super) async fn knows(&self, cx: &Context<'_>, file: &str) -> Result<bool, Failure> {
        Ok(self.run(cx, &["ls-files", "--error-unmatch", "--", file]).await?.ok())
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
