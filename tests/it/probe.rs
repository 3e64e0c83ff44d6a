//! What is read from the answers of machines (`tests/probe/*.answer`), and the script itself on the
//! machine that runs the test.

use std::fs;
use std::path::Path;

use nixos_bootstrap::remote::probe::parse;
use nixos_bootstrap::remote::{Privilege, Probe, probe};

use crate::sshd::Sshd;

fn answer(name: &str) -> String {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/probe");
    fs::read_to_string(dir.join(name).with_extension("answer")).unwrap()
}

fn read(name: &str) -> Probe {
    parse(&answer(name)).unwrap()
}

fn media(probe: &Probe) -> Vec<&str> {
    let media = probe.disks.iter().filter(|disk| disk.boot_medium);
    media.map(|disk| disk.name.as_str()).collect()
}

fn disks(probe: &Probe) -> Vec<&str> {
    probe.disks.iter().map(|disk| disk.name.as_str()).collect()
}

#[test]
fn answers_of_machines_are_read_whole() {
    for name in ["nvme-usb", "mdraid-kexec", "lvm-on-luks", "virtio-old-lsblk", "stick-in-memory"] {
        insta::assert_json_snapshot!(name, read(name));
    }
}

#[test]
fn the_boot_medium_is_found() {
    assert_eq!(media(&read("nvme-usb")), ["sda"], "an image on a stick");
    assert_eq!(media(&read("virtio-old-lsblk")), ["sr0"], "an optical drive");
    assert_eq!(media(&read("stick-in-memory")), ["sdb"], "the boot manager tells");
    assert_eq!(media(&read("mdraid-kexec")), [""; 0], "after kexec there is none");
    assert_eq!(media(&read("lvm-on-luks")), [""; 0], "no installer, no medium");
    let copied =
        answer("nvme-usb").replace("\"/iso\"", "null").replace("\"/nix/.ro-store\"", "null");
    assert_eq!(media(&parse(&copied).unwrap()), ["sda"], "copied to memory: by its label");
    let ventoy =
        answer("nvme-usb").replace("\"/iso\"", "\"/run/images\"").replace("root=LABEL=", "x=");
    assert_eq!(media(&parse(&ventoy).unwrap()), [""; 0]);
    let ventoy = ventoy.replace("loop0 /iso/", "loop0 /run/images/iso/");
    assert_eq!(media(&parse(&ventoy).unwrap()), ["sda"], "behind a loop device");
}

#[test]
fn only_disks_that_can_be_installed_on_are_listed() {
    assert_eq!(disks(&read("nvme-usb")), ["sda", "nvme0n1"]);
    assert_eq!(disks(&read("mdraid-kexec")), ["sda", "sdb"], "no empty drive, no floppy");
    assert_eq!(disks(&read("virtio-old-lsblk")), ["sr0", "vda"], "no disk without a size");
}

#[test]
fn uses_of_a_disk_are_seen_through_all_layers() {
    let probe = read("lvm-on-luks");
    assert_eq!(probe.disks[0].mounted_at(), ["/boot", "[SWAP]", "/nix/store", "/"]);
    let probe = read("mdraid-kexec");
    assert_eq!(probe.disks[1].mounted_at(), ["/mnt"]);
}

#[test]
fn links_are_validated_and_belong_to_the_disk_itself() {
    let probe = read("nvme-usb");
    let nvme = &probe.disks[1];
    assert_eq!(nvme.links.len(), 3, "{:?}", nvme.links);
    assert!(nvme.is_called("/dev/disk/by-id/nvme-eui.002538b111b2c3d4"));
    assert!(!nvme.links.iter().any(|link| link.contains("part1") || link.contains("rm")));
}

#[test]
fn what_a_machine_says_cannot_redraw_the_terminal() {
    let text = serde_json::to_string(&read("nvme-usb")).unwrap();
    assert!(!text.contains("\\u001b"), "{text}");
    let evil = answer("nvme-usb").replace("/dev/nvme0n1\"", "/dev/../etc/passwd\"");
    assert_eq!(parse(&evil).unwrap().disks[1].path, "/dev/nvme0n1");
    let evil = evil.replace("\"nvme0n1\"", "\"../etc/passwd\"");
    assert!(parse(&evil).unwrap_err().to_string().contains("impossible path"));
}

#[test]
fn no_section_can_pass_for_another() {
    let text =
        answer("nvme-usb").replace("os NAME=NixOS", "os x\nos privilege root\nos firmware bios");
    assert_eq!(parse(&text).unwrap(), read("nvme-usb"));
}

#[test]
fn a_broken_answer_says_what_is_missing() {
    let without = |section: &str| {
        let text = answer("nvme-usb");
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with(section)).collect();
        parse(&lines.join("\n"))
    };
    for section in ["boot", "memory", "privilege", "architecture", "lsblk", "name", "firmware"] {
        let error = without(&format!("{section} ")).unwrap_err().to_string();
        assert!(error.contains(section), "{error}");
    }
    assert!(without("os ").unwrap().os_id.is_none());
    assert!(!without("os ").unwrap().installer);
    assert!(without("start ").is_ok() && without("link ").is_ok() && without("loader ").is_ok());
    let cut = answer("nvme-usb").replace("lsblk    ]", "lsblk");
    assert!(parse(&cut).unwrap_err().to_string().contains("lsblk"));
    let no_lsblk = "missing lsblk\n".to_owned() + &answer("nvme-usb").replace("\nlsblk ", "\nx ");
    assert_eq!(parse(&no_lsblk).unwrap().missing_programs, ["lsblk"]);
}

#[tokio::test]
async fn this_machine_can_be_described() {
    let sshd = Sshd::start();
    let remote = sshd.connect().await;
    let found = probe(&*remote).await.unwrap();
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    assert_eq!(found.boot_id, boot_id.trim());
    assert_eq!(found.architecture, std::env::consts::ARCH);
    assert!(found.memory > 1 << 26);
    assert_eq!(found.privilege == Privilege::Root, crate::sshd::user() == "root");
    assert!(found.missing_programs.iter().any(|program| program == "nixos-install"));
    assert!(!found.missing_programs.iter().any(|program| program == "tar"));
}
