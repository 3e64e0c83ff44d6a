//! Reading archives (NAR), as strictly as C++ Nix 2.34: one tree has one archive.

use std::io::{self, Read};

use super::error::{StoreError, shown};
use super::nar::{MAGIC, MAX_DEPTH, is_file_name};
use super::wire::read_number;

/// Longest word of the format that is read, so that what is no archive shows in the message.
const MAX_TAG: u64 = 32;
/// Longest name of a file.
const MAX_NAME: u64 = 255;
/// Longest target of a symbolic link.
const MAX_TARGET: u64 = 4095;

/// What comes next in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NarEvent {
    /// A folder; its entries follow, and then an [`NarEvent::End`].
    Directory,
    /// The name of the node that follows.
    Entry(Vec<u8>),
    /// A file, whose content can now be read from the reader.
    File {
        /// May it be executed?
        executable: bool,
        /// How many bytes it has.
        size: u64,
    },
    /// A symbolic link with its target.
    Symlink(Vec<u8>),
    /// The end of the innermost folder.
    End,
}

/// Reads an archive event by event; the content of a file, as a [`Read`]. Give it a buffered
/// input: it reads in small pieces. What follows the archive is left in the input.
#[derive(Debug)]
pub struct NarReader<R> {
    input: R,
    next: Next,
    /// For each open folder, the name of its last entry.
    folders: Vec<Vec<u8>>,
}

#[derive(Debug, Clone, Copy)]
enum Next {
    Magic,
    Node,
    Contents { size: u64, left: u64 },
    Entry,
    Nothing,
}

impl<R: Read> NarReader<R> {
    /// Reads the archive that `input` begins with.
    pub const fn new(input: R) -> Self {
        Self { input, next: Next::Magic, folders: Vec::new() }
    }

    /// The next event; `None` after the last one. What was not read of a file is passed over.
    ///
    /// # Errors
    ///
    /// [`StoreError::Archive`] and its like for what is no archive, [`StoreError::Io`].
    pub fn next_event(&mut self) -> Result<Option<NarEvent>, StoreError> {
        loop {
            match self.next {
                Next::Magic => self.magic()?,
                Next::Node => return self.node().map(Some),
                Next::Contents { size, .. } => {
                    io::copy(self, &mut io::sink())?;
                    self.padding(size)?;
                    self.expect(")")?;
                    self.after_node()?;
                }
                Next::Entry => return self.entry().map(Some),
                Next::Nothing => return Ok(None),
            }
        }
    }

    /// Gives back the input.
    pub fn into_inner(self) -> R {
        self.input
    }

    fn magic(&mut self) -> Result<(), StoreError> {
        match self.string(MAGIC.len() as u64) {
            Ok(magic) if magic == MAGIC => self.next = Next::Node,
            Err(StoreError::Io(error)) => return Err(error.into()),
            Ok(_) | Err(_) => return Err(bad("input doesn't look like a Nix archive")),
        }
        Ok(())
    }

    fn node(&mut self) -> Result<NarEvent, StoreError> {
        if self.folders.len() >= MAX_DEPTH {
            return Err(bad(format!("NAR directory nesting exceeds maximum depth of {MAX_DEPTH}")));
        }
        self.expect("(")?;
        self.expect("type")?;
        match &*self.string(MAX_TAG)? {
            b"regular" => self.file(),
            b"directory" => {
                self.folders.push(Vec::new());
                self.next = Next::Entry;
                Ok(NarEvent::Directory)
            }
            b"symlink" => {
                self.expect("target")?;
                let target = self.string(MAX_TARGET)?;
                if target.is_empty() || target.contains(&0) {
                    return Err(bad("NAR contains invalid symlink target"));
                }
                self.expect(")")?;
                self.after_node()?;
                Ok(NarEvent::Symlink(target))
            }
            other => Err(bad(format!("unknown file type '{}'", shown(other)))),
        }
    }

    fn file(&mut self) -> Result<NarEvent, StoreError> {
        let mut tag = self.string(MAX_TAG)?;
        let executable = tag == b"executable";
        if executable {
            self.string(0)?;
            tag = self.string(MAX_TAG)?;
        }
        expected(&tag, "contents")?;
        let size = self.number()?;
        self.next = Next::Contents { size, left: size };
        Ok(NarEvent::File { executable, size })
    }

    fn entry(&mut self) -> Result<NarEvent, StoreError> {
        match &*self.string(MAX_TAG)? {
            b")" => {
                self.folders.pop();
                self.after_node()?;
                return Ok(NarEvent::End);
            }
            b"entry" => {}
            other => {
                return Err(bad(format!("expected tag 'entry' or ')', got '{}'", shown(other))));
            }
        }
        self.expect("(")?;
        self.expect("name")?;
        let name = self.string(MAX_NAME)?;
        if !is_file_name(&name) {
            return Err(bad(format!("NAR contains invalid file name '{}'", shown(&name))));
        }
        if let Some(last) = self.folders.last_mut() {
            if name <= *last {
                return Err(bad("NAR directory is not sorted"));
            }
            last.clone_from(&name);
        }
        self.expect("node")?;
        self.next = Next::Node;
        Ok(NarEvent::Entry(name))
    }

    /// Goes on after a whole node: with the folder around it, if there is one.
    fn after_node(&mut self) -> Result<(), StoreError> {
        self.next = Next::Nothing;
        if !self.folders.is_empty() {
            self.expect(")")?;
            self.next = Next::Entry;
        }
        Ok(())
    }

    fn expect(&mut self, tag: &str) -> Result<(), StoreError> {
        expected(&self.string(MAX_TAG)?, tag)
    }

    fn string(&mut self, most: u64) -> Result<Vec<u8>, StoreError> {
        let len = self.number()?;
        if len > most {
            return Err(StoreError::ArchiveString);
        }
        let mut text = Vec::new();
        self.input.by_ref().take(len).read_to_end(&mut text)?;
        if (text.len() as u64) < len {
            return Err(StoreError::ArchiveEnd);
        }
        self.padding(len)?;
        Ok(text)
    }

    fn number(&mut self) -> Result<u64, StoreError> {
        read_number(&mut self.input).map_err(ended)
    }

    fn padding(&mut self, len: u64) -> Result<(), StoreError> {
        for _ in 0..(8 - len % 8) % 8 {
            let mut byte = [0];
            self.exactly(&mut byte)?;
            if byte != [0] {
                return Err(StoreError::ArchivePadding);
            }
        }
        Ok(())
    }

    fn exactly(&mut self, bytes: &mut [u8]) -> Result<(), StoreError> {
        self.input.read_exact(bytes).map_err(ended)
    }
}

fn ended(error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => StoreError::ArchiveEnd,
        _ => error.into(),
    }
}

/// Reads the content of the file that was last told of.
impl<R: Read> Read for NarReader<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let Next::Contents { left, .. } = &mut self.next else { return Ok(0) };
        let got = self.input.by_ref().take(*left).read(bytes)?;
        if got == 0 && *left > 0 && !bytes.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, StoreError::ArchiveEnd));
        }
        *left -= got as u64;
        Ok(got)
    }
}

fn expected(tag: &[u8], expected: &str) -> Result<(), StoreError> {
    if tag == expected.as_bytes() {
        return Ok(());
    }
    Err(bad(format!("expected tag '{expected}', got '{}'", shown(tag))))
}

fn bad(problem: impl Into<String>) -> StoreError {
    StoreError::Archive(problem.into())
}
