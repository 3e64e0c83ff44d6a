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
      type = types.enum [ "mdraid" ];
      internal = true;
      description = "A part of a software RAID array.";
    };
    device = mkOption {
      type = types.str;
      default = device;
      description = "The device that it is on.";
    };
    name = mkOption {
      type = types.str;
      description = "Name of the array.";
    };
    _parent = diskoLib.internal parent;
    _meta = diskoLib.internal (dev: { deviceDependencies.mdadm.${config.name} = [ dev ]; });
    _create = diskoLib.createOption config ''
      printf '%s\n' ${diskoLib.quote config.device} >>"$members/mdadm_${config.name}"
    '';
    _mount = diskoLib.mountOption config { };
    _unmount = diskoLib.unmountOption config { };
    _config = diskoLib.internal [ ];
    _pkgs = diskoLib.internal (pkgs: [ pkgs.mdadm ]);
    _unsupported = diskoLib.internal [ ];
  };
}
