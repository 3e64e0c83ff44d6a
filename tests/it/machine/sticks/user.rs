//! A user who is not root, and the real `sudo`: that of this machine, brought into the other one.

use std::process::Command;

use super::Images;
use super::guest::{Guest, PLAIN, TOOL, Terminal};
use crate::machine::scene::checked;

/// Asks for the user's own password; sudo's parts are in one folder, and it runs commands on a terminal of its own, as
/// new versions do.
const SETUP: &str = "
zstd -q -d -c | tar -C / -x
printf 'Defaults use_pty\\nroot ALL=(ALL) ALL\\nann ALL=(ALL) ALL\\n' >/etc/sudoers
chmod 440 /etc/sudoers
printf 'auth required pam_unix.so\\naccount required pam_unix.so\\nsession required pam_permit.so\\n' >/etc/pam.d/sudo
useradd --create-home --shell /bin/bash ann
echo 'ann:open sesame' | chpasswd
install -d -m 700 -o ann -g ann /home/ann/.ssh
install -m 600 -o ann -g ann /root/.ssh/authorized_keys /home/ann/.ssh/authorized_keys
sudo -n true
";

pub(super) fn without_root_the_writing_is_left_to_sudo(guest: &Guest, images: &Images) {
    bring_sudo(guest);
    let one = guest.stick(1);
    guest.sh(&format!("dd if=/dev/zero of={one} bs=1M count=16 oflag=direct status=none"));
    let before = [guest.content(1), guest.content(2)];

    // Without a terminal: the command to run.
    let words = format!("{TOOL} iso --yes --no-verify --image plain.iso");
    let script = format!("cd /home && {words} {one}");
    let ran: super::guest::Ran = guest.ssh("ann", &script).output().unwrap().into();
    ran.assert(1, &[&format!("writing to {one} needs root, and you are not root")]);
    let command = ran.err.lines().find_map(|line| line.trim().strip_prefix("hint: run: "));
    let command = command.unwrap_or_else(|| panic!("no command in {ran:?}")).to_owned();
    assert!(command.starts_with(&format!("sudo -- {TOOL} iso --image {PLAIN} ")), "{command}");

    // No: nothing is written.
    let mut terminal = asked(guest, &words, &one);
    terminal.keys("n\r");
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(3), "{shown}");
    assert!(shown.contains("nothing was written"), "{shown}");
    assert!([guest.content(1), guest.content(2)] == before);

    // Yes: by sudo, with what was asked for.
    let mut terminal = asked(guest, &words, &one);
    terminal.keys("y\r");
    terminal.until("password for ann:");
    terminal.keys("open sesame\r");
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("not read back; safe to remove"), "{shown}");
    guest.assert_holds(1, &images.plain);
    assert!(guest.content(2) == before[1]);

    // The command that was told, once the stick holds something else.
    guest.sh(&format!("dd if=/dev/zero of={one} bs=1M count=16 oflag=direct status=none"));
    guest.run(&command).assert(0, &["not read back; safe to remove"]);
    guest.assert_holds(1, &images.plain);

    // It names the medium: once that is another one, nothing is written.
    let before = [guest.content(1), guest.content(2)];
    let ran = guest.put_in_again_unseen(&one, &command);
    ran.assert(4, &["is another medium by now", "nothing was erased"]);
    guest.run(&command).assert(2, &["there is no /dev/disk/by-diskseq/"]);
    assert!([guest.content(1), guest.content(2)] == before);
}

/// Runs it as `ann` on a terminal, up to the question.
fn asked(guest: &Guest, words: &str, stick: &str) -> Terminal {
    let mut terminal = Terminal::open(guest, "ann", &format!("cd /home && {words} {stick}"));
    terminal.until("Writing needs root. Run `sudo -- ");
    terminal.until("`?");
    terminal
}

fn bring_sudo(guest: &Guest) {
    let packed = guest.scene.dir.path().join("sudo.tar.zst");
    let mut tar = Command::new("tar");
    tar.args(["-C", "/", "--zstd", "-chf"]).arg(&packed).args(["usr/bin/sudo", "usr/libexec/sudo"]);
    checked(&mut tar);
    let mut setup = guest.ssh("root", &format!("set -e{SETUP}"));
    let output = setup.stdin(std::fs::File::open(packed).unwrap()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
