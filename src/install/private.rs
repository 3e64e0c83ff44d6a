//! Secrets while a run lasts: the private directory (0700, in memory where the system allows it,
//! gone at exit) and what is kept in it. Also takes up what a killed run has left behind.
//!
//! Nothing here goes into the journal, the plan or an error.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use data_encoding::HEXLOWER;
use rand_core::{OsRng, RngCore};
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::secrets::Secret;

/// How the directories of all runs begin.
const PREFIX: &str = "nixos-bootstrap-";
/// Says whose directory it is.
const MARKER: &str = "owner.json";
/// The one-time passphrases by container.
const PASSPHRASES: &str = "passphrases.json";
/// How the files of host keys begin, and end.
const KEY_PREFIX: &str = "ssh_host_";
const KEY_SUFFIX: &str = "_key";

/// How the files begin in which a passphrase is for the user to read.
const TOLD_PREFIX: &str = "passphrase.";

/// The directories of this process that are still there, for [`remove_all`].
static LIVE: Mutex<Vec<Live>> = Mutex::new(Vec::new());

struct Live {
    path: PathBuf,
    /// A disk can only be opened with a passphrase that is kept here.
    needed: bool,
}

impl Live {
    fn remove(&self) {
        // What is missing already is gone, which is what is wanted.
        let _ =
            if self.needed { remove_others(&self.path) } else { fs::remove_dir_all(&self.path) };
    }
}

