{
  config,
  diskoLib,
  lib,
  name,
  ...
}:
let
  inherit (lib) mkOption types;
in
{
  options = {
    type = mkOption {
      type = types.enum [ "nodev" ];
      default = "nodev";
      internal = true;
      description = "A file system without a device.";
    };
    fsType = mkOption {
      type = types.str;
      example = "tmpfs";
      description = "Type of the file system.";
    };
    device = mkOption {
      type = types.str;
      default = "none";
      description = "What stands for the device.";
    };
    mountpoint = mkOption {
      type = types.nullOr diskoLib.absolutePath;
      default = name;
      description = "Where it is mounted.";
    };
    mountOptions = mkOption {
      type = types.listOf types.str;
      default = [ "defaults" ];
      description = "Options of the mount.";
    };
    _meta = diskoLib.internal { };
    _create = diskoLib.createOption config "";
    _mount = diskoLib.mountOption config (
      lib.optionalAttrs (config.mountpoint != null) {
        fs.${config.mountpoint} = diskoLib.mountCommand {
          inherit (config) device fsType mountpoint;
          options = config.mountOptions;
        };
      }
    );
    _unmount = diskoLib.unmountOption config (
      lib.optionalAttrs (config.mountpoint != null) {
        fs.${config.mountpoint} = diskoLib.unmountCommand config.mountpoint;
      }
    );
    _config = diskoLib.internal (
      lib.optional (config.mountpoint != null) {
        fileSystems.${config.mountpoint} = {
          inherit (config) device fsType;
          options = config.mountOptions;
        };
      }
    );
    _pkgs = diskoLib.internal (_: [ ]);
    _unsupported = diskoLib.internal [ ];
  };
}
