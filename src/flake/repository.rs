//! Git repositories of this machine as inputs: their work trees, and commits of them. (Nix manual,
//! `builtins.fetchTree`, "git".)

use std::collections::BTreeSet;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::rc::Rc;

use super::cache::Commit;
use super::error::{FlakeError, Result};
use super::exists;
use super::find::{Finder, Found, flag, hash, set, text};
use super::git::{Mode, Repository, Status};
use super::io::Mount;
use super::reference::{input_text, shown};
use super::tree::Tree;
use crate::eval::io::FileType;
use crate::eval::references::{Input, InputAttr};
use crate::eval::text::path;
use crate::eval::text::url::Url;
use crate::store::{Hash, HashFormat, StorePath};

impl Finder {
    /// A repository of this machine: a commit of it, or its work tree where nobody has named a commit.
    pub(super) fn repository(&self, input: &Input, folder: &[u8]) -> Result<Found> {
        if !exists(folder) {
            let reason = format!("the path '{}' does not exist", shown(folder));
            return Err(FlakeError::NoFlake { flake: input_text(input), reason });
        }
        let resolved = input.clone();
        let repository = Repository { run: &*self.run, folder };
        let has = |name: &str| exists(&[folder, b"/", name.as_bytes()].concat());
        let is_bare = !has(".git");
        if is_bare && !(has("HEAD") && has("objects")) {
            return Err(FlakeError::Git {
                repository: shown(folder),
                reason: "it is no git repository, nor the top folder of one".to_owned(),
            });
        }
        let plain = text(input, "ref").is_none() && text(input, "rev").is_none() && !is_bare;
        if plain && flag(input, "exportIgnore") {
            return self.prefetch(input);
        }
        let (path, input) = if plain {
            self.work_tree(input, &repository)?
        } else if flag(input, "submodules") || flag(input, "lfs") || flag(input, "exportIgnore") {
            return self.prefetch(input);
        } else {
            self.commit(input, &repository, is_bare)?
        };
        Ok(Found { path, input, resolved, dir: None })
    }

    fn work_tree(&self, input: &Input, repository: &Repository<'_>) -> Result<(StorePath, Input)> {
        let mut input = input.clone();
        let mut status = repository.status()?;
        let mut tree = tracked_tree(repository, &status)?;
        if flag(&input, "submodules") {
            add_submodules(repository, &mut status, &mut tree)?;
        }
        let how = if flag(&input, "submodules") { "-work-s" } else { "-work" };
        let known = status.head.as_deref().map(|rev| self.cache.commit(rev, how));
        let mut known = known.unwrap_or_default();
        let before = known.clone();
        self.add_commit_attrs(&mut input, repository, &status, &mut known)?;
        let tree = Tree::of_files(repository.folder, tree);
        // Git may have been told not to look at a file, or to give it other contents than the commit has.
        let stamp = tree.stamp();
        let cached = known.nar_hash.as_deref().filter(|_| stamp.is_some() && known.stamp == stamp);
        let cached = cached.and_then(|text| Hash::parse_sri(text.as_bytes()).ok());
        let hash = match cached {
            Some(hash) => hash,
            None => hash(&tree)?,
        };
        if let Some(rev) = &status.head {
            known.nar_hash = stamp.is_some().then(|| hash.to_text(HashFormat::Sri, true));
            known.stamp = stamp;
            if known != before {
                self.cache.remember(rev, how, &known);
            }
        }
        let path = self.take(&mut input, hash)?;
        self.mounts.name(&path, repository.folder.to_vec());
        self.mounts.add(&path, Rc::new(Mount { tree, is_work_tree: true }));
        Ok((path, input))
    }

    /// Adds what is known of the commit below a work tree.
    fn add_commit_attrs(
        &self,
        input: &mut Input,
        repository: &Repository<'_>,
        status: &Status,
        known: &mut Commit,
    ) -> Result<()> {
        if status.dirty {
            self.warn(&format!("Git tree '{}' is dirty", shown(repository.folder)));
            if let Some(rev) = &status.head {
                let short = rev.get(..7).unwrap_or(rev);
                set(input, "dirtyRev", InputAttr::Text(format!("{rev}-dirty").into_bytes()));
                set(input, "dirtyShortRev", InputAttr::Text(format!("{short}-dirty").into_bytes()));
            }
        } else {
            if let Some(branch) = &status.branch {
                set(input, "ref", InputAttr::Text(branch.clone().into_bytes()));
            }
            // Without a commit, Nix says that it is one of zeros.
            let rev = status.head.clone().unwrap_or_else(|| "0".repeat(40));
            set(input, "rev", InputAttr::Text(rev.into_bytes()));
            if !flag(input, "shallow") {
                let count = match &status.head {
                    Some(rev) => count(repository, rev, known)?,
                    None => 0,
                };
                set(input, "revCount", InputAttr::Number(count));
            }
        }
        let time = match &status.head {
            Some(rev) => time(repository, rev, known)?,
            None => 0,
        };
        set(input, "lastModified", InputAttr::Number(time));
        Ok(())
    }

