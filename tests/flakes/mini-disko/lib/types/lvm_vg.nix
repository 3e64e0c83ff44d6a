{
  config,
  diskoLib,
  lib,
  name,
  ...
}:
let
  inherit (lib) mkOption types;
  inherit (diskoLib) quote;

  group = config;
  contents = diskoLib.contentsOf config.lvs;
  # Sizes in percent are of what is left, so they come last.
  sorted = lib.sort (a: b: a.priority < b.priority) (lib.attrValues config.lvs);

  volume =
    { name, config, ... }:
    {
      options = {
        name = mkOption {
          type = types.str;
          default = name;
          description = "Name of the volume.";
        };
        priority = mkOption {
          type = types.int;
          default = if lib.hasInfix "%" config.size then 9001 else 1000;
          description = "Volumes with a smaller number are made first.";
        };
        size = mkOption {
          type = types.str;
          example = "100%FREE";
          description = "Size, or extents in percent.";
        };
        lvm_type = mkOption {
          type = types.nullOr types.str;
          default = null;
          description = "Type of the volume.";
        };
        extraArgs = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Arguments of lvcreate.";
        };
        content = diskoLib.partitionContent {
          parent = group;
          device = "/dev/${group.name}/${config.name}";
        };
      };
    };
in
{
  options = {
    name = mkOption {
      type = types.str;
      default = name;
      description = "Name of the volume group.";
    };
    type = mkOption {
      type = types.enum [ "lvm_vg" ];
      internal = true;
      description = "An LVM volume group.";
    };
    lvs = mkOption {
      type = types.attrsOf (types.submodule volume);
      default = { };
      description = "Volumes by name.";
    };
    _meta = diskoLib.internal (
      diskoLib.joinMeta (
        map (
          c:
          c._meta [
            "lvm_vg"
            config.name
          ]
        ) contents
      )
    );
    _create = diskoLib.createOption config (
      diskoLib.lines (
        [
          ''
            if ! vgs ${quote config.name} >/dev/null 2>&1; then
              # The list is one device a line.
              xargs vgcreate ${quote config.name} <"$members/lvm_vg_${config.name}" >/dev/null
            fi
            vgchange --activate y ${quote config.name} >/dev/null''
        ]
        ++ map (v: ''
          if ! lvs ${quote "${config.name}/${v.name}"} >/dev/null 2>&1; then
            lvcreate --yes ${if lib.hasInfix "%" v.size then "--extents" else "--size"} ${quote v.size} ${
              lib.optionalString (v.lvm_type != null) "--type ${v.lvm_type}"
            } ${lib.escapeShellArgs v.extraArgs} --name ${quote v.name} ${quote config.name} >/dev/null
          fi'') sorted
        ++ map (v: v.content._create) (lib.filter (v: v.content != null) sorted)
      )
    );
    _mount = diskoLib.mountOption config (
      diskoLib.joinMounts (
        [ { dev = "vgchange --activate y ${quote config.name} >/dev/null"; } ] ++ map (c: c._mount) contents
      )
    );
    _unmount = diskoLib.unmountOption config (
      diskoLib.joinMounts (
        map (c: c._unmount) contents ++ [ { dev = "vgchange --activate n ${quote config.name} >/dev/null"; } ]
      )
    );
    _config = diskoLib.internal (
      map (c: c._config) contents ++ [ { boot.initrd.kernelModules = [ "dm_mod" ]; } ]
    );
    _pkgs = diskoLib.internal (pkgs: [ pkgs.lvm2 ] ++ lib.concatMap (c: c._pkgs pkgs) contents);
    _unsupported = diskoLib.internal (lib.concatMap (c: c._unsupported) contents);
  };
}
