{ config, lib, ... }:
let
  inherit (lib) mkOption types;

  fileSystem =
    { name, config, ... }:
    {
      options = {
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether it is mounted at all.";
        };
        mountPoint = mkOption {
          type = types.str;
          default = name;
          description = "Where the file system is mounted.";
        };
        device = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          example = "/dev/sda";
          description = "The device, or the name that stands for one.";
        };
        label = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          description = "Label of the device, when it is known by that.";
        };
        fsType = mkOption {
          type = types.nonEmptyStr;
          default = "auto";
          example = "btrfs";
          description = "Type of the file system.";
        };
        options = mkOption {
          type = types.nonEmptyListOf types.nonEmptyStr;
          default = [ "defaults" ];
          description = "Options of the mount.";
        };
        depends = mkOption {
          type = types.listOf types.nonEmptyStr;
          default = [ ];
          description = "Mount points that must be mounted before.";
        };
        neededForBoot = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the initial RAM disk mounts it. What no system can start without is mounted anyway.";
        };
        noCheck = mkOption {
          type = types.bool;
          default = false;
          description = "Whether to leave out the check at boot.";
        };
        autoFormat = mkOption {
          type = types.bool;
          default = false;
          description = "Whether an empty device is formatted at boot.";
        };
        autoResize = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the file system grows with its device.";
        };
      };
      config.device = lib.mkIf (config.label != null) (
        lib.mkDefault "/dev/disk/by-label/${config.label}"
      );
    };
in
{
  options.fileSystems = mkOption {
    type = types.attrsOf (types.submodule fileSystem);
    default = { };
    description = "The file systems to mount, by mount point.";
  };

  config = {
    boot.supportedFilesystems = lib.genAttrs (lib.unique (
      lib.filter (t: t != "auto") (map (fs: fs.fsType) (lib.attrValues config.fileSystems))
    )) (_: lib.mkDefault true);
    assertions = [
      {
        assertion = config.fileSystems ? "/";
        message = "The ‘fileSystems’ option does not specify your root file system.";
      }
    ]
    ++ lib.mapAttrsToList (name: fs: {
      assertion = fs.device != null || lib.elem fs.fsType [ "tmpfs" "auto" "overlay" ];
      message = "The file system at `${name}' has neither a device nor a label.";
    }) config.fileSystems;
  };
}
