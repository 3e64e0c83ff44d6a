# The layouts by their options and by the older `_module.args`, which give the very same script.
let
  common = import ./common;
  script = names: module: (common.host names [ module ]).config.system.build.diskoScript.drvPath;
  layout = names: module: (common.host names [ module ]).config.disko.devices.disk.disk0;

  byOptions = script [ "disks-btrfs" ] {
    bootstrap.disk = {
      device = "/dev/vda";
      swapSize = 8;
    };
  };
  same = module: script [ "disks-btrfs" ] module == byOptions;
  subvolumes = content: builtins.mapAttrs (_: s: s.mountpoint) content.subvolumes;
in
{
  sizeAsText = same {
    bootstrap.disk = {
      device = "/dev/vda";
      swapSize = "8";
    };
  };
  args = same {
    _module.args = {
      disk = "/dev/vda";
      withSwap = true;
      swapSize = "8";
    };
  };
  argsWithNumber = same {
    _module.args = {
      disk = "/dev/vda";
      swapSize = 8;
    };
  };
  optionBeforeArg = same {
    _module.args.disk = "/dev/sdz";
    bootstrap.disk = {
      device = "/dev/vda";
      swapSize = 8;
    };
  };
  otherSize = same {
    bootstrap.disk = {
      device = "/dev/vda";
      swapSize = 4;
    };
  };

  plain =
    let
      disk = layout [ "disks-btrfs" ] { bootstrap.disk.device = "/dev/disk/by-id/ata-X_1"; };
      inherit (disk.content.partitions) ESP root;
    in
    {
      inherit (disk) device;
      esp = {
        inherit (ESP) start end type;
        inherit (ESP.content) format mountpoint mountOptions;
      };
      subvolumes = subvolumes root.content;
    };
  noSwap =
    let
      disk = layout [ "disks-btrfs" ] {
        bootstrap.disk = {
          device = "/dev/vda";
          swapSize = 8;
          withSwap = false;
        };
      };
    in
    subvolumes disk.content.partitions.root.content;
  persistElsewhere =
    let
      host = common.host [ "disks-btrfs" ] [
        {
          bootstrap.disk.device = "/dev/vda";
          bootstrap.persistDir = "/keep";
        }
      ];
    in
    host.config.fileSystems."/keep".neededForBoot;
  encrypted =
    let
      disk = layout [ "disks-btrfs-luks" ] {
        bootstrap.disk = {
          device = "/dev/sda";
          swapSize = 2;
        };
      };
      inherit (disk.content.partitions) luks;
    in
    {
      inherit (luks.content) name passwordFile;
      inherit (luks.content.settings) allowDiscards;
      subvolumes = subvolumes luks.content.content;
      swap = luks.content.content.subvolumes."@swap".swap.swapfile.size;
    };
}
