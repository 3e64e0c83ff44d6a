//! What the services of the installer image do: their scripts, run here by the same shell.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("modules/iso").join(name)
}

/// A slot of the image with this content behind its header, and where the server's key is to be.
fn host_key(content: &str) -> (TempDir, Output) {
    let dir = tempfile::tempdir().unwrap();
    let mut slot = format!("nixos-bootstrap: a place for the SSH host key\n{content}");
    while slot.len() < 4096 {
        slot.push('\n');
    }
    std::fs::write(dir.path().join("slot"), slot).unwrap();
    let output = Command::new("bash")
        .arg("-e")
        .arg(script("host-key.sh"))
        .env("SLOT", dir.path().join("slot"))
        .env("KEY", dir.path().join("key"))
        .output()
        .unwrap();
    (dir, output)
}

#[test]
fn the_key_of_the_slot_becomes_the_server_s() {
    use std::os::unix::fs::PermissionsExt;
    let made = tempfile::tempdir().unwrap();
    let file = made.path().join("made");
    let keygen = ["-q", "-t", "ed25519", "-N", "", "-C", "installer", "-f"];
    assert!(Command::new("ssh-keygen").args(keygen).arg(&file).status().unwrap().success());
    let private = std::fs::read_to_string(&file).unwrap();

    let (dir, output) = host_key(&private);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    let mode = |name: &str| dir.path().join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(read("key"), private);
    assert_eq!(read("key.pub"), std::fs::read_to_string(made.path().join("made.pub")).unwrap());
    assert_eq!((mode("key"), mode("key.pub")), (0o600, 0o644));
}

#[test]
fn an_empty_slot_leaves_the_key_to_the_server_and_a_broken_one_is_told() {
    let left = |dir: &TempDir| std::fs::read_dir(dir.path()).unwrap().count();
    let (dir, output) = host_key("");
    assert!(output.status.success());
    assert_eq!(left(&dir), 1, "only the slot");

    let broken = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n";
    let (dir, output) = host_key(broken);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("holds something else"));
    assert_eq!(left(&dir), 1, "only the slot");
}
