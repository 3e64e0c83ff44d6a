//! Files onto the other machine, as a tar stream on standard input: exact modes and owners, and
//! nothing of the content in an argument, where others could read it.

use std::io;

use zeroize::Zeroizing;

use super::command::{Remote, RemoteCommand};
use crate::process::Error;
use crate::validated::AbsolutePath;

const SCRIPT: &str = include_str!("put.sh");

/// Permissions, set-id bits and the sticky bit.
const MODE_BITS: u32 = 0o7777;

/// More than what an entry takes beside its content: headers for a path of 4096 bytes, padding.
const ENTRY_ROOM: usize = 8192;

/// A file or directory to be made.
#[derive(Clone)]
pub struct Entry {
    /// Where, seen from the root that the tree is put under (so it starts with `/`).
    pub path: AbsolutePath,
    /// Permission bits.
    pub mode: u32,
    /// Owner's number.
    pub uid: u32,
    /// Group's number.
    pub gid: u32,
    /// What it is.
    pub content: Content,
}

/// What an [`Entry`] is.
#[derive(Clone)]
pub enum Content {
    /// A directory. One that is there already keeps its mode and owner.
    Directory,
    /// A file with these bytes, which are zeroed after use.
    File(Zeroizing<Vec<u8>>),
}

/// Puts `entries` under `root` (`/`, `/mnt`) as root: directories first, each in their order.
/// Missing parents are made 0755, root's; directories that are there keep their mode and owner. A
/// file that is there is replaced.
pub async fn put_tree(
    remote: &dyn Remote,
    entries: &[Entry],
    root: &AbsolutePath,
) -> Result<(), Error> {
    let under = root.as_str().trim_end_matches('/');
    let named = format!("put {} under {root}", paths(entries));
    let archive =
        archive(entries).map_err(|source| Error::Io { command: named.clone(), source })?;
    let mut command = RemoteCommand::script(SCRIPT).arg(under);
    for entry in entries.iter().filter(|entry| matches!(entry.content, Content::Directory)) {
        command = command
            .arg(entry.path.as_str())
            .arg(format!("{:04o}", entry.mode & MODE_BITS))
            .arg(format!("{}:{}", entry.uid, entry.gid));
    }
    let output = remote.run(&command.stdin_bytes(archive).as_root()).await?;
    output.success(&named).map(drop)
}

/// Puts one file, owned by root.
pub async fn put_file(
    remote: &dyn Remote,
    path: &AbsolutePath,
    mode: u32,
    content: &[u8],
) -> Result<(), Error> {
    let content = Content::File(Zeroizing::new(content.to_vec()));
    let entry = Entry { path: path.clone(), mode, uid: 0, gid: 0, content };
    let root = "/".parse().map_err(|error| Error::Io {
        command: format!("put {path}"),
        source: io::Error::new(io::ErrorKind::InvalidInput, error),
    });
    put_tree(remote, &[entry], &root?).await
}

/// The files of `entries` as a tar archive.
fn archive(entries: &[Entry]) -> io::Result<Vec<u8>> {
    let files = entries.iter().filter_map(|entry| match &entry.content {
        Content::File(bytes) => Some((entry, bytes)),
        Content::Directory => None,
    });
    // Room for all of it at once: a vector that grows leaves its old bytes behind in memory.
    let room: usize = files.clone().map(|(_, bytes)| bytes.len() + ENTRY_ROOM).sum();
    let mut archive = tar::Builder::new(Vec::with_capacity(room + ENTRY_ROOM));
    for (entry, bytes) in files {
        let path = entry.path.as_str().trim_start_matches('/');
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(entry.mode & MODE_BITS);
        header.set_uid(entry.uid.into());
        header.set_gid(entry.gid.into());
        header.set_mtime(0);
        archive.append_data(&mut header, path, bytes.as_slice())?;
    }
    archive.into_inner()
}

fn paths(entries: &[Entry]) -> String {
    let paths: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
    paths.join(", ")
}
