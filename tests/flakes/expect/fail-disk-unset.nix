# A layout without a disk.
let
  host = (import ./common).host [ "disks-btrfs-luks" ] [ ];
in
host.config.system.build.diskoScript.drvPath
