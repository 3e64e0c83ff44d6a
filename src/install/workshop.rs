//! Where secrets files are changed before they take the place of the user's: a copy of the files
//! concerned with their `.sops.yaml` in the private directory. sops writes files in place, so a kill
//! could leave half of one; here it only ever works on the copies.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::OFlags;
use tokio::task::JoinSet;

use super::context::{Failure, FailureKind};
use super::private::PrivateDir;
use crate::files;
use crate::process::{self, Runner, this_program};
use crate::secrets::Secret;
use crate::secrets::sops::{self, Opened};
use crate::secrets::sops_file::SopsFile;
use crate::secrets::sops_yaml::SopsYaml;

/// As many files are encrypted at once; each takes little, but sops may ask a server for a key.
const AT_ONCE: usize = 8;

/// The copies. Gone when dropped.
pub struct Workshop {
    runner: Arc<dyn Runner>,
    limit: Duration,
    /// The user's folder.
    folder: PathBuf,
    copies: PathBuf,
    /// What the user's files held when they were copied.
    taken: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // The private directory goes as a whole later; this is only early.
        let _ = fs::remove_dir_all(&self.copies);
    }
}

impl Workshop {
    /// A workshop for the files below `folder`, with this text as their `.sops.yaml`.
    pub fn new(
        runner: Arc<dyn Runner>,
        limit: Duration,
        private: &PrivateDir,
        folder: &Path,
        sops_yaml: &str,
    ) -> Result<Self, Failure> {
        let copies = private.path().join("secrets");
        let made = fs::DirBuilder::new().mode(0o700).create(&copies);
        made.map_err(|error| cannot(&copies, &error))?;
        let taken = Mutex::default();
        let workshop = Self { runner, limit, folder: folder.to_owned(), copies, taken };
        workshop.write(".sops.yaml", sops_yaml.as_bytes())?;
        Ok(workshop)
    }

    /// Takes another text as `.sops.yaml`.
    pub fn set_rules(&self, sops_yaml: &str) -> Result<(), Failure> {
        self.write(".sops.yaml", sops_yaml.as_bytes())
    }

    /// Is there such a file, here or there?
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.copy(name).exists() || self.folder.join(name).exists()
    }

    /// Copies a file of the user's here, where it is not here yet.
    pub fn take(&self, name: &str) -> Result<(), Failure> {
        if self.copy(name).exists() {
            return Ok(());
        }
        let from = self.folder.join(name);
        let content = fs::read(&from).map_err(|error| cannot(&from, &error))?;
        self.write(name, &content)?;
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.insert(name.to_owned(), content);
        Ok(())
    }

    /// What the copy holds now.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, Failure> {
        let path = self.copy(name);
        fs::read(&path).map_err(|error| cannot(&path, &error))
    }

    /// Puts a value into a copy.
    pub async fn set(&self, name: &str, path: &[&str], value: &Secret) -> Result<(), Failure> {
        self.take(name)?;
        let command = sops::set(&self.config(), &self.copy(name), path, value);
        let output = self.runner.run_within(&command, self.limit).await?;
        if output.ok() { Ok(()) } else { Err(said(name, &output)) }
    }

    /// Makes a new file that holds one value.
    pub async fn create(&self, name: &str, path: &[&str], value: &Secret) -> Result<(), Failure> {
        let text = String::from_utf8_lossy(value.expose()).into_owned();
        let leaf = serde_json::Value::String(text);
        let tree = path.iter().rev().fold(leaf, |inner, word| serde_json::json!({ *word: inner }));
        // JSON is YAML.
        let content = Secret::new(tree.to_string());
        let command = sops::encrypt_new(&self.config(), &self.copy(name), &content);
        let output = self.runner.run_within(&command, self.limit).await?;
        if !output.ok() {
            return Err(said(name, &output));
        }
        self.write(name, &output.stdout)
    }

    /// Reads one value of a file with the user's own keys.
    pub async fn extract(&self, name: &str, path: &[&str]) -> Result<Secret, Failure> {
        self.take(name)?;
        let command = sops::extract(&self.config(), &self.copy(name), path);
        let output = self.runner.run_within(&command, self.limit).await?;
        if !output.ok() {
            return Err(said(name, &output)
                .hint("it is there, but can't be decrypted here; nothing was made in its place"));
        }
        Ok(Secret::new(output.stdout))
    }

    /// Encrypts the copies for the recipients that the new `.sops.yaml` has, several at once.
    pub async fn update(&self, files: &[Outdated]) -> Result<(), Failure> {
        let mut running: JoinSet<Result<(), Failure>> = JoinSet::new();
        for Outdated { name, loses } in files {
            let rotate = *loses;
            self.take(name)?;
            if running.len() >= AT_ONCE
                && let Some(done) = running.join_next().await
            {
                joined(done)?;
            }
            let (runner, limit) = (Arc::clone(&self.runner), self.limit);
            let (config, file, name) = (self.config(), self.copy(name), name.clone());
            running.spawn(async move {
                let mut commands = vec![sops::update_keys(&config, &file)];
                if rotate {
                    commands.push(sops::rotate(&config, &file));
                }
                for command in commands {
                    let output = runner.run_within(&command, limit).await?;
                    if !output.ok() {
                        return Err(said(&name, &output));
                    }
                }
                Ok(())
            });
        }
        while let Some(done) = running.join_next().await {
            joined(done)?;
        }
        Ok(())
    }

    /// Opens a copy with one key alone.
    pub async fn open_alone(&self, name: &str, key_file: &Path) -> Result<Opened, Failure> {
        if !self.has(name) {
            return Ok(Opened::Missing);
        }
        self.take(name)?;
        // A home without any key of its own.
        let home = self.copies.join(".sops.yaml");
        let command = sops::open_alone(&self.copy(name), key_file, &home);
        let output = self.runner.run_within(&command, self.limit).await?;
        Ok(sops::opened(&output))
    }

    /// Fails if another program has changed one of these files since it was copied. To be asked before the first of
    /// several files is written.
    pub fn check_untouched(&self, names: &[String]) -> Result<(), Failure> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            let place = self.folder.join(name);
            if fs::read(&place).ok().as_ref() != taken.get(name) {
                return Err(Failure::new(format!("{}: {}", place.display(), files::CHANGED))
                    .hint("nothing was written; the same command takes the file as it is now")
                    .kind(FailureKind::Changed));
            }
        }
        Ok(())
    }

    /// Puts the copies that have changed in the place of the user's files, each at once and whole. The
    /// names of those that did change.
    pub fn put_back(&self, names: &[String]) -> Result<Vec<String>, Failure> {
        self.check_untouched(names)?;
        let mut changed = Vec::new();
        for name in names {
            let (new, place) = (self.read(name)?, self.folder.join(name));
            if fs::read(&place).is_ok_and(|old| old == new) {
                continue;
            }
            let folder = place.parent().map_or(Ok(()), fs::create_dir_all);
            let written = folder.and_then(|()| files::write(&place, &new));
            written.map_err(|error| cannot(&place, &error))?;
            changed.push(name.clone());
        }
        Ok(changed)
    }

    fn config(&self) -> PathBuf {
        self.copies.join(".sops.yaml")
    }

    fn copy(&self, name: &str) -> PathBuf {
        self.copies.join(name)
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), Failure> {
        let path = self.copy(name);
        let write = || -> io::Result<()> {
            if let Some(parent) = path.parent() {
                fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
            }
            let flags = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .custom_flags(flags)
                .open(&path)?;
            io::Write::write_all(&mut file, content)
        };
        write().map_err(|error| cannot(&path, &error))
    }
}