/// Removes all but the passphrases.
fn remove_others(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name != MARKER && name != PASSPHRASES && !name.starts_with(TOLD_PREFIX) {
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}

/// The private directory of a run. Dropping it removes it, but for passphrases that are still
/// needed ([`PrivateDir::need_passphrases`]).
#[derive(Debug)]
pub struct PrivateDir {
    path: PathBuf,
    in_memory: bool,
}

impl PrivateDir {
    /// Makes a directory in the first of `bases` that can be used. `owner` is the name of the run
    /// ([`super::journal::run_name`]); a later run of that name may take up what is left of it.
    pub fn create(bases: &[PathBuf], owner: &str) -> io::Result<Self> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "no folder to put secrets into");
        for base in bases {
            match Self::create_in(base, owner) {
                Ok(dir) => return Ok(dir),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn create_in(base: &Path, owner: &str) -> io::Result<Self> {
        let mut random = [0; 8];
        OsRng.fill_bytes(&mut random);
        let path = base.join(format!("{PREFIX}{}", HEXLOWER.encode(&random)));
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        live().push(Live { path: path.clone(), needed: false });
        let dir = Self { in_memory: is_in_memory(&path), path };
        let marker = Marker {
            pid: std::process::id(),
            started: start_time(std::process::id()).unwrap_or_default(),
            owner: owner.to_owned(),
        };
        dir.write(MARKER, &serde_json::to_vec(&marker)?)?;
        Ok(dir)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Is it on a file system that lives in memory?
    #[must_use]
    pub fn in_memory(&self) -> bool {
        self.in_memory
    }

    /// Makes the file `name` (0600) with this content; an error if it is there already.
    pub fn write(&self, name: &str, content: &[u8]) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(flags(OFlags::NOFOLLOW))
            .open(&path)?;
        file.write_all(content)?;
        Ok(path)
    }

    /// Like [`PrivateDir::write`], but takes the place of a file of that name.
    pub fn replace(&self, name: &str, content: &[u8]) -> io::Result<PathBuf> {
        match fs::remove_file(self.path.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => self.write(name, content),
        }
    }

    /// Keeps the host keys as files, each with its `.pub` beside it.
    pub fn keep_host_keys(&self, keys: &HostKeys) -> io::Result<()> {
        for key in keys.iter() {
            self.replace(&key.file_name(), key.private.expose())?;
            let public = format!("{}\n", key.public);
            self.replace(&format!("{}.pub", key.file_name()), public.as_bytes())?;
        }
        Ok(())
    }

    /// Keeps the one-time passphrases, so that they are not lost if this run is killed.
    pub fn keep_passphrases(&self, passphrases: &Passphrases) -> io::Result<()> {
        let text = |secret: &Secret| String::from_utf8_lossy(secret.expose()).into_owned();
        let map: BTreeMap<&str, Zeroizing<String>> = passphrases
            .one_time()
            .map(|(name, secret)| (name, Zeroizing::new(text(secret))))
            .collect();
        let json = Zeroizing::new(serde_json::to_vec(&map)?);
        self.replace(PASSPHRASES, &json).map(drop)
    }

    /// Keeps a passphrase for the user to read, where there is no terminal to show it on.
    pub fn tell_passphrase(&self, container: &str, secret: &Secret) -> io::Result<PathBuf> {
        // A container's name may hold anything but NUL and '/'.
        let safe = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
        let name = container.chars().map(safe).collect::<String>();
        self.replace(&format!("{TOLD_PREFIX}{name}"), secret.expose())
    }

    /// From now on disks can only be opened with the passphrases that are kept here. They stay for
    /// the next run, unless [`PrivateDir::forget_passphrases`] says that all went well.
    pub fn need_passphrases(&self) {
        self.set_needed(true);
    }

    /// The passphrases have done their work.
    pub fn forget_passphrases(&self) {
        self.set_needed(false);
    }

    /// Will passphrases stay when this is dropped?
    #[must_use]
    pub fn stays(&self) -> bool {
        live().iter().any(|live| live.path == self.path && live.needed)
    }

    fn set_needed(&self, needed: bool) {
        for one in live().iter_mut().filter(|live| live.path == self.path) {
            one.needed = needed;
        }
    }

    /// Takes up the secrets of dead runs named `owner`, then removes the directories of all dead
    /// runs of this user; of other owners only those without a passphrase.
    pub fn take_up_leftovers(&self, bases: &[PathBuf], owner: &str) -> io::Result<Leftovers> {
        let mut found = Leftovers::default();
        for dir in bases.iter().flat_map(|base| dead_runs(base)) {
            if dir.owner == owner {
                found.take(&dir.path)?;
            } else if !passphrases_in(&dir.path).is_empty() {
                continue;
            }
            // Kept here first: if this run is killed now, the next one finds them here.
            self.keep_host_keys(&found.host_keys)?;
            self.keep_passphrases(&found.passphrases)?;
            if found.passphrases.one_time().next().is_some() {
                self.need_passphrases();
            }
            fs::remove_dir_all(&dir.path)?;
        }
        Ok(found)
    }
}

impl Drop for PrivateDir {
    fn drop(&mut self) {
        live().extract_if(.., |live| live.path == self.path).for_each(|live| live.remove());
    }
}

/// Removes the private directories of this process: for the places where it ends without
/// unwinding, such as a second Ctrl-C or a panic hook.
pub fn remove_all() {
    live().drain(..).for_each(|live| live.remove());
}

/// The folders to try for a private directory, best first: `$XDG_RUNTIME_DIR` where it is really
/// private, `/dev/shm`, the folder for temporary files.
#[must_use]
pub fn bases() -> Vec<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let private = |path: &PathBuf| {
        fs::symlink_metadata(path)
            .is_ok_and(|meta| meta.is_dir() && meta.uid() == uid() && is_private(meta.mode()))
    };
    let shared = Path::new("/dev/shm");
    let mut bases: Vec<PathBuf> = runtime.filter(private).into_iter().collect();
    if shared.is_dir() {
        bases.push(shared.to_owned());
    }
    bases.push(std::env::temp_dir());
    bases
}

/// What killed runs have left.
#[derive(Debug, Default)]
pub struct Leftovers {
    /// Host keys.
    pub host_keys: HostKeys,
    /// One-time passphrases.
    pub passphrases: Passphrases,
}

impl Leftovers {
    fn take(&mut self, dir: &Path) -> io::Result<()> {
        for entry in fs::read_dir(dir)? {
            let name = entry?.file_name();
            let Some(name) = name.to_str() else { continue };
            let kind = name.strip_prefix(KEY_PREFIX).and_then(|rest| rest.strip_suffix(KEY_SUFFIX));
            let Some(kind) = kind else { continue };
            let private = read_private(&dir.join(name))?;
            // Without its public half the key was being written when the run was killed.
            let Ok(public) = read_private(&dir.join(format!("{name}.pub"))) else { continue };
            let public = String::from_utf8_lossy(public.expose()).trim().to_owned();
            self.host_keys.insert(HostKey { kind: kind.to_owned(), private, public });
        }
        for (name, text) in passphrases_in(dir) {
            self.passphrases.insert(name, Secret::new(text.into_bytes()), true);
        }
        Ok(())
    }
}

/// The passphrases that a run has left; none where the file is missing or was being written.
fn passphrases_in(dir: &Path) -> BTreeMap<String, String> {
    let json = read_private(&dir.join(PASSPHRASES));
    json.ok().and_then(|json| serde_json::from_slice(json.expose()).ok()).unwrap_or_default()
}

/// One of the host's ssh key pairs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostKey {
    /// `ed25519` or `rsa`.
    pub kind: String,
    /// The private key as `ssh-keygen` writes it.
    pub private: Secret,
    /// The public key line, without a newline.
    pub public: String,
}

