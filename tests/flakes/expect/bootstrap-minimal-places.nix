# Where `isMinimal` is said in several places: the option, `_module.args`, the special arguments.
let
  common = import ./common;
  isMinimal =
    {
      special ? null,
      arg ? null,
      modules ? [ ],
    }:
    (common.lib.nixosSystem {
      specialArgs = common.lib.optionalAttrs (special != null) { configVars.isMinimal = special; };
      modules = [
        common.nixos-bootstrap.nixosModules.bootstrap
        { nixpkgs.hostPlatform = "x86_64-linux"; }
        (common.lib.optionalAttrs (arg != null) { _module.args.configVars.isMinimal = arg; })
      ]
      ++ modules;
    }).config.bootstrap.isMinimal;
in
{
  nowhere = isMinimal { };
  special = isMinimal { special = true; };
  argBeforeSpecial = isMinimal {
    special = true;
    arg = false;
  };
  optionBeforeArg = isMinimal {
    special = false;
    arg = false;
    modules = [ { bootstrap.isMinimal = true; } ];
  };
  optionBeforeAll = isMinimal {
    special = true;
    arg = true;
    modules = [ { bootstrap.isMinimal = false; } ];
  };
  forced = isMinimal {
    special = true;
    modules = [
      { bootstrap.isMinimal = true; }
      { bootstrap.isMinimal = common.lib.mkForce false; }
    ];
  };
}
