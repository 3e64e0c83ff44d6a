{ lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options = {
    assertions = mkOption {
      type = types.listOf types.unspecified;
      internal = true;
      default = [ ];
      description = "Conditions that must hold before the system is built.";
    };
    warnings = mkOption {
      type = types.listOf types.str;
      internal = true;
      default = [ ];
      description = "Messages that are shown when the system is built.";
    };
    meta = mkOption {
      type = types.attrsOf types.anything;
      internal = true;
      default = { };
      description = "Who looks after a module, and where its manual is.";
    };
  };
}
