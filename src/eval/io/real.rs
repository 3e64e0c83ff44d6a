//! The real outside: files, the environment, the clock and standard error. Starting programs is left to
//! functions that the caller gives.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::OFlags;

use super::line::render;
use super::{EvalIo, Fetch, FileType, Level, Wanted};
use crate::store::StorePath;

/// Has something fetched: [`EvalIo::fetch`].
pub type FetchHook = Box<dyn Fn(&Fetch) -> io::Result<Vec<u8>> + Send + Sync>;

/// The real store: what [`EvalIo`] asks of it.
pub trait StoreHook: Send + Sync {
    /// [`EvalIo::realise`]
    fn realise(&self, wanted: &Wanted<'_>) -> io::Result<BTreeSet<StorePath>>;

    /// [`EvalIo::references`]
    fn references(&self, path: &StorePath) -> io::Result<BTreeSet<StorePath>>;
}

/// This machine.
#[derive(Default)]
pub struct RealIo {
    colour: bool,
    interrupted: Option<Arc<AtomicBool>>,
    fetch: Option<FetchHook>,
    store: Option<Arc<dyn StoreHook>>,
}

impl RealIo {
    /// This machine, without programs: nothing is fetched or built.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With colours in what the program wants printed.
    #[must_use]
    pub fn with_colour(self, colour: bool) -> Self {
        Self { colour, ..self }
    }

    /// Stops the evaluation once `flag` is set.
    #[must_use]
    pub fn stopped_by(self, flag: Arc<AtomicBool>) -> Self {
        Self { interrupted: Some(flag), ..self }
    }

    /// Fetches with `hook`.
    #[must_use]
    pub fn fetching_with(self, hook: FetchHook) -> Self {
        Self { fetch: Some(hook), ..self }
    }

    /// Builds and asks with `hook`.
    #[must_use]
    pub fn with_store(self, hook: Arc<dyn StoreHook>) -> Self {
        Self { store: Some(hook), ..self }
    }

    /// What this machine is in Nix' words: `x86_64-linux`.
    #[must_use]
    pub fn system() -> Vec<u8> {
        let os = match std::env::consts::OS {
            "macos" => "darwin",
            os => os,
        };
        let arch = match std::env::consts::ARCH {
            "x86" => "i686",
            "arm" => "armv7l",
            arch => arch,
        };
        format!("{arch}-{os}").into_bytes()
    }

    /// The folder that this process works in, absolute and without symbolic links.
    pub fn current_dir() -> io::Result<Vec<u8>> {
        Ok(std::env::current_dir()?.into_os_string().into_vec())
    }
}

impl fmt::Debug for RealIo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RealIo")
            .field("colour", &self.colour)
            .field("fetches", &self.fetch.is_some())
            .field("has_store", &self.store.is_some())
            .finish_non_exhaustive()
    }
}

