# Volume groups, arrays and pools.
let
  common = import ./common;
  inherit (common) lib;
  part = content: {
    size = "100%";
    inherit content;
  };
  disk = device: content: {
    inherit device;
    content = {
      type = "gpt";
      partitions.all = part content;
    };
  };
  config = common.machine [
    {
      disko.devices = {
        disk.a = disk "/dev/sda" {
          type = "mdraid";
          name = "raid";
        };
        disk.b = disk "/dev/sdb" {
          type = "mdraid";
          name = "raid";
        };
        disk.c = disk "/dev/sdc" {
          type = "zfs";
          pool = "tank";
        };
        mdadm.raid.content = {
          type = "lvm_pv";
          vg = "vg";
        };
        lvm_vg.vg = {
          type = "lvm_vg";
          lvs.root = {
            size = "100%FREE";
            content = {
              type = "filesystem";
              format = "ext4";
              mountpoint = "/";
            };
          };
        };
        zpool.tank.datasets.home.mountpoint = "/home";
      };
    }
  ];
in
{
  fileSystems = lib.mapAttrs (_: fs: fs.device) config.fileSystems;
  raid = config.boot.swraid.enable;
  dependencies = config.disko.devices._meta.deviceDependencies;
}
