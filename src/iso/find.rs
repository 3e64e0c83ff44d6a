//! Finds disks: those that were named, or all that are removable. Nothing is read from them.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::device::{Disk, Medium, Sysfs};
use crate::process::{self, Command, Runner};
use crate::remote::probe::lsblk::{self, Device};

/// Why a path is no disk.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// Nothing is there.
    #[error("there is no {}", path.display())]
    Missing {
        /// The path.
        path: PathBuf,
        /// A device that may have been meant.
        meant: Option<PathBuf>,
    },
    /// Something else than a block device is there.
    #[error("{} is {what}, not a disk", path.display())]
    NoDisk {
        /// The path.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// It can't be looked at.
    #[error("{} can't be looked at: {source}", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is a block device without a medium.
    #[error("{} has nothing in it: no medium, or no file behind it", path.display())]
    Empty {
        /// The path.
        path: PathBuf,
    },
    /// What was asked for by the number of its medium has another one by now.
    #[error("{} is another medium by now", path.display())]
    Changed {
        /// The path.
        path: PathBuf,
    },
    /// lsblk did not run.
    #[error("could not look at the disks: {0}")]
    Run(#[from] process::Error),
    /// Its answer makes no sense.
    #[error("the answer of lsblk is not understood: {0}")]
    Answer(String),
}

impl FindError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { meant: Some(meant), .. } => {
                Some(format!("did you mean {}?", meant.display()))
            }
            Self::Missing { .. } => Some("`lsblk` lists the disks of this machine".to_owned()),
            Self::NoDisk { path, what: FILE, .. } => {
                Some(format!("--output {} copies the image to a file", path.display()))
            }
            Self::Changed { .. } => Some(
                "nothing was erased; name the disk that is there now, `lsblk` lists them"
                    .to_owned(),
            ),
            Self::Empty { .. } => Some("put the card or the stick in again".to_owned()),
            _ => None,
        }
    }

    /// Is the command line wrong, rather than the machine?
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::NoDisk { .. })
    }
}

const FILE: &str = "a regular file";

/// What is asked for, without the mount points.
const COLUMNS: &str =
    "NAME,KNAME,PATH,TYPE,SIZE,FSTYPE,LABEL,PARTLABEL,PTTYPE,MODEL,SERIAL,TRAN,RM,RO,PKNAME";

/// The disk at `path`, wherever links lead.
pub async fn named(runner: &dyn Runner, path: &Path) -> Result<Disk, FindError> {
    let real = block_device(path)?;
    let devices = ask(runner, Some(&real)).await?;
    let device = devices.first().ok_or_else(|| FindError::Empty { path: real.clone() })?;
    let disk = disk(device)
        .ok_or_else(|| FindError::Answer(format!("it has no path for {}", real.display())))?;
    let mut disk = awake(disk);
    if number_in(path).is_some_and(|number| disk.sequence != Some(number)) {
        return Err(FindError::Changed { path: path.to_owned() });
    }
    // A path that differs from the kernel's is shown beside it.
    disk.named = (path != Path::new(&disk.live.path)).then(|| path.to_owned());
    Ok(disk)
}

/// The removable disks of this machine that have a medium.
pub async fn removable(runner: &dyn Runner) -> Result<Vec<Disk>, FindError> {
    let devices = ask(runner, None).await?;
    let disks = devices.iter().filter_map(disk);
    let fit =
        |disk: &Disk| disk.kind == "disk" && disk.medium == Medium::Removable && disk.live.size > 0;
    Ok(disks.filter(fit).map(awake).collect())
}

/// A disk tells what has happened to it (it was reset, its medium was changed) the next time it is opened, and then
/// the kernel counts up. It is opened here, so that it is not counted up later, when it is opened to be written. Who
/// may not open it is not who writes to it.
fn awake(disk: Disk) -> Disk {
    let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let opened = fs::OpenOptions::new().read(true).custom_flags(flags).open(&disk.live.path);
    match opened {
        Ok(device) => Disk { sequence: sequence(&device), ..disk },
        Err(_) => disk,
    }
}

