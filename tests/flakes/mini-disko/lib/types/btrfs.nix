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

  swap = mkOption {
    type = types.attrsOf (
      types.submodule (
        { name, ... }:
        {
          options = {
            size = mkOption {
              type = types.strMatching "([0-9]+[KMGTP])?";
              example = "8G";
              description = "Size of the swap file.";
            };
            path = mkOption {
              type = types.str;
              default = name;
              description = "Path of the swap file, from the mount point.";
            };
            priority = mkOption {
              type = types.nullOr types.int;
              default = null;
              description = "0 to 32767; higher is used first.";
            };
            options = mkOption {
              type = types.listOf types.nonEmptyStr;
              default = [ "defaults" ];
              description = "Options of swapon.";
            };
          };
        }
      )
    );
    default = { };
    description = "Swap files.";
  };

  mountpoint = mkOption {
    type = types.nullOr diskoLib.absolutePath;
    default = null;
    description = "Where it is mounted.";
  };
  mountOptions = mkOption {
    type = types.listOf types.str;
    default = [ "defaults" ];
    description = "Options of the mount.";
  };
  extraArgs = mkOption {
    type = types.listOf types.str;
    default = [ ];
    description = "Arguments of the command that makes it.";
  };

  subvolume =
    { name, ... }:
    {
      options = {
        name = mkOption {
          type = types.str;
          default = name;
          description = "Path of the subvolume.";
        };
        type = mkOption {
          type = types.enum [ "btrfs_subvol" ];
          default = "btrfs_subvol";
          internal = true;
          description = "A subvolume.";
        };
        inherit
          extraArgs
          mountOptions
          mountpoint
          swap
          ;
      };
    };

  # What is mounted: subvolumes with a mount point, and the top of the file system if it has one.
  mounted =
    map (s: {
      inherit (s) mountpoint;
      options = s.mountOptions ++ [ "subvol=${s.name}" ];
    }) (lib.filter (s: s.mountpoint != null) (lib.attrValues config.subvolumes))
    ++ lib.optional (config.mountpoint != null) {
      inherit (config) mountpoint;
      options = config.mountOptions;
    };

  swapDevices =
    place: files:
    map (file: {
      device = "${toString place}/${file.path}";
      inherit (file) priority options;
    }) (lib.attrValues files);

  onTop = command: "on_btrfs_top ${quote config.device} ${command}";
  swapCommands =
    prefix: files:
    map (file: onTop "make_swapfile ${quote (prefix + file.path)} ${file.size}") (lib.attrValues files);
in
{
  options = {
    type = mkOption {
      type = types.enum [ "btrfs" ];
      internal = true;
      description = "A btrfs file system.";
    };
    device = mkOption {
      type = types.str;
      default = device;
      description = "The device that it is on.";
    };
    inherit
      extraArgs
      mountOptions
      mountpoint
      swap
      ;
    subvolumes = mkOption {
      type = types.attrsOf (types.submodule subvolume);
      default = { };
      description = "Subvolumes by path.";
    };
    _parent = diskoLib.internal parent;
    _meta = diskoLib.internal (_: { });
    _create = diskoLib.createOption config (
      diskoLib.lines (
        [
          ''
            if [ -z "$(signature ${quote config.device})" ]; then
              say "making a btrfs file system on ${config.device}"
              mkfs.btrfs ${lib.escapeShellArgs config.extraArgs} ${quote config.device} >/dev/null
            fi''
        ]
        ++ swapCommands "" config.swap
        ++ lib.concatMap (
          s:
          [ (onTop "make_subvolume ${quote s.name} ${lib.escapeShellArgs s.extraArgs}") ]
          ++ swapCommands "${s.name}/" s.swap
        ) (lib.attrValues config.subvolumes)
      )
    );
    _mount = diskoLib.mountOption config {
      fs = lib.listToAttrs (
        map (
          m:
          lib.nameValuePair m.mountpoint (
            diskoLib.mountCommand {
              inherit (config) device;
              inherit (m) mountpoint options;
              fsType = "btrfs";
            }
          )
        ) mounted
      );
    };
    _unmount = diskoLib.unmountOption config {
      fs = lib.listToAttrs (
        map (m: lib.nameValuePair m.mountpoint (diskoLib.unmountCommand m.mountpoint)) mounted
      );
    };
    _config = diskoLib.internal [
      (map (m: {
        fileSystems.${m.mountpoint} = {
          inherit (config) device;
          fsType = "btrfs";
          inherit (m) options;
        };
      }) mounted)
      (map (s: { swapDevices = swapDevices s.mountpoint s.swap; }) (lib.attrValues config.subvolumes))
      { swapDevices = swapDevices config.mountpoint config.swap; }
    ];
    _pkgs = diskoLib.internal (pkgs: [ pkgs.btrfs-progs ]);
    _unsupported = diskoLib.internal [ ];
  };
}
