# A disk that can be described, but for which there is no script here.
let
  common = import ./common;
in
(common.machine [
  {
    disko.devices.disk.main = {
      device = "/dev/sda";
      content = {
        type = "gpt";
        partitions.all = {
          size = "100%";
          content = {
            type = "zfs";
            pool = "tank";
          };
        };
      };
    };
  }
]).system.build.diskoScript.drvPath
