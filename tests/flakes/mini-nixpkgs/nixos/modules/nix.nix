{ lib, pkgs, ... }:
let
  inherit (lib) mkEnableOption mkOption types;
  value = types.nullOr (
    types.oneOf [
      types.bool
      types.int
      types.float
      types.str
      types.path
      types.package
    ]
  );
in
{
  options.nix = {
    enable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether Nix is on the machine.";
    };
    package = mkOption {
      type = types.package;
      default = pkgs.nix;
      defaultText = lib.literalExpression "pkgs.nix";
      description = "The Nix to use.";
    };
    settings = mkOption {
      type = types.submodule {
        freeformType = types.attrsOf (types.either value (types.listOf value));
        options = {
          experimental-features = mkOption {
            type = types.listOf types.str;
            default = [ ];
            description = "Experimental features that are on.";
          };
          trusted-users = mkOption {
            type = types.listOf types.str;
            default = [ "root" ];
            description = "Users that may change what the daemon trusts.";
          };
          allowed-users = mkOption {
            type = types.listOf types.str;
            default = [ "*" ];
            description = "Users that may talk to the daemon.";
          };
          substituters = mkOption {
            type = types.listOf types.str;
            default = [ "https://cache.nixos.org/" ];
            description = "Binary caches.";
          };
          trusted-public-keys = mkOption {
            type = types.listOf types.str;
            default = [ ];
            description = "Keys that sign binary caches.";
          };
          auto-optimise-store = mkOption {
            type = types.bool;
            default = false;
            description = "Whether same files are stored once.";
          };
        };
      };
      default = { };
      description = "Settings of nix.conf.";
    };
    extraOptions = mkOption {
      type = types.lines;
      default = "";
      description = "Lines for nix.conf.";
    };
    channel.enable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether channels can be used.";
    };
    registry = mkOption {
      type = types.attrsOf types.anything;
      default = { };
      description = "Short names of flakes.";
    };
    nixPath = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Where <name> is looked up.";
    };
    gc = {
      automatic = mkEnableOption "regular garbage collection";
      dates = mkOption {
        type = types.either types.singleLineStr (types.listOf types.str);
        default = [ "03:15" ];
        description = "When garbage is collected.";
      };
      options = mkOption {
        type = types.singleLineStr;
        default = "";
        description = "Arguments of nix-collect-garbage.";
      };
    };
    optimise.automatic = mkEnableOption "regular optimisation of the store";
  };

  # Root is trusted whatever else is.
  config.nix.settings.trusted-users = [ "root" ];
}
