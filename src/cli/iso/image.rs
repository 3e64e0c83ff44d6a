//! Where the image comes from: a file that was named, or the flake.

use std::path::PathBuf;

use super::Args;
use crate::cli::error::CliError;

/// The file with the image.
pub(super) async fn image(args: &Args) -> Result<PathBuf, CliError> {
    match &args.image {
        Some(file) => Ok(file.clone()),
        None => built(args).await,
    }
}

/// Builds the image of the flake.
#[expect(clippy::unused_async, reason = "building waits for nix")]
async fn built(_args: &Args) -> Result<PathBuf, CliError> {
    Err(CliError::usage("this version can't build the image").hint(
        "build it (`nix build .#nixosConfigurations.iso.config.system.build.isoImage`) and name it with --image FILE",
    ))
}
