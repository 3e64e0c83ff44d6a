# Two disks of disko's that are the same device.
let
  host = (import ./common).host [ "disks-btrfs" ] [
    {
      bootstrap.disk.device = "/dev/vda";
      disko.devices.disk.data = {
        type = "disk";
        device = "/dev/vda";
      };
    }
  ];
in
host.config.system.build.toplevel.drvPath
