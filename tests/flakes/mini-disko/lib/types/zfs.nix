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
in
{
  options = {
    type = mkOption {
      type = types.enum [ "zfs" ];
      internal = true;
      description = "A part of a ZFS pool.";
    };
    device = mkOption {
      type = types.str;
      default = device;
      description = "The device that it is on.";
    };
    pool = mkOption {
      type = types.str;
      description = "Name of the pool.";
    };
    _parent = diskoLib.internal parent;
    _meta = diskoLib.internal (dev: { deviceDependencies.zpool.${config.pool} = [ dev ]; });
    _create = diskoLib.createOption config "";
    _mount = diskoLib.mountOption config { };
    _unmount = diskoLib.unmountOption config { };
    _config = diskoLib.internal [ ];
    _pkgs = diskoLib.internal (pkgs: [ pkgs.zfs ]);
    _unsupported = diskoLib.internal [ "ZFS" ];
  };
}
