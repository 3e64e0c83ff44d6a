//! What the secrets commands share that work on the files of a secrets repo.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::cli::error::CliError;
use crate::facts::HostFacts;
use crate::install::context::Limits;
use crate::install::lock::SecretsLock;
use crate::install::private::{self, PrivateDir};
use crate::install::secrets_lock;
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
    /// Held until the work is over.
    _lock: Option<SecretsLock>,
}

/// Takes the lock of the secrets beside a `.sops.yaml`, for a command that changes them.
pub(super) fn locked(file: &Path) -> Result<SecretsLock, CliError> {
    let file = file.canonicalize().map_err(|error| super::sops_yaml::missing(file, &error))?;
    let folder = file.parent().unwrap_or(Path::new("/"));
    let lock = SecretsLock::take(&crate::cli::world::state_dir()?, folder);
    lock.map_err(|error| secrets_lock::failure(&error).into())
}

impl Repo {
    /// Opens the folder around a `.sops.yaml`, to change what is in it. Others have to wait.
    pub(super) async fn open(file: &Path, cancel: CancellationToken) -> Result<Self, CliError> {
        let lock = locked(file)?;
        Ok(Self { _lock: Some(lock), ..Self::look_at(file, cancel).await? })
    }

    /// Opens it to look at it.
    pub(super) async fn look_at(file: &Path, cancel: CancellationToken) -> Result<Self, CliError> {
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
        Ok(Self { folder, file, document, workshop, private, runner, limits, _lock: None })
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
