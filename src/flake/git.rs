//! What the program `git` says of a repository. Nothing here is specific to flakes.

use super::error::{FlakeError, Result};
use super::os_str;
use super::reference::shown;
use crate::eval::text::path;
use crate::process::{self, Command, Output};

/// Runs a command and waits for its end.
pub type Run = dyn Fn(&Command) -> std::result::Result<Output, process::Error> + Send + Sync;

/// A repository with a work tree.
pub(super) struct Repository<'g> {
    /// What runs `git`.
    pub(super) run: &'g Run,
    /// Its folder.
    pub(super) folder: &'g [u8],
}

/// How the work tree stands against the last commit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Status {
    /// The last commit; none where there is none yet.
    pub(super) head: Option<String>,
    /// The branch, as `refs/heads/…`; none on a commit that no branch was checked out for.
    pub(super) branch: Option<String>,
    /// Does it differ from the commit?
    pub(super) dirty: bool,
    /// Tracked files that are not there.
    pub(super) deleted: Vec<Vec<u8>>,
}

/// A file as the index or a commit has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its path in the repository.
    pub(super) path: Vec<u8>,
    /// What it is.
    pub(super) mode: Mode,
    /// The object with its contents.
    pub(super) object: String,
}

/// What a file of a repository is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    File,
    Executable,
    Symlink,
    Submodule,
}

/// Variables that would lead `git` to another repository than the one of the folder.
const MISLEADING: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
];

impl Repository<'_> {
    /// How the work tree stands. Submodules don't count.
    pub(super) fn status(&self) -> Result<Status> {
        let words = [
            "status",
            "--porcelain=v2",
            "--branch",
            "-z",
            "--untracked-files=no",
            "--ignore-submodules=all",
            "--no-renames",
        ];
        Ok(parse_status(&self.ask(&words)?.stdout))
    }

    /// The files that the index has, without those of submodules.
    pub(super) fn tracked(&self) -> Result<Vec<Entry>> {
        self.entries(&["ls-files", "--stage", "-z"])
    }

    /// The files of a commit.
    pub(super) fn files_of(&self, rev: &str) -> Result<Vec<Entry>> {
        self.entries(&["ls-tree", "-r", "-z", "--full-tree", rev])
    }

    fn entries(&self, words: &[&str]) -> Result<Vec<Entry>> {
        let output = self.ask(words)?.stdout;
        let records = output.split(|byte| *byte == 0).filter(|record| !record.is_empty());
        records
            .map(|record| {
                parse_entry(record).ok_or_else(|| {
                    self.failed(format!("git printed an odd line: '{}'", shown(record)))
                })
            })
            .collect()
    }

    /// The commit that a name or a hash stands for; `None` if there is none.
    pub(super) fn resolve(&self, name: &str) -> Result<Option<String>> {
        let name = format!("{name}^{{commit}}");
        let words = ["rev-parse", "--verify", "--quiet", "--end-of-options", &name];
        let output = self.run(&words)?;
        let commit = output.text();
        Ok((output.ok() && !commit.is_empty()).then_some(commit))
    }

    /// The branch that is checked out, as `refs/heads/…`.
    pub(super) fn branch(&self) -> Result<Option<String>> {
        let output = self.run(&["symbolic-ref", "--quiet", "HEAD"])?;
        Ok(output.ok().then(|| output.text()).filter(|name| !name.is_empty()))
    }

    /// When a commit was made, in seconds since 1970.
    pub(super) fn time_of(&self, rev: &str) -> Result<u64> {
        self.number(&["show", "--no-patch", "--no-show-signature", "--format=%ct", rev])
    }

    /// How many commits led to a commit, itself among them.
    pub(super) fn count_of(&self, rev: &str) -> Result<u64> {
        self.number(&["rev-list", "--count", rev])
    }

    /// Is a part of the history left out?
    pub(super) fn is_shallow(&self) -> Result<bool> {
        Ok(self.ask(&["rev-parse", "--is-shallow-repository"])?.text() == "true")
    }

    fn number(&self, words: &[&str]) -> Result<u64> {
        let text = self.ask(words)?.text();
        let last = text.lines().last().unwrap_or_default().trim();
        last.parse().map_err(|_| self.failed(format!("git printed no number: '{text}'")))
    }

    /// The contents of objects, in their order.
    pub(super) fn contents(&self, objects: &[&str]) -> Result<Vec<Vec<u8>>> {
        let command = self.command(&["cat-file", "--batch", "--buffer"]);
        let mut wanted = objects.join("\n");
        wanted.push('\n');
        let output = (self.run)(&command.stdin_bytes(wanted))?;
        if !output.ok() {
            return Err(self.failed(output.error_text()));
        }
        let mut rest = &output.stdout[..];
        objects
            .iter()
            .map(|object| {
                let (contents, after) = take_object(rest).ok_or_else(|| {
                    self.failed(format!("the object {object} is missing from the repository"))
                })?;
                rest = after;
                Ok(contents.to_vec())
            })
            .collect()
    }

    fn ask(&self, words: &[&str]) -> Result<Output> {
        let output = self.run(words)?;
        if output.ok() { Ok(output) } else { Err(self.failed(output.error_text())) }
    }

    fn run(&self, words: &[&str]) -> Result<Output> {
        Ok((self.run)(&self.command(words))?)
    }

    fn command(&self, words: &[&str]) -> Command {
        let command = MISLEADING
            .iter()
            .fold(Command::new("git"), |command, variable| command.env_remove(*variable));
        command
            .env("LC_ALL", "C")
            // The folder itself is the repository, none of those around it.
            .env("GIT_CEILING_DIRECTORIES", os_str(path::dir_name(self.folder)))
            // Nothing is written for a question, and no hook's program is asked.
            .env("GIT_OPTIONAL_LOCKS", "0")
            .args(["-c", "core.fsmonitor=false", "-C"])
            .arg(os_str(self.folder))
            .args(words.iter().copied())
    }

    fn failed(&self, reason: impl AsRef<str>) -> FlakeError {
        let reason = reason.as_ref().trim().trim_start_matches("fatal: ").to_owned();
        FlakeError::Git { repository: shown(self.folder), reason }
    }
}

