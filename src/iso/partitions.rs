//! What the system knows of a disk's partitions: unmounted before it is written, read anew afterwards.

use std::path::Path;

use super::judge::Target;
use crate::process::{self, Command, Runner};

/// Something of the disk could not be unmounted.
#[derive(Debug, thiserror::Error)]
#[error("{device} could not be unmounted: {source}")]
pub struct UnmountError {
    /// What.
    pub device: String,
    /// Why.
    pub source: process::Error,
}

/// Unmounts what the decision said, everywhere.
pub async fn unmount(runner: &dyn Runner, target: &Target) -> Result<(), UnmountError> {
    for device in &target.unmount {
        let command = Command::new("umount").arg("--all-targets").arg("--").arg(device);
        let done = runner.run(&command).await.and_then(|output| output.success(&command));
        done.map_err(|source| UnmountError { device: device.clone(), source })?;
    }
    Ok(())
}

/// Has the kernel read the partition table, where it looks for one on this device at all.
pub async fn read_again(runner: &dyn Runner, device: &str) -> Result<(), process::Error> {
    let name = Path::new(device).file_name().unwrap_or_default();
    let scans = Path::new("/sys/class/block").join(name).join("loop/partscan");
    if std::fs::read_to_string(scans).is_ok_and(|text| text.trim() == "0") {
        return Ok(());
    }
    let command = Command::new("blockdev").arg("--rereadpt").arg(device);
    runner.run(&command).await?.success(&command).map(|_| ())
}
