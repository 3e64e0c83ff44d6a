//! Symbolic links within the real store, as pure evaluation follows them: one after the other, so that none leads out
//! of the store unseen.

use std::cell::RefCell;
use std::io;

use rustc_hash::FxHashSet;

use crate::eval::io::{EvalIo, FileType};

/// The paths that are known to be no links: folders are walked through again and again.
#[derive(Default)]
pub(super) struct Links {
    none: RefCell<FxHashSet<Box<[u8]>>>,
}

impl Links {
    /// Where the first link on the way from `folder` to `path` below it leads, with what comes behind; nothing if there is
    /// none. It is an absolute path that may hold `..`. The last component counts only if `last` says so.
    pub(super) fn first(
        &self,
        io: &dyn EvalIo,
        folder: &[u8],
        path: &[u8],
        last: bool,
    ) -> io::Result<Option<Vec<u8>>> {
        let mut at = folder.to_vec();
        let mut up = false;
        let below = path.strip_prefix(folder).unwrap_or(path);
        let mut components = below.split(|byte| *byte == b'/').filter(|name| !name.is_empty());
        while let Some(name) = components.next() {
            match name {
                b"." => continue,
                b".." => {
                    at.truncate(at.iter().rposition(|byte| *byte == b'/').unwrap_or(0));
                    up = true;
                    continue;
                }
                _ => {}
            }
            let parent = at.len();
            at.push(b'/');
            at.extend_from_slice(name);
            let is_last = components.clone().next().is_none();
            if (is_last && !last) || self.none.borrow().contains(&at[..]) {
                continue;
            }
            match io.file_type(&at)? {
                Some(FileType::Symlink) => {
                    let target = io.read_link(&at)?;
                    at.truncate(if target.starts_with(b"/") { 0 } else { parent });
                    return Ok(Some(joined(at, std::iter::once(&target[..]).chain(components))));
                }
                // Whoever reads it says so.
                None => return Ok(up.then(|| joined(at, components))),
                Some(FileType::Directory) => {
                    self.none.borrow_mut().insert(at.as_slice().into());
                }
                Some(_) => {}
            }
        }
        Ok(up.then_some(at))
    }
}

fn joined<'p>(mut at: Vec<u8>, rest: impl Iterator<Item = &'p [u8]>) -> Vec<u8> {
    for part in rest {
        at.push(b'/');
        at.extend_from_slice(part);
    }
    at
}
