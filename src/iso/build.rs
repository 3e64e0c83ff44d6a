//! Building the image of a flake: where it is in the flake, whether it is there already, and the file in what was built.

use std::path::{Path, PathBuf};

use crate::facts::{EvalError, Image, Images, InstallerFlake};
use crate::process::nix::Nix;
use crate::process::nix_log::Update;
use crate::process::nix_run::{self, NixError};
use crate::process::{self, Runner};

/// The attribute that an image has by custom.
const CUSTOMARY: &str = "nixosConfigurations.iso";

/// Where in the output of a build images lie: nixpkgs' own have a folder of their kind.
const FOLDERS: [&str; 3] = ["iso", "sd-image", ""];

/// How the names of images end, before they are compressed.
const KINDS: [&str; 2] = [".iso", ".img"];
const PACKED: [&str; 3] = ["", ".zst", ".xz"];

/// Which image is wanted.
#[derive(Debug, Clone)]
pub struct Wish<'a> {
    /// The flake.
    pub flake: &'a str,
    /// The attribute, where the user has named one.
    pub attr: Option<&'a str>,
    /// The small flake of the installer that belongs to the flake, where there is one.
    pub small: Option<&'a str>,
}

/// An image that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The image's file.
    pub file: PathBuf,
    /// Was it there before?
    pub before: bool,
}

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The flake could not be evaluated, or has not what was asked for.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// Neither flake has an image.
    #[error("the flake {flake} has no installer image: there is no {CUSTOMARY}{}", also(.small.as_deref()))]
    NoImage {
        /// The flake as it was given.
        flake: String,
        /// The small flake, where there is one.
        small: Option<String>,
    },
    /// A program could not be run, or was stopped.
    #[error(transparent)]
    Process(#[from] process::Error),
    /// Nix could not build it.
    #[error("{0}")]
    Build(String),
    /// What was built can't be read.
    #[error("{path}: {error}", path = .path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// What was built holds no image.
    #[error("{path} holds no image (*.iso or *.img, plain or packed as .zst or .xz), but {found}", path = .path.display())]
    Empty {
        /// The output.
        path: PathBuf,
        /// What is in it.
        found: String,
    },
    /// What was built holds more than one.
    #[error("{path} holds several images: {}", .names.join(", "), path = .path.display())]
    Several {
        /// The output.
        path: PathBuf,
        /// The images, relative to it.
        names: Vec<String>,
    },
}

fn also(small: Option<&str>) -> String {
    small.map(|small| format!(", and none in {small} either")).unwrap_or_default()
}

impl BuildError {
    /// What can be done about it, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Eval(error) => error.hint(),
            Self::NoImage { .. } => Some(
                "add it to the flake: nixosConfigurations.iso = nixos-bootstrap.lib.mkIso { hosts = \
                 self.nixosConfigurations; }; or name another attribute with --attr"
                    .to_owned(),
            ),
            Self::Build(message) => process::nix::hint(message),
            Self::Several { .. } => Some("name one of them with --image FILE".to_owned()),
            Self::Empty { .. } => {
                Some("name the attribute that is the image itself with --attr".to_owned())
            }
            Self::Process(_) | Self::Read { .. } => None,
        }
    }
}

/// The small flake beside a flake of this machine, which may have the image.
#[must_use]
pub fn small_flake(installer: Option<InstallerFlake>) -> Option<String> {
    let installer = installer?;
    let folder = installer.folder.as_deref().filter(|dir| dir.join("flake.nix").is_file())?;
    let real = folder.canonicalize().ok()?;
    // As `nix` does it: the repository may begin further up.
    let in_git = real.ancestors().any(|folder| folder.join(".git").exists());
    Some(installer.reference(in_git).to_owned())
}

/// Finds the image's derivation, which is in the store then.
///
/// # Errors
///
/// See [`BuildError`].
pub async fn find(images: &dyn Images, wish: &Wish<'_>) -> Result<Image, BuildError> {
    if let Some(attr) = wish.attr {
        return Ok(images.image(wish.flake, &[attr]).await?);
    }
    match images.image(wish.flake, &[CUSTOMARY]).await {
        Err(EvalError::NoSuchOutput { .. }) => {}
        other => return Ok(other?),
    }
    let missing = || BuildError::NoImage {
        flake: wish.flake.to_owned(),
        small: wish.small.map(ToOwned::to_owned),
    };
    let Some(small) = wish.small else { return Err(missing()) };
    match images.image(small, &[CUSTOMARY]).await {
        Err(EvalError::NoSuchOutput { .. }) => Err(missing()),
        other => Ok(other?),
    }
}