fn path_of(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

fn kind_of(file: fs::FileType) -> FileType {
    if file.is_file() {
        FileType::Regular
    } else if file.is_dir() {
        FileType::Directory
    } else if file.is_symlink() {
        FileType::Symlink
    } else {
        FileType::Unknown
    }
}

/// The contents of a plain file of the disk that has at most `most` bytes, and nothing else.
pub(in crate::eval) fn read_plain(path: &[u8], most: usize) -> Option<Vec<u8>> {
    // Nothing waits here for somebody to write to a pipe.
    let no_wait = OFlags::NONBLOCK.bits().cast_signed();
    let file = fs::OpenOptions::new().read(true).custom_flags(no_wait).open(path_of(path));
    let file = file.ok()?;
    let about = file.metadata().ok()?;
    let len = usize::try_from(about.len()).ok()?;
    if !about.is_file() || len > most {
        return None;
    }
    // What is written to it meanwhile is not waited for.
    let mut text = Vec::with_capacity(len + 1);
    file.take(about.len() + 1).read_to_end(&mut text).ok()?;
    (text.len() == len).then_some(text)
}

impl EvalIo for RealIo {
    fn read_file(&self, path: &[u8]) -> io::Result<Vec<u8>> {
        fs::read(path_of(path))
    }

    fn disk_path(&self, path: &[u8]) -> Option<Vec<u8>> {
        Some(path.to_vec())
    }

    fn open_file<'f>(&'f self, path: &[u8]) -> io::Result<(u64, Box<dyn io::Read + 'f>)> {
        let file = fs::File::open(path_of(path))?;
        let size = file.metadata()?.len();
        Ok((size, Box::new(file)))
    }

    fn read_dir(&self, path: &[u8]) -> io::Result<Vec<(Vec<u8>, FileType)>> {
        fs::read_dir(path_of(path))?
            .map(|entry| {
                let entry = entry?;
                Ok((entry.file_name().into_vec(), kind_of(entry.file_type()?)))
            })
            .collect()
    }

    fn file_type(&self, path: &[u8]) -> io::Result<Option<FileType>> {
        match fs::symlink_metadata(path_of(path)) {
            Ok(meta) => {
                let kind = kind_of(meta.file_type());
                // NAR: a file is executable if its owner may execute it.
                let executable =
                    kind == FileType::Regular && meta.permissions().mode() & 0o100 != 0;
                Ok(Some(if executable { FileType::Executable } else { kind }))
            }
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
                _ => Err(error),
            },
        }
    }

    fn read_link(&self, path: &[u8]) -> io::Result<Vec<u8>> {
        Ok(fs::read_link(path_of(path))?.into_os_string().into_vec())
    }

    fn env(&self, name: &[u8]) -> Option<Vec<u8>> {
        Some(std::env::var_os(OsStr::from_bytes(name))?.into_vec())
    }

    fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }

    fn message(&self, level: Level, text: &[u8]) {
        // Where nobody reads standard error any more, the line is lost: that changes no value.
        let _ = io::stderr().lock().write_all(&render(level, text, self.colour));
    }

    fn realise(&self, wanted: &Wanted<'_>) -> io::Result<BTreeSet<StorePath>> {
        match &self.store {
            Some(store) => store.realise(wanted),
            None => Err(super::nothing_is_built()),
        }
    }

    fn references(&self, path: &StorePath) -> io::Result<BTreeSet<StorePath>> {
        self.store.as_ref().map_or_else(|| Ok(BTreeSet::new()), |store| store.references(path))
    }

    fn fetch(&self, fetch: &Fetch) -> io::Result<Vec<u8>> {
        match &self.fetch {
            Some(hook) => hook(fetch),
            None => Err(super::nothing_is_fetched()),
        }
    }

    fn interrupted(&self) -> bool {
        self.interrupted.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::eval::store_state::StoreState;
    use crate::store::StoreDir;

    fn bytes(path: &Path) -> Vec<u8> {
        path.as_os_str().as_bytes().to_vec()
    }

    #[test]
    fn files_folders_and_links_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &[u8]| dir.path().join(OsStr::from_bytes(name));
        fs::write(at(b"plain"), b"x\0\xff").unwrap();
        fs::write(at(b"odd \xff"), b"").unwrap();
        fs::write(at(b"tool"), b"").unwrap();
        fs::set_permissions(at(b"tool"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(at(b"sub")).unwrap();
        symlink("gone", at(b"dangling")).unwrap();
        symlink("sub", at(b"to-sub")).unwrap();

        let io = RealIo::new();
        let mut entries = io.read_dir(&bytes(dir.path())).unwrap();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        let expected: [(&[u8], _); 6] = [
            (b"dangling", FileType::Symlink),
            (b"odd \xff", FileType::Regular),
            (b"plain", FileType::Regular),
            (b"sub", FileType::Directory),
            (b"to-sub", FileType::Symlink),
            (b"tool", FileType::Regular),
        ];
        assert_eq!(entries, expected.map(|(name, kind)| (name.to_vec(), kind)));

        let kind = |name: &[u8]| io.file_type(&bytes(&at(name))).unwrap();
        assert_eq!(kind(b"tool"), Some(FileType::Executable));
        assert_eq!(kind(b"plain"), Some(FileType::Regular));
        assert_eq!(kind(b"dangling"), Some(FileType::Symlink));
        assert_eq!(kind(b"plain/below"), None);
        assert_eq!(kind(b"nothing"), None);
        assert!(io.file_type(b"/a\0b").is_err());

        assert_eq!(io.read_file(&bytes(&at(b"plain"))).unwrap(), b"x\0\xff");
        assert!(io.read_file(&bytes(&at(b"sub"))).is_err());
        assert!(io.read_file(&bytes(&at(b"dangling"))).is_err());
        assert_eq!(io.read_link(&bytes(&at(b"dangling"))).unwrap(), b"gone");
        assert!(io.read_link(&bytes(&at(b"plain"))).is_err());
        assert!(io.store_path_exists(&bytes(&at(b"sub"))).unwrap());
    }

    /// A store in which everything is built, and refers to itself.
    struct Built;

    impl StoreHook for Built {
        fn realise(&self, wanted: &Wanted<'_>) -> io::Result<BTreeSet<StorePath>> {
            Ok(wanted.outputs.iter().map(|(drv, _)| drv.clone()).collect())
        }

        fn references(&self, path: &StorePath) -> io::Result<BTreeSet<StorePath>> {
            Ok(BTreeSet::from([path.clone()]))
        }
    }

    #[test]
    fn programs_are_only_started_through_hooks() {
        let fetch = Fetch { builtin: "fetchurl", argument: b"\"u\"".to_vec() };
        let io = RealIo::new();
        assert_eq!(io.fetch(&fetch).unwrap_err().kind(), io::ErrorKind::Unsupported);
        let store = StoreState::new(StoreDir::default());
        let drv = StorePath::from_digest([1; 20], b"x.drv").unwrap();
        let outputs = [(drv.clone(), Box::from(&b"out"[..]))];
        let wanted =
            Wanted { state: &store, io: &RealIo::new(), outputs: &outputs, with_closure: false };
        assert_eq!(io.realise(&wanted).unwrap_err().kind(), io::ErrorKind::Unsupported);
        assert!(io.references(&drv).unwrap().is_empty());

        let io = RealIo::new()
            .fetching_with(Box::new(|fetch| {
                Ok([fetch.builtin.as_bytes(), &fetch.argument].concat())
            }))
            .with_store(Arc::new(Built));
        assert_eq!(io.fetch(&fetch).unwrap(), b"fetchurl\"u\"");
        assert!(io.realise(&wanted).unwrap().contains(&drv));
        assert!(io.references(&drv).unwrap().contains(&drv));
    }

    #[test]
    fn the_flag_interrupts() {
        let flag = Arc::new(AtomicBool::new(false));
        let io = RealIo::new().stopped_by(flag.clone());
        assert!(!io.interrupted());
        flag.store(true, Ordering::Relaxed);
        assert!(io.interrupted());
    }

    #[test]
    fn the_environment_and_the_clock_are_seen() {
        let io = RealIo::new();
        assert_eq!(io.env(b"PATH"), std::env::var_os("PATH").map(OsStringExt::into_vec));
        assert_eq!(io.env(b"NO=SUCH"), None);
        assert_eq!(io.env(b"a\0b"), None);
        assert!(io.now() > 1_700_000_000);
    }
}