/// Reads `git status --porcelain=v2 --branch -z`. (git-status(1), "Porcelain Format Version 2".)
fn parse_status(output: &[u8]) -> Status {
    let mut status = Status::default();
    for record in output.split(|byte| *byte == 0).filter(|record| !record.is_empty()) {
        if let Some(oid) = record.strip_prefix(b"# branch.oid ") {
            status.head = (oid != b"(initial)").then(|| shown(oid));
        } else if let Some(name) = record.strip_prefix(b"# branch.head ") {
            let attached = name != b"(detached)";
            status.branch = attached.then(|| format!("refs/heads/{}", shown(name)));
        } else if let [kind @ (b'1' | b'u'), b' ', index, tree, ..] = record {
            status.dirty = true;
            // A changed file has 8 words before its path, one that was not merged 10.
            let words = if *kind == b'1' { 8 } else { 10 };
            let path = record.splitn(words + 1, |byte| *byte == b' ').last();
            if (*index == b'D' && *kind == b'1') || *tree == b'D' {
                status.deleted.extend(path.map(<[u8]>::to_vec));
            }
        }
    }
    status
}

/// Reads a line of `git ls-files --stage` or `git ls-tree`.
fn parse_entry(record: &[u8]) -> Option<Entry> {
    let tab = record.iter().position(|byte| *byte == b'\t')?;
    let words: Vec<&[u8]> = record.get(..tab)?.split(|byte| *byte == b' ').collect();
    let mode = match *words.first()? {
        b"100755" => Mode::Executable,
        b"120000" => Mode::Symlink,
        b"160000" => Mode::Submodule,
        _ => Mode::File,
    };
    let is_object = |word: &&&[u8]| word.len() >= 40 && word.iter().all(u8::is_ascii_hexdigit);
    let object = words.iter().find(is_object)?;
    Some(Entry { path: record.get(tab + 1..)?.to_vec(), mode, object: shown(object) })
}

/// Reads an object of `git cat-file --batch`: a line with its hash, type and size, and its contents.
fn take_object(output: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = output.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(output.get(..end)?).ok()?;
    let size: usize = line.rsplit(' ').next()?.parse().ok()?;
    let rest = output.get(end + 1..)?;
    Some((rest.get(..size)?, rest.get(size + 1..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_lines_are_understood() {
        let lines = [
            "# branch.oid 1234567890123456789012345678901234567890",
            "# branch.head main",
            "1 .M N... 100644 100644 100644 aa aa with space",
            "1 .D N... 100644 100644 000000 aa aa gone",
            "1 D. N... 100644 000000 000000 aa 00 staged",
            "u UU N... 100644 100644 100644 100644 aa bb cc both sides",
        ];
        let status = parse_status(lines.join("\0").as_bytes());
        assert_eq!(status.head.as_deref(), Some("1234567890123456789012345678901234567890"));
        assert_eq!(status.branch.as_deref(), Some("refs/heads/main"));
        assert!(status.dirty);
        assert_eq!(status.deleted, [b"gone".to_vec(), b"staged".to_vec()]);
        let fresh = parse_status(b"# branch.oid (initial)\0# branch.head (detached)\0");
        assert_eq!(fresh, Status::default());
    }

    #[test]
    fn entries_of_both_listings_are_understood() {
        let object = "1234567890123456789012345678901234567890";
        let entry = |text: String| parse_entry(text.as_bytes());
        let staged = entry(format!("100755 {object} 0\ta\tb")).unwrap();
        assert_eq!((staged.mode, &staged.path[..]), (Mode::Executable, &b"a\tb"[..]));
        let listed = entry(format!("120000 blob {object}\tlink")).unwrap();
        assert_eq!((listed.mode, listed.object.as_str()), (Mode::Symlink, object));
        assert_eq!(entry(format!("160000 commit {object}\tsub")).unwrap().mode, Mode::Submodule);
        assert_eq!(entry("100644 blob\tx".into()), None);
        assert_eq!(entry("odd".into()), None);
    }

    #[test]
    fn objects_are_cut_out_of_a_batch() {
        let (contents, rest) = take_object(b"aa blob 3\na\nb\nbb blob 0\n\n").unwrap();
        assert_eq!((contents, rest), (&b"a\nb"[..], &b"bb blob 0\n\n"[..]));
        assert_eq!(take_object(rest), Some((&b""[..], &b""[..])));
        assert_eq!(take_object(b"aa missing\n"), None);
        assert_eq!(take_object(b"aa blob 9\nx\n"), None);
    }
}
