//! What a layout leaves on the machine once it is made: where things are mounted, which containers
//! are open. Read from `disko.devices`; pure.

use crate::facts::{Btrfs, Content, Disko};

/// A mount that the layout makes, as seen from the new system's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// Where, such as `/boot`.
    pub(super) target: String,
    /// Type as the kernel names it.
    pub(super) fs_type: String,
    /// The btrfs subvolume, where it is one.
    pub(super) subvolume: Option<String>,
}

/// Everything that the layout mounts, parents before children.
pub(super) fn mounts(disko: &Disko) -> Vec<Mount> {
    let mut found = Vec::new();
    for content in contents(disko) {
        match content {
            Content::Filesystem(fs) => push(&mut found, fs.mountpoint.as_ref(), &fs.format, None),
            Content::Btrfs(btrfs) => push_btrfs(&mut found, btrfs),
            _ => {}
        }
    }
    for dataset in disko.pools.iter().flat_map(|pool| &pool.datasets) {
        if dataset.kind == "zfs_fs" {
            push(&mut found, dataset.mountpoint.as_ref(), "zfs", None);
        }
    }
    for mount in &disko.nodev {
        push(&mut found, Some(&mount.mountpoint), &mount.fs_type, None);
    }
    found.sort_by(|a, b| a.target.cmp(&b.target));
    found
}

fn push_btrfs(found: &mut Vec<Mount>, btrfs: &Btrfs) {
    push(found, btrfs.mountpoint.as_ref(), "btrfs", None);
    for subvolume in &btrfs.subvolumes {
        push(found, subvolume.mountpoint.as_ref(), "btrfs", Some(&subvolume.name));
    }
}

fn push(found: &mut Vec<Mount>, target: Option<&String>, fs_type: &str, subvolume: Option<&str>) {
    // ZFS has words such as `none` and `legacy` in this place.
    let Some(target) = target.filter(|target| target.starts_with('/')) else { return };
    found.push(Mount {
        target: target.clone(),
        fs_type: fs_type.to_owned(),
        subvolume: subvolume.map(ToOwned::to_owned),
    });
}

/// What must be closed before the disks can be let go, as `KIND:NAME` words.
pub(super) fn opened(disko: &Disko) -> Vec<String> {
    let pools = disko.pools.iter().map(|pool| format!("pool:{}", pool.name));
    let groups = disko.volume_groups.iter().map(|group| format!("vg:{}", group.name));
    let containers = contents(disko).into_iter().filter_map(|content| match content {
        Content::Luks { name, .. } => Some(format!("luks:{name}")),
        _ => None,
    });
    let raids = disko.raids.iter().map(|raid| format!("md:{}", raid.name));
    pools.chain(containers).chain(groups).chain(raids).collect()
}

/// Every content of the layout, outer ones before what is in them.
fn contents(layout: &Disko) -> Vec<&Content> {
    let disks = layout.disks.iter().filter_map(|disk| disk.content.as_ref());
    let volumes = layout.volume_groups.iter().flat_map(|group| &group.volumes);
    let volumes = volumes.filter_map(|volume| volume.content.as_ref());
    let raids = layout.raids.iter().filter_map(|raid| raid.content.as_ref());
    let mut todo: Vec<&Content> = disks.chain(volumes).chain(raids).collect();
    todo.reverse();
    let mut found = Vec::new();
    while let Some(content) = todo.pop() {
        found.push(content);
        match content {
            Content::Gpt { partitions } => {
                todo.extend(partitions.iter().rev().filter_map(|part| part.content.as_ref()));
            }
            Content::Luks { content: Some(inner), .. } => todo.push(inner),
            _ => {}
        }
    }
    found
}

/// A line of `/proc/self/mounts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mounted {
    /// Device, or a word such as `tmpfs`.
    pub(super) source: String,
    /// Where.
    pub(super) target: String,
    /// Type.
    pub(super) fs_type: String,
    /// Options.
    pub(super) options: Vec<String>,
}

impl Mounted {
    /// Is this what `planned` makes?
    pub(super) fn is(&self, planned: &Mount) -> bool {
        let subvolume = |name: &String| {
            let wanted = name.trim_start_matches('/');
            self.options.iter().any(|option| {
                option
                    .strip_prefix("subvol=")
                    .is_some_and(|it| it.trim_start_matches('/') == wanted)
            })
        };
        self.fs_type == planned.fs_type && planned.subvolume.as_ref().is_none_or(subvolume)
    }
}

/// Reads `/proc/self/mounts`.
pub(super) fn parse_mounts(text: &str) -> Vec<Mounted> {
    let line = |line: &str| {
        let mut fields = line.split(' ').map(unescaped);
        Some(Mounted {
            source: fields.next()?,
            target: fields.next()?,
            fs_type: fields.next()?,
            options: fields.next()?.split(',').map(ToOwned::to_owned).collect(),
        })
    };
    text.lines().filter_map(line).collect()
}

/// The kernel writes blanks and backslashes in these fields as `\ooo`.
fn unescaped(field: &str) -> String {
    let mut text = String::with_capacity(field.len());
    let mut rest = field;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        let code = after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        text.push(code.map_or('\\', char::from));
        rest = if code.is_some() { &after[3..] } else { after };
    }
    text.push_str(rest);
    text
}

