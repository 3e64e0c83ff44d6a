{
  config,
  lib,
  options,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.nixpkgs;
  platform =
    if options.nixpkgs.hostPlatform.isDefined then cfg.hostPlatform else lib.systems.elaborate cfg.system;
in
{
  options.nixpkgs = {
    hostPlatform = mkOption {
      type = types.either types.str types.attrs;
      example = "x86_64-linux";
      apply = lib.systems.elaborate;
      description = "The platform that the machine runs.";
    };
    buildPlatform = mkOption {
      type = types.either types.str types.attrs;
      default = platform.system;
      apply = lib.systems.elaborate;
      description = "The platform that builds.";
    };
    system = mkOption {
      type = types.str;
      description = "The platform that the machine runs, in the older spelling.";
    };
    config = mkOption {
      type = types.submodule { freeformType = types.attrsOf types.raw; };
      default = { };
      description = "Settings of the package set, such as allowUnfree.";
    };
    overlays = mkOption {
      type = types.listOf (types.uniq types.raw);
      default = [ ];
      description = "Changes of the package set.";
    };
    pkgs = mkOption {
      type = types.raw;
      description = "A package set to use in place of an own one.";
    };
    flake.source = mkOption {
      type = types.nullOr (types.either types.str types.path);
      default = null;
      description = "Where the package set's source is.";
    };
  };

  config._module.args.pkgs =
    if options.nixpkgs.pkgs.isDefined then
      cfg.pkgs
    else
      import ../../pkgs {
        inherit lib;
        inherit (platform) system;
        inherit (cfg) config overlays;
      };
}
