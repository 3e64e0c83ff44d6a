# Imports: files and folders, functions and sets; a file that is imported twice counts once;
# special arguments may decide on imports, `_module.args` may not but reach every module.
let
  common = import ./common;
  inherit (common) lib;
  result = lib.evalModules {
    specialArgs.more = true;
    modules = [
      ./common/imported.nix
      (
        { more, lib, ... }:
        {
          imports = [ ./common/imported.nix ] ++ lib.optional more ./common/folder;
        }
      )
      (
        { suffix, ... }@args:
        {
          _module.args.suffix = "!";
          seen = [ "argument${args.suffix}" ];
          disabledModules = [ ./common/disabled.nix ];
        }
      )
    ];
  };
in
{
  inherit (result.config) seen;
  args = {
    inherit (result._module.args) suffix;
    special = result._module.specialArgs;
  };
  extended = (result.extendModules { modules = [ { seen = lib.mkForce [ "extended" ]; } ]; }).config.seen;
}
