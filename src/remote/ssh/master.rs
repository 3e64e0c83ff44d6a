//! The master connection: an `ssh` in the background, to whose socket every command goes.

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio_util::sync::CancellationToken;

use crate::process::{Command, Stdin};
use crate::remote::connect::Login;
use crate::remote::known_hosts;

/// A silent machine is given up after INTERVAL × (COUNT + 1) seconds at the latest.
const ALIVE_INTERVAL: u32 = 2;
const ALIVE_COUNT: u32 = 8;

/// How long a master outlives the process that started it, in seconds.
const PERSIST: u32 = 5;

/// The length of the longest socket path is 107 bytes (unix(7)); while ssh opens it, it adds a dot
/// and 16 characters.
const SOCKET_LIMIT: usize = 107 - 17;

/// How long a master has to end when told to.
const END_LIMIT: Duration = Duration::from_secs(2);

/// Where the socket and the log of a master are.
pub(super) struct Place {
    pub(super) socket: PathBuf,
    pub(super) log: PathBuf,
    /// Holds the directory where it is one of our own.
    _own: Option<TempDir>,
}

impl Place {
    /// A place in `control_dir`, or in a short directory of its own where the path would be too
    /// long for a socket, or has characters that nix and rsync would split at.
    pub(super) fn new(control_dir: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(control_dir)?;
        fs::set_permissions(control_dir, fs::Permissions::from_mode(0o700))?;
        let name = format!("{:08x}", rand_core::RngCore::next_u32(&mut rand_core::OsRng));
        let fits = control_dir.is_absolute()
            && control_dir.as_os_str().len() + 1 + name.len() <= SOCKET_LIMIT
            && control_dir.to_str().is_some_and(plain);
        let own = if fits { None } else { Some(short_dir()?) };
        let dir = own.as_ref().map_or(control_dir, TempDir::path);
        Ok(Self { socket: dir.join(&name), log: dir.join(format!("{name}.log")), _own: own })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Of no use any more; it may be missing.
        let _ = fs::remove_file(&self.log);
    }
}

fn plain(path: &str) -> bool {
    path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+,".contains(c))
}

fn short_dir() -> io::Result<TempDir> {
    let private = || fs::Permissions::from_mode(0o700);
    let make =
        |dir: &Path| tempfile::Builder::new().prefix("nb-").permissions(private()).tempdir_in(dir);
    // The crate's error has a name in it that says nothing to anybody.
    make(Path::new("/tmp")).map_err(|error| {
        let kind = error.kind();
        io::Error::new(kind, format!("no folder can be made in /tmp: {kind}"))
    })
}

/// The command that logs in, leaves a master in the background and ends.
pub(super) fn command(login: &Login, place: &Place) -> io::Result<Command> {
    let mut options = vec![
        // The connection that all share; `-f -N` with a limit, so that a master whose owner was
        // killed goes away.
        ("ControlMaster", "yes".to_owned()),
        ("ControlPath", file_option(&place.socket)?),
        ("ControlPersist", PERSIST.to_string()),
        ("ServerAliveInterval", ALIVE_INTERVAL.to_string()),
        ("ServerAliveCountMax", ALIVE_COUNT.to_string()),
        ("ConnectTimeout", login.timeout.as_secs().max(1).to_string()),
        ("ConnectionAttempts", "1".to_owned()),
        ("Port", login.port.to_string()),
        ("BatchMode", yes_no(!login.interactive)),
        // What is said on failure is read from the log; its words tell which keys were offered.
        ("LogLevel", "DEBUG1".to_owned()),
        // A session may ask for the agent (`ssh -A` on the socket); none gets it unasked.
        ("ForwardAgent", "yes".to_owned()),
    ];
    options.extend(trust_options(login)?);
    // What the user's configuration may hold for shells, and what would get in the way here.
    let neutral = [
        ("ClearAllForwardings", "yes"),
        ("ForwardX11", "no"),
        ("PermitLocalCommand", "no"),
        ("RemoteCommand", "none"),
        ("RequestTTY", "no"),
    ];
    options.extend(neutral.map(|(name, value)| (name, value.to_owned())));
    if let Some(identity) = &login.identity {
        options.push(("IdentityFile", file_option(identity)?));
        options.push(("IdentitiesOnly", "yes".to_owned()));
    }
    let mut command = Command::new("ssh").arg("-f").arg("-N").arg("-T");
    command = command.arg("-E").arg(&place.log);
    for (name, value) in options {
        command = command.arg("-o").arg(format!("{name}={value}"));
    }
    let stdin = if login.interactive { Stdin::Inherit } else { Stdin::Null };
    let user = login.user.as_str();
    let command = command.arg("-l").arg(user).arg("--").arg(login.address.as_str());
    Ok(command.stdin(stdin).discard_output())
}

