//! Every warning, each from a plan that has nothing else to warn of.

use super::super::options::{RebuildOn, ReuseHostKey, Via};
use super::super::phase::Phase;
use super::super::samples::{Case, facts, filesystem, grief, gusto};
use super::super::surroundings::SecretsRepo;
use crate::facts::{Agenix, Content, KeySource, Sops, SopsSecret};
use crate::remote::Firmware;

/// The only warning.
fn only(case: &Case) -> String {
    let warnings = case.plan().warnings;
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    warnings[0].clone()
}

fn none(case: &Case) {
    assert_eq!(case.plan().warnings, [""; 0]);
}

#[test]
fn a_good_plan_has_none() {
    none(&grief());
}

#[test]
fn kernel_names_are_warned_of_where_a_better_one_is_known() {
    let mut case = gusto();
    let warning = only(&case);
    assert!(warning.starts_with("/dev/sda may be another disk"), "{warning}");
    assert!(
        warning.contains("/dev/disk/by-id/ata-Samsung_SSD_860_EVO_S5GXNX0R123456"),
        "{warning}"
    );
    assert!(warning.contains("disko.devices.disk.disk0.device"), "{warning}");
    // The name with model and serial is better than a bare number.
    let more = ["/dev/disk/by-id/wwn-0x5002538e", "/dev/disk/by-path/pci-1"].map(str::to_owned);
    case.disk().links.splice(0..0, more);
    assert_eq!(only(&case), warning);
    case.disk().links.truncate(1);
    assert!(only(&case).contains("/dev/disk/by-id/wwn-0x5002538e"));
    case.disk().links.clear();
    none(&case);
}

#[test]
fn an_untracked_hardware_file_is_warned_of() {
    let mut case = grief();
    case.around.tracked.as_mut().unwrap().remove("hosts/grief/hardware-configuration.nix");
    let warning = only(&case);
    assert!(
        warning.contains("git does not track hosts/grief/hardware-configuration.nix"),
        "{warning}"
    );
    assert!(warning.contains("the phase hardware writes it anew"), "{warning}");
    case.options.phases.skip = [Phase::Hardware].into();
    assert!(only(&case).contains("git add --intent-to-add"));
    // One that is not there yet is no oddity: the phase makes it.
    case.around.hardware_files.clear();
    none(&case);
}

fn with_secrets(files: &[&str]) -> Case {
    let mut case = grief();
    let secret = |file: &&str| SopsSecret {
        name: "x".to_owned(),
        key: "x".to_owned(),
        file: Some(format!("/nix/store/zr2knphxg8yyy2mkq8akf2hfknjvdiz7-source/{file}")),
    };
    case.facts.sops = Some(Sops { secrets: files.iter().map(secret).collect(), ..Sops::default() });
    case
}

#[test]
fn secrets_files_without_a_rule_are_warned_of() {
    let mut case = with_secrets(&["secrets.yaml", "hosts/grief.yaml", "hosts/grief.yaml"]);
    assert!(
        only(&case).contains("no .sops.yaml is on this machine for secrets.yaml, hosts/grief.yaml")
    );
    let path = "/home/ta/src/nix-secrets".into();
    let rules = "creation_rules:\n  - path_regex: ^secrets\\.yaml$\n    age: age1x\n";
    case.around.secrets_repo = Some(SecretsRepo { path, sops_yaml: Some(rules.to_owned()) });
    assert_eq!(only(&case), "no rule of .sops.yaml covers hosts/grief.yaml: sops can't rekey it");
    // The flake's own rules count as well.
    case.around.sops_yaml = Some("creation_rules: [{path_regex: hosts/}]".to_owned());
    none(&case);
    case.around.sops_yaml = Some("creation_rules: [{path_regex: '('}]".to_owned());
    let warnings = case.plan().warnings;
    assert!(warnings[0].starts_with("the flake's .sops.yaml: path_regex"), "{warnings:?}");
    case.around.sops_yaml = None;
    case.around.secrets_repo.as_mut().unwrap().sops_yaml = None;
    assert_eq!(only(&case), "/home/ta/src/nix-secrets has no .sops.yaml");
}

#[test]
fn a_secrets_file_named_by_the_options_counts() {
    let mut case = grief();
    case.around.sops_yaml = Some("creation_rules: [{path_regex: nothing}]".to_owned());
    none(&case);
    case.facts.bootstrap.secrets_file = Some("./secrets/all.yaml".to_owned());
    assert!(only(&case).contains("covers secrets/all.yaml"));
}

#[test]
fn root_that_may_not_log_in_is_warned_of() {
    let mut case = grief();
    case.configure(|facts| facts.ssh.permit_root_login = Some("no".to_owned()));
    assert_eq!(case.plan().target.installed_user.as_str(), "ta");
    let warning = only(&case);
    assert!(warning.contains("verify, sync, rebuild log in as ta"), "{warning}");
    case.configure(|facts| facts.primary_user = None);
    assert!(only(&case).contains("name one with --user"));
    case.options.phases.only = [Phase::Disko].into();
    none(&case);
    // Only the full configuration shuts root out: the run ends there.
    let mut case = grief();
    case.facts.ssh.permit_root_login = Some("no".to_owned());
    assert_eq!(case.plan().target.installed_user.as_str(), "root");
    assert!(only(&case).contains("after rebuild root can't log in"));
}

