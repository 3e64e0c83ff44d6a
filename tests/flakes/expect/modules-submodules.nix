# Submodules: names, defaults, free parts, and options that others add.
let
  common = import ./common;
  inherit (common) lib;
  inherit (lib) mkOption types;
in
common.values [
  {
    options.users = mkOption {
      default = { };
      type = types.attrsOf (
        types.submodule (
          { name, config, ... }:
          {
            options = {
              name = mkOption {
                type = types.str;
                default = name;
              };
              home = mkOption {
                type = types.nullOr types.path;
                default = null;
              };
            };
            config.home = lib.mkIf (config.name != "nobody") (lib.mkDefault "/home/${config.name}");
          }
        )
      );
    };
    options.settings = mkOption {
      default = { };
      type = types.submodule {
        freeformType = types.attrsOf (types.either types.bool (types.listOf types.str));
        options.Port = mkOption {
          type = types.port;
          default = 22;
        };
      };
    };
  }
  { options.settings.Extra = mkOption { type = types.enum [ "a" "b" ]; }; }
  {
    users.ta = { };
    users.renamed.name = "other";
    users.nobody = { };
    users.gone = lib.mkIf false { };
    settings.Extra = "b";
    settings.X11Forwarding = false;
    settings.AllowUsers = [ "ta" ];
  }
  {
    users.ta.home = lib.mkForce "/srv/ta";
    settings.AllowUsers = [ "root" ];
  }
]
