//! A disk that is open for us alone, past the page cache.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

use super::buffer::ALIGNMENT;
use crate::iso::device::Disk;
use crate::iso::find::{is_there, sequence};

/// An open disk.
pub struct Device {
    /// Its path.
    pub path: String,
    /// Bytes.
    pub(super) size: u64,
    /// What is written starts and ends at multiples of this.
    pub(super) block: usize,
    pub(super) medium: Box<dyn Medium>,
}

/// Where the bytes go: the kernel's device, or one that fails as a test wants it.
pub(super) trait Medium: Send {
    /// Writes from `offset` on, as far as it can; gives how far.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;
    /// Reads from `offset` on, as far as it can; gives how far.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Waits until all that was written is on the medium.
    fn flush(&self) -> io::Result<()>;
    /// Does the system still have it?
    fn is_there(&self) -> bool;
}

/// Why a disk could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The kernel says that somebody has it.
    #[error(
        "{path} is in use: another program writes to it, or it is part of a file system or a pool of several disks"
    )]
    Busy {
        /// Its path.
        path: String,
    },
    /// It is another medium than the one that was looked at.
    #[error("{path} is another medium than before")]
    Changed {
        /// Its path.
        path: String,
    },
    /// It can't be opened.
    #[error("{path} can't be opened for writing: {source}")]
    Io {
        /// Its path.
        path: String,
        /// What the system said.
        source: io::Error,
    },
}

impl Device {
    /// Opens `disk`. open(2): with `O_EXCL` and without `O_CREAT` it fails if the device is in use by the system,
    /// and so do others until it is closed.
    pub(super) fn open(disk: &Disk) -> Result<Self, OpenError> {
        let path = disk.live.path.clone();
        let mut file = match open_alone(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                return Err(OpenError::Busy { path });
            }
            Err(source) => return Err(OpenError::Io { path, source }),
        };
        let (size, block) = match measures(&mut file) {
            Ok(measures) => measures,
            Err(source) => return Err(OpenError::Io { path, source }),
        };
        if size != disk.live.size || sequence(&file) != disk.sequence {
            return Err(OpenError::Changed { path });
        }
        Ok(Self { path, size, block, medium: Box::new(file) })
    }
}

#[cfg(target_os = "linux")]
fn open_alone(path: &str) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDWR | OFlags::EXCL | OFlags::DIRECT | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}

#[cfg(not(target_os = "linux"))]
fn open_alone(_path: &str) -> io::Result<File> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "disks are written on Linux only"))
}

/// Bytes of a block, as BLKSSZGET gives them.
#[cfg(target_os = "linux")]
fn block_size(file: &File) -> io::Result<usize> {
    Ok(usize::try_from(rustix::fs::ioctl_blksszget(file)?).unwrap_or(0))
}

#[cfg(not(target_os = "linux"))]
fn block_size(_file: &File) -> io::Result<usize> {
    Ok(ALIGNMENT)
}

/// Size of the device and of its blocks, for which memory is aligned as well.
fn measures(file: &mut File) -> io::Result<(u64, usize)> {
    let size = file.seek(SeekFrom::End(0))?;
    let block = block_size(file)?;
    if block == 0 || !ALIGNMENT.is_multiple_of(block) {
        return Err(io::Error::other(format!("it has blocks of {block} bytes")));
    }
    Ok((size, block))
}

impl Medium for File {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        FileExt::write_at(self, bytes, offset)
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, bytes, offset)
    }

    fn flush(&self) -> io::Result<()> {
        self.sync_all()
    }

    fn is_there(&self) -> bool {
        is_there(self)
    }
}

impl Device {
    /// Writes all of `bytes`, of whole blocks. What is written short goes on at the last whole block.
    pub(super) fn write(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut done = 0;
        while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
            match self.medium.write_at(rest, offset + done as u64) {
                Ok(written) => {
                    let whole = written - written % self.block;
                    if whole == 0 {
                        let text = "it takes no more bytes";
                        return Err(io::Error::new(io::ErrorKind::WriteZero, text));
                    }
                    done += whole;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Fills `bytes`, of whole blocks.
    pub(super) fn read(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let mut done = 0;
        while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.medium.read_at(rest, offset + done as u64) {
                Ok(read) => {
                    let whole = read - read % self.block;
                    if whole == 0 {
                        let text = "it ends there";
                        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
                    }
                    done += whole;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The system's words, and what they mean of a disk. Linux gives a disk that was pulled out no size, and a
    /// failure of the medium a number of its own.
    pub(super) fn explain(&self, error: &io::Error) -> String {
        use rustix::io::Errno;
        if !self.medium.is_there() {
            return format!("the device is gone ({error})");
        }
        match Errno::from_io_error(error) {
            Some(Errno::NXIO | Errno::NODEV | Errno::NOSPC) => {
                format!("the device is gone or became smaller ({error})")
            }
            Some(Errno::IO | Errno::NOLINK | Errno::TIMEDOUT | Errno::ILSEQ) => {
                format!("the device reports an error ({error})")
            }
            Some(Errno::NODATA) => {
                format!("the device reports that its medium is damaged ({error})")
            }
            _ => error.to_string(),
        }
    }
}
