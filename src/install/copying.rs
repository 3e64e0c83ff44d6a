//! Copying closures to the target with `nix copy`, through the connection that is open already.

use super::building::{nix, run_nix};
use super::context::{Context, Failure, FailureKind, Side};
use crate::remote::RemoteCommand;
use crate::validated::{Address, StorePath, UserName};

/// Where the new system is mounted on the installer.
pub(super) const ROOT: &str = "/mnt";

/// Which store of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Store {
    /// That of the running system.
    Running,
    /// That of the new system below [`ROOT`].
    New,
}

/// Copies closures into a store of the target.
pub(super) async fn copy(
    cx: &mut Context<'_>,
    store: Store,
    paths: &[StorePath],
) -> Result<(), Failure> {
    let remote = cx.remote().await?;
    let user = &cx.access.door(cx.side).user;
    let url = store_url(user, &cx.access.address, store);
    let command = nix(cx).copy(&url, paths, &remote.ssh_options());
    match run_nix(cx, &command).await {
        Err(failure) => Err(explained(cx, store, failure).await),
        Ok(_) => Ok(()),
    }
}

/// `ssh-ng` rather than `ssh`: it brings the other side's errors back in nix's own log. The
/// connection is shared, so that no setting of its own (such as compression) would count.
fn store_url(user: &UserName, address: &Address, store: Store) -> String {
    let host = if address.as_str().contains(':') {
        format!("[{}]", address.as_str().replace('%', "%25"))
    } else {
        address.to_string()
    };
    let mut parameters = Vec::new();
    if store == Store::New {
        parameters.push(format!("remote-store=local%3Froot={ROOT}"));
    }
    if user.as_str() != "root" {
        // Only root may write to a store without its daemon, and add unsigned paths.
        parameters.push("remote-program=sudo%20-n%20nix-daemon".to_owned());
    }
    let mut url = format!("ssh-ng://{user}@{host}");
    if !parameters.is_empty() {
        url = format!("{url}?{}", parameters.join("&"));
    }
    url
}

/// Did a program fail for want of space?
fn is_disk_full(error: &str) -> bool {
    ["No space left on device", "Disk quota exceeded"].iter().any(|words| error.contains(words))
}

/// The failure of a program that has written into `store`; where the file system is full, with its
/// figures. nix-daemon may die of a full disk without a word, so that the figures decide, too.
pub(super) async fn explained(cx: &mut Context<'_>, store: Store, failure: Failure) -> Failure {
    if failure.kind != FailureKind::Failed {
        return failure;
    }
    let (place, what) = match (store, cx.side) {
        (Store::New, _) => (ROOT, "the new system's disk"),
        (Store::Running, Side::Installer) => ("", "the installer's memory"),
        (Store::Running, Side::Installed) => ("", "the host's disk"),
    };
    // The mount point of the store, of the root where the store is on it.
    let df = RemoteCommand::script("for place; do df -Ph -- \"$place\" | tail -n +2; done; true")
        .args([format!("{place}/"), format!("{place}/nix/store"), format!("{place}/boot")]);
    let df = match cx.on_target(&df).await {
        Ok(output) => output.text(),
        Err(error) if error.kind == FailureKind::Stopped => return error,
        Err(error) if is_disk_full(&failure.error) => format!("no figures: {}", error.error),
        // What the copy itself says of a machine that is gone is a broken pipe.
        Err(error) => return lost(what, &failure, &error),
    };
    if !is_disk_full(&failure.error) && !has_full(&df) {
        return failure;
    }
    Failure::new(format!("{what} is full: {}\n{}", figures(&df), failure.error))
        .hint("give the file system more room in the disk layout, or install a smaller system")
        .hint("`--via minimal` installs the flake's minimal configuration first, where it has one")
}

fn lost(what: &str, failure: &Failure, error: &Failure) -> Failure {
    Failure::new(format!(
        "the machine was lost while {what} was written to: {}\n{}",
        error.error, failure.error
    ))
    .hint("look whether it is still on; once it answers again, the same command goes on")
}

/// Is one of the file systems that `df -P` lists full?
fn has_full(df: &str) -> bool {
    df.lines().any(|line| line.split_whitespace().nth(4) == Some("100%"))
}

/// `DEVICE: USED of SIZE used, FREE free, at PLACE` for each line of `df -P`.
fn figures(df: &str) -> String {
    let line = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [device, size, used, free, _, place] = fields[..] else { return line.to_owned() };
        format!("{used} of {size} used, {free} free on {device} at {place}")
    };
    let mut lines: Vec<String> = df.lines().map(line).collect();
    lines.dedup();
    lines.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn store_urls_name_the_store_and_how_to_become_root() {
        let url = |user: &str, address: &str, store| {
            store_url(&user.parse().unwrap(), &address.parse().unwrap(), store)
        };
        assert_eq!(url("root", "10.0.0.1", Store::Running), "ssh-ng://root@10.0.0.1");
        assert_eq!(
            url("nixos", "::1", Store::New),
            "ssh-ng://nixos@[::1]?remote-store=local%3Froot=/mnt&remote-program=sudo%20-n%20nix-daemon"
        );
        assert_eq!(url("root", "fe80::1%eth0", Store::Running), "ssh-ng://root@[fe80::1%25eth0]");
    }

    #[test]
    fn a_full_disk_is_told_with_its_figures() {
        let df = "/dev/vda2 10G 10G 20K 100% /mnt\n/dev/vda2 10G 10G 20K 100% /mnt\nodd line\n";
        assert_eq!(figures(df), "10G of 10G used, 20K free on /dev/vda2 at /mnt; odd line");
        assert!(is_disk_full("error: write of 65536 bytes: No space left on device"));
        assert!(!is_disk_full("error: Broken pipe"));
        assert!(has_full(df) && !has_full(&df.replace("100%", "99%")));
    }
}
