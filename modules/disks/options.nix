# The options of the disk layouts.
{
  config,
  lib,
  ...
}@args:
let
  inherit (lib) mkOption types;
  values = import ../values.nix { inherit lib; };
  moduleArg = values.moduleArg config;
  cfg = config.bootstrap.disk;
in
{
  imports = [ ../bootstrap.nix ];

  options.bootstrap.disk = {
    device = mkOption {
      type = types.nullOr values.types.devicePath;
      default = moduleArg "disk" null;
      defaultText = lib.literalExpression "_module.args.disk or null";
      example = "/dev/disk/by-id/nvme-Samsung_SSD_980_S64DNX0T123456";
      description = ''
        The disk that is erased and partitioned. Names below `/dev/disk/by-id` stay the same when
        disks are added; on the machine, `ls -l /dev/disk/by-id` shows them.
      '';
    };
    withSwap = mkOption {
      type = types.bool;
      default = moduleArg "withSwap" (cfg.swapSize != null && cfg.swapSize > 0);
      defaultText = lib.literalExpression "_module.args.withSwap or (swapSize is more than 0)";
      description = "Whether there is a swap file, in a subvolume of its own.";
    };
    swapSize = mkOption {
      type = types.nullOr values.types.gibibytes;
      default = moduleArg "swapSize" null;
      defaultText = lib.literalExpression "_module.args.swapSize or null";
      example = 8;
      description = "Size of the swap file in GiB.";
    };
    persistMountPoint = mkOption {
      type = values.types.absolutePath;
      default =
        if config.bootstrap.persistDir != null then
          config.bootstrap.persistDir
        else
          (values.configVars args).persistFolder or "/persist";
      defaultText = lib.literalExpression ''bootstrap.persistDir, else configVars.persistFolder or "/persist"'';
      description = "Where the subvolume `@persist` is mounted. It is mounted early in the boot.";
    };
    layout = mkOption {
      type = types.enum [
        "btrfs"
        "btrfs-luks"
      ];
      internal = true;
      description = "Which layout the host has. Set by the layouts, so that two of them are an error.";
    };
  };
}
