{
  config,
  diskoLib,
  lib,
  name,
  ...
}:
let
  inherit (lib) mkOption types;

  properties = mkOption {
    type = types.attrsOf types.str;
    default = { };
    description = "Properties.";
  };

  dataset =
    { name, config, ... }:
    {
      options = {
        name = mkOption {
          type = types.str;
          default = name;
          description = "Path of the dataset in the pool.";
        };
        type = mkOption {
          type = types.enum [
            "zfs_fs"
            "zfs_volume"
          ];
          default = "zfs_fs";
          description = "A file system or a volume.";
        };
        options = properties;
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
        size = mkOption {
          type = types.nullOr types.str;
          default = null;
          description = "Size of a volume.";
        };
      };
    };
in
{
  options = {
    name = mkOption {
      type = types.str;
      default = name;
      description = "Name of the pool.";
    };
    type = mkOption {
      type = types.enum [ "zpool" ];
      default = "zpool";
      internal = true;
      description = "A ZFS pool.";
    };
    mode = mkOption {
      type = types.either types.str types.attrs;
      default = "";
      description = "How the pool uses its devices.";
    };
    options = properties;
    rootFsOptions = properties;
    mountpoint = mkOption {
      type = types.nullOr diskoLib.absolutePath;
      default = null;
      description = "Where the pool's top is mounted.";
    };
    mountOptions = mkOption {
      type = types.listOf types.str;
      default = [ "defaults" ];
      description = "Options of the mount.";
    };
    datasets = mkOption {
      type = types.attrsOf (types.submodule dataset);
      default = { };
      description = "Datasets by path.";
    };
    _meta = diskoLib.internal { };
    _create = diskoLib.createOption config "";
    _mount = diskoLib.mountOption config { };
    _unmount = diskoLib.unmountOption config { };
    _config = diskoLib.internal (
      map (d: {
        fileSystems.${d.mountpoint} = {
          device = "${config.name}/${d.name}";
          fsType = "zfs";
          options = d.mountOptions ++ lib.optional ((d.options.mountpoint or "") != "legacy") "zfsutil";
        };
      }) (lib.filter (d: d.mountpoint != null) (lib.attrValues config.datasets))
    );
    _pkgs = diskoLib.internal (pkgs: [ pkgs.zfs ]);
    _unsupported = diskoLib.internal [ "ZFS" ];
  };
}