    /// A commit of a repository of this machine.
    fn commit(
        &self,
        input: &Input,
        repository: &Repository<'_>,
        is_bare: bool,
    ) -> Result<(StorePath, Input)> {
        let mut input = input.clone();
        let wrong =
            |reason: String| FlakeError::Git { repository: shown(repository.folder), reason };
        let name = match text(&input, "ref") {
            Some(name) => shown(name),
            None => self.default_branch(repository)?,
        };
        set(&mut input, "ref", InputAttr::Text(name.clone().into_bytes()));
        let rev = match text(&input, "rev") {
            Some(_) => {
                let rev = input.rev().map_err(|error| wrong(error.to_string()))?;
                let rev = rev.unwrap_or_default();
                repository.resolve(&rev)?.ok_or_else(|| {
                    wrong(format!("it has no commit {rev}; `git fetch` may bring it"))
                })?
            }
            None => repository.resolve(&name)?.ok_or_else(|| {
                let empty = if is_bare { "" } else { ", or no commit at all yet" };
                wrong(format!("it has no branch or tag '{name}'{empty}"))
            })?,
        };
        set(&mut input, "rev", InputAttr::Text(rev.clone().into_bytes()));
        let mut known = self.cache.commit(&rev, "");
        let before = known.clone();
        if !input.attrs.contains_key(&b"lastModified"[..]) {
            let time = time(repository, &rev, &mut known)?;
            set(&mut input, "lastModified", InputAttr::Number(time));
        }
        if !flag(&input, "shallow") && !input.attrs.contains_key(&b"revCount"[..]) {
            let count = count(repository, &rev, &mut known)?;
            set(&mut input, "revCount", InputAttr::Number(count));
        }
        let tree = self.commit_tree(repository, &rev)?;
        let cached = known.nar_hash.as_deref();
        let hash = match cached.and_then(|text| Hash::parse_sri(text.as_bytes()).ok()) {
            Some(hash) => hash,
            None => hash(&tree)?,
        };
        known.nar_hash = Some(hash.to_text(HashFormat::Sri, true));
        if known != before {
            self.cache.remember(&rev, "", &known);
        }
        let name = format!("«{}»", input_text(&input)).into_bytes();
        let path = self.take(&mut input, hash)?;
        self.mounts.name(&path, name);
        self.mounts.add(&path, Rc::new(Mount { tree, is_work_tree: false }));
        Ok((path, input))
    }

    pub(super) fn commit_tree(&self, repository: &Repository<'_>, rev: &str) -> Result<Tree> {
        let files = repository.files_of(rev)?;
        let submodules: Vec<Vec<u8>> = files
            .iter()
            .filter(|file| file.mode == Mode::Submodule)
            .map(|file| file.path.clone())
            .collect();
        let files = files.into_iter().filter_map(|file| {
            let kind = match file.mode {
                Mode::File => FileType::Regular,
                Mode::Executable => FileType::Executable,
                Mode::Symlink => FileType::Symlink,
                Mode::Submodule => return None,
            };
            Some((file.path, kind, file.object))
        });
        let (run, folder) = (self.run.clone(), repository.folder.to_vec());
        let load = move |objects: &[&str]| {
            let repository = Repository { run: &*run, folder: &folder };
            repository.contents(objects).map_err(|error| io::Error::other(error.to_string()))
        };
        let mut tree = Tree::of_commit(files, Box::new(load));
        for path in submodules {
            tree.add_folder(path);
        }
        Ok(tree)
    }

    /// The branch that is taken where none is named.
    fn default_branch(&self, repository: &Repository<'_>) -> Result<String> {
        if let Some(name) = repository.branch()? {
            return Ok(name);
        }
        let folder = shown(repository.folder);
        self.warn(&format!("could not read HEAD ref from repo at '{folder}', using 'master'"));
        Ok("master".to_owned())
    }
}

/// Adds the files of submodules. One that differs from its commit makes the whole tree differ.
fn add_submodules(
    repository: &Repository<'_>,
    status: &mut Status,
    files: &mut Vec<Vec<u8>>,
) -> Result<()> {
    for entry in repository.tracked()? {
        if entry.mode != Mode::Submodule {
            continue;
        }
        let folder = path::join(repository.folder, &entry.path);
        if !exists(&[&folder[..], b"/.git"].concat()) {
            continue;
        }
        let inner = Repository { run: repository.run, folder: &folder };
        let mut inner_status = inner.status()?;
        let mut inner_files = tracked_tree(&inner, &inner_status)?;
        add_submodules(&inner, &mut inner_status, &mut inner_files)?;
        status.dirty |= inner_status.dirty;
        let at = |file: Vec<u8>| [&entry.path[..], b"/", &file].concat();
        files.extend(inner_files.into_iter().map(at));
    }
    Ok(())
}

/// The paths of the files that a work tree has of those that are tracked.
fn tracked_tree(repository: &Repository<'_>, status: &Status) -> Result<Vec<Vec<u8>>> {
    let deleted: BTreeSet<&Vec<u8>> = status.deleted.iter().collect();
    let files = repository.tracked()?.into_iter();
    let files = files.filter(|file| file.mode != Mode::Submodule && !deleted.contains(&file.path));
    Ok(files.map(|file| file.path).collect())
}

fn time(repository: &Repository<'_>, rev: &str, known: &mut Commit) -> Result<u64> {
    let time = match known.time {
        Some(time) => time,
        None => repository.time_of(rev)?,
    };
    known.time = Some(time);
    Ok(time)
}

fn count(repository: &Repository<'_>, rev: &str, known: &mut Commit) -> Result<u64> {
    if let Some(count) = known.count {
        return Ok(count);
    }
    if repository.is_shallow()? {
        let folder = shown(repository.folder);
        let reason = format!(
            "'{folder}' is a shallow Git repository, so 'revCount' is not available; `shallow=1` in the reference does without"
        );
        return Err(FlakeError::Git { repository: folder, reason });
    }
    let count = repository.count_of(rev)?;
    known.count = Some(count);
    Ok(count)
}

/// The folder of a git input that is on this machine.
pub(super) fn local_repository(input: &Input) -> Option<Vec<u8>> {
    let url = Url::parse(text(input, "url")?, true).ok()?;
    if url.scheme != b"file" {
        return None;
    }
    let folder = url.file_path().ok()?;
    let here = std::env::current_dir().unwrap_or_default();
    let here = here.into_os_string().into_vec();
    Some(path::join(&here, &folder))
}