impl HostKey {
    /// The name of its file in the private directory.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{KEY_PREFIX}{}{KEY_SUFFIX}", self.kind)
    }
}

/// The host's ssh key pairs, one of a kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostKeys(Vec<HostKey>);

impl HostKeys {
    /// The pair of this kind.
    #[must_use]
    pub fn get(&self, kind: &str) -> Option<&HostKey> {
        self.0.iter().find(|key| key.kind == kind)
    }

    /// Puts a pair in, in the place of another one of its kind.
    pub fn insert(&mut self, key: HostKey) {
        self.0.retain(|other| other.kind != key.kind);
        self.0.push(key);
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &HostKey> {
        self.0.iter()
    }
}

/// Passphrases of encrypted containers, by the containers' names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passphrases(BTreeMap<String, (Secret, bool)>);

impl Passphrases {
    /// The passphrase of a container. Write it without a newline: disko reads whole files.
    #[must_use]
    pub fn get(&self, container: &str) -> Option<&Secret> {
        self.0.get(container).map(|(secret, _)| secret)
    }

    /// Puts one in; `one_time` if it was made here and the user has to be told.
    pub fn insert(&mut self, container: impl Into<String>, secret: Secret, one_time: bool) {
        self.0.insert(container.into(), (secret, one_time));
    }

