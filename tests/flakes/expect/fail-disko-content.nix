# A kind of content that disko does not know.
let
  common = import ./common;
in
(common.machine [
  {
    _file = "disks.nix";
    disko.devices.disk.main = {
      device = "/dev/sda";
      content.type = "gtp";
    };
  }
]).disko.devices.disk.main.content.type