#[test]
fn a_host_without_sshd_is_warned_of() {
    let mut case = grief();
    case.configure(|facts| facts.ssh.enable = false);
    assert!(only(&case).contains("services.openssh.enable is false"));
}

#[test]
fn a_minimal_configuration_with_other_disks_is_warned_of() {
    let mut case = grief();
    let other = facts("grief", "/dev/disk/by-id/virtio-GRIEF0001", Some("16G"), None);
    case.facts.disko = other.disko;
    assert!(only(&case).contains("describes the disk disk0 other than the full one"));
    case.options.via = Some(Via::Full);
    none(&case);
}

#[test]
fn a_layout_without_root_or_boot_is_warned_of() {
    let mut case = grief();
    case.configure(|facts| {
        let Some(Content::Gpt { partitions }) = &mut facts.disko.disks[0].content else {
            panic!("no gpt");
        };
        partitions[0].content = Some(filesystem("vfat", Some("/efi")));
    });
    assert!(only(&case).starts_with("the boot loader is installed to /boot, but nothing"));
    case.configure(|facts| facts.boot.esp_mountpoint = Some("/efi".to_owned()));
    none(&case);
    case.configure(|facts| {
        let Some(Content::Gpt { partitions }) = &mut facts.disko.disks[0].content else {
            panic!("no gpt");
        };
        partitions[1].content = Some(filesystem("ext4", Some("/home")));
    });
    assert_eq!(only(&case), "nothing in disko.devices is mounted at /");
}

#[test]
fn a_bios_loader_on_uefi_is_warned_of() {
    let mut case = grief();
    case.configure(|facts| {
        facts.boot.systemd_boot = false;
        facts.boot.grub = true;
        facts.boot.grub_devices = vec!["/dev/vda".to_owned()];
    });
    assert!(only(&case).contains("started by UEFI firmware, but the configured GRUB is for BIOS"));
    case.probe.firmware = Firmware::Bios;
    none(&case);
}

#[test]
fn disks_left_mounted_by_an_interrupted_run_are_told_of() {
    let mut case = grief();
    case.disk().mountpoints = vec!["/mnt".to_owned()];
    case.around.done = [Phase::Hostkey].into();
    assert!(only(&case).contains("still in use below /mnt by the interrupted run"));
    case.around.done.insert(Phase::Disko);
    none(&case);
}

#[test]
fn a_key_file_is_told_of() {
    let mut case = gusto();
    case.disk().links.clear();
    case.configure(|facts| {
        facts.encryption[0].key = KeySource::KeyFile { path: "/tmp/secret.key".parse().unwrap() };
    });
    assert!(only(&case).contains("crypted opens with the key file /tmp/secret.key at boot"));
}

#[test]
fn a_rebuild_without_its_repo_is_warned_of() {
    let mut case = grief();
    case.options.rebuild_on = Some(RebuildOn::Target);
    none(&case);
    case.options.phases.skip = [Phase::Sync].into();
    assert!(only(&case).contains("sync does not bring it there"));
    case.around.done = [Phase::Sync].into();
    none(&case);
}

#[test]
fn leaving_the_host_key_out_is_warned_of() {
    let mut case = grief();
    case.options.phases.skip = [Phase::Hostkey].into();
    assert!(only(&case).contains("without the phase hostkey"));
    case.around.done = [Phase::Hostkey].into();
    none(&case);
}

#[test]
fn what_could_not_be_looked_at_is_passed_on() {
    let mut case = grief();
    case.around.notes = vec!["what git tracks is not known: x".to_owned()];
    assert_eq!(only(&case), "what git tracks is not known: x");
}

#[test]
fn secrets_that_a_new_key_can_t_read_are_warned_of() {
    let mut case = grief();
    let path = "/etc/ssh/ssh_host_ed25519_key".to_owned();
    case.facts.sops = Some(Sops {
        age_ssh_key_paths: vec![format!("/persist{path}")],
        secrets: vec![SopsSecret {
            name: "a".to_owned(),
            key: "a".to_owned(),
            file: Some("/srv/secrets/a.yaml".to_owned()),
        }],
        ..Sops::default()
    });
    let warning = only(&case);
    assert!(
        warning.contains("no .sops.yaml is on this machine for /srv/secrets/a.yaml"),
        "{warning}"
    );
    let reason = |case: &Case| format!("{:?}", case.plan().phase(Phase::Secrets).unwrap().action);
    assert!(reason(&case).contains("no .sops.yaml of the host's secrets"), "{}", reason(&case));
    case.options.reuse_host_key = Some(ReuseHostKey::Target);
    none(&case);
    case.options.reuse_host_key = None;
    case.facts.sops = None;
    assert!(reason(&case).contains("not configured"), "{}", reason(&case));
    none(&case);

    let secrets = vec!["wifi".to_owned(), "token".to_owned()];
    case.facts.agenix = Some(Agenix { identity_paths: vec![path], secrets });
    let warning = only(&case);
    assert!(warning.contains("agenix has encrypted wifi, token (age.secrets)"), "{warning}");
    case.facts.agenix.as_mut().unwrap().identity_paths = vec!["/root/key".to_owned()];
    none(&case);
}
