# A module may set options under a condition that asks for other options, even of its own.
let
  common = import ./common;
  inherit (common) lib;
  inherit (lib) mkOption types;
in
common.values [
  (
    { config, ... }:
    {
      options = {
        enable = lib.mkEnableOption "the rest";
        level = mkOption { type = types.int; };
        names = mkOption {
          type = types.listOf types.str;
          default = [ ];
        };
        table = mkOption {
          type = types.attrsOf types.int;
          default = { };
        };
      };
      config = lib.mkIf config.enable (
        lib.mkMerge [
          { level = lib.mkDefault 1; }
          (lib.mkIf (config.level > 1) { names = [ "high" ]; })
          {
            table = lib.mkMerge [
              { always = config.level; }
              (lib.mkIf (config.level > 2) { higher = 1; })
              (lib.mkIf (config.level > 3) { highest = 1; })
            ];
          }
        ]
      );
    }
  )
  { enable = true; }
  { level = 3; }
]
