//! `sync`: bring the repos to the installed host, into the primary user's home, as rsync does:
//! what `.gitignore` leaves out stays here, nothing is deleted there, links stay links. Where one
//! side has no rsync, tar takes its place.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use crate::files;
use crate::install::context::{Context, Done, Failure, FailureKind, PhaseRun, Side};
use crate::install::forge_keys;
use crate::install::git::Repo;
use crate::install::plan::PlannedSync;
use crate::process::{Command, Error, Stdin};
use crate::remote::{RemoteCommand, quote};

/// Copies the repos.
pub(super) struct Sync;

/// Prints the numbers of the user `$1`, makes the folder `$2` and gives it, with the parents that
/// had to be made, to that user; then says whether there is an rsync.
const MAKE_FOLDER: &str = r#"
uid=$(id -u "$1"); gid=$(id -g "$1")
made=
dir=$2
while [ ! -e "$dir" ]; do made="$dir
$made"; dir=$(dirname "$dir"); done
[ -z "$made" ] || printf %s "$made" | while IFS= read -r dir; do
  mkdir "$dir"
  [ "$(id -u)" != 0 ] || chown "$uid:$gid" "$dir"
done
echo "$uid $gid $(command -v rsync || true)"
"#;

#[async_trait]
impl PhaseRun for Sync {
    async fn run(&self, cx: &mut Context<'_>) -> Result<Done, Failure> {
        if cx.side == Side::Installer {
            return Err(Failure::new("the installer answers, not the installed host")
                .kind(FailureKind::Changed)
                .hint("start the machine from its own disk: run again without --skip reboot"));
        }
        let mut said = Vec::new();
        for repo in cx.plan.sync.clone() {
            cx.step(format!("copy {}", repo.from));
            let how = copy(cx, &repo).await?;
            cx.changes.push(format!("{}: {} brought to {}", cx.plan.host, repo.from, repo.to));
            if !cx.record.synced.contains(&repo.to) {
                cx.record.synced.push(repo.to.clone());
            }
            said.push(format!("{} ({how})", repo.to));
        }
        cx.step("place the keys that forges publish");
        forge_keys::place(cx).await?;
        if said.is_empty() {
            return Ok(Done::new("there is no repo to bring"));
        }
        Ok(Done::new(format!("brought {}", said.join(", "))))
    }
}

/// The other side of a copy.
struct There {
    uid: u32,
    gid: u32,
    rsync: bool,
    /// Does the login become root there to write?
    root: bool,
}

