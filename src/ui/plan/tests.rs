//! Pictures of whole plans and facts, as they are on the terminal.

use unicode_width::UnicodeWidthStr;

use super::*;
use crate::facts::{
    Content, Dataset, Disk, HostSummary, KeySource, LogicalVolume, NodevMount, Partition, Pool,
    Raid, VolumeGroup,
};
use crate::install::samples::{Case, GIB, MIB, filesystem, grief, gusto, live, node, part};

fn style(width: usize) -> Style {
    Style { width, colour: false, unicode: true }
}

const ASCII: Style = Style { width: 60, colour: false, unicode: false };

/// A server: a mirror of two disks for the system, LVM, ZFS, a swap partition, a third disk with a
/// gap.
fn server() -> Case {
    let mut case = grief();
    case.minimal = None;
    let raid = || Content::Mdraid { name: "system".to_owned() };
    let esp = |name: &str| part(name, Some("1G"), Some(filesystem("vfat", Some("/boot"))));
    let swap = Content::Swap { random_encryption: true, resume_device: false, priority: None };
    let gpt = |partitions| Some(Content::Gpt { partitions });
    let disk = |name: &str, device: &str, content| Disk {
        name: name.to_owned(),
        device: device.parse().unwrap(),
        content,
    };
    let pv = Content::LvmPv { vg: "pool".to_owned() };
    let gap = Partition {
        start: Some("400G".into()),
        end: Some("800G".into()),
        ..part("lvm", None, Some(pv))
    };
    case.facts.disko.disks = vec![
        disk(
            "one",
            "/dev/disk/by-id/nvme-ONE",
            gpt(vec![
                esp("ESP"),
                part("swap", Some("16G"), Some(swap)),
                part("md", Some("100%"), Some(raid())),
            ]),
        ),
        disk("two", "/dev/disk/by-id/nvme-TWO", gpt(vec![part("md", Some("100%"), Some(raid()))])),
        disk("three", "/dev/disk/by-id/sata-THREE", gpt(vec![gap])),
        disk("four", "/dev/disk/by-id/sata-FOUR", Some(Content::Zfs { pool: "tank".to_owned() })),
    ];
    let volume = |name: &str, size: &str, mount| LogicalVolume {
        name: name.to_owned(),
        size: Some(size.to_owned()),
        content: Some(filesystem("xfs", Some(mount))),
    };
    case.facts.disko.volume_groups = vec![VolumeGroup {
        name: "pool".to_owned(),
        volumes: vec![volume("home", "200G", "/home"), volume("var", "100%FREE", "/var")],
    }];
    case.facts.disko.raids = vec![Raid {
        name: "system".to_owned(),
        level: "1".to_owned(),
        content: Some(filesystem("ext4", Some("/"))),
    }];
    case.facts.disko.pools = vec![Pool {
        name: "tank".to_owned(),
        mode: String::new(),
        key_location: None,
        datasets: vec![Dataset {
            name: "media".to_owned(),
            kind: "zfs_fs".to_owned(),
            mountpoint: Some("/media".to_owned()),
            size: None,
            key_location: None,
        }],
    }];
    case.facts.disko.nodev = vec![NodevMount {
        mountpoint: "/tmp".to_owned(),
        fs_type: "tmpfs".to_owned(),
        mount_options: Vec::new(),
    }];
    let mut four = live("sdb", 4000 * GIB, "sata", Some("FOUR"));
    four.fs_type = Some("xfs".to_owned());
    let mut two = live("nvme1n1", 500 * GIB, "nvme", Some("TWO"));
    two.table = Some("gpt".to_owned());
    let mut stick = case.probe.disks.remove(1);
    stick.children[0].start = None;
    case.probe.disks = vec![
        live("nvme0n1", 500 * GIB, "nvme", Some("ONE")),
        two,
        live("sda", 1000 * GIB, "sata", Some("THREE")),
        four,
        stick,
    ];
    case
}