/// Only the keys of the run's own file count, under the name that [`known_hosts::names`] gives,
/// whatever the user's configuration says about this host.
fn trust_options(login: &Login) -> io::Result<Vec<(&'static str, String)>> {
    let name = known_hosts::names(&login.address, login.port).swap_remove(0);
    let mut options =
        vec![("UserKnownHostsFile", file_option(&login.known_hosts)?), ("HostKeyAlias", name)];
    let fixed = [
        ("StrictHostKeyChecking", "yes"),
        ("GlobalKnownHostsFile", "/dev/null"),
        ("KnownHostsCommand", "none"),
        ("CheckHostIP", "no"),
        ("VerifyHostKeyDNS", "no"),
        ("NoHostAuthenticationForLocalhost", "no"),
        ("UpdateHostKeys", "no"),
        ("HashKnownHosts", "no"),
    ];
    options.extend(fixed.map(|(name, value)| (name, value.to_owned())));
    Ok(options)
}

fn yes_no(yes: bool) -> String {
    if yes { "yes".to_owned() } else { "no".to_owned() }
}

/// A path as the value of an ssh option: in quotes, since ssh splits at blanks, and with its
/// per cent signs doubled, since ssh expands them (`ssh_config(5)`, "TOKENS").
fn file_option(path: &Path) -> io::Result<String> {
    let refused = || {
        let text = format!("ssh cannot take the path {} in an option", path.display());
        io::Error::new(io::ErrorKind::InvalidInput, text)
    };
    let text = path.to_str().ok_or_else(refused)?;
    if text.contains(['"', '\\', '$']) || text.chars().any(char::is_control) {
        return Err(refused());
    }
    Ok(format!("\"{}\"", text.replace('%', "%%")))
}

/// A running master, which this process keeps alive by holding its socket open: when it ends,
/// however that may be, the master goes after a few seconds.
pub(super) struct Master {
    place: Place,
    held: StdUnixStream,
    gone: CancellationToken,
}

impl Master {
    /// Takes hold of the master that listens at `place`.
    pub(super) fn attach(place: Place) -> io::Result<Self> {
        let stream = StdUnixStream::connect(&place.socket)?;
        stream.set_nonblocking(true)?;
        let held = stream.try_clone()?;
        let mut watched = UnixStream::from_std(stream)?;
        let gone = CancellationToken::new();
        let end = gone.clone();
        tokio::spawn(async move {
            let mut buffer = [0; 256];
            // It greets, and says no more; whatever ends the stream ends the master.
            while matches!(watched.read(&mut buffer).await, Ok(1..)) {}
            end.cancel();
        });
        Ok(Self { place, held, gone })
    }

    pub(super) fn socket(&self) -> &Path {
        &self.place.socket
    }

    /// Has the master ended, and with it the connection?
    pub(super) fn is_gone(&self) -> bool {
        self.gone.is_cancelled()
    }

    /// Does the master end within `time`?
    pub(super) async fn gone_within(&self, time: Duration) -> bool {
        tokio::time::timeout(time, self.gone.cancelled()).await.is_ok()
    }

    /// Tells the master to end, and waits for it.
    pub(super) async fn end(&self) {
        self.tell_to_end();
        self.gone_within(END_LIMIT).await;
    }

    /// The options with which another ssh goes through this master, and through nothing else: it
    /// fails where the master is gone, rather than make a connection of its own.
    pub(super) fn ssh_options(&self) -> Vec<String> {
        let path = self.place.socket.display();
        let options = [
            format!("ControlPath={path}"),
            "ControlMaster=no".to_owned(),
            "ProxyCommand=false".to_owned(),
            "BatchMode=yes".to_owned(),
            "StrictHostKeyChecking=yes".to_owned(),
        ];
        options.into_iter().flat_map(|option| ["-o".to_owned(), option]).collect()
    }

    /// Greets (`MUX_MSG_HELLO`, version 4) and asks to end (`MUX_C_TERMINATE`), as OpenSSH's
    /// `PROTOCOL.mux` has it. The few bytes always fit into the socket's buffer.
    fn tell_to_end(&self) {
        const WORDS: [u32; 6] = [8, 1, 4, 8, 0x1000_0005, 0];
        let bytes: Vec<u8> = WORDS.iter().flat_map(|word| word.to_be_bytes()).collect();
        // Fails where it has ended already.
        let _ = (&self.held).write_all(&bytes);
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        if !self.is_gone() {
            self.tell_to_end();
        }
    }
}
