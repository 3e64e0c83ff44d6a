//! The errors of images and disks as the user sees them.

use crate::cli::error::CliError;
use crate::install::context::{Failure, FailureKind};
use crate::iso::copy::CopyError;
use crate::iso::find::FindError;
use crate::iso::flash::OpenError;
use crate::iso::image::ImageError;
use crate::iso::judge::Refused;
use crate::iso::partitions::UnmountError;

impl From<ImageError> for CliError {
    fn from(error: ImageError) -> Self {
        hinted(CliError::failed(error.to_string()), error.hint())
    }
}

impl From<FindError> for CliError {
    fn from(error: FindError) -> Self {
        let text = error.to_string();
        let made = if error.is_usage() { Self::usage(text) } else { changed(text) };
        hinted(made, error.hint())
    }
}

impl From<Refused> for CliError {
    fn from(refused: Refused) -> Self {
        let usage = refused.reasons.iter().all(|reason| reason.usage);
        let text = refused.to_string();
        let made = if usage { Self::usage(text) } else { changed(text) };
        refused.reasons.into_iter().fold(made, |made, reason| hinted(made, reason.hint))
    }
}

impl From<OpenError> for CliError {
    fn from(error: OpenError) -> Self {
        let text = error.to_string();
        match error {
            OpenError::Busy { .. } => changed(text),
            OpenError::Changed { .. } => {
                changed(text).hint("nothing was erased; run the command again")
            }
            OpenError::Io { .. } => Self::failed(text),
        }
    }
}

impl From<UnmountError> for CliError {
    fn from(error: UnmountError) -> Self {
        Self::failed(error.to_string())
            .hint("a program or a shell may be in it; nothing was erased")
    }
}

impl From<CopyError> for CliError {
    fn from(error: CopyError) -> Self {
        let text = error.to_string();
        match error {
            CopyError::NoFile { what: "a disk", .. } => {
                Self::usage(text).hint("name disks without --output")
            }
            CopyError::NoFile { .. } | CopyError::Same { .. } => Self::usage(text),
            CopyError::Stopped { .. } => Failure::new(text).kind(FailureKind::Stopped).into(),
            CopyError::NoSpace { .. } | CopyError::Reading(_) | CopyError::Writing { .. } => {
                Self::failed(text)
            }
        }
    }
}

/// The machine is not as it has to be.
pub(super) fn changed(text: impl Into<String>) -> CliError {
    Failure::new(text).kind(FailureKind::Changed).into()
}

fn hinted(error: CliError, hint: Option<String>) -> CliError {
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
