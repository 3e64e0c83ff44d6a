//! Keys that can't be given to disko.

use super::super::plan::Refusal;
use super::super::samples::{Case, grief, gusto};
use crate::facts::{Dataset, KeySource, Pool};
use crate::validated::AbsolutePath;

/// The only refusal, which must have this code.
fn only(case: &Case, code: &str) -> Refusal {
    let plan = case.plan();
    let codes: Vec<&str> = plan.refusals.iter().map(|refusal| refusal.code.as_str()).collect();
    assert_eq!(codes, [code]);
    plan.refusals[0].clone()
}

#[test]
fn a_key_on_a_device_is_refused() {
    let mut case = gusto();
    let key = |case: &mut Case, path: &str| {
        let path: AbsolutePath = path.parse().unwrap();
        case.configure(|facts| facts.encryption[0].key = KeySource::KeyFile { path: path.clone() });
    };
    key(&mut case, "/dev/disk/by-id/usb-Stick");
    let refusal = only(&case, "key-device");
    assert!(
        refusal.reason.contains("crypted takes its key from the device /dev/disk/by-id/usb-Stick")
    );
    assert!(refusal.hint.contains("boot.initrd.luks.devices.crypted.keyFile"), "{}", refusal.hint);
    // This is a folder in memory.
    key(&mut case, "/dev/shm/disk.key");
    assert_eq!(case.refused(), [""; 0]);
}

#[test]
fn keys_of_zfs_that_nothing_gives_are_refused() {
    let mut case = grief();
    let pool = |pool: Option<&str>, dataset: Option<&str>| Pool {
        name: "tank".to_owned(),
        mode: String::new(),
        key_location: pool.map(str::to_owned),
        datasets: vec![Dataset {
            name: "a/b".to_owned(),
            kind: "zfs_fs".to_owned(),
            mountpoint: None,
            size: None,
            key_location: dataset.map(str::to_owned),
        }],
    };
    case.configure(|facts| facts.disko.pools = vec![pool(None, None)]);
    assert_eq!(case.refused(), [""; 0]);
    case.configure(|facts| facts.disko.pools = vec![pool(Some("prompt"), None)]);
    let refusal = only(&case, "zfs-key");
    assert!(refusal.reason.contains("tank asks for its key"), "{}", refusal.reason);
    assert!(refusal.reason.contains("disko.devices.zpool.tank.rootFsOptions.keylocation"));
    case.configure(|facts| facts.disko.pools = vec![pool(None, Some("file:///tmp/secret.key"))]);
    let refusal = only(&case, "zfs-key");
    assert!(refusal.reason.contains("tank/a/b is encrypted with a key from /tmp/secret.key"));
    assert!(refusal.reason.contains("tank.datasets.\"a/b\".options.keylocation"));
    case.configure(|facts| {
        facts.disko.pools = vec![pool(Some("https://keys.example.org/x"), None)];
    });
    assert_eq!(case.refused(), [""; 0]);
}
