//! Answers of earlier evaluations in files: what is asked under a [`Key`] was evaluated from the very same
//! flake by the very same evaluator. Knows nothing of what the answers mean.
//!
//! An entry is a file of its own, named by its key. It begins with a line that says what it is, then
//! comes a checksum over its key and its contents. What does not fit is no entry: it is told, passed
//! over, and replaced by the next answer. Files are replaced as a whole, so that two runs at once see
//! either answer, both of which are right.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use crate::files;

/// The first line of every entry; its number counts changes of the form.
const MAGIC: &[u8] = b"nixos-bootstrap facts 1\n";

/// How an entry's name ends.
const ENDING: &str = "facts";

/// Hashes as text are this long.
const HASH: usize = 64;

/// All entries together may be this large, and each alone.
const LARGEST: u64 = 64 << 20;

/// What is left after the oldest entries are removed: not nearly all, so that it is not done each time.
const KEPT: u64 = LARGEST / 4 * 3;

/// A folder with entries.
#[derive(Clone)]
pub struct Cache {
    dir: PathBuf,
    identity: Vec<u8>,
    largest: u64,
    kept: u64,
    warn: Arc<dyn Fn(&str) + Send + Sync>,
    /// Was it told that nothing can be written?
    told: Arc<AtomicBool>,
}

/// What an answer is the answer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key(String);

impl Cache {
    /// Entries in `dir`, which is made when there is something to put into it. `identity` tells this
    /// evaluator from all others, and `warn` is told what is wrong with entries.
    #[must_use]
    pub fn new(dir: PathBuf, identity: Vec<u8>, warn: Arc<dyn Fn(&str) + Send + Sync>) -> Self {
        Self { dir, identity, largest: LARGEST, kept: KEPT, warn, told: Arc::default() }
    }

