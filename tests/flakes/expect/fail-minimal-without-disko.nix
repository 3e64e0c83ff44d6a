# The minimal configuration of a host that has no disko.
let
  common = import ./common;
in
common.nixos-bootstrap.lib.mkMinimal {
  host = common.lib.nixosSystem {
    modules = [
      {
        nixpkgs.hostPlatform = "x86_64-linux";
        networking.hostName = "bare";
      }
    ];
  };
}
