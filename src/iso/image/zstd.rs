//! The size of a Zstandard file unpacked, and whether it is whole, from the headers of its frames and blocks
//! alone (RFC 8878): nothing is unpacked for it.

use std::fs::File;

use super::{Flaw, read_up_to};

const MAGIC: u32 = 0xfd2f_b528;

/// The sum over all frames; `None` where one of them does not tell.
pub(super) fn unpacked_size(file: &File) -> Result<Option<u64>, Flaw> {
    let mut walk = Walk { file, at: 0, end: file.metadata()?.len() };
    let mut sum = Some(0_u64);
    while walk.at < walk.end {
        let magic = walk.little(4)?;
        // Section 3.1.2: skippable frames.
        if magic & !0xf == 0x184d_2a50 {
            let length = walk.little(4)?;
            walk.skip(length)?;
            continue;
        }
        if magic != u64::from(MAGIC) {
            return Err(Flaw::NoImage("its packed data is followed by something else".into()));
        }
        let size = walk.frame()?;
        sum = sum.zip(size).and_then(|(sum, size)| sum.checked_add(size));
    }
    Ok(sum)
}

struct Walk<'a> {
    file: &'a File,
    at: u64,
    end: u64,
}

impl Walk<'_> {
    /// Goes over a frame behind its magic number; gives its size unpacked.
    fn frame(&mut self) -> Result<Option<u64>, Flaw> {
        let descriptor = self.little(1)?;
        let single = descriptor >> 5 & 1 == 1;
        if !single {
            self.skip(1)?;
        }
        let dictionary = match descriptor & 3 {
            3 => 4,
            bytes => bytes,
        };
        self.skip(dictionary)?;
        // Section 3.1.1.1.4.
        let size = match (descriptor >> 6, single) {
            (0, false) => None,
            (0, true) => Some(self.little(1)?),
            (1, _) => Some(self.little(2)? + 256),
            (2, _) => Some(self.little(4)?),
            _ => Some(self.little(8)?),
        };
        self.blocks()?;
        if descriptor >> 2 & 1 == 1 {
            self.skip(4)?;
        }
        Ok(size)
    }

    /// Section 3.1.1.2.
    fn blocks(&mut self) -> Result<(), Flaw> {
        loop {
            let header = self.little(3)?;
            let (last, kind, size) = (header & 1 == 1, header >> 1 & 3, header >> 3);
            match kind {
                1 => self.skip(1)?,
                3 => return Err(Flaw::NoImage("its packed data is damaged".into())),
                _ => self.skip(size)?,
            }
            if last {
                return Ok(());
            }
        }
    }

    fn skip(&mut self, bytes: u64) -> Result<(), Flaw> {
        self.at = self.at.saturating_add(bytes);
        if self.at > self.end {
            return Err(Flaw::Truncated("its packed data ends too early".into()));
        }
        Ok(())
    }

    /// A number of up to 8 bytes.
    fn little(&mut self, bytes: usize) -> Result<u64, Flaw> {
        let mut number = [0; 8];
        let from = self.at;
        self.skip(bytes as u64)?;
        if let Some(part) = number.get_mut(..bytes) {
            read_up_to(self.file, part, from)?;
        }
        Ok(u64::from_le_bytes(number))
    }
}