    /// Those that were made here.
    pub fn one_time(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.0
            .iter()
            .filter_map(|(name, (secret, one_time))| one_time.then_some((name.as_str(), secret)))
    }
}

/// A new passphrase of 128 random bits, one-time or for recovery: eight groups of four letters. Only letters that
/// are in the same place on QWERTY, QWERTZ and AZERTY keyboards, since it is typed at a boot
/// prompt that may not know the user's layout; the space bar is the same everywhere, too.
#[must_use]
pub fn random_passphrase() -> Secret {
    const LETTERS: &[u8; 16] = b"bcdefghjknprstuv";
    let mut random = Zeroizing::new([0; 16]);
    OsRng.fill_bytes(&mut *random);
    let mut text = Vec::with_capacity(39);
    for (index, byte) in random.iter().enumerate() {
        if index > 0 && index % 2 == 0 {
            text.push(b' ');
        }
        text.push(LETTERS[usize::from(byte >> 4)]);
        text.push(LETTERS[usize::from(byte & 15)]);
    }
    Secret::new(text)
}

/// Whose directory it is.
#[derive(Serialize, Deserialize)]
struct Marker {
    pid: u32,
    /// Start of that process in clock ticks since boot, since pids are used again.
    started: u64,
    owner: String,
}

struct DeadRun {
    path: PathBuf,
    owner: String,
}

/// The directories in `base` that are ours in every respect and whose process is gone.
fn dead_runs(base: &Path) -> Vec<DeadRun> {
    let Ok(entries) = fs::read_dir(base) else { return Vec::new() };
    let named = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with(PREFIX);
    let paths = entries.filter_map(Result::ok).filter(named).map(|entry| entry.path());
    paths.filter_map(|path| dead_run(&path).map(|owner| DeadRun { path, owner })).collect()
}

fn dead_run(path: &Path) -> Option<String> {
    let meta = fs::symlink_metadata(path).ok()?;
    if !meta.is_dir() || meta.uid() != uid() || meta.mode() & 0o7777 != 0o700 {
        return None;
    }
    let marker = read_private(&path.join(MARKER)).ok()?;
    let marker: Marker = serde_json::from_slice(marker.expose()).ok()?;
    let alive = start_time(marker.pid).is_some_and(|started| started == marker.started);
    (!alive).then_some(marker.owner)
}

/// Reads a file of ours that nobody else could have written or read.
fn read_private(path: &Path) -> io::Result<Secret> {
    let mut file =
        fs::OpenOptions::new().read(true).custom_flags(flags(OFlags::NOFOLLOW)).open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() || meta.uid() != uid() || !is_private(meta.mode()) {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the file is not private"));
    }
    let mut content = Zeroizing::new(Vec::new());
    file.read_to_end(&mut content)?;
    Ok(Secret::new(content.as_slice()))
}

/// When a process was started, in clock ticks since boot: field 22 of `proc_pid_stat(5)`. `None`
/// if it is gone.
#[cfg(target_os = "linux")]
pub(super) fn start_time(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses and may hold anything.
    let after_name = stat.rsplit_once(") ")?.1;
    after_name.split(' ').nth(19)?.parse().ok()
}

/// Where there is no `/proc`, only whether a process is there can be told.
#[cfg(not(target_os = "linux"))]
pub(super) fn start_time(pid: u32) -> Option<u64> {
    let pid = rustix::process::Pid::from_raw(pid.try_into().ok()?)?;
    rustix::process::test_kill_process(pid).is_ok().then_some(0)
}

/// Has nobody but the owner any right?
fn is_private(mode: u32) -> bool {
    mode & 0o777 == mode & 0o700
}

#[cfg(target_os = "linux")]
fn is_in_memory(path: &Path) -> bool {
    const TMPFS: i64 = 0x0102_1994;
    const RAMFS: i64 = 0x8584_58f6;
    rustix::fs::statfs(path).is_ok_and(|stat| stat.f_type == TMPFS || stat.f_type == RAMFS)
}

/// Other systems have no such folder that would be found.
#[cfg(not(target_os = "linux"))]
fn is_in_memory(_path: &Path) -> bool {
    false
}

fn live() -> std::sync::MutexGuard<'static, Vec<Live>> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn uid() -> u32 {
    rustix::process::getuid().as_raw()
}

