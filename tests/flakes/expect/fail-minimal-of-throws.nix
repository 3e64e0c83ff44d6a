# The minimal configuration of a host with a value that does not evaluate: the error names the host's file.
let
  common = import ./common;
  minimal = common.nixos-bootstrap.lib.mkMinimal {
    name = "broken";
    host = common.host [ "disks-btrfs" ] [ ./folders/broken/throws.nix ];
  };
in
minimal.config.system.build.toplevel.drvPath