    /// The key of a question: its parts in order.
    pub(super) fn key(&self, parts: &[&[u8]]) -> Key {
        let mut hash = Sha256::new();
        for part in [MAGIC, &self.identity].iter().chain(parts) {
            // With their lengths, so that no part can run into the next.
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        Key(hex(&hash.finalize()))
    }

    /// The answer, if there is one.
    pub(super) fn get(&self, key: &Key) -> Option<Vec<u8>> {
        let path = self.path(key);
        let reason = match read(&path, self.largest) {
            Ok(Some(bytes)) => match contents(key, bytes) {
                Some(contents) => return Some(contents),
                None => "it is damaged, or no entry at all".to_owned(),
            },
            Ok(None) => return None,
            Err(error) => error.to_string(),
        };
        self.tell("is passed over", &path, &reason);
        None
    }

    /// Says that an entry with the right checksum means nothing.
    pub(super) fn refuse(&self, key: &Key, reason: &str) {
        self.tell("is passed over", &self.path(key), reason);
    }

    /// Remembers an answer. That it can't be is told, once for all of them, and changes nothing else.
    pub(super) fn put(&self, key: &Key, answer: &[u8]) {
        if let Err(error) = self.write(&self.path(key), key, answer)
            && !self.told.swap(true, Ordering::Relaxed)
        {
            let dir = self.dir.display();
            (self.warn)(&format!("facts can't be remembered, {dir} could not be written: {error}"));
        }
    }

    /// Removes the oldest entries if all together are too large.
    pub(super) fn tidy(&self) {
        let Ok(entries) = fs::read_dir(&self.dir) else { return };
        let mut files: Vec<(SystemTime, u64, PathBuf)> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let about = entry.metadata().ok().filter(fs::Metadata::is_file)?;
                Some((about.modified().ok()?, about.len(), entry.path()))
            })
            .collect();
        let mut size: u64 = files.iter().map(|(_, len, _)| len).sum();
        if size <= self.largest {
            return;
        }
        files.sort();
        for (_, len, path) in files {
            if size <= self.kept {
                break;
            }
            // Another run may have been faster.
            let _ = fs::remove_file(path);
            size -= len;
        }
    }

    fn write(&self, path: &Path, key: &Key, answer: &[u8]) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
        let mut file = files::new_in(&self.dir, ".new-", 0o600)?;
        let entry = [MAGIC, checksum(key, answer).as_bytes(), b"\n", answer].concat();
        file.as_file_mut().write_all(&entry)?;
        file.persist(path)?;
        Ok(())
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.dir.join(format!("{}.{ENDING}", key.0))
    }

    fn tell(&self, what: &str, path: &Path, reason: &str) {
        (self.warn)(&format!("the cached facts {} {what}: {reason}", path.display()));
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// The bytes of a file; `None` where there is none. Nothing that could make one wait is opened.
fn read(path: &Path, largest: u64) -> io::Result<Option<Vec<u8>>> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file: File = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let about = file.metadata()?;
    if !about.is_file() || about.len() > largest {
        return Err(io::Error::other("it is no entry"));
    }
    let mut bytes = Vec::new();
    file.take(largest).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// What stands behind the head of an entry; `None` if the head does not fit to it.
fn contents(key: &Key, mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let head = bytes.strip_prefix(MAGIC)?;
    let (sum, contents) = head.split_at_checked(HASH)?;
    let contents = contents.strip_prefix(b"\n")?;
    if sum != checksum(key, contents).as_bytes() {
        return None;
    }
    let start = bytes.len() - contents.len();
    Some(bytes.split_off(start))
}

/// Over the key as well: an entry under another name is none.
fn checksum(key: &Key, contents: &[u8]) -> String {
    hex(&Sha256::new().chain_update(&key.0).chain_update(contents).finalize())
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Mutex;

    use super::*;

    struct Folder {
        cache: Cache,
        told: Arc<Mutex<Vec<String>>>,
        dir: tempfile::TempDir,
    }

    impl Folder {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let told = Arc::new(Mutex::new(Vec::new()));
            let warned = told.clone();
            let warn = move |text: &str| warned.lock().unwrap().push(text.to_owned());
            let cache = Cache::new(dir.path().join("a/b"), b"one".to_vec(), Arc::new(warn));
            Self { cache, told, dir }
        }

        fn warnings(&self) -> Vec<String> {
            std::mem::take(&mut *self.told.lock().unwrap())
        }
    }

    #[test]
    fn an_answer_is_found_again_under_its_key_only() {
        let folder = Folder::new();
        let cache = &folder.cache;
        let key = cache.key(&[b"ab", b"c"]);
        assert_eq!(cache.get(&key), None);
        cache.put(&key, b"answer");
        assert_eq!(cache.get(&key).unwrap(), b"answer");
        cache.put(&key, b"");
        assert_eq!(cache.get(&key).unwrap(), b"");
        assert_eq!(cache.get(&cache.key(&[b"a", b"bc"])), None);
        let other = Cache { identity: b"two".to_vec(), ..cache.clone() };
        assert_eq!(other.get(&other.key(&[b"ab", b"c"])), None);
        assert_eq!(folder.warnings(), Vec::<String>::new());
    }

    #[test]
    fn entries_are_for_their_owner_alone() {
        let folder = Folder::new();
        let key = folder.cache.key(&[b"x"]);
        folder.cache.put(&key, b"answer");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder.cache.path(&key)), 0o600);
        assert_eq!(mode(&folder.dir.path().join("a")), 0o700);
        assert_eq!(fs::read_dir(&folder.cache.dir).unwrap().count(), 1);
    }

    #[test]
    fn what_is_damaged_is_told_and_replaced() {
        let folder = Folder::new();
        let cache = &folder.cache;
        let key = cache.key(&[b"x"]);
        cache.put(&key, b"some answer");
        let whole = fs::read(cache.path(&key)).unwrap();
        let mut wrong: Vec<Vec<u8>> = (0..whole.len()).map(|len| whole[..len].to_vec()).collect();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            wrong.push(bytes);
        }
        wrong.push([&whole[..], b"x"].concat());
        for bytes in wrong {
            fs::write(cache.path(&key), &bytes).unwrap();
            assert_eq!(cache.get(&key), None, "{}", String::from_utf8_lossy(&bytes));
            assert_eq!(folder.warnings().len(), 1);
        }
        cache.put(&key, b"some answer");
        assert_eq!(cache.get(&key).unwrap(), b"some answer");
    }

    #[test]
    fn an_entry_of_another_key_is_none() {
        let folder = Folder::new();
        let cache = &folder.cache;
        let (one, other) = (cache.key(&[b"1"]), cache.key(&[b"2"]));
        cache.put(&one, b"answer");
        fs::copy(cache.path(&one), cache.path(&other)).unwrap();
        assert_eq!(cache.get(&other), None);
        assert!(folder.warnings()[0].contains("damaged"));
    }

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let folder = Folder::new();
        let cache = &folder.cache;
        let key = cache.key(&[b"x"]);
        fs::create_dir_all(&cache.dir).unwrap();
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, cache.path(&key), rustix::fs::FileType::Fifo, mode, 0)
            .unwrap();
        assert_eq!(cache.get(&key), None);
        cache.put(&key, b"answer");
        assert_eq!(cache.get(&key).unwrap(), b"answer");
        fs::remove_file(cache.path(&key)).unwrap();
        std::os::unix::fs::symlink("/dev/zero", cache.path(&key)).unwrap();
        assert_eq!(cache.get(&key), None);
        fs::remove_file(cache.path(&key)).unwrap();
        fs::create_dir(cache.path(&key)).unwrap();
        assert_eq!(cache.get(&key), None);
        cache.put(&key, b"answer");
        assert_eq!(folder.warnings().len(), 4);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_told() {
        let folder = Folder::new();
        let key = folder.cache.key(&[b"x"]);
        fs::write(folder.dir.path().join("a"), b"a file").unwrap();
        folder.cache.put(&key, b"answer");
        folder.cache.put(&folder.cache.key(&[b"y"]), b"answer");
        let warnings = folder.warnings();
        assert!(
            matches!(&warnings[..], [one] if one.contains("could not be written")),
            "{warnings:?}"
        );
        folder.cache.tidy();
    }

    #[test]
    fn the_oldest_entries_go() {
        let folder = Folder::new();
        let cache = Cache { largest: 2000, kept: 1000, ..folder.cache.clone() };
        let keys: Vec<Key> = (0..30u8).map(|number| cache.key(&[&[number]])).collect();
        for (age, key) in keys.iter().enumerate() {
            cache.put(key, &[b'x'; 100]);
            let time = SystemTime::now() - std::time::Duration::from_secs(age as u64 * 60);
            let file = OpenOptions::new().write(true).open(cache.path(key)).unwrap();
            file.set_modified(time).unwrap();
        }
        cache.tidy();
        let left = keys.iter().take_while(|key| cache.get(key).is_some()).count();
        assert!((4..=6).contains(&left), "{left}");
        assert!(keys[left..].iter().all(|key| cache.get(key).is_none()));
        cache.tidy();
        assert_eq!(fs::read_dir(&cache.dir).unwrap().count(), left);
    }

    #[test]
    fn runs_at_once_do_not_break_each_other() {
        let folder = Folder::new();
        let key = folder.cache.key(&[b"x"]);
        std::thread::scope(|scope| {
            for number in 0..4u8 {
                let (cache, key) = (folder.cache.clone(), &key);
                scope.spawn(move || {
                    for _ in 0..200 {
                        cache.put(key, &vec![number; 1000 + usize::from(number)]);
                        let answer = cache.get(key).unwrap();
                        assert!(answer.iter().all(|byte| *byte == answer[0]));
                        assert_eq!(answer.len(), 1000 + usize::from(answer[0]));
                    }
                });
            }
        });
        assert_eq!(folder.warnings(), Vec::<String>::new());
    }
}