fn flags(flags: OFlags) -> i32 {
    i32::try_from(flags.bits()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(kind: &str, text: &str) -> HostKey {
        let private = Secret::new(text);
        HostKey { kind: kind.to_owned(), private, public: format!("ssh-{kind} AAAA {text}") }
    }

    /// Makes `dir` look like that of a process that is gone.
    fn disown(dir: PrivateDir, owner: &str) -> PathBuf {
        let marker = Marker { pid: std::process::id(), started: 1, owner: owner.to_owned() };
        dir.replace(MARKER, &serde_json::to_vec(&marker).unwrap()).unwrap();
        let path = dir.path.clone();
        std::mem::forget(dir);
        path
    }

    #[test]
    fn the_directory_and_its_files_are_private_and_go_away() {
        let base = tempfile::tempdir().unwrap();
        let bases = [base.path().join("missing"), base.path().to_owned()];
        let dir = PrivateDir::create(&bases, "grief-1").unwrap();
        let file = dir.write("x", b"secret").unwrap();
        assert_eq!(fs::metadata(dir.path()).unwrap().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        assert!(dir.write("x", b"again").is_err(), "an existing file was taken");
        dir.replace("x", b"again").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"again");
        drop(dir);
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
    }

    #[test]
    fn secrets_of_a_killed_run_are_taken_up_and_its_directory_removed() {
        let base = tempfile::tempdir().unwrap();
        let bases = [base.path().to_owned()];
        let killed = PrivateDir::create(&bases, "grief-1").unwrap();
        let mut keys = HostKeys::default();
        keys.insert(pair("ed25519", "one"));
        killed.keep_host_keys(&keys).unwrap();
        let mut passphrases = Passphrases::default();
        passphrases.insert("cryptroot", Secret::new("pass"), true);
        passphrases.insert("asked", Secret::new("typed"), false);
        killed.keep_passphrases(&passphrases).unwrap();
        let killed = disown(killed, "grief-1");
        let other = disown(PrivateDir::create(&bases, "guppy-1").unwrap(), "guppy-1");
        let running = PrivateDir::create(&bases, "gusto-1").unwrap();

        let dir = PrivateDir::create(&bases, "grief-1").unwrap();
        let found = dir.take_up_leftovers(&bases, "grief-1").unwrap();
        assert_eq!(found.host_keys, keys);
        assert_eq!(found.passphrases.get("cryptroot"), Some(&Secret::new("pass")));
        assert_eq!(found.passphrases.get("asked"), None, "a typed passphrase was kept");
        assert!(!killed.exists() && !other.exists() && running.path().exists());
        assert!(dir.path().join("ssh_host_ed25519_key").exists());
    }

    #[test]
    fn passphrases_that_are_needed_stay_for_the_next_run_of_their_owner() {
        let base = tempfile::tempdir().unwrap();
        let bases = [base.path().to_owned()];
        let failed = PrivateDir::create(&bases, "gusto-1").unwrap();
        let mut passphrases = Passphrases::default();
        passphrases.insert("root", Secret::new("pass"), true);
        failed.keep_passphrases(&passphrases).unwrap();
        let told = failed.tell_passphrase("root", &Secret::new("pass")).unwrap();
        failed.write("ssh_host_ed25519_key", b"key").unwrap();
        failed.need_passphrases();
        let path = failed.path().to_owned();
        let marker = Marker { pid: std::process::id(), started: 1, owner: "gusto-1".to_owned() };
        failed.replace(MARKER, &serde_json::to_vec(&marker).unwrap()).unwrap();
        assert!(failed.stays());
        drop(failed);
        assert!(told.exists() && !path.join("ssh_host_ed25519_key").exists());

        let other = PrivateDir::create(&bases, "grief-1").unwrap();
        assert_eq!(other.take_up_leftovers(&bases, "grief-1").unwrap().passphrases.0.len(), 0);
        assert!(path.exists(), "another host's run removed it");
        // A run that only gets as far as the look at the machine hands it on.
        let next = PrivateDir::create(&bases, "gusto-1").unwrap();
        let found = next.take_up_leftovers(&bases, "gusto-1").unwrap();
        assert_eq!(found.passphrases, passphrases);
        assert!(next.stays() && !path.exists());
        next.forget_passphrases();
        let path = next.path().to_owned();
        drop(next);
        assert!(!path.exists());
    }

    #[test]
    fn a_directory_that_others_can_open_is_not_trusted() {
        use std::os::unix::fs::PermissionsExt;
        let base = tempfile::tempdir().unwrap();
        let bases = [base.path().to_owned()];
        let planted = PrivateDir::create(&bases, "grief-1").unwrap();
        let mut keys = HostKeys::default();
        keys.insert(pair("ed25519", "planted"));
        planted.keep_host_keys(&keys).unwrap();
        let planted = disown(planted, "grief-1");
        fs::set_permissions(&planted, fs::Permissions::from_mode(0o755)).unwrap();
        let dir = PrivateDir::create(&bases, "grief-1").unwrap();
        assert_eq!(
            dir.take_up_leftovers(&bases, "grief-1").unwrap().host_keys.get("ed25519"),
            None
        );
        assert!(planted.exists());
    }

    #[test]
    fn one_time_passphrases_have_eight_groups_and_differ() {
        let (one, two) = (random_passphrase(), random_passphrase());
        assert_ne!(one, two);
        let text = String::from_utf8(one.expose().to_vec()).unwrap();
        assert_eq!(text.split(' ').count(), 8);
        assert!(text.split(' ').all(|group| group.len() == 4), "{text}");
    }
}
