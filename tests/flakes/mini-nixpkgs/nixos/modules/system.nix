{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;

  # Messages before the machine is looked at: a failed assertion explains what would
  # otherwise be an odd error of some builder.
  failed = map (a: a.message) (lib.filter (a: !a.assertion) config.assertions);
  showWarnings = lib.foldr lib.warn;
  checked =
    value:
    if failed != [ ] then
      throw "\nFailed assertions:\n${lib.concatMapStringsSep "\n" (message: "- ${message}") failed}"
    else
      showWarnings value config.warnings;

  machine = import ../../machine {
    inherit config lib;
    inherit (pkgs.stdenv.hostPlatform) system;
    payload = import ../../payload.nix { inherit (pkgs.stdenv.hostPlatform) system; };
  };

  script = types.either types.str (
    types.submodule {
      options = {
        text = mkOption {
          type = types.lines;
          description = "The shell commands.";
        };
        deps = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Names of the scripts that run before.";
        };
        supportsDryActivation = mkOption {
          type = types.bool;
          default = false;
          description = "Whether the script may run in a dry activation.";
        };
      };
    }
  );

  string =
    default: description:
    mkOption {
      type = types.str;
      inherit default description;
    };
in
{
  options.system = {
    stateVersion = mkOption {
      type = types.str;
      default = config.system.nixos.release;
      description = "The release that the machine was installed with.";
    };
    build = mkOption {
      type = types.submodule { freeformType = types.lazyAttrsOf types.unspecified; };
      default = { };
      description = "What can be built of the configuration.";
    };
    activationScripts = mkOption {
      type = types.attrsOf script;
      default = { };
      apply = lib.mapAttrs (
        _: s:
        if builtins.isString s then
          {
            text = s;
            deps = [ ];
            supportsDryActivation = false;
          }
        else
          s
      );
      description = "Shell commands of each activation and boot.";
    };
    name = string config.networking.hostName "Name of the system in its store path.";
    nixos = {
      version = string lib.version "The version.";
      release = string lib.trivial.release "The release.";
      label = string lib.version "The version as boot menus show it.";
      codeName = string "Mini" "The release's name.";
      distroId = string "nixos" "The distribution's identifier.";
      distroName = string "NixOS" "The distribution's name.";
      versionSuffix = string "" "What follows the release in the version.";
      variant_id = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "Which kind of this distribution it is.";
      };
    };
    configurationRevision = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "The commit of the configuration.";
    };
    extraDependencies = mkOption {
      type = types.listOf types.path;
      default = [ ];
      description = "Paths that the system keeps.";
    };
    autoUpgrade.enable = lib.mkEnableOption "upgrades of the machine by itself";
    disableInstallerTools = lib.mkEnableOption "a system without the installation's tools";
  };

  config.system.build.toplevel = checked machine.toplevel;
}
