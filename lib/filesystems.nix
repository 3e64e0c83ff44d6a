# The file systems that a host uses, by its own configuration.
{ lib }:
let
  # What needs no support of its own, or none in an installer.
  ignored = [
    "auto"
    "bind"
    "cifs"
    "fuse"
    "none"
    "nfs"
    "nfs4"
    "overlay"
    "ramfs"
    "swap"
    "tmpfs"
  ];

  each = f: set: lib.concatMap f (builtins.attrValues set);

  # What disko makes in a device, whether or not anything of it is mounted.
  ofContent =
    content:
    if content == null then
      [ ]
    else
      {
        bcachefs = [ "bcachefs" ];
        btrfs = [ "btrfs" ];
        filesystem = [ content.format ];
        gpt = each ofPart content.partitions;
        luks = ofPart content;
        table = lib.concatMap ofPart content.partitions;
        zfs = [ "zfs" ];
      }
      .${content.type} or [ ];
  ofPart = part: ofContent (part.content or null);

  ofDevices =
    devices:
    each ofPart (devices.disk or { })
    ++ each ofPart (devices.mdadm or { })
    ++ each (group: each ofPart group.lvs) (devices.lvm_vg or { })
    ++ each (pool: [ "zfs" ] ++ each ofPart pool.datasets) (devices.zpool or { })
    ++ each (_: [ "bcachefs" ]) (devices.bcachefs_filesystems or { });
in
host:
lib.subtractLists ignored (
  ofDevices (host.config.disko.devices or { })
  ++ map (fs: fs.fsType) (builtins.attrValues (host.config.fileSystems or { }))
)
