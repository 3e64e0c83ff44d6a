//! What the system knows of a disk's partitions: unmounted before it is written, read anew afterwards.

use std::path::Path;
use std::time::Duration;

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

/// Has the kernel read the partition table, where it looks for one on this device at all. A device that was pulled
/// out has none.
pub async fn read_again(runner: &dyn Runner, device: &str) -> Result<(), process::Error> {
    let name = Path::new(device).file_name().unwrap_or_default();
    let sysfs = Path::new("/sys/class/block").join(name);
    let scans = std::fs::read_to_string(sysfs.join("loop/partscan"));
    if !sysfs.exists() || scans.is_ok_and(|text| text.trim() == "0") {
        return Ok(());
    }
    read(runner, device, PAUSE).await
}

/// How often the kernel is asked, and how long it is waited in between.
const TRIES: usize = 10;
const PAUSE: Duration = Duration::from_millis(200);

/// The kernel reads no table while a partition of the old one is open, as it is when udev looks into it.
async fn read(runner: &dyn Runner, device: &str, pause: Duration) -> Result<(), process::Error> {
    let command = Command::new("blockdev").arg("--rereadpt").arg(device);
    for _ in 1..TRIES {
        if runner.run(&command).await?.ok() {
            return Ok(());
        }
        tokio::time::sleep(pause).await;
    }
    runner.run(&command).await?.success(&command).map(|_| ())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::process::Output;
    use crate::process::scripted::Scripted;

    /// A device that is in use for the first `tries`.
    fn busy(tries: usize) -> Scripted {
        let asked = AtomicUsize::new(0);
        Scripted::new().rule(move |_| {
            let busy = asked.fetch_add(1, Ordering::Relaxed) < tries;
            let stderr =
                if busy { "ioctl error on BLKRRPART: Device or resource busy" } else { "" };
            let stderr = stderr.as_bytes().to_vec();
            Some(Output { code: Some(i32::from(busy)), stdout: Vec::new(), stderr })
        })
    }

    #[tokio::test]
    async fn a_partition_that_is_open_for_a_moment_is_waited_for() {
        let runner = busy(3);
        read(&runner, "/dev/x", Duration::ZERO).await.unwrap();
        assert_eq!(runner.seen(), vec!["blockdev --rereadpt /dev/x"; 4]);
        let error = read(&busy(TRIES), "/dev/x", Duration::ZERO).await.unwrap_err();
        assert!(error.to_string().contains("resource busy"), "{error}");
    }

    #[tokio::test]
    async fn a_disk_that_is_gone_has_no_partitions() {
        let runner = busy(TRIES);
        read_again(&runner, "/dev/was-pulled-out").await.unwrap();
        assert_eq!(runner.seen(), Vec::<String>::new());
    }
}