/// The number of the medium in a path that names it by that.
fn number_in(path: &Path) -> Option<u64> {
    path.strip_prefix("/dev/disk/by-diskseq").ok()?.to_str()?.parse().ok()
}

/// Where the block device at `path` really is.
fn block_device(path: &Path) -> Result<PathBuf, FindError> {
    let unreadable = |source| FindError::Unreadable { path: path.to_owned(), source };
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let meant = Path::new("/dev").join(path);
            let meant = Some(meant).filter(|device| path.is_relative() && is_block(device));
            return Err(FindError::Missing { path: path.to_owned(), meant });
        }
        Err(error) => return Err(unreadable(error)),
    };
    let kind = meta.file_type();
    let what = if kind.is_block_device() {
        return fs::canonicalize(path).map_err(unreadable);
    } else if kind.is_dir() {
        "a folder"
    } else if kind.is_file() {
        FILE
    } else if kind.is_char_device() {
        "a character device"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "something unknown"
    };
    Err(FindError::NoDisk { path: path.to_owned(), what })
}

fn is_block(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.file_type().is_block_device())
}

/// Asks lsblk for `device` alone, or for all. Before version 2.37 it knows one mount point of a device only.
async fn ask(runner: &dyn Runner, device: Option<&Path>) -> Result<Vec<Device>, FindError> {
    let command = |mounts: &str| {
        let columns = format!("{COLUMNS},{mounts}");
        let command = Command::new("lsblk").args(["--json", "--bytes", "--output", &columns]);
        match device {
            Some(device) => command.arg("--").arg(device),
            None => command,
        }
    };
    let mut first = command("MOUNTPOINTS");
    let mut output = runner.run(&first).await?;
    if output.error_text().contains("unknown column") {
        first = command("MOUNTPOINT");
        output = runner.run(&first).await?;
    }
    // lsblk(8): 32 none of the devices was found, which is told by the empty answer.
    if output.code == Some(32) {
        return Ok(Vec::new());
    }
    let output = output.success(&first)?;
    lsblk::parse(&output.text()).map_err(|error| FindError::Answer(error.to_string()))
}

/// The device with what only sysfs knows.
fn disk(device: &Device) -> Option<Disk> {
    let sysfs = |name: &str, what: &str| Path::new("/sys/class/block").join(name).join(what);
    let name = device.kernel_name();
    let starts = device.all().into_iter().filter_map(|part| {
        let part = part.kernel_name();
        Some((part, number(&sysfs(part, "start"))?))
    });
    let known = Sysfs {
        starts: starts.collect(),
        sd_card: word(&sysfs(name, "device/type")).as_deref() == Some("SD"),
        sequence: number(&sysfs(name, "diskseq")),
    };
    Disk::of(device, &known)
}

/// The sequence number of the medium that an open device has now.
pub(super) fn sequence(device: &fs::File) -> Option<u64> {
    number(&sysfs(device)?.join("diskseq"))
}

/// Does the system still have the device that is open?
pub(super) fn is_there(device: &fs::File) -> bool {
    sysfs(device).is_some_and(|folder| folder.exists())
}

/// What sysfs has of an open device.
#[cfg(target_os = "linux")]
fn sysfs(device: &fs::File) -> Option<PathBuf> {
    use std::os::unix::fs::MetadataExt;
    let number_of = device.metadata().ok()?.rdev();
    let (major, minor) = (rustix::fs::major(number_of), rustix::fs::minor(number_of));
    Some(PathBuf::from(format!("/sys/dev/block/{major}:{minor}")))
}

/// Other systems have none, and no disk is opened there.
#[cfg(not(target_os = "linux"))]
fn sysfs(_device: &fs::File) -> Option<PathBuf> {
    None
}

fn word(path: &Path) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

fn number(path: &Path) -> Option<u64> {
    word(path)?.parse().ok()
}
