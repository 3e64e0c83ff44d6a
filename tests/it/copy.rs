//! Files put onto a machine: by GNU's tar and by busybox's, and over ssh.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::sync::Mutex;

use async_trait::async_trait;
use nixos_bootstrap::process::{Command, Error, LineSink, Output, RealRunner, Runner};
use nixos_bootstrap::remote::copy::{Content, Entry};
use nixos_bootstrap::remote::{Remote, RemoteCommand, put_file, put_tree};
use nixos_bootstrap::validated::AbsolutePath;

use crate::sshd::Sshd;

/// Runs commands here, with programs of one's choice.
struct Here {
    path: String,
    seen: Mutex<Vec<String>>,
}

#[async_trait]
impl Remote for Here {
    async fn stream(
        &self,
        command: &RemoteCommand,
        sink: &mut LineSink<'_>,
    ) -> Result<Output, Error> {
        self.seen.lock().unwrap().push(command.to_string());
        let (program, args) = command.words().split_first().unwrap();
        let local = Command::new(program).args(args).env("PATH", &self.path);
        let local = local.stdin_bytes(command.input().unwrap_or_default());
        RealRunner::default().stream(&local, sink).await
    }

    fn ssh_options(&self) -> Vec<String> {
        Vec::new()
    }
}

fn with_gnu_tar() -> Here {
    Here { path: std::env::var("PATH").unwrap(), seen: Mutex::default() }
}

fn with_busybox(dir: &Path) -> Here {
    fs::create_dir(dir).unwrap();
    for program in ["sh", "tar", "mkdir", "chown", "dirname"] {
        let busybox = ["/usr/bin/busybox", "/bin/busybox"];
        let busybox = busybox.iter().find(|path| Path::new(path).exists());
        symlink(busybox.expect("this test needs busybox"), dir.join(program)).unwrap();
    }
    Here { path: dir.to_str().unwrap().to_owned(), seen: Mutex::default() }
}

fn path(path: &Path) -> AbsolutePath {
    path.to_str().unwrap().parse().unwrap()
}

fn file(path: &str, mode: u32, owner: u32, content: &[u8]) -> Entry {
    let content = Content::File(content.to_vec().into());
    Entry { path: path.parse().unwrap(), mode, uid: owner, gid: owner, content }
}

fn dir(path: &str, mode: u32, owner: u32) -> Entry {
    let content = Content::Directory;
    Entry { path: path.parse().unwrap(), mode, uid: owner, gid: owner, content }
}

fn mode_and_owner(path: &Path) -> (u32, u32, u32) {
    let metadata = fs::metadata(path).unwrap();
    (metadata.mode() & 0o7777, metadata.uid(), metadata.gid())
}

async fn tree_is_exact(remote: &Here, root: &Path) {
    assert_eq!(crate::sshd::user(), "root", "this test changes owners: run it as root");
    fs::create_dir_all(root.join("etc/ssh")).unwrap();
    fs::set_permissions(root.join("etc/ssh"), fs::Permissions::from_mode(0o711)).unwrap();
    fs::set_permissions(root, fs::Permissions::from_mode(0o750)).unwrap();
    fs::write(root.join("etc/ssh/key"), "old").unwrap();
    let long = format!("/long/{}/{}/f", "a".repeat(120), "b'c d".repeat(30));
    let binary: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let entries = [
        dir("/etc/ssh", 0o700, 7),
        dir("/home/user/x", 0o700, 1234),
        file("/etc/ssh/key", 0o600, 0, b"s3cret\n"),
        file("/home/user/x/big", 0o4755, 1234, &binary),
        file(&long, 0o644, 0, b""),
    ];
    put_tree(remote, &entries, &path(root)).await.unwrap();
    let at = |name: &str| root.join(name.trim_start_matches('/'));
    assert_eq!(mode_and_owner(root), (0o750, 0, 0), "the root stays");
    assert_eq!(mode_and_owner(&at("etc/ssh")), (0o711, 0, 0), "what was there stays");
    assert_eq!(mode_and_owner(&at("home/user")), (0o755, 0, 0));
    assert_eq!(mode_and_owner(&at("home/user/x")), (0o700, 1234, 1234));
    assert_eq!(mode_and_owner(&at("etc/ssh/key")), (0o600, 0, 0));
    assert_eq!(fs::read(at("etc/ssh/key")).unwrap(), b"s3cret\n");
    assert_eq!(mode_and_owner(&at("home/user/x/big")), (0o4755, 1234, 1234));
    assert!(fs::read(at("home/user/x/big")).unwrap() == binary);
    assert_eq!(fs::read(at(&long)).unwrap(), b"");
    let seen = remote.seen.lock().unwrap().join("\n");
    assert!(!seen.contains("s3cret"), "content never is in an argument: {seen}");
}

#[tokio::test]
async fn gnu_tar_makes_exact_trees() {
    let temp = tempfile::tempdir().unwrap();
    tree_is_exact(&with_gnu_tar(), &temp.path().join("mnt")).await;
}

#[tokio::test]
async fn busybox_makes_exact_trees() {
    let temp = tempfile::tempdir().unwrap();
    let remote = with_busybox(&temp.path().join("bin"));
    tree_is_exact(&remote, &temp.path().join("mnt")).await;
}

#[tokio::test]
async fn a_file_goes_over_ssh_and_a_failure_is_told_without_its_content() {
    let sshd = Sshd::start();
    let remote = sshd.connect().await;
    let target = sshd.path("new/file");
    put_file(&*remote, &path(&target), 0o640, b"s3cret").await.unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"s3cret");
    assert_eq!(mode_and_owner(&target).0, 0o640);
    let below_a_file = path(&target.join("x"));
    let error = put_file(&*remote, &below_a_file, 0o600, b"s3cret").await.unwrap_err();
    let (shown, debug) = (error.to_string(), format!("{error:?}"));
    assert!(shown.contains("new/file/x"), "{shown}");
    assert!(!shown.contains("s3cret") && !debug.contains("s3cret"));
}
