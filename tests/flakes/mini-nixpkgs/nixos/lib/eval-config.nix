# Evaluates a machine's configuration: the declared options of ../modules plus the given modules.
args@{
  lib ? import ../../lib,
  modules,
  system ? null,
  pkgs ? null,
  specialArgs ? { },
  extraModules ? [ ],
  baseModules ? import ../modules/module-list.nix,
  prefix ? [ ],
  # Errors in modules that are written right into the call name the file of the call.
  modulesLocation ? (builtins.unsafeGetAttrPos "modules" args).file or null,
}:
let
  given = {
    _file = ./eval-config.nix;
    key = toString ./eval-config.nix;
    config = lib.mkMerge [
      (lib.mkIf (system != null) {
        # A default only: hostPlatform in a hardware-configuration.nix says the same thing better.
        nixpkgs.system = lib.mkDefault system;
      })
      (lib.mkIf (pkgs != null) {
        nixpkgs.pkgs = pkgs;
      })
      {
        _module.args = { inherit baseModules extraModules modules; };
      }
    ];
  };
  located = map (
    if modulesLocation == null then lib.id else lib.setDefaultModuleLocation modulesLocation
  ) modules;

  withExtras =
    evaluated:
    evaluated
    // {
      inherit lib;
      inherit (evaluated._module.args) pkgs;
      extendModules = args: withExtras (evaluated.extendModules args);
    };
in
withExtras (
  lib.evalModules {
    inherit prefix;
    class = "nixos";
    modules = baseModules ++ extraModules ++ [ given ] ++ located;
    specialArgs = {
      modulesPath = toString ../modules;
    }
    // specialArgs;
  }
)
