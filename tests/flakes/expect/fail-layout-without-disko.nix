# A layout without disko's module.
let
  common = import ./common;
  host = common.lib.nixosSystem {
    modules = [
      common.nixos-bootstrap.nixosModules.disks-btrfs
      { nixpkgs.hostPlatform = "x86_64-linux"; }
    ];
  };
in
host.config.system.build.toplevel.drvPath
