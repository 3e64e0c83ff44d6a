//! What the plan says of boot loaders.

use super::super::phase::Phase;
use super::super::plan::Refusal;
use super::super::samples::{Case, grief, part};
use super::names_a_disk;
use crate::facts::{Content, GrubPlace, Partition, Signing};
use crate::remote::Firmware;

/// The only refusal, which must have this code.
fn only(case: &Case, code: &str) -> Refusal {
    let plan = case.plan();
    let codes: Vec<&str> = plan.refusals.iter().map(|refusal| refusal.code.as_str()).collect();
    assert_eq!(codes, [code]);
    plan.refusals[0].clone()
}

/// grief with GRUB for BIOS on these devices.
fn with_grub(devices: &[&str]) -> Case {
    let mut case = grief();
    case.probe.firmware = Firmware::Bios;
    case.configure(|facts| {
        facts.boot.systemd_boot = false;
        facts.boot.grub = true;
        facts.boot.grub_devices = devices.iter().map(|device| (*device).to_owned()).collect();
        let Some(Content::Gpt { partitions }) = &mut facts.disko.disks[0].content else {
            panic!("no gpt");
        };
        let bios = part("bios", Some("1M"), None);
        partitions.push(Partition { type_code: Some("EF02".to_owned()), ..bios });
    });
    case
}

fn set_type(case: &mut Case, code: Option<&str>) {
    case.configure(|facts| {
        let Some(Content::Gpt { partitions }) = &mut facts.disko.disks[0].content else {
            panic!("no gpt");
        };
        partitions.last_mut().unwrap().type_code = code.map(str::to_owned);
    });
}

#[test]
fn bios_firmware_refuses_an_efi_loader() {
    let mut case = grief();
    case.probe.firmware = Firmware::Bios;
    assert!(only(&case, "bios-firmware").reason.contains("systemd-boot needs UEFI"));
    case.configure(|facts| {
        facts.boot.systemd_boot = false;
        facts.boot.other = vec!["external".to_owned(), "lanzaboote".to_owned()];
    });
    assert!(only(&case, "bios-firmware").reason.contains("lanzaboote needs UEFI"));
    case.configure(|facts| facts.boot.other = vec!["limine".to_owned()]);
    assert_eq!(case.refused(), [""; 0]);
    case.configure(|facts| {
        facts.boot.other.clear();
        facts.boot.grub = true;
        facts.boot.grub_efi = true;
    });
    assert!(only(&case, "bios-firmware").reason.contains("GRUB with efiSupport"));
    assert_eq!(with_grub(&["/dev/vda"]).refused(), [""; 0]);
}

#[test]
fn grub_needs_a_disk_that_is_there() {
    let refusal = only(&with_grub(&["/dev/vda", "/dev/sdx"]), "missing-grub-device");
    assert!(
        refusal.reason.contains("/dev/sdx") && refusal.hint.contains("boot.loader.grub.devices")
    );
    // What disko makes is not there yet.
    assert_eq!(with_grub(&["/dev/md/boot"]).refused(), [""; 0]);
    for disk in ["/dev/sda", "/dev/nvme0n1", "/dev/mmcblk0", "/dev/disk/by-id/ata-X"] {
        assert!(names_a_disk(disk), "{disk}");
    }
    let others = [
        "/dev/sda1",
        "/dev/nvme0n1p2",
        "/dev/md127",
        "/dev/disk/by-id/ata-X-part1",
        "/dev/disk/by-id/md-name-x:a",
        "/dev/disk/by-label/x",
        "(hd0)",
        "",
    ];
    for other in others {
        assert!(!names_a_disk(other), "{other}");
    }
}

#[test]
fn grub_needs_a_place_in_a_gpt() {
    let mut case = with_grub(&["/dev/vda"]);
    set_type(&mut case, Some("21686148-6449-6e6f-744e-656564454649"));
    assert_eq!(case.refused(), [""; 0]);
    set_type(&mut case, None);
    let refusal = only(&case, "no-bios-partition");
    assert!(refusal.reason.starts_with("GRUB is to be written to /dev/vda"), "{}", refusal.reason);
    assert!(
        refusal.hint.contains("disko.devices.disk.disk0.content.partitions"),
        "{}",
        refusal.hint
    );
    case.configure(|facts| facts.boot.grub_place = GrubPlace::Anywhere);
    assert_eq!(case.refused(), [""; 0]);
    case.configure(|facts| facts.boot.grub_place = GrubPlace::Reserved);
    // Disks that stay as they are may have one.
    case.options.phases.skip = [Phase::Disko].into();
    assert_eq!(case.refused(), [""; 0]);
}

#[test]
fn lanzaboote_s_keys_are_not_on_an_erased_disk() {
    let mut case = grief();
    let warned =
        |case: &Case| case.plan().warnings.join("\n").contains("boot.lanzaboote.pkiBundle");
    assert!(!warned(&case));
    case.configure(|facts| facts.boot.signing = Signing::KeysOnDisk);
    assert!(warned(&case));
    case.options.phases.skip = [Phase::Disko].into();
    assert!(!warned(&case));
}