/// Builds the image, unless the store has it. What nix says is told.
///
/// # Errors
///
/// See [`BuildError`].
pub async fn build(
    runner: &dyn Runner,
    nix: &Nix,
    image: &Image,
    tell: impl FnMut(&Update) + Send,
) -> Result<Built, BuildError> {
    let out = Path::new(&image.out_path);
    if runner.run(&nix.is_valid(&image.out_path)).await?.ok() {
        return Ok(Built { file: file_in(out)?, before: true });
    }
    let command = nix.build(&[format!("{}^out", image.drv_path)]);
    let output = nix_run::run(runner, &command, None, tell).await.map_err(|error| match error {
        NixError::Process(error) => BuildError::Process(error),
        NixError::Said(message) => BuildError::Build(message),
    })?;
    // Where it depends on its content, the path is only known now.
    let printed = output.text();
    let out = printed.lines().next().map_or(out, Path::new);
    Ok(Built { file: file_in(out)?, before: false })
}

/// The one image in what was built.
fn file_in(out: &Path) -> Result<PathBuf, BuildError> {
    let read = |path: &Path| {
        let path = path.to_owned();
        move |error| BuildError::Read { path, error }
    };
    if out.metadata().map_err(read(out))?.is_file() {
        return Ok(out.to_owned());
    }
    let mut images = Vec::new();
    for folder in FOLDERS {
        let folder = out.join(folder);
        if !folder.is_dir() {
            continue;
        }
        for entry in folder.read_dir().map_err(read(&folder))? {
            let path = entry.map_err(read(&folder))?.path();
            if is_image(&path) && path.is_file() {
                images.push(path);
            }
        }
    }
    images.sort();
    let inside = |path: &PathBuf| path.strip_prefix(out).unwrap_or(path).display().to_string();
    match images.as_slice() {
        [image] => Ok(image.clone()),
        [] => {
            Err(BuildError::Empty { path: out.to_owned(), found: listed(out).map_err(read(out))? })
        }
        several => {
            let names = several.iter().map(inside).collect();
            Err(BuildError::Several { path: out.to_owned(), names })
        }
    }
}

fn is_image(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    KINDS.iter().any(|kind| {
        PACKED.iter().any(|packed| name.strip_suffix(packed).is_some_and(|n| n.ends_with(kind)))
    })
}

/// What a folder holds, for people.
fn listed(folder: &Path) -> std::io::Result<String> {
    let mut names = Vec::new();
    for entry in folder.read_dir()? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(if names.is_empty() { "nothing at all".to_owned() } else { names.join(", ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        dir
    }

    #[test]
    fn the_image_is_found_in_the_folder_of_its_kind() {
        for file in ["iso/a.iso", "iso/a.iso.zst", "sd-image/b.img.zst", "c.img.xz"] {
            let dir = output(&[file, "nix-support/system", "iso/a.iso.sha256", "README"]);
            assert_eq!(file_in(dir.path()).unwrap(), dir.path().join(file));
        }
        let dir = output(&["plain"]);
        let plain = dir.path().join("plain");
        assert_eq!(file_in(&plain).unwrap(), plain, "the output is the file itself");
    }

    #[test]
    fn no_image_and_several_are_told_by_name() {
        let dir = output(&["iso/b.iso", "iso/a.iso"]);
        let error = file_in(dir.path()).unwrap_err();
        assert!(error.to_string().ends_with("several images: iso/a.iso, iso/b.iso"), "{error}");
        assert!(error.hint().unwrap().contains("--image"));
        let dir = output(&["bin/tool", "isolated.txt"]);
        let error = file_in(dir.path()).unwrap_err();
        assert!(error.to_string().ends_with("but bin, isolated.txt"), "{error}");
        let error = file_in(Path::new("/nonexistent/image")).unwrap_err();
        assert!(error.to_string().starts_with("/nonexistent/image: "), "{error}");
    }
}
