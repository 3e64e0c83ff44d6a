# Values that the tool could not use stop the evaluation. `true` is a value that was refused.
let
  common = import ./common;
  refused =
    bootstrap:
    !(builtins.tryEval (
      builtins.deepSeq (common.host [ "bootstrap" ] [ { inherit bootstrap; } ]).config.bootstrap true
    )).success;
  # The conditions that only the evaluation of the whole system asks for.
  asserted =
    module:
    !(builtins.tryEval
      (common.host [ "disks-btrfs" ] [
        {
          bootstrap.disk.device = "/dev/vda";
          users.users.root.hashedPassword = "x";
        }
        module
      ]).config.system.build.toplevel.drvPath
    ).success;
in
{
  accepted = refused { };
  acceptedSystem = asserted { };
  hostWithPort = refused { target.host = "example.org:22"; };
  hostForTheShell = refused { target.host = "-oProxyCommand=id"; };
  hostEmpty = refused { target.host = ""; };
  portZero = refused { target.port = 0; };
  portText = refused { target.port = "22"; };
  portTooHigh = refused { target.port = 65536; };
  userWithBlank = refused { target.user = "a b"; };
  keyInStore = refused { target.identityFile = "${./common}/default.nix"; };
  keyAsPath = refused { target.identityFile = ./common; };
  persistRelative = refused { persistDir = "persist"; };
  persistOutside = refused { persistDir = "/a/../b"; };
  minimalAsText = refused { isMinimal = "true"; };
  secretsInStore = refused { secrets.repo = ./common; };
  generatorUnknown = refused { hardware.generator = "lshw"; };
  commandOfTwoLines = refused { rebuild.command = "a\nb"; };
  unknownOption = refused { target.adress = "192.0.2.1"; };

  userMissing = asserted { bootstrap.user = "nobody-there"; };
  generatorAndFile = asserted {
    bootstrap.hardware = {
      generator = "nixos-facter";
      file = "hosts/a/hardware-configuration.nix";
    };
  };
}
