{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.disko;
  diskoLib = import ./lib {
    inherit lib;
    inherit (cfg) rootMountPoint;
  };
in
{
  options.disko = {
    devices = mkOption {
      type = diskoLib.toplevel;
      default = { };
      description = "The devices to set up.";
    };
    rootMountPoint = mkOption {
      type = types.str;
      default = "/mnt";
      description = "Where the new system is mounted during the installation.";
    };
    enableConfig = mkOption {
      type = types.bool;
      default = true;
      description = "Whether the machine mounts the devices; false on an installer.";
    };
    checkScripts = mkOption {
      type = types.bool;
      default = false;
      description = "Accepted for the sake of configurations; the scripts are the same.";
    };
    memSize = mkOption {
      type = types.int;
      default = 1024;
      description = "MiB of memory of the machine that makes disk images.";
    };
    imageBuilder = mkOption {
      type = types.attrsOf types.anything;
      default = { };
      description = "Settings of disk images, which this stand-in does not make.";
    };
    tests = mkOption {
      type = types.attrsOf types.anything;
      default = { };
      description = "Settings of installation tests, which this stand-in does not have.";
    };
  };

  config = {
    system.build = cfg.devices._scripts { inherit pkgs; };

    # The names are spelled out: which options are set must be known before any device is.
    fileSystems = lib.mkIf cfg.enableConfig (cfg.devices._config.fileSystems or { });
    boot = lib.mkIf cfg.enableConfig (cfg.devices._config.boot or { });
    swapDevices = lib.mkIf cfg.enableConfig (cfg.devices._config.swapDevices or [ ]);

    _module.args = { inherit diskoLib; };
  };
}