/// All that can be wrong at once, told by a machine that wants to play with the terminal.
fn refused() -> Case {
    let mut case = gusto();
    case.configure(|facts| facts.encryption[0].key = KeySource::Ask);
    case.around.terminal = false;
    case.probe.architecture = "aarch64".to_owned();
    case.probe.os_name = Some("Evil\x1b[2J\u{202e}OS".to_owned());
    case.disk().model = Some("Disk\r\n\x1b]0;owned\x07".to_owned());
    case.disk().size = 4 * GIB;
    case.disk().children =
        vec![node("sda1", 3 * GIB, MIB, "ext4", Some("a\x1b[31m"), &["/mnt", "/mnt/\nx"])];
    case
}

#[test]
fn an_empty_disk() {
    for width in [60, 80, 120] {
        insta::assert_snapshot!(format!("grief-{width}"), render(&grief().plan(), &style(width)));
    }
}

#[test]
fn an_encrypted_disk_in_place_of_another_system() {
    for width in [60, 80, 120] {
        insta::assert_snapshot!(format!("gusto-{width}"), render(&gusto().plan(), &style(width)));
    }
    insta::assert_snapshot!("gusto-ascii", render(&gusto().plan(), &ASCII));
    let colour = Style { colour: true, ..style(120) };
    insta::assert_snapshot!(
        "gusto-colour",
        render(&gusto().plan(), &colour).replace('\x1b', "ESC")
    );
}

#[test]
fn several_disks_with_raid_lvm_and_zfs() {
    for width in [60, 80, 120] {
        insta::assert_snapshot!(format!("server-{width}"), render(&server().plan(), &style(width)));
    }
}

/// The whole of a plan.
fn whole(plan: &Plan, style: &Style) -> String {
    render(plan, style) + &refusals(plan, "This plan must not be carried out:", style)
}

#[test]
fn a_refused_plan() {
    insta::assert_snapshot!("refused-80", whole(&refused().plan(), &style(80)));
    let mut case = grief();
    case.probe.disks.remove(0);
    insta::assert_snapshot!("missing-80", whole(&case.plan(), &style(80)));
    assert_eq!(refusals(&grief().plan(), "Nothing:", &style(80)), "");
}

#[test]
fn a_resumed_plan() {
    let mut case = gusto();
    case.around.done = [Phase::Hostkey, Phase::Hardware, Phase::Disko].into();
    insta::assert_snapshot!("resumed-80", render(&case.plan(), &style(80)));
}

#[test]
fn the_facts_of_a_host() {
    insta::assert_snapshot!("facts-80", render_facts(&server().facts, &style(80)));
    insta::assert_snapshot!("facts-gusto-80", render_facts(&gusto().facts, &style(80)));
}

#[test]
fn the_list_of_hosts() {
    let host = |name: &str, is_minimal| HostSummary {
        name: name.to_owned(),
        system: "x86_64-linux".to_owned(),
        is_minimal,
    };
    let shown = render_hosts(&[host("grief", false), host("web-\x1b[1m01", true)], &style(80));
    assert_eq!(shown, "grief   x86_64-linux\nweb-01  x86_64-linux  minimal\n");
}

#[test]
fn no_picture_is_wider_than_the_terminal_or_steers_it() {
    for case in [grief(), gusto(), server(), refused()] {
        for width in 40..=165 {
            for unicode in [true, false] {
                let style = Style { width, colour: false, unicode };
                let text = whole(&case.plan(), &style) + &render_facts(&case.facts, &style);
                for line in text.lines() {
                    assert!(line.width() <= width, "{width}: {line:?}");
                    assert!(!line.chars().any(char::is_control), "{line:?}");
                    assert!(unicode || line.is_ascii(), "{line:?}");
                }
            }
        }
    }
}

#[test]
fn colour_adds_nothing_but_colour() {
    for case in [grief(), gusto(), server(), refused()] {
        let plain = whole(&case.plan(), &style(100));
        let coloured = whole(&case.plan(), &Style { colour: true, ..style(100) });
        let stripped = console::strip_ansi_codes(&coloured);
        let trimmed: Vec<&str> = stripped.lines().map(str::trim_end).collect();
        assert_eq!(trimmed, plain.lines().collect::<Vec<_>>());
    }
}

#[test]
fn everything_of_a_disk_that_goes_is_shown() {
    let text = render(&gusto().plan(), &style(120));
    for word in ["sda1", "sda2", "sda3", "sda4", "old-root", "Windows", "S5GXNX0R123456", "ERASED"]
    {
        assert!(text.contains(word), "{word} is missing");
    }
}
