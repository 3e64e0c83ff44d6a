# A swap file without a size, as some older layouts have it.
let
  host = (import ./common).host [ "disks-btrfs" ] [
    {
      _module.args = {
        disk = "/dev/vda";
        withSwap = true;
      };
    }
  ];
in
host.config.system.build.diskoScript.drvPath