async fn copy(cx: &mut Context<'_>, repo: &PlannedSync) -> Result<&'static str, Failure> {
    let from = Path::new(&repo.from);
    if from.join(".git").is_file() {
        cx.warn(format!(
            "{} is a linked work tree: its history stays in the main one, only the files are copied",
            repo.from
        ));
    }
    let there = make_folder(cx, repo).await?;
    if there.rsync {
        let ssh = ssh(cx).await?;
        match by_rsync(cx, repo, &there, &ssh).await {
            Err(Error::NotFound { .. }) => {}
            other => return other.map(|()| "rsync").map_err(|error| failed(repo, error)),
        }
    }
    by_tar(cx, repo, &there).await?;
    Ok("tar")
}

fn failed(repo: &PlannedSync, error: Error) -> Failure {
    let mut failure = Failure::from(error);
    failure.error = format!("{} could not be copied to {}: {}", repo.from, repo.to, failure.error);
    failure
}

async fn make_folder(cx: &mut Context<'_>, repo: &PlannedSync) -> Result<There, Failure> {
    let user = cx.plan.target.primary_user.clone();
    let root = cx.access.installed.user != user;
    let command = RemoteCommand::script(MAKE_FOLDER)
        .arg(user.as_str())
        .arg(&repo.to)
        .limit(cx.world.limits.command);
    let command = if root { command.as_root() } else { command };
    let output = cx.remote().await?.run(&command).await?;
    let output = output.success(&format!("make the folder {}", repo.to)).map_err(|error| {
        Failure::from(error).hint(format!("is there a user {user} on the host?"))
    })?;
    let text = output.text();
    let mut words = text.split_whitespace();
    let mut number = || words.next().and_then(|word| word.parse().ok());
    let (Some(uid), Some(gid)) = (number(), number()) else {
        return Err(Failure::new(format!("the host's answer is not understood: {text:?}")));
    };
    Ok(There { uid, gid, rsync: words.next().is_some(), root })
}

/// `ssh` with the options of the open connection.
async fn ssh(cx: &mut Context<'_>) -> Result<Vec<String>, Failure> {
    let mut words = vec!["ssh".to_owned()];
    words.extend(cx.remote().await?.ssh_options());
    Ok(words)
}

async fn by_rsync(
    cx: &Context<'_>,
    repo: &PlannedSync,
    there: &There,
    ssh: &[String],
) -> Result<(), Error> {
    let shell: Vec<String> = ssh.iter().map(|word| quote(word)).collect();
    let (user, address) = (&cx.access.installed.user, cx.access.address.as_str());
    let address = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
    let mut command = Command::new("rsync")
        // Without --secluded-args an old rsync would let the other shell read the path.
        .args(["--archive", "--compress", "--secluded-args", "--filter=:- .gitignore"])
        .arg(format!("--rsh={}", shell.join(" ")));
    if there.root {
        command = command.arg(format!("--chown={}:{}", there.uid, there.gid));
        if user.as_str() != "root" {
            command = command.arg("--rsync-path=sudo -n rsync");
        }
    }
    let from = format!("{}/", repo.from.trim_end_matches('/'));
    let to = format!("{user}@{address}:{}/", repo.to.trim_end_matches('/'));
    let command = command.arg("--").arg(from).arg(to);
    let limit = cx.world.limits.long;
    cx.world.runner.run_within(&command, limit).await?.success(&command).map(drop)
}

/// Packs here, unpacks there. The archive is a file in between, since it may be large.
async fn by_tar(cx: &mut Context<'_>, repo: &PlannedSync, there: &There) -> Result<(), Failure> {
    let folder = std::env::temp_dir();
    let archive = files::new_in(&folder, ".sync-", 0o600).map_err(|error| {
        let place = folder.display();
        Failure::new(format!("{} can't be packed into a file in {place}: {error}", repo.from))
    })?;
    let pack = Command::new("tar")
        .arg("--create")
        .arg("--file")
        .arg(archive.path().as_os_str())
        .arg(format!("--owner=:{}", there.uid))
        .arg(format!("--group=:{}", there.gid))
        .args(["--numeric-owner", "--no-recursion", "--null", "--verbatim-files-from"])
        .args(["--directory", &repo.from, "--files-from", "-"])
        .stdin_bytes(names(cx, Path::new(&repo.from)).await?);
    let limit = cx.world.limits.long;
    cx.world.runner.run_within(&pack, limit).await?.success(&pack)?;
    let ssh = ssh(cx).await?;
    let (user, address) = (cx.access.installed.user.clone(), cx.access.address.clone());
    let mut there_words = vec!["tar", "--extract", "--preserve-permissions", "--file", "-"];
    if there.root && user.as_str() != "root" {
        there_words.splice(0..0, ["sudo", "-n"]);
    }
    if !there.root {
        there_words.push("--no-same-owner");
    }
    there_words.extend(["--directory", &repo.to]);
    let line: Vec<String> = there_words.into_iter().map(quote).collect();
    let unpack = Command::new(ssh[0].clone())
        .args(&ssh[1..])
        .args(["-l", user.as_str(), "--", address.as_str()])
        .arg(line.join(" "))
        .stdin(Stdin::File(archive.path().to_owned()));
    let output = cx.world.runner.run_within(&unpack, limit).await?;
    output.success(&unpack).map(drop).map_err(|error| failed(repo, error))
}

/// What goes into the archive, each name ended by a zero byte: the files that git knows or does not
/// ignore with their folders, and `.git` itself; everything where the folder is no repo.
async fn names(cx: &Context<'_>, from: &Path) -> Result<Vec<u8>, Failure> {
    let mut found = BTreeSet::new();
    let repo = Repo::new(from);
    let mut whole = from.to_owned();
    if repo.is_work_tree(cx).await? {
        let command =
            repo.command(&["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let limit = cx.world.limits.command;
        let listed = cx.world.runner.run_within(&command, limit).await?.success(&command)?.stdout;
        for name in listed.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
            let name = Path::new(OsStr::from_bytes(name));
            // git also lists files that were deleted but are still in its index.
            if from.join(name).symlink_metadata().is_ok() {
                let folders = name.ancestors().filter(|part| !part.as_os_str().is_empty());
                found.extend(folders.map(Path::to_owned));
            }
        }
        whole = from.join(".git");
    }
    below(from, whole, &mut found)
        .map_err(|error| Failure::new(format!("{}: {error}", from.display())))?;
    let mut names = Vec::new();
    // Sorted, so that folders come before what is in them.
    for name in found {
        names.extend_from_slice(name.as_os_str().as_bytes());
        names.push(0);
    }
    Ok(names)
}

/// Everything in `whole` and itself, relative to `from`. Links are not followed.
fn below(from: &Path, whole: PathBuf, found: &mut BTreeSet<PathBuf>) -> std::io::Result<()> {
    let mut todo = vec![whole];
    while let Some(path) = todo.pop() {
        let Ok(meta) = path.symlink_metadata() else { continue };
        if meta.is_dir() {
            for entry in std::fs::read_dir(&path)? {
                todo.push(entry?.path());
            }
        }
        match path.strip_prefix(from) {
            Ok(name) if !name.as_os_str().is_empty() => drop(found.insert(name.to_owned())),
            _ => {}
        }
    }
    Ok(())
}
