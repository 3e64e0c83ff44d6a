# A disk of the name that the layout uses, too.
let
  host = (import ./common).host [ "disks-btrfs" ] [
    { bootstrap.disk.device = "/dev/vda"; }
    {
      _file = "my-disks.nix";
      disko.devices.disk.disk0 = {
        type = "disk";
        device = "/dev/vdb";
      };
    }
  ];
in
host.config.system.build.diskoScript.drvPath
