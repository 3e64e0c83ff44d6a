//! What the secrets commands share that work on the files of a secrets repo.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::cli::error::CliError;
use crate::facts::HostFacts;
use crate::install::context::Limits;
use crate::install::private::{self, PrivateDir};
use crate::install::workshop::{self, Workshop};
use crate::process::{RealRunner, Runner};
use crate::secrets::sops_file::SopsFile;
use crate::secrets::sops_yaml::SopsYaml;

/// A folder with a `.sops.yaml`, and copies of what is changed in it.
pub(super) struct Repo {
    /// Absolute.
    pub(super) folder: PathBuf,
    pub(super) file: PathBuf,
    pub(super) document: SopsYaml,
    pub(super) workshop: Workshop,
    pub(super) private: PrivateDir,
    runner: Arc<dyn Runner>,
    limits: Limits,
}

impl Repo {
    /// Opens the folder around a `.sops.yaml`.
    pub(super) async fn open(file: &Path, cancel: CancellationToken) -> Result<Self, CliError> {
        let runner: Arc<dyn Runner> = Arc::new(RealRunner::new(cancel));
        let limits = Limits::default();
        workshop::check_sops(&*runner, limits.command).await?;
        let document = super::sops_yaml::read(file)?;
        let file = file.canonicalize().map_err(|error| super::sops_yaml::failed(file, &error))?;
        let folder = file.parent().unwrap_or(Path::new("/")).to_owned();
        let private = PrivateDir::create(&private::bases(), "secrets").map_err(|error| {
            CliError::failed(format!("no private directory for secrets could be made: {error}"))
        })?;
        let (text, limit) = (document.text(), limits.long);
        let workshop = Workshop::new(Arc::clone(&runner), limit, &private, &folder, text)?;
        Ok(Self { folder, file, document, workshop, private, runner, limits })
    }

    /// The secrets files of the folder.
    pub(super) async fn files(&self) -> Result<Vec<(String, SopsFile)>, CliError> {
        let names = workshop::files_below(&*self.runner, self.limits.command, &self.folder).await?;
        Ok(workshop::encrypted_files(&self.folder, &names, &self.document))
    }

    /// A file as named on the command line, relative to the folder.
    pub(super) fn relative(&self, name: &str) -> Result<String, CliError> {
        let path = Path::new(name);
        let path = path.canonicalize().map_err(|e| CliError::failed(format!("{name}: {e}")))?;
        let inside = path.strip_prefix(&self.folder).ok().and_then(Path::to_str);
        inside.map(str::to_owned).ok_or_else(|| {
            CliError::usage(format!("{name} is not below {}", self.folder.display()))
                .hint("--file says which .sops.yaml is meant")
        })
    }
}

/// The `.sops.yaml` of a host's secrets: of the configured repo, of `nix-secrets` beside the flake, or of
/// the flake itself.
pub(super) fn sops_yaml_of(facts: &HostFacts, flake: Option<&Path>) -> Result<PathBuf, CliError> {
    let base = flake.unwrap_or(Path::new("."));
    let mut folders = Vec::new();
    if let Some(repo) = &facts.bootstrap.secrets_repo {
        folders.push(match repo.strip_prefix("~/") {
            Some(rest) => crate::cli::world::home()?.join(rest),
            None => base.join(repo),
        });
    }
    folders.extend([base.join("../nix-secrets"), base.to_owned()]);
    let files = folders.iter().map(|folder| folder.join(".sops.yaml"));
    let found = files.into_iter().find(|file| file.is_file());
    found.ok_or_else(|| {
        let places: Vec<_> = folders.iter().map(|f| f.display().to_string()).collect();
        CliError::failed(format!("there is no .sops.yaml in {}", places.join(", ")))
            .hint("--file says where it is")
    })
}
