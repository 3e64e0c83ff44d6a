{
  config,
  diskoLib,
  lib,
  name,
  ...
}:
let
  inherit (lib) mkOption types;
  inherit (config) content;
in
{
  options = {
    name = mkOption {
      type = types.str;
      default = lib.replaceStrings [ "/" ] [ "_" ] name;
      description = "Name of the disk, which its partitions' labels have.";
    };
    type = mkOption {
      type = types.enum [ "disk" ];
      default = "disk";
      internal = true;
      description = "Kind of device.";
    };
    device = mkOption {
      type = diskoLib.absolutePath;
      example = "/dev/disk/by-id/nvme-…";
      description = "Path of the disk.";
    };
    destroy = mkOption {
      type = types.bool;
      default = true;
      description = "Whether the disk is wiped before it is partitioned.";
    };
    imageName = mkOption {
      type = types.str;
      default = config.name;
      description = "Name of a disk image.";
    };
    imageSize = mkOption {
      type = types.strMatching "[0-9]+[KMGTP]?";
      default = "2G";
      description = "Size of a disk image.";
    };
    content = diskoLib.deviceContent {
      parent = config;
      inherit (config) device;
    };
    _meta = diskoLib.internal (
      if content == null then
        { }
      else
        content._meta [
          "disk"
          config.name
        ]
    );
    _create = diskoLib.createOption config (if content == null then "" else content._create);
    _mount = diskoLib.mountOption config (if content == null then { } else content._mount);
    _unmount = diskoLib.unmountOption config (if content == null then { } else content._unmount);
    _config = diskoLib.internal (lib.optional (content != null) content._config);
    _pkgs = diskoLib.internal (pkgs: lib.optionals (content != null) (content._pkgs pkgs));
    _unsupported = diskoLib.internal (lib.optionals (content != null) content._unsupported);
  };
}
