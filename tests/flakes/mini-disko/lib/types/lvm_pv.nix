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
      type = types.enum [ "lvm_pv" ];
      internal = true;
      description = "A part of an LVM volume group.";
    };
    device = mkOption {
      type = types.str;
      default = device;
      description = "The device that it is on.";
    };
    vg = mkOption {
      type = types.str;
      description = "Name of the volume group.";
    };
    _parent = diskoLib.internal parent;
    _meta = diskoLib.internal (dev: { deviceDependencies.lvm_vg.${config.vg} = [ dev ]; });
    _create = diskoLib.createOption config ''
      if [ "$(signature ${diskoLib.quote config.device})" != LVM2_member ]; then
        pvcreate ${diskoLib.quote config.device} >/dev/null
      fi
      printf '%s\n' ${diskoLib.quote config.device} >>"$members/lvm_vg_${config.vg}"
    '';
    _mount = diskoLib.mountOption config { };
    _unmount = diskoLib.unmountOption config { };
    _config = diskoLib.internal [ ];
    _pkgs = diskoLib.internal (pkgs: [ pkgs.lvm2 ]);
    _unsupported = diskoLib.internal [ ];
  };
}
