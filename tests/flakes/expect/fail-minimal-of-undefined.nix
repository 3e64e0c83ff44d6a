# The minimal configuration of a host that does not evaluate: the error is at the host's file.
let
  common = import ./common;
  minimal = common.nixos-bootstrap.lib.mkMinimal {
    name = "broken";
    host = common.host [ "disks-btrfs" ] [ ./folders/broken/undefined.nix ];
  };
in
minimal.config.system.build.toplevel.drvPath
