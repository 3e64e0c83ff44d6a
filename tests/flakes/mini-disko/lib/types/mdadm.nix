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
  inherit (config) content;
  device = "/dev/md/${config.name}";
in
{
  options = {
    name = mkOption {
      type = types.str;
      default = name;
      description = "Name of the array.";
    };
    type = mkOption {
      type = types.enum [ "mdadm" ];
      default = "mdadm";
      internal = true;
      description = "A software RAID array.";
    };
    level = mkOption {
      type = types.int;
      default = 1;
      description = "The RAID level.";
    };
    metadata = mkOption {
      type = types.enum [
        "1"
        "1.0"
        "1.1"
        "1.2"
        "default"
        "ddf"
        "imsm"
      ];
      default = "default";
      description = "Version of the metadata.";
    };
    extraArgs = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Arguments of mdadm --create.";
    };
    content = diskoLib.deviceContent {
      parent = config;
      inherit device;
    };
    _meta = diskoLib.internal (
      if content == null then
        { }
      else
        content._meta [
          "mdadm"
          config.name
        ]
    );
    _create = diskoLib.createOption config ''
      if [ ! -b ${quote device} ]; then
        # Answers the question whether the devices may be overwritten.
        count=$(wc -l <"$members/mdadm_${config.name}")
        echo y | xargs -a "$members/mdadm_${config.name}" mdadm --create ${quote device} \
          --level=${toString config.level} --raid-devices="$count" --metadata=${config.metadata} \
          --homehost=any --run ${lib.escapeShellArgs config.extraArgs}
        await_device ${quote device} ${quote device}
      fi
      ${lib.optionalString (content != null) content._create}
    '';
    _mount = diskoLib.mountOption config (if content == null then { } else content._mount);
    _unmount = diskoLib.unmountOption config (if content == null then { } else content._unmount);
    _config = diskoLib.internal (
      [ { boot.swraid.enable = true; } ] ++ lib.optional (content != null) content._config
    );
    _pkgs = diskoLib.internal (
      pkgs: [ pkgs.mdadm ] ++ lib.optionals (content != null) (content._pkgs pkgs)
    );
    _unsupported = diskoLib.internal (lib.optionals (content != null) content._unsupported);
  };
}
