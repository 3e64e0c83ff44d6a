# Both layouts at once.
let
  host = (import ./common).host [ "disks-btrfs" "disks-btrfs-luks" ] [
    { bootstrap.disk.device = "/dev/vda"; }
  ];
in
host.config.system.build.diskoScript.drvPath
