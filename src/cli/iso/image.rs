//! Where the image comes from, if no file is named: the flake.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::Args;
use crate::cli::error::CliError;
use crate::cli::output::{Output, print};
use crate::facts::installer_flake;
use crate::instantiate::Watcher;
use crate::iso::build::{BuildError, Wish, build, find, small_flake};
use crate::process::RealRunner;
use crate::ui::StoreBar;
use crate::ui::terminal::say;

/// Builds the image of the flake, if it is not there yet. Its path is printed.
pub(super) async fn built(
    args: &Args,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<PathBuf, CliError> {
    let runner = Arc::new(RealRunner::new(cancel.clone()));
    let (images, nix) = args.flake.images(runner.clone(), cancel)?;
    let small = small_flake(installer_flake(&args.flake.flake));
    let wish =
        Wish { flake: &args.flake.flake, attr: args.attr.as_deref(), small: small.as_deref() };
    let image = find(&*images, &wish).await?;
    let bar = StoreBar::new(output.live);
    let built = build(&*runner, &nix, &image, |update| bar.building(update.clone())).await;
    bar.done();
    let built = built?;
    if built.before {
        say("the image is built already");
    }
    tell(args, &built.file, built.before)?;
    Ok(built.file)
}

/// Prints where the image is.
fn tell(args: &Args, file: &Path, before: bool) -> Result<(), CliError> {
    if args.json {
        let event = json!({ "event": "image", "path": file, "built": !before });
        return print(&format!("{event}\n"));
    }
    print(&format!("{}\n", file.display()))
}

impl From<BuildError> for CliError {
    fn from(error: BuildError) -> Self {
        let hint = error.hint();
        let made = match error {
            BuildError::Eval(error) => return error.into(),
            BuildError::Process(error @ crate::process::Error::Cancelled { .. }) => {
                return crate::facts::EvalError::from(error).into();
            }
            error @ (BuildError::NoImage { .. } | BuildError::Several { .. }) => {
                Self::usage(error.to_string())
            }
            error => Self::failed(error.to_string()),
        };
        match hint {
            Some(hint) => made.hint(hint),
            None => made,
        }
    }
}
