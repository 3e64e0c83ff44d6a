//! Copying and writing, with all that is around it: unmounting before, the partition table after.

use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::pin::Pin;
use super::{Args, root, sticks};
use crate::cli::error::CliError;
use crate::iso::event::{Event, Outcome, Reporter, State};
use crate::iso::flash;
use crate::iso::image::Image;
use crate::iso::judge::Target;
use crate::iso::{copy, partitions};
use crate::process::{RealRunner, Runner};

/// An image, and all that it takes to write it.
pub(super) struct Job<'a> {
    pub(super) args: &'a Args,
    pub(super) image: Arc<Image>,
    /// The host key that is in the image.
    pub(super) pin: Option<Pin>,
    pub(super) reporter: Arc<dyn Reporter>,
    pub(super) cancel: CancellationToken,
    pub(super) runner: RealRunner,
}

impl Job<'_> {
    /// Copies the image to a file.
    pub(super) async fn copy(&self, file: &Path) -> Result<Outcome, CliError> {
        self.remember_key()?;
        let (image, reporter) = (Arc::clone(&self.image), Arc::clone(&self.reporter));
        let (file, cancel) = (file.to_owned(), self.cancel.clone());
        let work = move || copy::copy(&image, &file, &cancel, reporter.as_ref());
        Ok(tokio::task::spawn_blocking(work).await.map_err(|error| broken(&error))??)
    }

    /// Writes it to the disks, which the user has confirmed.
    pub(super) async fn write(&self, targets: &[Target]) -> Result<Vec<Outcome>, CliError> {
        let targets = sticks::again(self.args, &self.runner, targets, self.image.size).await?;
        let handover = root::handover(self.args, &self.image.path, &targets)?;
        self.remember_key()?;
        if let Some(handover) = handover {
            return Err(handover.go(self.pin.as_ref()));
        }
        for target in &targets {
            let (path, disk) = (target.disk.live.path.clone(), Box::new(target.disk.live.clone()));
            self.reporter.event(&Event::Target { target: path, disk });
            partitions::unmount(&self.runner, target).await?;
        }
        // All of them, before the first one is changed.
        let devices = targets.iter().map(flash::open).collect::<Result<Vec<_>, _>>()?;
        let (image, reporter) = (Arc::clone(&self.image), Arc::clone(&self.reporter));
        let verify = self.args.verify();
        let cancel = self.cancel.clone();
        let work = move || {
            flash::run(flash::Job { image: &image, devices, verify, cancel, reporter: &*reporter })
        };
        let outcomes = tokio::task::spawn_blocking(work).await.map_err(|error| broken(&error))?;
        for outcome in outcomes.iter().filter(|outcome| outcome.state != State::Untouched) {
            self.read_partitions(&outcome.target).await;
        }
        Ok(outcomes)
    }

    /// Before the key is anywhere else than here.
    fn remember_key(&self) -> Result<(), CliError> {
        self.pin.as_ref().map_or(Ok(()), Pin::remember)
    }

    /// The image is on the disk, whether the kernel looks at its partitions or not.
    async fn read_partitions(&self, device: &str) {
        if self.runner.is_cancelled() {
            return;
        }
        if let Err(error) = partitions::read_again(&self.runner, device).await {
            let text = format!("the kernel did not read the new partition table: {error}");
            self.reporter.event(&Event::Warning { text });
        }
    }
}

fn broken(error: &tokio::task::JoinError) -> CliError {
    CliError::failed(format!("the work ended early: {error}"))
}
