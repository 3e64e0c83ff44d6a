//! The installer image and the disks that it is written to.
//!
//! [`image`] looks at the file, [`find`] at the disks, [`judge`] decides over both what may be erased, and
//! [`flash`] writes and reads back. What happens is told as [`event`]s. Nothing here asks, draws or parses
//! arguments.

pub mod build;
pub mod copy;
pub mod device;
pub mod digest;
pub mod event;
pub mod find;
pub mod flash;
pub mod image;
pub mod judge;
pub mod partitions;