/// The planned mounts that are not there below `root`, each with what is there in its place.
pub(super) fn missing(planned: &[Mount], mounted: &[Mounted], root: &str) -> Vec<String> {
    let place = |target: &str| match (root, target) {
        ("/", target) => target.to_owned(),
        (root, "/") => root.to_owned(),
        (root, target) => format!("{root}{target}"),
    };
    let check = |mount: &Mount| {
        let place = place(&mount.target);
        // Later lines lie over earlier ones.
        let found = mounted.iter().rev().find(|mounted| mounted.target == place);
        let subvolume = mount.subvolume.as_ref().map(|name| format!(" subvolume {name}"));
        let wanted = format!("{}{}", mount.fs_type, subvolume.unwrap_or_default());
        match found {
            Some(found) if found.is(mount) => None,
            Some(found) => {
                let (kind, options) = (&found.fs_type, found.options.join(","));
                Some(format!("{place}: {wanted} expected, {kind} ({options}) found"))
            }
            None => Some(format!("{place}: {wanted} expected, nothing is mounted there")),
        }
    };
    planned.iter().filter_map(check).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Disk, Filesystem, NodevMount, Partition, Raid, Subvolume, VolumeGroup};

    fn part(name: &str, content: Content) -> Partition {
        Partition {
            name: name.to_owned(),
            label: None,
            type_code: None,
            priority: None,
            size: None,
            start: None,
            end: None,
            content: Some(content),
        }
    }

    pub(crate) fn luks_btrfs() -> Disko {
        let subvolume = |name: &str, mountpoint: Option<&str>| Subvolume {
            name: name.to_owned(),
            mountpoint: mountpoint.map(ToOwned::to_owned),
            mount_options: vec![],
            swapfiles: vec![],
        };
        let btrfs = Content::Btrfs(Btrfs {
            mountpoint: None,
            mount_options: vec![],
            subvolumes: vec![
                subvolume("@root", Some("/")),
                subvolume("@nix", Some("/nix")),
                subvolume("@snapshots", None),
            ],
            swapfiles: vec![],
        });
        let esp = Content::Filesystem(Filesystem {
            format: "vfat".to_owned(),
            mountpoint: Some("/boot".to_owned()),
            mount_options: vec![],
        });
        let luks = Content::Luks { name: "cryptroot".to_owned(), content: Some(Box::new(btrfs)) };
        let partitions = vec![part("ESP", esp), part("root", luks)];
        let content = Some(Content::Gpt { partitions });
        let device = "/dev/vda".parse().unwrap();
        let tmpfs = NodevMount {
            mountpoint: "/tmp".to_owned(),
            fs_type: "tmpfs".to_owned(),
            mount_options: vec![],
        };
        Disko {
            disks: vec![Disk { name: "main".to_owned(), device, content }],
            volume_groups: vec![VolumeGroup { name: "pool".to_owned(), volumes: vec![] }],
            raids: vec![Raid { name: "r".to_owned(), level: "1".to_owned(), content: None }],
            nodev: vec![tmpfs],
            ..Disko::default()
        }
    }

    const MOUNTS: &str = "\
/dev/root / squashfs ro 0 0
tmpfs /mnt ext4 rw 0 0
/dev/mapper/cryptroot /mnt btrfs rw,relatime,compress=zstd:3,subvolid=256,subvol=/@root 0 0
/dev/mapper/cryptroot /mnt/nix btrfs rw,noatime,subvol=/@nix 0 0
/dev/vda1 /mnt/boot vfat rw,fmask=0077 0 0
tmpfs /mnt/tmp tmpfs rw 0 0
/dev/sdb1 /media/my\\040stick vfat rw 0 0
";

    #[test]
    fn mounts_and_containers_are_found_at_every_depth() {
        let disko = luks_btrfs();
        let targets: Vec<_> = mounts(&disko).into_iter().map(|mount| mount.target).collect();
        assert_eq!(targets, ["/", "/boot", "/nix", "/tmp"]);
        assert_eq!(opened(&disko), ["luks:cryptroot", "vg:pool", "md:r"]);
    }

    #[test]
    fn what_is_mounted_otherwise_than_planned_is_named() {
        let planned = mounts(&luks_btrfs());
        let mounted = parse_mounts(MOUNTS);
        assert_eq!(missing(&planned, &mounted, "/mnt"), Vec::<String>::new());
        assert_eq!(mounted.last().unwrap().target, "/media/my stick");

        let other = MOUNTS.replace("subvol=/@nix", "subvol=/@root").replace("/mnt/boot", "/boot");
        let missing = missing(&planned, &parse_mounts(&other), "/mnt");
        assert_eq!(missing.len(), 2, "{missing:?}");
        assert!(missing[0].starts_with("/mnt/boot: vfat expected, nothing"), "{missing:?}");
        assert!(
            missing[1]
                .contains("btrfs subvolume @nix expected, btrfs (rw,noatime,subvol=/@root) found"),
            "{missing:?}"
        );
    }

    #[test]
    fn escapes_of_the_kernel_are_undone_and_odd_ones_are_kept() {
        assert_eq!(unescaped(r"a\040b\134c\x"), r"a b\c\x");
        assert_eq!(parse_mounts("short line\n\n"), []);
    }
}