/// Is sops here, and new enough to take values from standard input?
pub async fn check_sops(runner: &dyn Runner, limit: Duration) -> Result<(), Failure> {
    let help = match runner.run_within(&sops::help_of_set(), limit).await {
        Err(process::Error::NotFound { .. }) => {
            return Err(Failure::new("the program sops is missing").hint(format!(
                "`nix shell nixpkgs#sops` has it; `{}` says more",
                this_program().arg("doctor")
            )));
        }
        other => other?,
    };
    if sops::is_able(&help) {
        return Ok(());
    }
    Err(Failure::new("this sops is too old: it can't read a value from standard input")
        .hint("sops 3.11 or newer is needed: `nix shell nixpkgs#sops`"))
}

/// The secrets files below a folder, by what they are rather than what they are called: those that a
/// rule covers and that hold sops' metadata.
#[must_use]
pub fn encrypted_files(
    folder: &Path,
    names: &[String],
    rules: &SopsYaml,
) -> Vec<(String, SopsFile)> {
    let mut found = Vec::new();
    for name in names.iter().filter(|name| !name.ends_with(".sops.yaml")) {
        if !matches!(rules.covering(name), Ok(Some(_))) {
            continue;
        }
        let Ok(content) = fs::read(folder.join(name)) else { continue };
        if let Ok(file) = SopsFile::parse(name, &content) {
            found.push((name.clone(), file));
        }
    }
    found
}

/// A file whose recipients are not those of the rule that covers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outdated {
    /// Its name.
    pub name: String,
    /// Does it lose a recipient? Then it needs a new data key, too.
    pub loses: bool,
}

/// Those of the files that have other recipients than the rules want.
#[must_use]
pub fn outdated(files: &[(String, SopsFile)], rules: &SopsYaml) -> Vec<Outdated> {
    let mut found = Vec::new();
    for (name, file) in files {
        let Ok(Some(number)) = rules.covering(name) else { continue };
        let wanted: BTreeSet<String> = rules.recipients(number).into_iter().collect();
        let has = file.recipients();
        if has != wanted {
            found.push(Outdated { name: name.clone(), loses: !has.is_subset(&wanted) });
        }
    }
    found
}

/// Every file below a folder, relative to it: what git knows and does not ignore, or all.
pub async fn files_below(
    runner: &dyn Runner,
    limit: Duration,
    folder: &Path,
) -> Result<Vec<String>, Failure> {
    let command = process::Command::new("git")
        .arg("-C")
        .arg(folder.as_os_str())
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE");
    if let Ok(output) = runner.run_within(&command, limit).await
        && output.ok()
    {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        return Ok(text.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect());
    }
    let mut names = Vec::new();
    let mut todo = vec![folder.to_owned()];
    while let Some(dir) = todo.pop() {
        for entry in fs::read_dir(&dir).map_err(|error| cannot(&dir, &error))? {
            let path = entry.map_err(|error| cannot(&dir, &error))?.path();
            if path.is_dir() && !path.is_symlink() {
                todo.push(path);
            } else if let Ok(name) = path.strip_prefix(folder) {
                names.extend(name.to_str().map(str::to_owned));
            }
        }
    }
    names.sort();
    Ok(names)
}

fn joined(done: Result<Result<(), Failure>, tokio::task::JoinError>) -> Result<(), Failure> {
    done.map_err(|error| Failure::new(format!("sops was not waited for: {error}")))?
}

fn said(name: &str, output: &process::Output) -> Failure {
    let failure = Failure::new(format!("sops, {name}: {}", sops::said(output)));
    if output.code == Some(128) {
        return failure.hint(
            "sops found no key of yours that opens it: SOPS_AGE_KEY_FILE says where the key is",
        );
    }
    failure
}

fn cannot(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("{}: {error}", path.display()))
}
