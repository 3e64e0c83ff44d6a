{
  config,
  device,
  diskoLib,
  lib,
  parent,
  ...
}:
let
  inherit (lib) mkOption types;
  inherit (diskoLib) quote;
in
{
  options = {
    type = mkOption {
      type = types.enum [ "filesystem" ];
      internal = true;
      description = "A file system.";
    };
    device = mkOption {
      type = types.str;
      default = device;
      description = "The device that it is on.";
    };
    format = mkOption {
      type = types.str;
      example = "vfat";
      description = "Its type, the last part of mkfs's name.";
    };
    extraArgs = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Arguments of mkfs.";
    };
    mountOptions = mkOption {
      type = types.listOf types.str;
      default = [ "defaults" ];
      description = "Options of the mount.";
    };
    mountpoint = mkOption {
      type = types.nullOr diskoLib.absolutePath;
      default = null;
      description = "Where it is mounted.";
    };
    _parent = diskoLib.internal parent;
    _meta = diskoLib.internal (_: { });
    _create = diskoLib.createOption config ''
      if [ -z "$(signature ${quote config.device})" ]; then
        say "making a ${config.format} file system on ${config.device}"
        mkfs.${config.format} ${lib.escapeShellArgs config.extraArgs} ${quote config.device} >/dev/null
      fi
    '';
    _mount = diskoLib.mountOption config (
      lib.optionalAttrs (config.mountpoint != null) {
        fs.${config.mountpoint} = diskoLib.mountCommand {
          inherit (config) device mountpoint;
          fsType = config.format;
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
          inherit (config) device;
          fsType = config.format;
          options = config.mountOptions;
        };
      }
    );
    _pkgs = diskoLib.internal (
      pkgs:
      {
        vfat = [ pkgs.dosfstools ];
        ext4 = [ pkgs.e2fsprogs ];
        xfs = [ pkgs.xfsprogs ];
        btrfs = [ pkgs.btrfs-progs ];
      }
      .${config.format} or [ ]
    );
    _unsupported = diskoLib.internal [ ];
  };
}
